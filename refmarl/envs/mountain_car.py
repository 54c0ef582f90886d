"""MountainCar: a car too weak for the hill must swing back first.

    v' = v + p f − 0.0025 cos 3x,   x' = x + v'

with x in [−1.2, 0.6], |v| ≤ 0.07, a wall on the left that stops the car, and x uniform in
[−0.6, −0.4] at rest at the beginning. Moore 1990, in the form of Sutton & Barto 1998, §8.4. The
rules are those of Gymnasium: MountainCar-v0 has pushes f = −1, 0, 1 with p = 0.001, reward −1 for
every step, the goal x ≥ 0.5, truncated after 200 steps; MountainCarContinuous-v0 has f in [−1, 1]
with p = 0.0015, reward −0.1 f² and 100 at the goal x ≥ 0.45, truncated after 999.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Box, Disc, Discrete, Group, Scene, Segment
from ..kernels._jit import kernel
from ..value_grad import Real
from ._classic import Body, State
from ._frame import STEPS, close

LEFT, RIGHT, MAX_SPEED, SLOPE = -1.2, 0.6, 0.07, 0.0025


@kernel
def _roll(x: float, v: float, push: float) -> tuple[float, float]:
    """(x', v')."""
    v = v + push - SLOPE * math.cos(3.0 * x)
    v = min(max(v, -MAX_SPEED), MAX_SPEED)
    x = min(max(x + v, LEFT), RIGHT)
    if x == LEFT and v < 0.0:
        v = 0.0
    return x, v


@kernel
def _step(
    x: Array,
    t: Real,
    over: Real,
    action: Real,
    horizon: int,
    x_next: Array,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action not one of the three."""
    for b in range(x.shape[0]):
        if over[b] or not 0 <= action[b, 0] <= 2:
            return False
        x_next[b, 0], x_next[b, 1] = _roll(x[b, 0], x[b, 1], (action[b, 0] - 1) * 0.001)
        reward[b, 0] = -1.0
        close(b, t, x_next[b, 0] >= 0.5 and x_next[b, 1] >= 0.0, horizon, t_next, flags)
    return True


@kernel
def _step_continuous(
    x: Array,
    t: Real,
    over: Real,
    push: Array,
    horizon: int,
    x_next: Array,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over."""
    for b in range(x.shape[0]):
        if over[b]:
            return False
        force = push[b, 0, 0]
        x_next[b, 0], x_next[b, 1] = _roll(x[b, 0], x[b, 1], force * 0.0015)
        there = x_next[b, 0] >= 0.45 and x_next[b, 1] >= 0.0
        reward[b, 0] = (100.0 if there else 0.0) - 0.1 * force * force
        close(b, t, there, horizon, t_next, flags)
    return True


@dataclass(frozen=True)
class _Car(Body):
    """What both cars share: they show (x, v) and begin at rest."""

    start: ClassVar[Array] = np.array([[-0.6, 0.0], [-0.4, 0.0]])

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The valley, the car in it."""
        track = np.linspace(LEFT, RIGHT, 25)
        points = [(float(x), 0.45 * math.sin(3 * x)) for x in track]
        hills = [Segment(a, b, 0.01) for a, b in pairwise(points)]
        x = float(state.x[copy, 0])
        car = Disc((x, 0.45 * math.sin(3 * x) + 0.06), 0.06, colour=0)
        flag = Segment((0.5, 0.45), (0.5, 0.65), 0.02, colour=1)
        return Scene((-1.3, 0.7, -0.55, 0.75), (*hills, flag, car), f"step {int(state.t[copy])}")


@dataclass(frozen=True)
class MountainCar(_Car):
    """One agent, three actions: 0 pushes left, 1 not at all, 2 right."""

    name: ClassVar[str] = "mountain-car"
    group: ClassVar[Group] = Group("car", ("car",), 2, Discrete(3))
    kernel = staticmethod(_step)
    horizon: int = option(200, *STEPS)

    def heuristic(self, state: State) -> Actions:
        """Push to where it rolls."""
        return (np.where(state.x[:, 1] < 0.0, 0, 2)[:, None],)


@dataclass(frozen=True)
class ContinuousMountainCar(_Car):
    """One agent, one action: the push, clipped to [−1, 1]."""

    name: ClassVar[str] = "mountain-car-continuous"
    group: ClassVar[Group] = Group("car", ("car",), 2, Box(-1.0, 1.0, 1))
    kernel = staticmethod(_step_continuous)
    horizon: int = option(999, *STEPS)

    def heuristic(self, state: State) -> Actions:
        """Push to where it rolls."""
        return (np.where(state.x[:, 1] < 0.0, -1.0, 1.0)[:, None, None],)
