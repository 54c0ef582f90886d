r"""Scaled dot-product attention with several heads, and its derivative.

    w = softmax(q kᵀ / √D),   y = w v                       one head
    Y = [y_1 … y_H] W_O + b,   q_j = x W_Qj,  k_j = s W_Kj,  v_j = s W_Vj

Vaswani et al. 2017, arXiv:1706.03762. A query looks at S things and takes the mean of their values
with weights w. ``mask`` (…, M, S) is True where it may look: elsewhere the weight is exactly 0, and
so is every derivative. A query that may look at nothing gets the mean 0 of no values.

Axes: L networks (any leading axes of θ, or none), any rows, M queries, S sources, I and J features
of them, H heads of D units, O outputs, P parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real
from .flat import Flat, Shapes, size_of, transposed, whole
from .initialise import weights


class AttendTape(NamedTuple):
    """Of one head: what it was given, and w (..., M, S)."""

    q: Real
    k: Real
    v: Real
    weights: Real


class AttentionTape(NamedTuple):
    """Of all heads; rows are flattened."""

    x: Real  # (*L, R, M, I)
    source: Real  # (*L, R, S, J)
    heads: AttendTape  # (*L, R, H, M or S, D)
    joined: Real  # (*L, R, M, H·D), before W_O
    rows: tuple[int, ...]


def attend(q: Real, k: Real, v: Real, mask: Real | None = None) -> tuple[Real, AttendTape]:
    """(y (..., M, E), tape) for q (..., M, D), k (..., S, D), v (..., S, E), mask (..., M, S).

    Examples
    --------
    >>> y, tape = attend(np.zeros((1, 2)), np.ones((4, 2)), np.array([[1.0], [2.0], [3.0], [4.0]]))
    >>> print(y, tape.weights)
    [[2.5]] [[0.25 0.25 0.25 0.25]]
    """
    score = (q @ transposed(k)) * q.shape[-1] ** -0.5
    low = score.dtype.type(-np.inf)
    if mask is not None:
        score = np.where(mask, score, low)
    top = score.max(axis=-1, keepdims=True)
    weight = np.exp(score - np.where(top == low, score.dtype.type(0.0), top))
    total = weight.sum(axis=-1, keepdims=True)
    weight = weight / np.where(total == 0.0, score.dtype.type(1.0), total)
    return np.asarray(weight @ v), AttendTape(q, k, v, weight)


def backward(tape: AttendTape, dy: Real) -> tuple[Real, Real, Real]:
    """(∂L/∂q, ∂L/∂k, ∂L/∂v) from ∂L/∂y (..., M, E)."""
    w = tape.weights
    d_w = dy @ transposed(tape.v)
    d_score = w * (d_w - (w * d_w).sum(axis=-1, keepdims=True)) * tape.q.shape[-1] ** -0.5
    return d_score @ tape.k, transposed(d_score) @ tape.q, transposed(w) @ dy


@dataclass(frozen=True)
class Attention(Flat):
    """Shapes of attention with projections.

    Parameters
    ----------
    inputs : I, features of a query
    source : J, features of what is looked at
    heads : H
    units : D, of each head
    outputs : O

    Examples
    --------
    >>> net = Attention(inputs=3, source=3, heads=2, units=4, outputs=5)
    >>> theta = net.init(np.random.default_rng(0))
    >>> x = np.ones((6, 7, 3))  # 7 agents look at each other, 6 times
    >>> y, tape = net.forward(theta, x, x)
    >>> y.shape, theta.shape
    ((6, 7, 5), (117,))
    """

    inputs: int
    source: int
    heads: int
    units: int
    outputs: int

    def __post_init__(self) -> None:
        for name in ("inputs", "source", "heads", "units", "outputs"):
            whole(getattr(self, name), name)

    def shapes(self) -> Shapes:
        """The heads stand side by side in W_Q, W_K, W_V and below each other in W_O."""
        inner = self.heads * self.units
        return {
            "WQ": (self.inputs, inner),
            "WK": (self.source, inner),
            "WV": (self.source, inner),
            "WO": (inner, self.outputs),
            "b": (self.outputs,),
        }

    def init(
        self, rng: np.random.Generator, lead: Sequence[int] = (), *, dtype: type = np.float64
    ) -> Real:
        """θ (*lead, P): weights orthogonal, b = 0."""
        theta = np.zeros((*lead, self.size))
        for name, part in self.views(theta).items():
            if name != "b":
                part[...] = weights(generator(rng), part.shape, 1.0, "orthogonal")
        return theta.astype(dtype)

    def forward(
        self, theta: Real, x: Real, source: Real, mask: Real | None = None
    ) -> tuple[Real, AttentionTape]:
        """(Y (*L, *rows, M, O), tape).

        Parameters
        ----------
        theta : (*L, P)
        x : (*L, *rows, M, I), the queries
        source : (*L, *rows, S, J), what they look at; x itself for self-attention
        mask : True where query m may look at s; broadcast to (*L, *rows, M, S)

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        rows = self.rows(theta, x, "x", -1, self.inputs)
        if self.rows(theta, source, "source", -1, self.source) != rows or source.shape[-2] == 0:
            raise InputError(f"source: need rows {rows} and S ≥ 1, got shape {source.shape}")
        lead = theta.shape[:-1]
        x, source = (
            a.astype(theta.dtype, copy=False).reshape(*lead, size_of(rows), *a.shape[-2:])
            for a in (x, source)
        )
        allowed = self._mask(mask, (*lead, *rows), lead, x.shape[-2], source.shape[-2])
        part = {name: view[..., None, :, :] for name, view in self._matrices(theta).items()}
        q, k, v = (
            self._apart(given @ part[name])
            for given, name in ((x, "WQ"), (source, "WK"), (source, "WV"))
        )
        y, heads = attend(q, k, v, allowed)
        joined = self._join(y)
        out = joined @ part["WO"] + self.views(theta)["b"][..., None, None, :]
        tape = AttentionTape(x, source, heads, joined, rows)
        return out.reshape(*lead, *rows, *out.shape[-2:]), tape

    def backward(self, theta: Real, tape: AttentionTape, dy: Real) -> tuple[Real, Real, Real]:
        """(∂L/∂θ (*L, P), ∂L/∂x, ∂L/∂source) from ∂L/∂Y; for self-attention add the last two."""
        lead, part = theta.shape[:-1], self._matrices(theta)
        dy = np.asarray(dy).reshape(*tape.joined.shape[:-1], self.outputs)
        dtheta = np.empty_like(theta, dtype=np.result_type(theta, dy))
        grad = self.views(dtheta)

        def flat(array: Real) -> Real:  # (*L, R·M, ·)
            return array.reshape(*lead, -1, array.shape[-1])

        def back(name: str, given: Real, d: Real) -> Real:
            """Fill in the gradient of a projection of ``given``; what it passes on."""
            grad[name][...] = transposed(flat(given)) @ flat(d)
            return np.asarray(d @ transposed(part[name])[..., None, :, :])

        grad["b"][...] = flat(dy).sum(axis=-2)
        d_joined = back("WO", tape.joined, dy)
        dq, dk, dv = (self._join(d) for d in backward(tape.heads, self._apart(d_joined)))
        dx = back("WQ", tape.x, dq)
        d_source = back("WK", tape.source, dk) + back("WV", tape.source, dv)
        shape = (*lead, *tape.rows)
        return (
            dtheta,
            dx.reshape(*shape, *dx.shape[-2:]),
            d_source.reshape(*shape, *d_source.shape[-2:]),
        )

    def _matrices(self, theta: Real) -> dict[str, Real]:
        return {name: view for name, view in self.views(theta).items() if name != "b"}

    def _apart(self, joined: Real) -> Real:
        """(…, M, H·D) as (…, H, M, D)."""
        split = joined.reshape(*joined.shape[:-1], self.heads, self.units)
        return np.swapaxes(split, -2, -3)

    def _join(self, heads: Real) -> Real:
        """(…, H, M, D) as (…, M, H·D)."""
        together = np.swapaxes(heads, -2, -3)
        return together.reshape(*together.shape[:-2], self.heads * self.units)

    def _mask(
        self, mask: Real | None, outer: tuple[int, ...], lead: tuple[int, ...], m: int, s: int
    ) -> Real | None:
        """``mask`` as (*L, R, 1, M, S)."""
        if mask is None:
            return None
        try:
            full = np.broadcast_to(np.asarray(mask, dtype=bool), (*outer, m, s))
        except ValueError:
            need = f"{(*outer, m, s)}, got shape {np.shape(mask)}"
            raise InputError(f"mask: need what broadcasts to {need}") from None
        return full.reshape(*lead, size_of(outer[len(lead) :]), 1, m, s)
