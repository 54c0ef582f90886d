"""The certificate itself: right derivatives pass, and each kind of wrong one is seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.nn import MLP, check_backward, check_gradient, check_hvp, check_jvp

NET = MLP((3, 4, 2))


def case(seed):
    rng = np.random.default_rng(seed)
    return NET.init(rng) + 0.1 * rng.standard_normal(NET.size), rng.standard_normal((5, 3)), rng


def forward(theta, x):
    return NET.forward(theta, x)[0]


@pytest.mark.parametrize("block", NET.blocks, ids=lambda b: b.name)
@given(st.integers(0, 10**6), st.sampled_from([-1.0, 0.0, 0.999]))
def test_the_report_names_the_one_block_that_is_wrong(block, seed, factor):
    theta, x, _ = case(seed)

    def loss(at):
        y, tape = NET.forward(at, x)
        gradient = NET.backward(at, tape, y)[0]
        gradient[block.start : block.stop] *= factor
        return 0.5 * (y**2).sum(), gradient

    report = check_gradient(loss, theta, blocks=NET.blocks)
    assert [part.name for part in report.parts if not part.ok] == [block.name]
    with pytest.raises(AssertionError, match=block.name):
        report.require()


@given(st.integers(0, 10**6), st.sampled_from(["central", "complex"]))
def test_a_backward_that_forgets_the_input_fails_for_the_input_alone(seed, method):
    theta, x, rng = case(seed)
    names = ("θ", "x")

    def wrong(theta, x, u):
        dtheta, dx = NET.vjp(theta, x, u)
        return dtheta, 0.5 * dx

    report = check_backward(forward, wrong, (theta, x), rng, names=names, method=method)
    assert [part.ok for part in report.parts] == [True, False]
    assert check_backward(forward, NET.vjp, (theta, x), rng, method=method).ok


@given(st.integers(0, 10**6))
def test_an_asymmetric_product_is_no_hessian(seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((4, 4))
    x = rng.standard_normal(4)
    report = check_hvp(lambda x: a @ x, lambda x, v: a @ v, x, rng)
    assert [part.ok for part in report.parts] == [True, True, True, False]
    assert report.parts[-1].name == "symmetry"
    assert check_hvp(lambda x: (a + a.T) @ x, lambda x, v: (a + a.T) @ v, x, rng).ok


@given(st.integers(0, 10**6))
def test_a_product_of_half_the_size_is_seen(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(5)
    assert check_jvp(np.sin, lambda x, v: np.cos(x) * v, x, rng).ok
    assert not check_jvp(np.sin, lambda x, v: 0.5 * np.cos(x) * v, x, rng).ok


def test_a_kink_is_called_one():
    report = check_gradient(lambda x: (abs(x).sum(), np.ones_like(x)), np.array([1e-9, 2.0]))
    assert not report.ok
    assert "(a kink?)" in str(report)


def test_a_gradient_of_nan_never_passes():
    report = check_gradient(lambda x: ((x**2).sum(), x * np.nan), np.ones(3))
    assert not report.ok


def test_the_complex_step_is_exact_where_differences_are_not():
    x = np.array([1e-3, 1.0, 30.0])
    report = check_gradient(lambda x: (np.exp(x).sum(), np.exp(x)), x, method="complex")
    assert max(part.difference / part.numeric for part in report.parts) < 1e-15


def test_the_absolute_floor_catches_small_wrong_gradients():
    report = check_gradient(lambda x: (1e-5 * x.sum(), 2e-5 * np.ones(2)), np.ones(2))
    assert not report.ok  # 1e-5 is above 1e-6 · 1e-3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: check_gradient(f, np.ones(2, np.float32)), "float64 array"),
        (lambda f: check_gradient(f, [1.0]), "got list"),
        (lambda f: check_gradient(f, np.ones(2), blocks=[("a", 0, 1)]), "cover 0..2"),
        (lambda f: check_gradient(f, np.ones(2), blocks=[("a", 0, 5)]), "cover 0..2"),
        (lambda f: check_gradient(f, np.ones(2), method="forward"), '"central" or "complex"'),
        (lambda f: check_gradient(lambda x: (0.0, np.ones(3)), np.ones(2)), "shape of x"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(InputError, match=says):
        call(lambda x: (x.sum(), np.ones_like(x)))


def test_one_number_without_axes_is_an_array_too():
    assert check_gradient(lambda x: (x**2, 2 * x), np.array(3.0)).ok
    assert not check_gradient(lambda x: (x**2, x), np.array(3.0)).ok
