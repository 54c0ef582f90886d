"""Actors that remember (COMA, MAAC, A2C, MAA2C): what acted is what learns, nothing leaks."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.cooperative import coma, maa2c, maac, on_policy
from refmarl.envs import CartPole, TMaze
from refmarl.learner import learn
from refmarl.nn import check_gradient
from refmarl.policy_gradient import a2c, actor_critic
from refmarl.rollout import collect
from refmarl.testing.trajectories import SEEDS
from refmarl.training import checkpoint, run
from refmarl.training.evaluate import evaluate

ALGORITHMS = {"coma": coma, "maac": maac, "a2c": a2c, "maa2c": maa2c}
FEW = {"hidden": (2,), "memory": 2, "num_envs": 3, "num_steps": 7, "iterations": 4}
SMALL = FEW | {"dtype": "float64"}
ALL = pytest.mark.parametrize("name", ALGORITHMS)
BOTH = pytest.mark.parametrize("name", ["coma", "maac"])
MAZES = st.sampled_from([
    TMaze(length=2, players=2), TMaze(length=9, players=2, horizon=2), TMaze(length=1),
])  # fmt: skip


def config(name, more=SMALL, **options):
    return ALGORITHMS[name].Config(**more, **options | ({} if name == "a2c" else TEAM))


TEAM, TOLD = {"reward": "mean"}, ("coma", "maac")


def gathered(name, env, cfg, seed, batches=2):
    """(agent, batch) of networks away from where they start; ``batch`` begins within episodes."""
    algorithm, rng = ALGORITHMS[name], np.random.default_rng(seed)
    progress = algorithm.start(env, cfg, np.random.default_rng(seed))
    parts = {"theta", "phi", "theta_target", "phi_target"} & set(progress.agent._fields)
    agent = progress.agent._replace(**{
        key: tuple(p + 0.3 * rng.standard_normal(p.shape) for p in getattr(progress.agent, key))
        for key in parts
    })  # fmt: skip
    roll = progress.roll
    for _ in range(batches):
        began = roll.state.t
        act = algorithm.policy(env, cfg, agent, rng)
        roll, batch = collect(env, act, roll, cfg.num_steps, central=True)
    assert not cfg.memory or any(m.any() for m in batch.memory)
    return agent, batch, began


def slopes(name, env, cfg, agent, batch, began):
    """(∇ gain in the shape of θ, gain) of the first group, random draws the same."""
    if name in ("coma", "maac"):
        seen = on_policy.looked_at(env, cfg, agent, batch, began, np.random.default_rng(0))
        rules = ALGORITHMS[name].RULES
        return on_policy.gradient(env, cfg, agent, batch, seen, 0, rules), seen
    view = maa2c.views(env, cfg, batch)[0] if name == "maa2c" else None
    found = a2c.gradient(env, cfg, agent, batch, 0, view)
    return (found.theta, found.metrics), None


# -- gradients --------------------------------------------------------------------------


@pytest.mark.certifies(
    "refmarl.cooperative.on_policy:gradient", "refmarl.policy_gradient.actor_critic:pull_back"
)
@BOTH
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=1)
@given(MAZES, SEEDS)
def test_actors_gradients_go_back_through_time(name, share, env, seed):
    cfg = config(name, share=share, entropy=0.2)
    agent, batch, began = gathered(name, env, cfg, seed)
    assert len(batch.at)  # episodes begin in the middle
    seen = on_policy.looked_at(env, cfg, agent, batch, began, np.random.default_rng(0))

    def gain(at):
        here = agent._replace(theta=(at,))
        d_theta, metrics = on_policy.gradient(
            env, cfg, here, batch, seen, 0, ALGORITHMS[name].RULES
        )
        return metrics["gain"], d_theta

    check_gradient(gain, agent.theta[0]).require()


@pytest.mark.certifies("refmarl.policy_gradient.a2c:gradient")
@pytest.mark.parametrize(("name", "share"), [("a2c", True), ("maa2c", False)])
@settings(max_examples=1)
@given(MAZES, SEEDS)
def test_both_gradients_of_a2c_go_back_through_time(name, share, env, seed):
    cfg = config(name, share=share, entropy=0.1)
    agent, batch, _ = gathered(name, env, cfg, seed)
    view = maa2c.views(env, cfg, batch)[0] if name == "maa2c" else None
    obs, last, reward = view or (batch.obs[0], batch.final[0], batch.reward[0])
    width = env.groups[0]._replace(obs_dim=obs.shape[-1])
    judge = actor_critic.critic(width, cfg.hidden, units=cfg.memory)

    def values(at):
        return actor_critic.along(judge, cfg.memory, at, (obs, last), agent.recall[0], batch)

    said = values(agent.phi[0])
    v, final = said.y[..., 0], said.final[..., 0]
    target = actor_critic.advantages(cfg.gamma, cfg.lam, batch, v, final, reward)[1]
    found = a2c.gradient(env, cfg, agent, batch, 0, view)

    def gain(at):
        here = agent._replace(theta=(at,))
        d_theta, _, metrics, _ = a2c.gradient(env, cfg, here, batch, 0, view)
        return metrics["gain"], d_theta

    def loss(at):
        return 0.5 * np.mean((values(at).y[:-1, ..., 0] - target) ** 2), found.phi

    check_gradient(gain, agent.theta[0]).require()
    check_gradient(loss, agent.phi[0]).require()


# -- relabelling ------------------------------------------------------------------------

AXES = {"obs": 2, "action": 2, "log_prob": 2, "reward": 2, "final": 1, "memory": 1}


def turned(parts, axis):
    """Both agents' parts in the other order."""
    return tuple(np.ascontiguousarray(np.flip(p, axis)) for p in parts)


