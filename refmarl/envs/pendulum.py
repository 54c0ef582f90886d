"""Pendulum: swing a rod up and hold it, with too little torque to lift it at once.

    θ̈ = 3g/(2l) sin θ + 3u/(m l²),   reward −(θ² + 0.1 θ̇² + 0.001 u²)

with θ = 0 upright and θ in the reward taken in [−π, π). The rules are those of Gymnasium's
Pendulum-v1: g = 10, m = l = 1, |u| ≤ 2, |θ̇| ≤ 8, semi-implicit Euler steps of 0.05 s, θ uniform in
±π and θ̇ in ±1 at the beginning, truncated after 200 steps, never terminated.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Box, Disc, Group, Scene, Segment
from ..kernels._jit import kernel
from ..value_grad import Real
from ._classic import Body, State
from ._frame import STEPS, close

GRAVITY, DT, MAX_SPEED, MAX_TORQUE = 10.0, 0.05, 8.0, 2.0


@kernel
def _step(
    x: Array,
    t: Real,
    over: Real,
    torque: Array,
    horizon: int,
    x_next: Array,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over."""
    for b in range(x.shape[0]):
        if over[b]:
            return False
        u = torque[b, 0, 0]
        angle = (x[b, 0] + math.pi) % (2.0 * math.pi) - math.pi
        reward[b, 0] = -(angle * angle + 0.1 * x[b, 1] * x[b, 1] + 0.001 * u * u)
        spin = x[b, 1] + (1.5 * GRAVITY * math.sin(x[b, 0]) + 3.0 * u) * DT
        spin = min(max(spin, -MAX_SPEED), MAX_SPEED)
        x_next[b, 0] = x[b, 0] + spin * DT
        x_next[b, 1] = spin
        close(b, t, False, horizon, t_next, flags)
    return True


@dataclass(frozen=True)
class Pendulum(Body):
    """One agent, one action: the torque, clipped to [−2, 2]."""

    name: ClassVar[str] = "pendulum"
    group: ClassVar[Group] = Group("rod", ("rod",), 3, Box(-MAX_TORQUE, MAX_TORQUE, 1))
    start: ClassVar[Array] = np.array([[-math.pi, -1.0], [math.pi, 1.0]])
    kernel = staticmethod(_step)
    horizon: int = option(200, *STEPS)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(cos θ, sin θ, θ̇) as (B, 1, 3)."""
        angle, spin = state.x.T
        return (np.stack([np.cos(angle), np.sin(angle), spin], axis=1)[:, None],)

    def heuristic(self, state: State) -> Actions:
        """Pump energy while it hangs, balance with a spring and a damper near the top."""
        angle, spin = (state.x[:, 0] + math.pi) % (2 * math.pi) - math.pi, state.x[:, 1]
        missing = 15.0 * (1.0 - np.cos(angle)) - 0.5 * spin**2
        swing = 2.0 * np.where(spin == 0.0, 1.0, np.sign(spin)) * np.sign(missing)
        near = abs(angle) < 0.4
        return (np.where(near, -12.0 * angle - 3.0 * spin, swing)[:, None, None],)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The rod and its axis."""
        angle = float(state.x[copy, 0])
        tip = (-math.sin(angle), math.cos(angle))
        shapes = (Segment((0.0, 0.0), tip, width=0.16, colour=0), Disc((0.0, 0.0), 0.05))
        return Scene((-1.2, 1.2, -1.2, 1.2), shapes, f"step {int(state.t[copy])}")
