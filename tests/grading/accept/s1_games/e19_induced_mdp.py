"""Right answers to exercise 1.19, in other words."""

from itertools import product

import numpy as np


def joint_action_by_joint_action(transition, reward, policies, player):
    """Loops over states and joint actions; a list of two tables is returned."""
    states, actions = policies[player].shape
    moves, paid = np.zeros((states, actions, states)), np.zeros((states, actions))
    for s in range(states):
        for a in product(*(range(p.shape[1]) for p in policies)):
            chance = np.prod([p[s, a[j]] for j, p in enumerate(policies) if j != player])
            moves[s, a[player]] += chance * transition[(s, *a)]
            paid[s, a[player]] += chance * reward[(player, s, *a)]
    return [moves, paid.tolist()]


def by_einsum(transition, reward, policies, player):
    """Index 0 is the state, 1 to n the actions, n + 1 the next state."""
    n = len(policies)
    weights = []
    for j, p in enumerate(policies):
        weights += [p, [0, j + 1]] if j != player else []
    moves = np.einsum(transition, list(range(n + 2)), *weights, [0, player + 1, n + 1])
    paid = np.einsum(reward[player], list(range(n + 1)), *weights, [0, player + 1])
    return moves, paid
