"""Row 2.10: difference rewards are aligned with the team's, and what follows."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative.difference import (
    DifferenceRewards,
    aristocrat_utilities,
    difference_rewards,
)
from refmarl.env_api import random_actions
from refmarl.envs import CartPole, Foraging, Matrix, Navigation, Pendulum
from refmarl.envs import SpeakerListener as Speakers
from refmarl.games import NormalForm, pure_equilibria
from refmarl.testing.check_env import check_env

SEEDS = st.integers(0, 2**32)


@st.composite
def teams(draw, lead=()):
    """(G, defaults)."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(SEEDS))
    team = rng.standard_normal((*lead, *sizes)) * 10.0 ** rng.integers(-3, 4)
    return team, [int(rng.integers(k)) for k in sizes]


def moved(a, i, k):
    return (*a[:i], k, *a[i + 1 :])


@pytest.mark.equation("2.10")
@given(teams())
def test_a_change_of_one_action_changes_its_reward_as_the_teams(case):
    team, defaults = case
    d = difference_rewards(team, defaults)
    for i, size in enumerate(team.shape):
        for a in product(*map(range, team.shape)):
            for k in range(size):
                b = moved(a, i, k)
                assert_allclose(
                    d[i][b] - d[i][a], team[b] - team[a], atol=1e-12 * np.abs(team).max()
                )


@pytest.mark.equation("2.10")
@given(teams(lead=(2,)))
def test_at_the_default_action_it_is_zero(case):
    team, defaults = case
    for i, (d, c) in enumerate(zip(difference_rewards(team, defaults), defaults, strict=True)):
        assert_array_equal(d.take(c, axis=1 + i), 0.0)


@pytest.mark.equation("2.10")
@given(teams())
def test_the_game_of_difference_rewards_has_the_teams_equilibria(case):
    team, defaults = case
    shared = NormalForm(np.stack([team] * team.ndim))
    own = NormalForm(difference_rewards(team, defaults))
    assert set(pure_equilibria(own, tol=1e-9)) == set(pure_equilibria(shared, tol=1e-9))


@given(teams(), SEEDS)
def test_a_mixture_at_the_default_is_the_default(case, seed):
    team, defaults = case
    pure = [np.eye(k)[c] for k, c in zip(team.shape, defaults, strict=True)]
    assert_allclose(aristocrat_utilities(team, pure), difference_rewards(team, defaults), atol=1e-9)


@given(teams(lead=(2,)), SEEDS)
def test_the_aristocrats_mean_over_its_own_action_is_zero(case, seed):
    team, _ = case
    rng = np.random.default_rng(seed)
    policies = [rng.dirichlet(np.ones(k), size=2) for k in team.shape[1:]]
    for i, u in enumerate(aristocrat_utilities(team, policies)):
        weights = policies[i].reshape(2, *(k if j == i else 1 for j, k in enumerate(u.shape[1:])))
        assert_allclose((u * weights).sum(axis=1 + i), 0.0, atol=1e-9 * np.abs(team).max())


@given(SEEDS, st.integers(1, 4))
def test_of_a_sum_of_parts_everybody_gets_its_own(seed, n):
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((n, 3))
    team = np.zeros((3,) * n)
    for i, p in enumerate(parts):
        team += p.reshape(*(3 if j == i else 1 for j in range(n)))
    for i, d in enumerate(difference_rewards(team, [0] * n)):
        own = parts[i] - parts[i, 0]
        shape = tuple(3 if j == i else 1 for j in range(n))
        assert_allclose(d, np.broadcast_to(own.reshape(shape), d.shape), atol=1e-12)


# -- environments -----------------------------------------------------------------------


@pytest.mark.parametrize("game", ["climbing", "stag-hunt"])
def test_the_environment_pays_what_the_table_says(game):
    env = DifferenceRewards(Matrix(game=game), default=1)
    team = env.env.stage.payoffs.mean(axis=0)
    table = difference_rewards(team, [1, 1])
    state = env.reset(np.random.default_rng(0), team.size)
    joint = np.array(list(np.ndindex(team.shape)))
    _, step = env.step(state, (joint,))
    assert_allclose(step.reward[0], table[:, joint[:, 0], joint[:, 1]].T, atol=1e-12)


@given(SEEDS, st.booleans())
def test_with_several_groups_every_agent_is_replaced_alone(seed, worlds):
    """One agent at a time, from the same state, in the second step of a play."""
    rng = np.random.default_rng(seed)
    table = NormalForm(rng.standard_normal((3, 2, 3, 2)))
    inside = Speakers(listeners=2, velocity_first=True) if worlds else Matrix(table)
    env = DifferenceRewards(inside, default=1)
    state = env.reset(rng, 3)
    state, _ = env.step(state, random_actions(env, rng, state))
    actions = random_actions(env, rng, state)
    _, step = env.step(state, actions)
    team = np.concatenate(inside.step(state, actions)[1].reward, axis=1).mean(axis=1)
    column, paid = 0, np.concatenate(step.reward, axis=1)
    for g, given_ in enumerate(actions):
        for k in range(given_.shape[1]):
            other = given_.copy()
            other[:, k] = 1
            replaced = (*actions[:g], other, *actions[g + 1 :])
            without = np.concatenate(inside.step(state, replaced)[1].reward, axis=1).mean(axis=1)
            assert_allclose(paid[:, column], team - without, atol=1e-12)
            column += 1


@given(SEEDS)
def test_an_action_that_is_felt_a_step_later_makes_no_difference_now(seed):
    """MPE2 moves with the old velocity; with the new one an action counts at once."""
    rng = np.random.default_rng(seed)
    found = []
    for first in (False, True):
        env = DifferenceRewards(Navigation(velocity_first=first))
        state = env.reset(rng, 4)
        actions = (rng.integers(1, 5, (4, 3)),)
        found.append(env.step(state, actions)[1].reward[0])
    assert_array_equal(found[0], 0.0)
    assert (found[1] != 0.0).any()


@pytest.mark.parametrize(
    "env", [Navigation(horizon=6), Foraging(), CartPole()], ids=lambda env: env.name
)
def test_it_keeps_all_promises(env):
    check_env(DifferenceRewards(env))


def test_what_cannot_be_replaced_is_refused():
    with pytest.raises(InputError, match="discrete"):
        DifferenceRewards(Pendulum())
    with pytest.raises(InputError, match="default"):
        DifferenceRewards(CartPole(), default=2)
    with pytest.raises(InputError, match="default action of agent 1"):
        difference_rewards([[1.0, 2.0]], [0, 2])
    with pytest.raises(InputError, match="team"):
        difference_rewards([1.0, 2.0], [0, 0])
    with pytest.raises(InputError, match="policy of agent 0"):
        aristocrat_utilities([[1.0, 2.0]], [[[0.5], [0.5]], [0.5, 0.5]])
