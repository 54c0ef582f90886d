"""Laws of (1.4)."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, is_nash, zero_sum
from refmarl.games import _simplex_kernels as simplex
from refmarl.games.support import support_enumeration
from refmarl.games.zero_sum import saddle_points, zero_sum_value
from refmarl.testing.strategies import INTEGERS, REALS, matrices, mixtures

SCALES = st.sampled_from([1e-6, 1e-3, 1.0, 0.7, 1e3, 1e9])
ANY_PAYOFFS = matrices(max_actions=5) | matrices(elements=REALS)
BIASED = [[0, -0.25, 0.5], [0.25, 0, -0.05], [-0.5, 0.05, 0]]
ONEILL = [[1, -1, -1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1], [-1, 1, 1, -1]]


def value(A):
    return zero_sum_value(A).value


def span(A):
    return float(np.ptp(A))


@pytest.mark.equation("1.4")
@given(ANY_PAYOFFS, SCALES)
def test_what_the_row_player_secures_is_what_the_column_player_concedes(A, size):
    A = size * A
    v, x, y, gap = zero_sum_value(A)
    for z, k in zip((x, y), A.shape, strict=True):
        assert z.shape == (k,)
        assert (z >= 0).all()
        assert_allclose(z.sum(), 1, atol=1e-12)
    assert gap >= 0
    assert gap <= 1e-9 * span(A)
    assert (x @ A).min() >= v - 1e-9 * span(A) - 1e-12 * size
    assert (A @ y).max() <= v + 1e-9 * span(A) + 1e-12 * size


@pytest.mark.equation("1.4")
@given(matrices(max_actions=4), st.data())
def test_no_pair_of_strategies_beats_the_value(A, data):
    """max_x min_y ≤ v ≤ min_y max_x, for strategies that the solver has not seen."""
    x, y = (data.draw(mixtures(k)) for k in A.shape)
    assert (x @ A).min() <= value(A) + 1e-9 * (1 + span(A))
    assert (A @ y).max() >= value(A) - 1e-9 * (1 + span(A))


@pytest.mark.equation("1.4")
@given(matrices(), st.sampled_from([-1e6, -4.0, 0.3, 1e6]))
def test_a_constant_added_to_the_payoffs_is_added_to_the_value(A, c):
    assert_allclose(value(A + c), value(A) + c, atol=1e-9 * (1 + span(A)), rtol=1e-15)


@pytest.mark.equation("1.4")
@given(matrices(), SCALES)
def test_a_positive_factor_of_the_payoffs_is_one_of_the_value(A, c):
    assert_allclose(value(c * A), c * value(A), atol=1e-9 * c * (1 + span(A)))


@pytest.mark.equation("1.4")
@given(ANY_PAYOFFS)
def test_the_column_player_sees_the_value_with_the_other_sign(A):
    assert_allclose(value(-A.T), -value(A), atol=1e-9 * (1 + span(A)))


@pytest.mark.equation("1.4")
@given(matrices())
def test_the_value_rises_with_the_payoffs_and_with_the_row_players_choice(A):
    assert value(A[:-1]) <= value(A) + 1e-9 * span(A) if len(A) > 1 else True
    bumped = A.copy()
    bumped[0] += 1.0
    assert value(A) - 1e-9 * span(A) <= value(bumped) <= value(A) + 1 + 1e-9 * span(bumped)


@pytest.mark.equation("1.4")
@given(matrices(elements=INTEGERS | REALS))
def test_one_row_or_one_column_leaves_a_single_choice(A):
    assert value(A[:1]) == A[0].min()
    assert value(A[:, :1]) == A[:, 0].max()


@pytest.mark.equation("1.4")
@given(matrices(max_actions=5))
def test_a_symmetric_game_has_value_zero(A):
    k = min(A.shape)
    skew = A[:k, :k] - A[:k, :k].T
    v, x, y, _ = zero_sum_value(skew)
    assert_allclose(v, 0, atol=1e-9 * (1 + span(skew)))
    assert (skew @ x).max() <= 1e-9 * (1 + span(skew))  # each one's strategy serves the other
    assert (y @ skew).min() >= -1e-9 * (1 + span(skew))


@pytest.mark.equation("1.4")
@given(st.tuples(*[st.integers(-9, 9)] * 4))
def test_two_by_two_games_have_a_closed_form(entries):
    a, b, c, d = entries
    A = np.array([[a, b], [c, d]], dtype=float)
    if saddle_points(A):
        assert value(A) == A[saddle_points(A)[0]]
        return
    v, x, y, _ = zero_sum_value(A)
    total = a + d - b - c
    assert_allclose(v, (a * d - b * c) / total, atol=1e-8)
    assert_allclose(x, [(d - c) / total, (a - b) / total], atol=1e-8)
    assert_allclose(y, [(d - b) / total, (a - c) / total], atol=1e-8)


@given(matrices(max_actions=4))
def test_the_saddle_points_are_the_pure_equilibria(A):
    game, points = NormalForm.zero_sum(A), saddle_points(A)
    for i, row in enumerate(A):
        for j in range(len(row)):
            assert ((i, j) in points) == is_nash(game, game.pure((i, j)))
    assert points == sorted(set(points))
    assert all(A[point] == value(A) for point in points)


@settings(max_examples=25)
@given(matrices(max_actions=4))
def test_every_equilibrium_has_the_value(A):
    game = NormalForm.zero_sum(A)
    found = support_enumeration(game).profiles
    assert found
    for x, y in found:
        assert_allclose(x @ A @ y, value(A), atol=1e-8)
    assert is_nash(game, zero_sum_value(A)[1:3])


@pytest.mark.equation("1.4")
@pytest.mark.parametrize(
    ("A", "v", "x"),
    [
        (ONEILL, -0.2, [0.4, 0.2, 0.2, 0.2]),
        (BIASED, 0.0, [1 / 16, 10 / 16, 5 / 16]),
        ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], 0.0, [1 / 3, 1 / 3, 1 / 3]),
        (np.diag([1.0, 2.0, 4.0]), 4 / 7, [4 / 7, 2 / 7, 1 / 7]),
    ],
    ids=["oneill", "biased-rps", "rps", "diagonal"],
)
def test_known_games(A, v, x):
    found = zero_sum_value(A)
    assert_allclose(found.value, v, atol=1e-12)
    assert_allclose(found.x, x, atol=1e-12)
    assert_allclose(found.y, x, atol=1e-12)


@pytest.mark.parametrize("seed", [499, 607, 626, 777, 927, 940])
def test_payoffs_of_all_magnitudes_at_once(seed):
    """Fifteen orders of magnitude in one matrix: the first program leaves a gap, or fails."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(5, 9, 2)
    A = rng.normal(size=shape) * 10.0 ** rng.uniform(-6, 9, shape)
    v, x, y, gap = zero_sum_value(A)
    assert gap <= 1e-9 * span(A)
    assert (x @ A).min() - 1e-9 * span(A) <= v <= (A @ y).max() + 1e-9 * span(A)


