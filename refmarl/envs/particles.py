"""The multi-particle world: discs in the plane that accelerate, are damped and push each other.

    F = u + Σ_j f_j,   f_j = 100 k log(1 + exp((r_i + r_j − d) / k)) (x_i − x_j) / d,   k = 10⁻³
    v' = 3/4 v + dt F  (shortened to the top speed),   dt = 0.1,   all masses 1
    x' = x + dt v      or x + dt v' with ``velocity_first``

Mordatch & Abbeel 2018 and Lowe et al. 2017 (repository multiagent-particle-envs), who move with
the new velocity; MPE2, and PettingZoo before it, move with the old one, which is the default here.
An action is nothing, left, right, down or up (0 … 4), or, where ``continuous``, five numbers in
[0, 1] of which left is taken from right and down from up. u is that times the agent's acceleration.
Two discs at exactly one place do not push each other (the sources divide zero by zero).

Axes: T steps, B copies, M moving agents, L landmarks, S speakers, C words; R = T · B rows.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..check import MAX_ENTRIES, Array, InputError
from ..config import option
from ..env_api import (
    INT,
    Actions,
    Box,
    Disc,
    Discrete,
    Env,
    Shape,
    Space,
    Step,
    continuous_actions,
    discrete_actions,
    refuse,
)
from ..value_grad import Real
from ._frame import STEPS
from ._physics import BODY, MOVES, start

COUNT = "[1, 1000]"
Numbers = tuple[float, float, float]
Rows = tuple[Real, Real, Array, Array]  # t, ended, x, said of R rows, to be filled in


class State(NamedTuple):
    """B copies; S and C are 0 where nobody speaks."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    x: Array  # (B, M, 4): position and velocity
    landmark: Array  # (B, L, 2)
    goal: Real  # (B, S) int64: the landmark that each speaker knows of
    said: Array  # (B, S, C): what each said last, zeros at first


class Script(NamedTuple):
    """What a script of T steps brought, restarting nothing."""

    state: State  # after the last step
    reward: tuple[Array, ...]  # one (T, B, N_g) for each group
    obs: tuple[Array, ...]  # what was seen after each step, one (T, B, N_g, O_g) for each group
    truncated: Real  # (T, B) of bool


