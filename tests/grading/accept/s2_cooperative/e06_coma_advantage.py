"""Right answers to exercise 2.6, in other words."""

import numpy as np


def step_by_step(q, pi, actions, agent):
    """Loops, lists and Python's own numbers."""
    found = []
    for m in range(len(q)):
        at = [int(a) for a in actions[m]]
        a = float(q[(m, *at)])
        for b in range(np.shape(pi)[1]):
            at[agent] = b
            a -= float(pi[m, b]) * float(q[(m, *at)])
        found.append(a)
    return found


def as_a_mean_of_differences(q, pi, actions, agent):
    """What doing something else would have changed, weighted."""
    rows, found = np.arange(len(q)), np.zeros(len(q))
    taken = [np.asarray(actions)[:, j] for j in range(np.shape(actions)[1])]
    for b in range(np.shape(pi)[1]):
        other = [np.full(len(q), b) if j == agent else a for j, a in enumerate(taken)]
        found += np.asarray(pi)[:, b] * (np.asarray(q)[(rows, *taken)] - q[(rows, *other)])
    return found
