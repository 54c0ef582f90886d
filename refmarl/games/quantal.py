"""Logit quantal response equilibrium, and the path that such equilibria form  [+].

    x_i(a) = exp(λ u_i(a, x_-i)) / Σ_b exp(λ u_i(b, x_-i))   for all i, a

Players choose better actions more often, not always (McKelvey & Palfrey 1995): λ ≥ 0, the
*rationality*, in 1 / payoff, leads from even mixing (λ = 0) to best responses (λ → ∞). Every limit
of such equilibria as λ → ∞ is a Nash equilibrium. They form a path from (0, uniform) on which λ may
turn back for a while; for almost all games it is a smooth curve without branches, and ends in one
Nash equilibrium: the one that it *selects*.

The path is followed in y = log x, where a probability may be as small as exp(-10⁶), by
pseudo-arclength continuation (Turocy 2005): a step along the tangent, then Newton's method normal
to it, on the N equations, with r_i a most probable action of player i,

    Σ_a exp(y_i(a)) - 1 = 0,      y_i(a) - y_i(r_i) - λ (v_i(a) - v_i(r_i)) = 0,   a ≠ r_i,

v_i(a) = u_i(a, x_-i). Their derivatives are those of v_i(a) by x_j(b), which is player i's value
where i plays a and j plays b, times x_j(b). Other *priors* p than the uniform one add
log p_i(a) - log p_i(r_i) to the right side: then the path starts at p.

Inside, payoffs are divided by powers of two, one for each player, and what a player's own action
does not change is subtracted: tiny and huge payoffs make no difference.

R. D. McKelvey, T. R. Palfrey, *Quantal response equilibria for normal form games*, Games and
Economic Behavior 10, 1995; T. L. Turocy, *A dynamic homotopy interpretation of the logistic quantal
response equilibrium correspondence*, Games and Economic Behavior 51, 2005; E. L. Allgower,
K. Georg, *Numerical Continuation Methods*, 1990.

Axes: n players, A_i actions, N = Σ_i A_i; T points of a path.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError, Profile
from ._logit import correct, system
from .normal_form import NormalForm, values_against

FIRST_STEP = 0.03
MAX_POINTS = 3000  # of one path
MAX_WORK = 50_000_000  # n² S + N³, the cost of one step in operations: a path takes minutes
LEAST_SPAN = 1e-300  # of payoffs: less cannot be brought to size without loss
FARTHEST = 1e10  # of λ times the payoffs' size: beyond it rounding decides
TURN = 0.75  # cosine of the angle between neighbouring tangents, at least
STRAIGHT = 0.98  # a larger cosine doubles the step
LEAST_STEP = 1e-9
STUCK = "the path could not be followed farther"
FULL = f"the path has more than {MAX_POINTS} points"
BACK = "the path came back to λ = 0"


class LogitPath(NamedTuple):
    """Logit equilibria along a path, from λ = 0 on."""

    rationality: Array  # λ, (T,); it may fall for a while
    profiles: Profile  # n arrays (T, A_i)
    logs: Profile  # their logarithms, exact where a probability is too small for a float
    reason: str  # why the path ends before the λ asked for; "" if it does not


class QuantalResponse(NamedTuple):
    """The logit equilibrium at one λ on the path from the uniform profile."""

    rationality: float
    profile: Profile
    residual: float  # max |x - quantal response to x|


class Scaled(NamedTuple):
    """A game as the kernels take it; λ inside is λ outside times ``unit``."""

    payoffs: Array  # (n, S), in [0, 2)
    sizes: NDArray[np.int64]
    beta: Array  # (n,), the largest is 1, or all are 0 where nobody's action matters
    unit: float

    @property
    def total(self) -> int:
        """N."""
        return int(self.sizes.sum())

    def split(self, rows: Array) -> Profile:
        """(…, N) cut into the players' parts."""
        return tuple(np.split(rows, np.cumsum(self.sizes)[:-1], axis=-1))


def strategic_range(game: NormalForm) -> Array:
    """The most that each player's own action can change its payoff, (n,).

    Examples
    --------
    >>> print(strategic_range(NormalForm.bimatrix([[3, 0], [5, 1]], [[7, 7], [0, 0]])))
    [2. 0.]
    """
    check.instance(game, NormalForm, "game")
    spans = [float(np.ptp(u, axis=i).max()) for i, u in enumerate(game.payoffs)]
    for i, span in enumerate(spans):
        if 0.0 < span < LEAST_SPAN:
            raise InputError(
                f"payoffs: those of player {i} differ by {span:g}; need 0 or ≥ {LEAST_SPAN:g}"
            )
    return np.array(spans)


