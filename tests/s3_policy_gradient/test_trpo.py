"""TRPO: its step against linear algebra on an exact game, and what a run keeps."""

from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import Discrete, Env, Group, Step
from refmarl.envs.chain import Chain
from refmarl.games.markov import evaluate, joint_dynamics
from refmarl.games.policy_gradient import cross_gradients, softmax
from refmarl.learner import learn
from refmarl.nn import check_gradient
from refmarl.policy_gradient import actor_critic, trpo
from refmarl.policy_gradient.actor_critic import values
from refmarl.policy_gradient.trust_region import shares
from refmarl.rollout import begin, collect
from refmarl.studies.s3_policy_gradient.exact_gradients import action_values, twin
from refmarl.studies.s3_policy_gradient.learning import CHAIN, optimum
from refmarl.training import checkpoint
from refmarl.training.evaluate import evaluate as judge
from refmarl.training.run import Run, read, train

SEEDS = st.integers(0, 2**32)
SHARE = pytest.mark.parametrize("share", [True, False])
SMALL = trpo.Config(hidden=(3,), dtype="float64", num_envs=3, num_steps=4, value_minibatches=1)


def batch_of(env, cfg, seed):
    agent = trpo.start(env, cfg, np.random.default_rng(seed)).agent
    rng = np.random.default_rng(seed)
    theta = tuple(t + 0.3 * rng.standard_normal(t.shape).astype(t.dtype) for t in agent.theta)
    agent = agent._replace(theta=theta)
    roll = begin(env, rng, cfg.num_envs)
    return agent, collect(env, trpo.policy(env, cfg, agent, rng), roll, cfg.num_steps)[1]


def data_of(env, cfg, agent, batch, g):
    critic = actor_critic.critic(env.groups[g], cfg.hidden)
    advantage, _ = trpo.advantages(cfg, critic, agent.phi[g], batch, g)
    return trpo.prepare(env, cfg, agent.theta[g], batch, advantage, g)


@pytest.mark.certifies("refmarl.policy_gradient.trpo:gradient")
@SHARE
@settings(max_examples=10)
@given(SEEDS)
def test_the_gradient_is_that_of_what_the_search_judges(pair, share, seed):
    cfg = replace(SMALL, share=share)
    agent, batch = batch_of(pair, cfg, seed)
    for g in range(2):
        theta, data = agent.theta[g], data_of(pair, cfg, agent, batch, g)
        found = trpo.gradient(theta, data)
        check_gradient(lambda at, t=theta, d=data, f=found: (trpo.judged(t, at, d)[0], f),
                       theta).require()  # fmt: skip


# -- on an exact game ----------------------------------------------------------------


class Exact(NamedTuple):
    """A chain with every state and action as rows, weighed as an endless run would see them."""

    theta: np.ndarray
    data: trpo.Data
    gradient: np.ndarray  # of J, by the game's own linear algebra, in θ
    fisher: np.ndarray  # (P, P), written out
    advantage: np.ndarray  # (S, A)


def exact(seed):
    env = Chain(length=4, players=1, horizon=20)
    chain, cfg = twin(env), replace(SMALL, hidden=())
    actor = actor_critic.actor(env.groups[0], ())
    theta = np.random.default_rng(seed).standard_normal(actor.size)
    game, seen = chain.game, chain.seen[:, 0]
    logits = actor.forward(theta, seen)[0]
    pi, gamma = softmax(logits), game.gamma
    v = evaluate(game, [pi])
    advantage = action_values(game, [pi], v, 0) - v[0][:, None]
    moves, _ = joint_dynamics(game, [pi])
    visits = np.linalg.solve(np.eye(len(moves)) - gamma * moves.T, game.initial)
    states, actions = np.divmod(np.arange(pi.size), pi.shape[1])
    obs = seen[states][:, None, None]  # (T, B, N, O)
    params, tape = actor.forward(theta, obs)
    share = (visits[:, None] * pi).reshape(-1, 1, 1)
    worth = advantage.reshape(-1, 1, 1)
    data = trpo.Data(actor, tape, obs, params, actions[:, None, None], worth, share, None)
    slope = cross_gradients(game, [logits]).gradient[0][0]
    jacobian = np.stack([actor.jvp(theta, actor.forward(theta, seen)[1], e)
                         for e in np.eye(actor.size)], axis=-1)  # (S, A, P)  # fmt: skip
    metric = visits[:, None, None] * (pi[:, :, None] * np.eye(pi.shape[1])
                                      - pi[:, :, None] * pi[:, None, :])  # fmt: skip
    fisher = np.einsum("sap,sab,sbq->pq", jacobian, metric, jacobian)
    wanted = np.einsum("sa,sap->p", slope, jacobian)
    return cfg, Exact(theta, data, wanted, fisher, advantage)


