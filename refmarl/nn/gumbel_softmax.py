r"""Relaxed samples of a categorical: actions that a gradient goes through.

    y = softmax((l + g) / τ),   g_k = −log(−log u_k) standard Gumbel
    ∂L/∂l = y ∘ (∂L/∂y − ⟨y, ∂L/∂y⟩) / τ

Jang, Gu & Poole 2017, arXiv:1611.01144; Maddison, Mnih & Teh 2017, arXiv:1611.00712. The largest
entry of y is an exact sample of softmax(l), at every temperature τ > 0; y itself is one-hot in the
limit τ → 0 and uniform in the limit τ → ∞. The straight-through estimator acts with
:func:`harden` (y) and differentiates as if it had acted with y: biased, but the world sees actions.

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


def harden(y: Real) -> Real:
    """One-hot rows (..., K) at the largest entry, the first among equals."""
    hard = np.zeros_like(y)
    np.put_along_axis(hard, y.argmax(axis=-1)[..., None], 1.0, axis=-1)
    return hard


def backward(y: Real, tau: float, dy: Real) -> Real:
    """∂L/∂l (..., K) from y and ∂L/∂y; with ∂L/∂(harden y) it is the straight-through estimate."""
    _temperature(tau)
    return np.asarray(y * (dy - (y * dy).sum(axis=-1, keepdims=True)) / tau)


def _temperature(tau: float) -> None:
    if not (tau > 0.0 and np.isfinite(tau)):
        raise InputError(f"tau: need a temperature > 0, got {tau!r}")
