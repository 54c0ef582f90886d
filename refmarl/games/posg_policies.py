"""Play of partially observed games: values of strategies, best responses, controllers.

A *strategy* of player i over T rounds is a tuple of T tables, the t-th (O_i^t, A_i): a mixture over
actions for each history of own observations, numbered as by ``posg.histories``. With rows of 0
and 1 it is a policy tree. Own actions need not be remembered by who does not randomise, and a best
response need not randomise.

*Best response.* Let the others' strategies be fixed. What matters for the future is then (s, h_-i),
the state and the others' histories; that is the hidden state of a POMDP of player i alone. A player
therefore has to think about what the others have seen, not about the state only. All own histories
of actions and observations are gone through, each with its weight w(s, h_-i), and the
maximum is taken backwards.

*Controllers* have finitely many nodes instead of a history and can play for ever. With them the
joint state (s, q_1, …, q_n) is a Markov chain, and values are a linear solve as in (1.12).

Axes: as in ``posg``; K own histories, H histories of the others, Q_i nodes.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ._tables import discounted_sum, rescaled
from .dec_pomdp import Strategy, horizon_discount
from .posg import POSG, Ints


class Reply(NamedTuple):
    """A best response: what it earns, and a deterministic strategy that earns it."""

    value: float
    strategy: Strategy


class Controller(NamedTuple):
    """A finite-state controller of one player with Q nodes."""

    act: Array  # (Q, A): a mixture over actions at each node
    move: Array  # (Q, A, O, Q): the next node, by own action and observation
    start: Array  # (Q,): the first node


def posg_value(posg: POSG, strategies: Sequence[Any], gamma: float = 1.0) -> Array:
    """Σ_t γ^t R_i over the rounds of the strategies, expected: shape (n,).

    Parameters
    ----------
    strategies : n tuples of T tables (O_i^t, A_i)
    gamma : float in [0, 1]

    Raises
    ------
    InputError
        If a table has the wrong shape or holds no mixtures, or the game grows too large.

    Examples
    --------
    Both open the left door at once: evenly -50 and 20.

    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(posg_value(dec_tiger(), [[[[0, 1, 0]]]] * 2))
    [-15. -15.]
    """
    found, weight, gamma = np.zeros(posg.num_players), 1.0, horizon_discount(gamma)
    plans = checked_strategies(posg, strategies)
    reward = posg.game.reward.reshape(posg.num_players, posg.game.num_states, -1)
    everybody = range(posg.num_players)
    w: Array = posg.game.initial[None]  # (H, S), over joint histories
    own: Ints = np.zeros((posg.num_players, 1), dtype=np.intp)
    for t in range(len(plans[0])):
        mixture = _joint([p[t] for p in plans], own)
        played = w[:, None, :] * mixture[:, :, None]  # (H, A, S)
        found += weight * np.einsum("has,isa->i", played, reward)
        if t + 1 < len(plans[0]):
            w, own = _longer(played, posg.step, own, posg.num_observations, everybody)
        weight *= gamma
    return found


def posg_best_response(posg: POSG, strategies: Sequence[Any], i: int, gamma: float = 1.0) -> Reply:
    """The best that player i can do against the others' strategies, remembering everything.

    The entry ``strategies[i]`` does not matter. Raises InputError as :func:`posg_value` does.

    Examples
    --------
    If the other opens the left door, so should I: the tiger is there half the time, -50 or 20;
    listening would get -101 or 9.

    >>> from refmarl.games.posg_examples import dec_tiger
    >>> reply = posg_best_response(dec_tiger(), [None, [[[0, 1, 0]]]], 0)
    >>> print(reply.value, reply.strategy[0])
    -15.0 [[0. 1. 0.]]
    """
    i, gamma = check.player(i, posg.num_players), horizon_discount(gamma)
    given = list(strategies)
    others = [j for j in range(posg.num_players) if j != i]
    if len(given) == posg.num_players:
        given[i] = _any_strategy(posg, i, len(given[others[0]]) if others else len(given[i]))
    plans = checked_strategies(posg, given)
    pays = list(_payments(posg, plans, i))  # (K_t, A_i) of every round
    actions, seen = posg.num_actions[i], posg.num_observations[i]
    values = pays[-1]
    best = [values.argmax(axis=1)]
    for pay in pays[-2::-1]:
        ahead = values.max(axis=1).reshape(*pay.shape, seen).sum(axis=-1)
        values = pay + gamma * ahead
        best.insert(0, values.argmax(axis=1))
    strategy, at = [], np.zeros(1, dtype=np.intp)
    for chosen in best:
        strategy.append(np.eye(actions)[chosen[at]])
        at = ((at * actions + chosen[at])[:, None] * seen + np.arange(seen)).ravel()
    return Reply(float(values[0].max()), tuple(strategy))


def posg_regrets(posg: POSG, strategies: Sequence[Any], gamma: float = 1.0) -> Array:
    """What each player's best response would gain, (n,), ≥ 0.

    Examples
    --------
    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(posg_regrets(dec_tiger(), [[[[1, 0, 0]]], [[[0, 1, 0]]]]))
    [31. 44.]
    """
    value = posg_value(posg, strategies, gamma)
    replies = (posg_best_response(posg, strategies, i, gamma) for i in range(posg.num_players))
    best = np.array([reply.value for reply in replies])
    return np.maximum(best - value, 0.0)


def posg_nash_conv(posg: POSG, strategies: Sequence[Any], gamma: float = 1.0) -> float:
    """Sum of the regrets: 0 exactly at Nash equilibria of the game over these rounds."""
    return float(posg_regrets(posg, strategies, gamma).sum())


def memoryless(rows: Any, first: Any) -> Controller:
    """Play ``rows[o]`` (O, A) after the last observation o, and ``first`` (A,) before any.

    Examples
    --------
    >>> reacts = memoryless([[1, 0], [0, 1]], [0.5, 0.5])
    >>> reacts.act.shape, reacts.move.shape
    ((3, 2), (3, 2, 2, 3))
    """
    act = np.vstack([check.real_array(rows, "rows", 2), check.real_array(first, "first", 1)])
    seen, actions = len(act) - 1, act.shape[1]
    move: Array = np.broadcast_to(np.eye(seen + 1)[:seen], (seen + 1, actions, seen, seen + 1))
    return Controller(act, move, np.eye(seen + 1)[seen])


def evaluate_controllers(posg: POSG, controllers: Sequence[Controller]) -> Array:
    """Σ_t γ^t R_i for ever, expected, with the game's own γ: shape (n,).

    Examples
    --------
    Listening for ever costs 2 in every round.

    >>> from refmarl.games.posg_examples import dec_tiger
    >>> deaf = memoryless([[1, 0, 0], [1, 0, 0]], [1, 0, 0])
    >>> print(evaluate_controllers(dec_tiger(0.5), [deaf, deaf]).round(9))
    [-4. -4.]
    """
    chain, reward, start = controlled_chain(posg, controllers)
    found: Array = start @ discounted_sum(chain, posg.game.gamma, reward.T)
    return found


def controlled_chain(posg: POSG, controllers: Sequence[Controller]) -> tuple[Array, Array, Array]:
    """(chain (X, X), reward (n, X), start (X,)) over the X = S Q_1 … Q_n joint states."""
    fixed = _checked_controllers(posg, controllers)
    n, states, start = posg.num_players, posg.game.num_states, posg.game.initial
    nodes = tuple(len(c.start) for c in fixed)
    size = states * int(np.prod(nodes))
    check.size_cap((size, size), "chain over states and nodes")
    chain: Array = np.zeros((states, *nodes, states, *nodes))
    reward: Array = np.zeros((n, states, *nodes))
    order = [*range(0, 2 * n, 2), *range(1, 2 * n, 2)]  # nodes before, nodes after
    for a in product(*map(range, posg.num_actions)):
        here: Any = (slice(None), *a)
        played = _outer([c.act[:, k] for c, k in zip(fixed, a, strict=True)])  # (Q_1, …, Q_n)
        reward += np.multiply.outer(posg.game.reward[:, *here], played)
        for o in product(*map(range, posg.num_observations)):
            moves = posg.game.transition[here] * posg.observation[(*here, *o)]
            turns = _outer([c.move[:, k, x] for c, k, x in zip(fixed, a, o, strict=True)])
            step = turns.transpose(order) * played.reshape(*nodes, *[1] * n)
            chain += np.moveaxis(np.multiply.outer(moves, step), 1, 1 + n)
    for c in fixed:
        start = np.multiply.outer(start, c.start)
    return chain.reshape(size, size), reward.reshape(n, size), start.ravel()


def checked_strategies(posg: POSG, strategies: Sequence[Any]) -> tuple[Strategy, ...]:
    """``strategies`` as float64 tables, checked against this game; all of one length."""
    check.instance(posg, POSG, "posg")
    check.several(strategies, "strategies", "one for each player")
    if len(strategies) != posg.num_players:
        raise InputError(f"strategies: need {posg.num_players}, got {len(strategies)}")
    lengths = {len(strategy) for strategy in strategies}
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(f"strategies: need one number of rounds ≥ 1, got {sorted(lengths)}")
    found = []
    for i, (strategy, k) in enumerate(zip(strategies, posg.num_actions, strict=True)):
        tables = []
        for t, rows in enumerate(strategy):
            name = f"strategy of player {i}, round {t}"
            mixture = check.mixture(rows, k, name)
            needed = (posg.num_observations[i] ** t, k)
            if mixture.shape != needed:
                raise InputError(f"{name}: need shape {needed}, got {mixture.shape}")
            mixture = np.maximum(mixture, 0.0)
            tables.append(rescaled(mixture, mixture.sum(axis=-1, keepdims=True)))
        found.append(tuple(tables))
    return tuple(found)


def _any_strategy(posg: POSG, i: int, rounds: int) -> Strategy:
    k, o = posg.num_actions[i], posg.num_observations[i]
    check.size_cap((*[o] * max(rounds - 1, 0), k), "strategy")
    return tuple(np.full((o**t, k), 1.0 / k) for t in range(rounds))


def _outer(tables: Sequence[Array]) -> Array:
    """The outer product: axes of the first, of the second, …"""
    found: Array = np.ones(())
    for own in tables:
        found = np.multiply.outer(found, own)
    return found


def _joint(tables: Sequence[Array], own: Ints) -> Array:
    """(H, A): the product of the mixtures ``tables[j][own[j, h]]``, joint actions numbered."""
    found: Array = np.ones((own.shape[1], 1))
    for rows, at in zip(tables, own, strict=True):
        found = (found[:, :, None] * rows[at][:, None, :]).reshape(len(found), -1)
    return found


def _longer(
    played: Array, step: Array, own: Ints, seen: Sequence[int], players: Sequence[int]
) -> tuple[Array, Ints]:
    """(w' (H', S'), own' (n, H')): one round later; histories that cannot occur are left out."""
    check.size_cap((len(played), *step.shape[2:]), "joint histories")
    after = np.tensordot(played, step, axes=((1, 2), (0, 1)))  # (H, S', O)
    w = np.moveaxis(after, 1, 2).reshape(-1, after.shape[1])
    grown = _grown(own, [seen[j] for j in players])
    alive = w.sum(axis=1) > 0.0
    return w[alive], grown[:, alive]


def _grown(own: Ints, seen: Sequence[int]) -> Ints:
    """(n, H O): each player's history after each joint observation."""
    if not seen:
        return own
    size = int(np.prod(seen, dtype=np.intp))
    signals = np.array(np.unravel_index(np.arange(size), tuple(seen)))  # (n, O)
    base = np.array(seen, dtype=np.intp)[:, None, None]
    grown: Ints = own[:, :, None] * base + signals[:, None, :]
    return grown.reshape(len(own), -1)


def _payments(posg: POSG, plans: Sequence[Strategy], i: int) -> Iterator[Array]:
    """(K_t, A_i) round by round: what each action pays after each own history, by its weight.

    Own histories of actions and observations are numbered (k A_i + a) O_i + o.
    """
    others = [j for j in range(posg.num_players) if j != i]
    step, reward = _own_first(posg, i)
    theirs = [posg.num_observations[j] for j in others]
    w: Array = posg.game.initial[None, :, None]  # (K, S, H)
    own: Ints = np.zeros((len(others), 1), dtype=np.intp)
    for t in range(len(plans[i])):
        mixture = _joint([plans[j][t] for j in others], own)  # (H, B)
        met = w[..., None] * mixture  # (K, S, H, B)
        yield np.einsum("ksb,sab->ka", met.sum(axis=2), reward)
        if t + 1 == len(plans[i]):
            return
        own = _grown(own, theirs)
        k, a, x = len(w), step.shape[1], step.shape[4]
        check.size_cap((k, a, x, step.shape[3], own.shape[1]), "histories")
        after = np.tensordot(met, step, axes=((1, 3), (0, 2)))  # (K, H, A_i, S', O_i, O_-i)
        w = after.transpose(0, 2, 4, 3, 1, 5).reshape(k * a * x, step.shape[3], -1)


def _own_first(posg: POSG, i: int) -> tuple[Array, Array]:
    """(step (S, A_i, A_-i, S', O_i, O_-i), reward (S, A_i, A_-i)), the others' numbered."""
    n, states = posg.num_players, posg.game.num_states
    full = posg.step.reshape(*posg.num_actions, states, states, *posg.num_observations)
    others = [j for j in range(n) if j != i]
    order = (n, i, *others, n + 1, n + 2 + i, *(n + 2 + j for j in others))
    own, seen = posg.num_actions[i], posg.num_observations[i]
    step = full.transpose(order).reshape(
        states, own, int(np.prod([posg.num_actions[j] for j in others], dtype=int)), states, seen,
        int(np.prod([posg.num_observations[j] for j in others], dtype=int)),
    )  # fmt: skip
    reward = np.moveaxis(posg.game.reward[i], 1 + i, 1).reshape(states, own, -1)
    return step, reward


def _checked_controllers(posg: POSG, controllers: Sequence[Controller]) -> list[Controller]:
    """Each of the right shapes, rows distributions."""
    if len(controllers) != posg.num_players:
        raise InputError(f"controllers: need {posg.num_players}, got {len(controllers)}")
    found = []
    for i, (k, o) in enumerate(zip(posg.num_actions, posg.num_observations, strict=True)):
        nodes = len(np.atleast_1d(np.asarray(controllers[i].start)))
        shapes = ((nodes, k), (nodes, k, o, nodes), (nodes,))
        parts = []
        for name, rows, shape in zip(Controller._fields, controllers[i], shapes, strict=True):
            title = f"controller of player {i}, {name}"
            mixture = np.maximum(check.mixture(rows, shape[-1], title), 0.0)
            if mixture.shape != shape:
                raise InputError(f"{title}: need shape {shape}, got {mixture.shape}")
            parts.append(rescaled(mixture, mixture.sum(axis=-1, keepdims=True)))
        found.append(Controller(*parts))
    return found
