"""Correlated equilibrium (course §1.1).

    p ≥ 0,  Σ_a p(a) = 1,
    Σ_{a_-i} p(a) [u_i(a_i, a_-i) - u_i(a_i', a_-i)] ≥ 0   for all i, a_i, a_i'     (1.7)

A device draws a joint action a from p and tells every player its own part a_i, nothing more. In a
*correlated* equilibrium nobody gains by playing a_i' whenever it is told a_i. In a *coarse* one
nobody gains by deciding on a_i' before it is told anything: there (1.7) is summed over a_i too.

Both are polytopes, so the best equilibrium under a linear objective is one linear program, for any
number of players, with a variable per joint action.

Axes: n players, A_i actions of player i; p has shape (A_1, …, A_n).
Aumann 1974, J. Math. Econ. 1, 67-96; coarse: Moulin & Vial 1978, Int. J. Game Theory 7, 201-221.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from ._simplex_lp import best_distribution
from .normal_form import NormalForm

MAX_JOINT_ACTIONS = 200_000  # variables of the linear program
MAX_COEFFICIENTS = 5_000_000  # its non-zero coefficients, at most
OBJECTIVES = ("welfare", "-welfare", "egalitarian")


class Correlated(NamedTuple):
    """A correlated (or coarse correlated) equilibrium, the best under some objective."""

    distribution: Array  # p, (A_1, …, A_n)
    payoffs: Array  # Σ_a p(a) u(a), (n,)
    violation: float  # the largest gain from a deviation, 0 or less but for rounding
    value: float  # of the objective, the number that was maximised


def product_distribution(game: NormalForm, profile: Sequence[Any]) -> Array:
    """p(a) = Π_j x_j(a_j), shape (A_1, …, A_n): players who draw independently.

    Examples
    --------
    >>> game = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> print(product_distribution(game, ([1, 0], [0.25, 0.75])))
    [[0.25 0.75]
     [0.   0.  ]]
    """
    p = np.ones(())
    for x in game.profile(profile):
        if x.ndim != 1:
            raise InputError(f"profile: need one profile, got a batch of shape {x.shape[:-1]}")
        p = p[..., None] * x
    return p


def deviation_gains(game: NormalForm, p: Any, coarse: bool = False) -> tuple[Array, ...]:
    """What each deviation from the device p would gain, an array for each player; Eq. (1.7).

    Parameters
    ----------
    game : NormalForm
    p : float (A_1, …, A_n), ≥ 0, sum 1
    coarse : whether to deviate before being told, rather than after

    Returns
    -------
    gains : n arrays
        (A_i, A_i): [a_i, a_i'] is Σ_{a_-i} p(a) (u_i(a_i', a_-i) - u_i(a_i, a_-i)), the gain of
        playing a_i' whenever a_i is told, 0 on the diagonal; not divided by the probability of
        being told a_i. Coarse (A_i,): the sum of that over a_i, the gain of always playing a_i'.

    Raises
    ------
    InputError
        If p has not the game's shape or is no distribution.

    Examples
    --------
    >>> chicken = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    >>> row, column = deviation_gains(chicken, [[0.5, 0.25], [0.25, 0]])
    >>> print(row)
    [[ 0.    0.  ]
     [-0.25  0.  ]]
    """
    gains = _coarse_gains if coarse else _swap_gains
    device = _device(game, p)
    return tuple(gains(u, device, i) for i, u in enumerate(game.payoffs))


def _swap_gains(u: Array, p: Array, i: int) -> Array:
    """(A_i told, A_i played)."""
    value = _own_first(p, i) @ _own_first(u, i).T
    gains: Array = value - np.diag(value)[:, None]  # (1.7)
    return gains


def _coarse_gains(u: Array, p: Array, i: int) -> Array:
    """(A_i played,): against the others' marginal distribution."""
    gains: Array = _own_first(u, i) @ p.sum(axis=i).ravel() - (p * u).sum()  # (1.7)
    return gains


def _own_first(array: NDArray[Any], i: int) -> NDArray[Any]:
    """(A_1, …, A_n) as (A_i, ∏_{j≠i} A_j)."""
    return np.moveaxis(array, i, 0).reshape(array.shape[i], -1)


def _device(game: NormalForm, p: Any) -> Array:
    """p, checked."""
    device = check.real_array(p, "p")
    if device.shape != game.num_actions:
        raise InputError(f"p: need shape {game.num_actions}, got {device.shape}")
    check.mixture(device.ravel(), device.size, "p")
    return device


def violation(game: NormalForm, p: Any, coarse: bool = False) -> float:
    """The largest of :func:`deviation_gains`: p is an equilibrium where it is not positive.

    It is never negative unless ``coarse``: playing what one is told is among the swaps.

    Examples
    --------
    >>> pennies = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> violation(pennies, [[0.25, 0.25], [0.25, 0.25]]), violation(pennies, [[0.5, 0], [0, 0.5]])
    (0.0, 1.0)
    """
    return max(float(gains.max()) for gains in deviation_gains(game, p, coarse))


