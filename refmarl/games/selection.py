"""Which of several equilibria: payoff and risk dominance, p-dominance, maximum entropy  [+].

*Payoff dominance*: e is better than f for everybody. *Risk dominance* (Harsanyi & Selten 1988), two
players with two actions: of two strict equilibria e = (e_1, e_2) and f = (f_1, f_2) that one wins
whose players lose more by deviating,

    e risk-dominates f  ⇔  ℓ_1(e) ℓ_2(e) > ℓ_1(f) ℓ_2(f),   ℓ_i(e) = u_i(e) - u_i(f_i, e_-i)

*p-dominance* (Morris, Rob & Shin 1995), any number of players: e_i is a best reply to every belief
that gives e_-i at least p. A strict equilibrium is p-dominant for some p < 1, and at most one of
them is so for a p < 1/2; in a symmetric 2 × 2 game that one is risk dominant.

*Maximum entropy*: the equilibrium that says least beyond being one. Each maximal Nash subset of a
two-player game is a product conv(U) × conv(V), on which -Σ x log x has one maximum for each side.
Correlated equilibria form one polytope, with a single maximum p. It has the form

    p(a) ∝ exp(-Σ_k μ_k g_k(a)),   μ ≥ 0,

where g_k(a) is what the k-th deviation (play b whenever told a_i) gains at a; μ minimises
log Σ_a exp(-Σ_k μ_k g_k(a)) (Ortiz, Schapire & Kakade 2007).

The fourth choice, the end of the path of logit equilibria, is
:func:`refmarl.games.homotopy.logit_limit`.

J. C. Harsanyi, R. Selten, *A General Theory of Equilibrium Selection in Games*, 1988; S. Morris,
R. Rob, H. S. Shin, *p-dominance and belief potential*, Econometrica 63, 1995; L. E. Ortiz,
R. E. Schapire, S. M. Kakade, *Maximum entropy correlated equilibria*, AISTATS 2007.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from ..check import Array, InputError, Profile
from .correlated import violation
from .exact import exact_equilibria
from .nash import Certificate, certify, scale
from .normal_form import NormalForm, expected_utility

MAX_COEFFICIENTS = 2_000_000  # of the deviations' gains, one for each joint action
LEAST_BARRIER = 1e-13
SHRINK = 0.2  # of the barrier, from one minimisation to the next
NEWTON_STEPS = 60
SLACK = 1e-10  # of the payoffs' size: what a deviation from the device may gain


class MaximumEntropy(NamedTuple):
    """A Nash equilibrium, and the entropy of its joint play."""

    certificate: Certificate
    entropy: float  # Σ_i H(x_i), in nats

    @property
    def profile(self) -> Profile:
        """The equilibrium."""
        return self.certificate.profile


class MaximumEntropyCorrelated(NamedTuple):
    """A correlated equilibrium, and its entropy."""

    distribution: Array  # p, (A_1, …, A_n)
    payoffs: Array  # (n,)
    violation: float  # the largest gain from a deviation
    entropy: float  # H(p), in nats


def entropy(p: Any) -> float:
    """-Σ p log p in nats, with 0 log 0 = 0; p of any shape.

    Examples
    --------
    >>> print(round(entropy([0.5, 0.25, 0.25]) / np.log(2), 12))
    1.5
    """
    array = np.asarray(p, dtype=float)
    positive = array[array > 0.0]
    return float(-(positive * np.log(positive)).sum())


def payoff_dominates(game: NormalForm, first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether every player gets more in the profile ``first`` than in ``second``.

    Examples
    --------
    >>> hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    >>> payoff_dominates(hunt, hunt.pure((0, 0)), hunt.pure((1, 1)))
    True
    """
    better = expected_utility(game, first) > expected_utility(game, second)
    return bool(better.all())


def deviation_losses(game: NormalForm, first: Sequence[int], second: Sequence[int]) -> Array:
    """ℓ_i = u_i(e) - u_i(f_i, e_-i), (n,), for joint actions e = ``first`` and f = ``second``."""
    e, f = game.pure(first), game.pure(second)  # checked
    joint = [int(x.argmax()) for x in e]
    losses = np.empty(game.num_players)
    for i, other in enumerate(f):
        moved = [*joint]
        moved[i] = int(other.argmax())
        losses[i] = game.at(joint)[i] - game.at(moved)[i]
    return losses


