r"""Scaled dot-product attention with several heads, and its derivative.

    w = softmax(q kᵀ / √D),   y = w v                       one head
    Y = [y_1 … y_H] W_O + b,   q_j = x W_Qj,  k_j = s W_Kj,  v_j = s W_Vj

Vaswani et al. 2017, arXiv:1706.03762. A query looks at S things and takes the mean of their values
with weights w. ``mask`` (…, M, S) is True where it may look: elsewhere the weight is exactly 0, and
so is every derivative. A query that may look at nothing gets the mean 0 of no values.
R{·} is the derivative along a direction, as in :mod:`~refmarl.nn.mlp`.

Axes: L networks (any leading axes of θ, or none), any rows, M queries, S sources, I and J features
of them, H heads of D units, O outputs, P parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real
from .flat import Flat, Shapes, in_kind, size_of, transposed, whole
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


def jvp(tape: AttendTape, r_q: Real, r_k: Real, r_v: Real) -> tuple[Real, Real]:
    """(R{y} (..., M, E), R{w} (..., M, S)), when q, k and v move by ``r_…``."""
    q, k, v, w = tape
    r_score = (r_q @ transposed(k) + q @ transposed(r_k)) * q.shape[-1] ** -0.5
    r_w = w * (r_score - (w * r_score).sum(axis=-1, keepdims=True))
    return r_w @ v + w @ r_v, r_w


def r_backward(tape: AttendTape, dy: Real, moved: AttendTape, r_dy: Real) -> tuple[Real, ...]:
    """R{·} of the three results of :func:`backward`, when the tape and dy move."""
    q, k, v, w = tape
    d_w, r_d_w = dy @ transposed(v), r_dy @ transposed(v) + dy @ transposed(moved.v)
    mean = (w * d_w).sum(axis=-1, keepdims=True)
    r_mean = (moved.weights * d_w + w * r_d_w).sum(axis=-1, keepdims=True)
    scale = q.shape[-1] ** -0.5
    d_score = w * (d_w - mean) * scale
    r_score = (moved.weights * (d_w - mean) + w * (r_d_w - r_mean)) * scale
    return (
        r_score @ k + d_score @ moved.k,
        transposed(r_score) @ q + transposed(d_score) @ moved.q,
        transposed(moved.weights) @ dy + transposed(w) @ r_dy,
    )


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
            in_kind(a, theta).reshape(*lead, size_of(rows), *np.shape(a)[-2:]) for a in (x, source)
        )
        allowed = self._mask(mask, (*lead, *rows), lead, x.shape[-2], source.shape[-2])
        q, k, v = (
            self._apart(_times(given, self._matrix(theta, name)))
            for given, name in ((x, "WQ"), (source, "WK"), (source, "WV"))
        )
        y, heads = attend(q, k, v, allowed)
        joined = self._join(y)
        out = _times(joined, self._matrix(theta, "WO")) + self.views(theta)["b"][..., None, None, :]
        tape = AttentionTape(x, source, heads, joined, rows)
        return self._shaped(out, tape, theta), tape

    def backward(self, theta: Real, tape: AttentionTape, dy: Real) -> tuple[Real, Real, Real]:
        """(∂L/∂θ (*L, P), ∂L/∂x, ∂L/∂source) from ∂L/∂Y; for self-attention add the last two."""
        dy = np.asarray(dy).reshape(*tape.joined.shape[:-1], self.outputs)
        d_joined = _times(dy, transposed(self._matrix(theta, "WO")))
        through = backward(tape.heads, self._apart(d_joined))
        return self._gather(theta, tape, (dy, *map(self._join, through)))

    def jvp(
        self,
        theta: Real,
        tape: AttentionTape,
        v: Real,
        u: Real | None = None,
        w: Real | None = None,
    ) -> Real:
        """Jv = R{Y} (*L, *rows, M, O), along v for θ, u for x and w for the source; None is 0.

        For self-attention u and w are the same.

        Raises
        ------
        InputError
            If a direction has not the shape of what it moves.
        """
        return self._shaped(self._tangent(theta, tape, v, u, w)[0], tape, v)

    def hvp(
        self,
        theta: Real,
        tape: AttentionTape,
        dy: Real,
        curvature: Callable[[Real], Real],
        v: Real,
        u: Real | None = None,
        w: Real | None = None,
    ) -> tuple[Real, Real, Real]:
        """Hv = R{(∂L/∂θ, ∂L/∂x, ∂L/∂source)} along (v, u, w).

        Parameters
        ----------
        theta, tape : as in ``forward``
        dy : ∂L/∂Y (*L, *rows, M, O)
        curvature : R{Y} ↦ R{dY}, the product with L's own Hessian in Y; 0 where L is linear in Y
        v, u, w : directions, as in ``jvp``

        Raises
        ------
        InputError
            If a direction has not the shape of what it moves.
        """
        r_y, moved = self._tangent(theta, tape, v, u, w)
        r_dy = np.asarray(curvature(self._shaped(r_y, tape, v)))
        dy, r_dy = (np.asarray(d).reshape(r_y.shape) for d in (dy, r_dy))
        out, r_out = (transposed(self._matrix(a, "WO")) for a in (theta, v))
        d_heads, r_heads = self._apart(dy @ out), self._apart(r_dy @ out + dy @ r_out)
        through = backward(tape.heads, d_heads)
        r_through = r_backward(tape.heads, d_heads, moved.heads, r_heads)
        still = self._gather(theta, tape, (r_dy, *map(self._join, r_through)))
        turned = self._gather(v, moved, (dy, *map(self._join, through)))
        parts = self.views(still[0])
        for name, more in self.views(turned[0]).items():
            if name != "b":
                parts[name][...] += more
        return still[0], still[1] + turned[1], still[2] + turned[2]

    def _gather(
        self, theta: Real, tape: AttentionTape, d: tuple[Real, ...]
    ) -> tuple[Real, Real, Real]:
        """The three gradients from those of Y, q, k and v, all heads joined."""
        lead, dtheta = theta.shape[:-1], np.empty_like(theta, dtype=np.result_type(theta, *d))
        grad, into = self.views(dtheta), []

        def flat(array: Real) -> Real:  # (*L, R·M, ·)
            return array.reshape(*lead, -1, array.shape[-1])

        grad["b"][...] = flat(d[0]).sum(axis=-2)
        given = (tape.joined, tape.x, tape.source, tape.source)
        for name, array, dz in zip(("WO", "WQ", "WK", "WV"), given, d, strict=True):
            grad[name][...] = transposed(flat(array)) @ flat(dz)
            into.append(_times(dz, transposed(self._matrix(theta, name))))
        return (
            dtheta,
            self._shaped(into[1], tape, theta),
            self._shaped(into[2] + into[3], tape, theta),
        )

    def _tangent(
        self, theta: Real, tape: AttentionTape, v: Real, u: Real | None, w: Real | None
    ) -> tuple[Real, AttentionTape]:
        """(R{Y} (*L, R, M, O), R{·} of the tape)."""
        r_x, r_source = (
            self._direction(theta, tape, given, own, name)
            for given, own, name in ((u, tape.x, "u"), (w, tape.source, "w"))
        )
        if np.shape(v) != theta.shape:
            raise InputError(f"v: need the shape of θ {theta.shape}, got {np.shape(v)}")

        def turn(name: str, given: Real, r_given: Real) -> Real:
            return np.asarray(r_given @ self._matrix(theta, name) + given @ self._matrix(v, name))

        r_q, r_k, r_v = (
            self._apart(turn(name, given, r_given))
            for name, given, r_given in (
                ("WQ", tape.x, r_x), ("WK", tape.source, r_source), ("WV", tape.source, r_source)
            )
        )  # fmt: skip
        r_heads, r_weights = jvp(tape.heads, r_q, r_k, r_v)
        r_joined = self._join(r_heads)
        r_y = turn("WO", tape.joined, r_joined) + self.views(v)["b"][..., None, None, :]
        heads = AttendTape(r_q, r_k, r_v, r_weights)
        return r_y, AttentionTape(r_x, r_source, heads, r_joined, tape.rows)

    def _direction(
        self, theta: Real, tape: AttentionTape, given: Real | None, own: Real, name: str
    ) -> Real:
        """A direction of x or of the source as the tape has them."""
        if given is None:
            return np.zeros_like(own)
        need = (*theta.shape[:-1], *tape.rows, *own.shape[-2:])
        if np.shape(given) != need:
            raise InputError(f"{name}: need shape {need}, got {np.shape(given)}")
        return np.asarray(given).reshape(own.shape)

    def _shaped(self, array: Real, tape: AttentionTape, theta: Real) -> Real:
        """(*L, R, M, ·) as (*L, *rows, M, ·)."""
        return array.reshape(*theta.shape[:-1], *tape.rows, *array.shape[-2:])

    def _matrix(self, theta: Real, name: str) -> Real:
        """A projection (*L, 1, ·, ·), for all rows."""
        return self.views(theta)[name][..., None, :, :]

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


def _times(given: Real, matrix: Real) -> Real:
    """(*L, R, M, I) times (*L, 1, I, O), as one product: a product for each of R is far slower."""
    flat = given.reshape(*given.shape[:-3], -1, given.shape[-1])
    return np.asarray((flat @ matrix[..., 0, :, :]).reshape(*given.shape[:-1], matrix.shape[-1]))
