"""Ensembles of MADDPG: one policy is MADDPG, and each learns from its own rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.cooperative import ensemble, maddpg
from refmarl.envs import Navigation
from refmarl.replay import ring
from refmarl.training import checkpoint, run

SEEDS = st.integers(0, 2**32)
TINY = {
    "hidden": (4,), "num_steps": 4, "batch": 9, "warmup": 6, "every": 3, "capacity": 60,
    "num_envs": 3,
}  # fmt: skip


def finished(env, cfg, iterations, algorithm=ensemble, seed=1):
    progress, metrics = algorithm.start(env, cfg, np.random.default_rng(seed)), {}
    for _ in range(iterations):
        progress, metrics = algorithm.iterate(env, cfg, progress)
    return progress, metrics


@pytest.mark.equation("2.4")
@settings(max_examples=4)
@given(SEEDS, st.sampled_from([{}, {"others": "current", "delay": 2, "smoothing": 0.3}]))
def test_an_ensemble_of_one_is_maddpg_bit_for_bit(seed, more):
    env = Navigation(continuous=True)
    one, told = finished(env, ensemble.Config(policies=1, **TINY, **more), 4, ensemble, seed)
    two, wanted = finished(env, maddpg.Config(**TINY, **more), 4, maddpg, seed)
    assert told == wanted
    for mine, other in zip(one.agent[:2], two.agent[:2], strict=True):
        assert_array_equal(mine[0][0], other[0])
    for mine, other in zip(one.agent[2:4], two.agent[2:4], strict=True):
        assert_array_equal(mine[0], other[0])


def test_a_policy_by_which_nobody_acted_stays_and_others_learn_from_their_own_rows():
    env, cfg = Navigation(), ensemble.Config(policies=3, dtype="float64", **TINY)
    progress, _ = finished(env, cfg, 1)
    batch = ring.sample(progress.roll.stand.memory, np.random.default_rng(0), 9)
    agent = ensemble.start(env, cfg, np.random.default_rng(3)).agent
    which = np.random.default_rng(1).integers(2, size=(9, 3))
    which[:, 1] = 1
    moved, _ = ensemble.update(
        env, cfg, agent, batch, (which,), np.random.default_rng(5), np.random.default_rng(6)
    )
    apart = abs(moved.theta[0] - agent.theta[0]).max(axis=-1) > 0.0  # (K, N)
    used = np.stack([(which == k).any(axis=0) for k in range(3)])
    assert_array_equal(apart, used)
    assert abs(moved.phi[0] - agent.phi[0]).max(axis=-1).min() > 0.0


def test_a_policy_is_kept_for_an_episode_and_stands_beside_every_row():
    env = Navigation(horizon=3)
    cfg = ensemble.Config(policies=50, **(TINY | {"num_envs": 2, "num_steps": 9, "warmup": 10**6}))
    progress, _ = finished(env, cfg, 1)
    (drawn,) = ring.in_order(progress.roll.drawn)
    rows = drawn.reshape(3, 3, 2, 3)  # episodes, steps, copies, agents
    assert_array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape))
    assert (rows[0] != rows[1]).any()
    assert_array_equal(progress.roll.stand.state.t, 0)
    assert (progress.roll.which[0] != rows[2, 0]).any()


def test_what_agents_do_is_what_the_policies_drawn_do():
    env, cfg = Navigation(continuous=True), ensemble.Config(policies=3, **TINY)
    theta = ensemble.start(env, cfg, np.random.default_rng(3)).agent.theta
    obs = np.random.default_rng(0).standard_normal((5, 3, 18)).astype(np.float32)
    each = [maddpg.actions(env, cfg, (theta[0][k],), (obs,), ())[0] for k in range(3)]
    which = np.random.default_rng(1).integers(3, size=(5, 3))
    (got,) = ensemble.actions(env, cfg, theta, (obs,), (), (which,))
    for m, i in np.ndindex(5, 3):
        assert_array_equal(got[m, i], each[which[m, i]][m, i])


def test_masks_deaths_and_both_kinds_of_actions_and_the_same_bits_after_a_stop(pair, tmp_path):
    cfg = ensemble.Config(policies=2, iterations=6, **TINY)
    progress, metrics = finished(pair, cfg, 6)
    assert {"critic_loss", "gain", "return"} <= metrics.keys()
    act = ensemble.policy(pair, cfg, progress.agent, np.random.default_rng(3), True)
    state = pair.reset(np.random.default_rng(4), 6)
    first = act(pair.observe(state), pair.mask(state), ())
    again = act(pair.observe(state), pair.mask(state), first.memory)
    assert_array_equal(first.action[1], again.action[1])
    assert [m.shape for m in first.memory] == [(6, 2), (6, 1)]
    what = run.Run(algorithm="maddpg-ensemble", env="speaker-listener", config=cfg, log_every=1,
                   save_every=2)  # fmt: skip
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    assert checkpoint.same(whole, run.train(what, tmp_path / "halved"))
