r"""The gated recurrent unit on one flat parameter vector, with back-propagation through time.

    r = σ(x W_r + h U_r + b_r),   z = σ(x W_z + h U_z + b_z)
    n = tanh(x W_n + b_n + r ∘ (h U_n + c)),   h′ = (1 − z) ∘ n + z ∘ h

Cho et al. 2014, arXiv:1406.1078, with the reset gate r after the product, so that one product
serves all gates. Where an episode begins, h is 0 before the step, and nothing flows back over it.
R{·} is the derivative along a direction, as in :mod:`~refmarl.nn.mlp`: ``jvp`` and ``hvp`` make
Fisher-vector and Hessian-vector products of recurrent policies.

Axes: L networks (any leading axes of θ, or none), T steps, M rows, I inputs, H units, P
parameters. Sequences are (*L, T, *rows, I) and (*L, T, *rows, H), as rollouts have them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real
from . import fused_gru
from .activations import sigmoid
from .flat import Flat, Shapes, in_kind, size_of, transposed, whole
from .initialise import weights


class GruTape(NamedTuple):
    """What a forward pass leaves; arrays are (*L, T, M, ·)."""

    x: Real
    h: Real  # before each step, 0 where an episode begins
    r: Real
    z: Real
    n: Real
    inner: Real  # h U_n + c
    starts: Real  # (*L, T, M, 1) of bool
    rows: tuple[int, ...]


class _Tangent(NamedTuple):
    """R{·} of what a tape holds, and of h after each step; arrays are (*L, T, M, ·)."""

    x: Real
    h: Real
    r: Real
    z: Real
    n: Real
    inner: Real
    after: Real


@dataclass(frozen=True)
class GRU(Flat):
    """Shapes of a recurrent layer of ``units`` for ``inputs`` numbers at each step.

    Examples
    --------
    >>> net = GRU(2, 3)
    >>> theta = net.init(np.random.default_rng(0))
    >>> h, tape = net.forward(theta, np.ones((5, 4, 2)), np.zeros((4, 3)))
    >>> h.shape, theta.shape
    ((5, 4, 3), (57,))
    >>> [part.shape for part in net.backward(theta, tape, h)]
    [(57,), (5, 4, 2), (4, 3)]
    """

    inputs: int
    units: int

    def __post_init__(self) -> None:
        whole(self.inputs, "inputs")
        whole(self.units, "units")

    def shapes(self) -> Shapes:
        """W and U hold the three gates side by side, r, z, n."""
        gates = 3 * self.units
        return {
            "W": (self.inputs, gates),
            "U": (self.units, gates),
            "b": (gates,),
            "c": (self.units,),
        }

    def init(
        self, rng: np.random.Generator, lead: Sequence[int] = (), *, dtype: type = np.float64
    ) -> Real:
        """θ (*lead, P): each gate's weights orthogonal, biases 0."""
        theta = np.zeros((*lead, self.size))
        parts = self.views(theta)
        for name in ("W", "U"):
            for gate in np.split(parts[name], 3, axis=-1):
                gate[...] = weights(generator(rng), gate.shape, 1.0, "orthogonal")
        return theta.astype(dtype)

    def step(self, theta: Real, x: Real, h: Real) -> Real:
        """h′ (*L, *rows, H) from x (*L, *rows, I) and h: one step, for acting."""
        lead = theta.ndim - 1
        out, _ = self.forward(theta, np.expand_dims(x, lead), h)
        return np.asarray(out.take(0, axis=lead))

    def forward(
        self, theta: Real, x: Real, h: Real, starts: Real | None = None
    ) -> tuple[Real, GruTape]:
        """(h after each step (*L, T, *rows, H), tape).

        Parameters
        ----------
        theta : (*L, P)
        x : (*L, T, *rows, I)
        h : (*L, *rows, H), before the first step
        starts : True where step t is an episode's first; broadcast to (*L, T, *rows)

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        lead, (x, h, begins, rows) = theta.shape[:-1], self._flat(theta, x, h, starts)
        shape = (*lead, x.shape[-3], *rows, self.units)
        if fused_gru.applies(theta, x) and fused_gru.applies(theta, h):
            part = self.views(theta)
            w, u, b, c = (part[name] for name in ("W", "U", "b", "c"))
            kept = fused_gru.forward(x, w, u, b, c, h, begins)
        else:
            kept = self._forward(theta, x, h, begins)
        tape = GruTape(x, kept[1], kept[2], kept[3], kept[4], kept[5], begins, rows)
        return kept[0].reshape(shape), tape

    def _forward(self, theta: Real, x: Real, h: Real, begins: Real) -> Real:
        """(6, *L, T, M, H): h after each step, h before it, r, z, n, h U_n + c."""
        parts, size = self.views(theta), self.units
        of_x = x @ parts["W"][..., None, :, :] + parts["b"][..., None, None, :]
        kept = np.empty((6, *x.shape[:-1], size), np.result_type(theta, x, h))
        for t in range(x.shape[-3]):
            h = np.where(begins[..., t, :, :], theta.dtype.type(0.0), h)
            of_h = h @ parts["U"]
            r, z = np.split(
                sigmoid(of_x[..., t, :, : 2 * size] + of_h[..., : 2 * size]), 2, axis=-1
            )
            inner = of_h[..., 2 * size :] + parts["c"][..., None, :]
            n = np.tanh(of_x[..., t, :, 2 * size :] + r * inner)
            after = n + z * (h - n)
            for store, value in zip(kept, (after, h, r, z, n, inner), strict=True):
                store[..., t, :, :] = value
            h = after
        return kept

    def backward(self, theta: Real, tape: GruTape, dh: Real) -> tuple[Real, Real, Real]:
        """(∂L/∂θ (*L, P), ∂L/∂x, ∂L/∂h before the first step).

        ``dh`` = ∂L/∂h (*L, T, *rows, H) is of what each step gave, not counting its way through
        later steps. θ's is the sum over rows and steps.
        """
        dh = np.asarray(dh).reshape(tape.h.shape)
        if fused_gru.applies(theta, dh) and tape.h.dtype == theta.dtype:
            u = self.views(theta)["U"]
            found = fused_gru.pull_back(u, tape[1:6], tape.starts, dh)
        else:
            found = self._back(theta, tape, dh)
        return self._gather(theta, tape, *found)

    def _back(self, theta: Real, tape: GruTape, dh: Real) -> tuple[Real, Real, Real]:
        """The gradients in x W + b, in h U + (0, 0, c), and in h before the first step."""
        u = transposed(self.views(theta)["U"])
        d_x, d_h = (np.empty((*tape.h.shape[:-1], 3 * self.units), dh.dtype) for _ in range(2))
        carry = np.zeros_like(dh[..., 0, :, :])
        for t in reversed(range(tape.h.shape[-3])):
            step = _Step(*(part[..., t, :, :] for part in tape[1:6]))
            d = dh[..., t, :, :] + carry
            d_x[..., t, :, :], d_h[..., t, :, :] = _through(step, d)
            carry = d * step.z + d_h[..., t, :, :] @ u
            carry = np.where(tape.starts[..., t, :, :], carry.dtype.type(0.0), carry)
        return d_x, d_h, carry

    def jvp(
        self, theta: Real, tape: GruTape, v: Real, u: Real | None = None, w: Real | None = None
    ) -> Real:
        """Jv = R{h after each step} (*L, T, *rows, H), along v for θ, u for x, w for the first h.

        Directions have the shapes of what they move, w that of h before the first step; None is 0.

        Raises
        ------
        InputError
            If a direction has not the shape of what it moves.
        """
        after = self._tangent(theta, tape, v, u, w).after
        return after.reshape(*after.shape[:-2], *tape.rows, self.units)

    def hvp(
        self,
        theta: Real,
        tape: GruTape,
        dh: Real,
        curvature: Callable[[Real], Real],
        v: Real,
        u: Real | None = None,
        w: Real | None = None,
    ) -> tuple[Real, Real, Real]:
        """Hv = R{(∂L/∂θ, ∂L/∂x, ∂L/∂h before the first step)} along (v, u, w).

        Parameters
        ----------
        theta, tape : as in ``forward``
        dh : ∂L/∂h (*L, T, *rows, H) as in ``backward``
        curvature : R{h} ↦ R{dh}, the product with L's own Hessian in h; 0 where L is linear in h.
            What stands above this layer goes in here: its ``hvp`` along R{h}.
        v, u, w : directions, as in ``jvp``

        Raises
        ------
        InputError
            If a direction has not the shape of what it moves.
        """
        tangent = self._tangent(theta, tape, v, u, w)
        r_h = tangent.after.reshape(*tangent.after.shape[:-2], *tape.rows, self.units)
        dh, r_dh = (np.asarray(a).reshape(tape.h.shape) for a in (dh, curvature(r_h)))
        back, along = (transposed(self.views(a)["U"]) for a in (theta, v))
        wide = (*tape.h.shape[:-1], 3 * self.units)
        d_x, d_h, r_x, r_d_h = (np.empty(wide, np.result_type(dh, r_dh)) for _ in range(4))
        carry = r_carry = np.zeros_like(r_dh[..., 0, :, :])
        for t in reversed(range(tape.h.shape[-3])):
            at = (..., t, slice(None), slice(None))
            step, moved = (_Step(*(part[at] for part in of[1:6])) for of in (tape, tangent))
            d, r_d = dh[at] + carry, r_dh[at] + r_carry
            d_x[at], d_h[at] = _through(step, d)
            r_x[at], r_d_h[at] = _r_through(step, moved, d, r_d)
            carry = d * step.z + d_h[at] @ back
            r_carry = r_d * step.z + d * moved.z + r_d_h[at] @ back + d_h[at] @ along
            carry, r_carry = (np.where(tape.starts[at], 0.0, c) for c in (carry, r_carry))
        still = self._gather(theta, tape, r_x, r_d_h, r_carry)
        turned = self._gather(v, tape._replace(x=tangent.x, h=tangent.h), d_x, d_h, carry)
        parts, more = self.views(still[0]), self.views(turned[0])
        for name in ("W", "U"):
            parts[name][...] += more[name]
        return still[0], still[1] + turned[1], still[2]

    def _gather(
        self, theta: Real, tape: GruTape, d_x: Real, d_h: Real, carry: Real
    ) -> tuple[Real, Real, Real]:
        """The gradients, from those of x W + b and of h U + (0, 0, c) at all steps."""
        dtheta = np.empty_like(theta, dtype=np.result_type(theta, d_x))
        parts, lead = self.views(dtheta), theta.shape[:-1]

        def flat(array: Real) -> Real:  # (*L, T·M, ·)
            return array.reshape(*lead, -1, array.shape[-1])

        parts["W"][...] = transposed(flat(tape.x)) @ flat(d_x)
        parts["U"][...] = transposed(flat(tape.h)) @ flat(d_h)
        parts["b"][...] = flat(d_x).sum(axis=-2)
        parts["c"][...] = flat(d_h)[..., 2 * self.units :].sum(axis=-2)
        dx = d_x @ transposed(self.views(theta)["W"])[..., None, :, :]
        steps = tape.x.shape[-3]
        dx = dx.reshape(*lead, steps, *tape.rows, self.inputs)
        return dtheta, dx, carry.reshape(*lead, *tape.rows, self.units)

    def _tangent(
        self, theta: Real, tape: GruTape, v: Real, u: Real | None, w: Real | None
    ) -> _Tangent:
        """R{·} of all steps: Pearlmutter's forward pass."""
        v, r_x, r_h = self._directions(theta, tape, v, u, w)
        parts, along, size = self.views(theta), self.views(v), self.units
        r_of_x = r_x @ parts["W"][..., None, :, :] + tape.x @ along["W"][..., None, :, :]
        r_of_x = r_of_x + along["b"][..., None, None, :]
        kept = np.empty((6, *tape.h.shape), r_of_x.dtype)
        for t in range(tape.h.shape[-3]):
            at = (..., t, slice(None), slice(None))
            h, r, z, n, inner = (part[at] for part in tape[1:6])
            r_h = np.where(tape.starts[at], r_of_x.dtype.type(0.0), r_h)
            r_of_h = r_h @ parts["U"] + h @ along["U"]
            r_gates = r_of_x[at][..., : 2 * size] + r_of_h[..., : 2 * size]
            r_r, r_z = r * (1.0 - r) * r_gates[..., :size], z * (1.0 - z) * r_gates[..., size:]
            r_inner = r_of_h[..., 2 * size :] + along["c"][..., None, :]
            r_n = (1.0 - n * n) * (r_of_x[at][..., 2 * size :] + r_r * inner + r * r_inner)
            r_after = r_n + r_z * (h - n) + z * (r_h - r_n)
            for store, value in zip(kept, (r_h, r_r, r_z, r_n, r_inner, r_after), strict=True):
                store[at] = value
            r_h = r_after
        return _Tangent(r_x, *kept)

    def _directions(
        self, theta: Real, tape: GruTape, v: Real, u: Real | None, w: Real | None
    ) -> tuple[Real, Real, Real]:
        """(v, u (*L, T, M, I), w (*L, M, H)), checked; 0 for what is None."""
        lead, v = theta.shape[:-1], np.asarray(v)
        outer = (*lead, tape.x.shape[-3], *tape.rows, self.inputs)
        first = (*lead, *tape.rows, self.units)
        for name, given, need in (("v", v, theta.shape), ("u", u, outer), ("w", w, first)):
            if given is not None and np.shape(given) != need:
                raise InputError(f"{name}: need shape {need}, got {np.shape(given)}")
        h = tape.h[..., 0, :, :]
        r_x = np.zeros_like(tape.x) if u is None else np.asarray(u).reshape(tape.x.shape)
        return v, r_x, np.zeros_like(h) if w is None else np.asarray(w).reshape(h.shape)

    def _flat(
        self, theta: Real, x: Real, h: Real, starts: Real | None
    ) -> tuple[Real, Real, Real, tuple[int, ...]]:
        """(x (*L, T, M, I), h (*L, M, H), starts (*L, T, M, 1), rows), checked."""
        lead = theta.shape[:-1]
        shape = self.rows(theta, x, "x", self.inputs)
        if len(shape) == 0 or shape[0] == 0:
            raise InputError(f"x: need an axis of T ≥ 1 steps, got shape {np.shape(x)}")
        steps, rows = shape[0], shape[1:]
        if self.rows(theta, h, "h", self.units) != rows:
            raise InputError(f"h: need rows {rows} as x has them, got shape {np.shape(h)}")
        begins = np.zeros((), dtype=bool) if starts is None else np.asarray(starts, dtype=bool)
        try:
            begins = np.broadcast_to(begins, (*lead, *shape))
        except ValueError:
            need = f"{(*lead, *shape)}, got shape {begins.shape}"
            raise InputError(f"starts: need what broadcasts to {need}") from None
        count = size_of(rows)
        x = in_kind(x, theta).reshape(*lead, steps, count, self.inputs)
        h = in_kind(h, theta).reshape(*lead, count, self.units)
        return x, h, begins.reshape(*lead, steps, count, 1), rows


