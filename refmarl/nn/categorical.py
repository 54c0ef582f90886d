r"""The categorical distribution over K actions, given by logits.

    π(a) = e^{l_a} / Σ_k e^{l_k},   log π(a) = l_a − log Σ_k e^{l_k}
    ∂ log π(a) / ∂l = 1_a − π,   H = −Σ π log π,   KL(p‖q) = Σ p (log p − log q)

Every head of the package has these verbs, on rows: ``sample, mode, log_prob, entropy, kl``; the
derivatives in the parameters ``d_log_prob, d_entropy``, of the KL ``d_kl`` in its second argument,
the new distribution, and ``d_kl_old`` in its first; and ``fisher``, the product of the Fisher
metric with a vector.

``mask`` (..., K) says which actions are legal, True for legal; others have probability exactly 0
and take no part in the entropy or in any derivative. Logits may be of any finite size, and −∞,
which is as good as a mask.

Axes: any rows, K actions; results keep the dtype of the logits.
"""

import numpy as np

from ..check import InputError, generator
from ..kernels import categorical as kernels
from ..value_grad import Real

Mask = Real | None
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))  # of which rows are compiled


def log_probs(logits: Real, mask: Mask = None) -> Real:
    """log π (..., K); −inf where masked.

    Raises
    ------
    InputError
        If a row of ``mask`` leaves no action.
    """
    if mask is not None:
        if not np.asarray(mask).any(axis=-1).all():
            raise InputError("mask: a row without any legal action")
        logits = np.where(mask, logits, -np.inf)
    if kernels.COMPILED and logits.dtype in DTYPES:
        found = np.empty(logits.shape, logits.dtype)
        rows = np.ascontiguousarray(logits).reshape(-1, logits.shape[-1])
        kernels.log_probs(rows, found.reshape(rows.shape))
        return found
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def probs(logits: Real, mask: Mask = None) -> Real:
    """π (..., K): rows sum to 1."""
    return np.asarray(np.exp(log_probs(logits, mask)))


def sample(rng: np.random.Generator, logits: Real, mask: Mask = None) -> Real:
    """An action for each row, (...) of int64; one uniform number each, by inverting the CDF."""
    cdf = probs(logits, mask).cumsum(axis=-1)
    u = generator(rng).random(cdf.shape[:-1]) * cdf[..., -1]
    # strictly above u: an action of probability 0 is never drawn
    return np.asarray((cdf > u[..., None]).argmax(axis=-1))


def mode(logits: Real, mask: Mask = None) -> Real:
    """The likeliest action of each row (...), the first among equals."""
    return np.asarray(log_probs(logits, mask).argmax(axis=-1))


def draw(rng: np.random.Generator, logits: Real, greedy: bool = False) -> tuple[Real, Real]:
    """(actions (...) as of :func:`sample`, or :func:`mode` if ``greedy``, their log π), compiled.

    The same uniform numbers as :func:`sample`, so the same actions.

    Examples
    --------
    >>> action, log_prob = draw(np.random.default_rng(0), np.zeros((3, 2)))
    >>> action, np.exp(log_prob)
    (array([1, 0, 0]), array([0.5, 0.5, 0.5]))
    """
    shape = logits.shape[:-1]
    rows = np.ascontiguousarray(logits).reshape(-1, logits.shape[-1])
    action, found = np.empty(len(rows), np.int64), np.empty(len(rows), logits.dtype)
    if greedy:
        kernels.likeliest(rows, action, found)
    else:
        kernels.draw(rows, generator(rng).random(len(rows)), action, found)
    return action.reshape(shape), found.reshape(shape)


def log_prob(logits: Real, action: Real, mask: Mask = None) -> Real:
    """log π(a) (...) for actions (...) in 0..K-1."""
    return np.take_along_axis(log_probs(logits, mask), action[..., None], axis=-1)[..., 0]


def d_log_prob(logits: Real, action: Real, mask: Mask = None) -> Real:
    """∂ log π(a) / ∂l = 1_a − π, (..., K)."""
    gradient = -probs(logits, mask)
    at = np.take_along_axis(gradient, action[..., None], axis=-1)
    np.put_along_axis(gradient, action[..., None], at + 1.0, axis=-1)
    return gradient


def entropy(logits: Real, mask: Mask = None) -> Real:
    """H(π) (...), in nats, 0 … log K."""
    return np.asarray(-(probs(logits, mask) * _finite(log_probs(logits, mask))).sum(axis=-1))


def d_entropy(logits: Real, mask: Mask = None) -> Real:
    """∂H / ∂l = −π (log π + H), (..., K)."""
    p, log_p = probs(logits, mask), _finite(log_probs(logits, mask))
    return np.asarray(-p * (log_p - (p * log_p).sum(axis=-1, keepdims=True)))


def kl(old: Real, new: Real, mask: Mask = None) -> Real:
    """KL(π_old ‖ π_new) (...) ≥ 0, from the logits of both; ∞ if only π_new excludes an action."""
    p, log_p = probs(old, mask), _finite(log_probs(old, mask))
    log_q = np.where(p > 0, log_probs(new, mask), p.dtype.type(0.0))
    return np.asarray((p * (log_p - log_q)).sum(axis=-1))


def d_kl(old: Real, new: Real, mask: Mask = None) -> Real:
    """∂ KL(π_old ‖ π_new) / ∂(logits of new) = π_new − π_old, (..., K)."""
    return probs(new, mask) - probs(old, mask)


def d_kl_old(old: Real, new: Real, mask: Mask = None) -> Real:
    """∂ KL(π_old ‖ π_new) / ∂(logits of old) = π_old (log π_old − log π_new − KL), (..., K)."""
    p = probs(old, mask)
    log_p, log_q = (np.where(p > 0, log_probs(x, mask), p.dtype.type(0.0)) for x in (old, new))
    return fisher(old, log_p - log_q, mask)


def fisher(logits: Real, v: Real, mask: Mask = None) -> Real:
    """M v = π ∘ (v − ⟨π, v⟩), (..., K): M = diag π − π πᵀ, the Fisher metric and KL's Hessian."""
    p = probs(logits, mask)
    return np.asarray(p * (v - (p * v).sum(axis=-1, keepdims=True)))


def _finite(log_p: Real) -> Real:
    """log π with 0 in the place of −inf: what stands beside a probability of 0 does not count."""
    return np.where(np.isneginf(log_p), log_p.dtype.type(0.0), log_p)
