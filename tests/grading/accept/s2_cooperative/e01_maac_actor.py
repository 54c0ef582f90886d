"""Right answers to exercise 2.1, in other words."""

from itertools import product

import numpy as np


def joint_action_by_joint_action(logits, q, visits, agent):
    """Scores times Q, with V as the baseline; loops and Python's own numbers."""
    pi = [np.exp(x - np.max(x, axis=1)[:, None]) for x in logits]
    pi = [p / p.sum(axis=1)[:, None] for p in pi]
    found = np.zeros(np.shape(logits[agent]))
    for s in range(len(found)):
        chances = {
            a: float(np.prod([p[s, k] for p, k in zip(pi, a, strict=True)]))
            for a in product(*map(range, np.shape(q)[1:]))
        }
        v = sum(c * float(q[(s, *a)]) for a, c in chances.items())
        for a, c in chances.items():
            for b in range(found.shape[1]):
                score = (a[agent] == b) - pi[agent][s, b]
                found[s, b] += visits[s] * c * score * (float(q[(s, *a)]) - v)
    return found.tolist()


def through_the_joint_policy(logits, q, visits, agent):
    """Σ π(a) Q(a) where a_i = b, minus π_i(b) times the whole sum."""
    joint = np.ones(len(q))
    for x in logits:
        p = np.exp(x - np.logaddexp.reduce(x, axis=1, keepdims=True))
        joint = joint[..., None] * p.reshape(len(p), *(1,) * (joint.ndim - 1), -1)
    others = tuple(1 + j for j in range(len(logits)) if j != agent)
    part, own = (joint * q).sum(axis=others), joint.sum(axis=others)
    return (part - own * part.sum(axis=1, keepdims=True)) * np.reshape(visits, (-1, 1))