@ALL
@pytest.mark.parametrize("memory", [0, 2])
@settings(max_examples=3)
@given(SEEDS)
def test_relabelling_agents_relabels_everything(name, memory, seed):
    env = TMaze(length=2, players=2)
    cfg = config(name, SMALL | {"memory": memory}, share=False, entropy=0.1)
    agent, batch, began = gathered(name, env, cfg, seed)
    names = {"theta", "phi", "theta_target", "phi_target"} & set(agent._fields)
    other = agent._replace(**{key: turned(getattr(agent, key), 0) for key in names})
    if name in ("a2c", "maa2c"):
        other = other._replace(recall=turned(agent.recall, 1))
    again = batch._replace(**{k: turned(getattr(batch, k), axis) for k, axis in AXES.items()})
    (one, told), seen = slopes(name, env, cfg, agent, batch, began)
    (two, said), _ = slopes(name, env, cfg, other, again, began)
    assert_allclose(two[::-1], one, atol=1e-12)
    assert said == pytest.approx(told)
    if seen is None:
        view, same = (maa2c.views(env, cfg, b)[0] if name == "maa2c" else None
                      for b in (batch, again))  # fmt: skip
        slope = a2c.gradient(env, cfg, agent, batch, 0, view).phi
        assert_allclose(a2c.gradient(env, cfg, other, again, 0, same).phi[::-1], slope, atol=1e-12)
    elif name == "coma":  # MAAC draws what others do next
        action, final = turned(seen.action, 2), turned(seen.final_action, 1)
        x = tuple(on_policy.asked(env, cfg, batch.state, action, 0)[None])
        swapped = seen._replace(
            pi=turned(seen.pi, 2), final_pi=turned(seen.final_pi, 1), action=action,
            final_action=final, x=x,
        )  # fmt: skip
        y, z = (coma.targets(env, cfg, *given, 0, None)
                for given in ((agent, batch, seen), (other, again, swapped)))  # fmt: skip
        assert_allclose(z[..., ::-1], y, atol=1e-12)


# -- what is remembered -----------------------------------------------------------------


@BOTH
@settings(max_examples=6)
@given(MAZES, SEEDS, st.booleans())
def test_the_policy_that_learns_is_the_one_that_acted(name, env, seed, share):
    cfg = config(name, share=share)
    agent, batch, began = gathered(name, env, cfg, seed)
    seen = on_policy.looked_at(env, cfg, agent, batch, began, np.random.default_rng(0))
    pi = np.take_along_axis(seen.pi[0][:-1], batch.action[0][..., None], axis=-1)[..., 0]
    assert_allclose(np.log(pi), batch.log_prob[0], atol=1e-12)


