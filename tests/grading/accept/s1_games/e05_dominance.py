"""Right answers to exercise 1.5, in other words."""

from functools import cache

import numpy as np
from scipy.optimize import linprog


def _beaten(u, a):
    """Whether some mixture of the rows of u pays at least 1 more than row a, scaled up freely."""
    gain = np.asarray(u, dtype=float) - u[a]
    return _gains_everywhere(gain.shape, gain.tobytes())


@cache  # every law asks about the same games
def _gains_everywhere(shape, numbers):
    gain = np.frombuffer(numbers).reshape(shape)
    # a cone of weights w >= 0 with gain.T @ w >= 1 is empty unless a mixture gains everywhere
    found = linprog(np.zeros(shape[0]), A_ub=-gain.T, b_ub=-np.ones(shape[1]))
    return found.status == 0


def one_at_a_time(row, column):
    """The first action found goes; recursion on the smaller game; lists are returned."""
    m, n = np.shape(row)
    for a in range(m):
        if _beaten(row, a):
            rows, columns = one_at_a_time(np.delete(row, a, 0), np.delete(column, a, 0))
            return [*rows[:a], False, *rows[a:]], columns
    for b in range(n):
        if _beaten(column.T, b):
            rows, columns = one_at_a_time(np.delete(row, b, 1), np.delete(column, b, 1))
            return rows, [*columns[:b], False, *columns[b:]]
    return [True] * m, [True] * n


def column_player_first(row, column):
    """Sets of indices; each player in turn deletes all that it can."""
    left = [set(range(len(row))), set(range(len(row[0])))]
    changed = True
    while changed:
        changed = False
        for i in (1, 0):
            rows, columns = sorted(left[0]), sorted(left[1])
            own = column[np.ix_(rows, columns)].T if i else row[np.ix_(rows, columns)]
            gone = {k for j, k in enumerate(sorted(left[i])) if _beaten(own, j)}
            left[i] -= gone
            changed |= bool(gone)
    return tuple(
        np.array([k in kept for k in range(size)])
        for kept, size in zip(left, np.shape(row), strict=True)
    )
