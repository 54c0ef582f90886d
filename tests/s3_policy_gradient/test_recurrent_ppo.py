"""PPO that remembers: what acted is what learns, nothing leaks, and what only memory can earn."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import take
from refmarl.envs import CartPole, Navigation, TMaze
from refmarl.learner import learn
from refmarl.nn import check_gradient
from refmarl.policy_gradient import mappo, ppo
from refmarl.policy_gradient.actor_critic import step
from refmarl.rollout import collect
from refmarl.training.evaluate import evaluate

SEEDS = st.integers(0, 2**32)
SMALL = {
    "hidden": (2,), "memory": 2, "dtype": "float64", "num_envs": 3, "num_steps": 5,
    "minibatches": 1, "popart": False, "normalise": False,
}  # fmt: skip
ALGORITHMS = {"ppo": ppo, "mappo": mappo}


def views(name, env, cfg, batch):
    """What the critics judge."""
    if name == "mappo":
        return mappo.views(env, cfg, batch)
    pairs = zip(batch.obs, batch.final, batch.reward, strict=True)
    return tuple(ppo.View(ppo.named(cfg, o), ppo.named(cfg, f), r) for o, f, r in pairs)


def prepared(env, cfg, seed, name="ppo", g=0, batches=2, noise=0.3):
    """(network, critic, part, the part then, rows, batch) of one group after the last batch."""
    algorithm = ALGORITHMS[name]
    progress = algorithm.start(env, cfg, np.random.default_rng(seed))
    rng, agent = np.random.default_rng(seed + 1), progress.agent
    theta, phi = (  # memories that matter from the first
        tuple(a + noise * rng.standard_normal(a.shape) for a in part)
        for part in (agent.theta, agent.phi)
    )
    agent = agent._replace(theta=theta, phi=phi)
    act = algorithm.policy(env, cfg, agent, np.random.default_rng(seed))
    roll, after = progress.roll, ppo.part_of(agent, g)
    for _ in range(batches):  # at first nothing is remembered yet
        roll, batch = collect(env, act, roll, cfg.num_steps, central=True)
        view, part = views(name, env, cfg, batch)[g], after
        net, judge = ppo.actor(cfg, env.groups[g]), ppo.critic(cfg, view.obs.shape[-1])
        after, rows = ppo.prepare(cfg, net, judge, part, batch, view, g)
    return net, judge, part, after, rows, batch


ENVS = st.sampled_from([TMaze(length=2), TMaze(length=1, players=2)])


@pytest.mark.equation("3.6")
@pytest.mark.parametrize("name", ALGORITHMS)
@settings(max_examples=5)
@given(ENVS, SEEDS, st.booleans())
def test_the_policy_that_learns_is_the_one_that_acted(name, env, seed, share):
    cfg = ALGORITHMS[name].Config(**SMALL, share=share)
    net, judge, part, _, rows, batch = prepared(env, cfg, seed, name)
    assert len(batch.at)  # episodes begin in the middle of a stretch
    told = ppo.gradient(cfg, net, judge, part.theta, part.phi, rows, 1.0, 1e-9)[2]
    assert told["clipped"] == 0.0 or ppo.moved(cfg, net, part.theta, rows) < 1e-20
    assert_allclose(told["gain"], rows.advantage.mean(), atol=1e-12)  # all ratios are 1


@pytest.mark.certifies(
    "refmarl.policy_gradient.ppo:gradient", "refmarl.policy_gradient.actor_critic:pull_back"
)
@pytest.mark.parametrize("objective", ["clip", "kl"])
@settings(max_examples=4)
@given(ENVS, SEEDS, st.booleans(), st.sampled_from([0.0, 0.1]))
def test_both_gradients_go_back_through_time(objective, env, seed, share, entropy):
    cfg = ppo.Config(**SMALL, objective=objective, share=share, entropy=entropy)
    net, judge, part, _, rows, _ = prepared(env, cfg, seed)
    rng = np.random.default_rng(seed)
    theta = part.theta + 0.02 * rng.standard_normal(part.theta.shape)

    def gain(at):
        d_theta, _, metrics = ppo.gradient(cfg, net, judge, at, part.phi, rows, 0.7, 0.9)
        return metrics["gain"], d_theta

    def loss(at):
        _, d_phi, metrics = ppo.gradient(cfg, net, judge, theta, at, rows, 0.7, 0.9)
        return metrics["value_loss"], d_phi

    check_gradient(gain, theta).require()
    check_gradient(loss, part.phi).require()


@settings(max_examples=6)
@given(SEEDS, st.booleans(), st.sampled_from([2, 4]))  # with 4, episodes end with the stretch
def test_values_are_those_of_a_critic_that_goes_step_by_step(seed, share, length):
    env, cfg = TMaze(length=length, players=2), ppo.Config(**SMALL, share=share)
    _, judge, part, after, rows, batch = prepared(env, cfg, seed)
    h, value = part.recall, []
    for t in range(cfg.num_steps):
        v, h = step(judge, cfg.memory, part.phi, batch.obs[0][t], h)
        value.append(v[..., 0])
        h = np.where(batch.ended[t][:, None, None], 0.0, h)
    assert_allclose(rows.value, np.stack(value), atol=1e-12)
    assert_allclose(after.recall, h, atol=1e-12)


@pytest.mark.parametrize("cut", [True, False])
@settings(max_examples=5)
@given(SEEDS)
def test_a_cut_episode_is_bootstrapped_with_what_was_remembered(cut, seed):
    # λ = 0: A = r + γ V(o', h') − V(o, h); h' is what the critic would remember had it gone on
    env = TMaze(length=9, horizon=3 if cut else 0)
    cfg = ppo.Config(**SMALL, lam=0.0)
    _, judge, part, _, rows, batch = prepared(env, cfg, seed, batches=1)
    assert bool(len(batch.at)) == cut
    t, h = 2, part.recall
    for k in range(t + 1):
        v, h = step(judge, cfg.memory, part.phi, batch.obs[0][k], h)
    seen = batch.final[0][:3] if cut else batch.obs[0][t + 1]  # all three are cut at once
    v_next, _ = step(judge, cfg.memory, part.phi, seen, h)
    wanted = cfg.gamma * v_next[..., 0] - v[..., 0]  # nothing is paid so soon
    assert_allclose(rows.advantage[t], wanted, atol=1e-12)


def run(algorithm, env, cfg, seed=1):
    return list(learn(algorithm, env, cfg, np.random.default_rng(seed)))[-1]


FEW = {"num_envs": 4, "num_steps": 5, "minibatches": 2, "epochs": 2, "iterations": 4, "memory": 3}


@settings(max_examples=5)
@given(SEEDS)
def test_copies_do_not_know_of_each_other(seed):
    # the same copies in another order: the same rows, in that order
    env, cfg = TMaze(length=2), ppo.Config(**SMALL)
    order = np.array([2, 0, 1])
    progress = ppo.start(env, cfg, np.random.default_rng(seed))
    turned = progress.roll._replace(state=take(progress.roll.state, order))
    greedy = {"algorithm": ppo, "env": env, "cfg": cfg}
    one, two = (_greedy(**greedy, progress=progress, roll=r) for r in (progress.roll, turned))
    assert_array_equal(two.action[0], one.action[0][:, order])
    assert_allclose(two.log_prob[0], one.log_prob[0][:, order], atol=1e-12)


def _greedy(algorithm, env, cfg, progress, roll):
    act = algorithm.policy(env, cfg, progress.agent, np.random.default_rng(0), greedy=True)
    return collect(env, act, roll, cfg.num_steps)[1]


@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_rows_of_the_same_copies_in_another_order_have_the_same_gradient(seed, share):
    cfg = ppo.Config(**SMALL, share=share)
    net, judge, part, _, rows, _ = prepared(TMaze(length=2, players=2), cfg, seed)
    turned = ppo._each(rows, lambda x: x[:, [2, 0, 1]])
    for one, two in zip(
        *(ppo.gradient(cfg, net, judge, part.theta, part.phi, r, 1.0, 0.2)[:2]
          for r in (rows, turned)), strict=True,
    ):  # fmt: skip
        assert_allclose(one, two, atol=1e-12)


@settings(max_examples=5)
@given(SEEDS, st.booleans())
def test_a_memory_that_nobody_reads_changes_nothing(seed, share):
    # the same networks, with and without a GRU whose numbers have weight 0: the same gradients
    env = TMaze(length=2)
    cfg = ppo.Config(**SMALL, share=share)
    net, judge, part, _, rows, batch = prepared(env, cfg, seed, noise=0.0)
    plain = ppo.Config(**SMALL | {"memory": 0}, share=share)
    few = ppo.actor(plain, env.groups[0]), ppo.critic(plain, 2)
    found, wanted = [], []
    for full, small, whole in zip((net, judge), few, (part.theta, part.phi), strict=True):
        top = whole[..., -full.size :]
        width = (full.net if full is net else full).sizes[1]
        unread = slice(2 * width, 4 * width)  # rows of the first layer: two seen, two remembered
        top[..., unread] = 0.0
        found.append(whole)
        wanted.append(np.delete(top, np.arange(2 * width, 4 * width), axis=-1))
        assert wanted[-1].shape[-1] == small.size
    view = ppo.View(batch.obs[0], batch.final[0], batch.reward[0])
    part = part._replace(theta=found[0], phi=found[1])
    _, rows = ppo.prepare(cfg, net, judge, part, batch, view, 0)
    bare = part._replace(theta=wanted[0], phi=wanted[1], recall=None)
    _, alone = ppo.prepare(plain, *few, bare, batch, view, 0)
    assert_allclose(alone.value.reshape(rows.value.shape), rows.value, atol=1e-12)
    one = ppo.gradient(cfg, net, judge, part.theta, part.phi, rows, 1.0, 0.2)
    two = ppo.gradient(plain, *few, bare.theta, bare.phi, alone, 1.0, 0.2)
    for with_it, without, full in zip(one[:2], two[:2], (net, judge), strict=True):
        width = (full.net if full is net else full).sizes[1]
        top = with_it[..., -full.size :]
        seen = np.delete(top, np.arange(2 * width, 4 * width), axis=-1)
        assert_allclose(seen, without, atol=1e-12)
        assert (with_it[..., : -full.size] == 0).all()  # nothing flows into the GRU


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("options", [{}, {"share": False, "objective": "kl"}])
def test_a_run_goes_on_from_any_iteration_with_the_same_bits(name, options):
    env, algorithm = TMaze(length=2, players=2), ALGORITHMS[name]
    cfg, stages = algorithm.Config(**FEW, **options), []
    for progress, _ in learn(algorithm, env, cfg, np.random.default_rng(1)):
        stages.append(copy.deepcopy(progress))
    for stage in stages[:-1]:
        *_, (last, _) = learn(algorithm, env, cfg, np.random.default_rng(9), stage)
        for one, two in zip(last.agent.theta + last.agent.phi + last.agent.recall,
                            stages[-1].agent.theta + stages[-1].agent.phi + stages[-1].agent.recall,
                            strict=True):  # fmt: skip
            assert_array_equal(one, two)


def test_several_groups_of_unlike_agents_remember_too(pair):
    cfg = ppo.Config(**FEW, entropy=0.01)
    progress, told = run(ppo, pair, cfg)
    assert [m.shape for m in progress.roll.memory] == [(4, 2, 3), (4, 1, 3)]
    assert all(np.isfinite(list(told.values())))
    act = ppo.policy(pair, cfg, progress.agent, np.random.default_rng(0), greedy=True)
    assert np.isfinite(evaluate(pair, act, np.random.default_rng(0), 5).returns).all()


def test_with_one_agent_that_sees_the_state_mappo_is_ppo_to_the_bit():
    one, told = run(mappo, CartPole(), mappo.Config(**FEW))
    two, said = run(ppo, CartPole(), ppo.Config(**FEW))
    for a, b in zip(one.agent.theta + one.agent.phi, two.agent.theta + two.agent.phi, strict=True):
        assert_array_equal(a, b)
    assert told == said


def test_a_minibatch_is_at_least_one_copy():
    with pytest.raises(InputError, match="with a memory need at most num_envs = 4, got 5"):
        ppo.Config(num_envs=4, num_steps=9, minibatches=5, memory=2)


QUICK = {
    "hidden": (16,), "num_envs": 32, "num_steps": 12, "minibatches": 2, "epochs": 4, "lr": 8e-3,
    "iterations": 40, "anneal": False,
}  # fmt: skip


def earned(algorithm, env, cfg, seed):
    """The greedy policy's mean over 200 episodes; the optimum is 1, and ½ without a memory."""
    progress, _ = run(algorithm, env, cfg, seed)
    act = algorithm.policy(env, cfg, progress.agent, np.random.default_rng(1), greedy=True)
    return evaluate(env, act, np.random.default_rng(2), 200).team.mean()


