"""Right answers to exercise 3.7, in other words."""

import numpy as np


def by_cases(ratio, advantage, epsilon):
    """Sample by sample; a list comes out."""
    total, slope = 0.0, []
    for r, a in zip(ratio, advantage, strict=True):
        bound = 1 + epsilon if a > 0 else 1 - epsilon
        beyond = (a > 0 and r > bound) or (a < 0 and r < bound)
        total += (bound if beyond else r) * a
        slope.append(0.0 if beyond else a / len(ratio))
    return total / len(ratio), slope


def by_excess(ratio, advantage, epsilon):
    """r A minus what is too much; the slope by a sign."""
    ratio, advantage = np.array(ratio, float), np.array(advantage, float)
    side = np.sign(advantage)
    excess = np.maximum(side * (ratio - 1) - epsilon, 0) * abs(advantage)
    gain = np.nanmean(ratio * advantage - np.where(side == 0, 0, excess))
    return np.array(gain), advantage * (side * (ratio - 1) < epsilon) / ratio.size
