"""One pass of a perceptron with one output over a batch: minibatches of ½ E[(y − target)²], Adam.

Arrays are contiguous and flat, of one dtype; a row of the batch is a step with N agents that share
the network: ``x`` (R·N·I), ``target`` (R·N).
"""

import numpy as np

from ..value_grad import Real
from . import perceptron
from ._jit import kernel
from .optim import descend
from .ppo import BETA1, gather


@kernel
def error(y: Real, target: Real, out: Real) -> float:
    """½ E[(y − target)²], and its gradient in y (M)."""
    rows, total = len(y), 0.0
    for m in range(rows):
        e = float(y[m]) - target[m]
        total += 0.5 * e * e
        out[m] = e / rows
    return total / rows


@kernel
def one_pass(
    order: Real, ends: Real, x: Real, target: Real, agents: int, theta: Real, moments: Real,
    step: int, sizes: Real, smooth: bool, rate: float, scales: Real, losses: Real,
) -> None:  # fmt: skip
    """Go through ``order`` (R) in minibatches that end at ``ends`` (U), in place.

    ``moments`` (2, P) are Adam's, ``step`` how many of its steps there were; ``scales`` as
    :mod:`~refmarl.kernels.ppo` has them; ``losses`` (U) are those before each step.
    """
    most, first = 0, 0
    for u in range(len(ends)):
        most, first = max(most, ends[u] - first), ends[u]
    kind, count = theta.dtype, most * agents
    seen, wanted = np.empty(count * sizes[0], kind), np.empty(count, kind)
    y, dy = np.empty(count, kind), np.empty(count, kind)
    hidden, width = np.empty(count * sizes[1:-1].sum(), kind), sizes[1:-1].sum()
    slope, none = np.empty_like(theta), np.empty(0, kind)
    first = 0
    for u in range(len(ends)):
        chosen = order[first : ends[u]]
        n, first = len(chosen) * agents, ends[u]
        gather(x, chosen, agents * sizes[0], seen)
        gather(target, chosen, agents, wanted)
        xs, h = seen[: n * sizes[0]], hidden[: n * width]
        perceptron.forward(theta, xs, sizes, smooth, n, h, y[:n])
        losses[u] = error(y[:n], wanted[:n], dy[:n])
        perceptron.pull_back(theta, xs, sizes, smooth, n, h, dy[:n], slope, none)
        descend(theta, slope, moments[0], moments[1], step + u + 1, rate, scales[BETA1:])
