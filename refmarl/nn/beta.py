r"""The beta distribution over (0, 1)^A, given by (p, q), (..., 2A): actions with bounds.

    α = 1 + softplus(p),   β = 1 + softplus(q):   each component has one peak
    log π(a) = Σ (α − 1) log a + (β − 1) log(1 − a) − log B(α, β)
    ∂/∂α = log a − ψ(α) + ψ(α + β),   and in p times σ(p)

Chou, Maturana & Scherer 2017, ICML: no probability is lost outside the bounds, as it is where a
Gaussian's actions are clipped. ψ is the digamma function, ψ′ its derivative. The verbs are those of
:mod:`~refmarl.nn.categorical`; the Fisher metric of (α, β) is diag(ψ′(α), ψ′(β)) − ψ′(α + β).

Axes: any rows, A numbers of an action; results keep the dtype of the parameters.
"""

from typing import Any, NamedTuple

import numpy as np

from ..check import generator
from ..value_grad import Real
from .activations import sigmoid, softplus
from .gaussian import split


class Shape(NamedTuple):
    """α − 1, β − 1, α, β, and α + β, each (..., A)."""

    x: Real
    y: Real
    alpha: Real
    beta: Real
    total: Real


def shape(params: Real) -> Shape:
    """The concentrations of (p, q)."""
    x, y = (softplus(part) for part in split(params))
    return Shape(x, y, 1.0 + x, 1.0 + y, 2.0 + x + y)


def sample(rng: np.random.Generator, params: Real) -> Real:
    """Numbers (..., A) in [0, 1]."""
    s = shape(params)
    return np.asarray(generator(rng).beta(s.alpha, s.beta), dtype=params.dtype)


def mode(params: Real) -> Real:
    """(α − 1) / (α + β − 2), (..., A); ½ where the density is flat."""
    s = shape(params)
    where = s.x + s.y > 0.0
    return np.asarray(np.divide(s.x, s.x + s.y, out=np.full_like(s.x, 0.5), where=where))


def log_prob(params: Real, action: Real) -> Real:
    """log π(a) (...) for actions (..., A) in [0, 1]; those on the edge as if just inside."""
    from scipy.special import betaln

    s, (log_a, log_b) = shape(params), _logs(action)
    return np.asarray((s.x * log_a + s.y * log_b - betaln(s.alpha, s.beta)).sum(axis=-1))


def d_log_prob(params: Real, action: Real) -> Real:
    """∂ log π(a) / ∂(p, q), (..., 2A)."""
    (log_a, log_b), (psi_a, psi_b, psi_s) = _logs(action), _digammas(params)
    slope = np.concatenate([log_a - psi_a + psi_s, log_b - psi_b + psi_s], axis=-1)
    return np.asarray(slope * sigmoid(params))


def entropy(params: Real) -> Real:
    """H (...), in nats; at most 0, the uniform density's."""
    from scipy.special import betaln

    s, (psi_a, psi_b, psi_s) = shape(params), _digammas(params)
    each = betaln(s.alpha, s.beta) - s.x * psi_a - s.y * psi_b + (s.x + s.y) * psi_s
    return np.asarray(each.sum(axis=-1))


def d_entropy(params: Real) -> Real:
    """∂H / ∂(p, q), (..., 2A)."""
    return np.asarray(-_metric(params, softplus(params)) * sigmoid(params))


def kl(old: Real, new: Real) -> Real:
    """KL(old ‖ new) (...) ≥ 0."""
    from scipy.special import betaln

    o, n, (psi_a, psi_b, psi_s) = shape(old), shape(new), _digammas(old)
    each = betaln(n.alpha, n.beta) - betaln(o.alpha, o.beta)
    each = each + (o.x - n.x) * (psi_a - psi_s) + (o.y - n.y) * (psi_b - psi_s)
    return np.asarray(each.sum(axis=-1))


def d_kl(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of new), (..., 2A)."""
    (a_o, b_o, s_o), (a_n, b_n, s_n) = _digammas(old), _digammas(new)
    slope = np.concatenate([(a_n - s_n) - (a_o - s_o), (b_n - s_n) - (b_o - s_o)], axis=-1)
    return np.asarray(slope * sigmoid(new))


def d_kl_old(old: Real, new: Real) -> Real:
    """∂ KL(old ‖ new) / ∂(parameters of old), (..., 2A): the metric times what moved in (α, β)."""
    return np.asarray(_metric(old, softplus(old) - softplus(new)) * sigmoid(old))


def fisher(params: Real, v: Real) -> Real:
    """M v (..., 2A), the Fisher metric in (p, q)."""
    slope = sigmoid(params)
    return np.asarray(_metric(params, v * slope) * slope)


def _metric(params: Real, u: Real) -> Real:
    """The Fisher metric in (α, β) times u, (..., 2A)."""
    tri_a, tri_b, tri_s = _trigammas(params)
    u_a, u_b = split(u)
    common = tri_s * (u_a + u_b)
    return np.concatenate([tri_a * u_a - common, tri_b * u_b - common], axis=-1)


def trigamma(x: Real) -> Real:
    """ψ′(x) = ζ(2, x)."""
    from scipy.special import zeta

    return np.asarray(zeta(2.0, x))


def _logs(action: Real) -> tuple[Real, Real]:
    """(log a, log(1 − a)), finite on the edges too."""
    kind: Any = np.finfo(action.dtype)
    inside = np.clip(action, kind.tiny, 1.0 - kind.epsneg)
    return np.log(inside), np.log1p(-inside)


def _digammas(params: Real) -> tuple[Real, Real, Real]:
    """ψ of α, β, α + β."""
    from scipy.special import digamma

    s = shape(params)
    return digamma(s.alpha), digamma(s.beta), digamma(s.total)


def _trigammas(params: Real) -> tuple[Real, Real, Real]:
    """ψ′ of α, β, α + β."""
    s = shape(params)
    return trigamma(s.alpha), trigamma(s.beta), trigamma(s.total)
