"""Values of teams that remember: what acted is what learns, nothing leaks, what memory can earn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import iql, qmix, qplex, qtran, vdn, wqmix
from refmarl.cooperative import value_decomposition as base
from refmarl.cooperative.experience import sample
from refmarl.cooperative.utilities import Utilities
from refmarl.env_api import take
from refmarl.envs import TMaze
from refmarl.learner import learn
from refmarl.nn import check_gradient
from refmarl.replay import ring
from refmarl.training import checkpoint, run
from refmarl.training.evaluate import evaluate

SEEDS = st.integers(0, 2**32)
ALGORITHMS = {"iql": iql, "vdn": vdn, "qmix": qmix, "wqmix": wqmix, "qtran": qtran,
              "qplex": qplex}  # fmt: skip
TINY = {"hidden": (3,), "num_steps": 4, "batch": 3, "warmup": 6, "capacity": 40, "num_envs": 3,
        "period": 3, "epsilon_steps": 50, "memory": 2, "stretch": 4, "reward": "mean"}  # fmt: skip
SMALL = {"qmix": {"mixing": 2, "hyper": 2}, "wqmix": {"mixing": 2, "hyper": 0, "free": (2,)},
         "qtran": {"joint": (2,)}, "qplex": {"mixing": (2,)}}  # fmt: skip
MAZE = TMaze(length=2, players=2)


def config(name, **more):
    return ALGORITHMS[name].Config(**TINY | SMALL.get(name, {}) | more)


def finished(name, cfg, iterations=4, seed=1, env=MAZE):
    algorithm = ALGORITHMS[name]
    progress, metrics = algorithm.start(env, cfg, np.random.default_rng(seed)), {}
    for _ in range(iterations):
        progress, metrics = algorithm.iterate(env, cfg, progress)
    return progress, metrics


def problem(name, seed, env=MAZE, **more):
    """(cfg, method, networks, φ, φ', stretches) in float64, away from where it starts."""
    cfg = config(name, dtype="float64", activation="tanh", updates=0, **more)
    rng = np.random.default_rng(seed)
    progress = ALGORITHMS[name].start(env, cfg, np.random.default_rng(seed))
    phi, slow = (
        progress.agent.phi + 0.3 * rng.standard_normal(progress.agent.phi.shape) for _ in range(2)
    )
    progress = progress._replace(agent=progress.agent._replace(phi=phi))
    for _ in range(4):
        progress, _ = ALGORITHMS[name].iterate(env, cfg, progress)
    method = ALGORITHMS[name].METHOD
    options = (cfg.num_envs, cfg.gamma, 1, cfg.reward, cfg.along)
    batch = sample(progress.roll.memory, rng, cfg.batch, *options)
    return cfg, method, method.nets(env, cfg), phi, slow, batch


def slopes(cfg, method, nets, phi, slow, batch):
    parts, metrics = method.gradient(
        cfg, nets, base.split(nets, phi), base.split(nets, slow), batch
    )
    return np.concatenate(parts), metrics


# -- gradients --------------------------------------------------------------------------


@pytest.mark.equation("2.7")
@pytest.mark.equation("2.8")
@pytest.mark.parametrize("name", ["iql", "vdn", "qmix", "wqmix", "qplex"])
@settings(max_examples=5)
@given(SEEDS, st.booleans(), st.booleans())
def test_gradients_go_back_through_time(name, seed, share, double):
    # targets of φ's greedy actions, and the weights, stay as they are so near to φ
    more = {"wqmix": {"weighting": "optimistic"}, "qplex": {"hold": False}}.get(name, {})
    given_ = problem(name, seed, share=share, double=double, **more)
    cfg, method, nets, phi, slow, batch = given_

    def loss(at):
        slope, metrics = slopes(cfg, method, nets, at, slow, batch)
        return metrics["loss"] + metrics.get("star_loss", 0.0), slope

    check_gradient(loss, phi).require()


@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_each_loss_of_qtran_goes_back_through_time(seed, share):
    cfg, method, nets, phi, slow, batch = problem("qtran", seed, share=share, opt=0.7, nopt=1.3)
    own = slice(0, nets[0].size)  # the utilities: Q_jt is held in what trains them

    def loss(at):
        whole = np.concatenate([at, phi[own.stop :]])
        slope, metrics = slopes(cfg, method, nets, whole, slow, batch)
        return 0.7 * metrics["opt_loss"] + 1.3 * metrics["nopt_loss"], slope[own]

    check_gradient(loss, phi[own]).require()


# -- what is learnt along ---------------------------------------------------------------


def teams(nets, phi):
    """(utilities, θ) of each team."""
    pairs = zip(nets, base.split(nets, phi), strict=True)
    return [(net, theta) for net, theta in pairs if isinstance(net, Utilities)]


@pytest.mark.parametrize("name", ["vdn", "wqmix"])
@settings(max_examples=6)
@given(SEEDS, st.booleans())
def test_along_a_stretch_values_are_those_of_agents_that_go_step_by_step(name, seed, share):
    cfg, _, nets, phi, _, batch = problem(name, seed, share=share)
    shape = cfg.stretch, cfg.batch
    for k, (net, theta) in enumerate(teams(nets, phi)):
        known = batch.stretches[k]
        valued, h = net.forward(theta, batch.obs, known), known.memory
        obs = batch.obs[0].reshape(*shape, *batch.obs[0].shape[1:])
        after = batch.next_obs[0].reshape(obs.shape)
        q, ahead = (
            found[0].reshape(*shape, 2, 2)
            for found in (valued.q, base.beyond(net, theta, batch, k))
        )
        assert known.starts[1:].any()  # episodes begin in the middle of a stretch
        for t in range(cfg.stretch):
            h = (np.where(known.starts[t][:, None, None], 0.0, h[0]),)
            now, h = net.step(theta, (obs[t],), h)
            assert_allclose(q[t], now[0], atol=1e-12)
            assert_allclose(ahead[t], net.step(theta, (after[t],), h)[0][0], atol=1e-12)
            if t + 1 < cfg.stretch:  # o' is the next o, unless the episode ended there
                goes_on = ~known.starts[t + 1]
                assert_allclose(ahead[t][goes_on], q[t + 1][goes_on], atol=1e-12)


@settings(max_examples=6)
@given(SEEDS, st.sampled_from([18, 31, 200]))
def test_stretches_are_steps_that_followed_each_other_with_what_was_remembered(seed, capacity):
    # nothing is learnt in between, so that what was stored is what is remembered on the way
    cfg, *_, batch = problem("vdn", seed, capacity=capacity)
    known, shape = batch.stretches[0], (cfg.stretch, cfg.batch)
    obs = batch.obs[0].reshape(*shape, 2, 2)
    after = batch.next_obs[0].reshape(obs.shape)
    over = batch.terminated[:, 0].reshape(shape)
    assert_array_equal(known.starts[1:], over[:-1])  # here every end is a true one
    assert_array_equal(after[:-1][~over[:-1]], obs[1:][~over[:-1]])
    signs = np.abs(obs[..., 0]).all(axis=2)  # seen in the first cell only
    assert_array_equal(known.starts, signs)
    # before a stretch: 0 in the first cell, one step's worth in the second
    h, begins = known.memory[0], known.starts[0]
    assert_array_equal(h[begins], 0.0)
    assert (np.abs(h[~begins]).max(axis=(1, 2)) > 0).all()


@settings(max_examples=5)
@given(SEEDS)
def test_nothing_is_known_of_the_episode_before(seed):
    cfg, _, nets, phi, _, batch = problem("vdn", seed)
    (net, theta), known = teams(nets, phi)[0], batch.stretches[0]
    changed = batch.obs[0].copy().reshape(cfg.stretch, cfg.batch, 2, 2)
    first = np.maximum.accumulate(known.starts[::-1], axis=0)[::-1]  # an episode begins later
    before = np.concatenate([first[1:], np.zeros_like(first[:1])])
    changed[before] += 1.0
    noise = tuple(h + 1.0 * first[0][:, None, None] for h in known.memory)
    one = net.forward(theta, batch.obs, known).q[0]
    two = net.forward(
        theta, (changed.reshape(batch.obs[0].shape),), known._replace(memory=noise)
    ).q[0]
    same = ~before.ravel()
    assert_array_equal(one[same], two[same])
    assert not np.allclose(one[~same], two[~same])


@pytest.mark.parametrize("env", [MAZE, TMaze(length=9, players=2, horizon=3)])
@pytest.mark.parametrize("name", ["vdn", "wqmix"])
def test_what_every_team_remembers_is_stored_and_ends_with_the_episode(name, env):
    cfg = config(name, dtype="float64", updates=0, share=False)
    progress, _ = finished(name, cfg, 3, env=env)
    held, nets = ring.in_order(progress.roll.memory), ALGORITHMS[name].METHOD.nets(env, cfg)
    stored = [a for a in held.more if a.ndim == 3]
    for k, (net, theta) in enumerate(teams(nets, progress.agent.phi)):
        h = np.zeros((3, 2, 2))
        for at in range(0, progress.roll.memory.size, 3):
            assert_allclose(stored[k][at : at + 3], h, atol=1e-12)
            _, (h,) = net.step(theta, (held.obs[0][at : at + 3],), (h,))
            h *= at // 3 % 3 < 2  # all episodes have three steps, by a turn or a clock
        assert_allclose(progress.agent.memory[k][0], h, atol=1e-12)


# -- reductions -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iql", "vdn", "qmix"])
@settings(max_examples=6)
@given(SEEDS, st.booleans(), st.booleans())
def test_a_memory_that_is_not_read_changes_nothing(name, seed, share, double):
    cfg, method, nets, phi, slow, batch = problem(name, seed, share=share, double=double)
    plain_cfg = config(name, dtype="float64", activation="tanh", memory=0, share=share,
                       double=double)  # fmt: skip
    plain = method.nets(MAZE, plain_cfg)
    phi, slow = phi.copy(), slow.copy()
    tops = []
    for at in (phi, slow):
        theta = at[: nets[0].size].reshape(1 if share else 2, -1)
        top = theta[:, -(3 * (len_in(nets[0]) + 1) + 8) :]
        top[:, : 3 * len_in(nets[0])].reshape(len(top), -1, 3)[:, -2:] = 0.0
        kept = np.delete(top.reshape(len(top), -1), unread(nets[0]), axis=1)
        tops.append(np.concatenate([kept.ravel(), at[nets[0].size :]]))
    found, metrics = slopes(cfg, method, nets, phi, slow, batch)
    flat = batch._replace(stretches=(None, None))
    wanted, plainly = slopes(plain_cfg, method, plain, *tops, flat)
    assert metrics == pytest.approx(plainly)
    own = found[: nets[0].size].reshape(1 if share else 2, -1)
    top = own[:, -(3 * (len_in(nets[0]) + 1) + 8) :]
    kept = np.delete(top, unread(nets[0]), axis=1).ravel()
    assert_allclose(np.concatenate([kept, found[nets[0].size :]]), wanted, atol=1e-12)
    assert_allclose(own[:, : -top.shape[1]], 0.0, atol=1e-12)  # nothing for the GRU


def len_in(net):
    """Inputs of the top: two numbers seen, ids of two if they share, two remembered."""
    return 6 if net.share else 4


def unread(net):
    """Where in the top's θ the weights of what is remembered stand."""
    return np.arange(3 * (len_in(net) - 2), 3 * len_in(net))


@settings(max_examples=4)
@given(SEEDS)
def test_copies_do_not_know_of_each_other(seed):
    cfg = config("vdn")
    progress, _ = finished("vdn", cfg, 4, seed)
    act = vdn.policy(MAZE, cfg, progress.agent, np.random.default_rng(0), True)
    order, state = np.array([2, 0, 3, 1]), MAZE.reset(np.random.default_rng(seed), 4)
    turned, one, two = take(state, order), (), ()
    for _ in range(2):
        found = act(MAZE.observe(state), (None,), one)
        other = act(MAZE.observe(turned), (None,), two)
        assert_array_equal(other.action[0], found.action[0][order])
        assert_allclose(other.memory[0], found.memory[0][order], atol=1e-6)
        one, two = found.memory, other.memory
        state, turned = (MAZE.step(s, a)[0] for s, a in
                         ((state, found.action), (turned, other.action)))  # fmt: skip


# -- runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_stopped_run_that_remembers_continues_to_the_same_bits(tmp_path, name):
    cfg = config(name, iterations=6, num_steps=4, batch=2)
    what = run.Run(algorithm=name, env="t-maze", env_options={"length": 2, "players": 2},
                   config=cfg, log_every=1, save_every=2)  # fmt: skip
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    halved = run.train(what, tmp_path / "halved")
    assert checkpoint.same(whole, halved)
    assert whole.agent.opt.step > 0
    assert whole.roll.memory.size == 40  # full: the ring has gone round
    assert len(whole.agent.memory) == (2 if name == "wqmix" else 1)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"n_step": 2}, "n_step: with a memory need 1, got 2"),
        (
            {"capacity": 11},
            r"capacity: with a memory need at least stretch · num_envs = 12, got 11",
        ),
    ],
)
def test_what_a_memory_cannot_have_is_refused(more, says):
    with pytest.raises(InputError, match=says):
        config("vdn", **more)
    config("vdn", memory=0, **more)


