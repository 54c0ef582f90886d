"""Games unrolled over histories, and (1.14) for policies that remember."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import MarkovGame
from refmarl.games.histories import unroll
from refmarl.games.policy_gradient import occupancy, policy_gradient, softmax_policies
from refmarl.games.reinforce import enumerate_plays
from refmarl.testing.strategies import games_with_logits

CASES = games_with_logits(max_players=2, max_actions=2, max_states=2)


def last_seen(histories):
    """What each history ends with; of the empty one, 0."""
    return np.array([h[-1] if h else 0 for h in histories])


@pytest.mark.equation("1.14")
@settings(max_examples=20)
@given(CASES, st.integers(1, 3))
def test_policies_that_forget_are_worth_the_same_and_their_gradient_is_the_sum(case, horizon):
    game, logits, observe = case
    longer, seen, histories = unroll(game, horizon, observe)
    tied = [x[last_seen(h)] for x, h in zip(logits, histories, strict=True)]
    found = policy_gradient(longer, tied, seen)
    expected = policy_gradient(game, logits, observe, horizon)
    size = max(1.0, np.abs(game.reward).max()) * horizon**2
    assert_allclose(found.values, expected.values, atol=1e-12 * size)
    for x, g, h, past in zip(logits, found.gradient, expected.gradient, histories, strict=True):
        total = np.zeros_like(x)
        np.add.at(total, last_seen(past), g)
        assert_allclose(total, h, atol=1e-12 * size)


@settings(max_examples=20)
@given(CASES, st.integers(1, 3))
def test_histories_are_what_plays_look_like_to_each_player(case, horizon):
    game, logits, observe = case
    longer, seen, histories = unroll(game, horizon, observe)
    plays, _ = enumerate_plays(game, softmax_policies(game, logits, observe), horizon)
    rows = observe or [list(range(game.num_states))] * game.num_players
    for i, row in enumerate(rows):
        expected = {()}
        for states, actions in zip(plays.states, plays.actions[i], strict=True):
            told = [x for s, a in zip(states, actions, strict=True) for x in (row[s], int(a))]
            expected |= {tuple(told[: 2 * t + 1]) for t in range(horizon)}
        assert set(histories[i]) == expected
        assert len(histories[i]) == len(expected)
        assert_array_equal(np.unique(seen[i]), np.arange(len(expected)))
    assert_allclose(longer.transition.sum(axis=-1), 1.0)


@settings(max_examples=20)
@given(CASES, st.integers(1, 3))
def test_every_state_but_the_end_is_visited_and_the_end_pays_nothing(case, horizon):
    game, _, observe = case
    longer, seen, histories = unroll(game, horizon, observe)
    even = [np.zeros((len(h), k)) for h, k in zip(histories, game.num_actions, strict=True)]
    visits = occupancy(longer, softmax_policies(longer, even, seen))
    if game.gamma > 0:
        assert (visits > 0).all()
    before = occupancy(longer, softmax_policies(longer, even, seen), horizon)
    assert before[-1] == 0.0
    assert_array_equal(longer.reward[:, -1], 0.0)


def cue(gamma=0.5):
    """A cue, left or right, is seen for one round; a round later both players have to follow it.

    States: cue left, cue right, then the same unseen, then the end. Both get 1 if both were right.
    """
    moves, reward = np.zeros((5, 2, 2, 5)), np.zeros((2, 5, 2, 2))
    for s, after in enumerate((2, 3, 4, 4, 4)):
        moves[s, ..., after] = 1.0
    reward[:, 2, 0, 0] = reward[:, 3, 1, 1] = 1.0
    game = MarkovGame(moves, reward, gamma, [0.5, 0.5, 0, 0, 0])
    return game, [[0, 1, 2, 2, 2]] * 2


@pytest.mark.equation("1.14")
def test_memory_pays_and_ascent_over_histories_finds_what_it_pays():
    game, observe = cue()
    best_blind = max(
        policy_gradient(game, [[[0, 0]] * 2 + [x]] * 2, observe).values[0]
        for x in ([0, 0], [0, 99], [99, 0], [0, 1], [0, -1])
    )
    assert_allclose(best_blind, 0.25)  # right half of the time, discounted once
    longer, seen, histories = unroll(game, 2, observe)
    rng = np.random.default_rng(0)
    logits = [rng.normal(size=(len(h), 2)) for h in histories]
    for _ in range(300):
        found = policy_gradient(longer, logits, seen)
        logits = [x + 20.0 * g for x, g in zip(logits, found.gradient, strict=True)]
    assert found.values[0] > 0.49  # of 0.5


def test_bad_input_and_too_many_histories():
    game, observe = cue()
    with pytest.raises(InputError, match="horizon"):
        unroll(game, 0, observe)
    with pytest.raises(InputError, match="observe"):
        unroll(game, 1, observe[:1])
    wide = MarkovGame(np.ones((4, 3, 3, 4)) / 4, np.zeros((2, 4, 3, 3)), 0.5)
    with pytest.raises(InputError, match=r"more than \d+ histories"):
        unroll(wide, 4)
