"""The course's multi-agent actor-critic (2.1) (2.2), and the sums that stand behind it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import central
from refmarl.cooperative.enumerated import expected_step, joint_action_values
from refmarl.games.markov import MarkovGame, evaluate, joint_dynamics
from refmarl.games.policy_gradient import joint_policy, policy_gradient, softmax_policies
from refmarl.nn import categorical, check_gradient, gaussian
from refmarl.testing.strategies import games_with_logits, seeded_markov_games_with_policies
from refmarl.testing.trajectories import SEEDS, UNIT


def free_of(rng, shape, i):
    """b_i(s, a_-i) (S, …) that does not look at a_i."""
    narrow = list(shape)
    narrow[1 + i] = 1
    return 6.0 * rng.standard_normal(narrow)


@pytest.mark.equation("2.1")
@settings(max_examples=20)
@given(games_with_logits(), SEEDS)
def test_every_baseline_gives_the_policy_gradient_exactly(case, seed):
    game, logits, seen = case
    rng = np.random.default_rng(seed)
    pi = softmax_policies(game, logits, seen)
    q, wanted = joint_action_values(game, pi), policy_gradient(game, logits, seen).gradient
    room = 1e-11 * (7.0 + np.abs(q).max()) / (1.0 - game.gamma)
    for i in range(game.num_players):
        for baseline in (0.0, free_of(rng, q[i].shape, i), free_of(rng, q[i].shape, i)):
            found = expected_step(game, logits, i, q[i] - baseline, seen)
            assert_allclose(found.mean, wanted[i], atol=room)
            assert (found.variance > -room * (1.0 + np.abs(q).max()) / (1.0 - game.gamma)).all()


@pytest.mark.equation("2.1")
@settings(max_examples=15)
@given(SEEDS, st.sampled_from([(2,), (2, 3), (2, 2, 2)]))
def test_the_sampled_gain_summed_over_all_joint_actions_is_that_sum(seed, sizes):
    # one state, γ = 0: actor_gain of every joint action, each as likely as it is
    rng = np.random.default_rng(seed)
    reward = rng.standard_normal((len(sizes), 1, *sizes))
    game = MarkovGame(np.ones((1, *sizes, 1)), reward, 0.0)
    logits = [rng.standard_normal((1, k)) for k in sizes]
    pi = softmax_policies(game, logits)
    actions = np.array(list(product(*map(range, sizes))))
    chance = joint_policy(pi).ravel()
    for i, k in enumerate(sizes):
        rows = np.repeat(logits[i], len(actions), axis=0)
        baseline = np.broadcast_to(free_of(rng, (1, *sizes), i), (1, *sizes)).ravel()
        gain = central.actor_gain(
            categorical, rows, actions[:, i], reward[i].ravel(), baseline, chance
        )
        wanted = policy_gradient(game, logits).gradient[i]
        assert gain.gradient.shape == (len(actions), k)
        assert_allclose(gain.gradient.sum(axis=0), wanted[0], atol=1e-12)


@pytest.mark.equation("2.1")
@pytest.mark.certifies("refmarl.cooperative.central:actor_gain")
@pytest.mark.parametrize("head", [categorical, gaussian], ids=["categorical", "gaussian"])
@given(SEEDS, st.sampled_from([(1,), (3, 2)]), st.booleans())
def test_the_actors_gain_has_the_gradient_that_it_says(head, seed, shape, weighed):
    rng = np.random.default_rng(seed)
    params, (q, b) = rng.standard_normal((*shape, 4)), rng.standard_normal((2, *shape))
    action, w = head.sample(rng, params), rng.random(shape) if weighed else None
    check_gradient(lambda p: central.actor_gain(head, p, action, q, b, w), params).require()


@pytest.mark.equation("2.1")
@given(SEEDS, st.sampled_from([(1,), (3, 2)]))
def test_what_was_expected_moves_nothing_and_what_is_better_is_raised(seed, shape):
    rng = np.random.default_rng(seed)
    logits, q = rng.standard_normal((*shape, 3)), rng.standard_normal(shape)
    action = rng.integers(3, size=shape)
    even = central.actor_gain(categorical, logits, action, q, q)
    assert even.value == 0.0
    assert (even.gradient == 0.0).all()
    better = central.actor_gain(categorical, logits, action, q + 1.0, q).gradient
    assert (np.take_along_axis(better, action[..., None], axis=-1) > 0.0).all()


def layered(rng, gamma, sizes=(2, 2)):
    """Three steps and an end: states 0 | 1, 2 | 3, 4 | 5, which pays nothing and stays."""
    moves = np.zeros((6, *sizes, 6))
    for here, after in ((0, (1, 2)), (1, (3, 4)), (2, (3, 4)), (3, (5,)), (4, (5,)), (5, (5,))):
        moves[here][..., list(after)] = rng.dirichlet(np.ones(len(after)), sizes)
    reward = rng.standard_normal((2, 6, *sizes))
    reward[:, 5] = 0.0
    return MarkovGame(moves, reward, gamma, initial=np.eye(6)[0])


@pytest.mark.equation("2.1")
@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.3, 0.6, 0.9]))
def test_without_gamma_to_the_t_the_sum_is_biased(seed, gamma):
    # states count as often as they are met; equal for γ → 1, in general for no γ < 1
    rng = np.random.default_rng(seed)
    game = layered(rng, gamma)
    logits = [rng.standard_normal((6, 2)) for _ in range(2)]
    pi = softmax_policies(game, logits)
    met, ahead = np.zeros(6), game.initial
    for _ in range(3):
        met, ahead = met + ahead, ahead @ joint_dynamics(game, pi)[0]
    q, wanted = joint_action_values(game, pi), policy_gradient(game, logits).gradient
    found = expected_step(game, logits, 0, q[0], visits=met).mean
    layer = np.array([0, 1, 1, 2, 2, 3])
    assert_allclose(found * gamma ** layer[:, None], wanted[0], atol=1e-12)
    off = np.abs(found - wanted[0]).max()
    assert off > 0.05 * (1.0 - gamma) * np.abs(wanted[0][1:]).max()


def test_without_gamma_to_the_t_it_can_climb_down():
    # two steps that look alike: the first pays 1 for action 0, the second 3/2 for action 1
    moves = np.zeros((3, 2, 3))
    moves[[0, 1, 2], :, [1, 2, 2]] = 1.0
    game = MarkovGame(moves, [[[1.0, 0.0], [0.0, 1.5], [0.0, 0.0]]], 0.5, initial=[1, 0, 0])
    logits, seen = [np.zeros((1, 2))], [[0, 0, 0]]
    q = joint_action_values(game, softmax_policies(game, logits, seen))[0]
    right = expected_step(game, logits, 0, q, seen).mean[0]
    usual = expected_step(game, logits, 0, q, seen, visits=[1, 1, 0]).mean[0]
    assert_allclose(right, policy_gradient(game, logits, seen).gradient[0][0])
    assert right[0] > 0.0 > usual[0]


# -- critic -----------------------------------------------------------------------------


@pytest.mark.equation("2.2")
@pytest.mark.certifies("refmarl.cooperative.central:critic_loss")
@given(SEEDS, st.sampled_from([(1,), (4,), (3, 2)]), st.booleans())
def test_the_critics_loss_has_the_gradient_that_it_says_and_none_through_y(seed, shape, weighed):
    rng = np.random.default_rng(seed)
    q, r, after = rng.standard_normal((3, *shape))
    w = rng.random(shape) if weighed else None
    y = central.critic_target(r, rng.random(shape) < 0.3, after, 0.9)
    check_gradient(lambda x: central.critic_loss(x, y, w), q).require()
    # moving y along with Q changes nothing but the value: the slope is 2 w (Q − y), y a number
    share = np.full(shape, 1.0 / q.size) if w is None else w
    assert_allclose(central.critic_loss(q, y, w).gradient, 2.0 * share * (q - y), atol=1e-14)
    assert central.critic_loss(y, y, w).value == 0.0


@pytest.mark.equation("2.2")
@settings(max_examples=20)
@given(seeded_markov_games_with_policies(), SEEDS)
def test_the_tables_fixed_point_is_the_value_of_the_target_policies(case, seed):
    game, after = case
    if game.gamma > 0.9:
        return
    rng = np.random.default_rng(seed)
    n, states = game.num_players, game.num_states
    q = 9.0 * rng.standard_normal(game.reward.shape)
    wide = tuple(p.reshape(states, -1) for p in after)
    for _ in range(400):  # φ' = φ, every (s, a) visited: the minimiser of L is y averaged over s'
        value = np.stack([central.expected(q[i], wide) for i in range(n)])  # (n, S)
        reward = game.reward[..., None]
        y = central.critic_target(
            reward, False, value.reshape(n, *(1,) * (n + 1), states), game.gamma
        )
        q = (game.transition * y).sum(axis=-1)
    assert_allclose(q, joint_action_values(game, after), atol=1e-9 * (1 + np.abs(q).max()))


@pytest.mark.equation("2.2")
@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.0, 0.5, 0.9]))
def test_it_is_the_value_of_the_policy_itself_only_if_that_is_the_target(seed, gamma):
    rng = np.random.default_rng(seed)
    game = MarkovGame(
        rng.dirichlet(np.ones(3), (3, 2, 2)), rng.standard_normal((2, 3, 2, 2)), gamma
    )
    pi, other = ([rng.dirichlet(np.ones(2), 3) for _ in range(2)] for _ in range(2))
    q, slow = joint_action_values(game, pi), joint_action_values(game, other)
    gap = np.abs(q - slow).max()
    moved = np.abs(evaluate(game, pi) - evaluate(game, other)).max()
    assert gap <= gamma * moved + 1e-12  # what follows is all that they differ in
    assert (gap < 1e-12) == (gamma == 0.0)


@pytest.mark.equation("2.2")
@given(SEEDS, UNIT)
def test_after_an_end_nothing_comes_and_a_clock_is_no_end(seed, gamma):
    rng = np.random.default_rng(seed)
    r, after = rng.standard_normal((2, 5))
    over = np.array([True, False, False, True, False])
    y = central.critic_target(r, over, after, gamma)
    assert_array_equal(y[over], r[over])
    assert_allclose(y[~over], (r + gamma * after)[~over])
    assert_array_equal(central.critic_target(r, over, np.where(over, np.nan, after), gamma), y)


@pytest.mark.equation("2.2")
@given(SEEDS, st.sampled_from([(2,), (3, 2), (2, 3, 2)]), st.sampled_from([(), (4,)]))
def test_errata_a4_drawn_next_actions_average_to_the_sum_and_a_mean_action_does_not(
    seed, sizes, lead
):
    rng = np.random.default_rng(seed)
    q = rng.standard_normal((*lead, *sizes))
    policies = [rng.dirichlet(np.ones(k), lead) for k in sizes]
    found = central.expected(q, policies)
    wanted = np.zeros(lead)
    for a in product(*map(range, sizes)):
        chance = np.prod([p[..., k] for p, k in zip(policies, a, strict=True)], axis=0)
        wanted = wanted + chance * q[(..., *a)]
    assert_allclose(found, wanted, atol=1e-12)
    pure = [np.eye(k)[np.full(lead, k - 1)] for k in sizes]
    assert_allclose(central.expected(q, pure), q[(..., *(k - 1 for k in sizes))])


def test_errata_a4_the_printed_target_holds_for_deterministic_policies_only():
    # Q'(a) = a², actions −1 and 1 evenly: 1 in expectation, 0 at the mean action that π would be
    actions, even = np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    assert central.expected(actions**2, [even]) == 1.0
    assert (even @ actions) ** 2 == 0.0


def test_policies_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"policies: agent 1 has shape \(3,\), Q has \(2, 2\)"):
        central.expected(np.zeros((2, 2)), [np.ones(2) / 2, np.ones(3) / 3])
