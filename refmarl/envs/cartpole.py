"""CartPole: a pole on a cart, kept upright by pushing left or right.

    θ̈ = (g sin θ − cos θ τ) / (l (4/3 − m cos² θ / M)),   τ = (F + m l θ̇² sin θ) / M
    ẍ = τ − m l θ̈ cos θ / M

with M = m_cart + m, Euler steps of 0.02 s. Barto, Sutton & Anderson 1983; the rules are those of
Gymnasium's CartPole-v1: F = ±10, reward 1 for every step, terminated when |x| > 2.4 or
|θ| > 12°, truncated after 500 steps; all four numbers begin uniform in ±0.05.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import (
    Actions,
    Choice,
    Disc,
    Discrete,
    Group,
    Rolled,
    Scene,
    Segment,
    discrete_actions,
    refuse,
)
from ..kernels._jit import kernel
from ..kernels.choose import choose
from ..kernels.counter import RESTART, word
from ..value_grad import Real
from ._classic import Body, State, begin
from ._frame import STEPS, close

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, DT = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
X_LIMIT, ANGLE_LIMIT, START = 2.4, 12 * 2 * math.pi / 360, 0.05
Pose = tuple[float, float, float, float]


class Played(NamedTuple):
    """T steps of B copies that begin anew when they end; every step is paid 1."""

    state: State
    obs: Array  # (T, B, 1, 4): after each step, the first of the next episode where one ended
    terminated: Real  # (T, B) bool
    truncated: Real  # (T, B) bool


@kernel
def _push(x: float, speed: float, angle: float, spin: float, action: int) -> Pose:
    """The equations of motion."""
    total, moment = CART + POLE, POLE * HALF_LENGTH
    force = FORCE if action == 1 else -FORCE
    sin, cos = math.sin(angle), math.cos(angle)
    tau = (force + moment * spin * spin * sin) / total
    bend = (GRAVITY * sin - cos * tau) / (HALF_LENGTH * (4.0 / 3.0 - POLE * cos * cos / total))
    push = tau - moment * bend * cos / total
    return x + DT * speed, speed + DT * push, angle + DT * spin, spin + DT * bend


@kernel
def _fallen(x: float, angle: float) -> bool:
    """Whether it is over."""
    return bool(abs(x) > X_LIMIT or abs(angle) > ANGLE_LIMIT)


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
    """Fill in what follows; False if a copy is over or an action not one of the two."""
    for b in range(x.shape[0]):
        if over[b] or not 0 <= action[b, 0] <= 1:
            return False
        pose = _push(x[b, 0], x[b, 1], x[b, 2], x[b, 3], action[b, 0])
        x_next[b, 0], x_next[b, 1], x_next[b, 2], x_next[b, 3] = pose
        reward[b, 0] = 1.0
        close(b, t, _fallen(pose[0], pose[2]), horizon, t_next, flags)
    return True


@kernel
def _move(b: int, t: Real, x: Array, action: int, horizon: int, flags: Real) -> bool:
    """Copy b's step in place, its end into ``flags`` (2, B); whether it has ended."""
    pose = _push(x[b, 0], x[b, 1], x[b, 2], x[b, 3], action)
    x[b, 0], x[b, 1], x[b, 2], x[b, 3] = pose
    t[b] += 1
    fallen = _fallen(pose[0], pose[2])
    late = 0 < horizon <= t[b] and not fallen
    flags[0, b], flags[1, b] = fallen, late
    return fallen or late


@kernel
def _anew(b: int, key: Real, t: Real, x: Array, start: Array) -> None:
    """Copy b's next episode."""
    key[b], t[b] = word(key[b], RESTART, 0), 0
    begin(b, key, start, x)


@kernel
def _play(
    key: Real, t: Real, x: Array, action: Real, start: Array, horizon: int, obs: Array, flags: Real
) -> bool:
    """T steps with restarts, in place; False if an action is not one of the two.

    ``action`` (T, B), ``obs`` (T, B, 4): what follows each step; ``flags`` (2, T, B).
    """
    for n in range(action.shape[0]):
        for b in range(x.shape[0]):
            if not 0 <= action[n, b] <= 1:
                return False
            if _move(b, t, x, action[n, b], horizon, flags[:, n]):
                _anew(b, key, t, x, start)
            for k in range(4):
                obs[n, b, k] = x[b, k]
    return True


@kernel
def _roll(
    key: Real, t: Real, x: Array, start: Array, horizon: int, theta: Real, sizes: Real,
    smooth: bool, u: Real, obs: Array, action: Real, log_prob: Real, flags: Real, ends: Real,
    final: Array,
) -> int:  # fmt: skip
    """T steps that a policy plays, in place; how many episodes ended.

    ``obs`` (T + 1, B, 4) has its first row; ``ends`` (T·B, 3) are (t, b, length) of the ends and
    ``final`` (T·B, 4) what was seen there.
    """
    count = 0
    for n in range(u.shape[0]):
        choose(theta, obs[n].reshape(-1), sizes, smooth, u[n], action[n], log_prob[n])
        for b in range(x.shape[0]):
            if _move(b, t, x, action[n, b], horizon, flags[:, n]):
                ends[count, 0], ends[count, 1], ends[count, 2] = n, b, t[b]
                for k in range(4):
                    final[count, k] = x[b, k]
                count += 1
                _anew(b, key, t, x, start)
            for k in range(4):
                obs[n + 1, b, k] = x[b, k]
    return count


@dataclass(frozen=True)
class CartPole(Body):
    """One agent, two actions: 0 pushes left, 1 right."""

    name: ClassVar[str] = "cartpole"
    group: ClassVar[Group] = Group("cart", ("cart",), 4, Discrete(2))
    start: ClassVar[Array] = np.array([[-START] * 4, [START] * 4])
    kernel = staticmethod(_step)
    horizon: int = option(500, *STEPS)

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
        rules = (action, self.start, self.horizon)
        if state.ended.any() or not _play(key, t, x, *rules, obs, flags):
            refuse(self, state, (flat,))
        after = State(key, t, np.zeros(size, dtype=bool), x)
        return Played(after, obs[:, :, None], flags[0], flags[1])

    def roll(self, state: State, choice: Choice) -> Rolled:
        """T steps that a policy plays, as many calls of ``advance`` in one go."""
        steps, size = choice.u.shape
        key, t, x = state.key.copy(), state.t.copy(), state.x.copy()
        obs, action = np.empty((steps + 1, size, 4)), np.empty((steps, size), dtype=np.int64)
        obs[0] = x
        log_prob = np.empty((steps, size), choice.theta.dtype)
        flags, ends = np.empty((2, steps, size), dtype=bool), np.empty((steps * size, 3), np.int64)
        final = np.empty((steps * size, 4))
        count = _roll(
            key, t, x, self.start, self.horizon, *choice, obs, action, log_prob, flags, ends, final
        )
        after, ends = State(key, t, np.zeros(size, dtype=bool), x), ends[:count]
        paid = np.ones((steps, size))
        return Rolled(
            after, obs, action, log_prob, paid, flags, ends[:, :2], final[:count], ends[:, 2]
        )

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
