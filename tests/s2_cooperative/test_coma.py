"""COMA and the course's MAAC: gradients, targets, identities, whole runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import all_actions, coma, maac, on_policy
from refmarl.cooperative.counterfactual import advantages
from refmarl.cooperative.floor import Floored
from refmarl.envs import CartPole, Matrix, Pendulum
from refmarl.games.normal_form import NormalForm
from refmarl.nn import categorical, check_gradient
from refmarl.policy_gradient import a2c
from refmarl.policy_gradient.actor_critic import actor
from refmarl.rollout import collect
from refmarl.testing.trajectories import SEEDS
from refmarl.training import checkpoint, run

TINY = {
    "hidden": (3,), "num_envs": 4, "num_steps": 5, "dtype": "float64", "iterations": 4,
    "reward": "mean",
}  # fmt: skip
BOTH = pytest.mark.parametrize("algorithm", [coma, maac], ids=["coma", "maac"])


def gathered(algorithm, env, cfg, seed, spread=0.4):
    """(agent, batch, what critics ask for), the networks moved away from where they start."""
    progress = algorithm.start(env, cfg, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)

    def moved(parts):
        return tuple(p + spread * rng.standard_normal(p.shape) for p in parts)

    agent = progress.agent._replace(
        theta=moved(progress.agent.theta),
        phi=moved(progress.agent.phi),
        phi_target=moved(progress.agent.phi_target),
        theta_target=moved(progress.agent.theta_target),
    )
    act = algorithm.policy(env, cfg, agent, rng)
    began = progress.roll.state.t
    batch = collect(env, act, progress.roll, cfg.num_steps, central=True)[1]
    return agent, batch, on_policy.looked_at(env, cfg, agent, batch, began, rng)


# -- gradients --------------------------------------------------------------------------


@pytest.mark.certifies("refmarl.cooperative.floor:Floored.d_log_prob")
@given(SEEDS, st.sampled_from([0.0, 0.1, 1.0]), st.booleans())
def test_the_floors_derivative_is_a_difference_quotient(seed, epsilon, masked):
    rng = np.random.default_rng(seed)
    logits, action = rng.standard_normal((4, 3)), rng.integers(2, size=4)
    hidden = np.arange(3) == 2 if masked else np.zeros(3, bool)
    head = Floored(epsilon)

    def log_prob(x):
        given = np.where(hidden, -np.inf, x)
        return head.log_prob(given, action).sum(), head.d_log_prob(given, action)

    check_gradient(log_prob, logits).require()
    p = head.probs(np.where(hidden, -np.inf, logits))
    assert_allclose(p.sum(axis=-1), np.ones(4), atol=1e-12)
    assert (p[:, hidden] == 0.0).all()
    assert (p[:, ~hidden] >= epsilon / np.count_nonzero(~hidden) - 1e-15).all()


@given(SEEDS)
def test_without_a_floor_it_is_the_categorical_and_drawn_as_such(seed):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((5, 3))
    assert_allclose(Floored(0.0).probs(logits), categorical.probs(logits), atol=1e-15)
    one, two = (np.random.default_rng(seed) for _ in range(2))
    action, log_prob = Floored(0.3).draw(one, logits)
    wanted = categorical.sample(two, np.log(Floored(0.3).probs(logits)))
    assert_array_equal(action, wanted)
    assert_allclose(log_prob, Floored(0.3).log_prob(logits, action), atol=1e-12)


@pytest.mark.equation("2.2")
@pytest.mark.certifies("refmarl.cooperative.all_actions:critic_gradient")
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=10)
@given(SEEDS)
def test_the_critics_gradient_is_a_difference_quotient_with_the_target_held(team, share, seed):
    cfg = coma.Config(**TINY, share=share)
    agent, batch, seen = gathered(coma, team, cfg, seed)
    rng = np.random.default_rng(seed)
    for g in range(2):
        x = seen.x[g][:-1]
        net = all_actions.judge(team, cfg.hidden, g, x)
        target, weight = rng.standard_normal((2, *batch.action[g].shape))
        check_gradient(
            lambda at, given=(net, x, batch.action[g], target, weight): all_actions.critic_gradient(
                given[0], at, *given[1:]
            ),
            agent.phi[g],
        ).require()


@pytest.mark.equation("2.1")
@pytest.mark.equation("2.6")
@pytest.mark.certifies("refmarl.cooperative.on_policy:gradient")
@BOTH
@pytest.mark.parametrize("share", [True, False])
@settings(max_examples=8)
@given(SEEDS, st.sampled_from([0.0, 0.2]))
def test_the_actors_gradient_is_a_difference_quotient_with_the_critic_held(
    team, algorithm, share, seed, entropy
):
    cfg = algorithm.Config(**TINY, share=share, entropy=entropy)
    agent, batch, seen = gathered(algorithm, team, cfg, seed)
    for g in range(2):

        def gain(at, g=g):
            here = agent._replace(theta=tuple(at if k == g else agent.theta[k] for k in range(2)))
            d_theta, metrics = on_policy.gradient(team, cfg, here, batch, seen, g, algorithm.RULES)
            return metrics["gain"], d_theta

        check_gradient(gain, agent.theta[g]).require()


# -- identities -------------------------------------------------------------------------


@pytest.mark.equation("2.6")
@settings(max_examples=10)
@given(SEEDS)
def test_one_agent_is_an_actor_critic_on_q_minus_its_mean(seed):
    env, cfg = CartPole(), coma.Config(**TINY, epsilon=0.0, epsilon_last=0.0)
    agent, batch, seen = gathered(coma, env, cfg, seed)
    d_theta, _ = on_policy.gradient(env, cfg, agent, batch, seen, 0, coma.RULES)
    net = all_actions.critic(env, cfg.hidden, True, 0, 4)
    assert net.sizes[0] == 4  # nobody else, no marks: Q(s, ·)
    q = net.forward(agent.phi[0], batch.state[:-1, :, None])[0]
    pi_net = actor(env.groups[0], cfg.hidden)
    params, tape = pi_net.forward(agent.theta[0], batch.obs[0][:-1])
    a = advantages(q, categorical.probs(params))
    a = np.take_along_axis(a, batch.action[0][..., None], axis=-1)[..., 0]
    gain = a2c.policy_gain(categorical, params, batch.action[0], a, 0.0)
    assert_allclose(d_theta, pi_net.gradient(agent.theta[0], tape, gain.gradient), atol=1e-12)


@pytest.mark.equation("2.2")
@settings(max_examples=10)
@given(SEEDS)
def test_with_lambda_0_and_slow_policies_that_lag_by_nothing_both_aim_at_the_same(seed):
    # one agent: nothing is drawn, the sum over the own action is all there is
    env, few = CartPole(), TINY | {"num_steps": 12}
    one = coma.Config(**few, lam=0.0, epsilon=0.0, epsilon_last=0.0)
    agent, batch, seen = gathered(coma, env, one, seed)
    first = coma.targets(env, one, agent, batch, seen, 0, np.random.default_rng(0))
    two = maac.Config(**few)
    alike = agent._replace(theta_target=agent.theta)
    second = maac.targets(env, two, alike, batch, seen, 0, np.random.default_rng(0))
    assert_allclose(first, second, atol=1e-12)


@pytest.mark.equation("2.2")
@settings(max_examples=5)
@given(SEEDS)
def test_the_targets_are_of_the_slow_policies_and_critics_alone(team, seed):
    cfg = maac.Config(**TINY)
    agent, batch, seen = gathered(maac, team, cfg, seed)

    def y(who):
        return maac.targets(team, cfg, who, batch, seen, 0, np.random.default_rng(0))

    def moved(name):
        return agent._replace(**{name: tuple(p - 0.3 * p**2 for p in getattr(agent, name))})

    for fast in ("theta", "phi"):
        assert_array_equal(y(moved(fast)), y(agent))
    over = batch.terminated
    assert (y(moved("phi_target"))[~over] != y(agent)[~over]).any()
    flat = agent._replace(theta_target=tuple(0.0 * p for p in agent.theta_target))
    assert (y(flat)[~over] != y(agent)[~over]).any()
    assert_array_equal(y(flat)[over], y(agent)[over])


@BOTH
@settings(max_examples=10)
@given(SEEDS)
def test_relabelling_two_agents_relabels_everything(algorithm, seed):
    rng = np.random.default_rng(seed)
    payoffs = rng.standard_normal((2, 3, 3))
    env = Matrix(NormalForm(payoffs), horizon=3)
    cfg = algorithm.Config(**TINY, share=False)
    agent, batch, seen = gathered(algorithm, env, cfg, seed)

    def swapped(parts):
        return tuple(p[::-1].copy() if p.ndim == 2 else p for p in parts)

    fields = ("obs", "action", "reward")
    other = batch._replace(**{
        f: tuple(np.ascontiguousarray(x[:, :, ::-1]) for x in getattr(batch, f)) for f in fields
    })  # fmt: skip
    names = {"theta": agent.theta, "phi": agent.phi}
    turned = agent._replace(**{k: swapped(v) for k, v in names.items()})
    seen2 = seen._replace(pi=(seen.pi[0][:, :, ::-1],), x=(seen.x[0][:, :, ::-1],))
    given = (env, cfg)
    one = on_policy.gradient(*given, agent, batch, seen, 0, algorithm.RULES)[0]
    two = on_policy.gradient(*given, turned, other, seen2, 0, algorithm.RULES)[0]
    assert len(env.groups) == 1
    assert_allclose(two[::-1], one, atol=1e-12)


@settings(max_examples=10)
@given(SEEDS)
def test_sharing_is_one_network_that_sees_ids(team, seed):
    # the gradient of the shared actor is the sum of those of networks that are all alike
    shared, own = (coma.Config(**TINY, share=s) for s in (True, False))
    agent, batch, seen = gathered(coma, team, shared, seed)
    alike = agent._replace(theta=tuple(
        np.tile(t, (len(g.agents), 1)) for t, g in zip(agent.theta, team.groups, strict=True)
    ))  # fmt: skip
    together = on_policy.gradient(team, shared, agent, batch, seen, 0, coma.RULES)[0]
    q = all_actions.values(
        all_actions.critic(team, (3,), True, 0, batch.state.shape[-1]), agent.phi[0],
        all_actions.seen(team, True, batch.state[:-1], batch.action, 0, "float64"),
    )  # fmt: skip
    held = coma.RULES._replace(merit=lambda cfg, seen, g, _, a: coma.merit(cfg, seen, g, q, a))
    blind = alike._replace(phi=tuple(
        np.zeros((len(g.agents), all_actions.critic(team, (3,), False, k, 8).size))
        for k, g in enumerate(team.groups)
    ))  # fmt: skip
    unnamed = tuple(on_policy.asked(team, own, batch.state, seen.action, k) for k in range(2))
    apart = on_policy.gradient(team, own, blind, batch, seen._replace(x=unnamed), 0, held)[0]
    assert_allclose(apart.sum(axis=0), together, atol=1e-12)


@pytest.mark.equation("2.1")
@settings(max_examples=10)
@given(SEEDS)
def test_the_two_baselines_differ_by_what_their_scores_average_to(seed):
    # with all own actions summed out, b changes nothing: Σ_b π_b ∇ log π_b c = 0
    rng = np.random.default_rng(seed)
    params, q = rng.standard_normal((2, 4, 3))
    p, totals = categorical.probs(params), []
    for weight in (q, advantages(q, p)):
        total = np.zeros_like(params)
        for b in range(3):
            score = categorical.d_log_prob(params, np.full(4, b))
            total += (p[:, b] * weight[:, b])[:, None] * score
        totals.append(total)
    assert_allclose(*totals, atol=1e-12)


# -- the batch's ends -------------------------------------------------------------------


def slow_values(env, cfg, agent, batch, seen, g):
    """(V' of all T + 1 rows, V' of the ends)."""
    given = (env, cfg, agent)
    here = on_policy.slow_value(*given, seen.x[g], seen.pi[g], g)
    x = on_policy.asked(env, cfg, batch.final_state, seen.final_action, g)
    return here, on_policy.slow_value(*given, x, seen.final_pi[g], g)


@pytest.mark.equation("2.6")
@pytest.mark.parametrize("lam", [0.0, 1.0])
@settings(max_examples=10)
@given(SEEDS)
def test_targets_are_one_step_or_the_return_and_ends_are_ends(team, lam, seed):
    cfg = coma.Config(**TINY, lam=lam, gamma=0.9)
    agent, batch, seen = gathered(coma, team, cfg, seed)
    reward = np.concatenate(batch.reward, axis=2).mean(axis=2)
    ends = {tuple(at): k for k, at in enumerate(batch.at)}
    assert batch.terminated.any()
    for g in range(2):
        found = coma.targets(team, cfg, agent, batch, seen, g, np.random.default_rng(0))
        here, final = slow_values(team, cfg, agent, batch, seen, g)
        steps, copies = reward.shape
        for b in range(copies):
            follow = here[-1, b]
            for t in reversed(range(steps)):
                if batch.terminated[t, b]:
                    follow = 0.0
                elif batch.truncated[t, b]:
                    follow = final[ends[t, b]]
                elif lam == 0.0:
                    follow = here[t + 1, b]
                follow = reward[t, b] + 0.9 * follow
                assert_allclose(found[t, b], np.broadcast_to(follow, found[t, b].shape))


@settings(max_examples=10)
@given(SEEDS)
def test_nothing_illegal_is_drawn_or_valued_beyond_the_batch(team, seed):
    cfg = coma.Config(**TINY, epsilon=0.5)
    _, batch, seen = gathered(coma, team, cfg, seed)
    legal = on_policy.legal(batch, 0)
    assert legal.shape == seen.pi[0].shape
    assert (seen.pi[0][~legal] == 0.0).all()
    assert np.take_along_axis(legal, seen.action[0][..., None], axis=-1).all()
    assert batch.final_mask[0].shape == seen.final_pi[0].shape
    assert (seen.final_pi[0][~batch.final_mask[0]] == 0.0).all()
    odd = batch.lengths % 2 == 1  # the first agent's second action is illegal there
    assert_array_equal(~batch.final_mask[0][:, 0, 1], odd)


@given(SEEDS, st.integers(1, 6))
def test_ages_count_from_where_episodes_began(seed, steps):
    rng = np.random.default_rng(seed)
    ended, age = rng.random((steps, 3)) < 0.4, rng.integers(5, size=3)
    found = on_policy.ages(ended, age)
    for t in range(steps):
        assert_array_equal(found[t], age)
        age = np.where(ended[t], 0, age + 1)


@pytest.mark.equation("2.1")
def test_gamma_to_the_t_weighs_each_step_by_its_age(team):
    plain, weighed = (maac.Config(**TINY, gamma=0.5, weigh=w) for w in (False, True))
    agent, batch, seen = gathered(maac, team, plain, 0)
    rng = np.random.default_rng(0)
    q = rng.standard_normal((*batch.action[0].shape, 3))
    one = maac.merit(plain, seen, 0, q, batch.action[0])
    two = maac.merit(weighed, seen, 0, q, batch.action[0])
    assert_allclose(two, 0.5 ** seen.time[..., None] * one)
    assert seen.time.max() > 1
    none = maac.merit(maac.Config(**TINY, baseline="none"), seen, 0, q, batch.action[0])
    taken = np.take_along_axis(q, batch.action[0][..., None], axis=-1)[..., 0]
    assert_array_equal(none, taken)
    assert agent.theta_target


@BOTH
def test_the_dead_do_not_move_the_policy(team, algorithm):
    cfg = algorithm.Config(**TINY)
    agent, batch, seen = gathered(algorithm, team, cfg, 0)
    dead = ~batch.alive[0]
    assert dead.any()
    share = on_policy.share_of(batch, 0)
    assert (share[dead] == 0.0).all()
    assert_allclose(share.sum(), 1.0)
    other = np.where(dead, (batch.action[0] + 1) % 3, batch.action[0])
    q = np.random.default_rng(0).standard_normal((*other.shape, 3))
    held = algorithm.RULES._replace(
        merit=lambda cfg, seen, g, _, a: algorithm.merit(cfg, seen, g, q, a)
    )
    changed = batch._replace(action=(other, batch.action[1]))
    one, two = (on_policy.gradient(team, cfg, agent, b, seen, 0, held)[0] for b in (batch, changed))
    assert_array_equal(one, two)


@pytest.mark.equation("2.2")
@BOTH
def test_critics_are_fitted_wherever_targets_look_also_of_the_dead(team, algorithm):
    # a target bootstraps from the step after a death: an error of 0 there is what makes it right
    cfg = algorithm.Config(**TINY, critic_steps=1)
    agent, batch, seen = gathered(algorithm, team, cfg, 0)
    dead, (y, other) = ~batch.alive[0], np.zeros((2, *batch.action[0].shape))
    other[dead] = 1.0
    assert dead.any()
    net = all_actions.critic(team, cfg.hidden, cfg.share, 0, batch.state.shape[-1])
    q = all_actions.values(net, agent.phi[0], seen.x[0][:-1])
    q = np.take_along_axis(q, batch.action[0][..., None], axis=-1)[..., 0]
    for target in (y, other):
        loss = on_policy._fitted(team, cfg, agent, batch, seen, target, 0)[-1]
        assert_allclose(loss, np.mean((q - target) ** 2))


# -- runs -------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("share", [True, False])
def test_a_stopped_run_ends_in_the_same_bits(algorithm, share, tmp_path):
    cfg = algorithm.Config(**TINY | {"dtype": "float32"}, share=share)
    name = algorithm.__name__.rpartition(".")[2]
    what = run.Run(algorithm=name, env="foraging", config=cfg, log_every=1, save_every=2)
    whole = run.train(what, tmp_path / "whole")
    asked = iter([False, True])
    run.train(what, tmp_path / "halved", stop=lambda: next(asked))
    halved = run.train(what, tmp_path / "halved")
    assert checkpoint.same(whole, halved)


@BOTH
def test_what_is_not_a_number_is_told_by_name(algorithm, team, monkeypatch):
    cfg = algorithm.Config(**TINY)
    progress = algorithm.start(team, cfg, np.random.default_rng(0))
    broken = tuple(np.full_like(p, np.nan) for p in progress.agent.phi)
    progress = progress._replace(agent=progress.agent._replace(phi=broken))
    _, metrics = algorithm.iterate(team, cfg, progress)
    assert np.isnan(metrics["critic_loss"])
    assert np.isnan(metrics["gain"])


@BOTH
def test_what_is_not_a_choice_is_refused(algorithm):
    name = algorithm.__name__.rpartition(".")[2]
    with pytest.raises(InputError, match=rf"^pendulum: {name} needs Discrete actions; .* has Box"):
        algorithm.start(Pendulum(), algorithm.Config(), np.random.default_rng(0))


def test_the_floor_falls_linearly_and_stays():
    cfg = coma.Config(epsilon=0.5, epsilon_last=0.1, anneal=0.5, iterations=100)
    assert_allclose([coma.floor(cfg, k) for k in (0, 25, 50, 99)], [0.5, 0.3, 0.1, 0.1])
    with pytest.raises(InputError, match=r"epsilon: need a number in \[0, 1\], got 1.5"):
        Floored(1.5)
