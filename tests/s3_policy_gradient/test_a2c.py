"""A2C: its losses' gradients, and that it learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.envs import CartPole
from refmarl.learner import learn
from refmarl.nn import categorical, check_gradient, gaussian
from refmarl.policy_gradient import a2c, actor_critic
from refmarl.policy_gradient.actor_critic import critic, values
from refmarl.rollout import begin, collect

SEEDS = st.integers(0, 2**32)
SHAPES = st.sampled_from([(1,), (4,), (3, 2, 2)])
HEADS = pytest.mark.parametrize("head", [categorical, gaussian], ids=["categorical", "gaussian"])


@pytest.mark.certifies("refmarl.policy_gradient.a2c:policy_gain")
@HEADS
@given(SEEDS, SHAPES, st.sampled_from([0.0, 0.1]))
def test_the_policy_gain_has_the_gradient_that_it_says(head, seed, shape, entropy):
    rng = np.random.default_rng(seed)
    params, advantage = rng.standard_normal((*shape, 4)), rng.standard_normal(shape)
    action = head.sample(rng, params)
    check_gradient(lambda p: a2c.policy_gain(head, p, action, advantage, entropy), params).require()


@HEADS
@given(SEEDS, SHAPES, st.sampled_from([0.0, 0.1]))
def test_who_does_not_act_counts_for_nothing(head, seed, shape, entropy):
    rng = np.random.default_rng(seed)
    params, advantage = rng.standard_normal((*shape, 4)), rng.standard_normal(shape)
    action, acts = head.sample(rng, params), rng.random(shape) < 0.6
    found = a2c.policy_gain(head, params, action, advantage, entropy, acts)
    assert (found.gradient[~acts] == 0.0).all()
    if acts.any():
        alone = a2c.policy_gain(head, params[acts], action[acts], advantage[acts], entropy)
        assert_allclose(found.value, alone.value, atol=1e-12)
        assert_allclose(found.gradient[acts], alone.gradient, atol=1e-12)


def batch_of(env, cfg, seed):
    agent = a2c.start(env, cfg, np.random.default_rng(seed)).agent
    rng = np.random.default_rng(seed)
    roll = begin(env, rng, cfg.num_envs)
    return agent, collect(env, a2c.policy(env, cfg, agent, rng), roll, cfg.num_steps)[1]


@pytest.mark.certifies("refmarl.policy_gradient.a2c:gradient")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([0.0, 0.1]), st.sampled_from([1.0, 0.5]))
def test_both_gradients_are_those_of_what_they_say_with_targets_held(
    pair, share, seed, entropy, lam
):
    env = pair
    cfg = a2c.Config(hidden=(2,), share=share, dtype="float64", num_envs=3, num_steps=4,
                     entropy=entropy, lam=lam)  # fmt: skip
    agent, batch = batch_of(env, cfg, seed)
    rng = np.random.default_rng(seed)
    for g in range(2):
        theta = agent.theta[g] + 0.3 * rng.standard_normal(agent.theta[g].shape)

        def gain(at, g=g):
            here = agent._replace(theta=tuple(at if k == g else agent.theta[k] for k in range(2)))
            d_theta, _, metrics, _ = a2c.gradient(env, cfg, here, batch, g)
            return metrics["gain"], d_theta

        check_gradient(gain, theta).require()
        net = critic(env.groups[g], cfg.hidden)
        v, final = (values(net, agent.phi[g], o[g])[0] for o in (batch.obs, batch.final))
        _, target = actor_critic.advantages(cfg.gamma, cfg.lam, batch, v, final, batch.reward[g])
        phi_gradient = a2c.gradient(env, cfg, agent, batch, g)[1]

        def loss(at, net=net, target=target, found=phi_gradient, g=g):
            error = values(net, at, batch.obs[g][:-1])[0] - target
            return 0.5 * np.mean(error**2), found

        check_gradient(loss, agent.phi[g]).require()


def test_agents_that_do_not_act_do_not_move_the_policy(pair):
    env, cfg = pair, a2c.Config(hidden=(2,), dtype="float64", num_envs=4, num_steps=4)
    agent, batch = batch_of(env, cfg, 0)
    dead = ~batch.alive[0]
    assert dead.any()
    other = np.where(dead, (batch.action[0] + 1) % 3, batch.action[0])
    changed = batch._replace(action=(other, batch.action[1]))
    one, two = (a2c.gradient(env, cfg, agent, b, 0)[0] for b in (batch, changed))
    assert_array_equal(one, two)
    everybody = batch._replace(alive=(None, None))
    assert not np.array_equal(one, a2c.gradient(env, cfg, agent, everybody, 0)[0])


@given(SEEDS, SHAPES)
def test_a_constant_added_to_every_advantage_does_not_move_the_expected_gradient(seed, shape):
    # Σ_a π(a) ∇ log π(a) = 0, summed exactly over the actions
    rng = np.random.default_rng(seed)
    params, advantage = rng.standard_normal((*shape, 3)), rng.standard_normal((*shape, 3))
    p, expected = categorical.probs(params), []
    for baseline in (0.0, 5.0):
        total = np.zeros_like(params)
        for a in range(3):
            action = np.full(shape, a)
            gain = a2c.policy_gain(categorical, params, action, advantage[..., a] - baseline, 0.0)
            total += p[..., a, None] * gain.gradient
        expected.append(total)
    assert_allclose(*expected, atol=1e-12)


def run(cfg, seed, iterations):
    progress = None
    for progress, _ in learn(a2c, CartPole(), cfg, np.random.default_rng(seed)):
        if progress.iteration == iterations:
            break
    return progress


@pytest.mark.parametrize("share", [True, False])
def test_the_same_seed_gives_the_same_bits(share):
    cfg = a2c.Config(num_envs=3, num_steps=4, iterations=6, share=share)
    one, two, other = run(cfg, 1, 6), run(cfg, 1, 6), run(cfg, 2, 6)
    assert_array_equal(one.agent.theta[0], two.agent.theta[0])
    assert one.steps == 3 * 4 * 6
    assert not np.array_equal(one.agent.theta[0], other.agent.theta[0])


def test_with_one_agent_sharing_changes_nothing():
    cfgs = [a2c.Config(num_envs=3, num_steps=4, iterations=3, share=s) for s in (True, False)]
    shared, own = (run(cfg, 1, 3).agent for cfg in cfgs)
    assert_array_equal(shared.theta[0], own.theta[0][0])
    assert_array_equal(shared.phi[0], own.phi[0][0])


def test_constants_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"gamma: need a number in \[0, 1\], got 1.5"):
        a2c.Config(gamma=1.5)
