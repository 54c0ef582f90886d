"""The simplex method for zero-sum games, compiled.

With payoffs u (m, n) in [1, 2] the value v is positive, and z = y / v solves the program

    max Σ_j z_j   such that   u z ≤ 1,  z ≥ 0,        v = 1 / max,

whose dual variables are x / v. A *dictionary* solves for m of the variables (z, slacks): the table
(m + 1, n + 1) has a row for each of these, then one for the objective; the last column holds the
right sides. ``names`` has the n variables that are 0, then the m others; z_j is j, the slack of
row i is n + i.

The column that enters is the one along which the objective grows the most for the length of the
step, the *steepest edge* (Forrest & Goldfarb 1992): of 300 × 300 games it takes a quarter of the
pivots of the largest coefficient. Pivots that gain nothing may go round in circles; after some of
them the first of the variables that could enter is taken, and of those that tie the first one
leaves, which ends every circle (Bland 1977).

Sources: G. Dantzig 1951, in Koopmans (ed.), *Activity Analysis of Production and Allocation*;
J. Forrest, D. Goldfarb, *Steepest-edge simplex algorithms for linear programming*, Mathematical
Programming 57, 1992; R. Bland, *New finite pivoting rules for the simplex method*, Mathematics of
Operations Research 2, 1977.
"""

import numpy as np

from ..check import Array
from ..kernels._jit import kernel
from .support import Ints

LEAST = 1e-9  # a smaller number is no pivot
GAIN = 1e-13  # a smaller coefficient of the objective is rounding
NEAR = 1e-13  # steps that differ by less are equal
PATIENCE = 20  # pivots without gain before the other rule


@kernel
def entering(table: Array, names: Ints, norms: Array, first: bool) -> int:
    """The column of the steepest edge, or the first variable with a gain; -1 if none has."""
    m, n = table.shape[0] - 1, table.shape[1] - 1
    best, steepest = -1, 0.0
    for j in range(n):
        gain = table[m, j]
        if gain > GAIN:
            slope = 1.0 if first else gain * gain / norms[j]
            if slope > steepest or (first and names[j] < names[best]):
                best, steepest = j, slope
    return best


@kernel
def limiting(table: Array, names: Ints, j: int, first: bool) -> int:
    """The row that is first at 0 as column j grows; -1 if none.

    Of several that one with the largest pivot, which rounds least, or the first variable.
    """
    m, n = table.shape[0] - 1, table.shape[1] - 1
    best, pivot, value = -1, 0.0, 0.0
    for i in range(m):
        a = table[i, j]
        if a > LEAST:
            gap, tie = table[i, n] * pivot - value * a, NEAR * a * pivot
            better = names[n + i] < names[n + best] if first else a > pivot
            if best < 0 or gap < -tie or (gap <= tie and better):
                best, pivot, value = i, a, table[i, n]
    return best


@kernel
def clear(table: Array, norms: Array, i: int, r: int, j: int, weight: float) -> None:
    """Take that multiple of row r from row i that leaves 0 in column j, as a new variable's."""
    factor = table[i, j]
    table[i, j] = 0.0
    for k in range(table.shape[1]):
        value = table[i, k] - factor * table[r, k]
        table[i, k] = value
        norms[k] += weight * (value * value)


@kernel
def swap(table: Array, names: Ints, norms: Array, r: int, j: int) -> None:
    """Exchange the variables of row r and column j, in place, and measure the columns anew.

    ``norms`` are 1 + Σ_i table_ij² over the rows but the objective's. Two rows at a time halve the
    traffic of row r and of the norms.
    """
    m, n = table.shape[0] - 1, table.shape[1] - 1
    unit = 1.0 / table[r, j]
    for k in range(n + 1):
        table[r, k] *= unit
    table[r, j] = unit
    for k in range(n + 1):
        norms[k] = 1.0 + table[r, k] * table[r, k]
    for other in range(0, m - 2, 2):  # of the m - 1 rows besides r
        p, q = other + (other >= r), other + 1 + (other + 1 >= r)
        f, g = table[p, j], table[q, j]
        table[p, j] = table[q, j] = 0.0
        for k in range(n + 1):
            one, two = table[p, k] - f * table[r, k], table[q, k] - g * table[r, k]
            table[p, k], table[q, k] = one, two
            norms[k] += one * one + two * two
    if m % 2 == 0:
        clear(table, norms, m - 2 + (m - 2 >= r), r, j, 1.0)
    clear(table, norms, m, r, j, 0.0)
    names[j], names[n + r] = names[n + r], names[j]


