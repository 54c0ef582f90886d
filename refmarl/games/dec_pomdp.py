"""Optimal joint policies of Dec-POMDPs over a finite horizon, exactly.

In a partially observed game of common interest the players agree in advance on a joint policy and
then act apart, each on its own observations. The search goes through the rounds forwards. A node is
the distribution w(s, h_1, …, h_n) of states and observation histories under the rules fixed so far;
it says all that matters for the rest. Its children are the joint rules of the next round, one
action for every history of every player.

*Bound.* If from here on all observations were shared, the rest would be a POMDP. Its value Q(h, a)
after each joint history is an upper bound, and that of a rule δ is Σ_h Q(h, δ(h)). A child whose
bound is no better than the best policy found is not entered (multi-agent A*: Szer et al. 2005;
the order here is depth-first, the best bound first). Where sharing would lead to too many
beliefs, the values of a fully observed game stand in, which bound it from above as well.

*Equal histories.* Histories h_i, h_i' with the same P(s, h_-i|h_i) call for the same future play:
they are merged, without loss (Oliehoek et al. 2009). Ones that cannot occur are dropped.

*Last round.* It is a Bayesian game: for every rule of players 1, …, n-1 the best action of player n
is found history by history.
"""

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from .posg import POSG, Ints

MAX_SUMS = 10_000_000  # what the joint rules of one round earn, by history and action of the last
MAX_BELIEFS = 200_000  # of the bound, at once
SAME = 12  # decimals to which merged distributions agree
ROUNDING = 1e-12  # of the largest return: a bound higher by less is no gain

Strategy = tuple[Array, ...]  # one table (O_i^t, A_i) for every round t


class JointPlan(NamedTuple):
    """An optimal joint policy: what it earns, one strategy for each player, nodes entered."""

    value: float
    strategies: tuple[Strategy, ...]  # [i][t] (O_i^t, A_i), rows 0 or 1
    nodes: int


class _Round(NamedTuple):
    """The rules of one round, and which merged history follows from each observation."""

    rules: tuple[Ints, ...]  # [i] (H_i,), actions
    follows: tuple[Ints, ...]  # [i] (H_i O_i,), -1 where it cannot occur; none after the last


def solve_dec_pomdp(posg: POSG, horizon: int, gamma: float = 1.0) -> JointPlan:
    """A joint policy of largest expected return Σ_{t < horizon} γ^t R over deterministic ones.

    Randomising helps nobody: the return is linear in every player's mixture over policies.

    Parameters
    ----------
    posg : POSG
        All players with the same rewards.
    horizon : int ≥ 1
        How often everybody acts.
    gamma : float in [0, 1]
        The discount over the horizon; the game's own is not used.

    Returns
    -------
    JointPlan
        ``value`` is the optimum up to 1e-12 of the largest return possible.

    Raises
    ------
    InputError
        If rewards differ between players, or a round has too many joint rules (some millions).

    Examples
    --------
    With two rounds left no door is worth its tiger: both listen twice, 2 · (-2).

    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(round(solve_dec_pomdp(dec_tiger(), 2).value, 9))
    -4.0
    """
    search = _Search(posg, horizon, gamma)
    states = posg.game.num_states
    start = posg.game.initial.reshape(*[1] * posg.num_players, states)
    search.enter(start, 0, 0.0, ())
    return JointPlan(search.best, search.strategies(), search.nodes)


def centralised_value(posg: POSG, horizon: int, gamma: float = 1.0) -> float:
    """What a team could expect that shared all observations at once: the value of the POMDP.

    Never below that of :func:`solve_dec_pomdp`. All joint histories are gone through, at most
    200 000 of the last round.

    Examples
    --------
    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(round(centralised_value(dec_tiger(), 2), 9))
    10.815
    """
    search = _Search(posg, horizon, gamma)
    branching = search.step.shape[0] * search.step.shape[3]
    if branching ** (horizon - 1) > MAX_BELIEFS:
        raise InputError(f"horizon: {branching}^{horizon - 1} histories; the cap is {MAX_BELIEFS}")
    return float(search.shared(posg.game.initial[None], horizon).max())


