"""Right answers to exercise 1.1, in other words."""

from functools import reduce
from itertools import product

import numpy as np


def by_an_outer_product(payoffs, profile):
    """The probabilities of all joint actions first."""
    weights = reduce(np.multiply.outer, profile)
    return np.tensordot(payoffs, weights, axes=weights.ndim)


def joint_action_by_joint_action(payoffs, profile):
    """Python's own numbers; a list is returned."""
    total = [0.0] * len(payoffs)
    for joint in product(*(range(len(x)) for x in profile)):
        chance = 1.0
        for x, a in zip(profile, joint, strict=True):
            chance *= float(x[a])
        for i in range(len(total)):
            total[i] += chance * float(payoffs[i][joint])
    return total


def by_einsum(payoffs, profile):
    """One index for each player's actions."""
    n = len(profile)
    operands = [payoffs, [n, *range(n)]]
    for j, x in enumerate(profile):
        operands += [x, [j]]
    return np.einsum(*operands, [n])


def first_player_first(payoffs, profile):
    """The axes go away from the front."""
    u = payoffs
    for x in profile:
        u = sum(p * u[:, k] for k, p in enumerate(x))
    return u
