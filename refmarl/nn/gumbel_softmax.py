r"""Relaxed samples of a categorical: actions that a gradient goes through.

    y = softmax((l + g) / τ),   g_k = −log(−log u_k) standard Gumbel
    ∂L/∂l = y ∘ (∂L/∂y − ⟨y, ∂L/∂y⟩) / τ
    log π(y) = log (K − 1)! + (K − 1) log τ + Σ (log s − log y),   s = softmax(l − τ log y)
    ∂ log π(y) / ∂l = 1 − K s,   M v = (K v − Σ v) / (K + 1)

Jang, Gu & Poole 2017, arXiv:1611.01144; Maddison, Mnih & Teh 2017, arXiv:1611.00712. The largest
entry of y is an exact sample of softmax(l), at every temperature τ > 0; y itself is one-hot in the
limit τ → 0 and uniform in the limit τ → ∞. The straight-through estimator acts with
:func:`harden` (y) and differentiates as if it had acted with y: biased, but the world sees actions.

A choice, harden(y), has the probability, entropy, divergence and metric of
:mod:`~refmarl.nn.categorical`. Those of y itself are here, as far as they have a closed form: π is
a density in the first K − 1 numbers. Of a sample, s is uniform over the simplex whatever l and τ,
so that the Fisher metric M of y is a constant, and not less than that of the choice.

Axes: any rows, K actions; results keep the dtype of the logits. Where ``mask`` (..., K) is False,
y is exactly 0, as is the derivative.
"""

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real
from . import categorical
from .categorical import Mask


def noise(rng: np.random.Generator, shape: tuple[int, ...], dtype: type = np.float64) -> Real:
    """Standard Gumbel numbers, finite for every draw."""
    return np.asarray(-np.log(generator(rng).standard_exponential(shape) + 1e-300), dtype=dtype)


def relax(logits: Real, gumbel: Real, tau: float, mask: Mask = None) -> Real:
    """y (..., K), rows that sum to 1, from logits and Gumbel noise of the same shape.

    Raises
    ------
    InputError
        If τ is not a number > 0 or a row of ``mask`` leaves no action.
    """
    _temperature(tau)
    return categorical.probs((logits + gumbel) / tau, mask)


def sample(rng: np.random.Generator, logits: Real, tau: float, mask: Mask = None) -> Real:
    """y (..., K); K exponential numbers for each row."""
    gumbel = noise(rng, logits.shape, logits.dtype.type)
    return relax(logits, gumbel, tau, mask)


def log_prob(logits: Real, y: Real, tau: float, mask: Mask = None) -> Real:
    """log π(y) (...) of relaxed samples y (..., K) > 0; those on the edge as if just inside."""
    legal, count, log_y = _parts(y, mask)
    log_s = categorical.log_probs(logits - _temperature(tau) * log_y, mask)
    ratio = np.where(legal, np.where(legal, log_s, 0.0) - log_y, 0.0).sum(axis=-1)
    from scipy.special import gammaln

    constant = gammaln(count) + (count - 1.0) * np.log(tau)
    return np.asarray(ratio + constant, dtype=logits.dtype)


def d_log_prob(logits: Real, y: Real, tau: float, mask: Mask = None) -> Real:
    """∂ log π(y) / ∂l = 1 − K s, (..., K)."""
    legal, count, log_y = _parts(y, mask)
    s = categorical.probs(logits - _temperature(tau) * log_y, mask)
    return np.asarray(legal - count[..., None] * s, dtype=logits.dtype)


def fisher(logits: Real, v: Real, mask: Mask = None) -> Real:
    """M v = (K v − Σ v) / (K + 1), (..., K): the Fisher metric of y, for every l and τ."""
    legal, count, _ = _parts(np.ones_like(logits), mask)
    v, count = np.where(legal, v, 0.0), count[..., None]
    spread = (count * v - v.sum(axis=-1, keepdims=True)) / (count + 1.0)
    return np.asarray(np.where(legal, spread, 0.0), dtype=logits.dtype)


def harden(y: Real) -> Real:
    """One-hot rows (..., K) at the largest entry, the first among equals."""
    hard = np.zeros_like(y)
    np.put_along_axis(hard, y.argmax(axis=-1)[..., None], 1.0, axis=-1)
    return hard


def backward(y: Real, tau: float, dy: Real) -> Real:
    """∂L/∂l (..., K) from y and ∂L/∂y; with ∂L/∂(harden y) it is the straight-through estimate."""
    _temperature(tau)
    return np.asarray(y * (dy - (y * dy).sum(axis=-1, keepdims=True)) / tau)


def _parts(y: Real, mask: Mask) -> tuple[Real, Real, Real]:
    """(which are legal (..., K), how many (...), log y)."""
    legal = np.broadcast_to(True if mask is None else np.asarray(mask, dtype=bool), y.shape)
    log_y = np.log(np.maximum(y, np.finfo(y.dtype).tiny))
    return legal, legal.sum(axis=-1).astype(y.dtype), np.asarray(log_y)


def _temperature(tau: float) -> float:
    if not (tau > 0.0 and np.isfinite(tau)):
        raise InputError(f"tau: need a temperature > 0, got {tau!r}")
    return float(tau)
