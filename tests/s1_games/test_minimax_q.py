"""Laws of (1.13) in its sampled forms: stage games, minimax-Q, Nash-Q and their relatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, nash_conv, pure_equilibria, violation
from refmarl.games.markov import MarkovGame, stage_game
from refmarl.games.minimax_q import (
    JointQ,
    Schedule,
    _draw,
    correlated_q,
    friend_or_foe_q,
    minimax_q,
    nash_q,
    stage_q,
)
from refmarl.games.shapley import shapley_iteration
from refmarl.games.stage import correlated, friend_or_foe, minimax, nash, product
from refmarl.testing.strategies import bimatrix_games, games, matrices
from refmarl.testing.zero_sum_markov import tables

FRIENDS, FOES = np.ones((2, 2)), np.zeros((2, 2))


def rng(seed=0):
    return np.random.default_rng(seed)


def operator(game, solver, values):
    """V_i(s) ← what ``solver`` makes of the stage game in s, (n, S)."""
    stages = [stage_game(game, values, s).payoffs for s in range(game.num_states)]
    return np.array([solver(payoffs).values for payoffs in stages]).T


def known(game, q, solver):
    """A learner that has these Q, in state 0."""
    solved = [solver(q[:, s]) for s in range(game.num_states)]
    values, play = np.array([x.values for x in solved]).T, np.array([x.play for x in solved])
    return JointQ(q, np.zeros(q.shape[1:], dtype=np.int64), values, play, 0)


@st.composite
def common_interest(draw):
    """A Markov game in which both players get the same reward."""
    case = draw(tables(max_states=2, gammas=(0.5,)))
    return MarkovGame(case.transition, np.stack([case.reward, case.reward]), case.gamma)


@given(bimatrix_games())
def test_what_a_stage_is_worth_is_what_its_play_pays(game):
    for solver in nash, correlated:
        values, play = solver(game.payoffs)
        assert_allclose(play.sum(), 1.0, atol=1e-9)
        assert (play >= 0).all()
        assert_allclose(values, (game.payoffs * play).sum(axis=(1, 2)), atol=1e-9)


@given(bimatrix_games())
def test_nash_takes_an_equilibrium_of_largest_welfare(game):
    values, play = nash(game.payoffs)
    x, y = play.sum(axis=1), play.sum(axis=0)
    assert_allclose(play, np.outer(x, y), atol=1e-12)
    assert nash_conv(game, (x, y)) <= 1e-8
    pure = [game.at(a).sum() for a in pure_equilibria(game)]
    assert values.sum() >= max(pure, default=-np.inf) - 1e-9
    assert correlated(game.payoffs).values.sum() >= values.sum() - 1e-6


@given(games(2, 3))
def test_correlated_obeys_its_inequalities(game):
    assert violation(game, correlated(game.payoffs).play) <= 1e-7


@pytest.mark.equation("1.13")
@given(matrices())
def test_all_solvers_but_friend_agree_on_zero_sum_stages(A):
    payoffs = np.stack([A, -A])
    value = minimax(payoffs)
    assert value.values[1] == -value.values[0]
    assert nash_conv(NormalForm(payoffs), (value.play.sum(axis=1), value.play.sum(axis=0))) <= 1e-8
    for solver in nash, correlated, friend_or_foe(FOES):
        assert_allclose(solver(payoffs).values, value.values, atol=1e-6)


@given(games(2, 3), st.data())
def test_friends_help_and_foes_do_not(game, data):
    n, payoffs = game.num_players, game.payoffs
    friends = np.array(data.draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n)))
    friends = friends.reshape(n, n)
    i, j = (data.draw(st.integers(0, n - 1)) for _ in range(2))
    more = friends.copy()
    more[i, j] = True
    before, after = (friend_or_foe(table)(payoffs) for table in (friends, more))
    assert after.values[i] >= before.values[i] - 1e-8
    others = np.arange(n) != i
    assert_allclose(after.values[others], before.values[others], atol=1e-12)
    best, worst = (friend_or_foe(np.full((n, n), x))(payoffs).values for x in (True, False))
    assert_array_equal(best, payoffs.reshape(n, -1).max(axis=1))
    assert (worst <= before.values + 1e-8).all()
    assert_allclose(before.play.sum(), 1.0, atol=1e-9)


@given(games(3, 3))
def test_a_coalition_plays_what_secures_its_value(game):
    """Player 1 with friend 2 against 3: the value is that of the matrix ((1, 2), 3)."""
    u = game.payoffs[0]
    friends = np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    value = friend_or_foe(friends)(game.payoffs).values[0]
    pairs = u.reshape(-1, u.shape[2])
    assert pairs.min(axis=1).max() - 1e-9 <= value <= pairs.max(axis=0).min() + 1e-9
    assert_allclose(value, minimax(np.stack([pairs, -pairs])).values[0], atol=1e-9)
    swapped = np.swapaxes(game.payoffs, 1, 2)[[0, 2, 1]]  # players 2 and 3 change places
    swapped = np.swapaxes(np.swapaxes(swapped, 1, 2), 2, 3)
    turned = np.array([[0, 0, 1], [0, 0, 0], [0, 0, 0]])
    assert_allclose(friend_or_foe(turned)(swapped).values[0], value, atol=1e-9)


def test_a_product_is_the_play_of_independent_players():
    assert_array_equal(
        product((np.array([1.0, 0.0]), np.array([0.25, 0.75]))), [[0.25, 0.75], [0, 0]]
    )


@pytest.mark.equation("1.13")
def test_the_nash_operator_need_not_contract():
    """Battle of the sexes: a future worth 0.01 more to one player moves the values by 1."""
    transition = np.zeros((2, 2, 2, 2))
    transition[..., 1] = 1.0  # whatever is done, state 2 follows; only from (2, 2) it pays
    transition[0, 0, 0] = [1.0, 0.0]
    reward = np.zeros((2, 2, 2, 2))
    reward[:, 0] = [[[2, 0], [0, 1]], [[1, 0], [0, 2]]]
    game = MarkovGame(transition, reward, 0.5)
    v, w = np.array([[0.01, 0], [0, 0]]), np.array([[-0.01, 0], [0, 0]])
    moved = np.abs(operator(game, nash, v) - operator(game, nash, w)).max()
    assert np.abs(v - w).max() == 0.02
    assert moved >= 0.99
    for solver in (friend_or_foe(FRIENDS), friend_or_foe(FOES)):
        steps = np.abs(operator(game, solver, v) - operator(game, solver, w)).max()
        assert steps <= 0.5 * 0.02 + 1e-12


@pytest.mark.equation("1.13")
@settings(max_examples=30)
@given(common_interest(), st.data())
def test_with_common_interest_nash_is_friend_and_contracts(game, data):
    numbers = st.lists(st.integers(-9, 9), min_size=game.num_states, max_size=game.num_states)
    v, w = (np.array([data.draw(numbers)] * 2, dtype=float) for _ in range(2))
    now, then = operator(game, nash, v), operator(game, nash, w)
    assert np.abs(now - then).max() <= game.gamma * np.abs(v - w).max() + 1e-9
    assert_allclose(now, operator(game, friend_or_foe(FRIENDS), v), atol=1e-9)


@pytest.mark.equation("1.13")
@settings(max_examples=20)
@given(tables(), st.integers(0, 99), st.integers(1, 60))
def test_nash_q_is_minimax_q_on_zero_sum_games(case, seed, steps):
    one, other = (learn(case.game, rng(seed), steps) for learn in (minimax_q, nash_q))
    assert_allclose(other.q, one.q, atol=1e-8)
    assert_allclose(other.values, one.values, atol=1e-8)
    assert_array_equal(other.visits, one.visits)
    assert other.state == one.state
    foe = friend_or_foe_q(case.game, rng(seed), steps, FOES)
    assert_allclose(foe.values, one.values, atol=1e-8)


@settings(max_examples=30)
@given(tables(), st.integers(0, 99), st.integers(1, 60))
def test_one_player_s_q_is_the_other_s_with_the_other_sign(case, seed, steps):
    learnt = minimax_q(case.game, rng(seed), steps, schedule=Schedule(explore=0.5))
    assert_array_equal(learnt.q[1], -learnt.q[0])
    assert_array_equal(learnt.values[1], -learnt.values[0])
    assert learnt.visits.sum() == steps
    assert (learnt.q[0][learnt.visits == 0] == 0).all()
    largest = np.abs(case.reward).max() / (1 - case.gamma)
    assert np.abs(learnt.q).max() <= largest + 1e-9


@settings(max_examples=30)
@given(tables(), st.integers(0, 99), st.integers(1, 30), st.integers(1, 30))
def test_steps_can_be_taken_in_several_calls(case, seed, first, second):
    schedule = Schedule(explore=0.3, restart=0.2, power=1.0)
    whole = minimax_q(case.game, rng(seed), first + second, schedule=schedule)
    source = rng(seed)
    half = minimax_q(case.game, source, first, schedule=schedule)
    kept = half.q.copy(), half.visits.copy(), half.values.copy(), half.play.copy(), half.state
    rest = minimax_q(case.game, source, second, half, schedule)
    for a, b in zip(rest, whole, strict=True):
        assert_array_equal(a, b)
    for a, b in zip(half, kept, strict=True):  # the start is left as it was
        assert_array_equal(a, b)


@pytest.mark.equation("1.13")
@settings(max_examples=30)
@given(tables(certain=True, gammas=(0.0, 0.5)), st.integers(0, 99))
def test_where_nothing_is_left_to_chance_the_solution_is_at_rest(case, seed):
    value = shapley_iteration(case.game, tol=1e-12).value
    row = case.reward + case.gamma * (case.transition @ value)
    start = known(case.game, np.stack([row, -row]), minimax)
    assert_allclose(start.values[0], value, atol=1e-8)
    assert_allclose(minimax_q(case.game, rng(seed), 30, start).q, start.q, atol=1e-7)


@pytest.mark.equation("1.13")
@settings(max_examples=30)
@given(tables(gammas=(0.0,)), st.integers(0, 99))
def test_without_a_future_one_visit_teaches_the_reward(case, seed):
    learnt = minimax_q(case.game, rng(seed), 50)
    seen = learnt.visits > 0
    assert_array_equal(learnt.q[0][seen], case.reward[seen])


@pytest.mark.equation("1.13")
@settings(max_examples=10)
@given(tables(max_states=2, max_actions=2, certain=True, gammas=(0.5,)), st.integers(0, 99))
def test_minimax_q_converges_to_shapley_s_values(case, seed):
    """Certain transitions: no noise, and the bias goes down like exp(-(1 - γ) Σ α).

    A state that only restarts lead to is visited some 150 times, each of its pairs 37 times: Σ α
    is 10, the bias is exp(-5) of values up to 8, and as much again from the states that follow.
    """
    learnt = minimax_q(case.game, rng(seed), 3000)
    assert_allclose(learnt.values[0], shapley_iteration(case.game).value, atol=0.25)


@pytest.mark.slow
@pytest.mark.equation("1.13")
@pytest.mark.parametrize("seed", range(5))
def test_minimax_q_converges_where_transitions_are_drawn(seed):
    """Noise has a deviation of about γ spread(V) √(α/2): 0.03 at 2500 visits of each pair."""
    source = rng(seed)
    transition, row = source.dirichlet(np.ones(2), size=(2, 2, 2)), source.uniform(-1, 1, (2, 2, 2))
    game = MarkovGame(transition, np.stack([row, -row]), 0.5)
    learnt = minimax_q(game, source, 20_000)
    assert_allclose(learnt.values[0], shapley_iteration(game).value, atol=0.05)


@settings(max_examples=8)
@given(common_interest().filter(lambda game: game.reward[0].size <= 8), st.integers(0, 99))
def test_friends_and_correlated_players_with_common_interest_learn_alike(game, seed):
    friend = friend_or_foe_q(game, rng(seed), 60, FRIENDS)
    together = correlated_q(game, rng(seed), 60)
    assert_allclose(together.q, friend.q, atol=1e-5)
    assert_array_equal(friend.values[0], friend.q[0].reshape(game.num_states, -1).max(axis=1))


def test_three_friends_learn_the_best_joint_action():
    reward = np.zeros((3, 1, 2, 2, 2))
    reward[:, 0, 1, 0, 1] = 1.0
    game = MarkovGame(np.ones((1, 2, 2, 2, 1)), reward, 0.5)
    learnt = friend_or_foe_q(game, rng(), 2000, np.ones((3, 3)))
    assert_allclose(learnt.values[:, 0], 2.0, atol=0.1)  # 1 / (1 - 0.5)
    assert learnt.play[0, 1, 0, 1] == 1.0


def test_who_does_not_explore_plays_what_was_learnt():
    row = np.array([[[1.0, 1.0], [2.0, 2.0]]])
    game = MarkovGame(np.ones((1, 2, 2, 1)), np.stack([row, -row]), 0.5)
    start = known(game, np.stack([row, -row]), minimax)
    learnt = minimax_q(game, rng(), 40, start, Schedule(explore=0.0))
    assert learnt.visits[0, 0].sum() == 0
    assert learnt.visits[0, 1].sum() == 40


@pytest.mark.parametrize(("restart", "seen"), [(0.0, 0), (1.0, 1)])
def test_only_a_restart_leaves_an_absorbing_state(restart, seen):
    stay = np.zeros((3, 1, 1, 3))
    stay[..., 2] = 1.0
    game = MarkovGame(stay, np.zeros((2, 3, 1, 1)), 0.5, initial=[0, 0, 1])
    learnt = minimax_q(game, rng(), 600, schedule=Schedule(restart=restart))
    if seen:
        assert_allclose(learnt.visits.ravel() / 600, 1 / 3, atol=0.08)  # 4 standard deviations
    else:
        assert_array_equal(learnt.visits.ravel(), [0, 0, 600])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5).filter(any))
def test_a_draw_takes_each_index_on_its_share_of_the_numbers_below_1(weights):
    """Sums of the weights are the seams; what has no weight is not drawn even there."""
    total = sum(weights)
    drawn = [_draw(np.array(weights), k / total) for k in range(total)]
    assert drawn == [i for i, w in enumerate(weights) for _ in range(w)]


def test_every_joint_action_is_tried_equally_often_and_transitions_follow_their_law():
    transition = np.full((2, 2, 3, 2), 0.5)
    transition[0] = [0.2, 0.8]
    game = MarkovGame(transition, np.zeros((2, 2, 2, 3)), 0.5)
    learnt = minimax_q(game, rng(), 6000, schedule=Schedule(restart=0.0))
    assert_allclose(learnt.visits.sum(axis=0) / 6000, 1 / 6, atol=0.02)
    # the stationary distribution of [[0.2, 0.8], [0.5, 0.5]] is (5, 8) / 13
    assert_allclose(learnt.visits.sum(axis=(1, 2)) / 6000, [5 / 13, 8 / 13], atol=0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"schedule": Schedule(explore=1.5)}, "schedule: need explore"),
        ({"schedule": Schedule(restart=-0.1)}, "schedule: need explore"),
        ({"schedule": Schedule(power=0.5)}, "power in"),
        ({"schedule": Schedule(power=float("nan"))}, "power in"),
    ],
)
def test_bad_options_are_refused(change, message):
    good = {"game": MarkovGame(np.ones((1, 1, 1, 1)), np.zeros((2, 1, 1, 1)), 0.5), "steps": 1}
    with pytest.raises(InputError, match=message):
        minimax_q(rng=rng(), **good | change)


def test_games_that_do_not_fit_are_refused():
    small = MarkovGame(np.ones((1, 1, 1, 1)), np.zeros((2, 1, 1, 1)), 0.5)
    large = MarkovGame(np.ones((1, 2, 1, 1)), np.zeros((2, 1, 2, 1)), 0.5)
    three = MarkovGame(np.ones((1, 1, 1, 1, 1)), np.zeros((3, 1, 1, 1, 1)), 0.5)
    equal = MarkovGame(np.ones((1, 1, 1, 1)), np.ones((2, 1, 1, 1)), 0.5)
    with pytest.raises(InputError, match="start: need Q of shape"):
        minimax_q(large, rng(), 1, minimax_q(small, rng(), 1))
    with pytest.raises(InputError, match="Nash-Q: need 2 players, got 3"):
        nash_q(three, rng(), 1)
    with pytest.raises(InputError, match="need R_2 = -R_1"):
        minimax_q(equal, rng(), 1)
    with pytest.raises(InputError, match="friends: need a square table"):
        friend_or_foe_q(small, rng(), 1, np.ones((2, 3)))
    with pytest.raises(InputError, match="friends: of 2 players, but the game has 3"):
        stage_q(three, rng(), 1, friend_or_foe(FOES))
