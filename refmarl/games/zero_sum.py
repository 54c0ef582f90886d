"""The value of a zero-sum game and optimal strategies (course §1.1).

    v = max_x min_y xᵀ A y = min_y max_x xᵀ A y                               (1.4)

The row player picks x to have A large, the column player picks y to have it small. That both
sides meet in one number is von Neumann's minimax theorem; here it is linear programming duality:

    max v   such that  (Aᵀ x)_j ≥ v for all j,  x ∈ Δ(m),

whose dual variables are y. It is solved by the simplex method, compiled, in
:mod:`~refmarl.games._simplex_kernels`, and by HiGHS where that leaves a gap. The answer carries
its own proof: x secures min_j (xᵀA)_j whatever the column player does, y concedes max_i (Ay)_i at
most, and v lies between the two. Their difference is ``gap``.

Axes: m actions of the row player, n of the column player.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array

TOLERANCES = (1e-10, 1e-7)  # of the payoffs' range: HiGHS's tightest, and its default
ENOUGH = 1e-11  # a gap this small, of the payoffs' range, is rounding
PIVOTS = 50  # of the simplex method, for each action: some 1 is usual

FLOAT = np.dtype(np.float64)

Simplex = Callable[[Array, int, float], tuple[float, float, Array, Array]]


class ZeroSum(NamedTuple):
    """The value of a zero-sum game with optimal strategies and the certificate of both."""

    value: float
    x: Array  # row player, maximises; (m,)
    y: Array  # column player, minimises; (n,)
    gap: float  # max_i (Ay)_i - min_j (xᵀA)_j, ≥ 0


def zero_sum_value(A: Any) -> ZeroSum:
    """The value of the game in which the column player pays ``A[i, j]`` to the row player.

    A saddle point in pure strategies is taken where there is one, else one linear program is
    solved. The value is unique, x and y need not be.

    Parameters
    ----------
    A : float (m, n)

    Returns
    -------
    ZeroSum
        ``gap`` is at most 1e-9 of the payoffs' range max A - min A: both players are optimal up
        to that, and ``value`` is right up to half of it.

    Raises
    ------
    InputError
        If A is not a matrix of finite numbers, or has more entries than the cap.
    ArithmeticError
        If the solver gives up, leaving a gap above 1e-7 of the range; no such matrix is known.

    References
    ----------
    von Neumann 1928, "Zur Theorie der Gesellschaftsspiele", Math. Annalen 100; the linear
    program: Dantzig 1951, in Koopmans (ed.), Activity Analysis of Production and Allocation.

    Examples
    --------
    >>> game = zero_sum_value([[3, 0], [1, 2]])
    >>> print(round(game.value, 9), game.x.round(9), game.y.round(9))
    1.5 [0.25 0.75] [0.5 0.5]
    """
    payoffs = A if _is_ready(A) else _matrix(A)
    value, gap, x, y = _simplex()(payoffs, PIVOTS, ENOUGH)  # (1.4)
    if gap >= 0.0:
        return ZeroSum(value, x, y, gap)
    return _carefully(_matrix(A), x, y)


def _is_ready(A: Any) -> bool:
    """Whether the kernel can take A as it is; that its payoffs are finite is seen there."""
    return (
        type(A) is np.ndarray
        and A.dtype is FLOAT
        and A.ndim == 2
        and 0 < A.size <= check.MAX_ENTRIES
        and A.flags.carray
    )


@cache
def _simplex() -> Simplex:
    """The compiled simplex method, imported when it is first needed."""
    from ._simplex_kernels import matrix_game

    return matrix_game


def _carefully(payoffs: Array, x: Array, y: Array) -> ZeroSum:
    """The solution where the simplex method left a gap, from its strategies x and y."""
    points = saddle_points(payoffs)
    if points:
        i, j = points[0]
        x, y = np.eye(1, payoffs.shape[0], i)[0], np.eye(1, payoffs.shape[1], j)[0]
        return ZeroSum(float(payoffs[i, j]), x, y, 0.0)
    low = float(payoffs.min())
    half = max(float(payoffs.max()) / 2 - low / 2, float(np.finfo(float).tiny))  # no overflow
    unit: Array = (payoffs / 2 - low / 2) / half  # the same game, payoffs in [0, 1]
    x, y = _optimal(unit, (x, y))
    secured, conceded = _bounds(unit, x, y)
    middle, gap = (secured + conceded) / 2, max(conceded - secured, 0.0)  # (1.4)
    return ZeroSum(low + half * middle + half * middle, x, y, half * gap + half * gap)


def saddle_points(A: Any) -> list[tuple[int, int]]:
    """All (i, j) with ``A[i, j]`` largest of its column and least of its row, in order.

    They are the pure optimal pairs: A[i, j] is the value at each of them. Payoffs are compared
    exactly.

    Examples
    --------
    >>> saddle_points([[2, 1], [4, 3]])
    [(1, 1)]
    >>> saddle_points([[1, -1], [-1, 1]])
    []
    """
    payoffs = _matrix(A)
    secured, conceded = payoffs.min(axis=1), payoffs.max(axis=0)
    if secured.max() < conceded.min():
        return []
    rows, columns = np.flatnonzero(secured == secured.max()), conceded == conceded.min()
    return [(int(i), int(j)) for i in rows for j in np.flatnonzero(columns)]


def _matrix(A: Any) -> Array:
    """A, checked."""
    payoffs = check.real_array(A, "payoffs", 2)
    check.size_cap(payoffs.shape, "payoffs")
    return payoffs


def _bounds(A: Array, x: Array, y: Array) -> tuple[float, float]:
    """(what x secures, what y concedes): the value lies between them."""
    return float((x @ A).min()), float((A @ y).max())


def _optimal(unit: Array, start: tuple[Array, Array]) -> tuple[Array, Array]:
    """(x (m,), y (n,)) of a game with payoffs in [0, 1], by linear programming.

    First the supports of ``start`` are solved anew. If that does not do, one program is enough as a
    rule. Where its pair leaves a gap, the program of the same game seen by the column player
    follows, then both with looser tolerances: the solver may give up near its tightest. Of all
    candidates the best x and the best y are kept.
    """
    x = np.eye(1, len(unit), int(unit.min(axis=1).argmax()))[0]
    y = np.eye(1, unit.shape[1], int(unit.max(axis=0).argmin()))[0]
    for x_new, y_new in _candidates(unit, start):
        x = max(x, x_new, key=lambda z: float((z @ unit).min()))
        y = min(y, y_new, key=lambda z: float((unit @ z).max()))
        secured, conceded = _bounds(unit, x, y)
        if conceded - secured <= ENOUGH:
            return x, y
    secured, conceded = _bounds(unit, x, y)
    if conceded - secured > TOLERANCES[-1]:
        m, n = unit.shape
        raise ArithmeticError(f"a {m} × {n} game was left with a gap of {conceded - secured:g}")
    return x, y


def _candidates(unit: Array, start: tuple[Array, Array]) -> Iterator[tuple[Array, Array]]:
    """Pairs (x, y): of ``start``, the row player's program, the column player's, looser ones."""
    yield from _anew(unit, *start)
    for tol in TOLERANCES:
        yield from _solutions(unit, tol)
        yield from ((x, y) for y, x in _solutions(1.0 - unit.T, tol))


def _solutions(unit: Array, tol: float) -> Iterator[tuple[Array, Array]]:
    """The pair (x, y) that the solver finds, then its supports' equations solved from scratch."""
    found = _linear_program(unit, tol)
    if found is not None:
        yield found
        yield from _anew(unit, *found)


