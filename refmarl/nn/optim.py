r"""Optimisers: state in, state out. All descend; hand them −g to ascend.

    SGD      θ ← θ − α g
    momentum m ← μ m + g,  θ ← θ − α m
    RMSProp  v ← β v + (1 − β) g²,  θ ← θ − α g / (√v + ε)
    Adam     m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,
             θ ← θ − α (m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + w θ)

w is AdamW's weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101); Adam is Kingma & Ba 2015,
arXiv:1412.6980. An optimiser is a frozen record of its constants with ``init(theta)`` and
``update(state, theta, gradient, rate) -> (state', theta')``; nothing is changed in place. θ may
have any leading axes and any float dtype. RMSProp and Adam go over float32 and float64 in one
compiled loop (:mod:`refmarl.kernels.optim`), with the same result to rounding.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..check import InputError
from ..kernels import optim as kernels
from ..kernels._jit import JIT
from ..value_grad import Real

TINY = {4: float(np.finfo(np.float32).tiny), 8: float(np.finfo(np.float64).tiny)}


class State(NamedTuple):
    """What an optimiser remembers; moments that it does not use are empty."""

    step: int  # t, updates done
    m: Real
    v: Real


class Optimiser(Protocol):
    """What every optimiser can do."""

    def init(self, theta: Real) -> State:
        """The state before the first update."""
        ...

    def update(self, state: State, theta: Real, gradient: Real, rate: float) -> tuple[State, Real]:
        """(state', θ') after one step of size ``rate`` down the gradient."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """Gradient descent, with momentum μ in [0, 1) if given."""

    momentum: float = 0.0

    def __post_init__(self) -> None:
        _unit(self.momentum, "momentum")

    def init(self, theta: Real) -> State:
        """The state before the first update."""
        return State(0, np.zeros_like(theta), np.empty(0, theta.dtype))

    def update(self, state: State, theta: Real, gradient: Real, rate: float) -> tuple[State, Real]:
        """(state', θ')."""
        m = self.momentum * state.m + gradient if self.momentum else gradient
        return State(state.step + 1, m, state.v), theta - float(rate) * m


@dataclass(frozen=True, kw_only=True)
class RmsProp:
    """Steps divided by a running root mean square of the gradient (Tieleman & Hinton 2012)."""

    beta: float = 0.99  # in [0, 1)
    epsilon: float = 1e-5  # > 0

    def __post_init__(self) -> None:
        _unit(self.beta, "beta")
        _positive(self.epsilon, "epsilon")

    def init(self, theta: Real) -> State:
        """The state before the first update."""
        return State(0, np.empty(0, theta.dtype), np.zeros_like(theta))

    def update(self, state: State, theta: Real, gradient: Real, rate: float) -> tuple[State, Real]:
        """(state', θ')."""
        if _compiled(theta, gradient, state.v):
            v, moved = state.v.copy(), theta.copy()
            scales = np.array([rate, self.epsilon, _tiny(theta)], theta.dtype)
            kernels.rms_prop(_flat(moved), _flat(gradient), _flat(v), self.beta, scales)
            return State(state.step + 1, state.m, v), moved
        v = self.beta * state.v + (1.0 - self.beta) * gradient**2
        theta = theta - float(rate) * gradient / (np.sqrt(v) + self.epsilon)
        return State(state.step + 1, state.m, v), theta


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam, or AdamW where ``decay`` is not 0."""

    beta1: float = 0.9  # in [0, 1)
    beta2: float = 0.999  # in [0, 1)
    epsilon: float = 1e-8  # > 0
    decay: float = 0.0  # w ≥ 0

    def __post_init__(self) -> None:
        _unit(self.beta1, "beta1")
        _unit(self.beta2, "beta2")
        _positive(self.epsilon, "epsilon")
        if not self.decay >= 0:
            raise InputError(f"decay: need a number ≥ 0, got {self.decay!r}")

    def init(self, theta: Real) -> State:
        """The state before the first update."""
        return State(0, np.zeros_like(theta), np.zeros_like(theta))

    def update(self, state: State, theta: Real, gradient: Real, rate: float) -> tuple[State, Real]:
        """(state', θ')."""
        t = state.step + 1
        if _compiled(theta, gradient, state.m, state.v):
            return self._compiled_step(state, theta, gradient, rate)
        m = self.beta1 * state.m + (1.0 - self.beta1) * gradient
        v = self.beta2 * state.v + (1.0 - self.beta2) * gradient**2
        m_hat, v_hat = m / (1.0 - self.beta1**t), v / (1.0 - self.beta2**t)
        step = m_hat / (np.sqrt(v_hat) + self.epsilon)
        if self.decay:
            step = step + self.decay * theta
        return State(t, m, v), theta - float(rate) * step

    def _compiled_step(
        self, state: State, theta: Real, gradient: Real, rate: float
    ) -> tuple[State, Real]:
        t = state.step + 1
        moved, m, v = theta.copy(), state.m.copy(), state.v.copy()
        scale = (rate / (1.0 - self.beta1**t), (1.0 - self.beta2**t) ** -0.5)
        scales = (*scale, self.epsilon, rate * self.decay, _tiny(theta))
        kernels.adam(
            _flat(moved), _flat(gradient), _flat(m), _flat(v), self.beta1, self.beta2,
            np.array(scales, theta.dtype),
        )  # fmt: skip
        return State(t, m, v), moved


def clip_norm(gradient: Real, limit: float) -> tuple[Real, Any]:
    """(g · min(1, limit / ‖g‖), ‖g‖): the direction stays, the 2-norm is at most ``limit``.

    The norm is that of the last axis, (*L): networks side by side are each clipped as if alone.

    Raises
    ------
    InputError
        If ``limit`` is not a number > 0.
    """
    _positive(limit, "limit")
    norm = np.sqrt(np.square(gradient, dtype=np.float64).sum(axis=-1))
    if (norm <= limit).all():
        return gradient, norm
    factor = np.where(norm > limit, limit / np.maximum(norm, limit), 1.0)
    return gradient * factor.astype(gradient.dtype)[..., None], norm


def polyak(target: Real, theta: Real, tau: float) -> Real:
    """The target network's parameters after a step towards θ: (1 − τ) θ' + τ θ.

    Raises
    ------
    InputError
        If τ is not in [0, 1].

    Examples
    --------
    >>> polyak(np.array([0.0, 8.0]), np.array([4.0, 0.0]), 0.25)
    array([1., 6.])
    """
    if not 0.0 <= tau <= 1.0:
        raise InputError(f"tau: need a number in [0, 1], got {tau!r}")
    return target + float(tau) * (theta - target)  # (2.5)


def _compiled(theta: Real, *others: Real) -> bool:
    """Whether one compiled loop can go over all of them."""
    return (
        JIT
        and theta.dtype in (np.float32, np.float64)
        and all(a.dtype == theta.dtype and a.shape == theta.shape for a in others)
    )


def _flat(array: Real) -> Real:
    """Contiguous and writable; itself if it is so already."""
    good = array.flags.c_contiguous and array.flags.writeable
    return (array if good else array.copy()).reshape(-1)


def _tiny(theta: Real) -> float:
    """The smallest normal number of θ's kind."""
    return TINY[theta.dtype.itemsize]


def _unit(value: float, name: str) -> None:
    if not 0.0 <= value < 1.0:
        raise InputError(f"{name}: need a number in [0, 1), got {value!r}")


def _positive(value: float, name: str) -> None:
    if not (value > 0.0 and np.isfinite(value)):
        raise InputError(f"{name}: need a number > 0, got {value!r}")
