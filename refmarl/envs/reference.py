"""Each knows another's goal: everybody moves, and everybody speaks.

    d_i = ‖x_{i+1} − l_{goal of i+1}‖,   r_i = − w_g · mean_j d_j − w_l · d_i

MPE's simple_reference (Lowe et al. 2017) as MPE2 has it: two agents, three landmarks, ten words,
w_g = w_l = 1/2 (its ``local_ratio``). Agent i knows the landmark that agent i + 1 (counted modulo
N) must reach, and the local part of its reward is how far *that one* is from it. It sees its
velocity, the landmarks from where it is, the goal's colour (0.75 at its index, 0.25 elsewhere) and
the others' words of the step before. An action is a move and a word: two integers, or 5 + C
numbers. Nobody is in anybody's way. ``goal[b, i]`` is what agent i knows.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Box, Group, Label, MultiDiscrete, Scene, Space
from ..kernels._jit import kernel
from ..value_grad import Real
from ._physics import MOVES, both, by_agent, integrate, marks, squared, steer, tick, utter
from .particles import COUNT, Numbers, Particles, Rows, State, dots
from .speaker_listener import said_text

RADIUS, ACCELERATION = 0.05, 5.0
DARK, BRIGHT = 0.25, 0.75


@dataclass(frozen=True, kw_only=True)
class Reference(Particles):
    """A team of speakers that move; nothing terminates."""

    name: ClassVar[str] = "reference"
    team: int = option(2, "agents", COUNT)
    landmarks: int = option(3, "places, one of them the goal of each", COUNT)
    words: int = option(10, "what can be said", COUNT)
    global_weight: float = option(0.5, "w_g, weight of all distances", "[-1e6, 1e6]")
    local_weight: float = option(0.5, "w_l, weight of that of the one told", "[-1e6, 1e6]")

    @cached_property
    def sizes(self) -> tuple[int, int, int, int]:
        """M, L, M, C."""
        return self.team, self.landmarks, self.team, self.words

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group that sees 2 + 3 L + C (N − 1) numbers."""
        space: Space = MultiDiscrete((MOVES, self.words))
        if self.continuous:
            space = Box(0.0, 1.0, MOVES + self.words)
        names = tuple(f"agent_{i}" for i in range(self.team))
        width = 2 + 3 * self.landmarks + self.words * (self.team - 1)
        return (Group("team", names, width, space),)

    @property
    def bodies(self) -> list[Numbers]:
        """Radius, acceleration, no top speed."""
        return [(RADIUS, ACCELERATION, np.inf)] * self.team

    @property
    def weights(self) -> Numbers:
        """w_g, w_l."""
        return self.global_weight, self.local_weight, 0.0

    def _play(self, state: State, actions: Actions, rows: Rows) -> tuple[Array, ...] | None:
        given, reward = self._given(rows, actions, 0), np.empty((len(rows[0]), self.team))
        past = state.x, state.landmark, state.goal, state.t, state.ended
        return (reward,) if _step(*past, given, self.rules, *rows, reward) else None

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        out = np.empty((len(x), self.team, self.groups[0].obs_dim))
        _look(x, state.landmark, state.goal, said, out)
        return (out,)

    def heuristic(self, state: State) -> Actions:
        """Say the number of the landmark one knows of, go where one is told to."""
        word = state.goal % self.words
        said = np.roll(state.said, 1, axis=1)  # agent i hears i − 1
        heard = np.minimum(said.argmax(axis=-1), self.landmarks - 1)
        there = np.take_along_axis(state.landmark, heard[..., None], axis=1)
        silent = said.max(axis=-1, keepdims=True) == 0.0
        move = self.toward(state.x, np.where(silent, state.x[..., :2], there))
        if self.continuous:
            return (np.concatenate([move, np.eye(self.words)[word]], axis=-1),)
        return (np.stack([move, word], axis=-1),)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """Each landmark in a colour of its own, each agent in that of its goal, words beside."""
        goal = np.roll(state.goal[copy], 1)
        here = state.x[copy, :, :2]
        shapes = dots(state.landmark[copy], RADIUS, range(self.landmarks))
        shapes += dots(here, 2 * RADIUS, goal.tolist(), filled=False)
        words = zip(here.tolist(), state.said[copy], strict=True)
        shapes += tuple(Label((x, y + 0.15), said_text(said)) for (x, y), said in words)
        return Scene((-1.5, 1.5, -1.5, 1.5), shapes, f"step {int(state.t[copy])}")


@kernel
def _step(
    x: Array,
    landmark: Array,
    goal: Real,
    t: Real,
    over: Real,
    given: Real,
    rules: Array,
    t_next: Real,
    ended: Real,
    after: Array,
    said: Array,
    reward: Array,
) -> bool:
    """Fill in what R rows of actions lead to; False if one must be refused."""
    size, chosen = len(t), by_agent(given, x.shape[1])
    for first in range(0, len(t_next), size):
        (now, then), last = both(first, size, x, after), first + size
        if not tick(first, t, over, rules, t_next, ended):
            return False
        if not utter(chosen[first:last], 1, MOVES, rules, said[first:last]):
            return False
        if not steer(chosen[first:last], 0, rules, then):
            return False
        integrate(now, rules, then)
        _reward(then, landmark, goal, rules, reward[first:last])
    return True


@kernel
def _reward(x: Array, landmark: Array, goal: Real, rules: Array, reward: Array) -> None:
    for b in range(x.shape[0]):
        team, total = x.shape[1], 0.0
        for i in range(team):
            far = math.sqrt(squared(x, b, (i + 1) % team, landmark, goal[b, i]))
            reward[b, i] = far
            total += far
        for i in range(team):
            reward[b, i] = -rules[1, 0] * total / team - rules[1, 1] * reward[b, i]


@kernel
def _look(x: Array, landmark: Array, goal: Real, said: Array, out: Array) -> None:
    """Fill in what each of R places shows."""
    size = len(landmark)
    for first in range(0, len(x), size):
        last = first + size
        seen, words = out[first:last], said[first:last]
        here = marks(x[first:last], landmark, seen)
        for b in range(size):
            for i in range(seen.shape[1]):
                for j in range(landmark.shape[1]):
                    seen[b, i, here + j] = BRIGHT if j == goal[b, i] else DARK
                k = here + landmark.shape[1]
                for j in range(words.shape[1]):
                    if j != i:
                        for c in range(words.shape[2]):
                            seen[b, i, k + c] = words[b, j, c]
                        k += words.shape[2]
