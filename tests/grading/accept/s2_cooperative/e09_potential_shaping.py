"""Right answers to exercise 2.9, in other words."""

import numpy as np


def number_by_number(reward, potential, next_potential, terminated, gamma):
    """Loops."""
    found = np.zeros(np.shape(reward))
    for k in np.ndindex(found.shape):
        ahead = 0.0 if terminated[k] else gamma * next_potential[k]
        found[k] = reward[k] + (ahead - potential[k])
    return found


def with_masked_potentials(reward, potential, next_potential, terminated, gamma):
    """What follows the end is put to 0 first."""
    after = np.array(next_potential, dtype=float)
    after[np.asarray(terminated, dtype=bool)] = 0.0
    return (gamma * after - potential + reward).tolist()