@pytest.mark.equation("3.9")
@settings(max_examples=10)
@given(SEEDS)
def test_on_an_exact_game_g_is_the_gradient_of_the_return(seed):
    _, e = exact(seed)
    assert_allclose(trpo.gradient(e.theta, e.data), e.gradient, atol=1e-9)


@pytest.mark.equation("3.12")
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([1e-4, 0.01, 0.3]), st.sampled_from([1e-3, 0.1]))
def test_on_an_exact_game_the_step_is_that_of_a_dense_solve(seed, delta, damping):
    cfg, e = exact(seed)
    cfg = replace(cfg, delta=delta, damping=damping, cg_iterations=200, cg_tolerance=1e-13)
    h = e.fisher + damping * np.eye(e.theta.size)
    x = np.linalg.solve(h, e.gradient)
    step, found = np.sqrt(2 * delta / (x @ h @ x)) * x, None
    before, _ = trpo.judged(e.theta, e.theta, e.data)
    for j in range(cfg.tries):
        found = e.theta + cfg.shrink**j * step
        gain, kl = trpo.judged(e.theta, found, e.data)
        if kl <= delta and gain > before:
            break
    moved, metrics = trpo.policy_step(cfg, e.theta, e.data)
    assert metrics["backtracks"] == j
    assert_allclose(moved, found, atol=1e-6)
    natural, _ = trpo.policy_step(replace(cfg, search=False), e.theta, e.data)
    assert_allclose(natural, e.theta + step, atol=1e-6)


@settings(max_examples=5)
@given(SEEDS)
def test_on_an_exact_game_a_small_step_raises_the_return(seed):
    cfg, e = exact(seed)
    chain = twin(Chain(length=4, players=1, horizon=20))
    moved, metrics = trpo.policy_step(replace(cfg, delta=1e-4), e.theta, e.data)
    game, seen = chain.game, chain.seen[:, 0]
    worth = [float(game.initial @ evaluate(game, [softmax(e.data.actor.forward(t, seen)[0])])[0])
             for t in (e.theta, moved)]  # fmt: skip
    assert metrics["accepted"] == 1.0
    assert worth[1] > worth[0]


# -- updates -------------------------------------------------------------------------


@SHARE
def test_every_update_is_within_delta_and_improves(pair, share):
    cfg = replace(SMALL, share=share, num_steps=8, iterations=15)
    for _, metrics in learn(trpo, pair, cfg, np.random.default_rng(0)):
        assert metrics["kl"] <= cfg.delta
        assert metrics["gain"] >= 0.0


def test_a_natural_gradient_is_not_searched(pair):
    cfg = replace(SMALL, search=False, iterations=3, delta=0.5)
    for _, metrics in learn(trpo, pair, cfg, np.random.default_rng(0)):
        assert metrics["accepted"] == 1.0
        assert metrics["backtracks"] == 0.0


