"""The kernels of :mod:`~refmarl.games.vertex`: from vertex to vertex of a best-response polytope.

A *dictionary* of {z ≥ 0, w = 1 - zᵀu ≥ 0}, u (d, c), solves c of the d + c variables (z, w), the
*basic* ones, for the d others:

    basic_r = b_r + ε b'_r - Σ_k a_rk other_k,

where the right sides are 1 + ε ρ_j with numbers ρ_j in no relation and ε as near to 0 as one likes:
then no two basic variables reach 0 together. The table of a dictionary, (4 + d, c + 2), has rows
for b, for b', for 1/b, for the names of the basic variables, and for the column of each of the
others, with its cost and its name at the end; the names are those of the labels, z first. So every
loop runs along memory. Choices that a processor cannot foresee are written as selections, not as
branches: a branch that goes wrong costs as much as a row.

*Reverse search* (Avis & Fukuda 1992): the simplex method with the largest-coefficient rule and a
cost in general position leads from each vertex to z = 0. These paths form a tree, whose branches
are walked from the root, with one table for each vertex on the way from there. Nothing has to be
remembered to visit each vertex once.
"""

import math

import numpy as np

from ..check import Array
from ..kernels._jit import kernel
from .support import TIE, Ints, doubled, reduce_row, substitute

CLEAR = 100.0  # a number within this factor of the tie is doubtful: neither zero nor positive
LEAST = 1e-10  # a smaller number is no pivot: payoffs are in [1, 2]
NEAR = 1e-12  # costs that differ by less, of their size, cannot be told apart
FOUND, DOUBT, TOO_MANY, TIED = 0, 1, 2, 3  # how an enumeration ends
NAMES, FIRST = 3, 4  # the row of the basic variables' names, and the first column's


@kernel
def scaled(u: Array, out: Array) -> float:
    """Write :func:`~refmarl.games.support.positive_form` of u (d, c) to ``out``; return the tie."""
    top, gain = 0.0, 0.0
    for i in range(u.shape[0]):
        for j in range(u.shape[1]):
            size = abs(u[i, j])
            top = size if size > top else top
    shift = -math.frexp(top)[1]
    for i in range(u.shape[0]):
        low = 1.0
        for j in range(u.shape[1]):
            out[i, j] = math.ldexp(u[i, j], shift)
            low = out[i, j] if out[i, j] < low else low
        for j in range(u.shape[1]):
            out[i, j] -= low
            gain = out[i, j] if out[i, j] > gain else gain
    exponent = math.frexp(gain)[1]
    for i in range(u.shape[0]):
        for j in range(u.shape[1]):
            out[i, j] = math.ldexp(out[i, j], -exponent) + 1.0
    return TIE + (math.ldexp(2.0**-50, -exponent) if gain > 0.0 else 0.0)


@kernel
def leaving(cells: Array, here: int, k: int, tie: float, simple: bool) -> int:
    """The row whose variable is the first at 0 as that of column ``k`` grows; -1 if none.

    The first loop is for a vertex without ties: the variable falls the faster, the larger a / b.
    """
    best, largest, second = -1, 0.0, 0.0
    for r in range(cells.shape[2] - 2):
        speed = cells[here, k, r] * cells[here, 2, r]
        lesser = speed if speed < largest else largest
        second = lesser if lesser > second else second
        best = r if speed > largest else best
        largest = speed if speed > largest else largest
    if simple and largest - second > CLEAR * tie * largest and cells[here, k, best] > LEAST:
        return best
    best, pivot, value, nudge = -1, 0.0, 0.0, 0.0
    for r in range(cells.shape[2] - 2):
        a = cells[here, k, r]
        if a > LEAST:
            gap, limit = cells[here, 0, r] * pivot - value * a, tie * pivot
            if best < 0 or gap < -limit or (gap <= limit and cells[here, 1, r] * pivot < nudge * a):
                best, pivot, value, nudge = r, a, cells[here, 0, r], cells[here, 1, r]
    return best


