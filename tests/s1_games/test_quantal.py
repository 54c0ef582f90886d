"""Logit equilibria are judged by the equation that defines them, which no part of the path uses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, expected_utility, regrets
from refmarl.games._logit import correct, pair_values, solve, system
from refmarl.games.homotopy import one_equilibrium
from refmarl.games.normal_form import values_against
from refmarl.games.quantal import (
    logit_path,
    logit_system,
    quantal_equilibrium,
    quantal_response,
    scaled,
    strategic_range,
)
from refmarl.nn import check_jvp
from refmarl.testing.strategies import games, games_with_profiles

SEEDS = st.integers(0, 10_000)
RATES = st.sampled_from([0.1, 0.7, 3.0])
SIZES = st.sampled_from([(2,), (3, 2), (2, 2, 2), (3, 1, 2), (2, 3, 2, 2)])


def gaussian(seed, sizes):
    return NormalForm(np.random.default_rng(seed).normal(size=(len(sizes), *sizes)))


def flat(profile):
    return np.concatenate(profile)


def assert_logit(game, profile, rates, atol=1e-8):
    """x_i ∝ exp(λ_i u_i(a, x_-i)), written out with the library's expected utilities alone."""
    for i, (x, rate) in enumerate(zip(profile, rates, strict=True)):
        v = [
            expected_utility(game, [*profile[:i], np.eye(len(x))[a], *profile[i + 1 :]])[i]
            for a in range(len(x))
        ]
        weights = np.exp(rate * (np.array(v) - max(v)))
        assert_allclose(x, weights / weights.sum(), atol=atol)


@given(games(1, 4))
def test_without_rationality_everybody_mixes_evenly(game):
    pure = game.pure([0] * game.num_players)
    for profile in (quantal_equilibrium(game, 0.0).profile, quantal_response(game, pure, 0.0)):
        assert_allclose(flat(profile), flat(game.uniform()), atol=1e-15)


@given(games(1, 4), RATES)
@settings(max_examples=60)
def test_all_points_of_a_path_are_logit_equilibria(game, rate):
    path = logit_path(game, rate)
    assert (path.reason, path.rationality[0], path.rationality[-1]) == ("", 0.0, rate)
    for t in range(0, len(path.rationality), 3):
        profile = tuple(x[t] for x in path.profiles)
        assert_allclose([x.sum() for x in profile], 1.0, atol=1e-9)
        assert_logit(game, [x / x.sum() for x in profile], path.rationality[[t] * len(profile)])
    assert_logit(game, quantal_equilibrium(game, rate).profile, [rate] * game.num_players)


@given(SEEDS, SIZES)
@settings(max_examples=20)
def test_the_regret_is_at_most_the_logarithm_of_the_actions_over_the_rationality(seed, sizes):
    """x_i maximises ⟨x, v⟩ + entropy / λ, hence the bound; so every limit is an equilibrium."""
    game = gaussian(seed, sizes)
    path = logit_path(game)
    size = np.maximum(path.rationality[:, None], 1e-9)
    profile = tuple(x / x.sum(axis=1, keepdims=True) for x in path.profiles)
    assert (regrets(game, profile) <= np.log(sizes) / size + 1e-12).all()
    assert path.reason or path.rationality[-1] > 1e8


@pytest.mark.certifies("refmarl.games.quantal:logit_system", "refmarl.games._logit:system")
@given(games(1, 4), SEEDS, RATES)
def test_the_jacobian_is_the_derivative(game, seed, rate):
    rng = np.random.default_rng(seed)
    logs = flat([np.log(rng.dirichlet(np.ones(k))) - rng.normal() * 0.1 for k in game.num_actions])
    cuts = np.cumsum(game.num_actions)[:-1]
    z = np.append(logs, rate)

    def value(z):
        return logit_system(game, np.split(z[:-1], cuts), z[-1])

    check_jvp(lambda z: value(z)[0], lambda z, v: value(z)[1] @ v, z, rng).require()


@given(games_with_profiles(1, 4), RATES)
def test_the_equations_hold_where_a_response_is_a_fixed_point_and_only_there(case, rate):
    game, profile = case
    mixed = tuple(0.9 * x + 0.1 / len(x) for x in profile)
    value, _ = logit_system(game, [np.log(x) for x in mixed], rate)
    response = quantal_response(game, mixed, rate)
    off = max(np.abs(np.log(x) - np.log(y)).max() for x, y in zip(mixed, response, strict=True))
    assert np.abs(value).max() <= 2 * off + 1e-9
    assert off <= 2 * np.abs(value).max() + 1e-9


@given(SEEDS, SIZES, RATES)
def test_what_one_cannot_change_and_units_do_not_matter(seed, sizes, rate):
    game, rng = gaussian(seed, sizes), np.random.default_rng(seed + 1)
    base = quantal_equilibrium(game, rate).profile
    moved = game.payoffs.copy()
    for i in range(len(sizes)):
        moved[i] += rng.normal(size=sizes).max(axis=i, keepdims=True)
    assert_allclose(
        flat(quantal_equilibrium(NormalForm(moved), rate).profile), flat(base), atol=1e-8
    )
    c = rng.uniform(0.1, 10.0, size=len(sizes))
    units = NormalForm(game.payoffs * c.reshape(-1, *[1] * len(sizes)))
    found = quantal_equilibrium(units, rate, weights=1.0 / c)
    assert_allclose(flat(found.profile), flat(base), atol=1e-8)
    assert_logit(units, found.profile, rate / c)
    assert found.residual <= 1e-8


