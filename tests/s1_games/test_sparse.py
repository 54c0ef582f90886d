"""Markov games by their successors are the same games; Newton's iteration finds the same values."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import induced, markov, markov_examples, solve_mdp
from refmarl.games.newton import newton_iteration
from refmarl.games.shapley import shapley_iteration, shapley_operator
from refmarl.games.sparse import (
    Outcome,
    SparseMarkovGame,
    best_values,
    evaluate,
    induced_mdp,
    policy_regrets,
    tabulate,
)
from refmarl.testing.strategies import markov_games, markov_games_with_policies
from refmarl.testing.zero_sum_markov import tables


def sparse(game, rng=None):
    """The same game; with ``rng`` successors are shuffled, and each is listed in two parts."""
    S = game.num_states
    follow = np.broadcast_to(np.arange(S), game.transition.shape)
    chance = game.transition
    if rng is not None:
        part = rng.random(chance.shape)
        chance = np.concatenate([chance * part, chance * (1 - part)], axis=-1)
        order = rng.random(chance.shape).argsort(axis=-1)
        chance = np.take_along_axis(chance, order, axis=-1)
        follow = np.take_along_axis(np.concatenate([follow, follow], axis=-1), order, axis=-1)
    return SparseMarkovGame(
        follow, chance, game.reward, game.gamma, game.initial, players=game.players
    )


@given(markov_games(), st.integers(0, 99))
def test_dense_again(game, seed):
    again = sparse(game, np.random.default_rng(seed)).dense()
    assert_allclose(again.transition, game.transition, atol=1e-12)
    assert_array_equal(again.reward, game.reward)
    assert_array_equal(again.initial, game.initial)
    assert (again.gamma, again.states, again.players) == (game.gamma, game.states, game.players)


@pytest.mark.equation("1.12")
@given(markov_games_with_policies(), st.integers(0, 99))
def test_everything_is_worth_the_same(case, seed):
    game, pi = case
    same = sparse(game, np.random.default_rng(seed))
    size = 1e-9 * (1 + np.abs(game.reward).max() / (1 - game.gamma))
    assert_allclose(evaluate(same, pi), markov.evaluate(game, pi), atol=size)
    assert_allclose(policy_regrets(same, pi), induced.policy_regrets(game, pi), atol=size)
    for i in range(game.num_players):
        one, other = induced_mdp(same, pi, i), induced.induced_mdp(game, pi, i)
        assert_allclose(one.transition, other.transition, atol=1e-12)
        assert_allclose(one.reward, other.reward, atol=1e-12)
        assert_allclose(best_values(same, pi)[i], solve_mdp(other).values, atol=size)
    v = np.arange(game.num_states) ** 2.0
    assert_allclose(same.expected(v), game.transition @ v, atol=1e-9)


@given(markov_games(max_players=2))
def test_rules_become_tables(game):
    """The game told as rules, each outcome with its own rewards of the right mean."""

    def rules(s, a):
        for k, p in enumerate(game.transition[(s, *a)]):
            pays = game.reward[(slice(None), s, *a)]
            for sign in (-1, 1):
                yield Outcome(p / 2, k, pays + sign)

    states = list(range(game.num_states))
    told = tabulate(states, game.num_actions, rules, game.gamma, game.num_players).dense()
    assert_allclose(told.transition, game.transition, atol=1e-12)
    assert_allclose(told.reward, game.reward, atol=1e-9)


@pytest.mark.equation("1.13")
@given(tables(max_states=4, max_actions=4))
def test_newton_finds_shapleys_value(case):
    game = case.game
    solved = newton_iteration(sparse(game))
    other = shapley_iteration(game)
    size = 1e-9 * (np.abs(game.reward).max() / (1 - game.gamma))
    assert solved.error <= size + 1e-300
    assert_allclose(solved.value, other.value, atol=2 * size + 1e-12)
    assert solved.iterations <= 2 * other.iterations + 2


@pytest.mark.equation("1.13")
@given(tables(gammas=(0.9, 0.999)))
@settings(max_examples=25)
def test_the_value_is_a_fixed_point_and_the_policies_secure_it(case):
    game = sparse(case.game)
    solved = newton_iteration(game)
    again = shapley_operator(case.transition, case.reward, case.gamma, solved.value)
    assert np.abs(again - solved.value).max() <= 2 * solved.error + 1e-9
    least, most = -best_values(game, solved.policies)[1], best_values(game, solved.policies)[0]
    slack = solved.error + 1e-9 / (1 - case.gamma)
    assert (least >= solved.value - slack).all()
    assert (most <= solved.value + slack).all()


@pytest.mark.parametrize("gamma", [0.5, 0.99, 0.9999])
def test_a_few_steps_however_patient(gamma):
    pennies = newton_iteration(sparse(markov_examples.pennies_until_equal(gamma)))
    assert_allclose(pennies.value, [1 / (2 - gamma), 0], atol=1e-9)
    match = newton_iteration(sparse(markov_examples.big_match(gamma)))
    assert_allclose((1 - gamma) * match.value, [0.5, 1, 0], atol=1e-8)
    assert max(pennies.iterations, match.iterations) <= 30  # Shapley's needs 20/(1 - γ) or so


def test_where_newton_runs_in_circles_shapleys_step_helps():
    """van der Wal's game (1978): policies of the pure Newton method alternate."""
    reward = np.array([[[3.0, 6.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    stay = np.array([[1.0, 1 / 3], [1.0, 1.0]])
    moves = np.zeros((2, 2, 2, 2))
    moves[0, ..., 0], moves[0, ..., 1], moves[1, ..., 1] = stay, 1 - stay, 1.0
    game = markov.MarkovGame(moves, [reward, -reward], 0.75)
    solved = newton_iteration(sparse(game))
    assert_allclose(solved.value, shapley_iteration(game).value, atol=1e-7)
    assert solved.error < 1e-7


def test_stopping_early_says_how_far_it_is():
    game = sparse(markov_examples.soccer(0.9))
    exact = newton_iteration(game).value
    for most in (1, 2, 3):
        early = newton_iteration(game, max_iterations=most)
        assert early.iterations == most
        assert np.abs(early.value - exact).max() <= early.error


def test_light_modules_load_without_numba_and_scipy():
    code = (
        "import sys, refmarl.games.sparse, refmarl.games.memory_one\n"
        "import refmarl.games.stochastic.soccer, refmarl.games.stochastic.coins\n"
        "print(sorted({'numba', 'scipy'} & {m.partition('.')[0] for m in sys.modules}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "needs"),
    [
        ({"successors": [[[2]], [[0]]]}, r"successors: need states in 0\.\.1"),
        ({"successors": [[[-1]], [[0]]]}, "successors: need states"),
        ({"successors": [[[0.5]], [[0]]]}, "successors: need whole numbers"),
        ({"successors": [[[0]]]}, "successors: need whole numbers of shape"),
        ({"probability": [[[0.5]], [[1]]]}, "sum to 1"),
        ({"reward": [[1, 2]]}, "reward: need shape"),
        ({"gamma": 1.0}, "gamma"),
        ({"initial": [1.0]}, "initial: need 2 probabilities"),
        ({"states": ("a",)}, "states: need 2 names"),
    ],
)
def test_tables_that_do_not_fit_are_refused(change, needs):
    given_ = {
        "successors": [[[1]], [[0]]],
        "probability": [[[1]], [[1]]],
        "reward": [[[1], [0]]],
        "gamma": 0.5,
    }
    with pytest.raises(InputError, match=needs):
        SparseMarkovGame(**(given_ | change))


def test_what_newton_cannot_solve_is_refused():
    with pytest.raises(InputError, match="need 2 players"):
        newton_iteration(
            sparse(markov_examples.random_markov_game(np.random.default_rng(0), 2, (2, 2, 2), 0.5))
        )
    with pytest.raises(InputError, match="need R_2 = -R_1"):
        newton_iteration(sparse(markov_examples.repeated_dilemma(0.5)))
    with pytest.raises(InputError, match="tol"):
        newton_iteration(sparse(markov_examples.big_match(0.5)), tol=0)
    wide = SparseMarkovGame(
        np.zeros((4000, 1, 1, 1), int), np.ones((4000, 1, 1, 1)), np.zeros((2, 4000, 1, 1)), 0.5
    )
    with pytest.raises(InputError, match="the cap is"):
        wide.dense()
    with pytest.raises(InputError, match="policies: need 2, got 1"):
        evaluate(wide, [np.ones((4000, 1))])
    with pytest.raises(InputError, match="policy of player 0: need shape"):
        evaluate(wide, [np.ones((1, 1)), np.ones((4000, 1))])
