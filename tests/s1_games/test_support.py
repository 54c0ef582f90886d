"""Support enumeration against exact vertex enumeration, published lists, and its own theorems."""

from fractions import Fraction
from itertools import combinations, product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm
from refmarl.games import support as s
from refmarl.games.nash import pure_equilibria, regrets, scale
from refmarl.games.support import positive_form, support_enumeration
from refmarl.testing.strategies import bimatrix_games, matrices

SMALL = st.integers(-2, 2).map(float)
LARGE = st.integers(-1000, 1000).map(float)


# Exact arithmetic by another method: every basis of the constraints, not pairs of supports.


def solve(rows):
    """The unique solution of the augmented system ``rows`` in Fractions; None if there is none."""
    rows, size = [list(row) for row in rows], len(rows)
    for k in range(size):
        pivot = next((r for r in range(k, size) if rows[r][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for r in range(size):
            if r != k and rows[r][k] != 0:
                rows[r] = [a - rows[r][k] * b for a, b in zip(rows[r], rows[k], strict=True)]
    return [row[-1] for row in rows]


def exact_vertices(u):
    """Vertices of {(x, v) : x ≥ 0, Σx = 1, Σ_i x_i u_ij ≤ v}: {x: best replies}, by all bases."""
    m, n = len(u), len(u[0])
    zero, one = Fraction(0), Fraction(1)
    tight = [[one if k == i else zero for k in range(m)] + [zero, zero] for i in range(m)]
    tight += [[u[i][j] for i in range(m)] + [-one, zero] for j in range(n)]
    total = [one] * m + [zero, one]
    found = {}
    for basis in combinations(tight, m):
        solution = solve([total, *basis])
        if solution is None or min(solution[:m]) < 0:
            continue
        x, v = tuple(solution[:m]), solution[m]
        pays = [sum(x[i] * u[i][j] for i in range(m)) for j in range(n)]
        if max(pays) <= v:
            found[x] = {j for j in range(n) if pays[j] == v}
    return found


def exact_extreme_equilibria(game):
    """The set of extreme equilibria (x, y), in Fractions."""
    a, b = ([[Fraction(v) for v in row] for row in u.tolist()] for u in game.payoffs)
    rows, columns = exact_vertices(b), exact_vertices(list(zip(*a, strict=True)))
    return {
        (x, y)
        for (x, best_y), (y, best_x) in product(rows.items(), columns.items())
        if {i for i, p in enumerate(x) if p} <= best_x
        and {j for j, p in enumerate(y) if p} <= best_y
    }


def exactly_degenerate(game):
    """Whether some vertex has more best replies than played actions, in Fractions."""
    a, b = ([[Fraction(v) for v in row] for row in u.tolist()] for u in game.payoffs)
    found = [*exact_vertices(b).items(), *exact_vertices(list(zip(*a, strict=True))).items()]
    return any(len(best) > sum(p > 0 for p in x) for x, best in found)


def rounded(profiles):
    """Profiles as a set of tuples of 9 digits."""
    return {tuple(round(float(p), 9) + 0.0 for x in profile for p in x) for profile in profiles}


def check_against_exact(game):
    found, exact = support_enumeration(game), exact_extreme_equilibria(game)
    assert rounded(found.profiles) == rounded(exact)
    assert len(found.profiles) == len(exact)
    assert found.degenerate == exactly_degenerate(game)
    shared = any(len({pair[k] for pair in exact}) < len(exact) for k in (0, 1))
    assert found.complete == (not shared)


@pytest.mark.equation("1.3")
@settings(max_examples=150)
@given(bimatrix_games(max_actions=3, elements=SMALL))
def test_small_integer_games_have_exactly_these_extreme_equilibria(game):
    check_against_exact(game)


@pytest.mark.equation("1.3")
@settings(max_examples=30)
@given(bimatrix_games(max_actions=4, elements=LARGE))
def test_payoffs_to_a_thousand_have_exactly_these_extreme_equilibria(game):
    check_against_exact(game)


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 3), (4, 2)])
def test_random_degenerate_games_have_exactly_these_extreme_equilibria(shape):
    rng = np.random.default_rng(7)
    for _ in range(60):
        check_against_exact(NormalForm(rng.integers(-2, 3, size=(2, *shape))))


