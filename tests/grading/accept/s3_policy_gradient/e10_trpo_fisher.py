"""Right answers to exercise 3.10, in other words."""

import numpy as np


def _probabilities(weights, biases, x):
    """The policy of real or complex parameters."""
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = x @ w + b
        x = np.tanh(x) if k + 1 < len(weights) else x
    p = np.exp(x - x.real.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def by_outer_products(weights, biases, x, v_weights, v_biases):
    """The mean over states and actions of score times (score . v), scores by complex steps."""
    params = [np.asarray(p, dtype=float) for p in (*weights, *biases)]
    depth, v = len(weights), [*v_weights, *v_biases]
    p = _probabilities(params[:depth], params[depth:], x)
    scores = []
    for k, block in enumerate(params):
        score = np.zeros((*block.shape, *p.shape))
        for index in np.ndindex(block.shape):
            moved = [q.astype(complex) for q in params]
            moved[k][index] += 1e-30j
            score[index] = np.log(_probabilities(moved[:depth], moved[depth:], x)).imag / 1e-30
        scores.append(score)
    along = sum(np.tensordot(d, s, np.ndim(d)) for d, s in zip(v, scores, strict=True))
    parts = [(s * (p * along)).sum(axis=(-2, -1)) / len(p) for s in scores]
    return parts[:depth], parts[depth:]


def by_a_complex_step(weights, biases, x, v_weights, v_biases):
    """The gradient of the divergence, moved along v by a tiny imaginary number."""
    w = [a + 1e-30j * v for a, v in zip(weights, v_weights, strict=True)]
    b = [a + 1e-30j * v for a, v in zip(biases, v_biases, strict=True)]
    h = [x + 0j]
    for k in range(len(w) - 1):
        h.append(np.tanh(h[-1] @ w[k] + b[k]))
    delta = _probabilities(w, b, x + 0j) / len(x)
    delta = delta - delta.real
    d_w, d_b = [], []
    for k in reversed(range(len(w))):
        d_w.append((h[k].T @ delta).imag / 1e-30)
        d_b.append(delta.sum(axis=0).imag / 1e-30)
        delta = (delta @ w[k].T) * (1 - h[k] ** 2)
    return tuple(d_w[::-1]), tuple(d_b[::-1])