@settings(max_examples=6)
@given(SEEDS, st.booleans())
def test_an_end_is_looked_at_with_what_was_remembered_and_a_beginning_with_nothing(seed, share):
    env, cfg = TMaze(length=9, players=2, horizon=2), config("coma", share=share)
    agent, batch, _ = gathered("coma", env, cfg, seed)
    here, final = on_policy.logits_along(env, cfg, agent.theta[0], batch, 0)
    h, ends = batch.memory, {tuple(at): k for k, at in enumerate(batch.at)}
    for t in range(cfg.num_steps + 1):
        params, kept = on_policy.logits(env, cfg, agent.theta[0], batch.obs[0][t], None, 0, h)
        assert_allclose(here[t], params, atol=1e-12)
        if t == cfg.num_steps:
            break
        for b in np.flatnonzero(batch.ended[t]):
            k = ends[t, b]
            last = batch.final[0][k : k + 1], None, 0, (kept[b : b + 1],)
            assert_allclose(
                final[k], on_policy.logits(env, cfg, agent.theta[0], *last)[0][0], atol=1e-12
            )
        h = (np.where(batch.ended[t][:, None, None], 0.0, kept),)


@ALL
@settings(max_examples=6)
@given(SEEDS, st.booleans())
def test_nothing_leaks_from_one_episode_into_the_next(name, seed, share):
    env, cfg = TMaze(length=2, players=2), config(name, share=share, gamma=0.0)
    agent, batch, began = gathered(name, env, cfg, seed)
    b = 0
    first = int(np.flatnonzero(batch.ended[:-1, b])[0]) + 1  # row of a new episode
    obs = batch.obs[0].copy()
    obs[:first, b] += 1.0  # all that was seen before
    memory = (batch.memory[0] + 1.0,)
    other = batch._replace(obs=(obs,), memory=memory)
    net = actor_critic.actor(env.groups[0], cfg.hidden, units=cfg.memory)
    theta = agent.theta[0]
    one, two = (
        actor_critic.along(net, cfg.memory, theta, (x.obs[0], x.final[0]), x.memory[0], x)
        for x in (batch, other)
    )
    assert_array_equal(one.y[first:, b], two.y[first:, b])
    assert (one.y[:first, b] != two.y[:first, b]).any()
    # nor does any of the derivative: only steps of the new episode earn here
    alive = np.zeros(batch.action[0].shape, bool)
    alive[first:, b] = True
    pair = [x._replace(alive=(alive,), state=batch.state) for x in (batch, other)]
    for x in pair:
        assert x.alive[0].any() or first == cfg.num_steps
    found = [slopes(name, env, cfg, agent, x, began)[0][0] for x in pair]
    if name in ("coma", "maac"):  # critics see the state, which is the same
        assert_allclose(*found, atol=1e-12)


@ALL
@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_a_memory_that_nobody_reads_changes_nothing(name, seed, share):
    env = TMaze(length=2)
    cfg, plain = config(name, share=share), config(name, SMALL | {"memory": 0}, share=share)
    agent, batch, began = gathered(name, env, cfg, seed)

    def apart(whole, net):
        """Weights of what is remembered become 0; the rest is a network without a memory."""
        width = cfg.hidden[0]
        seen = (net.net if hasattr(net, "net") else net).sizes[0] - cfg.memory
        unread = slice(seen * width, (seen + cfg.memory) * width)
        top = whole[..., -net.size :]
        top[..., unread] = 0.0
        return np.delete(top, np.arange(unread.start, unread.stop), axis=-1)

    net = actor_critic.actor(env.groups[0], cfg.hidden, units=cfg.memory)
    theta = agent.theta[0]
    small = agent._replace(theta=(apart(theta, net),))
    if name in ("a2c", "maa2c"):
        width = batch.state.shape[-1] if name == "maa2c" else env.groups[0].obs_dim
        judged = env.groups[0]._replace(obs_dim=width)
        judge = actor_critic.critic(judged, cfg.hidden, units=cfg.memory)
        small = small._replace(phi=(apart(agent.phi[0], judge),))
    one, _ = slopes(name, env, cfg, agent, batch, began)
    two, _ = slopes(name, env, plain, small, batch, began)
    kept = apart(one[0].copy(), net)
    assert_allclose(kept, two[0], atol=1e-12)
    assert one[1]["gain"] == pytest.approx(two[1]["gain"], abs=1e-12)
    assert (one[0][..., : -net.size] == 0).all()  # nothing flows into the GRU


