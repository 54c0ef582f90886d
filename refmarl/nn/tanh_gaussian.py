r"""The diagonal Gaussian squashed into (−1, 1)^A by tanh, given by (μ, log σ), (..., 2A).

    a = tanh u,   u = μ + σ ε
    log π(a) = log N(u) − Σ log(1 − tanh² u),   log(1 − tanh² u) = 2 (log 2 − u − softplus(−2u))

Haarnoja et al. 2018, arXiv:1801.01290, appendix C. Written like this the logarithm is finite for
every u, where 1 − tanh² u is 0 from |u| = 19 on. :func:`draw` gives an action that is a function
of the parameters and of noise, with its log density, and :func:`backward` differentiates both: what
soft actor–critic needs. Keep u: for |u| > 19 an action no longer tells where it came from.

tanh is one to one, so that the KL divergence and the Fisher metric are those of the Gaussian,
exactly. The entropy has no closed form. It is E[log(1 − tanh² u)] more than the Gaussian's, an
integral over one number for each component, which :func:`entropy` does by the trapezoidal rule
(error below 1e-8 for σ ≤ 2, 1e-3 for σ ≤ 5) and :func:`d_entropy` differentiates;
−log π of a draw is an unbiased estimate.

Axes: any rows, A numbers of an action; results keep the dtype of the parameters.
"""

from typing import NamedTuple

import numpy as np

from ..check import generator
from ..value_grad import Real
from . import gaussian
from .gaussian import split

LOG_2 = float(np.log(2.0))
NODES = np.linspace(-8.5, 8.5, 69)  # of the standard normal; 1e-16 lies beyond
WEIGHTS = (NODES[1] - NODES[0]) * np.exp(-0.5 * NODES**2) / np.sqrt(2.0 * np.pi)


class Draw(NamedTuple):
    """A reparameterised sample and its log density."""

    action: Real  # a = tanh u, (..., A)
    log_prob: Real  # log π(a), (...)
    u: Real  # (..., A), before squashing


def log_slope(u: Real) -> Real:
    """log(1 − tanh² u), the logarithm of da/du, without overflow for any u.

    2 (log 2 − u − softplus(−2u)) with |u| for u, of which it is a function: one exponential.
    """
    size = abs(u)
    return np.asarray(2.0 * (LOG_2 - size - np.log(1.0 + np.exp(-2.0 * size))))


def log_density(params: Real, u: Real) -> Real:
    """log π(tanh u) (...) for u (..., A)."""
    return np.asarray(gaussian.log_prob(params, u) - log_slope(u).sum(axis=-1))  # (3.15)


def draw(params: Real, noise: Real) -> Draw:
    """The action that ``noise`` ε (..., A), standard normal, makes of the parameters."""
    mean, log_std = split(params)
    u = np.asarray(mean + np.exp(log_std) * noise)
    normal = -0.5 * (noise * noise + gaussian.LOG_2PI) - log_std  # log N(u), no division by σ
    return Draw(np.tanh(u), np.asarray((normal - log_slope(u)).sum(axis=-1)), u)  # (3.15)


def backward(params: Real, drawn: Draw, d_action: Real, d_log_prob: Real) -> Real:
    """∂L/∂(μ, log σ) (..., 2A) from ∂L/∂a (..., A) and ∂L/∂ log π (...), the noise kept.

    ∂a/∂u = 1 − a², ∂ log π/∂u = 2a; ∂u/∂(μ, log σ) = (1, u − μ), and −1 more for log σ.
    """
    weight = np.asarray(d_log_prob)[..., None]
    du = d_action * np.exp(log_slope(drawn.u)) + 2.0 * weight * drawn.action
    return np.concatenate([du, du * (drawn.u - split(params)[0]) - weight], axis=-1)


def sample(rng: np.random.Generator, params: Real) -> Real:
    """tanh(μ + σ ε) (..., A), ε standard normal."""
    return np.asarray(np.tanh(gaussian.sample(generator(rng), params)))


def mode(params: Real) -> Real:
    """tanh μ (..., A), the median of each component: what a greedy agent does.

    It is not where the density is largest, which has no closed form and may be two points.
    """
    return np.asarray(np.tanh(gaussian.mode(params)))


def unsquash(action: Real) -> Real:
    """u = artanh a, (..., A); actions of ±1 as if one rounding step inside."""
    edge = np.nextafter(action.dtype.type(1.0), action.dtype.type(0.0))
    return np.asarray(np.arctanh(np.clip(action, -edge, edge)))


def log_prob(params: Real, action: Real) -> Real:
    """log π(a) (...) for actions (..., A) in [−1, 1]; :func:`log_density` if u is known."""
    return log_density(params, unsquash(action))


def d_log_prob(params: Real, action: Real) -> Real:
    """∂ log π(a) / ∂(μ, log σ), (..., 2A): the Gaussian's, because tanh has no parameters."""
    return gaussian.d_log_prob(params, unsquash(action))


def entropy(params: Real) -> Real:
    """H (...), in nats, by the trapezoidal rule; at most A log 2, the uniform density's."""
    _, u = _nodes(params)
    return np.asarray(gaussian.entropy(params) + _mean(log_slope(u)).sum(axis=-1))


def d_entropy(params: Real) -> Real:
    """∂H / ∂(μ, log σ), (..., 2A), of the same sum."""
    shift, u = _nodes(params)
    slope = -2.0 * np.tanh(u)
    return np.concatenate([_mean(slope), 1.0 + _mean(slope * shift)], axis=-1)


def kl(old: Real, new: Real) -> Real:
    """KL(old ‖ new) (...) ≥ 0: the Gaussians'."""
    return gaussian.kl(old, new)


def d_kl(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of new), (..., 2A)."""
    return gaussian.d_kl(old, new)


def d_kl_old(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of old), (..., 2A)."""
    return gaussian.d_kl_old(old, new)


def fisher(params: Real, v: Real) -> Real:
    """M v (..., 2A): the Gaussian's Fisher metric."""
    return gaussian.fisher(params, v)


def _nodes(params: Real) -> tuple[Real, Real]:
    """(σ z, μ + σ z), both (..., A, nodes)."""
    mean, log_std = split(params)
    shift = np.exp(log_std)[..., None] * NODES.astype(params.dtype)
    return shift, np.asarray(mean[..., None] + shift)


def _mean(values: Real) -> Real:
    """The expectation (..., A) of values at the nodes."""
    return np.asarray(values @ WEIGHTS.astype(values.dtype))
