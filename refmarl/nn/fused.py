"""The perceptron's three first-order passes, compiled: what ``mlp.py`` defines, only faster.

They apply to float32 and float64, tanh and ReLU, without layer normalisation, where NumPy's BLAS
can be called from kernels (:mod:`refmarl.kernels.blas`); everything else takes the definition in
:mod:`~refmarl.nn.mlp`. Results agree with it to rounding: sums run over panels of rows, and tanh
is that of :mod:`refmarl.kernels.tanh`.
"""

from math import prod
from typing import NamedTuple

import numpy as np

from ..kernels import blas, perceptron
from ..value_grad import Real

ENABLED = blas.AVAILABLE
SMOOTH = {"tanh": True, "relu": False}  # f′ is a function of f in both
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class Plan(NamedTuple):
    """Shapes as the kernels take them."""

    sizes: Real  # (K + 1,) int64
    smooth: bool
    widths: tuple[int, ...]  # of the hidden layers


class Pass(NamedTuple):
    """What a forward pass gives."""

    y: Real  # (*L, M, O)
    inputs: tuple[Real, ...]  # x and the views of ``hidden`` by layer, (*L, M, H_k)
    hidden: Real  # flat


def plan(sizes: tuple[int, ...], activation: str, layer_norm: bool) -> Plan | None:
    """How the kernels see a network; None if they do not apply to it."""
    if not ENABLED or layer_norm or activation not in SMOOTH:
        return None
    return Plan(np.array(sizes, dtype=np.int64), SMOOTH[activation], tuple(sizes[1:-1]))


def applies(theta: Real, other: Real) -> bool:
    """Whether the kernels apply to numbers of these kinds."""
    return ENABLED and theta.dtype in DTYPES and other.dtype == theta.dtype


def fits(net: Plan, theta: Real, x: Real, hidden: Real, dy: Real | None = None) -> bool:
    """Whether a tape is of this θ and dy, in kinds and shapes: kernels would read beyond it."""
    lead, rows = theta.shape[:-1], x.shape[-2]
    return (
        applies(theta, theta if dy is None else dy)
        and x.dtype == hidden.dtype == theta.dtype
        and (dy is None or dy.shape[:-1] == (*lead, rows))
        and len(hidden) == prod(lead) * rows * sum(net.widths)
        and len(x.shape) == len(lead) + 2
        and x.shape[-1] == net.sizes[0]
    )


def forward(net: Plan, theta: Real, x: Real) -> Pass:
    """y and what the way back needs, for θ (*L, P) and x (*L, M, I), (*1, M, I) if shared."""
    lead, rows = theta.shape[:-1], x.shape[-2]
    count = prod(lead) * rows
    hidden = np.empty(count * sum(net.widths), theta.dtype)
    y = np.empty((*lead, rows, int(net.sizes[-1])), theta.dtype)
    perceptron.forward(
        _flat(theta), _each(x, lead), net.sizes, net.smooth, rows, hidden, y.reshape(-1)
    )  # fmt: skip
    inputs, start = [x], 0
    for width in net.widths:
        inputs.append(hidden[start : start + count * width].reshape(*lead, rows, width))
        start += count * width
    return Pass(y, tuple(inputs), hidden)


def push(net: Plan, theta: Real, v: Real, x: Real, hidden: Real) -> Real:
    """R{y} (*L, M, O) along v (*L, P) for θ."""
    lead, rows = theta.shape[:-1], x.shape[-2]
    r_y = np.empty((*lead, rows, int(net.sizes[-1])), theta.dtype)
    perceptron.push(
        _flat(theta), _flat(v), _each(x, lead), net.sizes, net.smooth, rows, hidden, r_y.reshape(-1)
    )
    return r_y


def pull_back(
    net: Plan, theta: Real, x: Real, hidden: Real, dy: Real, want_dx: bool, want_dtheta: bool = True
) -> tuple[Real, Real]:
    """(∂L/∂θ (*L, P), ∂L/∂x (*L, M, I)), each empty unless wanted; dy (*L, M, O)."""
    shape = (*dy.shape[:-1], int(net.sizes[0])) if want_dx else (0,)
    dtheta = np.empty(theta.shape if want_dtheta else (0,), theta.dtype)
    dx = np.empty(shape, theta.dtype)
    perceptron.pull_back(
        _flat(theta), _each(x, theta.shape[:-1]), net.sizes, net.smooth, dy.shape[-2], hidden,
        _flat(dy),
        dtheta.reshape(-1), dx.reshape(-1),
    )  # fmt: skip
    return dtheta, dx


def _each(x: Real, lead: tuple[int, ...]) -> Real:
    """x flat, once if all networks share it, else repeated for those that share it."""
    if x.shape[:-2] != lead and any(n != 1 for n in x.shape[:-2]):
        x = np.broadcast_to(x, (*lead, *x.shape[-2:]))
    return _flat(x)


def _flat(array: Real) -> Real:
    """Contiguous and writable, so that kernels are compiled for one kind of array only."""
    if not (array.flags.c_contiguous and array.flags.writeable):
        array = array.copy()
    return array.reshape(-1)
