"""MADDPG's equations: gradients are difference quotients, reductions, and whose actions count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import deterministic as nets
from refmarl.env_api import Box, Discrete, Group, MultiDiscrete
from refmarl.nn import check_gradient, gumbel_softmax

SEEDS = st.integers(0, 2**32)
LEADS = st.sampled_from([(), (2,)])
SOFT, HARD = nets.Relaxation(0.7, False), nets.Relaxation(0.7, True)


def problem(seed, space, lead, extra=3, rows=5):
    """(rng, networks, θ, φ, what is seen, Gumbel noise or None, weights) in float64, smooth."""
    rng = np.random.default_rng(seed)
    group = Group("g", ("a", "b"), 3, space)
    pair = nets.actor(group, (4,), "tanh"), nets.critic(group, (4,), "tanh", extra)
    theta = pair[0].init(rng, lead) + 0.4 * rng.standard_normal((*lead, pair[0].size))
    phi = pair[1].init(rng, lead) + 0.3 * rng.standard_normal((*lead, pair[1].size))
    obs, others = (rng.standard_normal((*lead, rows, k)) for k in (3, extra))
    noise, mask = None, None
    if isinstance(space, Discrete):
        noise = gumbel_softmax.noise(rng, (*lead, rows, space.n))
        mask = rng.random((*lead, rows, space.n)) < 0.6
        mask[..., 0] = True
    return rng, pair, theta, phi, nets.Seen(obs, others, mask), noise, rng.random((*lead, rows))


# -- (2.4) ------------------------------------------------------------------------------


@pytest.mark.equation("2.4")
@pytest.mark.certifies("refmarl.cooperative.deterministic:actor_gradient")
@pytest.mark.parametrize("space", [Box(-2.0, 2.0, 2), Discrete(3)], ids=["box", "choice"])
@settings(max_examples=15)
@given(SEEDS, LEADS, st.sampled_from([0.0, 0.3]))
def test_the_actors_gradient_is_a_difference_quotient(space, seed, lead, flat):
    _, pair, theta, phi, seen, noise, weight = problem(seed, space, lead)

    def gain(at):
        return nets.actor_gradient(space, pair, at, phi, seen, noise, SOFT, flat, weight)[:2]

    check_gradient(gain, theta).require()


@pytest.mark.equation("2.4")
@settings(max_examples=15)
@given(SEEDS, LEADS)
def test_the_gradient_is_the_actors_jacobian_times_the_slope_in_its_own_action(seed, lead):
    space = Box(-1.0, 1.0, 2)
    _, pair, theta, phi, seen, _, weight = problem(seed, space, lead)
    climb = nets.actor_gradient(space, pair, theta, phi, seen, None, SOFT, 0.0, weight)
    slope, h = np.zeros_like(climb.action), 1e-6
    for k in range(2):
        q = []
        for sign in (1.0, -1.0):
            moved = climb.action.copy()
            moved[..., k] += sign * h
            x = np.concatenate([seen.obs, moved, seen.others], axis=-1)
            q.append(pair[1].forward(phi, x)[0][..., 0])
        slope[..., k] = (q[0] - q[1]) / (2.0 * h)
    out, tape = pair[0].forward(theta, seen.obs)
    _, before = np.tanh(out), 1.0 - np.tanh(out) ** 2
    wanted = pair[0].backward(theta, tape, weight[..., None] * slope * before)[0]
    assert_allclose(climb.gradient, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.equation("2.4")
@settings(max_examples=15)
@given(SEEDS, LEADS)
def test_a_critic_that_is_linear_in_its_own_action_gives_its_slope_whatever_others_do(seed, lead):
    """Q = ⟨c, a_i⟩ + ⟨b, others⟩: the gradient does not depend on the others' actions at all."""
    space = Box(-1.0, 1.0, 2)
    rng, (mu, _), theta, _, seen, _, weight = problem(seed, space, lead)
    linear = nets.critic(Group("g", ("a",), 3, space), (), "tanh", 3)
    phi = rng.standard_normal((*lead, linear.size))
    other = seen._replace(others=rng.standard_normal(seen.others.shape))
    one, two = (
        nets.actor_gradient(space, (mu, linear), theta, phi, s, None, SOFT, 0.0, weight)
        for s in (seen, other)
    )
    assert_array_equal(one.gradient, two.gradient)
    assert one.value != two.value