class _Step(NamedTuple):
    """Of one step, or R{·} of it; arrays are (*L, M, H)."""

    h: Real
    r: Real
    z: Real
    n: Real
    inner: Real


def _through(step: _Step, d: Real) -> tuple[Real, Real]:
    """(∂L/∂(x W + b), ∂L/∂(h U)), both (*L, M, 3H), from d = ∂L/∂h′."""
    h, r, z, n, inner = step
    d_n = d * (1.0 - z) * (1.0 - n * n)
    d_r, d_z = d_n * inner * r * (1.0 - r), d * (h - n) * z * (1.0 - z)
    return np.concatenate([d_r, d_z, d_n], axis=-1), np.concatenate([d_r, d_z, d_n * r], axis=-1)


def _r_through(step: _Step, moved: _Step, d: Real, r_d: Real) -> tuple[Real, Real]:
    """R{·} of :func:`_through`, where the step and d move."""
    h, r, z, n, inner = step
    d_n = d * (1.0 - z) * (1.0 - n * n)
    r_d_n = (r_d * (1.0 - z) - d * moved.z) * (1.0 - n * n) - 2.0 * d * (1.0 - z) * n * moved.n
    r_d_r = (r_d_n * inner + d_n * moved.inner) * r * (1.0 - r)
    r_d_r = r_d_r + d_n * inner * (1.0 - 2.0 * r) * moved.r
    r_d_z = (r_d * (h - n) + d * (moved.h - moved.n)) * z * (1.0 - z)
    r_d_z = r_d_z + d * (h - n) * (1.0 - 2.0 * z) * moved.z
    r_last = r_d_n * r + d_n * moved.r
    return (
        np.concatenate([r_d_r, r_d_z, r_d_n], axis=-1),
        np.concatenate([r_d_r, r_d_z, r_last], axis=-1),
    )
