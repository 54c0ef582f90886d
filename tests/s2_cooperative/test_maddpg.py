"""MADDPG: reductions, whose actions count, groups that differ, and whole runs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import ddpg, maddpg, matd3
from refmarl.cooperative import deterministic as nets
from refmarl.envs import Navigation, Pendulum, SpeakerListener
from refmarl.nn import check_gradient
from refmarl.nn.optim import polyak
from refmarl.policy_gradient import masac
from refmarl.policy_gradient.soft_networks import numbers
from refmarl.replay import ring
from refmarl.training import checkpoint, run

SEEDS = st.integers(0, 2**32)
TINY = {
    "hidden": (4,), "num_steps": 4, "batch": 7, "warmup": 6, "every": 3, "capacity": 60,
    "num_envs": 3,
}  # fmt: skip
ALGORITHMS = {"maddpg": maddpg, "ddpg": ddpg, "matd3": matd3}
BOXES = Navigation(continuous=True)


def finished(env, cfg, iterations, algorithm=maddpg, seed=1):
    progress, metrics = algorithm.start(env, cfg, np.random.default_rng(seed)), {}
    for _ in range(iterations):
        progress, metrics = algorithm.iterate(env, cfg, progress)
    return progress, metrics


def learner(env, seed, algorithm=maddpg, **settings):
    """(config, an agent whose targets are apart from it, rows) in float64."""
    cfg = algorithm.Config(**(TINY | {"dtype": "float64", "activation": "tanh"} | settings))
    rng = np.random.default_rng(seed)
    progress = algorithm.start(env, replace(cfg, warmup=10**6), rng)
    for _ in range(3):
        progress, _ = algorithm.iterate(env, replace(cfg, warmup=10**6), progress)
    moved = [tuple(x + 0.2 * rng.standard_normal(x.shape) for x in part)
             for part in progress.agent[:4]]  # fmt: skip
    agent = maddpg.Agent(*moved, *progress.agent[4:])
    return cfg, agent, ring.sample(progress.roll.stand.memory, rng, cfg.batch)


def taken(env, batch):
    return tuple(map(numbers, env.groups, batch.action))


# -- reductions -------------------------------------------------------------------------


@pytest.mark.equation("2.3")
@pytest.mark.equation("2.4")
@settings(max_examples=5)
@given(SEEDS, st.sampled_from(["replay", "current"]), st.booleans())
def test_with_one_agent_it_is_ddpg_bit_for_bit(seed, others, share):
    settings = TINY | {"share": share}
    one = finished(Pendulum(), maddpg.Config(**settings, others=others), 4, maddpg, seed)[0]
    two = finished(Pendulum(), ddpg.Config(**settings), 4, ddpg, seed)[0]
    assert checkpoint.same(one, two)


@pytest.mark.equation("2.3")
@settings(max_examples=10)
@given(SEEDS)
def test_the_target_holds_the_slow_policies_of_all_at_the_next_observations(seed):
    cfg, agent, batch = learner(BOXES, seed)
    after = maddpg.actions(BOXES, cfg, agent.theta_target, batch.next_obs, ())
    y = maddpg.targets(BOXES, cfg, agent, batch, 0, after)
    mu = nets.actor(BOXES.groups[0], cfg.hidden, "tanh")
    q = nets.critic(BOXES.groups[0], cfg.hidden, "tanh", 2 * (18 + 5))
    o = batch.next_obs[0]
    a = [np.tanh(mu.forward(agent.theta_target[0][j], o[:, j])[0]) for j in range(3)]
    for i in range(3):
        rest = [x for j in range(3) if j != i for x in (o[:, j], a[j])]
        x = np.concatenate([o[:, i], a[i], *rest], axis=1)
        q_next = q.forward(agent.phi_target[0][0, i], x)[0][:, 0]
        assert_allclose(y[i], batch.reward[0][:, i] + cfg.gamma * q_next, atol=1e-10)


@pytest.mark.equation("2.3")
@settings(max_examples=10)
@given(SEEDS, st.sampled_from(list(ALGORITHMS)))
def test_where_an_episode_terminated_the_target_is_the_reward(seed, name):
    cfg, agent, batch = learner(BOXES, seed, ALGORITHMS[name])
    over = np.random.default_rng(seed).random(cfg.batch) < 0.5
    after = maddpg.actions(BOXES, cfg, agent.theta_target, batch.next_obs, ())
    y, on = (
        maddpg.targets(BOXES, cfg, agent, batch._replace(terminated=flag), 0, after)
        for flag in (over, np.zeros_like(over))
    )
    assert_array_equal(y[:, over], batch.reward[0].T[:, over])
    assert_array_equal(y[:, ~over], on[:, ~over])
    assert not batch.terminated.any()  # its clock cuts, and that is no end


def relabelled(env, agent, batch, order):
    """The same with agents in another order: their rows, and what their critics see of others."""
    obs, act = tuple(np.arange(3 * n)[None].reshape(1, 3, n) for n in (18, 5))
    rename = np.argsort(order)  # where agent j stands now
    phi = []
    seen = masac.others(env, (obs,), (100 + act,), 0)[0].astype(int)
    q = nets.critic(env.groups[0], (4,), "tanh", seen.shape[-1])
    for x in (agent.phi[0], agent.phi_target[0]):
        new = x[:, order].copy()
        for i, old in enumerate(order):
            w_old, w_new = q.view(x[:, old], "W1"), q.view(new[:, i], "W1")
            where = {v: k for k, v in enumerate(seen[old].tolist())}
            for k, v in enumerate(seen[i].tolist()):
                width, base = (5, 100) if v >= 100 else (18, 0)
                j, c = divmod(v - base, width)
                w_new[:, 23 + k] = w_old[:, 23 + where[base + order[j] * width + c]]
        phi.append((new,))
    assert sorted(rename) == [0, 1, 2]
    batch = batch._replace(**{
        key: tuple(x[:, order] for x in getattr(batch, key))
        for key in ("obs", "action", "reward", "next_obs")
    })  # fmt: skip
    theta = (tuple(x[order] for x in part) for part in agent[:2])
    return maddpg.Agent(*theta, *phi, *agent[4:]), batch


@pytest.mark.equation("2.3")
@pytest.mark.equation("2.4")
@settings(max_examples=8)
@given(SEEDS, st.permutations([0, 1, 2]), st.sampled_from(["replay", "current"]))
def test_relabelling_agents_relabels_everything(seed, order, others):
    cfg, agent, batch = learner(BOXES, seed, others=others)
    order = np.array(order)
    rng = np.random.default_rng
    one, two = maddpg.update(BOXES, cfg, agent, batch, rng(0))
    agent2, batch2 = relabelled(BOXES, agent, batch, order)
    other, told = maddpg.update(BOXES, cfg, agent2, batch2, rng(0))
    wanted, _ = relabelled(BOXES, one, batch, order)
    for mine, want in zip(other[:4], wanted[:4], strict=True):
        assert_allclose(mine[0], want[0], atol=1e-7)
    assert two == pytest.approx(told, abs=1e-9)


@pytest.mark.equation("2.4")
@pytest.mark.certifies("refmarl.cooperative.maddpg:actor_step")
@settings(max_examples=6)
@given(SEEDS, st.sampled_from([Navigation(), BOXES]))
def test_the_gradient_of_all_agents_side_by_side_is_a_difference_quotient(seed, env):
    cfg, agent, batch = learner(env, seed, straight=False, hidden=(2,))

    def gain(at):
        rng = np.random.default_rng(7)
        return maddpg.actor_step(env, cfg, at, agent.phi[0], batch, 0, taken(env, batch), rng)[:2]

    check_gradient(gain, agent.theta[0]).require()


# -- whose actions count ----------------------------------------------------------------


@pytest.mark.equation("2.4")
@settings(max_examples=8)
@given(SEEDS, st.sampled_from([Navigation(), BOXES]))
def test_with_replay_the_others_actions_come_from_the_memory(seed, env):
    """Erratum A5: only slot i is replaced, whatever the others' policies are."""
    cfg, agent, batch = learner(env, seed)
    theta = agent.theta[0].copy()
    theta[1:] += 0.5
    other = agent._replace(theta=(theta,))
    one, two = (
        maddpg.update(env, cfg, a, batch, np.random.default_rng(3))[0] for a in (agent, other)
    )
    assert_array_equal(one.theta[0][0], two.theta[0][0])
    act = batch.action[0].copy()
    act[:, 1] = (act[:, 1] + 1) % 5 if act.ndim == 2 else 0.5 * act[:, 1]
    changed = batch._replace(action=(act,))
    climbs = [
        maddpg.actor_step(env, cfg, agent.theta[0], agent.phi[0], batch, 0, taken(env, b),
                          np.random.default_rng(3))
        for b in (batch, changed)
    ]  # fmt: skip
    assert abs(climbs[0].gradient[0] - climbs[1].gradient[0]).max() > 0.0
    assert_array_equal(climbs[0].action, climbs[1].action)


