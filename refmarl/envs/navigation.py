"""Team navigation: cover all landmarks without running into each other (MPE's simple_spread).

    r_i = w_g · (− Σ_l min_j ‖x_j − l‖) − w_l · #{j ≠ i: ‖x_i − x_j‖ < 2 · 0.15}

Lowe et al. 2017. MPE2 has w_g = w_l = 1/2 (its ``local_ratio``), the default; the first code has
w_g = w_l = 1, counts every agent's collision with itself (−1 for each step), and moves with the
new velocity: :func:`original`. An agent sees its velocity and position, the landmarks and the other
agents from where it is, and zeros where MPE keeps room for their words.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..check import Array
from ..env_api import GREY, Actions, Group, Scene
from ..kernels._jit import kernel
from ..value_grad import Real
from .particles import (
    Given,
    Particles,
    State,
    distance,
    dots,
    integrate,
    push,
    ready,
    surroundings,
    thrust,
)

RADIUS, MARK, ACCELERATION = 0.15, 0.05, 5.0
WORDS = 2  # MPE's room for the words of agents who cannot speak


@dataclass(frozen=True, kw_only=True)
class Navigation(Particles):
    """A team of ``agents`` alike; nothing terminates."""

    name: ClassVar[str] = "navigation"
    counts: ClassVar[tuple[str, ...]] = ("team", "landmarks")
    team: int = 3  # agents
    landmarks: int = 3
    global_weight: float = 0.5
    local_weight: float = 0.5
    self_collision: bool = False  # count one's collision with oneself

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
        clock = (state.t, state.ended, self.horizon)
        rules = (self.discs, self.velocity_first)
        weights = (float(self.global_weight), float(self.local_weight), self.self_collision)
        return _script(state.x, state.landmark, clock, given[0], rules, weights, x, reward[0])

    def _look(self, state: State, x: Array, said: Array) -> tuple[Array, ...]:
        out = np.zeros((len(x), self.team, self.groups[0].obs_dim))
        _look(x, state.landmark, out)
        return (out,)

    def heuristic(self, state: State) -> Actions:
        """The closest pair of an agent and a landmark first, then of those left; go there."""
        size, (team, marks, _, _) = len(state.t), self.sizes
        gap = np.linalg.norm(state.x[:, :, None, :2] - state.landmark[:, None], axis=-1)
        target, rows = state.x[..., :2].copy(), np.arange(size)
        for _ in range(min(team, marks)):
            i, j = np.divmod(gap.reshape(size, -1).argmin(axis=1), marks)
            target[rows, i] = state.landmark[rows, j]
            gap[rows, i], gap[rows, :, j] = np.inf, np.inf
        return (self.toward(state.x, target),)

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
def _script(
    start: Array,
    landmark: Array,
    clock: tuple[Real, Real, int],
    given: Given,
    rules: tuple[Array, bool],
    weights: tuple[float, float, bool],
    x: Array,
    reward: Array,
) -> bool:
    t0, over, horizon = clock
    pick, will = given
    disc, velocity_first = rules
    for t in range(x.shape[0]):
        now = start if t == 0 else x[t - 1]
        after = x[t]
        for b in range(after.shape[0]):
            if t == 0 and not ready(t0[b], over[b], horizon, x.shape[0]):
                return False
            for i in range(after.shape[1]):
                legal, right, up = thrust(pick, will, t, b, i, disc[i, 1])
                if not legal:
                    return False
                after[b, i, 2], after[b, i, 3] = right, up
            push(now, after, b, disc)
            integrate(now, after, b, disc, velocity_first)
            _reward(after, landmark, b, disc, weights, reward[t])
    return True


@kernel
def _reward(
    x: Array,
    landmark: Array,
    b: int,
    disc: Array,
    weights: tuple[float, float, bool],
    reward: Array,
) -> None:
    global_weight, local_weight, self_collision = weights
    team, cover = x.shape[1], 0.0
    for j in range(landmark.shape[1]):
        least = distance(x, b, 0, landmark, j)
        for i in range(1, team):
            least = min(least, distance(x, b, i, landmark, j))
        cover -= least
    for i in range(team):
        reward[b, i] = 1.0 if self_collision else 0.0
    for i in range(team):
        for j in range(i + 1, team):
            if distance(x, b, i, x, j) < disc[i, 0] + disc[j, 0]:
                reward[b, i] += 1.0
                reward[b, j] += 1.0
    for i in range(team):
        reward[b, i] = global_weight * cover - local_weight * reward[b, i]


@kernel
def _look(x: Array, landmark: Array, out: Array) -> None:
    """Fill in what each of K places shows; the room for words is left as it is."""
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            surroundings(x, landmark, row, i, out, i)
