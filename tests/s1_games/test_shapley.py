"""Laws of (1.13): Shapley's value iteration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, support_enumeration
from refmarl.games.markov import MarkovGame, repeated
from refmarl.games.shapley import shapley_iteration, shapley_operator
from refmarl.games.stage import quick_value
from refmarl.games.zero_sum import ZeroSum, zero_sum_value
from refmarl.testing.strategies import matrices, mixtures
from refmarl.testing.zero_sum_markov import tables, values

ATOL = 1e-7  # linear programs stop within 1e-9 of payoffs that are below 100 here


@st.composite
def with_values(draw, count=1, **options):
    case = draw(tables(**options))
    return case, *(draw(values(len(case.reward))) for _ in range(count))


def single_agent_value(transition, reward, gamma, best=max):
    """Value iteration for one agent, (S, A, S) and (S, A), action by action and state by state."""
    v = [0.0] * len(reward)
    for _ in range(300):  # 0.9 ** 300 is 2e-14
        v = [
            best(
                r + gamma * sum(p * w for p, w in zip(row, v, strict=True))
                for row, r in zip(rows, rewards, strict=True)
            )
            for rows, rewards in zip(transition.tolist(), reward.tolist(), strict=True)
        ]
    return np.array(v)


def guarantees(case, solved):
    """What each of the policies gets against the best reply, from every state."""
    x, y = solved.policies
    against_x = (
        np.einsum("sabt,sa->sbt", case.transition, x),
        np.einsum("sab,sa->sb", case.reward, x),
    )
    against_y = (
        np.einsum("sabt,sb->sat", case.transition, y),
        np.einsum("sab,sb->sa", case.reward, y),
    )
    return (
        single_agent_value(*against_x, case.gamma, best=min),
        single_agent_value(*against_y, case.gamma, best=max),
    )


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(with_values(2))
def test_the_operator_contracts_by_gamma_in_the_sup_norm(case):
    game, v, w = case
    moved = np.abs(shapley_operator(*game, v) - shapley_operator(*game, w)).max()
    assert moved <= game.gamma * np.abs(v - w).max() + ATOL


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(with_values(2), st.integers(-20, 20))
def test_the_operator_is_monotone_and_a_constant_is_discounted(case, constant):
    game, v, w = case
    now = shapley_operator(*game, v)
    assert (shapley_operator(*game, np.maximum(v, w)) >= now - ATOL).all()
    assert_allclose(shapley_operator(*game, v + constant), now + game.gamma * constant, atol=ATOL)


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(with_values(1))
def test_the_column_player_sees_the_same_game_with_the_other_sign(case):
    game, v = case
    swapped = np.swapaxes(game.transition, 1, 2), -np.swapaxes(game.reward, 1, 2), game.gamma
    assert_allclose(shapley_operator(*swapped, -v), -shapley_operator(*game, v), atol=ATOL)


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(with_values(1, gammas=(0.0,)))
def test_without_a_future_it_is_the_value_of_the_matrix_game(case):
    game, v = case
    for now, A in zip(shapley_operator(*game, v), game.reward, strict=True):
        x, y = support_enumeration(NormalForm.zero_sum(A)).profiles[0]
        assert_allclose(now, x @ A @ y, atol=ATOL)


@pytest.mark.equation("1.13")
@given(with_values(1, rows=1), st.booleans())
def test_against_one_action_it_is_ordinary_value_iteration(case, as_row):
    game, v = case
    transition, reward = game.transition[:, 0], game.reward[:, 0]  # (S, K, S), (S, K)
    best = max if as_row else min
    tables = (transition[:, :, None], reward[:, :, None]) if as_row else (game[0], game[1])
    once = [
        best(r + game.gamma * p @ v for r, p in zip(*pair, strict=True))
        for pair in zip(reward, transition, strict=True)
    ]
    assert_allclose(shapley_operator(*tables, game.gamma, v), once, atol=1e-9)
    whole = MarkovGame(tables[0], np.stack([tables[1], -tables[1]]), game.gamma)
    alone = single_agent_value(transition, reward, game.gamma, best)
    solved = shapley_iteration(whole, tol=1e-10)
    assert_allclose(solved.value, alone, atol=1e-7)
    assert np.abs(solved.value - alone).max() <= solved.error + 1e-10


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(tables())
def test_the_value_is_the_fixed_point(case):
    solved = shapley_iteration(case.game)
    again = shapley_operator(*case, solved.value)
    assert np.abs(again - solved.value).max() <= (1 + case.gamma) * solved.error + ATOL
    scale = np.abs(case.reward).max() / (1 - case.gamma)
    assert solved.error <= 1e-9 * scale
    assert np.abs(solved.value).max() <= scale + solved.error


@pytest.mark.equation("1.13")
@settings(max_examples=30)
@given(tables(), st.integers(1, 8))
def test_the_error_certifies_value_and_policies_at_any_time(case, iterations):
    early = shapley_iteration(case.game, max_iterations=iterations)
    late = shapley_iteration(case.game, tol=1e-11)
    assert early.iterations <= iterations
    assert np.abs(early.value - late.value).max() <= early.error + late.error + 1e-10
    for solved in early, late:
        secured, conceded = guarantees(case, solved)
        assert (secured >= solved.value - solved.error - 1e-10).all()
        assert (conceded <= solved.value + solved.error + 1e-10).all()
        for policy, k in zip(solved.policies, case.reward.shape[1:], strict=True):
            assert policy.shape == (len(case.reward), k)
            assert (policy >= 0).all()
            assert_allclose(policy.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.equation("1.13")
@settings(max_examples=30)
@given(tables(gammas=(0.5, 0.9)), st.sampled_from([1e-2, 1e-5]))
def test_it_stops_as_soon_as_the_bound_allows(case, tol):
    solved = shapley_iteration(case.game, tol)
    goal = tol * np.abs(case.reward).max() / (1 - case.gamma)
    assert solved.error <= goal
    if solved.iterations > 1:
        assert shapley_iteration(case.game, tol, solved.iterations - 1).error > goal
    # δ_k ≤ γ^(k-1) max|R|: the bound is met after this many at the latest
    assert solved.iterations <= np.ceil(np.log(tol) / np.log(case.gamma)) + 1


@pytest.mark.equation("1.13")
@given(st.floats(0.01, 0.99), st.floats(0, 1))
def test_a_stopping_game_is_worth_the_root_of_its_quadratic(gamma, stay):
    """V = val [[1 + cV, 0], [0, 1]] = (1 + cV) / (2 + cV), c = γ · stay: c V² + (2 - c) V = 1."""
    transition = np.zeros((2, 2, 2, 2))
    transition[..., 1] = 1.0
    transition[0, 0, 0] = [stay, 1 - stay]
    reward = np.array([np.eye(2), np.zeros((2, 2))])
    solved = shapley_iteration(MarkovGame(transition, np.stack([reward, -reward]), gamma))
    c = gamma * stay
    root = 2 / (2 - c + np.sqrt(c * c + 4))  # (c - 2 + √(c² + 4)) / 2c, stable where c → 0
    assert_allclose(solved.value, [root, 0], atol=solved.error + 1e-12)
    for policy in solved.policies:
        assert_allclose(policy[0], [root * 1 / (1 + c * root), root], atol=1e-5)


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(matrices(), st.sampled_from([0.0, 0.5, 0.95]))
def test_a_repeated_game_is_worth_its_value_over_and_over(A, gamma):
    solved = shapley_iteration(repeated(NormalForm.zero_sum(A), gamma))
    assert_allclose(solved.value, zero_sum_value(A).value / (1 - gamma), atol=1e-6)


@pytest.mark.equation("1.13")
@settings(max_examples=40)
@given(with_values(1), st.randoms(use_true_random=False))
def test_renaming_states_and_actions_renames_the_values(case, random):
    game, v = case
    S, A, B = game.reward.shape
    s, a, b = (random.sample(range(k), k) for k in (S, A, B))
    renamed = game.transition[np.ix_(s, a, b, s)], game.reward[np.ix_(s, a, b)], game.gamma
    assert_allclose(shapley_operator(*renamed, v[s]), shapley_operator(*game, v)[s], atol=ATOL)


@settings(max_examples=150)
@given(matrices(), st.data())
def test_a_quick_value_is_the_value_whatever_was_guessed(A, data):
    guess = None
    if data.draw(st.booleans()):
        guess = ZeroSum(0.0, *(data.draw(mixtures(k)) for k in A.shape), 0.0)
    quick, slow = quick_value(A, guess), zero_sum_value(A)
    assert_allclose(quick.value, slow.value, atol=1e-8)
    assert quick.gap >= 0.0
    assert (A @ quick.y).max() - (quick.x @ A).min() <= quick.gap + 1e-14
    assert quick.gap <= 1e-8
    for z, k in zip((quick.x, quick.y), A.shape, strict=True):
        assert z.shape == (k,)
        assert (z >= 0).all()
        assert_allclose(z.sum(), 1.0, atol=1e-12)


@given(matrices(max_actions=2))
def test_two_actions_each_need_no_linear_program(A):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("refmarl.games.stage.zero_sum_value", None)
        assert_allclose(quick_value(A).value, zero_sum_value(A).value, atol=1e-8)


@given(st.permutations(range(4)), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_a_right_guess_needs_no_linear_program(order, a, b, c):
    """Weighted rock-paper-scissors and a column that costs too much: worth 0 at (b, c, a)."""
    A = np.array([[0, -a, c, 6], [a, 0, -b, 6], [-c, b, 0, 6]], dtype=float)[:, order]
    x = np.array([b, c, a]) / (a + b + c)
    guess = ZeroSum(0.0, x, np.append(x, 0.0)[list(order)], 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("refmarl.games.stage.zero_sum_value", None)
        found = quick_value(A, guess)
    assert_allclose(found.value, 0.0, atol=1e-12)
    assert_allclose(found.x, x, atol=1e-12)
    assert_allclose(found.y, guess.y, atol=1e-12)


def test_a_game_without_rewards_is_solved_at_once():
    solved = shapley_iteration(MarkovGame(np.full((2, 1, 1, 2), 0.5), np.zeros((2, 2, 1, 1)), 0.9))
    assert_array_equal(solved.value, [0.0, 0.0])
    assert (solved.error, solved.iterations) == (0.0, 1)


def test_what_is_no_zero_sum_game_is_refused():
    stay = np.ones((1, 2, 2, 1))
    unequal = np.zeros((2, 1, 2, 2))
    unequal[0, 0, 1, 0] = 3.0
    with pytest.raises(InputError, match=r"R_2 = -R_1, got the sum 3 at \(0, 1, 0\)"):
        shapley_iteration(MarkovGame(stay, unequal, 0.5))
    three = MarkovGame(np.ones((1, 1, 1, 1, 1)), np.zeros((3, 1, 1, 1, 1)), 0.5)
    with pytest.raises(InputError, match="need 2 players, got 3"):
        shapley_iteration(three)


def test_rounding_in_the_rewards_is_no_reason_to_refuse():
    stay, reward = np.ones((1, 1, 1, 1)), np.array([[[[0.1 + 0.2]]], [[[-0.3]]]])
    assert_allclose(shapley_iteration(MarkovGame(stay, reward, 0.5)).value, 0.6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": [1.0]}, "need 2 numbers, one for each state, got 1"),
        ({"values": [[1.0, 2.0]]}, "values: need 1 axes"),
        ({"values": [0, np.nan]}, "values: nan"),
        ({"gamma": 1.0}, "gamma: need"),
        ({"reward": np.zeros((2, 3))}, "reward: need 3 axes"),
        ({"reward": np.zeros((2, 3, 1))}, "transition"),
        ({"transition": np.ones((2, 1, 1, 2))}, "sum"),
    ],
)
def test_bad_input_is_refused_in_one_line(change, message):
    good = {
        "transition": np.full((2, 1, 1, 2), 0.5),
        "reward": np.zeros((2, 1, 1)),
        "gamma": 0.5,
        "values": [0.0, 0.0],
    }
    with pytest.raises(InputError, match=message) as error:
        shapley_operator(**good | change)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 0.0}, "tol: need a number > 0"),
        ({"tol": np.nan}, "tol: need a number > 0"),
        ({"tol": True}, "tol"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        shapley_iteration(repeated(NormalForm.zero_sum([[1]]), 0.5), **options)
