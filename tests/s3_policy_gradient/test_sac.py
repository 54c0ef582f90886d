"""Soft actor–critic: gradients of its networks, identities, groups that differ, and whole runs."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import Box, Discrete, Group, MultiDiscrete
from refmarl.envs import Pendulum
from refmarl.games.mdp import MDP
from refmarl.learner import learn
from refmarl.nn import categorical, check_gradient
from refmarl.nn.optim import polyak
from refmarl.policy_gradient import masac, sac
from refmarl.policy_gradient import soft_networks as nets
from refmarl.policy_gradient.sac_losses import critic_target, discrete_value
from refmarl.policy_gradient.soft_values import backup, soft_maximum, solve_softly
from refmarl.replay import ring
from refmarl.training import checkpoint, run

SEEDS = st.integers(0, 2**32)
TINY = {"hidden": (4,), "num_steps": 4, "batch": 5, "warmup": 6, "capacity": 40, "num_envs": 3}
SPACES = [Box(-2.0, 2.0, 2), Discrete(3)]


def problem(seed, space, lead, extra):
    """(rng, networks, θ, φ, observations, what is seen of others, weights) in float64."""
    rng = np.random.default_rng(seed)
    group = Group("g", ("a", "b"), 3, space)
    pi = nets.actor(group, (4,), "tanh")
    q_net = nets.critic(group, (4,), "tanh", extra)
    theta = pi.init(rng, lead) + 0.4 * rng.standard_normal((*lead, pi.size))
    phi = q_net.init(rng, (2, *lead)) + 0.3 * rng.standard_normal((2, *lead, q_net.size))
    obs, weight = rng.standard_normal((*lead, 5, 3)), rng.random((*lead, 5))
    others = rng.standard_normal((*lead, 5, extra)) if extra else None
    return rng, (pi, q_net), theta, phi, obs, others, weight


@pytest.mark.equation("3.16")
@pytest.mark.certifies("refmarl.policy_gradient.soft_networks:actor_gradient")
@pytest.mark.parametrize("space", SPACES, ids=["box", "choice"])
@settings(max_examples=15)
@given(SEEDS, st.sampled_from([(), (2,)]), st.sampled_from([0, 2]))
def test_the_actors_gradient_is_a_difference_quotient_with_the_noise_held(space, seed, lead, extra):
    rng, (pi, q_net), theta, phi, obs, others, weight = problem(seed, space, lead, extra)
    box = isinstance(space, Box)
    noise = rng.standard_normal((*lead, 5, 2)) if box else None
    alpha = np.full((*lead, 1), 0.3)

    def loss(at):
        found = nets.actor_gradient((pi, q_net), at, phi, (obs, others, None), noise, alpha, weight)
        return found[:2]

    if box:  # away from ties of the min
        drawn = nets.actor_gradient(
            (pi, q_net), theta, phi, (obs, others, None), noise, alpha, weight
        )[2]
        q = q_net.forward(phi, nets.beside(obs, drawn.action, others)[None])[0]
        assume((abs(q[0] - q[1]) > 1e-3).all())
    check_gradient(loss, theta).require()


@pytest.mark.equation("3.14")
@pytest.mark.certifies("refmarl.policy_gradient.soft_networks:critic_gradient")
@pytest.mark.parametrize("choice", [False, True])
@settings(max_examples=15)
@given(SEEDS, st.sampled_from([(), (2,)]))
def test_the_critics_gradient_is_a_difference_quotient_with_the_target_held(choice, seed, lead):
    rng, (_, q_net), _, phi, obs, _, weight = problem(seed, SPACES[choice], lead, 0)
    action = rng.integers(3, size=(*lead, 5)) if choice else None
    x = obs if choice else nets.beside(obs, rng.uniform(-1.0, 1.0, (*lead, 5, 2)))
    y = rng.standard_normal((*lead, 5))
    check_gradient(
        lambda at: nets.critic_gradient(q_net, at, x, action, y, weight)[:2], phi
    ).require()


def test_outside_its_bounds_log_sigma_is_clipped_and_gets_no_derivative():
    params = np.array([[5.0, 3.0], [5.0, -30.0], [5.0, 0.5]])
    bounded, inside = nets.bounded(params)
    assert_array_equal(bounded[:, 1], [2.0, -20.0, 0.5])
    assert_array_equal(inside, [[1, 0], [1, 0], [1, 1]])


# -- identities -------------------------------------------------------------------------


@pytest.mark.equation("3.13")
@given(SEEDS, st.sampled_from([0.05, 0.5, 2.0]))
def test_discrete_targets_with_the_soft_policy_are_soft_value_iteration(seed, alpha):
    rng = np.random.default_rng(seed)
    mdp = MDP(rng.dirichlet(np.ones(4), (4, 3)), rng.standard_normal((4, 3)), 0.8)
    values, never = np.zeros(4), np.zeros((4, 3, 4), bool)
    for _ in range(120):
        q = mdp.action_values(values)
        after = discrete_value(q / alpha, np.stack([q, q + 1.0]), alpha)  # min is the first
        assert_allclose(after, soft_maximum(q, alpha), atol=1e-9)
        reward = np.broadcast_to(mdp.reward[..., None], never.shape)
        q_next = np.broadcast_to(after, (1, *never.shape))
        y = critic_target(reward, never, q_next, np.zeros(never.shape), 0.0, mdp.gamma)
        expected = (mdp.transition * y).sum(axis=-1)  # E over s'
        assert_allclose(expected, mdp.action_values(after), atol=1e-9)
        assert_allclose(after, backup(mdp, values, alpha), atol=1e-9)
        values = after
    assert_allclose(values, solve_softly(mdp, alpha).values, atol=1e-8)


@pytest.mark.equation("3.14")
@given(SEEDS)
def test_with_alpha_to_0_and_no_noise_the_target_is_td3s(seed):
    env, cfg = Pendulum(), sac.Config(dtype="float64", alpha=1e-300, **TINY)
    progress = sac.start(env, cfg, np.random.default_rng(seed))
    for _ in range(2):
        progress, _ = sac.iterate(env, replace(cfg, updates=0), progress)
    agent, batch = progress.agent, ring.sample(progress.roll.memory, np.random.default_rng(1), 7)
    target_actor = agent.theta[0] + 0.1  # in place of the current one
    pi = nets.actor(env.groups[0], cfg.hidden)
    after = nets.draw(pi, target_actor, batch.next_obs[0], None, np.random.default_rng(2), True)
    y = sac.targets(env, cfg, agent, batch, 0, after)
    action = np.tanh(pi.net.forward(target_actor, batch.next_obs[0])[0][..., :1])
    x = np.concatenate([batch.next_obs[0], action], axis=-1)
    q = nets.critic(env.groups[0], cfg.hidden)
    both = [q.forward(agent.phi_target[0][k], x)[0][..., 0] for k in range(2)]
    td3 = batch.reward[0] + cfg.gamma * np.where(batch.terminated[:, None], 0.0, np.minimum(*both))
    assert_allclose(y, td3, atol=1e-12)


def test_one_update_moves_the_targets_by_tau_towards_the_critics():
    env, cfg = Pendulum(), sac.Config(dtype="float64", tau=0.25, **TINY)
    progress = sac.start(env, cfg, np.random.default_rng(0))
    progress, _ = sac.iterate(env, replace(cfg, updates=0), progress)
    batch = ring.sample(progress.roll.memory, np.random.default_rng(1), 8)
    agent, _ = sac.update(env, cfg, progress.agent, batch, np.random.default_rng(2))
    wanted = polyak(progress.agent.phi_target[0], agent.phi[0], 0.25)
    assert_array_equal(agent.phi_target[0], wanted)


@pytest.mark.equation("3.20")
@pytest.mark.parametrize("target", [-30.0, 30.0])
def test_alpha_rises_in_a_run_while_entropy_is_short_and_falls_while_there_is_plenty(target):
    cfg = sac.Config(entropy=target, alpha=0.5, **TINY)
    metrics = finished(Pendulum(), cfg, 4)[1]
    assert (metrics["alpha"] > 0.5) == (target > 0)
    assert metrics["alpha"] > 0


def test_an_untuned_temperature_stays():
    _, metrics = finished(Pendulum(), sac.Config(alpha=0.37, tune=False, **TINY), 4)
    assert metrics["alpha"] == pytest.approx(0.37)


# -- groups that differ -----------------------------------------------------------------


def finished(env, cfg, iterations, algorithm=sac, seed=1):
    progress, metrics = algorithm.start(env, cfg, np.random.default_rng(seed)), {}
    for _ in range(iterations):
        progress, metrics = algorithm.iterate(env, cfg, progress)
    return progress, metrics


@pytest.mark.parametrize("algorithm", [sac, masac], ids=["sac", "masac"])
@pytest.mark.parametrize("share", [True, False])
def test_masks_deaths_and_both_kinds_of_actions_in_one_run(pair, algorithm, share):
    cfg = sac.Config(share=share, dtype="float64", **TINY)
    progress, metrics = finished(pair, cfg, 8, algorithm)
    held = ring.held(progress.roll.memory)
    legal = np.take_along_axis(held.mask[0], held.action[0][..., None], axis=-1)
    assert legal.all()  # no illegal action was taken
    assert (abs(held.action[1]) <= 1.0).all()
    assert {"critic_loss", "actor_loss", "entropy", "alpha", "return"} <= metrics.keys()
    assert all(np.isfinite(theta).all() for theta in progress.agent.theta)
    act = algorithm.policy(pair, cfg, progress.agent, np.random.default_rng(3), True)
    state = pair.reset(np.random.default_rng(4), 6)
    action = act(pair.observe(state), pair.mask(state), ()).action
    assert action[0].shape == (6, 2)
    assert action[1].shape == (6, 1, 2)


@pytest.mark.parametrize("share", [True, False])
def test_rows_in_which_an_agent_does_not_act_teach_nothing(pair, share):
    cfg = sac.Config(share=share, dtype="float64", **(TINY | {"warmup": 100}))
    progress, _ = finished(pair, cfg, 2)
    batch = ring.sample(progress.roll.memory, np.random.default_rng(0), 12)
    dead = ~batch.alive[0]
    assert dead.any()
    reward = np.where(dead, 1e6, batch.reward[0])
    changed = batch._replace(reward=(reward, batch.reward[1]))
    one, two = (
        sac.update(pair, cfg, progress.agent, b, np.random.default_rng(5))[0]
        for b in (batch, changed)
    )
    assert_array_equal(one.phi[0], two.phi[0])
    assert_array_equal(one.theta[0], two.theta[0])


def test_with_one_agent_sharing_changes_nothing():
    cfgs = [sac.Config(share=s, dtype="float64", **TINY) for s in (True, False)]
    shared, own = (finished(Pendulum(), cfg, 6)[0].agent for cfg in cfgs)
    assert_allclose(shared.theta[0], own.theta[0][0], atol=1e-9)
    assert_allclose(shared.phi[0], own.phi[0][:, 0], atol=1e-9)


def test_sets_of_actions_are_refused():
    with pytest.raises(InputError, match="g: SAC needs actions in a Box or Discrete"):
        nets.actor(Group("g", ("a",), 2, MultiDiscrete((2, 3))), (4,))


def test_actions_are_moved_from_the_cube_to_the_box():
    env = Pendulum()
    (moved,) = nets.outer(env, (np.array([[[-1.0]], [[0.0]], [[1.0]]], np.float32),))
    assert_array_equal(moved[:, 0, 0], [-2.0, 0.0, 2.0])
    assert moved.dtype == np.float64


def test_a_greedy_agent_takes_the_likeliest_choice_and_the_middle_of_the_noise():
    logits = np.array([[0.0, 3.0, 1.0]])
    pi = nets.actor(Group("g", ("a",), 1, Discrete(3)), ())
    theta = np.concatenate([np.zeros(3), logits[0]])
    drawn = nets.draw(pi, theta, np.zeros((1, 1)), None, np.random.default_rng(0), True)
    assert drawn.action.tolist() == [1]
    assert_allclose(drawn.log_prob, categorical.log_prob(logits, np.array([1])))


# -- runs -------------------------------------------------------------------------------


def test_nothing_is_learnt_before_the_warm_up_ends_and_the_memory_holds_every_step():
    env, cfg = Pendulum(), sac.Config(**(TINY | {"warmup": 13}))
    progress = sac.start(env, cfg, np.random.default_rng(0))
    first = progress.agent.theta[0].copy()
    progress, metrics = sac.iterate(env, cfg, progress)  # 12 steps
    assert progress.steps == progress.roll.memory.size == 12
    assert_array_equal(progress.agent.theta[0], first)
    assert "critic_loss" not in metrics
    progress, metrics = sac.iterate(env, cfg, progress)
    assert "critic_loss" in metrics


def test_an_episodes_last_row_holds_what_was_seen_before_restarting():
    env, cfg = Pendulum(horizon=3), sac.Config(**(TINY | {"num_envs": 1, "num_steps": 7}))
    progress, metrics = sac.iterate(env, cfg, sac.start(env, cfg, np.random.default_rng(0)))
    rows = ring.in_order(progress.roll.memory)
    follows = (rows.next_obs[0][:-1] == rows.obs[0][1:]).all(axis=(1, 2))
    assert_array_equal(np.flatnonzero(~follows), [2, 5])  # the clock cut there
    assert not rows.terminated.any()
    assert metrics["length"] == 3
    total = rows.reward[0][:6].astype(float).sum() / 2
    assert metrics["return"] == pytest.approx(total, rel=1e-5)


def test_the_same_seed_gives_the_same_bits():
    one, two, other = (finished(Pendulum(), sac.Config(**TINY), 4, seed=s)[0] for s in (1, 1, 2))
    assert checkpoint.same(one, two)
    assert not checkpoint.same(one, other)


@pytest.mark.parametrize("algorithm", ["sac", "masac"])
def test_a_stopped_run_continues_to_the_same_bits_with_its_memory(tmp_path, algorithm):
    cfg = sac.Config(iterations=6, **(TINY | {"num_steps": 3}))
    what = run.Run(algorithm=algorithm, env="pendulum", config=cfg, log_every=1, save_every=2)
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    halved = run.train(what, tmp_path / "halved")
    assert checkpoint.same(whole, halved)
    assert whole.roll.memory.size == 40  # full: the ring has gone round
    lines = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("whole", "halved")]
    assert lines[0] == lines[1]


def test_a_reward_that_is_not_finite_stops_the_run_with_its_name(tmp_path, monkeypatch):
    true = Pendulum.step

    def step(self, state, actions):
        after, found = true(self, state, actions)
        return after, found._replace(reward=(np.full_like(found.reward[0], np.nan),))

    monkeypatch.setattr(Pendulum, "step", step)
    what = run.Run(algorithm="sac", env="pendulum", config=sac.Config(**TINY), log_every=1,
                   save_every=1)  # fmt: skip
    with pytest.raises(run.Diverged, match="target is nan at iteration"):
        run.train(what, tmp_path / "run")


def test_a_large_critic_does_not_break_a_saturated_actor():
    env, cfg = Pendulum(), sac.Config(**TINY)
    progress, _ = finished(env, cfg, 3)
    theta = progress.agent.theta[0].copy()
    theta[-2] = 400.0  # μ: tanh is 1 to the last bit
    agent = progress.agent._replace(theta=(theta,))
    batch = ring.sample(progress.roll.memory, np.random.default_rng(0), 8)
    moved, metrics = sac.update(env, cfg, agent, batch, np.random.default_rng(1))
    assert np.isfinite(moved.theta[0]).all()
    assert all(np.isfinite(list(metrics.values())))


def test_an_old_progress_goes_on_to_the_same_bits_after_a_later_one():
    cfg = sac.Config(**(TINY | {"capacity": 100}))
    old, _ = finished(Pendulum(), cfg, 2)
    rngs = copy.deepcopy(old.rngs)
    first, _ = sac.iterate(Pendulum(), cfg, old)
    kept = copy.deepcopy(first)
    second, _ = sac.iterate(Pendulum(), cfg, old._replace(rngs=rngs))
    assert checkpoint.same(first, second)
    sac.iterate(Pendulum(), cfg, second)
    assert checkpoint.same(first, kept)


def test_constants_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"tau: need a number in \(0, 1\], got 0"):
        sac.Config(tau=0.0)


@pytest.mark.slow  # 25 s
def test_it_swings_the_pendulum_up():
    from refmarl.training.evaluate import evaluate

    env, cfg = Pendulum(), sac.Config()
    for progress, _ in learn(sac, env, cfg, np.random.default_rng(3)):
        if progress.steps >= 15_000:
            break
    policy = sac.policy(env, cfg, progress.agent, np.random.default_rng(4), True)
    returns = evaluate(env, policy, np.random.default_rng(5), 20).team
    assert returns.mean() >= -200.0  # random play: −1216; the best known is about −140


# -- several agents ---------------------------------------------------------------------


@pytest.mark.equation("3.18")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=5)
@given(SEEDS)
def test_masac_with_one_agent_is_sac_bit_for_bit(share, seed):
    cfg = sac.Config(share=share, **TINY)
    one, two = (finished(Pendulum(), cfg, 4, a, seed)[0] for a in (sac, masac))
    assert checkpoint.same(one, two)


@pytest.mark.equation("3.18")
@given(SEEDS)
def test_critics_see_every_other_agents_observation_and_action_once(seed):
    from refmarl.envs import SpeakerListener

    env, rng = SpeakerListener(), np.random.default_rng(seed)
    counts = [(len(p.agents), p.obs_dim, nets.width(p)) for p in env.groups]
    obs = tuple(rng.standard_normal((3, n, o)) for n, o, _ in counts)
    act = tuple(rng.standard_normal((3, n, a)) for n, _, a in counts)
    for g, (n, _, _) in enumerate(counts):
        seen = masac.others(env, obs, act, g)
        for i in range(n):
            own = np.concatenate([seen[:, i], obs[g][:, i], act[g][:, i]], axis=1)
            whole = np.concatenate([x.reshape(3, -1) for x in (*obs, *act)], axis=1)
            assert_array_equal(np.sort(own, axis=1), np.sort(whole, axis=1))


@pytest.mark.equation("3.18")
def test_the_target_of_an_agent_takes_its_own_entropy_and_all_next_actions(pair):
    cfg = sac.Config(share=False, dtype="float64", **TINY)
    progress, _ = finished(pair, cfg, 6, masac)
    agent, batch = progress.agent, ring.sample(progress.roll.memory, np.random.default_rng(0), 6)
    theta, net = agent.theta[1], nets.actor(pair.groups[1], cfg.hidden)
    after = nets.draw(net, theta, np.moveaxis(batch.next_obs[1], 1, 0), None,
                      np.random.default_rng(1))  # fmt: skip
    choice = np.eye(3)[np.random.default_rng(2).integers(3, size=(6, 2))]
    act = choice, np.moveaxis(after.action, 0, 1)
    extra = masac.others(pair, batch.next_obs, act, 1)
    y = sac.targets(pair, cfg, agent, batch, 1, after, np.moveaxis(extra, 1, 0))
    x = np.concatenate([batch.next_obs[1][:, 0], act[1][:, 0], batch.next_obs[0][:, 0],
                        choice[:, 0], batch.next_obs[0][:, 1], choice[:, 1]], axis=1)  # fmt: skip
    q_net = nets.critic(pair.groups[1], cfg.hidden, extra=extra.shape[-1])
    q = [q_net.forward(agent.phi_target[1][k, 0], x)[0][:, 0] for k in range(2)]
    alpha = np.exp(agent.log_alpha[1][0, 0])
    worth = np.minimum(*q) - alpha * after.log_prob[0]
    wanted = batch.reward[1][:, 0] + cfg.gamma * np.where(batch.terminated, 0.0, worth)
    assert_allclose(y[0], wanted, atol=1e-12)


def test_the_same_critic_for_all_sees_each_agents_own_part_first(pair):
    obs = np.arange(12.0).reshape(2, 2, 3), -np.arange(2.0).reshape(2, 1, 1)
    act = np.eye(3)[[[0, 1], [2, 0]]], np.full((2, 1, 2), 0.5)
    seen = masac.others(pair, obs, act, 0)
    for i in range(2):
        other = np.concatenate([obs[0][:, 1 - i], act[0][:, 1 - i], obs[1][:, 0], act[1][:, 0]], 1)
        assert_array_equal(seen[:, i], other)
