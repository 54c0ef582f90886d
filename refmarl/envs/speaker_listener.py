"""One knows where to go, others can go there: a speaker and its listeners.

    r = − mean_i ‖x_i − l_goal‖²      the same for all

MPE's simple_speaker_listener (Lowe et al. 2017), which has one listener, three landmarks and three
words. The speaker stands still and sees the goal's colour only: 0.65 at the goal's index, 0.15
elsewhere. A listener sees its velocity, the landmarks from where it is, and the word spoken in the
step before; it does not see its own position. Nobody is in anybody's way.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..check import Array
from ..env_api import GREY, Actions, Box, Discrete, Group, Label, Scene, Space
from ..kernels._jit import kernel
from ..value_grad import Real
from .particles import (
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

RADIUS, ACCELERATION, MARK = 0.075, 5.0, 0.04
DARK, BRIGHT = 0.15, 0.65


@dataclass(frozen=True, kw_only=True)
class SpeakerListener(Particles):
    """Two groups with one aim and different spaces; nothing terminates."""

    name: ClassVar[str] = "speaker-listener"
    counts: ClassVar[tuple[str, ...]] = ("listeners", "landmarks", "words")
    listeners: int = 1
    landmarks: int = 3
    words: int = 3

    @cached_property
    def sizes(self) -> tuple[int, int, int, int]:
        """M, L, 1, C."""
        return self.listeners, self.landmarks, 1, self.words

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The speaker sees L numbers, a listener 2 + 2 L + C."""
        speech: Space = Box(0.0, 1.0, self.words) if self.continuous else Discrete(self.words)
        names = tuple(f"listener_{i}" for i in range(self.listeners))
        width = 2 + 2 * self.landmarks + self.words
        return (
            Group("speaker", ("speaker_0",), self.landmarks, speech),
            Group("listeners", names, width, self.move_space),
        )

    @cached_property
    def discs(self) -> Array:
        """(M, 3): radius, acceleration, top speed."""
        return np.tile([RADIUS, ACCELERATION, np.inf], (self.listeners, 1))

    def _script(
        self,
        state: State,
        given: tuple[Given, ...],
        x: Array,
        said: Array,
        reward: tuple[Array, ...],
    ) -> bool:
        clock, rules = (state.t, state.ended, self.horizon), (self.discs, self.velocity_first)
        places = (state.x, state.landmark, state.goal)
        both = (given[0], given[1])
        return _script(places, clock, both, rules, x, said, reward[0], reward[1])

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        shapes = [(len(x), len(g.agents), g.obs_dim) for g in self.groups]
        speaker, listeners = np.empty(shapes[0]), np.empty(shapes[1])
        _look(x, state.landmark, state.goal, said, speaker, listeners)
        return speaker, listeners

    def heuristic(self, state: State) -> Actions:
        """Word k means landmark k; listeners wait for a word and go there."""
        size, words = len(state.t), self.words
        word = state.goal % words
        heard = np.minimum(state.said[:, 0].argmax(axis=-1), self.landmarks - 1)
        there = state.landmark[np.arange(size), heard][:, None]
        silent = (state.said[:, 0].max(axis=-1) == 0.0)[:, None, None]
        target = np.where(silent, state.x[..., :2], there)
        spoken = np.eye(words)[word] if self.continuous else word
        return spoken, self.toward(state.x, target)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """Each landmark in a colour of its own, the goal ringed; the word above."""
        goal, spots = int(state.goal[copy, 0]), state.landmark[copy]
        shapes = dots(state.x[copy, :, :2], RADIUS, [GREY] * self.listeners)
        shapes += dots(spots, MARK, range(self.landmarks))
        shapes += dots(spots[[goal]], 2 * MARK, [goal], filled=False)
        shapes += (Label((0.0, 1.35), said_text(state.said[copy, 0])),)
        return Scene((-1.5, 1.5, -1.5, 1.5), shapes, f"step {int(state.t[copy])}")


def said_text(said: Array) -> str:
    """A word as text: nothing, its number, or the numbers of a vector."""
    if not said.any():
        return "–"
    if said.sum() == 1.0 and said.max() == 1.0:
        return f"word {int(said.argmax())}"
    return " ".join(f"{c:.1f}" for c in said)


@kernel
def _script(
    places: tuple[Array, Array, Real],
    clock: tuple[Real, Real, int],
    given: tuple[Given, Given],
    rules: tuple[Array, bool],
    x: Array,
    said: Array,
    speaker_reward: Array,
    reward: Array,
) -> bool:
    start, landmark, goal = places
    t0, over, horizon = clock
    (speaker, listeners), (disc, velocity_first) = given, rules
    for t in range(x.shape[0]):
        now = start if t == 0 else x[t - 1]
        after = x[t]
        for b in range(after.shape[0]):
            if t == 0 and not ready(t0[b], over[b], horizon, x.shape[0]):
                return False
            if not utter(speaker.pick, speaker.will, t, b, 0, 0, 0, said[t]):
                return False
            far = 0.0
            for i in range(after.shape[1]):
                legal, right, up = thrust(listeners.pick, listeners.will, t, b, i, disc[i, 1])
                if not legal:
                    return False
                after[b, i, 2], after[b, i, 3] = right, up
            integrate(now, after, b, disc, velocity_first)
            for i in range(after.shape[1]):
                far += distance(after, b, i, landmark, goal[b, 0]) ** 2
            speaker_reward[t, b, 0] = -far / after.shape[1]
            for i in range(after.shape[1]):
                reward[t, b, i] = speaker_reward[t, b, 0]
    return True


@kernel
def _look(
    x: Array, landmark: Array, goal: Real, said: Array, speaker: Array, listeners: Array
) -> None:
    """Fill in what each of K places shows."""
    for row in range(x.shape[0]):
        b = row % landmark.shape[0]
        for j in range(landmark.shape[1]):
            speaker[row, 0, j] = BRIGHT if j == goal[b, 0] else DARK
        for i in range(x.shape[1]):
            listeners[row, i, 0], listeners[row, i, 1] = x[row, i, 2], x[row, i, 3]
            k = marks(x, landmark, row, i, listeners, i, 2)
            for c in range(said.shape[2]):
                listeners[row, i, k + c] = said[row, 0, c]
