"""One update of soft actor–critic in kernels: draws, targets, both losses, Adam, targets' step.

What :mod:`refmarl.policy_gradient.sac` defines, only faster, for actions of a box. A group has L
sets of networks (one if its agents share them, else one for each of its N agents), each with R
rows of its own: actor (O → 2A), twin critics (I → 1) that see (o, a, E numbers of others). Arrays
are contiguous and flat, of one dtype, network by network, row by row; of pairs (2, …) the first
axis is that of the twins or, for ``moments``, of Adam's m and v.
"""

import math

import numpy as np

from ..value_grad import Real
from . import perceptron
from ._jit import kernel
from .blas import gemm
from .optim import descend
from .tanh import tanh

LOG_2, LOG_2PI = math.log(2.0), math.log(2.0 * math.pi)
TARGET, CRITIC, Q, ACTOR, ENTROPY, ALPHA = range(6)  # columns of what is told
GAMMA, TAU, GOAL, RATE, ALPHA_RATE, LOW, HIGH, ADAM = range(8)  # of ``scales``


@kernel
def draw(
    theta: Real, obs: Real, sizes: Real, smooth: bool, rows: int, noise: Real, bounds: Real,
    hidden: Real, params: Real, action: Real, log_prob: Real,
) -> None:  # fmt: skip
    """a = tanh(μ + σ ε) (R·A) and log π(a) (R) of one actor; ``params`` (R·2A) is (μ, log σ)."""
    count = sizes[-1] // 2
    perceptron.forward(theta, obs, sizes, smooth, rows, hidden, params)
    for m in range(rows):
        total = 0.0
        for k in range(count):
            log_std = params[(2 * m + 1) * count + k]
            held = bounds[0] if log_std < bounds[0] else log_std
            held = bounds[1] if held > bounds[1] else held
            e = noise[m * count + k]
            u = params[2 * m * count + k] + math.exp(held) * e
            size = abs(u)
            log_slope = 2.0 * (LOG_2 - size - math.log(1.0 + math.exp(-2.0 * size)))
            total += -0.5 * (e * e + LOG_2PI) - held - log_slope  # (3.15)
            action[m * count + k] = u
        log_prob[m] = total
    for j in range(rows * count):
        action[j] = tanh(action[j])


@kernel
def draw_all(
    theta: Real, obs: Real, sizes: Real, smooth: bool, noise: Real, bounds: Real, hidden: Real,
    params: Real, action: Real, log_prob: Real,
) -> None:  # fmt: skip
    """:func:`draw` of L actors, each for its own rows; ``log_prob`` (L·R)."""
    nets = len(theta) // perceptron.parameters(sizes)
    rows, size = len(log_prob) // nets, len(theta) // nets
    i, k = rows * sizes[0], rows * sizes[-1] // 2
    for net in range(nets):
        draw(
            theta[net * size : (net + 1) * size], obs[net * i : (net + 1) * i], sizes, smooth, rows,
            noise[net * k : (net + 1) * k], bounds, hidden, params,
            action[net * k : (net + 1) * k], log_prob[net * rows : (net + 1) * rows],
        )  # fmt: skip


