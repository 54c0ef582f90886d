r"""Layer normalisation of the last axis, with its derivatives of first and second order.

    ẑ = (z − mean z) / σ,   σ = √(var z + ε),   n = g ẑ + s

Ba, Kiros & Hinton 2016, arXiv:1607.06450. ``g`` (gain) and ``s`` (shift) are (..., 1, H), one row
for each network; ``z`` is (..., M, H).
"""

from typing import NamedTuple

import numpy as np

from ..value_grad import Real

EPSILON = 1e-5


class NormTape(NamedTuple):
    """What the backward pass needs: ẑ (..., M, H) and σ (..., M, 1)."""

    z_hat: Real
    sigma: Real


class Normal(NamedTuple):
    """The tangent of a normalisation along a direction: of ẑ, of σ and of n."""

    r_z_hat: Real
    r_sigma: Real
    r_n: Real


def _mean(x: Real) -> Real:
    return np.asarray(x.mean(axis=-1, keepdims=True))


def forward(gain: Real, shift: Real, z: Real) -> tuple[Real, NormTape]:
    """(n (..., M, H), tape)."""
    centred = z - _mean(z)
    sigma = np.sqrt(_mean(centred * centred) + z.dtype.type(EPSILON))
    z_hat = centred / sigma
    return gain * z_hat + shift, NormTape(z_hat, sigma)


def backward(gain: Real, tape: NormTape, dn: Real) -> tuple[Real, Real, Real]:
    """(∂L/∂g, ∂L/∂s, both (..., 1, H), and ∂L/∂z (..., M, H)) from dn = ∂L/∂n."""
    d_hat = dn * gain
    dz = (d_hat - _mean(d_hat) - tape.z_hat * _mean(d_hat * tape.z_hat)) / tape.sigma
    d_gain = (dn * tape.z_hat).sum(axis=-2, keepdims=True)
    return d_gain, dn.sum(axis=-2, keepdims=True), dz


def jvp(gain: Real, tape: NormTape, r_gain: Real, r_shift: Real, r_z: Real) -> Normal:
    """How ẑ, σ and n move when gain, shift and z move by ``r_…``."""
    r_sigma = _mean(tape.z_hat * r_z)  # Σ ẑ (r_z − mean) = Σ ẑ r_z, because Σ ẑ = 0
    r_hat = (r_z - _mean(r_z) - tape.z_hat * r_sigma) / tape.sigma
    return Normal(r_hat, r_sigma, r_gain * tape.z_hat + gain * r_hat + r_shift)


def r_backward(
    gain: Real, tape: NormTape, dn: Real, r_gain: Real, tangent: Normal, r_dn: Real
) -> tuple[Real, Real, Real]:
    """The tangents of the three results of :func:`backward`, when dn moves by ``r_dn``."""
    z_hat, sigma = tape
    d_hat, r_d_hat = dn * gain, r_dn * gain + dn * r_gain
    dz = (d_hat - _mean(d_hat) - z_hat * _mean(d_hat * z_hat)) / sigma
    turn = tangent.r_z_hat * _mean(d_hat * z_hat)
    turn = turn + z_hat * _mean(r_d_hat * z_hat + d_hat * tangent.r_z_hat)
    r_dz = (r_d_hat - _mean(r_d_hat) - turn - tangent.r_sigma * dz) / sigma
    r_d_gain = (r_dn * z_hat + dn * tangent.r_z_hat).sum(axis=-2, keepdims=True)
    return r_d_gain, r_dn.sum(axis=-2, keepdims=True), r_dz
