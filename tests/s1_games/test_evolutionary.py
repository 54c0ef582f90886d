"""Evolutionary stability against its definition, theorems, closed forms and the dynamics."""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import NormalForm, library
from refmarl.games.evolutionary import (
    all_ess,
    copositive,
    evolutionary_stability,
    is_ess,
)
from refmarl.games.exact import exact_equilibria
from refmarl.games.replicator import replicator, rest_point_eigenvalues

F = Fraction
SMALL = st.integers(-2, 2)


@st.composite
def squares(draw, least=1, most=4, elements=SMALL):
    """Payoff matrices in whole numbers."""
    k = draw(st.integers(least, most))
    return [[draw(elements) for _ in range(k)] for _ in range(k)]


def symmetric_equilibria(A):
    """The extreme equilibria in which both play the same, by another method."""
    game = exact_equilibria([A, [list(column) for column in zip(*A, strict=True)]])
    return [x for x, y in game.profiles if x == y]


def pays(A, y, x):
    return sum(p * A[a][b] * q for a, p in enumerate(y) for b, q in enumerate(x))


def grid(size, parts):
    """All mixtures in multiples of 1/parts."""
    if size == 1:
        yield (F(1),)
        return
    for cuts in combinations(range(parts + size - 1), size - 1):
        ends = (-1, *cuts, parts + size - 1)
        yield tuple(F(b - a - 1, parts) for a, b in pairwise(ends))


def resists(A, x, strict, step):
    """The definition on mutants x + step (y - x), y on a grid: they do (strictly) worse than x."""
    for y in grid(len(x), 6):
        if y == x:
            continue
        mutant = [p + step * (q - p) for p, q in zip(x, y, strict=True)]
        gain = pays(A, mutant, mutant) - pays(A, x, mutant)
        if gain > 0 or (strict and gain == 0):
            return False
    return True


@given(squares(least=2, most=3))
def test_a_stable_strategy_beats_all_mutants_on_a_grid(A):
    """x is an ESS iff xᵀAy > yᵀAy for all y ≠ x near it (Hofbauer, Schuster & Sigmund 1979)."""
    for x in symmetric_equilibria(A):
        judged = evolutionary_stability(A, x)
        assert judged.nash
        if judged.ess:
            assert resists(A, x, True, F(1, 1000))
        elif judged.neutral:
            assert resists(A, x, False, F(1, 1000))


@given(squares(least=2, most=2), st.integers(0, 6))
def test_two_actions_are_judged_as_by_the_textbook(A, k):
    """ESS: u(1, 1) > u(2, 1), or they are equal and u(1, 2) > u(2, 2); inside, u rises nowhere."""
    x = (F(k, 6), 1 - F(k, 6))
    slope = A[0][0] - A[0][1] - A[1][0] + A[1][1]
    advantage = x[0] * (A[0][0] - A[1][0]) + x[1] * (A[0][1] - A[1][1])  # of the first action
    if k in (0, 6):
        sign = 1 if k == 6 else -1
        nash = sign * advantage >= 0
        ess = sign * advantage > 0 or (advantage == 0 and slope < 0)
        neutral = sign * advantage > 0 or (advantage == 0 and slope <= 0)
    else:
        nash, ess, neutral = advantage == 0, advantage == 0 > slope, advantage == 0 >= slope
    judged = evolutionary_stability(A, x)
    assert (judged.nash, judged.neutral, judged.ess) == (nash, neutral, ess)


@given(squares())
def test_stable_is_neutral_is_nash_and_strict_is_stable(A):
    for a in range(len(A)):
        x = [int(a == b) for b in range(len(A))]
        judged = evolutionary_stability(A, x)
        assert judged.ess <= judged.neutral <= judged.nash
        column = [A[b][a] for b in range(len(A))]
        assert judged.nash == (A[a][a] == max(column))
        if A[a][a] == max(column) and column.count(max(column)) == 1:
            assert judged.ess


@given(squares())
@settings(max_examples=100)
def test_all_stable_strategies_are_found_among_the_symmetric_equilibria(A):
    """An ESS is an extreme equilibrium: the system on its support has one solution."""
    slow = [x for x in symmetric_equilibria(A) if is_ess(A, x)]
    assert sorted(all_ess(A)) == sorted(slow)


