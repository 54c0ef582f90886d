"""MADDPG that infers the others' policies: its reduction, its likelihood, and that it learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.config import override
from refmarl.cooperative import deterministic as nets
from refmarl.cooperative import inferred, maddpg
from refmarl.env_api import Box, Discrete, Group
from refmarl.envs import Navigation, SpeakerListener
from refmarl.nn import categorical, check_gradient
from refmarl.nn.optim import Adam, polyak
from refmarl.policy_gradient import masac
from refmarl.replay import ring
from refmarl.training import checkpoint, run

SEEDS = st.integers(0, 2**32)
TINY = {
    "hidden": (4,), "num_steps": 4, "batch": 7, "warmup": 6, "every": 3, "capacity": 60,
    "num_envs": 3,
}  # fmt: skip
WORLDS = [Navigation(), Navigation(continuous=True), SpeakerListener()]


def finished(env, cfg, iterations, seed=1):
    progress, metrics = inferred.start(env, cfg, np.random.default_rng(seed)), {}
    for _ in range(iterations):
        progress, metrics = inferred.iterate(env, cfg, progress)
    return progress, metrics


def learner(env, seed, **more):
    """(config, an agent, rows) in float64."""
    cfg = inferred.Config(**(TINY | {"dtype": "float64", "activation": "tanh"} | more))
    progress, _ = finished(env, cfg, 2, seed)
    rng = np.random.default_rng(seed)
    return cfg, progress.agent, ring.sample(progress.roll.stand.memory, rng, cfg.batch)


def perfect(env, cfg, agent):
    """Everybody's approximation is the slow policy itself."""
    count = sum(len(p.agents) for p in env.groups)
    psi = []
    for theta, group in zip(agent.theta_target, env.groups, strict=True):
        each = np.broadcast_to(theta, (len(group.agents), theta.shape[-1]))
        psi.append(np.broadcast_to(each, (count, *each.shape)).copy())
    return tuple(psi)


@pytest.mark.equation("2.3")
@settings(max_examples=5)
@given(SEEDS, st.sampled_from(WORLDS), st.booleans(), st.sampled_from([0.0, 0.3]))
def test_with_perfect_approximations_targets_are_maddpgs(seed, env, share, smoothing):
    cfg, agent, batch = learner(env, seed, share=share, smoothing=smoothing)
    known = maddpg.Agent(*agent[:6])
    noise = maddpg.smoothing_noise(env, cfg, batch, np.random.default_rng(seed))
    after = maddpg.actions(env, cfg, agent.theta_target, batch.next_obs, batch.next_mask, noise)
    wanted = maddpg.all_targets(env, cfg, known, batch, after)
    got = inferred.targets(env, cfg, known, perfect(env, cfg, agent), batch, noise)
    for mine, want in zip(got, wanted, strict=True):
        assert_allclose(mine, want, atol=1e-12)


@pytest.mark.equation("2.3")
@settings(max_examples=5)
@given(SEEDS, st.integers(0, 2))
def test_a_target_hangs_on_its_own_agents_approximations_of_the_others_alone(seed, who):
    env = Navigation(continuous=True)
    cfg, agent, batch = learner(env, seed)
    known, psi = maddpg.Agent(*agent[:6]), agent.psi_target[0]
    (one,) = inferred.targets(env, cfg, known, (psi,), batch, ())
    itself, others = psi.copy(), psi.copy()
    itself[who, who] += 1.0
    others[who, (who + 1) % 3] += 1.0
    assert_array_equal(inferred.targets(env, cfg, known, (itself,), batch, ())[0], one)
    (two,) = inferred.targets(env, cfg, known, (others,), batch, ())
    assert [bool((two[i] != one[i]).any()) for i in range(3)] == [i == who for i in range(3)]


@pytest.mark.equation("2.3")
@pytest.mark.parametrize("who", [0, 1])
def test_speaker_and_listener_ask_each_their_own_approximations(who):
    env = SpeakerListener(continuous=True)
    cfg, agent, batch = learner(env, 0)
    known, psi = maddpg.Agent(*agent[:6]), tuple(x.copy() for x in agent.psi_target)
    one = inferred.targets(env, cfg, known, psi, batch, ())
    for x in psi:
        x[who] += 1.0
    two = inferred.targets(env, cfg, known, psi, batch, ())
    assert [bool((a != b).any()) for a, b in zip(one, two, strict=True)] == [who == 0, who == 1]


