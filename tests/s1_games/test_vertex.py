"""Vertex enumeration against support enumeration, exact fractions, and the theorems."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm
from refmarl.games import _vertex_kernels as k
from refmarl.games import vertex as v
from refmarl.games.exact import exact_equilibria
from refmarl.games.nash import regrets, scale
from refmarl.games.support import positive_form, support_enumeration
from refmarl.games.vertex import vertex_enumeration
from refmarl.testing.strategies import bimatrix_games

SMALL = st.integers(-2, 2).map(float)
LARGE = st.integers(-1000, 1000).map(float)
FLOATS = st.floats(-3, 3, width=32)


def rounded(profiles):
    """Profiles as a set of tuples of 8 digits."""
    return {tuple(round(float(p), 8) + 0.0 for x in profile for p in x) for profile in profiles}


def check_against_supports(game):
    found, expected = vertex_enumeration(game), support_enumeration(game)
    assert rounded(found.profiles) == rounded(expected.profiles)
    assert found[1:] == expected[1:]


@pytest.fixture
def no_fallback(monkeypatch):
    """The vertices alone, without help from the supports."""
    monkeypatch.delattr(v, "support_enumeration")


@pytest.mark.equation("1.3")
@settings(max_examples=150)
@given(bimatrix_games(max_actions=4, elements=SMALL) | bimatrix_games(max_actions=5))
def test_ties_leave_the_same_extreme_equilibria_as_supports(game):
    check_against_supports(game)


@pytest.mark.equation("1.3")
@settings(max_examples=50)
@given(bimatrix_games(max_actions=6, elements=LARGE) | bimatrix_games(elements=FLOATS))
def test_random_payoffs_have_the_same_equilibria_as_by_supports(game):
    check_against_supports(game)


@pytest.mark.equation("1.3")
@settings(max_examples=60)
@given(
    bimatrix_games(max_actions=4, elements=SMALL) | bimatrix_games(max_actions=4, elements=LARGE)
)
def test_the_extreme_equilibria_are_those_in_fractions(game):
    found, exact = vertex_enumeration(game), exact_equilibria(game)
    assert rounded(found.profiles) == rounded(exact.profiles)
    assert (found.degenerate, found.complete) == (exact.degenerate, exact.finite)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 9), (9, 2), (7, 4), (8, 8)])
@pytest.mark.parametrize("payoffs", ["real", "zero or one", "rock-paper-scissors"])
def test_all_shapes_without_help_from_the_supports(shape, payoffs, no_fallback):
    rng = np.random.default_rng(5)
    for _ in range(4):
        if payoffs == "real":
            game = NormalForm(rng.normal(size=(2, *shape)))
        elif payoffs == "zero or one":
            game = NormalForm(rng.integers(0, 2, size=(2, *shape)))
        else:
            game = NormalForm.zero_sum(rng.integers(-1, 2, size=shape))
        found, expected = vertex_enumeration(game), support_enumeration(game)
        assert rounded(found.profiles) == rounded(expected.profiles)
        assert found[1:] == expected[1:]


@pytest.mark.equation("1.3")
@pytest.mark.parametrize("n", [6, 10, 12])
def test_a_random_game_has_an_odd_number_of_certified_equilibria(n, no_fallback):
    rng = np.random.default_rng(n)
    for _ in range(10):
        game = NormalForm(rng.normal(size=(2, n, n)))
        found = vertex_enumeration(game)
        assert found.complete
        assert not found.degenerate
        assert len(found.profiles) % 2 == 1
        for profile in found.profiles:
            assert (regrets(game, profile) <= 1e-12 * scale(game)).all()
            assert_allclose([x.sum() for x in profile], 1.0, atol=1e-14)


@pytest.mark.parametrize("n", [8, 12, 15])
def test_coordination_has_an_equilibrium_for_each_set_of_actions(n, no_fallback):
    found = vertex_enumeration(NormalForm.bimatrix(np.eye(n), np.eye(n)))
    assert len(found.profiles) == 2**n - 1
    assert found.complete


@pytest.mark.equation("1.3")
@given(
    bimatrix_games(max_actions=4),
    st.sampled_from([1e-200, 1e-30, 0.7, 1e30, 1e200]),
    st.integers(-5, 5),
)
def test_scale_and_offset_of_the_payoffs_do_not_matter(game, factor, offset):
    base = rounded(vertex_enumeration(game).profiles)
    assert rounded(vertex_enumeration(NormalForm(factor * game.payoffs)).profiles) == base
    moved = game.payoffs.copy()
    moved[0] += offset * np.arange(moved.shape[2])  # what the others do decides nothing
    moved[1] -= offset
    assert rounded(vertex_enumeration(NormalForm(moved)).profiles) == base


@given(bimatrix_games(max_actions=5))
def test_players_who_change_places_change_their_strategies(game):
    other = NormalForm(np.stack([game.payoffs[1].T, game.payoffs[0].T]))
    swapped = [(y, x) for x, y in vertex_enumeration(other).profiles]
    assert rounded(swapped) == rounded(vertex_enumeration(game).profiles)


def test_a_dominated_action_leaves_the_flag_of_degenerate_ties():
    """The tie is between replies to an action that nobody plays in equilibrium."""
    game = NormalForm.bimatrix([[3, 3], [1, 0]], [[1, 0], [2, 2]])
    found = vertex_enumeration(game)
    assert (len(found.profiles), found.complete, found.degenerate) == (1, True, True)
    check_against_supports(game)


def test_the_list_is_in_descending_order():
    profiles = vertex_enumeration(NormalForm.bimatrix(np.eye(4), np.eye(4))).profiles
    keys = [tuple(np.concatenate(p).round(9)) for p in profiles]
    assert keys == sorted(keys, reverse=True)
    assert v._descending(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0 + 1e-13]])) == [1, 0]


def test_a_payoff_too_near_to_a_tie_is_left_to_the_supports(monkeypatch):
    game = NormalForm.bimatrix([[1e-9, 0], [0, 1]], [[0, 1], [1, 0]])
    asked = []
    monkeypatch.setattr(
        v, "support_enumeration", lambda g: asked.append(g) or support_enumeration(g)
    )
    check_against_supports(game)
    assert asked == [game]


def test_what_the_supports_refuse_then_is_refused_in_one_line():
    rows = np.zeros((14, 14))
    rows[0, 0], rows[1, 1] = 1e-9, 1.0
    with pytest.raises(
        InputError, match="too near to a tie; support enumeration: 14 × 14"
    ) as caught:
        vertex_enumeration(NormalForm.bimatrix(rows, rows))
    assert "\n" not in str(caught.value)


def test_payoffs_closer_than_the_tolerance_are_ties():
    check_against_supports(NormalForm.bimatrix([[1e-13, 0], [0, 1]], [[0, 1], [1, 0]]))


@pytest.mark.parametrize("shape", [(3, 2, 2, 2), (1, 2), (2, 62, 1), (2, 30, 33)])
def test_what_is_too_large_is_refused(shape):
    needs = "need 2 players" if len(shape) != 3 else "the cap is 62 together"
    with pytest.raises(InputError, match=needs):
        vertex_enumeration(NormalForm(np.zeros(shape)))


def test_too_many_vertices_are_refused(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(v, "MAX_WORK", 6 * 6 * 10)
    with pytest.raises(InputError, match="6 × 6 actions with more than 10 vertices"):
        vertex_enumeration(NormalForm(rng.normal(size=(2, 6, 6))))
    monkeypatch.undo()
    monkeypatch.setattr(v, "MAX_PAIRS", 1)
    with pytest.raises(InputError, match="more than 1 pairs"):
        vertex_enumeration(NormalForm(np.ones((2, 3, 3))))


def test_sixty_actions_fit_the_bits():
    row = np.arange(60.0)[:, None]
    found = vertex_enumeration(NormalForm.bimatrix(row, row))
    assert [int(x.argmax()) for x, _ in found.profiles] == [59]
    assert found.complete


# The kernels.


@given(bimatrix_games(max_actions=4, elements=FLOATS), st.integers(-300, 290))
def test_the_scaled_payoffs_are_the_positive_form(game, exponent):
    payoffs = game.payoffs[1] * 10.0**exponent
    out = np.empty_like(payoffs)
    tie = k.scaled(payoffs, out)
    expected, expected_tie = positive_form(payoffs)
    assert_array_equal(out, expected)
    assert tie == expected_tie


def test_reverse_search_visits_each_vertex_of_a_simple_polytope_once():
    for n in range(2, 9):
        ended, degenerate, found = k.explore(
            np.random.default_rng(n).normal(size=(n, n + 1)), 10**6
        )
        assert (ended, degenerate) == (k.FOUND, False)
        nodes = found[:, 0].tolist()
        assert len(set(nodes)) == len(nodes)
        assert nodes[0] == 2**n - 1
        assert {node.bit_count() for node in nodes} == {n}


def test_labels_of_one_polytope_become_those_of_the_other():
    for bits in range(2**5):
        assert k.turned(k.turned(bits, 2, 3), 3, 2) == bits
    assert k.turned(0b01101, 2, 3) == 0b01011


@given(arrays(float, st.tuples(st.integers(1, 8), st.integers(1, 3)), elements=SMALL))
def test_arranging_sorts_and_drops_what_is_equal_up_to_nine_digits(points):
    noise = 1e-12 * np.arange(points.size).reshape(points.shape)
    rows = points + noise
    kept = rows[: k.arranged(rows)]
    assert [tuple(row) for row in kept.round(6)] == sorted(
        {tuple(row) for row in points.tolist()}, reverse=True
    )


KERNELS = [name for name, f in vars(k).items() if hasattr(f, "py_func")]


@settings(max_examples=20)
@given(
    bimatrix_games(max_actions=3, elements=FLOATS) | bimatrix_games(max_actions=3, elements=SMALL)
)
def test_kernels_equal_their_python_functions(game):
    def run():
        a, b = game.payoffs[0].T.copy(), game.payoffs[1].copy()
        simple = k.nondegenerate(game.payoffs, 1000, 1e-9)
        sides = [k.explore(side, 1000) for side in (a, b)]
        ended, ties = v._degenerate(a, b, 1000)
        tied = [np.concatenate(pair) for pair in ties.profiles]
        return *simple, *sides[0], *sides[1], ended, np.array(tied)

    compiled = run()
    names = {name: getattr(k, name).py_func for name in KERNELS}
    ours = {name: f for name, f in names.items() if hasattr(v, name)}
    with mock.patch.multiple(k, **names), mock.patch.multiple(v, **ours), np.errstate(all="ignore"):
        plain = run()
    for one, other in zip(compiled, plain, strict=True):
        assert_array_equal(one, other)
