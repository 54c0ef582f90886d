"""All Nash equilibria of a two-player game in rational numbers (course §1.1).

The mixed strategies x of player 1, each with an upper bound t on what player 2 gets, are, up to
scale, the cone

    C = {(z, t) : z ≥ 0, t ≥ (zᵀB)_j for all j},    x = z / Σz,

with B > 0. Its extreme rays are the vertices of the polytope in :mod:`~refmarl.games.support`; here
they come from the *double description method* (Motzkin et al. 1953; Fukuda & Prodon 1996): one
inequality after the other cuts the cone, and each pair of neighbouring rays on different sides
gives a new one. The rays are whole numbers, so nothing is rounded and a tie is a tie.

*Components.* Join x and y where (x, y) is an extreme equilibrium. A maximal U × V whose pairs are
all joined, a biclique, gives a *maximal Nash subset* conv(U) × conv(V). These together are all
equilibria, and those that hang together in the graph form a connected *component*
(Avis et al. 2010).

*Index.* An equilibrium in which the best replies of both are exactly the k actions each plays has

    index = (-1)^{k+1} sign(det A_IJ · det B_IJ),    A, B > 0,

with I, J the actions played: +1 or -1. It is isolated. Where all equilibria are such, their
indices sum to +1, so that their number is odd (Shapley 1974). The paths of Lemke & Howson from
the artificial equilibrium end at index +1.

Sources: D. Avis, G. Rosenberg, R. Savani, B. von Stengel, *Enumeration of Nash equilibria for
two-player games*, Economic Theory 42, 2010; L. S. Shapley, *A note on the Lemke–Howson algorithm*,
Math. Programming Study 1, 1974; B. von Stengel, *Equilibrium computation for two-player games*, in
Algorithmic Game Theory, 2007, ch. 3; K. Fukuda, A. Prodon, *Double description method revisited*,
1996.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import comb, gcd, lcm
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError
from .normal_form import NormalForm

Mixture = tuple[Fraction, ...]
ExactProfile = tuple[Mixture, Mixture]
Rational = tuple[tuple[Fraction, ...], ...]  # a matrix
Whole = list[list[int]]

MAX_PAIRS = 200_000  # C(m + n, m): 10 × 10 takes a second, rich polytopes more
MAX_SUBSETS = 10_000  # maximal Nash subsets: there may be exponentially many


class ExactEquilibrium(NamedTuple):
    """An extreme equilibrium."""

    profile: ExactProfile
    payoffs: tuple[Fraction, Fraction]
    nash_index: int | None  # ±1 where each plays all its best replies, else None


class NashSubset(NamedTuple):
    """All (x, y), x a mixture of ``rows`` and y one of ``columns``, are equilibria."""

    rows: tuple[Mixture, ...]
    columns: tuple[Mixture, ...]


class ExactEquilibria(NamedTuple):
    """All equilibria of a game: the union of its components."""

    extreme: tuple[ExactEquilibrium, ...]
    components: tuple[tuple[NashSubset, ...], ...]  # each the union of its maximal subsets
    degenerate: bool  # some mixed strategy has more best replies than actions it plays

    @property
    def profiles(self) -> tuple[ExactProfile, ...]:
        """The extreme equilibria, in descending order."""
        return tuple(found.profile for found in self.extreme)

    @property
    def finite(self) -> bool:
        """Whether the extreme equilibria are all there are."""
        return len(self.components) == len(self.extreme)


class Ray(NamedTuple):
    """An extreme ray of the cone: whole numbers (z, t), and the inequalities that are tight."""

    point: tuple[int, ...]
    tight: int  # bits: z_i ≥ 0, then t ≥ 0, then t ≥ (zᵀu)_j


class Vertex(NamedTuple):
    """A mixed strategy with the bits of the actions it plays and of the best replies to it."""

    x: Mixture
    played: int
    best: int


def rational(values: Any, name: str = "payoffs") -> Rational:
    """A matrix of Fractions, whole numbers or floats as Fractions; floats are taken exactly.

    Raises
    ------
    InputError
        If it is no full rectangle of finite numbers.

    Examples
    --------
    >>> print(*rational([[0.5, Fraction(1, 3)]])[0])
    1/2 1/3
    """
    try:
        rows = tuple(tuple(_fraction(v) for v in row) for row in values)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name}: need a matrix of finite numbers") from None
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"{name}: need a full rectangle, at least 1 × 1")
    return rows


def _fraction(value: Any) -> Fraction:
    """Exactly ``value``; NumPy's integers, which overflow, become Python's."""
    if isinstance(value, str):
        raise TypeError
    return Fraction(int(value) if isinstance(value, np.integer) else value)


def _affordable(m: int, n: int) -> None:
    """Refuse a game of more than ``MAX_PAIRS``."""
    pairs = comb(m + n, m)
    if pairs > MAX_PAIRS:
        raise InputError(
            f"exact equilibria: {m} × {n} actions have {pairs} pairs of index sets; "
            f"the cap is {MAX_PAIRS}"
        )


def _bimatrix(game: NormalForm | Sequence[Any]) -> tuple[Rational, Rational]:
    """The payoffs (A, B) of two players, within the cap."""
    payoffs = game.payoffs if isinstance(game, NormalForm) else game
    if len(payoffs) != 2:
        raise InputError(f"exact equilibria: need 2 players, got {len(payoffs)}")
    if isinstance(game, NormalForm):
        _affordable(*game.num_actions)
    a, b = rational(payoffs[0], "row payoffs"), rational(payoffs[1], "column payoffs")
    (m, n), other = (len(a), len(a[0])), (len(b), len(b[0]))
    if (m, n) != other:
        raise InputError(f"payoffs: row is {(m, n)}, column is {other}; need equal shapes")
    _affordable(m, n)
    return a, b


def whole_form(u: Rational) -> Whole:
    """Whole numbers ≥ 1 with the same best replies as ``u[a][b]``, what b pays against a.

    Neither a positive factor nor a number that is added for each a changes a best reply.

    Examples
    --------
    >>> whole_form(rational([[Fraction(1, 2), Fraction(1, 3)], [5, 5]]))
    [[2, 1], [1, 1]]
    """
    unit = lcm(*(v.denominator for row in u for v in row))
    return [[int((v - min(row)) * unit) + 1 for v in row] for row in u]


def adjacent(p: Ray, q: Ray, rays: list[Ray]) -> bool:
    """Whether two rays span a face: no third one is tight wherever both are."""
    common = p.tight & q.tight
    if common.bit_count() < len(p.point) - 2:
        return False
    return not any(common & ~r.tight == 0 and r is not p and r is not q for r in rays)


def cut(rays: list[Ray], bound: Sequence[int], bit: int) -> list[Ray]:
    """The extreme rays of the cone's part with t ≥ Σ_i bound_i z_i."""
    kept: list[Ray] = []
    above: list[tuple[int, Ray]] = []
    below: list[tuple[int, Ray]] = []
    for ray in rays:
        *z, t = ray.point
        slack = t - sum(b * v for b, v in zip(bound, z, strict=True))
        if slack >= 0:
            kept.append(ray if slack else Ray(ray.point, ray.tight | bit))
        if slack:
            (above if slack > 0 else below).append((slack, ray))
    for up, p in above:
        for down, q in below:
            if adjacent(p, q, rays):
                mixed = [up * b - down * a for a, b in zip(p.point, q.point, strict=True)]
                unit = gcd(*mixed)
                kept.append(Ray(tuple(v // unit for v in mixed), p.tight & q.tight | bit))
    return kept


def vertices(u: Whole) -> list[Vertex]:
    """All vertices of {z ≥ 0, zᵀu ≤ 1} but 0, as strategies with their labels; u > 0.

    Examples
    --------
    >>> for v in vertices([[2, 1], [1, 3]]):
    ...     print(*v.x, bin(v.played), bin(v.best))
    1 0 0b1 0b1
    0 1 0b10 0b10
    2/3 1/3 0b11 0b11
    """
    m = len(u)
    every = (1 << m + 1) - 1
    rays = [Ray(tuple(int(k == i) for k in range(m + 1)), every ^ 1 << i) for i in range(m + 1)]
    for j in range(len(u[0])):
        rays = cut(rays, [row[j] for row in u], 1 << m + 1 + j)
    found = []
    for ray in rays:
        z, played = ray.point[:m], ~ray.tight & (1 << m) - 1
        if played:
            x = tuple(Fraction(v, sum(z)) for v in z)
            found.append(Vertex(x, played, ray.tight >> m + 1))
    return found


def sign_of_determinant(matrix: Whole) -> int:
    """+1, 0 or -1, by elimination that stays in whole numbers (Bareiss 1968).

    Examples
    --------
    >>> sign_of_determinant([[0, 2], [3, 5]])
    -1
    """
    rows, sign, before = [list(row) for row in matrix], 1, 1
    for k in range(len(rows)):
        pivot = next((r for r in range(k, len(rows)) if rows[r][k]), None)
        if pivot is None:
            return 0
        if pivot != k:
            rows[k], rows[pivot], sign = rows[pivot], rows[k], -sign
        for r in range(k + 1, len(rows)):
            for c in range(k + 1, len(rows)):
                both = rows[r][c] * rows[k][k] - rows[r][k] * rows[k][c]
                rows[r][c] = both // before
        before = rows[k][k]
    return sign if before > 0 else -sign


def _bits(labels: int) -> list[int]:
    return [k for k in range(labels.bit_length()) if labels >> k & 1]


def nash_index(x: Vertex, y: Vertex, a: Whole, b: Whole) -> int | None:
    """The index of the equilibrium (x, y), None where one has a best reply that it does not play.

    ``a[j][i]`` and ``b[i][j]`` are the players' payoffs made positive. Both supports have k
    actions: a vertex never has fewer best replies than actions.
    """
    if x.played != y.best or y.played != x.best:
        return None
    rows, columns = _bits(x.played), _bits(y.played)
    first = sign_of_determinant([[a[j][i] for i in rows] for j in columns])
    second = sign_of_determinant([[b[i][j] for j in columns] for i in rows])
    return first * second * (1 if len(rows) % 2 else -1)


def bicliques(neighbours: dict[int, int]) -> Iterator[tuple[list[int], list[int]]]:
    """The maximal (U, V): V an intersection of neighbourhoods, U all that are joined to it."""
    closed: set[int] = set()
    for own in neighbours.values():
        closed |= {own, *(own & other for other in closed)}
        if len(closed) > MAX_SUBSETS:
            raise InputError(f"exact equilibria: more than {MAX_SUBSETS} maximal Nash subsets")
    for columns in sorted(closed - {0}, reverse=True):
        yield [v for v, own in neighbours.items() if columns & ~own == 0], _bits(columns)


def connected(subsets: Sequence[NashSubset]) -> tuple[tuple[NashSubset, ...], ...]:
    """Maximal Nash subsets, those that share a strategy put together; in descending order.

    Two that share a strategy x meet the subset {x} × V that holds all its partners.
    """
    groups: list[tuple[set[tuple[int, Mixture]], list[NashSubset]]] = []
    for subset in subsets:
        used, members = {(i, x) for i, side in enumerate(subset) for x in side}, [subset]
        apart = []
        for group in groups:
            if used.isdisjoint(group[0]):
                apart.append(group)
            else:
                used, members = used | group[0], members + group[1]
        groups = [*apart, (used, members)]
    ordered = (tuple(sorted(members, reverse=True)) for _, members in groups)
    return tuple(sorted(ordered, reverse=True))


def _payoffs(profile: ExactProfile, a: Rational, b: Rational) -> tuple[Fraction, Fraction]:
    x, y = profile
    pairs = [(i, j) for i, p in enumerate(x) if p for j, q in enumerate(y) if q]
    first, second = (sum((x[i] * y[j] * u[i][j] for i, j in pairs), Fraction()) for u in (a, b))
    return first, second


def exact_equilibria(game: NormalForm | Sequence[Any]) -> ExactEquilibria:
    """All Nash equilibria of a two-player game, in Fractions; see the module for the method.

    Parameters
    ----------
    game : NormalForm, or exact payoffs [A, B]
        The floats of a NormalForm are taken exactly (0.1 is not 1/10 then). A and B (m, n) may
        hold Fractions, whole numbers and floats. C(m + n, m) ≤ 200 000, as in 10 × 10.

    Raises
    ------
    InputError
        If there are not two players, the payoffs are no numbers, or the game exceeds a cap.

    Examples
    --------
    >>> third = Fraction(1, 3)
    >>> found = exact_equilibria([[[2, 0], [0, third]], [[third, 0], [0, 1]]])
    >>> for (x, y), payoffs, index in found.extreme:
    ...     print(*x, "|", *y, "|", *payoffs, "|", index)
    1 0 | 1 0 | 2 1/3 | 1
    3/4 1/4 | 1/7 6/7 | 2/7 1/4 | -1
    0 1 | 0 1 | 1/3 1 | 1

    Both rows pay the same against the left column, which is best as long as x_1 ≥ 1/2:

    >>> found = exact_equilibria([[[1, 1], [1, 0]], [[1, 0], [0, 1]]])
    >>> for subset in found.components[0]:
    ...     print([[str(p) for p in x] for x in subset.rows], "×", *subset.columns[0])
    [['1', '0'], ['1/2', '1/2']] × 1 0
    """
    payoffs = _bimatrix(game)
    a, b = whole_form(tuple(zip(*payoffs[0], strict=True))), whole_form(payoffs[1])
    firsts, seconds = (sorted(vertices(u), reverse=True) for u in (b, a))
    neighbours: dict[int, int] = {}
    extreme = []
    for v, x in enumerate(firsts):
        for w, y in enumerate(seconds):
            if x.played & ~y.best == 0 and y.played & ~x.best == 0:
                neighbours[v] = neighbours.get(v, 0) | 1 << w
                pays = _payoffs((x.x, y.x), *payoffs)
                extreme.append(ExactEquilibrium((x.x, y.x), pays, nash_index(x, y, a, b)))
    subsets = [
        NashSubset(tuple(firsts[v].x for v in rows), tuple(seconds[w].x for w in columns))
        for rows, columns in bicliques(neighbours)
    ]
    degenerate = any(v.best.bit_count() > v.played.bit_count() for v in [*firsts, *seconds])
    return ExactEquilibria(tuple(extreme), connected(subsets), degenerate)