@given(squares())
def test_bishop_and_cannings(A):
    """No other symmetric equilibrium plays best replies to an ESS only."""
    for x in all_ess(A):
        best = set(evolutionary_stability(A, x).best)
        for y in symmetric_equilibria(A):
            assert y == x or not {a for a, p in enumerate(y) if p} <= best


@given(squares(least=2))
@settings(max_examples=30)
def test_a_stable_strategy_attracts_its_neighbourhood(A):
    """Under (1.10) no eigenvalue has a positive real part, and Σ x_a log x_a(t) rises."""
    for x in all_ess(A):
        point = np.array([float(p) for p in x])
        assert (rest_point_eigenvalues(A, point).real < 1e-9).all()
        start = 0.98 * point + 0.02 / len(A)
        path = replicator(A, start, [0.0, 0.5, 1.0, 2.0, 4.0])
        played = point > 0
        log = np.log(path[:, played]) @ point[played]
        assert (np.diff(log) > -1e-9).all()
        assert log[-1] > log[0] or np.allclose(start, point)


@given(squares(), st.data())
def test_neither_a_column_constant_nor_names_nor_units_matter(A, data):
    order = data.draw(st.permutations(range(len(A))))
    shift = data.draw(st.lists(SMALL, min_size=len(A), max_size=len(A)))
    moved = [
        [F(7, 3) * (A[order[a]][order[b]] + shift[b]) for b in range(len(A))] for a in range(len(A))
    ]
    renamed = {tuple(x[k] for k in order) for x in all_ess(A)}
    assert set(all_ess(moved)) == renamed


@given(st.integers(1, 6), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=15))
def test_of_a_graph_the_stable_strategies_are_the_maximal_cliques(n, pairs):
    """Payoffs: neighbours meet with 1, twins with 1/2 (Bomze 1997). Each clique's is even."""
    edges = {frozenset(p) for p in pairs if len(set(p)) == 2 and max(p) < n}
    A = [
        [F(1, 2) if a == b else int(frozenset((a, b)) in edges) for b in range(n)] for a in range(n)
    ]
    cliques = [
        set(c)
        for k in range(1, n + 1)
        for c in combinations(range(n), k)
        if all(frozenset(p) in edges for p in combinations(c, 2))
    ]
    maximal = [c for c in cliques if not any(c < d for d in cliques)]
    expected = {tuple(F(int(a in c), len(c)) for a in range(n)) for c in maximal}
    assert set(all_ess(A)) == expected


