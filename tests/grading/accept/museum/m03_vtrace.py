"""Mended in other words."""

import numpy as np


def patched_last(ratio, reward, value, next_value, terminated, truncated, gamma):
    """The row below, but next_value wherever the trajectory ends."""
    rho = np.clip(ratio, None, 1.0)
    v = np.zeros(len(reward) + 1)
    following = np.array(next_value, dtype=float)
    tail = 0.0
    for t in range(len(reward) - 1, -1, -1):
        ends = terminated[t] or truncated[t] or t == len(reward) - 1
        if not ends:
            following[t] = v[t + 1]
        bootstrap = 0.0 if terminated[t] else next_value[t]
        tail = rho[t] * (reward[t] + gamma * bootstrap - value[t]) + (
            0.0 if ends else gamma * rho[t] * tail
        )
        v[t] = value[t] + tail
    return rho * (reward + gamma * following * (1 - terminated) - value)


def by_recursion(ratio, reward, value, next_value, terminated, truncated, gamma):
    """The rows below first; a list is returned."""
    found = []

    def target(t):
        """v_t; the advantage is written down on the way."""
        if terminated[t]:
            ahead, rest = 0.0, 0.0
        elif truncated[t] or t == len(reward) - 1:
            ahead, rest = float(next_value[t]), 0.0
        else:
            ahead = target(t + 1)
            rest = ahead - float(value[t + 1])
        if (terminated[t] or truncated[t]) and t + 1 < len(reward):
            target(t + 1)
        rho = min(float(ratio[t]), 1.0)
        found.append(rho * (float(reward[t]) + gamma * ahead - float(value[t])))
        bootstrap = 0.0 if terminated[t] else float(next_value[t])
        delta = rho * (float(reward[t]) + gamma * bootstrap - float(value[t]))
        return float(value[t]) + delta + gamma * rho * rest

    target(0)
    return found[::-1]
