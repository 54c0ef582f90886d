"""A policy network: derivatives through the network into the distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.nn import (
    GRU,
    MLP,
    check_backward,
    check_gradient,
    check_hvp,
    check_jvp,
    tanh_gaussian,
)
from refmarl.nn.gradcheck import join
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
    for u in (None, rng.standard_normal(obs.shape)):
        moved = 0.0 if u is None else u
        at = np.append(theta.ravel(), 0.0)  # the last number moves obs along u

        def value(at, moved=moved):
            return forward(at[:-1].reshape(theta.shape), obs + at[-1] * moved)

        def along(at, v, u=u):
            here = at[:-1].reshape(theta.shape)
            moves = None if u is None else v[-1] * u
            return policy.jvp(here, policy.forward(here, obs)[1], v[:-1].reshape(here.shape), moves)

        check_jvp(value, along, at, rng).require()


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.policy:Policy.hvp")
@pytest.mark.parametrize("kind", ["categorical", "gaussian", "tanh-gaussian"])
@given(SEEDS, LEADS, ROWS)
def test_hvp_is_the_derivative_of_the_gradient(kind, seed, lead, rows):
    rng, policy = np.random.default_rng(seed), of(kind, MLP((3, 4, 2)))
    theta = policy.init(rng, lead, out_scale=1.0) + 0.3 * rng.standard_normal((*lead, policy.size))
    obs = rng.standard_normal((*lead, *rows, 3))
    at, apart = join((theta, obs))

    def gradient(at):  # of ¼ Σ (parameters of the distribution)⁴, which is not quadratic
        theta, obs = apart(at)
        params, tape = policy.forward(theta, obs)
        return join(policy.backward(theta, tape, params**3))[0]

    def product(at, v):
        theta, obs = apart(at)
        params, tape = policy.forward(theta, obs)
        curvature = lambda r: 3.0 * params * params * r  # noqa: E731
        return join(policy.hvp(theta, tape, params**3, curvature, *apart(v)))[0]

    check_hvp(gradient, product, at, rng).require()


@pytest.mark.certifies("refmarl.nn.policy:Policy.per_sample")
@pytest.mark.parametrize("kind", ["categorical", "gaussian"])
@given(SEEDS, ROWS)
def test_each_row_has_the_gradient_of_its_own_log_probability(kind, seed, rows):
    rng, policy = np.random.default_rng(seed), of(kind, MLP((3, 4, 2)))
    theta, obs = policy.init(rng, out_scale=1.0), rng.standard_normal((*rows, 3))
    action = policy.head.sample(rng, policy.forward(theta, obs)[0])
    weight = rng.standard_normal(rows)  # of each row in a sum

    def gain(at):
        params, tape = policy.forward(at, obs)
        each = policy.per_sample(at, tape, policy.head.d_log_prob(params, action))
        log_prob = policy.head.log_prob(params, action)
        return (weight * log_prob).sum(), np.tensordot(weight, each, axes=len(rows))

    check_gradient(gain, theta).require()
    params, tape = policy.forward(theta, obs)
    each = policy.per_sample(theta, tape, params).reshape(-1, policy.size)
    assert_allclose(each.sum(axis=0), policy.backward(theta, tape, params)[0], atol=1e-12)


@pytest.mark.equation("3.2")
@given(SEEDS, st.sampled_from(["categorical", "gaussian"]))
def test_a_recurrent_policy_has_its_fisher_vector_product(seed, kind):
    """JᵀMJv of memory and policy together is the Hessian of the mean KL where both are equal."""
    rng = np.random.default_rng(seed)
    memory, policy = GRU(2, 3), Policy(MLP((3, 4, 2)), kind)
    both = np.concatenate([memory.init(rng), policy.init(rng, out_scale=1.0)])
    obs, first, starts = rng.standard_normal((5, 3, 2)), np.zeros((3, 3)), rng.random((5, 3)) < 0.3

    def run(at):
        h, through = memory.forward(at[: memory.size], obs, first, starts)
        return (through, *policy.forward(at[memory.size :], h))

    def pull_back(at, passed, d_params):
        d_theta, dh = policy.backward(at[memory.size :], passed[2], d_params)
        return np.concatenate([memory.backward(at[: memory.size], passed[0], dh)[0], d_theta])

    old = run(both)[1]

    def gradient(at):
        passed = run(at)
        return pull_back(at, passed, policy.head.d_kl(old, passed[1]))

    def product(at, v):
        passed = run(at)
        r_h = memory.jvp(at[: memory.size], passed[0], v[: memory.size])
        r_params = policy.jvp(at[memory.size :], passed[2], v[memory.size :], r_h)
        return pull_back(at, passed, policy.head.fisher(passed[1], r_params))

    check_hvp(gradient, product, both, rng).require()
    v = rng.standard_normal(both.shape)
    assert v @ product(both, v) >= 0.0


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
