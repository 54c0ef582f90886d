"""COMA's advantage (2.6): centred, blind to what the agent cannot change, unbiased."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative.counterfactual import advantage, advantages, joint_advantages
from refmarl.cooperative.enumerated import expected_step, joint_action_values
from refmarl.games.markov import MarkovGame, evaluate
from refmarl.games.policy_gradient import joint_policy, policy_gradient, softmax_policies
from refmarl.policy_gradient.returns import lambda_return
from refmarl.testing.strategies import games_with_logits, seeded_markov_games_with_policies
from refmarl.testing.trajectories import SEEDS, UNIT


@pytest.mark.equation("2.6")
@given(SEEDS, st.sampled_from([(1,), (4,), (3, 2)]), st.integers(1, 4))
def test_a_policy_expects_no_advantage_of_itself(seed, rows, count):
    rng = np.random.default_rng(seed)
    q, pi = 9.0 * rng.standard_normal((*rows, count)), rng.dirichlet(np.ones(count), rows)
    found = advantages(q, pi)
    assert_allclose((pi * found).sum(axis=-1), np.zeros(rows), atol=1e-13)
    action = rng.integers(count, size=rows)
    one = np.take_along_axis(found, action[..., None], axis=-1)[..., 0]
    assert_array_equal(advantage(q, pi, action), one)
    others = advantages(q + 5.0 * rng.standard_normal((*rows, 1)), pi)
    assert_allclose(others, found, atol=1e-12)  # f(s, a_-i) drops out


@pytest.mark.equation("2.6")
@given(seeded_markov_games_with_policies(), SEEDS)
def test_what_does_not_depend_on_the_own_action_drops_out(case, seed):
    game, pi = case
    rng = np.random.default_rng(seed)
    q = rng.standard_normal(game.reward.shape[1:])
    for i in range(game.num_players):
        found = joint_advantages(q, pi[i], i)
        shape = np.array(q.shape)
        shape[1 + i] = 1
        more = joint_advantages(q + 7.0 * rng.standard_normal(tuple(shape)), pi[i], i)
        assert_allclose(more, found, atol=1e-12)
        weight = np.moveaxis(found, 1 + i, -1)
        own = pi[i].reshape(len(q), *(1,) * (q.ndim - 2), -1)
        assert_allclose((own * weight).sum(axis=-1), np.zeros(weight.shape[:-1]), atol=1e-12)


@pytest.mark.equation("2.6")
@pytest.mark.equation("1.14")
@settings(max_examples=20)
@given(games_with_logits())
def test_with_true_values_it_is_the_policy_gradient_exactly(case):
    game, logits, seen = case
    pi = softmax_policies(game, logits, seen)
    q, wanted = joint_action_values(game, pi), policy_gradient(game, logits, seen).gradient
    size = 1.0 + np.abs(q).max()
    for i in range(game.num_players):
        found = expected_step(game, logits, i, joint_advantages(q[i], pi[i], i), seen)
        assert_allclose(found.mean, wanted[i], atol=1e-11 * size / (1.0 - game.gamma))


@pytest.mark.equation("2.6")
@settings(max_examples=15)
@given(games_with_logits(max_players=3), st.data())
def test_relabelling_agents_relabels_advantages_and_gradients(case, data):
    game, logits, _ = case
    n = game.num_players
    order = data.draw(st.permutations(range(n)))
    axes = [0, *(1 + i for i in order)]
    moves = game.transition.transpose(*axes, n + 1)
    reward = game.reward.transpose(0, *(1 + a for a in axes))[list(order)]
    other = MarkovGame(moves, reward, game.gamma, game.initial)
    turned = [logits[i] for i in order]
    pi, pi2 = (softmax_policies(g, x) for g, x in ((game, logits), (other, turned)))
    q, q2 = joint_action_values(game, pi), joint_action_values(other, pi2)
    room = 1e-10 * (1.0 + np.abs(q).max()) ** 2 / (1.0 - game.gamma) ** 2
    for k, i in enumerate(order):
        a, b = joint_advantages(q[i], pi[i], i), joint_advantages(q2[k], pi2[k], k)
        assert_allclose(b, a.transpose(axes), atol=room)
        one, two = expected_step(game, logits, i, a), expected_step(other, turned, k, b)
        assert_allclose(two.mean, one.mean, atol=room)
        assert_allclose(two.variance, one.variance, atol=room)


@pytest.mark.equation("2.6")
@settings(max_examples=20)
@given(seeded_markov_games_with_policies())
def test_joint_values_are_those_of_the_bellman_equation(case):
    game, pi = case
    q, v = joint_action_values(game, pi), evaluate(game, pi)
    weight = joint_policy(pi)
    own = tuple(range(1, q.ndim - 1))
    assert_allclose(weight.sum(axis=own), np.ones(game.num_states), atol=1e-12)
    for i in range(game.num_players):
        assert_allclose((weight * q[i]).sum(axis=own), v[i], atol=1e-9 * (1 + np.abs(v).max()))


@pytest.mark.equation("2.6")
@given(SEEDS, UNIT, st.integers(1, 6))
def test_the_critics_target_is_one_step_at_lambda_0_and_the_return_at_1(seed, gamma, steps):
    rng = np.random.default_rng(seed)
    reward, after = rng.standard_normal((2, steps, 3))
    ended = rng.random((steps, 3)) < 0.3
    over = ended & (rng.random((steps, 3)) < 0.5)
    streams = (reward, after, over, ended, gamma)
    assert_allclose(lambda_return(*streams, 0.0), reward + gamma * np.where(over, 0.0, after))
    wanted = np.zeros((steps, 3))
    for t in range(steps):
        for m in range(3):
            for k in range(t, steps):
                wanted[t, m] += gamma ** (k - t) * reward[k, m]
                if ended[k, m] or k == steps - 1:
                    wanted[t, m] += 0.0 if over[k, m] else gamma ** (k - t + 1) * after[k, m]
                    break
    assert_allclose(lambda_return(*streams, 1.0), wanted, atol=1e-12)


@pytest.mark.equation("2.6")
@given(SEEDS, st.integers(2, 4))
def test_errata_a7_the_baseline_takes_away_the_others_part_and_leaves_the_own(seed, others):
    # Q = g(a_i) + f(a_-i): what is left is g alone, centred, whatever the others did
    rng = np.random.default_rng(seed)
    g, f = rng.standard_normal(3), rng.standard_normal(others)
    pi = rng.dirichlet(np.ones(3))
    found = joint_advantages((g[:, None] + f)[None], pi[None], 0)[0]
    assert_allclose(found, np.repeat((g - pi @ g)[:, None], others, axis=1), atol=1e-12)
    # "removes the effect of agent i's action" would be a column without differences
    assert np.ptp(found, axis=0).min() > 0.0
    assert np.ptp(found, axis=1).max() < 1e-12


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"pi: need shape \(1, 2\), got \(2, 2\)"):
        joint_advantages(np.zeros((1, 2, 2)), np.full((2, 2), 0.5), 0)
    with pytest.raises(InputError, match=r"need an index in 0..1, got 2"):
        joint_advantages(np.zeros((1, 2, 2)), np.full((1, 2), 0.5), 2)
