"""Collected batches: episodes run on, ends are kept, and batch sizes do not matter."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.env_api import advance, take
from refmarl.envs import CartPole
from refmarl.rollout import Act, begin, collect, next_values

ENV = CartPole(horizon=12)


def leaning(obs, mask, memory):
    """Push to where the pole falls, badly enough to end soon; counts its steps in the memory."""
    action = (obs[0][..., 2] > 0.02).astype(int)
    return Act((action,), (np.zeros(action.shape),), tuple(m + 1 for m in memory))


def sample(seed, copies, memory=False):
    start = (np.zeros((copies, 2)),) if memory else ()
    return begin(ENV, np.random.default_rng(seed), copies, start)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
def test_two_batches_are_one_long_batch_cut_in_two(seed, copies, first, second):
    roll = sample(seed, copies, memory=True)
    _, whole = collect(ENV, leaning, roll, first + second)
    roll, one = collect(ENV, leaning, roll, first)
    roll, two = collect(ENV, leaning, roll, second)
    for name in ("action", "reward"):
        both = np.concatenate([getattr(one, name)[0], getattr(two, name)[0]])
        assert_array_equal(both, getattr(whole, name)[0])
    assert_array_equal(np.concatenate([one.ended, two.ended]), whole.ended)
    assert_array_equal(np.concatenate([one.obs[0][:-1], two.obs[0]]), whole.obs[0])
    assert_array_equal(np.concatenate([one.returns, two.returns]), whole.returns)
    assert_array_equal(np.concatenate([one.lengths, two.lengths]), whole.lengths)
    assert_array_equal(np.concatenate([one.final[0], two.final[0]]), whole.final[0])
    assert_array_equal(np.concatenate([one.at, two.at + np.array([first, 0])]), whole.at)


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_a_copy_does_not_see_the_others(seed, copies):
    roll = sample(seed, copies)
    _, together = collect(ENV, leaning, roll, 30)
    for b in range(copies):
        alone = roll._replace(state=take(roll.state, [b]), total=roll.total[[b]])
        _, single = collect(ENV, leaning, alone, 30)
        assert_array_equal(single.obs[0][:, 0], together.obs[0][:, b])
        assert_array_equal(single.ended[:, 0], together.ended[:, b])


@given(st.integers(0, 10**6))
def test_returns_and_lengths_are_those_of_the_episodes(seed):
    _, batch = collect(ENV, leaning, sample(seed, 3), 40)
    for b in range(3):
        ends = np.flatnonzero(batch.ended[:, b])
        mine = batch.at[:, 1] == b
        assert_array_equal(batch.at[mine, 0], ends)
        assert_array_equal(batch.lengths[mine], np.diff(ends, prepend=-1))
        assert_array_equal(batch.returns[mine], batch.lengths[mine])  # one for every step
    assert not (batch.terminated & batch.truncated).any()
    assert (batch.lengths[batch.truncated[tuple(batch.at.T)]] == 12).all()


@given(st.integers(0, 10**6))
def test_the_last_observation_of_an_episode_is_not_that_of_the_next(seed):
    _, batch = collect(ENV, leaning, sample(seed, 3), 40)
    value, final = batch.obs[0].sum(axis=-1), batch.final[0].sum(axis=-1)
    after = next_values(value, final, batch)
    inside = ~batch.ended
    assert_array_equal(after[inside], value[1:][inside])
    t, b = batch.at.T
    assert_array_equal(after[t, b], final)
    assert (after[t, b] != value[1:][t, b]).all()


@given(st.integers(0, 10**6))
def test_memory_begins_at_zero_with_every_episode(seed):
    roll, batch = collect(ENV, leaning, sample(seed, 3, memory=True), 40)
    since = 40 - 1 - np.array([np.flatnonzero(batch.ended[:, b]).max() for b in range(3)])
    assert_array_equal(roll.memory[0][:, 0], since)


def test_ended_copies_and_only_they_restart():
    state = ENV.reset(np.random.default_rng(0), 4)
    late = state._replace(t=np.array([0, 11, 3, 11]))
    state, step, final = advance(ENV, late, (np.ones((4, 1), int),))
    assert_array_equal(step.truncated, [False, True, False, True])
    assert_array_equal(final.t, [1, 12, 4, 12])
    assert_array_equal(state.t, [1, 0, 4, 0])
    assert_array_equal(state.key == final.key, [True, False, True, False])
    assert_array_equal(state.x[[0, 2]], final.x[[0, 2]])