def scaled(game: NormalForm, weights: Sequence[float] | None = None) -> Scaled:
    """The game in units of the players' payoffs; ``weights`` as in :func:`logit_path`.

    Raises
    ------
    InputError
        If the game exceeds ``MAX_WORK``, or the weights are no n positive numbers.
    """
    check.instance(game, NormalForm, "game")
    work = game.num_players * game.payoffs.size + sum(game.num_actions) ** 3
    if work > MAX_WORK:
        raise InputError(f"logit path: a step takes {work} operations; the cap is {MAX_WORK}")
    spans = strategic_range(game)
    units = np.ldexp(1.0, np.frexp(spans)[1])
    own = [u - u.min(axis=i, keepdims=True) for i, u in enumerate(game.payoffs)]
    payoffs = np.stack([u / unit for u, unit in zip(own, units, strict=True)])
    rates = np.where(spans > 0.0, _weights(game, weights) * units, 0.0)
    unit = float(rates.max()) or 1.0
    flat = np.ascontiguousarray(payoffs.reshape(game.num_players, -1))
    return Scaled(flat, np.array(game.num_actions, np.int64), rates / unit, unit)


def _weights(game: NormalForm, weights: Sequence[float] | None) -> Array:
    if weights is None:
        return np.ones(game.num_players)
    found = check.real_array(weights, "weights", 1)
    if found.shape != (game.num_players,) or not (found > 0.0).all():
        raise InputError(f"weights: need {game.num_players} positive numbers, got {weights!r}")
    return found


def _rationality(value: Any) -> float:
    found = float(check.real_array(value, "rationality", 0))
    if found < 0.0:
        raise InputError(f"rationality: need a number ≥ 0, got {found:g}")
    return found


def quantal_response(game: NormalForm, profile: Sequence[Any], rationality: float) -> Profile:
    """exp(λ u_i(a, x_-i)), normed: everybody's logit response to x, n arrays (..., A_i).

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> print(quantal_response(game, game.uniform(), np.log(3) * 2)[0].round(9))
    [0.75 0.25]
    """
    strategies, rate = game.profile(profile), _rationality(rationality)
    found = []
    for i in range(game.num_players):
        v = values_against(game, strategies, i)
        weights = np.exp(np.maximum(rate * (v - v.max(axis=-1, keepdims=True)), -1000.0))
        found.append(weights / weights.sum(axis=-1, keepdims=True))
    return tuple(found)


def logit_system(game: NormalForm, logs: Sequence[Any], rationality: float) -> tuple[Array, Array]:
    """(H, its Jacobian): the path's equations at log-probabilities y and λ, see the module.

    Parameters
    ----------
    game : NormalForm
    logs : n arrays (A_i,)
        y_i(a), not necessarily those of a profile.
    rationality : λ ≥ 0

    Returns
    -------
    value : float (N,)
        0 at a logit equilibrium, and only there.
    jacobian : float (N, N + 1)
        By y, the first player's first; the last column by λ.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> value, jacobian = logit_system(game, [np.log([0.5, 0.5])] * 2, 2.0)
    >>> print(value)
    [0. 1. 0. 1.]
    >>> print(jacobian)
    [[ 0.5  0.5  0.   0.   0. ]
     [-1.   1.   2.  -1.   0.5]
     [ 0.   0.   0.5  0.5  0. ]
     [ 2.  -1.  -1.   1.   0.5]]
    """
    own, rate = scaled(game), _rationality(rationality)
    parts = [check.real_array(y, f"logs of player {i}", 1) for i, y in enumerate(logs)]
    if tuple(len(y) for y in parts) != game.num_actions:
        need = game.num_actions
        raise InputError(f"logs: need {need} numbers, got {tuple(len(y) for y in parts)}")
    z = np.concatenate([*parts, [rate * own.unit]])
    value, slope = np.zeros(own.total), np.zeros((own.total, own.total + 1))
    system(own.payoffs, own.sizes, own.beta, np.zeros(own.total), z, value, slope)
    slope[:, -1] *= own.unit
    return value, slope


