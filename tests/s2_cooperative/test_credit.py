"""The credit laboratory: which credits are unbiased, how much they vary, and Shapley's axioms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.cooperative.credit import METHODS, compare_credits, credit_moments, shapley_credits
from refmarl.cooperative.difference import difference_rewards
from refmarl.games import NormalForm
from refmarl.games.markov import MarkovGame, repeated
from refmarl.games.posg_examples import broadcast_channel, recycling_robots
from refmarl.studies import STUDIES

SEEDS = st.integers(0, 2**32)
UNBIASED = ("team", "value", "counterfactual", "default", "shaped")


@st.composite
def teams(draw, max_rounds=3):
    """(game, logits, rounds, what is seen, defaults): a team of one to three."""
    sizes = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
    states = draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(SEEDS))
    moves = rng.dirichlet(np.ones(states), size=(states, *sizes))
    team = rng.standard_normal((states, *sizes))
    game = MarkovGame(moves, np.stack([team] * len(sizes)), draw(st.sampled_from([0.5, 0.9])))
    logits = tuple(rng.standard_normal((states, k)) for k in sizes)
    seen = draw(st.sampled_from([None, [[0] * states] * len(sizes)]))
    defaults = [int(rng.integers(k)) for k in sizes]
    return game, logits, draw(st.integers(1, max_rounds)), seen, defaults


@given(teams(), st.sampled_from(UNBIASED))
def test_baselines_and_potentials_leave_the_mean(case, method):
    game, logits, rounds, seen, defaults = case
    found = credit_moments(game, logits, rounds, method, seen, defaults)
    assert found.total_bias < 1e-10


@given(teams(max_rounds=1), st.sampled_from(["difference", "aristocrat"]))
def test_in_one_round_difference_and_aristocrat_are_unbiased(case, method):
    game, logits, rounds, _, defaults = case
    assert credit_moments(game, logits, rounds, method, None, defaults).total_bias < 1e-10


def same_variance(one, two):
    for x, y in zip(one.variance, two.variance, strict=True):
        assert_allclose(x, y, atol=1e-10)


@given(teams(max_rounds=1))
def test_in_one_round_ways_that_subtract_the_same_are_the_same(case):
    game, logits, rounds, _, defaults = case
    found = compare_credits(game, logits, rounds, None, defaults)
    same_variance(found["difference"], found["default"])
    same_variance(found["aristocrat"], found["counterfactual"])


@given(teams())
def test_to_shape_by_the_value_is_to_subtract_it(case):
    """What is still to come of r' is G_t − V_t(s), play by play."""
    game, logits, rounds, _, defaults = case
    found = compare_credits(game, logits, rounds, None, defaults)
    same_variance(found["shaped"], found["value"])


@given(teams())
def test_for_who_changes_nothing_the_default_is_as_good_as_any_action(case):
    """Q(s, (a_-i, ·)) is constant for such an agent: one of its entries, or any mean of them."""
    game, logits, rounds, seen, defaults = case
    moves, paid = (
        np.repeat(np.expand_dims(x, k), 2, axis=k)
        for x, k in ((game.transition, -2), (game.reward[0], game.reward.ndim - 1))
    )
    idle = MarkovGame(moves, np.stack([paid] * (len(logits) + 1)), game.gamma)
    logits, seen = (*logits, logits[0][:, :1] * [1.0, -1.0]), seen and [*seen, seen[0]]
    found = compare_credits(idle, logits, rounds, seen, [*defaults, 1])
    one, two = found["default"].variance[-1], found["counterfactual"].variance[-1]
    assert_allclose(one, two, atol=1e-10)


def bernoulli(n):
    """N agents who give 0 or 1, evenly; G is the sum."""
    team = np.indices((2,) * n).sum(axis=0).astype(float)
    return repeated(NormalForm(np.stack([team] * n)), 0.0), [[[0.0, 0.0]]] * n


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_of_a_sum_of_coins_the_variances_are_known(n):
    """Foerster's argument on S2.04's team without noise: exact, for each agent and action."""
    game, logits = bernoulli(n)
    found = compare_credits(game, logits, 1)
    wanted = {
        "team": (n**2 / 4 + n / 4) / 4 - 1 / 16,
        "value": (n - 1) / 16,
        "counterfactual": 0.0,
        "aristocrat": 0.0,
        "difference": 1 / 16,
        "default": 1 / 16,
        "shapley": 1 / 16,
        "shaped": (n - 1) / 16,
    }
    assert wanted.keys() == METHODS.keys()
    for method, variance in wanted.items():
        for v, m in zip(found[method].variance, found[method].mean, strict=True):
            assert_allclose(v, np.full((1, 2), variance), atol=1e-12)
            assert_allclose(m, [[-0.25, 0.25]], atol=1e-12)


