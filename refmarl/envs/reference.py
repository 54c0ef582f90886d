"""Each knows another's goal: everybody moves, and everybody speaks.

    d_i = ‖x_{i+1} − l_{goal of i+1}‖,   r_i = − w_g · mean_j d_j − w_l · d_i

MPE's simple_reference (Lowe et al. 2017) as MPE2 has it: two agents, three landmarks, ten words,
w_g = w_l = 1/2 (its ``local_ratio``). Agent i knows the landmark that agent i + 1 (counted modulo
N) must reach, and the local part of its reward is how far *that one* is from it. It sees its
velocity, the landmarks from where it is, the goal's colour (0.75 at its index, 0.25 elsewhere) and
the others' words of the step before. An action is a move and a word: two integers, or 5 + C
numbers. Nobody is in anybody's way. ``goal[b, i]`` is what agent i knows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..check import Array
from ..env_api import Actions, Box, Group, Label, MultiDiscrete, Scene, Space
from ..kernels._jit import kernel
from ..value_grad import Real
from .particles import (
    MOVES,
    Given,
    Particles,
    State,
    distance,
    dots,
    integrate,
    marks,
    ready,
    thrust,
    utter,
)
from .speaker_listener import said_text

RADIUS, ACCELERATION = 0.05, 5.0
DARK, BRIGHT = 0.25, 0.75


@dataclass(frozen=True, kw_only=True)
class Reference(Particles):
    """A team of speakers that move; nothing terminates."""

    name: ClassVar[str] = "reference"
    counts: ClassVar[tuple[str, ...]] = ("team", "landmarks", "words")
    team: int = 2
    landmarks: int = 3
    words: int = 10
    global_weight: float = 0.5
    local_weight: float = 0.5

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

    @cached_property
    def discs(self) -> Array:
        """(M, 3): radius, acceleration, top speed."""
        return np.tile([RADIUS, ACCELERATION, np.inf], (self.team, 1))

    def _script(
        self,
        state: State,
        given: tuple[Given, ...],
        x: Array,
        said: Array,
        reward: tuple[Array, ...],
    ) -> bool:
        clock, rules = (state.t, state.ended, self.horizon), (self.discs, self.velocity_first)
        places, weights = (state.x, state.landmark, state.goal), self._weights
        return _script(places, clock, given[0], rules, weights, x, said, reward[0])

    @property
    def _weights(self) -> tuple[float, float]:
        return float(self.global_weight), float(self.local_weight)

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
def _script(
    places: tuple[Array, Array, Real],
    clock: tuple[Real, Real, int],
    given: Given,
    rules: tuple[Array, bool],
    weights: tuple[float, float],
    x: Array,
    said: Array,
    reward: Array,
) -> bool:
    start, landmark, goal = places
    t0, over, horizon = clock
    disc, velocity_first = rules
    for t in range(x.shape[0]):
        now = start if t == 0 else x[t - 1]
        after = x[t]
        for b in range(after.shape[0]):
            if t == 0 and not ready(t0[b], over[b], horizon, x.shape[0]):
                return False
            for i in range(after.shape[1]):
                legal, right, up = thrust(given.pick, given.will, t, b, i, disc[i, 1])
                if not (legal and utter(given.pick, given.will, t, b, i, 1, MOVES, said[t])):
                    return False
                after[b, i, 2], after[b, i, 3] = right, up
            integrate(now, after, b, disc, velocity_first)
            _reward(after, landmark, goal, b, weights, reward[t])
    return True


@kernel
def _reward(
    x: Array, landmark: Array, goal: Real, b: int, weights: tuple[float, float], reward: Array
) -> None:
    team, total = x.shape[1], 0.0
    for i in range(team):
        far = distance(x, b, (i + 1) % team, landmark, goal[b, i])
        reward[b, i] = far
        total += far
    for i in range(team):
        reward[b, i] = -weights[0] * total / team - weights[1] * reward[b, i]


@kernel
def _look(x: Array, landmark: Array, goal: Real, said: Array, out: Array) -> None:
    """Fill in what each of K places shows."""
    for row in range(x.shape[0]):
        b = row % landmark.shape[0]
        for i in range(x.shape[1]):
            out[row, i, 0], out[row, i, 1] = x[row, i, 2], x[row, i, 3]
            k = marks(x, landmark, row, i, out, i, 2)
            for j in range(landmark.shape[1]):
                out[row, i, k] = BRIGHT if j == goal[b, i] else DARK
                k += 1
            for j in range(x.shape[1]):
                if j != i:
                    for c in range(said.shape[2]):
                        out[row, i, k] = said[row, j, c]
                        k += 1