@pytest.mark.equation("2.2")
@settings(max_examples=6)
@given(SEEDS)
def test_slow_policies_that_lag_by_nothing_remember_what_the_fast_ones_do(seed):
    env = TMaze(length=9, horizon=4)
    one, two = config("coma", lam=0.0, epsilon=0.0, epsilon_last=0.0), config("maac")
    agent, batch, began = gathered("coma", env, one, seed)
    seen = on_policy.looked_at(env, one, agent, batch, began, np.random.default_rng(0))
    first = coma.targets(env, one, agent, batch, seen, 0, np.random.default_rng(0))
    alike = agent._replace(theta_target=agent.theta)
    second = maac.targets(env, two, alike, batch, seen, 0, np.random.default_rng(0))
    assert_allclose(first, second, atol=1e-12)


# -- runs -------------------------------------------------------------------------------


def test_with_one_agent_that_sees_the_state_maa2c_is_a2c_to_the_bit():
    ends = [
        list(learn(ALGORITHMS[n], CartPole(), config(n, FEW), np.random.default_rng(3)))[-1]
        for n in ("a2c", "maa2c")
    ]
    (one, told), (two, said) = ends
    for a, b in zip(one.agent.theta + one.agent.phi + one.agent.recall,
                    two.agent.theta + two.agent.phi + two.agent.recall, strict=True):  # fmt: skip
        assert_array_equal(a, b)
    assert told == said


@ALL
@pytest.mark.parametrize("share", [True, False])
def test_a_stopped_run_ends_in_the_same_bits(name, share, tmp_path):
    cfg = config(name, FEW, share=share)
    what = run.Run(
        algorithm=name, env="t-maze", config=cfg, env_options={"length": 2, "players": 2},
        log_every=1, save_every=2,
    )  # fmt: skip
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    assert checkpoint.same(whole, run.train(what, tmp_path / "halved"))
    assert whole.roll.memory[0].any()


@ALL
def test_several_groups_that_differ_remember_too(name, team):
    cfg, stages = config(name, FEW), []
    for progress, told in learn(ALGORITHMS[name], team, cfg, np.random.default_rng(1)):
        stages.append(copy.deepcopy(progress))
        assert all(np.isfinite(list(told.values())))
    assert [m.shape for m in stages[-1].roll.memory] == [(3, 2, 2), (3, 1, 2)]


QUICK = {"hidden": (16,), "num_envs": 32, "num_steps": 12, "iterations": 60}
HOW = {
    "coma": {"lr": 1e-2, "critic_lr": 1e-2, "epsilon_last": 0.0},
    "maac": {"lr": 1e-2, "critic_lr": 1e-2},
    "a2c": {},
    "maa2c": {},
}


def earned(name, env, cfg, seed):
    """The greedy policies' mean over 200 episodes; the optimum is 1, and ½ without a memory."""
    *_, (progress, _) = learn(ALGORITHMS[name], env, cfg, np.random.default_rng(seed))
    act = ALGORITHMS[name].policy(env, cfg, progress.agent, np.random.default_rng(1), greedy=True)
    return evaluate(env, act, np.random.default_rng(2), 200).team.mean()


@ALL
def test_it_learns_what_nobody_can_who_does_not_remember(name):
    assert earned(name, TMaze(length=2), config(name, QUICK | HOW[name], memory=8), 0) == 1.0


def test_without_a_memory_it_guesses():
    forgetful = earned("coma", TMaze(length=2), config("coma", QUICK | HOW["coma"]), 0)
    assert abs(forgetful - 0.5) < 5 * 0.5 / 200**0.5  # five deviations


@pytest.mark.slow  # 2 s each
@pytest.mark.parametrize("name", ["coma", "maac", "a2c", "maa2c"])
@pytest.mark.parametrize("seed", range(3))
def test_a_team_remembers_signs_of_its_own(name, seed):
    more = QUICK | HOW[name] | {"iterations": 300, "lr": 1e-2 if name in TOLD else 2e-2}
    own = {"reward": "own"} if name == "maa2c" else {}  # everybody for its own turn
    cfg = ALGORITHMS[name].Config(**more | (TEAM if name in TOLD else own), memory=8)
    assert earned(name, TMaze(length=4, players=2), cfg, seed) > 0.95
