"""The compiled passes against the definition in mlp.py, which they replace where they apply."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.kernels import blas, perceptron
from refmarl.nn import MLP, check_backward, check_gradient, fused
from refmarl.nn.policy import Policy

pytestmark = pytest.mark.skipif(not fused.ENABLED, reason="no BLAS that kernels can call")
PANEL = perceptron.PANEL
DTYPES = [np.float32, np.float64]


def definition(f, *args):
    """Call a function with the compiled passes switched off."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(invalid="ignore"):
        patch.setattr(fused, "ENABLED", False)
        return f(*args)


@st.composite
def shapes(draw):
    """(sizes, axes of networks, axes of x in their place, rows): panels cut once, twice, never."""
    sizes = tuple(draw(st.lists(st.integers(1, 9), min_size=2, max_size=5)))
    lead = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    shared = tuple(n if draw(st.booleans()) else 1 for n in lead)
    rows = draw(st.sampled_from([(), (0,), (1,), (2, 3), (PANEL,), (PANEL + 1,), (2 * PANEL + 7,)]))
    return sizes, lead, shared, rows


def outcomes(net, theta, x, dy):
    """All that the two passes give, and what other passes make of the tape."""
    y, tape = net.forward(theta, x)
    dtheta, dx = net.backward(theta, tape, dy)
    rest = (net.per_sample(theta, tape, dy), net.jvp(theta, tape, theta[..., ::-1]))
    curved = net.hvp(theta, tape, dy, lambda r: 2.0 * r, theta, x)
    alone = net.gradient(theta, tape, dy), net.input_gradient(theta, tape, dy)
    return y, *tape.inputs, dtheta, dx, *alone, *rest, *curved


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=20)
@given(shapes(), st.integers(0, 99))
def test_exact_sums_agree_bit_for_bit(dtype, shape, seed):
    sizes, lead, shared, rows = shape
    rng, net = np.random.default_rng(seed), MLP(sizes, "relu")
    theta = rng.integers(-1, 2, (*lead, net.size)).astype(dtype)  # all sums stay below 2²⁴
    x = rng.integers(-2, 3, (*shared, *rows, sizes[0])).astype(dtype)
    dy = rng.integers(-1, 2, (*lead, *rows, sizes[-1])).astype(dtype)
    y, tape = net.forward(theta, x)
    assert tape.flat is not None
    got = (y, *tape.inputs, *net.backward(theta, tape, dy), net.gradient(theta, tape, dy))
    y, tape = definition(net.forward, theta, x)
    assert tape.flat is None
    need = (y, *tape.inputs, *net.backward(theta, tape, dy), net.gradient(theta, tape, dy))
    for a, b in zip(got, need, strict=True):
        assert a.dtype == b.dtype == dtype
        assert_array_equal(np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape)), b)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=20)
@given(shapes(), st.integers(0, 99), st.sampled_from([0.1, 0.5]))
def test_tanh_networks_agree_to_rounding(dtype, shape, seed, scale):
    sizes, lead, shared, rows = shape
    rng, net = np.random.default_rng(seed), MLP(sizes)
    theta = (scale * rng.standard_normal((*lead, net.size))).astype(dtype)
    x = rng.standard_normal((*shared, *rows, sizes[0])).astype(dtype)
    dy = rng.standard_normal((*lead, *rows, sizes[-1])).astype(dtype)
    got = outcomes(net, theta, x, dy)
    need = definition(outcomes, net, theta, x, dy)
    # at most 4 layers, each of which adds roundings and multiplies earlier ones by ‖W‖ ≤ 4
    eps = 4.0 ** (len(sizes) - 1) * 20.0 * np.finfo(dtype).eps
    for a, b in zip(got, need, strict=True):
        assert a.dtype == b.dtype == dtype
        size = abs(b).max(initial=0.0)
        assert_allclose(np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape)), b,
                        rtol=0, atol=eps * max(size, 1.0))  # fmt: skip


