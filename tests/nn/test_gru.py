"""The recurrent layer: its derivative through time, and what begins anew with an episode."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import check_backward, check_hvp, check_jvp
from refmarl.nn.gradcheck import join
from refmarl.nn.gru import GRU

SEEDS = st.integers(0, 2**32)
LEADS = st.sampled_from([(), (2,), (2, 1)])
ROWS = st.sampled_from([(), (1,), (3,), (2, 2)])
SIZES, STEPS = st.integers(1, 3), st.integers(1, 4)


def case(seed, lead, rows, inputs, units, steps):
    """A network, θ, x, h and random starts."""
    rng = np.random.default_rng(seed)
    net = GRU(inputs, units)
    theta = net.init(rng, lead) + 0.5 * rng.standard_normal((*lead, net.size))
    size = rng.choice([1.0, 1.0, 30.0])  # the last saturates the gates
    x = size * rng.standard_normal((*lead, steps, *rows, inputs))
    h = rng.standard_normal((*lead, *rows, units))
    return net, theta, x, h, rng.random((*lead, steps, *rows)) < 0.3, rng


@pytest.mark.certifies(
    "refmarl.nn.gru:GRU.backward", "refmarl.nn.fused_gru:pull_back", "refmarl.kernels.gru:pull_back"
)
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, STEPS, st.booleans())
def test_backward_through_time_is_the_adjoint(seed, lead, rows, inputs, units, steps, cut):
    net, theta, x, h, starts, rng = case(seed, lead, rows, inputs, units, steps)
    starts = starts if cut else None

    def forward(theta, x, h):
        return net.forward(theta, x, h, starts)[0]

    def backward(theta, x, h, u):
        return net.backward(theta, net.forward(theta, x, h, starts)[1], u)

    names = ("θ", "x", "h")
    for method in ("central", "complex"):
        report = check_backward(forward, backward, (theta, x, h), rng, names=names, method=method)
        report.require()


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.gru:GRU.jvp")
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, STEPS, st.booleans())
def test_jvp_is_the_derivative_along_a_direction(seed, lead, rows, inputs, units, steps, cut):
    net, theta, x, h, starts, rng = case(seed, lead, rows, inputs, units, steps)
    starts = starts if cut else None
    both, apart = join((theta, x, h))

    def forward(at):
        return net.forward(*apart(at), starts)[0]

    def jvp(at, v):
        theta, x, h = apart(at)
        return net.jvp(theta, net.forward(theta, x, h, starts)[1], *apart(v))

    check_jvp(forward, jvp, both, rng, method="complex").require()


@pytest.mark.equation("3.2")
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, STEPS)
def test_jvp_and_backward_are_adjoint(seed, lead, rows, inputs, units, steps):
    net, theta, x, h, starts, rng = case(seed, lead, rows, inputs, units, steps)
    y, tape = net.forward(theta, x, h, starts)
    dy, directions = (
        rng.standard_normal(y.shape),
        [rng.standard_normal(a.shape) for a in (theta, x, h)],
    )
    found = (dy * net.jvp(theta, tape, *directions)).sum()
    pairs = zip(net.backward(theta, tape, dy), directions, strict=True)
    terms = np.concatenate([(d * v).ravel() for d, v in pairs])
    assert_allclose(found, terms.sum(), atol=1e-12 * (1.0 + abs(terms).sum()))


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.gru:GRU.hvp")
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, STEPS, st.booleans())
def test_hvp_differentiates_the_gradient_through_time(seed, lead, rows, inputs, units, steps, cut):
    net, theta, x, h, starts, rng = case(seed, lead, rows, inputs, units, steps)
    starts = starts if cut else None
    both, apart = join((theta, x, h))
    weight = rng.standard_normal(net.forward(theta, x, h, starts)[0].shape)

    def gradient(at):  # of Σ c (h + ¼ h⁴) over all steps
        theta, x, h = apart(at)
        y, tape = net.forward(theta, x, h, starts)
        return join(net.backward(theta, tape, weight * (1.0 + y**3)))[0]

    def product(at, v):
        theta, x, h = apart(at)
        y, tape = net.forward(theta, x, h, starts)
        dy = weight * (1.0 + y**3)
        return join(net.hvp(theta, tape, dy, lambda r: 3 * weight * y * y * r, *apart(v)))[0]

    check_hvp(gradient, product, both, rng, method="complex").require()


def test_directions_that_are_left_out_are_zero_and_wrong_ones_refused():
    net, theta, x, h, starts, rng = case(0, (2,), (3,), 2, 3, 4)
    _, tape = net.forward(theta, x, h, starts)
    v = rng.standard_normal(theta.shape)
    still = net.jvp(theta, tape, v, np.zeros_like(x), np.zeros_like(h))
    assert_array_equal(net.jvp(theta, tape, v), still)
    for name, wrong in (("v", (v[:1],)), ("u", (v, x[:, 1:])), ("w", (v, x, h[:, :2]))):
        with pytest.raises(InputError, match=f"{name}: need shape"):
            net.jvp(theta, tape, *wrong)


@given(SEEDS, LEADS, ROWS, SIZES, SIZES, STEPS)
def test_a_sequence_is_its_steps_one_by_one(seed, lead, rows, inputs, units, steps):
    net, theta, x, h, starts, _ = case(seed, lead, rows, inputs, units, steps)
    whole, _ = net.forward(theta, x, h, starts)
    for t in range(steps):
        at = (slice(None),) * len(lead) + (t,)
        h = np.where(starts[at][..., None], 0.0, h)
        h = net.step(theta, x[at], h)
        assert_allclose(whole[at], h, atol=1e-12)


@given(SEEDS, SIZES, SIZES)
def test_nothing_crosses_the_beginning_of_an_episode(seed, inputs, units):
    net, theta, x, h, _, rng = case(seed, (), (2,), inputs, units, 5)
    x = x / abs(x).max()  # gates that are open
    starts = np.zeros((5, 2), dtype=bool)
    starts[3, 0] = True
    y, tape = net.forward(theta, x, h, starts)
    fresh, _ = net.forward(theta, x[3:], np.zeros_like(h))
    assert_allclose(y[3:, 0], fresh[:, 0], atol=1e-12)
    later = np.zeros_like(y)
    later[3:, 0] = rng.standard_normal((2, units))
    _, dx, dh = net.backward(theta, tape, later)
    assert_array_equal(dx[:3], 0.0)
    assert_array_equal(dh, 0.0)
    assert (dx[3:, 0] != 0).any()
    everything = np.ones((5, 2), dtype=bool)
    assert_array_equal(net.forward(theta, x, h, everything)[0],
                       net.forward(theta, x, h + 1.0, everything)[0])  # fmt: skip


@given(SEEDS, LEADS, ROWS)
def test_networks_side_by_side_are_networks_alone(seed, lead, rows):
    net, theta, x, h, starts, _ = case(seed, lead, rows, 2, 3, 3)
    y, tape = net.forward(theta, x, h, starts)
    parts = net.backward(theta, tape, y)
    for at in np.ndindex(*lead):
        y_one, tape_one = net.forward(theta[at], x[at], h[at], starts[at])
        assert_allclose(y[at], y_one, atol=1e-12)
        for whole, part in zip(parts, net.backward(theta[at], tape_one, y_one), strict=True):
            assert_allclose(whole[at], part, atol=1e-9)


@given(SEEDS, SIZES)
def test_gates_that_are_shut_keep_the_memory_and_open_ones_replace_it(seed, units):
    net, theta, x, h, _, _ = case(seed, (), (4,), 2, units, 3)
    parts = net.views(theta)
    parts["b"][units : 2 * units] = 1e3  # z = 1
    y, tape = net.forward(theta, x, h)
    assert_allclose(y, np.broadcast_to(h, y.shape), atol=1e-12)
    dtheta, dx, dh = net.backward(theta, tape, np.ones_like(y))
    assert np.isfinite(dtheta).all()
    assert_array_equal(dx, 0.0)
    assert_allclose(dh, 3.0)
    assert_allclose(net.jvp(theta, tape, np.zeros_like(theta), x, h), np.broadcast_to(h, y.shape))
    curved = net.hvp(theta, tape, np.ones_like(y), np.zeros_like, theta, x, h)
    assert all(np.isfinite(part).all() for part in curved)
    parts["b"][units : 2 * units] = -1e3  # z = 0
    parts["b"][:units] = -1e3  # r = 0: a perceptron of x alone
    y, _ = net.forward(theta, x, h)
    w, b = parts["W"][:, 2 * units :], parts["b"][2 * units :]
    assert_allclose(y, np.tanh(x @ w + b), atol=1e-12)


@given(SEEDS, LEADS, ROWS)
def test_memories_stay_between_minus_one_and_one(seed, lead, rows):
    net, theta, x, h, _, _ = case(seed, lead, rows, 2, 3, 4)
    y, _ = net.forward(theta, 1e4 * x, np.clip(h, -1, 1))
    assert np.isfinite(y).all()
    assert abs(y).max(initial=0.0) <= 1.0


def test_float32_stays_and_starts_broadcast():
    net = GRU(2, 3)
    theta = net.init(np.random.default_rng(0), (2,), dtype=np.float32)
    x, h = np.ones((2, 5, 4, 2)), np.ones((2, 4, 3), np.float32)
    starts = np.array([0, 0, 1, 0, 0], dtype=bool)[:, None]
    y, tape = net.forward(theta, x, h, starts)
    assert_array_equal(y, net.forward(theta, x, h, np.broadcast_to(starts, (2, 5, 4)))[0])
    along, curved = net.jvp(theta, tape, theta), net.hvp(theta, tape, y, np.zeros_like, theta)
    for part in (y, along, *net.backward(theta, tape, y), *curved):
        assert part.dtype == np.float32


def test_recurrent_weights_begin_orthogonal():
    net = GRU(2, 3)
    theta = net.init(np.random.default_rng(0), (4,))
    for gate in np.split(net.views(theta)["U"], 3, axis=-1):
        eye = np.swapaxes(gate, -1, -2) @ gate
        assert_allclose(eye, np.broadcast_to(np.eye(3), eye.shape), atol=1e-12)


def test_what_does_not_fit_is_refused():
    net = GRU(2, 3)
    theta, x, h = np.zeros(net.size), np.zeros((5, 4, 2)), np.zeros((4, 3))
    with pytest.raises(InputError, match="theta: need"):
        net.forward(theta[1:], x, h)
    with pytest.raises(InputError, match=r"x: need \(..., 2\)"):
        net.forward(theta, x[..., :1], h)
    with pytest.raises(InputError, match="x: need an axis of T"):
        net.forward(theta, x[:0], h)
    with pytest.raises(InputError, match="h: need rows"):
        net.forward(theta, x, h[:3])
    with pytest.raises(InputError, match=r"starts: need what broadcasts to \(5, 4\)"):
        net.forward(theta, x, h, np.zeros((4, 4), dtype=bool))
    with pytest.raises(InputError, match="units: need a whole number"):
        GRU(2, 0)
