"""Right answers to exercise 1.4, in other words."""

from itertools import combinations

import numpy as np
from scipy.optimize import linprog


def one_program_and_its_dual(A):
    """y are the multipliers of the row player's program."""
    m, n = A.shape
    lift = 1 - A.min()  # all payoffs are at least 1: v is positive, and x / v is a free vector
    found = linprog(np.ones(m), A_ub=-(A + lift).T, b_ub=-np.ones(n), method="highs")
    value = 1 / found.fun
    return value - lift, found.x * value, -found.ineqlin.marginals * value


def by_square_kernels(A):
    """Some square part of the matrix makes both players indifferent; all of them are tried."""
    m, n = A.shape
    for k in range(1, min(m, n) + 1):
        for rows in combinations(range(m), k):
            for columns in combinations(range(n), k):
                part = A[np.ix_(rows, columns)]
                edge = np.ones((k, 1))
                system = np.block([[part, -edge], [edge.T, np.zeros((1, 1))]])
                if abs(np.linalg.det(system)) < 1e-9:
                    continue
                last = np.append(np.zeros(k), 1.0)
                y, x = np.zeros(n), np.zeros(m)
                solved = np.linalg.solve(system, last)
                y[list(columns)], value = solved[:k], solved[k]
                turned = np.block([[part.T, -edge], [edge.T, np.zeros((1, 1))]])
                x[list(rows)] = np.linalg.solve(turned, last)[:k]
                right = min(x.min(), y.min()) > -1e-9
                if right and (x @ A).min() > value - 1e-9 and (A @ y).max() < value + 1e-9:
                    return [float(value), x.tolist(), y.tolist()]
    raise AssertionError("every game has such a part")
