"""QPLEX: greedy actions agree, nothing else is lost, derivatives, and what they become as λ → 1."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.cooperative import qplex, vdn
from refmarl.cooperative import value_decomposition as base
from refmarl.cooperative.duplex import LEAST, Duplex
from refmarl.cooperative.experience import sample
from refmarl.cooperative.representable import qplex_factors
from refmarl.envs import TMaze
from refmarl.nn import check_backward, check_gradient
from refmarl.studies.s2_cooperative.non_monotone import GAME, trained
from refmarl.testing.trajectories import SEEDS

SHAPES = st.sampled_from([(3,), (2, 2), (2, 3), (3, 3), (2, 2, 2), (4, 2, 3)])
TABLES = SHAPES.flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(-20, 20, width=32), unique=True)
)


class Game(NamedTuple):
    """All joint actions of a state, as rows for the mixer."""

    net: Duplex
    psi: np.ndarray
    q: np.ndarray  # (J, n)
    best: np.ndarray  # V (J, n)
    both: np.ndarray  # (J, S + K)

    @property
    def total(self):
        return self.net.forward(self.psi, self.q, self.best, self.both[:, :2], self.both)


def listed(shape, seed, loud=2.0):
    """(game, utilities): random networks, far from where they begin."""
    rng = np.random.default_rng(seed)
    utilities = [rng.standard_normal(k) for k in shape]
    at = np.indices(shape).reshape(len(shape), -1)
    q = np.stack([own[a] for own, a in zip(utilities, at, strict=True)], axis=1)
    hot = np.concatenate([np.eye(k)[a] for k, a in zip(shape, at, strict=True)], axis=1)
    net = Duplex(len(shape), 2, sum(shape), (3,))
    psi = net.init(rng) + loud * rng.standard_normal(net.size)
    state = np.broadcast_to(rng.standard_normal(2), (len(q), 2))
    best = np.broadcast_to([own.max() for own in utilities], q.shape)
    return Game(net, psi, q, best, np.concatenate([state, hot], axis=1)), utilities


# -- what it can say --------------------------------------------------------------------


@given(SHAPES, SEEDS)
def test_the_greedy_joint_action_is_the_only_best_one(shape, seed):
    game, utilities = listed(shape, seed)
    total = game.total[0].reshape(shape)
    best = tuple(int(own.argmax()) for own in utilities)
    assert np.argwhere(total == total.max()).tolist() == [list(best)]


@given(TABLES)
def test_any_payoffs_with_one_best_joint_action_are_said_exactly(table):
    own, credit, v = qplex_factors(table)
    assert (credit > 0.0).all()
    for k, advantage in enumerate(own):
        assert advantage.max() == 0.0
        assert advantage.argmax() == np.unravel_index(table.argmax(), table.shape)[k]
    said = [
        v + sum(credit[at][k] * own[k][a] for k, a in enumerate(at))
        for at in np.ndindex(table.shape)
    ]
    assert_allclose(said, table.ravel(), atol=1e-9)


@pytest.mark.parametrize(("payoffs", "says"), [([[1, 0], [0, 1]], "got 2 best"), (3.0, "an axis")])
def test_payoffs_without_one_best_joint_action_are_refused(payoffs, says):
    with pytest.raises(InputError, match=says):
        qplex_factors(payoffs)


@given(SHAPES, SEEDS)
def test_with_networks_of_zeros_it_is_a_sum(shape, seed):
    game, _ = listed(shape, seed)
    game = game._replace(psi=np.zeros(game.net.size))
    total, tape = game.total
    assert_allclose(total[:, 0], game.q.sum(axis=1), atol=50 * LEAST)
    _, dq, dbest = game.net.backward(game.psi, tape, np.ones_like(total))
    assert_allclose(dq, 1.0, atol=10 * LEAST)
    assert_allclose(dbest, 0.0, atol=10 * LEAST)


@given(SEEDS)
def test_it_begins_near_a_sum(seed):
    net, rng = Duplex(3, 4, 6), np.random.default_rng(seed)
    q, both = rng.standard_normal((20, 3)), rng.standard_normal((20, 10))
    total = net.forward(net.init(rng), q, q + 1.0, both[:, :4], both)[0]
    assert abs(total[:, 0] - q.sum(axis=1)).max() < 1.0
    assert np.ptp(total[:, 0] - q.sum(axis=1)) > 0.0


# -- derivatives ------------------------------------------------------------------------


@pytest.mark.certifies("refmarl.cooperative.duplex:Duplex.backward")
@settings(max_examples=20)
@given(SHAPES, SEEDS)
def test_the_way_back_is_a_difference_quotient(shape, seed):
    game, _ = listed(shape, seed, 0.5)
    state = game.both[:, :2]
    check_backward(
        lambda psi, q, best: game.net.forward(psi, q, best, state, game.both)[0],
        lambda psi, q, best, dy: game.net.backward(
            psi, game.net.forward(psi, q, best, state, game.both)[1], dy
        ),
        (game.psi, game.q, game.best.copy()),
        np.random.default_rng(seed),
    ).require()


def problem(seed, **more):
    """(cfg, networks, φ, φ', rows) in float64, away from where it starts."""
    small = {"hidden": (3,), "mixing": (2,), "num_steps": 5, "num_envs": 3, "capacity": 60}
    cfg = qplex.Config(**small, updates=0, dtype="float64", activation="tanh", reward="sum", **more)
    env, rng = TMaze(length=2, players=2), np.random.default_rng(seed)
    progress = qplex.start(env, cfg, np.random.default_rng(seed))
    for _ in range(3):
        progress, _ = qplex.iterate(env, cfg, progress)
    phi, slow = (progress.agent.phi + 0.3 * rng.standard_normal(progress.agent.phi.shape)
                 for _ in range(2))  # fmt: skip
    batch = sample(progress.roll.memory, rng, 6, 3, cfg.gamma, 1, cfg.reward)
    nets = qplex.nets(env, cfg)
    return cfg, nets, base.split(nets, phi), base.split(nets, slow), batch


@pytest.mark.certifies("refmarl.cooperative.qplex:gradient")
@settings(max_examples=10)
@given(SEEDS, st.booleans(), st.booleans())
def test_its_gradient_is_that_of_the_loss(seed, share, double):
    cfg, nets, phi, slow, batch = problem(seed, share=share, double=double, hold=False)

    def loss(at):
        parts, metrics = qplex.gradient(cfg, nets, base.split(nets, at), slow, batch)
        return metrics["loss"], np.concatenate(parts)

    check_gradient(loss, np.concatenate(phi)).require()


@settings(max_examples=10)
@given(SEEDS, st.booleans())
def test_held_only_the_utilities_learn_otherwise_as_if_credits_were_1(seed, share):
    cfg, nets, phi, slow, batch = problem(seed, share=share)
    (dtheta, dpsi), metrics = qplex.gradient(cfg, nets, phi, slow, batch)
    free = replace(cfg, hold=False)
    (_, wanted), same = qplex.gradient(free, nets, phi, slow, batch)
    assert_allclose(dpsi, wanted)
    assert metrics == pytest.approx(same)

    net, mixer = nets
    y = qplex.targets(cfg, nets, phi, slow, batch, ())
    first = mixer.nets[0]
    w = abs(1.0 + first.forward(phi[1][: first.size], batch.state)[0][:, :-1]) + LEAST
    q = net.forward(phi[0], batch.obs).q
    here = base.greedy(q, batch.mask)
    own, top = (base.taken(q, a, batch.alive) for a in (batch.action, here))
    both = base.seen(net, batch.state, batch.action, batch.alive)
    error = mixer.forward(phi[1], own, top, batch.state, both)[0] - y

    def pulled(theta):
        value = base.taken(net.forward(theta, batch.obs).q, batch.action, batch.alive)
        return float((2.0 * error * w * value).sum() / len(y)), dtheta

    check_gradient(pulled, phi[0]).require()


@pytest.mark.parametrize("hold", [True, False])
@settings(max_examples=5)
@given(SEEDS)
def test_with_networks_of_zeros_it_learns_as_vdn_does(hold, seed):
    cfg, nets, phi, slow, batch = problem(seed, hold=hold)
    phi, slow = ((theta, np.zeros_like(psi)) for theta, psi in (phi, slow))
    (found, _), metrics = qplex.gradient(cfg, nets, phi, slow, batch)
    plain = vdn.nets(TMaze(length=2, players=2), cfg)
    nothing = np.empty(0)
    (wanted, _), same = vdn.METHOD.gradient(
        cfg, plain, (phi[0], nothing), (slow[0], nothing), batch
    )
    assert metrics == pytest.approx(same, rel=1e-4, abs=1e-4)
    assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


@settings(max_examples=10)
@given(SEEDS)
def test_who_has_no_choice_has_no_advantage_and_credits_learn_nothing(seed):
    cfg, nets, phi, slow, batch = problem(seed)
    forced = tuple(np.arange(2) == a[..., None] for a in batch.action)
    credits_ = slice(nets[1].nets[0].size, None)
    for mask, moves in ((forced, False), (batch.mask, True)):
        (_, dpsi), _ = qplex.gradient(cfg, nets, phi, slow, batch._replace(mask=mask))
        assert np.any(dpsi[credits_]) == moves


# -- what is learnt ---------------------------------------------------------------------


@pytest.mark.slow  # 10 s
def test_by_the_loss_alone_few_find_what_most_find_with_advantages_held():
    """Where a_i looks bad λ_i, and with it the gradient, is 0 for what pays more than V."""
    found = {
        hold: [trained("QPLEX", GAME, s, settings={"hold": hold}).pays == 8.0 for s in range(12)]
        for hold in (True, False)
    }
    assert sum(found[True]) >= 10
    assert sum(found[False]) <= 8
