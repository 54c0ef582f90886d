"""Laws of the sampled form of (1.14): unbiased exactly, by going through all plays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import MarkovGame, NormalForm, repeated
from refmarl.games.markov_examples import random_markov_game, repeated_dilemma
from refmarl.games.policy_gradient import (
    cross_gradients,
    occupancy,
    policy_gradient,
    softmax,
    softmax_policies,
)
from refmarl.games.reinforce import (
    Plays,
    counterfactual_baselines,
    enumerate_plays,
    estimator_moments,
    pick,
    play_gradients,
    reinforce,
    sample_plays,
    value_baselines,
)
from refmarl.nn import check_gradient
from refmarl.testing.strategies import games_with_logits

CASES = games_with_logits(max_players=3, max_actions=2, max_states=2)
HORIZONS = st.integers(1, 2)


def random_baselines(game, rng, rounds=None):
    """Any b_i([t,] s, a_-i)."""
    before = (game.num_states,) if rounds is None else (rounds, game.num_states)
    sizes = game.num_actions
    return [
        rng.normal(size=(*before, *(1 if j == i else k for j, k in enumerate(sizes))))
        for i in range(game.num_players)
    ]


def example(gamma=0.9, horizon=3):
    """A game, logits, what is seen, and how many rounds: two states, one look."""
    rng = np.random.default_rng(4)
    game = random_markov_game(rng, 2, (2, 3), gamma)
    observe = [[0, 1], [0, 0]]
    return game, [rng.normal(size=(2, 2)), rng.normal(size=(1, 3))], observe, horizon


@pytest.mark.equation("1.14")
@given(CASES, HORIZONS, st.sampled_from(["to-go", "total"]), st.integers(0, 99))
def test_its_expectation_over_all_plays_is_the_gradient(case, horizon, returns, seed):
    game, logits, observe = case
    rng = np.random.default_rng(seed)
    expected = policy_gradient(game, logits, observe, horizon)
    for baselines in (
        None,
        random_baselines(game, rng),
        random_baselines(game, rng, horizon),
        value_baselines(game, logits, horizon, observe),
        counterfactual_baselines(game, logits, horizon, observe),
    ):
        found = estimator_moments(game, logits, horizon, observe, baselines, returns)
        for g, h in zip(found.mean, expected.gradient, strict=True):
            assert_allclose(g, h, atol=1e-11)


@pytest.mark.certifies(
    "refmarl.games.reinforce:play_gradients", "refmarl.games.reinforce:reinforce"
)
@given(CASES, HORIZONS, st.integers(0, 99))
def test_it_is_the_derivative_of_returns_weighed_by_how_likely_the_plays_become(
    case, horizon, seed
):
    """∇ mean w R where w = Π π_θ(a|o) / π_old(a|o) over a play, at θ = θ_old."""
    game, logits, observe = case
    rng = np.random.default_rng(seed)
    plays = sample_plays(game, softmax_policies(game, logits, observe), rng, 5, horizon)
    paid = plays.rewards @ game.gamma ** np.arange(horizon)  # (n, B)
    for i, x in enumerate(logits):
        seen = plays.states if observe is None else np.asarray(observe[i])[plays.states]
        before, share = softmax(x)[seen, plays.actions[i]], rng.random(5)

        def weighed(y, i=i, seen=seen, before=before, paid=paid):
            ratio = (softmax(y)[seen, plays.actions[i]] / before).prod(axis=1)
            return [*logits[:i], y, *logits[i + 1 :]], ratio * paid[i]

        def mean(y, i=i, weighed=weighed):
            theta, each = weighed(y)
            found = reinforce(game, theta, plays, observe, returns="total")
            return each.mean(), found.gradient[i]

        def sum_of_shares(y, i=i, weighed=weighed, share=share):
            theta, each = weighed(y)
            g = play_gradients(game, theta, plays, observe, returns="total")[i]
            return share @ each, np.tensordot(share, g, axes=1)

        scale = max(1.0, abs(paid).max())
        check_gradient(mean, x, tolerance=1e-6 * scale).require()
        check_gradient(sum_of_shares, x, tolerance=1e-6 * scale).require()


@given(CASES, HORIZONS)
def test_all_plays_have_probability_one_and_visit_states_as_often_as_they_should(case, horizon):
    game, logits, observe = case
    pi = softmax_policies(game, logits, observe)
    plays, probability = enumerate_plays(game, pi, horizon)
    assert_allclose(probability.sum(), 1.0, atol=1e-12)
    assert (probability > 0).all()
    rows = np.concatenate([plays.states[None], plays.actions]).transpose(1, 0, 2)
    assert len(np.unique(rows.reshape(len(probability), -1), axis=0)) == len(probability)
    discounts = game.gamma ** np.arange(horizon)
    visits = np.zeros(game.num_states)
    np.add.at(visits, plays.states, probability[:, None] * discounts)
    assert_allclose(visits, occupancy(game, pi, horizon), atol=1e-12)
    paid = (plays.rewards * discounts).sum(axis=-1) @ probability
    expected = policy_gradient(game, logits, observe, horizon).values
    assert_allclose(paid, expected, atol=1e-11)


@given(CASES, st.integers(1, 3))
def test_plays_follow_the_policies_and_the_game_one_step_at_a_time(case, horizon):
    game, logits, observe = case
    pi = softmax_policies(game, logits, observe)
    plays, probability = enumerate_plays(game, pi, min(horizon, 2))
    for b, p in enumerate(probability[:200]):
        weight = game.initial[plays.states[b, 0]]
        for t, s in enumerate(plays.states[b]):
            a = tuple(plays.actions[:, b, t])
            weight *= np.prod([x[s, k] for x, k in zip(pi, a, strict=True)])
            assert_array_equal(plays.rewards[:, b, t], game.reward[(slice(None), s, *a)])
            if t + 1 < plays.states.shape[1]:
                weight *= game.transition[(s, *a, plays.states[b, t + 1])]
        assert_allclose(p, weight, rtol=1e-12)


@given(CASES, HORIZONS)
def test_baselines_are_what_they_say(case, horizon):
    game, logits, observe = case
    pi = softmax_policies(game, logits, observe)
    value = value_baselines(game, logits, horizon, observe)
    counter = counterfactual_baselines(game, logits, horizon, observe)
    expected = policy_gradient(game, logits, observe, horizon).values
    for i in range(game.num_players):
        first = value[i][0].ravel()
        assert_allclose(first @ game.initial, expected[i], atol=1e-11)
        mean = counter[i]
        for j in reversed(range(game.num_players)):  # over what the others do: V again
            if j != i:
                weights = pi[j].reshape(len(pi[j]), *(1,) * j, -1, *(1,) * (len(pi) - j - 1))
                mean = (mean * weights).sum(axis=2 + j, keepdims=True)
        assert_allclose(mean, value[i], atol=1e-11)


@pytest.mark.equation("1.14")
@given(CASES, HORIZONS, st.sampled_from([-7.0, 100.0]))
def test_with_value_baselines_a_constant_more_is_no_more_variance(case, horizon, c):
    game, logits, observe = case
    richer = MarkovGame(game.transition, game.reward + c, game.gamma, game.initial)
    found = [
        estimator_moments(g, logits, horizon, observe, make(g, logits, horizon, observe)).variance
        for make in (value_baselines, counterfactual_baselines)
        for g in (game, richer)
    ]
    for one, two in (found[:2], found[2:]):
        for v, w in zip(one, two, strict=True):
            assert_allclose(v, w, atol=1e-8)


def test_the_variances_of_one_round_are_those_found_by_hand():
    game, theta = NormalForm.bimatrix([[4, 0], [0, 8]], [[0, 0], [0, 0]]), np.zeros((1, 2))
    logits = [theta, np.array([[0.0, np.log(3.0)]])]
    once = repeated(game, 0.0)
    plain = estimator_moments(once, logits, 1).variance[0][0, 0]
    state = estimator_moments(once, logits, 1, None, value_baselines(once, logits, 1))
    counter = estimator_moments(once, logits, 1, None, counterfactual_baselines(once, logits, 1))
    # u = 4, 0, 0, 8 with probabilities 1/8, 3/8, 1/8, 3/8; scores ± 1/2; gradient 1/4 - 3/2
    assert_allclose(plain, 0.25 * (16 / 8 + 64 * 3 / 8) - 1.25**2)
    assert_allclose(
        state.variance[0][0, 0], 0.25 * (0.5**2 / 8 + 3.5**2 / 2 + 4.5**2 * 3 / 8) - 1.25**2
    )
    # the others' first action: ± 1/2 (± 2) = 1; their second: -2
    assert_allclose(counter.variance[0][0, 0], 1 / 4 + 4 * 3 / 4 - 1.25**2)


def test_rewards_before_an_action_add_variance_only():
    game, logits, observe, horizon = example()
    whole = estimator_moments(game, logits, horizon, observe, None, "total")
    to_go = estimator_moments(game, logits, horizon, observe)
    for one, two in zip(whole.mean, to_go.mean, strict=True):
        assert_allclose(one, two, atol=1e-12)
    assert sum(v.sum() for v in whole.variance) > sum(v.sum() for v in to_go.variance)


@given(CASES)
def test_in_the_first_round_all_returns_agree_and_one_action_scores_nothing(case):
    game, logits, observe = case
    plays, _ = enumerate_plays(game, softmax_policies(game, logits, observe), 1)
    one = play_gradients(game, logits, plays, observe)
    two = play_gradients(game, logits, plays, observe, returns="total")
    for i, (g, h) in enumerate(zip(one, two, strict=True)):
        assert_array_equal(g, h)
        assert_allclose(g.sum(axis=2), 0.0, atol=1e-12)
        if game.num_actions[i] == 1:
            assert_array_equal(g, 0.0)


# samples


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 999))
def test_the_kernel_is_its_python_and_inverts_the_distribution(columns, rows, seed):
    rng = np.random.default_rng(seed)
    weights = (
        rng.integers(0, 3, (rows, columns)) + np.eye(columns)[rng.integers(columns, size=rows)]
    )
    cumulative = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    cumulative /= cumulative[:, -1:]
    which, uniforms = rng.integers(0, rows, 40), rng.random(40)
    uniforms[:3] = 0.0, 0.5, np.nextafter(1.0, 0.0)
    found, slow = np.zeros(40, dtype=np.intp), np.zeros(40, dtype=np.intp)
    pick(cumulative, which, uniforms, found)
    getattr(pick, "py_func", pick)(cumulative, which, uniforms, slow)
    assert_array_equal(found, slow)
    assert_array_equal(found, (uniforms[:, None] >= cumulative[which]).sum(axis=1))
    assert (weights[which, found] > 0).all()


def test_plays_are_drawn_with_their_probabilities():
    game, logits, observe, horizon = example(horizon=2)
    pi = softmax_policies(game, logits, observe)
    plays, probability = enumerate_plays(game, pi, horizon)
    count = 200_000
    drawn = sample_plays(game, pi, np.random.default_rng(0), count, horizon)

    def code(p):
        digits = np.concatenate([p.states[None], p.actions]).transpose(1, 0, 2)
        return digits.reshape(len(p.states), -1) @ 4 ** np.arange(3 * horizon)

    known = code(plays)
    order = np.argsort(known)
    place = np.searchsorted(known[order], code(drawn))
    times = np.bincount(place, minlength=len(known))
    z = (times - count * probability[order]) / np.sqrt(count * probability[order])
    assert abs((z**2).sum() - len(known)) < 5 * np.sqrt(2 * len(known))  # χ²
    assert_array_equal(drawn.rewards[0], game.reward[(0, drawn.states, *drawn.actions)])


@given(CASES, st.integers(0, 9))
def test_what_has_probability_zero_is_never_drawn(case, seed):
    game, _, _ = case
    rng = np.random.default_rng(seed)
    pure = game.pure([rng.integers(0, k, game.num_states) for k in game.num_actions])
    drawn = sample_plays(game, pure, rng, 20, 3)
    assert (game.initial[drawn.states[:, 0]] > 0).all()
    for i, x in enumerate(pure):
        assert (x[drawn.states, drawn.actions[i]] == 1.0).all()
    cells = (drawn.states[:, :-1], *drawn.actions[:, :, :-1], drawn.states[:, 1:])
    assert (game.transition[cells] > 0).all()


class Last(np.random.Generator):
    """Uniforms as near to 1 as there are."""

    def random(self, size):
        return np.full(size, np.nextafter(1.0, 0.0))


def test_probabilities_that_miss_one_by_rounding_never_draw_what_has_none():
    tenths = np.array([[0.1] * 10 + [0.0]])
    assert tenths.cumsum()[-1] < 1.0
    game = MarkovGame(np.ones((1, 11, 1)), np.zeros((1, 1, 11)), 0.5)
    found = sample_plays(game, [tenths], Last(np.random.PCG64(0)), 5, 2)
    assert_array_equal(found.actions, 9)


@pytest.mark.equation("1.14")
@pytest.mark.parametrize("returns", ["to-go", "total"])
@pytest.mark.parametrize("make", [None, value_baselines, counterfactual_baselines])
def test_estimates_scatter_about_the_gradient_as_the_exact_variance_says(returns, make):
    game, logits, observe, horizon = example()
    baselines = make and make(game, logits, horizon, observe)
    exact = estimator_moments(game, logits, horizon, observe, baselines, returns)
    count, rng = 40_000, np.random.default_rng(1)
    pi = softmax_policies(game, logits, observe)
    plays = sample_plays(game, pi, rng, count, horizon)
    found = reinforce(game, logits, plays, observe, baselines, returns)
    for g, e, m, v in zip(found.gradient, found.errors, *exact, strict=True):
        assert (np.abs(g - m) <= 5 * np.sqrt(v / count)).all()
        assert_allclose(e, np.sqrt(v / count), rtol=0.05)
    expected = policy_gradient(game, logits, observe, horizon).values
    spread = 9 * horizon / np.sqrt(count)
    assert_allclose(found.values, expected, atol=5 * spread)


def test_the_same_seed_gives_the_same_plays():
    game, logits, observe, horizon = example()
    pi = softmax_policies(game, logits, observe)
    one, two, other = (
        sample_plays(game, pi, np.random.default_rng(seed), 50, horizon) for seed in (3, 3, 4)
    )
    for x, y in zip(one, two, strict=True):
        assert_array_equal(x, y)
    assert (one.actions != other.actions).any()


def test_one_play_has_no_standard_error():
    game = repeated_dilemma(0.5)
    plays = sample_plays(game, game.uniform(), np.random.default_rng(0), 1, 2)
    found = reinforce(game, [[[0, 0]]] * 2, plays)
    assert np.isinf(found.errors[0]).all()


def test_the_sum_of_all_agents_estimates_is_that_of_shared_logits():
    game = random_markov_game(np.random.default_rng(2), 2, (2, 2), 0.9, "team")
    theta = np.random.default_rng(3).normal(size=(2, 2))
    found = estimator_moments(game, [theta] * 2, 2)
    every = cross_gradients(game, [theta] * 2, horizon=2).gradient
    assert_allclose(sum(found.mean), sum(g[0] for g in every), atol=1e-12)


# bad input


@pytest.mark.parametrize(
    ("baselines", "says"),
    [
        ([np.zeros((1, 1, 2))], "need 2 tables"),
        ([np.zeros((1, 2, 2)), np.zeros((1, 2, 1))], "player 0: need shape"),
        ([np.zeros((1, 1, 2)), np.zeros((1, 3, 1))], "player 1: need shape"),
        ([np.zeros((3, 1, 1, 2)), np.zeros((1, 2, 1))], "2 rounds"),
        ([np.zeros(1), np.zeros((1, 2, 1))], "player 0: need shape"),
    ],
)
def test_a_baseline_that_does_not_fit_or_sees_the_own_action_is_refused(baselines, says):
    game = repeated_dilemma(0.5)
    plays, _ = enumerate_plays(game, game.uniform(), 2)
    with pytest.raises(InputError, match=says):
        play_gradients(game, [[[0, 0]]] * 2, plays, None, baselines)


def test_a_column_of_a_baseline_may_stand_for_any_action():
    game, logits = repeated_dilemma(0.5), [[[0, 0.5]], [[1, 0]]]
    plays, _ = enumerate_plays(game, game.uniform(), 2)
    short, full = [np.full((1, 1, 1), 3.0)] * 2, [np.full((1, 1, 2), 3.0), np.full((1, 2, 1), 3.0)]
    for g, h in zip(
        play_gradients(game, logits, plays, None, short),
        play_gradients(game, logits, plays, None, full),
        strict=True,
    ):
        assert_array_equal(g, h)


def test_plays_of_another_game_are_refused():
    game = repeated_dilemma(0.5)
    plays, _ = enumerate_plays(game, game.uniform(), 2)
    for other in (
        plays._replace(states=plays.states + 1),
        plays._replace(actions=plays.actions - 1),
        plays._replace(actions=plays.actions[:1]),
        plays._replace(rewards=plays.rewards[..., 0]),
        Plays(np.zeros((0, 2), int), np.zeros((2, 0, 2), int), np.zeros((2, 0, 2))),
    ):
        with pytest.raises(InputError, match="plays"):
            play_gradients(game, [[[0, 0]]] * 2, other)
    with pytest.raises(InputError, match="returns"):
        play_gradients(game, [[[0, 0]]] * 2, plays, returns="all")
    with pytest.raises(InputError, match="rng"):
        sample_plays(game, game.uniform(), 0, 1, 1)
    with pytest.raises(InputError, match="plays"):
        sample_plays(game, game.uniform(), np.random.default_rng(0), 0, 1)
    with pytest.raises(InputError, match="plays"):
        enumerate_plays(game, game.uniform(), 30)