@pytest.mark.parametrize("unit", [1e-250, 1e-30, 1e30, 1e299])
def test_tiny_and_huge_payoffs_are_no_different(unit):
    game = gaussian(5, (3, 2, 2))
    base = quantal_equilibrium(game, 2.0)
    found = quantal_equilibrium(NormalForm(game.payoffs * unit), 2.0 / unit)
    assert_allclose(flat(found.profile), flat(base.profile), atol=1e-9)
    assert found.residual <= 1e-9


@given(SEEDS, RATES, st.permutations(range(3)))
def test_names_of_players_and_actions_do_not_matter(seed, rate, order):
    game = gaussian(seed, (3, 2, 2))
    base = quantal_equilibrium(game, rate).profile
    players = NormalForm(np.transpose(game.payoffs[order], [0, *(k + 1 for k in order)]))
    found = quantal_equilibrium(players, rate).profile
    for i, k in enumerate(order):
        assert_allclose(found[i], base[k], atol=1e-8)
    actions = NormalForm(game.payoffs[:, order])
    found = quantal_equilibrium(actions, rate).profile
    assert_allclose(found[0], base[0][order], atol=1e-8)
    assert_allclose(found[2], base[2], atol=1e-8)


@given(SEEDS, RATES)
def test_players_who_do_not_meet_answer_their_own_payoffs(seed, rate):
    """u_i depends on a_i alone: the equilibrium is the softmax of λ u_i in closed form."""
    rng = np.random.default_rng(seed)
    own = [rng.normal(size=k) for k in (3, 2, 4)]
    game = NormalForm(np.stack(np.broadcast_arrays(*np.ix_(*own))))
    found = quantal_equilibrium(game, rate).profile
    for x, u in zip(found, own, strict=True):
        assert_allclose(x, np.exp(rate * u) / np.exp(rate * u).sum(), atol=1e-9)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_the_limit_of_symmetric_coordination_is_risk_dominant(a, b, d):
    """[[a + b, 0], [b, d]]: the first action is risk dominant iff a > d (Harsanyi & Selten)."""
    u = np.array([[a + b, 0], [b, d]], float)
    path = logit_path(NormalForm.bimatrix(u, u.T))
    assert path.reason == ""
    first = path.profiles[0][-1, 0]
    assert first == pytest.approx(1.0 if a > d else 0.0 if a < d else 0.5, abs=1e-6)


def test_probabilities_too_small_for_a_float_stay_in_the_logarithms():
    game = NormalForm.bimatrix([[3, 3], [0, 0]], [[1, 0], [1, 0]])
    path = logit_path(game, 1e6)
    assert path.profiles[0][-1, 1] == 0.0
    assert_allclose(path.logs[0][-1, 1], -3e6, rtol=1e-9)
    assert_allclose(path.logs[1][-1, 1], -1e6, rtol=1e-9)


@given(SEEDS, SIZES)
@settings(max_examples=15)
def test_a_path_may_start_at_any_prior(seed, sizes):
    game, rng = gaussian(seed, sizes), np.random.default_rng(seed + 1)
    prior = [rng.dirichlet(np.full(k, 3.0)) + 1e-3 for k in sizes]
    prior = [p / p.sum() for p in prior]
    path = logit_path(game, 1.5, prior=prior)
    last = tuple(x[-1] / x[-1].sum() for x in path.profiles)
    for i, (x, p) in enumerate(zip(last, prior, strict=True)):
        weights = p * np.exp(1.5 * values_against(game, last, i))
        assert_allclose(x, weights / weights.sum(), atol=1e-8)
    assert_allclose(flat([x[0] for x in path.profiles]), flat(prior), atol=1e-12)


@given(games_with_profiles(2, 4))
def test_pair_values_average_to_action_values_and_are_their_derivative(case):
    game, profile = case
    own = scaled(game)
    x = np.zeros((game.num_players, max(game.num_actions)))
    for i, p in enumerate(profile):
        x[i, : len(p)] = p
    out, again = np.empty((own.total, own.total)), np.empty((own.total, own.total))
    pair_values(own.payoffs, own.sizes, x, out)
    pair_values.py_func(own.payoffs, own.sizes, x, again)
    assert_array_equal(out, again)
    plain = NormalForm(own.payoffs.reshape(game.payoffs.shape))
    cuts = np.cumsum(game.num_actions)[:-1]
    for i, rows in enumerate(np.split(out, cuts)):
        value = values_against(plain, profile, i)
        for j, part in enumerate(np.split(rows, cuts, axis=1)):
            assert_allclose(part @ profile[j], value if i != j else 0.0, atol=1e-12)


