"""Learners of values that are mixed: gradients, reductions, relabelling, rows, and whole runs."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import ClassVar, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import iql, qmix, qplex, qtran, vdn, wqmix
from refmarl.cooperative import value_decomposition as base
from refmarl.cooperative.duplex import Duplex
from refmarl.cooperative.experience import sample
from refmarl.cooperative.mixers import Free, Monotone
from refmarl.cooperative.team_reward import shared
from refmarl.cooperative.utilities import Utilities, chosen, greedy
from refmarl.env_api import Discrete, Env, Group, Step
from refmarl.envs import CartPole, Pendulum, Pursuit
from refmarl.envs.matrix import Matrix
from refmarl.envs.tabular import TabularEnv
from refmarl.learner import learn
from refmarl.nn import check_backward
from refmarl.nn.mlp import MLP
from refmarl.replay import ring
from refmarl.training import checkpoint, run

SEEDS = st.integers(0, 2**32)
ALGORITHMS = {"iql": iql, "vdn": vdn, "qmix": qmix, "wqmix": wqmix, "qtran": qtran,
              "qplex": qplex}  # fmt: skip
TINY = {"hidden": (4,), "num_steps": 4, "batch": 5, "warmup": 6, "capacity": 40, "num_envs": 3,
        "period": 3, "epsilon_steps": 50}  # fmt: skip
SMALL = {"qmix": {"mixing": 2, "hyper": 2}, "wqmix": {"mixing": 2, "hyper": 0, "free": (2,)},
         "qtran": {"joint": (2,)}, "qplex": {"mixing": (2,)}}  # fmt: skip


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray


@dataclass(frozen=True)
class Crew(Env):
    """Two agents of three actions, of which one may be masked, and one of two, in a team.

    Copy b ends after 2 + (key mod 3) steps, if key is odd by a clock. The second agent acts in the
    first two steps only. Everybody gets what the actions and the step say.
    """

    name: ClassVar[str] = "crew"
    horizon: int = 5

    @cached_property
    def groups(self):
        return Group("pair", ("a", "b"), 3, Discrete(3)), Group("one", ("c",), 2, Discrete(2))

    def restart(self, key):
        return State(key, np.zeros(len(key), dtype=np.int64), np.zeros(len(key), dtype=bool))

    def observe(self, state):
        near = np.stack([state.t, np.ones_like(state.t), state.key % 7], axis=-1) / 5.0
        return np.stack([near, -near], axis=1), near[:, None, :2]

    def mask(self, state):
        legal = np.ones((len(state.t), 2, 3), dtype=bool)
        legal[:, 0, 1] = state.t % 2 == 0
        return legal, None

    def alive(self, state):
        return np.stack([state.t >= 0, state.t <= 1], axis=1), None

    def step(self, state, actions):
        t = state.t + 1
        over = t >= 2 + (state.key % 3).astype(np.int64)
        paid = (actions[0].sum(axis=1) == 2) + actions[1][:, 0] * 0.5 + 0.1 * t
        clock = state.key % 2 == 1
        after = State(state.key, t, over)
        return after, Step(
            (np.stack([paid, paid], axis=1), paid[:, None]), over & ~clock, over & clock
        )


def config(name, **more):
    return ALGORITHMS[name].Config(**TINY | SMALL.get(name, {}) | more)


def finished(env, name, cfg, iterations=3, seed=1):
    algorithm = ALGORITHMS[name]
    progress, metrics = algorithm.start(env, cfg, np.random.default_rng(seed)), {}
    for _ in range(iterations):
        progress, metrics = algorithm.iterate(env, cfg, progress)
    return progress, metrics


def problem(name, seed, env=None, rows=6, **more):
    """(cfg, method, networks, φ, φ', rows) in float64, away from where it starts."""
    env = Crew() if env is None else env
    cfg = config(name, dtype="float64", activation="tanh", updates=0, **more)
    progress, _ = finished(env, name, cfg, 4, seed)
    method, rng = ALGORITHMS[name].METHOD, np.random.default_rng(seed)
    nets, phi = method.nets(env, cfg), progress.agent.phi
    phi, slow = (phi + 0.3 * rng.standard_normal(phi.shape) for _ in range(2))
    options = (cfg.num_envs, cfg.gamma, cfg.n_step, cfg.reward)
    return cfg, method, nets, phi, slow, sample(progress.roll.memory, rng, rows, *options)


def slopes(cfg, method, nets, phi, slow, batch):
    parts, metrics = method.gradient(
        cfg, nets, base.split(nets, phi), base.split(nets, slow), batch
    )
    return np.concatenate(parts), metrics


# -- gradients --------------------------------------------------------------------------


def along(loss, at, seed):
    """Hold a gradient against differences of its loss along random directions."""
    check_backward(
        lambda x: np.array(loss(x)[0]),
        lambda x, u: [u * loss(x)[1]],
        (at,),
        np.random.default_rng(seed),
        directions=4,
    ).require()


@pytest.mark.equation("2.7")
@pytest.mark.equation("2.8")
@pytest.mark.certifies(
    "refmarl.cooperative.mixed:gradient",
    "refmarl.cooperative.utilities:Utilities.gradient",
    "refmarl.cooperative.value_decomposition:pulled",
)
@pytest.mark.parametrize("name", ["iql", "vdn", "qmix"])
@settings(max_examples=15)
@given(SEEDS, st.booleans(), st.booleans())
def test_the_gradient_of_the_loss_is_a_difference_quotient(name, seed, share, double):
    cfg, method, nets, phi, slow, batch = problem(name, seed, share=share, double=double)

    def loss(at):
        slope, metrics = slopes(cfg, method, nets, at, slow, batch)
        return metrics["loss"], slope

    along(loss, phi, seed)


@pytest.mark.certifies("refmarl.cooperative.wqmix:gradient")
@pytest.mark.parametrize("weighting", ["central", "optimistic"])
@settings(max_examples=15)
@given(SEEDS)
def test_the_gradients_of_weighted_qmix_are_difference_quotients(weighting, seed):
    given_ = problem("wqmix", seed, weighting=weighting)
    cfg, method, nets, phi, slow, batch = given_

    def loss(at):
        slope, metrics = slopes(cfg, method, nets, at, slow, batch)
        return metrics["loss"] + metrics["star_loss"], slope

    along(loss, phi, seed)


@pytest.mark.certifies("refmarl.cooperative.qtran:gradient")
@settings(max_examples=10)
@given(SEEDS)
def test_the_gradients_of_qtran_are_those_of_its_losses_with_joint_values_held(seed):
    cfg, method, nets, phi, slow, batch = problem("qtran", seed, opt=0.7, nopt=1.3)
    ends = np.cumsum([0, *(net.size for net in nets)])
    for k, joint in enumerate((False, True, False)):
        part = slice(ends[k], ends[k + 1])

        def loss(at, part=part, joint=joint):
            whole = phi.copy()
            whole[part] = at
            slope, metrics = slopes(cfg, method, nets, whole, slow, batch)
            parts = 0.7 * metrics["opt_loss"] + 1.3 * metrics["nopt_loss"]
            return (metrics["loss"] if joint else parts), slope[part]

        along(loss, phi[part], seed)


# -- reductions -------------------------------------------------------------------------


@pytest.mark.equation("2.7")
@settings(max_examples=4)
@given(SEEDS)
def test_with_one_agent_vdn_is_independent_learning_bit_for_bit(seed):
    cfgs = {name: config(name, reward="common") for name in ("iql", "vdn")}
    one, two = (finished(CartPole(), name, cfg, 5, seed)[0] for name, cfg in cfgs.items())
    assert one.agent.opt.step > 0
    assert checkpoint.same(one, two)


@pytest.mark.equation("2.7")
@pytest.mark.parametrize("name", ["iql", "vdn"])
@given(SEEDS, st.booleans())
def test_with_one_agent_the_gradient_is_that_of_deep_q_learning(name, seed, double):
    cfg, method, nets, phi, slow, batch = problem(name, seed, CartPole(), double=double)
    net, x, x_next = MLP((4, 4, 2), "tanh"), batch.obs[0][:, 0], batch.next_obs[0][:, 0]
    q_next, judge = (net.forward(at, x_next)[0] for at in (slow, phi if double else slow))
    loss, dq = 0.0, np.zeros((len(x), 2))
    q, tape = net.forward(phi, x)
    for m in range(len(x)):
        a, y = batch.action[0][m, 0], batch.reward[m, 0]
        if not batch.terminated[m, 0]:
            y += cfg.gamma * q_next[m, judge[m].argmax()]
        loss += (q[m, a] - y) ** 2 / len(x)
        dq[m, a] = 2.0 * (q[m, a] - y) / len(x)
    slope, metrics = slopes(cfg, method, nets, phi, slow, batch)
    assert metrics["loss"] == pytest.approx(loss)
    assert_allclose(slope, net.gradient(phi, tape, dq), atol=1e-12)


@pytest.mark.equation("2.8")
@settings(max_examples=15)
@given(SEEDS, st.sampled_from([0, 2]))
def test_with_constant_weights_qmix_learns_as_vdn_does(seed, hyper):
    cfg, method, nets, phi, slow, batch = problem("qmix", seed, hyper=hyper)
    count = nets[0].size
    for at in (phi, slow):
        at[count:] = nets[1].as_sum(-100.0)
    found, metrics = slopes(cfg, method, nets, phi, slow, batch)
    plain, wanted = slopes(cfg, vdn.METHOD, vdn.nets(Crew(), cfg), phi[:count], slow[:count], batch)
    assert metrics["loss"] == pytest.approx(wanted["loss"])
    assert_allclose(found[:count], plain, atol=1e-10)


@settings(max_examples=10)
@given(SEEDS)
def test_without_weights_weighted_qmix_is_qmix_towards_the_values_of_its_free_critic(seed):
    cfg, _, nets, phi, slow, batch = problem("wqmix", seed, alpha=1.0)
    parts, old = base.split(nets, phi), base.split(nets, slow)
    (dtheta, dpsi, *_), metrics = wqmix.gradient(cfg, nets, parts, old, batch)
    assert metrics["weight"] == 1.0
    best = greedy(nets[0].forward(parts[0], batch.next_obs).q, batch.next_mask)
    q = base.taken(nets[0].forward(old[2], batch.next_obs).q, best, batch.next_alive)
    value = nets[3].forward(old[3], q, batch.next_state)[0]
    going = ~batch.terminated[:, :1]
    y = batch.reward[:, :1] + cfg.gamma * going * value
    ready = batch._replace(reward=np.repeat(y, 3, 1), terminated=np.ones((6, 3), bool))
    (theta, psi), _ = qmix.METHOD.gradient(cfg, nets[:2], parts[:2], old[:2], ready)
    assert_allclose(dtheta, theta, atol=1e-12)
    assert_allclose(dpsi, psi, atol=1e-12)


@settings(max_examples=10)
@given(SEEDS)
def test_a_row_counts_in_full_only_if_everybody_who_is_there_did_what_is_greedy(seed):
    cfg, method, nets, phi, slow, batch = problem("wqmix", seed, rows=12, alpha=0.25)
    batch = batch._replace(reward=batch.reward - 1e6)  # no target exceeds what is thought best
    q = nets[0].forward(base.split(nets, phi)[0], batch.obs).q
    best = np.concatenate(greedy(q, batch.mask), axis=1)
    did = np.concatenate(batch.action, axis=1)
    full = ((did == best) | ~batch.alive).tolist()
    weight = slopes(cfg, method, nets, phi, slow, batch)[1]["weight"]
    assert weight == pytest.approx(np.mean([1.0 if all(row) else 0.25 for row in full]))


@settings(max_examples=10)
@given(SEEDS)
def test_a_row_counts_in_full_above_what_the_greedy_joint_action_is_thought_worth(seed):
    cfg, method, nets, phi, slow, batch = problem("wqmix", seed, rows=12, alpha=0.25)
    parts = base.split(nets, phi)
    here = greedy(nets[0].forward(parts[0], batch.obs).q, batch.mask)
    own = base.taken(nets[2].forward(parts[2], batch.obs).q, here, batch.alive)
    top = nets[3].forward(parts[3], own, batch.state)[0]
    did = np.concatenate(batch.action, axis=1) == np.concatenate(here, axis=1)
    others = np.where((did | ~batch.alive).all(axis=1), 1.0, 0.25).mean()
    over = np.ones_like(batch.terminated)
    for more, weight in ((1e-6, 1.0), (-1e-6, others)):
        rows = batch._replace(reward=top + more + 0.0 * batch.reward, terminated=over)
        assert slopes(cfg, method, nets, phi, slow, rows)[1]["weight"] == pytest.approx(weight)


# -- relabelling ------------------------------------------------------------------------


@dataclass(frozen=True)
class Three(Crew):
    """Three agents of one group that see and do different things."""

    @cached_property
    def groups(self):
        return (Group("all", ("a", "b", "c"), 3, Discrete(3)),)

    def observe(self, state):
        near = np.stack([state.t, np.ones_like(state.t), state.key % 7], axis=-1) / 5.0
        return (np.stack([near, -near, near[:, ::-1]], axis=1),)

    def mask(self, state):
        legal = np.ones((len(state.t), 3, 3), dtype=bool)
        legal[:, 0, 1] = state.t % 2 == 0
        return (legal,)

    def alive(self, state):
        return (np.stack([state.t >= 0, state.t <= 1, state.t >= 0], axis=1),)

    def step(self, state, actions):
        after, found = super().step(state, (actions[0][:, :2], actions[0][:, 2:]))
        return after, found._replace(reward=(np.concatenate(found.reward, axis=1),))


STATE = 9  # numbers of Three's global state


def relabelled(nets, vector, order):
    """φ or its gradient with agents in another order: their own networks, their rows of weights."""
    parts = [part.copy() for part in base.split(nets, vector)]
    for net, part in zip(nets, parts, strict=True):
        if isinstance(net, Utilities) and not net.share:
            part[...] = part.reshape(3, -1)[order].ravel()
        elif isinstance(net, Monotone):
            units, views = net.units, net.views(part)
            for name in ("B1", "c1") if net.hidden else ("A", "a"):
                row = views[name][..., : 3 * units]
                row[...] = row.reshape(*row.shape[:-1], 3, units)[..., order, :].reshape(row.shape)
        elif isinstance(net, Duplex):
            one, two = (
                n.layers(x) for n, x in zip(net.nets, base.split(net.nets, part), strict=True)
            )
            for layer in (one[-1], two[-1]):  # weights w, or credits, of each agent
                layer.w[:, :3], layer.b[..., :3] = layer.w[:, order], layer.b[..., order]
            did = two[0].w[-9:]
            did[...] = did.reshape(3, 3, -1)[order].reshape(did.shape)
        elif isinstance(net, Free | MLP):  # what agents say or do stands behind the state
            inner = net.net if isinstance(net, Free) else net
            w, size = inner.layers(part)[0].w, 3 if isinstance(net, Free) else 9
            if inner.sizes[0] >= size + STATE:
                last = w[-size:].reshape(3, -1, w.shape[-1])
                w[-size:] = last[order].reshape(size, -1)
    return np.concatenate(parts)


@pytest.mark.parametrize("name", list(ALGORITHMS))
@settings(max_examples=12)
@given(SEEDS, st.booleans(), st.permutations(range(3)), st.sampled_from([0, 2]))
def test_relabelling_the_agents_relabels_everything(name, seed, share, order, hyper):
    more = {"hyper": hyper} if name in ("qmix", "wqmix") else {}
    given_ = problem(name, seed, Three(), share=share, ids=False, **more)
    cfg, method, nets, phi, slow, batch = given_
    order = list(order)
    turned = batch._replace(
        **{
            key: (getattr(batch, key)[0][:, order],)
            for key in ("obs", "next_obs", "action", "mask", "next_mask")
        },
        **{
            key: getattr(batch, key)[:, order]
            for key in ("reward", "terminated", "alive", "next_alive")
        },
    )
    slope, metrics = slopes(cfg, method, nets, phi, slow, batch)
    found = slopes(cfg, method, nets, *(relabelled(nets, x, order) for x in (phi, slow)), turned)
    assert_allclose(found[0], relabelled(nets, slope, order), atol=1e-10)
    assert found[1] == pytest.approx(metrics)


# -- rows -------------------------------------------------------------------------------


@pytest.mark.equation("2.7")
@settings(max_examples=15)
@given(SEEDS, st.integers(1, 4), st.sampled_from([18, 21, 60]))
def test_rows_of_n_steps_are_sums_that_stop_where_the_episode_does(seed, n_step, capacity):
    cfg = config("vdn", n_step=n_step, capacity=capacity, updates=0, dtype="float64", gamma=0.9)
    memory = finished(Crew(), "vdn", cfg, 3, seed)[0].roll.memory
    batch = sample(memory, np.random.default_rng(seed), 30, 3, 0.9, n_step)
    held = ring.in_order(memory)
    for m in range(30):
        same = [
            k
            for k in range(memory.size)
            if all(np.array_equal(a[k], b[m]) for a, b in zip(held.obs, batch.obs, strict=True))
            and all(
                np.array_equal(a[k], b[m]) for a, b in zip(held.action, batch.action, strict=True)
            )
        ]
        fits = False
        for first in same:
            total, k, count = 0.0, first, 0
            while True:
                total += 0.9**count * held.reward[0][k, 0]
                count += 1
                ended = n_step == 1 or held.more[-1][k]
                if count == n_step or ended or k + 3 >= memory.size:
                    break
                k += 3
            fits |= (
                np.isclose(batch.reward[m, 0], total)
                and np.isclose(batch.discount[m, 0], 0.9**count)
                and batch.terminated[m, 0] == held.terminated[k]
                and np.array_equal(batch.next_obs[0][m], held.next_obs[0][k])
            )
        assert fits


@pytest.mark.equation("2.7")
@pytest.mark.parametrize("name", list(ALGORITHMS))
@settings(max_examples=10)
@given(SEEDS)
def test_of_an_end_nothing_behind_it_matters(name, seed):
    cfg, method, nets, phi, slow, batch = problem(name, seed)
    batch, rng = batch._replace(terminated=np.ones_like(batch.terminated)), np.random.default_rng(0)
    other = batch._replace(
        next_obs=tuple(rng.standard_normal(o.shape) for o in batch.next_obs),
        next_mask=tuple(np.eye(m.shape[-1], dtype=bool)[rng.integers(0, m.shape[-1], m.shape[:-1])]
                        for m in batch.next_mask),
        next_state=rng.standard_normal(batch.next_state.shape),
        next_alive=rng.random(batch.next_alive.shape) < 0.5,
    )  # fmt: skip
    one, two = (slopes(cfg, method, nets, phi, slow, b) for b in (batch, other))
    assert_array_equal(two[0], one[0])
    assert two[1] == one[1]


@pytest.mark.equation("2.7")
def test_a_terminated_row_is_worth_its_reward_and_a_truncated_one_goes_on():
    cfg, method, nets, phi, slow, batch = problem("vdn", 3)
    one = slopes(cfg, method, nets, phi, slow, batch._replace(terminated=np.ones((6, 3), bool)))[1]
    assert one["target"] == pytest.approx(batch.reward[:, 0].mean())
    moved = batch._replace(terminated=np.zeros((6, 3), bool))
    on = slopes(cfg, method, nets, phi, slow, moved)[1]
    net, actions = nets[0], greedy(nets[0].forward(phi, batch.next_obs).q, batch.next_mask)
    value = base.taken(net.forward(slow, batch.next_obs).q, actions, batch.next_alive).sum(axis=1)
    assert on["target"] == pytest.approx((batch.reward[:, 0] + cfg.gamma * value).mean())


@pytest.mark.equation("2.7")
@pytest.mark.equation("2.8")
@pytest.mark.parametrize("name", ["vdn", "qmix", "qplex"])
@settings(max_examples=10)
@given(SEEDS)
def test_the_target_is_the_best_of_all_legal_joint_actions(name, seed):
    cfg, method, nets, phi, slow, batch = problem(name, seed, double=False)
    q = nets[0].forward(slow[: nets[0].size], batch.next_obs).q
    best, psi = np.full(len(batch.reward), -np.inf), slow[nets[0].size :]
    for a, b, c in product(range(3), range(3), range(2)):
        acts = tuple(np.broadcast_to(x, (len(best), len(x))) for x in ([a, b], [c]))
        legal = np.concatenate(
            [np.take_along_axis(m, x[..., None], -1)[..., 0]
             for m, x in zip(batch.next_mask, acts, strict=True)], axis=1
        )  # fmt: skip
        own, beside = base.taken(q, acts, batch.next_alive), [batch.next_state]
        if name == "qplex":
            top = base.taken(q, greedy(q, batch.next_mask), batch.next_alive)
            both = base.seen(nets[0], batch.next_state, acts, batch.next_alive)
            beside = [top, batch.next_state, both]
        total = nets[1].forward(psi, own, *beside)[0][:, 0]
        best = np.where((legal | ~batch.next_alive).all(axis=1), np.maximum(best, total), best)
    y = batch.reward[:, 0] + cfg.gamma * np.where(batch.terminated[:, 0], 0.0, best)
    found = slopes(cfg, method, nets, phi, slow, batch)[1]["target"]
    assert found == pytest.approx(y.mean())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_agents_that_are_gone_neither_count_nor_learn(name):
    cfg, method, nets, phi, slow, batch = problem(name, 5, rows=12)
    assert not batch.alive.all()
    dead, later = ~batch.alive[:, :2, None], ~batch.next_alive[:, :2, None]
    changed = batch._replace(
        obs=(np.where(dead, 7.0, batch.obs[0]), batch.obs[1]),
        next_obs=(np.where(later, -7.0, batch.next_obs[0]), batch.next_obs[1]),
        action=(np.where(dead[..., 0], 2 - batch.action[0], batch.action[0]), batch.action[1]),
    )
    one, two = (slopes(cfg, method, nets, phi, slow, b) for b in (batch, changed))
    assert_allclose(one[0], two[0], atol=1e-12)
    keys = one[1].keys() - ({"q"} if name == "iql" else set())
    assert {k: one[1][k] for k in keys} == pytest.approx({k: two[1][k] for k in keys})


def test_masked_actions_are_never_taken_nor_valued():
    cfg = config("vdn", share=False)
    q = (np.arange(6.0).reshape(1, 2, 3), np.zeros((1, 1, 2)))
    legal = np.array([[[True, True, False], [False, True, True]]]), np.ones((1, 1, 2), bool)
    assert [a.tolist() for a in greedy(q, legal)] == [[[1, 2]], [[0]]]
    progress, _ = finished(Crew(), "vdn", cfg, 5)
    held = ring.held(progress.roll.memory)
    assert np.take_along_axis(held.mask[0], held.action[0][..., None], axis=-1).all()


# -- runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("share", [True, False])
def test_it_learns_acts_and_reports_with_groups_masks_and_deaths(name, share):
    cfg = config(name, share=share, n_step=2)
    progress, metrics = finished(Crew(), name, cfg, 5)
    assert {"loss", "target", "q", "norm", "epsilon", "return", "length"} <= metrics.keys()
    assert all(np.isfinite(list(metrics.values())))
    assert np.isfinite(progress.agent.phi).all()
    act = ALGORITHMS[name].policy(Crew(), cfg, progress.agent, np.random.default_rng(3), True)
    state = Crew().reset(np.random.default_rng(4), 6)
    action = act(Crew().observe(state), Crew().mask(state), ()).action
    assert [a.shape for a in action] == [(6, 2), (6, 1)]


def test_nothing_is_learnt_before_the_warm_up_ends():
    cfg = config("vdn", warmup=13)
    first = vdn.start(Crew(), cfg, np.random.default_rng(0))
    progress, metrics = vdn.iterate(Crew(), cfg, first)
    assert_array_equal(progress.agent.phi, first.agent.phi)
    assert "loss" not in metrics
    assert "loss" in vdn.iterate(Crew(), cfg, progress)[1]


@pytest.mark.equation("2.5")
@pytest.mark.parametrize("period", [0, 4])
def test_targets_are_copied_every_so_often_or_follow_slowly(period):
    cfg = config("vdn", period=period, tau=0.25)
    progress, _ = finished(Crew(), "vdn", cfg, 3)
    nets, agent = vdn.nets(Crew(), cfg), progress.agent
    for _ in range(9):
        batch = sample(progress.roll.memory, np.random.default_rng(1), 5, 3, cfg.gamma)
        after, _ = base.update(cfg, nets, agent, batch, vdn.METHOD)
        if period:
            copied = after.opt.step % period == 0
            assert_array_equal(after.target, after.phi if copied else agent.target)
        else:
            wanted = 0.25 * after.phi + 0.75 * agent.target
            assert_allclose(after.target, wanted, atol=1e-6)
        agent = after


def test_exploration_falls_to_its_last_value_and_greedy_play_has_none():
    cfg = config("vdn", epsilon=0.8, epsilon_last=0.2, epsilon_steps=10)
    assert [round(base.exploration(cfg, k), 6) for k in (0, 5, 10, 99)] == [0.8, 0.5, 0.2, 0.2]
    progress, _ = finished(Crew(), "vdn", cfg, 1)
    state = Crew().reset(np.random.default_rng(0), 4000)
    seen = Crew().observe(state), Crew().mask(state), ()
    best = vdn.policy(Crew(), cfg, progress.agent, np.random.default_rng(1), True)(*seen).action
    noisy = vdn.policy(Crew(), cfg, progress.agent, np.random.default_rng(1))(*seen).action
    share = (noisy[1] != best[1]).mean()  # of two actions the other one
    assert abs(share - 0.1) < 5 * np.sqrt(0.1 * 0.9 / 4000)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_stopped_run_continues_to_the_same_bits(tmp_path, name):
    cfg = config(name, iterations=6, num_steps=3, n_step=2)
    what = run.Run(algorithm=name, env="tabular", env_options={"game": "two_step"}, config=cfg,
                   log_every=1, save_every=2)  # fmt: skip
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    halved = run.train(what, tmp_path / "halved")
    assert checkpoint.same(whole, halved)
    assert whole.roll.memory.size == 40  # full: the ring has gone round


def test_a_reward_that_is_not_finite_stops_the_run_with_its_name(tmp_path, monkeypatch):
    true = CartPole.step

    def step(self, state, actions):
        after, found = true(self, state, actions)
        return after, found._replace(reward=(np.full_like(found.reward[0], np.nan),))

    monkeypatch.setattr(CartPole, "step", step)
    what = run.Run(algorithm="vdn", env="cartpole", config=config("vdn"), log_every=1, save_every=1)
    with pytest.raises(run.Diverged, match="target is nan at iteration"):
        run.train(what, tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "env", "says"),
    [
        ("qmix", Pendulum(), "a value of each action needs Discrete actions; .* has Box"),
        ("vdn", Pursuit(), "pursuit: reward: the agents were paid .*reward=mean or reward=sum"),
        ("wqmix", Matrix("matching-pennies"), "one value of the team needs one reward for all"),
    ],
)
def test_what_it_cannot_do_is_refused_before_any_work(name, env, says):
    with pytest.raises(InputError, match=says):
        ALGORITHMS[name].start(env, config(name), np.random.default_rng(0))


