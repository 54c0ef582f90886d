"""Right answers to exercise 2.2, in other words."""

from itertools import product

import numpy as np


def step_by_step(q, actions, reward, terminated, truncated, q_next, policies, gamma):
    """Loops and Python's own numbers."""
    y, loss, dq, rows = [], 0.0, np.zeros(np.shape(q)), len(reward)
    for m in range(rows):
        value = 0.0
        for a in product(*map(range, np.shape(q)[1:])):
            chance = 1.0
            for p, k in zip(policies, a, strict=True):
                chance *= float(p[m, k])
            value += chance * float(q_next[(m, *a)])
        y.append(float(reward[m]) + (0.0 if terminated[m] else gamma * value))
        taken = (m, *(int(k) for k in actions[m]))
        error = float(q[taken]) - y[-1]
        loss += error * error / rows
        dq[taken] = (error + error) / rows
    return loss, y, dq


def with_one_hot_actions(q, actions, reward, terminated, truncated, q_next, policies, gamma):
    """The joint policy of the next actions and a mask of those taken, flat."""
    rows = len(reward)
    joint, mask = np.ones((rows, 1)), np.ones((rows, 1))
    for j, p in enumerate(policies):
        one = np.asarray(actions)[:, j, None] == np.arange(p.shape[1])
        joint = (joint[:, :, None] * p[:, None]).reshape(rows, -1)
        mask = (mask[:, :, None] * one[:, None]).reshape(rows, -1)
    on = 1 - np.asarray(terminated, dtype=int)
    y = np.asarray(reward) + gamma * on * (joint * np.reshape(q_next, (rows, -1))).sum(axis=1)
    error = mask * (np.reshape(q, (rows, -1)) - y[:, None])
    return (error**2).sum() / rows, y, (2 * error / rows).reshape(np.shape(q))