@pytest.mark.certifies("refmarl.cooperative.inferred:guess")
@settings(max_examples=5)
@given(SEEDS, st.sampled_from([Box(-1.0, 1.0, 2), Discrete(3)]), st.booleans())
def test_the_likelihoods_gradient_is_a_difference_quotient(seed, space, masked):
    rng = np.random.default_rng(seed)
    group = Group("team", ("a", "b"), 2, space)
    net = nets.actor(group, (3,), "tanh")
    psi, obs, weight = net.init(rng, (3, 2)), rng.normal(size=(2, 4, 2)), rng.random((2, 4))
    mask = None
    if isinstance(space, Box):
        action = rng.uniform(-1.0, 1.0, (2, 4, 2))
    else:
        action = rng.integers(3, size=(2, 4))
        if masked:
            mask = (rng.random((2, 4, 3)) < 0.5) | (action[..., None] == np.arange(3))

    def fit(at):
        return inferred.guess(group, net, at, (obs, action, mask), weight, 0.3)

    check_gradient(fit, psi).require()


@settings(max_examples=5)
@given(SEEDS, st.floats(0.0, 1.0))
def test_likelihood_with_entropy_ends_where_it_must(seed, spread):
    """One observation: J = Σ_a f_a log p_a + λ H(p) has ∂J/∂l = 0 at f − p = λ p (log p + H)."""
    rng = np.random.default_rng(seed)
    group = Group("team", ("a",), 1, Discrete(3))
    net = nets.actor(group, (4,), "tanh")
    action = np.array([[0] * 5 + [1] * 3 + [2] * 2])
    seen, weight = (np.ones((1, 10, 1)), action, None), np.full((1, 10), 0.1)
    psi, adam = net.init(rng, (1, 1)), Adam()
    state = adam.init(psi)
    for lr in np.geomspace(0.03, 1e-5, 800):
        fit = inferred.guess(group, net, psi, seen, weight, spread)
        state, psi = adam.update(state, psi, -fit.gradient, lr)
    p = categorical.probs(net.forward(psi, np.ones((1, 1, 1, 1)))[0])[0, 0, 0]
    entropy = -(p * np.log(p)).sum()
    wanted = spread * p * (np.log(p) + entropy)
    assert_allclose(np.array([0.5, 0.3, 0.2]) - p, wanted, atol=1e-3)


@settings(max_examples=5)
@given(SEEDS, st.sampled_from(WORLDS))
def test_where_all_think_alike_what_they_see_of_others_is_what_there_is(seed, env):
    rng = np.random.default_rng(seed)
    obs = tuple(rng.normal(size=(5, len(p.agents), p.obs_dim)) for p in env.groups)
    act = tuple(rng.normal(size=(5, len(p.agents), inferred.maddpg.width(p))) for p in env.groups)
    for g, group in enumerate(env.groups):
        alike = tuple(np.broadcast_to(a, (len(group.agents), *a.shape)) for a in act)
        wanted = np.moveaxis(masac.others(env, obs, act, g), 1, 0)
        assert_array_equal(masac.owned(env, obs, alike, g), wanted)


@pytest.mark.parametrize("share", [True, False])
def test_masks_deaths_and_both_kinds_of_actions_and_the_same_bits_after_a_stop(
    pair, share, tmp_path
):
    cfg = inferred.Config(iterations=6, share=share, **TINY)
    _, metrics = finished(pair, cfg, 6)
    assert {"critic_loss", "gain", "return", "fit"} <= metrics.keys()
    assert np.isfinite(list(metrics.values())).all()
    what = run.Run(algorithm="maddpg-inferred", env="speaker-listener", config=cfg, log_every=1,
                   save_every=2)  # fmt: skip
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    assert checkpoint.same(whole, run.train(what, tmp_path / "halved"))


@settings(max_examples=3)
@given(SEEDS, st.sampled_from(WORLDS))
def test_approximations_climb_slow_ones_follow_and_critics_ask_the_slow_ones(seed, env):
    cfg, agent, batch = learner(env, seed, tau=0.25, spread=0.0)
    moved, told = inferred.update(env, cfg, agent, batch, np.random.default_rng(0))
    for old, new, slow in zip(agent.psi_target, moved.psi, moved.psi_target, strict=True):
        assert_array_equal(slow, polyak(old, new, 0.25))
    fits = [told["fit"]]
    for _ in range(20):
        psi, opt_psi, fit = inferred.guesses_step(env, cfg, moved, batch)
        moved = moved._replace(psi=psi, opt_psi=opt_psi)
        fits.append(fit)
    assert fits[-1] > fits[0]
    elsewhere = agent._replace(psi=tuple(x + 0.5 for x in agent.psi))
    other, _ = inferred.update(env, cfg, elsewhere, batch, np.random.default_rng(0))
    again, _ = inferred.update(env, cfg, agent, batch, np.random.default_rng(0))
    for one, two in zip(other.phi, again.phi, strict=True):
        assert_array_equal(one, two)


@pytest.mark.parametrize("wrong", ["central=false", "others=current"])
def test_what_makes_no_sense_with_it_is_no_option(wrong):
    name = wrong.partition("=")[0]
    with pytest.raises(InputError, match=f"no option '{name}'"):
        override(inferred.Config(), [wrong])
