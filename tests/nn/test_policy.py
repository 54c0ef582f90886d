"""A policy network: derivatives through the network into the distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.nn import MLP, check_backward, check_jvp, tanh_gaussian
from refmarl.nn.policy import HEADS, Policy

SEEDS = st.integers(0, 2**32)
LEADS = st.sampled_from([(), (2,), (2, 1)])
ROWS = st.sampled_from([(), (3,), (2, 2)])


def of(kind, net):
    """A policy of this kind; its sets, if it has them, have one and K - 1 actions."""
    outputs = net.sizes[-1]
    return Policy(net, kind, (1, outputs - 1) if kind == "multi-discrete" else ())


@pytest.mark.certifies("refmarl.nn.policy:Policy.backward", "refmarl.nn.policy:Policy.jvp")
@pytest.mark.parametrize("kind", HEADS)
@given(SEEDS, LEADS, ROWS)
def test_derivatives_of_the_parameters_of_the_distribution(kind, seed, lead, rows):
    rng = np.random.default_rng(seed)
    policy = of(kind, MLP((3, 4, 2)))
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


@pytest.mark.parametrize("kind", HEADS)
@given(SEEDS, st.sampled_from([np.float32, np.float64]))
def test_every_head_takes_what_the_network_gives(kind, seed, dtype):
    policy = of(kind, MLP((3, 4, 6)))
    rng = np.random.default_rng(seed)
    params, tape = policy.forward(policy.init(rng, dtype=dtype), rng.standard_normal((5, 3)))
    action = policy.head.sample(rng, params)
    d_params = policy.head.d_log_prob(params, action)
    assert policy.head.log_prob(params, action).shape == (5,)
    assert params.shape == d_params.shape
    assert policy.backward(policy.init(rng, dtype=dtype), tape, d_params)[0].dtype == dtype


def test_a_squashed_policy_has_its_spread_in_the_outputs():
    policy = Policy(MLP((3, 4, 6)), "tanh-gaussian")
    assert policy.free == 0
    assert policy.head is tanh_gaussian


@given(SEEDS, st.sampled_from([np.float32, np.float64]))
def test_restricted_policies_are_masked_policies(seed, dtype):
    rng = np.random.default_rng(seed)
    for policy in (Policy(MLP((3, 5)), "categorical"), of("multi-discrete", MLP((3, 5)))):
        params = rng.standard_normal((7, 5)).astype(dtype)
        mask = rng.random((7, 5)) < 0.5
        mask[:, 0] = mask[:, 3] = True
        cut = policy.restrict(params, mask)
        assert cut.dtype == dtype
        head, action = policy.head, policy.head.sample(rng, cut)
        assert_allclose(head.log_prob(cut, action), head.log_prob(params, action, mask))
        assert_allclose(head.entropy(cut), head.entropy(params, mask))
        for gradient in (head.d_log_prob(cut, action), head.d_entropy(cut), head.d_kl(cut, cut)):
            assert np.isfinite(gradient).all()
            assert (gradient[~mask] == 0.0).all()
        assert policy.restrict(params, None) is params


def test_a_mask_must_leave_an_action_of_every_set_and_have_the_shape_of_the_logits():
    net, params = MLP((3, 5)), np.zeros((2, 5))
    mask = np.ones((2, 5), dtype=bool)
    mask[1, :2] = False
    sets = Policy(net, "multi-discrete", (2, 3))
    with pytest.raises(InputError, match="without any legal action"):
        sets.restrict(params, mask)
    Policy(net, "categorical").restrict(params, mask)
    with pytest.raises(InputError, match=r"mask: need \(2, 5\) of logits, got \(2, 4\)"):
        sets.restrict(params, mask[:, :4])
    with pytest.raises(InputError, match="mask: need"):
        Policy(net, "gaussian").restrict(params, mask)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="need one of categorical, multi-discrete"):
        Policy(MLP((3, 2)), "cauchy")
    with pytest.raises(InputError, match="sizes"):
        Policy(MLP((3, 2)), "multi-discrete")
    with pytest.raises(InputError, match="sizes"):
        Policy(MLP((3, 2)), "categorical", (2,))
    with pytest.raises(InputError, match="sum of 2"):
        Policy(MLP((3, 2)), "multi-discrete", (2, 3))
    for kind in ("tanh-gaussian", "beta"):
        with pytest.raises(InputError, match="even number"):
            Policy(MLP((3, 3)), kind)
