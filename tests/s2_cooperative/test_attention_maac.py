"""The attention critic and its soft actor-critic: derivatives, what is looked at, whole runs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import attention_maac as algorithm
from refmarl.cooperative.attention_critic import AttentionCritic
from refmarl.env_api import Discrete, Group
from refmarl.envs import CartPole, Foraging, Pendulum
from refmarl.learner import learn
from refmarl.nn import categorical, check_gradient
from refmarl.policy_gradient.sac_losses import discrete_value
from refmarl.replay import ring
from refmarl.testing.trajectories import SEEDS
from refmarl.training import checkpoint, run

TINY = {"hidden": (3,), "units": 4, "heads": 2, "num_envs": 3, "num_steps": 4, "batch": 5,
        "warmup": 8, "capacity": 40, "updates": 2, "iterations": 5, "dtype": "float64"}  # fmt: skip
WALKERS = Group("walkers", ("a", "b", "c"), 3, Discrete(2))
GROUPS = (WALKERS, Group("flyer", ("d",), 2, Discrete(3)))


def problem(seed, groups=GROUPS, share=True, gone=False, rows=4, units=4):
    """(critic, φ, (obs, actions, who acts))."""
    rng = np.random.default_rng(seed)
    net = AttentionCritic(groups, units, 2, share)
    phi = net.init(rng) + 0.3 * rng.standard_normal(net.size)
    obs = tuple(rng.standard_normal((rows, len(g.agents), g.obs_dim)) for g in groups)
    action = tuple(rng.integers(g.space.n, size=(rows, len(g.agents))) for g in groups)
    acts = tuple(rng.random((rows, len(g.agents))) < 0.6 for g in groups) if gone else ()
    return net, phi, (obs, action, acts)


@pytest.mark.certifies("refmarl.cooperative.attention_critic:AttentionCritic.backward")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=2)
@given(SEEDS, st.booleans())
def test_the_critics_derivative_is_a_difference_quotient(share, seed, gone):
    net, phi, given_ = problem(seed, share=share, gone=gone, rows=3, units=2)
    q, _ = net.forward(phi, *given_)
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal(x.shape) for x in q]

    def total(at):
        found, tape = net.forward(at, *given_)
        value = sum((w * x).sum() for w, x in zip(weights, found, strict=True))
        return value, net.backward(at, tape, tuple(weights))

    check_gradient(total, phi).require()


@settings(max_examples=15)
@given(SEEDS, st.booleans())
def test_agents_look_at_others_who_are_there_and_at_nobody_else(seed, gone):
    net, phi, (obs, action, acts) = problem(seed, gone=gone)
    looks = net.looks(phi, obs, action, acts)
    assert looks.shape == (4, 2, 4, 4)
    assert (looks[..., np.arange(4), np.arange(4)] == 0.0).all()
    there = np.concatenate(acts, axis=1) if acts else np.ones((4, 4), bool)
    assert (np.moveaxis(looks, -1, 1)[~there] == 0.0).all()
    alone = there.sum(axis=1)[:, None] - there == 0
    wanted = np.broadcast_to(np.where(alone, 0.0, 1.0)[:, None], looks.shape[:3])
    assert_allclose(looks.sum(axis=-1), wanted, atol=1e-12)


@settings(max_examples=15)
@given(SEEDS)
def test_values_do_not_see_the_own_action_nor_what_is_masked(seed):
    net, phi, (obs, action, _) = problem(seed)
    q = net.forward(phi, obs, action)[0]
    other = (action[0].copy(), action[1])
    other[0][:, 1] = 1 - other[0][:, 1]
    moved = net.forward(phi, obs, other)[0]
    assert_array_equal(moved[0][:, 1], q[0][:, 1])
    assert not np.allclose(moved[0][:, 0], q[0][:, 0])
    gone = (np.array([[True, False, True]] * 4), np.ones((4, 1), bool))
    one, two = (net.forward(phi, obs, a, gone)[0] for a in (action, other))
    for a, b in zip(one, two, strict=True):
        assert_array_equal(a, b)


@settings(max_examples=15)
@given(SEEDS, st.permutations(range(3)))
def test_relabelling_agents_relabels_values_and_leaves_the_gradient(seed, order):
    net, phi, (obs, action, _) = problem(seed)
    turned = tuple((x[0][:, order], x[1]) for x in (obs, action))
    (q, tape), (other, tape2) = net.forward(phi, obs, action), net.forward(phi, *turned)
    assert_allclose(other[0], q[0][:, order], atol=1e-12)
    assert_allclose(other[1], q[1], atol=1e-12)
    dq = tuple(np.random.default_rng(seed).standard_normal(x.shape) for x in q)
    one = net.backward(phi, tape, dq)
    two = net.backward(phi, tape2, (dq[0][:, order], dq[1]))
    assert_allclose(two, one, atol=1e-11)


@settings(max_examples=10)
@given(SEEDS)
def test_one_agent_has_nobody_to_look_at(seed):
    # Q of the own observation alone: encoders of pairs and all of attention but its bias get 0
    alone = (Group("one", ("a",), 3, Discrete(3)),)
    net, phi, (obs, action, _) = problem(seed, alone)
    q, tape = net.forward(phi, obs, action)
    same = net.forward(phi, obs, (1 - action[0] % 2,))[0]
    assert_array_equal(same[0], q[0])
    s, pair, _, look = net.split(net.backward(phi, tape, (np.ones_like(q[0]),)))
    assert (pair == 0.0).all()
    assert np.abs(s).max() > 0.0
    views = net.attention.views(look)
    assert all((views[name] == 0.0).all() for name in ("WQ", "WK", "WV"))
    h = net.nets[0][0].forward(net.split(phi)[0], obs[0])[0]
    bias = net.attention.views(net.split(phi)[-1])["b"]
    both = np.concatenate([h, np.broadcast_to(bias, h.shape)], axis=-1)
    wanted = net.nets[2][0].forward(net.split(phi)[2], both)[0]
    assert_allclose(q[0], wanted, atol=1e-12)


# -- the actors -------------------------------------------------------------------------


@pytest.mark.equation("2.1")
@pytest.mark.certifies("refmarl.cooperative.attention_maac:soft_gain")
@given(SEEDS, st.sampled_from([0.0, 0.3]), st.booleans())
def test_the_gain_has_the_gradient_that_it_says(seed, alpha, expected):
    rng = np.random.default_rng(seed)
    params, q = rng.standard_normal((2, 4, 3))
    action, weight = rng.integers(3, size=4), rng.random(4)
    if expected:
        check_gradient(
            lambda x: algorithm.soft_gain(x, action, q, alpha, weight, True), params
        ).require()
        return
    p = categorical.probs(params)
    worth = q - alpha * np.log(p)
    held = np.take_along_axis(worth - (p * worth).sum(-1, keepdims=True), action[:, None], -1)[:, 0]
    slope = algorithm.soft_gain(params, action, q, alpha, weight).gradient
    check_gradient(
        lambda x: ((weight * held * categorical.log_prob(x, action)).sum(), slope), params
    ).require()


@pytest.mark.equation("2.1")
@given(SEEDS, st.sampled_from([0.0, 0.3]))
def test_drawn_actions_give_on_average_what_summing_them_out_gives(seed, alpha):
    rng = np.random.default_rng(seed)
    params, q = rng.standard_normal((2, 4, 3))
    params[0, 2], weight = -np.inf, rng.random(4)
    p, total = categorical.probs(params), np.zeros((4, 3))
    for b in range(3):
        chosen = np.where(p[:, b] > 0.0, b, 0)
        gain = algorithm.soft_gain(params, chosen, q, alpha, weight)
        total += p[:, b, None] * gain.gradient
    wanted = algorithm.soft_gain(params, chosen, q, alpha, weight, True).gradient
    assert_allclose(total, wanted, atol=1e-12)


def filled(env, cfg, seed=0, rows=6):
    """(agent, batch) after some uniform steps."""
    progress = algorithm.start(env, cfg, np.random.default_rng(seed))
    for _ in range(3):
        still = replace(cfg, updates=0)
        progress, _ = algorithm.iterate(env, still, progress)
    batch = ring.sample(progress.roll.memory, np.random.default_rng(seed), rows)
    return progress.agent, batch


@pytest.mark.equation("2.2")
@pytest.mark.certifies("refmarl.cooperative.attention_maac:critic_gradient")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=1)
@given(SEEDS)
def test_the_critics_gradient_holds_the_target(team, share, seed):
    cfg = algorithm.Config(**TINY | {"units": 2}, share=share)
    agent, batch = filled(team, cfg)
    rng = np.random.default_rng(seed)
    y = tuple(rng.standard_normal(r.shape) for r in batch.reward)
    phi = agent.phi + 0.2 * rng.standard_normal(agent.phi.shape)
    check_gradient(lambda at: algorithm.critic_gradient(team, cfg, at, batch, y)[:2], phi).require()


@pytest.mark.equation("2.1")
@pytest.mark.certifies("refmarl.cooperative.attention_maac:actor_gradients")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=5)
@given(SEEDS)
def test_with_the_own_action_summed_out_the_actors_climb_the_soft_value(team, share, seed):
    cfg = algorithm.Config(**TINY, share=share, expected=True, alpha=0.2)
    agent, batch = filled(team, cfg)
    rng = np.random.default_rng(seed)
    start = tuple(t + 0.3 * rng.standard_normal(t.shape) for t in agent.theta)
    # others' draws are the same: their policies and the random numbers are
    given_ = algorithm.logits(team, cfg, start, batch.obs, batch.mask)
    draws = np.random.default_rng(seed)
    drawn = tuple(categorical.draw(draws, p)[0] for p in given_)
    q = algorithm.critic(team, cfg).forward(agent.phi, batch.obs, drawn, batch.alive)[0]
    here = agent._replace(theta=start)
    found, _ = algorithm.actor_gradients(team, cfg, here, batch, np.random.default_rng(seed))
    for g in range(2):
        weight = algorithm.share_of(team, batch, g)

        def value(at, g=g, weight=weight):
            theta = tuple(at if k == g else t for k, t in enumerate(start))
            params = algorithm.logits(team, cfg, theta, batch.obs, batch.mask)[g]
            soft = discrete_value(params, q[g][None], cfg.alpha)
            return (weight * soft).sum(), found[g]

        check_gradient(value, start[g]).require()


@pytest.mark.equation("2.2")
def test_targets_are_soft_values_of_the_slow_policies_and_end_with_the_episode(team):
    cfg = algorithm.Config(**TINY, alpha=0.3, gamma=0.9)
    agent, batch = filled(team, cfg, rows=30)
    y = algorithm.targets(team, cfg, agent, batch, np.random.default_rng(5))
    over = batch.terminated
    assert over.any()
    assert not over.all()
    assert_array_equal(y[1][over], batch.reward[1][over])
    gone = ~batch.next_alive[0]
    assert_array_equal(y[0][gone], batch.reward[0][gone])
    params = algorithm.logits(team, cfg, agent.theta_target, batch.next_obs, batch.next_mask)
    draws = np.random.default_rng(5)
    drawn = tuple(categorical.draw(draws, p)[0] for p in params)
    q = algorithm.critic(team, cfg).forward(
        agent.phi_target, batch.next_obs, drawn, batch.next_alive
    )[0][1][:, 0]
    p = categorical.probs(params[1])[:, 0]
    value = (p * (q - 0.3 * np.log(p))).sum(axis=-1)
    wanted = batch.reward[1][:, 0] + 0.9 * np.where(over, 0.0, value)
    assert_allclose(y[1][:, 0], wanted, atol=1e-12)


@pytest.mark.parametrize("dies", [True, False])
def test_all_who_act_count_the_same_whatever_their_group(team, dies):
    _, batch = filled(team, algorithm.Config(**TINY), rows=8)
    batch = batch if dies else batch._replace(alive=())
    weights = [algorithm.share_of(team, batch, g).ravel() for g in range(len(team.groups))]
    every = np.concatenate(weights)
    assert len(weights) == 2
    assert every.sum() == pytest.approx(1.0)
    assert len(np.unique(every[every > 0.0])) == 1


@pytest.mark.equation("2.5")
@settings(max_examples=4)
@given(SEEDS)
def test_targets_are_of_the_slow_copies_alone_which_follow_by_tau(team, seed):
    cfg = algorithm.Config(**TINY, tau=0.25)
    agent, batch = filled(team, cfg, rows=8)
    rng = np.random.default_rng(seed)
    fast = agent._replace(
        theta=tuple(t + rng.standard_normal(t.shape) for t in agent.theta),
        phi=agent.phi + rng.standard_normal(agent.phi.shape),
    )
    one, two = (
        algorithm.targets(team, cfg, a, batch, np.random.default_rng(seed)) for a in (agent, fast)
    )
    for a, b in zip(one, two, strict=True):
        assert_array_equal(a, b)
    after, _ = algorithm.update(team, cfg, fast, batch, rng)
    pairs = [(fast.phi_target, after.phi_target, after.phi)]
    pairs += zip(fast.theta_target, after.theta_target, after.theta, strict=True)
    for old, new, aim in pairs:
        assert_allclose(new - aim, 0.75 * (old - aim), atol=1e-12)


@settings(max_examples=3)
@given(SEEDS)
def test_relabelling_agents_leaves_the_step_of_a_shared_critic(seed):
    env, cfg = (
        Foraging(rows=4, columns=4, players=3, foods=1),
        algorithm.Config(**TINY, expected=True),
    )
    agent, batch = filled(env, cfg, seed % 100)
    order = np.random.default_rng(seed).permutation(3)

    def turned(parts):
        return tuple(p[:, order] for p in parts)

    per_agent = ("obs", "action", "reward", "next_obs", "mask", "next_mask", "alive", "next_alive")
    other = batch._replace(**{f: turned(getattr(batch, f)) for f in per_agent})
    y = tuple(r + 1.0 for r in batch.reward)
    one = algorithm.critic_gradient(env, cfg, agent.phi, batch, y)
    two = algorithm.critic_gradient(env, cfg, agent.phi, other, turned(y))
    assert_allclose(two[1], one[1], atol=1e-10)
    assert two[0] == pytest.approx(one[0], abs=1e-12)


# -- runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [True, False])
def test_a_stopped_run_ends_in_the_same_bits(share, tmp_path):
    cfg = algorithm.Config(**TINY, share=share)
    what = run.Run(
        algorithm="attention-maac", env="foraging", config=cfg, log_every=1, save_every=2
    )
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    halved = run.train(what, tmp_path / "halved")
    assert checkpoint.same(whole, halved)
    assert not np.array_equal(whole.agent.theta[0], whole.agent.theta_target[0])


def test_all_kinds_of_teams_run_and_what_is_not_finite_is_told(team):
    for env in (team, CartPole()):
        cfg = algorithm.Config(**TINY)
        progress = algorithm.start(env, cfg, np.random.default_rng(0))
        for _ in range(4):
            progress, metrics = algorithm.iterate(env, cfg, progress)
        assert all(np.isfinite(list(metrics.values())))
        broken = progress.agent._replace(phi_target=np.full_like(progress.agent.phi, np.nan))
        _, metrics = algorithm.iterate(env, cfg, progress._replace(agent=broken))
        assert np.isnan(metrics["target"])


@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_values_begin_near_0_so_that_an_end_is_not_worth_less_than_to_go_on(seed, share):
    net = AttentionCritic(GROUPS, 8, 2, share)
    rng = np.random.default_rng(seed)
    obs = tuple(rng.standard_normal((20, len(g.agents), g.obs_dim)) for g in GROUPS)
    action = tuple(rng.integers(2, size=(20, len(g.agents))) for g in GROUPS)
    q = net.forward(net.init(rng), obs, action)[0]
    assert max(np.abs(own).max() for own in q) < 0.1


@pytest.mark.slow  # 12 s each
@pytest.mark.parametrize("seed", range(3))
def test_two_find_the_food_that_they_must_lift_together(seed):
    # the best possible is ½ each, for food that is eaten in time; random play earns 0.01
    env = Foraging(rows=5, columns=5, players=2, foods=1, cooperative=True, horizon=25)
    cfg, returns = algorithm.Config(iterations=200), []
    for progress, metrics in learn(algorithm, env, cfg, np.random.default_rng(seed)):
        if progress.steps > 0.9 * 40_000:
            returns.append(metrics["return"])
    assert 0.45 < np.mean(returns) <= 0.5


def test_what_cannot_be_done_is_refused():
    with pytest.raises(InputError, match="attention-maac needs Discrete actions"):
        algorithm.start(Pendulum(), algorithm.Config(), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"units: need a multiple of heads = 4, got 6"):
        AttentionCritic(GROUPS, 6, 4)
    net = AttentionCritic(GROUPS, 4, 2)
    with pytest.raises(InputError, match=r"phi: need shape"):
        net.split(np.zeros(3))