@pytest.mark.equation("2.4")
@settings(max_examples=15)
@given(SEEDS, LEADS)
def test_straight_through_shows_the_critic_legal_choices_and_differentiates_the_soft_ones(
    seed, lead
):
    space = Discrete(3)
    rng, (mu, _), theta, _, seen, noise, weight = problem(seed, space, lead)
    linear = nets.critic(Group("g", ("a",), 3, space), (), "tanh", 3)  # its slope is one number
    phi = rng.standard_normal((*lead, linear.size))
    hard, soft = (
        nets.actor_gradient(space, (mu, linear), theta, phi, seen, noise, how, 0.0, weight)
        for how in (HARD, SOFT)
    )
    assert_allclose(hard.gradient, soft.gradient, atol=1e-12)
    assert_array_equal(np.sort(hard.action, axis=-1)[..., :2], 0.0)
    assert_array_equal(hard.action, gumbel_softmax.harden(soft.action))
    for action in (hard.action, soft.action):
        assert_allclose(action.sum(axis=-1), 1.0)
        assert_array_equal(action[~seen.mask], 0.0)


@settings(max_examples=15)
@given(SEEDS)
def test_a_cold_relaxation_shows_the_same_as_straight_through(seed):
    space = Discrete(3)
    _, pair, theta, phi, seen, noise, weight = problem(seed, space, ())
    cold = nets.Relaxation(1e-6, False)
    one, two = (
        nets.actor_gradient(space, pair, theta, phi, seen, noise, how, 0.0, weight)
        for how in (cold, HARD)
    )
    assert_allclose(one.value, two.value, atol=1e-9)
    assert_allclose(one.action, two.action, atol=1e-6)


# -- (2.3) ------------------------------------------------------------------------------


@pytest.mark.equation("2.3")
@pytest.mark.certifies("refmarl.cooperative.deterministic:critic_gradient")
@settings(max_examples=15)
@given(SEEDS, LEADS, st.sampled_from([1, 2]))
def test_the_critics_gradient_is_a_difference_quotient_with_the_target_held(seed, lead, critics):
    rng, (_, q_net), *_, weight = problem(seed, Box(-1.0, 1.0, 2), lead)
    phi = q_net.init(rng, (critics, *lead)) + 0.3 * rng.standard_normal(
        (critics, *lead, q_net.size)
    )
    x, y = rng.standard_normal((*lead, 5, q_net.sizes[0])), rng.standard_normal((*lead, 5))
    check_gradient(lambda at: nets.critic_gradient(q_net, at, x, y, weight)[:2], phi).require()


@pytest.mark.equation("2.3")
@pytest.mark.certifies("refmarl.cooperative.deterministic:critic_loss")
@given(SEEDS, st.sampled_from([1, 2]))
def test_the_loss_is_a_weighted_square_of_what_is_missing(seed, critics):
    rng = np.random.default_rng(seed)
    q, y, weight = rng.standard_normal((critics, 4)), rng.standard_normal(4), rng.random(4)
    check_gradient(lambda at: nets.critic_loss(at, y, weight), q).require()
    assert nets.critic_loss(np.stack([y] * critics), y, weight).value == 0.0
    single = [nets.critic_loss(one[None], y, weight).value for one in q]
    assert_allclose(nets.critic_loss(q, y, weight).value, sum(single))


@pytest.mark.equation("2.3")
@given(SEEDS, st.floats(0.0, 1.0))
def test_a_terminal_target_is_the_reward_and_others_are_a_backup(seed, gamma):
    rng = np.random.default_rng(seed)
    reward, q = rng.standard_normal(6), rng.standard_normal((1, 6))
    over = rng.random(6) < 0.5
    y = nets.critic_target(reward, over, np.where(over, np.inf, q), gamma)
    assert_array_equal(y[over], reward[over])  # whatever a critic says of it
    assert_allclose(y[~over], (reward + gamma * q[0])[~over])
    lower = nets.critic_target(reward, over, np.concatenate([q, q - 1.0]), gamma)
    assert_allclose(lower[~over], (y - gamma)[~over])  # of two critics the smaller


# -- networks ---------------------------------------------------------------------------


def test_groups_that_it_cannot_do_are_refused_by_name():
    group = Group("dancers", ("a",), 2, MultiDiscrete((2, 3)))
    with pytest.raises(InputError, match="dancers: need actions in a Box or Discrete"):
        nets.actor(group, (4,))


@given(SEEDS)
def test_the_greedy_choice_is_legal_and_the_likeliest(seed):
    rng = np.random.default_rng(seed)
    out, mask = rng.standard_normal((6, 4)), rng.random((6, 4)) < 0.5
    mask[:, 1] = True
    chosen = nets.greedy(Group("g", ("a",), 1, Discrete(4)), out, mask)
    assert_array_equal(chosen.sum(axis=-1), 1.0)
    best = np.where(mask, out, -np.inf).max(axis=-1)
    assert_array_equal((chosen * out).sum(axis=-1), best)
