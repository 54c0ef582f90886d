"""Right answers to exercise 1.6, in other words."""

from itertools import product

import numpy as np


def all_pairs_at_once(payoffs):
    """Arrays (K, K, n) of comparisons."""
    u = np.stack([p.ravel() for p in payoffs], axis=1)
    no_worse = (u[None] >= u[:, None]).all(axis=2)
    same = (u[None] == u[:, None]).all(axis=2)
    return ~(no_worse & ~same).any(axis=1).reshape(payoffs.shape[1:])


def outcome_by_outcome(payoffs):
    """Tuples of numbers, and a dictionary."""
    joint = list(product(*map(range, payoffs.shape[1:])))
    worth = {a: tuple(float(payoffs[(i, *a)]) for i in range(len(payoffs))) for a in joint}
    optimal = np.zeros(payoffs.shape[1:], dtype=bool)
    for a, u in worth.items():
        optimal[a] = all(
            v == u or any(y < x for x, y in zip(u, v, strict=True)) for v in worth.values()
        )
    return optimal


def sorted_first(payoffs):
    """In lexicographic order nothing is dominated by what comes after it; lists are returned."""
    u = payoffs.reshape(len(payoffs), -1)
    front, optimal = [], np.zeros(u.shape[1], dtype=bool)
    for k in np.lexsort(-u[::-1]):
        v = u[:, k]
        if not any((w >= v).all() and (w != v).any() for w in front):
            front.append(v)
            optimal[k] = True
    return optimal.reshape(payoffs.shape[1:]).tolist()
