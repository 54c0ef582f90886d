"""Lemke–Howson: published ends, index +1, the path in Fractions, and no basis twice."""

from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, library, regrets, zero_sum_value
from refmarl.games import lemke_howson as lh
from refmarl.games.exact import exact_equilibria
from refmarl.games.lemke_howson import all_labels, lemke_howson
from refmarl.games.nash import scale
from refmarl.games.support import support_enumeration
from refmarl.testing.strategies import bimatrix_games, matrices

SMALL = st.integers(-2, 2).map(float)
LARGE = st.integers(-1000, 1000).map(float)
STENGEL = NormalForm.bimatrix([[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]])
IDENTITY = NormalForm.bimatrix(np.eye(3), np.eye(3))


def labels_of(game):
    return range(sum(game.num_actions))


def listed(game, profile):
    """Whether support enumeration has this profile."""
    end = np.concatenate(profile)
    found = [np.concatenate(p) for p in support_enumeration(game).profiles]
    return min(np.abs(end - point).max() for point in found) <= 1e-8


# -- published ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "x", "y"),
    [
        (0, [1, 0, 0], [1, 0]),
        (1, [0, 1 / 3, 2 / 3], [1 / 3, 2 / 3]),
        (2, [1, 0, 0], [1, 0]),
        (3, [1, 0, 0], [1, 0]),
        (4, [0, 1 / 3, 2 / 3], [1 / 3, 2 / 3]),
    ],
)
def test_von_stengels_game_label_by_label(label, x, y):
    (found_x, found_y), _ = lemke_howson(STENGEL, label)
    assert_allclose(found_x, x, atol=1e-12)
    assert_allclose(found_y, y, atol=1e-12)


def test_a_game_of_two_strict_equilibria_label_by_label():
    game = NormalForm.bimatrix([[3, 1], [0, 2]], [[2, 1], [0, 3]])
    for label in labels_of(game):
        for strategy in lemke_howson(game, label).profile:
            assert_allclose(strategy, np.eye(2)[label % 2], atol=1e-12)


