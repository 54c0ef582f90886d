r"""Mixers: from the utilities of n agents to the values that are trained, with their derivatives.

    Apart      Q_1, …, Q_n, each by itself                        independent learners
    Sum        Σ_i Q_i                                            VDN                   (2.7)
    Monotone   Σ_e f(Σ_i Q_i |W_ie(s)| + b_e(s)) |w_e(s)| + v(s)  QMIX                  (2.8)
    Free       any function of s and the Q_i                      Q* of weighted QMIX

All of them have ``size``, ``init``, ``forward(psi, q, state)`` and ``backward(psi, tape, dy)``, and
know shapes only; ψ (P,) is yours. In Monotone W, b, w and v are the outputs of networks that see
the state (hypernetworks, Ha et al. 2017), so that the mixing may be another one in each state:

    W = B₁ relu(A₁ s),   b = A₂ s,   w = B₃ relu(A₃ s),   v = B₄ relu(A₄ s)

with an offset in each layer; ``hidden`` = 0 leaves relu and B out of W and w. All A stand in one
matrix. With f convex, as elu is, Q_tot has increasing differences in the utilities: what one
agent's better action adds never falls with those of the others. With tanh it may fall, too.

Axes: M rows, n agents, S numbers of the state, E units, H hidden units of the hypernetworks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..nn.flat import Flat, Shapes
from ..nn.initialise import fan_in
from ..nn.mlp import MLP
from ..value_grad import Real
from .decomposition import monotone, monotone_gradient, vdn


class Mixer(Protocol):
    """What every mixer can do."""

    @property
    def size(self) -> int:
        """P, the number of parameters."""

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """ψ (P,)."""

    def forward(self, psi: Real, q: Real, state: Real) -> tuple[Real, Any]:
        """(values (M, J), tape) for q (M, n) and states (M, S)."""

    def backward(self, psi: Real, tape: Any, dy: Real) -> tuple[Real, Real]:
        """(∂L/∂ψ, ∂L/∂q) from dy = ∂L/∂values (M, J)."""


@dataclass(frozen=True)
class Apart:
    """No mixing: J = n."""

    size: int = 0

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """Nothing."""
        return np.empty(0, dtype)

    def forward(self, psi: Real, q: Real, state: Real) -> tuple[Real, None]:
        """(q, None)."""
        return q, None

    def backward(self, psi: Real, tape: None, dy: Real) -> tuple[Real, Real]:
        """(nothing, dy)."""
        return np.empty_like(psi), dy


@dataclass(frozen=True)
class Sum:
    """VDN: J = 1, no parameters."""

    size: int = 0

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """Nothing."""
        return np.empty(0, dtype)

    def forward(self, psi: Real, q: Real, state: Real) -> tuple[Real, Real]:
        """(Q_tot (M, 1), its gradient)."""
        total, slope = vdn(q)
        return total[:, None], slope

    def backward(self, psi: Real, tape: Real, dy: Real) -> tuple[Real, Real]:
        """(nothing, ∂L/∂q): each agent receives dy."""
        return np.empty_like(psi), dy * tape


class MonotoneTape(NamedTuple):
    """What the way back needs."""

    q: Real
    state: Real
    first: Real  # A s with relu where there is one, (M, ·)
    w1: Real
    w2: Real
    hidden: Real


@dataclass(frozen=True)
class Monotone(Flat):
    """QMIX: J = 1.

    Parameters
    ----------
    agents, state : n, S
    units : E
    hidden : H of the networks of W and w; 0: they are linear in the state
    weights : "abs" or "softplus": what keeps weights from being negative
    activation : f, "elu" or "tanh"

    Examples
    --------
    >>> net = Monotone(2, 3, units=4)
    >>> psi = net.init(np.random.default_rng(0))
    >>> total, tape = net.forward(psi, np.ones((5, 2)), np.ones((5, 3)))
    >>> dpsi, dq = net.backward(psi, tape, np.ones((5, 1)))
    >>> total.shape, bool((dq >= 0).all())
    ((5, 1), True)
    """

    agents: int
    state: int
    units: int = 32
    hidden: int = 0
    weights: str = "abs"
    activation: str = "elu"

    def shapes(self) -> Shapes:
        """A and its offset, then B and offset of W, w (if H > 0) and v."""
        wide, h, e = self.agents * self.units, self.hidden, self.units
        found: Shapes = {"A": (self.state, self._widths[-1]), "a": (self._widths[-1],)}
        if h:
            found |= {"B1": (h, wide), "c1": (wide,), "B2": (h, e), "c2": (e,)}
        return found | {"B3": (e, 1), "c3": (1,)}

    @property
    def _widths(self) -> tuple[int, int, int, int]:
        """Where the parts of A s end: those for W, w, v and b."""
        first, second = self.hidden or self.agents * self.units, self.hidden or self.units
        return first, first + second, first + second + self.units, first + second + 2 * self.units

    @property
    def _kind(self) -> tuple[str, str]:
        return self.weights, self.activation

    def init(
        self,
        rng: np.random.Generator,
        lead: Sequence[int] = (),
        *,
        dtype: type = np.float64,
    ) -> Real:
        """ψ (*lead, P): matrices N(0, 1 / fan-in), those of W and w over √E; offsets 0.

        Then Σ_e |W_ie w_e|, how fast Q_tot rises with an agent's utility, is about 1 whatever E.
        """
        psi = np.zeros((*lead, self.size))
        part = self.views(psi)
        for name in ("A", "B1", "B2", "B3"):
            if name in part:
                part[name][...] = fan_in(rng, part[name].shape)
        last = (part["B1"], part["B2"]) if self.hidden else (part["A"][..., : self._widths[1]],)
        for view in last:
            view /= self.units**0.5
        return psi.astype(dtype)

    def as_sum(self, low: float) -> Real:
        """ψ (P,) with which Q_tot is Σ_i q_i where that is ≥ ``low``: QMIX as VDN.

        Where f is elu and weights are absolute values: b = −low keeps every unit on its line.
        """
        psi = np.zeros(self.size)
        part, (one, two, three, _) = self.views(psi), self._widths
        rest = part["a"]
        own = (part["c1"], part["c2"]) if self.hidden else (rest[:one], rest[one:two])
        own[0][...], own[1][...] = 1.0, 1.0 / self.units
        rest[three:] = -low
        part["c3"][...] = low
        return psi

    def forward(self, psi: Real, q: Real, state: Real) -> tuple[Real, MonotoneTape]:
        """(Q_tot (M, 1), tape)."""
        part, (one, two, three, _) = self.views(psi), self._widths
        first = state.astype(psi.dtype, copy=False) @ part["A"]
        first += part["a"]
        active = first[:, (0 if self.hidden else two) : three]
        np.maximum(active, 0.0, out=active)
        w1, w2 = first[:, :one], first[:, one:two]
        if self.hidden:
            w1 = w1 @ part["B1"] + part["c1"]
            w2 = w2 @ part["B2"] + part["c2"]
        w1, w2 = np.ascontiguousarray(w1), np.ascontiguousarray(w2)
        v = first[:, two:three] @ part["B3"][:, 0] + part["c3"]
        q = np.ascontiguousarray(q, psi.dtype)
        total, hidden = monotone(q, w1, first[:, three:], w2, v, self._kind)
        return total[:, None], MonotoneTape(q, state, first, w1, w2, hidden)

    def backward(self, psi: Real, tape: MonotoneTape, dy: Real) -> tuple[Real, Real]:
        """(∂L/∂ψ, ∂L/∂q (M, n)) from dy (M, 1)."""
        part, (one, two, three, _) = self.views(psi), self._widths
        first, out = tape.first, np.empty_like(psi)
        found, delta = self.views(out), np.empty_like(first)
        dq, dw1, db, dw2 = monotone_gradient(
            tape.q, tape.w1, tape.w2, tape.hidden, dy[:, 0], self._kind
        )
        delta[:, three:] = db
        delta[:, two:three] = dy * part["B3"][:, 0]
        found["B3"][...] = first[:, two:three].T @ dy
        found["c3"][...] = dy.sum()
        if self.hidden:
            for k, d, at in (("1", dw1, slice(0, one)), ("2", dw2, slice(one, two))):
                np.matmul(first[:, at].T, d, out=found["B" + k])
                found["c" + k][...] = d.sum(axis=0)
                np.matmul(d, part["B" + k].T, out=delta[:, at])
        else:
            delta[:, :one], delta[:, one:two] = dw1, dw2
        active = slice(0 if self.hidden else two, three)
        delta[:, active] *= first[:, active] > 0.0
        np.matmul(tape.state.astype(psi.dtype, copy=False).T, delta, out=found["A"])
        found["a"][...] = delta.sum(axis=0)
        return out, dq


@dataclass(frozen=True)
class Free:
    """Any function of state and utilities: J = 1, no monotonicity; Q* of weighted QMIX."""

    agents: int
    state: int
    hidden: tuple[int, ...] = (64, 64)

    @property
    def net(self) -> MLP:
        """The network of (s, q)."""
        return MLP((self.state + self.agents, *self.hidden, 1), "relu")

    @property
    def size(self) -> int:
        """P."""
        return self.net.size

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """ψ (P,)."""
        return self.net.init(rng, dtype=dtype)

    def forward(self, psi: Real, q: Real, state: Real) -> tuple[Real, Any]:
        """(Q* (M, 1), tape)."""
        return self.net.forward(psi, np.concatenate([state, q], axis=1).astype(psi.dtype))

    def backward(self, psi: Real, tape: Any, dy: Real) -> tuple[Real, Real]:
        """(∂L/∂ψ, ∂L/∂q (M, n))."""
        dpsi, dx = self.net.backward(psi, tape, dy)
        return dpsi, dx[:, self.state :]
