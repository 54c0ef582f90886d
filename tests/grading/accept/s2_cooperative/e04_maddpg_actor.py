"""Right answers to exercise 2.4, in other words."""

import numpy as np


def step_by_step(weights, obs, actions, linear, curved, agent):
    """One step after the other, every product written out."""
    rows, agents, size = np.shape(actions)
    gain, dw = 0.0, np.zeros(np.shape(weights))
    for m in range(rows):
        mu = [np.tanh(float(np.dot(w, obs[m]))) for w in weights]
        parts = [mu if j == agent else [float(x) for x in actions[m][j]] for j in range(agents)]
        a = [x for part in parts for x in part]
        for j, first in enumerate(a):
            gain += float(linear[m][j]) * first / rows
            for k, second in enumerate(a):
                gain += 0.5 * first * float(curved[j][k]) * second / rows
        for k in range(size):
            at = agent * size + k
            slope = float(linear[m][at]) + sum(float(curved[at][j]) * x for j, x in enumerate(a))
            for o in range(np.shape(obs)[1]):
                dw[k, o] += slope * (1.0 - mu[k] * mu[k]) * float(obs[m][o]) / rows
    return gain, dw


def by_the_complex_step(weights, obs, actions, linear, curved, agent):
    """The gain alone is written down; its slopes come from small imaginary weights."""
    others = np.array(actions, dtype=complex)

    def gain(w):
        joint = others.copy()
        joint[:, agent] = np.tanh(np.asarray(obs) @ w.T)
        a = joint.reshape(len(joint), -1)
        return (np.asarray(linear) * a + 0.5 * (a @ curved) * a).sum() / len(a)

    dw = np.zeros(np.shape(weights))
    for at in np.ndindex(dw.shape):
        moved = np.array(weights, dtype=complex)
        moved[at] += 1e-25j
        dw[at] = gain(moved).imag / 1e-25
    return float(gain(np.array(weights, dtype=complex)).real), dw
