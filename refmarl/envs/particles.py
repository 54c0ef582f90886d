"""The multi-particle world: discs in the plane that accelerate, are damped and push each other.

    F = u + Σ_j f_j,   f_j = 100 k log(1 + exp((r_i + r_j − d) / k)) (x_i − x_j) / d,   k = 10⁻³
    v' = 3/4 v + dt F  (shortened to the top speed),   dt = 0.1,   all masses 1
    x' = x + dt v      or x + dt v' with ``velocity_first``

Mordatch & Abbeel 2018 and Lowe et al. 2017 (repository multiagent-particle-envs), who move with
the new velocity; MPE2, and PettingZoo before it, move with the old one, which is the default here.
An action is nothing, left, right, down or up (0 … 4), or, where ``continuous``, five numbers in
[0, 1] of which left is taken from right and down from up. u is that times the agent's acceleration.
Two discs at exactly one place do not push each other (the sources divide zero by zero).

Axes: T steps, B copies, M moving agents, L landmarks, S speakers, C words.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array, InputError, positive
from ..env_api import (
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
from ..kernels._jit import kernel
from ..kernels.counter import below, uniform
from ..value_grad import Real

DT, KEEP, CONTACT, MARGIN = 0.1, 0.75, 100.0, 1e-3
NOTHING = -50.0  # depth in margins from which a push is less than 10⁻²⁰: left out
MOVES = 5
NO_PICK, NO_WILL = np.empty((0, 0, 0, 0), dtype=np.int64), np.empty((0, 0, 0, 0))


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


class Given(NamedTuple):
    """A group's actions: integers (T, B, N_g, P) or numbers (T, B, N_g, W), the other empty."""

    pick: Real
    will: Array


@dataclass(frozen=True, kw_only=True)
class Particles(Env):
    """What the worlds of particles share."""

    counts: ClassVar[tuple[str, ...]] = ()  # parameters that are whole numbers ≥ 1
    horizon: int = 25  # steps until truncation, 0 for none
    continuous: bool = False  # five numbers in [0, 1] instead of one of five moves
    velocity_first: bool = False  # move with the new velocity, as the first code did

    def __post_init__(self) -> None:
        for name in self.counts:
            positive(getattr(self, name), name, cap=1000)
        if self.horizon < 0:
            raise InputError(f"horizon: need 0 (none) or more steps, got {self.horizon}")

    @property
    def move_space(self) -> Space:
        """Five moves, or five numbers."""
        return Box(0.0, 1.0, MOVES) if self.continuous else Discrete(MOVES)

    @cached_property
    @abstractmethod
    def sizes(self) -> tuple[int, int, int, int]:
        """M, L, S, C."""

    @abstractmethod
    def _script(
        self,
        state: State,
        given: tuple[Given, ...],
        x: Array,
        said: Array,
        reward: tuple[Array, ...],
    ) -> bool:
        """Fill in what T steps bring, (T, B, …); False where one of them must be refused."""

    @abstractmethod
    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        """What is seen at K places (K, M, 4), one (K, N_g, O_g) for each group.

        Place k belongs to copy k mod B of ``state``.
        """

    def restart(self, key: Real) -> State:
        """All at rest, uniform in [-1, 1]² (landmarks within ``spread``); goals uniform."""
        size, (movers, marks, speakers, words) = len(key), self.sizes
        x, landmark = np.empty((size, movers, 4)), np.empty((size, marks, 2))
        goal = np.empty((size, speakers), dtype=np.int64)
        _start(key, self.spread, x, landmark, goal)
        t, ended = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
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
        x, said, reward = self._run(state, actions, len(state.t), 1)
        t = state.t + 1
        ended = t >= self.horizon if self.horizon else np.zeros(len(t), dtype=bool)
        after = State(state.key, t, ended, x[0], state.landmark, state.goal, said[0])
        return after, Step(tuple(r[0] for r in reward), np.zeros(len(t), dtype=bool), ended)

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
        flat = tuple(np.reshape(a, (steps * size, *np.shape(a)[2:])) for a in actions)
        x, said, reward = self._run(state, flat, size, steps)
        obs = self._look(state, *(a.reshape(steps * size, *a.shape[2:]) for a in (x, said)))
        t = state.t + np.arange(1, steps + 1)[:, None]
        over = t >= self.horizon if self.horizon else np.zeros(t.shape, dtype=bool)
        moved = {"x": x[-1].copy(), "said": said[-1].copy()}
        after = state._replace(t=t[-1], ended=over[-1], **moved)
        shaped = tuple(o.reshape(steps, size, *o.shape[1:]) for o in obs)
        return Script(after, reward, shaped, over)

    def _run(
        self, state: State, flat: Actions, size: int, steps: int
    ) -> tuple[Array, Array, tuple[Array, ...]]:
        """(x, said, reward) of T steps, (T, B, …), of actions (T·B, N_g, …)."""
        given = tuple(self._given(flat, size, steps, g) for g in range(len(self.groups)))
        x, said = np.empty((steps, *state.x.shape)), np.empty((steps, *state.said.shape))
        reward = tuple(np.empty((steps, size, len(g.agents))) for g in self.groups)
        if not self._script(state, given, x, said, reward):
            left = self.horizon - int(state.t.max(initial=0))
            if self.horizon and 0 < left < steps and not state.ended.any():
                raise InputError(f"{self.name}: a script of {steps} steps, {left} are left")
            refuse(self, state, flat)
        return x, said, reward

    def _given(self, flat: Actions, size: int, steps: int, group: int) -> Given:
        """One group's actions as the kernels take them."""
        lead = (steps, size, len(self.groups[group].agents), -1)
        if self.continuous:
            return Given(NO_PICK, continuous_actions(self, steps * size, flat, group).reshape(lead))
        return Given(discrete_actions(self, steps * size, flat, group).reshape(lead), NO_WILL)

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


