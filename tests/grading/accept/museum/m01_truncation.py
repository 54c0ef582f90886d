"""Mended in other words."""

import numpy as np


def with_a_choice(reward, next_value, terminated, truncated, gamma):
    """A choice, not a product."""
    return np.where(terminated, reward, reward + gamma * next_value)


def entry_by_entry(reward, next_value, terminated, truncated, gamma):
    """Loops and lists."""
    rows = zip(reward, next_value, terminated, strict=True)
    return [
        [float(r if d else r + gamma * v) for r, v, d in zip(*row, strict=True)] for row in rows
    ]