@kernel
def optimum(table: Array, names: Ints, norms: Array, most: int) -> bool:
    """Pivot until nothing is to be gained; False if it has not come to that."""
    n, idle = table.shape[1] - 1, 0
    for _ in range(most):
        first = idle > PATIENCE
        j = entering(table, names, norms, first)
        if j < 0:
            return True
        r = limiting(table, names, j, first)
        if r < 0:
            return False
        idle = idle + 1 if table[r, n] <= GAIN else 0
        swap(table, names, norms, r, j)
    return False


@kernel
def saddle(payoffs: Array, x: Array, y: Array) -> tuple[bool, float, float, float]:
    """(whether there is a saddle point, its value, the least payoff, the payoffs' range).

    The range is -1 if they are not finite. x and y become the pure strategies of the first one.
    """
    m, n = payoffs.shape
    row, secured, finite, low = 0, -np.inf, 0.0, np.inf
    for j in range(n):
        y[j] = -np.inf
    for i in range(m):
        least = np.inf
        for j in range(n):
            finite += payoffs[i, j] * 0.0
            least = payoffs[i, j] if payoffs[i, j] < least else least
            y[j] = payoffs[i, j] if payoffs[i, j] > y[j] else y[j]
        low = least if least < low else low
        row, secured = (i, least) if least > secured else (row, secured)
    column, high = 0, -np.inf
    for j in range(n):
        high = y[j] if y[j] > high else high
        column = j if y[j] < y[column] else column
    conceded = y[column]
    for i in range(m):
        x[i] = 1.0 if i == row else 0.0
    for j in range(n):
        y[j] = 1.0 if j == column else 0.0
    return secured >= conceded, secured, low, high - low if finite == 0.0 else -1.0


@kernel
def program(payoffs: Array, low: float, scale: float) -> tuple[Array, Ints, Array]:
    """The first table, its names and norms."""
    m, n = payoffs.shape
    table, names, norms = np.empty((m + 1, n + 1)), np.empty(m + n, np.int64), np.empty(n + 1)
    for k in range(n + 1):
        norms[k] = table[m, k] = 1.0
    for i in range(m):
        for j in range(n):
            unit = (payoffs[i, j] - low) * scale + 1.0
            table[i, j] = unit
            norms[j] += unit * unit
        table[i, n] = 1.0
    table[m, n] = 0.0
    for k in range(m + n):
        names[k] = k
    return table, names, norms


@kernel
def read_off(table: Array, names: Ints, x: Array, y: Array) -> None:
    """The mixtures of the last table: y from its right sides, x from its objective."""
    m, n = len(x), len(y)
    total_x, total_y = 0.0, 0.0
    for k in range(m):
        x[k] = 0.0
    for k in range(n):
        y[k] = 0.0
    for j in range(n):
        if names[j] >= n and table[m, j] < 0.0:
            x[names[j] - n] = -table[m, j]
            total_x -= table[m, j]
    for i in range(m):
        if names[n + i] < n and table[i, n] > 0.0:
            y[names[n + i]] = table[i, n]
            total_y += table[i, n]
    for k in range(m):
        x[k] /= total_x
    for k in range(n):
        y[k] /= total_y


@kernel
def bounds(payoffs: Array, low: float, scale: float, x: Array, y: Array) -> tuple[float, float]:
    """What x secures and y concedes of the payoffs in [0, 1]."""
    m, n = payoffs.shape
    columns, conceded, secured = np.empty(n), 0.0, 1.0
    for j in range(n):
        columns[j] = 0.0
    for i in range(m):
        row = 0.0
        for j in range(n):
            unit = (payoffs[i, j] - low) * scale
            row += unit * y[j]
            columns[j] += x[i] * unit
        conceded = row if row > conceded else conceded
    for j in range(n):
        secured = columns[j] if columns[j] < secured else secured
    return secured, conceded


@kernel
def matrix_game(payoffs: Array, most: int, tol: float) -> tuple[float, float, Array, Array]:
    """(value, gap, x, y).

    The gap is -1 if it is more than ``tol`` of the payoffs' range, if they are not finite or near
    the ends of the floats, or if the optimum takes more than ``most`` (m + n) pivots.
    """
    m, n = payoffs.shape
    x, y = np.empty(m), np.empty(n)
    pure, value, low, span = saddle(payoffs, x, y)
    if pure and span >= 0.0:
        return value, 0.0, x, y
    if not 1e-290 < span < 1e300:
        return value, -1.0, x, y
    table, names, norms = program(payoffs, low, 1.0 / span)
    if not optimum(table, names, norms, most * (m + n)):
        return value, -1.0, x, y
    read_off(table, names, x, y)
    secured, conceded = bounds(payoffs, low, 1.0 / span, x, y)
    gap = conceded - secured if conceded > secured else 0.0
    return low + span * ((secured + conceded) / 2.0), span * gap if gap <= tol else -1.0, x, y
