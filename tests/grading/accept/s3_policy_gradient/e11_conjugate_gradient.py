"""Right answers to exercise 3.11, in other words."""

import numpy as np


def by_the_krylov_space(h, g, iterations):
    """The best point of the span of g, Hg, …, made orthogonal as it grows."""
    basis, g = [], np.array(g, dtype=float)
    new = g
    for _ in range(min(iterations, len(g))):
        for _twice in range(2):
            for q in basis:
                new = new - (q @ new) * q
        size = np.linalg.norm(new)
        if size <= 1e-11 * max(1.0, np.linalg.norm(g)):
            break
        basis.append(new / size)
        new = h @ basis[-1]
    if not basis:
        return np.zeros(len(g))
    q = np.stack(basis, axis=1)
    return q @ np.linalg.solve(q.T @ h @ q, q.T @ g)


def by_conjugate_directions(h, g, iterations):
    """Each residual made conjugate to all directions before; then an exact search along it."""
    x, done = [0.0] * len(g), []
    for _ in range(min(iterations, len(g))):
        r = np.array(g, dtype=float) - np.asarray(h, dtype=float) @ x
        if np.linalg.norm(r) <= 1e-12 * np.linalg.norm(g):
            break
        p = r - sum((r @ h @ q) / (q @ h @ q) * q for q in done)
        x = x + (p @ r) / (p @ h @ p) * p
        done.append(p)
    return list(x)
