"""CartPole: a pole on a cart, kept upright by pushing left or right.

    θ̈ = (g sin θ − cos θ τ) / (l (4/3 − m cos² θ / M)),   τ = (F + m l θ̇² sin θ) / M
    ẍ = τ − m l θ̈ cos θ / M

with M = m_cart + m, Euler steps of 0.02 s. Barto, Sutton & Anderson 1983; the rules are those of
Gymnasium's CartPole-v1: F = ±10, reward 1 for every step, terminated when |x| > 2.4 or
|θ| > 12°, truncated after 500 steps; all four numbers begin uniform in ±0.05.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..env_api import (
    Actions,
    Disc,
    Discrete,
    Env,
    Group,
    Scene,
    Segment,
    Step,
    discrete_actions,
    refuse,
)
from ..kernels._jit import kernel
from ..kernels.counter import next_keys, uniform
from ..value_grad import Real

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, DT = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
X_LIMIT, ANGLE_LIMIT, START = 2.4, 12 * 2 * math.pi / 360, 0.05


class State(NamedTuple):
    """B carts."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    x: Array  # (B, 4): x, ẋ, θ, θ̇


class Played(NamedTuple):
    """T steps of B copies that begin anew when they end; every step is paid 1."""

    state: State
    obs: Array  # (T, B, 1, 4): after each step, the first of the next episode where one ended
    terminated: Real  # (T, B) bool
    truncated: Real  # (T, B) bool


@dataclass(frozen=True)
class CartPole(Env):
    """One agent, two actions: 0 pushes left, 1 right."""

    name: ClassVar[str] = "cartpole"
    horizon: int = 500  # steps until truncation

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group of one agent that sees (x, ẋ, θ, θ̇)."""
        return (Group("cart", ("cart",), 4, Discrete(2)),)

    def restart(self, key: Real) -> State:
        """All four numbers uniform in ±0.05."""
        size = len(key)
        x = np.empty((size, 4))
        _start(key, x)
        return State(key, np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool), x)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(x, ẋ, θ, θ̇) as (B, 1, 4)."""
        return (state.x[:, None, :].copy(),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Push for 0.02 s."""
        size = len(state.t)
        action = discrete_actions(self, size, actions)
        x, t, reward = np.empty((size, 4)), np.empty(size, dtype=np.int64), np.empty((size, 1))
        flags = np.empty((3, size), dtype=bool)
        if not _step(state.x, state.t, state.ended, action, self.horizon, x, t, reward, flags):
            refuse(self, state, actions)
        terminated, truncated, ended = flags
        return State(state.key, t, ended, x), Step((reward,), terminated, truncated)

    def play(self, state: State, actions: Actions) -> Played:
        """T steps of given actions (T, B, 1) in one go: what T calls of ``advance`` give.

        Raises
        ------
        InputError
            If a copy has ended, or an action is out of range.
        """
        size, script = len(state.t), np.asarray(actions[0])
        steps = len(script)
        flat = script.reshape(steps * size, -1)
        action = discrete_actions(self, steps * size, (flat,)).reshape(steps, size)
        key, t, x = state.key.copy(), state.t.copy(), state.x.copy()
        obs, flags = np.empty((steps, size, 4)), np.empty((2, steps, size), dtype=bool)
        if state.ended.any() or not _play(key, t, x, action, self.horizon, obs, flags):
            refuse(self, state, (flat,))
        after = State(key, t, np.zeros(size, dtype=bool), x)
        return Played(after, obs[:, :, None], flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Push to where the pole is falling: balances for about 200 steps and more."""
        lean = state.x[:, 2] + 0.25 * state.x[:, 3]
        return ((lean > 0).astype(np.int64)[:, None],)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The track between its two ends, the cart, and the pole on it."""
        x, _, angle, _ = (float(v) for v in state.x[copy])
        tip = (x + 2 * HALF_LENGTH * math.sin(angle), 2 * HALF_LENGTH * math.cos(angle))
        track = Segment((-X_LIMIT, 0.0), (X_LIMIT, 0.0))
        cart = Segment((x - 0.25, 0.0), (x + 0.25, 0.0), width=0.2, colour=0)
        pole = Segment((x, 0.0), tip, width=0.06, colour=1)
        shapes = (track, cart, pole, Disc((x, 0.0), 0.05))
        return Scene((-2.8, 2.8, -0.4, 1.4), shapes, f"step {int(state.t[copy])}")


@kernel
def _start(key: Real, x: Array) -> None:
    for b in range(x.shape[0]):
        for k in range(4):
            x[b, k] = START * (2.0 * uniform(key[b], 0, k) - 1.0)


@kernel
def _push(x: Array, action: int, out: Array) -> None:
    """One copy's equations of motion; ``out`` may be ``x``."""
    total, moment = CART + POLE, POLE * HALF_LENGTH
    force = FORCE if action == 1 else -FORCE
    speed, angle, spin = x[1], x[2], x[3]
    sin, cos = math.sin(angle), math.cos(angle)
    tau = (force + moment * spin * spin * sin) / total
    bend = (GRAVITY * sin - cos * tau) / (HALF_LENGTH * (4.0 / 3.0 - POLE * cos * cos / total))
    push = tau - moment * bend * cos / total
    out[0] = x[0] + DT * speed
    out[1] = speed + DT * push
    out[2] = angle + DT * spin
    out[3] = spin + DT * bend


@kernel
def _play(
    key: Real, t: Real, x: Array, action: Real, horizon: int, obs: Array, flags: Real
) -> bool:
    """T steps with restarts, in place; False if an action is not one of the two.

    ``action`` (T, B), ``obs`` (T, B, 4): what follows each step; ``flags`` (2, T, B).
    """
    for n in range(action.shape[0]):
        for b in range(x.shape[0]):
            if not 0 <= action[n, b] <= 1:
                return False
            _push(x[b], action[n, b], x[b])
            t[b] += 1
            fallen = abs(x[b, 0]) > X_LIMIT or abs(x[b, 2]) > ANGLE_LIMIT
            late = 0 < horizon <= t[b] and not fallen
            flags[0, n, b], flags[1, n, b] = fallen, late
            if fallen or late:
                next_keys(key[b : b + 1], key[b : b + 1])
                _start(key[b : b + 1], x[b : b + 1])
                t[b] = 0
            for k in range(4):
                obs[n, b, k] = x[b, k]
    return True


@kernel
def _step(
    x: Array,
    t: Real,
    over: Real,
    action: Real,
    horizon: int,
    x_next: Array,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action not one of the two.

    ``flags`` (3, B): terminated, truncated, ended.
    """
    for b in range(x.shape[0]):
        if over[b] or not 0 <= action[b, 0] <= 1:
            return False
        _push(x[b], action[b, 0], x_next[b])
        t_next[b] = t[b] + 1
        fallen = abs(x_next[b, 0]) > X_LIMIT or abs(x_next[b, 2]) > ANGLE_LIMIT
        late = 0 < horizon <= t_next[b] and not fallen
        flags[0, b], flags[1, b], flags[2, b] = fallen, late, fallen or late
        reward[b, 0] = 1.0
    return True
