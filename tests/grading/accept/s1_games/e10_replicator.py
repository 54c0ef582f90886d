"""Right answers to exercise 1.10, in other words."""

import numpy as np


def pair_by_pair(A, x):
    """ẋ_a = Σ_b x_a x_b (u_a - u_b)."""
    u = A @ x
    return (np.outer(x, x) * (u[:, None] - u[None, :])).sum(axis=1)


def as_a_projection(A, x):
    """The matrix diag(x) - x xᵀ, on the utilities."""
    return (np.diag(x) - np.outer(x, x)) @ (A @ x)


def in_lists(A, x):
    """Python's own numbers; a list is returned."""
    size = range(len(x))
    u = [sum(float(A[a][b]) * float(x[b]) for b in size) for a in size]
    mean = sum(float(x[a]) * u[a] for a in size)
    return [float(x[a]) * (u[a] - mean) for a in size]
