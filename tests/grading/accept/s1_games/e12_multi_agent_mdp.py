"""Right answers to exercise 1.12, in other words."""

from itertools import product

import numpy as np


def _chain(transition, reward, policies):
    """(P, R), joint action by joint action."""
    states, players = len(transition), len(reward)
    moves, paid = np.zeros((states, states)), np.zeros((states, players))
    for s in range(states):
        for a in product(*(range(p.shape[1]) for p in policies)):
            chance = np.prod([p[s, b] for p, b in zip(policies, a, strict=True)])
            moves[s] += chance * transition[(s, *a)]
            paid[s] += chance * reward[(slice(None), s, *a)]
    return moves, paid


def by_value_iteration(transition, reward, policies, gamma):
    """Swept until nothing moves."""
    moves, paid = _chain(transition, reward, policies)
    v = np.zeros(paid.shape)
    for _ in range(4000):
        v = paid + gamma * moves @ v
    return v.T


def by_powers(transition, reward, policies, gamma):
    """The sum of all that comes, doubled again and again; lists are returned."""
    moves, paid = _chain(transition, reward, policies)
    step, total = gamma * moves, paid
    for _ in range(14):
        total = total + step @ total
        step = step @ step
    return total.T.tolist()