@pytest.mark.parametrize("seed", range(2))
def test_it_learns_what_nobody_can_who_does_not_remember(seed):
    env = TMaze(length=2)
    assert earned(ppo, env, ppo.Config(**QUICK, memory=8), seed) == 1.0
    forgetful = earned(ppo, env, ppo.Config(**QUICK), seed)
    assert abs(forgetful - 0.5) < 5 * 0.5 / 200**0.5  # five deviations


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_it_remembers_over_ten_steps(seed):
    more = {"num_steps": 22, "iterations": 150, "lr": 3e-3, "entropy": 0.05}
    cfg = ppo.Config(**QUICK | more, memory=16)
    assert earned(ppo, TMaze(length=10), cfg, seed) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_team_remembers_signs_of_its_own(name):
    env = TMaze(length=4, players=2)
    own = {"team": False} if name == "mappo" else {}  # everybody is paid for its own turn
    cfg = ALGORITHMS[name].Config(**QUICK | {"iterations": 120}, memory=8, **own)
    assert earned(ALGORITHMS[name], env, cfg, 0) > 0.95


def test_a_remembering_team_in_a_world_of_particles():
    progress, told = run(mappo, Navigation(team=2), mappo.Config(**FEW, team=False))
    assert np.isfinite(list(told.values())).all()
    assert progress.agent.recall[0].shape == (4, 2, 3)
