"""Laws of (1.10), published trajectories, and the accuracy of the integration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, expected_utility, is_nash, pure_equilibria
from refmarl.games.replicator import (
    discrete_replicator,
    population_field,
    replicate,
    replicator,
    replicator_field,
    rest_point_eigenvalues,
)
from refmarl.testing.strategies import INTEGERS, games_with_profiles, mixtures

ROUNDING = 1e-12  # of sums of a few integers times shares
DRIFT = 1e-8  # of log-shares: steps err by 1e-10, and there are some tens of them
TIMES = np.linspace(0, 6, 13)
SHORT = np.linspace(0, 0.5, 6)  # for comparisons: unstable points blow rounding up, e^(8t) at worst
RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


@st.composite
def populations(draw, max_actions=4, elements=INTEGERS):
    """(A, x): a symmetric game and shares, some of them zero."""
    size = draw(st.integers(1, max_actions))
    return draw(arrays(float, (size, size), elements=elements)), draw(mixtures(size))


@st.composite
def full(draw, size):
    """Shares with none below 1/40."""
    weights = draw(arrays(float, size, elements=st.integers(1, 8).map(float)))
    return weights / weights.sum()


@st.composite
def zero_sum_with_interior_equilibrium(draw):
    """(game, x*): A y* and A'x* are constant vectors, so nobody gains at the full (x*, y*)."""
    sizes = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    M = draw(arrays(float, sizes, elements=INTEGERS))
    x, y = draw(full(sizes[0])), draw(full(sizes[1]))
    return NormalForm.zero_sum(M - (M @ y)[:, None] - x @ M + draw(INTEGERS)), (x, y)


@st.composite
def balanced_populations(draw):
    """(A, x*): A' = -A and A x* = 0 with x* full; rock-paper-scissors is the best known."""
    size = draw(st.integers(1, 5))
    S = draw(arrays(float, (size, size), elements=INTEGERS))
    centre = draw(full(size))
    projection = np.eye(size) - centre[:, None]
    return projection.T @ (S - S.T) @ projection, centre


def divergence(p, path):
    """KL(p‖x(t)) of each time."""
    return (p * np.log(p / path)).sum(axis=-1)


@pytest.mark.equation("1.10")
@given(populations())
def test_shares_grow_at_the_rate_of_their_advantage(case):
    """The definition, as comparisons of pairs: ẋ_a = Σ_b x_a x_b (u_a - u_b)."""
    A, x = case
    u = [sum(A[a, b] * x[b] for b in range(len(x))) for a in range(len(x))]
    pairs = [
        sum(x[a] * x[b] * (u[a] - u[b]) for b in range(len(x)) if b != a) for a in range(len(x))
    ]
    assert_allclose(replicator_field(A, x), pairs, atol=ROUNDING)


@pytest.mark.equation("1.10")
@given(populations())
def test_the_field_keeps_the_simplex_and_its_faces(case):
    A, x = case
    field = replicator_field(A, x)
    assert abs(field.sum()) < ROUNDING
    assert_array_equal(field[x == 0], 0)


@pytest.mark.equation("1.10")
@given(games_with_profiles())
def test_every_population_keeps_its_simplex_and_its_faces(case):
    game, profile = case
    for x, field in zip(profile, population_field(game, profile), strict=True):
        assert field.shape == x.shape
        assert abs(field.sum()) < ROUNDING
        assert_array_equal(field[x == 0], 0)


@pytest.mark.equation("1.10")
@given(games_with_profiles(), st.data())
def test_the_quotient_of_two_shares_grows_at_the_difference_of_their_utilities(case, data):
    """d/dt log(x_a/x_b) = u_i(a, x_-i) - u_i(b, x_-i), for any number of players."""
    game, _ = case
    profile = [data.draw(full(k)) for k in game.num_actions]
    for i, field in enumerate(population_field(game, profile)):
        pure = np.array(
            [
                expected_utility(game, [*profile[:i], e, *profile[i + 1 :]])[i]
                for e in np.eye(game.num_actions[i])
            ]
        )
        rate = field / profile[i]
        assert_allclose(rate - rate[0], pure - pure[0], atol=1e-10)