@dataclass(frozen=True, kw_only=True)
class Particles(Env):
    """What the worlds of particles share."""

    horizon: int = option(25, *STEPS)
    continuous: bool = option(False, "five numbers in [0, 1] instead of one of five moves")
    velocity_first: bool = option(False, "move with the new velocity, as the first code did")

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = sum(len(g.agents) * g.obs_dim for g in self.groups)
        if numbers > MAX_ENTRIES:
            raise InputError(f"{self.name}: {numbers} numbers to see; the cap is {MAX_ENTRIES}")

    @property
    def move_space(self) -> Space:
        """Five moves, or five numbers."""
        return Box(0.0, 1.0, MOVES) if self.continuous else Discrete(MOVES)

    @cached_property
    @abstractmethod
    def sizes(self) -> tuple[int, int, int, int]:
        """M, L, S, C."""

    @property
    @abstractmethod
    def bodies(self) -> list[Numbers]:
        """Radius, acceleration and top speed of each moving agent."""

    @property
    def weights(self) -> Numbers:
        """Three numbers for a world's own kernels."""
        return 0.0, 0.0, 0.0

    @abstractmethod
    def _play(self, state: State, actions: Actions, rows: Rows) -> tuple[Array, ...] | None:
        """Fill in what R rows of actions (R, N_g, …) lead to; the rewards, one (R, N_g) a group.

        None where one of them must be refused.
        """

    @abstractmethod
    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        """What is seen at R places (R, M, 4), one (R, N_g, O_g) for each group.

        Place r belongs to copy r mod B of ``state``.
        """

    @cached_property
    def rules(self) -> Array:
        """(2 + M, 3): all parameters, for the kernels."""
        first = (self.horizon, self.velocity_first, self.continuous)
        return np.array([first, self.weights, *self.bodies], dtype=np.float64)

    @property
    def discs(self) -> Array:
        """(M, 3): radius, acceleration, top speed."""
        return self.rules[BODY:].copy()

    def restart(self, key: Real) -> State:
        """All at rest, uniform in [-1, 1]² (landmarks within ``spread``); goals uniform."""
        size, (movers, marks, speakers, words) = len(key), self.sizes
        x, landmark = np.empty((size, movers, 4)), np.empty((size, marks, 2))
        goal = np.empty((size, speakers), INT)
        start(key, self.spread, x, landmark, goal)
        t, ended = np.zeros(size, INT), np.zeros(size, bool)
        return State(key, t, ended, x, landmark, goal, np.zeros((size, speakers, words)))

    @property
    def spread(self) -> float:
        """Landmarks begin uniform in ± this."""
        return 1.0

    def observe(self, state: State) -> tuple[Array, ...]:
        """One (B, N_g, O_g) for each group."""
        return self._look(state, state.x, state.said)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """One step of every copy."""
        size = len(state.t)
        rows = self._rows(state, size)
        reward = self._play(state, actions, rows)
        if reward is None:
            refuse(self, state, actions)
        t, ended, x, said = rows
        after = State(state.key, t, ended, x, state.landmark, state.goal, said)
        return after, Step(reward, np.zeros(size, bool), ended)

    def play(self, state: State, actions: Actions) -> Script:
        """T steps of given actions (T, B, N_g, …) in one go: what T calls of ``step`` give.

        Raises
        ------
        InputError
            If an episode would end before the script does, or an action is out of range.
        """
        lead, size = np.shape(actions[0])[:2], len(state.t)
        axes = 3 if isinstance(self.groups[0].space, Discrete) else 4
        alike = all(np.shape(a)[:2] == lead for a in actions)
        if np.ndim(actions[0]) != axes or lead[0] < 1 or lead[1] != size or not alike:
            got = ", ".join(str(np.shape(a)) for a in actions)
            raise InputError(f"script: need (T, {size}, N, …) for each group, got {got}")
        steps = lead[0]
        rows = self._rows(state, steps * size)
        flat = tuple(np.reshape(a, (steps * size, *np.shape(a)[2:])) for a in actions)
        reward = self._play(state, flat, rows)
        if reward is None:
            self._too_long(state, steps)
            refuse(self, state, flat)
        obs = self._look(state, rows[2], rows[3])
        t, ended, x, said = (a.reshape(steps, size, *a.shape[1:]) for a in rows)
        moved = {"x": x[-1].copy(), "said": said[-1].copy()}
        after = state._replace(t=t[-1], ended=ended[-1], **moved)
        paid, seen = (
            tuple(a.reshape(steps, size, *a.shape[1:]) for a in many) for many in (reward, obs)
        )
        return Script(after, paid, seen, ended)

    def _rows(self, state: State, rows: int) -> Rows:
        """Room for so many rows; nobody's words stay where they are."""
        movers, _, speakers, words = self.sizes
        said = np.empty((rows, speakers, words)) if speakers else state.said
        return np.empty(rows, INT), np.empty(rows, bool), np.empty((rows, movers, 4)), said

    def _too_long(self, state: State, steps: int) -> None:
        """Raise if an episode ends before a script does."""
        left = self.horizon - int(state.t.max(initial=0))
        if self.horizon and 0 < left < steps and not state.ended.any():
            raise InputError(f"{self.name}: a script of {steps} steps, {left} are left")

    def _given(self, rows: Rows, actions: Actions, group: int) -> Real:
        """One group's actions as the kernels take them."""
        read = continuous_actions if self.continuous else discrete_actions
        return read(self, len(rows[0]), actions, group)

    def global_state(self, state: State) -> Array:
        """Positions and velocities, landmarks, goals as 0/1 and words, side by side: (B, S)."""
        size = len(state.t)
        goals = state.goal[..., None] == np.arange(state.landmark.shape[1])
        parts = (state.x, state.landmark, goals, state.said)
        return np.concatenate([p.reshape(size, -1) for p in parts], axis=1, dtype=np.float64)

    def toward(self, x: Array, target: Array) -> Real:
        """Actions (B, M) or (B, M, 5) that bring agents (B, M, 4) to places (B, M, 2) and brake."""
        error = target - x[..., :2] - 0.3 * x[..., 2:]
        if self.continuous:
            pull = np.clip(2.0 * error, -1.0, 1.0)
            will = np.zeros((*error.shape[:-1], MOVES))
            will[..., 2::2], will[..., 1::2] = np.maximum(pull, 0.0), np.maximum(-pull, 0.0)
            return will
        axis = np.argmax(abs(error), axis=-1)
        along = np.take_along_axis(error, axis[..., None], axis=-1)[..., 0]
        return np.where(abs(along) < 0.05, 0, 1 + 2 * axis + (along > 0))


def nearest(places: Array, goals: Array) -> Array:
    """The nearest of the places (B, L, 2) to each of (B, N, 2): (B, N, 2)."""
    gap = np.linalg.norm(places[:, None] - goals[:, :, None], axis=-1)
    return np.take_along_axis(places, gap.argmin(axis=-1)[..., None], axis=1)


def dots(
    places: Array, radius: float, colours: Sequence[int], filled: bool = True
) -> tuple[Shape, ...]:
    """Discs of one radius at places (N, 2), for a scene."""
    spots = zip(places.tolist(), colours, strict=True)
    return tuple(Disc((x, y), radius, colour, filled) for (x, y), colour in spots)
