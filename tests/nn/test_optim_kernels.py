"""The compiled steps of the optimisers against their definition in optim.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.kernels import optim as kernels
from refmarl.kernels._jit import JIT
from refmarl.nn import optim
from refmarl.nn.optim import Adam, RmsProp

needs_jit = pytest.mark.skipif(not JIT, reason="the definition is what runs")
OPTIMISERS = [Adam(), Adam(beta1=0.0, decay=0.3), Adam(beta2=0.0), RmsProp(), RmsProp(beta=0.0)]


def learn(opt, theta, gradients, rate=1e-2):
    state = opt.init(theta)
    for gradient in gradients:
        state, theta = opt.update(state, theta, gradient, rate)
    return theta, state.m, state.v, state.step


@needs_jit
@pytest.mark.parametrize("opt", OPTIMISERS, ids=str)
@given(
    st.sampled_from([np.float32, np.float64]),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(0, 99),
    st.integers(-10, 3),
)
def test_compiled_steps_are_those_of_the_definition(opt, dtype, shape, seed, power):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(shape).astype(dtype)
    gradients = (10.0**power * rng.standard_normal((4, *shape))).astype(dtype)
    fast = learn(opt, theta, gradients)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optim, "JIT", False)
        slow = learn(opt, theta, gradients)
    eps = 32 * np.finfo(dtype).eps  # four steps of about eight roundings
    for a, b in zip(fast, slow, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert_allclose(a, b, rtol=eps, atol=eps * abs(b).max(initial=0.0))


@pytest.mark.parametrize("opt", OPTIMISERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_given_is_changed_and_layout_does_not_matter(opt, dtype):
    rng = np.random.default_rng(0)
    theta, gradient = rng.standard_normal((2, 3, 4)).astype(dtype)
    turned = np.asfortranarray(theta), np.asfortranarray(gradient)
    state = opt.init(theta)
    for array in (theta, gradient, *turned, state.m, state.v):
        array.flags.writeable = False
    plain = opt.update(state, theta, gradient, 0.1)
    other = opt.update(opt.init(turned[0]), *turned, 0.1)
    again = opt.update(state, theta, gradient, 0.1)
    for there in (other, again):
        assert_array_equal(there[1], plain[1])
        assert_array_equal(there[0].v, plain[0].v)
    assert not np.shares_memory(plain[1], theta)
    assert not np.shares_memory(plain[0].v, state.v)


@needs_jit
@pytest.mark.parametrize("opt", [Adam(), RmsProp()], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_that_fade_become_exactly_zero(opt, dtype):
    theta, zero = np.ones(3, dtype), np.zeros(3, dtype)
    tiny = np.finfo(dtype).tiny
    state = opt.init(theta)
    state = state._replace(m=state.m + 3 * tiny, v=state.v + 3 * tiny)
    for _ in range(2000):
        state, theta = opt.update(state, theta, zero, 1e-3)
        for moment in (state.m, state.v):
            assert ((moment == 0) | (abs(moment) >= tiny)).all()
    assert not state.m.any()
    assert_allclose(theta, 1.0, atol=1e-6)


@pytest.mark.parametrize("opt", OPTIMISERS, ids=str)
def test_not_a_number_is_not_hidden(opt):
    theta, gradient = np.ones(3, np.float32), np.array([1.0, np.nan, -1.0], np.float32)
    state, moved = opt.update(opt.init(theta), theta, gradient, 0.1)
    assert_array_equal(np.isnan(moved), [False, True, False])
    assert_array_equal(np.isnan(state.v), [False, True, False])


def test_mixed_kinds_take_the_definition():
    theta = np.ones(3, np.float32)
    opt = Adam()
    moved = opt.update(opt.init(theta), theta, np.ones(3), 0.1)[1]
    assert_allclose(moved, 0.9, rtol=1e-6)
    wide = np.ones(3, np.longdouble)
    assert opt.update(opt.init(wide), wide, wide, 0.1)[1].dtype == np.longdouble


@needs_jit
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["adam", "rms_prop"])
def test_compiled_and_plain_python_give_the_same_bits(name, dtype):
    rng, kernel = np.random.default_rng(0), getattr(kernels, name)
    arrays = [rng.standard_normal(50).astype(dtype) ** 2 for _ in range(4 if name == "adam" else 3)]
    betas = (0.9, 0.99) if name == "adam" else (0.9,)
    scales = np.array([0.1, 1.3, 1e-3, 0.01, 1e-30], dtype)
    both = [[a.copy() for a in arrays] for _ in range(2)]
    kernel(*both[0], *betas, scales)
    kernel.py_func(*both[1], *betas, scales)
    for a, b in zip(*both, strict=True):
        assert_array_equal(a, b)
