"""Layer normalisation: its derivatives, and what it does to a row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.nn import check_backward, check_hvp, check_jvp, layer_norm
from refmarl.nn.gradcheck import join


def case(seed, lead, rows, units):
    rng = np.random.default_rng(seed)
    gain, shift = rng.standard_normal((2, *lead, 1, units))
    return gain, shift, rng.standard_normal((*lead, rows, units)), rng


SEEDS, ROWS, UNITS = st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 5)
FLAT = st.sampled_from([0.0, 1e-4, 1.0, 1.0])  # of the rows: constant, as flat as ε, normal
LEADS = st.sampled_from([(), (2,)])


def forward(gain, shift, z):
    return layer_norm.forward(gain, shift, z)[0]


def far_from_constant(z):
    return (z.std(axis=-1) > 0.1).all()


@pytest.mark.certifies("refmarl.nn.layer_norm:backward")
@given(SEEDS, LEADS, ROWS, UNITS, FLAT)
def test_backward_is_the_adjoint(seed, lead, rows, units, flat):
    gain, shift, z, rng = case(seed, lead, rows, units)
    z = 3.0 + flat * z

    def backward(gain, shift, z, u):
        return layer_norm.backward(gain, layer_norm.forward(gain, shift, z)[1], u)

    arrays, names = (gain, shift, z), ("gain", "shift", "z")
    check_backward(forward, backward, arrays, rng, names=names, method="complex").require()


@pytest.mark.certifies("refmarl.nn.layer_norm:jvp", "refmarl.nn.layer_norm:r_backward")
@given(SEEDS, LEADS, ROWS, UNITS, FLAT)
def test_first_and_second_order_along_a_direction(seed, lead, rows, units, flat):
    gain, shift, z, rng = case(seed, lead, rows, units)
    at, apart = join((gain, shift, 3.0 + flat * z))

    def jvp(at, v):
        gain, shift, z = apart(at)
        tape = layer_norm.forward(gain, shift, z)[1]
        return layer_norm.jvp(gain, tape, *apart(v)).r_n

    check_jvp(lambda at: forward(*apart(at)), jvp, at, rng, method="complex").require()

    def gradient(at):  # of ¼ Σ n⁴
        gain, shift, z = apart(at)
        n, tape = layer_norm.forward(gain, shift, z)
        return join(layer_norm.backward(gain, tape, n**3))[0]

    def product(at, v):
        (gain, shift, z), (r_gain, r_shift, r_z) = apart(at), apart(v)
        n, tape = layer_norm.forward(gain, shift, z)
        tangent = layer_norm.jvp(gain, tape, r_gain, r_shift, r_z)
        r_dn = 3 * n * n * tangent.r_n
        return join(layer_norm.r_backward(gain, tape, n**3, r_gain, tangent, r_dn))[0]

    check_hvp(gradient, product, at, rng, method="complex").require()


@given(SEEDS, ROWS, UNITS, st.floats(0.5, 100.0), st.floats(-50, 50))
def test_rows_have_mean_zero_and_variance_one_whatever_their_scale(seed, rows, units, scale, move):
    _, _, z, _ = case(seed, (), rows, units)
    if not far_from_constant(z):
        return
    one, zero = np.ones((1, units)), np.zeros((1, units))
    n = forward(one, zero, scale * z + move)
    assert_allclose(n.mean(axis=-1), 0.0, atol=1e-9)
    assert_allclose(n.std(axis=-1), 1.0, atol=1e-2)  # ε = 1e-5 beside a variance ≥ 0.0025
    assert_allclose(n, forward(one, zero, z), atol=1e-2)
