"""The losses of soft actor–critic: their gradients, limits and reductions."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.nn import categorical, check_gradient, tanh_gaussian
from refmarl.policy_gradient import sac_losses as losses
from refmarl.policy_gradient.soft_values import soft_maximum, soft_policy

SEEDS = st.integers(0, 2**32)
ROWS = st.sampled_from([(1,), (4,), (2, 3)])
ALPHA = st.sampled_from([0.01, 0.2, 3.0])
GAMMA = st.sampled_from([0.0, 0.9, 1.0])


def rows_of(seed, shape):
    """(rng, Q (2, *shape), weights): critics that are never within 1e-3 of each other."""
    rng = np.random.default_rng(seed)
    q = rng.standard_normal((2, *shape))
    q[1] = np.where(abs(q[0] - q[1]) < 1e-3, q[0] + 0.5, q[1])
    weight = rng.random(shape)
    return rng, q, weight / weight.sum()


# -- critic -----------------------------------------------------------------------------


@pytest.mark.equation("3.14")
@given(SEEDS, ROWS, GAMMA)
def test_without_entropy_the_target_is_td3s(seed, shape, gamma):
    # a' the target actor's action, no smoothing: y = r + γ (1 − d) min(Q'_1, Q'_2)
    rng, q, _ = rows_of(seed, shape)
    reward, over = rng.standard_normal(shape), rng.random(shape) < 0.4
    got = losses.critic_target(reward, over, q, rng.standard_normal(shape), 0.0, gamma)
    for m in np.ndindex(shape):
        after = 0.0 if over[m] else min(q[0][m], q[1][m])
        assert got[m] == pytest.approx(reward[m] + gamma * after, abs=1e-12)


@pytest.mark.equation("3.14")
@given(SEEDS, ROWS, ALPHA, GAMMA)
def test_each_nat_of_entropy_is_paid_alpha_and_nothing_comes_after_a_terminal_step(
    seed, shape, alpha, gamma
):
    rng, q, _ = rows_of(seed, shape)
    reward, log_prob = rng.standard_normal((2, *shape))
    over = rng.random(shape) < 0.4
    y = losses.critic_target(reward, over, q, log_prob, alpha, gamma)
    more = losses.critic_target(reward, over, q, log_prob - 1.0, alpha, gamma)
    assert_allclose(more - y, np.where(over, 0.0, gamma * alpha), atol=1e-12)
    assert_array_equal(y[over], reward[over])
    nothing = losses.critic_target(reward, over, np.where(over, np.nan, q), log_prob, alpha, gamma)
    assert_array_equal(nothing, y)
    swapped = losses.critic_target(reward, over, q[::-1], log_prob, alpha, gamma)
    assert_array_equal(swapped, y)
    assert (y <= losses.critic_target(reward, over, q[:1], log_prob, alpha, gamma)).all()


@pytest.mark.equation("3.14")
@pytest.mark.certifies("refmarl.policy_gradient.sac_losses:critic_loss")
@given(SEEDS, ROWS)
def test_the_critics_loss_has_the_gradient_that_it_says(seed, shape):
    rng, q, weight = rows_of(seed, shape)
    y = rng.standard_normal(shape)
    check_gradient(lambda at: losses.critic_loss(at, y), q).require()
    check_gradient(lambda at: losses.critic_loss(at, y, weight), q).require()
    each = sum(0.5 * np.mean((q[k] - y) ** 2) for k in range(2))
    assert losses.critic_loss(q, y).value == pytest.approx(each)
    hit = losses.critic_loss(np.stack([y, y]), y)
    assert hit.value == 0.0
    assert not hit.gradient.any()


# -- actor ------------------------------------------------------------------------------


@pytest.mark.equation("3.16")
@pytest.mark.certifies("refmarl.policy_gradient.sac_losses:actor_loss")
@given(SEEDS, ROWS, ALPHA)
def test_the_actors_loss_has_the_gradients_that_it_says(seed, shape, alpha):
    rng, q, weight = rows_of(seed, shape)
    log_prob = rng.standard_normal(shape)

    def in_log_prob(at):
        found = losses.actor_loss(at, q, alpha, weight)
        return found.value, found.gradients[0]

    def in_q(at):
        found = losses.actor_loss(log_prob, at, alpha, weight)
        return found.value, found.gradients[1]

    check_gradient(in_log_prob, log_prob).require()
    check_gradient(in_q, q).require()


@pytest.mark.equation("3.16")
@given(SEEDS, ALPHA)
def test_through_the_draw_it_is_a_difference_quotient_with_the_noise_held(seed, alpha):
    rng = np.random.default_rng(seed)
    params, noise = rng.standard_normal((3, 4)) * 0.7, rng.standard_normal((3, 2))
    bend, slope = rng.standard_normal((2, 2)), rng.standard_normal((2, 2))

    def critics(action):  # Q_k(a) = Σ b a² + c a
        return np.stack([(bend[k] * action**2 + slope[k] * action).sum(axis=-1) for k in range(2)])

    def loss(at):
        drawn = tanh_gaussian.draw(at, noise)
        found = losses.actor_loss(drawn.log_prob, critics(drawn.action), alpha)
        d_log_prob, d_q = found.gradients
        d_action = sum(d_q[k][:, None] * (2 * bend[k] * drawn.action + slope[k]) for k in range(2))
        return found.value, tanh_gaussian.backward(at, drawn, d_action, d_log_prob)

    q = critics(tanh_gaussian.draw(params, noise).action)
    assume((abs(q[0] - q[1]) > 1e-3).all())  # away from ties of the min
    check_gradient(loss, params).require()


@pytest.mark.equation("3.16")
@pytest.mark.certifies("refmarl.policy_gradient.sac_losses:discrete_actor_loss")
@given(SEEDS, ROWS, ALPHA, st.integers(1, 4))
def test_the_discrete_actors_loss_has_the_gradient_that_it_says(seed, shape, alpha, actions):
    _, q, _ = rows_of(seed, (*shape, actions))
    rng = np.random.default_rng(seed)
    logits, weight = 2.0 * rng.standard_normal((*shape, actions)), rng.random(shape)
    check_gradient(lambda at: losses.discrete_actor_loss(at, q, alpha, weight), logits).require()


@pytest.mark.equation("3.16")
@given(SEEDS, ALPHA, st.integers(1, 4))
def test_the_discrete_actors_loss_is_least_at_the_soft_policy(seed, alpha, actions):
    rng = np.random.default_rng(seed)
    q, weight = rng.standard_normal((2, 3, actions)), np.ones(3)
    low = q.min(axis=0)
    at = losses.discrete_actor_loss(low / alpha, q, alpha, weight)
    assert_allclose(categorical.probs(low / alpha), soft_policy(low, alpha), atol=1e-12)
    assert_allclose(at.value, -soft_maximum(low, alpha).sum(), atol=1e-9)
    assert_allclose(at.gradient, 0.0, atol=1e-10)
    other = losses.discrete_actor_loss(rng.standard_normal((3, actions)), q, alpha, weight)
    assert other.value >= at.value - 1e-10


def test_an_excluded_action_counts_for_nothing():
    logits, q = np.array([[0.5, -np.inf, 0.1]]), np.array([[[1.0, 9.0, 0.0]], [[2.0, 8.0, 1.0]]])
    two, small = logits[:, [0, 2]], q[..., [0, 2]]
    value = losses.discrete_value(logits, q, 0.7)
    assert_allclose(value, losses.discrete_value(two, small, 0.7))
    found = losses.discrete_actor_loss(logits, q, 0.7)
    assert_allclose(found.gradient[:, [0, 2]], losses.discrete_actor_loss(two, small, 0.7).gradient)
    assert found.gradient[0, 1] == 0.0


# -- temperature ------------------------------------------------------------------------


@pytest.mark.equation("3.20")
@pytest.mark.certifies("refmarl.policy_gradient.sac_losses:temperature_loss")
@given(SEEDS, st.sampled_from([(), (1,), (3, 1)]))
def test_the_temperatures_loss_has_the_gradient_that_it_says(seed, shape):
    rng = np.random.default_rng(seed)
    log_prob, alpha = rng.standard_normal((3, 4)), np.asarray(0.1 + rng.random(shape))
    weight = np.full((3, 4), 1.0 / 4 if shape == (3, 1) else 1.0 / 12)
    check_gradient(lambda a: losses.temperature_loss(a, log_prob, -0.5, weight), alpha).require()


@pytest.mark.equation("3.20")
@given(SEEDS, st.floats(0.01, 10.0), st.floats(-3.0, 3.0))
def test_alpha_rises_exactly_while_entropy_is_below_its_target_in_both_forms(seed, alpha, target):
    log_prob = np.random.default_rng(seed).standard_normal(5)
    entropy = -log_prob.mean()
    assume(abs(entropy - target) > 1e-6)
    slope = losses.temperature_loss(alpha, log_prob, target).gradient
    assert (-slope > 0) == (entropy < target)  # a step down the slope
    step = 1e-4

    def value(log_alpha):
        return losses.temperature_loss(np.exp(log_alpha), log_prob, target).value

    at = np.log(alpha)
    in_log = (value(at + step) - value(at - step)) / (2 * step)
    assert_allclose(in_log, alpha * slope, rtol=1e-6)
    assert np.sign(in_log) == np.sign(slope)


@pytest.mark.equation("3.20")
def test_at_the_target_alpha_rests():
    assert losses.temperature_loss(0.3, np.full(4, 1.5), -1.5).gradient == 0.0
