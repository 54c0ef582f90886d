"""Right answers to exercise 3.19, in other words."""

import numpy as np
from scipy.special import log_softmax, softmax


def by_weights(
    logits, value, actions, log_prob_old, advantage, target, epsilon, c_1, c_2
):  # fmt: skip
    """The derivative in log π first, then once through the softmax's Jacobian."""
    log_pi = log_softmax(logits, axis=1)
    pi, one = np.exp(log_pi), np.eye(np.shape(logits)[1])[np.asarray(actions)]
    ratio = np.exp((one * log_pi).sum(axis=1) - log_prob_old)
    limit = np.where(np.asarray(advantage) > 0, np.minimum(ratio, 1 + epsilon),
                     np.maximum(ratio, 1 - epsilon))  # fmt: skip
    moves = limit == ratio
    d_log_pi = (moves * ratio * advantage)[:, None] * one - c_2 * pi * (log_pi + 1)
    d_logits = d_log_pi - pi * d_log_pi.sum(axis=1, keepdims=True)
    error = np.subtract(value, target)
    total = limit * advantage - c_1 * error**2 - c_2 * (pi * log_pi).sum(axis=1)
    return np.mean(total), d_logits / len(pi), (-2 * c_1 * error / len(pi)).tolist()


def row_by_row(
    logits, value, actions, log_prob_old, advantage, target, epsilon, c_1, c_2
):  # fmt: skip
    """A loop over rows."""
    size, total = len(actions), 0.0
    d_logits, d_value = np.zeros(np.shape(logits)), np.zeros(size)
    for m in range(size):
        pi = softmax(logits[m])
        a, r = actions[m], pi[actions[m]] / np.exp(log_prob_old[m])
        beyond = r > 1 + epsilon if advantage[m] > 0 else r < 1 - epsilon
        clipped = min(max(r, 1 - epsilon), 1 + epsilon)
        entropy = -sum(p * np.log(p) for p in pi)
        total += (clipped if beyond else r) * advantage[m] + c_2 * entropy
        total -= c_1 * (value[m] - target[m]) ** 2
        for k, p in enumerate(pi):
            d_logits[m, k] = -c_2 * p * (np.log(p) + entropy)
            if not beyond:
                d_logits[m, k] += r * advantage[m] * ((k == a) - p)
        d_value[m] = 2 * c_1 * (target[m] - value[m])
    return total / size, d_logits / size, d_value / size