@pytest.mark.parametrize("make", [broadcast_channel, recycling_robots])
def test_over_several_rounds_credit_for_the_round_is_biased(make):
    """Unless the default makes the own part of the state not matter, as waiting does here."""
    logits = [np.zeros((4, k)) for k in make().num_actions]
    found = compare_credits(make().game, logits, 2, None, [0, 0])
    for method in (*UNBIASED, "difference"):
        assert found[method].total_bias < 1e-12
    for method in ("aristocrat", "shapley"):
        assert found[method].total_bias > 0.01


def test_the_bias_of_a_difference_by_hand():
    """One agent; its first action decides whether G is paid in round 2 whatever it does there.

    D is 0 in round 2, for the default pays as much: the credit for the first action is lost, and
    with it all of ∇J = γ p (1 − p) = 0.5 · 0.25.
    """
    moves = np.zeros((3, 2, 3))
    moves[0, 0, 1] = moves[0, 1, 2] = moves[1, :, 1] = moves[2, :, 2] = 1.0
    reward = np.zeros((1, 3, 2))
    reward[0, 2] = 1.0
    game = MarkovGame(moves, reward, 0.5, [1, 0, 0])
    logits = [np.zeros((3, 2))]
    team, own = (credit_moments(game, logits, 2, m) for m in ("team", "difference"))
    assert_allclose(team.mean[0][0], [-0.125, 0.125], atol=1e-12)
    assert_allclose(own.mean[0][0], [0.0, 0.0], atol=1e-12)
    assert_allclose(own.bias[0][0], [0.125, -0.125], atol=1e-12)


def test_shapleys_credit_is_biased_where_agents_need_each_other():
    """G = a_1 a_2, p = 1/2: half of a_1 a_2 is paid, so half of the gradient is missing."""
    game = repeated(NormalForm([[[0, 0], [0, 1]]] * 2), 0.0)
    found = credit_moments(game, [[[0, 0]]] * 2, 1, "shapley")
    assert_allclose(found.mean[0], [[-1 / 16, 1 / 16]], atol=1e-12)
    assert_allclose(found.bias[0], [[1 / 16, -1 / 16]], atol=1e-12)


# -- Shapley's axioms -------------------------------------------------------------------


@st.composite
def tables(draw):
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(SEEDS))
    return rng.standard_normal((2, *sizes)), [int(rng.integers(k)) for k in sizes], rng


@given(tables())
def test_credits_add_up_to_what_the_team_gained(case):
    team, c, _ = case
    base = team[(slice(None), *c)].reshape(2, *[1] * len(c))
    assert_allclose(shapley_credits(team, c).sum(axis=0), team - base, atol=1e-12)


@given(tables())
def test_credit_is_linear_and_zero_at_the_default(case):
    team, c, rng = case
    other = rng.standard_normal(team.shape)
    both = shapley_credits(2.0 * team - other, c)
    assert_allclose(both, 2.0 * shapley_credits(team, c) - shapley_credits(other, c), atol=1e-10)
    for i, k in enumerate(c):
        assert_allclose(shapley_credits(team, c)[i].take(k, axis=1 + i), 0.0, atol=1e-12)


@given(tables())
def test_who_does_not_matter_gets_nothing(case):
    team, c, _ = case
    idle = np.repeat(team[..., None], 2, axis=-1)
    found = shapley_credits(idle, [*c, 1])
    assert_allclose(found[-1], 0.0, atol=1e-12)
    assert_allclose(found[:-1, ..., 0], shapley_credits(team, c), atol=1e-12)


@given(tables(), SEEDS)
def test_relabelling_agents_relabels_their_credits(case, seed):
    team, c, _ = case
    order = np.random.default_rng(seed).permutation(len(c))
    turned = team.transpose(0, *(1 + order))
    found = shapley_credits(turned, [c[i] for i in order])
    want = shapley_credits(team, c)[order].transpose(0, 1, *(2 + order))
    assert_allclose(found, want, atol=1e-12)


@given(SEEDS)
def test_one_agent_gets_the_difference(seed):
    team = np.random.default_rng(seed).standard_normal(3)
    assert_allclose(shapley_credits(team, [1]), difference_rewards(team, [1]), atol=1e-12)


# -- what is refused --------------------------------------------------------------------


def test_what_cannot_be_credited_is_refused():
    game, logits = bernoulli(2)
    with pytest.raises(InputError, match="method"):
        credit_moments(game, logits, 1, "luck")
    with pytest.raises(InputError, match="defaults"):
        credit_moments(game, logits, 1, "difference", None, [0])
    with pytest.raises(InputError, match="default action of agent 1"):
        credit_moments(game, logits, 1, "shapley", None, [0, 2])
    with pytest.raises(InputError, match="same rewards"):
        credit_moments(repeated(NormalForm.zero_sum([[1, 0]]), 0.0), [[[0]], [[0, 0]]], 1)
    with pytest.raises(InputError, match="agents"):
        shapley_credits(np.zeros((1,) * 13), [0] * 13)


def test_the_study_meets_its_expectations():
    outcome = STUDIES["s2.credit"].run(0)
    assert [row.name for row in outcome.rows if not row.ok] == []
    assert all(panel.alt and panel.title for panel in outcome.figures[0].panels)
