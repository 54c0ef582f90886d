"""Predator and prey: slow chasers, fast prey and obstacles (MPE's simple_tag).

    r_chaser = 10 · #{(c, p): ‖x_c − x_p‖ < 0.075 + 0.05}      the same for every chaser
    r_prey   = −10 · #{c that touch it} − w(|x|) − w(|y|)
    w(z) = 0 below 0.9, 10 (z − 0.9) below 1, min(e^{2z − 2}, 10) from 1 on

Lowe et al. 2017. The last term keeps the prey from running away. Landmarks are obstacles of radius
0.2 that stay where they are. An agent sees its velocity and position, the obstacles and the other
agents from where it is, and the velocities of the (other) prey.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..check import Array, InputError, positive
from ..env_api import GREY, Actions, Group, Scene
from ..kernels._jit import kernel
from ..value_grad import Real
from .particles import (
    Given,
    Particles,
    State,
    bump,
    distance,
    dots,
    integrate,
    nearest,
    push,
    ready,
    surroundings,
    thrust,
)

CHASER, PREY, OBSTACLE = 0.075, 0.05, 0.2  # radii
TOUCH = 10.0


@dataclass(frozen=True, kw_only=True)
class Pursuit(Particles):
    """Two groups against each other; nothing terminates."""

    name: ClassVar[str] = "pursuit"
    counts: ClassVar[tuple[str, ...]] = ("chasers", "prey")
    chasers: int = 3
    prey: int = 1
    obstacles: int = 2
    chaser_speed: float = 1.0  # top speeds
    prey_speed: float = 1.3
    chaser_acceleration: float = 3.0
    prey_acceleration: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.obstacles != 0:
            positive(self.obstacles, "obstacles", cap=1000)
        slowest = min(self.chaser_speed, self.prey_speed)
        if not slowest > 0:
            raise InputError(f"speeds: need numbers > 0, got {slowest}")

    @cached_property
    def sizes(self) -> tuple[int, int, int, int]:
        """M, L, 0, 0; chasers first."""
        return self.chasers + self.prey, self.obstacles, 0, 0

    @property
    def spread(self) -> float:
        """Obstacles begin uniform in ± 0.9."""
        return 0.9

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Chasers and prey; prey see the velocity of one fewer."""
        movers, marks, _, _ = self.sizes
        width = 4 + 2 * marks + 2 * (movers - 1) + 2 * self.prey
        chasers = tuple(f"chaser_{i}" for i in range(self.chasers))
        prey = tuple(f"prey_{i}" for i in range(self.prey))
        return (
            Group("chasers", chasers, width, self.move_space),
            Group("prey", prey, width - 2, self.move_space),
        )

    @cached_property
    def discs(self) -> Array:
        """(M, 3): radius, acceleration, top speed."""
        chaser = [CHASER, self.chaser_acceleration, self.chaser_speed]
        prey = [PREY, self.prey_acceleration, self.prey_speed]
        return np.array([chaser] * self.chasers + [prey] * self.prey)

    def _script(
        self,
        state: State,
        given: tuple[Given, ...],
        x: Array,
        said: Array,
        reward: tuple[Array, ...],
    ) -> bool:
        clock = (state.t, state.ended, self.horizon)
        rules = (self.discs, self.velocity_first)
        both = (given[0], given[1])
        return _script(state.x, state.landmark, clock, both, rules, x, reward[0], reward[1])

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        shapes = [(len(x), len(g.agents), g.obs_dim) for g in self.groups]
        chasers, prey = np.empty(shapes[0]), np.empty(shapes[1])
        _look(x, state.landmark, chasers, prey)
        return chasers, prey

    def heuristic(self, state: State) -> Actions:
        """Chasers go for the nearest prey; prey run from all chasers, and back inside."""
        here = state.x[..., :2]
        chasers, prey = here[:, : self.chasers], here[:, self.chasers :]
        away = prey[:, :, None] - chasers[:, None]
        near = (away**2).sum(axis=-1, keepdims=True) + 1e-3
        inside = np.sign(prey) * np.maximum(abs(prey) - 0.6, 0.0)
        flight = (away / near).sum(axis=2) - 20.0 * inside
        hunted = self.toward(state.x[:, : self.chasers], nearest(prey, chasers))
        return hunted, self.toward(state.x[:, self.chasers :], prey + flight)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """Chasers and prey in two colours over grey obstacles."""
        here = state.x[copy, :, :2]
        shapes = dots(state.landmark[copy], OBSTACLE, [GREY] * self.obstacles)
        shapes += dots(here[: self.chasers], CHASER, [0] * self.chasers)
        shapes += dots(here[self.chasers :], PREY, [1] * self.prey)
        return Scene((-1.5, 1.5, -1.5, 1.5), shapes, f"step {int(state.t[copy])}")


@kernel
def outside(z: float) -> float:
    """w: what prey pay for a coordinate of this absolute value."""
    if z < 0.9:
        return 0.0
    return (z - 0.9) * 10.0 if z < 1.0 else min(math.exp(2.0 * z - 2.0), 10.0)


@kernel
def _script(
    start: Array,
    landmark: Array,
    clock: tuple[Real, Real, int],
    given: tuple[Given, Given],
    rules: tuple[Array, bool],
    x: Array,
    chaser_reward: Array,
    prey_reward: Array,
) -> bool:
    t0, over, horizon = clock
    (chasers, prey), (disc, velocity_first) = given, rules
    first = chaser_reward.shape[2]
    for t in range(x.shape[0]):
        now = start if t == 0 else x[t - 1]
        after = x[t]
        for b in range(after.shape[0]):
            if t == 0 and not ready(t0[b], over[b], horizon, x.shape[0]):
                return False
            for i in range(after.shape[1]):
                if i < first:
                    legal, right, up = thrust(chasers.pick, chasers.will, t, b, i, disc[i, 1])
                else:
                    legal, right, up = thrust(prey.pick, prey.will, t, b, i - first, disc[i, 1])
                if not legal:
                    return False
                after[b, i, 2], after[b, i, 3] = right, up
            push(now, after, b, disc)
            bump(now, landmark, after, b, disc, OBSTACLE)
            integrate(now, after, b, disc, velocity_first)
            _reward(after, b, disc, chaser_reward[t], prey_reward[t])
    return True


@kernel
def _reward(x: Array, b: int, disc: Array, chasers: Array, prey: Array) -> None:
    caught, first = 0.0, chasers.shape[1]
    for i in range(prey.shape[1]):
        touched, k = 0.0, first + i
        for j in range(first):
            if distance(x, b, k, x, j) < disc[k, 0] + disc[j, 0]:
                touched += 1.0
        caught += touched
        prey[b, i] = -TOUCH * touched - outside(abs(x[b, k, 0])) - outside(abs(x[b, k, 1]))
    for i in range(first):
        chasers[b, i] = TOUCH * caught


@kernel
def _look(x: Array, landmark: Array, chasers: Array, prey: Array) -> None:
    """Fill in what each of K places shows."""
    first = chasers.shape[1]
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            out, o = (chasers, i) if i < first else (prey, i - first)
            k = surroundings(x, landmark, row, i, out, o)
            for j in range(first, x.shape[1]):
                if j != i:
                    out[row, o, k], out[row, o, k + 1] = x[row, j, 2], x[row, j, 3]
                    k += 2