@pytest.mark.equation("1.10")
@given(games_with_profiles(), st.data())
@settings(max_examples=30)
def test_pure_profiles_are_rest_points(case, data):
    game, _ = case
    pure = game.pure([data.draw(st.integers(0, k - 1)) for k in game.num_actions])
    for field in population_field(game, pure):
        assert_array_equal(field, 0)
    for x, path in zip(pure, replicate(game, pure, [0, 1, 9]), strict=True):
        assert_array_equal(path, [x, x, x])


@pytest.mark.equation("1.10")
@given(zero_sum_with_interior_equilibrium())
def test_nash_equilibria_are_rest_points(case):
    game, equilibrium = case
    assert is_nash(game, equilibrium)
    for field in population_field(game, equilibrium):
        assert_allclose(field, 0, atol=1e-11)


@given(games_with_profiles(min_players=2), st.data())
@settings(max_examples=30)
def test_strict_pure_equilibria_attract_their_neighbours(case, data):
    game, _ = case
    for actions in pure_equilibria(game):
        pure = game.pure(actions)
        near = [0.999 * e + 0.001 * data.draw(full(len(e))) for e in pure]
        values = [
            [expected_utility(game, [*pure[:i], e, *pure[i + 1 :]])[i] for e in np.eye(k)]
            for i, k in enumerate(game.num_actions)
        ]
        gaps = [np.delete(np.max(v) - v, a) for v, a in zip(values, actions, strict=True)]
        if all((gap > 0).all() for gap in gaps):
            end = replicate(game, near, [0, 60])
            for x, a in zip(end, actions, strict=True):
                assert x[-1, a] > 1 - 1e-9


@pytest.mark.equation("1.10")
@given(populations(), st.data())
def test_payoffs_that_depend_on_the_opponent_alone_do_not_matter(case, data):
    A, x = case
    column = data.draw(arrays(float, len(A), elements=INTEGERS))
    assert_allclose(replicator_field(A + column, x), replicator_field(A, x), atol=ROUNDING)


@given(populations())
@settings(max_examples=30)
def test_a_factor_on_the_payoffs_is_a_factor_on_the_time(case):
    A, x = case
    assert_allclose(replicator_field(3 * A, x), 3 * replicator_field(A, x), atol=ROUNDING)
    assert_allclose(replicator(2 * A, x, SHORT), replicator(A, x, 2 * SHORT), atol=DRIFT)


@given(populations(), st.data())
def test_the_names_of_actions_do_not_matter(case, data):
    A, x = case
    order = data.draw(st.permutations(range(len(A))))
    renamed = replicator_field(A[np.ix_(order, order)], x[list(order)])
    assert_allclose(renamed, replicator_field(A, x)[list(order)], atol=ROUNDING)


@pytest.mark.equation("1.10")
@given(populations())
@settings(max_examples=30)
def test_trajectories_stay_on_the_simplex_and_zero_shares_stay_zero(case):
    A, x = case
    path = replicator(A, x, 10 * TIMES)
    assert_allclose(path[0], x, atol=1e-15)
    assert (path >= 0).all()
    assert_allclose(path.sum(axis=1), 1, atol=1e-15)
    assert_array_equal(path[:, x == 0], 0)


@pytest.mark.equation("1.10")
@given(populations())
@settings(max_examples=30)
def test_the_slope_of_a_trajectory_is_the_field(case):
    A, x = case
    h = 1e-3  # central differences of third derivatives below 1e4: h²·1e4/6 = 2e-3
    before, here, after = replicator(A, x, [0, h, 2 * h])
    assert_allclose((after - before) / (2 * h), replicator_field(A, here), atol=2e-3)


