"""Right answers to exercise 1.11, in other words."""

import numpy as np


def from_the_whole_past(utilities):
    """Regrets are summed anew in every round."""
    steps, size = utilities.shape
    x = np.full((steps, size), 1.0 / size)
    for t in range(1, steps):
        earned = np.einsum("ta,ta->t", x[:t], utilities[:t])
        positive = np.clip(utilities[:t].sum(axis=0) - earned.sum(), 0.0, None)
        if positive.sum() > 1e-9:
            x[t] = positive / positive.sum()
    return x


def in_lists(utilities):
    """Python's own numbers, round by round; lists are returned."""
    regrets, rows = [0.0] * len(utilities[0]), []
    for u in utilities:
        positive = [max(r, 0.0) for r in regrets]
        total = sum(positive)
        x = [p / total if total > 1e-9 else 1.0 / len(u) for p in positive]
        rows.append(x)
        earned = sum(p * float(v) for p, v in zip(x, u, strict=True))
        regrets = [r + float(v) - earned for r, v in zip(regrets, u, strict=True)]
    return rows


def by_recursion(utilities):
    """The strategies of all rounds but the last say what is regretted."""
    size = utilities.shape[1]
    if len(utilities) == 1:
        return np.full((1, size), 1.0 / size)
    before = by_recursion(utilities[:-1])
    gains = utilities[:-1] - (before * utilities[:-1]).sum(axis=1)[:, None]
    positive = gains.sum(axis=0) * (gains.sum(axis=0) > 0)
    last = positive / positive.sum() if positive.sum() > 1e-9 else before[0]
    return np.vstack([before, last])
