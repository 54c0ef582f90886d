"""Right answers to exercise 1.16, in other words."""

from itertools import product

import numpy as np


def _shares(counts):
    totals = [float(np.sum(c)) for c in counts]
    return [
        [float(n) / t if t else 1 / len(c) for n in c] for c, t in zip(counts, totals, strict=True)
    ]


def by_einsum(q, counts, player):
    """The own index is left."""
    operands = [q, list(range(q.ndim))]
    for j, x in enumerate(_shares(counts)):
        operands += [np.array(x), [j]] if j != player else []
    return np.einsum(*operands, [player])


def joint_action_by_joint_action(q, counts, player):
    """Loops; a list is returned."""
    shares, values = _shares(counts), [0.0] * q.shape[player]
    for a in product(*map(range, q.shape)):
        chance = np.prod([shares[j][b] for j, b in enumerate(a) if j != player])
        values[a[player]] += float(chance) * float(q[a])
    return values