@settings(max_examples=8)
@given(SEEDS)
def test_with_current_they_come_from_the_others_policies(seed):
    cfg, agent, batch = learner(BOXES, seed, others="current", clip=1e9)
    theta = agent.theta[0].copy()
    theta[1:] += 0.5
    other = agent._replace(theta=(theta,))
    one, two = (
        maddpg.update(BOXES, cfg, a, batch, np.random.default_rng(3))[0].opt_theta[0].m[0]
        for a in (agent, other)
    )
    assert abs(one - two).max() > 0.0
    (now,) = maddpg.actions(BOXES, cfg, agent.theta, batch.obs, ())
    as_if = batch._replace(action=(now,))  # a memory in which all did what they would do now
    asked, remembered = (
        maddpg.actor_step(BOXES, cfg, agent.theta[0], agent.phi[0], b, 0, (now,),
                          np.random.default_rng(0))
        for b in (batch, as_if)
    )  # fmt: skip
    assert_array_equal(asked.gradient, remembered.gradient)


@settings(max_examples=8)
@given(SEEDS)
def test_independent_critics_see_nothing_of_others(seed):
    cfg, agent, batch = learner(BOXES, seed, ddpg)
    obs, reward = batch.obs[0].copy(), batch.reward[0].copy()
    obs[:, 1:], reward[:, 1:] = 7.0, 9.0
    changed = batch._replace(obs=(obs,), reward=(reward,))
    one, two = (
        maddpg.update(BOXES, cfg, agent, b, np.random.default_rng(0))[0] for b in (batch, changed)
    )
    assert_array_equal(one.theta[0][0], two.theta[0][0])
    assert_array_equal(one.phi[0][:, 0], two.phi[0][:, 0])
    assert abs(one.phi[0][:, 1] - two.phi[0][:, 1]).max() > 0.0


