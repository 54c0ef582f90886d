"""The kernels of the multi-particle world; its laws stand in :mod:`refmarl.envs.particles`.

A script of T steps of B copies has R = T · B rows: row r is step r // B of copy r mod B, and a
single step is a script of one. ``x`` and ``after`` (B, M, 4) are positions and velocities before
and after a step, ``landmark`` (B, L, 2) places that do not move.

``rules`` (2 + M, 3) holds all parameters: (horizon, velocity first, continuous), three numbers of a
world's own, then (radius, acceleration, top speed) of each agent.

Each goes over all copies: called for each copy, the calls would take longer than the work.
"""

import math

from ..check import Array
from ..kernels._jit import kernel
from ..kernels.counter import below, uniform
from ..value_grad import Real

DT, KEEP, CONTACT, MARGIN = 0.1, 0.75, 100.0, 1e-3
REACH = 50.0 * MARGIN  # beyond contact, from where a push is less than 10⁻²⁰: left out
MOVES = 5
BODY = 2  # the row of ``rules`` where the agents begin


@kernel
def start(key: Real, spread: float, x: Array, landmark: Array, goal: Real) -> None:
    """All at rest, uniform in [-1, 1]² (landmarks within ``spread``); goals uniform."""
    for b in range(x.shape[0]):
        k = 0
        for i in range(x.shape[1]):
            for c in range(2):
                x[b, i, c] = 2.0 * uniform(key[b], 0, k) - 1.0
                x[b, i, 2 + c] = 0.0
                k += 1
        for i in range(landmark.shape[1]):
            for c in range(2):
                landmark[b, i, c] = spread * (2.0 * uniform(key[b], 0, k) - 1.0)
                k += 1
        for i in range(goal.shape[1]):
            goal[b, i] = below(key[b], 0, k + i, landmark.shape[1])


@kernel
def tick(first: int, t: Real, over: Real, rules: Array, t_next: Real, ended: Real) -> bool:
    """Count the step whose rows begin at ``first``; False if an episode is over."""
    size = len(t)
    for b in range(size):
        row = first + b
        if over[b] if first == 0 else ended[row - size]:
            return False
        t_next[row] = (t[b] if first == 0 else t_next[row - size]) + 1
        ended[row] = 0.0 < rules[0, 0] <= t_next[row]
    return True


@kernel
def both(first: int, size: int, x: Array, after: Array) -> tuple[Array, Array]:
    """Where all were and where they will be, (B, M, 4), in the step whose rows begin at first."""
    return x if first == 0 else after[first - size : first], after[first : first + size]