@kernel
def place(source: Real, width: int, first: int, out: Real, stride: int) -> None:
    """Rows of ``width`` numbers into wider rows of ``out``, from column ``first`` on."""
    for m in range(len(source) // width):
        for j in range(width):
            out[m * stride + first + j] = source[m * width + j]


@kernel
def gather(
    chosen: Real, source: Real, agents: int, own: bool, width: int, first: int, out: Real,
    stride: int,
) -> None:  # fmt: skip
    """The chosen steps' rows of the memory's array (C·N·width), in the order of the networks."""
    count = len(chosen)
    for m in range(count):
        for i in range(agents):
            row = i * count + m if own else m * agents + i
            to, at = row * stride + first, (chosen[m] * agents + i) * width
            for j in range(width):
                out[to + j] = source[at + j]


@kernel
def weigh(
    chosen: Real, agents: int, own: bool, terminated: Real, alive: Real, next_alive: Real,
    over: Real, weight: Real,
) -> None:  # fmt: skip
    """Whether nothing follows (L·R), and what each row counts: the same where its agent acted."""
    groups = agents if own else 1
    for net in range(groups):
        acting, rows = 0, len(over) // groups
        for j in range(rows):
            m, i = (j, net) if own else (j // agents, j % agents)
            row, at = net * rows + j, chosen[m] * agents + i
            gone = len(next_alive) > 0 and not next_alive[at]
            over[row] = terminated[chosen[m]] or gone
            acts = len(alive) == 0 or alive[at]
            acting += acts
            weight[row] = acts
        for j in range(rows):
            weight[net * rows + j] /= max(acting, 1)


@kernel
def prepare(
    chosen: Real, obs: Real, action: Real, reward: Real, next_obs: Real, terminated: Real,
    alive: Real, next_alive: Real, agents: int, own: bool, theta: Real, sizes: Real, smooth: bool,
    noise: Real, bounds: Real, hidden: Real, params: Real, drawn: Real, seen: Real, x: Real,
    x_next: Real, told: Real, weight: Real, over: Real,
) -> None:  # fmt: skip
    """Fill in what an update of a group works on, from the chosen steps (M) of the memory.

    ``seen`` (L·R·O), ``x`` and ``x_next`` (L·R·I) but for the columns of others, ``told`` (2,
    L·R): r and log π(a'|o'), for a' drawn now; ``noise`` (L·R·A).
    """
    inputs, count, wide = sizes[0], sizes[-1] // 2, len(x) // len(over)
    gather(chosen, next_obs, agents, own, inputs, 0, seen, inputs)
    draw_all(theta, seen, sizes, smooth, noise, bounds, hidden, params, drawn, told[1])
    place(seen, inputs, 0, x_next, wide)
    place(drawn, count, inputs, x_next, wide)
    gather(chosen, obs, agents, own, inputs, 0, seen, inputs)
    place(seen, inputs, 0, x, wide)
    gather(chosen, action, agents, own, count, inputs, x, wide)
    gather(chosen, reward, agents, own, 1, 0, told[0], 1)
    weigh(chosen, agents, own, terminated, alive, next_alive, over, weight)


@kernel
def smaller(first: Real, second: Real) -> bool:
    """Whether the second of two values is their minimum; nan is smaller than all."""
    return bool(second < first or second != second)


@kernel
def critics(
    phi: Real, target: Real, moments: Real, x: Real, x_next: Real, reward: Real, log_prob: Real,
    weight: Real, over: Real, net: int, nets: int, rows: int, alpha: float, widths: Real,
    smooth: bool, step: int, scales: Real, hidden: Real, q: Real, y: Real, slopes: Real,
    means: Real,
) -> None:  # fmt: skip
    """Twin critics of one set of networks: targets, a step of Adam each, targets follow."""
    size, none = len(phi) // (2 * nets), np.empty(0, phi.dtype)
    for k in range(2):
        at = (k * nets + net) * size
        perceptron.forward(target[at : at + size], x_next, widths, smooth, rows, hidden, q[k])
    for m in range(rows):
        least = q[1, m] if smaller(q[0, m], q[1, m]) else q[0, m]
        value = least - alpha * log_prob[m]
        y[m] = reward[m] + scales[GAMMA] * (0.0 if over[m] else value)  # (3.14) (3.18)
        means[TARGET] += weight[m] * y[m]
    for k in range(2):
        at = (k * nets + net) * size
        own = phi[at : at + size]
        perceptron.forward(own, x, widths, smooth, rows, hidden, q[k])
        for m in range(rows):
            error = q[k, m] - y[m]
            means[Q] += 0.5 * weight[m] * q[k, m]
            means[CRITIC] += 0.5 * weight[m] * error * error
            q[k, m] = weight[m] * error
        perceptron.pull_back(own, x, widths, smooth, rows, hidden, q[k], slopes[:size], none)
        m1, m2 = moments[0, at : at + size], moments[1, at : at + size]
        descend(own, slopes[:size], m1, m2, step, scales[RATE], scales[ADAM:])
        tau, follower = phi.dtype.type(scales[TAU]), target[at : at + size]
        for p in range(size):
            follower[p] += tau * (own[p] - follower[p])  # (2.5)


@kernel
def pull_actions(
    phi: Real, x: Real, widths: Real, smooth: bool, chosen: Real, count: int, hidden: Real,
    weight: Real, first: int, actions: int, room: Real, d_action: Real,
) -> None:  # fmt: skip
    """Minus w times the slope of Q in the actions (R·A), of ``count`` chosen rows of a critic."""
    single, width, depth = phi.itemsize == 4, phi.itemsize, len(widths) - 1
    rows, base = len(weight), np.int64(phi.ctypes.data)
    delta, other = room[0], room[1]
    at, block = len(phi), len(hidden)
    for c in range(count):
        delta[c] = -weight[chosen[c]]
    for k in range(depth - 1, -1, -1):
        i, o = widths[k], widths[k + 1]
        at, block = at - (i + 1) * o, block - rows * i * (k > 0)
        here, there = np.int64(delta.ctypes.data), np.int64(other.ctypes.data)
        if k == 0:
            weights = base + width * (at + first * o)
            gemm(single, False, True, count, actions, o, here, o, weights, o, 0.0, there, actions)
            continue
        gemm(single, False, True, count, i, o, here, o, base + width * at, o, 0.0, there, i)
        for c in range(count):
            row = block + chosen[c] * i
            perceptron.slope(smooth, hidden[row : row + i], other[c * i : (c + 1) * i])
        delta, other = other, delta
    for c in range(count):
        for j in range(actions):
            d_action[chosen[c] * actions + j] = other[c * actions + j]


@kernel
def pull_draw(
    params: Real, noise: Real, action: Real, d_action: Real, price: Real, bounds: Real, out: Real
) -> None:
    """The loss's slopes in (μ, log σ) (R·2A), from those in a (R·A) and in log π (R), ε held."""
    rows = len(price)
    count = len(action) // rows
    for m in range(rows):
        for k in range(count):
            mean, log_std = params[2 * m * count + k], params[(2 * m + 1) * count + k]
            held = bounds[0] if log_std < bounds[0] else log_std
            held = bounds[1] if held > bounds[1] else held
            spread = math.exp(held) * noise[m * count + k]  # u − μ
            size = abs(mean + spread)
            slope = math.exp(2.0 * (LOG_2 - size - math.log(1.0 + math.exp(-2.0 * size))))
            du = d_action[m * count + k] * slope + 2.0 * price[m] * action[m * count + k]
            out[2 * m * count + k] = du
            inside = 1.0 if held == log_std else 0.0
            out[(2 * m + 1) * count + k] = inside * (du * spread - price[m])


@kernel
def actor(
    theta: Real, phi: Real, m: Real, v: Real, obs: Real, x: Real, noise: Real, weight: Real,
    net: int, nets: int, alpha: float, sizes: Real, widths: Real, smooth: bool, step: int,
    scales: Real, hidden: Real, judged: Real, q: Real, params: Real, room: Real, drawn: Real,
    log_prob: Real, slopes: Real, means: Real,
) -> float:  # fmt: skip
    """A step of Adam of one actor; E[log π + H̄]."""
    rows, count, inputs = len(weight), sizes[-1] // 2, sizes[0]
    draw(theta, obs, sizes, smooth, rows, noise, scales[LOW : HIGH + 1], hidden, params, drawn[0],
         log_prob)  # fmt: skip
    place(drawn[0], count, inputs, x, widths[0])
    size, missing = len(phi) // (2 * nets), 0.0
    for k in range(2):
        own = phi[(k * nets + net) * size : (k * nets + net + 1) * size]
        perceptron.forward(own, x, widths, smooth, rows, judged[k], q[k])
    for k in range(2):
        chosen, many = np.empty(rows, np.int64), 0
        for j in range(rows):
            if smaller(q[0, j], q[1, j]) == (k == 1):
                chosen[many] = j
                many += 1
        own = phi[(k * nets + net) * size : (k * nets + net + 1) * size]
        pull_actions(own, x, widths, smooth, chosen, many, judged[k], weight, inputs, count, room,
                     drawn[1])  # fmt: skip
    for j in range(rows):
        least = q[1, j] if smaller(q[0, j], q[1, j]) else q[0, j]
        means[ACTOR] += weight[j] * (alpha * log_prob[j] - least)  # (3.16)
        means[ENTROPY] -= weight[j] * log_prob[j]
        missing += weight[j] * (log_prob[j] + scales[GOAL])  # (3.20)
        log_prob[j] = alpha * weight[j]
    d_params = room[0][: 2 * rows * count]
    pull_draw(params, noise, drawn[0], drawn[1], log_prob, scales[LOW : HIGH + 1], d_params)
    none = np.empty(0, theta.dtype)
    perceptron.pull_back(
        theta, obs, sizes, smooth, rows, hidden, d_params, slopes[: len(theta)], none
    )
    descend(theta, slopes[: len(theta)], m, v, step, scales[RATE], scales[ADAM:])
    return missing


@kernel
def learn(
    theta: Real, phi: Real, target: Real, log_alpha: Real, moments: Real, others: Real,
    tempers: Real, steps: Real, seen: Real, x: Real, x_next: Real, told: Real, weight: Real,
    over: Real, noise: Real, sizes: Real, widths: Real, smooth: bool, tune: bool, scales: Real,
    hidden: Real, judged: Real, q: Real, params: Real, room: Real, drawn: Real, slopes: Real,
    means: Real,
) -> None:  # fmt: skip
    """An update of a group in place, of what ``prepare`` filled in; ``means`` (6) is told of it.

    ``steps`` (3) counts Adam's steps of actors, critics and temperatures.
    """
    nets, i, o, k = len(log_alpha), sizes[0], widths[0], sizes[-1] // 2
    rows, size = len(weight) // nets, len(theta) // nets
    for j in range(3):
        steps[j] += 1 if j < 2 or tune else 0
    means[:] = 0.0
    slope = np.empty(nets, theta.dtype)
    for net in range(nets):
        a, b, c, d = net * rows, (net + 1) * rows, net * size, (net + 1) * size
        alpha = math.exp(log_alpha[net])
        critics(
            phi, target, others, x[a * o : b * o], x_next[a * o : b * o], told[0, a:b],
            told[1, a:b], weight[a:b], over[a:b], net, nets, rows, alpha, widths, smooth, steps[1],
            scales, judged[0], q, params[:rows], slopes, means,
        )  # fmt: skip
        slope[net] = -actor(
            theta[c:d], phi, moments[0, c:d], moments[1, c:d], seen[a * i : b * i],
            x[a * o : b * o], noise[a * k : b * k], weight[a:b], net, nets, alpha, sizes, widths,
            smooth, steps[0], scales, hidden, judged, q, params, room, drawn, told[1, a:b], slopes,
            means,
        )  # fmt: skip
        means[ALPHA] += alpha / nets
    total = weight.sum()
    for j in (TARGET, Q, ENTROPY):
        means[j] /= total
    if tune:
        rate = scales[ALPHA_RATE]
        descend(log_alpha, slope, tempers[0], tempers[1], steps[2], rate, scales[ADAM:])
