"""Learners come to the exact values; and at those values they stay, on average."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.games.markov import MarkovGame
from refmarl.games.markov_examples import big_match, pennies_until_equal, pursuit, soccer
from refmarl.games.mdp import MDP, solve_mdp
from refmarl.games.minimax_q import JointQ, _update
from refmarl.games.shapley import shapley_iteration
from refmarl.games.stage import Solver, friend_or_foe, minimax, nash
from refmarl.studies.s1_games import cfr, markov
from refmarl.studies.s1_games.twins import (
    FOES,
    FRIENDS,
    expectile,
    greedy_in_pennies,
    half_width,
    joint_optimum,
    team_game,
    twins,
)
from refmarl.testing.strategies import markov_games

# -- fixed points, by exact expectation ------------------------------------------------


def expected_update(game: MarkovGame, values, solver: Solver):
    """max |E[Q after a step] - Q| over states, joint actions and players, V being ``values``.

    E sums over all next states s', each reached by the learner's own update.
    """
    q = game.reward + game.gamma * np.moveaxis(game.transition @ values.T, -1, 0)
    stages = [solver(q[:, s]) for s in range(game.num_states)]
    known = np.stack([stage.values for stage in stages], axis=1)
    assert_allclose(known, values, atol=1e-7 * (1 + np.abs(values).max()))
    worst, n = 0.0, game.num_players
    moves = game.transition.reshape(game.num_states, -1, game.num_states)
    for s, a in np.ndindex(*moves.shape[:2]):
        mean = np.zeros(n)
        for after in np.flatnonzero(moves[s, a]):
            visits = np.zeros(game.reward.shape[1:], dtype=np.int64)
            state = JointQ(q.copy(), visits, known.copy(), np.empty(0), s)
            _update(game, state, (s, a), int(after), 0.8)
            mean += moves[s, a, after] * state.q.reshape(n, game.num_states, -1)[:, s, a]
        worst = max(worst, float(np.abs(mean - q.reshape(n, game.num_states, -1)[:, s, a]).max()))
    return worst / (1 + float(np.abs(values).max()))


@pytest.mark.equation("1.13")
@settings(max_examples=25)
@given(markov_games(2, 2, max_actions=3, zero_sum=True))
def test_minimax_q_rests_on_average_at_shapley_s_values(game):
    value = shapley_iteration(game, tol=1e-12).value
    for solver in (minimax, nash, friend_or_foe(FOES)):
        assert expected_update(game, np.stack([value, -value]), solver) <= 1e-7


@pytest.mark.equation("1.13")
@pytest.mark.parametrize("make", [big_match, pennies_until_equal, lambda g: pursuit(5, g), soccer])
def test_so_it_does_on_the_named_games(make):
    game = make(0.9)
    value = shapley_iteration(game, tol=1e-12).value
    assert expected_update(game, np.stack([value, -value]), minimax) <= 1e-7


@settings(max_examples=25)
@given(markov_games(2, 2, max_actions=3))
def test_friend_q_rests_at_the_best_joint_policy_of_each_player_s_dreams(game):
    flat = game.transition.reshape(game.num_states, -1, game.num_states)
    best = [
        solve_mdp(MDP(flat, r.reshape(game.num_states, -1), game.gamma)).values for r in game.reward
    ]
    assert expected_update(game, np.stack(best), friend_or_foe(FRIENDS)) <= 1e-7


def test_elsewhere_it_does_not_rest():
    game = pennies_until_equal(0.5)
    value = shapley_iteration(game).value
    with pytest.raises(AssertionError):
        expected_update(game, np.stack([value, -value]) * 1.01, minimax)


# -- learning, over seeds --------------------------------------------------------------


def failures(found):
    return [t.name for t in found if abs(t.found.mean() - t.exact) > t.tolerance]


def test_learners_come_to_the_exact_values():
    found = list(twins(np.random.default_rng(4), 10))
    assert failures(found) == []
    assert all(len(t.found) == 10 for t in found)


@pytest.mark.slow
def test_with_more_steps_they_come_nearer_and_the_slowest_come_too():
    found = list(twins(np.random.default_rng(5), 12, full=True))
    assert failures(found) == []
    assert len(found) == 13
    names = [t.name.split(",")[0] for t in found]
    assert {"Nash-Q", "correlated-Q", "friend-Q", "foe-Q", "minimax-Q"} <= set(names)
    for twin in found[:7]:  # those of stage games: the bias allowed is small
        assert twin.tolerance <= 0.1 * twin.size


def test_independent_learners_of_matching_pennies_never_settle():
    conv, moving = greedy_in_pennies(np.random.default_rng(1), 50)
    assert conv == 2.0
    assert moving > 0.4


# -- what the studies compute by themselves ----------------------------------------------


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.floats(0.01, 1.0))
def test_an_expectile_balances_its_two_sides(payoffs, ratio):
    r = np.array(payoffs)
    q = expectile(r, ratio)
    up, down = np.maximum(r - q, 0).mean(), np.maximum(q - r, 0).mean()
    assert up == pytest.approx(ratio * down, abs=1e-9)
    assert expectile(r, 1.0) == pytest.approx(r.mean(), abs=1e-9)
    assert q >= r.mean() - 1e-9


def test_a_team_s_optimum_is_what_its_best_policy_earns():
    game = team_game()
    best = joint_optimum(game)
    q = game.reward[0] + game.gamma * game.transition @ best
    assert_allclose(q.reshape(2, -1).max(axis=1), best, atol=1e-12)


def test_the_interval_is_student_s():
    sample = np.array([1.0, 2.0, 3.0, 4.0])
    assert half_width(sample, 0.95) == pytest.approx(3.182446 * sample.std(ddof=1) / 2, rel=1e-6)


@pytest.mark.parametrize("name", markov.COOPERATES)
@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.49, 0.51, 0.65, 0.68, 0.9])
def test_regrets_by_hand_are_those_of_the_best_of_all_pure_replies(name, gamma):
    """Every deterministic policy of the remembered dilemma is tried."""
    game = markov.remembered_dilemma(gamma)
    mine, other = markov.play(name)
    worth = [
        markov.evaluate(game, (np.eye(2)[list(actions)], other))[0, 0]
        for actions in np.ndindex(2, 2, 2, 2)
    ]
    gain = (1 - gamma) * (max(worth) - markov.evaluate(game, (mine, other))[0, 0])
    assert gain == pytest.approx(float(markov.by_hand(name, gamma)), abs=1e-9)


def test_bounds_of_cfr_count_sets_not_sequences():
    """Kuhn: payoffs range over 4, 12 sets of two actions; 4 · 12 · √(2/T)."""
    game = cfr.kuhn()
    assert cfr.regret_bound(game, np.full((1, game.num_sequences), -1.0)) == 0.0
    ones = np.zeros((1, game.num_sequences))
    ones[0, :2] = 3.0
    assert cfr.regret_bound(game, ones) == 3.0
    assert cfr.known_bound(game, np.array([2.0])) == pytest.approx(4 * 12)