@given(games_with_profiles(min_players=2))
@settings(max_examples=30)
def test_the_slopes_of_all_populations_are_their_fields(case):
    game, profile = case
    h = 1e-3
    paths = replicate(game, profile, [0, h, 2 * h])
    fields = population_field(game, [path[1] for path in paths])
    for path, field in zip(paths, fields, strict=True):
        assert_allclose((path[2] - path[0]) / (2 * h), field, atol=2e-3)


@pytest.mark.equation("1.10")
@given(zero_sum_with_interior_equilibrium(), st.data())
@settings(max_examples=30)
def test_zero_sum_populations_keep_their_distance_from_a_full_equilibrium(case, data):
    """Σ_i KL(x_i*‖x_i) is constant (Hofbauer & Sigmund 1998, §11)."""
    game, equilibrium = case
    start = [data.draw(full(k)) for k in game.num_actions]
    paths = replicate(game, start, TIMES)
    distance = sum(divergence(p, path) for p, path in zip(equilibrium, paths, strict=True))
    assert_allclose(distance, distance[0], rtol=0, atol=DRIFT)


@pytest.mark.equation("1.10")
@given(balanced_populations(), st.data())
@settings(max_examples=30)
def test_a_balanced_population_keeps_the_weighted_product_of_its_shares(case, data):
    """Π_a x_a^{x*_a} is constant where A' = -A and A x* = 0."""
    A, centre = case
    path = replicator(A, data.draw(full(len(A))), TIMES)
    product = (path**centre).prod(axis=1)
    assert_allclose(product, product[0], rtol=0, atol=DRIFT)


@pytest.mark.parametrize(
    "row", [[[1.0, -1], [-1, 1]], RPS], ids=["matching pennies", "rock-paper-scissors"]
)
def test_the_classic_cycles_turn_without_loss(row):
    """A hundred units of time, some fifteen turns."""
    game = NormalForm.zero_sum(row)
    start = [
        x / x.sum() for x in (np.arange(1.0, len(row) + 1), np.arange(1.0, len(row) + 1)[::-1])
    ]
    paths = replicate(game, start, np.linspace(0, 100, 400))
    distance = sum(divergence(p, path) for p, path in zip(game.uniform(), paths, strict=True))
    assert_allclose(distance, distance[0], rtol=0, atol=DRIFT)
    assert np.ptp(paths[0][:, 0]) > 0.2


@pytest.mark.equation("1.10")
@given(populations())
@settings(max_examples=30)
def test_two_equal_populations_of_a_symmetric_game_move_as_one(case):
    A, x = case
    game = NormalForm.bimatrix(A, A.T)
    one = replicator(A, x, SHORT)
    for field, path in zip(
        population_field(game, [x, x]), replicate(game, [x, x], SHORT), strict=True
    ):
        assert_allclose(field, replicator_field(A, x), atol=ROUNDING)
        assert_allclose(path, one, atol=DRIFT)


@given(st.integers(1, 9), st.integers(-8, 8), st.integers(1, 40))
@settings(max_examples=30)
def test_against_a_constant_advantage_the_share_is_logistic(weight, gain, end):
    p = weight / 10
    path = replicator([[gain, gain], [0, 0]], [p, 1 - p], [0, end / 2, end])
    odds = p / (1 - p) * np.exp(gain * np.array([0, end / 2, end]))
    assert_allclose(path[:, 0] / path[:, 1], odds, rtol=1e-8 * max(1, abs(gain) * end))


@given(st.integers(26, 49))
def test_the_way_to_a_mixed_equilibrium_is_the_closed_form(percent):
    """With u_1 - u_2 = 1 - 2x the product q = x(1-x) is logistic: q̇ = q(1 - 4q)."""
    x, t = percent / 50, np.linspace(0, 5, 11)
    q = x * (1 - x) * np.exp(t)
    q /= 1 - 4 * x * (1 - x) * (1 - np.exp(t))
    path = replicator([[3, 2], [4, 1]], [x, 1 - x], t)
    assert_allclose(path[:, 0], (1 + np.sqrt(1 - 4 * q)) / 2, atol=1e-9)


