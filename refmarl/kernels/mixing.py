"""Monotone mixing of utilities, row by row: one hidden layer whose weights are never negative.

    h_e = f(Σ_i q_i |W_ie| + b_e),   Q_tot = Σ_e h_e |w_e| + v                             (2.8)

Arrays are contiguous and of one dtype: ``q`` (M, N), ``w1`` (M, N·E), ``b1`` and ``w2`` (M, E),
``v`` (M,). ``soft`` puts softplus in the place of the absolute value, ``smooth`` tanh in the place
of the exponential linear unit.
"""

from typing import Any

import numpy as np

from ..value_grad import Real
from ._jit import kernel


@kernel
def weight(soft: bool, x: Any) -> Any:
    """|x|, or softplus."""
    if soft:
        return max(x, 0.0) + np.log1p(np.exp(-abs(x)))
    return abs(x)


@kernel
def weight_slope(soft: bool, x: Any) -> Any:
    """The derivative of :func:`weight`; 0 for |x| at 0."""
    if soft:
        return 1.0 / (1.0 + np.exp(-x)) if x >= 0.0 else np.exp(x) / (1.0 + np.exp(x))
    return np.sign(x)


@kernel
def positive(soft: bool, raw: Real, out: Real) -> None:
    """Weights of one row."""
    if soft:
        for k in range(len(raw)):
            out[k] = weight(True, raw[k])
    else:
        for k in range(len(raw)):
            out[k] = abs(raw[k])


@kernel
def forward(
    q: Real, w1: Real, b1: Real, w2: Real, v: Real, soft: bool, smooth: bool, h: Real, total: Real
) -> None:
    """Fill in ``h`` (M, E) and ``total`` (M,)."""
    agents, units = q.shape[1], b1.shape[1]
    first, second = np.empty(w1.shape[1], w1.dtype), np.empty(units, w2.dtype)
    for m in range(len(q)):
        positive(soft, w1[m], first)
        positive(soft, w2[m], second)
        row = h[m]
        for e in range(units):
            row[e] = b1[m, e]
        for i in range(agents):
            given, own = q[m, i], first[i * units : (i + 1) * units]
            for e in range(units):
                row[e] += given * own[e]
        found = v[m]
        for e in range(units):
            if smooth:
                row[e] = np.tanh(row[e])
            elif row[e] < 0.0:
                row[e] = np.expm1(row[e])
            found += row[e] * second[e]
        total[m] = found  # (2.8)


@kernel
def pull_back(
    q: Real,
    w1: Real,
    w2: Real,
    h: Real,
    dy: Real,
    soft: bool,
    smooth: bool,
    dq: Real,
    dw1: Real,
    db1: Real,
    dw2: Real,
) -> None:
    """Fill in ∂L/∂q, ∂L/∂W, ∂L/∂b and ∂L/∂w from ∂L/∂Q_tot (M,); that in v is ``dy`` itself."""
    agents, units = q.shape[1], w2.shape[1]
    one, zero = h.dtype.type(1.0), h.dtype.type(0.0)
    for m in range(len(q)):
        for e in range(units):
            value = h[m, e]
            slope = one if value >= zero else value + one
            slope = one - value * value if smooth else slope
            dw2[m, e] = dy[m] * value * weight_slope(soft, w2[m, e])
            db1[m, e] = dy[m] * weight(soft, w2[m, e]) * slope
        for i in range(agents):
            raw, out = w1[m, i * units : (i + 1) * units], dw1[m, i * units : (i + 1) * units]
            given, sum_ = q[m, i], zero
            for e in range(units):
                delta = db1[m, e]
                sum_ += delta * weight(soft, raw[e])
                out[e] = delta * given * weight_slope(soft, raw[e])
            dq[m, i] = sum_