@kernel
def _start(key: Real, spread: float, x: Array, landmark: Array, goal: Real) -> None:
    for b in range(x.shape[0]):
        k = 0
        for i in range(x.shape[1]):
            for c in range(2):
                x[b, i, c] = 2.0 * uniform(key[b], 0, k) - 1.0
                x[b, i, 2 + c] = 0.0
                k += 1
        for i in range(landmark.shape[1]):
            for c in range(2):
                landmark[b, i, c] = spread * (2.0 * uniform(key[b], 0, k) - 1.0)
                k += 1
        for i in range(goal.shape[1]):
            goal[b, i] = below(key[b], 0, k + i, landmark.shape[1])


@kernel
def ready(t: int, over: bool, horizon: int, steps: int) -> bool:
    """Whether a copy can go so many steps."""
    return not (over or 0 < horizon < t + steps)


@kernel
def thrust(
    pick: Real, will: Array, t: int, b: int, i: int, accel: float
) -> tuple[bool, float, float]:
    """(legal, force to the right, force upwards) of agent i's action."""
    if will.shape[0] > 0:
        right = will[t, b, i, 2] - will[t, b, i, 1]
        return True, accel * right, accel * (will[t, b, i, 4] - will[t, b, i, 3])
    move = pick[t, b, i, 0]
    right = -1.0 if move == 1 else (1.0 if move == 2 else 0.0)
    up = -1.0 if move == 3 else (1.0 if move == 4 else 0.0)
    return 0 <= move < MOVES, accel * right, accel * up


@kernel
def utter(
    pick: Real, will: Array, t: int, b: int, i: int, part: int, skip: int, said: Array
) -> bool:
    """Agent i's words into ``said`` (B, S, C); False if there is no such word."""
    words = said.shape[2]
    if will.shape[0] > 0:
        for c in range(words):
            said[b, i, c] = will[t, b, i, skip + c]
        return True
    word = pick[t, b, i, part]
    for c in range(words):
        said[b, i, c] = 1.0 if c == word else 0.0
    return bool(0 <= word < words)