@kernel
def by_agent(given: Real, agents: int) -> Real:
    """A group's actions (R, N) or (R, N, W) as (R, N, W)."""
    rows = given.shape[0]
    return given.reshape(rows, agents, given.size // max(rows * agents, 1))


@kernel
def steer(given: Real, first: int, rules: Array, after: Array) -> bool:
    """The forces of a group, agent ``first`` and those after it, into their velocities.

    ``given`` (B, N, W): a move first, or five numbers. False if a move is illegal.
    """
    for b in range(given.shape[0]):
        for i in range(given.shape[1]):
            accel = rules[BODY + first + i, 1]
            if rules[0, 2] > 0.0:
                right = given[b, i, 2] - given[b, i, 1]
                up = given[b, i, 4] - given[b, i, 3]
            else:
                move = given[b, i, 0]
                if not 0 <= move < MOVES:
                    return False
                right = -1.0 if move == 1 else (1.0 if move == 2 else 0.0)
                up = -1.0 if move == 3 else (1.0 if move == 4 else 0.0)
            after[b, first + i, 2], after[b, first + i, 3] = accel * right, accel * up
    return True


@kernel
def utter(given: Real, part: int, skip: int, rules: Array, said: Array) -> bool:
    """A group's words into ``said`` (B, N, C); False if there is no such word.

    ``given`` (B, N, W): the word is number ``part`` of a choice, or C numbers after ``skip``.
    """
    words = said.shape[2]
    for b in range(given.shape[0]):
        for i in range(given.shape[1]):
            word = given[b, i, part]
            if rules[0, 2] > 0.0:
                for c in range(words):
                    said[b, i, c] = given[b, i, skip + c]
                continue
            if not 0 <= word < words:
                return False
            for c in range(words):
                said[b, i, c] = 1.0 if c == word else 0.0
    return True


@kernel
def squared(x: Array, b: int, i: int, place: Array, j: int) -> float:
    """The square of the distance between copy b's body i and disc j of ``place``."""
    dx, dy = x[b, i, 0] - place[b, j, 0], x[b, i, 1] - place[b, j, 1]
    return float(dx * dx + dy * dy)


@kernel
def touching(x: Array, b: int, i: int, j: int, rules: Array) -> bool:
    """Whether two agents of copy b overlap."""
    touch = rules[BODY + i, 0] + rules[BODY + j, 0]
    return bool(squared(x, b, i, x, j) < touch * touch)


@kernel
def strength(apart: float, touch: float) -> float:
    """The size of the push between discs ``apart`` that touch at ``touch``: falls with distance."""
    if apart > touch + REACH:
        return 0.0
    depth = (touch - apart) / MARGIN
    soft = max(depth, 0.0) + math.log1p(math.exp(-abs(depth)))  # log(1 + exp(depth))
    return CONTACT * MARGIN * soft


@kernel
def contact(apart: float, touch: float) -> float:
    """c ≥ 0 such that they push by c times their offset; 0 at one and the same place."""
    return strength(apart, touch) / apart if apart > 0.0 else 0.0


@kernel
def push(x: Array, rules: Array, force: Array) -> None:
    """Add the pushes between the agents to their ``force``, in the place of velocities."""
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            for j in range(i + 1, x.shape[1]):
                touch = rules[BODY + i, 0] + rules[BODY + j, 0]
                near = squared(x, b, i, x, j)
                if near < (touch + REACH) * (touch + REACH):
                    c = contact(math.sqrt(near), touch)
                    for k in range(2):
                        f = c * (x[b, i, k] - x[b, j, k])
                        force[b, i, 2 + k] += f
                        force[b, j, 2 + k] -= f


@kernel
def bump(x: Array, landmark: Array, radius: float, rules: Array, force: Array) -> None:
    """Add the pushes of landmarks of this radius, which stay where they are."""
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            touch = rules[BODY + i, 0] + radius
            for j in range(landmark.shape[1]):
                near = squared(x, b, i, landmark, j)
                if near < (touch + REACH) * (touch + REACH):
                    c = contact(math.sqrt(near), touch)
                    for k in range(2):
                        force[b, i, 2 + k] += c * (x[b, i, k] - landmark[b, j, k])


@kernel
def integrate(x: Array, rules: Array, after: Array) -> None:
    """All go on for dt: ``after`` holds forces where the velocities will stand."""
    late = rules[0, 1] > 0.0
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            vx, vy = x[b, i, 2], x[b, i, 3]
            wx, wy = KEEP * vx + DT * after[b, i, 2], KEEP * vy + DT * after[b, i, 3]
            top, speed = rules[BODY + i, 2], wx * wx + wy * wy
            if speed > top * top:
                speed = math.sqrt(speed)
                wx, wy = wx / speed * top, wy / speed * top
            after[b, i, 0] = x[b, i, 0] + DT * (wx if late else vx)
            after[b, i, 1] = x[b, i, 1] + DT * (wy if late else vy)
            after[b, i, 2], after[b, i, 3] = wx, wy


@kernel
def surroundings(x: Array, landmark: Array, first: int, out: Array) -> int:
    """Write what a group sees, agent ``first`` and those after it; returns where to go on.

    That is their velocity and position, the landmarks and all others from there.
    """
    here = 4 + 2 * landmark.shape[1]
    for b in range(out.shape[0]):
        for o in range(out.shape[1]):
            i = first + o
            px, py = x[b, i, 0], x[b, i, 1]
            out[b, o, 0], out[b, o, 1] = x[b, i, 2], x[b, i, 3]
            out[b, o, 2], out[b, o, 3] = px, py
            for j in range(landmark.shape[1]):
                out[b, o, 4 + 2 * j] = landmark[b, j, 0] - px
                out[b, o, 5 + 2 * j] = landmark[b, j, 1] - py
            for j in range(x.shape[1]):
                k = here + 2 * (j if j < i else j - 1)
                if j != i:
                    out[b, o, k], out[b, o, k + 1] = x[b, j, 0] - px, x[b, j, 1] - py
    return int(here + 2 * (x.shape[1] - 1))


@kernel
def marks(x: Array, landmark: Array, out: Array) -> int:
    """Write what all see who do not see each other; returns where to go on.

    That is their velocity and the landmarks from where they are.
    """
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[b, i, 0], out[b, i, 1] = x[b, i, 2], x[b, i, 3]
            for j in range(landmark.shape[1]):
                out[b, i, 2 + 2 * j] = landmark[b, j, 0] - x[b, i, 0]
                out[b, i, 3 + 2 * j] = landmark[b, j, 1] - x[b, i, 1]
    return int(2 + 2 * landmark.shape[1])