def risk_dominance(game: NormalForm, first: Sequence[int], second: Sequence[int]) -> float:
    """log of the ratio of both products of losses: > 0 where ``first`` risk-dominates ``second``.

    Positive factors of the payoffs and what one cannot change oneself have no influence.

    Raises
    ------
    InputError
        If there are not two players with two actions each, or the joint actions are not two
        different strict equilibria. (For larger games risk dominance is the outcome of a
        tracing procedure, not a product.)

    Examples
    --------
    Hunting the stag pays best, the hare loses less if the other does something else:

    >>> hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    >>> print(round(risk_dominance(hunt, (0, 0), (1, 1)), 6))    # 1 · 1 against 3 · 3
    -2.197225
    """
    if game.num_actions != (2, 2):
        raise InputError(f"risk dominance: need 2 × 2 actions, got {game.num_actions}")
    losses = [deviation_losses(game, first, second), deviation_losses(game, second, first)]
    if tuple(first) == tuple(second) or min(x.min() for x in losses) <= 0.0:
        raise InputError(
            f"risk dominance: need two strict equilibria, got {tuple(first)} and {tuple(second)}"
        )
    return float(np.log(losses[0]).sum() - np.log(losses[1]).sum())


def p_dominance(game: NormalForm, actions: Sequence[int]) -> float:
    """The least p for which the joint action is p-dominant; inf if it is no equilibrium.

    Examples
    --------
    >>> hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    >>> p_dominance(hunt, (0, 0)), p_dominance(hunt, (1, 1))
    (0.75, 0.25)
    """
    joint = [int(x.argmax()) for x in game.pure(actions)]
    least = 0.0
    for i, u in enumerate(game.payoffs):
        others = tuple(k for j, k in enumerate(joint) if j != i)
        rows = np.moveaxis(u, i, 0)
        gain = rows - rows[joint[i]]  # of each other action
        here = gain[(slice(None), *others)]
        worst = gain.reshape(len(rows), -1).max(axis=1)  # over what the others may do
        if (here > 0.0).any():
            return float("inf")
        risky = worst > 0.0  # p · here + (1 - p) · worst ≤ 0
        least = max(least, float((worst[risky] / (worst - here)[risky]).max(initial=0.0)))
    return least


def descend(
    step: Callable[[Array, float], tuple[float, Array, Array]], start: Array, total: bool
) -> Array:
    """Minimise a convex function with a logarithmic barrier at 0, which shrinks to nothing.

    ``step(w, barrier)`` is (value, gradient, Hessian); ``total`` keeps Σ w as it is. Newton's
    method with halved steps; each minimum starts the next one.
    """
    w, barrier = start, 1.0
    while barrier > LEAST_BARRIER:
        barrier *= SHRINK
        for _ in range(NEWTON_STEPS):
            value, slope, curve = step(w, barrier)
            move = _newton(slope, curve, w, total)
            decrement = -float(slope @ move)
            length = min(1.0, 0.95 / max(float((-move / w).max()), 1e-9))
            while length > 1e-10 and not (
                step(w + length * move, barrier)[0] <= value - 0.1 * length * decrement
            ):
                length *= 0.5
            if length <= 1e-10 or decrement <= 1e-6 * barrier:
                break
            w = w + length * move
    return w


def _newton(slope: Array, curve: Array, w: Array, total: bool) -> Array:
    """The Newton step in units of w, where the barrier's Hessian is a multiple of 1."""
    scaled = curve * np.outer(w, w)
    if not total:
        return -w * np.linalg.lstsq(scaled, w * slope, rcond=None)[0]
    size = len(w)
    bordered = np.zeros((size + 1, size + 1))
    bordered[:size, :size], bordered[:size, size], bordered[size, :size] = scaled, w, w
    right = np.append(-w * slope, 0.0)
    found: Array = w * np.linalg.lstsq(bordered, right, rcond=None)[0][:size]
    return found


