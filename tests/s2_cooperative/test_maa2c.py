"""A2C with a critic of the state: one agent is A2C, values are of the state, gradients hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.cooperative import maa2c
from refmarl.cooperative.team_reward import EITHER
from refmarl.envs import CartPole
from refmarl.learner import learn
from refmarl.nn import check_gradient
from refmarl.nn.mlp import MLP
from refmarl.policy_gradient import a2c
from refmarl.policy_gradient.actor_critic import advantages, values
from refmarl.rollout import collect
from refmarl.testing.trajectories import SEEDS
from refmarl.training import checkpoint, run

FEW = {"num_envs": 3, "num_steps": 5, "iterations": 3, "hidden": (3,)}


@settings(max_examples=5)
@given(SEEDS, st.booleans(), st.sampled_from(EITHER))
def test_with_one_agent_it_is_a2c_to_the_bit(seed, share, reward):
    env, ends = CartPole(), []
    for algorithm, more in ((maa2c, {"reward": reward}), (a2c, {})):
        cfg = algorithm.Config(**FEW, share=share, **more)
        ends.append(list(learn(algorithm, env, cfg, np.random.default_rng(seed)))[-1])
    (one, told), (two, said) = ends
    for a, b in zip(one.agent.theta + one.agent.phi, two.agent.theta + two.agent.phi, strict=True):
        assert_array_equal(a, b)
    assert told == said


@pytest.mark.parametrize(
    "options", [{"reward": "mean"}, {"reward": "own"}, {"reward": "own", "share": False}]
)
@settings(max_examples=5)
@given(SEEDS)
def test_advantages_and_the_critics_gradient_are_of_values_of_the_state(team, options, seed):
    cfg = maa2c.Config(**FEW, dtype="float64", **options)
    progress = maa2c.start(team, cfg, np.random.default_rng(seed))
    agent, rng = progress.agent, np.random.default_rng(seed)
    act = maa2c.policy(team, cfg, agent, rng)
    batch = collect(team, act, progress.roll, cfg.num_steps, central=True)[1]
    views = maa2c.views(team, cfg, batch)
    for g, group in enumerate(team.groups):
        ids = len(group.agents) if options == {"reward": "own"} and len(group.agents) > 1 else 0
        width = batch.state.shape[-1] + ids
        assert views[g].obs.shape == (*batch.state.shape[:2], len(group.agents), width)
        assert_array_equal(views[g].obs[..., 0, : batch.state.shape[-1]], batch.state)
        mean = np.concatenate(batch.reward, axis=2).mean(axis=2, keepdims=True)
        wanted = mean + 0.0 * batch.reward[g] if cfg.reward == "mean" else batch.reward[g]
        assert_allclose(views[g].reward, wanted)
        net, (seen, final, reward) = MLP((width, 3, 1)), views[g]
        v, last = (values(net, agent.phi[g], x)[0] for x in (seen, final))
        _, target = advantages(cfg.gamma, cfg.lam, batch, v, last, reward)
        found = a2c.gradient(team, cfg, agent, batch, g, views[g])[1]

        def loss(at, net=net, seen=seen, target=target, found=found):
            return 0.5 * np.mean((values(net, at, seen[:-1])[0] - target) ** 2), found

        check_gradient(loss, agent.phi[g]).require()


def test_a_stopped_run_ends_in_the_same_bits(tmp_path):
    what = run.Run(algorithm="maa2c", env="foraging", config=maa2c.Config(**FEW, reward="mean"),
                   log_every=1, save_every=2)  # fmt: skip
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    assert checkpoint.same(whole, run.train(what, tmp_path / "halved"))