@given(games(1, 3), SEEDS)
@settings(max_examples=10)
def test_compiled_and_plain_kernels_agree(game, seed):
    own, rng = scaled(game), np.random.default_rng(seed)
    z = np.append(np.log(flat(game.uniform())) + rng.normal(size=own.total) * 0.05, 1.0)
    bias, found = np.zeros(own.total), []
    for way in (system, system.py_func):
        value, slope = np.zeros(own.total), np.zeros((own.total, own.total + 1))
        way(own.payoffs, own.sizes, own.beta, bias, z, value, slope)
        found.append((value, slope))
    assert_allclose(found[0][0], found[1][0], rtol=0, atol=1e-14)
    assert_allclose(found[0][1], found[1][1], rtol=0, atol=1e-14)
    matrix, right = rng.normal(size=(4, 4)), rng.normal(size=4)
    expected = np.linalg.solve(matrix, right)
    again = matrix.copy(), right.copy()
    assert solve(matrix, right)
    assert solve.py_func(*again)
    assert_array_equal(right, again[1])
    assert_allclose(right, expected, rtol=1e-6)
    border = np.append(np.zeros(own.total), 1.0)
    ends = []
    for way in (correct, correct.py_func):
        end, tangent = z.copy(), border.copy()
        ends.append((way(own.payoffs, own.sizes, own.beta, bias, border, end, tangent), end))
    assert_allclose(ends[0][0], ends[1][0], atol=1e-9)
    assert_allclose(ends[0][1], ends[1][1], atol=1e-9)


@pytest.mark.parametrize("longest", [0.05, 1.0])
def test_short_steps_follow_the_same_path_more_smoothly(longest):
    game = gaussian(3, (2, 3, 2))
    fine, coarse = logit_path(game, 9.0, longest=longest), logit_path(game, 9.0)
    assert len(fine.rationality) > len(coarse.rationality)
    for x, y in zip(fine.profiles, coarse.profiles, strict=True):
        assert_allclose(x[-1], y[-1], atol=1e-9)
    points = np.hstack([*fine.logs, fine.rationality[:, None] * scaled(game).unit])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 1.2 * longest


def test_rows_change_places_where_a_pivot_is_zero():
    matrix, right = np.array([[0.0, 2.0], [3.0, 0.0]]), np.array([4.0, 9.0])
    assert solve(matrix, right)
    assert_array_equal(right, [3.0, 2.0])


def test_a_singular_system_is_noticed():
    assert not solve(np.ones((2, 2)), np.ones(2))
    assert not solve(np.full((2, 2), np.nan), np.ones(2))


def test_strategic_range_is_what_the_own_action_changes():
    game = NormalForm.bimatrix([[3, 0], [5, 1]], [[7, 7], [0, 0]])
    assert_array_equal(strategic_range(game), [2.0, 0.0])
    assert scaled(game).beta.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most": -1.0}, "rationality: need a number ≥ 0"),
        ({"most": "much"}, "rationality: need real numbers"),
        ({"weights": [1.0]}, "weights: need 2 positive numbers"),
        ({"weights": [1.0, 0.0]}, "weights: need 2 positive numbers"),
        ({"longest": 0.0}, "longest: need a number > 0"),
        ({"prior": ([1, 0], [0.5, 0.5])}, "prior: need one profile that plays every action"),
        ({"prior": ([[0.5, 0.5]], [[0.5, 0.5]])}, "prior: need one profile"),
    ],
)
def test_bad_input_is_refused_in_one_line(options, message):
    game = NormalForm.zero_sum([[1, -1], [-1, 1]])
    with pytest.raises(InputError, match=message):
        logit_path(game, **options)


def test_a_game_too_large_and_logs_of_the_wrong_shape_are_refused():
    with pytest.raises(InputError, match="the cap is"):
        logit_path(NormalForm(np.zeros((2, 300, 300))), 1.0)
    with pytest.raises(InputError, match="logs: need"):
        logit_system(NormalForm.zero_sum([[1, -1], [-1, 1]]), [[0, 0], [0]], 1.0)


def test_a_rationality_beyond_the_path_is_refused():
    chicken = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    with pytest.raises(ArithmeticError, match="more than these payoffs tell apart"):
        quantal_equilibrium(chicken, 1e300)


@pytest.mark.parametrize("wrong", [None, "fast", float("nan"), -1.0])
def test_rationality_must_be_a_number(wrong):
    with pytest.raises(InputError, match="rationality"):
        quantal_equilibrium(NormalForm.bimatrix([[1, 0], [0, 1]], [[1, 0], [0, 1]]), wrong)


def test_payoffs_too_small_to_be_scaled_are_refused():
    tiny = NormalForm.bimatrix([[2e-310, 0], [0, 1e-310]], [[1, 0], [0, 1]])
    with pytest.raises(InputError, match="player 0 differ by 2e-310"):
        logit_path(tiny)


@pytest.mark.parametrize("call", [logit_path, one_equilibrium])
def test_another_thing_is_no_game(call):
    with pytest.raises(InputError, match="game: need a NormalForm, got int"):
        call(3)
