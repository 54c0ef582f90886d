"""Evolutionarily stable strategies of a symmetric two-player game  [+].

A population plays x against itself, u(y, x) = yᵀA x. It is *evolutionarily stable* if a small group
of mutants y does worse than the rest, whatever they play (Maynard Smith & Price 1973):

    yᵀAx ≤ xᵀAx  for all y,     and where they are equal and y ≠ x,     xᵀAy > yᵀAy

*neutrally stable* if "≥" stands in the last place. Let S be the actions that x plays and B ⊇ S the
best replies to x. The mutants that need a look are those that play in B, y = x + z, and since
zᵀAx = 0 the condition reads

    zᵀAz < 0   for all z ≠ 0 with  Σz = 0,   z_i ≥ 0 for i ∈ B \\ S,   z_i = 0 outside B.

With some m ∈ S put z_m = -Σ z_i: a quadratic form Q in the other z_i, of which those in S \\ {m}
are free and the rest ≥ 0, has to be positive (Haigh 1975; Abakuks 1980). Free variables are
eliminated first: the form is positive iff each pivot is and the Schur complement that remains is
strictly copositive. That is tested by the minimum over the simplex: M is

    not copositive            iff  some principal M_T is regular and all entries of M_T⁻¹1 are < 0
    not strictly copositive   iff  that, or some singular M_T has a kernel spanned by a w > 0.

For let λ ≤ 0 be the minimum of wᵀMw over the simplex, taken at a w with smallest support T. Then
M_T w = λ1. If v ≠ 0 is in the kernel of M_T and no multiple of w, the value stays λ along w + tv,
which somewhere loses an action: a smaller support, impossible. So λ < 0 means that M_T is regular
and M_T⁻¹1 = w/λ < 0; and λ = 0 that the kernel is spanned by w > 0. The converse is plain.

All of it is done in Fractions: no tolerance decides. If x is an ESS no other symmetric equilibrium
plays in B only (Bishop & Cannings 1976), so that supports of ESS never contain one another; and x
attracts its neighbourhood under the replicator dynamics (1.10) (Hofbauer, Schuster & Sigmund 1979).

Axes: K actions.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from ..check import InputError
from .exact import Mixture, Rational, rational

MAX_ACTIONS = 12  # of a game all whose ESS are wanted, and of the outsiders of one: 4095 sets
ROUNDING = Fraction(1, 10**9)  # of a mixture given in floats; Fractions are taken as they are

Square = list[list[Fraction]]


class Stability(NamedTuple):
    """What a mixture x is in a symmetric game; ess ⇒ neutral ⇒ nash."""

    support: tuple[int, ...]  # actions that x plays
    best: tuple[int, ...]  # best replies to x
    nash: bool  # (x, x) is a Nash equilibrium: support ⊆ best
    neutral: bool  # neutrally stable
    ess: bool  # evolutionarily stable


def evolutionary_stability(A: Any, x: Sequence[Any]) -> Stability:
    """Is x evolutionarily stable, neutrally stable, an equilibrium at least? Decided exactly.

    Parameters
    ----------
    A : (K, K), Fractions, whole numbers or floats
        ``A[a][b]`` is what a gets against b; floats are taken exactly.
    x : (K,), a distribution
        In Fractions and whole numbers taken exactly. If there is a float among them, shares
        up to 1e-9 count as 0 and payoffs within 1e-9 of A's size as equal; then A decides.

    Raises
    ------
    InputError
        If A is not square, x no distribution of its size, or more than 12 best replies are
        not played.

    Examples
    --------
    Hawks and doves, a resource of 2 and a fight that costs 4: half of them are hawks.

    >>> hawk_dove = [[-1, 2], [0, 1]]
    >>> evolutionary_stability(hawk_dove, [Fraction(1, 2), Fraction(1, 2)]).ess
    True

    In rock, paper, scissors mutants drift, neither beaten nor thriving:

    >>> evolutionary_stability([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], [Fraction(1, 3)] * 3)
    Stability(support=(0, 1, 2), best=(0, 1, 2), nash=True, neutral=True, ess=False)
    """
    matrix = _square(A)
    shares, tol = _mixture(x, len(matrix))
    support = tuple(a for a, p in enumerate(shares) if p > tol)
    best = _best_replies(matrix, shares, tol * max(abs(v) for row in matrix for v in row))
    nash = set(support) <= set(best)
    neutral = nash and _unbeaten(matrix, support, best, strict=False)
    return Stability(
        support, best, nash, neutral, neutral and _unbeaten(matrix, support, best, strict=True)
    )


def is_ess(A: Any, x: Sequence[Any]) -> bool:
    """Is x evolutionarily stable? As :func:`evolutionary_stability`."""
    return evolutionary_stability(A, x).ess


def all_ess(A: Any) -> tuple[Mixture, ...]:
    """All evolutionarily stable strategies of a symmetric game, in Fractions, descending.

    At most one ESS has a given support, the only solution of a linear system. Supports that
    Bishop and Cannings exclude once an ESS is found are left out. There may be none, and up to
    3^(K/3) are possible and more.

    Parameters
    ----------
    A : (K, K), K ≤ 12, as in :func:`evolutionary_stability`

    Raises
    ------
    InputError
        If A is not square or too large.

    Examples
    --------
    >>> for x in all_ess([[2, 0, 0], [0, 1, 3], [0, 3, 1]]):
    ...     print(*x)
    1 0 0
    0 1/2 1/2
    """
    matrix = _square(A)
    if len(matrix) > MAX_ACTIONS:
        raise InputError(f"all_ess: {len(matrix)} actions; the cap is {MAX_ACTIONS}")
    found: list[tuple[set[int], set[int], Mixture]] = []
    for support in subsets(range(len(matrix))):
        own = set(support)
        if any(own <= best or own >= played for played, best, _ in found):
            continue
        x = equaliser(matrix, support)
        if x is None:
            continue
        judged = _best_replies(matrix, x, Fraction(0))
        if own <= set(judged) and _unbeaten(matrix, support, judged, strict=True):
            found.append((own, set(judged), x))
    return tuple(sorted((x for _, _, x in found), reverse=True))


def copositive(M: Any, strict: bool = False) -> bool:
    """Is wᵀMw ≥ 0 for all w ≥ 0; with ``strict``: > 0 for all but w = 0? Exactly; 2^K systems.

    Parameters
    ----------
    M : (K, K), K ≤ 12; only its symmetric part matters

    Examples
    --------
    >>> copositive([[1, 5], [5, 1]], strict=True), copositive([[1, -1], [-1, 1]], strict=True)
    (True, False)

    Horn's matrix is copositive, though not the sum of a positive semidefinite and a nonnegative:

    >>> horn = [[1, -1, 1, 1, -1], [-1, 1, -1, 1, 1], [1, -1, 1, -1, 1],
    ...         [1, 1, -1, 1, -1], [-1, 1, 1, -1, 1]]
    >>> copositive(horn), copositive(horn, strict=True)
    (True, False)
    """
    matrix = _square(M, "M")
    symmetric = [
        [u + v for u, v in zip(row, column, strict=True)]
        for row, column in zip(matrix, zip(*matrix, strict=True), strict=True)
    ]
    return _copositive(symmetric, strict)


def equaliser(A: Rational, support: tuple[int, ...]) -> Mixture | None:
    """The only x > 0 on the support against which its actions all earn the same, or None.

    Examples
    --------
    >>> print(*equaliser(rational([[0, 2], [1, 0]]), (0, 1)))
    2/3 1/3
    """
    first, *rest = support
    system = [[A[a][b] - A[first][b] for b in support] for a in rest]
    system.append([Fraction(1)] * len(support))
    solution = _solve(system, [Fraction(0)] * len(rest) + [Fraction(1)])
    if solution is None or min(solution) <= 0:
        return None
    x = [Fraction(0)] * len(A)
    for a, p in zip(support, solution, strict=True):
        x[a] = p
    return tuple(x)


def subsets(items: Iterable[int]) -> Iterable[tuple[int, ...]]:
    """The non-empty ones, small ones first."""
    pool = tuple(items)
    return (chosen for k in range(1, len(pool) + 1) for chosen in combinations(pool, k))


def _square(A: Any, name: str = "A") -> Rational:
    """A square matrix of Fractions."""
    matrix = rational(A, name)
    if len(matrix) != len(matrix[0]):
        raise InputError(f"{name}: need a square matrix, got {len(matrix)} × {len(matrix[0])}")
    return matrix


def _mixture(x: Sequence[Any], size: int) -> tuple[Mixture, Fraction]:
    """(x in Fractions, what counts as 0 in it)."""
    (shares,) = rational([x], "x")
    tol = Fraction(0) if all(isinstance(p, int | Fraction) for p in x) else ROUNDING
    if len(shares) != size or min(shares) < -tol or abs(sum(shares, Fraction(-1))) > 10**3 * tol:
        raise InputError(f"x: need {size} probabilities ≥ 0 that sum to 1, got {list(x)}")
    return shares, tol


def _best_replies(A: Rational, x: Mixture, tie: Fraction) -> tuple[int, ...]:
    """The a with the largest (A x)_a, up to ``tie``."""
    values: list[Fraction] = [
        sum((v * p for v, p in zip(row, x, strict=True)), Fraction()) for row in A
    ]
    return tuple(a for a, value in enumerate(values) if value >= max(values) - tie)


def _unbeaten(A: Rational, support: tuple[int, ...], best: tuple[int, ...], strict: bool) -> bool:
    """Is zᵀAz ≤ 0 in all directions in which mutants leave x; with ``strict``, < 0?"""
    m, *free = support
    outside = [a for a in best if a not in support]
    order = [*free, *outside]
    Q = [[A[m][j] + A[i][m] - A[i][j] - A[m][m] for j in order] for i in order]
    Q = [[Q[r][c] + Q[c][r] for c in range(len(order))] for r in range(len(order))]
    for _ in free:  # eliminate the first variable, whose sign is free
        (pivot, *row), Q = Q[0], Q[1:]
        if pivot < 0 or (pivot == 0 and (strict or any(row))):
            return False
        if pivot:
            Q = [
                [v - line[0] * w / pivot for v, w in zip(line[1:], row, strict=True)] for line in Q
            ]
        else:
            Q = [line[1:] for line in Q]
    return _copositive(Q, strict)


def _copositive(M: Square, strict: bool) -> bool:
    """See the module; M is symmetric."""
    if len(M) > MAX_ACTIONS:
        raise InputError(f"copositive: order {len(M)}; the cap is {MAX_ACTIONS}")
    for T in subsets(range(len(M))):
        block = [[M[i][j] for j in T] for i in T]
        solution = _solve(block, [Fraction(1)] * len(T))
        if solution is not None:
            if max(solution) < 0:
                return False
        elif strict and _positive_kernel(block):
            return False
    return True


def _reduced(rows: Square, columns: int) -> tuple[Square, list[int]]:
    """Gauss and Jordan: the reduced rows, and the column of each one's pivot."""
    rows = [list(row) for row in rows]
    pivots: list[int] = []
    for c in range(columns):
        r = len(pivots)
        at = next((k for k in range(r, len(rows)) if rows[k][c]), None)
        if at is None:
            continue
        rows[r], rows[at] = rows[at], rows[r]
        rows[r] = [v / rows[r][c] for v in rows[r]]
        for k, row in enumerate(rows):
            if k != r and row[c]:
                rows[k] = [v - row[c] * w for v, w in zip(row, rows[r], strict=True)]
        pivots.append(c)
    return rows, pivots


def _solve(matrix: Square, right: list[Fraction]) -> list[Fraction] | None:
    """The solution of a square system, None if it is singular."""
    rows, pivots = _reduced([[*row, b] for row, b in zip(matrix, right, strict=True)], len(matrix))
    return [row[-1] for row in rows] if len(pivots) == len(matrix) else None


def _positive_kernel(matrix: Square) -> bool:
    """Is the kernel spanned by a single vector, all of one sign?"""
    rows, pivots = _reduced(matrix, len(matrix))
    if len(pivots) != len(matrix) - 1:
        return False
    (free,) = set(range(len(matrix))) - set(pivots)
    return all(row[free] < 0 for row in rows[: len(pivots)])
