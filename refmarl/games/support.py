"""All extreme Nash equilibria of a two-player game (course §1.1), degenerate games included.

    x ∈ Δ(m), y ∈ Δ(n) is a Nash equilibrium  ⇔  supp(x) ⊆ BR(y) and supp(y) ⊆ BR(x)   (1.3)

Let B (m, n) be player 2's payoffs, made positive. The mixed strategies x of player 1, each with an
upper bound v on what player 2 can get, form a polyhedron; divided by v it is the polytope

    P = {z ∈ R^m : z ≥ 0, zᵀB ≤ 1},    x = z / Σz,  v = 1 / Σz,

in which z_i = 0 says "i is not played" and (zᵀB)_j = 1 says "j is a best reply". A vertex z ≠ 0
with support I is the only solution of Σ_{i∈I} z_i B_ij = 1, j ∈ J, for some set J of |I| best
replies: the constraints z_i = 0, i ∉ I, are independent, and some |I| of the other tight ones
complete them to a basis. So all pairs (I, J) of equal size give all vertices, whether or not
actions outside J are best replies, too.

A pair of vertices (x, y) that meets (1.3) is an *extreme* equilibrium. A game in which no vertex
has more best replies than played actions is nondegenerate: its equilibria are all extreme, and
their number is odd. In a degenerate game supports of unequal size come out by themselves, and
the equilibria are the products conv(U) × conv(V) of sets of vertices such that each pair in U × V
is an extreme equilibrium. Hence the extreme ones are all there are iff no two share a strategy.

Sources: B. von Stengel, *Computing equilibria for two-person games*, Handbook of Game Theory 3,
2002; B. von Stengel, *Equilibrium computation for two-player games in strategic and extensive
form*, in Algorithmic Game Theory, 2007, ch. 3; D. Avis, G. Rosenberg, R. Savani, B. von Stengel,
*Enumeration of Nash equilibria for two-player games*, Economic Theory 42, 2010.
"""

from math import comb
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..check import Array, InputError, Profile
from ..kernels._jit import kernel
from .nash import TOLERANCE, regrets, scale
from .normal_form import NormalForm

Ints = NDArray[np.int64]
Table = TypeVar("Table", Ints, Array)

MAX_PAIRS = 20_000_000  # of index sets: about half a minute
MAX_ACTIONS = 60  # of a player: a set of actions is the bits of an int64
TIE = 1e-10  # payoffs in [1, 2] that differ by less are equal; a probability below it is 0
SINGULAR = 1e-10  # a pivot below it is 0: of rows in [1, 2], where rounding leaves some 1e-15


class Equilibria(NamedTuple):
    """Nash equilibria, and whether they are all."""

    profiles: tuple[Profile, ...]
    complete: bool  # no other equilibrium exists
    reason: str  # why there may be others; "" if complete
    degenerate: bool  # some mixed strategy has more best replies than actions it plays


@kernel
def advance(chosen: Ints, size: int, at: int, n: int) -> int:
    """Step ``chosen[:size]`` to the next combination of 0..n-1 that differs at ``at`` or before.

    Returns the first position that changed, -1 after the last combination.
    """
    p = at
    while p >= 0 and chosen[p] == n - size + p:
        p -= 1
    if p >= 0:
        chosen[p] += 1
        for q in range(p + 1, size):
            chosen[q] = chosen[q - 1] + 1
    return p


@kernel
def undominated(u: Array, own: Ints, size: int, out: Ints) -> int:
    """List in ``out`` the replies that no other weakly dominates on the rows ``own[:size]``.

    Only these are best replies to a strategy that plays all these rows. Returns their number.
    """
    found = 0
    for j in range(u.shape[1]):
        dominated = False
        for other in range(u.shape[1]):
            worse, better = False, False
            for r in range(size):
                gain = u[own[r], other] - u[own[r], j]
                worse |= gain < 0.0
                better |= gain > 0.0
            if better and not worse:
                dominated = True
                break
        if not dominated:
            out[found] = j
            found += 1
    return found


@kernel
def reduce_row(rows: Array, pivots: Ints, r: int, size: int) -> bool:
    """Eliminate the pivots of the rows before from row ``r`` and norm its own, the largest, to 1.

    ``rows`` (size, size + 1) holds the right side last. False if the row depends on those before.
    """
    for s in range(r):
        factor = rows[r, pivots[s]]
        for c in range(size + 1):
            rows[r, c] -= factor * rows[s, c]
    best = 0
    for c in range(size):
        if abs(rows[r, c]) > abs(rows[r, best]):
            best = c
    pivot = rows[r, best]
    if abs(pivot) < SINGULAR:
        return False
    for c in range(size + 1):
        rows[r, c] /= pivot
    pivots[r] = best
    return True


