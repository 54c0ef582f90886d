"""MAPPO: one agent is PPO, sharing is one network with ids, the critic sees all."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.envs import CartPole, Navigation
from refmarl.learner import learn
from refmarl.nn import fused as nn_fused
from refmarl.policy_gradient import fused, mappo, ppo
from refmarl.policy_gradient.actor_critic import values
from refmarl.rollout import collect

SEEDS = st.integers(0, 2**32)
FEW = {"num_envs": 3, "num_steps": 4, "minibatches": 2, "epochs": 2, "iterations": 3}


def run(algorithm, env, cfg, seed=1):
    return list(learn(algorithm, env, cfg, np.random.default_rng(seed)))[-1]


@pytest.mark.equation("3.17")
@settings(max_examples=5)
@given(SEEDS, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["clip", "kl"]))
def test_with_one_agent_it_is_ppo_to_the_bit(seed, share, team, scaled, objective):
    options = FEW | {"share": share, "popart": scaled, "objective": objective}
    one, told = run(mappo, CartPole(), mappo.Config(**options, team=team), seed)
    two, said = run(ppo, CartPole(), ppo.Config(**options), seed)
    for a, b in zip(one.agent.theta + one.agent.phi, two.agent.theta + two.agent.phi, strict=True):
        assert_array_equal(a, b)
    assert told == said


def gathered(env, cfg, seed, change=lambda agent: agent):
    """(agent, views, batch)."""
    progress = mappo.start(env, cfg, np.random.default_rng(seed))
    agent = change(progress.agent)
    act = mappo.policy(env, cfg, agent, np.random.default_rng(seed))
    batch = collect(env, act, progress.roll, cfg.num_steps, central=True)[1]
    return agent, mappo.views(env, cfg, batch), batch


def gradients(env, cfg, agent, views, batch, g=0):
    """(∇ gain, ∇ loss) of the whole batch at the policy that drew it."""
    net, judge = ppo.actor(cfg, env.groups[g]), ppo.critic(cfg, views[g].obs.shape[-1])
    part = ppo.part_of(agent, g)
    after, rows = ppo.prepare(cfg, net, judge, part, batch, views[g], g)
    return ppo.gradient(cfg, net, judge, part.theta, after.phi, rows, 1.0, 0.2)[:2]


@pytest.mark.equation("3.17")
@settings(max_examples=10)
@given(SEEDS)
def test_sharing_is_one_network_that_sees_ids(seed):
    # its gradient is the sum over agents of the gradients of networks of their own, all alike
    env, few = Navigation(team=3), {"hidden": (3,), "num_envs": 2, "num_steps": 3}
    few |= {"dtype": "float64", "normalise": False, "popart": False, "team": True}
    shared, own = (mappo.Config(**few, share=s, ids=True) for s in (True, False))
    agent, views, batch = gathered(env, shared, seed)
    alike = mappo.start(env, own, np.random.default_rng(seed)).agent._replace(
        theta=(np.tile(agent.theta[0], (3, 1)),), phi=(np.tile(agent.phi[0], (3, 1)),)
    )
    together = gradients(env, shared, agent, views, batch)
    apart = gradients(env, own, alike, mappo.views(env, own, batch), batch)
    for whole, each in zip(together, apart, strict=True):
        assert each.shape == (3, *whole.shape)
        assert_allclose(each.sum(axis=0), whole, atol=1e-12)


@pytest.mark.equation("3.17")
@given(SEEDS, st.integers(2, 4))
def test_ids_let_one_network_be_several(seed, count):
    # a bias for each agent in the first layer: equal observations, different policies
    env, cfg = Navigation(team=count), mappo.Config(hidden=(4,), dtype="float64")
    net, rng = ppo.actor(cfg, env.groups[0]), np.random.default_rng(seed)
    theta = rng.standard_normal(net.size)
    obs = np.repeat(rng.standard_normal((1, 1, env.groups[0].obs_dim)), count, axis=1)
    params = net.forward(theta, ppo.named(cfg, obs))[0][0]
    assert len(np.unique(params[:, 0].round(9))) == count
    blind = ppo.actor(mappo.Config(hidden=(4,), ids=False), env.groups[0])
    alike = blind.forward(theta[: blind.size], obs)[0][0]
    assert_array_equal(alike, np.repeat(alike[:1], count, axis=0))


@pytest.mark.equation("3.17")
@given(SEEDS)
def test_the_advantages_are_those_of_values_of_the_state(seed):
    env = Navigation(team=3)
    cfg = mappo.Config(num_envs=2, num_steps=3, dtype="float64", normalise=False, popart=False,
                       lam=0.0)  # fmt: skip
    agent, views, batch = gathered(env, cfg, seed)
    judge = ppo.critic(cfg, batch.state.shape[-1])
    v = values(judge, agent.phi[0], batch.state[..., None, :])[0][..., 0]
    net, part = ppo.actor(cfg, env.groups[0]), ppo.part_of(agent, 0)
    rows = ppo.prepare(cfg, net, judge, part, batch, views[0], 0)[1]
    wanted = batch.reward[0].mean(axis=2) + cfg.gamma * v[1:] - v[:-1]  # nothing ends so soon
    got = rows.advantage.reshape(3, 2, 3)
    assert_allclose(got, np.repeat(wanted[..., None], 3, axis=2), atol=1e-12)


@pytest.mark.equation("3.17")
@settings(max_examples=10)
@given(SEEDS, st.booleans(), st.sampled_from(["clip", "kl"]))
def test_one_value_of_a_state_is_as_good_as_one_for_each_agent(seed, scaled, objective):
    env = Navigation(team=3)
    cfg = mappo.Config(**FEW, hidden=(3,), dtype="float64", popart=scaled, objective=objective)
    agent, (one,), batch = gathered(env, cfg, seed)
    assert one.obs.shape[2] == one.reward.shape[2] == 1
    each = ppo.View(*(np.repeat(x, 3, axis=x.ndim - 1 - (x is not one.reward)) for x in one))
    few, many = (gradients(env, cfg, agent, (view,), batch) for view in (one, each))
    for a, b in zip(few, many, strict=True):
        assert_allclose(a, b, atol=1e-12)


@pytest.mark.skipif(not nn_fused.ENABLED, reason="no BLAS that kernels can call")
@pytest.mark.parametrize("team", [True, False])
def test_compiled_passes_know_how_many_values_a_state_has(team):
    env = Navigation(team=3)
    cfg = mappo.Config(**FEW, hidden=(5, 3), dtype="float64", team=team, lr=0.02, value_clip=0.1)
    one, told = run(mappo, env, cfg)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "begin", lambda *given: None)
        two, said = run(mappo, env, cfg)
    assert_allclose(one.agent.theta[0], two.agent.theta[0], atol=1e-8)
    assert_allclose(one.agent.phi[0], two.agent.phi[0], atol=1e-8)
    for name in told.keys() & said.keys():
        assert_allclose(told[name], said[name], atol=1e-8, err_msg=name)


def test_without_a_team_everybody_is_judged_by_what_it_earns(pair):
    env = pair
    for share in (True, False):
        cfg = mappo.Config(**FEW, team=False, share=share)
        _, views, batch = gathered(env, cfg, 0)
        for g, group in enumerate(env.groups):
            assert_array_equal(views[g].reward, batch.reward[g])
            count = len(group.agents)
            marks = count if share and count > 1 else 0
            assert views[g].obs.shape == (5, 3, count, batch.state.shape[-1] + marks)
            assert views[g].final.shape[0] == len(batch.at)


def test_the_states_of_ended_episodes_are_those_before_they_began_anew(pair):
    env, cfg = pair, mappo.Config(**FEW | {"num_steps": 8})
    _, _, batch = gathered(env, cfg, 0)
    assert len(batch.at)
    wanted = np.concatenate([o.reshape(len(o), -1) for o in batch.final], axis=-1)
    assert_array_equal(batch.final_state, wanted)
    seen = np.concatenate([o.reshape(*o.shape[:2], -1) for o in batch.obs], axis=-1)
    assert_array_equal(batch.state, seen)


def test_the_dead_move_no_policy_but_earn_with_their_team(pair):
    env, cfg = pair, mappo.Config(**FEW, hidden=(3,), dtype="float64", normalise=False)
    agent, views, batch = gathered(env, cfg, 0)
    dead = ~batch.alive[0]
    assert dead.any()
    other = np.where(dead, (batch.action[0] + 1) % 3, batch.action[0])
    changed = batch._replace(action=(other, batch.action[1]))
    one, two = (gradients(env, cfg, agent, views, b) for b in (batch, changed))
    assert_array_equal(one[0], two[0])
    team = np.concatenate(batch.reward, axis=2).mean(axis=2, keepdims=True)
    assert_array_equal(views[0].reward, team)  # the dead agent's is the team's


@pytest.mark.parametrize("options", [{}, {"share": False, "team": False}])
def test_a_run_goes_on_with_the_same_bits(pair, options):
    cfg, stages = mappo.Config(**FEW, **options), []
    for progress, _ in learn(mappo, pair, cfg, np.random.default_rng(1)):
        stages.append(copy.deepcopy(progress))
    *_, (last, _) = learn(mappo, pair, cfg, np.random.default_rng(9), stages[0])
    for a, b in zip(last.agent.theta, stages[-1].agent.theta, strict=True):
        assert_array_equal(a, b)
