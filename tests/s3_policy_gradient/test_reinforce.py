"""REINFORCE: its expectation is the gradient of J, by enumeration, and it learns."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import Discrete, Env, Group, Step
from refmarl.envs import CartPole
from refmarl.kernels.counter import uniform
from refmarl.learner import learn
from refmarl.nn import categorical, check_gradient, gaussian
from refmarl.policy_gradient import reinforce
from refmarl.policy_gradient.actor_critic import Agent, actor, critic
from refmarl.policy_gradient.reinforce import Config, Episodes
from refmarl.training import checkpoint
from refmarl.training.evaluate import evaluate

SEEDS = st.integers(0, 2**32)
HIDDEN = (2,)


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray
    s: np.ndarray


@dataclass(frozen=True)
class Twin(Env):
    """A random process of two states and two actions whose tables are known; it may terminate.

    ``blind`` hides the state, ``rewards`` (per t, per action) replaces the random ones.
    """

    name: ClassVar[str] = "twin"
    seed: int = 0
    horizon: int = 3
    blind: bool = False
    rewards: tuple = ()

    @cached_property
    def groups(self):
        return (Group("one", ("one",), 2, Discrete(2)),)

    @cached_property
    def tables(self):
        """P (S, A, S + 1), the last column terminating, and r (T, S, A)."""
        rng = np.random.default_rng(self.seed)
        p = rng.dirichlet(np.ones(3), (2, 2))
        reward = np.broadcast_to(rng.standard_normal((2, 2)), (self.horizon, 2, 2))
        if self.rewards:
            p = np.broadcast_to([1.0, 0.0, 0.0], (2, 2, 3))
            reward = np.repeat(np.array(self.rewards, dtype=float)[:, None], 2, axis=1)
        return p, reward

    def seen(self, s):
        return np.ones((len(s), 2)) if self.blind else np.eye(2)[s]

    def restart(self, key):
        zeros = np.zeros(len(key), dtype=np.int64)
        return State(key, zeros, np.zeros(len(key), dtype=bool), zeros)

    def observe(self, state):
        return (self.seen(np.minimum(state.s, 1))[:, None],)

    def step(self, state, actions):
        p, reward = self.tables
        a = actions[0][:, 0]
        u = np.array([uniform(k, t, 0) for k, t in zip(state.key, state.t, strict=True)])
        after = (u[:, None] >= p[state.s, a].cumsum(axis=1)).sum(axis=1).clip(0, 2)
        over = after == 2
        late = (state.t + 1 >= self.horizon) & ~over
        paid = reward[state.t, state.s, a][:, None]
        return State(state.key, state.t + 1, over | late, after), Step((paid,), over, late)


def policy_of(env, theta):
    """π (S, A)."""
    net = actor(env.groups[0], HIDDEN)
    return categorical.probs(net.forward(theta, env.seen(np.arange(2)))[0])


def exact(env, gamma, pi):
    """J, by going backwards through the tables."""
    p, reward = env.tables
    v = np.zeros(3)
    for t in reversed(range(env.horizon)):
        v = np.append((pi * (reward[t] + gamma * p @ v)).sum(axis=1), 0.0)
    return v[0]


def trajectories(env):
    """All of them, as Episodes of one, with the probability that is not the policy's."""
    p, reward = env.tables

    def walk(t, s):
        for a, after in itertools.product(range(2), range(3)):
            if (chance := p[s, a, after]) > 0.0:
                step = (s, a, reward[t, s, a])
                going = after < 2 and t + 1 < env.horizon
                for more, rest in walk(t + 1, after) if going else [((), 1.0)]:
                    yield (step, *more), chance * rest

    for steps, chance in walk(0, 0):
        s, a, r = map(np.array, zip(*steps, strict=True))
        at = np.stack([np.arange(len(s)), np.zeros(len(s), dtype=int)], axis=1)
        reward_of = np.zeros((env.horizon, 1, 1))
        reward_of[: len(r), 0, 0] = r
        yield (
            (s, a, chance),
            Episodes((env.seen(s)[:, None],), (a[:, None],), (None,), (None,), at, (reward_of,)),
        )


