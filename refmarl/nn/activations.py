"""Activation functions with their first and second derivatives.

Each is a :class:`Activation`: ``f(z)``, ``slope(z, h)`` = f′(z) and ``bend(z, h)`` = f″(z), where
``h = f(z)`` is passed along because tanh and ReLU need nothing else. All accept complex numbers,
so that the complex step of :mod:`~refmarl.nn.gradcheck` goes through them, and keep the dtype.

ReLU and leaky ReLU have a kink at 0, where they take the slope of the left side.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..value_grad import Real

LEAK = 0.01  # slope of the leaky ReLU for z < 0
ROOT_2, ROOT_2PI = 2.0**0.5, (2.0 * np.pi) ** 0.5


class Activation(NamedTuple):
    """f, f′ and f″; ``kink`` says that f′ jumps at 0."""

    f: Callable[[Real], Real]
    slope: Callable[[Real, Real], Real]
    bend: Callable[[Real, Real], Real]
    kink: bool = False


def sigmoid(z: Real) -> Real:
    """1 / (1 + e^{-z}), without overflow for any z."""
    small = np.exp(np.where(z.real > 0, -z, z))  # ≤ 1
    return np.asarray(np.where(z.real > 0, 1.0, small) / (1.0 + small), dtype=z.dtype)


def softplus(z: Real) -> Real:
    """log(1 + e^z), without overflow for any z."""
    rest = np.log1p(np.exp(np.where(z.real > 0, -z, z)))
    return np.asarray(rest + np.where(z.real > 0, z, 0.0), dtype=z.dtype)


def _zero(z: Real, h: Real) -> Real:
    return np.zeros_like(z)


def _normal_cdf(z: Real) -> Real:
    from scipy.special import erf

    return np.asarray(0.5 * (1.0 + erf(z / ROOT_2)), dtype=z.dtype)


def _normal_pdf(z: Real) -> Real:
    return np.asarray(np.exp(-0.5 * z * z) / ROOT_2PI, dtype=z.dtype)


def _leaky(z: Real) -> Real:
    if z.dtype.kind != "c":
        return np.asarray(np.maximum(z, z.dtype.type(LEAK) * z))  # much faster than to choose
    return np.asarray(np.where(z.real > 0, z, z.dtype.type(LEAK) * z))


def _leaky_slope(z: Real, h: Real) -> Real:
    return np.asarray(np.where(z.real > 0, z.dtype.type(1.0), z.dtype.type(LEAK)))


def _softplus_bend(z: Real, h: Real) -> Real:
    s = sigmoid(z)
    return s * (1.0 - s)


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(
        lambda z: np.tanh(z),
        lambda z, h: 1.0 - h * h,
        lambda z, h: -2.0 * h * (1.0 - h * h),
    ),
    "relu": Activation(
        lambda z: np.where(z.real > 0, z, z.dtype.type(0.0)),
        lambda z, h: (h.real > 0).astype(z.dtype),
        _zero,
        kink=True,
    ),
    "leaky-relu": Activation(_leaky, _leaky_slope, _zero, kink=True),
    "softplus": Activation(softplus, lambda z, h: sigmoid(z), _softplus_bend),
    # Hendrycks & Gimpel 2016, arXiv:1606.08415: z Φ(z), exact
    "gelu": Activation(
        lambda z: z * _normal_cdf(z),
        lambda z, h: _normal_cdf(z) + z * _normal_pdf(z),
        lambda z, h: (2.0 - z * z) * _normal_pdf(z),
    ),
    "sin": Activation(lambda z: np.sin(z), lambda z, h: np.cos(z), lambda z, h: -h),
    "identity": Activation(lambda z: z, lambda z, h: np.ones_like(z), _zero),
}


def activation(name: str) -> Activation:
    """The activation of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in ACTIVATIONS:
        raise InputError(f"activation: need one of {', '.join(ACTIVATIONS)}; got {name!r}")
    return ACTIVATIONS[name]
