"""Forward and backward passes of a perceptron on one flat θ, in panels of rows.

A panel's numbers stay in the nearest caches through all layers, and the BLAS is faster on it than
on taller matrices. All arrays are contiguous and flat, of one dtype: ``theta`` (L·P), ``x``
(L·M·I, or M·I if the networks share it), ``hidden`` (the hidden layers' h one after the other,
each L·M·H_k), ``y`` and ``dy`` (L·M·O). ``sizes`` (K + 1) is (I, H_1, …, O). Hidden layers are
tanh, or ReLU if not ``smooth``: both have f′ as a function of h alone.
"""

import numpy as np

from ..value_grad import Real
from ._jit import kernel
from .blas import gemm
from .tanh import tanh

PANEL, WIDE = 128, 256  # rows of a panel; layers of WIDE or more units have WIDE of them


@kernel
def parameters(sizes: Real) -> int:
    """P."""
    total = 0
    for k in range(len(sizes) - 1):
        total += (sizes[k] + 1) * sizes[k + 1]
    return total


@kernel
def height(sizes: Real) -> int:
    """Rows of a panel: the BLAS wants tall ones for wide layers."""
    widest = 0
    for k in range(len(sizes)):  # sizes.max() would take half a second to compile
        widest = max(widest, sizes[k])
    return WIDE if widest >= WIDE else PANEL