PROGRAM = zero_sum._linear_program


@pytest.fixture
def no_simplex(monkeypatch):
    """As if the compiled simplex method had given up at once."""

    def gives_up(A, most, tol):
        return 0.0, -1.0, np.ones(len(A)) / len(A), np.eye(A.shape[1])[0]

    monkeypatch.setattr(zero_sum, "_simplex", lambda: gives_up)


@pytest.mark.parametrize(("A", "most"), [(ONEILL, 1), (np.eye(5)[:, :4] - 0.1, 1), ([[1, 2]], 0)])
def test_one_linear_program_is_enough_for_an_ordinary_game(monkeypatch, no_simplex, A, most):
    calls = []
    monkeypatch.setattr(
        zero_sum, "_linear_program", lambda *game: calls.append(game) or PROGRAM(*game)
    )
    zero_sum_value(A)
    assert len(calls) <= most


@pytest.mark.parametrize("A", [np.eye(4)[:, :3], np.eye(4)[:3], ONEILL])
def test_where_the_solver_fails_for_one_player_it_is_asked_for_the_other(
    monkeypatch, no_simplex, A
):
    A = np.array([*A, [0.5] * len(A[0])]) - 0.2
    right, shape = value(A), A.shape
    monkeypatch.setattr(
        zero_sum, "_linear_program", lambda u, tol: None if u.shape == shape else PROGRAM(u, tol)
    )
    found = zero_sum_value(A)
    assert_allclose(found.value, right, atol=1e-9)
    assert found.gap <= 1e-9


def test_a_solver_that_gives_up_is_told(monkeypatch, no_simplex):
    monkeypatch.setattr(zero_sum, "_linear_program", lambda unit, tol: None)
    with pytest.raises(ArithmeticError, match="a 2 × 2 game was left with a gap of 1"):
        zero_sum_value([[1, -1], [-1, 1]])


def test_a_large_game_is_solved_to_the_same_accuracy():
    A = np.random.default_rng(0).normal(size=(120, 80))
    assert zero_sum_value(A).gap <= 1e-9 * span(A)


@pytest.mark.parametrize("size", [1e-300, 1.7e308])
def test_the_ends_of_the_floats(size):
    v, x, y, gap = zero_sum_value([[size, -size], [-size, size]])
    assert (v, gap) == (0.0, 0.0)
    assert_allclose(x, [0.5, 0.5])
    assert_allclose(y, [0.5, 0.5])