def both(one, two):
    """Two single episodes as a batch."""
    at = np.concatenate([one.at, two.at + np.array([0, 1])])
    parts = [(np.concatenate([a[0], b[0]]),) for a, b in zip(one[:2], two[:2], strict=True)]
    reward = np.concatenate([one.reward[0], two.reward[0]], axis=1)
    return Episodes(*parts, (None,), (None,), at, (reward,))


def expected(env, cfg, agent):
    """E[ĝ] by enumeration: of one episode, or of two where they are each other's baseline."""
    pi, total = policy_of(env, agent.theta[0]), 0.0
    found = [(chance * pi[s, a].prod(), e) for (s, a, chance), e in trajectories(env)]
    if cfg.baseline == "mean":
        pairs = itertools.product(found, found)
        found = [(p * q, both(one, two)) for (p, one), (q, two) in pairs]
    assert sum(p for p, _ in found) == pytest.approx(1.0)
    for chance, episodes in found:
        total = total + chance * reinforce.gradient(env, cfg, agent, episodes, 0)[0]
    return total


def config(**changes):
    return Config(**{"hidden": HIDDEN, "dtype": "float64"} | changes)


def agent_of(env, seed):
    rng = np.random.default_rng(seed)
    theta = actor(env.groups[0], HIDDEN).init(rng, out_scale=1.0)
    return Agent((theta,), (critic(env.groups[0], HIDDEN).init(rng),), (), ())


# -- the equation -----------------------------------------------------------------------


@pytest.mark.equation("3.3")
@pytest.mark.parametrize("baseline", ["none", "mean", "value"])
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_its_expectation_is_the_gradient_of_j(baseline, seed, gamma):
    env = Twin(seed=seed, horizon=2 if baseline == "mean" else 3)
    cfg, agent = config(gamma=gamma, baseline=baseline), agent_of(env, seed)
    ours = expected(env, cfg, agent)
    check_gradient(
        lambda theta: (exact(env, gamma, policy_of(env, theta)), ours), agent.theta[0]
    ).require()


@pytest.mark.equation("3.3")
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([0.5, 1.0]))
def test_without_the_weight_it_is_biased_unless_nothing_is_discounted(seed, gamma):
    env = Twin(seed=seed)
    cfg, agent = config(gamma=gamma, baseline="none", weigh=False), agent_of(env, seed)
    ours = expected(env, cfg, agent)
    report = check_gradient(
        lambda theta: (exact(env, gamma, policy_of(env, theta)), ours), agent.theta[0]
    )
    assert report.ok == (gamma == 1.0)


@pytest.mark.equation("3.3")
@given(st.floats(-2, 2))
def test_without_the_weight_it_can_point_downhill(logit):
    # Two steps that look alike: first action 0 pays 1, then action 1 pays 3/2, γ = 1/2. With p the
    # probability of action 0, J = p + (1 − p) 3/4 rises with p; p + (1 − p) 3/2 falls.
    env = Twin(horizon=2, blind=True, rewards=((1.0, 0.0), (0.0, 1.5)))
    agent = agent_of(env, 0)
    net = actor(env.groups[0], HIDDEN).net
    net.view(agent.theta[0], "b2")[:] = [logit, 0.0]
    p = policy_of(env, agent.theta[0])[0, 0]
    slopes = []
    for weigh in (True, False):
        found = expected(env, config(gamma=0.5, baseline="none", weigh=weigh), agent)
        slopes.append(net.view(found, "b2")[0])
    assert_allclose(slopes, [0.25 * p * (1 - p), -0.5 * p * (1 - p)], atol=1e-12)


@pytest.mark.equation("3.3")
@given(SEEDS, st.integers(1, 4), st.floats(-5, 5))
def test_the_score_has_mean_zero(seed, actions, weight):
    logits = np.random.default_rng(seed).standard_normal((3, actions))
    total = np.zeros_like(logits)
    for a in range(actions):
        gain = reinforce.score_gain(categorical, logits, np.full(3, a), np.full(3, weight))
        total += categorical.probs(logits)[:, [a]] * gain.gradient
    assert_allclose(total, 0.0, atol=1e-12)


