"""The study of central critics, and S2.04 and S2.05."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.games.markov_examples import random_markov_game
from refmarl.games.policy_gradient import policy_gradient
from refmarl.studies import STUDIES
from refmarl.studies.published import PUBLISHED, reproduce
from refmarl.studies.s2_cooperative import coma_variance


@given(st.integers(1, 7), st.sampled_from([0.0, 0.5, 1.0, 4.0]))
def test_what_is_known_by_hand_is_what_the_sum_over_joint_actions_gives(n, noise):
    known = coma_variance.by_hand(n, noise)
    for method, found in coma_variance.exact(n, noise).items():
        assert found.mean == pytest.approx(0.25, abs=1e-14)
        assert found.variance == pytest.approx(known[method], abs=1e-12)


@pytest.mark.parametrize("method", coma_variance.METHODS)
def test_sampled_moments_lie_within_their_standard_error(method):
    n, noise, samples = 5, 2.0, 20_000
    found = coma_variance.sampled(np.random.default_rng(3), n, noise, samples)[method]
    variance = coma_variance.by_hand(n, noise)[method]
    assert abs(found.mean - 0.25) <= 5.0 * np.sqrt(variance / samples) + 1e-12
    assert found.variance == pytest.approx(variance, rel=0.1, abs=1e-12)


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_in_random_games_all_weights_agree_and_knowing_less_varies_less(seed):
    rng = np.random.default_rng(seed)
    game = random_markov_game(rng, 3, (3, 2), 0.8, "team")
    logits = [rng.standard_normal((3, k)) for k in (3, 2)]
    found = coma_variance.moments(game, logits)
    wanted = policy_gradient(game, logits).gradient[0]
    for got in found.values():
        assert_allclose(got.mean, wanted, atol=1e-9)
    for less, more in (("Q_i(s, a_i)", "Q(s, a)"), ("Q_i(s, a_i) − V(s)", "Q(s, a) − V(s)")):
        assert (found[less].variance <= found[more].variance + 1e-9).all()


def test_one_agent_learns_by_the_step_that_is_expected():
    # COMA on coins: (a − p)² is p(1 − p) on average; the first step is sure, ½ · ¼
    curve = coma_variance.learnt(np.random.default_rng(0), "COMA", 4, 1.0, 0.5, 3, 1)
    assert curve[1] == pytest.approx(1.0 / (1.0 + np.exp(-0.125)), abs=1e-12)
    assert coma_variance.crossing(np.array([0.5, 0.9, 0.95])) == 2
    assert coma_variance.crossing(np.array([0.5, 0.9])) is None


@pytest.mark.parametrize("name", ["S2.04", "S2.05"])
def test_the_published_numbers_are_reproduced(name):
    rows = reproduce(PUBLISHED[name])
    assert len(rows) in (16, 4)
    assert all(row["ok"] for row in rows), rows


def test_the_study_comes_out_as_expected():
    outcome = STUDIES["s2.coma-variance"].run(0)
    assert [row.name for row in outcome.rows if not row.ok] == []
    assert len(outcome.figures[0].panels) == 2


def test_what_agents_earn_in_the_game_is_what_their_networks_say():
    # θ = 0: both mix evenly, and meet a third of the time
    from refmarl.cooperative import coma
    from refmarl.envs.matrix import Matrix
    from refmarl.games import expected_utility
    from refmarl.studies.s2_cooperative import coma_learning

    env, cfg = Matrix(coma_learning.TEAM, horizon=1), coma_learning.KINDS["COMA"][1]
    agent = coma.start(env, cfg, np.random.default_rng(0)).agent
    even = agent._replace(theta=tuple(np.zeros_like(t) for t in agent.theta))
    profile = coma_learning.mixtures(env, cfg, even)
    assert expected_utility(coma_learning.TEAM, profile)[0] == pytest.approx(18.0 / 9.0)


@pytest.mark.slow
def test_coma_and_maac_learn_what_the_study_says():
    outcome = STUDIES["s2.coma-learning"].run(0)
    assert [row.name for row in outcome.rows if not row.ok] == []
