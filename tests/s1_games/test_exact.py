"""Equilibria in Fractions: against the enumeration in floats, by theorems, and by certificate."""

from fractions import Fraction as F
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import NormalForm, library
from refmarl.games import exact as e
from refmarl.games.exact import exact_equilibria
from refmarl.games.support import positive_form, support_enumeration
from refmarl.games.support import vertices as in_floats
from refmarl.testing.strategies import bimatrix_games

SMALL = st.integers(-2, 2).map(float)
LARGE = st.integers(-1000, 1000).map(float)
TWO_PLAYERS = [
    name
    for name in library.names()
    if library.game(name).num_players == 2 and max(library.game(name).num_actions) <= 10
]


def exact_regrets(payoffs, profile):
    """What each player gains by its best reply, in Fractions."""
    (a, b), (x, y) = payoffs, profile
    first = [sum(q * v for q, v in zip(y, row, strict=True)) for row in a]
    second = [sum(p * row[j] for p, row in zip(x, b, strict=True)) for j in range(len(y))]
    gained = []
    for own, pays in ((x, first), (y, second)):
        gained.append(max(pays) - sum(p * v for p, v in zip(own, pays, strict=True)))
    return gained


def payoffs_of(game):
    return [e.rational(u) for u in game.payoffs]


def mixed(points, weights):
    """The mixture of some strategies."""
    total = sum(weights)
    return tuple(
        sum(F(w, total) * x[k] for w, x in zip(weights, points, strict=True))
        for k in range(len(points[0]))
    )


def assert_same(game):
    """The list in floats and the exact one agree, to rounding."""
    found, exact = support_enumeration(game), exact_equilibria(game)
    assert found.degenerate == exact.degenerate
    assert found.complete == exact.finite
    assert len(found.profiles) == len(exact.extreme)
    flat = [np.concatenate(profile) for profile in found.profiles]
    for profile in exact.profiles:
        point = np.array([float(p) for x in profile for p in x])
        assert min(np.abs(point - other).max() for other in flat) <= 1e-9


# -- the same as in floats ----------------------------------------------------------


@pytest.mark.equation("1.3")
def test_300_random_integer_games_have_the_same_equilibria_in_floats():
    rng = np.random.default_rng(11)
    seen = set()
    for _ in range(300):
        game = NormalForm(rng.integers(-3, 4, size=(2, *rng.integers(2, 4, size=2))))
        assert_same(game)
        seen.add(exact_equilibria(game).degenerate)
    assert seen == {False, True}


@pytest.mark.equation("1.3")
@settings(max_examples=30)
@given(bimatrix_games(max_actions=5, elements=LARGE))
def test_games_of_up_to_five_actions_have_the_same_equilibria_in_floats(game):
    assert_same(game)


@pytest.mark.equation("1.3")
@pytest.mark.parametrize("name", TWO_PLAYERS)
def test_the_games_of_the_library_have_the_same_equilibria_in_floats(name):
    assert_same(library.game(name))


QUARTERS = [name for name in TWO_PLAYERS if not (library.game(name).payoffs % 0.25).any()]


@pytest.mark.parametrize("name", QUARTERS)
def test_the_published_equilibria_of_payoffs_that_floats_hold_are_met_exactly(name):
    entry = library.entry(name)
    found = exact_equilibria(entry.game)
    if entry.complete:
        assert {*entry.equilibria} == {*found.profiles}
    if entry.value is not None:
        assert {pays[0] for _, pays, _ in found.extreme} == {entry.value}


# -- certificates -------------------------------------------------------------------


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=4, elements=SMALL))
def test_each_extreme_equilibrium_has_no_regret_at_all(game):
    payoffs = payoffs_of(game)
    for (x, y), pays, _ in exact_equilibria(game).extreme:
        assert sum(x) == sum(y) == 1
        assert min(*x, *y) >= 0
        assert exact_regrets(payoffs, (x, y)) == [0, 0]
        assert list(pays) == [
            sum(p * q * u[i][j] for (i, p), (j, q) in product(enumerate(x), enumerate(y)))
            for u in payoffs
        ]


