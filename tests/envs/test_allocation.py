"""Resource allocation as an environment: what is paid, and that nobody beats the ceiling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.env_api import random_actions
from refmarl.envs import Allocation
from refmarl.envs.allocation import WELFARES
from refmarl.games.allocation import egalitarian, share_out
from refmarl.testing.check_env import check_env
from refmarl.training.certify import ceiling

SEEDS = st.integers(0, 2**32)
PAID = {
    "utilitarian": lambda u: u.mean(axis=1, keepdims=True) + 0 * u,
    "egalitarian": lambda u: u.min(axis=1, keepdims=True) + 0 * u,
    "nash": lambda u: u.prod(axis=1, keepdims=True) ** (1 / u.shape[1]) + 0 * u,
    "selfish": lambda u: u,
}


@pytest.mark.parametrize("welfare", WELFARES)
@pytest.mark.parametrize("continuous", [False, True])
def test_it_keeps_all_promises(welfare, continuous):
    check_env(Allocation(welfare=welfare, continuous=continuous))


@given(SEEDS, st.sampled_from(WELFARES), st.booleans(), st.integers(1, 4), st.integers(1, 4))
def test_everybody_is_paid_the_welfare_of_what_was_given_out(seed, welfare, continuous, n, m):
    env = Allocation(n, m, welfare, continuous=continuous)
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 3)
    actions = random_actions(env, rng, state)
    after, step = env.step(state, actions)
    asked = actions[0] if continuous else actions[0] / env.levels
    x = share_out(asked, np.ones(m))
    assert_allclose(after.given, x, atol=1e-12)
    assert (after.given.sum(axis=1) <= 1 + 1e-12).all()
    assert_allclose(step.reward[0], PAID[welfare]((state.value * x).sum(axis=2)), atol=1e-12)


@settings(max_examples=10)
@given(SEEDS, st.sampled_from(WELFARES))
def test_nobody_earns_more_than_the_ceiling(seed, welfare):
    env = Allocation(welfare=welfare, horizon=3)
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 20)
    most, total = env.ceiling(state), np.zeros(20)
    while not state.ended.all():
        plan = env.heuristic(state) if seed % 2 else random_actions(env, rng, state)
        state, step = env.step(state, plan)
        total += step.reward[0].mean(axis=1)
    assert (total <= most + 1e-9).all()
    if welfare in ("utilitarian", "selfish") and seed % 2:
        assert_allclose(total, most)  # the heuristic is the optimum


def test_the_egalitarian_optimum_can_be_asked_for_and_is_the_ceiling():
    env = Allocation(welfare="egalitarian", continuous=True, horizon=1)
    state = env.reset(np.random.default_rng(0), 5)
    asked = np.stack([egalitarian(v, np.ones(3)).x for v in state.value])
    _, step = env.step(state, (np.clip(asked, 0.0, 1.0),))
    assert_allclose(step.reward[0][:, 0], env.ceiling(state), rtol=1e-5)


def test_to_ask_for_everything_is_dominant_for_the_selfish():
    env = Allocation(welfare="selfish", continuous=True)
    rng = np.random.default_rng(0)
    state = env.reset(rng, 200)
    (asked,) = random_actions(env, rng, state)
    greedy = asked.copy()
    greedy[:, 0] = 1.0
    one, two = (env.step(state, (a,))[1].reward[0][:, 0] for a in (asked, greedy))
    assert (two >= one).all()


def test_the_ceiling_is_of_the_episodes_that_are_evaluated():
    env = Allocation()
    found = ceiling(env, np.random.default_rng(3), 10)
    assert found == pytest.approx(env.ceiling(env.reset(np.random.default_rng(3), 10)).mean())