@pytest.mark.parametrize("shape", [(3, 5), (3, 6), (4, 5), (5, 3)])
def test_each_vertex_comes_once_with_all_its_best_replies(shape):
    rng = np.random.default_rng(3)
    for _ in range(25):
        u = rng.integers(0, 3, size=shape).astype(float)
        labels, points = s.vertices(*positive_form(u))
        found = [
            (tuple(x.round(9)), int(played), int(best))
            for x, (played, best) in zip(points, labels, strict=True)
        ]
        exact = {
            (
                tuple(round(float(p), 9) for p in x),
                sum(1 << i for i, p in enumerate(x) if p),
                sum(1 << j for j in best),
            )
            for x, best in exact_vertices(
                [[Fraction(v) for v in row] for row in u.tolist()]
            ).items()
        }
        assert len(found) == len(exact)
        assert set(found) == exact


@pytest.mark.parametrize("rank", [1, 2])
def test_games_of_low_rank_have_exactly_these_extreme_equilibria(rank):
    rng = np.random.default_rng(rank)
    for _ in range(15):
        left, right = rng.integers(-9, 10, (2, 4, rank)), rng.integers(-9, 10, (2, rank, 4))
        check_against_exact(NormalForm(left @ right))


# What the list must be, whatever the method.


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=4))
def test_each_found_profile_is_an_equilibrium(game):
    found = support_enumeration(game)
    assert found.profiles
    for profile in found.profiles:
        assert_allclose([x.sum() for x in profile], 1.0, atol=1e-12)
        assert min(x.min() for x in profile) >= 0.0
        assert (regrets(game, profile) <= 1e-9 * scale(game)).all()
    assert (found.reason == "") == found.complete
    assert found.degenerate or found.complete


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=4))
def test_every_pure_equilibrium_is_listed(game):
    listed = rounded(support_enumeration(game).profiles)
    assert rounded(game.pure(a) for a in pure_equilibria(game)) <= listed


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=4, elements=LARGE))
def test_a_nondegenerate_game_has_an_odd_number(game):
    found = support_enumeration(game)
    if not found.degenerate:
        assert len(found.profiles) % 2 == 1
        assert found.complete


@pytest.mark.equation("1.3")
@given(
    bimatrix_games(max_actions=3),
    st.tuples(*[st.sampled_from([0.125, 1.0, 3.0, 1e-4, 1e6])] * 2),
    st.tuples(*[st.integers(-50, 50)] * 2),
)
def test_positive_affine_payoffs_keep_the_set(game, factors, shifts):
    changed = NormalForm(
        [f * (u + c) for f, u, c in zip(factors, game.payoffs, shifts, strict=True)]
    )
    before, after = support_enumeration(game), support_enumeration(changed)
    assert rounded(after.profiles) == rounded(before.profiles)
    assert after[1:] == before[1:]


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=3), st.data())
def test_permuting_actions_permutes_the_equilibria(game, data):
    orders = [list(data.draw(st.permutations(range(k)))) for k in game.num_actions]
    renamed = NormalForm(game.payoffs[np.ix_([0, 1], *orders)])
    moved = [
        [x[order] for x, order in zip(profile, orders, strict=True)]
        for profile in support_enumeration(game).profiles
    ]
    assert rounded(support_enumeration(renamed).profiles) == rounded(moved)


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=3))
def test_exchanging_the_players_exchanges_the_strategies(game):
    exchanged = NormalForm(game.payoffs[::-1].transpose(0, 2, 1))
    turned = [profile[::-1] for profile in support_enumeration(game).profiles]
    assert rounded(support_enumeration(exchanged).profiles) == rounded(turned)


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=3), st.data())
def test_a_strictly_dominated_action_changes_nothing(game, data):
    _, m, n = game.payoffs.shape
    weights = data.draw(arrays(float, m, elements=st.sampled_from([0.0, 1.0, 2.0])))
    weights = weights / weights.sum() if weights.sum() else np.full(m, 1 / m)
    own = weights @ game.payoffs[0] - 1.0
    theirs = data.draw(arrays(float, n, elements=SMALL))
    longer = NormalForm(np.concatenate([game.payoffs, np.stack([own, theirs])[:, None]], axis=1))
    expected = [(np.append(x, 0.0), y) for x, y in support_enumeration(game).profiles]
    assert rounded(support_enumeration(longer).profiles) == rounded(expected)