def _anew(unit: Array, x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    """The pair that makes each player indifferent on the support of the other, if there is one."""
    rows, columns = np.flatnonzero(x), np.flatnonzero(y)
    if len(rows) == len(columns):
        square, x, y = unit[np.ix_(rows, columns)], np.zeros(len(unit)), np.zeros(unit.shape[1])
        with suppress(np.linalg.LinAlgError):
            x[rows], y[columns] = _equalising(square.T), _equalising(square)
            yield x, y


def _equalising(square: Array) -> Array:
    """The mixture z with all (square @ z)_i equal. Raises LinAlgError where there is none."""
    k = len(square)
    system = np.block([[square, -np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    return _distribution(np.linalg.solve(system, np.append(np.zeros(k), 1.0))[:k])


def _linear_program(unit: Array, tol: float) -> tuple[Array, Array] | None:
    """(x, y) from one linear program: x its solution, y its dual variables; None if it fails."""
    from scipy.optimize import linprog

    m, n = unit.shape
    solved = linprog(  # variables (x, v); 1 is added because HiGHS drops coefficients below 1e-9
        np.append(np.zeros(m), -1.0),
        A_ub=np.column_stack([-1.0 - unit.T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(m), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
        method="highs-ds",
        options={
            "presolve": False,
            "primal_feasibility_tolerance": tol,
            "dual_feasibility_tolerance": tol,
        },
    )
    if solved.x is None:
        return None
    return _distribution(solved.x[:m]), _distribution(-solved.ineqlin.marginals)


def _distribution(weights: Array) -> Array:
    """``weights`` with the rounding errors taken off: ≥ 0, of sum 1."""
    clipped = np.maximum(weights, 0.0)
    mixture: Array = clipped / clipped.sum()
    return mixture