def test_separate_parameters_of_an_agent_move_by_its_own_rows_alone(pair):
    cfg = replace(SMALL, share=False, num_envs=6, num_steps=6)
    agent, batch = batch_of(pair, cfg, 0)
    reward = batch.reward[0].copy()
    reward[..., 1] += np.arange(len(reward))[:, None]
    other = batch._replace(reward=(reward, batch.reward[1]))
    one, two = (trpo.update(pair, cfg, agent, b, np.random.default_rng(1))[0]
                for b in (batch, other))  # fmt: skip
    assert_array_equal(one.theta[0][0], two.theta[0][0])
    assert not np.array_equal(one.theta[0][1], two.theta[0][1])


def test_one_agent_of_its_own_learns_as_one_that_shares():
    cfgs = [replace(SMALL, share=s, iterations=3) for s in (True, False)]
    agents = []
    for cfg in cfgs:
        for progress, _ in learn(trpo, CHAIN, cfg, np.random.default_rng(1)):
            agents.append(progress.agent)
    assert_allclose(agents[2].theta[0], agents[5].theta[0][0], atol=1e-9)
    assert_allclose(agents[2].phi[0], agents[5].phi[0][0], atol=1e-9)


@SHARE
@pytest.mark.parametrize("level", [0.0, 0.1, -1e6])
def test_equal_advantages_leave_the_policy_what_it_is(share, level):
    theta = np.zeros((2, 3)) if not share else np.zeros(3)
    for dtype in (np.float32, np.float64):
        a = np.full((4, 3, 2), level, dtype)
        found = trpo.normalised(theta, a, shares(theta, a.shape))
        assert found.dtype == dtype
        assert_array_equal(found, 0.0)


@given(SEEDS, st.booleans())
def test_normalised_advantages_have_mean_0_and_deviation_1_in_each_system(seed, share):
    rng = np.random.default_rng(seed)
    theta = np.zeros(3) if share else np.zeros((2, 3))
    acts = rng.random((5, 3, 2)) < 0.7
    acts[:2] = True
    a = 5.0 + 3.0 * rng.standard_normal(acts.shape)
    found = trpo.normalised(theta, a, shares(theta, a.shape, acts))
    for part in [found[acts]] if share else [found[..., n][acts[..., n]] for n in range(2)]:
        assert_allclose((part.mean(), part.std()), (0.0, 1.0), atol=1e-9)


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray


class Idle(Env):
    """One action; the clock cuts every step."""

    name = "idle"
    horizon = 1

    @cached_property
    def groups(self):
        return (Group("idlers", ("a",), 1, Discrete(1)),)

    def restart(self, key):
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool))

    def observe(self, state):
        return (np.ones((len(state.key), 1, 1)),)

    def step(self, state, actions):
        cut = np.ones(len(state.key), bool)
        reward = (state.key % 5).astype(float)[:, None]
        return state._replace(t=state.t + 1, ended=cut), Step((reward,), ~cut, cut)


@pytest.mark.parametrize("num_steps", [1, 3])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_one_action_one_step_and_episodes_that_are_all_cut(num_steps, num_envs):
    cfg = replace(SMALL, num_steps=num_steps, num_envs=num_envs, iterations=3)
    first = trpo.start(Idle(), cfg, np.random.default_rng(0)).agent
    for progress, metrics in learn(trpo, Idle(), cfg, np.random.default_rng(0)):  # noqa: B007
        assert metrics["kl"] == metrics["accepted"] == 0.0
        assert all(np.isfinite(x) for x in metrics.values())
    assert_array_equal(progress.agent.theta[0], first.theta[0])
    assert not np.array_equal(progress.agent.phi[0], first.phi[0])


def test_nobody_alive_moves_no_policy(pair):
    agent, batch = batch_of(pair, SMALL, 0)
    batch = batch._replace(alive=(np.zeros(batch.reward[0].shape, bool), None))
    after, metrics = trpo.update(pair, SMALL, agent, batch, np.random.default_rng(0))
    assert_array_equal(after.theta[0], agent.theta[0])
    assert not np.array_equal(after.theta[1], agent.theta[1])
    assert all(np.isfinite(x) for x in metrics.values())


