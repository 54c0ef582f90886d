r"""The duplex mixing of QPLEX: values mixed by the state, advantages by the state and what all do.

    V_i   = max_a Q_i(o_i, a),   A_i = Q_i(o_i, a_i) − V_i ≤ 0
    Q_tot = Σ_i w_i(s) V_i + b(s) + Σ_i λ_i(s, a) w_i(s) A_i,   w_i, λ_i > 0

J. Wang et al. 2021, arXiv:2008.01062. Nothing can make up for an advantage below
0, so Q_tot is largest where every A_i is 0: the greedy actions of the agents are the team's. λ may
be anything else, so any joint values whose best joint action is unique can be said exactly
(:func:`~refmarl.cooperative.representable.qplex_factors`).

w, b and λ are networks of s and of (s, a), a one-hot, w and λ through |1 + x| + 10⁻⁶: an absolute
value, as in the paper, does not get stuck where λ is small. (The paper's λ is a sum over several
heads, each a product of three.)

Axes: M rows, n agents, S numbers of the state, K of all one-hot actions.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..nn.mlp import MLP
from ..value_grad import Real

LEAST = 1e-6  # of w and λ
FIRST = 0.01  # of the weights of the last layers at the beginning, so that w and λ are near 1


class Tape(NamedTuple):
    """What the way back needs."""

    q: Real
    best: Real  # V_i
    raw: Real  # of w, and b behind it, (M, n + 1)
    raw_credit: Real  # of λ, (M, n)
    tapes: tuple[Any, Any]


@dataclass(frozen=True)
class Duplex:
    """QPLEX: J = 1.

    Parameters
    ----------
    agents, state, actions : n, S, K
    hidden : units of both networks

    Examples
    --------
    >>> net = Duplex(2, 3, 4)
    >>> psi, rng = net.init(np.random.default_rng(0)), np.random.default_rng(1)
    >>> q, both = -np.ones((5, 2)), rng.random((5, 7))
    >>> total, tape = net.forward(psi, q, 0.0 * q, both[:, :3], both)
    >>> dpsi, dq, dbest = net.backward(psi, tape, np.ones((5, 1)))
    >>> total.shape, bool((dq > 0).all())
    ((5, 1), True)
    """

    agents: int
    state: int
    actions: int
    hidden: tuple[int, ...] = (64,)

    @cached_property
    def nets(self) -> tuple[MLP, MLP]:
        """Those of (w, b) and of λ."""
        n, s = self.agents, self.state
        return (
            MLP((s, *self.hidden, n + 1), "relu"),
            MLP((s + self.actions, *self.hidden, n), "relu"),
        )

    @property
    def size(self) -> int:
        """P."""
        return sum(net.size for net in self.nets)

    def _parts(self, psi: Real) -> tuple[Real, Real]:
        first = self.nets[0].size
        return psi[:first], psi[first:]

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """ψ (P,): Q_tot is about the sum of the utilities."""
        return np.concatenate([net.init(rng, out_scale=FIRST, dtype=dtype) for net in self.nets])

    def forward(self, psi: Real, q: Real, best: Real, state: Real, both: Real) -> tuple[Real, Tape]:
        """(Q_tot (M, 1), tape).

        Parameters
        ----------
        q, best : Q_i of what was done, and V_i, (M, n)
        state, both : s (M, S), and s with a one-hot behind it (M, S + K)
        """
        one, two = self.nets
        theta, eta = self._parts(psi)
        raw, tape = one.forward(theta, state.astype(psi.dtype, copy=False))
        raw_credit, credit_tape = two.forward(eta, both.astype(psi.dtype, copy=False))
        w, lam = _positive(raw[:, :-1]), _positive(raw_credit)
        total = (w * (best + lam * (q - best))).sum(axis=1) + raw[:, -1]
        return total[:, None], Tape(q, best, raw, raw_credit, (tape, credit_tape))

    def backward(self, psi: Real, tape: Tape, dy: Real) -> tuple[Real, Real, Real]:
        """(∂L/∂ψ, ∂L/∂q, ∂L/∂V (M, n)) from dy (M, 1)."""
        one, two = self.nets
        theta, eta = self._parts(psi)
        q, best, raw = tape.q, tape.best, tape.raw[:, :-1]
        w, lam = _positive(raw), _positive(tape.raw_credit)
        dw = dy * (best + lam * (q - best)) * np.sign(1.0 + raw)
        dlam = dy * w * (q - best) * np.sign(1.0 + tape.raw_credit)
        dpsi = np.concatenate(
            [
                one.gradient(theta, tape.tapes[0], np.concatenate([dw, dy], axis=1)),
                two.gradient(eta, tape.tapes[1], dlam),
            ]
        )
        return dpsi, dy * w * lam, dy * w * (1.0 - lam)


def _positive(x: Real) -> Real:
    return np.asarray(np.abs(1.0 + x) + LEAST, x.dtype)