@pytest.mark.certifies("refmarl.policy_gradient.reinforce:score_gain")
@pytest.mark.parametrize("head", [categorical, gaussian], ids=["categorical", "gaussian"])
@given(SEEDS, st.sampled_from([(1,), (4,), (3, 2)]))
def test_the_gain_has_the_gradient_that_it_says(head, seed, shape):
    rng = np.random.default_rng(seed)
    params, weight = rng.standard_normal((*shape, 4)), rng.standard_normal(shape)
    action = head.sample(rng, params)
    check_gradient(lambda p: reinforce.score_gain(head, p, action, weight), params).require()


@pytest.mark.certifies("refmarl.policy_gradient.reinforce:gradient")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=10)
@given(SEEDS)
def test_the_gradient_is_that_of_the_weighted_log_probabilities(pair, share, seed):
    env, cfg = pair, config(share=share, baseline="value", num_envs=3)
    agent = reinforce.start(env, cfg, np.random.default_rng(seed)).agent
    rng = np.random.default_rng(seed)
    episodes = reinforce.play(env, reinforce.policy(env, cfg, agent, rng), rng, 3, 9)
    for g in range(2):
        theta = agent.theta[g] + 0.3 * rng.standard_normal(agent.theta[g].shape)

        def gain(at, g=g):
            here = agent._replace(theta=tuple(at if k == g else agent.theta[k] for k in range(2)))
            d_theta, _, metrics = reinforce.gradient(env, cfg, here, episodes, g)
            return metrics["gain"], d_theta

        check_gradient(gain, theta).require()


@pytest.mark.equation("3.3")
@given(SEEDS, st.integers(1, 5), st.sampled_from([0.0, 0.5, 1.0]))
def test_weights_are_what_the_equation_says(seed, count, gamma):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 5, count)
    at = np.array([(t, n) for t in range(4) for n in range(count) if t < lengths[n]])
    reward = rng.standard_normal((4, count, 2)) * (np.arange(4)[:, None] < lengths)[..., None]
    cfg = Config(gamma=gamma, baseline="mean")
    weight, target = reinforce.weights(cfg, reward, at)
    for row, (t, n) in enumerate(at):
        g = {m: gamma ** np.arange(4 - t) @ reward[t:, m] for m in range(count)}
        others = [g[m] for m in range(count) if m != n and lengths[m] > t]
        b = np.mean(others, axis=0) if others else 0.0
        assert_allclose(target[row], g[n], atol=1e-12)
        assert_allclose(weight[row], gamma**t * (g[n] - b) / count, atol=1e-12)


@pytest.mark.equation("3.3")
@settings(max_examples=10)
@given(SEEDS, st.sampled_from([0.5, 1.0]))
def test_a_learnt_baseline_takes_its_value_away(seed, gamma):
    env = Twin(seed=seed)
    cfg, agent = config(gamma=gamma, baseline="value", num_envs=4), agent_of(env, seed)
    rng = np.random.default_rng(seed)
    episodes = reinforce.play(env, reinforce.policy(env, cfg, agent, rng), rng, 4, 9)
    net, t = critic(env.groups[0], HIDDEN), episodes.at[:, :1]
    v = net.forward(agent.phi[0], episodes.obs[0])[0][..., 0]
    found, target = reinforce.weights(cfg, episodes.reward[0], episodes.at, v)
    assert_allclose(found, gamma**t * (target - v) / 4, atol=1e-12)
    here = reinforce.gradient(env, cfg, agent, episodes, 0)[2]["gain"]
    log_prob = np.log(policy_of(env, agent.theta[0]))
    seen = episodes.obs[0][:, 0].argmax(axis=1)
    played = log_prob[seen, episodes.action[0][:, 0]]
    assert here == pytest.approx((found[:, 0] * played).sum(), abs=1e-9)


def test_equal_episodes_are_each_others_baseline():
    reward, at = np.ones((3, 4, 1)), np.argwhere(np.ones((3, 4)))
    assert_allclose(reinforce.weights(Config(baseline="mean"), reward, at)[0], 0.0, atol=1e-15)


