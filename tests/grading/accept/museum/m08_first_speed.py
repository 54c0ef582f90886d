"""Mended in other words."""

import numpy as np


def at_once(speed, crashed, slow, fast):
    """No loop."""
    rewards = np.interp(speed, [slow, fast], [0.0, 1.0])
    rewards[crashed] = -1.0
    return rewards


def one_by_one(speed, crashed, slow, fast):
    """Pairs; a list is returned."""
    return [
        -1.0 if c else float(min(1.0, max(0.0, (v - slow) / (fast - slow))))
        for v, c in zip(speed, crashed, strict=True)
    ]
