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

from ..check import Array
from ..config import option
from ..env_api import GREY, Actions, Group, Scene
from ..kernels._jit import kernel
from ..value_grad import Real
from ._physics import (
    both,
    bump,
    by_agent,
    integrate,
    push,
    steer,
    surroundings,
    tick,
    touching,
)
from .particles import COUNT, Numbers, Particles, Rows, State, dots, nearest

CHASER, PREY, OBSTACLE = 0.075, 0.05, 0.2  # radii
TOUCH = 10.0
SPEED, ACCELERATION = "(0, 1e6]", "[0, 1e6]"


@dataclass(frozen=True, kw_only=True)
class Pursuit(Particles):
    """Two groups against each other; nothing terminates."""

    name: ClassVar[str] = "pursuit"
    chasers: int = option(3, "slow agents", COUNT)
    prey: int = option(1, "fast agents", COUNT)
    obstacles: int = option(2, "discs in the way", "[0, 1000]")
    chaser_speed: float = option(1.0, "top speed of chasers", SPEED)
    prey_speed: float = option(1.3, "top speed of prey", SPEED)
    chaser_acceleration: float = option(3.0, "acceleration of chasers", ACCELERATION)
    prey_acceleration: float = option(4.0, "acceleration of prey", ACCELERATION)

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

    @property
    def bodies(self) -> list[Numbers]:
        """Radius, acceleration, top speed; chasers first."""
        chaser = (CHASER, self.chaser_acceleration, self.chaser_speed)
        prey = (PREY, self.prey_acceleration, self.prey_speed)
        return [chaser] * self.chasers + [prey] * self.prey

    def _play(self, state: State, actions: Actions, rows: Rows) -> tuple[Array, ...] | None:
        _, t, over, at, landmark, _, _ = state
        t_next, ended, x, _ = rows
        hunt, flee = self._given(rows, actions, 0), self._given(rows, actions, 1)
        paid, lost = np.empty((len(t_next), self.chasers)), np.empty((len(t_next), self.prey))
        if _step(at, landmark, t, over, hunt, flee, self.rules, t_next, ended, x, paid, lost):
            return paid, lost
        return None

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        chasers = np.empty((len(x), self.chasers, self.groups[0].obs_dim))
        prey = np.empty((len(x), self.prey, self.groups[1].obs_dim))
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
def _step(
    x: Array,
    landmark: Array,
    t: Real,
    over: Real,
    chasers: Real,
    prey: Real,
    rules: Array,
    t_next: Real,
    ended: Real,
    after: Array,
    chaser_reward: Array,
    prey_reward: Array,
) -> bool:
    """Fill in what R rows of actions lead to; False if one must be refused."""
    size, chase = len(t), chaser_reward.shape[1]
    hunt, flee = by_agent(chasers, chase), by_agent(prey, prey_reward.shape[1])
    for first in range(0, len(t_next), size):
        (now, then), last = both(first, size, x, after), first + size
        if not tick(first, t, over, rules, t_next, ended):
            return False
        if not steer(hunt[first:last], 0, rules, then):
            return False
        if not steer(flee[first:last], chase, rules, then):
            return False
        push(now, rules, then)
        bump(now, landmark, OBSTACLE, rules, then)
        integrate(now, rules, then)
        _reward(then, rules, chaser_reward[first:last], prey_reward[first:last])
    return True


@kernel
def _reward(x: Array, rules: Array, chasers: Array, prey: Array) -> None:
    chase = chasers.shape[1]
    for b in range(x.shape[0]):
        caught = 0.0
        for i in range(prey.shape[1]):
            touched, k = 0.0, chase + i
            for j in range(chase):
                if touching(x, b, k, j, rules):
                    touched += 1.0
            caught += touched
            prey[b, i] = -TOUCH * touched - outside(abs(x[b, k, 0])) - outside(abs(x[b, k, 1]))
        for i in range(chase):
            chasers[b, i] = TOUCH * caught


@kernel
def _look(x: Array, landmark: Array, chasers: Array, prey: Array) -> None:
    """Fill in what each of R places shows."""
    size, chase = len(landmark), chasers.shape[1]
    for first in range(0, len(x), size):
        last = first + size
        here = x[first:last]
        _group(here, landmark, 0, chase, chasers[first:last])
        _group(here, landmark, chase, chase, prey[first:last])


@kernel
def _group(x: Array, landmark: Array, first: int, chase: int, out: Array) -> None:
    """What the agents from ``first`` on see."""
    here = surroundings(x, landmark, first, out)
    for b in range(out.shape[0]):
        for o in range(out.shape[1]):
            k = here
            for j in range(chase, x.shape[1]):
                if j != first + o:
                    out[b, o, k], out[b, o, k + 1] = x[b, j, 2], x[b, j, 3]
                    k += 2
