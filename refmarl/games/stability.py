"""Stability of learning dynamics at a rest point: Jacobians and their eigenvalues  [+].

Three dynamics, of one population that plays a symmetric game u = Ax, or of one population for each
player of a game, u_ia = u_i(a, x_-i):

    "replicator"   ẋ_ia = x_ia (u_ia - Σ_b x_ib u_ib)                         (1.10)
    "logit"        ẋ_i = softmax(λ u_i) - x_i     smoothed best response (Fudenberg & Levine 1998)
    "gradient"     ẋ_ia = u_ia - (mean of u_i over i's actions)   gradient play, inside the simplex

In all of them u depends on x through G = ∂u/∂x: A for one population; for several the blocks
G_ij = ∂u_i/∂x_j, with G_ii = 0, since nobody meets its own kind. With D the diagonal of x, and s
the softmax, the Jacobians are, in blocks,

    replicator   diag(u_i - ū_i) - x_i u_iᵀ  (i = j)   +   (D_i - x_i x_iᵀ) G_ij
    logit        λ (diag(s_i) - s_i s_iᵀ) G_ij - 1
    gradient     (1 - 1 1ᵀ / A_i) G_ij

Motions keep Σ_a x_ia = 1, so only the eigenvalues along the simplices count. If all real parts are
negative the point attracts its neighbourhood exponentially, if one is positive it does not, and on
the imaginary axis linearisation does not tell (Hartman & Grobman).

What is known: at a full rest point of the replicator dynamics of several populations G_ii = 0 makes
the trace 0, so it is no sink; the field divided by Π x_ia has divergence 0 everywhere, so no full
point attracts at all (Hofbauer & Sigmund 1998, §11). With two players the eigenvalues come in pairs
±μ; in a zero-sum game they are imaginary. The same holds for gradient play. Under logit those of a
zero-sum game have real part -1 whatever λ is.

Axes: n players with A_i actions, D = Σ A_i coordinates in a row.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError, Profile
from .evolutionary import MAX_ACTIONS, equaliser, subsets
from .exact import Mixture, rational
from .normal_form import NormalForm, values_against

DYNAMICS = ("replicator", "logit", "gradient")
AT_REST = 1e-6  # of the payoffs' size (1 under logit): faster than this is no rest point
ON_AXIS = 1e-7  # of the Jacobian's norm: double eigenvalues are off by the root of rounding errors


class Linearisation(NamedTuple):
    """The dynamics near a rest point."""

    jacobian: Array  # (D, D), all coordinates
    eigenvalues: NDArray[np.complex128]  # (D - n,) along the simplices, largest real part first
    kind: str  # sink, source, saddle, centre or degenerate


class State(NamedTuple):
    """A point with its payoffs, the players' coordinates in a row."""

    x: Array  # (D,)
    u: Array  # (D,)
    slope: Array  # G (D, D)
    blocks: tuple[slice, ...]  # of each population


def velocity(
    game: NormalForm | Any, x: Any, dynamics: str = "replicator", rationality: float = 1.0
) -> Array:
    """ẋ (D,), the players' parts one after the other.

    Parameters
    ----------
    game : NormalForm, or float (K, K)
        A game with a population for each player, or the payoffs A of a single one.
    x : a profile of ``game``, or shares (K,)
    dynamics : "replicator", "logit" or "gradient"
        Gradient play wants x > 0: at the border it would leave the simplex.
    rationality : float ≥ 0
        λ of "logit"; the others have none.

    Raises
    ------
    InputError
        If the dynamics has no such name, x is no point of it, or λ < 0.

    Examples
    --------
    >>> print(velocity([[0, 2], [1, 0]], [0.5, 0.5]))
    [ 0.125 -0.125]
    """
    return _velocity(_state(game, x), *_chosen(dynamics, rationality))


