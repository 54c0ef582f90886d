r"""What a team can cover at best in the steps to come, whatever its agents do: the kernels.

After k steps an agent is at c_k + e_k + f_k. c_k is where its velocity alone takes it. e_k is what
it steered: anything in r_k U, with U = {|x| + |y| ≤ 1} for moves and [−1, 1]² for numbers, and

    r_{k+1} = r_k + dt s_k,    s_{k+1} = 3/4 s_k + dt · acceleration.

f_k is what pushes added, ‖f_k‖ ≤ q_k. Two agents are then at least

    d_ij = max(0, dist(c_i − c_j, (r_i + r_j) U) − q_i − q_j)

apart; a push is the weaker the farther they are; and so, with g the size of a push,

    q_{k+1} = q_k + dt p_k,    p_{k+1} = 3/4 p_k + dt Σ_j g(d_ij)

(dt s_{k+1} and dt p_{k+1} where agents move with the new velocity). Without contact the corners of
c_k + r_k U are reached, by one action for ever. A landmark l is at least dist(l − c_i, r_i U) − q_i
from agent i. If m > 1 landmarks share an agent, wherever it is, their distances from it sum up to
those of all pairs of them over m − 1 at least (triangle inequality). The cover costs no less than
the cheapest way to share all landmarks out; each step may have another.

Axes: B copies, M agents, L landmarks; a tube is (M, 8), an agent's c, its velocity, r, s, q, p.
"""

import math

import numpy as np

from ..check import Array
from ..kernels._jit import kernel
from ..value_grad import Real
from ._physics import BODY, DT, KEEP, strength

EXACT = 6  # landmarks for which all ways to share them out are tried
SURE = 1e-9  # nearer to touching than this no contact is called certain, or impossible
VX, VY, R, S, Q, P = range(2, 8)


@kernel
def outlook(x: Array, landmark: Array, left: Real, rules: Array, total: Array) -> None:
    """Sums over the ``left`` (B,) steps to come that hold for all policies: ``total`` (B, 4).

    The least and the most that the cover costs; how many pairs touch, at least and at most.
    """
    marks = landmark.shape[1]
    spread = np.zeros(1 << marks if marks <= EXACT else 1)
    tube, force = np.zeros((x.shape[1], 8)), np.zeros(x.shape[1])
    for b in range(x.shape[0]):
        _spread(landmark[b], spread)
        for i in range(x.shape[1]):
            tube[i, :R], tube[i, R:] = x[b, i], 0.0
        total[b] = 0.0
        for _ in range(left[b]):
            _forward(tube, rules, force)
            if marks <= EXACT:
                total[b, 0] += _shared(tube, landmark[b], rules, spread)
            else:
                total[b, 0] += _nearest(tube, landmark[b], rules)
            total[b, 1] += _farthest(tube, landmark[b], rules)
            _contacts(tube, rules, total[b])


@kernel
def beyond(dx: float, dy: float, half: float, rules: Array) -> float:
    """The distance of (dx, dy) from half · U."""
    if rules[0, 2] == 0.0:  # a diamond is a square, seen askew
        dx, dy, half = (dx + dy) * math.sqrt(0.5), (dx - dy) * math.sqrt(0.5), half * math.sqrt(0.5)
    return float(math.hypot(max(abs(dx) - half, 0.0), max(abs(dy) - half, 0.0)))


@kernel
def _width(rules: Array) -> float:
    """The largest length in U."""
    return math.sqrt(2.0) if rules[0, 2] > 0.0 else 1.0


@kernel
def _between(tube: Array, i: int, j: int, rules: Array) -> tuple[float, float]:
    """Two agents' least and largest distance."""
    dx, dy = tube[i, 0] - tube[j, 0], tube[i, 1] - tube[j, 1]
    steered, pushed = tube[i, R] + tube[j, R], tube[i, Q] + tube[j, Q]
    most = math.hypot(dx, dy) + _width(rules) * steered + pushed
    return max(beyond(dx, dy, steered, rules) - pushed, 0.0), most


