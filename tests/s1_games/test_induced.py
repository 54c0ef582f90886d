"""Laws of (1.19) and (1.17): induced processes, best responses, regrets of policies."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import action_values as normal_form_values
from refmarl.games import best_responses, markov_examples, regrets
from refmarl.games.induced import (
    action_values,
    best_response_policy,
    induced_mdp,
    policy_nash_conv,
    policy_regrets,
    state_regrets,
)
from refmarl.games.markov import MarkovGame, evaluate, repeated, stage_game
from refmarl.games.mdp import MDP, evaluate_policy, solve_mdp
from refmarl.testing.strategies import (
    games_with_profiles,
    markov_games,
    markov_games_with_policies,
    policies,
)

CASES = markov_games_with_policies()
SMALL = markov_games_with_policies(max_players=3, max_actions=2, max_states=3)


def size(game):
    """What values may be as large as, at least 1."""
    return max(1.0, np.abs(game.reward).max() / (1.0 - game.gamma))


def pure_policies(states, actions):
    """Every deterministic policy, (S, A) each."""
    return [np.eye(actions)[list(row)] for row in product(range(actions), repeat=states)]


def swap(pi, i, policy):
    return [*pi[:i], policy, *pi[i + 1 :]]


def variation(p, q):
    """Total variation over the last axis."""
    return 0.5 * np.abs(p - q).sum(axis=-1)


@pytest.mark.equation("1.19")
@given(CASES, st.data())
def test_it_averages_over_what_the_others_draw_one_joint_action_at_a_time(case, data):
    game, pi = case
    i = data.draw(st.integers(0, game.num_players - 1))
    mdp = induced_mdp(game, pi, i)
    moves, reward = np.zeros_like(mdp.transition), np.zeros_like(mdp.reward)
    for s in range(game.num_states):
        for a in product(*map(range, game.num_actions)):
            weight = np.prod([p[s, a[j]] for j, p in enumerate(pi) if j != i])
            moves[s, a[i]] += weight * game.transition[(s, *a)]
            reward[s, a[i]] += weight * game.reward[(i, s, *a)]
    assert_allclose(mdp.transition, moves, atol=1e-12)
    assert_allclose(mdp.reward, reward, atol=1e-12)


@pytest.mark.equation("1.19")
@given(CASES)
def test_rows_are_distributions_and_rewards_within_the_game_s(case):
    game, pi = case
    for i in range(game.num_players):
        mdp = induced_mdp(game, pi, i)
        assert (mdp.transition >= 0).all()
        assert_allclose(mdp.transition.sum(axis=-1), 1.0, atol=1e-12)
        assert game.reward[i].min() - 1e-12 <= mdp.reward.min()
        assert mdp.reward.max() <= game.reward[i].max() + 1e-12
        assert mdp.gamma == game.gamma


@pytest.mark.equation("1.19")
@given(CASES)
def test_the_own_policy_is_worth_the_same_in_the_process_and_in_the_game(case):
    game, pi = case
    v = evaluate(game, pi)
    for i, policy in enumerate(pi):
        alone = evaluate_policy(induced_mdp(game, pi, i), policy)
        assert_allclose(alone, v[i], atol=1e-10 * size(game))


@pytest.mark.equation("1.19")
@given(markov_games(min_players=2), st.data())
def test_it_moves_no_further_than_the_others_policies_do(game, data):
    before, after = data.draw(policies(game)), data.draw(policies(game))
    for i in range(game.num_players):
        one, two = induced_mdp(game, before, i), induced_mdp(game, after, i)
        pairs = enumerate(zip(before, after, strict=True))
        moved = sum(variation(p, q) for j, (p, q) in pairs if j != i)  # (S,), product measures
        assert (variation(one.transition, two.transition) <= moved[:, None] + 1e-12).all()
        span = np.ptp(game.reward[i].reshape(game.num_states, -1), axis=1)
        assert (np.abs(one.reward - two.reward) <= (moved * span)[:, None] + 1e-12).all()


@pytest.mark.equation("1.19")
def test_the_bound_by_total_variation_is_attained():
    moves = np.zeros((2, 1, 2, 2))
    moves[:, 0, 0, 0] = moves[:, 0, 1, 1] = 1.0  # player 2 names the next state
    reward = np.zeros((2, 2, 1, 2))
    reward[0, :, 0, 1] = 5.0
    game, own = MarkovGame(moves, reward, 0.5), np.ones((2, 1))
    one = induced_mdp(game, (own, np.tile([1, 0], (2, 1))), 0)
    two = induced_mdp(game, (own, np.tile([0.25, 0.75], (2, 1))), 0)
    assert_allclose(variation(one.transition, two.transition), 0.75)
    assert_allclose(two.reward - one.reward, 0.75 * 5.0)


@pytest.mark.equation("1.19")
@given(CASES, st.data())
def test_the_own_policy_does_not_matter(case, data):
    game, pi = case
    other = data.draw(policies(game))
    for i in range(game.num_players):
        one, two = induced_mdp(game, pi, i), induced_mdp(game, swap(pi, i, other[i]), i)
        assert_array_equal(one.transition, two.transition)
        assert_array_equal(one.reward, two.reward)


@pytest.mark.equation("1.19")
@given(markov_games(max_players=1))
def test_alone_a_player_is_in_the_game_itself(game):
    mdp = induced_mdp(game, game.uniform(), 0)
    assert_array_equal(mdp.transition, game.transition)
    assert_array_equal(mdp.reward, game.reward[0])


@pytest.mark.equation("1.19")
@given(CASES)
def test_action_values_average_to_the_value(case):
    game, pi = case
    v = evaluate(game, pi)
    for i, p in enumerate(pi):
        q = action_values(game, pi, i)
        assert_allclose((q * p).sum(axis=1), v[i], atol=1e-10 * size(game))


@given(games_with_profiles(min_players=1))
def test_with_one_state_and_no_future_action_values_are_those_of_the_normal_form(case):
    game, x = case
    for i in range(game.num_players):
        found = action_values(repeated(game, 0.0), [s[None] for s in x], i)[0]
        assert_allclose(found, normal_form_values(game, x, i), atol=1e-12)


# the solver


@st.composite
def processes(draw):
    game = draw(markov_games(max_players=1, max_actions=4, max_states=4))
    return MDP(game.transition, game.reward[0], game.gamma)


@pytest.mark.equation("1.17")
@given(processes())
def test_the_best_values_solve_the_optimality_equation_and_the_policy_earns_them(mdp):
    best = solve_mdp(mdp)
    top = max(1.0, np.abs(mdp.reward).max() / (1.0 - mdp.gamma))
    assert_allclose(best.values, mdp.action_values(best.values).max(axis=1), atol=1e-9 * top)
    assert_allclose(evaluate_policy(mdp, best.policy), best.values, atol=1e-9 * top)
    assert_array_equal(np.sort(best.policy, axis=1)[:, -1], 1.0)


@settings(max_examples=25)
@given(processes())
def test_value_iteration_ends_where_policy_iteration_does(mdp):
    v = np.zeros(mdp.num_states)
    steps = 60 if mdp.gamma < 0.8 else 2500
    for _ in range(steps):
        v = (mdp.reward + mdp.gamma * mdp.transition @ v).max(axis=1)
    top = max(1.0, np.abs(mdp.reward).max() / (1.0 - mdp.gamma))
    assert_allclose(solve_mdp(mdp).values, v, atol=1e-8 * top)


@pytest.mark.equation("1.17")
@settings(max_examples=30)
@given(SMALL)
def test_no_deterministic_policy_does_better_from_any_state(case):
    game, pi = case
    for i in range(game.num_players):
        best = evaluate(game, swap(pi, i, best_response_policy(game, pi, i)))[i]
        values = [
            evaluate(game, swap(pi, i, policy))[i]
            for policy in pure_policies(game.num_states, game.num_actions[i])
        ]
        assert_allclose(np.max(values, axis=0), best, atol=1e-9 * size(game))


@pytest.mark.equation("1.17")
@given(markov_games(), st.data())
def test_no_mixed_policy_does_better_either(game, data):
    pi = data.draw(policies(game))
    other = data.draw(policies(game))
    for i in range(game.num_players):
        best = evaluate(game, swap(pi, i, best_response_policy(game, pi, i)))[i]
        mixed = evaluate(game, swap(pi, i, other[i]))[i]
        assert (mixed <= best + 1e-9 * size(game)).all()


def test_a_large_process_takes_few_steps():
    game = markov_examples.random_markov_game(np.random.default_rng(1), 150, (6,), 0.999)
    best = solve_mdp(MDP(game.transition, game.reward[0], game.gamma))
    assert best.steps < 20
    gap = best.values - (game.reward[0] + 0.999 * game.transition @ best.values).max(axis=1)
    assert np.abs(gap).max() < 1e-7


def test_a_reward_at_the_end_of_a_corridor_is_found_from_its_far_end():
    size, gamma = 12, 0.9  # at first everybody stays: it pays a little, at once
    moves, reward = np.zeros((size, 2, size)), np.zeros((size, 2))
    moves[:, 0] = np.eye(size)
    moves[:-1, 1], moves[-1, 1, -1] = np.eye(size)[1:], 1.0
    reward[:-1, 0], reward[-1] = 0.01, 1.0
    best = solve_mdp(MDP(moves, reward, gamma))
    assert_allclose(best.values, gamma ** np.arange(size)[::-1] / (1 - gamma), rtol=1e-12)
    assert best.policy[:-1, 1].all()
    assert best.steps <= size


def test_policies_that_tie_end_the_search_however_near_one_gamma_is():
    moves = np.full((3, 3, 3), 1.0) / 3.0
    for gamma in (0.5, 1 - 1e-6, 1 - 1e-9):
        assert solve_mdp(MDP(moves, np.full((3, 3), 0.1), gamma)).steps <= 2


# regrets


@pytest.mark.equation("1.17")
@given(CASES)
def test_nash_conv_is_what_best_responses_gain_and_never_negative(case):
    game, pi = case
    v, found = evaluate(game, pi), policy_regrets(game, pi)
    assert (found >= 0).all()
    for i in range(game.num_players):
        best = evaluate(game, swap(pi, i, best_response_policy(game, pi, i)))[i]
        assert_allclose(found[i], game.initial @ (best - v[i]), atol=1e-9 * size(game))
        assert_allclose(state_regrets(game, pi)[i], best - v[i], atol=1e-9 * size(game))
    assert_allclose(policy_nash_conv(game, pi), found.sum(), atol=1e-12)


@pytest.mark.equation("1.17")
@given(CASES)
def test_who_plays_a_best_response_has_no_regret(case):
    game, pi = case
    for i in range(game.num_players):
        replied = swap(pi, i, best_response_policy(game, pi, i))
        assert policy_regrets(game, replied)[i] <= 1e-9 * size(game)


@pytest.mark.equation("1.17")
@settings(max_examples=25)
@given(markov_games(min_players=2, max_players=2, max_actions=2, max_states=2))
def test_no_regret_means_that_no_deviation_gains_and_the_reverse(game):
    each = [pure_policies(game.num_states, k) for k in game.num_actions]
    tol = 1e-8 * size(game)
    for pi in product(*each):
        now = evaluate(game, pi) @ game.initial
        gains = [
            max((evaluate(game, swap(pi, i, q)) @ game.initial)[i] for q in each[i]) - now[i]
            for i in range(2)
        ]
        assert (policy_nash_conv(game, pi) <= tol) == (max(gains) <= tol)


@pytest.mark.equation("1.17")
@given(games_with_profiles(min_players=1))
def test_with_one_state_and_no_future_it_is_the_regret_of_row_1_3(case):
    game, x = case
    policy = [s[None] for s in x]
    assert_allclose(policy_regrets(repeated(game, 0.0), policy), regrets(game, x), atol=1e-12)
    for gamma in (0.5, 0.9):  # repeated: the same regret in every round
        expected = regrets(game, x) / (1 - gamma)
        assert_allclose(policy_regrets(repeated(game, gamma), policy), expected, atol=1e-9)
    for i in range(game.num_players):
        reply = best_response_policy(repeated(game, 0.0), policy, i)[0]
        assert best_responses(game, x, i)[reply.argmax()]


@pytest.mark.equation("1.17")
@pytest.mark.parametrize("gamma", [0.0, 0.4, 0.5, 0.6, 0.9])
def test_grim_trigger_is_an_equilibrium_exactly_for_patient_players(gamma):
    game = markov_examples.remembered_dilemma(gamma)
    grim = game.pure([[0, 1, 1, 1]] * 2)
    loss = max(0.0, 5 + gamma / (1 - gamma) - 3 / (1 - gamma))
    assert_allclose(policy_regrets(game, grim), [loss, loss], atol=1e-12)
    defect = game.pure([[1] * 4] * 2)
    assert policy_nash_conv(game, defect) == 0.0


@pytest.mark.equation("1.17")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_the_known_equilibria_of_the_examples_have_no_regret(gamma):
    game = markov_examples.big_match(gamma)
    guess = (1 - gamma) / (2 - gamma)
    pi = (np.tile([1 - guess, guess], (3, 1)), np.full((3, 2), 0.5))
    assert policy_nash_conv(game, pi) < 1e-9
    game = markov_examples.pennies_until_equal(gamma)
    assert policy_nash_conv(game, game.uniform()) < 1e-9
    game = markov_examples.repeated_dilemma(gamma)
    assert policy_nash_conv(game, ([[0, 1]], [[0, 1]])) == 0.0
    assert_allclose(policy_regrets(game, ([[1, 0]], [[0, 1]])), [1 / (1 - gamma), 0])


@pytest.mark.equation("1.17")
def test_states_that_are_never_reached_bring_no_regret():
    moves = np.zeros((2, 2, 2))
    moves[0, :, 0] = moves[1, :, 1] = 1.0
    game = MarkovGame(moves, [[[1, 0], [1, 0]]], 0.5, initial=[1, 0])
    pi = game.pure([[0, 1]])
    assert policy_nash_conv(game, pi) == 0.0
    assert_array_equal(state_regrets(game, pi), [[0.0, 2.0]])


@pytest.mark.equation("1.17")
@given(CASES, st.integers(-5, 5))
def test_potential_based_shaping_changes_no_regret(case, slope):
    game, pi = case
    potential = slope * np.arange(game.num_states) ** 2.0
    first = potential.reshape([-1] + [1] * game.num_players)
    added = game.gamma * game.transition @ potential - first
    other = MarkovGame(game.transition, game.reward + added, game.gamma, game.initial)
    atol = 1e-9 * (size(game) + size(other))
    assert_allclose(policy_regrets(other, pi), policy_regrets(game, pi), atol=atol)


@pytest.mark.equation("1.17")
@given(CASES)
def test_regrets_in_stage_games_bound_those_in_policies_from_both_sides(case):
    game, pi = case
    v = evaluate(game, pi)
    staged = np.stack(
        [regrets(stage_game(game, v, s), [p[s] for p in pi]) for s in range(game.num_states)],
        axis=1,
    )  # (n, S): the gain of deviating once, in s
    found, atol = state_regrets(game, pi), 1e-9 * size(game)
    assert (found >= staged - atol).all()
    assert (found.max(axis=1) <= staged.max(axis=1) / (1 - game.gamma) + atol).all()


# bad input


def test_what_is_no_process_is_refused():
    with pytest.raises(InputError, match="reward: need 2 axes"):
        MDP(np.ones((1, 1, 1)), [0.0], 0.5)
    with pytest.raises(InputError, match=r"transition: need shape \(1, 2, 1\), got \(1, 1, 1\)"):
        MDP(np.ones((1, 1, 1)), [[0.0, 1.0]], 0.5)
    with pytest.raises(InputError, match="transition: need probabilities"):
        MDP(np.zeros((1, 1, 1)), [[0.0]], 0.5)
    with pytest.raises(InputError, match="gamma"):
        MDP(np.ones((1, 1, 1)), [[0.0]], 1)
    mdp = MDP(np.ones((1, 2, 1)), [[0.0, 1.0]], 0.5)
    with pytest.raises(InputError, match=r"policy: need shape \(1, 2\)"):
        evaluate_policy(mdp, [1, 0])
    with pytest.raises(InputError, match="values: need 1 numbers, got 2"):
        mdp.action_values([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        mdp.reward[0, 0] = 1
    assert (mdp.num_states, mdp.num_actions) == (1, 2)


@pytest.mark.parametrize("act", [induced_mdp, action_values, best_response_policy])
def test_there_is_no_such_player(act):
    game = markov_examples.big_match(0.5)
    with pytest.raises(InputError, match=r"player: need an index in 0\.\.1, got 2"):
        act(game, game.uniform(), 2)


@pytest.mark.parametrize("act", [policy_regrets, policy_nash_conv])
def test_regrets_need_policies(act):
    game = markov_examples.big_match(0.5)
    with pytest.raises(InputError, match="policies: need 2, got 1"):
        act(game, game.uniform()[:1])