@kernel
def substitute(rows: Array, pivots: Ints, size: int, z: Array) -> bool:
    """Solve the reduced system into ``z[:size]``; False as soon as an unknown is not positive."""
    for r in range(size - 1, -1, -1):
        value = rows[r, size]
        for s in range(r + 1, size):
            value -= rows[r, pivots[s]] * z[pivots[s]]
        if value < TIE:
            return False
        z[pivots[r]] = value
    return True


@kernel
def best_replies(u: Array, own: Ints, size: int, z: Array, tie: float) -> int:
    """The replies j with (zᵀu)_j = 1, as bits; 0 if some reply gets more: z is not in P."""
    bits = 0
    for j in range(u.shape[1]):
        value = 0.0
        for r in range(size):
            value += z[r] * u[own[r], j]
        if value > 1.0 + tie:
            return 0
        if value >= 1.0 - tie:
            bits |= 1 << j
    return bits


@kernel
def as_bits(chosen: Ints, size: int) -> int:
    """The set ``chosen[:size]`` as bits."""
    bits = 0
    for r in range(size):
        bits |= 1 << chosen[r]
    return bits


@kernel
def listed(labels: Ints, first: int, count: int, replies: int) -> bool:
    """Whether a vertex from ``first`` on (all of one support) has these best replies."""
    for v in range(first, count):  # noqa: SIM110
        if labels[v, 1] == replies:
            return True
    return False


@kernel
def doubled(table: Table) -> Table:
    """A copy of ``table`` with room for twice as many rows."""
    larger = np.empty((2 * table.shape[0], table.shape[1]), table.dtype)
    for v in range(table.shape[0]):
        for c in range(table.shape[1]):
            larger[v, c] = table[v, c]
    return larger


@kernel
def reduce_from(
    u: Array, own: Ints, replies: Ints, start: int, size: int, rows: Array, pivots: Ints
) -> int:
    """Set up and reduce the rows ``start``.. of Σ_i z_i u_ij = 1, j in ``replies``.

    Returns ``size``, or the first row that depends on those before it.
    """
    for r in range(start, size):
        for c in range(size):
            rows[r, c] = u[own[c], replies[r]]
        rows[r, size] = 1.0
        if not reduce_row(rows, pivots, r, size):
            return r
    return size


@kernel
def vertices(u: Array, tie: float) -> tuple[Ints, Array]:
    """All vertices z ≠ 0 of {z ≥ 0, zᵀu ≤ 1}, u (m, n) > 0.

    Returns their labels (V, 2), the bits of the support and of the best replies, and x = z/Σz,
    (V, m). Systems of neighbouring J share their first rows, which are reduced once; dependent
    rows end all J that begin with them.
    """
    m, n = u.shape
    most = min(m, n)
    labels, points = np.empty((64, 2), np.int64), np.empty((64, m))
    own, index, replies = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(n, np.int64)
    usable, pivots = np.empty(n, np.int64), np.empty(most, np.int64)
    rows, z = np.empty((most, most + 1)), np.empty(most)
    count = 0
    for size in range(1, most + 1):
        for r in range(size):
            own[r] = r
        more = 0
        while more >= 0:
            first, support = count, as_bits(own, size)
            num_usable = undominated(u, own, size, usable)
            for r in range(size):
                index[r] = r
            start = 0 if num_usable >= size else -1
            while start >= 0:
                for r in range(start, size):
                    replies[r] = usable[index[r]]
                rank = reduce_from(u, own, replies, start, size, rows, pivots)
                if rank == size and substitute(rows, pivots, size, z):
                    best = best_replies(u, own, size, z, tie)
                    if best != 0 and not listed(labels, first, count, best):
                        if count == len(labels):
                            labels, points = doubled(labels), doubled(points)
                        labels[count, 0], labels[count, 1] = support, best
                        place(points, count, own, size, z)
                        count += 1
                start = advance(index, size, min(rank, size - 1), num_usable)
            more = advance(own, size, size - 1, m)
    return labels[:count], points[:count]


@kernel
def place(points: Array, v: int, own: Ints, size: int, z: Array) -> None:
    """Write the strategy z/Σz with support ``own[:size]`` into row ``v``."""
    total = 0.0
    for r in range(size):
        total += z[r]
    for i in range(points.shape[1]):
        points[v, i] = 0.0
    for r in range(size):
        points[v, own[r]] = z[r] / total


@kernel
def labelled_pairs(first: Ints, second: Ints) -> Ints:
    """The pairs (v, w) of vertices that meet (1.3), shape (E, 2)."""
    pairs = np.empty((64, 2), np.int64)
    count = 0
    for v in range(len(first)):
        for w in range(len(second)):
            if first[v, 0] & ~second[w, 1] == 0 and second[w, 0] & ~first[v, 1] == 0:  # (1.3)
                if count == len(pairs):
                    pairs = doubled(pairs)
                pairs[count, 0], pairs[count, 1] = v, w
                count += 1
    return pairs[:count]


