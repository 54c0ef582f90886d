"""Laws of (1.12): Markov games and the value of joint policies."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, expected_utility, markov_examples
from refmarl.games.markov import MarkovGame, evaluate, joint_dynamics, repeated, stage_game
from refmarl.testing.strategies import (
    REALS,
    games_with_profiles,
    markov_games,
    markov_games_with_policies,
    policies,
)

CASES = markov_games_with_policies()


def size(game):
    """What values may be as large as: R_max / (1 - γ)."""
    return np.abs(game.reward).max() / (1.0 - game.gamma)


def joint_weights(pi, s):
    """{a: Π_j π_j(a_j|s)}, one joint action at a time."""
    return {
        a: np.prod([p[s, k] for p, k in zip(pi, a, strict=True)])
        for a in product(*(range(p.shape[1]) for p in pi))
    }


@pytest.mark.equation("1.12")
@given(CASES)
def test_rows_of_the_chain_are_distributions_and_average_the_rows_of_p(case):
    game, pi = case
    chain, reward = joint_dynamics(game, pi)
    assert (chain >= 0).all()
    assert_allclose(chain.sum(axis=1), 1.0, atol=1e-12)
    for s in range(game.num_states):
        weights = joint_weights(pi, s).items()
        assert_allclose(chain[s], sum(w * game.transition[(s, *a)] for a, w in weights), atol=1e-12)
        expected = sum(w * game.reward[(slice(None), s, *a)] for a, w in weights)
        assert_allclose(reward[:, s], expected, atol=1e-12)


@pytest.mark.equation("1.12")
@given(CASES | markov_games_with_policies(elements=REALS))
def test_values_are_one_step_of_reward_and_the_values_of_what_follows(case):
    game, pi = case
    v = evaluate(game, pi)
    for s in range(game.num_states):
        total = 0.0
        for a, w in joint_weights(pi, s).items():
            follows = v @ game.transition[(s, *a)]
            total += w * (game.reward[(slice(None), s, *a)] + game.gamma * follows)
        assert_allclose(v[:, s], total, atol=1e-10 * max(1.0, size(game)))


@pytest.mark.equation("1.12")
@given(CASES)
def test_no_value_exceeds_the_largest_reward_for_ever(case):
    game, pi = case
    low, high = game.reward.min() / (1 - game.gamma), game.reward.max() / (1 - game.gamma)
    v = evaluate(game, pi)
    assert (v >= low - 1e-9 * (1 + size(game))).all()
    assert (v <= high + 1e-9 * (1 + size(game))).all()


@pytest.mark.equation("1.12")
@given(CASES)
def test_values_are_what_the_discounted_rewards_of_a_long_walk_add_up_to(case):
    game, pi = case
    chain, reward = joint_dynamics(game, pi)
    steps = 40 if game.gamma < 0.8 else 250
    total, here = np.zeros_like(reward), np.eye(game.num_states)
    for t in range(steps):
        total += game.gamma**t * reward @ here.T
        here = here @ chain
    tail = game.gamma**steps * size(game)  # nothing beyond it can add more
    assert (np.abs(evaluate(game, pi) - total) <= tail + 1e-9 * (1 + size(game))).all()


@pytest.mark.equation("1.12")
def test_the_mean_return_of_simulated_play_is_the_value():
    game = markov_examples.random_markov_game(np.random.default_rng(3), 3, (2, 3), 0.6)
    rng, walks, steps = np.random.default_rng(4), 20_000, 30
    pi = tuple(rng.dirichlet(np.ones(k), size=3) for k in game.num_actions)
    s, total = np.zeros(walks, dtype=int), np.zeros((2, walks))
    for t in range(steps):
        a, b = ((rng.random(walks)[:, None] > p[s].cumsum(axis=1)).sum(axis=1) for p in pi)
        total += game.gamma**t * game.reward[:, s, a, b]
        s = (rng.random(walks)[:, None] > game.transition[s, a, b].cumsum(axis=1)).sum(axis=1)
    error = total.std(axis=1) / np.sqrt(walks)
    assert (np.abs(total.mean(axis=1) - evaluate(game, pi)[:, 0]) < 4 * error + 1e-4).all()


@pytest.mark.equation("1.12")
@given(games_with_profiles(min_players=1), st.sampled_from([0.0, 0.5, 0.9]))
def test_a_repeated_game_pays_its_utility_in_every_round(case, gamma):
    game, x = case
    v = evaluate(repeated(game, gamma), [s[None] for s in x])
    expected = expected_utility(game, x) / (1.0 - gamma)
    assert_allclose(v[:, 0], expected, atol=1e-9)


@pytest.mark.equation("1.12")
@given(CASES)
def test_the_stage_game_of_the_values_pays_the_values(case):
    game, pi = case
    v = evaluate(game, pi)
    for s in range(game.num_states):
        stage = stage_game(game, v, s)
        expected = expected_utility(stage, [p[s] for p in pi])
        assert_allclose(expected, v[:, s], atol=1e-10 * max(1.0, size(game)))


@given(markov_games(), st.data())
def test_a_stage_game_is_the_reward_plus_what_follows(game, data):
    s = data.draw(st.integers(0, game.num_states - 1))
    v = np.arange(game.num_players * game.num_states, dtype=float) ** 2
    v = v.reshape(game.num_players, game.num_states)
    stage = stage_game(game, v, s)
    for a in product(*map(range, game.num_actions)):
        for i in range(game.num_players):
            follows = sum(p * x for p, x in zip(game.transition[(s, *a)], v[i], strict=True))
            expected = game.reward[(i, s, *a)] + game.gamma * follows
            assert_allclose(stage.payoffs[(i, *a)], expected, atol=1e-12)


@pytest.mark.equation("1.12")
@given(CASES, st.data())
def test_renaming_states_and_players_renames_the_values(case, data):
    game, pi = case
    n = game.num_players
    to = data.draw(st.permutations(range(game.num_states)))
    who = data.draw(st.permutations(range(n)))
    moves = game.transition[to][..., to].transpose(0, *(1 + k for k in who), n + 1)
    reward = game.reward[who][:, to].transpose(0, 1, *(2 + k for k in who))
    other = MarkovGame(moves, reward, game.gamma)
    v = evaluate(other, [pi[k][to] for k in who])
    assert_allclose(v, evaluate(game, pi)[who][:, to], atol=1e-9 * (1 + size(game)))


@pytest.mark.equation("1.12")
@given(CASES, st.floats(-3, 3), st.floats(-3, 3))
def test_values_are_affine_in_the_rewards(case, scale, added):
    game, pi = case
    other = MarkovGame(game.transition, scale * game.reward + added, game.gamma)
    expected = scale * evaluate(game, pi) + added / (1.0 - game.gamma)
    assert_allclose(evaluate(other, pi), expected, atol=1e-9 * (1 + 4 * size(game) + 400))


@pytest.mark.equation("1.12")
@given(markov_games(min_players=2, zero_sum=True), st.data())
def test_zero_sum_rewards_give_zero_sum_values(game, data):
    v = evaluate(game, data.draw(policies(game)))
    assert_allclose(v.sum(axis=0), 0.0, atol=1e-9 * (1 + size(game)))


@given(markov_games(), st.data())
def test_policies_are_made_to_add_up_and_pure_ones_are_pure(game, data):
    actions = [
        [data.draw(st.integers(0, k - 1)) for _ in range(game.num_states)] for k in game.num_actions
    ]
    pure = game.pure(actions)
    for p, row in zip(pure, actions, strict=True):
        assert_array_equal(p.argmax(axis=1), row)
        assert_array_equal(np.sort(p, axis=1)[:, -1], 1.0)
    off = game.policies([p * (1 + 5e-7) for p in game.uniform()])
    for p, q in zip(off, game.uniform(), strict=True):
        assert_allclose(p, q, rtol=1e-15)
    assert all((p >= 0).all() for p in game.policies([p - 1e-10 for p in pure]))


@given(markov_games())
def test_a_game_made_from_the_tables_of_another_is_the_same(game):
    again = MarkovGame(game.transition, game.reward, game.gamma, game.initial)
    assert_array_equal(again.transition, game.transition)
    assert_array_equal(again.initial, game.initial)
    off = MarkovGame(game.transition * (1 + 9e-10), game.reward, game.gamma)
    assert_allclose(off.transition.sum(axis=-1), 1.0, rtol=1e-15)


def test_a_discount_near_one_keeps_its_digits():
    game = markov_examples.big_match(1.0 - 1e-9)
    v = evaluate(game, game.pure([[0, 0, 0], [0, 0, 0]]))
    assert_allclose(v[:, 0] * 1e-9, [1.0, -1.0], rtol=1e-6)


# the class


def test_arrays_are_copied_and_read_only():
    reward = np.zeros((1, 2, 1))
    game = MarkovGame([[[0, 1]], [[1, 0]]], reward, 0)
    reward[:] = 7
    assert_array_equal(game.reward, np.zeros((1, 2, 1)))
    for array in (game.transition, game.reward, game.initial):
        with pytest.raises(ValueError, match="read-only"):
            array[..., 0] = 1
    assert (game.gamma, game.states, game.players) == (0.0, ("1", "2"), ("1",))
    assert_array_equal(game.initial, [0.5, 0.5])


def test_names_of_a_repeated_game_are_kept():
    game = repeated(NormalForm(np.zeros((2, 1, 1)), title="T", players=("a", "b")), 0.5)
    assert (game.title, game.players) == ("T", ("a", "b"))
    assert stage_game(game, np.zeros((2, 1)), 0).players == ("a", "b")


STAY, NOTHING = np.ones((1, 2, 2, 1)), np.zeros((2, 1, 2, 2))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"transition": np.ones((1, 2, 1, 1))}, r"transition: .* needs shape \(1, 2, 2, 1\)"),
        ({"reward": np.zeros((3, 1, 2, 2))}, "reward: 3 players need 5 axes"),
        ({"reward": 1.0}, "reward: 0 players"),
        ({"reward": [[1, 2], [1]]}, "reward: rows of unequal length"),
        ({"reward": NOTHING + np.nan}, "reward: nan at index"),
        ({"transition": 0.5 * STAY}, "transition: need probabilities .* sum 0.5"),
        ({"transition": STAY * (1 + 1e-8)}, "transition: need probabilities"),
        ({"gamma": 1.0}, "gamma: need 0 ≤ γ"),
        ({"gamma": -0.1}, "gamma: need 0 ≤ γ"),
        ({"gamma": float("nan")}, "gamma: need 0 ≤ γ"),
        ({"gamma": True}, "gamma: need a number"),
        ({"gamma": "0.9"}, "gamma: need a number"),
        ({"initial": [0.5, 0.5]}, "initial: need 1 probabilities, got 2"),
        ({"initial": [0.9]}, "initial: need probabilities"),
        ({"states": ("a", "b")}, "states: need 1 names, got 2"),
        ({"players": ("a",)}, "players: need 2 names, got 1"),
        ({"transition": np.broadcast_to(1.0, (4000, 1, 1, 4000))}, "the cap is 10000000"),
    ],
)
def test_what_is_no_game_is_refused_in_one_line(fields, message):
    with pytest.raises(InputError, match=message) as error:
        MarkovGame(**{"transition": STAY, "reward": NOTHING, "gamma": 0.5} | fields)
    assert "\n" not in str(error.value)


def test_negative_probabilities_are_refused_though_they_add_up():
    with pytest.raises(InputError, match="smallest -1"):
        MarkovGame([[[2, -1]], [[1, 0]]], np.zeros((1, 2, 1)), 0.5)


@pytest.mark.parametrize(
    ("pi", "message"),
    [
        (([[1, 0]],), "policies: need 2, got 1"),
        (([[1, 0]], [1, 0]), r"policy of player 1: need shape \(1, 2\), got \(2,\)"),
        (([[1, 0]], [[1]]), "policy of player 1: need 2 probabilities"),
        (([[1, 1]], [[1, 0]]), "policy of player 0: need probabilities"),
        (([[1, 0], [1, 0]], [[1, 0]]), r"policy of player 0: need shape \(1, 2\)"),
    ],
)
def test_what_is_no_policy_is_refused(pi, message):
    with pytest.raises(InputError, match=message):
        evaluate(MarkovGame(STAY, NOTHING, 0.5), pi)


def test_other_bad_arguments_are_refused():
    game = MarkovGame(STAY, NOTHING, 0.5)
    with pytest.raises(InputError, match=r"values: need shape \(2, 1\)"):
        stage_game(game, np.zeros((1, 2)), 0)
    with pytest.raises(InputError, match=r"state: need an index in 0\.\.0"):
        stage_game(game, np.zeros((2, 1)), 1)
    with pytest.raises(InputError, match="actions: need 2 rows"):
        game.pure([[0]])
    with pytest.raises(InputError, match="need one for each of 1 states"):
        game.pure([[0], [0, 1]])
    with pytest.raises(InputError, match="action of player 1"):
        game.pure([[0], [2]])


# examples


def test_the_examples_with_known_values_have_them():
    for gamma in (0.0, 0.5, 0.9, 0.999):
        game = markov_examples.pennies_until_equal(gamma)
        assert_allclose(evaluate(game, game.uniform())[0], [1 / (2 - gamma), 0], rtol=1e-9)
        game = markov_examples.big_match(gamma)
        guess = (1 - gamma) / (2 - gamma)
        for named in (0.0, 0.3, 1.0):  # player 1's best policy gets the same from either name
            mine = np.tile([1 - guess, guess], (3, 1))
            v = evaluate(game, (mine, np.tile([1 - named, named], (3, 1))))
            assert_allclose(v[0, 0] * (1 - gamma), 0.5, rtol=1e-9)
        for guessed in (0.0, 0.3, 1.0):
            theirs = np.full((3, 2), 0.5)
            v = evaluate(game, (np.tile([1 - guessed, guessed], (3, 1)), theirs))
            assert_allclose(v[0, 0] * (1 - gamma), 0.5, rtol=1e-9)


def test_tit_for_tat_is_exploited_once():
    game = markov_examples.remembered_dilemma(0.5)  # states cc, cd, dc, dd: player 1's first
    copies, defects = [0, 1, 0, 1], [1, 1, 1, 1]
    assert_allclose(evaluate(game, game.pure([copies, defects]))[:, 0], [1.0, 6.0])
    assert_allclose(evaluate(game, game.pure([defects, [0, 0, 1, 1]]))[:, 0], [6.0, 1.0])


def test_every_named_game_has_one_title_and_names_for_its_states():
    games = list(markov_examples.examples(0.5))
    assert len({game.title for game in games}) == len(games) >= 6
    for game in games:
        assert len(game.states) == game.num_states
        assert_allclose(game.initial.sum(), 1.0)
        assert (np.abs(evaluate(game, game.uniform())) <= size(game) + 1e-12).all()


def test_the_field_of_soccer_is_the_same_from_both_ends():
    rows, columns, gamma = 2, 3, 0.9
    game = markov_examples.soccer(gamma, rows, columns)
    assert game.num_states == rows * columns * (rows * columns - 1) * 2
    field = list(product(range(rows), range(columns)))
    states = [(p, q, b) for p, q in product(field, repeat=2) if p != q for b in (0, 1)]

    def turned(state):
        (r, c), (r2, c2), ball = state
        far = rows - 1, columns - 1
        return ((far[0] - r2, far[1] - c2), (far[0] - r, far[1] - c), 1 - ball)

    to = [states.index(turned(state)) for state in states]
    step = [0, 2, 1, 4, 3]  # south for north, west for east
    moves = game.transition.transpose(0, 2, 1, 3)[to][:, step][:, :, step][..., to]
    assert_allclose(moves, game.transition, atol=1e-12)
    reward = game.reward[::-1].transpose(0, 1, 3, 2)[:, to][:, :, step][..., step]
    assert_allclose(reward, game.reward, atol=1e-12)


def test_a_goal_and_a_lost_ball_of_soccer():
    game = markov_examples.soccer(0.9)
    field = list(product(range(2), range(3)))
    states = [(p, q, b) for p, q in product(field, repeat=2) if p != q for b in (0, 1)]
    shot = states.index(((0, 2), (1, 0), 0))
    assert_array_equal(game.reward[:, shot, 3, 0], [1.0, -1.0])  # east
    assert_array_equal(game.transition[shot, 3, 0], game.initial)
    empty = states.index(((0, 2), (1, 0), 1))
    assert game.reward[0, empty, 3, 0] == 0.0  # without the ball there is no goal
    met = states.index(((0, 0), (0, 1), 0))
    assert game.transition[met, 3, 0, states.index(((0, 0), (0, 1), 1))] == 1.0
    north = game.transition[met, 3, 2]  # the other leaves south, before or after
    assert north[states.index(((0, 1), (1, 1), 0))] == 0.5
    assert north[states.index(((0, 0), (1, 1), 1))] == 0.5


def test_a_pursuer_and_an_evader_who_move_alike_keep_their_distance():
    game = markov_examples.pursuit(4, 0.5)
    for k in range(3):
        assert_array_equal(game.transition[:, k, k], np.eye(4))
    assert_array_equal(game.transition[1, 2, 1], np.eye(4)[0])  # a step nearer
    assert_array_equal(game.transition[3, 1, 2], np.eye(4)[0])  # it runs once round


@given(st.integers(0, 99), st.sampled_from(["general", "team", "zero-sum"]))
@settings(max_examples=15)
def test_random_games_are_what_they_are_called(seed, kind):
    make = markov_examples.random_markov_game
    game = make(np.random.default_rng(seed), 3, (2, 1, 2), 0.5, kind, concentration=0.01)
    again = make(np.random.default_rng(seed), 3, (2, 1, 2), 0.5, kind, concentration=0.01)
    assert_array_equal(game.transition, again.transition)
    assert_array_equal(game.reward, again.reward)
    if kind == "zero-sum":
        assert_array_equal(game.reward.sum(axis=0), 0.0)
    if kind == "team":
        assert_array_equal(game.reward, game.reward[[0, 0, 0]])


def test_random_games_refuse_what_they_cannot_make():
    make, rng = markov_examples.random_markov_game, np.random.default_rng(0)
    with pytest.raises(InputError, match="num_states"):
        make(rng, 0, (2, 2), 0.5)
    with pytest.raises(InputError, match="kind: need one of general, team, zero-sum"):
        make(rng, 2, (2, 2), 0.5, "common")
    with pytest.raises(InputError, match="concentration"):
        make(rng, 2, (2, 2), 0.5, concentration=0.0)
    with pytest.raises(InputError, match="cap"):
        make(rng, 2000, (2, 2), 0.5)
    with pytest.raises(InputError, match="two cells"):
        markov_examples.soccer(0.5, 1, 1)
