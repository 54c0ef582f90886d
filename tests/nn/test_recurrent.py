"""A network with a memory: derivatives of both parts together, and what it is without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import MLP, Policy, check_backward, check_jvp
from refmarl.nn.gradcheck import join
from refmarl.nn.recurrent import Recurrent

SEEDS = st.integers(0, 2**32)
LEADS = st.sampled_from([(), (2,)])
ROWS = st.sampled_from([(), (3,), (2, 2)])
TOPS = st.sampled_from(["perceptron", "gaussian", "categorical"])


def case(seed, lead, rows, kind, steps=3):
    """A network, θ, x, h and random starts."""
    rng = np.random.default_rng(seed)
    inner = MLP((2 + 3, 4, 2))
    net = Recurrent(inner if kind == "perceptron" else Policy(inner, kind), 3)
    theta = net.init(rng, lead) + 0.5 * rng.standard_normal((*lead, net.size))
    x = rng.standard_normal((*lead, steps, *rows, 2))
    h = rng.standard_normal((*lead, *rows, 3))
    return net, theta, x, h, rng.random((*lead, steps, *rows)) < 0.3, rng


@pytest.mark.certifies("refmarl.nn.recurrent:Recurrent.backward")
@settings(max_examples=25)
@given(SEEDS, LEADS, ROWS, TOPS)
def test_backward_through_both_is_the_adjoint(seed, lead, rows, kind):
    net, theta, x, h, starts, rng = case(seed, lead, rows, kind)

    def forward(theta, x, h):
        return net.forward(theta, x, h, starts)[0]

    def backward(theta, x, h, u):
        return net.backward(theta, net.forward(theta, x, h, starts)[1], u)

    check_backward(forward, backward, (theta, x, h), rng, names=("θ", "x", "h")).require()


@pytest.mark.certifies("refmarl.nn.recurrent:Recurrent.jvp")
@given(SEEDS, LEADS, ROWS, TOPS, st.booleans())
def test_jvp_is_the_derivative_along_a_direction(seed, lead, rows, kind, theta_alone):
    net, theta, x, h, starts, rng = case(seed, lead, rows, kind)
    both, apart = join((theta,) if theta_alone else (theta, x, h))

    def given_at(at):
        return (*apart(at), x, h) if theta_alone else apart(at)

    def forward(at):
        return net.forward(*given_at(at), starts)[0]

    def jvp(at, v):
        return net.jvp(given_at(at)[0], net.forward(*given_at(at), starts)[1], *apart(v))

    check_jvp(forward, jvp, both, rng).require()


@given(SEEDS, LEADS, ROWS, TOPS)
def test_a_stretch_is_its_steps_one_by_one(seed, lead, rows, kind):
    net, theta, x, h, starts, _ = case(seed, lead, rows, kind)
    y, tape = net.forward(theta, x, h, starts)
    axis = len(lead)
    for t in range(x.shape[axis]):
        h = np.where(starts.take(t, axis)[..., None], 0.0, h)
        now, h = net.step(theta, x.take(t, axis), h)
        assert_allclose(now, y.take(t, axis), atol=1e-12)
        assert_allclose(h, tape.h.take(t, axis), atol=1e-12)


@given(SEEDS, LEADS, ROWS)
def test_a_memory_that_is_not_read_is_none(seed, lead, rows):
    net, theta, x, h, starts, _ = case(seed, lead, rows, "perceptron")
    above = theta[..., net.gru.size :]
    net.top.layers(above)[0].w[..., 2:, :] = 0.0  # a view: what stands in θ
    alone = MLP((2, 4, 2))
    layers = net.top.layers(above)
    flat = [a.reshape(*lead, -1) for a in (layers[0].w[..., :2, :], layers[0].b)]
    rest = above[..., net.top.size - alone.size + 2 * 4 + 4 :]
    plain = np.concatenate([*flat, rest], axis=-1)
    assert_allclose(net.forward(theta, x, h, starts)[0], alone.forward(plain, x)[0], atol=1e-12)


@given(SEEDS, ROWS)
def test_nothing_of_the_past_goes_over_the_beginning_of_an_episode(seed, rows):
    net, theta, x, h, _, rng = case(seed, (), rows, "perceptron", steps=4)
    starts = np.array([False, False, True, False]).reshape(-1, *(1,) * len(rows))
    y, tape = net.forward(theta, x, h, starts)
    other = x.copy()
    other[:2] = rng.standard_normal(other[:2].shape)
    assert_array_equal(net.forward(theta, other, -h, starts)[0][2:], y[2:])
    dy = np.zeros_like(y)
    dy[2:] = 1.0
    _, dx, dh = net.backward(theta, tape, dy)
    assert (dx[:2] == 0).all()
    assert (dh == 0).all()


@pytest.mark.parametrize("units", [0, 5, 6])
def test_a_memory_that_leaves_no_input_is_refused(units):
    with pytest.raises(InputError, match=f"units: need 1 … 4, .* got {units}"):
        Recurrent(MLP((5, 2)), units)


def test_parameters_of_another_network_are_refused():
    net = Recurrent(MLP((5, 2)), 3)
    with pytest.raises(InputError, match=rf"theta: need \(..., P = {net.size}\)"):
        net.forward(np.zeros(net.size - 1), np.zeros((1, 2)), np.zeros(3))
