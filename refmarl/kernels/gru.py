"""Both passes of a gated recurrent unit through all steps, in panels of rows.

The rows of a panel go through time together, so that what they remember stays in the nearest cache.
Arrays are contiguous and of one dtype: ``of_x`` (L, T, M, 3H) is x W, ``u`` (L, H, 3H), ``b``
(L, 3H), ``c`` (L, H), ``first`` (L, M, H), ``starts`` (L, T, M) of bool. ``kept``
(6, L, T, M, H) is h after each step, h before it, r, z, n and h U_n + c. σ(a) is ½ + ½ tanh(½ a).
"""

from typing import Any

import numpy as np

from ..value_grad import Real
from ._jit import kernel
from .blas import gemm
from .tanh import tanh

PANEL = 128  # rows


@kernel
def gates(a: Real, b: Real, of_h: Real, out: Real, half: Any) -> None:
    """σ(a + b + h U) of one gate and row (H) into ``out``."""
    for j in range(len(out)):
        out[j] = half + half * tanh(half * (a[j] + b[j] + of_h[j]))


@kernel
def forward(
    of_x: Real, u: Real, b: Real, c: Real, first: Real, starts: Real, kept: Real
) -> None:  # fmt: skip
    """Fill in ``kept``."""
    networks, steps, rows, size = kept.shape[1:]
    single, width, zero = of_x.itemsize == 4, of_x.itemsize, of_x.dtype.type(0.0)
    half, wide = of_x.dtype.type(0.5), 3 * size
    of_h = np.empty((PANEL, wide), of_x.dtype)
    to = np.int64(of_h.ctypes.data)
    for net in range(networks):
        weights = np.int64(u.ctypes.data) + width * net * size * wide
        for top in range(0, rows, PANEL):
            count = min(PANEL, rows - top)
            for t in range(steps):
                for m in range(top, top + count):
                    before, h = first[net, m], kept[1, net, t, m]
                    if t > 0:
                        before = kept[0, net, t - 1, m]
                    for j in range(size):
                        h[j] = zero if starts[net, t, m] else before[j]
                at = (((networks + net) * steps + t) * rows + top) * size
                source = np.int64(kept.ctypes.data) + width * at
                gemm(
                    single, False, False, count, wide, size, source, size, weights, wide, 0.0,
                    to, wide,
                )  # fmt: skip
                for m in range(top, top + count):
                    a, d = of_x[net, t, m], of_h[m - top]
                    h, z, n = kept[1, net, t, m], kept[3, net, t, m], kept[4, net, t, m]
                    r, inner, after = kept[2, net, t, m], kept[5, net, t, m], kept[0, net, t, m]
                    gates(a[:size], b[net, :size], d[:size], r, half)
                    gates(a[size : 2 * size], b[net, size : 2 * size], d[size : 2 * size], z, half)
                    for j in range(size):
                        inner[j] = d[2 * size + j] + c[net, j]
                    for j in range(size):
                        n[j] = tanh(a[2 * size + j] + b[net, 2 * size + j] + r[j] * inner[j])
                    for j in range(size):
                        after[j] = n[j] + z[j] * (h[j] - n[j])


@kernel
def _one_step(
    h: Real, r: Real, z: Real, n: Real, inner: Real, d: Real, of_x: Real, of_h: Real
) -> None:
    """One row (H) of one step back: fill in both (3H), and put ∘ z upon d = ∂L/∂h′."""
    size, one = len(h), h.dtype.type(1.0)
    for j in range(size):
        of_x[2 * size + j] = d[j] * (one - z[j]) * (one - n[j] * n[j])
    for j in range(size):
        of_x[size + j] = d[j] * (h[j] - n[j]) * z[j] * (one - z[j])
    for j in range(size):
        of_x[j] = of_x[2 * size + j] * inner[j] * r[j] * (one - r[j])
    for j in range(2 * size):
        of_h[j] = of_x[j]
    for j in range(size):
        of_h[2 * size + j] = of_x[2 * size + j] * r[j]
        d[j] *= z[j]


@kernel
def pull_back(
    u: Real, starts: Real, before: Real, r: Real, z: Real, n: Real, inner: Real, dh: Real,
    d_x: Real, d_h: Real, carry: Real,
) -> None:  # fmt: skip
    """Fill in ∂L/∂(x W + b), ∂L/∂(h U + (0, 0, c)) (L, T, M, 3H) and ∂L/∂h before the first step.

    ``before`` … ``inner`` (L, T, M, H) are of ``kept``, ``dh`` is of what each step gave; the last
    result goes to ``carry`` (L, M, H).
    """
    networks, steps, rows, size = dh.shape
    single, width, wide = dh.itemsize == 4, dh.itemsize, 3 * size
    zero = dh.dtype.type(0.0)
    for net in range(networks):
        weights = np.int64(u.ctypes.data) + width * net * size * wide
        for top in range(0, rows, PANEL):
            count = min(PANEL, rows - top)
            to = np.int64(carry.ctypes.data) + width * (net * rows + top) * size
            for m in range(top, top + count):
                for j in range(size):
                    carry[net, m, j] = zero
            for t in range(steps - 1, -1, -1):
                for m in range(top, top + count):
                    back, d = carry[net, m], dh[net, t, m]
                    for j in range(size):
                        back[j] += d[j]
                    _one_step(
                        before[net, t, m], r[net, t, m], z[net, t, m], n[net, t, m],
                        inner[net, t, m], back, d_x[net, t, m], d_h[net, t, m],
                    )  # fmt: skip
                at = ((net * steps + t) * rows + top) * wide
                source = np.int64(d_h.ctypes.data) + width * at
                gemm(
                    single, False, True, count, size, wide, source, wide, weights, wide, 1.0,
                    to, size,
                )  # fmt: skip
                for m in range(top, top + count):
                    if starts[net, t, m]:
                        for j in range(size):
                            carry[net, m, j] = zero
