"""Laws of (1.7): correlated and coarse correlated equilibrium."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import NormalForm, expected_utility, pure_equilibria, regrets
from refmarl.games.correlated import (
    correlated_equilibrium,
    deviation_gains,
    product_distribution,
    violation,
)
from refmarl.games.nash import scale
from refmarl.testing.strategies import (
    INTEGERS,
    games,
    games_with_profiles,
    joint_distributions,
    matrices,
    mixtures,
    profiles,
)

CHICKEN = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
SMALL = games(1, 4, 3)  # two to four players and one; one to three actions
SOLVER = 1e-8  # ten times what the linear program may miss a constraint by, with payoffs ≤ 4


@st.composite
def with_devices(draw):
    """(game, p): any distribution over joint actions."""
    game = draw(SMALL)
    return game, draw(joint_distributions(game.num_actions))


@st.composite
def with_vertices(draw, coarse=False):
    """(game, p): an equilibrium that is best under random weights, so mostly a vertex."""
    game = draw(SMALL)
    weights = draw(arrays(float, game.num_actions, elements=INTEGERS))
    return game, correlated_equilibrium(game, weights, coarse).distribution


@st.composite
def with_planted_equilibria(draw):
    """(game, x): a mixed Nash equilibrium x, made one by shifting u_i by a function of a_i.

    Actions outside of the support are worse by 0, 1 or 2 against x.
    """
    game, profile = draw(games_with_profiles(1, 4, 3))
    payoffs = game.payoffs.copy()
    for i, x in enumerate(profile):
        value = [
            expected_utility(game, [*profile[:i], e, *profile[i + 1 :]])[i] for e in np.eye(len(x))
        ]
        slack = draw(arrays(float, len(x), elements=st.sampled_from([0.0, 1.0, 2.0])))
        shift = -np.array(value) - np.where(x > 0, 0.0, slack)
        payoffs[i] += shift.reshape([-1 if j == i else 1 for j in range(len(profile))])
    return NormalForm(payoffs), profile


def gain_by_definition(game, p, i, told, played):
    """The sum in (1.7), joint action by joint action."""
    total = 0.0
    for a in np.ndindex(*game.num_actions):
        if a[i] == told:
            instead = (*a[:i], played, *a[i + 1 :])
            total += p[a] * (game.payoffs[(i, *instead)] - game.payoffs[(i, *a)])
    return total


# -- the gains --------------------------------------------------------------------------


@pytest.mark.equation("1.7")
@given(with_devices())
def test_a_gain_is_the_sum_over_the_joint_actions_in_which_one_is_told_so(case):
    game, p = case
    for i, (gains, k) in enumerate(zip(deviation_gains(game, p), game.num_actions, strict=True)):
        by_hand = [[gain_by_definition(game, p, i, a, b) for b in range(k)] for a in range(k)]
        assert_allclose(gains, by_hand, atol=1e-12)


@pytest.mark.equation("1.7")
@given(with_devices())
def test_a_coarse_gain_is_the_sum_of_the_swaps_to_that_action(case):
    game, p = case
    pairs = zip(deviation_gains(game, p, coarse=True), deviation_gains(game, p), strict=True)
    for coarse, swaps in pairs:
        assert_allclose(coarse, swaps.sum(axis=0), atol=1e-12)


@pytest.mark.equation("1.7")
@given(games_with_profiles())
def test_independent_players_swap_x_i_times_the_difference_of_action_values(case):
    """At a product distribution, coarse gains have the regret of (1.3) as their maximum."""
    game, profile = case
    p = product_distribution(game, profile)
    for i, gains in enumerate(deviation_gains(game, p, coarse=True)):
        assert_allclose(gains.max(), regrets(game, profile)[i], atol=1e-12)
    for x, gains in zip(profile, deviation_gains(game, p), strict=True):
        told = x > 0
        conditional = gains[told] / x[told, None]
        differences = conditional - conditional[:, :1]  # u_i(a_i', x_-i) - u_i(first, x_-i)
        assert_allclose(differences, np.broadcast_to(differences[0], differences.shape), atol=1e-11)


@pytest.mark.equation("1.7")
@given(games_with_profiles(1, 4, 3))
def test_a_product_distribution_is_correlated_or_coarse_just_where_it_is_nash(case):
    game, profile = case
    p = product_distribution(game, profile)
    regret = regrets(game, profile).max()
    assert violation(game, p, coarse=True) <= regret + 1e-12
    # the supports are multiples of 1/20 at least, so a regret shows in a swap
    assert (
        (violation(game, p) > 1e-9) == (violation(game, p, coarse=True) > 1e-9) == (regret > 1e-9)
    )


# -- Nash ⊆ correlated ⊆ coarse ---------------------------------------------------------


@pytest.mark.equation("1.7")
@given(SMALL)
def test_every_pure_nash_equilibrium_is_correlated(game):
    for a in pure_equilibria(game):
        assert violation(game, product_distribution(game, game.pure(a))) <= 1e-12


@pytest.mark.equation("1.7")
@given(with_planted_equilibria())
def test_every_mixed_nash_equilibrium_is_correlated(case):
    game, profile = case
    assert regrets(game, profile).max() <= 1e-12  # the planting
    assert violation(game, product_distribution(game, profile)) <= 1e-12


@pytest.mark.equation("1.7")
@settings(max_examples=40)
@given(with_vertices())
def test_every_correlated_equilibrium_is_coarse(case):
    game, p = case
    assert violation(game, p) <= SOLVER
    assert violation(game, p, coarse=True) <= 3 * SOLVER  # a sum over at most three a_i


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(with_vertices(), st.data())
def test_mixtures_of_equilibria_are_equilibria_and_never_beat_the_optimum(case, data):
    game, p = case
    weights = data.draw(arrays(float, game.num_actions, elements=INTEGERS))
    best = correlated_equilibrium(game, weights)
    for q in (p, correlated_equilibrium(game, -weights).distribution):
        assert violation(game, (q + best.distribution) / 2) <= SOLVER
        assert (weights * q).sum() <= best.value + SOLVER


# -- the optimum ------------------------------------------------------------------------


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(with_planted_equilibria())
def test_welfare_coarse_at_least_correlated_at_least_any_nash(case):
    game, profile = case
    coarse, best = (correlated_equilibrium(game, coarse=c).value for c in (True, False))
    worst = -correlated_equilibrium(game, "-welfare").value
    tol = SOLVER * scale(game).max()
    assert game.payoffs.sum(axis=0).max() + tol >= coarse >= best - tol
    nash = [expected_utility(game, profile), *(game.at(a) for a in pure_equilibria(game))]
    for payoffs in nash:
        assert worst - tol <= payoffs.sum() <= best + tol


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(SMALL, st.booleans())
def test_the_objectives_agree_with_each_other(game, coarse):
    def best(objective):
        found = correlated_equilibrium(game, objective, coarse)
        assert found.violation == violation(game, found.distribution, coarse) <= SOLVER
        assert found.distribution.shape == game.num_actions
        assert (found.distribution >= 0).all()
        assert_allclose(found.distribution.sum(), 1, atol=1e-12)
        payoffs = [(u * found.distribution).sum() for u in game.payoffs]
        assert_allclose(found.payoffs, payoffs, atol=1e-12)
        return found

    welfare, fair = best("welfare"), best("egalitarian")
    assert_allclose(welfare.value, welfare.payoffs.sum(), atol=1e-12)
    assert_allclose(
        best("-welfare").value,
        -best(-game.payoffs.sum(axis=0)).distribution.ravel() @ game.payoffs.sum(axis=0).ravel(),
        atol=SOLVER * 10,
    )
    assert fair.value == fair.payoffs.min()
    own = [best(i) for i in range(game.num_players)]
    for i, found in enumerate(own):
        assert found.value == pytest.approx(found.payoffs[i], abs=1e-12)
    for other in (welfare, best("-welfare"), *own):
        assert other.payoffs.min() <= fair.value + SOLVER
        assert other.payoffs.sum() <= welfare.value + SOLVER * 10
        assert (other.payoffs <= [found.value + SOLVER for found in own]).all()


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(matrices(), st.booleans(), st.data())
def test_in_zero_sum_games_every_equilibrium_pays_the_value(matrix, coarse, data):
    """Both marginals of p are optimal strategies, so they meet in one number."""
    game = NormalForm.zero_sum(matrix)
    weights = data.draw(arrays(float, matrix.shape, elements=INTEGERS))
    p = correlated_equilibrium(game, weights, coarse).distribution
    value = (p * matrix).sum()
    assert (p.sum(axis=1) @ matrix).min() == pytest.approx(value, abs=1e-8)
    assert (matrix @ p.sum(axis=0)).max() == pytest.approx(value, abs=1e-8)


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(games(2, 4, 3), st.data())
def test_a_strictly_dominated_action_is_never_told(game, data):
    i = data.draw(st.integers(0, game.num_players - 1))
    k = game.num_actions[i]
    weights = data.draw(mixtures(k))
    mixed = np.tensordot(weights, np.moveaxis(game.payoffs, i + 1, 0), axes=1)
    mixed[i] -= 0.5
    worse = NormalForm(np.concatenate([game.payoffs, np.expand_dims(mixed, i + 1)], axis=i + 1))
    objective = np.zeros(worse.num_actions)
    np.moveaxis(objective, i, 0)[k] = 1.0  # as often as the equilibrium lets it
    assert correlated_equilibrium(worse, objective).value == pytest.approx(0, abs=1e-8)


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(with_vertices(), st.data())
def test_equilibria_do_not_change_with_units_or_with_what_one_cannot_influence(case, data):
    game, p = case
    payoffs = game.payoffs.copy()
    for i in range(game.num_players):
        shape = [1 if j == i else k for j, k in enumerate(game.num_actions)]
        shift = data.draw(arrays(float, shape, elements=INTEGERS))
        payoffs[i] = data.draw(st.sampled_from([0.5, 1.0, 8.0])) * payoffs[i] + shift
    assert violation(NormalForm(payoffs), p) <= 8 * SOLVER


@pytest.mark.equation("1.7")
@settings(max_examples=30)
@given(games(1, 3, 3), st.booleans(), st.data())
def test_renaming_players_or_actions_renames_the_equilibria(game, coarse, data):
    orders = [data.draw(st.permutations(range(k))) for k in game.num_actions]
    seats = data.draw(st.permutations(range(game.num_players)))
    moved = game.payoffs[np.ix_(range(game.num_players), *orders)][list(seats)]
    renamed = NormalForm(moved.transpose(0, *(1 + s for s in seats)))
    for objective in ("welfare", "-welfare", "egalitarian"):
        one, two = (correlated_equilibrium(g, objective, coarse) for g in (game, renamed))
        assert one.value == pytest.approx(two.value, abs=1e-7)
        back = np.transpose(two.distribution, np.argsort(seats))
        unmoved = back[np.ix_(*(np.argsort(order) for order in orders))]
        assert violation(game, unmoved, coarse) <= SOLVER


# -- what is known ----------------------------------------------------------------------


@pytest.mark.equation("1.7")
def test_chicken_as_published():
    """Aumann 1974, 1987; the mixed equilibrium plays Dare with 1/3 and pays 14/3."""
    thirds = np.array([[1, 1], [1, 0]]) / 3
    assert violation(CHICKEN, thirds) <= 1e-15
    assert_allclose((CHICKEN.payoffs * thirds).sum(axis=(1, 2)), 5)
    best = correlated_equilibrium(CHICKEN)
    assert_allclose(best.distribution, [[0.5, 0.25], [0.25, 0]], atol=1e-9)
    assert_allclose(best.payoffs, 5.25, atol=1e-9)
    worst = correlated_equilibrium(CHICKEN, "-welfare")
    assert_allclose(worst.distribution, [[0, 0.4], [0.4, 0.2]], atol=1e-9)
    assert_allclose(worst.payoffs.sum(), 7.2, atol=1e-9)
    mixed = product_distribution(CHICKEN, [[2 / 3, 1 / 3]] * 2)
    assert violation(CHICKEN, mixed) <= 1e-15
    assert_allclose((CHICKEN.payoffs * mixed).sum(axis=(1, 2)), 14 / 3)


def test_a_coarse_equilibrium_may_play_a_strictly_dominated_action():
    """The third action always pays 1/4 less than the first.

    On the diagonal the players meet: 0.4 + 0.4 + 0.2 · 3/4 = 0.95, and who decides beforehand gets
    0.4 + 0.2 at most. Who is told the third action takes the first instead.
    """
    row = np.array([[1, 0, 1], [0, 1, 0], [0.75, -0.25, 0.75]])
    game, p = NormalForm.bimatrix(row, row.T), np.diag([0.4, 0.4, 0.2])
    assert violation(game, p, coarse=True) == pytest.approx(0.6 - 0.95)
    assert violation(game, p) == pytest.approx(0.2 / 4)


def test_players_without_a_choice_gain_nothing():
    game = NormalForm(np.arange(2.0).reshape(2, 1, 1))
    found = correlated_equilibrium(game)
    assert (found.value, found.violation, found.distribution.shape) == (1, 0, (1, 1))
    assert [g.shape for g in deviation_gains(game, [[1]])] == [(1, 1), (1, 1)]
    assert correlated_equilibrium(game, "egalitarian", coarse=True).value == 0


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_payoffs_does_not_matter(unit):
    best = correlated_equilibrium(NormalForm(CHICKEN.payoffs * unit))
    assert_allclose(best.distribution, [[0.5, 0.25], [0.25, 0]], atol=1e-9)
    fair = correlated_equilibrium(NormalForm(CHICKEN.payoffs * unit), "egalitarian")
    assert fair.value == pytest.approx(5.25 * unit)


@settings(max_examples=20)
@given(games(2, 3, 3), st.data())
def test_a_product_distribution_has_its_players_as_marginals(game, data):
    profile = data.draw(profiles(game))
    p = product_distribution(game, profile)
    for i, x in enumerate(profile):
        others = tuple(j for j in range(game.num_players) if j != i)
        assert_allclose(p.sum(axis=others), x, atol=1e-12)
    paid = (game.payoffs * p).reshape(game.num_players, -1).sum(axis=1)
    assert_allclose(paid, expected_utility(game, profile), atol=1e-12)


@pytest.mark.parametrize(
    ("objective", "needs"),
    [
        ("fair", "need 'welfare', '-welfare', 'egalitarian'.*got 'fair'"),
        (None, "got None"),
        (True, "got True"),
        (0.5, "got 0.5"),
        (2, "objective: need an index in 0..1"),
        (-1, "objective: need an index in 0..1"),
        ([1, 2], r"need weights \(2, 2\), got \(2,\)"),
        ([["a", "b"], ["c", "d"]], "got text"),
    ],
)
def test_an_unknown_objective_is_refused(objective, needs):
    with pytest.raises(InputError, match=needs) as caught:
        correlated_equilibrium(CHICKEN, objective)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("p", "needs"),
    [
        ([0.5, 0.5], r"need shape \(2, 2\), got \(2,\)"),
        ([[0.5, 0.5], [0.5, 0.5]], "sum to 1"),
        ([[1.5, 0], [0, -0.5]], "≥ 0"),
    ],
)
def test_a_bad_device_is_refused(p, needs):
    with pytest.raises(InputError, match=needs):
        violation(CHICKEN, p)


@pytest.mark.parametrize(
    ("shape", "needs"),
    [
        ((449, 449), "201601 joint actions; the cap is 200000"),
        ((3000,), "8997000 coefficients; the cap is 5000000"),
    ],
)
def test_a_game_that_is_too_large_is_refused_before_anything_is_built(shape, needs):
    game = NormalForm(np.zeros((len(shape), *shape)))
    with pytest.raises(InputError, match=needs):
        correlated_equilibrium(game)


def test_a_batch_of_profiles_has_no_one_product():
    with pytest.raises(InputError, match="need one profile"):
        product_distribution(CHICKEN, (np.full((3, 2), 0.5), np.full((3, 2), 0.5)))