@kernel
def leads_back(cells: Array, here: int, k: int, r: int) -> int:
    """Whether the simplex method comes back from where columns k and row r swap: 0, 1; -1 if near.

    It takes the column of the smallest cost. Those of the other vertex are computed here.
    """
    c = cells.shape[2] - 2
    unit, least = cells[here, k, c] / cells[here, k, r], 0.0
    for s in range(FIRST, cells.shape[1]):
        cost = cells[here, s, c] - unit * cells[here, s, r] if s != k else 0.0
        least = cost if cost < least else least
    if abs(least + unit) <= NEAR * unit:
        return -1
    return 1 if least > -unit else 0


@kernel
def exchange(cells: Array, here: int, k: int, r: int) -> None:
    """Write to the next table the dictionary in which the variables of column k and row r swap."""
    c = cells.shape[2] - 2
    unit = 1.0 / cells[here, k, r]
    for s in range(cells.shape[1]):
        factor = cells[here, s, r] * unit if s < 2 or s >= FIRST else 0.0
        for i in range(c + 1):
            cells[here + 1, s, i] = cells[here, s, i] - factor * cells[here, k, i]
        cells[here + 1, s, r] = factor
        cells[here + 1, s, c + 1] = cells[here, s, c + 1]
    for i in range(c + 1):
        cells[here + 1, k, i] = -unit * cells[here, k, i]
    for i in range(c):
        value = cells[here + 1, 0, i]
        cells[here + 1, 2, i] = 1.0 / value if value != 0.0 else 0.0
    cells[here + 1, k, r] = unit
    cells[here + 1, k, c + 1] = cells[here, NAMES, r]
    cells[here + 1, NAMES, r] = cells[here, k, c + 1]


@kernel
def tight(cells: Array, here: int, tie: float) -> int:
    """The labels of the basic variables at 0; -1 if one is doubtful."""
    bits = 0
    for r in range(cells.shape[2] - 2):
        if cells[here, 0, r] < CLEAR * tie:
            if abs(cells[here, 0, r]) > tie / CLEAR:
                return -1
            bits |= 1 << int(cells[here, NAMES, r])
    return bits


@kernel
def start(u: Array, cells: Array) -> None:
    """Write the dictionary of z = 0."""
    d, c = u.shape
    chaos = 0.3
    for r in range(c):
        chaos = 4.0 * chaos * (1.0 - chaos)  # numbers in no relation
        cells[0, 0, r], cells[0, 1, r] = 1.0, chaos + 1.0
        cells[0, 2, r], cells[0, NAMES, r] = 1.0, d + r
    for k in range(d):
        chaos = 4.0 * chaos * (1.0 - chaos)
        for r in range(c):
            cells[0, FIRST + k, r] = u[k, r]
        cells[0, FIRST + k, c], cells[0, FIRST + k, c + 1] = chaos + 1.0, k
    for s in range(FIRST):
        cells[0, s, c] = cells[0, s, c + 1] = 0.0


@kernel
def explore(payoffs: Array, most: int) -> tuple[int, bool, Ints]:
    """All vertices of {z ≥ 0, zᵀu ≤ 1}, u (d, c) the payoffs made positive.

    Returns how it ended, whether some vertex is degenerate, and of each vertex, z = 0 first, which
    variables are not basic and which others are 0, too, as bits: (V, 2). In a degenerate polytope
    a vertex may come several times.
    """
    d, c = payoffs.shape
    u = np.empty((d, c))
    tie = scaled(payoffs, u)
    cells, path = np.empty((8 * (d + c), d + FIRST, c + 2)), np.empty((8 * (d + c), 2), np.int64)
    found = np.empty((64, 2), np.int64)
    start(u, cells)
    found[0, 0], found[0, 1] = (1 << d) - 1, 0
    path[0, 0], path[0, 1] = 0, FIRST  # the vertex, and the column that is next
    count, degenerate = 1, False
    here = count - 1
    while here >= 0:
        v, k = path[here]
        path[here, 1] += 1
        if k == d + FIRST:
            here -= 1
        elif cells[here, k, c] > 0.0:
            r = leaving(cells, here, k, tie, found[v, 1] == 0)
            back = leads_back(cells, here, k, r) if r >= 0 and here + 1 < len(cells) else -1
            if back < 0 or count == most:
                return (DOUBT if back < 0 else TOO_MANY), False, found[:count]
            if back > 0:
                if count == len(found):
                    found = doubled(found)
                swap = (1 << int(cells[here, k, c + 1])) | (1 << int(cells[here, NAMES, r]))
                exchange(cells, here, k, r)
                here += 1
                found[count, 0], found[count, 1] = found[v, 0] ^ swap, tight(cells, here, tie)
                if found[count, 1] < 0:
                    return DOUBT, False, found[:count]
                degenerate |= found[count, 1] != 0
                path[here, 0], path[here, 1] = count, FIRST
                count += 1
    return FOUND, degenerate, found[:count]