def test_a_team_may_be_made_of_agents_that_are_paid_differently():
    paid = np.array([[1.0, 2.0, 6.0]])
    assert shared(paid, "mean").tolist() == [[3.0] * 3]
    assert shared(paid, "sum").tolist() == [[9.0] * 3]
    assert shared(paid, "own") is paid
    with pytest.raises(InputError, match="the agents were paid 1, 2, 6"):
        shared(paid, "common")
    _, metrics = finished(Matrix("prisoners-dilemma"), "vdn", config("vdn", reward="sum"), 4)
    assert np.isfinite(metrics["loss"])


def test_a_row_where_rewards_differ_late_stops_with_the_same_line(monkeypatch):
    progress, _ = finished(Crew(), "vdn", config("vdn"), 3)
    held = progress.roll.memory.data
    held.reward[1][:] += 1.0
    with pytest.raises(InputError, match="one reward for all"):
        vdn.iterate(Crew(), config("vdn"), progress)


def test_groups_keep_their_order_beside_each_other():
    net = Utilities(Crew().groups, (4,), ids=False)
    theta = net.init(np.random.default_rng(0))
    obs = Crew().observe(Crew().reset(np.random.default_rng(1), 2))
    q = net.forward(theta, obs).q
    values = chosen(q, (np.array([[2, 0], [1, 1]]), np.array([[1], [0]])))
    assert_array_equal(values[0], [q[0][0, 0, 2], q[0][0, 1, 0], q[1][0, 0, 1]])


@pytest.mark.slow  # 33 s
@pytest.mark.parametrize("name", ["qmix", "wqmix", "qtran", "qplex"])
def test_it_finds_the_joint_action_that_needs_both(name):
    env = TabularEnv("two_step", 0)
    cfg = ALGORITHMS[name].Config(epsilon_last=1.0, iterations=20, warmup=100, capacity=5000)
    *_, (progress, _) = learn(ALGORITHMS[name], env, cfg, np.random.default_rng(3))
    act = ALGORITHMS[name].policy(env, cfg, progress.agent, np.random.default_rng(4), True)
    state, total = env.reset(np.random.default_rng(5), 1), 0.0
    for _ in range(2):
        state, step = env.step(state, act(env.observe(state), (None, None), ()).action)
        total += step.reward[0][0, 0]
    assert total == 8.0
