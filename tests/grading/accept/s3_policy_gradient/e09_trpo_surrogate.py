"""Right answers to exercise 3.9, in other words."""

import numpy as np


def by_a_complex_step(logits, logits_old, actions, advantage):
    """Both values of complex logits, moved one by one."""
    old = np.array(logits_old, dtype=float)
    old = old - np.log(np.exp(old - old.max(1)[:, None]).sum(1))[:, None] - old.max(1)[:, None]

    def both(x):
        top = x.real.max(axis=1)[:, None]
        new = x - top - np.log(np.exp(x - top).sum(axis=1))[:, None]
        gain = kl = 0.0
        for m, a in enumerate(actions):
            gain = gain + np.exp(new[m, a] - old[m, a]) * advantage[m] / len(old)
            kl = kl + (np.exp(old[m]) * (old[m] - new[m])).sum() / len(old)
        return gain, kl

    here = np.array(logits, dtype=complex)
    slopes = np.zeros((2, *here.shape))
    for index in np.ndindex(here.shape):
        moved = here.copy()
        moved[index] += 1e-30j
        slopes[(slice(None), *index)] = [np.imag(v) / 1e-30 for v in both(moved)]
    gain, kl = both(here)
    return np.real(gain), np.real(kl), slopes[0], slopes[1]


def row_by_row(logits, logits_old, actions, advantage):
    """Lists, one row after the other."""
    count, gain, kl, d_gain, d_kl = len(actions), 0.0, 0.0, [], []
    for new, old, a, weight in zip(logits, logits_old, actions, advantage, strict=True):
        log_p, log_q = (x - np.logaddexp.reduce(np.asarray(x, float)) for x in (new, old))
        value = np.exp(log_p[a] - log_q[a]) * weight / count
        gain, kl = gain + value, kl + np.exp(log_q) @ (log_q - log_p) / count
        d_gain.append([value * ((k == a) - np.exp(log_p[k])) for k in range(len(new))])
        d_kl.append([(np.exp(log_p[k]) - np.exp(log_q[k])) / count for k in range(len(new))])
    return gain, kl, d_gain, d_kl