# -- options ----------------------------------------------------------------------------


@pytest.mark.equation("2.5")
@settings(max_examples=5)
@given(SEEDS)
def test_targets_follow_by_tau_after_an_update(seed):
    cfg, agent, batch = learner(BOXES, seed, tau=0.25)
    moved, _ = maddpg.update(BOXES, cfg, agent, batch, np.random.default_rng(0))
    for old, new, slow in ((agent.theta_target, moved.theta, moved.theta_target),
                           (agent.phi_target, moved.phi, moved.phi_target)):  # fmt: skip
        assert_array_equal(slow[0], polyak(old[0], new[0], 0.25))


def test_delayed_actors_and_targets_move_every_third_time():
    cfg, agent, batch = learner(BOXES, 0, delay=3)
    moves = []
    for _ in range(6):
        new, metrics = maddpg.update(BOXES, cfg, agent, batch, np.random.default_rng(0))
        apart = [bool((a[0] != b[0]).any()) for a, b in zip(agent[:4], new[:4], strict=True)]
        moves.append(apart)
        assert ("gain" in metrics) == apart[0]
        agent = new
    assert moves == [[False, False, True, False], [False, False, True, False], [True] * 4] * 2


@settings(max_examples=5)
@given(SEEDS)
def test_noise_on_target_actions_is_clipped_and_leaves_them_in_the_cube(seed):
    settings = {"smoothing": 5.0, "smoothing_clip": 0.1}
    cfg, agent, batch = learner(BOXES, seed, matd3, **settings)
    plain, _ = maddpg.update(BOXES, replace(cfg, smoothing=0.0), agent, batch, seeded())
    noisy, _ = maddpg.update(BOXES, cfg, agent, batch, seeded())
    assert abs(plain.phi[0] - noisy.phi[0]).max() > 0.0
    mu = maddpg.actions(BOXES, cfg, agent.theta, batch.obs, ())[0]
    for size in (0.1, 9.0):
        (got,) = maddpg.actions(BOXES, cfg, agent.theta, batch.obs, (), (np.full_like(mu, size),))
        assert (got >= mu).all()
        assert (got <= np.minimum(mu + size, 1.0)).all()


def test_noise_on_target_actions_is_cut_and_choices_are_drawn():
    cfg, _, batch = learner(BOXES, 0, matd3, smoothing=5.0, smoothing_clip=0.1)
    (noise,) = maddpg.smoothing_noise(BOXES, cfg, batch, seeded())
    assert noise.shape == (cfg.batch, 3, 5)
    assert abs(noise).max() == 0.1
    assert maddpg.smoothing_noise(BOXES, replace(cfg, smoothing=0.0), batch, seeded()) == ()