@pytest.mark.certifies("refmarl.nn.mlp:MLP.gradient")
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_the_gradient_alone_is_a_difference_quotient(activation):
    net, rng = MLP((2, 3, 2), activation), np.random.default_rng(0)
    theta, x = net.init(rng), rng.standard_normal((PANEL + 5, 2))

    def loss(at):
        y, tape = net.forward(at, x)
        return 0.5 * (y**2).sum(), net.gradient(at, tape, y)

    check_gradient(loss, theta, blocks=net.blocks).require()


@pytest.mark.certifies("refmarl.nn.fused:pull_back", "refmarl.kernels.perceptron:pull_back")
@given(st.integers(0, 99), st.booleans(), st.sampled_from([1, 3, PANEL + 2]))
def test_the_compiled_pass_alone_is_the_adjoint(seed, wide, rows):
    rng, plan = np.random.default_rng(seed), fused.plan((2, 3, 1, 2), "tanh", False)
    net, lead = MLP((2, 3, 1, 2)), (2,) if wide else ()
    theta, x = net.init(rng, lead), rng.standard_normal((*lead, rows, 2))

    def backward(theta, x, dy):
        passed = fused.forward(plan, theta, x)
        return fused.pull_back(plan, theta, x, passed.hidden, dy, True)

    check_backward(lambda theta, x: fused.forward(plan, theta, x).y, backward, (theta, x), rng,
                   names=("θ", "x")).require()  # fmt: skip


@pytest.mark.certifies("refmarl.nn.policy:Policy.gradient")
@pytest.mark.parametrize("kind", ["categorical", "gaussian"])
def test_the_gradient_alone_of_a_policy_is_a_difference_quotient(kind):
    policy, rng = Policy(MLP((2, 3, 2)), kind), np.random.default_rng(0)
    theta, obs = policy.init(rng), rng.standard_normal((5, 3, 2))

    def loss(at):
        params, tape = policy.forward(at, obs)
        return 0.5 * (params**2).sum(), policy.gradient(at, tape, params)

    check_gradient(loss, theta).require()


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_any_layout_give_the_same(dtype):
    net, rng = MLP((3, 5, 2)), np.random.default_rng(1)
    theta, x = net.init(rng, (2,)).astype(dtype), rng.standard_normal((2, 7, 3)).astype(dtype)
    dy = rng.standard_normal((2, 7, 2)).astype(dtype)
    plain = outcomes(net, theta, x, dy)
    wide = np.zeros((2, net.size + 3), dtype)
    wide[:, 1:-2] = theta
    turned = (np.asfortranarray(x), np.asfortranarray(dy))
    seen = len(perceptron.forward.signatures), len(perceptron.pull_back.signatures)
    for array in (theta, x, dy, *turned):
        array.flags.writeable = False
    for other in (outcomes(net, wide[:, 1:-2], *turned), outcomes(net, theta, x, dy)):
        for a, b in zip(plain, other, strict=True):
            assert_allclose(a, b, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13)
    one = np.broadcast_to(dy[:1], dy.shape)
    tape = net.forward(theta, x)[1]
    assert_array_equal(net.backward(theta, tape, one)[0], net.backward(theta, tape, one.copy())[0])
    # and no kernel was compiled again for them
    assert seen == (len(perceptron.forward.signatures), len(perceptron.pull_back.signatures))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_not_a_number_stays_where_it_is(dtype, activation):
    net, rng = MLP((2, 4, 3), activation), np.random.default_rng(2)
    theta, x = net.init(rng).astype(dtype), rng.standard_normal((6, 2)).astype(dtype)
    x[1, 0], x[2, 1], x[4, 0] = np.nan, np.inf, -np.inf
    got, need = net.forward(theta, x)[0], definition(net.forward, theta, x)[0]
    assert_array_equal(np.isnan(got), np.isnan(need))
    assert np.isnan(got[1]).all() == (activation == "tanh")