@kernel
def _forward(tube: Array, rules: Array, force: Array) -> None:
    """A step of every agent's tube; ``force`` (M,) is room for the pushes' bounds."""
    late = rules[0, 1] > 0.0
    force[:] = 0.0
    for i in range(len(tube)):
        for j in range(i):
            touch = rules[BODY + i, 0] + rules[BODY + j, 0]
            push = strength(_between(tube, i, j, rules)[0], touch)
            force[i] += push
            force[j] += push
    for i in range(len(tube)):
        for k in range(2):
            speed = KEEP * tube[i, VX + k]
            tube[i, k] += DT * (speed if late else tube[i, VX + k])
            tube[i, VX + k] = speed
        for k, drive in ((R, rules[BODY + i, 1]), (Q, force[i])):
            speed = KEEP * tube[i, k + 1] + DT * drive
            tube[i, k] += DT * (speed if late else tube[i, k + 1])
            tube[i, k + 1] = speed


@kernel
def _gap(tube: Array, i: int, landmark: Array, j: int, rules: Array) -> float:
    """The least distance of landmark j (of one copy) from agent i."""
    dx, dy = landmark[j, 0] - tube[i, 0], landmark[j, 1] - tube[i, 1]
    return float(max(beyond(dx, dy, tube[i, R], rules) - tube[i, Q], 0.0))


@kernel
def _nearest(tube: Array, landmark: Array, rules: Array) -> float:
    """What the cover costs at least, if an agent could be in several places at once."""
    total = 0.0
    for j in range(len(landmark)):
        least = np.inf
        for i in range(len(tube)):
            least = min(least, _gap(tube, i, landmark, j, rules))
        total += least
    return total


@kernel
def _farthest(tube: Array, landmark: Array, rules: Array) -> float:
    """What it costs at most."""
    total = 0.0
    for j in range(len(landmark)):
        most = np.inf
        for i in range(len(tube)):
            away = math.hypot(landmark[j, 0] - tube[i, 0], landmark[j, 1] - tube[i, 1])
            most = min(most, away + _width(rules) * tube[i, R] + tube[i, Q])
        total += most
    return total


@kernel
def _contacts(tube: Array, rules: Array, total: Array) -> None:
    """Count the pairs that must touch, and those that can."""
    for i in range(len(tube)):
        for j in range(i):
            touch = rules[BODY + i, 0] + rules[BODY + j, 0]
            least, most = _between(tube, i, j, rules)
            if most < touch - SURE:
                total[2] += 1.0
            if least < touch + SURE:
                total[3] += 1.0


@kernel
def _spread(landmark: Array, spread: Array) -> None:
    """For each set of landmarks, what it costs one agent at least: a bit for each landmark."""
    for marks in range(len(spread)):
        count, pairs = 0, 0.0
        for i in range(len(landmark)):
            if marks >> i & 1:
                count += 1
                for j in range(i):
                    if marks >> j & 1:
                        dx, dy = landmark[i, 0] - landmark[j, 0], landmark[i, 1] - landmark[j, 1]
                        pairs += math.hypot(dx, dy)
        spread[marks] = pairs / max(count - 1, 1)


@kernel
def _shared(tube: Array, landmark: Array, rules: Array, spread: Array) -> float:
    """What the cover costs at least: the cheapest way to share the landmarks out.

    ``best`` has a set's least cost for the agents so far; the next takes a part of it.
    """
    best, cost = np.full(len(spread), np.inf), np.zeros(len(spread))
    best[0] = 0.0
    for i in range(len(tube)):
        for j in range(len(landmark)):  # sums over a set: over all but its last, and the last
            gap = _gap(tube, i, landmark, j, rules)
            for marks in range(1 << j):
                cost[marks | 1 << j] = cost[marks] + gap
        for marks in range(len(spread) - 1, -1, -1):
            least, part = best[marks], marks
            while part > 0:
                least = min(least, best[marks ^ part] + max(cost[part], spread[part]))
                part = (part - 1) & marks
            best[marks] = least
    return float(best[-1])
