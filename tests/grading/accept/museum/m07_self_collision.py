"""Mended in other words."""

import numpy as np


def without_the_diagonal(position, radius):
    """The matrix of distances, its diagonal far away."""
    far = np.linalg.norm(position[:, None] - position, axis=-1)
    np.fill_diagonal(far, np.inf)
    return -(far < 2 * radius).sum(axis=0).astype(float)


def pair_by_pair(position, radius):
    """Each pair once; a list is returned."""
    fines = [0.0] * len(position)
    for i in range(len(position)):
        for j in range(i):
            (a, b), (c, d) = position[i], position[j]
            if (a - c) ** 2 + (b - d) ** 2 < 4 * radius**2:
                fines[i] -= 1.0
                fines[j] -= 1.0
    return fines
