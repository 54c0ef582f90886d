"""Mended in other words."""

import numpy as np


def as_a_product(gradients):
    """The diagonal of G^T G / N."""
    return np.diagonal(gradients.T @ gradients) / len(gradients)


def sample_by_sample(gradients):
    """A running mean."""
    found = np.zeros(len(gradients[0]))
    for n, g in enumerate(gradients, start=1):
        found += (np.square(g) - found) / n
    return found
