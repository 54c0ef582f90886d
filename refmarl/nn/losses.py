r"""Losses of regression and classification: the value and its gradient in the prediction.

    half_mse         ½ E[e²]                       e = y − target
    huber            E[h(e)],  h(e) = ½ e² for |e| ≤ δ, δ (|e| − ½ δ) beyond
    quantile_huber   E_rows Σ_i E_j[ |τ_i − 1{e_ij < 0}| h(e_ij) / δ ],  e_ij = target_j − q_i
    cross_entropy    −E_rows Σ_k t_k log π_k,      π = softmax(l); gradient Σ_k t_k π − t
    binary_cross_entropy  E[softplus(l) − t l]     of bits with logits l; gradient σ(l) − t

Huber 1964, Ann. Math. Stat. 35; Dabney et al. 2018, arXiv:1710.10044. E is the mean over all
entries, each times its ``weight`` if given (importance weights, or a mask as numbers; the weights
are not made to sum to anything). Targets are constants: no derivative goes into them.

Axes: any; results keep the dtype of the prediction.
"""

from typing import Any

import numpy as np

from ..check import InputError
from ..value_grad import Real, ValueGrad
from .activations import sigmoid, softplus
from .categorical import log_probs


def half_mse(prediction: Real, target: Real, weight: Real | None = None) -> ValueGrad:
    """½ E[w (y − target)²] and its gradient in y; all of one shape.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> half_mse(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    ValueGrad(value=2.5, gradient=array([0.5, 1.5]))
    """
    error, share = _errors(prediction, target, weight)
    return ValueGrad(_total(0.5 * share * error * error), share * error)


def huber(
    prediction: Real, target: Real, delta: float = 1.0, weight: Real | None = None
) -> ValueGrad:
    """E[w h(y − target)] and its gradient in y, at most δ w / size; all of one shape.

    Raises
    ------
    InputError
        If δ is not a number > 0 or the shapes differ.
    """
    error, share = _errors(prediction, target, weight)
    value, slope = _huber(error, delta)
    return ValueGrad(_total(share * value), share * slope)


def quantile_huber(
    quantiles: Real,
    target: Real,
    levels: Real,
    delta: float = 1.0,
    weight: Real | None = None,
) -> ValueGrad:
    """The quantile regression loss and its gradient in the quantiles.

    Parameters
    ----------
    quantiles : (..., N), the estimates q_i
    target : (..., N'), samples of what is estimated, in any order
    levels : (N,) or (..., N), τ_i in (0, 1)
    delta : δ > 0
    weight : (...), of each row

    Raises
    ------
    InputError
        If a shape or a range is wrong.
    """
    rows = quantiles.shape[:-1]
    if target.shape[:-1] != rows or quantiles.shape[-1:] != np.shape(levels)[-1:]:
        got = f"{quantiles.shape}, {target.shape}, {np.shape(levels)}"
        raise InputError(f"quantiles, target, levels: need (..., N), (..., N'), (N,); got {got}")
    if not ((levels > 0) & (levels < 1)).all():
        raise InputError("levels: need numbers in (0, 1)")
    error = target[..., None, :] - quantiles[..., :, None]  # (..., N, N')
    value, slope = _huber(error, delta)
    side = abs(np.asarray(levels, error.dtype)[..., :, None] - (error < 0)) / delta
    share = _rows(rows, weight, error.dtype)[..., None, None] / error.dtype.type(target.shape[-1])
    side = np.asarray(side * share, dtype=error.dtype)
    return ValueGrad(_total(side * value), -(side * slope).sum(axis=-1))


def cross_entropy(logits: Real, target: Real, weight: Real | None = None) -> ValueGrad:
    """−E_rows[w Σ_k t_k log π_k] and its gradient in the logits.

    Parameters
    ----------
    logits : (..., K); −∞ where an action is masked
    target : (..., K), t_k ≥ 0: a distribution, or a row of ``one_hot``; 0 where masked
    weight : (...), of each row

    Raises
    ------
    InputError
        If a shape differs, or a target is negative or puts weight on a masked action.

    Examples
    --------
    >>> cross_entropy(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    ValueGrad(value=0.6931471805599453, gradient=array([[-0.5,  0.5]]))
    """
    _same_shape(logits, target=target)
    t, log_p = np.asarray(target, logits.dtype), log_probs(logits)
    if not (t >= 0).all() or (np.isneginf(log_p) & (t > 0)).any():
        raise InputError("target: need numbers ≥ 0, and 0 where a logit is −∞")
    share = _rows(logits.shape[:-1], weight, logits.dtype)[..., None]
    finite = np.where(t > 0, log_p, logits.dtype.type(0.0))
    slope = t.sum(axis=-1, keepdims=True) * np.exp(log_p) - t
    return ValueGrad(-_total(share * t * finite), share * slope)


def binary_cross_entropy(logits: Real, target: Real, weight: Real | None = None) -> ValueGrad:
    """E[w (softplus(l) − t l)] and its gradient in the logits; all of one shape.

    −log of the probability that bits with these logits are the targets, which may be anything in
    [0, 1]. Logits of any finite size.

    Raises
    ------
    InputError
        If the shapes differ or a target is not in [0, 1].
    """
    _, share = _errors(logits, target, weight)
    t = np.asarray(target, logits.dtype)
    if not ((t >= 0) & (t <= 1)).all():
        raise InputError("target: need numbers in [0, 1]")
    # softplus(l) − t l without cancellation for large l
    value = t * softplus(-logits) + (1.0 - t) * softplus(logits)
    slope = (1.0 - t) * sigmoid(logits) - t * sigmoid(-logits)
    return ValueGrad(_total(share * value), share * slope)


def _huber(error: Real, delta: float) -> tuple[Real, Real]:
    """(h(e), h′(e)), elementwise: with c = e clipped to ±δ they are c (e − ½ c) and c."""
    if not (delta > 0.0 and np.isfinite(delta)):
        raise InputError(f"delta: need a number > 0, got {delta!r}")
    clipped = np.clip(error, error.dtype.type(-delta), error.dtype.type(delta))
    return clipped * (error - 0.5 * clipped), clipped


def _errors(prediction: Real, target: Real, weight: Real | None) -> tuple[Real, Real]:
    """(y − target, the share of each entry in the mean)."""
    _same_shape(prediction, target=target, weight=weight)
    error = np.asarray(prediction - target, dtype=prediction.dtype)
    each = np.ones(error.shape) if weight is None else np.asarray(weight)
    return error, np.asarray(each / error.size, dtype=prediction.dtype)


def _same_shape(prediction: Real, **others: Real | None) -> None:
    for name, array in others.items():
        if array is not None and np.shape(array) != prediction.shape:
            raise InputError(f"{name}: need shape {prediction.shape}, got {np.shape(array)}")


def _rows(shape: tuple[int, ...], weight: Real | None, dtype: Any) -> Real:
    """The share of each row in the mean over rows."""
    if weight is not None and np.shape(weight) != shape:
        raise InputError(f"weight: need one for each row {shape}, got {np.shape(weight)}")
    ones = np.ones(shape) if weight is None else np.asarray(weight)
    return np.asarray(ones / max(ones.size, 1), dtype=dtype)


def _total(terms: Real) -> float:
    return float(np.sum(terms, dtype=np.float64))
