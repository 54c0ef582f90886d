"""tanh in plain arithmetic: its error, symmetry and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.kernels.tanh import tanh_32, tanh_64, tanh_all

WIDER = {np.float32: np.float64, np.float64: np.longdouble}
KERNEL = {np.float32: tanh_32, np.float64: tanh_64}


def evaluate(x):
    out = np.empty_like(x)
    tanh_all(x, out)
    return out


def numbers(dtype):
    """Numbers of all sizes, dense where the reduced argument jumps and where tanh reaches 1."""
    rng = np.random.default_rng(0)
    jumps = (np.arange(60)[:, None] + 0.5) * np.log(2) / 2 + 1e-3 * rng.standard_normal((60, 50))
    spread = [s * rng.standard_normal(20_000) for s in (1e-30, 1e-8, 1e-3, 0.1, 1.0, 5.0, 100.0)]
    return np.concatenate([*spread, jumps.ravel(), np.linspace(8.5, 19.5, 999)]).astype(dtype)


@pytest.mark.parametrize("dtype", WIDER)
def test_the_error_is_at_most_three_units_in_the_last_place(dtype):
    x = numbers(dtype)
    true = np.tanh(x.astype(WIDER[dtype]))
    unit = np.spacing(abs(true).astype(dtype)).astype(WIDER[dtype])
    assert (abs(evaluate(x) - true) / unit).max() <= 3.0


@pytest.mark.parametrize("dtype", WIDER)
def test_it_is_odd_bounded_and_right_at_the_ends(dtype):
    x = numbers(dtype)
    y = evaluate(x)
    assert_array_equal(evaluate(-x), -y)
    assert (abs(y) <= 1.0).all()
    assert (abs(y) <= abs(x) * dtype(1.0 + 4 * np.finfo(dtype).eps)).all()  # |tanh x| ≤ |x|
    ends = np.array([0.0, np.inf, -np.inf, 1e30, -1e30], dtype)
    assert_array_equal(evaluate(ends), np.array([0.0, 1.0, -1.0, 1.0, -1.0], dtype))
    assert np.isnan(evaluate(np.array([np.nan], dtype)))[0]


@pytest.mark.parametrize("dtype", WIDER)
@given(st.floats(-50.0, 50.0, width=32))
def test_compiled_and_plain_python_give_the_same_bits(dtype, x):
    kernel = KERNEL[dtype]
    one = evaluate(np.array([x], dtype))[0]
    plain = getattr(kernel, "py_func", kernel)(dtype(x))
    assert_array_equal(one, plain)
