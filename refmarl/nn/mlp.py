r"""The multilayer perceptron on one flat parameter vector, with its derivatives by hand.

    z_k = h_{k-1} W_k + b_k,   h_k = f(z_k),   h_0 = x,   y = z_K

    ∂L/∂W_k = h_{k-1}ᵀ δ_k,   ∂L/∂b_k = Σ δ_k,   δ_{k-1} = f′(z_{k-1}) ∘ (δ_k W_kᵀ)       (3.1)
    Jv = R{y},   Jᵀu = (∂L/∂θ, ∂L/∂x),   Hv = R{∂L/∂θ}                                    (3.2)

R{·} is the derivative along a direction v of θ and x (Pearlmutter 1994, "Fast exact multiplication
by the Hessian"). A network knows shapes only; θ is yours, one vector, of any float dtype, which
all results keep. Where :mod:`~refmarl.nn.fused` applies, it takes the first-order passes over the
batch; what is written here is their definition.

Axes: L networks (any leading axes of θ, or none), M rows, I inputs, H units, O outputs, P
parameters. ``x`` is (*L, *rows, I) with any rows; an axis of x in the place of L may be 1, when
all networks see the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real
from . import fused, layer_norm
from .activations import Activation, activation
from .initialise import weights

Curvature = Callable[[Real], Real]


class Block(NamedTuple):
    """A named part of θ: ``theta[..., start:stop]`` in the shape of the array it holds."""

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


class Tape(NamedTuple):
    """What a forward pass leaves for the passes that follow it; one entry for each layer."""

    inputs: tuple[Real, ...]  # h_{k-1}, (*L, M, I_k)
    before: tuple[Real, ...]  # what f was applied to, (*L, M, H_k); f(z) where that tells f′, f″
    norms: tuple[layer_norm.NormTape, ...]  # hidden layers, if normalised
    shape: tuple[int, ...]  # of x
    flat: Real | None = None  # what ``inputs`` are views of, if compiled passes made them


class Layer(NamedTuple):
    """Views of one layer's parameters; gain and shift only where it is normalised."""

    w: Real  # (*L, I, O)
    b: Real  # (*L, 1, O)
    gain: Real | None
    shift: Real | None


