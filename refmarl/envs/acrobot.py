"""Acrobot: two links hang from a bar; only the joint between them is driven.

    d₁ = I₁ + I₂ + m l_c² + m (l² + l_c² + 2 l l_c cos θ₂),   d₂ = I₂ + m (l_c² + l l_c cos θ₂)
    θ̈₂ = (u + d₂ φ₁/d₁ − m l l_c θ̇₁² sin θ₂ − φ₂) / (m l_c² + I₂ − d₂²/d₁)
    θ̈₁ = −(d₂ θ̈₂ + φ₁)/d₁

    φ₂ = m l_c g sin(θ₁ + θ₂)
    φ₁ = φ₂ + (m l_c + m l) g sin θ₁ − m l l_c θ̇₂ (θ̇₂ + 2 θ̇₁) sin θ₂

with both masses, lengths and moments of inertia 1 and l_c = 1/2. Sutton 1996; the rules are those
of Gymnasium's Acrobot-v1: torques −1, 0, 1, one Runge–Kutta step of 0.2 s, |θ̇₁| ≤ 4π, |θ̇₂| ≤ 9π,
all four numbers uniform in ±0.1 at the beginning. It ends when the tip is one length above the bar,
−cos θ₁ − cos(θ₁ + θ₂) > 1, with reward 0; every other step costs 1. Truncated after 500 steps.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Disc, Discrete, Group, Scene, Segment
from ..kernels._jit import kernel
from ..value_grad import Real
from ._classic import Body, State
from ._frame import STEPS, close

GRAVITY, DT, CENTRE = 9.8, 0.2, 0.5
MAX_SPEED_1, MAX_SPEED_2 = 4 * math.pi, 9 * math.pi
Pose = tuple[float, float, float, float]


@kernel
def _slope(a: float, b: float, da: float, db: float, torque: float) -> Pose:
    """The derivatives of (θ₁, θ₂, θ̇₁, θ̇₂) with time."""
    cos, sin = math.cos(b), math.sin(b)
    d1 = CENTRE**2 + (1.0 + CENTRE**2 + 2.0 * CENTRE * cos) + 2.0
    d2 = CENTRE**2 + CENTRE * cos + 1.0
    phi2 = CENTRE * GRAVITY * math.sin(a + b)
    phi1 = phi2 + (CENTRE + 1.0) * GRAVITY * math.sin(a)
    phi1 -= CENTRE * db * (db + 2.0 * da) * sin
    push = torque + d2 / d1 * phi1 - CENTRE * da * da * sin - phi2
    ddb = push / (CENTRE**2 + 1.0 - d2 * d2 / d1)
    return da, db, -(d2 * ddb + phi1) / d1, ddb


@kernel
def _swing(a: float, b: float, da: float, db: float, torque: float) -> Pose:
    """One classical Runge–Kutta step of length ``DT``."""
    h = DT / 2.0
    k1 = _slope(a, b, da, db, torque)
    k2 = _slope(a + h * k1[0], b + h * k1[1], da + h * k1[2], db + h * k1[3], torque)
    k3 = _slope(a + h * k2[0], b + h * k2[1], da + h * k2[2], db + h * k2[3], torque)
    k4 = _slope(a + DT * k3[0], b + DT * k3[1], da + DT * k3[2], db + DT * k3[3], torque)
    w = DT / 6.0
    return (
        a + w * (k1[0] + 2.0 * k2[0] + 2.0 * k3[0] + k4[0]),
        b + w * (k1[1] + 2.0 * k2[1] + 2.0 * k3[1] + k4[1]),
        da + w * (k1[2] + 2.0 * k2[2] + 2.0 * k3[2] + k4[2]),
        db + w * (k1[3] + 2.0 * k2[3] + 2.0 * k3[3] + k4[3]),
    )


@kernel
def _wrapped(angle: float) -> float:
    """The same angle in [−π, π]."""
    while angle > math.pi:
        angle -= 2.0 * math.pi
    while angle < -math.pi:
        angle += 2.0 * math.pi
    return angle


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
    """Fill in what follows; False if a copy is over or an action not one of the three."""
    for n in range(x.shape[0]):
        if over[n] or not 0 <= action[n, 0] <= 2:
            return False
        a, b, da, db = _swing(x[n, 0], x[n, 1], x[n, 2], x[n, 3], action[n, 0] - 1.0)
        a, b = _wrapped(a), _wrapped(b)
        x_next[n, 0], x_next[n, 1] = a, b
        x_next[n, 2] = min(max(da, -MAX_SPEED_1), MAX_SPEED_1)
        x_next[n, 3] = min(max(db, -MAX_SPEED_2), MAX_SPEED_2)
        up = -math.cos(a) - math.cos(a + b) > 1.0
        reward[n, 0] = 0.0 if up else -1.0
        close(n, t, up, horizon, t_next, flags)
    return True


@dataclass(frozen=True)
class Acrobot(Body):
    """One agent, three actions: torque −1, 0 or 1 on the joint."""

    name: ClassVar[str] = "acrobot"
    group: ClassVar[Group] = Group("joint", ("joint",), 6, Discrete(3))
    start: ClassVar[Array] = np.array([[-0.1] * 4, [0.1] * 4])
    kernel = staticmethod(_step)
    horizon: int = option(500, *STEPS)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂) as (B, 1, 6)."""
        a, b, da, db = state.x.T
        seen = np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b), da, db], axis=1)
        return (seen[:, None],)

    def heuristic(self, state: State) -> Actions:
        """Torque along the joint's own motion: it always does positive work."""
        return (np.where(state.x[:, 3] < 0.0, 0, 2)[:, None],)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The bar, the height to reach, both links."""
        a, b = float(state.x[copy, 0]), float(state.x[copy, 1])
        elbow = (math.sin(a), -math.cos(a))
        tip = (elbow[0] + math.sin(a + b), elbow[1] - math.cos(a + b))
        shapes = (
            Segment((-2.2, 1.0), (2.2, 1.0)),
            Segment((0.0, 0.0), elbow, 0.15, 0),
            Segment(elbow, tip, 0.15, 1),
            Disc((0.0, 0.0), 0.08),
            Disc(elbow, 0.08),
        )
        return Scene((-2.2, 2.2, -2.2, 2.2), shapes, f"step {int(state.t[copy])}")
