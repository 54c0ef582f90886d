"""A policy network: derivatives through the network into the distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.nn import MLP, check_backward, check_jvp
from refmarl.nn.policy import HEADS, Policy

SEEDS = st.integers(0, 2**32)
LEADS = st.sampled_from([(), (2,), (2, 1)])
ROWS = st.sampled_from([(), (3,), (2, 2)])


@pytest.mark.certifies("refmarl.nn.policy:Policy.backward", "refmarl.nn.policy:Policy.jvp")
@pytest.mark.parametrize("kind", HEADS)
@given(SEEDS, LEADS, ROWS)
def test_derivatives_of_the_parameters_of_the_distribution(kind, seed, lead, rows):
    rng = np.random.default_rng(seed)
    policy = Policy(MLP((3, 4, 2)), kind)
    theta = policy.init(rng, lead) + 0.3 * rng.standard_normal((*lead, policy.size))
    obs = rng.standard_normal((*lead, *rows, 3))

    def backward(theta, obs, u):
        return policy.backward(theta, policy.forward(theta, obs)[1], u)

    def forward(theta, obs):
        return policy.forward(theta, obs)[0]

    check_backward(forward, backward, (theta, obs), rng, names=("θ", "obs")).require()
    check_jvp(
        lambda at: forward(at, obs),
        lambda at, v: policy.jvp(at, policy.forward(at, obs)[1], v),
        theta,
        rng,
    ).require()


@given(SEEDS)
def test_a_new_policy_is_nearly_uniform(seed):
    policy = Policy(MLP((3, 16, 4)), "categorical")
    obs = np.random.default_rng(seed).standard_normal((50, 3))
    params, _ = policy.forward(policy.init(np.random.default_rng(seed)), obs)
    assert_allclose(policy.head.entropy(params), np.log(4), atol=2e-2)


def test_the_spread_of_a_gaussian_does_not_depend_on_the_state():
    policy = Policy(MLP((3, 4, 2)), "gaussian")
    theta = policy.init(np.random.default_rng(0), log_std=-0.7)
    params, _ = policy.forward(theta, np.random.default_rng(1).standard_normal((6, 3)))
    assert_allclose(params[:, 2:], -0.7)


def test_an_unknown_distribution_is_refused():
    with pytest.raises(InputError, match="need one of categorical, gaussian"):
        Policy(MLP((3, 2)), "cauchy")