@dataclass(frozen=True)
class MLP:
    """Shapes of a perceptron.

    Parameters
    ----------
    sizes : (I, H_1, …, O), at least two whole numbers ≥ 1
    activation : of the hidden layers: tanh, relu, leaky-relu, softplus, gelu, sin or identity
    layer_norm : whether hidden layers normalise z before f  [+]

    Examples
    --------
    >>> net = MLP((2, 3, 1))
    >>> theta = net.init(np.random.default_rng(0))
    >>> y, tape = net.forward(theta, np.ones((5, 2)))
    >>> y.shape, theta.shape
    ((5, 1), (13,))
    >>> dtheta, dx = net.backward(theta, tape, np.ones((5, 1)))
    >>> dtheta.shape, dx.shape
    ((13,), (5, 2))
    """

    sizes: tuple[int, ...]
    activation: str = "tanh"
    layer_norm: bool = False

    def __post_init__(self) -> None:
        sizes = tuple(self.sizes)
        if len(sizes) < 2 or not all(isinstance(n, int | np.integer) and n > 0 for n in sizes):
            raise InputError(f"sizes: need at least two whole numbers ≥ 1, got {self.sizes!r}")
        object.__setattr__(self, "sizes", tuple(int(n) for n in sizes))
        activation(self.activation)

    # -- parameters ---------------------------------------------------------------------

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The parts of θ in order: W1, b1, (gain1, shift1,) W2, …"""
        found: list[Block] = []
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        for k, (rows, columns) in enumerate(pairs, 1):
            parts = [(f"W{k}", (rows, columns)), (f"b{k}", (columns,))]
            if self.layer_norm and k < len(pairs):
                parts += [(f"gain{k}", (columns,)), (f"shift{k}", (columns,))]
            for name, shape in parts:
                start = found[-1].stop if found else 0
                found.append(Block(name, start, start + int(np.prod(shape)), shape))
        return tuple(found)

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.blocks[-1].stop

    @cached_property
    def _plan(self) -> fused.Plan | None:
        return fused.plan(self.sizes, self.activation, self.layer_norm)

    @property
    def depth(self) -> int:
        """K, the number of layers that hold parameters."""
        return len(self.sizes) - 1

    def view(self, theta: Real, name: str) -> Real:
        """The block ``name`` of θ, (*L, *shape); writing into it writes into θ.

        Raises
        ------
        InputError
            If there is no such block.
        """
        for block in self.blocks:
            if block.name == name:
                part: Real = theta[..., block.start : block.stop]
                return part.reshape(*theta.shape[:-1], *block.shape)
        names = ", ".join(block.name for block in self.blocks)
        raise InputError(f"block: need one of {names}; got {name!r}")

    def layers(self, theta: Real) -> list[Layer]:
        """Views of θ (*L, P), a :class:`Layer` for each."""
        lead, parts = theta.shape[:-1], []
        for block in self.blocks:
            shape = block.shape if len(block.shape) == 2 else (1, *block.shape)
            parts.append(theta[..., block.start : block.stop].reshape(*lead, *shape))
        found = []
        for _ in range(self.depth):
            normed = self.layer_norm and len(parts) > 2
            w, b, *norm = parts[: 4 if normed else 2]
            found.append(Layer(w, b, *norm) if normed else Layer(w, b, None, None))
            parts = parts[4 if normed else 2 :]
        return found

    def init(
        self,
        rng: np.random.Generator,
        lead: Sequence[int] = (),
        *,
        scheme: str = "orthogonal",
        scale: float = 2.0**0.5,
        out_scale: float = 1.0,
        dtype: type = np.float64,
    ) -> Real:
        """θ (*lead, P): weights by ``scheme`` ("orthogonal" or "fan-in"), biases 0, gains 1.

        ``scale`` multiplies the weights of hidden layers, ``out_scale`` those of the last.
        """
        theta = np.zeros((*lead, self.size))
        for k, layer in enumerate(self.layers(theta), 1):
            size = out_scale if k == self.depth else scale
            layer.w[...] = weights(generator(rng), layer.w.shape, size, scheme)
            if layer.gain is not None:
                layer.gain[...] = 1.0
        return theta.astype(dtype)

    # -- first order --------------------------------------------------------------------

    def forward(self, theta: Real, x: Real) -> tuple[Real, Tape]:
        """(y (*L, *rows, O), tape) for θ (*L, P) and x (*L, *rows, I).

        Raises
        ------
        InputError
            If the last axis of θ is not P, that of x not I, or x lacks an axis of the networks.
        """
        h, shape = self._rows(theta, x)
        if self._plan is not None and fused.applies(theta, h):
            z, hidden, flat = fused.forward(self._plan, theta, h)
            tape = Tape(hidden, hidden[1:], (), shape, flat)
        else:
            z, tape = self._forward(theta, h, shape)
        return z.reshape(*z.shape[:-2], *shape[theta.ndim - 1 : -1], z.shape[-1]), tape

    def _forward(self, theta: Real, h: Real, shape: tuple[int, ...]) -> tuple[Real, Tape]:
        f = activation(self.activation)
        inputs, before, norms = [], [], []
        for layer in self.layers(theta):
            inputs.append(h)
            z = h @ layer.w
            z += layer.b
            if len(inputs) == self.depth:
                break
            if layer.gain is not None and layer.shift is not None:
                z, norm = layer_norm.forward(layer.gain, layer.shift, z)
                norms.append(norm)
            before.append(z)
            h = f.f(z)
        return z, Tape(tuple(inputs), tuple(before), tuple(norms), shape)

    def backward(self, theta: Real, tape: Tape, dy: Real) -> tuple[Real, Real]:
        """(∂L/∂θ (*L, P), ∂L/∂x) from dy = ∂L/∂y (*L, *rows, O): the sum over the rows."""
        dtheta, dx = self._pull_back(theta, tape, dy, True)
        return dtheta, _unbroadcast(dx, tape.shape, theta.ndim - 1)

    def gradient(self, theta: Real, tape: Tape, dy: Real) -> Real:
        """∂L/∂θ (*L, P) alone, which is less work."""
        return self._pull_back(theta, tape, dy, False)[0]

    def input_gradient(self, theta: Real, tape: Tape, dy: Real) -> Real:
        """∂L/∂x alone, in the shape of x: what goes on from a critic to an actor."""
        delta = self._cotangent(theta, dy)
        plan, x, flat = self._plan, tape.inputs[0], tape.flat
        if plan is not None and flat is not None and fused.fits(plan, theta, x, flat, delta):
            dx = fused.pull_back(plan, theta, x, flat, delta, True, False)[1]
        else:
            dx = self._pull_back(theta, tape, dy, True)[1]
        return _unbroadcast(dx, tape.shape, theta.ndim - 1)

    def _pull_back(self, theta: Real, tape: Tape, dy: Real, want_dx: bool) -> tuple[Real, Real]:
        """(∂L/∂θ, ∂L/∂x (*L, M, I), anything unless wanted)."""
        delta = self._cotangent(theta, dy)
        plan, x, flat = self._plan, tape.inputs[0], tape.flat
        if plan is not None and flat is not None and fused.fits(plan, theta, x, flat, delta):
            return fused.pull_back(plan, theta, x, flat, delta, want_dx)
        dtheta = np.empty_like(theta, dtype=np.result_type(theta, dy))
        grads = self.layers(dtheta)
        for k, layer in reversed(list(enumerate(self.layers(theta)))):
            np.matmul(_t(tape.inputs[k]), delta, out=grads[k].w)  # (3.1)
            grads[k].b[...] = delta.sum(axis=-2, keepdims=True)
            if k > 0 or want_dx:
                delta = delta @ _t(layer.w)
            if k > 0:
                delta = self._through(k - 1, theta, tape, delta, grads)
        return dtheta, delta

    def vjp(self, theta: Real, x: Real, u: Real) -> tuple[Real, Real]:
        """Jᵀu: how ⟨u, y⟩ changes with θ and with x; u (*L, *rows, O)."""
        return self.backward(theta, self.forward(theta, x)[1], u)

    def per_sample(self, theta: Real, tape: Tape, dy: Real) -> Real:
        """∂L_m/∂θ (*L, *rows, P), the gradient of each row by itself; they sum to ∂L/∂θ."""
        delta = self._cotangent(theta, dy)
        lead, rows = delta.shape[:-2], delta.shape[-2]
        out = np.empty((*lead, rows, self.size), dtype=np.result_type(theta, dy))
        parts: list[Real] = []
        for k, layer in reversed(list(enumerate(self.layers(theta)))):
            outer = tape.inputs[k][..., :, None] * delta[..., None, :]
            parts[:0] = [outer.reshape(*lead, rows, prod(outer.shape[-2:])), delta]
            delta = delta @ _t(layer.w)
            if k > 0:
                delta, norm = self._through_rows(k - 1, theta, tape, delta)
                parts[:0] = norm
        for block, part in zip(self.blocks, parts, strict=True):
            out[..., block.start : block.stop] = part
        return out.reshape(*lead, *tape.shape[theta.ndim - 1 : -1], self.size)

    # -- along a direction --------------------------------------------------------------

    def jvp(self, theta: Real, tape: Tape, v: Real, u: Real | None = None) -> Real:
        """Jv = R{y} (*L, *rows, O), along v (*L, P) for θ and u, of the shape of x, for x."""
        last = self._pushed(theta, tape, v) if u is None else None
        last = self._tangents(theta, tape, v, u)[-1].r_z if last is None else last
        return last.reshape(*last.shape[:-2], *tape.shape[theta.ndim - 1 : -1], last.shape[-1])

    def _pushed(self, theta: Real, tape: Tape, v: Real) -> Real | None:
        """R{y} (*L, M, O) by the compiled pass, None where it does not apply."""
        plan, x, flat, v = self._plan, tape.inputs[0], tape.flat, np.asarray(v)
        if plan is None or flat is None or v.shape != theta.shape or v.dtype != theta.dtype:
            return None
        return fused.push(plan, theta, v, x, flat) if fused.fits(plan, theta, x, flat) else None

    def hvp(
        self,
        theta: Real,
        tape: Tape,
        dy: Real,
        curvature: Curvature,
        v: Real,
        u: Real | None = None,
    ) -> tuple[Real, Real]:
        """Hv = R{(∂L/∂θ, ∂L/∂x)} along v for θ and u for x; H is the Hessian of L(y(θ, x)).

        Parameters
        ----------
        theta, tape : as in ``forward``
        dy : ∂L/∂y (*L, *rows, O)
        curvature : R{y} ↦ R{dy}, the product with L's own Hessian in y; 0 where L is linear in y
        v, u : directions, of the shapes of θ and of x; u may be None for 0
        """
        tangents = self._tangents(theta, tape, v, u)
        r_y = tangents[-1].r_z
        rows = tape.shape[theta.ndim - 1 : -1]
        r_dy = np.asarray(curvature(r_y.reshape(*r_y.shape[:-2], *rows, r_y.shape[-1])))
        delta, r_delta = self._cotangent(theta, dy), self._cotangent(theta, r_dy)
        r_dtheta = np.empty_like(theta, dtype=np.result_type(theta, dy))
        grads, along = self.layers(r_dtheta), self.layers(v)
        for k, layer in reversed(list(enumerate(self.layers(theta)))):
            h, r_h = tape.inputs[k], tangents[k].r_h
            grads[k].w[...] = _t(r_h) @ delta + _t(h) @ r_delta  # (3.2)
            grads[k].b[...] = r_delta.sum(axis=-2, keepdims=True)
            r_delta = r_delta @ _t(layer.w) + delta @ _t(along[k].w)
            delta = delta @ _t(layer.w)
            if k > 0:
                delta, r_delta = self._r_through(
                    k - 1, layers=(self.layers(theta), along, grads), tape=tape,
                    tangent=tangents[k - 1], delta=delta, r_delta=r_delta,
                )  # fmt: skip
        return r_dtheta, _unbroadcast(r_delta, tape.shape, theta.ndim - 1)

    # -- parts of the passes ------------------------------------------------------------

    def _rows(self, theta: Real, x: Real) -> tuple[Real, tuple[int, ...]]:
        """(x with its rows flattened (*L, M, I), the shape of x); checks both shapes."""
        theta, x = np.asarray(theta), np.asarray(x)
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise InputError(f"theta: need (..., P = {self.size}), got shape {theta.shape}")
        if theta.dtype.kind not in "fc":
            raise InputError(f"theta: need floating-point numbers, got {theta.dtype}")
        lead = theta.ndim - 1
        if x.ndim <= lead or x.shape[-1] != self.sizes[0]:
            raise InputError(
                f"x: need ({'L, ' * lead}..., I = {self.sizes[0]}) for {lead} axes of networks, "
                f"got shape {x.shape}"
            )
        for have, need in zip(x.shape, theta.shape[:-1], strict=False):
            if have not in (1, need):
                raise InputError(f"x: need {need} or 1 where θ has {theta.shape}, got {x.shape}")
        if x.dtype.kind != "c":
            x = x.astype(theta.dtype, copy=False)
        rows = prod(x.shape[lead:-1])
        return x.reshape(*x.shape[:lead], rows, x.shape[-1]), x.shape

    def _cotangent(self, theta: Real, dy: Real) -> Real:
        """dy with its rows flattened, (*L, M, O)."""
        lead, dy = theta.ndim - 1, np.asarray(dy)
        if dy.shape[-1] != self.sizes[-1]:
            raise InputError(f"dy: need (..., O = {self.sizes[-1]}), got shape {dy.shape}")
        if dy.dtype.kind != "c":
            dy = dy.astype(theta.dtype, copy=False)
        return dy.reshape(*dy.shape[:lead], prod(dy.shape[lead:-1]), dy.shape[-1])

    def _slope(self, k: int, tape: Tape) -> Real:
        """f′(z) of hidden layer k."""
        return activation(self.activation).slope(tape.before[k], tape.inputs[k + 1])

    def _through(self, k: int, theta: Real, tape: Tape, dh: Real, grads: list[Layer]) -> Real:
        """∂L/∂z of hidden layer k from dh = ∂L/∂h; fills in ∂L/∂(gain, shift)."""
        delta = dh * self._slope(k, tape)
        gain, d_gain, d_shift = self.layers(theta)[k].gain, grads[k].gain, grads[k].shift
        if gain is not None and d_gain is not None and d_shift is not None:
            d_gain[...], d_shift[...], delta = layer_norm.backward(gain, tape.norms[k], delta)
        return delta

    def _through_rows(self, k: int, theta: Real, tape: Tape, dh: Real) -> tuple[Real, list[Real]]:
        """∂L/∂z of hidden layer k, and ∂L_m/∂(gain, shift) of each row."""
        dn = dh * self._slope(k, tape)
        gain = self.layers(theta)[k].gain
        if gain is None:
            return dn, []
        delta = layer_norm.backward(gain, tape.norms[k], dn)[2]
        return delta, [dn * tape.norms[k].z_hat, dn]

    def _tangents(self, theta: Real, tape: Tape, v: Real, u: Real | None) -> list["_Tangent"]:
        """R{h_{k-1}}, R{z_k}, R{n_k} of each layer: Pearlmutter's forward pass."""
        if np.shape(v) != theta.shape:
            raise InputError(f"v: need the shape of θ {theta.shape}, got {np.shape(v)}")
        if u is not None and np.shape(u) != tape.shape:
            raise InputError(f"u: need the shape of x {tape.shape}, got {np.shape(u)}")
        h = tape.inputs[0]
        r_h = np.zeros_like(h) if u is None else np.asarray(u).reshape(h.shape)
        found, along = [], self.layers(np.asarray(v))
        for k, (layer, tangent) in enumerate(zip(self.layers(theta), along, strict=True)):
            r_z = r_h @ layer.w + tape.inputs[k] @ tangent.w + tangent.b
            norm = None
            if layer.gain is not None and tangent.gain is not None and tangent.shift is not None:
                norm = layer_norm.jvp(layer.gain, tape.norms[k], tangent.gain, tangent.shift, r_z)
                r_z = norm.r_n
            found.append(_Tangent(r_h, r_z, norm))
            if k + 1 < self.depth:
                r_h = self._slope(k, tape) * r_z
        return found

    def _r_through(
        self,
        k: int,
        *,
        layers: tuple[list[Layer], list[Layer], list[Layer]],
        tape: Tape,
        tangent: "_Tangent",
        delta: Real,
        r_delta: Real,
    ) -> tuple[Real, Real]:
        """(δ, R{δ}) before the activation of hidden layer k, from those after it."""
        f: Activation = activation(self.activation)
        slope = self._slope(k, tape)
        bend = f.bend(tape.before[k], tape.inputs[k + 1])
        r_dn = r_delta * slope + delta * bend * tangent.r_z
        dn = delta * slope
        layer, along, grad = (part[k] for part in layers)
        if layer.gain is None or along.gain is None or tangent.norm is None:
            return dn, r_dn
        r_gain, r_shift, r_dz = layer_norm.r_backward(
            layer.gain, tape.norms[k], dn, along.gain, tangent.norm, r_dn
        )
        if grad.gain is not None and grad.shift is not None:
            grad.gain[...], grad.shift[...] = r_gain, r_shift
        return layer_norm.backward(layer.gain, tape.norms[k], dn)[2], r_dz


class _Tangent(NamedTuple):
    """R{·} of a layer: of its input, of what f is applied to (or of y), of its normalisation."""

    r_h: Real
    r_z: Real
    norm: layer_norm.Normal | None


def _t(x: Real) -> Real:
    """Transposed in the last two axes."""
    return np.swapaxes(x, -1, -2)


def _unbroadcast(dx: Real, shape: tuple[int, ...], lead: int) -> Real:
    """∂L/∂x in the shape of x: summed over the networks that shared it."""
    shared = tuple(k for k in range(lead) if shape[k] == 1 and dx.shape[k] != 1)
    if shared:
        dx = dx.sum(axis=shared, keepdims=True)
    return dx.reshape(shape)