@kernel
def add_bias(h: Real, bias: Real) -> None:
    """b (H) added to every row of h (M·H)."""
    units = len(bias)
    for m in range(len(h) // units):
        row = h[m * units : (m + 1) * units]
        for j in range(units):
            row[j] += bias[j]


@kernel
def activate(smooth: bool, h: Real, bias: Real) -> None:
    """f(z + b) in the place of z (M·H)."""
    units, zero = len(bias), h.dtype.type(0.0)
    for m in range(len(h) // units):
        row = h[m * units : (m + 1) * units]
        if smooth:
            for j in range(units):
                row[j] = tanh(row[j] + bias[j])
        else:
            for j in range(units):
                z = row[j] + bias[j]
                row[j] = z if z > zero else zero


@kernel
def slope(smooth: bool, h: Real, delta: Real) -> None:
    """δ ∘ f′(z) in the place of δ, from h = f(z)."""
    zero, one = h.dtype.type(0.0), h.dtype.type(1.0)
    if smooth:
        for j in range(len(h)):
            delta[j] *= one - h[j] * h[j]
    else:
        for j in range(len(h)):
            d = delta[j]
            delta[j] = d if h[j] > zero else zero


@kernel
def add_rows(delta: Real, out: Real) -> None:
    """Σ_m δ_m added to ``out`` (H), for δ (M·H)."""
    units = len(out)
    for m in range(len(delta) // units):
        row = delta[m * units : (m + 1) * units]
        for j in range(units):
            out[j] += row[j]


@kernel
def forward(
    theta: Real, x: Real, sizes: Real, smooth: bool, rows: int, hidden: Real, y: Real
) -> None:
    """Fill in ``hidden`` and ``y``; ``rows`` is M."""
    single, width, depth = theta.itemsize == 4, theta.itemsize, len(sizes) - 1
    size, networks = parameters(sizes), len(theta) // parameters(sizes)
    shared = len(x) < networks * rows * sizes[0]
    base, tall = np.int64(theta.ctypes.data), height(sizes)
    for net in range(networks):
        for top in range(0, rows, tall):
            n, row = min(tall, rows - top), net * rows + top
            source = top if shared else row
            source = np.int64(x.ctypes.data) + width * source * sizes[0]
            at, block = net * size, 0
            for k in range(depth):
                i, o = sizes[k], sizes[k + 1]
                last = k == depth - 1
                out, first = (y, row * o) if last else (hidden, block + row * o)
                target = np.int64(out.ctypes.data) + width * first
                gemm(single, False, False, n, o, i, source, i, base + width * at, o, 0.0, target, o)
                panel, bias = out[first : first + n * o], theta[at + i * o : at + (i + 1) * o]
                if last:
                    add_bias(panel, bias)
                else:
                    activate(smooth, panel, bias)
                source, at, block = target, at + (i + 1) * o, block + networks * rows * o


@kernel
def push(
    theta: Real,
    v: Real,
    x: Real,
    sizes: Real,
    smooth: bool,
    rows: int,
    hidden: Real,
    r_y: Real,
) -> None:
    """Fill in R{y} (L·M·O), how y moves with θ along v (L·P)."""
    single, width, depth = theta.itemsize == 4, theta.itemsize, len(sizes) - 1
    size, networks = parameters(sizes), len(theta) // parameters(sizes)
    shared = len(x) < networks * rows * sizes[0]
    base, along = np.int64(theta.ctypes.data), np.int64(v.ctypes.data)
    room = PANEL * max(sizes)
    one, other = np.empty(room, theta.dtype), np.empty(room, theta.dtype)
    for net in range(networks):
        for top in range(0, rows, PANEL):
            n, row = min(PANEL, rows - top), net * rows + top
            source = np.int64(x.ctypes.data) + width * (top if shared else row) * sizes[0]
            at, block = net * size, 0
            for k in range(depth):
                i, o = sizes[k], sizes[k + 1]
                last = k == depth - 1
                out, first = (r_y, row * o) if last else (other, 0)
                to = np.int64(out.ctypes.data) + width * first
                gemm(single, False, False, n, o, i, source, i, along + width * at, o, 0.0, to, o)
                if k > 0:  # R{z} = h R{W} + R{h} W + R{b}
                    moved = np.int64(one.ctypes.data)
                    gemm(single, False, False, n, o, i, moved, i, base + width * at, o, 1.0, to, o)
                panel = out[first : first + n * o]
                add_bias(panel, v[at + i * o : at + (i + 1) * o])
                if not last:
                    here = block + row * o
                    slope(smooth, hidden[here : here + n * o], panel)
                    source = np.int64(hidden.ctypes.data) + width * here
                at, block = at + (i + 1) * o, block + networks * rows * o
                one, other = other, one


@kernel
def pull_back(
    theta: Real,
    x: Real,
    sizes: Real,
    smooth: bool,
    rows: int,
    hidden: Real,
    dy: Real,
    dtheta: Real,
    dx: Real,
) -> None:
    """Fill in ∂L/∂θ (L·P) and ∂L/∂x (L·M·I), each only if its array is not empty."""
    single, width, depth = theta.itemsize == 4, theta.itemsize, len(sizes) - 1
    size, networks = parameters(sizes), len(theta) // parameters(sizes)
    shared = len(x) < networks * rows * sizes[0]
    base, total, tall = np.int64(theta.ctypes.data), np.int64(dtheta.ctypes.data), height(sizes)
    room = tall * max(sizes)
    one, other = np.empty(room, theta.dtype), np.empty(room, theta.dtype)
    for p in range(len(dtheta)):
        dtheta[p] = 0.0
    for net in range(networks):
        for top in range(0, rows, tall):
            n, row = min(tall, rows - top), net * rows + top
            at, block = (net + 1) * size, len(hidden)
            delta, first = dy, row * sizes[depth]
            for k in range(depth - 1, -1, -1):
                i, o = sizes[k], sizes[k + 1]
                at, block = at - (i + 1) * o, block - networks * rows * i * (k > 0)
                here = np.int64(delta.ctypes.data) + width * first
                before = block + row * i
                if k > 0:
                    source = np.int64(hidden.ctypes.data) + width * before
                else:
                    source = np.int64(x.ctypes.data) + width * (top if shared else row) * i
                weights = base + width * at
                to = total + width * at
                if len(dtheta) > 0:
                    add_rows(delta[first : first + n * o], dtheta[at + i * o : at + (i + 1) * o])
                    gemm(single, True, False, i, o, n, source, i, here, o, 1.0, to, o)  # (3.1)
                if k > 0:
                    target = np.int64(one.ctypes.data)
                    gemm(single, False, True, n, i, o, here, o, weights, o, 0.0, target, i)
                    slope(smooth, hidden[before : before + n * i], one[: n * i])
                    delta, first, one, other = one, 0, other, one
                elif len(dx) > 0:
                    target = np.int64(dx.ctypes.data) + width * row * i
                    gemm(single, False, True, n, i, o, here, o, weights, o, 0.0, target, i)
