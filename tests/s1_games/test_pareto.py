"""Laws of (1.6)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm
from refmarl.games import pareto as module
from refmarl.games.pareto import pareto_dominates, pareto_frontier
from refmarl.games.welfare import social_welfare
from refmarl.testing.strategies import INTEGERS, games

FEW = st.integers(0, 2).map(float)  # many equal outcomes
SMALL = games(1, 4, elements=INTEGERS | FEW)


def outcomes(game, mask):
    """The outcomes (K, n) of the joint actions in ``mask``."""
    return game.payoffs[:, mask].T


@pytest.mark.equation("1.6")
@given(SMALL)
def test_nothing_on_the_frontier_is_dominated(game):
    frontier = pareto_frontier(game)
    assert frontier.shape == game.num_actions
    assert frontier.any()
    everything = outcomes(game, np.ones(game.num_actions, dtype=bool))
    for u in outcomes(game, frontier):
        assert not any(pareto_dominates(v, u) for v in everything)


@pytest.mark.equation("1.6")
@given(SMALL)
def test_everything_off_the_frontier_is_dominated_from_the_frontier(game):
    frontier = pareto_frontier(game)
    best = outcomes(game, frontier)
    for u in outcomes(game, ~frontier):
        assert any(pareto_dominates(v, u) for v in best)


@pytest.mark.equation("1.6")
@given(SMALL, st.data())
def test_only_the_order_of_a_players_payoffs_counts(game, data):
    maps = [lambda u: u**3, lambda u: 7 * u - 100, lambda u: np.exp2(10 * u), lambda u: u]
    chosen = [data.draw(st.sampled_from(maps)) for _ in range(game.num_players)]
    mapped = NormalForm(np.stack([f(u) for f, u in zip(chosen, game.payoffs, strict=True)]))
    assert_array_equal(pareto_frontier(mapped), pareto_frontier(game))


@pytest.mark.equation("1.6")
@given(SMALL)
def test_a_welfare_maximiser_is_on_the_frontier(game):
    welfare = social_welfare(game)
    assert pareto_frontier(game)[welfare == welfare.max()].all()


@pytest.mark.equation("1.6")
@given(SMALL, st.data())
def test_the_frontier_follows_players_and_actions_when_they_are_renamed(game, data):
    orders = [data.draw(st.permutations(range(k))) for k in game.num_actions]
    players = data.draw(st.permutations(range(game.num_players)))
    renamed = NormalForm(game.payoffs[np.ix_(players, *orders)])
    assert_array_equal(pareto_frontier(renamed), pareto_frontier(game)[np.ix_(*orders)])


@given(games(2, 2, max_actions=5, elements=INTEGERS | FEW))
def test_a_third_player_who_agrees_with_the_second_changes_nothing(game):
    first, second = game.payoffs
    three = NormalForm(np.stack([first, second, 2 * second + 1])[..., None])
    assert_array_equal(pareto_frontier(three)[..., 0], pareto_frontier(game))


@given(SMALL)
def test_in_a_zero_sum_game_everything_is_optimal(game):
    last = -game.payoffs.sum(axis=0)
    zero_sum = NormalForm(np.concatenate([game.payoffs, last[None]])[..., None])
    assert pareto_frontier(zero_sum).all()


def test_a_large_two_player_game_needs_no_table_of_pairs():
    row = np.arange(1_000_000.0).reshape(1000, 1000)
    assert pareto_frontier(NormalForm.zero_sum(row)).all()
    assert pareto_frontier(NormalForm.bimatrix(row, row)).sum() == 1


def test_ties_are_decided_exactly():
    close = NormalForm(np.array([[1.0, 1.0], [0.3, 0.1 + 0.2]])[..., None])
    assert_array_equal(pareto_frontier(close)[:, 0], [False, True])
    signed = NormalForm(np.array([[0.0, -0.0], [1.0, 1.0]])[..., None])
    assert pareto_frontier(signed).all()


@given(
    st.integers(1, 4).flatmap(
        lambda n: arrays(float, (3, n), elements=st.integers(0, 2).map(float))
    )
)
def test_domination_is_a_strict_partial_order(triple):
    u, v, w = triple
    assert not pareto_dominates(u, u)
    assert not (pareto_dominates(u, v) and pareto_dominates(v, u))
    if pareto_dominates(u, v) and pareto_dominates(v, w):
        assert pareto_dominates(u, w)


def test_a_frontier_that_costs_too_much_is_refused(monkeypatch):
    u = np.arange(24.0).reshape(2, 3, 4)
    game = NormalForm(np.stack([u, -u, 0 * u]))
    assert pareto_frontier(game).all()
    monkeypatch.setattr(module, "MAX_COMPARISONS", 100)
    with pytest.raises(InputError, match=r"24 joint actions with 4 or more optima"):
        pareto_frontier(game)


def test_outcomes_of_unequal_length_are_refused():
    with pytest.raises(InputError, match="one payoff per player, got 2 and 3"):
        pareto_dominates([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="need 1 axes"):
        pareto_dominates([[1, 2]], [1, 2])
