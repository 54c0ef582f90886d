r"""The Dirichlet distribution over the simplex, given by l (..., K): shares of a whole.

    α = 1 + softplus(l),   α_0 = Σ α:   one peak
    log π(a) = Σ (α − 1) log a − log B(α),   log B(α) = Σ log Γ(α) − log Γ(α_0)
    ∂/∂α = log a − ψ(α) + ψ(α_0),   and in l times σ(l)
    KL(o‖n) = log B(n) − log B(o) + Σ (o − n) (ψ(o) − ψ(o_0)),   E[log a] = ψ(α) − ψ(α_0)

An action is K numbers ≥ 0 that sum to 1, and π a density in the first K − 1 of them. ψ is the
digamma function, ψ′ its derivative. The verbs are those of :mod:`~refmarl.nn.categorical`; the
Fisher metric of α is diag ψ′(α) − ψ′(α_0). For K = 2 it is :mod:`~refmarl.nn.beta`.

Axes: any rows, K parts; results keep the dtype of the parameters.
"""

import numpy as np

from ..check import generator
from ..value_grad import Real
from .activations import sigmoid, softplus
from .beta import trigamma


def concentration(params: Real) -> Real:
    """α (..., K) > 1 of l."""
    return np.asarray(1.0 + softplus(params))


def sample(rng: np.random.Generator, params: Real) -> Real:
    """Shares (..., K) ≥ 0 that sum to 1: gamma numbers over their sum."""
    parts = generator(rng).standard_gamma(concentration(params))
    return np.asarray(parts / parts.sum(axis=-1, keepdims=True), dtype=params.dtype)


def mode(params: Real) -> Real:
    """(α − 1) / (α_0 − K), (..., K); 1/K where the density is flat."""
    x = softplus(params)
    total = x.sum(axis=-1, keepdims=True)
    flat = np.full_like(x, 1.0 / x.shape[-1])
    return np.asarray(np.divide(x, total, out=flat, where=total > 0.0))


def log_prob(params: Real, action: Real) -> Real:
    """log π(a) (...) for actions (..., K) in the simplex; those on the edge as if just inside."""
    return np.asarray((softplus(params) * _log(action)).sum(axis=-1) - _log_beta(params))


def d_log_prob(params: Real, action: Real) -> Real:
    """∂ log π(a) / ∂l, (..., K)."""
    return np.asarray((_log(action) - _mean_log(params)) * sigmoid(params))


def entropy(params: Real) -> Real:
    """H (...), in nats; at most −log (K − 1)!, the uniform density's."""
    # of log B(α) − Σ (α − 1) E[log a]
    return np.asarray(_log_beta(params) - (softplus(params) * _mean_log(params)).sum(axis=-1))


def d_entropy(params: Real) -> Real:
    """∂H / ∂l, (..., K)."""
    return np.asarray(-_metric(params, softplus(params)) * sigmoid(params))


def kl(old: Real, new: Real) -> Real:
    """KL(old ‖ new) (...) ≥ 0."""
    less = softplus(old) - softplus(new)
    return np.asarray(_log_beta(new) - _log_beta(old) + (less * _mean_log(old)).sum(axis=-1))


def d_kl(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of new), (..., K)."""
    return np.asarray((_mean_log(new) - _mean_log(old)) * sigmoid(new))


def d_kl_old(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of old), (..., K)."""
    return np.asarray(_metric(old, softplus(old) - softplus(new)) * sigmoid(old))


def fisher(params: Real, v: Real) -> Real:
    """M v (..., K), the Fisher metric in l."""
    slope = sigmoid(params)
    return np.asarray(_metric(params, v * slope) * slope)


def _metric(params: Real, u: Real) -> Real:
    """The Fisher metric in α times u, (..., K): the covariance of log a."""
    alpha = concentration(params)
    common = trigamma(alpha.sum(axis=-1, keepdims=True)) * u.sum(axis=-1, keepdims=True)
    return np.asarray(trigamma(alpha) * u - common)


def _log(action: Real) -> Real:
    """log a, finite on the edges too."""
    return np.asarray(np.log(np.maximum(action, np.finfo(action.dtype).tiny)))


def _mean_log(params: Real) -> Real:
    """E[log a] = ψ(α) − ψ(α_0), (..., K)."""
    from scipy.special import digamma

    alpha = concentration(params)
    return np.asarray(digamma(alpha) - digamma(alpha.sum(axis=-1, keepdims=True)))


def _log_beta(params: Real) -> Real:
    """log B(α) (...), by B(α_1, …, α_K) = Π_k B(α_k, α_{k+1} + … + α_K), which cancels nothing."""
    from scipy.special import betaln

    alpha = concentration(params)
    rest = np.flip(np.flip(alpha, axis=-1).cumsum(axis=-1), axis=-1)
    return np.asarray(betaln(alpha[..., :-1], rest[..., 1:]).sum(axis=-1))
