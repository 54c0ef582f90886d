"""What is claimed of the random games, as theorems."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, pure_equilibria
from refmarl.games.generators import (
    DISTRIBUTIONS,
    common_interest_game,
    covariance_game,
    degenerate_game,
    potential_game,
    random_game,
    symmetric_game,
    zero_sum_game,
)
from refmarl.testing.strategies import shapes

SEEDS = st.integers(0, 2**32 - 1)
BY_SHAPE = [
    random_game,
    zero_sum_game,
    common_interest_game,
    lambda rng, shape, *rest: potential_game(rng, shape, *rest).game,
    degenerate_game,
    lambda rng, shape, *rest: symmetric_game(rng, len(shape), shape[0], *rest),
    lambda rng, shape, *rest: covariance_game(rng, shape, 0.5),
]


@given(SEEDS, shapes(2), st.sampled_from(BY_SHAPE), st.sampled_from(DISTRIBUTIONS))
def test_the_same_seed_gives_the_same_game_and_another_another(seed, shape, generate, distribution):
    shape = (shape[0] + 3, *shape[1:])

    def payoffs(s):
        return generate(np.random.default_rng(s), shape, distribution, -99, 99).payoffs

    assert_array_equal(payoffs(seed), payoffs(seed))
    assert (payoffs(seed) != payoffs(seed + 1)).any()


@given(SEEDS, shapes(), st.integers(-5, 5), st.integers(0, 3))
def test_whole_payoffs_stay_between_their_bounds(seed, shape, low, width):
    game = random_game(np.random.default_rng(seed), shape, "integer", low, low + width)
    assert game.num_actions == shape
    assert (game.payoffs == np.round(game.payoffs)).all()
    assert low <= game.payoffs.min()
    assert game.payoffs.max() <= low + width


def test_whole_payoffs_reach_both_bounds_equally_often():
    drawn = random_game(np.random.default_rng(1), (200, 200), "integer", -1, 1).payoffs
    share = [(drawn == k).mean() for k in (-1, 0, 1)]
    assert_allclose(share, 1 / 3, atol=5 * np.sqrt(2 / 9 / drawn.size))  # five standard errors


@pytest.mark.parametrize(("distribution", "deviation"), [("normal", 3.0), ("uniform", 3 / 3**0.5)])
def test_real_payoffs_have_the_stated_mean_and_deviation(distribution, deviation):
    drawn = random_game(np.random.default_rng(2), (300, 300), distribution, 2, 8).payoffs
    error = deviation / np.sqrt(drawn.size)
    assert_allclose(drawn.mean(), 5.0, atol=5 * error)
    assert_allclose(drawn.std(), deviation, atol=5 * error)


@given(SEEDS, shapes(2))
def test_zero_sum_payoffs_add_up_to_0(seed, shape):
    game = zero_sum_game(np.random.default_rng(seed), shape)
    assert game.num_actions == shape
    assert not game.payoffs.sum(axis=0).any()


@given(SEEDS, shapes())
def test_common_interest_is_one_payoff_for_all(seed, shape):
    game = common_interest_game(np.random.default_rng(seed), shape)
    assert game.num_actions == shape
    assert (game.payoffs == game.payoffs[0]).all()


@given(SEEDS, shapes())
def test_a_unilateral_deviation_changes_payoff_and_potential_alike(seed, shape):
    game, potential = potential_game(np.random.default_rng(seed), shape)
    for i, u in enumerate(game.payoffs):
        assert not np.diff(u - potential, axis=i).any()


@given(SEEDS, shapes())
def test_where_the_potential_is_largest_there_is_a_pure_equilibrium(seed, shape):
    game, potential = potential_game(np.random.default_rng(seed), shape)
    best = tuple(int(k) for k in np.argwhere(potential == potential.max())[0])
    assert best in pure_equilibria(game)


def test_a_potential_game_is_more_than_common_interest():
    game, potential = potential_game(np.random.default_rng(3), (3, 4))
    assert all((u != potential).any() for u in game.payoffs)


@given(SEEDS, shapes(2))
def test_a_degenerate_game_has_two_best_replies_to_a_pure_joint_action(seed, shape):
    shape = (shape[0] + 1, *shape[1:])
    game = degenerate_game(np.random.default_rng(seed), shape, "normal")
    assert game.num_actions == shape
    best = [(u == u.max(axis=i, keepdims=True)).sum(axis=i) for i, u in enumerate(game.payoffs)]
    assert max(count.max() for count in best) >= 2


@settings(max_examples=10)
@given(SEEDS)
def test_degenerate_games_come_with_and_without_duplicates(seed):
    rng, duplicates = np.random.default_rng(seed), []
    for _ in range(40):
        duplicates.append(_twice(degenerate_game(rng, (3, 3), "normal").payoffs))
    assert 3 < sum(duplicates) < 37  # 40 fair coins: out of this range once in 10⁷


def _twice(u):
    """Whether a player of a bimatrix game has two equal actions."""
    return any(len(np.unique(np.moveaxis(u, k, 0), axis=0)) < u.shape[k] for k in (1, 2))


@given(SEEDS, st.integers(1, 4), st.integers(1, 3), st.data())
def test_players_of_a_symmetric_game_may_change_places(seed, n, k, data):
    game = symmetric_game(np.random.default_rng(seed), n, k)
    assert game.num_actions == (k,) * n
    order = data.draw(st.permutations(range(n)))
    moved = np.transpose(game.payoffs[order], (0, *(1 + p for p in order)))
    assert_array_equal(moved, game.payoffs)


def test_a_symmetric_game_of_two_has_no_further_ties():
    game = symmetric_game(np.random.default_rng(4), 2, 6, "normal")
    assert len(np.unique(game.payoffs[0])) == 36


@given(SEEDS, shapes(2))
def test_correlation_1_is_common_interest_and_the_least_one_zero_sum(seed, shape):
    team = covariance_game(np.random.default_rng(seed), shape, 1.0).payoffs
    assert_allclose(team, np.broadcast_to(team[0], team.shape), atol=1e-12)
    least = covariance_game(np.random.default_rng(seed), shape, -1.0 / (len(shape) - 1)).payoffs
    assert_allclose(least.sum(axis=0), 0.0, atol=1e-7)  # √ of a rounding error


@pytest.mark.parametrize(("n", "rho"), [(1, 0.3), (2, -0.8), (2, 0.4), (3, -0.3), (4, 0.7)])
def test_payoffs_have_variance_1_and_the_correlation_asked_for(n, rho):
    size = 90_000
    game = covariance_game(np.random.default_rng(5), (size, *[1] * (n - 1)), rho)
    covariance = np.cov(game.payoffs.reshape(n, size))
    want = (1 - rho) * np.eye(n) + rho if n > 1 else 1.0
    assert_allclose(covariance, want, atol=5 * np.sqrt(2 / size))  # five standard errors


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (lambda rng: random_game(rng, (2, 0)), "whole number ≥ 1, got 0"),
        (lambda rng: random_game(rng, ()), "need 1 players or more"),
        (lambda rng: random_game(rng, (2, 2), "cauchy"), "integer, normal, uniform, got 'cauchy'"),
        (lambda rng: random_game(rng, (2, 2), low=3, high=2), "low ≤ high"),
        (lambda rng: random_game(rng, (2, 2), low=0.5), "whole low and high"),
        (lambda rng: random_game(rng, (2, 2), "normal", 0, np.inf), "low ≤ high"),
        (lambda rng: random_game(rng, (9999, 9999)), "the cap is"),
        (lambda rng: zero_sum_game(rng, (3,)), "need 2 players"),
        (lambda rng: degenerate_game(rng, (1, 1)), "two actions to tie"),
        (lambda rng: symmetric_game(rng, 9, 9), "the cap is"),
        (lambda rng: covariance_game(rng, (2, 2, 2), -0.6), r"in \[-0.5, 1\] for 3 players"),
        (lambda rng: covariance_game(rng, (2, 2), float("nan")), "in "),
    ],
)
def test_what_cannot_be_generated_is_refused(call, needs):
    with pytest.raises(InputError, match=needs):
        call(np.random.default_rng(0))


def test_generated_games_are_ordinary_games():
    assert isinstance(random_game(np.random.default_rng(0), [2, 2]), NormalForm)