@given(bimatrix_games(max_actions=4, elements=SMALL), st.data())
def test_components_hold_all_extreme_equilibria_and_each_mixture_is_an_equilibrium(game, data):
    found, payoffs = exact_equilibria(game), payoffs_of(game)
    subsets = [subset for component in found.components for subset in component]
    covered = {pair for subset in subsets for pair in product(*subset)}
    assert covered == {*found.profiles}
    for subset in subsets:
        weights = [data.draw(st.lists(st.integers(1, 9), min_size=9, max_size=9)) for _ in "xy"]
        profile = [
            mixed(side, w[: len(side)] + [1] * (len(side) - 9))
            for side, w in zip(subset, weights, strict=True)
        ]
        assert exact_regrets(payoffs, profile) == [0, 0]


@given(bimatrix_games(max_actions=4, elements=SMALL))
def test_subsets_are_maximal_and_none_is_missing(game):
    found = exact_equilibria(game)
    extreme = {*found.profiles}
    subsets = {s for component in found.components for s in component}
    assert len(subsets) == sum(map(len, found.components))
    for rows, columns in subsets:
        assert {*rows} == {x for x, _ in extreme if all((x, y) in extreme for y in columns)}
        assert {*columns} == {y for _, y in extreme if all((x, y) in extreme for x in rows)}
    for x, y in extreme:  # all that x meets, and all that y meets, are subsets' sides
        assert any({*s.columns} == {w for v, w in extreme if v == x} for s in subsets)
        assert any({*s.rows} == {v for v, w in extreme if w == y} for s in subsets)


@given(bimatrix_games(max_actions=4, elements=SMALL))
def test_components_are_what_hangs_together(game):
    found = exact_equilibria(game)
    parts = [
        ({x for s in c for x in s.rows}, {y for s in c for y in s.columns})
        for c in found.components
    ]
    for (xs, ys), (others, theirs) in combinations(parts, 2):
        assert xs.isdisjoint(others)
        assert ys.isdisjoint(theirs)
    for (x, y), (v, w) in combinations(found.profiles, 2):
        if x == v or y == w:
            assert any({x, v} <= xs and {y, w} <= ys for xs, ys in parts)
    for component, (xs, ys) in zip(found.components, parts, strict=True):  # no two parts in one
        reached = {*component[0].rows}
        for _ in range(len(found.extreme)):
            near = {y for x, y in found.profiles if x in reached}
            reached |= {x for x, y in found.profiles if y in near}
        assert reached == xs
        assert {y for x, y in found.profiles if x in reached} == ys


@st.composite
def graphs(draw):
    """Neighbourhoods of up to six vertices among up to five, as bits; none is empty."""
    size = draw(st.integers(1, 6))
    return {v: draw(st.integers(1, 31)) for v in range(size)}


@given(graphs())
def test_bicliques_are_what_all_sets_of_vertices_have_in_common(neighbours):
    expected = set()
    for size in range(1, len(neighbours) + 1):
        for chosen in combinations(neighbours, size):
            common = -1
            for v in chosen:
                common &= neighbours[v]
            if common:
                rows = [v for v, own in neighbours.items() if common & ~own == 0]
                expected.add((tuple(rows), tuple(k for k in range(5) if common >> k & 1)))
    found = [(tuple(rows), tuple(columns)) for rows, columns in e.bicliques(neighbours)]
    assert len(found) == len(expected)
    assert {*found} == expected