@pytest.mark.equation("1.3")
@given(matrices(max_actions=4))
def test_equilibria_of_a_zero_sum_game_are_interchangeable(matrix):
    found = support_enumeration(NormalForm.zero_sum(matrix))
    pays = [x @ matrix @ y for x, y in found.profiles]
    assert_allclose(pays, pays[0], atol=1e-12)
    rows = {tuple(x.round(9)) for x, _ in found.profiles}
    columns = {tuple(y.round(9)) for _, y in found.profiles}
    assert len(found.profiles) == len(rows) * len(columns)


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=3))
def test_mixtures_of_equilibria_that_share_a_strategy_are_equilibria(game):
    profiles = support_enumeration(game).profiles
    for (x, y), (x_2, y_2) in combinations(profiles, 2):
        if np.allclose(x, x_2, atol=1e-9):
            assert (regrets(game, (x, (y + y_2) / 2)) <= 1e-9).all()
        if np.allclose(y, y_2, atol=1e-9):
            assert (regrets(game, ((x + x_2) / 2, y)) <= 1e-9).all()


# Games with known lists.


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8])
def test_pure_coordination_has_an_equilibrium_for_each_set_of_actions(n):
    found = support_enumeration(NormalForm.bimatrix(np.eye(n), np.eye(n)))
    expected = [
        (np.isin(np.arange(n), chosen) / len(chosen),) * 2
        for size in range(1, n + 1)
        for chosen in combinations(range(n), size)
    ]
    assert rounded(found.profiles) == rounded(expected)
    assert (len(found.profiles), found.complete) == (2**n - 1, True)


# name, row payoffs, column payoffs, extreme equilibria "x y", whether they are all
PUBLISHED = [
    (
        "von Stengel 2007, 3 × 2",
        [[3, 3], [2, 5], [0, 6]],
        [[3, 2], [2, 6], [3, 1]],
        ["1 0 0 1 0", "4/5 1/5 0 2/3 1/3", "0 1/3 2/3 1/3 2/3"],
        True,
    ),
    (
        "von Stengel 2007, 3 × 2, degenerate",
        [[3, 3], [2, 5], [0, 6]],
        [[3, 3], [2, 6], [3, 1]],
        ["1 0 0 1 0", "1 0 0 2/3 1/3", "0 1/3 2/3 1/3 2/3"],
        False,
    ),
    (
        "4 × 3, an irrelevant tie (tests of Nashpy)",
        [[160, 205, 44], [175, 180, 45], [201, 204, 50], [120, 207, 49]],
        [[2, 2, 2], [1, 0, 0], [3, 4, 1], [4, 1, 2]],
        ["0 0 3/4 1/4 1/28 27/28 0"],
        True,
    ),
    (
        "2 × 2 (tests of Nashpy)",
        [[1, 0], [-2, 3]],
        [[3, 2], [-1, 0]],
        ["1 0 1 0", "0 1 0 1", "1/2 1/2 1/2 1/2"],
        True,
    ),
    (
        "battle of the sexes (tests of Nashpy)",
        [[2, 1], [0, 2]],
        [[2, 0], [1, 2]],
        ["1 0 1 0", "0 1 0 1", "1/3 2/3 1/3 2/3"],
        True,
    ),
    (
        "battle of the sexes (Nau et al. 2004)",
        [[3, 0], [0, 2]],
        [[2, 0], [0, 3]],
        ["1 0 1 0", "3/5 2/5 2/5 3/5", "0 1 0 1"],
        True,
    ),
    ("matching pennies", [[1, -1], [-1, 1]], [[-1, 1], [1, -1]], ["1/2 1/2 1/2 1/2"], True),
    (
        "Shapley 1974, figure 2",
        [[2, 2, 0], [0, 3, 0], [3, 0, 1]],
        [[3, 0, 2], [0, 3, 2], [0, 0, 1]],
        ["0 1 0 0 1 0", "0 1/2 1/2 0 1/4 3/4", "0 0 1 0 0 1"],
        True,
    ),
    (
        "O'Neill 1987",
        [[1, -1, -1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1], [-1, 1, 1, -1]],
        [[-1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]],
        ["2/5 1/5 1/5 1/5 2/5 1/5 1/5 1/5"],
        True,
    ),
    (
        "biased rock, paper, scissors (OpenSpiel)",
        [[0, -0.25, 0.5], [0.25, 0, -0.05], [-0.5, 0.05, 0]],
        [[0, 0.25, -0.5], [-0.25, 0, 0.05], [0.5, -0.05, 0]],
        ["1/16 10/16 5/16 1/16 10/16 5/16"],
        True,
    ),
    (
        "zero-sum with a saddle point (OpenSpiel)",
        [[2, 1, 5], [-3, -4, -2]],
        [[-2, -1, -5], [3, 4, 2]],
        ["1 0 0 1 0"],
        True,
    ),
    (
        "6 × 6 with long Lemke-Howson paths (Savani & von Stengel 2006)",
        [
            [-180, 72, -333, 297, -153, 270],
            [-30, 17, -33, 42, -3, 20],
            [-81, 36, -126, 126, -36, 90],
            [90, -36, 126, -126, 36, -81],
            [20, -3, 42, -33, 17, -30],
            [270, -153, 297, -333, 72, -180],
        ],
        [
            [72, 36, 17, -3, -36, -153],
            [-180, -81, -30, 20, 90, 270],
            [297, 126, 42, -33, -126, -333],
            [-333, -126, -33, 42, 126, 297],
            [270, 90, 20, -30, -81, -180],
            [-153, -36, -3, 17, 36, 72],
        ],
        ["1/30 1/6 3/10 3/10 1/6 1/30 1/6 1/30 3/10 3/10 1/30 1/6"],
        True,
    ),
    (
        "3 × 3, degenerate (deg1 of Gambit)",
        [[1, 3, 2], [2, 2, 2], [3, 1, 2]],
        [[1, 2, 3], [3, 2, 1], [2, 2, 2]],
        [
            "1 0 0 0 0 1",
            "1/2 1/2 0 1/2 1/2 0",
            "1/2 1/2 0 0 0 1",
            "0 0 1 1 0 0",
            "0 0 1 1/2 1/2 0",
            "0 0 1 0 0 1",
        ],
        False,
    ),
    ("prisoner's dilemma (course)", [[-1, -3], [0, -2]], [[-1, 0], [-3, -2]], ["0 1 0 1"], True),
    (
        "coordination (course)",
        [[2, 0], [0, 1]],
        [[2, 0], [0, 1]],
        ["1 0 1 0", "0 1 0 1", "1/3 2/3 1/3 2/3"],
        True,
    ),
]


