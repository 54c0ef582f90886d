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
from ..config import option
from ..env_api import GREY, Actions, Box, Discrete, Group, Label, Scene, Space
from ..kernels._jit import kernel
from ..value_grad import Real
from ._physics import both, by_agent, integrate, marks, squared, steer, tick, utter
from .particles import COUNT, Numbers, Particles, Rows, State, dots

RADIUS, ACCELERATION, MARK = 0.075, 5.0, 0.04
DARK, BRIGHT = 0.15, 0.65


@dataclass(frozen=True, kw_only=True)
class SpeakerListener(Particles):
    """Two groups with one aim and different spaces; nothing terminates."""

    name: ClassVar[str] = "speaker-listener"
    listeners: int = option(1, "agents that move", COUNT)
    landmarks: int = option(3, "places, one of them the goal", COUNT)
    words: int = option(3, "what can be said", COUNT)

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

    @property
    def bodies(self) -> list[Numbers]:
        """Radius, acceleration, no top speed."""
        return [(RADIUS, ACCELERATION, np.inf)] * self.listeners

    def _play(self, state: State, actions: Actions, rows: Rows) -> tuple[Array, ...] | None:
        given = self._given(rows, actions, 0), self._given(rows, actions, 1)
        reward = np.empty((len(rows[0]), 1)), np.empty((len(rows[0]), self.listeners))
        past = state.x, state.landmark, state.goal, state.t, state.ended
        return reward if _step(*past, *given, self.rules, *rows, *reward) else None

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        speaker = np.empty((len(x), 1, self.landmarks))
        listeners = np.empty((len(x), self.listeners, self.groups[1].obs_dim))
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
def _step(
    x: Array,
    landmark: Array,
    goal: Real,
    t: Real,
    over: Real,
    speaker: Real,
    listeners: Real,
    rules: Array,
    t_next: Real,
    ended: Real,
    after: Array,
    said: Array,
    speaker_reward: Array,
    reward: Array,
) -> bool:
    """Fill in what R rows of actions lead to; False if one must be refused."""
    size, speech, moves = len(t), by_agent(speaker, 1), by_agent(listeners, x.shape[1])
    for first in range(0, len(t_next), size):
        (now, then), last = both(first, size, x, after), first + size
        if not tick(first, t, over, rules, t_next, ended):
            return False
        if not utter(speech[first:last], 0, 0, rules, said[first:last]):
            return False
        if not steer(moves[first:last], 0, rules, then):
            return False
        integrate(now, rules, then)
        _reward(then, landmark, goal, speaker_reward[first:last], reward[first:last])
    return True


@kernel
def _reward(x: Array, landmark: Array, goal: Real, speaker: Array, listeners: Array) -> None:
    for b in range(x.shape[0]):
        far, count = 0.0, x.shape[1]
        for i in range(count):
            far += squared(x, b, i, landmark, goal[b, 0])
        speaker[b, 0] = -far / count
        for i in range(count):
            listeners[b, i] = -far / count


@kernel
def _look(
    x: Array, landmark: Array, goal: Real, said: Array, speaker: Array, listeners: Array
) -> None:
    """Fill in what each of R places shows."""
    size = len(landmark)
    for first in range(0, len(x), size):
        last = first + size
        colour, told, word = speaker[first:last], listeners[first:last], said[first:last]
        k = marks(x[first:last], landmark, told)
        for b in range(size):
            for j in range(landmark.shape[1]):
                colour[b, 0, j] = BRIGHT if j == goal[b, 0] else DARK
            for i in range(told.shape[1]):
                for c in range(word.shape[2]):
                    told[b, i, k + c] = word[b, 0, c]