def test_nothing_is_learnt_before_there_is_a_whole_stretch():
    cfg = config("vdn", warmup=0, stretch=5)
    progress, metrics = finished("vdn", cfg, 1)
    assert "loss" not in metrics
    assert "loss" in vdn.iterate(MAZE, cfg, progress)[1]


def test_single_rows_are_refused_by_utilities_that_remember():
    net = Utilities(MAZE.groups, (3,), memory=2)
    with pytest.raises(InputError, match="need a stretch of steps"):
        net.forward(net.init(np.random.default_rng(0)), (np.zeros((4, 2, 2)),))


@pytest.mark.slow  # 5 s of processor each
@pytest.mark.parametrize("name", ["iql", "vdn", "qmix"])
@pytest.mark.parametrize("seed", [1, 2])
def test_who_remembers_earns_1_and_who_does_not_a_half(name, seed):
    # best with a memory: 1; best without: ½ of every agent, whatever it does
    env = TMaze(length=3, players=2)
    some = {"reward": "mean", "hidden": (16,), "batch": 16, "lr": 5e-3, "period": 50, "gamma": 0.95,
            "num_steps": 25, "epsilon_steps": 2000, "warmup": 200, "capacity": 5000}  # fmt: skip
    for memory, iterations in ((8, 40), (0, 10)):
        cfg = ALGORITHMS[name].Config(**some, memory=memory, stretch=8, iterations=iterations)
        *_, (progress, _) = learn(ALGORITHMS[name], env, cfg, np.random.default_rng(seed))
        act = ALGORITHMS[name].policy(env, cfg, progress.agent, np.random.default_rng(0), True)
        earned = evaluate(env, act, np.random.default_rng(2), 400).team
        if memory:
            assert earned.min() == 1.0
        else:
            assert abs(earned.mean() - 0.5) < 5 * 0.5 / 400**0.5
