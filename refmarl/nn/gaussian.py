r"""The diagonal Gaussian over R^A, given by parameters (μ, log σ), (..., 2A).

    log N(a) = −½ Σ z² − Σ log σ − ½ A log 2π,   z = (a − μ) / σ
    ∂/∂μ = z / σ,   ∂/∂log σ = z² − 1,   H = Σ log σ + ½ A log 2πe
    KL(old‖new) = Σ log σ_n/σ_o + (σ_o² + (μ_o − μ_n)²) / (2 σ_n²) − ½

The verbs are those of :mod:`~refmarl.nn.categorical`; the Fisher metric is diag(1/σ², 2).

Axes: any rows, A numbers of an action; results keep the dtype of the parameters.
"""

import numpy as np

from ..check import generator
from ..value_grad import Real

LOG_2PI = float(np.log(2.0 * np.pi))


def split(params: Real) -> tuple[Real, Real]:
    """(μ, log σ), both (..., A)."""
    size = params.shape[-1] // 2
    return params[..., :size], params[..., size:]


def sample(rng: np.random.Generator, params: Real) -> Real:
    """μ + σ ε (..., A), ε standard normal."""
    mean, log_std = split(params)
    noise = generator(rng).standard_normal(mean.shape).astype(params.dtype, copy=False)
    return np.asarray(mean + np.exp(log_std) * noise)


def mode(params: Real) -> Real:
    """μ (..., A)."""
    return split(params)[0]


def log_prob(params: Real, action: Real) -> Real:
    """log N(a) (...), the log density of actions (..., A)."""
    mean, log_std = split(params)
    z = (action - mean) * np.exp(-log_std)
    constant = params.dtype.type(0.5 * LOG_2PI * mean.shape[-1])
    return np.asarray(-0.5 * (z * z).sum(axis=-1) - log_std.sum(axis=-1) - constant)


def d_log_prob(params: Real, action: Real) -> Real:
    """∂ log N(a) / ∂(μ, log σ), (..., 2A)."""
    mean, log_std = split(params)
    z = (action - mean) * np.exp(-log_std)
    return np.concatenate([z * np.exp(-log_std), z * z - 1.0], axis=-1)


def entropy(params: Real) -> Real:
    """H (...), in nats; of a density, so it may be negative."""
    log_std = split(params)[1]
    constant = params.dtype.type(0.5 * (1.0 + LOG_2PI) * log_std.shape[-1])
    return np.asarray(log_std.sum(axis=-1) + constant)


def d_entropy(params: Real) -> Real:
    """∂H / ∂(μ, log σ) = (0, 1), (..., 2A)."""
    gradient = np.zeros_like(params)
    split(gradient)[1][...] = 1.0
    return gradient


def kl(old: Real, new: Real) -> Real:
    """KL(old ‖ new) (...) ≥ 0."""
    (mean_o, log_o), (mean_n, log_n) = split(old), split(new)
    shift = (mean_o - mean_n) * np.exp(-log_n)
    parts = log_n - log_o + 0.5 * (np.exp(2.0 * (log_o - log_n)) + shift * shift) - 0.5
    return np.asarray(parts.sum(axis=-1))


def d_kl(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of new), (..., 2A)."""
    (mean_o, log_o), (mean_n, log_n) = split(old), split(new)
    shift = (mean_o - mean_n) * np.exp(-log_n)
    d_log = 1.0 - np.exp(2.0 * (log_o - log_n)) - shift * shift
    return np.concatenate([-shift * np.exp(-log_n), d_log], axis=-1)


def d_kl_old(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of old), (..., 2A)."""
    (mean_o, log_o), (mean_n, log_n) = split(old), split(new)
    d_mean = (mean_o - mean_n) * np.exp(-2.0 * log_n)
    return np.concatenate([d_mean, np.exp(2.0 * (log_o - log_n)) - 1.0], axis=-1)


def fisher(params: Real, v: Real) -> Real:
    """M v (..., 2A), M = diag(1/σ², 2): the Fisher metric, and the KL's Hessian at new = old."""
    (_, log_std), (v_mean, v_log) = split(params), split(v)
    return np.concatenate([v_mean * np.exp(-2.0 * log_std), 2.0 * v_log], axis=-1)