@kernel
def place_of(table: Ints, found: Ints, key: int) -> int:
    """The place in the hash table of the vertex with this node, or the empty one to put it."""
    folded = (key ^ (key >> 29)) & 0x3FFFFFFF
    place = (folded * 0x2545F491 >> 15) & (len(table) - 1)
    while table[place] >= 0 and found[table[place], 0] != key:
        place = (place + 1) & (len(table) - 1)
    return place


@kernel
def turned(bits: int, d: int, c: int) -> int:
    """Labels of a polytope with the first d and the last c exchanged, as those of the other one."""
    return (bits >> d) | ((bits & ((1 << d) - 1)) << c)


@kernel
def partners(found: Ints, other: Ints, d: int, c: int) -> Ints:
    """The labels of the complementary vertices of two simple polytopes, but for z = 0: (E, 2)."""
    room = 64
    while room < 2 * len(other):
        room *= 2
    table = np.empty(room, np.int64)
    for place in range(room):
        table[place] = -1
    for w in range(len(other)):
        table[place_of(table, other, other[w, 0])] = w
    pairs, count, everything = np.empty((64, 2), np.int64), 0, (1 << (d + c)) - 1
    for v in range(1, len(found)):
        missing = turned(everything ^ found[v, 0], d, c)
        if table[place_of(table, other, missing)] >= 0:  # (1.3)
            if count == len(pairs):
                pairs = doubled(pairs)
            pairs[count, 0], pairs[count, 1] = found[v, 0], missing
            count += 1
    return pairs[:count]


@kernel
def fully_labelled(labels: Ints, other: Ints, d: int, c: int) -> Ints:
    """The pairs of labels that are everything together, (E, 2)."""
    pairs, count, everything = np.empty((64, 2), np.int64), 0, (1 << (d + c)) - 1
    for w in range(len(other)):
        missing = everything ^ turned(other[w], c, d)
        for v in range(len(labels)):
            if missing & ~labels[v] == 0:  # (1.3)
                if count == len(pairs):
                    pairs = doubled(pairs)
                pairs[count, 0], pairs[count, 1] = labels[v], other[w]
                count += 1
    return pairs[:count]


@kernel
def strategy(u: Array, labels: int, rows: Array, pivots: Ints, z: Array, x: Array) -> bool:
    """Solve for the vertex with these labels from scratch; x = z/Σz. False if that fails."""
    d, c = u.shape
    size, rank, total = 0, 0, 0.0
    for i in range(d):
        size += int(1 - (labels >> i & 1))
    for j in range(c):
        if labels >> (d + j) & 1 and rank < size:
            column = 0
            for i in range(d):
                rows[rank, column] = u[i, j]
                column += 1 - (labels >> i & 1)
            rows[rank, size] = 1.0
            rank += reduce_row(rows, pivots, rank, size)
    if rank < size or not substitute(rows, pivots, size, z):
        return False
    for r in range(size):
        total += z[r]
    column = 0
    for i in range(d):
        x[i] = 0.0
        if labels >> i & 1 == 0:
            x[i] = z[column] / total
            column += 1
    return True


