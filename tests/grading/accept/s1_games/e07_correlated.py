"""Right answers to exercise 1.7, in other words."""

import numpy as np
from scipy.optimize import linprog


def with_kronecker_products(row, column):
    """Swaps of the row player only; the column player's are those of the turned game."""
    m, n = row.shape

    def swaps(u):
        k, others = u.shape
        rows = np.zeros((k, k, k, others))
        rows[np.arange(k), :, np.arange(k)] = u[None] - u[:, None]
        return rows.reshape(k * k, k, others)

    gains = np.concatenate([swaps(row), swaps(column.T).transpose(0, 2, 1)]).reshape(-1, m * n)
    gains = gains[gains.any(axis=1)]
    sums = np.ones((1, m * n))
    limits = {"A_ub": gains, "b_ub": np.zeros(len(gains))} if len(gains) else {}
    found = linprog(-(row + column).ravel(), A_eq=sums, b_eq=[1.0], **limits)
    return found.x.reshape(m, n).tolist()


def with_free_totals(row, column):
    """A sum of at most 1, and a welfare that is above zero everywhere."""
    m, n = row.shape
    welfare = row + column
    lifted = welfare - welfare.min() + 1.0  # then a larger total is always better
    gains = []
    for a in range(m):
        for other in range(m):
            w = np.zeros((m, n))
            w[a] = np.subtract(row[other], row[a])
            gains.append(w)
    for b in range(n):
        for other in range(n):
            w = np.zeros((m, n))
            w[:, b] = np.subtract(column[:, other], column[:, b])
            gains.append(w)
    gains.append(np.ones((m, n)))
    bounds = np.zeros(len(gains))
    bounds[-1] = 1.0
    found = linprog(-lifted.ravel(), A_ub=np.reshape(gains, (-1, m * n)), b_ub=bounds)
    return found.x.reshape(m, n)