@pytest.mark.parametrize("k", [1, 2, 3])
def test_moon_and_moser(k):
    """The graph of k triples, all but members of one triple joined: 3^k ESS."""
    n = 3 * k
    A = [[F(1, 2) if a == b else int(a // 3 != b // 3) for b in range(n)] for a in range(n)]
    assert len(all_ess(A)) == 3**k


@given(st.integers(1, 9), st.integers(1, 9))
def test_hawks_are_value_over_cost(value, cost):
    assume(value != cost)
    A = [[F(value - cost, 2), value], [0, F(value, 2)]]
    hawks = F(value, cost) if value < cost else F(1)
    assert all_ess(A) == ((hawks, 1 - hawks),)
    game = library.game("hawk-dove", value=value, cost=cost)
    assert_allclose(game.payoffs[0], np.array(A, dtype=float))
    assert is_ess(game.payoffs[0], [float(hawks), float(1 - hawks)])


@given(st.integers(0, 6), st.integers(0, 6))
def test_rock_paper_scissors_is_stable_iff_a_win_is_worth_more(win, loss):
    A = [[0, -loss, win], [win, 0, -loss], [-loss, win, 0]]
    judged = evolutionary_stability(A, [F(1, 3)] * 3)
    assert judged.nash
    assert judged.ess == (win > loss)
    assert judged.neutral == (win >= loss)
    if win > 0:
        assert all_ess(A) == (((F(1, 3),) * 3,) if win > loss else ())


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_identity_coordination_has_one_stable_strategy_for_each_action(n):
    assert all_ess(np.eye(n)) == tuple(tuple(map(F, row)) for row in np.eye(n, dtype=int).tolist())


def test_an_attractor_need_not_be_stable():
    """(1/3, 1/3, 1/3) attracts, but beside the pure ESS there is none (Zeeman 1980)."""
    A = [[0, 6, -4], [-3, 0, 5], [-1, 3, 0]]
    centre = [F(1, 3)] * 3
    assert (rest_point_eigenvalues(A, [1 / 3] * 3).real < 0).all()
    assert evolutionary_stability(A, centre).nash
    assert not is_ess(A, centre)
    assert all_ess(A) == ((1, 0, 0),)


@given(arrays(int, (3, 3), elements=st.integers(-3, 4)))
@settings(max_examples=200)
def test_copositive_forms_of_order_three_have_a_closed_form(M):
    """With d, e, f the entries beside √ab, √ac, √bc (Hadeler 1983; Chang & Sederberg 1994)."""
    M = M + M.T
    (a, d, e), (_, b, f), (_, _, c) = M.tolist()
    if min(a, b, c) < 0:
        assert not copositive(M.tolist())
        return
    p, q, r = np.sqrt([a, b, c])
    edges = [d + p * q, e + p * r, f + q * r]
    last = p * q * r + d * r + e * q + f * p + np.sqrt(max(0.0, 2 * np.prod(edges)))
    low = min(*edges, last) if min(edges) > -1e-9 else min(edges)
    if abs(low) < 1e-9:
        assert copositive(M.tolist())
        assert not copositive(M.tolist(), strict=True)
    else:
        assert copositive(M.tolist()) == (low > 0)
        assert copositive(M.tolist(), strict=True) == (low > 0 and min(a, b, c) > 0)


@st.composite
def completely_positive_pairs(draw):
    """(a form with a known zero w > 0 or none, w)."""
    k = draw(st.integers(2, 4))
    rows = draw(arrays(int, (k - 1, k), elements=SMALL))
    w = draw(arrays(int, k, elements=st.integers(1, 3)))
    rows = rows * w.sum() - (rows @ w)[:, None]  # rows·w = 0
    return rows.T @ rows, w


@given(completely_positive_pairs())
def test_a_form_that_vanishes_at_a_positive_vector_is_copositive_but_not_strictly(case):
    M, w = case
    assert w @ M @ w == 0
    assert copositive(M.tolist())
    assert not copositive(M.tolist(), strict=True)
    below = M - np.eye(len(M), dtype=int)
    assert not copositive(below.tolist())
    above = [[F(int(v)) + F(int(a == b), 100) for b, v in enumerate(r)] for a, r in enumerate(M)]
    assert copositive(above, strict=True)


def test_mutants_that_drift_may_open_the_door_to_a_third():
    """The first two earn the same; a third does no harm, unless one of the two feeds on it."""
    half = [F(1, 2), F(1, 2), 0]
    closed = evolutionary_stability([[0, 0, 1], [0, 0, 1], [0, 0, 0]], half)
    assert (closed.best, closed.neutral, closed.ess) == ((0, 1, 2), True, False)
    for fed in ([[0, 0, 1], [0, 0, -1], [0, 0, 0]], [[0, 0, -1], [0, 0, 1], [0, 0, 0]]):
        judged = evolutionary_stability(fed, half)
        assert (judged.best, judged.nash, judged.neutral) == ((0, 1, 2), True, False)


def test_floats_are_rounded_mixtures_of_exact_games():
    third = [1 / 3, 1 / 3, 1 / 3]
    assert is_ess([[0, -1, 2], [2, 0, -1], [-1, 2, 0]], third)
    assert not is_ess([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], third)
    assert not evolutionary_stability([[0, 1], [1, 0]], [0.51, 0.49]).nash


@pytest.mark.parametrize(
    ("A", "x"),
    [
        ([[1, 2]], [1]),
        ([[1, 2], [3, 4]], [1]),
        ([[1, 2], [3, 4]], [F(1, 2), F(1, 3)]),
        ([[1, 2], [3, 4]], [2, -1]),
        ([[1, 2], [3, 4]], 3),
        ("x", [1]),
        (np.zeros((14, 14)), [1, *[0] * 13]),
    ],
)
def test_bad_input(A, x):
    with pytest.raises(InputError):
        evolutionary_stability(A, x)


def test_caps():
    with pytest.raises(InputError, match="cap is 12"):
        all_ess(np.eye(13))


def test_the_game_s_both_sides_may_be_asked():
    game = NormalForm.bimatrix([[1, 2], [3, 0]], [[1, 3], [2, 0]])
    assert all_ess(game.payoffs[0]) == ((F(1, 2), F(1, 2)),)