def jacobian(
    game: NormalForm | Any, x: Any, dynamics: str = "replicator", rationality: float = 1.0
) -> Array:
    """∂ẋ/∂x (D, D), anywhere; arguments and errors as those of :func:`velocity`.

    Examples
    --------
    >>> pennies = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> print(jacobian(pennies, pennies.uniform(), "gradient"))
    [[ 0.  0.  1. -1.]
     [ 0.  0. -1.  1.]
     [-1.  1.  0.  0.]
     [ 1. -1.  0.  0.]]
    """
    return _jacobian(_state(game, x), *_chosen(dynamics, rationality))


def linearise(
    game: NormalForm | Any, x: Any, dynamics: str = "replicator", rationality: float = 1.0
) -> Linearisation:
    """The Jacobian at a rest point, its eigenvalues and what they make of it.

    Arguments as those of :func:`velocity`.

    Returns
    -------
    Linearisation
        ``kind`` is *sink* where all real parts are < 0, *source* where all are > 0, *saddle* where
        there are both; *centre* where all eigenvalues are imaginary and none is 0; *degenerate* in
        all other cases. Real parts up to 1e-7 of the Jacobian's norm are 0.

    Raises
    ------
    InputError
        As :func:`velocity`, or if x is not at rest.

    Examples
    --------
    >>> for win in 1, 2:
    ...     rps = [[0, -1, win], [win, 0, -1], [-1, win, 0]]
    ...     found = linearise(rps, [1/3, 1/3, 1/3])
    ...     print(found.kind, found.eigenvalues.round(4) + 0)
    centre [0.+0.5774j 0.-0.5774j]
    sink [-0.1667+0.866j -0.1667-0.866j]
    """
    state, chosen = _state(game, x), _chosen(dynamics, rationality)
    speed = float(np.abs(_velocity(state, *chosen)).max())
    unit = 1.0 if dynamics == "logit" else max(1.0, float(np.abs(state.u).max()))
    if speed > AT_REST * unit:
        raise InputError(f"linearise: need a rest point of {dynamics}, its speed is {speed:g}")
    J = _jacobian(state, *chosen)
    basis = _tangent(state.blocks)
    along = basis @ J @ basis.T
    found = np.linalg.eigvals(along).astype(np.complex128)
    ordered = found[np.lexsort((-found.imag, -found.real))]
    size = float(np.linalg.norm(along)) if along.size else 0.0
    return Linearisation(J, ordered, classify(ordered, ON_AXIS * size))


def classify(eigenvalues: Any, tol: float = 0.0) -> str:
    """Sink, source, saddle, centre or degenerate, as :func:`linearise` explains.

    No eigenvalue at all is a sink: there is nowhere to go.

    Examples
    --------
    >>> classify([-1, -2]), classify([1, -2]), classify([1j, -1j]), classify([0, -1])
    ('sink', 'saddle', 'centre', 'degenerate')
    """
    values = np.asarray(eigenvalues, dtype=np.complex128)
    down, up = values.real < -tol, values.real > tol
    if down.all():
        return "sink"
    if up.all():
        return "source"
    if (down | up).all():
        return "saddle"
    return "centre" if not (down | up).any() and (np.abs(values) > tol).all() else "degenerate"


def rest_points(A: Any) -> tuple[Mixture, ...]:
    """The isolated rest points of (1.10) for one population, in Fractions, descending.

    On each face at most one full point lets its actions earn the same; where a face has infinitely
    many, none of them is listed.

    Parameters
    ----------
    A : (K, K), K ≤ 12; floats are taken exactly

    Raises
    ------
    InputError
        If A is not square or too large.

    Examples
    --------
    >>> for x in rest_points([[0, 2], [1, 0]]):
    ...     print(*x)
    1 0
    2/3 1/3
    0 1
    """
    matrix = rational(A, "A")
    if len(matrix) != len(matrix[0]) or len(matrix) > MAX_ACTIONS:
        raise InputError(
            f"A: need a square matrix of at most {MAX_ACTIONS} rows, got {len(matrix)} × "
            f"{len(matrix[0])}"
        )
    found = (equaliser(matrix, support) for support in subsets(range(len(matrix))))
    points: list[tuple[Fraction, ...]] = [x for x in found if x is not None]
    return tuple(sorted(points, reverse=True))