def test_shares_that_all_but_vanish_come_back():
    """Rock-paper-scissors from 1e-200: the product of the shares stays, so each has its turn."""
    path = replicator(RPS, [0.5, 0.5, 1e-200], np.linspace(0, 3000, 1001))
    logs = np.log(path).sum(axis=1)
    assert_allclose(logs, logs[0], rtol=1e-8)
    assert (path.max(axis=0) > 0.99).all()
    assert (path.min(axis=0) < 1e-190).all()


@pytest.mark.equation("1.10")
@given(populations(elements=st.integers(0, 8).map(float)), st.data())
@settings(max_examples=30)
def test_mutation_keeps_the_simplex_and_vanishes_with_its_rate(case, data):
    A, x = case
    Q = np.stack([data.draw(mixtures(len(A))) for _ in A])
    assert abs(replicator_field(A, x, Q).sum()) < ROUNDING
    assert_allclose(replicator_field(A, x, np.eye(len(A))), replicator_field(A, x), atol=ROUNDING)
    path = replicator(A, x, SHORT, mutation=Q)
    assert (path >= 0).all()
    assert_allclose(path.sum(axis=1), 1, atol=1e-14)
    without = replicator(A, x, SHORT)
    assert_allclose(replicator(A, x, SHORT, mutation=np.eye(len(A))), without, atol=DRIFT)


@given(st.integers(2, 5), st.data())
@settings(max_examples=20)
def test_where_all_breed_alike_mutation_is_a_markov_chain(size, data):
    """A = 1 everywhere: ẋ = x(Q - I), so a stationary x stays, and Q with equal rows fills in."""
    centre, x = data.draw(full(size)), data.draw(mixtures(size))
    Q = np.tile(centre, (size, 1))
    assert_allclose(replicator_field(np.ones((size, size)), x, Q), centre - x, atol=ROUNDING)
    t = np.array([0.0, 1, 3])
    path = replicator(np.ones((size, size)), x, t, mutation=Q)
    assert_allclose(path, centre + np.exp(-t)[:, None] * (x - centre), atol=1e-9)


@given(populations(elements=st.integers(1, 8).map(float)))
def test_the_discrete_map_is_the_field_over_the_mean_payoff(case):
    A, x = case
    for c in (0.0, 3.0, 1e6):
        step = discrete_replicator(A + c, x)
        assert_allclose(step.sum(), 1, atol=ROUNDING)
        assert_allclose((step - x) * (c + x @ A @ x), replicator_field(A, x), atol=1e-8)


def test_the_payoff_of_an_absent_action_may_be_negative_in_the_discrete_map():
    assert_array_equal(discrete_replicator([[2, 0], [-1, 0]], [1.0, 0.0]), [1, 0])


@given(populations(), st.integers(0, 3))
def test_a_batch_is_one_start_after_the_other(case, more):
    A, x = case
    rows = [np.roll(x, k) for k in range(more + 1)]
    batch = np.stack(rows)
    assert_allclose(
        replicator_field(A, batch), [replicator_field(A, row) for row in rows], atol=ROUNDING
    )
    game = NormalForm.bimatrix(A, A.T)
    fields = population_field(game, [batch, batch[::-1]])
    for b, row in enumerate(rows):
        single = population_field(game, [row, rows[more - b]])
        assert_allclose([f[b] for f in fields], single, atol=ROUNDING)


@given(populations(), st.integers(0, 3))
@settings(max_examples=15)
def test_a_batch_of_trajectories_is_one_after_the_other(case, more):
    A, x = case
    rows = [np.roll(x, k) for k in range(more + 1)]
    paths = replicator(A, np.stack(rows), SHORT)
    assert paths.shape == (len(SHORT), more + 1, len(A))
    for b, row in enumerate(rows):
        assert_allclose(paths[:, b], replicator(A, row, SHORT), atol=DRIFT)
    first, second = replicate(NormalForm.bimatrix(A, A.T), [np.stack(rows), np.stack(rows)], SHORT)
    assert_allclose(first, paths, atol=DRIFT)
    assert_allclose(second, paths, atol=DRIFT)