@kernel
def distance(x: Array, b: int, i: int, place: Array, j: int) -> float:
    """Between agent i and disc j of ``place`` (B, …, ≥ 2)."""
    dx, dy = x[b, i, 0] - place[b, j, 0], x[b, i, 1] - place[b, j, 1]
    return math.sqrt(dx * dx + dy * dy)


@kernel
def contact(apart: float, touch: float) -> float:
    """c ≥ 0 such that discs ``apart``, which touch at ``touch``, push by c times their offset."""
    depth = (touch - apart) / MARGIN
    if depth < NOTHING or apart == 0.0:
        return 0.0
    soft = max(depth, 0.0) + math.log1p(math.exp(-abs(depth)))  # log(1 + exp(depth))
    return CONTACT * MARGIN * soft / apart


@kernel
def push(x: Array, force: Array, b: int, disc: Array) -> None:
    """Add the pushes between copy b's agents of radii ``disc[:, 0]`` to their ``force``."""
    for i in range(x.shape[1]):
        for j in range(i + 1, x.shape[1]):
            c = contact(distance(x, b, i, x, j), disc[i, 0] + disc[j, 0])
            if c > 0.0:
                for k in range(2):
                    f = c * (x[b, i, k] - x[b, j, k])
                    force[b, i, 2 + k] += f
                    force[b, j, 2 + k] -= f


@kernel
def bump(x: Array, landmark: Array, force: Array, b: int, disc: Array, radius: float) -> None:
    """Add the pushes of copy b's landmarks of this radius, which stay where they are."""
    for i in range(x.shape[1]):
        for j in range(landmark.shape[1]):
            c = contact(distance(x, b, i, landmark, j), disc[i, 0] + radius)
            if c > 0.0:
                for k in range(2):
                    force[b, i, 2 + k] += c * (x[b, i, k] - landmark[b, j, k])


@kernel
def integrate(x: Array, after: Array, b: int, disc: Array, velocity_first: bool) -> None:
    """Copy b's agents go on for dt: ``after`` holds forces where the velocities will stand."""
    for i in range(x.shape[1]):
        vx = KEEP * x[b, i, 2] + DT * after[b, i, 2]
        vy = KEEP * x[b, i, 3] + DT * after[b, i, 3]
        top, speed = disc[i, 2], math.sqrt(vx * vx + vy * vy)
        if speed > top:
            vx, vy = vx / speed * top, vy / speed * top
        after[b, i, 0] = x[b, i, 0] + DT * (vx if velocity_first else x[b, i, 2])
        after[b, i, 1] = x[b, i, 1] + DT * (vy if velocity_first else x[b, i, 3])
        after[b, i, 2], after[b, i, 3] = vx, vy


@kernel
def marks(x: Array, landmark: Array, row: int, i: int, out: Array, o: int, k: int) -> int:
    """Write where the landmarks are, seen from agent i at place ``row``; where to go on."""
    b = row % landmark.shape[0]
    for j in range(landmark.shape[1]):
        out[row, o, k] = landmark[b, j, 0] - x[row, i, 0]
        out[row, o, k + 1] = landmark[b, j, 1] - x[row, i, 1]
        k += 2
    return k


@kernel
def surroundings(x: Array, landmark: Array, row: int, i: int, out: Array, o: int) -> int:
    """Write agent i's velocity, position, the landmarks and the others from there; go on where."""
    out[row, o, 0], out[row, o, 1] = x[row, i, 2], x[row, i, 3]
    out[row, o, 2], out[row, o, 3] = x[row, i, 0], x[row, i, 1]
    k = marks(x, landmark, row, i, out, o, 4)
    for j in range(x.shape[1]):
        if j != i:
            out[row, o, k] = x[row, j, 0] - x[row, i, 0]
            out[row, o, k + 1] = x[row, j, 1] - x[row, i, 1]
            k += 2
    return k