@settings(max_examples=5)
@given(SEEDS)
def test_actors_are_judged_by_the_first_critics_and_targets_by_the_smaller(seed):
    cfg, agent, batch = learner(BOXES, seed, matd3)
    phi = agent.phi[0].copy()
    phi[1] += 0.5
    one, two = (
        maddpg.actor_step(BOXES, cfg, agent.theta[0], p, batch, 0, taken(BOXES, batch), seeded())
        for p in (agent.phi[0], phi)
    )
    assert_array_equal(one.gradient, two.gradient)
    after = maddpg.actions(BOXES, cfg, agent.theta_target, batch.next_obs, ())
    both = [
        maddpg.targets(BOXES, cfg, agent._replace(phi_target=(p,)), batch, 0, after)
        for p in (agent.phi_target[0][:1], agent.phi_target[0][1:], agent.phi_target[0])
    ]
    assert_array_equal(both[2], np.minimum(both[0], both[1]))


@pytest.mark.equation("2.3")
@pytest.mark.parametrize("share", [True, False])
def test_nothing_comes_to_agents_that_are_gone(pair, share):
    cfg, agent, batch = learner(pair, 0, share=share)
    after = maddpg.actions(pair, cfg, agent.theta_target, batch.next_obs, batch.next_mask)
    y = maddpg.targets(pair, cfg, agent, batch, 0, after)
    gone = ~batch.next_alive[0]
    assert gone.any()
    assert_array_equal((y if share else y.T)[gone], batch.reward[0][gone])


def seeded():
    return np.random.default_rng(5)


def test_noise_of_ornstein_and_uhlenbeck_grows_within_an_episode_and_starts_from_0_in_each():
    quiet = {"num_envs": 4000, "sigma": 0.3, "noise": "ou", "hidden": (1,), "every": 10**9,
             "capacity": 10, "num_steps": 40, "dtype": "float64"}  # fmt: skip
    stationary = 0.3 / (1.0 - (1.0 - maddpg.PULL) ** 2) ** 0.5
    for horizon, wanted in ((0, stationary), (1, 0.3)):
        env = Pendulum(horizon=horizon)
        progress, _ = finished(env, maddpg.Config(**quiet), 1)
        assert progress.roll.noise[0].std() == pytest.approx(wanted, rel=0.05)


@pytest.mark.parametrize("noise", ["gaussian", "ou"])
def test_choices_are_drawn_anew_in_every_step(noise):
    env, copies, steps = Navigation(horizon=0), 400, 5
    cfg = maddpg.Config(num_envs=copies, num_steps=steps, warmup=0, every=10**9, noise=noise,
                        capacity=copies * steps, hidden=(2,))  # fmt: skip
    progress, _ = finished(env, cfg, 1)
    taken = ring.held(progress.roll.stand.memory).action[0].reshape(steps, copies, 3)
    alike = (taken[1:] == taken[:-1]).mean()
    assert alike == pytest.approx(0.2, abs=0.05)  # five actions, all about as likely at first


# -- groups that differ -----------------------------------------------------------------


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("share", [True, False])
def test_masks_deaths_and_both_kinds_of_actions_in_one_run(pair, name, share):
    algorithm = ALGORITHMS[name]
    cfg = algorithm.Config(share=share, **TINY)
    progress, metrics = finished(pair, cfg, 8, algorithm)
    held = ring.held(progress.roll.stand.memory)
    legal = np.take_along_axis(held.mask[0], held.action[0][..., None], axis=-1)
    assert legal.all()  # no illegal action was taken
    assert (abs(held.action[1]) <= 1.0).all()
    assert {"critic_loss", "gain", "q", "target", "return"} <= metrics.keys()
    act = algorithm.policy(pair, cfg, progress.agent, np.random.default_rng(3), True)
    state = pair.reset(np.random.default_rng(4), 6)
    action = act(pair.observe(state), pair.mask(state), ()).action
    assert action[0].shape == (6, 2)
    assert action[1].shape == (6, 1, 2)
    again = act(pair.observe(state), pair.mask(state), ()).action
    assert_array_equal(again[1], action[1])  # greedy: nothing is drawn