@given(populations(), st.data())
def test_eigenvalues_at_a_pure_point_are_the_advantages_of_invaders(case, data):
    A, _ = case
    a = data.draw(st.integers(0, len(A) - 1))
    invaders = np.delete(A[:, a] - A[a, a], a)
    found = rest_point_eigenvalues(A, np.eye(len(A))[a])
    assert_allclose(found.real, np.sort(invaders)[::-1], atol=1e-9)
    assert_allclose(found.imag, 0, atol=1e-6)  # of a double root: √ε


@given(populations(), st.data())
def test_eigenvalues_are_those_of_the_differenced_field(case, data):
    """Traces of J and J² along the simplex, from central differences of the field."""
    A, _ = case
    x, h = data.draw(full(len(A))), 1e-3
    edges = np.eye(len(A))[1:] - np.eye(len(A))[0]  # coordinates x_2, …, x_K
    columns = [
        (replicator_field(A, x + h * e) - replicator_field(A, x - h * e)) / (2 * h) for e in edges
    ]
    J = np.array(columns).reshape(-1, len(A))[:, 1:].T
    found = rest_point_eigenvalues(A, x)
    assert_allclose(found.sum(), np.trace(J), atol=1e-3)
    assert_allclose((found**2).sum(), np.trace(J @ J), atol=1e-2)


@given(balanced_populations())
def test_the_centre_of_a_balanced_population_is_neutral(case):
    A, centre = case
    assert_allclose(rest_point_eigenvalues(A, centre).real, 0, atol=1e-6)


# -- published numbers: Nashpy's tests, tolerance 1e-5 (integrated there by odeint) ------------


def test_published_derivatives():
    A = [[3, 2, 3], [4, 1, 1], [2, 3, 1]]
    x = [
        [1, 0, 0],
        [0.5, 0.5, 0],
        [0, 0.25, 0.75],
        [0.2, 0.4, 0.4],
        [0.5, 0, 0.5],
        [0.5, 0.25, 0.25],
    ]
    field = [
        [0, 0, 0],
        [0, 0, 0],
        [0, -0.09375, 0.09375],
        [0.128, -0.144, 0.016],
        [0.375, 0, -0.375],
        [0.125, 0, -0.125],
    ]
    assert_allclose(replicator_field(A, x), field, atol=ROUNDING)


def test_published_trajectories():
    A, t = [[3, 2], [4, 1]], np.linspace(0, 10, 100)
    shares = {1: 0.89256013, 10: 0.81344687, 25: 0.67646927, 50: 0.55305749, 75: 0.51508885}
    path = replicator(A, [0.9, 0.1], t)
    assert_allclose(path[list(shares), 0], list(shares.values()), atol=1e-5)
    assert_allclose(path[-1], [0.50449178, 0.49550822], atol=1e-5)
    assert_allclose(replicator(A, [0.65, 0.35], t)[-1], [0.50105949, 0.49894051], atol=1e-5)


def test_published_mutation():
    Q = [[0.9, 0.1], [0.7, 0.3]]
    path = replicator([[3, 2], [4, 1]], [0.9, 0.1], [0, 10], mutation=Q)
    assert_allclose(path[-1], [0.86788696, 0.13211304], atol=1e-5)


def test_published_two_populations():
    game = NormalForm.bimatrix([[5, 1], [4, 2]], [[3, 5], [2, 1]])
    x, y = replicate(game, ([0.6, 0.4], [0.5, 0.5]), [0, 100])
    assert_allclose(x[-1], [0.17404745, 0.82595255], atol=1e-5)
    assert_allclose(y[-1], [0.28121086, 0.71878914], atol=1e-5)


def test_published_five_strategies():
    A = [[3, 2, 4, 2, 3], [5, 1, 1, 3, 2], [6, 2, 3, 2, 1], [1, 3, 4, 7, 2], [1, 4, 4, 1, 3]]
    path = replicator(A, [0.1, 0.1, 0.3, 0.2, 0.3], [0, 10])
    assert_allclose(path[-1], [0, 0, 0, 1, 0], atol=1e-5)


