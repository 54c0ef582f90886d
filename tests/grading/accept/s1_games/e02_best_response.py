"""Right answers to exercise 1.2, in other words."""

from itertools import product

import numpy as np


def by_einsum(payoffs, profile, player):
    """The own index is the one that is left."""
    n = len(profile)
    operands = [payoffs[player], list(range(n))]
    for j, x in enumerate(profile):
        operands += [x, [j]] if j != player else []
    values = np.einsum(*operands, [player])
    return np.isclose(values, values.max(), rtol=0.0, atol=1e-9)


def in_lists(payoffs, profile, player):
    """Joint action by joint action; a list of bools is returned."""
    values = [0.0] * len(profile[player])
    for joint in product(*(range(len(x)) for x in profile)):
        chance = 1.0
        for j, a in enumerate(joint):
            chance *= 1.0 if j == player else float(profile[j][a])
        values[joint[player]] += chance * float(payoffs[player][joint])
    best = max(values)
    return [bool(best - v <= 1e-9) for v in values]


def one_pure_deviation_at_a_time(payoffs, profile, player):
    """The own strategy is replaced by each of the pure ones."""
    values = []
    for k in range(len(profile[player])):
        u = payoffs[player]
        for j, x in reversed(list(enumerate(profile))):
            u = u.take(k, axis=j) if j == player else np.tensordot(u, x, axes=(j, 0))
        values.append(u)
    gaps = np.max(values) - np.array(values)
    return gaps < 1e-9