def most_even(points: Array) -> Array:
    """The mixture of the rows of ``points`` (k, m), distributions all, with the largest entropy.

    Examples
    --------
    >>> print(most_even(np.array([[1, 0, 0], [0, 0.5, 0.5]])).round(6))
    [0.333333 0.333333 0.333333]
    """
    used = points[:, points.max(axis=0) > 0.0]

    def step(w: Array, barrier: float) -> tuple[float, Array, Array]:
        x = w @ used
        value = float((x * np.log(x)).sum() - barrier * np.log(w).sum())
        slope = used @ (np.log(x) + 1.0) - barrier / w
        return value, slope, (used / x) @ used.T + np.diag(barrier / w**2)

    w = descend(step, np.full(len(points), 1.0 / len(points)), total=True)
    mixed: Array = w @ points / w.sum()
    return mixed


def maximum_entropy_equilibrium(game: NormalForm) -> MaximumEntropy:
    """The Nash equilibrium of a two-player game whose joint play has the largest entropy.

    All equilibria are compared, by components (:mod:`~refmarl.games.exact`), with its caps and
    errors. Of several that are equally good the first is given.

    Examples
    --------
    Row 1 and row 2 pay the same against column 1, which is best while row 1 has 1/2 or more:

    >>> game = NormalForm.bimatrix([[1, 1], [1, 0]], [[1, 0], [0, 1]])
    >>> found = maximum_entropy_equilibrium(game)
    >>> print(found.profile[0].round(6), found.profile[1].round(6))
    [0.5 0.5] [1. 0.]
    """
    best: tuple[Array, ...] = ()
    for component in exact_equilibria(game).components:
        for subset in component:
            sides = [np.array([[float(p) for p in x] for x in side]) for side in subset]
            profile = tuple(most_even(side) for side in sides)
            if not best or sum(map(entropy, profile)) > sum(map(entropy, best)) + 1e-9:
                best = profile
    return MaximumEntropy(certify(game, best), sum(map(entropy, best)))


def _gains(game: NormalForm) -> Array:
    """g_k(a), (K, S), in units of each player's payoffs: a row for each player, a_i and b ≠ a_i."""
    rows, actions = [], np.indices(game.num_actions)
    size = np.where(scale(game) > 0.0, scale(game), 1.0)
    for i, (u, k) in enumerate(zip(game.payoffs, game.num_actions, strict=True)):
        for told, played in permutations(range(k), 2):
            gain = (np.take(u, [played], axis=i) - u) / size[i]
            rows.append(np.where(actions[i] == told, gain, 0.0).ravel())
    return np.array(rows).reshape(-1, game.payoffs[0].size)


def maximum_entropy_correlated(game: NormalForm) -> MaximumEntropyCorrelated:
    """The correlated equilibrium with the largest entropy, by Newton's method on the dual.

    Deviations may gain 1e-10 of a player's payoffs, so that the dual has a minimum in all games.

    Examples
    --------
    >>> chicken = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    >>> found = maximum_entropy_correlated(chicken)
    >>> print(found.distribution.round(4), found.violation < 1e-8)
    [[0.2583 0.2967]
     [0.2967 0.1483]] True
    """
    count = sum(k * (k - 1) for k in game.num_actions) * game.payoffs[0].size
    if count > MAX_COEFFICIENTS:
        raise InputError(f"maximum entropy: {count} coefficients; the cap is {MAX_COEFFICIENTS}")
    gains = _gains(game)

    def device(w: Array) -> Array:
        logs = -w @ gains
        p = np.exp(logs - logs.max())
        normed: Array = p / p.sum()
        return normed

    def step(w: Array, barrier: float) -> tuple[float, Array, Array]:
        logs, slack = -w @ gains, SLACK + barrier
        p = device(w)
        value = float(logs.max() + np.log(np.exp(logs - logs.max()).sum()))
        mean = gains @ p
        curve = (gains * p) @ gains.T - np.outer(mean, mean) + np.diag(barrier / w**2)
        return (
            value + slack * w.sum() - barrier * np.log(w).sum(),
            slack - mean - barrier / w,
            curve,
        )

    w = descend(step, np.ones(len(gains)), total=False) if len(gains) else np.zeros(0)
    p = device(w).reshape(game.num_actions) if len(gains) else np.ones(game.num_actions)
    payoffs = np.array([(p * u).sum() for u in game.payoffs])
    return MaximumEntropyCorrelated(p, payoffs, max(violation(game, p), 0.0), entropy(p))
