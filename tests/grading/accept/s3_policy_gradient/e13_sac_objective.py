"""Right answers to exercise 3.13, in other words."""

import numpy as np


def by_logaddexp(transition, reward, gamma, alpha, value):
    """NumPy's own sum of exponentials."""
    q = np.asarray(reward) + gamma * np.einsum("sat,t->sa", transition, value)
    log_total = np.logaddexp.reduce(q / alpha, axis=1)
    return alpha * log_total, np.exp(q / alpha - log_total[:, None])


def state_by_state(transition, reward, gamma, alpha, value):
    """Loops and lists."""
    values, policy = [], []
    for s in range(len(reward)):
        q = [
            float(r) + gamma * sum(float(p) * float(v) for p, v in zip(row, value, strict=True))
            for r, row in zip(reward[s], transition[s], strict=True)
        ]
        odds = [np.exp((x - max(q)) / alpha) for x in q]
        values.append(max(q) + alpha * np.log(sum(odds)))
        policy.append([o / sum(odds) for o in odds])
    return values, policy


def what_the_policy_earns(transition, reward, gamma, alpha, value):
    """The policy first, then the mean of Q - alpha log pi under it."""
    q = reward + gamma * (transition @ value)
    logits = (q - q.max(axis=1, keepdims=True)) / alpha
    log_pi = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    pi = np.exp(log_pi)
    return (pi * (q - alpha * log_pi)).sum(axis=1), pi