def test_published_discrete_step():
    step = discrete_replicator([[4, 3], [2, 5]], [0.2, 0.8])
    assert_allclose(step, [2 / 13, 11 / 13], rtol=1e-15)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (lambda: replicator_field([[1, 2, 3], [4, 5, 6]], [0.5, 0.5]), "need a square matrix"),
        (lambda: replicator_field([1, 2], [0.5, 0.5]), "A: need 2 axes"),
        (lambda: replicator_field(RPS, [0.5, 0.5]), "x: need 3 probabilities, got 2"),
        (lambda: replicator_field(RPS, [0.5, 0.5, 0.5]), "sum to 1"),
        (lambda: replicator_field(RPS * np.nan, np.ones(3) / 3), "nan at index"),
        (lambda: replicator_field(RPS, np.ones(3) / 3, np.eye(2)), "mutation: need 3 prob"),
        (lambda: replicator_field(RPS + 1, np.ones(3) / 3, np.eye(3)[:2]), r"shape \(3, 3\)"),
        (lambda: replicator_field(RPS, np.ones(3) / 3, np.eye(3)), "payoffs ≥ 0"),
        (lambda: replicator(RPS, np.ones(3) / 3, [0, 1], np.eye(3)), "payoffs ≥ 0"),
        (lambda: replicator(RPS, [1.5, -0.5, 0], [0, 1]), "≥ 0"),
        (lambda: replicator(RPS, np.ones(3) / 3, [0, 1, 1]), "increasing"),
        (lambda: replicator(RPS, np.ones(3) / 3, [1, 0]), "increasing"),
        (lambda: replicator(RPS, np.ones(3) / 3, []), "times: empty"),
        (lambda: replicator(RPS, np.ones(3) / 3, [0, np.inf]), "inf at index"),
        (lambda: replicator(RPS, np.ones((40, 3)) / 3, np.arange(1e5)), "the cap is 10000000"),
        (lambda: replicator(RPS, np.ones(3) / 3, [0, 1], rtol=0), "rtol: need a number > 0"),
        (lambda: replicator(RPS, np.ones(3) / 3, [0, 1], atol=-1), "atol: need a number > 0"),
        (lambda: replicator(RPS * 1e300, [0.5, 0.3, 0.2], [0, 1]), "no step is small enough"),
        (lambda: discrete_replicator(RPS - 1, [0.5, 0.3, 0.2]), "add a constant"),
        (lambda: discrete_replicator(np.zeros((2, 2)), [0.5, 0.5]), "mean > 0"),
        (lambda: discrete_replicator([[3, 3], [-1, -1]], [0.5, 0.5]), "smallest -1, mean 1"),
        (lambda: rest_point_eigenvalues(RPS, np.eye(3)), "x: need 1 axes"),
        (lambda: population_field(NormalForm.zero_sum(RPS), [[1, 0, 0]]), "need 2 strategies"),
        (lambda: replicate(NormalForm.zero_sum(RPS), [[1, 0], [1, 0, 0]], [0]), "player 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, needs):
    with pytest.raises(InputError, match=needs) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_inputs_are_left_as_they_are():
    A, x, t = RPS.copy(), np.array([0.5, 0.3, 0.2]), np.array([0.0, 1.0])
    replicator(A, x, t)
    replicator(A + 1, x, t, mutation=np.eye(3))
    discrete_replicator(A + 1, x)
    assert_array_equal(A, RPS)
    assert_array_equal(x, [0.5, 0.3, 0.2])
    assert_array_equal(t, [0, 1])


def test_one_action_and_one_time_are_no_special_case():
    assert_array_equal(replicator_field([[5]], [1.0]), [0])
    assert_array_equal(replicator([[5]], [1.0], [0, 3]), [[1], [1]])
    assert_allclose(replicator(RPS, [0.5, 0.3, 0.2], [7]), [[0.5, 0.3, 0.2]], atol=1e-15)
    assert rest_point_eigenvalues([[5]], [1.0]).shape == (0,)