@kernel
def gain(u: Array, x: Array, y: Array, values: Array) -> float:
    """What the player of y, who gets u[a, b] by b, could gain, over the size of its payoffs.

    Summed as Σ_b y_b (max_c (xᵀu)_c - (xᵀu)_b): no term is negative.
    """
    best, size, regret = -np.inf, 0.0, 0.0
    for b in range(u.shape[1]):
        values[b] = 0.0
    for a in range(u.shape[0]):
        for b in range(u.shape[1]):
            values[b] += x[a] * u[a, b]
            size = abs(u[a, b]) if abs(u[a, b]) > size else size
    for b in range(u.shape[1]):
        best = values[b] if values[b] > best else best
    for b in range(u.shape[1]):
        regret += y[b] * (best - values[b])  # (1.3)
    return regret / size if size > 0.0 else 0.0


@kernel
def solved(a: Array, b: Array, pairs: Ints, tol: float) -> tuple[int, Array, Ints]:
    """(x, y) of each pair of labels, (E, m + n), and the pairs; those without certificate go.

    ``a`` (n, m) is what player 1 gets by its column where player 2 plays the row, ``b`` (m, n) what
    player 2 gets by its column.
    """
    m, n = b.shape
    u_x, u_y, points = np.empty((m, n)), np.empty((n, m)), np.empty((len(pairs), m + n))
    x, y, z, values = np.empty(m), np.empty(n), np.empty(m + n), np.empty(m + n)
    rows, pivots = np.empty((m + n, m + n + 1)), np.empty(m + n, np.int64)
    scaled(b, u_x)
    scaled(a, u_y)
    kept = 0
    for e in range(len(pairs)):
        v, w = pairs[e]
        if not strategy(u_x, v, rows, pivots, z, x) or not strategy(u_y, w, rows, pivots, z, y):
            return DOUBT, points[:kept], pairs[:kept]
        if gain(b, x, y, values) <= tol and gain(a, y, x, values) <= tol:
            for i in range(m):
                points[kept, i] = x[i]
            for j in range(n):
                points[kept, m + j] = y[j]
            pairs[kept, 0], pairs[kept, 1] = v, w
            kept += 1
    return FOUND, points[:kept], pairs[:kept]


@kernel
def later(points: Array, e: int, at: int) -> int:
    """1, 0 or -1: row e is after, level with or before row ``at``, by 9 digits."""
    for k in range(points.shape[1]):
        gap = math.floor(points[e, k] * 1e9 + 0.5) - math.floor(points[at, k] * 1e9 + 0.5)
        if gap != 0:
            return 1 if gap > 0 else -1
    return 0


@kernel
def arranged(points: Array) -> int:
    """Sort rows in place, in descending lexicographic order of 9 digits; how many differ.

    Equal rows come once. By insertion, because there are few.
    """
    kept = 0
    for e in range(len(points)):
        for k in range(points.shape[1]):  # next to the sorted rows, over those that came twice
            points[kept, k] = points[e, k]
        at, order = kept, 1
        while at > 0:
            order = later(points, at, at - 1)
            if order < 1:
                break
            for k in range(points.shape[1]):
                points[at, k], points[at - 1, k] = points[at - 1, k], points[at, k]
            at -= 1
        if at == 0 or order != 0:
            kept += 1
        else:  # equal to the row before: close the gap
            for r in range(at, kept):
                for k in range(points.shape[1]):
                    points[r, k] = points[r + 1, k]
    return kept


@kernel
def nondegenerate(u: Array, most: int, tol: float) -> tuple[int, Array]:
    """(how it ended or ``TIED``, all equilibria (E, m + n) in order) of payoffs (2, m, n)."""
    a, b = np.empty((u.shape[2], u.shape[1])), np.empty((u.shape[1], u.shape[2]))
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            a[j, i], b[i, j] = u[0, i, j], u[1, i, j]
    ended, tied, first = explore(b, most)
    also_ended, also_tied, second = explore(a, most)
    degenerate, ended = tied or also_tied, max(ended, also_ended)
    if degenerate or ended != FOUND:
        return (ended if ended != FOUND else TIED), np.empty((0, 0))
    ended, points, _ = solved(a, b, partners(first, second, b.shape[0], b.shape[1]), tol)
    if ended == FOUND and len(points) % 2 == 0:  # an odd number, or a tie was missed
        ended = DOUBT
    return ended, points[: arranged(points)]