@pytest.mark.parametrize("share", [True, False])
def test_rows_in_which_an_agent_does_not_act_teach_nothing(pair, share):
    cfg, agent, batch = learner(pair, 0, share=share)
    dead = ~batch.alive[0]
    assert dead.any()
    changed = batch._replace(reward=(np.where(dead, 1e6, batch.reward[0]), batch.reward[1]))
    one, two = (
        maddpg.update(pair, cfg, agent, b, np.random.default_rng(5))[0] for b in (batch, changed)
    )
    assert_array_equal(one.phi[0], two.phi[0])
    assert_array_equal(one.theta[0], two.theta[0])


@pytest.mark.parametrize("continuous", [True, False])
def test_speaker_and_listener_see_and_do_different_things(continuous):
    progress, metrics = finished(SpeakerListener(continuous=continuous), maddpg.Config(**TINY), 5)
    shapes = [x.shape for x in progress.agent.phi]
    assert [s[:2] for s in shapes] == [(1, 1), (1, 1)]
    seen = (3 + 3) + (11 + 5)  # one critic as the other: all numbers of both
    assert [s[2] for s in shapes] == [4 * (seen + 1) + 5] * 2
    assert np.isfinite(list(metrics.values())).all()


@pytest.mark.slow  # 5 s
@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_finds_the_best_choice_and_the_best_number(pair, name):
    algorithm = ALGORITHMS[name]
    cfg = algorithm.Config(hidden=(16,), batch=64, every=5, num_envs=5, warmup=100, num_steps=20)
    progress, _ = finished(pair, cfg, 60, algorithm)
    act = algorithm.policy(pair, cfg, progress.agent, np.random.default_rng(3), True)
    state = pair.reset(np.random.default_rng(4), 6)
    choice, number = act(pair.observe(state), pair.mask(state), ()).action
    assert (choice == 2).all()
    assert (abs(number) < 0.2).all()


# -- runs -------------------------------------------------------------------------------


def test_an_update_for_every_so_many_steps_of_all_copies():
    env, cfg = Pendulum(), maddpg.Config(**(TINY | {"every": 5, "warmup": 0}))
    progress, _ = finished(env, cfg, 4)
    assert progress.steps == 48
    assert progress.agent.opt_phi[0].step == 48 // 5
    assert progress.agent.opt_theta[0].step == 48 // 5


def test_nothing_is_learnt_before_the_warm_up_ends():
    env, cfg = Pendulum(), maddpg.Config(**(TINY | {"warmup": 13}))
    progress, metrics = finished(env, cfg, 1)  # 12 steps
    assert progress.agent.opt_phi[0].step == 0
    assert "critic_loss" not in metrics
    progress, metrics = maddpg.iterate(env, cfg, progress)
    assert "critic_loss" in metrics


@pytest.mark.parametrize(
    ("name", "env", "noise"),
    [
        ("maddpg", "pendulum", "ou"),
        ("ddpg", "speaker-listener", "gaussian"),
        ("maddpg", "speaker-listener", "ou"),
        ("matd3", "pendulum", "gaussian"),
    ],
)
def test_a_stopped_run_continues_to_the_same_bits_with_its_memory(tmp_path, name, env, noise):
    cfg = ALGORITHMS[name].Config(iterations=6, **(TINY | {"num_steps": 3, "noise": noise}))
    what = run.Run(algorithm=name, env=env, config=cfg, log_every=1, save_every=2)
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    halved = run.train(what, tmp_path / "halved")
    assert checkpoint.same(whole, halved)
    lines = [(tmp_path / at / "metrics.jsonl").read_bytes() for at in ("whole", "halved")]
    assert lines[0] == lines[1]


def test_a_reward_that_is_not_finite_stops_the_run_with_its_name(tmp_path, monkeypatch):
    true = Pendulum.step

    def step(self, state, actions):
        after, found = true(self, state, actions)
        return after, found._replace(reward=(np.full_like(found.reward[0], np.nan),))

    monkeypatch.setattr(Pendulum, "step", step)
    what = run.Run(algorithm="maddpg", env="pendulum", config=maddpg.Config(**TINY), log_every=1,
                   save_every=1)  # fmt: skip
    with pytest.raises(run.Diverged, match="target is nan at iteration"):
        run.train(what, tmp_path / "run")


def test_constants_out_of_range_are_refused():
    with pytest.raises(InputError, match="others: need one of replay, current; got 'mine'"):
        maddpg.Config(others="mine")
    with pytest.raises(InputError, match=r"every: need a number in \[1, inf\), got 0"):
        ddpg.Config(every=0)
