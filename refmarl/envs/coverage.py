"""Coverage: a swarm spreads so that every place has somebody near (Cortés et al. 2004).

    H(p) = mean over a grid of places x of min_i ‖x − p_i‖²,      r = −H after the step

n agents move in the unit interval or square, at most ``speed`` a step along each axis, and all are
paid −H. An agent sees where it is, and where the others are from there. Lloyd's plan, everybody to
the centre of its own Voronoi cell, never makes H larger.

*Bound.* For evenly spread places H is at least 1/(12 n²) in an interval, which n equal pieces
reach, and at least 5√3/(54 n) in a square: no cells do better than regular hexagons (Fejes Tóth
1972). The grid of M^d places takes at most d/(12 M²) from it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import (
    GREY,
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
from ..kernels.counter import uniform
from ..value_grad import Real
from ._frame import close, lines, room

HEXAGON = 5.0 * np.sqrt(3.0) / 54.0  # ∫ ‖x‖² over a regular hexagon of area 1


class State(NamedTuple):
    """B swarms."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    at: Array  # (B, n, d) in [0, 1]


@dataclass(frozen=True)
class Coverage(Env):
    """A swarm of agents alike; nothing terminates."""

    name: ClassVar[str] = "swarm"
    players: int = option(5, "n, agents", "[1, 1000]")
    dimensions: int = option(2, "d, of an interval or a square", "[1, 2]")
    grid: int = option(16, "M, places along each axis", "[2, 200]")
    speed: float = option(0.1, "largest step along an axis", "(0, 1]")
    continuous: bool = option(False, "steps of any length, not one along one axis")
    horizon: int = option(25, "T, steps until truncation", "[1, 1e9]")

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All in one: n d numbers; to stay, or a step along an axis, down and up."""
        names = tuple(f"agent {i + 1}" for i in range(self.players))
        d = self.dimensions
        space = Box(-1.0, 1.0, d) if self.continuous else Discrete(2 * d + 1)
        return (Group("swarm", names, self.players * d, space),)

    def restart(self, key: Real) -> State:
        """Anywhere."""
        size = len(key)
        at = np.empty((size, self.players, self.dimensions))
        _place(key, at)
        return State(key, np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool), at)

    def observe(self, state: State) -> tuple[Array, ...]:
        """One's own place, then the others from there, in turn: (B, n, n d)."""
        n = self.players
        order = (np.arange(n)[:, None] + np.arange(n)) % n
        seen = state.at[:, order] - np.where(np.arange(n)[:, None] > 0, state.at[:, :, None], 0.0)
        return (seen.reshape(len(state.t), n, -1),)

    def global_state(self, state: State) -> Array:
        """All places, (B, n d)."""
        return state.at.reshape(len(state.t), -1).copy()

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Move, and see how well the ground is covered."""
        size, at = len(state.t), np.empty_like(state.at)
        t, reward, flags = room(size, self.players)
        if self.continuous:
            move = continuous_actions(self, size, actions)
        else:
            chosen = discrete_actions(self, size, actions)
            if ((chosen < 0) | (chosen > 2 * self.dimensions)).any():
                refuse(self, state, actions)
            move = self._moves[chosen]
        past = (state.t, state.ended, state.at, move)
        if not _step(*past, self.speed, self.grid, self.horizon, at, t, reward, flags):
            refuse(self, state, actions)
        return State(state.key, t, flags[2], at), Step((reward,), flags[0], flags[1])

    @cached_property
    def _moves(self) -> Array:
        """What each discrete action adds, in units of the speed: (2 d + 1, d)."""
        axes = np.repeat(np.eye(self.dimensions), 2, axis=0)
        signs = np.tile([-1.0, 1.0], self.dimensions)[:, None]
        return np.concatenate([np.zeros((1, self.dimensions)), signs * axes])

    def cost(self, at: Array) -> Array:
        """H (B,) of agents at these places (B, n, d)."""
        found = np.empty(len(at))
        _cover(np.ascontiguousarray(at), self.grid, found)
        return found

    def centres(self, at: Array) -> Array:
        """(B, n, d): the centre of each agent's cell; who has none stays."""
        found = np.array(at)
        _centres(np.ascontiguousarray(at), self.grid, found)
        return found

    def least_cost(self) -> float:
        """What H is not below, wherever the agents are."""
        n, d = self.players, self.dimensions
        even = 1.0 / (12.0 * n**2) if d == 1 else HEXAGON / n
        return max(even - d / (12.0 * self.grid**2), 0.0)

    def ceiling(self, state: State) -> Array:
        """(B,): −T times the least cost."""
        return np.full(len(state.t), -self.horizon * self.least_cost())

    def heuristic(self, state: State) -> Actions:
        """Lloyd: towards the centre of one's own cell."""
        wish = (self.centres(state.at) - state.at) / self.speed
        if self.continuous:
            return (np.clip(wish, -1.0, 1.0),)
        axis = np.abs(wish).argmax(axis=-1)
        along = np.take_along_axis(wish, axis[..., None], axis=-1)[..., 0]
        return (np.where(np.abs(along) < 0.5, 0, 1 + 2 * axis + (along > 0)),)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The agents, each with a line to the centre of its cell."""
        at = np.full((self.players, 2), 0.5)
        at[:, : self.dimensions] = state.at[copy]
        shapes: list[Any] = [*lines(1, 1)]
        for i, (x, y) in enumerate(at):
            shapes.append(Disc((float(x), float(y)), 0.02, i))
        for i, there in enumerate(self.centres(state.at[copy : copy + 1])[0]):
            goal = np.append(there, 0.5)[:2]
            start = (float(at[i, 0]), float(at[i, 1]))
            shapes.append(Segment(start, (float(goal[0]), float(goal[1])), 0.0, GREY))
        caption = f"step {int(state.t[copy])}, H = {self.cost(state.at[copy : copy + 1])[0]:.4f}"
        return Scene((-0.05, 1.05, -0.05, 1.05), tuple(shapes), caption)


@kernel
def _place(key: Real, at: Array) -> None:
    for b in range(at.shape[0]):
        for i in range(at.shape[1]):
            for c in range(at.shape[2]):
                at[b, i, c] = uniform(key[b], 0, i * at.shape[2] + c)


@kernel
def _next_to(at: Array, b: int, k: int, grid: int) -> tuple[int, float]:
    """(the agent nearest to place k, its squared distance)."""
    d, who, least = at.shape[2], 0, np.inf
    for i in range(at.shape[1]):
        far, rest = 0.0, k
        for c in range(d):
            far += ((rest % grid + 0.5) / grid - at[b, i, c]) ** 2
            rest //= grid
        if far < least:
            who, least = i, far
    return who, least


@kernel
def _cover(at: Array, grid: int, cost: Array) -> None:
    """Fill in H (B,)."""
    places = grid ** at.shape[2]
    for b in range(at.shape[0]):
        total = 0.0
        for k in range(places):
            total += _next_to(at, b, k, grid)[1]
        cost[b] = total / places


@kernel
def _centres(at: Array, grid: int, centre: Array) -> None:
    """Fill in the mean place of each cell (B, n, d), where there is one."""
    n, d = at.shape[1], at.shape[2]
    for b in range(at.shape[0]):
        total, count = np.zeros((n, d)), np.zeros(n)
        for k in range(grid**d):
            who, rest = _next_to(at, b, k, grid)[0], k
            count[who] += 1.0
            for c in range(d):
                total[who, c] += (rest % grid + 0.5) / grid
                rest //= grid
        for i in range(n):
            if count[i] > 0.0:
                for c in range(d):
                    centre[b, i, c] = total[i, c] / count[i]


@kernel
def _step(
    t: Real,
    over: Real,
    at: Array,
    move: Array,
    speed: float,
    grid: int,
    horizon: int,
    at_next: Array,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over."""
    for b in range(at.shape[0]):
        if over[b]:
            return False
        for i in range(at.shape[1]):
            for c in range(at.shape[2]):
                at_next[b, i, c] = min(max(at[b, i, c] + speed * move[b, i, c], 0.0), 1.0)
        close(b, t, False, horizon, t_next, flags)
    _cover(at_next, grid, reward[:, 0])
    for b in range(at.shape[0]):
        for i in range(at.shape[1] - 1, -1, -1):
            reward[b, i] = -reward[b, 0]
    return True
