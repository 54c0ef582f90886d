"""Right answers to exercise 3.12, in other words."""

import numpy as np


def _policy(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def all_tries_at_once(logits, weight, advantage, x, delta, beta, tries):
    """Every candidate, judged together; the first good one."""
    p = _policy(logits)
    curvature = np.dot(weight, (p * x * x).sum(1) - (p * x).sum(1) ** 2)
    if curvature <= 1e-12:
        return np.asarray(logits)
    sizes = np.sqrt(2 * delta / curvature) * beta ** np.arange(tries)
    candidates = np.asarray(logits) + sizes[:, None, None] * x
    q = _policy(candidates)
    kl = (p * (np.log(p) - np.log(q))).sum(axis=-1) @ weight
    better = ((q - p) * advantage).sum(axis=-1) @ weight
    good = np.flatnonzero((kl <= delta) & (better > 0))
    return candidates[good[0]] if len(good) else np.asarray(logits)


def with_matrices(logits, weight, advantage, x, delta, beta, tries):
    """H written out, state by state."""
    bent = 0.0
    for z, w, row in zip(logits, weight, x, strict=True):
        p = _policy(z)
        bent += w * row @ (np.diag(p) - np.outer(p, p)) @ row
    length = 0.0 if bent <= 1e-12 else (2 * delta / bent) ** 0.5
    while tries > 0 and length > 0:
        new = [np.asarray(z) + length * row for z, row in zip(logits, x, strict=True)]
        kl = gain = 0.0
        for old, now, w, a in zip(logits, new, weight, advantage, strict=True):
            p, q = _policy(old), _policy(now)
            kl -= w * p @ np.log(q / p)
            gain += w * (q - p) @ a
        if kl <= delta and gain > 0:
            return new
        tries, length = tries - 1, length * beta
    return [list(z) for z in logits]
