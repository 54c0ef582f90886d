"""Mended in other words."""

import numpy as np


def with_a_mask(reward, value, next_value, terminated, truncated, gamma, lam):
    """Products with what goes on."""
    goes_on = 1.0 - np.maximum(terminated, truncated)
    delta = reward + gamma * next_value * (1.0 - terminated) - value
    for t in range(len(reward) - 2, -1, -1):
        delta[t] += gamma * lam * goes_on[t] * delta[t + 1]
    return delta


def forwards(reward, value, next_value, terminated, truncated, gamma, lam):
    """Each error goes to the rows before it that are still in its episode."""
    found, trace = np.zeros(reward.shape), np.zeros(reward.shape)
    for t in range(len(reward)):
        trace[t] = 1.0
        delta = reward[t] + gamma * np.where(terminated[t], 0.0, next_value[t]) - value[t]
        found += trace * delta
        trace *= gamma * lam
        trace[:, terminated[t] | truncated[t]] = 0.0
    return found