@given(st.lists(st.integers(1, 31).map(lambda k: 1 << k % 5 | 1 << k // 7), max_size=6))
def test_connected_subsets_are_put_together_over_any_number_of_steps(edges):
    subsets = [
        e.NashSubset(((F(v),),), tuple((F(k),) for k in range(5) if own >> k & 1))
        for v, own in enumerate(edges)
    ]
    groups = [{v} for v in range(len(edges))]
    for _ in edges:
        for one, other in combinations(range(len(edges)), 2):
            if edges[one] & edges[other]:
                joined = groups[one] | groups[other]
                for v in joined:
                    groups[v] = joined
    found = {frozenset(int(s.rows[0][0]) for s in group) for group in e.connected(subsets)}
    assert found == {frozenset(group) for group in groups}


# -- vertices -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 4), (5, 4), (4, 6), (5, 6), (6, 5)])
def test_vertices_of_degenerate_polytopes_are_those_of_the_supports(shape):
    rng = np.random.default_rng(8)
    for high in (2, 2, 2, 3):
        u = rng.integers(0, high, size=shape)
        labels, points = in_floats(*positive_form(u.astype(float)))
        exact = e.vertices(e.whole_form(e.rational(u)))
        assert len(exact) == len(labels)
        by_labels = {(v.played, v.best): v.x for v in exact}
        assert by_labels.keys() == {tuple(map(int, pair)) for pair in labels}
        for pair, x in zip(labels.tolist(), points, strict=True):
            assert_allclose(x, [float(p) for p in by_labels[tuple(pair)]], atol=1e-9)


# -- the index ----------------------------------------------------------------------


@pytest.mark.equation("1.3")
@settings(max_examples=100)
@given(bimatrix_games(max_actions=5, elements=LARGE) | bimatrix_games(max_actions=4))
def test_the_indices_sum_to_one_and_their_number_is_odd(game):
    found = exact_equilibria(game)
    indices = [index for _, _, index in found.extreme]
    assert {*indices} <= ({1, -1, None} if found.degenerate else {1, -1})
    if None not in indices:
        assert sum(indices) == 1
        assert len(indices) % 2 == 1
        assert found.finite


@given(bimatrix_games(max_actions=3, elements=SMALL))
def test_only_who_plays_all_best_replies_has_an_index_and_stands_alone(game):
    found = exact_equilibria(game)
    single = {(c[0].rows[0], c[0].columns[0]) for c in found.components if len(c) == 1}
    for (x, y), _, index in found.extreme:
        rows, columns = payoffs_of(game)
        pays = [sum(q * v for q, v in zip(y, row, strict=True)) for row in rows]
        against = [sum(p * r[j] for p, r in zip(x, columns, strict=True)) for j in range(len(y))]
        quasi_strict = [v == max(pays) for v in pays] == [p > 0 for p in x]
        quasi_strict &= [v == max(against) for v in against] == [q > 0 for q in y]
        assert (index is not None) == (quasi_strict and (x, y) in single and _alone(found, x, y))


def _alone(found, x, y):
    """Whether no other extreme equilibrium shares a strategy with (x, y)."""
    return sum(v == x or w == y for v, w in found.profiles) == 1


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_in_pure_coordination_the_index_alternates_with_the_size_of_the_support(n):
    for (x, _), _, index in exact_equilibria([np.eye(n, dtype=int)] * 2).extreme:
        assert index == (-1) ** (sum(p > 0 for p in x) + 1)


@given(bimatrix_games(max_actions=4, elements=LARGE), st.integers(1, 9), st.integers(-9, 9))
@settings(max_examples=25)
def test_affine_payoffs_and_exchanged_players_keep_equilibria_and_indices(game, factor, shift):
    a, b = payoffs_of(game)
    found = exact_equilibria([a, b])
    third = [[F(factor, 3) * v + F(shift, 7) for v in row] for row in a]
    changed = exact_equilibria([third, b])
    assert [(p, k) for p, _, k in changed.extreme] == [(p, k) for p, _, k in found.extreme]
    assert changed.components == found.components
    swapped = exact_equilibria([list(zip(*b, strict=True)), list(zip(*a, strict=True))])
    assert {((y, x), (q, p), k) for (x, y), (p, q), k in swapped.extreme} == {*found.extreme}


@given(st.integers(1, 5), st.data())
def test_the_sign_of_a_determinant_is_that_of_its_definition(n, data):
    rows = data.draw(
        st.lists(st.lists(st.integers(-2, 2), min_size=n, max_size=n), min_size=n, max_size=n)
    )
    total = 0
    for order in permutations(range(n)):
        crossed = sum(order[i] > order[j] for i, j in combinations(range(n), 2))
        total += (-1) ** crossed * int(np.prod([rows[i][k] for i, k in enumerate(order)]))
    assert e.sign_of_determinant(rows) == (total > 0) - (total < 0)


# -- numbers that floats do not have ------------------------------------------------


def test_fractions_are_not_rounded_and_a_tiny_difference_is_no_tie():
    tiny = F(1, 10**40)
    strict = exact_equilibria([[[1, 0], [1 - tiny, 0]], [[1, 0], [1, 0]]])
    assert not any(x[1] for (x, y) in strict.profiles if y == (1, 0))
    found = exact_equilibria([[[F(1, 3), 0], [0, F(1, 7)]], [[F(1, 11), 0], [0, F(1, 13)]]])
    assert ((F(11, 24), F(13, 24)), (F(3, 10), F(7, 10))) in found.profiles
    assert (F(1, 10), F(1, 24)) in [pays for _, pays, _ in found.extreme]


def test_floats_count_as_what_they_are():
    found = exact_equilibria(NormalForm.bimatrix([[0.1, 0], [0, 0.2]], [[1, 0], [0, 1]]))
    ((y, _),) = [y for x, y in found.profiles if 0 < x[0] < 1]
    assert y == F(0.2) / (F(0.1) + F(0.2)) == F(2, 3)
    huge, least = 1e300, 5e-324
    found = exact_equilibria([[[huge, 0], [0, least]], [[1, 0], [0, 1]]])
    assert [k for _, _, k in found.extreme] == [1, -1, 1]


def test_numpy_integers_do_not_overflow():
    u = np.array([[2**62, 0], [0, 2**62 - 1]])
    assert exact_equilibria([u, u]) == exact_equilibria([u.tolist(), u.tolist()])


def test_one_action_each_and_a_game_of_nothing_but_ties():
    one = exact_equilibria([[[3]], [[F(-1, 2)]]])
    assert one.extreme == ((((1,), (1,)), (3, F(-1, 2)), 1),)
    none = exact_equilibria(NormalForm(np.zeros((2, 2, 3))))
    assert (len(none.extreme), none.degenerate, none.finite) == (6, True, False)
    ((subset,),) = none.components
    assert (len(subset.rows), len(subset.columns)) == (2, 3)
    assert {index for _, _, index in none.extreme} == {None}


@pytest.mark.parametrize(
    ("game", "says"),
    [
        (NormalForm(np.zeros((3, 2, 2, 2))), "need 2 players, got 3"),
        (NormalForm(np.zeros((2, 40, 40))), "40 × 40 actions"),
        ([np.zeros((11, 11)), np.zeros((11, 11))], "the cap is 200000"),
        ([[[1, 2]], [[1], [2]]], "row is (1, 2), column is (2, 1)"),
        ([[[1, 2], [3]], [[1, 2], [3, 4]]], "row payoffs: need a full rectangle"),
        ([[[1, 2]], [[1, float("nan")]]], "column payoffs: need a matrix of finite numbers"),
        ([[[1, float("inf")]], [[1, 2]]], "row payoffs: need a matrix of finite numbers"),
        ([[["1/3", 2]], [[1, 2]]], "row payoffs: need a matrix of finite numbers"),
        ([[1, 2], [3, 4]], "need a matrix"),
        ([[], []], "at least 1 × 1"),
    ],
)
def test_what_is_no_such_game_is_refused(game, says):
    with pytest.raises(InputError) as caught:
        exact_equilibria(game)
    assert says in str(caught.value)


def test_a_six_by_six_game_is_solved_and_agrees_with_floats():
    rng = np.random.default_rng(6)
    for high in (3, 100):
        assert_same(NormalForm(rng.integers(0, high, size=(2, 6, 6))))


def test_the_payoffs_of_a_profile_are_those_of_the_floats():
    game = library.game("chicken")
    for profile, pays, _ in exact_equilibria(game).extreme:
        x, y = (np.array([float(p) for p in side]) for side in profile)
        assert_allclose([float(p) for p in pays], [x @ u @ y for u in game.payoffs])
