"""Coverage: the cost, Lloyd's plan that never raises it, and bounds below it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.env_api import random_actions
from refmarl.envs import Coverage
from refmarl.testing.check_env import check_env

SEEDS = st.integers(0, 2**32)
SWARMS = st.builds(
    Coverage, st.integers(1, 6), st.integers(1, 2), st.integers(2, 12), continuous=st.booleans()
)


@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize("continuous", [False, True])
def test_it_keeps_all_promises(dimensions, continuous):
    check_env(Coverage(dimensions=dimensions, continuous=continuous, horizon=7))


def places(env):
    """(M^d, d)."""
    line = (np.arange(env.grid) + 0.5) / env.grid
    return np.stack(np.meshgrid(*[line] * env.dimensions), axis=-1).reshape(-1, env.dimensions)


@given(SWARMS, SEEDS)
def test_everybody_is_paid_less_the_mean_squared_distance_to_who_is_nearest(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 3)
    after, step = env.step(state, random_actions(env, rng, state))
    gap = ((places(env)[None, :, None] - after.at[:, None]) ** 2).sum(axis=-1)
    cost = gap.min(axis=2).mean(axis=1)
    assert_allclose(step.reward[0], -np.repeat(cost[:, None], env.players, axis=1), rtol=1e-10)
    assert (after.at >= 0).all()
    assert (after.at <= 1).all()
    assert (np.abs(after.at - state.at) <= env.speed + 1e-12).all()


@given(SWARMS, SEEDS)
def test_lloyds_step_never_raises_the_cost(env, seed):
    at = np.random.default_rng(seed).uniform(size=(5, env.players, env.dimensions))
    for _ in range(5):
        after = env.centres(at)
        assert (env.cost(after) <= env.cost(at) + 1e-12).all()
        at = after


@given(SWARMS, SEEDS)
def test_no_places_cost_less_than_the_bound(env, seed):
    at = np.random.default_rng(seed).uniform(size=(20, env.players, env.dimensions))
    for _ in range(8):
        at = env.centres(at)
    assert (env.cost(at) >= env.least_cost() - 1e-12).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_equal_pieces_of_an_interval_reach_the_bound(n):
    """S7.10: n = 5 at 0.1, 0.3, …, 0.9, cost 1/(12 n²); the grid's error is known exactly here."""
    env = Coverage(n, 1, grid=20 * n // np.gcd(20, n))
    even = ((np.arange(n) + 0.5) / n)[None, :, None]
    assert_allclose(env.cost(even), env.least_cost(), rtol=1e-10)
    assert_allclose(env.centres(even), even, atol=1e-12)
    fine = Coverage(n, 1, grid=200)
    assert fine.least_cost() == pytest.approx(1 / (12 * n**2), rel=1e-2)


def test_hexagons_are_nearly_reached_by_many():
    """A swarm of 50 after Lloyd's plan: within a tenth of what no swarm goes below."""
    env = Coverage(50, grid=60)
    at = np.random.default_rng(0).uniform(size=(1, 50, 2))
    for _ in range(100):
        at = env.centres(at)
    assert env.least_cost() <= env.cost(at)[0] <= 1.1 * env.least_cost()


@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_lloyds_plan_approaches_the_ceiling(seed, continuous):
    env = Coverage(continuous=continuous)
    rng = np.random.default_rng(seed)
    state = first = env.reset(rng, 10)
    total = np.zeros(10)
    while not state.ended.all():
        state, step = env.step(state, env.heuristic(state))
        total += step.reward[0].mean(axis=1)
    assert (total <= env.ceiling(first)).all()
    start = env.horizon * -env.cost(first.at)
    assert (total - start).mean() > 0.6 * (env.ceiling(first) - start).mean()