def test_what_does_not_apply_takes_the_definition():
    rng, x = np.random.default_rng(0), np.ones((4, 2))
    for net in (MLP((2, 3, 1), "gelu"), MLP((2, 3, 1), "tanh", layer_norm=True)):
        assert net.forward(net.init(rng), x)[1].flat is None
    net = MLP((2, 3, 1))
    theta = net.init(rng)
    assert net.forward(theta + 0j, x + 1e-30j)[1].flat is None
    assert net.forward(theta.astype(np.longdouble), x)[0].dtype == np.longdouble
    assert net.forward(theta, x)[1].flat is not None
    tape = net.forward(theta, x)[1]
    real, complex_ = (net.backward(theta, tape, np.ones((4, 1)) + i)[0] for i in (0.0, 0j))
    assert_allclose(complex_.real, real, rtol=1e-12)


def test_a_tape_of_other_kind_or_shape_is_not_read_by_kernels():
    net, rng = MLP((2, 3, 1)), np.random.default_rng(0)
    theta, x = net.init(rng), rng.standard_normal((4, 2))
    tape = net.forward(theta, x)[1]
    single = net.forward(theta.astype(np.float32), x)[1]
    mixed = net.backward(theta, single, np.ones((4, 1)))[0]
    assert mixed.dtype == np.float64
    assert_allclose(mixed, net.backward(theta, tape, np.ones((4, 1)))[0], rtol=1e-5)
    with pytest.raises(ValueError):  # rows that the tape does not have
        net.gradient(theta, tape, np.ones((5, 1)))
    other = MLP((2, 7, 1))
    foreign = other.forward(other.init(rng), x)[1]
    with pytest.raises(ValueError):  # a tape of another network
        net.backward(theta, foreign, np.ones((4, 1)))
    with pytest.raises(ValueError):  # of one network for two
        net.backward(np.stack([theta] * 2), net.forward(np.stack([theta] * 3), x[None])[1],
                     np.ones((2, 4, 1)))  # fmt: skip


@pytest.mark.parametrize("letter", ["s", "d"])
def test_a_library_without_the_function_is_passed_over(letter, tmp_path):
    broken = tmp_path / "libopenblas.so"
    broken.write_text("not a library")
    assert blas.find(letter, []) == 0
    assert blas.find(letter, [str(broken), str(tmp_path / "none")]) == 0
    assert blas.find(letter, [str(broken), *blas.libraries()]) == blas.find(letter) > 0


@pytest.mark.parametrize("dtype", DTYPES)
@given(*[st.integers(1, 9)] * 3, st.booleans(), st.booleans(), st.sampled_from([0.0, 1.0]))
def test_products_inside_kernels_are_those_of_numpy(dtype, m, n, k, a_t, b_t, beta):
    rng = np.random.default_rng(m + 10 * n + 100 * k)
    a, b, c = (rng.integers(-3, 4, s).astype(dtype) for s in ((m, k), (k, n), (m, n)))
    need = a @ b + dtype(beta) * c  # whole numbers: exact in any order
    if beta == 0.0:
        c[:] = np.nan  # must not be read
    left, right = (np.ascontiguousarray(x.T if t else x) for x, t in ((a, a_t), (b, b_t)))
    blas.gemm(dtype == np.float32, a_t, b_t, m, n, k, left.ctypes.data, left.shape[1],
              right.ctypes.data, right.shape[1], beta, c.ctypes.data, n)  # fmt: skip
    assert_array_equal(c, need)


PLAIN = """
import numpy as np
from refmarl.nn import MLP, fused
from refmarl.nn.optim import Adam
net = MLP((3, 8, 2))
rng = np.random.default_rng(0)
theta, x, opt = net.init(rng), rng.standard_normal((200, 3)), Adam()
state = opt.init(theta)
for _ in range(20):
    y, tape = net.forward(theta, x)
    state, theta = opt.update(state, theta, net.gradient(theta, tape, y - 1.0), 1e-2)
print(fused.ENABLED, *theta)
"""


def test_without_the_compiler_learning_goes_the_same_way():
    ends = []
    for jit in ("1", "0"):
        env = os.environ | {"REFMARL_JIT": jit}
        done = subprocess.run(
            [sys.executable, "-c", PLAIN], env=env, capture_output=True, text=True, check=True
        )
        enabled, *theta = done.stdout.split()
        assert enabled == str(jit == "1")
        ends.append([float(t) for t in theta])
    assert_allclose(*ends, atol=1e-11)  # 20 steps, each to 1e-15
