"""Laws of (1.2) and (1.3): best responses, regret, pure equilibria; any number of players."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, action_values, expected_utility
from refmarl.games.nash import (
    best_responses,
    certify,
    is_nash,
    nash_conv,
    pure_equilibria,
    regrets,
    scale,
)
from refmarl.testing.strategies import INTEGERS, REALS, games, games_with_profiles, mixtures


def players(game):
    return range(game.num_players)


def replaced(profile, i, x):
    """(x, profile_-i)."""
    return [*profile[:i], x, *profile[i + 1 :]]


@st.composite
def bonus(draw, game):
    """The game with f_i(a_-i) added to each u_i."""
    payoffs = game.payoffs.copy()
    for i in players(game):
        shape = [1 if j == i else k for j, k in enumerate(game.num_actions)]
        payoffs[i] += draw(arrays(float, shape, elements=INTEGERS))
    return NormalForm(payoffs)


@st.composite
def renamings(draw, game):
    """(orders, the game with its actions in these orders)."""
    orders = [list(draw(st.permutations(range(k)))) for k in game.num_actions]
    return orders, NormalForm(game.payoffs[np.ix_(players(game), *orders)])


@st.composite
def games_with_a_dominated_action(draw):
    """(game, player i, the game with a last action of i that is strictly worse than a mixture)."""
    game = draw(games(2, 4))
    i = draw(st.integers(0, game.num_players - 1))
    x = draw(mixtures(game.num_actions[i]))
    worse = np.tensordot(game.payoffs, x, axes=(i + 1, 0))
    worse += draw(arrays(float, worse.shape, elements=INTEGERS))  # the others may get anything
    worse[i] = np.tensordot(game.payoffs[i], x, axes=(i, 0)) - draw(st.integers(1, 3))
    longer = np.concatenate([game.payoffs, np.expand_dims(worse, i + 1)], axis=i + 1)
    return game, i, NormalForm(longer)


# (1.2) Best responses.


@pytest.mark.equation("1.2")
@given(games_with_profiles())
def test_a_pure_best_response_always_exists_and_no_mixture_beats_it(case):
    game, profile = case
    for i in players(game):
        best = best_responses(game, profile, i)
        assert best.shape == (game.num_actions[i],)
        assert best.any()
        now = expected_utility(game, profile)[i]
        for pure in np.eye(len(best))[best]:
            assert expected_utility(game, replaced(profile, i, pure))[i] >= now - 1e-9


@pytest.mark.equation("1.2")
@given(games_with_profiles())
def test_the_others_are_worse_and_the_best_are_equal(case):
    game, profile = case
    for i in players(game):
        best, values = best_responses(game, profile, i), action_values(game, profile, i)
        assert np.ptp(values[best]) <= 2e-9 * scale(game)[i]
        assert (values[~best] < values[best].min()).all()


@pytest.mark.equation("1.2")
@given(games_with_profiles(), st.data())
def test_mixtures_of_best_responses_are_the_best_responses(case, data):
    game, profile = case
    i = data.draw(st.integers(0, game.num_players - 1))
    best = best_responses(game, profile, i)
    x = data.draw(mixtures(game.num_actions[i]))
    gain = (
        action_values(game, profile, i).max() - expected_utility(game, replaced(profile, i, x))[i]
    )
    assert (gain <= 1e-9 * scale(game)[i]) == bool(best[x > 0].all())


@pytest.mark.equation("1.2")
@given(games_with_profiles(), st.data())
def test_payoffs_added_for_what_the_others_do_move_no_best_response(case, data):
    game, profile = case
    changed = data.draw(bonus(game))
    for i in players(game):
        before, after = (best_responses(g, profile, i, tol=1e-7) for g in (game, changed))
        assert_array_equal(before, after)


@pytest.mark.equation("1.2")
@given(games_with_profiles(), st.data())
def test_only_the_strategies_of_the_others_count(case, data):
    game, profile = case
    for i in players(game):
        other = replaced(profile, i, data.draw(mixtures(game.num_actions[i])))
        assert_array_equal(best_responses(game, profile, i), best_responses(game, other, i))


@pytest.mark.equation("1.2")
@given(games_with_profiles(), st.data())
def test_renaming_actions_renames_best_responses(case, data):
    game, profile = case
    orders, renamed = data.draw(renamings(game))
    moved = [x[order] for x, order in zip(profile, orders, strict=True)]
    for i in players(game):
        expected = best_responses(game, profile, i)[orders[i]]
        assert_array_equal(best_responses(renamed, moved, i), expected)


@pytest.mark.equation("1.2")
@given(games_with_a_dominated_action(), st.data())
def test_a_strictly_dominated_action_is_never_a_best_response(case, data):
    _, i, longer = case
    profile = [data.draw(mixtures(k)) for k in longer.num_actions]
    assert not best_responses(longer, profile, i)[-1]


def test_ties_hold_though_sums_are_rounded():
    row = [[0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [0.2, 0.3, 0.1]]
    game = NormalForm.zero_sum(row)
    assert len(set(action_values(game, game.uniform(), 0))) > 1  # the case is one
    assert best_responses(game, game.uniform(), 0).all()
    large = NormalForm.zero_sum(2.0**40 * np.array(row))  # exact: the rounding grows with it
    assert np.ptp(action_values(large, large.uniform(), 0)) > 1e-6
    assert best_responses(large, large.uniform(), 0).all()


# (1.3) Regret and equilibrium.


@pytest.mark.equation("1.3")
@given(games_with_profiles())
def test_regret_is_the_best_gain_of_a_deviation(case):
    game, profile = case
    now = expected_utility(game, profile)
    for i, regret in enumerate(regrets(game, profile)):
        deviations = [replaced(profile, i, e) for e in np.eye(game.num_actions[i])]
        gains = [expected_utility(game, deviation)[i] - now[i] for deviation in deviations]
        assert_allclose(regret, max(gains), atol=1e-12)
        assert regret >= 0.0


@pytest.mark.equation("1.3")
@given(games_with_profiles())
def test_nash_conv_is_zero_iff_each_played_action_is_a_best_response(case):
    game, profile = case
    best = [best_responses(game, profile, i) for i in players(game)]
    at_rest = all(b[x > 0].all() for b, x in zip(best, profile, strict=True))
    conv = nash_conv(game, profile)
    assert conv >= 0.0
    assert (conv <= 1e-9 * scale(game).max()) == at_rest == is_nash(game, profile)


@pytest.mark.equation("1.3")
@given(games_with_profiles(), st.sampled_from([0.25, 1.0, 3.0, 1e4]), st.integers(-9, 9))
def test_positive_affine_payoffs_scale_regrets_only(case, factor, shift):
    game, profile = case
    changed = NormalForm(factor * game.payoffs + shift)
    expected = factor * regrets(game, profile)
    assert_allclose(regrets(changed, profile), expected, atol=1e-12 * scale(changed).max())
    assert pure_equilibria(changed) == pure_equilibria(game)


@pytest.mark.equation("1.3")
@given(games_with_profiles(min_players=2), st.data())
def test_each_player_may_count_in_units_of_its_own(case, data):
    game, profile = case
    units = np.array([data.draw(st.sampled_from([1e-12, 1.0, 1e9])) for _ in players(game)])
    changed = NormalForm(game.payoffs * units.reshape(-1, *(1,) * game.num_players))
    assert pure_equilibria(changed) == pure_equilibria(game)
    assert is_nash(changed, profile) == is_nash(game, profile)
    for i in players(game):
        assert_array_equal(best_responses(changed, profile, i), best_responses(game, profile, i))


@pytest.mark.equation("1.3")
@given(games_with_profiles(), st.data())
def test_payoffs_added_for_what_the_others_do_move_no_regret(case, data):
    game, profile = case
    changed = data.draw(bonus(game))
    assert_allclose(regrets(changed, profile), regrets(game, profile), atol=1e-11)
    assert pure_equilibria(changed) == pure_equilibria(game)


@pytest.mark.equation("1.3")
@given(games_with_profiles(), st.data())
def test_renaming_actions_keeps_regrets_and_renames_equilibria(case, data):
    game, profile = case
    orders, renamed = data.draw(renamings(game))
    moved = [x[order] for x, order in zip(profile, orders, strict=True)]
    assert_allclose(regrets(renamed, moved), regrets(game, profile), atol=1e-12)
    old = [
        tuple(order[k] for order, k in zip(orders, a, strict=True))
        for a in pure_equilibria(renamed)
    ]
    assert sorted(old) == pure_equilibria(game)


@pytest.mark.equation("1.3")
@given(games_with_a_dominated_action(), st.data())
def test_deleting_a_strictly_dominated_action_keeps_the_equilibria(case, data):
    game, i, longer = case
    assert pure_equilibria(longer) == pure_equilibria(game)
    profile = [data.draw(mixtures(k)) for k in game.num_actions]
    padded = replaced(profile, i, np.append(profile[i], 0.0))
    assert_allclose(regrets(longer, padded), regrets(game, profile), atol=1e-12)


@pytest.mark.equation("1.3")
@given(games(1, 4))
def test_pure_equilibria_are_those_of_the_definition(game):
    expected = [
        a
        for a in product(*(range(k) for k in game.num_actions))
        if all(
            game.at([*a[:i], other, *a[i + 1 :]])[i] <= game.at(a)[i]
            for i in players(game)
            for other in range(game.num_actions[i])
        )
    ]
    assert pure_equilibria(game) == expected


@pytest.mark.equation("1.3")
@given(games(1, 4), st.data())
def test_a_common_payoff_is_largest_at_a_pure_equilibrium(game, data):
    team = NormalForm(np.stack([game.payoffs[0]] * game.num_players))
    best = np.unravel_index(np.argmax(team.payoffs[0]), game.num_actions)
    assert tuple(int(k) for k in best) in pure_equilibria(team)


@given(games_with_profiles())
def test_a_certificate_tells_payoffs_and_regrets(case):
    game, profile = case
    certificate = certify(game, profile)
    assert_array_equal(certificate.payoffs, expected_utility(game, profile))
    assert certificate.nash_conv == pytest.approx(nash_conv(game, profile), abs=1e-12)


@given(games_with_profiles(), st.integers(1, 3))
def test_a_batch_of_profiles_is_one_profile_after_the_other(case, size):
    game, profile = case
    batch = [np.stack([x] * size + [np.roll(x, 1)]) for x in profile]
    rows = [[x[b] for x in batch] for b in range(size + 1)]
    assert_allclose(regrets(game, batch), [regrets(game, row) for row in rows], atol=1e-12)
    for i in players(game):
        expected = [best_responses(game, row, i) for row in rows]
        assert_array_equal(best_responses(game, batch, i), expected)


@given(games_with_profiles(elements=REALS), st.sampled_from([1.0, 1e9]))
def test_regret_is_exactly_zero_where_all_actions_are_worth_the_same(case, factor):
    game, profile = case
    payoffs = factor * game.payoffs
    for i in players(game):
        payoffs[i] = payoffs[i].take([0], axis=i)
    assert_array_equal(regrets(NormalForm(payoffs), profile), 0.0)


@pytest.mark.parametrize(("i", "needs"), [(2, "0..1, got 2"), (-1, "got -1"), (True, "got True")])
def test_a_player_that_is_none_is_refused(i, needs):
    game = NormalForm.zero_sum([[1, -1], [-1, 1]])
    with pytest.raises(InputError, match=needs):
        best_responses(game, game.uniform(), i)


@pytest.mark.parametrize("function", [regrets, nash_conv, is_nash, certify])
@pytest.mark.parametrize(
    ("profile", "needs"),
    [
        ([[1, 0]], "need 2 strategies, got 1"),
        ([[1, 0], [0.2, 0.2]], "sum to 1"),
        ([[1, 0], [float("nan"), 1]], "nan at index"),
    ],
)
def test_a_bad_profile_is_refused_in_one_line(function, profile, needs):
    with pytest.raises(InputError, match=needs) as caught:
        function(NormalForm.zero_sum([[1, -1], [-1, 1]]), profile)
    assert "\n" not in str(caught.value)
