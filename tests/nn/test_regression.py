"""Passes of least squares: compiled and by their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.nn import MLP, fused, regression
from refmarl.nn.optim import Adam

ADAM = Adam()
SHARP = Adam(epsilon=1e-30)  # does not see the scale of a gradient


@st.composite
def cases(draw):
    """(net, θ (P,), x (R, N, I), target (R, N), minibatches), all float64."""
    hidden = draw(st.lists(st.integers(1, 6), max_size=2))
    net = MLP((draw(st.integers(1, 4)), *hidden, 1), draw(st.sampled_from(["tanh", "relu"])))
    rows, agents = draw(st.integers(1, 40)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((rows, agents, net.sizes[0]))
    target = rng.standard_normal((rows, agents))
    return net, net.init(rng), x, target, draw(st.integers(1, rows))


def passes(case, rate, count=2, adam=ADAM):
    """(θ, losses) after ``count`` passes in random order."""
    net, theta, x, target, minibatches = case
    rng, state, losses = np.random.default_rng(0), adam.init(theta), []
    for _ in range(count):
        order = rng.permutation(len(x))
        theta, state, told = regression.one_pass(
            net, theta, state, adam, x, target, order, minibatches, rate
        )
        losses.append(told)
    assert state.step == count * minibatches
    return theta, np.concatenate(losses)


@pytest.mark.skipif(not fused.ENABLED, reason="no BLAS that kernels can call")
@settings(max_examples=25)
@given(cases())
def test_compiled_passes_are_those_of_the_definition(case):
    theta = case[1].copy()
    found = passes(case, 1e-2)
    assert_array_equal(case[1], theta)  # what was handed in is left alone
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "ENABLED", False)
        for got, expected in zip(found, passes(case, 1e-2), strict=True):
            assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@settings(max_examples=25)
@given(cases())
def test_a_step_of_size_0_changes_nothing_and_tells_the_loss_of_every_row_once(case):
    net, theta, x, target, minibatches = case
    same, losses = passes(case, 0.0, 1)
    assert_array_equal(same, theta)
    sizes = [len(part) for part in np.array_split(np.arange(len(x)), minibatches)]
    whole = 0.5 * np.square(net.forward(theta, x)[0][..., 0] - target).mean()
    assert_allclose(np.average(losses, weights=sizes), whole, rtol=1e-9)


@settings(max_examples=15)
@given(cases())
def test_agents_with_networks_of_their_own_learn_as_if_alone(case):
    net, theta, x, target, minibatches = case
    own = np.stack([theta * (1.0 + 0.1 * i) for i in range(x.shape[1])])
    together, _ = passes((net, own, x, target, minibatches), 1e-3, adam=SHARP)
    for i, parameters in enumerate(own):
        one = net, parameters, x[:, i : i + 1], target[:, i : i + 1], minibatches
        assert_allclose(together[i], passes(one, 1e-3, adam=SHARP)[0], rtol=1e-6, atol=1e-9)
