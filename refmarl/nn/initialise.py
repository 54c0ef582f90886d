"""Initial weights of a layer: orthogonal or scaled by the fan-in.

Both take the shape (I, O) of W in y = x W and any leading axes: each network of a batch draws
its own.
"""

import numpy as np

from ..check import InputError
from ..value_grad import Real

SCHEMES = ("orthogonal", "fan-in")


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> Real:
    """Weights (..., I, O) whose shorter side is orthonormal, times ``scale``.

    WᵀW = scale² 1 if I ≥ O, W Wᵀ = scale² 1 if I ≤ O; uniform over such matrices (Haar), because
    the signs of QR's diagonal are undone. Saxe, McClelland & Ganguli 2014, arXiv:1312.6120.
    """
    *lead, rows, columns = shape
    tall = rng.standard_normal((*lead, max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    return np.asarray(scale * (q if rows >= columns else np.swapaxes(q, -1, -2)))


def fan_in(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> Real:
    """Normal weights (..., I, O) of variance scale² / I: y keeps the variance of x for scale 1.

    ``scale`` √2 is He et al. 2015 (arXiv:1502.01852) for ReLU.
    """
    return np.asarray(rng.standard_normal(shape) * (scale / shape[-2] ** 0.5))


def weights(rng: np.random.Generator, shape: tuple[int, ...], scale: float, scheme: str) -> Real:
    """Weights (..., I, O) by one of ``SCHEMES``.

    Raises
    ------
    InputError
        If the scheme is unknown.
    """
    if scheme not in SCHEMES:
        raise InputError(f"scheme: need one of {', '.join(SCHEMES)}; got {scheme!r}")
    return (orthogonal if scheme == "orthogonal" else fan_in)(rng, shape, scale)
