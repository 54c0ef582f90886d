"""PPO: reductions to A2C and the policy gradient, its derivatives, degenerate batches, resuming."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.envs import CartPole, Navigation
from refmarl.learner import learn
from refmarl.nn import check_gradient
from refmarl.nn import fused as nn_fused
from refmarl.policy_gradient import a2c, fused, ppo
from refmarl.rollout import collect

SEEDS = st.integers(0, 2**32)
SMALL = {
    "hidden": (2,), "dtype": "float64", "num_envs": 3, "num_steps": 4, "minibatches": 1,
    "popart": False,
}  # fmt: skip


def prepared(env, cfg, seed, g, change=lambda batch: batch):
    """(network, critic, part, rows, batch) of one group after collecting."""
    progress = ppo.start(env, cfg, np.random.default_rng(seed))
    act = ppo.policy(env, cfg, progress.agent, np.random.default_rng(seed))
    batch = change(collect(env, act, progress.roll, cfg.num_steps)[1])
    obs, final = (ppo.named(cfg, o[g]) for o in (batch.obs, batch.final))
    view = ppo.View(obs, final, batch.reward[g])
    net, judge = ppo.actor(cfg, env.groups[g]), ppo.critic(cfg, obs.shape[-1])
    part = ppo.part_of(progress.agent, g)
    _, rows = ppo.prepare(cfg, net, judge, part, batch, view, g)
    return net, judge, part, rows, (progress.agent, batch)


@pytest.mark.equation("3.7", "3.8")
@pytest.mark.parametrize("objective", ["clip", "kl"])
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([0.0, 0.1]), st.sampled_from([0, 1]))
def test_the_first_step_on_a_batch_is_a2cs(pair, objective, share, seed, entropy, g):
    env = pair
    cfg = ppo.Config(**SMALL, objective=objective, share=share, entropy=entropy, normalise=False)
    net, judge, part, rows, (agent, batch) = prepared(env, cfg, seed, g)
    found = ppo.gradient(cfg, net, judge, part.theta, part.phi, rows, 1.0, 0.2)
    other = a2c.Config(
        gamma=cfg.gamma, lam=cfg.lam, entropy=entropy, hidden=cfg.hidden, share=share,
        dtype="float64", num_envs=3, num_steps=4,
    )  # fmt: skip
    like = a2c.Agent(agent.theta, agent.phi, agent.opt_theta, agent.opt_phi)
    d_theta, d_phi, *_ = a2c.gradient(env, other, like, batch, g)
    assert_allclose(found[0], d_theta, atol=1e-12)
    assert_allclose(found[1], d_phi, atol=1e-12)


@pytest.mark.equation("3.19")
@pytest.mark.certifies("refmarl.policy_gradient.ppo:gradient")
@pytest.mark.parametrize("objective", ["clip", "kl"])
@settings(max_examples=10)
@given(SEEDS, st.booleans(), st.sampled_from([0.0, 0.1]), st.booleans(), st.integers(0, 1))
def test_both_gradients_are_those_of_what_they_say(pair, objective, seed, share, entropy, ids, g):
    cfg = ppo.Config(
        **SMALL, objective=objective, share=share, entropy=entropy, ids=ids, value_clip=0.1
    )
    net, judge, part, rows, _ = prepared(pair, cfg, seed, g)
    rng = np.random.default_rng(seed)
    theta = part.theta + 0.02 * rng.standard_normal(part.theta.shape)
    phi = part.phi + 0.01 * rng.standard_normal(part.phi.shape)

    def gain(at):
        d_theta, _, metrics = ppo.gradient(cfg, net, judge, at, phi, rows, 0.7, 0.9)
        return metrics["gain"], d_theta

    def loss(at):
        _, d_phi, metrics = ppo.gradient(cfg, net, judge, theta, at, rows, 0.7, 0.9)
        return metrics["value_loss"], d_phi

    check_gradient(gain, theta).require()
    check_gradient(loss, phi).require()


@given(SEEDS, st.integers(1, 3), st.booleans())
def test_ids_tell_the_agents_of_a_group_apart(seed, count, ids):
    obs = np.random.default_rng(seed).standard_normal((4, count, 2))
    found = ppo.named(ppo.Config(ids=ids), obs)
    assert_array_equal(found[..., :2], obs)
    if ids and count > 1:
        assert_array_equal(found[..., 2:], np.broadcast_to(np.eye(count), (4, count, count)))
    else:
        assert found is obs


@given(SEEDS, st.sampled_from([np.float32, np.float64]), st.booleans())
def test_standard_advantages_have_mean_0_and_deviation_1(seed, dtype, some):
    rng = np.random.default_rng(seed)
    x = (5.0 + 3.0 * rng.standard_normal((6, 3))).astype(dtype)
    acts = rng.random(x.shape) < 0.7 if some else None
    counted = ppo.standard(x, acts) if acts is None else ppo.standard(x, acts)[acts]
    if counted.size > 1:
        assert_allclose([counted.mean(), counted.std()], [0.0, 1.0], atol=1e-5)


@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_the_advantages_of_a_batch_are_standard_among_those_who_act(pair, seed, share):
    cfg = ppo.Config(**SMALL, share=share)
    _, _, _, rows, _ = prepared(pair, cfg, seed, 0)
    assert not rows.acts.all()
    counted = rows.advantage[rows.acts]
    assert_allclose([counted.mean(), counted.std()], [0.0, 1.0], atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_advantages_that_are_all_alike_are_no_signal(value, dtype):
    assert (ppo.standard(np.full((7, 3, 1), value, dtype)) == 0).all()
    assert ppo.standard(np.ones((2, 1)), np.zeros((2, 1), bool)).shape == (2, 1)


def run(cfg, seed=1, env=None):
    """The last (progress, metrics)."""
    return list(learn(ppo, env or CartPole(), cfg, np.random.default_rng(seed)))[-1]


def same(one, two):
    """Whether two agents have the same bits."""
    pairs = zip((*one.theta, *one.phi, one.beta), (*two.theta, *two.phi, two.beta), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


FEW = {"num_envs": 3, "num_steps": 4, "minibatches": 3, "epochs": 2, "iterations": 4}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"share": False, "ids": True},
        {"objective": "kl", "popart": True},
        {"dual": 3.0, "value_clip": 0.2, "kl_stop": 0.01, "clip_anneal": True, "entropy": 0.01},
    ],
)
def test_a_run_goes_on_from_any_iteration_with_the_same_bits(pair, options):
    cfg, stages = ppo.Config(**FEW, **options), []
    for progress, _ in learn(ppo, pair, cfg, np.random.default_rng(1)):
        stages.append(copy.deepcopy(progress))
    for stage in stages[:-1]:
        *_, (last, _) = learn(ppo, pair, cfg, np.random.default_rng(9), stage)
        assert same(last.agent, stages[-1].agent)
    assert not same(run(cfg, 2, pair)[0].agent, stages[-1].agent)


def test_with_one_agent_sharing_and_ids_change_nothing():
    one = run(ppo.Config(**FEW, dtype="float64"))[0].agent
    two = run(ppo.Config(**FEW, dtype="float64", share=False, ids=True))[0].agent
    assert_allclose(one.theta[0], two.theta[0][0], atol=1e-8)  # compiled, and as defined
    assert_allclose(one.phi[0], two.phi[0][0], atol=1e-8)


@pytest.mark.parametrize("options", [{"share": True}, {"share": False}, {"memory": 2}])
def test_every_pass_takes_each_row_once_in_an_order_of_its_own(monkeypatch, options):
    cfg = ppo.Config(num_envs=6, num_steps=5, minibatches=3, epochs=3, iterations=1, **options)
    parts = []
    inner, quick = ppo.gradient, fused.one_pass

    def gradient(*given):  # as defined: what stands in the rows
        parts.append(given[5].log_prob.reshape(-1))
        return inner(*given)

    def one_pass(batch, adam, order, *rest):  # compiled: the order
        parts.extend(np.array_split(batch.rows[0][order], cfg.minibatches))
        return quick(batch, adam, order, *rest)

    monkeypatch.setattr(ppo, "gradient", gradient)
    monkeypatch.setattr(fused, "one_pass", one_pass)
    run(cfg)
    assert [len(part) for part in parts] == [10] * 9
    passes = [np.concatenate(parts[k : k + 3]) for k in (0, 3, 6)]
    for one in passes:
        assert_array_equal(np.sort(one), np.sort(passes[0]))
    assert len(np.unique(passes[0])) == 30
    shuffled = [not np.array_equal(passes[0], other) for other in passes[1:]]
    assert all(shuffled)
    if cfg.memory:  # whole copies: each is one of six, wherever it stands
        copies = {tuple(column) for part in parts for column in part.reshape(5, 2).T}
        assert len(copies) == 6


@pytest.mark.parametrize("share", [True, False])  # compiled, and as defined
@pytest.mark.parametrize(("falls", "name"), [("anneal", "lr"), ("clip_anneal", "clip")])
def test_what_falls_with_time_is_what_a_smaller_constant_would_be(share, falls, name):
    few = {**FEW, "lr": 0.03, "clip": 0.1, "anneal": False, "iterations": 8, "share": share}
    progress = ppo.start(CartPole(), ppo.Config(**few), np.random.default_rng(0))
    late, found = progress._replace(iteration=6), []  # a quarter is left
    for options in ({falls: True}, {name: few[name] / 4}, {}):
        cfg = ppo.Config(**few | options)
        after, _ = ppo.iterate(CartPole(), cfg, copy.deepcopy(late))
        found.append(after.agent.theta[0])
    assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize("objective", ["clip", "kl"])
def test_how_far_it_moved_is_a_mean_over_those_who_act(pair, objective):
    cfg = ppo.Config(**SMALL, objective=objective)
    net, _, part, rows, _ = prepared(pair, cfg, 0, 0)
    theta = part.theta + 0.3 * np.random.default_rng(0).standard_normal(part.theta.shape)
    far = ppo.moved(cfg, net, theta, rows)
    dead = ~rows.acts
    assert dead.any()
    other = rows._replace(log_prob=np.where(dead, rows.log_prob - 1.0, rows.log_prob))
    if rows.params is not None:
        tilted = rows.params + dead[..., None] * np.array([2.0, 0.0, 0.0])
        other = other._replace(params=tilted)
    assert ppo.moved(cfg, net, theta, other) == far > 0.0


def test_the_epochs_end_where_the_policy_moved_too_far():
    cfg = {**FEW, "minibatches": 1, "epochs": 9, "lr": 0.05, "iterations": 1}
    free, held = (run(ppo.Config(**cfg, kl_stop=k))[1] for k in (0.0, 1e-6))
    assert (free["updates"], held["updates"]) == (9.0, 1.0)
    assert held["kl"] > 1e-6


def test_the_penalty_brings_the_distance_to_what_is_wanted():
    cfg = ppo.Config(
        objective="kl", beta=1e-3, kl_target=0.01, lr=3e-3, anneal=False, num_envs=8,
        num_steps=64, epochs=10, iterations=30,
    )  # fmt: skip
    found = [m["kl"] for _, m in learn(ppo, CartPole(), cfg, np.random.default_rng(0))]
    assert 0.005 < np.median(found[10:]) < 0.02


def test_what_is_clipped_falls_with_the_step():
    cfg = {**FEW, "num_steps": 32, "iterations": 1, "epochs": 8, "clip": 0.05}
    shares = [run(ppo.Config(**cfg, lr=lr))[1]["clipped"] for lr in (1e-5, 1e-3, 1e-1)]
    assert shares[0] == 0.0 < shares[1] < shares[2]


def test_popart_changes_no_prediction_when_its_moments_move():
    cfg = ppo.Config(**{**SMALL, "popart": True})
    env = CartPole()
    progress = ppo.start(env, cfg, np.random.default_rng(0))
    act = ppo.policy(env, cfg, progress.agent, np.random.default_rng(0))
    batch = collect(env, act, progress.roll, 4)[1]
    part = ppo.part_of(progress.agent, 0)
    net, judge = ppo.actor(cfg, env.groups[0]), ppo.critic(cfg, 4)
    view = ppo.View(batch.obs[0], batch.final[0], batch.reward[0])
    (_, phi, *_, scale, _), rows = ppo.prepare(cfg, net, judge, part, batch, view, 0)
    before = judge.forward(part.phi, batch.obs[0])[0]
    after = judge.forward(phi, batch.obs[0])[0] * scale.std + scale.mean
    assert_allclose(after, before, atol=1e-12)
    assert not np.array_equal(phi, part.phi)
    assert_allclose([rows.target.mean(), rows.target.std()], [0.0, 1.0], atol=1e-9)


@pytest.mark.parametrize("ends", ["truncated", "terminated"])
@pytest.mark.parametrize("objective", ["clip", "kl"])
def test_single_steps_that_all_end(ends, objective):
    def cut(batch):
        every, none = np.ones_like(batch.terminated), np.zeros_like(batch.terminated)
        flags = (none, every) if ends == "truncated" else (every, none)
        count = every.size
        at = np.stack(np.unravel_index(np.arange(count), every.shape), axis=1)
        final = (batch.obs[0][1:].reshape(count, 1, 4),)
        return batch._replace(terminated=flags[0], truncated=flags[1], at=at, final=final)

    cfg = ppo.Config(**{**SMALL, "num_steps": 1}, objective=objective, normalise=False, lam=1.0)
    net, judge, part, rows, (_, batch) = prepared(CartPole(), cfg, 0, 0, cut)
    after = judge.forward(part.phi, batch.obs[0][1:])[0][..., 0]
    wanted = batch.reward[0] + (cfg.gamma * after if ends == "truncated" else 0.0)
    assert_allclose(rows.target, wanted.reshape(rows.target.shape), atol=1e-12)
    d_theta, d_phi, _ = ppo.gradient(cfg, net, judge, part.theta, part.phi, rows, 1.0, 0.2)
    assert np.isfinite(d_theta).all()
    assert np.isfinite(d_phi).all()


def test_what_is_no_number_shows_in_the_metrics_at_once(pair):
    cfg = ppo.Config(**SMALL)
    for field in ("advantage", "log_prob"):
        net, judge, part, rows, _ = prepared(pair, cfg, 0, 0)
        broken = getattr(rows, field).copy()
        broken[0, 0] = np.nan
        found = ppo.gradient(
            cfg, net, judge, part.theta, part.phi, rows._replace(**{field: broken}), 1.0, 0.2
        )
        assert np.isnan(found[2]["gain"])
        assert np.isnan(found[0]).any()


def test_one_action_leaves_nothing_to_learn_for_the_policy():
    from refmarl.nn import categorical
    from refmarl.policy_gradient.surrogate import clip_gain

    logits, action = np.array([[3.0], [-2.0]]), np.zeros(2, int)
    log_prob = categorical.log_prob(logits, action)
    gain, d_log_prob = clip_gain(log_prob, log_prob, np.array([1.0, -4.0]), 0.2)
    assert gain == -1.5
    assert (d_log_prob[:, None] * categorical.d_log_prob(logits, action) == 0).all()


def test_constants_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"minibatches: need at most .* = 12, got 13"):
        ppo.Config(num_envs=3, num_steps=4, minibatches=13)
    with pytest.raises(InputError, match=r"dual: need 0 or a number > 1, got 0.5"):
        ppo.Config(dual=0.5)
    with pytest.raises(InputError, match="clip: need"):
        ppo.Config(clip=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_it_balances_the_pole(seed):
    from refmarl.training.evaluate import evaluate

    cfg = ppo.Config(
        num_envs=8, num_steps=32, minibatches=1, epochs=20, lam=0.8, gamma=0.98, lr=1e-3,
        clip_anneal=True, iterations=390,
    )  # fmt: skip
    progress, _ = run(cfg, seed)
    act = ppo.policy(CartPole(), cfg, progress.agent, np.random.default_rng(1), greedy=True)
    assert evaluate(CartPole(), act, np.random.default_rng(2), 20).team.mean() >= 475


@pytest.mark.skipif(not nn_fused.ENABLED, reason="no BLAS that kernels can call")
@settings(max_examples=8, deadline=None)
@given(
    SEEDS, st.integers(1, 5), st.sampled_from([0.0, 1.2, 3.0]), st.sampled_from([0.0, 0.1]),
    st.sampled_from([0.0, 0.05]), st.sampled_from([1, 3]),
)  # fmt: skip
def test_the_compiled_passes_are_what_the_definition_says(
    seed, minibatches, dual, value_clip, entropy, team
):
    env = Navigation(team=team)
    cfg = ppo.Config(
        dtype="float64", hidden=(5, 3), num_envs=3, num_steps=5, minibatches=minibatches, epochs=3,
        iterations=2, lr=0.02, clip=0.1, dual=dual, value_clip=value_clip, entropy=entropy,
        max_norm=0.3, ids=True,
    )  # fmt: skip
    one, told = run(cfg, seed, env)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "begin", lambda *given: None)
        two, said = run(cfg, seed, env)
    assert_allclose(one.agent.theta[0], two.agent.theta[0], atol=1e-8)
    assert_allclose(one.agent.phi[0], two.agent.phi[0], atol=1e-8)
    assert one.agent.opt_phi[0].step == two.agent.opt_phi[0].step == 2 * 3 * minibatches
    assert_allclose(one.agent.opt_theta[0].v, two.agent.opt_theta[0].v, atol=1e-10)
    for name in told.keys() & said.keys():
        assert_allclose(told[name], said[name], atol=1e-8, err_msg=name)


@pytest.mark.skipif(not nn_fused.ENABLED, reason="no BLAS that kernels can call")
@pytest.mark.parametrize("field", ["advantage", "log_prob", "target"])
def test_what_is_no_number_shows_in_the_metrics_of_compiled_passes_too(field):
    cfg = ppo.Config(**SMALL)
    net, judge, part, rows, _ = prepared(CartPole(), cfg, 0, 0)
    broken = getattr(rows, field).copy()
    broken[0, 0] = np.nan
    quick = fused.begin(net, judge, *part[:4], rows._replace(**{field: broken}))
    order = np.arange(len(rows.obs))
    told = fused.one_pass(quick, ppo.OPTIMISER, order, 1, 1e-3, (0.2, np.inf, np.inf, 0.0, 0.5))
    assert np.isnan(told[0, ppo.TOLD.index("value_loss" if field == "target" else "gain")])
