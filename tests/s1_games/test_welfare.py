"""Laws of (1.21)."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, library, pure_equilibria
from refmarl.games.welfare import price_of_anarchy, price_of_stability, social_welfare
from refmarl.testing.strategies import games, games_with_profiles, mixtures

POSITIVE = st.integers(1, 6).map(float)


@st.composite
def with_equilibria(draw):
    """(game with positive payoffs, its pure equilibria; there is one)."""
    game = draw(games(1, 4, elements=POSITIVE))
    equilibria = pure_equilibria(game)
    assume(equilibria)
    return game, equilibria


@pytest.mark.equation("1.21")
@given(with_equilibria())
def test_both_prices_are_at_least_1_and_anarchy_costs_no_less(case):
    game, equilibria = case
    anarchy, stability = price_of_anarchy(game, equilibria), price_of_stability(game, equilibria)
    assert anarchy >= stability >= 1.0
    if len(equilibria) == 1:
        assert anarchy == stability


@pytest.mark.equation("1.21")
@given(games_with_profiles(elements=POSITIVE))
def test_no_profile_is_better_than_the_best_joint_action(case):
    game, profile = case
    assert price_of_anarchy(game, [profile]) >= 1.0 - 1e-12  # a mixed profile is summed in floats


@pytest.mark.equation("1.21")
@given(with_equilibria(), st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_unit_of_utility_does_not_count(case, unit):
    game, equilibria = case
    scaled = NormalForm(unit * game.payoffs)
    assert price_of_anarchy(scaled, equilibria) == price_of_anarchy(game, equilibria)
    assert_array_equal(social_welfare(scaled), unit * social_welfare(game))


@pytest.mark.equation("1.21")
@given(games(1, 4, elements=POSITIVE))
def test_with_common_interest_stability_costs_nothing(game):
    team = NormalForm(np.stack([game.payoffs[0]] * game.num_players))
    assert price_of_stability(team, pure_equilibria(team)) == 1.0


@pytest.mark.equation("1.21")
@given(with_equilibria())
def test_the_price_is_that_of_the_worst_equilibrium_alone(case):
    game, equilibria = case
    each = [price_of_anarchy(game, [a]) for a in equilibria]
    assert price_of_anarchy(game, equilibria) == max(each)
    assert price_of_stability(game, equilibria) == min(each)


@given(games_with_profiles(), st.data())
def test_welfare_is_the_payoff_of_a_game_between_all_and_nobody(case, data):
    game, _ = case
    a = tuple(data.draw(st.integers(0, k - 1)) for k in game.num_actions)
    assert social_welfare(game)[a] == sum(game.at(a))


@given(with_equilibria())
def test_an_equilibrium_may_be_written_as_actions_or_as_strategies(case):
    game, equilibria = case
    written_out = [game.pure(a) for a in equilibria]
    assert price_of_anarchy(game, written_out) == price_of_anarchy(game, equilibria)
    assert price_of_anarchy(game, np.array(equilibria)) == price_of_anarchy(game, equilibria)


@given(st.data())
def test_in_a_game_of_constant_sum_every_profile_has_price_1(data):
    row = data.draw(games(2, 2)).payoffs[0]
    game = NormalForm.bimatrix(row, 20.0 - row)
    profile = [data.draw(mixtures(k)) for k in game.num_actions]
    assert_allclose(price_of_anarchy(game, [profile]), 1.0, rtol=1e-12)


@pytest.mark.equation("1.21")
def test_the_course_prints_welfare_2_and_3():
    """§7.6: the prisoner's dilemma at (1, 1), the battle of the sexes at (0, 0) and (1, 1)."""
    dilemma = social_welfare(library.game("prisoners-dilemma-positive"))
    battle = social_welfare(library.game("battle-of-the-sexes"))
    assert (dilemma[1, 1], battle[0, 0], battle[1, 1]) == (2.0, 3.0, 3.0)


@pytest.mark.parametrize(("k", "price"), [(3, 3.0), (6, 6.0)])
def test_the_worst_of_coordinating_on_k_actions_is_to_mix_them_all(k, price):
    """Both mix evenly: they meet with probability 1/k."""
    entry = library.entry("identity-coordination", size=k)
    assert_allclose(price_of_anarchy(entry.game, entry.profiles), price, rtol=1e-12)
    assert price_of_stability(entry.game, entry.profiles) == 1.0


@pytest.mark.parametrize(
    ("equilibria", "needs"),
    [
        ([], "at least one profile"),
        ([(1, 0)], r"welfare > 0 at each, got -3 at number 0"),
        ([(0, 0), ([0.5, 0.5], [0.5, 0.5])], r"got 0 at number 1"),
        ([(0, 2)], r"index in 0..1, got 2"),
        ([(0,)], "need 2, got 1"),
        ([0, 1], "need profiles, got 0"),
        (["01"], "need profiles, got '01'"),
        ([(0.0, 1.0)], "need 2 probabilities, got one number"),
        ([([[1, 0]], [[1, 0]])], "one profile each, got a batch"),
    ],
)
def test_bad_equilibria_are_refused(equilibria, needs):
    game = NormalForm.bimatrix([[2, 1], [-3, 0]], [[1, -1], [0, 0]])
    with pytest.raises(InputError, match=needs):
        price_of_anarchy(game, equilibria)
