"""Right answers to exercise 3.17, in other words."""

import numpy as np
from scipy.special import log_softmax, softmax


def _advantages(reward, value, next_value, terminated, truncated, gamma, lam):
    """A = (I − γλ S)⁻¹ δ, S the shift to the next row of the same episode."""
    delta = np.average(reward, axis=1) + gamma * next_value * (1 - terminated) - value
    goes_on = 1.0 - (np.asarray(terminated) | truncated)
    shift = np.diag(goes_on[:-1], 1) if len(delta) > 1 else np.zeros((1, 1))
    return np.linalg.solve(np.eye(len(delta)) - gamma * lam * shift, delta)


def by_linear_algebra(
    logits, actions, log_prob_old, alive, reward, value, next_value, terminated, truncated,
    gamma, lam, epsilon,
):  # fmt: skip
    """Advantages from a system of equations; one-hot arrays for the rest."""
    a = _advantages(reward, value, next_value, terminated, truncated, gamma, lam)[:, None]
    one = np.eye(logits.shape[2])[np.asarray(actions)]
    ratio = np.exp(np.einsum("tnk,tnk->tn", one, log_softmax(logits, axis=2)) - log_prob_old)
    limit = np.where(a > 0, np.minimum(ratio, 1 + epsilon), np.maximum(ratio, 1 - epsilon))
    moves = (limit == ratio) & alive
    weight = np.where(moves, ratio * a, 0)[:, :, None]
    return (limit * a)[alive].mean(), weight * (one - softmax(logits, axis=2)) / alive.sum()


def agent_by_agent(
    logits, actions, log_prob_old, alive, reward, value, next_value, terminated, truncated,
    gamma, lam, epsilon,
):  # fmt: skip
    """Loops over agents and steps; lists come out."""
    a = _advantages(reward, value, next_value, terminated, truncated, gamma, lam)
    total, count, slope = 0.0, 0, np.zeros(logits.shape)
    for i in range(logits.shape[1]):
        for t in range(logits.shape[0]):
            if not alive[t][i]:
                continue
            count += 1
            pi, k = softmax(logits[t, i]), actions[t][i]
            r = pi[k] / np.exp(log_prob_old[t][i])
            products = r * a[t], min(max(r, 1 - epsilon), 1 + epsilon) * a[t]
            total += min(products)
            if products[0] <= products[1]:
                slope[t, i] = -products[0] * pi
                slope[t, i, k] += products[0]
    return total / count, (slope / count).tolist()
