"""Team navigation: cover all landmarks without running into each other (MPE's simple_spread).

    r_i = w_g · (− Σ_l min_j ‖x_j − l‖) − w_l · #{j ≠ i: ‖x_i − x_j‖ < 2 · 0.15}

Lowe et al. 2017. MPE2 has w_g = w_l = 1/2 (its ``local_ratio``), the default; the first code has
w_g = w_l = 1, counts every agent's collision with itself (−1 for each step), and moves with the
new velocity: :func:`original`. An agent sees its velocity and position, the landmarks and the other
agents from where it is, and zeros where MPE keeps room for their words.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..check import Array, InputError
from ..config import option
from ..env_api import GREY, INT, Actions, Group, Scene
from ..kernels._jit import kernel
from ..value_grad import Real
from ._assign import assign
from ._physics import (
    both,
    by_agent,
    integrate,
    push,
    squared,
    steer,
    surroundings,
    tick,
    touching,
)
from ._reach import outlook
from .particles import COUNT, Numbers, Particles, Rows, State, dots

RADIUS, MARK, ACCELERATION = 0.15, 0.05, 5.0
WORDS = 2  # MPE's room for the words of agents who cannot speak


@dataclass(frozen=True, kw_only=True)
class Navigation(Particles):
    """A team of ``agents`` alike; nothing terminates."""

    name: ClassVar[str] = "navigation"
    team: int = option(3, "agents", COUNT)
    landmarks: int = option(3, "places to cover", COUNT)
    global_weight: float = option(0.5, "w_g, weight of the team's reward", "[-1e6, 1e6]")
    local_weight: float = option(0.5, "w_l, weight of one's own collisions", "[-1e6, 1e6]")
    self_collision: bool = option(False, "count one's collision with oneself")

    @cached_property
    def sizes(self) -> tuple[int, int, int, int]:
        """M, L, 0, 0."""
        return self.team, self.landmarks, 0, 0

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group that sees 4 + 2 L + 4 (N − 1) numbers."""
        names = tuple(f"agent_{i}" for i in range(self.team))
        width = 4 + 2 * self.landmarks + (2 + WORDS) * (self.team - 1)
        return (Group("team", names, width, self.move_space),)

    @property
    def bodies(self) -> list[Numbers]:
        """Radius, acceleration, no top speed."""
        return [(RADIUS, ACCELERATION, np.inf)] * self.team

    @property
    def weights(self) -> Numbers:
        """w_g, w_l, and what each agent collides with to begin with."""
        return self.global_weight, self.local_weight, float(self.self_collision)

    def _play(self, state: State, actions: Actions, rows: Rows) -> tuple[Array, ...] | None:
        _, t, over, at, landmark, _, _ = state
        t_next, ended, x, _ = rows
        given, reward = self._given(rows, actions, 0), np.empty((len(t_next), self.team))
        if _step(at, landmark, t, over, given, self.rules, t_next, ended, x, reward):
            return (reward,)
        return None

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        out = np.empty((len(x), self.team, self.groups[0].obs_dim))
        _look(x, state.landmark, out)
        return (out,)

    def heuristic(self, state: State) -> Actions:
        """Agents and landmarks in pairs, so that all together are least far; go there."""
        places, many = state.x[..., :2], self.team > self.landmarks
        gap = np.linalg.norm(places[:, :, None] - state.landmark[:, None], axis=-1)
        given = np.empty((len(gap), min(self.team, self.landmarks)), INT)
        assign(np.ascontiguousarray(gap.swapaxes(1, 2) if many else gap), given)
        rows, target = np.arange(len(gap))[:, None], places.copy()
        if many:
            target[rows, given] = state.landmark
        else:
            target = state.landmark[rows, given]
        return (self.toward(state.x, target),)

    def ceiling(self, state: State) -> Array:
        """(B,): what no policy's steps to come exceed, mean over the agents.

        See :mod:`refmarl.envs._reach`.

        Raises
        ------
        InputError
            Without a horizon: the steps to come are not finite.
        """
        if not self.horizon:
            raise InputError("navigation: no ceiling without a horizon")
        left = np.where(state.ended, 0, self.horizon - state.t)
        total = np.empty((len(left), 4))
        outlook(state.x, state.landmark, left, self.rules, total)
        shared, own, itself = self.weights
        cover = total[:, 0 if shared >= 0.0 else 1]
        ends = 2.0 * total[:, 2 if own >= 0.0 else 3]  # a pair that touches, twice
        return np.asarray(-shared * cover - own * (ends / self.team + itself * left))

    def scene(self, state: State, copy: int = 0) -> Scene:
        """Agents in one colour over grey landmarks."""
        team = dots(state.x[copy, :, :2], RADIUS, [0] * self.team)
        shapes = team + dots(state.landmark[copy], MARK, [GREY] * self.landmarks)
        return Scene((-1.5, 1.5, -1.5, 1.5), shapes, f"step {int(state.t[copy])}")


def original(team: int = 3, landmarks: int = 3, horizon: int = 25) -> Navigation:
    """The rules of the first code, of 2017."""
    return Navigation(
        horizon=horizon,
        velocity_first=True,
        team=team,
        landmarks=landmarks,
        global_weight=1.0,
        local_weight=1.0,
        self_collision=True,
    )


@kernel
def _step(
    x: Array,
    landmark: Array,
    t: Real,
    over: Real,
    given: Real,
    rules: Array,
    t_next: Real,
    ended: Real,
    after: Array,
    reward: Array,
) -> bool:
    """Fill in what R rows of actions lead to; False if one must be refused."""
    size, moves = len(t), by_agent(given, x.shape[1])
    for first in range(0, len(t_next), size):
        (now, then), last = both(first, size, x, after), first + size
        if not tick(first, t, over, rules, t_next, ended):
            return False
        if not steer(moves[first:last], 0, rules, then):
            return False
        push(now, rules, then)
        integrate(now, rules, then)
        _reward(then, landmark, rules, reward[first:last])
    return True


@kernel
def _reward(x: Array, landmark: Array, rules: Array, reward: Array) -> None:
    for b in range(x.shape[0]):
        team, cover = x.shape[1], 0.0
        for j in range(landmark.shape[1]):
            least = squared(x, b, 0, landmark, j)
            for i in range(1, team):
                least = min(least, squared(x, b, i, landmark, j))
            cover -= math.sqrt(least)
        for i in range(team):
            reward[b, i] = rules[1, 2]
        for i in range(team):
            for j in range(i + 1, team):
                if touching(x, b, i, j, rules):
                    reward[b, i] += 1.0
                    reward[b, j] += 1.0
        for i in range(team):
            reward[b, i] = rules[1, 0] * cover - rules[1, 1] * reward[b, i]


@kernel
def _look(x: Array, landmark: Array, out: Array) -> None:
    """Fill in what each of R places shows, and zeros where there is room for words."""
    size = len(landmark)
    for first in range(0, len(x), size):
        seen = out[first : first + size]
        k = surroundings(x[first : first + size], landmark, 0, seen)
        for b in range(size):
            for i in range(seen.shape[1]):
                for word in range(k, seen.shape[2]):
                    seen[b, i, word] = 0.0
