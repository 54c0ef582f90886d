r"""Losses of regression: the value and its gradient in the prediction.

    half_mse         ½ E[e²]                       e = y − target
    huber            E[h(e)],  h(e) = ½ e² for |e| ≤ δ, δ (|e| − ½ δ) beyond
    quantile_huber   E_rows Σ_i E_j[ |τ_i − 1{e_ij < 0}| h(e_ij) / δ ],  e_ij = target_j − q_i

Huber 1964, Ann. Math. Stat. 35; Dabney et al. 2018, arXiv:1710.10044. E is the mean over all
entries, each times its ``weight`` if given (importance weights, or a mask as numbers; the weights
are not made to sum to anything). Targets are constants: no derivative goes into them.

Axes: any; results keep the dtype of the prediction.
"""

import numpy as np

from ..check import InputError
from ..value_grad import Real, ValueGrad


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
    ones = np.ones(rows, error.dtype) if weight is None else np.asarray(weight, error.dtype)
    share = ones[..., None, None] / error.dtype.type(max(ones.size, 1) * target.shape[-1])
    side = np.asarray(side * share, dtype=error.dtype)
    return ValueGrad(_total(side * value), -(side * slope).sum(axis=-1))


def _huber(error: Real, delta: float) -> tuple[Real, Real]:
    """(h(e), h′(e)), elementwise: with c = e clipped to ±δ they are c (e − ½ c) and c."""
    if not (delta > 0.0 and np.isfinite(delta)):
        raise InputError(f"delta: need a number > 0, got {delta!r}")
    clipped = np.clip(error, error.dtype.type(-delta), error.dtype.type(delta))
    return clipped * (error - 0.5 * clipped), clipped


def _errors(prediction: Real, target: Real, weight: Real | None) -> tuple[Real, Real]:
    """(y − target, the share of each entry in the mean)."""
    for name, array in (("target", target), ("weight", weight)):
        if array is not None and np.shape(array) != prediction.shape:
            raise InputError(f"{name}: need shape {prediction.shape}, got {np.shape(array)}")
    error = np.asarray(prediction - target, dtype=prediction.dtype)
    each = np.ones(error.shape) if weight is None else np.asarray(weight)
    return error, np.asarray(each / error.size, dtype=prediction.dtype)


def _total(terms: Real) -> float:
    return float(np.sum(terms, dtype=np.float64))
