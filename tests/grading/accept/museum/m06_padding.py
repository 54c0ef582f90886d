"""Mended in other words."""

import numpy as np


def by_selection(error, filled, terminated):
    """The errors that count, alone."""
    return np.mean(error[filled] ** 2)


def with_weights(error, filled, terminated):
    """A weighted average."""
    return float(np.average(np.square(error), weights=filled))
