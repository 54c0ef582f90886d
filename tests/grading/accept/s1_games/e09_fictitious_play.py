"""Right answers to exercise 1.9, in other words."""

from fractions import Fraction

import numpy as np


def with_counts(row, column, start, steps):
    """Plays are counted; payoffs against counts are whole numbers, so ties are exact."""
    counts = [np.zeros(k, dtype=int) for k in row.shape]
    a, b = start
    for _ in range(steps):
        counts[0][a] += 1
        counts[1][b] += 1
        a, b = int(np.argmax(row @ counts[1])), int(np.argmax(counts[0] @ column))
    return counts[0] / steps, counts[1] / steps


def with_fractions(row, column, start, steps):
    """Exact averages; lists are returned."""
    m, n = row.shape
    x = [Fraction(int(a == start[0])) for a in range(m)]
    y = [Fraction(int(b == start[1])) for b in range(n)]
    for t in range(2, steps + 1):
        of_rows = [sum(int(row[a, b]) * y[b] for b in range(n)) for a in range(m)]
        of_columns = [sum(int(column[a, b]) * x[a] for a in range(m)) for b in range(n)]
        a, b = of_rows.index(max(of_rows)), of_columns.index(max(of_columns))
        x = [(p * (t - 1) + (k == a)) / t for k, p in enumerate(x)]
        y = [(q * (t - 1) + (k == b)) / t for k, q in enumerate(y)]
    return [float(p) for p in x], [float(q) for q in y]


def from_the_history(row, column, start, steps):
    """All plays are kept; averages are means of rows of identity matrices."""
    plays = [tuple(start)]
    while len(plays) < steps:
        past = np.array(plays)
        values = row[:, past[:, 1]].sum(axis=1), column[past[:, 0]].sum(axis=0)
        plays.append(tuple(int(v.argmax()) for v in values))
    past = np.array(plays)
    return tuple(np.eye(k)[past[:, i]].mean(axis=0) for i, k in enumerate(row.shape))
