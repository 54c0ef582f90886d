"""One rule for what a team is paid, and everybody who needs one reward keeps to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import (
    attention_maac,
    coma,
    iql,
    maa2c,
    maac,
    qmix,
    qplex,
    qtran,
    vdn,
    wqmix,
)
from refmarl.cooperative.team_reward import EITHER, REWARDS, require_reward, shared, shared_of
from refmarl.envs import Matrix, Pursuit, TMaze
from refmarl.envs.foraging import Foraging
from refmarl.games.normal_form import NormalForm
from refmarl.testing.trajectories import SEEDS

ONE = pytest.mark.parametrize("algorithm", [coma, maa2c, qmix, qplex, qtran, vdn, wqmix])
FREE = pytest.mark.parametrize("algorithm", [maac, iql])
UNEQUAL = pytest.mark.parametrize("env", [Foraging(), Pursuit(), Matrix("matching-pennies")])


@given(SEEDS, st.integers(1, 4), st.integers(1, 3))
def test_a_teams_reward_is_one_number_and_the_groups_get_what_all_get(seed, first, second):
    rng = np.random.default_rng(seed)
    parts = tuple(rng.standard_normal((2, 3, n)) for n in (first, second))
    both = np.concatenate(parts, axis=-1)
    for kind, total in (("mean", both.mean(-1)), ("sum", both.sum(-1))):
        for got, own in zip(shared_of(parts, kind), parts, strict=True):
            assert got.shape == own.shape
            assert_allclose(got, np.broadcast_to(total[..., None], own.shape))
    assert shared_of(parts, "own") is parts
    alike = tuple(np.broadcast_to(p[..., :1], p.shape) for p in (both[..., :first],))
    for kind in ("common", "mean"):
        assert_allclose(shared_of(alike, kind)[0], alike[0])
    if first + second > 1:
        with pytest.raises(InputError, match=r"^reward: the agents were paid .*reward=mean or"):
            shared_of(parts, "common")


@given(SEEDS)
def test_what_is_shared_stays_as_it_is(seed):
    paid = np.random.default_rng(seed).standard_normal((4, 3))
    for kind in ("mean", "sum"):
        once = shared(paid, kind)
        assert_array_equal(shared(once, "common"), once)
    assert_allclose(shared(shared(paid, "mean"), "mean"), shared(paid, "mean"))


@ONE
@UNEQUAL
def test_who_needs_one_reward_refuses_unequal_ones_and_takes_them_when_told_how(algorithm, env):
    cfg = algorithm.Config()
    says = rf"^{env.name}: reward: the agents were paid .* if some work against others, use"
    with pytest.raises(InputError, match=says):
        algorithm.start(env, cfg, np.random.default_rng(0))
    for kind in ("mean", "sum"):
        algorithm.start(env, replace(cfg, reward=kind), np.random.default_rng(0))


@FREE
@UNEQUAL
def test_who_leaves_each_agent_its_own_refuses_only_what_is_said_to_be_common(algorithm, env):
    algorithm.start(env, algorithm.Config(), np.random.default_rng(0))
    with pytest.raises(InputError, match="one reward for all"):
        algorithm.start(env, algorithm.Config(reward="common"), np.random.default_rng(0))


def test_a_common_reward_is_taken_without_a_word():
    for env in (TMaze(), Matrix(NormalForm(np.ones((2, 2, 2))), horizon=2)):
        for kind in EITHER:
            require_reward(env, kind)
    assert set(REWARDS) < set(EITHER)
    attention_maac.start(Pursuit(), attention_maac.Config(), np.random.default_rng(0))


@pytest.mark.parametrize("algorithm", [coma, maac, maa2c])
def test_rewards_that_differ_late_stop_the_run_with_the_same_line(algorithm, monkeypatch):
    env, few = Foraging(rows=3, columns=3, foods=1), {"num_envs": 32, "num_steps": 40}
    monkeypatch.setattr("refmarl.cooperative.team_reward.PROBED", (1, 1))  # too short to see it
    cfg = algorithm.Config(**few, reward="common")
    progress = algorithm.start(env, cfg, np.random.default_rng(0))
    with pytest.raises(InputError, match="one value of the team needs one reward for all"):
        algorithm.iterate(env, cfg, progress)
