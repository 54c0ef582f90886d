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
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np

from ..check import Array
from ..env_api import (
    Actions,
    Box,
    Disc,
    Discrete,
    Env,
    Group,
    Scene,
    Segment,
    Step,
    continuous_actions,
    discrete_actions,
    refuse,
)
from ..kernels._jit import kernel
from ..value_grad import Real
from ._classic import State, begin, blank, outcome

LEFT, RIGHT, MAX_SPEED, SLOPE = -1.2, 0.6, 0.07, 0.0025
LOW, HIGH = np.array([-0.6, 0.0]), np.array([-0.4, 0.0])


@dataclass(frozen=True)
class _Car(Env):
    """What both cars share."""

    def restart(self, key: Real) -> State:
        """At rest, x uniform in [−0.6, −0.4)."""
        return begin(key, LOW, HIGH)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(x, v) as (B, 1, 2)."""
        return (state.x[:, None, :].copy(),)

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
    horizon: int = 200  # steps until truncation

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group of one agent that sees (x, v)."""
        return (Group("car", ("car",), 2, Discrete(3)),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Push for one step."""
        action, filled = discrete_actions(self, len(state.t), actions), blank(state)
        if not _step(state.x, state.t, state.ended, action, self.horizon, *filled):
            refuse(self, state, actions)
        return outcome(state, filled)

    def heuristic(self, state: State) -> Actions:
        """Push to where it rolls."""
        return (np.where(state.x[:, 1] < 0.0, 0, 2)[:, None],)


@dataclass(frozen=True)
class ContinuousMountainCar(_Car):
    """One agent, one action: the push, clipped to [−1, 1]."""

    name: ClassVar[str] = "mountain-car-continuous"
    horizon: int = 999  # steps until truncation

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group of one agent that sees (x, v)."""
        return (Group("car", ("car",), 2, Box(-1.0, 1.0, 1)),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Push for one step."""
        push, filled = continuous_actions(self, len(state.t), actions), blank(state)
        if not _step_continuous(state.x, state.t, state.ended, push, self.horizon, *filled):
            refuse(self, state, actions)
        return outcome(state, filled)

    def heuristic(self, state: State) -> Actions:
        """Push to where it rolls."""
        return (np.where(state.x[:, 1] < 0.0, -1.0, 1.0)[:, None, None],)


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
    terminated: Real,
    truncated: Real,
    ended: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action not one of the three."""
    for b in range(x.shape[0]):
        if over[b] or not 0 <= action[b, 0] <= 2:
            return False
        x_next[b, 0], x_next[b, 1] = _roll(x[b, 0], x[b, 1], (action[b, 0] - 1) * 0.001)
        t_next[b] = t[b] + 1
        terminated[b] = x_next[b, 0] >= 0.5 and x_next[b, 1] >= 0.0
        truncated[b] = 0 < horizon <= t_next[b] and not terminated[b]
        ended[b] = terminated[b] or truncated[b]
        reward[b, 0] = -1.0
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
    terminated: Real,
    truncated: Real,
    ended: Real,
) -> bool:
    """Fill in what follows; False if a copy is over."""
    for b in range(x.shape[0]):
        if over[b]:
            return False
        force = push[b, 0, 0]
        x_next[b, 0], x_next[b, 1] = _roll(x[b, 0], x[b, 1], force * 0.0015)
        t_next[b] = t[b] + 1
        terminated[b] = x_next[b, 0] >= 0.45 and x_next[b, 1] >= 0.0
        truncated[b] = 0 < horizon <= t_next[b] and not terminated[b]
        ended[b] = terminated[b] or truncated[b]
        reward[b, 0] = (100.0 if terminated[b] else 0.0) - 0.1 * force * force
    return True
