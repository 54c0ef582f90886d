"""The indices of all components sum to +1, in every game; nothing depends on the perturbation."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refmarl.games import NormalForm, library
from refmarl.games.component_index import component_indices
from refmarl.games.exact import exact_equilibria
from refmarl.games.lemke_howson import all_labels
from refmarl.testing.strategies import INTEGERS, bimatrix_games

TIED = st.sampled_from([0.0, 0.0, 1.0])
SMALL = bimatrix_games(4, elements=st.one_of(TIED, INTEGERS))


@given(SMALL)
@settings(max_examples=150)
def test_the_indices_of_all_components_sum_to_one(game):
    """The theorem; its corollary for nondegenerate games is that their number is odd."""
    indices = component_indices(game)
    assert len(indices) == len(exact_equilibria(game).components)
    assert sum(indices) == 1


@given(SMALL, st.integers(1, 10_000))
def test_the_perturbation_does_not_matter(game, seed):
    assert component_indices(game) == component_indices(game, seed=seed)


@given(SMALL)
def test_regular_equilibria_have_the_index_that_their_determinants_give(game):
    found = exact_equilibria(game)
    indices = dict(zip((c[0] for c in found.components), component_indices(game), strict=True))
    for profile, _, index in found.extreme:
        if index is not None:
            (own,) = (
                s for s in indices if (profile[0] in s.rows, profile[1] in s.columns) == (1, 1)
            )
            assert indices[own] == index


@given(SMALL)
def test_strict_equilibria_have_index_one(game):
    a, b = game.payoffs
    found = exact_equilibria(game)
    for component, index in zip(found.components, component_indices(game, found), strict=True):
        for subset in component:
            i, j = subset.rows[0], subset.columns[0]
            if max(i) == max(j) == 1:
                i, j = i.index(1), j.index(1)
                strict = (a[:, j] < a[i, j]).sum() == len(a) - 1
                if strict and (b[i] < b[i, j]).sum() == b.shape[1] - 1:
                    assert (len(component), index) == (1, 1)


@given(SMALL, st.integers(-5, 5), st.sampled_from([Fraction(1, 3), 7]))
def test_units_and_what_one_cannot_change_do_not_matter(game, constant, unit):
    a, b = ([[Fraction(v) for v in row] for row in u.tolist()] for u in game.payoffs)
    moved = [[unit * v + constant * j for j, v in enumerate(row)] for row in a]
    assert component_indices([moved, b]) == component_indices(game)


@given(SMALL)
def test_the_players_may_change_places(game):
    swapped = NormalForm(np.stack([game.payoffs[1].T, game.payoffs[0].T]))
    found, other = exact_equilibria(game), exact_equilibria(swapped)
    there = {
        frozenset((s.columns, s.rows) for s in component): index
        for component, index in zip(other.components, component_indices(swapped), strict=True)
    }
    for component, index in zip(found.components, component_indices(game), strict=True):
        assert there[frozenset((s.rows, s.columns) for s in component)] == index


@given(arrays(float, (2, 3, 3), elements=INTEGERS))
@settings(max_examples=20)
def test_a_duplicate_action_changes_no_index(payoffs):
    """Equilibria of the larger game project on those of the smaller; indices are kept."""
    game = NormalForm(payoffs)
    larger = NormalForm(np.concatenate([payoffs, payoffs[:, :1]], axis=1))
    assert sorted(component_indices(larger)) == sorted(component_indices(game))


@given(arrays(float, (2, 3, 3), elements=st.floats(-1, 1)))
@settings(max_examples=20)
def test_paths_lead_to_components_of_positive_index_where_the_game_is_regular(payoffs):
    game = NormalForm(payoffs)
    found = exact_equilibria(game)
    if found.degenerate:
        return
    indices = component_indices(game, found)
    assert list(indices) == [e.nash_index for e in found.extreme]
    for reached in all_labels(game):
        off = [
            max(abs(float(p) - q) for p, q in zip(e.profile[0], reached.profile[0], strict=True))
            for e in found.extreme
        ]
        assert indices[int(np.argmin(off))] == 1


def test_an_index_may_be_zero_or_belong_to_a_continuum():
    assert component_indices([[[1, 0], [0, 0]], [[1, 0], [0, 0]]]) == (1, 0)
    assert component_indices([[[0, 0], [0, 0]], [[0, 0], [0, 0]]]) == (1,)
    entry = [[2, 2], [1, 3]], [[2, 2], [0, 1]]  # out, or in and then fight or yield
    assert sum(component_indices(entry)) == 1


@pytest.mark.parametrize("name", library.names())
def test_the_library(name):
    game = library.game(name)
    if game.num_players == 2 and max(game.num_actions) <= 7:
        assert sum(component_indices(game)) == 1