def horizon_discount(gamma: Any) -> float:
    """γ over a finite horizon, in [0, 1]: 1 is allowed."""
    if isinstance(gamma, bool) or not isinstance(gamma, int | float) or not 0.0 <= gamma <= 1.0:
        raise InputError(f"gamma: need a number in [0, 1], got {gamma!r}")
    return float(gamma)


class _Search:
    """Depth-first branch and bound; ``best`` and ``plan`` are the best found so far."""

    def __init__(self, posg: POSG, horizon: int, gamma: float) -> None:
        check.instance(posg, POSG, "posg")
        self.horizon = check.positive(horizon, "horizon")
        self.gamma = gamma = horizon_discount(gamma)
        reward = posg.game.reward
        if not (reward == reward[0]).all():
            raise InputError("posg: need the same rewards for all players")
        self.actions, self.seen, self.step = posg.num_actions, posg.num_observations, posg.step
        states = posg.game.num_states
        self.reward: Array = posg.game.reward[0].reshape(states, -1)  # (S, A)
        moves = self.step.sum(axis=-1)  # (A, S, S')
        self.observed = [self.reward]  # (S, A) with 1, 2, … rounds left, states seen
        for _ in range(horizon - 1):
            after = (moves @ self.observed[-1].max(axis=1)).T
            self.observed.append(self.reward + gamma * after)
        size = np.abs(self.reward).max() * sum(gamma**t for t in range(horizon))
        self.slack = ROUNDING * float(size)
        self.best, self.nodes = -np.inf, 0
        self.plan: tuple[_Round, ...] = ()

    def enter(self, w: Array, t: int, earned: float, before: tuple[_Round, ...]) -> None:
        """Search below the node w (H_1, …, H_n, S) of round t, ``earned`` before it."""
        self.nodes += 1
        hist, weight = w.shape[:-1], self.gamma**t
        q = self.shared(w.reshape(-1, w.shape[-1]), self.horizon - t)
        q = q.reshape(*hist, *self.actions)
        if t == self.horizon - 1:
            value, rules = _bayesian(q)
            if earned + weight * value > self.best:
                none: tuple[Ints, ...] = ()
                self.best, self.plan = earned + weight * value, (*before, _Round(rules, none))
            return
        sizes = [k**h for k, h in zip(self.actions, hist, strict=True)]
        bounds = earned + weight * _totals(q, len(hist))
        for number in np.argsort(-bounds, kind="stable"):
            if bounds[number] <= self.best + self.slack:
                return
            picked = np.unravel_index(int(number), sizes)
            rules = tuple(
                _digits(int(r), k, h) for r, k, h in zip(picked, self.actions, hist, strict=True)
            )
            after, paid, follows = self.follow(w, rules)
            self.enter(after, t + 1, earned + weight * paid, (*before, _Round(rules, follows)))

    def shared(self, w: Array, left: int) -> Array:
        """Q (K, A) of the POMDP with ``left`` rounds to go, from weights w (K, S).

        Homogeneous in w: weights need not sum to 1, so that probabilities multiply themselves.
        """
        actions, seen = self.step.shape[0], self.step.shape[3]
        if left == 1 or len(w) * actions * seen > MAX_BELIEFS:
            return np.asarray(w @ self.observed[left - 1], dtype=float)
        after = np.moveaxis(np.tensordot(w, self.step, axes=(1, 1)), 2, -1)  # (K, A, O, S')
        deeper = self.shared(after.reshape(-1, w.shape[1]), left - 1).max(axis=1)
        ahead = deeper.reshape(len(w), actions, seen).sum(axis=-1)
        return np.asarray(w @ self.reward + self.gamma * ahead, dtype=float)

    def follow(self, w: Array, rules: tuple[Ints, ...]) -> tuple[Array, float, tuple[Ints, ...]]:
        """(the node that the rules lead to, what the round pays, which history follows which)."""
        hist, states = w.shape[:-1], w.shape[-1]
        joint = np.ravel_multi_index(np.ix_(*rules), self.actions).ravel()
        flat = w.reshape(-1, states)
        paid = float((flat * self.reward.T[joint]).sum())
        after = np.einsum("hs,hsto->hot", flat, self.step[joint])
        n = len(hist)
        after = after.reshape(*hist, *self.seen, states)
        order = [axis for i in range(n) for axis in (i, n + i)]
        longer = [h * o for h, o in zip(hist, self.seen, strict=True)]
        after = after.transpose(*order, 2 * n).reshape(*longer, states)
        follows = []
        for i in range(n):
            after, labels = _merged(after, i)
            follows.append(labels)
        return after, paid, tuple(follows)

    def strategies(self) -> tuple[Strategy, ...]:
        """The plan as tables over all observation histories; where none can be, action 0."""
        found = []
        for i, (k, o) in enumerate(zip(self.actions, self.seen, strict=True)):
            where: Ints = np.zeros(1, dtype=np.intp)
            tables = []
            for rules, follows in self.plan:
                chosen = np.where(where < 0, 0, rules[i][where])
                tables.append(np.eye(k)[chosen])
                if follows:
                    next_one = where[:, None] * o + np.arange(o)
                    where = np.where(where[:, None] < 0, -1, follows[i][next_one]).ravel()
            found.append(tuple(tables))
        return tuple(found)