@pytest.mark.parametrize(
    ("row", "column", "listed", "complete"),
    [pytest.param(*case, id=name) for name, *case in PUBLISHED],
)
def test_published_games_have_the_published_extreme_equilibria(row, column, listed, complete):
    found = support_enumeration(NormalForm.bimatrix(row, column))
    expected = [[[Fraction(p) for p in line.split()]] for line in listed]
    assert rounded(found.profiles) == rounded(expected)
    assert (len(found.profiles), found.complete) == (len(listed), complete)


def test_a_pair_without_certificate_is_dropped():
    game = NormalForm.bimatrix(np.eye(2), np.eye(2))
    kept = s._certified(game, np.array([[0, 1], [1, 1], [0, 0]]), np.eye(2), np.eye(2))
    assert_array_equal(kept, [[0, 0], [1, 1]])


def test_the_list_is_in_descending_order():
    profiles = support_enumeration(NormalForm.bimatrix(np.eye(4), np.eye(4))).profiles
    keys = [tuple(np.concatenate(p).round(9)) for p in profiles]
    assert keys == sorted(keys, reverse=True)


# One action, ties everywhere, extreme scales.


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1), (2, 3)])
def test_where_all_payoffs_are_equal_every_pure_profile_is_extreme(shape):
    found = support_enumeration(NormalForm(np.full((2, *shape), 7.0)))
    assert len(found.profiles) == shape[0] * shape[1]
    assert all(x.max() == 1.0 for profile in found.profiles for x in profile)
    assert found.complete == (shape == (1, 1))
    assert ("degenerate" in found.reason) == (shape != (1, 1))


@pytest.mark.parametrize("factor", [1e-300, 1e-30, 1e30, 1e299])
def test_tiny_and_huge_payoffs_are_solved_alike(factor):
    pennies = np.array([[2.0, -1.0], [-1.0, 1.0]])
    found = support_enumeration(NormalForm.zero_sum(factor * pennies))
    assert rounded(found.profiles) == {(0.4, 0.6, 0.4, 0.6)}
    assert found.complete


def test_a_large_offset_costs_precision_but_no_equilibrium():
    pennies = np.array([[1.1, -1.1], [-1.1, 1.1]]) / 3 + 1e6
    (profile,) = support_enumeration(NormalForm.bimatrix(pennies, -pennies)).profiles
    assert_allclose(profile, 0.5, atol=1e-8)


