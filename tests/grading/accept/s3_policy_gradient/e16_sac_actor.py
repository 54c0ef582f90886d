"""Right answers to exercise 3.16, in other words."""

import numpy as np


def _log_prob(u, log_std, noise):
    gauss = -(noise**2) / 2 - log_std - np.log(2 * np.pi) / 2
    return gauss - np.log(1 - np.tanh(u) ** 2)


def row_by_row(mean, log_std, noise, q, dq, alpha):
    """Loops."""
    loss, rows = 0.0, len(mean)
    d_mean, d_log_std = np.zeros(np.shape(mean)), np.zeros(np.shape(mean))
    for m in range(rows):
        k = 0 if q[0][m] < q[1][m] else 1
        loss -= q[k][m] / rows
        for j in range(len(mean[m])):
            spread = np.exp(float(log_std[m][j])) * float(noise[m][j])
            u = float(mean[m][j]) + spread
            loss += alpha * _log_prob(u, float(log_std[m][j]), float(noise[m][j])) / rows
            slope = 2 * alpha * np.tanh(u) - dq[k][m][j] / np.cosh(u) ** 2
            d_mean[m, j] = slope / rows
            d_log_std[m, j] = (slope * spread - alpha) / rows
    return loss, d_mean, d_log_std


def complex_step(mean, log_std, noise, q, dq, alpha):
    """The derivative in each number by a tiny imaginary step; each is alone in its term."""
    smaller = np.argmin(q, axis=0)[:, None]
    slope = np.where(smaller == 0, dq[0], dq[1])
    start = np.tanh(mean + np.exp(log_std) * noise)

    def terms(mu, spread):
        u = mu + np.exp(spread) * noise
        return alpha * _log_prob(u, spread, noise) - slope * (np.tanh(u) - start)

    rows, step = len(mean), 1e-20
    loss = (terms(mean, log_std).sum() - np.min(q, axis=0).sum()) / rows
    d_mean = terms(mean + 1j * step, log_std).imag / step / rows
    return loss, d_mean, terms(mean, log_std + 1j * step).imag / step / rows