class Tracer:
    """A path that is followed bit by bit: the y and λ reached so far, (N + 1,) each, in order.

    A step is halved where the corrections or the turn are too large, and doubled where both are
    small.
    """

    def __init__(self, own: Scaled, prior: Array, longest: float = np.inf) -> None:
        """Start at the log-probabilities ``prior`` (N,) and λ = 0; no step exceeds ``longest``."""
        self.own, self.bias, self.longest = own, prior, longest
        self.step = min(FIRST_STEP, longest)
        self.points = [np.append(prior, 0.0)]
        self.tangent = np.append(np.zeros(own.total), 1.0)
        _, _, self.tangent = self._corrected(self.points[0], self.tangent)

    def _corrected(self, z: Array, border: Array) -> tuple[float, Array, Array]:
        """(cosine, point, tangent) on the path near z, in the hyperplane normal to ``border``."""
        own, z, tangent = self.own, z.copy(), self.tangent.copy()
        cosine = correct(own.payoffs, own.sizes, own.beta, self.bias, border, z, tangent)
        return cosine, z, tangent

    def to(self, target: float) -> str:
        """Go on until λ, inside, is ``target``; why it was not reached, "" if it was."""
        level = np.append(np.zeros(self.own.total), 1.0)
        while len(self.points) < MAX_POINTS:
            z, rise = self.points[-1], float(self.tangent[-1])
            ends = rise > 0.0 and z[-1] + self.step * rise >= target
            length = (target - z[-1]) / rise if ends else self.step
            trial = z + length * self.tangent
            trial[-1] = target if ends else trial[-1]
            cosine, point, tangent = self._corrected(trial, level if ends else self.tangent)
            if cosine < TURN:
                self.step = 0.5 * min(self.step, length)
                if self.step < LEAST_STEP:
                    return STUCK
                continue
            self.tangent = tangent
            self.points.append(point)
            if ends or point[-1] < 0.0:
                return "" if ends else BACK
            self.step = min(self.step * (2.0 if cosine > STRAIGHT else 1.0), self.longest)
        return FULL


def _prior(game: NormalForm, prior: Sequence[Any] | None) -> Array:
    strategies = game.uniform() if prior is None else game.profile(prior)
    flat = np.concatenate(strategies)
    if flat.ndim != 1 or not (flat > 0.0).all():
        raise InputError("prior: need one profile that plays every action")
    found: Array = np.log(flat)
    return found


def logit_path(
    game: NormalForm,
    most: float | None = None,
    *,
    weights: Sequence[float] | None = None,
    prior: Sequence[Any] | None = None,
    longest: float | None = None,
) -> LogitPath:
    """The principal branch: logit equilibria from λ = 0 until λ = ``most`` is first reached.

    Parameters
    ----------
    game : NormalForm
        Any number of players.
    most : λ > 0, in 1 / payoff
        By default, and at most, 10¹⁰ over the payoffs' size.
    weights : n positive numbers
        Player i's rationality is λ times ``weights[i]``, by default λ.
    prior : profile that plays all actions
        Where the path starts, by default the uniform one.
    longest : number > 0
        Cap of the steps, which are lengths in log-probabilities and λ times the payoffs' size;
        for smooth curves. There are at most 3000 steps.

    Examples
    --------
    >>> hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    >>> path = logit_path(hunt, 8.0)
    >>> print(path.profiles[0][0], path.profiles[0][-1].round(6), path.rationality[-1])
    [0.5 0.5] [0. 1.] 8.0
    """
    own = scaled(game, weights)
    far = FARTHEST if most is None else min(_rationality(most) * own.unit, FARTHEST)
    if longest is not None and not longest > 0.0:
        raise InputError(f"longest: need a number > 0, got {longest!r}")
    tracer = Tracer(own, _prior(game, prior), np.inf if longest is None else longest)
    reason = tracer.to(far) if far > 0.0 else ""
    points = np.array(tracer.points)
    logs = own.split(points[:, :-1])
    rates = points[:, -1] / own.unit
    if most is not None and not reason and far < FARTHEST:
        rates[-1] = most
    return LogitPath(rates, tuple(np.exp(y) for y in logs), logs, reason)


def quantal_equilibrium(
    game: NormalForm, rationality: float, *, weights: Sequence[float] | None = None
) -> QuantalResponse:
    """The logit equilibrium at ``rationality`` that the path from the uniform profile meets first.

    Raises
    ------
    ArithmeticError
        If the path cannot be followed so far.
    InputError
        If ``rationality`` is not a number ≥ 0.

    Examples
    --------
    Matching pennies with a bonus for the row player in the first cell: it plays that row more
    often than not, which no Nash equilibrium says (there it mixes evenly).

    >>> pennies = NormalForm.bimatrix([[4, 0], [0, 1]], [[0, 1], [1, 0]])
    >>> found = quantal_equilibrium(pennies, 2.0)
    >>> print(found.profile[0].round(2), found.profile[1].round(2), found.residual < 1e-9)
    [0.72 0.28] [0.29 0.71] True
    """
    path = logit_path(game, _rationality(rationality), weights=weights)
    if path.reason:
        raise ArithmeticError(f"quantal response equilibrium: {path.reason}")
    if path.rationality[-1] < rationality * (1.0 - 1e-9):
        raise ArithmeticError(
            f"rationality: {rationality:g} is more than these payoffs tell apart; "
            f"the path is followed to {path.rationality[-1]:g}"
        )
    profile = tuple(x[-1] / x[-1].sum() for x in path.profiles)
    rates = path.rationality[-1] * _weights(game, weights)
    replies = [quantal_response(game, profile, r)[i] for i, r in enumerate(rates)]
    off = max(float(np.abs(x - y).max()) for x, y in zip(profile, replies, strict=True))
    return QuantalResponse(float(path.rationality[-1]), profile, off)
