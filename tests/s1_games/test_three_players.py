"""All equilibria of three players with two actions: nothing false, nothing left out."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refmarl.check import InputError
from refmarl.games import NormalForm, is_nash, pure_equilibria, support_enumeration
from refmarl.games.homotopy import one_equilibrium
from refmarl.games.three_players import Surd, all_equilibria_of_three, roots
from refmarl.testing.strategies import INTEGERS

SEEDS = st.integers(0, 10_000)
WHOLE = arrays(float, (3, 2, 2, 2), elements=INTEGERS)
FRACTIONS = st.fractions(-3, 3, max_denominator=8)
DELTA = Fraction(2)


def gaussian(seed):
    return NormalForm(np.random.default_rng(seed).normal(size=(3, 2, 2, 2)))


def probabilities(profiles):
    return np.array([[x[0] for x in p] for p in profiles]).reshape(-1, 3)


def assert_same_set(found, expected):
    assert len(found) == len(expected)
    for x in expected:
        assert np.abs(found - x).max(axis=1).min() <= 1e-9


@given(WHOLE)
@settings(max_examples=150)
def test_all_are_equilibria_and_all_pure_ones_are_there(payoffs):
    game = NormalForm(payoffs)
    found = all_equilibria_of_three(game)
    assert found.complete == (found.reason == "")
    assert all(is_nash(game, profile, tol=1e-14) for profile in found.profiles)
    points = probabilities(found.profiles)
    pure = {tuple(np.round(1 - p).astype(int)) for p in points if set(p) <= {0.0, 1.0}}
    assert pure == set(pure_equilibria(game, tol=0.0))
    assert len({tuple(p) for p in points}) == len(points)


@given(SEEDS)
@settings(max_examples=100)
def test_their_number_is_odd_and_every_path_ends_at_one(seed):
    game = gaussian(seed)
    found = all_equilibria_of_three(game)
    assert found.complete
    assert len(found.profiles) % 2 == 1
    end = probabilities([one_equilibrium(game).profile])[0]
    assert np.abs(probabilities(found.profiles) - end).max(axis=1).min() <= 1e-8


@given(WHOLE)
@settings(max_examples=60)
def test_what_a_path_finds_in_a_game_with_ties_is_among_them_if_they_are_all(payoffs):
    game = NormalForm(payoffs)
    found = all_equilibria_of_three(game)
    end = probabilities([one_equilibrium(game).profile])[0]
    if found.complete:
        assert np.abs(probabilities(found.profiles) - end).max(axis=1).min() <= 1e-6


@given(WHOLE, st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_names_of_players_and_actions_do_not_matter(payoffs, order, flips):
    base = all_equilibria_of_three(NormalForm(payoffs))
    moved = np.transpose(payoffs[list(order)], [0, *(k + 1 for k in order)])
    for i, flip in enumerate(flips):
        moved = np.flip(moved, axis=i + 1) if flip else moved
    found = all_equilibria_of_three(NormalForm(moved))
    expected = probabilities(base.profiles)[:, list(order)]
    expected = np.where(flips, 1 - expected, expected)
    if base.complete and found.complete:
        assert_same_set(probabilities(found.profiles), expected)


@given(arrays(float, (2, 2, 2), elements=INTEGERS), st.integers(0, 2), st.integers(1, 3))
@settings(max_examples=100)
def test_with_a_third_who_does_not_matter_they_are_those_of_the_two(payoffs, place, bonus):
    """A third player with a dominant action; the others' payoffs without it are all ties."""
    two = NormalForm(payoffs)
    both = np.repeat(payoffs[:, :, :, None], 2, axis=3)
    own = np.broadcast_to([float(bonus), 0.0], (1, 2, 2, 2))
    cube = np.moveaxis(np.concatenate([both, own]), [0, 3], [0, place + 1])
    order = [0, 1]
    order.insert(place, 2)
    found = all_equilibria_of_three(NormalForm(cube[order]))
    every = support_enumeration(two)
    if every.complete:
        assert found.complete
        expected = [np.insert([x[0], y[0]], place, 1.0) for x, y in every.profiles]
        assert_same_set(probabilities(found.profiles), expected)
    else:
        assert not found.complete


def test_a_quadratic_irrationality_is_found():
    stay = np.indices((2, 2, 2))
    crowd = (stay == 0).all(axis=0)
    game = NormalForm(np.where(stay == 1, 0.0, np.where(crowd, -1.0, 1.0)))
    points = probabilities(all_equilibria_of_three(game).profiles)
    assert np.abs(points - 0.5**0.5).max(axis=1).min() <= 1e-15
    mixed = [p for p in points if ((p > 0) & (p < 1)).all()]
    assert len(mixed) == 1


def test_a_game_that_pays_nothing_has_infinitely_many():
    found = all_equilibria_of_three(NormalForm(np.zeros((3, 2, 2, 2))))
    assert not found.complete
    assert "degenerate" in found.reason
    assert len(found.profiles) >= 8


@given(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS)
def test_surds_are_a_field_with_an_order(a, b, c, d):
    x, y = Surd(a, b, DELTA), Surd(c, d, DELTA)
    number = float(a) + float(b) * 2**0.5
    assert x.sign() == np.sign(round(number, 9))
    assert x.number() == pytest.approx(number, abs=1e-12)
    assert x.inside() == (0 < number < 1)
    if y.sign():
        back = x.over(y).times(y)
        assert (back.u, back.v) == (a, b)
    assert x.plus(y).u == a + c
    product = number * (float(c) + float(d) * 2**0.5)
    assert x.times(y).number() == pytest.approx(product, abs=1e-9)


@given(FRACTIONS, FRACTIONS, FRACTIONS)
def test_roots_are_roots_and_as_many_as_there_are(low, mid, high):
    found = list(roots(low, mid, high))
    for p in found:
        value = Surd(low).plus(Surd(mid).times(p)).plus(Surd(high).times(p).times(p))
        assert value.sign() == 0
    delta = mid**2 - 4 * low * high
    if high:
        assert len(found) == 1 + int(np.sign(delta))
    else:
        assert len(found) == int(mid != 0)


def test_other_shapes_are_refused():
    with pytest.raises(InputError, match="need three players with 2 actions each"):
        all_equilibria_of_three(NormalForm(np.zeros((3, 2, 2, 3))))