def correlated_equilibrium(
    game: NormalForm, objective: Any = "welfare", coarse: bool = False
) -> Correlated:
    """The correlated equilibrium (1.7) that maximises ``objective``, by one linear program.

    Parameters
    ----------
    game : NormalForm
    objective : what to maximise
        "welfare" is the sum of the payoffs, "-welfare" its negative (the worst equilibrium),
        "egalitarian" the smallest payoff; an index i in 0..n-1 is the payoff of player i; an array
        (A_1, …, A_n) holds the weight of each joint action.
    coarse : bool
        Optimise over the larger set of coarse correlated equilibria.

    Returns
    -------
    Correlated
        Where several are optimal, one of them.

    Raises
    ------
    InputError
        If the objective is unknown, or the game has more joint actions than the cap.

    Examples
    --------
    >>> chicken = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    >>> best = correlated_equilibrium(chicken)
    >>> print(best.distribution.round(9), best.payoffs.round(9))
    [[0.5  0.25]
     [0.25 0.  ]] [5.25 5.25]
    """
    _cap(game, coarse)
    weights = _weights(game, objective)
    rows = _constraints(game, coarse)
    size = rows.shape[1]
    if weights is None:
        z = _egalitarian(game, rows)
    else:
        c = weights.ravel() / max(float(np.abs(weights).max()), np.finfo(float).tiny)
        z = best_distribution(c, rows, np.zeros(rows.shape[0]), size)
    if z is None:  # every finite game has an equilibrium
        raise RuntimeError("the linear program found no correlated equilibrium")
    p = z[:size].reshape(game.num_actions)
    payoffs = (game.payoffs * p).reshape(game.num_players, -1).sum(axis=1)
    value = payoffs.min() if weights is None else (weights * p).sum()
    return Correlated(p, payoffs, violation(game, p, coarse), float(value))


def _cap(game: NormalForm, coarse: bool) -> None:
    joint = game.payoffs[0].size
    coefficients = joint * sum(k - 1 for k in game.num_actions)
    kind = "coarse correlated" if coarse else "correlated"
    for count, cap, what in (
        (joint, MAX_JOINT_ACTIONS, "joint actions"),
        (coefficients, MAX_COEFFICIENTS, "coefficients"),
    ):
        if count > cap:
            raise InputError(f"{kind} equilibrium: {count} {what}; the cap is {cap}")


def _weights(game: NormalForm, objective: Any) -> Array | None:
    """The weight of each joint action, shape (A_1, …, A_n); None for "egalitarian"."""
    if isinstance(objective, str) and objective in OBJECTIVES:
        welfare: Array = game.payoffs.sum(axis=0)
        return {"welfare": welfare, "-welfare": -welfare}.get(objective)
    if isinstance(objective, int | np.integer) and not isinstance(objective, bool):
        own: Array = game.payoffs[check.player(int(objective), game.num_players, "objective")]
        return own
    if not isinstance(objective, np.ndarray | list | tuple):
        names = ", ".join(repr(name) for name in OBJECTIVES)
        raise InputError(
            f"objective: need {names}, a player's index or weights {game.num_actions}; "
            f"got {objective!r}"
        )
    weights = check.real_array(objective, "objective")
    if weights.shape != game.num_actions:
        raise InputError(f"objective: need weights {game.num_actions}, got {weights.shape}")
    return weights


def _constraints(game: NormalForm, coarse: bool) -> Any:
    """Every player's gains as linear functions of p, a sparse (deviations, ∏ A_j); p obeys ≤ 0.

    A player's rows are in units of that player's payoff range: (1.7) does not depend on it, the
    solver's tolerance does.
    """
    from scipy.sparse import vstack

    blocks = (_deviations(u, i, coarse) for i, u in enumerate(game.payoffs))
    return vstack(list(blocks), format="csr")


def _deviations(u: Array, i: int, coarse: bool) -> Any:
    """The rows of player i, A_i (A_i - 1) swaps or A_i coarse deviations."""
    from scipy.sparse import csr_array

    played = _own_first(u, i)
    index = _own_first(np.arange(u.size).reshape(u.shape), i)  # of the variable p(a)
    told, instead = np.nonzero(~np.eye(len(played), dtype=bool))
    gain = played[instead] - played[told]  # (1.7)
    gain /= max(float(np.ptp(u)), np.finfo(float).tiny)
    row = instead if coarse else np.arange(len(told))
    where = (np.repeat(row, played.shape[1]), index[told].ravel())
    height = len(played) if coarse else len(told)
    rows = csr_array((gain.ravel(), where), shape=(height, u.size))
    rows.eliminate_zeros()
    return rows


def _egalitarian(game: NormalForm, rows: Any) -> Array | None:
    """max t with t ≤ Σ_a p(a) u_i(a) for every player i: the optimal (p, t)."""
    from scipy.sparse import csr_array, hstack, vstack

    n = game.num_players
    u = game.payoffs.reshape(n, -1)
    u = (u - u.min()) / max(float(np.ptp(u)), np.finfo(float).tiny)
    below = hstack([csr_array(-u), csr_array(np.ones((n, 1)))])
    deviations = hstack([rows, csr_array((rows.shape[0], 1))])
    gain = np.zeros(u.shape[1] + 1)
    gain[-1] = 1.0
    every = vstack([deviations, below], format="csr")
    return best_distribution(gain, every, np.zeros(every.shape[0]), u.shape[1])