DEGENERATE = {
    "one best row": [[[-1, -1, -1], [0, 0, 0], [-1, -1, -10000]]] * 2,
    "equal rows": [[[1, 3, 3], [3, 1, 3], [1, 3, 3]], [[3, 3, 1], [1, 1, 3], [3, 1, 3]]],
    "cycles without the lexicographic rule": [
        [[0, 0, 0], [0, 1, 1], [1, 1, 0]],
        [[1, 0, 1], [1, 1, 0], [0, 0, 2]],
    ],
    "nothing but ties": np.zeros((2, 4, 3)),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_published_degenerate_games_end_in_an_equilibrium(name):
    game = NormalForm(DEGENERATE[name])
    for label in labels_of(game):
        profile, _ = lemke_howson(game, label)
        assert_array_equal(regrets(game, profile) <= 1e-12 * scale(game), True)
        assert listed(game, profile)


def test_the_game_that_cycles_ends_at_the_published_row():
    game = NormalForm(DEGENERATE["cycles without the lexicographic rule"])
    assert_allclose(lemke_howson(game, 0).profile[0], [0, 2 / 3, 1 / 3], atol=1e-12)


NINE = [
    [0, 0.5, 1, 1, 1, 1, 1, 1, 1],
    [0.711, 0, 0, 0.5, 1, 1, 1, 1, 1],
    [1, 0.672, 0, 0, 0.5, 1, 1, 1, 1],
    [1, 1, 0.667, 0, 0, 0.5, 1, 1, 1],
    [1, 1, 1, 0.579, 0, 0, 0.5, 1, 1],
    [1, 1, 1, 1, 0.5, 0, 0, 0.5, 1],
    [1, 1, 1, 1, 1, 0.5, 0, 0, 1],
    [1, 1, 1, 1, 1, 1, 0.333, 0, 0.5],
    [1, 1, 1, 1, 1, 1, 1, 1, 0],
]  # tests of Nashpy; its value by a linear program


def test_the_published_value_of_a_nine_by_nine_game():
    A = np.array(NINE)
    game = NormalForm.bimatrix(A, 1 - A)
    for label in labels_of(game):
        x, y = lemke_howson(game, label).profile
        assert abs(x @ A @ y - 0.7587289078647044) < 1e-9


# -- theorems -----------------------------------------------------------------------


@pytest.mark.equation("1.3")
@given(bimatrix_games(max_actions=4, elements=SMALL))
def test_every_label_of_a_degenerate_game_ends_in_an_extreme_equilibrium(game):
    for label in labels_of(game):
        profile, pivots = lemke_howson(game, label)
        assert (regrets(game, profile) <= 1e-9 * scale(game).max()).all()
        assert listed(game, profile)
        assert pivots >= 2


@pytest.mark.equation("1.3")
@settings(max_examples=30)
@given(bimatrix_games(max_actions=5, elements=LARGE))
def test_paths_from_the_artificial_equilibrium_end_at_index_one(game):
    exact = exact_equilibria(game)
    if exact.degenerate:
        return
    for profile, _ in all_labels(game):
        end = np.concatenate(profile)
        (index,) = [
            index
            for found, _, index in exact.extreme
            if np.abs(end - [float(p) for x in found for p in x]).max() < 1e-8
        ]
        assert index == 1


@settings(max_examples=60)
@given(bimatrix_games(max_actions=4, elements=SMALL), st.data())
def test_floats_take_the_path_that_fractions_take(game, data):
    label = data.draw(st.sampled_from(labels_of(game)))
    one, other = lh._in_floats(game, label), lh._in_fractions(game, label)
    assert one is not None
    assert one.pivots == other.pivots
    for x, y in zip(one.profile, other.profile, strict=True):
        assert_allclose(x, y, atol=1e-12)


@given(bimatrix_games(max_actions=4, elements=LARGE))
def test_the_table_in_fractions_rounds_to_the_one_in_floats(game):
    assert_allclose(
        np.array(lh.rational_tableau(game), dtype=float), lh.tableau(game)[0], rtol=1e-15
    )


@settings(max_examples=60)
@given(bimatrix_games(max_actions=4, elements=SMALL), st.data())
def test_no_basis_comes_back(game, data):
    label = data.draw(st.sampled_from(labels_of(game)))
    table = lh.rational_tableau(game)
    size = len(table)
    basis = Recorded(range(size, 2 * size))
    lh.rational_walk(table, basis, label)
    assert len(basis.seen) == len({frozenset(b) for b in basis.seen})
    assert {k % size for k in basis} == {*range(size)}


class Recorded(list):
    """A basis that remembers what it has been."""

    def __init__(self, values):
        super().__init__(values)
        self.seen = [list(self)]

    def __setitem__(self, at, value):
        super().__setitem__(at, value)
        self.seen.append(list(self))


@given(bimatrix_games(max_actions=4, elements=LARGE), st.data())
def test_renaming_the_players_renames_the_labels(game, data):
    if exact_equilibria(game).degenerate:
        return
    m, n = game.num_actions
    label = data.draw(st.sampled_from(labels_of(game)))
    swapped = NormalForm.bimatrix(game.payoffs[1].T, game.payoffs[0].T)
    (x, y), pivots = lemke_howson(game, label)
    (v, w), others = lemke_howson(swapped, label + n if label < m else label - m)
    assert_allclose(np.concatenate([x, y]), np.concatenate([w, v]), atol=1e-9)
    assert pivots == others


@settings(max_examples=30)
@given(matrices(max_actions=6, elements=LARGE))
def test_in_a_zero_sum_game_every_label_ends_at_the_value(matrix):
    value = zero_sum_value(matrix).value
    game = NormalForm.zero_sum(matrix)
    for label in labels_of(game):
        x, y = lemke_howson(game, label).profile
        assert abs(x @ matrix @ y - value) <= 1e-9 * scale(game).max()


@given(bimatrix_games(max_actions=4))
def test_all_labels_holds_each_label_once_and_each_equilibrium_once(game):
    found = all_labels(game)
    assert sorted(k for _, labels in found for k in labels) == [*labels_of(game)]
    assert [labels[0] for _, labels in found] == sorted(labels[0] for _, labels in found)
    ends = [np.concatenate(profile) for profile, _ in found]
    assert all(np.abs(p - q).max() > 1e-9 for p, q in product(ends, ends) if p is not q)
    for profile, labels in found:
        for label in labels:
            again = np.concatenate(lemke_howson(game, label).profile)
            assert_allclose(np.concatenate(profile), again, atol=1e-9)


def test_pure_coordination_reaches_the_pure_equilibria_alone():
    assert [labels for _, labels in all_labels(IDENTITY)] == [(0, 3), (1, 4), (2, 5)]


def test_one_action_each_takes_two_pivots():
    (x, y), pivots = lemke_howson(NormalForm([[[-3]], [[7]]]), 1)
    assert (x.tolist(), y.tolist(), pivots) == ([1.0], [1.0], 2)


@pytest.mark.parametrize("name", ["chicken", "oneill", "shapley", "prisoners-dilemma"])
def test_library_games_end_at_a_published_equilibrium(name):
    game = library.game(name)
    assert all(listed(game, profile) for profile, _ in all_labels(game))


def test_a_hundred_actions_each():
    rng = np.random.default_rng(5)
    game = NormalForm(rng.normal(size=(2, 100, 100)))
    assert (regrets(game, lemke_howson(game, 7).profile) <= 1e-9 * scale(game)).all()


# -- floats that do not suffice -----------------------------------------------------


def test_where_floats_lead_astray_small_games_go_through_fractions():
    with mock.patch.object(lh, "_in_floats", return_value=None):
        found = lemke_howson(STENGEL, 1)
        assert_allclose(found.profile[1], [1 / 3, 2 / 3])
        with pytest.raises(ArithmeticError, match="in floating point"):
            lemke_howson(NormalForm(np.zeros((2, 21, 20))), 0)


def test_a_path_that_is_too_long_or_a_wrong_end_is_noticed():
    with mock.patch.object(lh, "MAX_WORK", 100):
        assert lh._in_floats(STENGEL, 0) is None
    with mock.patch.object(lh, "_vertex", return_value=np.array([1.0, 0, 0, 0, 1])):
        assert lh._in_floats(STENGEL, 0) is None
    with mock.patch.object(lh, "_vertex", return_value=np.zeros(5)):
        assert lh._in_floats(STENGEL, 0) is None
    with mock.patch.object(lh, "_vertex", side_effect=np.linalg.LinAlgError):
        assert lh._in_floats(STENGEL, 0) is None


@pytest.mark.parametrize(
    ("game", "label", "says"),
    [
        (NormalForm(np.zeros((3, 2, 2, 2))), 0, "need 2 players, got 3"),
        (STENGEL, 5, "label: need an index in 0..4, got 5"),
        (STENGEL, -1, "label: need an index in 0..4"),
        (STENGEL, 1.0, "label: need an index in 0..4"),
        (NormalForm(np.zeros((2, 1, 600))), 0, "the cap is 600 together"),
    ],
)
def test_bad_requests(game, label, says):
    with pytest.raises(InputError) as caught:
        lemke_howson(game, label)
    assert says in str(caught.value)


# -- kernels ------------------------------------------------------------------------

KERNELS = [name for name, f in vars(lh).items() if hasattr(f, "py_func")]


@settings(max_examples=25)
@given(bimatrix_games(max_actions=4, elements=st.floats(-3, 3, width=32)), st.data())
def test_kernels_equal_their_python_functions(game, data):
    label = data.draw(st.sampled_from(labels_of(game)))
    table, tie = lh.tableau(game)
    (one, first), (other, second) = (
        (table.copy(), np.arange(len(table)) + len(table)) for _ in "ab"
    )
    pivots = lh.walk(one, first, label, tie, 1000)
    with mock.patch.multiple(lh, **{name: getattr(lh, name).py_func for name in KERNELS}):
        assert lh.walk(other, second, label, tie, 1000) == pivots
    assert_array_equal(one, other)
    assert_array_equal(first, second)


@pytest.mark.parametrize("best", [0, 1])
def test_in_fractions_the_least_advantage_counts(best):
    rows = np.array([[1e-30, 0], [0, 1]])
    game = NormalForm.bimatrix(rows if best == 0 else rows[::-1], [[1, 0], [1, 0]])
    for label in labels_of(game):
        x, y = lh._in_fractions(game, label).profile
        assert (x.tolist(), y.tolist()) == (np.eye(2)[best].tolist(), [1, 0])