@pytest.mark.equation("3.3")
@pytest.mark.parametrize("baseline", ["none", "mean", "value"])
def test_sampled_gradients_agree_with_the_exact_one(baseline):
    env = Twin(seed=3)
    cfg, agent = config(gamma=0.9, baseline=baseline, num_envs=25), agent_of(env, 1)
    slopes = expected(env, config(gamma=0.9, baseline="none"), agent)
    act_rng, env_rng = np.random.default_rng(0).spawn(2)
    acting, found = reinforce.policy(env, cfg, agent, act_rng), []
    for _ in range(100):
        episodes = reinforce.play(env, acting, env_rng, cfg.num_envs, 9)
        found.append(reinforce.gradient(env, cfg, agent, episodes, 0)[0])
    error = np.std(found, axis=0, ddof=1) / 10.0
    # 12 coordinates within four standard errors each: one run in a thousand would miss
    assert (abs(np.mean(found, axis=0) - slopes) <= 4.0 * error + 1e-12).all()
    assert error.max() > 0.0


# -- the algorithm ----------------------------------------------------------------------


@given(SEEDS, st.integers(1, 6))
def test_every_copy_plays_one_episode_to_its_end(pair, seed, count):
    env, cfg = pair, Config()
    agent = reinforce.start(env, cfg, np.random.default_rng(seed)).agent
    rng = np.random.default_rng(seed)
    keys = env.reset(np.random.default_rng(seed), count).key
    acting = reinforce.policy(env, cfg, agent, np.random.default_rng(1))
    episodes = reinforce.play(env, acting, rng, count, 9)
    wanted = 2 + (keys % 3).astype(int)
    assert_array_equal(episodes.lengths, wanted)
    assert sorted(map(tuple, episodes.at)) == [
        (t, n) for t in range(max(wanted)) for n in range(count) if t < wanted[n]
    ]
    for g, width in ((0, 2), (1, 1)):
        assert episodes.reward[g].shape == (max(wanted), count, width)
        assert not episodes.reward[g][np.arange(max(wanted))[:, None] >= wanted].any()
    paid = (episodes.action[0] == 2).astype(float)
    assert_array_equal(episodes.reward[0][tuple(episodes.at.T)], paid)


def test_returns_are_those_of_evaluation():
    env, cfg = CartPole(horizon=60), Config()
    agent = reinforce.start(env, cfg, np.random.default_rng(0)).agent
    acting = reinforce.policy(env, cfg, agent, np.random.default_rng(0), greedy=True)
    episodes = reinforce.play(env, acting, np.random.default_rng(5), 8, 100)
    found = evaluate(env, acting, np.random.default_rng(5), 8)
    assert_array_equal(episodes.lengths, found.lengths)
    assert_array_equal(episodes.reward[0].sum(axis=(0, 2)), found.team)


def test_agents_that_do_not_act_move_nothing(pair):
    env, cfg = pair, config(baseline="none")
    agent = reinforce.start(env, cfg, np.random.default_rng(0)).agent
    rng = np.random.default_rng(0)
    episodes = reinforce.play(env, reinforce.policy(env, cfg, agent, rng), rng, 4, 9)
    dead = ~episodes.alive[0]
    assert dead.any()
    other = np.where(dead, (episodes.action[0] + 1) % 3, episodes.action[0])
    changed = episodes._replace(action=(other, episodes.action[1]))
    one, two = (reinforce.gradient(env, cfg, agent, e, 0)[0] for e in (episodes, changed))
    assert_array_equal(one, two)
    everybody = episodes._replace(alive=(None, None))
    assert not np.array_equal(one, reinforce.gradient(env, cfg, agent, everybody, 0)[0])


def test_the_logits_of_illegal_actions_are_not_moved(pair):
    env, cfg = pair, config(baseline="none")
    agent = reinforce.start(env, cfg, np.random.default_rng(0)).agent
    rng = np.random.default_rng(0)
    episodes = reinforce.play(env, reinforce.policy(env, cfg, agent, rng), rng, 4, 9)
    legal = np.ones_like(episodes.mask[0])
    legal[..., 1] = False
    action = np.where(episodes.action[0] == 1, 0, episodes.action[0])
    masked = episodes._replace(mask=(legal, None), action=(action, episodes.action[1]))
    d_theta = reinforce.gradient(env, cfg, agent, masked, 0)[0]
    slopes = actor(env.groups[0], HIDDEN).net.view(d_theta, "b2")
    assert slopes[1] == 0.0
    assert slopes[0] == pytest.approx(-slopes[2])
    assert slopes[0] != 0.0


