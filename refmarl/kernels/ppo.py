"""One pass of PPO over a batch in one kernel: minibatches, losses, both networks, Adam's steps.

What :mod:`refmarl.policy_gradient.ppo` defines, only faster, for policies of one choice whose
agents share networks and all act. Arrays are contiguous and flat, of one dtype; a row of the batch
is a step with N agents and n values (N, or 1 that all share): ``obs`` (R·N·O), ``seen`` (R·n·C).
"""

import math

import numpy as np

from ..value_grad import Real
from . import perceptron
from ._jit import kernel
from .optim import descend

GAIN, LOSS, ENTROPY, CLIPPED, NORM = range(5)  # columns of what is told
CLIP, DUAL, VALUE_CLIP, BONUS, LIMIT, RATE, BETA1, BETA2, EPSILON, TINY = range(10)


@kernel
def gather(source: Real, chosen: Real, width: int, out: Real) -> None:
    """Rows of ``width`` numbers, one after the other."""
    for k in range(len(chosen)):
        first = chosen[k] * width
        for j in range(width):
            out[k * width + j] = source[first + j]


@kernel
def clipped_policy(
    logits: Real, action: Real, log_prob_old: Real, advantage: Real, scales: Real, out: Real,
    told: Real,
) -> None:  # fmt: skip
    """Minus the gradient of L^CLIP + c₂ H in the logits (M·K); ``told`` (5) grows by the means."""
    rows = len(action)
    size, clip, dual, bonus = len(logits) // rows, scales[CLIP], scales[DUAL], scales[BONUS]
    for m in range(rows):
        row, at = logits[m * size : (m + 1) * size], m * size
        top = row[0]
        for k in range(1, size):
            top = max(top, row[k])
        total = 0.0
        for k in range(size):
            total += math.exp(row[k] - top)
        shift, entropy = top + math.log(total), 0.0
        for k in range(size):
            log_p = row[k] - shift
            entropy -= math.exp(log_p) * log_p
        ratio = math.exp(row[action[m]] - shift - log_prob_old[m])  # (3.6)
        a = advantage[m]
        free, held = ratio * a, min(max(ratio, 1.0 - clip), 1.0 + clip) * a
        moves, gain = not free > held, min(free, held)  # (3.7)
        if a < 0.0 and gain <= dual * a:
            moves, gain = False, dual * a
        weight = free if moves else 0.0
        for k in range(size):
            log_p = row[k] - shift
            p = math.exp(log_p)
            slope = weight * ((1.0 if k == action[m] else 0.0) - p) - bonus * p * (log_p + entropy)
            out[at + k] = -slope / rows
        told[GAIN] += (gain + bonus * entropy) / rows
        told[ENTROPY] += entropy / rows
        told[CLIPPED] += (1.0 if abs(ratio - 1.0) > clip else 0.0) / rows


@kernel
def held_value(
    value: Real, value_old: Real, target: Real, clip: float, out: Real, told: Real
) -> None:
    """The gradient of the critic's loss in V (M)."""
    rows = len(value)
    for m in range(rows):
        error = float(value[m]) - target[m]
        change = float(value[m]) - value_old[m]
        held = value_old[m] + min(max(change, -clip), clip) - target[m]
        free = not abs(change) > clip or not error * error < held * held
        told[LOSS] += 0.5 * (error * error if free else held * held) / rows
        out[m] = (error if free else 0.0) / rows


@kernel
def limit_norm(gradient: Real, limit: float) -> float:
    """‖g‖ before it is made at most ``limit``."""
    total = 0.0
    for p in range(len(gradient)):
        total += float(gradient[p]) * float(gradient[p])
    norm = math.sqrt(total)
    if norm > limit:
        factor = gradient.dtype.type(limit / norm)
        for p in range(len(gradient)):
            gradient[p] *= factor
    return norm


@kernel
def one_pass(
    order: Real, ends: Real, obs: Real, seen: Real, action: Real, rows: Real, judged: Real,
    agents: int, values: int, theta: Real, phi: Real, moments: Real, others: Real, steps: Real,
    sizes: Real, widths: Real, smooth: bool, scales: Real, told: Real,
) -> None:  # fmt: skip
    """Go through ``order`` (R) in minibatches that end at ``ends`` (U), in place.

    ``rows`` (2, R·N): log π_old, A; ``judged`` (2, R·n): target, V_old; ``moments`` (2, P) and
    ``others`` (2, P′) are Adam's, ``steps`` (2) how many of its steps there were; ``sizes`` and
    ``widths`` those of the layers of the policy's and the critic's network; ``told`` (U, 5).
    """
    most, first = 0, 0
    for u in range(len(ends)):
        most, first = max(most, ends[u] - first), ends[u]
    kind, count, few = theta.dtype, most * agents, most * values
    x, s = np.empty(count * sizes[0], kind), np.empty(few * widths[0], kind)
    y, dy = np.empty(count * sizes[-1], kind), np.empty(count * sizes[-1], kind)
    z, dz = np.empty(few, kind), np.empty(few, kind)
    hidden = np.empty(max(count * sizes[1:-1].sum(), few * widths[1:-1].sum()), kind)
    taken, part = np.empty(count, action.dtype), np.empty((2, count), kind)
    goal = np.empty((2, few), kind)
    d_theta, d_phi, none = np.empty_like(theta), np.empty_like(phi), np.empty(0, kind)
    inner, outer = sizes[1:-1].sum(), widths[1:-1].sum()
    first = 0
    for u in range(len(ends)):
        chosen = order[first : ends[u]]
        n, m, first = len(chosen) * agents, len(chosen) * values, ends[u]
        gather(obs, chosen, agents * sizes[0], x)
        gather(seen, chosen, values * widths[0], s)
        gather(action, chosen, agents, taken)
        for k in range(2):
            gather(rows[k], chosen, agents, part[k])
            gather(judged[k], chosen, values, goal[k])
        xs, ss, out = x[: n * sizes[0]], s[: m * widths[0]], told[u]
        logits, d_logits = y[: n * sizes[-1]], dy[: n * sizes[-1]]
        perceptron.forward(theta, xs, sizes, smooth, n, hidden[: n * inner], logits)
        old, a = part[0][:n], part[1][:n]
        clipped_policy(logits, taken[:n], old, a, scales, d_logits, out)
        perceptron.pull_back(
            theta, xs, sizes, smooth, n, hidden[: n * inner], d_logits, d_theta, none
        )
        out[NORM] = limit_norm(d_theta, scales[LIMIT])
        steps[0] += 1
        descend(theta, d_theta, moments[0], moments[1], steps[0], scales[RATE], scales[BETA1:])
        perceptron.forward(phi, ss, widths, smooth, m, hidden[: m * outer], z[:m])
        held_value(z[:m], goal[1][:m], goal[0][:m], scales[VALUE_CLIP], dz[:m], out)
        perceptron.pull_back(phi, ss, widths, smooth, m, hidden[: m * outer], dz[:m], d_phi, none)
        limit_norm(d_phi, scales[LIMIT])
        steps[1] += 1
        descend(phi, d_phi, others[0], others[1], steps[1], scales[RATE], scales[BETA1:])