def _chosen(dynamics: str, rationality: float) -> tuple[str, float]:
    """The two, if there are such."""
    if dynamics not in DYNAMICS:
        raise InputError(f"dynamics: need one of {', '.join(DYNAMICS)}, got {dynamics!r}")
    if not 0 <= rationality < np.inf:
        raise InputError(f"rationality: need a number ≥ 0, got {rationality!r}")
    return dynamics, float(rationality)


def _state(game: NormalForm | Any, x: Any) -> State:
    """The point with its payoffs and their slope."""
    if isinstance(game, NormalForm):
        return _populations(game, game.profile(x))
    A = check.real_array(game, "A", 2)
    if A.shape[0] != A.shape[1]:
        raise InputError(f"A: need a square matrix, got shape {A.shape}")
    shares = check.mixture(check.real_array(x, "x", 1), len(A), "x")
    return State(shares, A @ shares, A, (slice(0, len(A)),))


def _populations(game: NormalForm, profile: Profile) -> State:
    """One population for each player."""
    if any(x.ndim != 1 for x in profile):
        raise InputError("profile: need a single one, not a batch")
    ends = np.cumsum([0, *game.num_actions])
    blocks = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))
    slope = np.zeros((ends[-1], ends[-1]))
    for j, size in enumerate(game.num_actions):
        others = [np.broadcast_to(x, (size, len(x))) for x in profile]
        mixed = (*others[:j], np.eye(size), *others[j + 1 :])  # j plays each action in turn
        for i in range(game.num_players):
            if i != j:
                slope[blocks[i], blocks[j]] = values_against(game, mixed, i).T
    u = [values_against(game, profile, i) for i in range(game.num_players)]
    return State(np.concatenate(profile), np.concatenate(u), slope, blocks)


def _velocity(state: State, dynamics: str, rationality: float) -> Array:
    return np.concatenate(
        [_part(state.x[b], state.u[b], dynamics, rationality) for b in state.blocks]
    )


def _part(x: Array, u: Array, dynamics: str, rationality: float) -> Array:
    """ẋ_i of one population."""
    if dynamics == "replicator":
        return x * (u - x @ u)  # (1.10)
    if dynamics == "logit":
        return _softmax(rationality * u) - x
    if (x <= 0).any():
        raise InputError("gradient play: need x > 0 in all actions")
    centred: Array = u - u.mean()
    return centred


def _jacobian(state: State, dynamics: str, rationality: float) -> Array:
    """The Jacobian in blocks; see the module."""
    J = np.zeros_like(state.slope)
    for b in state.blocks:
        x, u = state.x[b], state.u[b]
        _part(x, u, dynamics, rationality)  # refuses what is no point of the dynamics
        if dynamics == "replicator":
            J[b] = (np.diag(x) - np.outer(x, x)) @ state.slope[b]
            J[b, b] += np.diag(u - x @ u) - np.outer(x, u)
        elif dynamics == "logit":
            s = _softmax(rationality * u)
            J[b] = rationality * (np.diag(s) - np.outer(s, s)) @ state.slope[b]
            J[b, b] -= np.eye(len(x))
        else:
            J[b] = state.slope[b] - state.slope[b].mean(axis=0)
    return J


def _softmax(z: Array) -> Array:
    weights: Array = np.exp(z - z.max())
    total: Array = weights / weights.sum()
    return total


def _tangent(blocks: Sequence[slice]) -> Array:
    """An orthonormal basis (D - n, D) of the directions that keep each population's sum."""
    sizes = [b.stop - b.start for b in blocks]
    rows = np.zeros((sum(sizes) - len(sizes), sum(sizes)))
    at = 0
    for b, size in zip(blocks, sizes, strict=True):
        rows[at : at + size - 1, b] = np.linalg.svd(np.ones((1, size)))[2][1:]
        at += size - 1
    return rows