def test_payoffs_that_cannot_be_halved_are_told_apart_no_more():
    v, _, _, gap = zero_sum_value(5e-324 * np.array([[1, -1], [-1, 1]]))
    assert abs(v) <= 5e-324
    assert gap == 0.0


def test_a_small_difference_upon_a_large_payoff_decides():
    coin = np.array([[1.0, 0.0], [0.0, 1.0]])
    v, x, y, _ = zero_sum_value(1e9 + 2.0**-20 * coin)
    assert_allclose(x, [0.5, 0.5])
    assert_allclose(y, [0.5, 0.5])
    assert v == 1e9 + 2.0**-21


def test_the_payoffs_are_left_alone():
    A = np.array(ONEILL, dtype=float)
    zero_sum_value(A)
    assert_array_equal(A, ONEILL)


@pytest.mark.parametrize("function", [zero_sum_value, saddle_points])
@pytest.mark.parametrize(
    ("A", "needs"),
    [
        ([1, 2], "need 2 axes, got 1"),
        ([[1, 2], [3]], "unequal length"),
        ([[1, np.inf]], "inf at index"),
        ([[]], "empty"),
        (np.broadcast_to(0.0, (4000, 4000)), "the cap is 10000000"),
    ],
)
def test_a_bad_matrix_is_refused_in_one_line(function, A, needs):
    with pytest.raises(InputError, match=needs) as caught:
        function(A)
    assert "\n" not in str(caught.value)


# The compiled simplex method.

TIES = matrices(max_actions=6, elements=st.integers(-1, 1).map(float))


@settings(max_examples=60)
@given(ANY_PAYOFFS | TIES)
def test_the_simplex_method_needs_no_help(A):
    v, gap, x, y = simplex.matrix_game(A, 50, 1e-13)
    assert 0.0 <= gap <= 1e-13 * span(A)
    secured, conceded = (x @ A).min(), (A @ y).max()
    assert_allclose(conceded - secured, gap, atol=1e-12 * (1 + span(A)))
    assert_allclose(v, x @ A @ y, atol=1e-12 * (1 + span(A)))
    assert_allclose([x.sum(), y.sum()], 1.0, atol=1e-14)


@pytest.mark.parametrize("shape", [(40, 40), (60, 9), (9, 60), (100, 100)])
def test_pivots_that_gain_nothing_do_not_go_round_in_circles(shape):
    rng = np.random.default_rng(1)
    for low, high in ((0, 2), (-1, 2), (-1, 1)):
        A = rng.integers(low, high, shape).astype(float)
        assert simplex.matrix_game(A, 50, zero_sum.ENOUGH)[1] >= 0.0


def test_from_the_first_pivot_on_the_first_variable_may_be_taken(monkeypatch):
    rng = np.random.default_rng(2)
    kernels = {name: f.py_func for name, f in vars(simplex).items() if hasattr(f, "py_func")}
    for name, f in kernels.items():
        monkeypatch.setattr(simplex, name, f)
    monkeypatch.setattr(simplex, "PATIENCE", -1)
    for _ in range(30):
        A = rng.integers(-1, 2, (5, 6)).astype(float)
        assert simplex.matrix_game(A, 1000, 1e-13)[1] >= 0.0


def test_too_few_pivots_are_told_and_mended(monkeypatch):
    A = np.array(ONEILL, dtype=float)
    assert simplex.matrix_game(A, 0, 1.0)[1] == -1.0
    assert simplex.matrix_game(A, 50, -1.0)[1] == -1.0  # no gap is small enough for that
    monkeypatch.setattr(zero_sum, "PIVOTS", 0)
    assert_allclose(zero_sum_value(A).value, -0.2, atol=1e-9)


@given(ANY_PAYOFFS | TIES)
def test_its_kernels_equal_their_python_functions(A):
    compiled = simplex.matrix_game(A, 50, 1e-11)
    names = {name: f.py_func for name, f in vars(simplex).items() if hasattr(f, "py_func")}
    with mock.patch.multiple(simplex, **names), np.errstate(all="ignore"):
        plain = simplex.matrix_game(A, 50, 1e-11)
    for one, other in zip(compiled, plain, strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_and_kind_of_numbers_will_do(order):
    A = np.array(ONEILL, order=order)
    frozen = A.astype(float)
    frozen.setflags(write=False)
    for given_ in (
        A,
        A.astype(float),
        A.astype(np.float32),
        frozen,
        A.astype(float)[::-1],
        A.tolist(),
    ):
        assert_allclose(zero_sum_value(given_).value, -0.2, atol=1e-12)
