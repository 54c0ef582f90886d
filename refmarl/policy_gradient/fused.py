"""PPO's passes over a batch, compiled: what ``ppo.py`` defines, only faster.

They apply to the clipped objective of policies of one choice whose agents share networks, are all
alive and free in their choice, where the perceptron's kernels apply (:mod:`refmarl.nn.fused`);
everything else takes the definition. Results agree with it to rounding.
"""

from typing import Any, NamedTuple

import numpy as np

from ..kernels import ppo as kernels
from ..nn import fused
from ..nn.mlp import MLP
from ..nn.optim import TINY, Adam
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..value_grad import Real


class Batch(NamedTuple):
    """A batch and both learners as the kernels take them; the learners' arrays are changed."""

    obs: Real
    seen: Real
    action: Real
    rows: Real  # (2, R·N): log π_old, A
    judged: Real  # (2, R·n): target, V_old
    agents: int  # N
    values: int  # n
    theta: Real
    phi: Real
    moments: Real  # (2, P)
    others: Real  # (2, P′)
    steps: Real  # (2,)
    sizes: Real
    widths: Real
    smooth: bool


def begin(
    net: Policy, judge: MLP, theta: Real, phi: Real, opt_theta: OptState, opt_phi: OptState,
    data: Any,
) -> Batch | None:  # fmt: skip
    """The batch ``data`` (see ``ppo.Rows``) for :func:`one_pass`; None if that does not apply."""
    sizes = fused.plan(net.net.sizes, net.net.activation, net.net.layer_norm)
    widths = fused.plan(judge.sizes, judge.activation, judge.layer_norm)
    if sizes is None or widths is None or net.kind != "categorical" or theta.ndim > 1:
        return None
    special = (data.starts, data.mask, data.acts)
    if any(x is not None for x in special) or not fused.applies(theta, phi):
        return None
    kind = theta.dtype
    obs, seen = (np.ascontiguousarray(x, kind).reshape(-1) for x in (data.obs, data.seen))
    rows, judged = (
        np.array(pair, kind).reshape(2, -1)
        for pair in ([data.log_prob, data.advantage], [data.target, data.value])
    )
    return Batch(
        obs, seen, np.ascontiguousarray(data.action, np.int64).reshape(-1), rows, judged,
        data.obs.shape[1], data.seen.shape[1], theta.copy(), phi.copy(),
        np.array([opt_theta.m, opt_theta.v]), np.array([opt_phi.m, opt_phi.v]),
        np.array([opt_theta.step, opt_phi.step]),
        sizes.sizes, widths.sizes, sizes.smooth,
    )  # fmt: skip


def one_pass(
    batch: Batch, adam: Adam, order: Real, minibatches: int, rate: float, limits: tuple[float, ...]
) -> Real:
    """What is told of each minibatch (U, 5), after going through ``order`` in as many.

    ``limits``: ε, c, ε of the critic's clipping (infinite for none), c_2, and that of the norm.
    """
    parts = np.array_split(order, minibatches)
    told, ends = np.zeros((len(parts), 5)), np.cumsum([len(part) for part in parts])
    tiny = TINY[batch.theta.dtype.itemsize]
    scales = np.array([*limits, rate, adam.beta1, adam.beta2, adam.epsilon, tiny])
    kernels.one_pass(order, ends, *batch, scales, told)
    return told


def states(batch: Batch) -> tuple[OptState, OptState]:
    """Where Adam stands for both networks."""
    first, second = (int(k) for k in batch.steps)
    return OptState(first, *batch.moments), OptState(second, *batch.others)
