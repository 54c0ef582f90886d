"""A2C: its losses' gradients, and that it learns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.envs import CartPole
from refmarl.learner import learn
from refmarl.nn import categorical, check_gradient, gaussian
from refmarl.policy_gradient import a2c

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


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_it_balances_the_pole(seed):
    cfg = a2c.Config(num_envs=16, num_steps=16, lam=0.95, lr=3e-3, iterations=1500)
    returns = []
    for _, metrics in learn(a2c, CartPole(), cfg, np.random.default_rng(seed)):
        returns += [metrics["return"]] if "return" in metrics else []
    assert np.mean(returns[-20:]) >= 475  # Gymnasium's threshold; the optimum is 500


def test_constants_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"gamma: need a number in \[0, 1\], got 1.5"):
        a2c.Config(gamma=1.5)