def run(env, cfg, seed, begin=None):
    return list(learn(reinforce, env, cfg, np.random.default_rng(seed), begin))[-1][0]


@pytest.mark.parametrize("baseline", ["none", "mean", "value"])
@pytest.mark.parametrize("share", [True, False])
def test_the_same_seed_gives_the_same_bits_also_when_continued(pair, tmp_path, baseline, share):
    def cfg(iterations):
        return Config(baseline=baseline, share=share, num_envs=3, iterations=iterations)

    whole, other = run(pair, cfg(4), 1), run(pair, cfg(4), 2)
    checkpoint.save(tmp_path / "c.npz", run(pair, cfg(2), 1))
    template = reinforce.start(pair, cfg(4), np.random.default_rng(1))
    again = run(pair, cfg(4), 1, checkpoint.load(tmp_path / "c.npz", template))
    assert again.steps == whole.steps
    for g in range(2):
        assert_array_equal(again.agent.theta[g], whole.agent.theta[g])
        assert not np.array_equal(other.agent.theta[g], whole.agent.theta[g])
        if baseline == "value":
            assert_array_equal(again.agent.phi[g], whole.agent.phi[g])


@pytest.mark.parametrize(
    ("baseline", "optimiser"), [("mean", "adam"), ("value", "adam"), ("none", "sgd")]
)
def test_it_finds_the_best_policy_of_the_twin(baseline, optimiser):
    env = Twin(seed=3)
    rate = 0.05 if optimiser == "adam" else 1.0
    cfg = config(gamma=0.9, baseline=baseline, optimiser=optimiser, lr=rate, iterations=150)
    theta = run(env, cfg, 0).agent.theta[0]
    policies = [np.eye(2)[list(a)] for a in itertools.product(range(2), repeat=2)]
    values = [exact(env, 0.9, pi) for pi in policies]
    assert exact(env, 0.9, policy_of(env, theta)) >= max(values) - 0.05 * np.ptp(values)


def test_the_learnt_baseline_has_not_seen_the_episodes_that_it_judges():
    env = Twin(seed=3)
    thetas = []
    for value_lr in (1e-6, 1.0):
        cfg = config(baseline="value", value_lr=value_lr, iterations=1)
        thetas.append(run(env, cfg, 0).agent.theta[0])
    assert_array_equal(*thetas)


def test_the_learnt_baseline_comes_to_the_value():
    env = Twin(seed=3, horizon=1)
    cfg = config(baseline="value", num_envs=200, iterations=60, lr=1e-9, value_lr=0.05)
    agent = run(env, cfg, 0).agent
    found = critic(env.groups[0], HIDDEN).forward(agent.phi[0], env.seen(np.zeros(1, int)))[0]
    pi = policy_of(env, agent.theta[0])
    assert found[0, 0] == pytest.approx(exact(env, 0.99, pi), abs=0.1)


def test_steps_and_updates_are_counted(pair):
    cfg = Config(baseline="value", num_envs=3, iterations=4)
    history = list(learn(reinforce, pair, cfg, np.random.default_rng(0)))
    progress, played = history[-1][0], sum(metrics["length"] for _, metrics in history)
    assert progress.steps == round(3 * played) > 0
    for g in range(2):
        assert progress.agent.opt_theta[g].step == 4
        assert progress.agent.opt_phi[g].step == 4 * cfg.value_steps


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_it_balances_the_pole(seed):
    cfg, returns = Config(weigh=False, iterations=100), []
    for _, metrics in learn(reinforce, CartPole(), cfg, np.random.default_rng(seed)):
        returns.append(metrics["return"])
    assert np.mean(returns[-20:]) >= 475  # Gymnasium's threshold; the optimum is 500


def test_an_episode_without_end_is_refused():
    cfg = Config(max_steps=3)
    with pytest.raises(InputError, match="cartpole: an episode of more than max_steps = 3 steps"):
        run(CartPole(), cfg, 0)
    with pytest.raises(InputError, match="baseline: need one of none, mean, value"):
        Config(baseline="median")
