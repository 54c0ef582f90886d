"""Mended in other words."""

import numpy as np


def with_a_longer_array(reward, value, last_value, gamma):
    """V of all T + 1 states."""
    states = np.concatenate([value, [last_value]])
    return reward + gamma * states[1:] - states[:-1]


def step_by_step(reward, value, last_value, gamma):
    """From behind, as a list."""
    found, after = [], float(last_value)
    for r, v in zip(reward[::-1], value[::-1], strict=True):
        found.append(float(r) + gamma * after - float(v))
        after = float(v)
    return found[::-1]
