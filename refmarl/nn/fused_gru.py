"""The two first-order passes of a gated recurrent unit, compiled: what ``gru.py`` defines, faster.

They apply to float32 and float64 where NumPy's BLAS can be called from kernels; everything else
takes the definition in :mod:`~refmarl.nn.gru`. Results agree with it to rounding.

Axes: L networks, T steps, M rows, I inputs, H units; here L is always there, and one axis.
"""

from math import prod

import numpy as np

from ..kernels import gru as kernels
from ..value_grad import Real
from .fused import applies

__all__ = ["applies", "forward", "pull_back"]


def forward(x: Real, w: Real, u: Real, b: Real, c: Real, h: Real, starts: Real) -> Real:
    """(6, *L, T, M, H): h after each step, h before it, r, z, n, h U_n + c.

    ``x`` (*L, T, M, I), ``w``, ``u``, ``b``, ``c`` (*L, ·), ``h`` (*L, M, H) before the first step,
    ``starts`` (*L, T, M, 1).
    """
    lead, (steps, rows), size = x.shape[:-3], x.shape[-3:-1], u.shape[-2]
    flat = x.reshape(*lead, steps * rows, x.shape[-1])
    kept = np.empty((6, *lead, steps, rows, size), x.dtype)
    each, wide = prod(lead), 3 * size  # there may be no rows, so that no axis can be left open
    kernels.forward(
        _own(flat @ w, each, steps, rows, wide), _own(u, each, size, wide), _own(b, each, wide),
        _own(c, each, size), _own(h, each, rows, size), _own(starts, each, steps, rows),
        kept.reshape(6, each, steps, rows, size),
    )  # fmt: skip
    return kept


def pull_back(u: Real, kept: tuple[Real, ...], starts: Real, dh: Real) -> tuple[Real, Real, Real]:
    """(∂L/∂(x W + b) (*L, T, M, 3H), ∂L/∂(h U + (0, 0, c)), ∂L/∂h before the first step).

    ``kept`` is h before each step, r, z, n, h U_n + c; ``dh`` (*L, T, M, H).
    """
    lead, (steps, rows, size) = dh.shape[:-3], dh.shape[-3:]
    each, wide = prod(lead), 3 * size
    d_x, d_h = (np.empty((*lead, steps, rows, wide), dh.dtype) for _ in range(2))
    carry = np.empty((*lead, rows, size), dh.dtype)
    before, r, z, n, inner = (_own(part, each, steps, rows, size) for part in kept)
    kernels.pull_back(
        _own(u, each, size, wide), _own(starts, each, steps, rows), before, r, z, n, inner,
        _own(dh, each, steps, rows, size), d_x.reshape(each, steps, rows, wide),
        d_h.reshape(each, steps, rows, wide), carry.reshape(each, rows, size),
    )  # fmt: skip
    return d_x, d_h, carry


def _own(array: Real, *shape: int) -> Real:
    """In this shape, contiguous and writable: kernels are compiled for one kind of array only."""
    return np.require(array, requirements=["C", "W"]).reshape(shape)