def test_a_large_offset_hides_no_tie():
    fair = np.array([[0.1, 0.3, 0.2, 0.2], [0.2, 0.1, 0.3, 0.2], [0.3, 0.2, 0.1, 0.2]])
    for offset in (0.0, 1e6):
        labels, points = s.vertices(*positive_form(fair + offset))
        (best,) = (b for (_, b), x in zip(labels, points, strict=True) if np.ptp(x) < 1e-6)
        assert best == 0b1111  # against the uniform strategy all columns are worth 0.2


def test_a_dependent_reply_does_not_end_the_search_among_the_others():
    u = np.array([[2, 1, 1.4, 1], [1, 2, 1.3, 1], [1, 1, 0.9, 2]])  # column 2 = 0.5 c_0 + 0.4 c_1
    labels, points = s.vertices(u, 1e-10)
    (best,) = (b for (_, b), x in zip(labels, points, strict=True) if np.allclose(x, 1 / 3))
    assert best == 0b1011


def test_payoffs_closer_than_the_tolerance_are_ties():
    found = support_enumeration(NormalForm.bimatrix([[1e-13, 0], [0, 1]], [[0, 1], [1, 0]]))
    assert found.degenerate
    assert rounded(found.profiles) == {(0.5, 0.5, 1.0, 0.0), (0.0, 1.0, 1.0, 0.0)}


@pytest.mark.parametrize(
    ("shape", "needs"),
    [
        ((3, 2, 2, 2), "need 2 players, got 3"),
        ((1, 2), "need 2 players, got 1"),
        ((2, 61, 1), "the cap is 60"),
        ((2, 1, 61), "the cap is 60"),
        ((2, 14, 14), "14 × 14 actions have 40116600 pairs .* the cap is 20000000"),
    ],
)
def test_what_is_too_large_is_refused_in_one_line(shape, needs):
    with pytest.raises(InputError, match=needs) as caught:
        support_enumeration(NormalForm(np.zeros(shape)))
    assert "\n" not in str(caught.value)


def test_sixty_actions_fit_the_bits():
    row = np.arange(60.0)[:, None]
    found = support_enumeration(NormalForm.bimatrix(row, row))
    assert [int(x.argmax()) for x, _ in found.profiles] == [59]
    assert found.complete


# The kernels.


def test_combinations_come_in_lexicographic_order():
    for n, size in product(range(1, 6), range(1, 6)):
        if size <= n:
            chosen, seen, at = np.arange(size), [], 0
            while at >= 0:
                seen.append(tuple(chosen))
                at = s.advance(chosen, size, size - 1, n)
            assert seen == list(combinations(range(n), size))


def test_a_step_at_a_prefix_skips_all_that_share_it():
    chosen = np.array([0, 1, 2])
    assert s.advance(chosen, 3, 1, 5) == 1
    assert_array_equal(chosen, [0, 2, 3])
    assert s.advance(chosen, 3, 0, 5) == 0
    assert_array_equal(chosen, [1, 2, 3])


KERNELS = [name for name, f in vars(s).items() if hasattr(f, "py_func")]


@settings(max_examples=25)
@given(bimatrix_games(max_actions=4, elements=st.floats(-3, 3, width=32)))
def test_kernels_equal_their_python_functions(game):
    forms = [positive_form(u) for u in (game.payoffs[1], game.payoffs[0].T)]
    compiled = [s.vertices(*form) for form in forms]
    pairs = s.labelled_pairs(*(labels for labels, _ in compiled))
    with mock.patch.multiple(s, **{name: getattr(s, name).py_func for name in KERNELS}):
        plain = [s.vertices(*form) for form in forms]
        assert_array_equal(pairs, s.labelled_pairs(*(labels for labels, _ in plain)))
    for one, other in zip(compiled, plain, strict=True):
        assert_array_equal(one[0], other[0])
        assert_array_equal(one[1], other[1])


@pytest.mark.slow
@pytest.mark.parametrize("n", [9, 10, 11])
def test_larger_random_games_have_an_odd_number_of_equilibria(n):
    rng = np.random.default_rng(n)
    for _ in range(5):
        found = support_enumeration(NormalForm(rng.integers(-1000, 1001, (2, n, n))))
        assert found.degenerate or (len(found.profiles) % 2 == 1 and found.complete)