def test_what_is_not_finite_stops_with_its_name(pair):
    agent, batch = batch_of(pair, SMALL, 0)
    rng = np.random.default_rng(0)
    reward = batch.reward[0].copy()
    reward[1, 1] = np.nan
    spoilt = batch._replace(reward=(reward, batch.reward[1]))
    with pytest.raises(InputError, match="trpo: the advantage is not finite"):
        trpo.update(pair, SMALL, agent, spoilt, rng)
    obs = batch.obs[1].copy()
    obs[0, 0] = np.nan
    data = data_of(pair, SMALL, agent, batch, 1)
    params = data.params.copy()
    params[0] = np.nan
    with pytest.raises(InputError, match="trpo: the gradient of the surrogate is not finite"):
        trpo.policy_step(SMALL, agent.theta[1], data._replace(params=params))


@SHARE
def test_the_critic_is_fitted(pair, share):
    cfg = replace(SMALL, share=share)
    agent, batch = batch_of(pair, cfg, 0)
    net, phi = actor_critic.critic(pair.groups[0], cfg.hidden), agent.phi[0]
    _, target = trpo.advantages(cfg, net, phi, batch, 0)

    def loss(at):
        return 0.5 * np.mean((values(net, at, batch.obs[0][:-1])[0] - target) ** 2)

    given = (net, phi, agent.opt_phi[0], batch.obs[0][:-1], target)
    one = trpo.fit(replace(cfg, value_epochs=1), *given, np.random.default_rng(0))
    slope = np.zeros(phi.shape)
    for index in np.ndindex(phi.shape):
        move = np.zeros(phi.shape)
        move[index] = 1e-6
        slope[index] = (loss(phi + move) - loss(phi - move)) / 2e-6
    _, wanted = trpo.OPTIMISER.update(agent.opt_phi[0], phi, slope, cfg.value_lr)
    clear = abs(slope) > 1e-6  # Adam's first step is the sign of the slope
    assert_allclose(one[0][clear], wanted[clear], atol=1e-6)
    assert_allclose(one[2], loss(phi))
    many = trpo.fit(replace(cfg, value_epochs=200), *given, np.random.default_rng(0))
    assert loss(many[0]) < 0.9 * loss(phi)


# -- runs ----------------------------------------------------------------------------


@SHARE
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(tmp_path, share):
    cfg = trpo.Config(num_envs=2, num_steps=8, hidden=(4,), iterations=6, share=share)
    what = Run(algorithm="trpo", env="cartpole", config=cfg, seed=3, log_every=1, save_every=2)
    whole = checkpoint.digest(train(what, tmp_path / "whole"))
    left = iter([False, False, True])
    train(what, tmp_path / "halved", stop=lambda: next(left))
    again = checkpoint.digest(train(read(tmp_path / "halved"), tmp_path / "halved"))
    assert again == whole
    files = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("whole", "halved")]
    assert files[0] == files[1]


def test_it_learns_to_walk_the_chain():
    cfg = trpo.Config(hidden=(16,), num_envs=16, num_steps=20, iterations=40, delta=0.03)
    for last, _ in learn(trpo, CHAIN, cfg, np.random.default_rng(0)):
        progress = last
    act_rng, env_rng = np.random.default_rng(1).spawn(2)
    policy = trpo.policy(CHAIN, cfg, progress.agent, act_rng, greedy=True)
    found = judge(CHAIN, policy, env_rng, 200).team.mean()
    assert found > 0.95 * optimum()


def test_constants_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"delta: need a number in \(0, inf\), got 0"):
        trpo.Config(delta=0.0)
    with pytest.raises(InputError, match="value_minibatches: need at most num_envs · num_steps"):
        trpo.Config(num_envs=1, num_steps=1)
