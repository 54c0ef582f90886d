"""Right answers to exercise 1.3, in other words."""

from itertools import product

import numpy as np


def as_weighted_gaps(payoffs, profile):
    """Σ x(a) (maximum - value of a), by einsum; a list is returned."""
    n, found = len(profile), []
    for i in range(n):
        operands = [payoffs[i], list(range(n))]
        for j in range(n):
            operands += [profile[j], [j]] if j != i else []
        values = np.einsum(*operands, [i])
        found.append(float(profile[i] @ (values.max() - values)))
    return found


def all_players_at_once(payoffs, profile):
    """All deviations are rows of one loop over joint actions."""
    values = [np.zeros(len(x)) for x in profile]
    now = np.zeros(len(profile))
    for joint in product(*(range(len(x)) for x in profile)):
        chances = np.array([x[a] for x, a in zip(profile, joint, strict=True)])
        for i, a in enumerate(joint):
            values[i][a] += np.prod(np.delete(chances, i)) * payoffs[i][joint]
            now[i] += np.prod(chances) * payoffs[i][joint]
    return np.array([v.max() for v in values]) - now


def by_rolling_axes(payoffs, profile):
    """Each player becomes the last one in turn."""
    found = np.empty(len(profile))
    for i in range(len(profile)):
        u = np.moveaxis(payoffs[i], i, -1)
        for x in (x for j, x in enumerate(profile) if j != i):
            u = np.tensordot(x, u, axes=(0, 0))
        found[i] = u.max() - u.dot(profile[i])
    return found
