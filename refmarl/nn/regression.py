"""A perceptron's passes over a batch of steps: least squares in minibatches, by Adam.

Where agents share the network and its kernels apply (:mod:`refmarl.nn.fused`) a pass is one
compiled call, with the same result to rounding.

Axes: R steps of a batch, N agents, P parameters; θ is (P,) if they share it, (N, P) if not.
"""

import numpy as np

from ..kernels import regression as kernels
from ..value_grad import Real
from . import fused
from .losses import half_mse
from .mlp import MLP
from .optim import TINY, Adam, State


def one_pass(
    net: MLP, theta: Real, state: State, adam: Adam, x: Real, target: Real, order: Real,
    minibatches: int, rate: float,
) -> tuple[Real, State, Real]:  # fmt: skip
    """(θ', the optimiser's state, ½ E[(y − target)²] of each minibatch before its step).

    Parameters
    ----------
    net : with one output
    x, target : (R, N, I) and (R, N)
    order : (R,) whole numbers, cut into ``minibatches`` as even as possible
    """
    parts = np.array_split(order, minibatches)
    plan = fused.plan(net.sizes, net.activation, net.layer_norm)
    same = x.dtype == target.dtype == theta.dtype == state.m.dtype
    if plan is None or theta.ndim > 1 or adam.decay or not same or not fused.applies(theta, x):
        return _definition(net, theta, state, adam, x, target, parts, rate)
    seen, wanted = (np.ascontiguousarray(part).reshape(-1) for part in (x, target))
    moved, moments = theta.copy(), np.array([state.m, state.v])
    ends, losses = np.cumsum([len(part) for part in parts]), np.empty(len(parts))
    tiny = TINY[theta.dtype.itemsize]
    scales = np.array([0.0] * 6 + [adam.beta1, adam.beta2, adam.epsilon, tiny])
    kernels.one_pass(
        order, ends, seen, wanted, x.shape[1], moved, moments, state.step, plan.sizes,
        plan.smooth, rate, scales, losses,
    )  # fmt: skip
    return moved, State(state.step + len(parts), *moments), losses


def _definition(
    net: MLP, theta: Real, state: State, adam: Adam, x: Real, target: Real, parts: list[Real],
    rate: float,
) -> tuple[Real, State, Real]:  # fmt: skip
    losses = []
    for chosen in parts:
        some = x[chosen] if theta.ndim == 1 else np.moveaxis(x[chosen], -2, 0)
        y, tape = net.forward(theta, some)
        wanted = target[chosen] if theta.ndim == 1 else target[chosen].T
        loss = half_mse(y[..., 0], wanted)
        slope = net.gradient(theta, tape, loss.gradient[..., None])
        state, theta = adam.update(state, theta, slope, rate)
        losses.append(float(loss.value))
    return theta, state, np.array(losses)
