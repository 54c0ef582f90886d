r"""A network with a memory: a recurrent layer beside what is seen, and a network on top of both.

    h_t = GRU(x_t, h_{t−1}),   y_t = f(x_t, h_t)

What stands on top is a perceptron or a policy whose inputs are I numbers seen and H remembered. If
its weights of h are 0 it is that network, without memory. Derivatives go back through time by
:class:`~refmarl.nn.gru.GRU`. θ holds the recurrent layer's parameters, then those of the top.

Axes: L networks (any leading axes of θ, or none), T steps, any rows, I inputs, H units, D outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..value_grad import Real
from .gru import GRU, GruTape
from .mlp import MLP, Tape
from .policy import Policy


class RecurrentTape(NamedTuple):
    """What a forward pass leaves."""

    h: Real  # after each step, (*L, T, *rows, H)
    gru: GruTape
    top: Tape


@dataclass(frozen=True)
class Recurrent:
    """Shapes of a memory of ``units`` below ``top``.

    Examples
    --------
    >>> net = Recurrent(MLP((2 + 3, 8, 1)), 3)
    >>> theta = net.init(np.random.default_rng(0))
    >>> y, tape = net.forward(theta, np.ones((5, 4, 2)), np.zeros((4, 3)))
    >>> y.shape, tape.h.shape, theta.shape
    ((5, 4, 1), (5, 4, 3), (114,))
    """

    top: MLP | Policy
    units: int

    def __post_init__(self) -> None:
        inputs = self.perceptron.sizes[0]
        if not 0 < self.units < inputs:
            raise InputError(f"units: need 1 … {inputs - 1}, of the top's inputs; got {self.units}")

    @property
    def perceptron(self) -> MLP:
        """The layers of the top."""
        return self.top.net if isinstance(self.top, Policy) else self.top

    @cached_property
    def gru(self) -> GRU:
        """The recurrent layer."""
        return GRU(self.perceptron.sizes[0] - self.units, self.units)

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.gru.size + self.top.size

    def init(
        self, rng: np.random.Generator, lead: Sequence[int] = (), *, dtype: type = np.float64
    ) -> Real:
        """θ (*lead, P): each part as it begins by itself."""
        below = self.gru.init(rng, lead, dtype=dtype)
        return np.concatenate([below, self.top.init(rng, lead, dtype=dtype)], axis=-1)

    def step(self, theta: Real, x: Real, h: Real) -> tuple[Real, Real]:
        """(y (*L, *rows, D), h′ (*L, *rows, H)) after one step, for acting."""
        below, above = self._apart(theta)
        after = self.gru.step(below, x, h)
        return self.top.forward(above, _beside(x, after))[0], after

    def forward(
        self, theta: Real, x: Real, h: Real, starts: Real | None = None
    ) -> tuple[Real, RecurrentTape]:
        """(y of each step (*L, T, *rows, D), tape); arguments as those of ``GRU.forward``.

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        below, above = self._apart(theta)
        after, gru = self.gru.forward(below, x, h, starts)
        y, top = self.top.forward(above, _beside(x, after))
        return y, RecurrentTape(after, gru, top)

    def backward(self, theta: Real, tape: RecurrentTape, dy: Real) -> tuple[Real, Real, Real]:
        """(∂L/∂θ (*L, P), ∂L/∂x, ∂L/∂h before the first step) from ∂L/∂y (*L, T, *rows, D)."""
        below, above = self._apart(theta)
        d_above, d_both = self.top.backward(above, tape.top, dy)
        inputs = self.gru.inputs
        d_below, dx, dh = self.gru.backward(below, tape.gru, d_both[..., inputs:])
        return np.concatenate([d_below, d_above], axis=-1), d_both[..., :inputs] + dx, dh

    def jvp(
        self, theta: Real, tape: RecurrentTape, v: Real, u: Real | None = None,
        w: Real | None = None,
    ) -> Real:  # fmt: skip
        """Jv = R{y} (*L, T, *rows, D), along v for θ, u for x, w for the first h; None is 0.

        Raises
        ------
        InputError
            If a direction has not the shape of what it moves.
        """
        (below, above), (v_below, v_above) = self._apart(theta), self._apart(v)
        r_h = self.gru.jvp(below, tape.gru, v_below, u, w)
        r_x = np.zeros((*r_h.shape[:-1], self.gru.inputs), r_h.dtype) if u is None else u
        return self.top.jvp(above, tape.top, v_above, _beside(r_x, r_h))

    def _apart(self, theta: Real) -> tuple[Real, Real]:
        """The parameters of both parts.

        Raises
        ------
        InputError
            If the last axis is not P.
        """
        if theta.shape[-1:] != (self.size,):
            raise InputError(f"theta: need (..., P = {self.size}), got shape {theta.shape}")
        return theta[..., : self.gru.size], theta[..., self.gru.size :]


def _beside(x: Real, h: Real) -> Real:
    """What the top reads."""
    return np.concatenate([x.astype(h.dtype, copy=False), h], axis=-1)
