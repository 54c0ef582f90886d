"""Studies of learning: their theories hold, and sampled gradients agree with exact ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.envs.chain import Chain
from refmarl.envs.pendulum import Pendulum
from refmarl.games.policy_gradient import policy_gradient, softmax
from refmarl.nn import check_gradient
from refmarl.policy_gradient import reinforce
from refmarl.studies import STUDIES
from refmarl.studies.published import PUBLISHED, reproduce
from refmarl.studies.s3_policy_gradient import (
    baselines,
    cartpole,
    exact_gradients,
    learning,
    time_limits,
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["s3.exact-gradients", "s3.baselines", "s3.learning", "s3.clipping", "s3.central-critics"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_study_meets_its_expectations_whatever_the_seed(name, seed):
    outcome = STUDIES[name].run(seed)
    assert [row.name for row in outcome.rows if not row.ok] == []
    assert outcome.figures[0].caption.endswith(".")
    assert all(panel.alt and panel.title for panel in outcome.figures[0].panels)


# -- exact gradients ----------------------------------------------------------------------


def test_right_claims_hold_and_wrong_ones_do_not():
    right, wrong = exact_gradients.claims(*np.random.default_rng(0).spawn(2))
    for claim, holds in ((right[3], True), (right[5], True), (wrong[1], False)):
        found = exact_gradients.tested(claim, np.random.default_rng(1), 300)
        limit = exact_gradients.bound(len(found.z), 300)
        assert (abs(found.z).max() <= limit) == holds


def test_what_never_moves_must_be_what_is_exact():
    constant = exact_gradients.Claim("zero", np.zeros(2), lambda rng: np.zeros(2))
    assert len(exact_gradients.tested(constant, np.random.default_rng(0), 300).z) == 0
    wrong = constant._replace(exact=np.ones(2))
    assert np.isinf(exact_gradients.tested(wrong, np.random.default_rng(0), 300).z).all()


@given(st.integers(0, 2**32), st.integers(1, 7), st.integers(1, 12))
def test_where_play_is_sums_to_one_and_is_where_it_began_if_it_always_restarts(
    seed, horizon, rounds
):
    game = Chain(length=4, players=2).twin(0.8)
    rng = np.random.default_rng(seed)
    policies = [rng.dirichlet(np.ones(2), game.num_states) for _ in range(2)]
    where = exact_gradients.occupied(game, policies, horizon, rounds)
    assert where.sum() == pytest.approx(1.0)
    once = exact_gradients.occupied(game, policies, 1, rounds)
    assert_allclose(once, game.initial)


@given(st.integers(0, 2**32))
def test_with_all_weight_on_discounted_visits_a2cs_expectation_is_the_policy_gradient(seed):
    # Σ_t γ^t P(s_t = s) in the place of 1/T Σ_t P(s_t = s): the theorem itself, by another road
    game = Chain(length=3, players=2).twin(0.8)
    rng = np.random.default_rng(seed)
    logits = [rng.standard_normal((3, 2)) for _ in range(2)]
    policies = [softmax(x) for x in logits]
    values = exact_gradients.evaluate(game, policies)
    chain, _ = exact_gradients.joint_dynamics(game, policies)
    visits = np.linalg.solve(np.eye(3) - 0.8 * chain.T, game.initial)
    for i, wanted in enumerate(policy_gradient(game, logits).gradient):
        worth = exact_gradients.action_values(game, policies, values, i)
        mean = (policies[i] * worth).sum(axis=1, keepdims=True)
        assert_allclose(mean[:, 0], values[i], atol=1e-9)  # V = E Q
        assert_allclose(visits[:, None] * policies[i] * (worth - mean), wanted, atol=1e-9)


# -- baselines ----------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(2, 6))
def test_leaving_one_out_is_the_covariance_of_scores_and_returns(seed, count):
    rng = np.random.default_rng(seed)
    reward = rng.standard_normal((3, count, 1))
    at = np.argwhere(np.ones((3, count)))
    cfg = reinforce.Config(gamma=0.9, baseline="mean")
    weight, togo = reinforce.weights(cfg, reward, at)
    score = rng.standard_normal((3, count))
    ours = (weight[:, 0] * score[tuple(at.T)]).sum()
    g = togo[:, 0].reshape(3, count)
    wanted = sum(0.9**t * np.cov(score[t], g[t])[0, 1] for t in range(3))
    assert ours == pytest.approx(wanted)


@given(st.integers(0, 2**32))
def test_variances_of_pairs_are_those_of_hoeffding(seed):
    # of two episodes the estimate is h itself; of many its variance is that of 4 ζ₁ / N
    rng = np.random.default_rng(seed)
    listed = baselines.Listed(
        rng.dirichlet(np.ones(4)), rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 3)),
        np.zeros((4, 3), dtype=int),
    )  # fmt: skip
    one, two = baselines.pair_variances(listed)
    assert baselines.theory(listed, np.zeros(1), "mean")[0] == pytest.approx(2 * two)
    p, x, g = listed[:3]
    off = x - np.einsum("e,etp->tp", p, x)
    mean = np.einsum("e,et->t", p, g)
    each = np.einsum("etp,et->ep", off, g - mean)
    assert 4 * one == pytest.approx(baselines.variance(p, each))  # what centring exactly gives
    assert two >= 2 * one - 1e-12


def at(theta, twin):
    """The policy with these parameters, as the study has it."""
    cfg = baselines.settings("none")
    agent = reinforce.start(twin.env, cfg, np.random.default_rng(0)).agent
    return agent._replace(theta=(theta[None],))


@pytest.fixture(scope="module")
def walk():
    return exact_gradients.twin(Chain(length=3, players=1, slip=0.2, horizon=baselines.HORIZON))


@pytest.mark.certifies(
    "refmarl.studies.s3_policy_gradient.baselines:scores",
    "refmarl.studies.s3_policy_gradient.baselines:expectation",
)
@settings(max_examples=3)
@given(st.integers(0, 2**32))
def test_scores_and_their_expectation_are_derivatives(walk, seed):
    theta = np.random.default_rng(seed).standard_normal(8)

    def log_policy(theta, s, a):
        pi = softmax(exact_gradients.logits(walk, (), at(theta, walk))[0])
        return np.log(pi[s, a]), baselines.scores(walk, at(theta, walk), pi)[s, a]

    for s in range(3):
        for a in range(2):
            check_gradient(lambda x, s=s, a=a: log_policy(x, s, a), theta).require()

    def value(theta):
        listed = baselines.episodes(walk, at(theta, walk))
        assert listed.chance.sum() == pytest.approx(1.0)
        return listed.chance @ listed.togo[:, 0], baselines.expectation(listed)

    check_gradient(value, theta).require()


# -- learning -----------------------------------------------------------------------------


def test_no_policy_of_the_chain_is_better_than_the_optimum():
    game, best = learning.CHAIN.twin(), learning.optimum()
    rng, found = np.random.default_rng(0), []
    for _ in range(100):
        pi = rng.dirichlet(np.full(2, 0.3), (learning.CHAIN.horizon, game.num_states))
        worth = np.zeros(game.num_states)
        for t in reversed(range(len(pi))):
            q = game.reward[0] + game.transition @ worth
            worth = (pi[t] * q).sum(axis=1)
        found.append(worth[0])
    assert max(found) <= best
    swim = np.zeros(game.num_states)
    for _ in range(learning.CHAIN.horizon):
        swim = game.reward[0][:, 1] + game.transition[:, 1] @ swim
    assert swim[0] <= best <= 1.1 * swim[0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a2c_balances_the_pole_and_does_not_let_it_fall_again(seed):
    found = cartpole.trained(seed, 475.0)
    assert 0 < found.first <= 500_000
    assert found.steps <= 500_000
    assert found.final >= 475.0  # Gymnasium's threshold; the optimum is 500


# -- PPO ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["S3.09", "S3.10", "S3.14"])
def test_one_seed_of_ppo_is_within_the_published_interval(name):
    entry = PUBLISHED[name]
    assert [row for row in reproduce(entry) if not row["ok"]] == []


@given(st.integers(0, 2**32))
def test_the_bug_is_one_flag_in_the_place_of_the_other(seed):
    rng = np.random.default_rng(seed)
    right, wrong = Pendulum(horizon=2), time_limits.LimitsAsEnds(horizon=2)
    state = right.reset(rng, 3)
    for t in range(2):
        action = (rng.uniform(-2.0, 2.0, (3, 1, 1)),)
        after, one = right.step(state, action)
        same, two = wrong.step(state, action)
        np.testing.assert_array_equal(after.ended, same.ended)
        np.testing.assert_array_equal(one.reward, two.reward)
        assert one.truncated.all() == two.terminated.all() == (t == 1)
        assert not one.terminated.any()
        assert not two.truncated.any()
        state = after
