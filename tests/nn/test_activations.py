"""Activations: their derivatives, their ends, their kinks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import check_gradient
from refmarl.nn.activations import ACTIVATIONS, LEAK, activation, sigmoid, softplus

ALL = pytest.mark.parametrize("name", ACTIVATIONS)
SIDES = st.sampled_from([-1.0, 1.0])
SIZES = st.floats(0.01, 40.0)  # from beside the kink to where tanh is 1


@ALL
@given(st.lists(st.tuples(SIDES, SIZES), min_size=1, max_size=5))
def test_slope_and_bend_are_the_derivatives(name, numbers):
    f = ACTIVATIONS[name]
    z = np.array([side * size for side, size in numbers])
    check_gradient(lambda z: (f.f(z), f.slope(z, f.f(z))), z).require()
    check_gradient(lambda z: (f.slope(z, f.f(z)), f.bend(z, f.f(z))), z).require()


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows_and_the_dtype_stays(name, dtype):
    f, z = ACTIVATIONS[name], np.array([-1e30, -800.0, -1e-30, 0.0, 1e-30, 800.0, 1e30], dtype)
    if name == "gelu":
        z = np.clip(z, -1e3, 1e3)  # z² of the bend
    h = f.f(z)
    for part in (h, f.slope(z, h), f.bend(z, h)):
        assert np.isfinite(part).all()
        assert part.dtype == dtype


def test_values_at_zero_one_and_far_out():
    z = np.array([0.0, 1.0, -1.0, 50.0, -50.0])
    e = np.exp(1.0)
    for name, wanted in {
        "tanh": [0, (e - 1 / e) / (e + 1 / e), (1 / e - e) / (e + 1 / e), 1, -1],
        "relu": [0, 1, 0, 50, 0],
        "leaky-relu": [0, 1, -LEAK, 50, -50 * LEAK],
        "softplus": [np.log(2), np.log(1 + e), np.log(1 + 1 / e), 50, 0],
        # Φ(1) of tables
        "gelu": [0, 0.8413447460685429, -0.15865525393145707, 50, 0],
        "sin": np.sin(z),
        "identity": z,
    }.items():
        assert_allclose(ACTIVATIONS[name].f(z), wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["relu", "leaky-relu"])
def test_a_kink_has_the_slope_of_its_left_side(name):
    f, z = ACTIVATIONS[name], np.zeros(1)
    left = -np.ones(1)
    assert f.kink
    assert_array_equal(f.slope(z, f.f(z)), f.slope(left, f.f(left)))


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=5))
def test_sigmoid_and_softplus_are_mirrored(numbers):
    z = np.array(numbers)
    assert_allclose(sigmoid(z) + sigmoid(-z), 1.0, rtol=1e-15)
    assert_allclose(softplus(z) - softplus(-z), z, rtol=1e-12, atol=1e-12)
    check_gradient(lambda z: (softplus(z), sigmoid(z)), z).require()


def test_an_unknown_activation_names_those_there_are():
    with pytest.raises(InputError, match="need one of tanh, relu"):
        activation("swish")
