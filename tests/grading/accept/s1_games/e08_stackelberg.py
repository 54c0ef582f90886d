"""Right answers to exercise 1.8, in other words."""

from itertools import combinations

import numpy as np
from scipy.optimize import linprog


def as_a_correlated_device(row, column):
    """One program over joint weights z: the follower obeys, and only the leader's sum matters."""
    m, n = row.shape
    best = (-np.inf, None)
    for j in range(n):
        # x = z[:, j], the other columns of z are zero: the program of reply j in other variables
        gains = [column[:, k] - column[:, j] for k in range(n) if k != j]
        limits = {"A_ub": np.array(gains), "b_ub": np.zeros(len(gains))} if gains else {}
        found = linprog(-row[:, j], A_eq=[[1.0] * m], b_eq=[1], bounds=[(0, 1)] * m, **limits)
        if found.status == 0 and -found.fun > best[0]:
            best = (-found.fun, found.x)
    return [best[1].tolist(), float(best[0])]


def by_corners(row, column):
    """All corners of the regions in which a reply is best, found by solving linear systems."""
    m, n = row.shape
    best = (-np.inf, None)
    for j in range(n):
        edges = [np.eye(m)[a] for a in range(m)]
        edges += [np.asarray(column[:, j] - column[:, k], dtype=float) for k in range(n) if k != j]
        for chosen in combinations(range(len(edges)), m - 1):
            system = np.array([np.ones(m), *(edges[c] for c in chosen)])
            if abs(np.linalg.det(system)) < 1e-9:
                continue
            x = np.linalg.solve(system, np.eye(m)[0])
            if min([x.min(), *(x @ e for e in edges)]) >= -1e-9 and x @ row[:, j] > best[0]:
                best = (x @ row[:, j], x)
    x = np.maximum(best[1], 0)
    return x / x.sum(), best[0]