def _digits(number: int, base: int, length: int) -> Ints:
    """The rule with this number: one action below ``base`` for each history."""
    found: Ints = np.array([number // base**k % base for k in reversed(range(length))])
    return found


def _totals(q: Array, players: int) -> Array:
    """Σ_h q(h, δ(h)) for all rules δ_1, …, δ_k of the first ``players``: (rules, H…, A…).

    q is (H_1, …, H_n, A_1, …, A_n); what is left keeps the axes of the other players.
    """
    n = q.ndim // 2
    hist, actions = q.shape[:n], q.shape[n:]
    count = math.prod(k**h for k, h in zip(actions[:players], hist[:players], strict=True))
    if count * math.prod((*hist[players:], *actions[players:])) > MAX_SUMS:
        raise InputError(f"posg: {count} joint rules in one round are too many")
    found: Array = q[None]
    for i in range(players):
        rules = np.array(list(product(range(actions[i]), repeat=hist[i])))  # (R, H_i)
        found = np.moveaxis(found, 1 + n - i, 2)  # (rules so far, H_i, A_i, the others)
        total = found[:, 0, rules[:, 0]]
        for h in range(1, hist[i]):
            total = total + found[:, h, rules[:, h]]
        found = total.reshape(-1, *total.shape[2:])
    return found


def _bayesian(q: Array) -> tuple[float, tuple[Ints, ...]]:
    """(max_δ Σ_h q(h, δ(h)), a maximiser) for q (H_1, …, H_n, A_1, …, A_n)."""
    n = q.ndim // 2
    hist, actions = q.shape[:n], q.shape[n:]
    left = _totals(q, n - 1)  # (rules of the others, H_n, A_n)
    value = left.max(axis=-1).sum(axis=-1)
    best = int(np.argmax(value))
    sizes = [k**h for k, h in zip(actions[:-1], hist[:-1], strict=True)]
    picked = np.unravel_index(best, sizes) if sizes else ()
    others = (
        _digits(int(r), k, h) for r, k, h in zip(picked, actions[:-1], hist[:-1], strict=True)
    )
    return float(value[best]), (*others, left[best].argmax(axis=-1))


def _merged(w: Array, i: int) -> tuple[Array, Ints]:
    """(w with equal histories of player i added up, the new number of each old one or -1)."""
    rows = np.moveaxis(w, i, 0)
    flat = rows.reshape(len(rows), -1)
    total = flat.sum(axis=1)
    alive = np.flatnonzero(total > 0.0)
    given = np.round(flat[alive] / total[alive, None], SAME)
    _, number = np.unique(given, axis=0, return_inverse=True)
    number = number.ravel()
    labels: Ints = np.full(len(rows), -1, dtype=np.intp)
    labels[alive] = number
    merged = np.zeros((number.max() + 1, flat.shape[1]))
    np.add.at(merged, number, flat[alive])
    return np.moveaxis(merged.reshape(-1, *rows.shape[1:]), 0, i), labels