def _two_players(game: NormalForm) -> None:
    """Refuse what the enumeration cannot do, with the cap in the message."""
    if game.num_players != 2:
        raise InputError(f"support enumeration: need 2 players, got {game.num_players}")
    m, n = game.num_actions
    if max(m, n) > MAX_ACTIONS:
        raise InputError(f"support enumeration: {m} × {n} actions; the cap is {MAX_ACTIONS} each")
    if comb(m + n, m) > MAX_PAIRS:
        raise InputError(
            f"support enumeration: {m} × {n} actions have {comb(m + n, m)} pairs of index sets; "
            f"the cap is {MAX_PAIRS}"
        )


def positive_form(u: Array) -> tuple[Array, float]:
    """(payoffs in [1, 2] with the same best replies as ``u``, what counts as a tie in them).

    ``u[a, b]`` is what a player gets by b where the other plays a; adding f(a) changes no best
    reply. Scaling is by powers of two: payoffs that are integers stay exact. The tie grows where
    the payoffs' differences are small against the payoffs, because rounding does.
    """
    unit = np.ldexp(u, -np.frexp(np.abs(u).max())[1])
    gain = unit - unit.min(axis=1, keepdims=True)
    exponent = int(np.frexp(gain.max())[1])
    noise = float(np.ldexp(np.finfo(float).eps, -exponent)) if gain.any() else 0.0
    return np.ascontiguousarray(np.ldexp(gain, -exponent) + 1.0), TIE + 4.0 * noise


def _certified(game: NormalForm, pairs: Ints, x: Array, y: Array) -> Ints:
    """The pairs of strategies in which nobody gains by deviating, in descending order of (x, y)."""
    if len(pairs) == 0:
        return pairs
    profiles = x[pairs[:, 0]], y[pairs[:, 1]]
    good = (regrets(game, profiles) <= TOLERANCE * scale(game)).all(axis=-1)
    rounded = np.round(np.hstack(profiles)[good], 9)
    order = np.unique(rounded, axis=0, return_index=True)[1][::-1]
    kept: Ints = pairs[good][order]
    return kept


def judged(profiles: tuple[Profile, ...], pairs: list[list[int]], degenerate: bool) -> Equilibria:
    """The result with its reason: are there equilibria besides these extreme ones?"""
    reason = ""
    if not len(pairs) or (not degenerate and len(pairs) % 2 == 0):
        reason = (
            f"{len(pairs)} equilibria found where the number must be odd: "
            "the payoffs differ too much in size for floating point"
        )
    elif any(len(set(side)) < len(pairs) for side in zip(*pairs, strict=True)):
        reason = (
            "degenerate game, up to rounding: the extreme equilibria are listed, and each mixture "
            "of two that share a strategy is an equilibrium, too; exact arithmetic decides"
        )
    return Equilibria(profiles, not reason, reason, degenerate)


def support_enumeration(game: NormalForm) -> Equilibria:
    """All extreme Nash equilibria of a two-player game; see the module for the method.

    In a nondegenerate game these are all equilibria, an odd number. In a degenerate one all others
    are mixtures of those that share a strategy; ``complete`` is False if there are such.

    Parameters
    ----------
    game : NormalForm (2, m, n)
        At most 60 actions each and C(m + n, m) ≤ 2·10⁷: 13 × 13 takes seconds.

    Returns
    -------
    Equilibria
        ``profiles`` in descending lexicographic order, each with regrets ≤ 1e-9 of the
        payoffs' size. Payoffs that differ by less than about 1e-10 of their range are ties.

    Raises
    ------
    InputError
        If there are not two players, or the game exceeds a cap.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> for x, y in support_enumeration(game).profiles:
    ...     print(x.round(3), y.round(3))
    [1. 0.] [1. 0.]
    [0.333 0.667] [0.333 0.667]
    [0. 1.] [0. 1.]

    One column, so both rows of equal pay are best, and so is each mixture of them:

    >>> found = support_enumeration(NormalForm.zero_sum([[1], [1]]))
    >>> len(found.profiles), found.complete, found.degenerate
    (2, False, True)
    """
    _two_players(game)
    labels_x, x = vertices(*positive_form(game.payoffs[1]))
    labels_y, y = vertices(*positive_form(game.payoffs[0].T))
    pairs = _certified(game, labelled_pairs(labels_x, labels_y), x, y)
    profiles = tuple((x[v].copy(), y[w].copy()) for v, w in pairs)
    labels = np.vstack([labels_x, labels_y])
    played, best = np.bitwise_count(labels).T
    return judged(profiles, pairs.tolist(), bool((best > played).any()))
