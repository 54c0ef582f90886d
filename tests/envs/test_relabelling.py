"""Agents counted otherwise: the same step, paid to the same agents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.cooperative.experience import beside
from refmarl.env_api import random_actions
from refmarl.envs import Allocation, Coverage, Matrix, TabularEnv
from refmarl.envs._players import split
from refmarl.envs.allocation import WELFARES
from refmarl.games import NormalForm
from refmarl.games.markov import MarkovGame

SEEDS = st.integers(0, 2**32)
ALIKE = st.one_of(
    st.builds(Coverage, st.integers(1, 5), st.integers(1, 2), continuous=st.booleans()),
    st.builds(Allocation, st.integers(1, 5), st.integers(1, 3), st.sampled_from(WELFARES)),
)


@settings(max_examples=40)
@given(ALIKE, SEEDS)
def test_agents_alike_may_change_places(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 3)
    (action,), order = random_actions(env, rng, state), rng.permutation(env.players)
    own = "at" if isinstance(env, Coverage) else "value"
    other = state._replace(**{own: getattr(state, own)[:, order]})
    after, step = env.step(state, (action,))
    moved, paid = env.step(other, (action[:, order],))
    assert_allclose(paid.reward[0], step.reward[0][:, order], atol=1e-12)
    left = "at" if isinstance(env, Coverage) else "given"  # values are drawn anew
    assert_allclose(getattr(moved, left), getattr(after, left)[:, order], atol=1e-12)
    seen, shown = env.observe(state)[0][:, order], env.observe(other)[0]
    size = seen.shape[-1] // env.players  # the own numbers first, the others' in turn
    assert_array_equal(shown[..., :size], seen[..., :size])
    assert_allclose(np.sort(shown), np.sort(seen), atol=1e-12)


def games(rng, players, states):
    """(a stage game, a Markov game), each with the order of its players changed, and the order."""
    sizes, order = rng.integers(1, 4, players), rng.permutation(players)
    pay = rng.standard_normal((players, states, *sizes))
    moves = rng.dirichlet(np.ones(states), (states, *sizes))
    stage = [NormalForm(pay[:, 0]), NormalForm(pay[order, 0].transpose(0, *(1 + order)))]
    turned = moves.transpose(0, *(1 + order), 1 + players)
    markov = (
        MarkovGame(moves, pay, 0.9),
        MarkovGame(turned, pay[order].transpose(0, 1, *(2 + order)), 0.9),
    )
    return stage, markov, order


@pytest.mark.parametrize("table", [False, True])
@settings(max_examples=20)
@given(SEEDS, st.integers(1, 3), st.integers(1, 3))
def test_a_game_with_its_players_counted_otherwise_is_the_same_game(table, seed, players, states):
    rng = np.random.default_rng(seed)
    stage, markov, order = games(rng, players, states)
    one, two = (
        (TabularEnv(g, horizon=4) for g in markov)
        if table
        else (Matrix(g, horizon=4) for g in stage)
    )
    state, other = (env.reset(np.random.default_rng(seed), 5) for env in (one, two))
    for _ in range(4):
        action = np.concatenate(random_actions(one, rng, state), axis=1)
        state, step = one.step(state, split(one.groups, action))
        other, paid = two.step(other, split(two.groups, action[:, order]))
        assert_array_equal(beside(paid.reward), beside(step.reward)[:, order])
        if table:
            assert_array_equal(other.s, state.s)
