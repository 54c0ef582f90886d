"""Laws of (1.1), and the checks of NormalForm."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, action_values, expected_utility
from refmarl.testing.strategies import games_with_profiles, mixtures


@pytest.mark.equation("1.1")
@given(games_with_profiles(), st.data())
def test_expected_utility_is_linear_in_each_strategy(case, data):
    game, profile = case
    j = data.draw(st.integers(0, game.num_players - 1))
    other, weight = (
        data.draw(mixtures(game.num_actions[j])),
        data.draw(st.sampled_from([0, 0.3, 1])),
    )

    def with_j(x):
        return expected_utility(game, [*profile[:j], x, *profile[j + 1 :]])

    mixed = with_j(weight * profile[j] + (1 - weight) * other)
    assert_allclose(mixed, weight * with_j(profile[j]) + (1 - weight) * with_j(other), atol=1e-12)


@pytest.mark.equation("1.1")
@given(games_with_profiles(), st.data())
def test_expected_utility_at_a_pure_profile_is_the_payoff(case, data):
    game, _ = case
    actions = tuple(data.draw(st.integers(0, k - 1)) for k in game.num_actions)
    assert_array_equal(expected_utility(game, game.pure(actions)), game.payoffs[:, *actions])


@pytest.mark.equation("1.1")
@given(games_with_profiles(), st.data())
def test_expected_utility_ignores_the_names_of_actions(case, data):
    game, profile = case
    orders = [data.draw(st.permutations(range(k))) for k in game.num_actions]
    renamed = NormalForm(game.payoffs[np.ix_(range(game.num_players), *orders)])
    moved = [x[list(order)] for x, order in zip(profile, orders, strict=True)]
    assert_allclose(expected_utility(renamed, moved), expected_utility(game, profile), atol=1e-12)


@given(games_with_profiles())
def test_action_values_average_to_the_expected_utility(case):
    game, profile = case
    for i, x in enumerate(profile):
        assert_allclose(
            action_values(game, profile, i) @ x, expected_utility(game, profile)[i], atol=1e-12
        )


@given(games_with_profiles(), st.integers(1, 3))
def test_a_batch_of_profiles_is_one_profile_after_the_other(case, size):
    game, profile = case
    batch = [np.stack([x] * size + [np.roll(x, 1)]) for x in profile]
    rows = [expected_utility(game, [x[b] for x in batch]) for b in range(size + 1)]
    assert_allclose(expected_utility(game, batch), rows, atol=1e-12)


@pytest.mark.parametrize(
    ("payoffs", "needs"),
    [
        ([[[1, 2], [3]]], "unequal length"),
        ([], "empty"),
        ([[[1.0, float("nan")], [0, 0]], [[0, 0], [0, 0]]], "nan at index"),
        ([["a", "b"]], "got text"),
        ([[1.0, 2.0], [3.0, 4.0]], "2 players need 3 axes"),
        ([[1j, 2]], "complex"),
        (np.broadcast_to(0.0, (2, 4000, 4000)), "the cap is 10000000"),
        ([[1e301, 2.0]], r"1e\+301 is too large; the cap is 1e\+300"),
        ([[10**400, 2]], "too large for a float"),
        ([[None, 2]], "objects of type NoneType"),
    ],
)
def test_a_bad_tensor_is_refused_in_one_line(payoffs, needs):
    with pytest.raises(InputError, match=needs) as caught:
        NormalForm(payoffs)
    assert "\n" not in str(caught.value)


def test_a_game_cannot_be_changed_by_its_user():
    source = np.zeros((2, 2, 2))
    game = NormalForm(source)
    source[0, 0, 0] = 5.0
    assert game.payoffs[0, 0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        game.payoffs[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    ("profile", "needs"),
    [
        ([[1, 0]], "need 2 strategies, got 1"),
        ([[1, 0], [1, 0, 0]], "need 2 probabilities, got 3"),
        ([[0.5, 0.6], [1, 0]], "sum to 1"),
        ([[1.5, -0.5], [1, 0]], "≥ 0"),
    ],
)
def test_a_bad_profile_is_refused(profile, needs):
    game = NormalForm.zero_sum([[1, -1], [-1, 1]])
    with pytest.raises(InputError, match=needs):
        expected_utility(game, profile)


@pytest.mark.parametrize("joint", [(1,), (-1, 0), (2, 0), (0.0, 1)])
def test_a_joint_action_that_does_not_exist_is_refused(joint):
    game = NormalForm.zero_sum([[1, -1], [-1, 1]])
    for method in (game.at, game.pure):
        with pytest.raises(InputError, match="action"):
            method(joint)


def test_whole_numbers_beyond_64_bits_are_payoffs():
    assert NormalForm.zero_sum([[2**70, 1]]).payoffs[0, 0, 0] == 2.0**70


def test_a_copy_and_a_pickle_are_as_read_only_as_the_game():
    game = NormalForm.bimatrix([[1, 2]], [[3, 4]], title="t", players=("a", "b"))
    for other in (copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        assert_array_equal(other.payoffs, game.payoffs)
        assert (other.title, other.players, other.actions) == ("t", ("a", "b"), game.actions)
        assert not other.payoffs.flags.writeable
