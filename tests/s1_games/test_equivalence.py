"""Invariances: solutions that do not change, and games that are recognised as the same."""

from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import (
    NormalForm,
    best_responses,
    exact_equilibria,
    expected_utility,
    is_nash,
    library,
    pure_equilibria,
    regrets,
)
from refmarl.games.equivalence import (
    Renaming,
    equivalence,
    is_symmetric,
    isomorphic,
    isomorphisms,
    reduced,
    renamed,
    strategically_equivalent,
)
from refmarl.testing.strategies import INTEGERS, bimatrix_games, games, games_with_profiles

FEW = settings(max_examples=30)


@st.composite
def relatives(draw, max_players=3):
    """(game, the same in other units and with gifts, the factors)."""
    game = draw(games(max_players=max_players))
    factors = np.array([draw(st.sampled_from([0.5, 1.0, 3.0, 7.0])) for _ in game.payoffs])
    payoffs = np.empty_like(game.payoffs)
    for i, u in enumerate(game.payoffs):
        shape = (*u.shape[:i], 1, *u.shape[i + 1 :])
        payoffs[i] = factors[i] * u + draw(arrays(float, shape, elements=INTEGERS))
    return game, NormalForm(payoffs), factors


@st.composite
def renamings(draw, game):
    players = draw(st.permutations(range(game.num_players)))
    actions = [draw(st.permutations(range(k))) for k in game.num_actions]
    return Renaming(tuple(players), tuple(map(tuple, actions)))


def matters(u, i):
    """Does player i's own action change anything?"""
    return bool(np.ptp(u, axis=i).any())


@given(relatives())
def test_units_and_gifts_are_recognised_and_told(case):
    game, moved, factors = case
    found = equivalence(game, moved)
    assert found is not None
    expected = [
        f if matters(u, i) else 1.0
        for i, (f, u) in enumerate(zip(factors, game.payoffs, strict=True))
    ]
    assert_allclose(found, expected, rtol=1e-9)
    assert_allclose(equivalence(moved, game), 1 / found, rtol=1e-9)
    assert strategically_equivalent(game, game)


@given(relatives(), st.data())
@FEW
def test_solutions_do_not_change_with_units_and_gifts(case, data):
    game, moved, factors = case
    profile = [np.eye(k)[data.draw(st.integers(0, k - 1))] for k in game.num_actions]
    profile[0] = np.full(len(profile[0]), 1 / len(profile[0]))
    for i in range(game.num_players):
        same = best_responses(game, profile, i) == best_responses(moved, profile, i)
        assert same.all()
    assert_allclose(regrets(moved, profile), factors * regrets(game, profile), atol=1e-9)
    assert pure_equilibria(game) == pure_equilibria(moved)


@given(relatives(), st.data())
def test_a_change_of_one_payoff_is_seen(case, data):
    game, moved, _ = case
    i = data.draw(st.integers(0, game.num_players - 1))
    payoffs = moved.payoffs.copy()
    a = tuple(data.draw(st.integers(0, k - 1)) for k in game.num_actions)
    payoffs[(i, *a)] += 0.25
    changed = NormalForm(payoffs)
    others = int(np.prod(game.num_actions)) // game.num_actions[i]
    if game.num_actions[i] == 1:  # a gift, too
        assert strategically_equivalent(game, changed)
    elif others == 1 and game.num_actions[i] == 2:  # only the sign of one difference counts
        signs = [np.sign(np.diff(g.payoffs[i], axis=i)).item() for g in (game, changed)]
        assert strategically_equivalent(game, changed) == (signs[0] == signs[1])
    elif not matters(game.payoffs[i], i):
        assert not strategically_equivalent(game, changed)
    else:
        own = np.moveaxis(game.payoffs[i], i, 0).reshape(game.num_actions[i], -1)
        own = own - own.mean(axis=0)
        one = np.zeros(game.num_actions)
        one[a] = 1
        one = np.moveaxis(one, i, 0).reshape(game.num_actions[i], -1)
        one = one - one.mean(axis=0)
        parallel = np.linalg.matrix_rank(np.stack([own.ravel(), one.ravel()]), tol=1e-9) == 1
        assert strategically_equivalent(game, changed) == (
            parallel and ((own * one).sum() > 0 or equivalent_sign(own, one, factor(case, i)))
        )


def factor(case, i):
    return case[2][i]


def equivalent_sign(own, one, f):
    """own is a negative multiple of one: adding one/4 to f own may or may not turn it round."""
    return float((own * (f * own + 0.25 * one)).sum()) > 1e-9


def test_size_and_offset_do_not_hide_a_game():
    game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    for factor_, shift in ((1e-12, 0.0), (1e9, 0.0), (1e-4, 1e6), (1.0, -1e9)):
        moved = NormalForm(factor_ * game.payoffs + shift)
        assert_allclose(equivalence(game, moved), factor_, rtol=1e-4)
    assert not strategically_equivalent(game, NormalForm(-game.payoffs))
    assert not strategically_equivalent(game, NormalForm(0 * game.payoffs))


@given(games_with_profiles(max_players=3), st.data())
@FEW
def test_solutions_move_with_the_names(case, data):
    game, profile = case
    names = data.draw(renamings(game))
    other = renamed(game, names)
    moved = [None] * game.num_players
    for i, p in enumerate(names.players):
        x = np.empty(game.num_actions[i])
        x[list(names.actions[i])] = profile[i]
        moved[p] = x
    old = np.argsort(names.players)
    expected = expected_utility(game, profile)[old]
    assert_allclose(expected_utility(other, moved), expected, atol=1e-12)
    assert_allclose(regrets(other, moved), regrets(game, profile)[old], atol=1e-12)
    there = {tuple(names.actions[i][a[i]] for i in old.tolist()) for a in pure_equilibria(game)}
    assert set(pure_equilibria(other)) == there
    assert other.actions[names.players[0]][names.actions[0][0]] == game.actions[0][0]


@given(games(max_players=3, max_actions=2), st.data())
@FEW
def test_renamings_are_found(game, data):
    names = data.draw(renamings(game))
    other = renamed(game, names)
    found = list(isomorphisms(game, other))
    assert names in found
    for one in found:
        assert (renamed(game, one).payoffs == other.payoffs).all()
    assert len(found) == len(list(isomorphisms(game, game)))  # a coset of the symmetries
    assert isomorphic(other, game)


@given(relatives(max_players=2), st.data())
@settings(max_examples=15)
def test_up_to_units_both_are_seen_through(case, data):
    game, moved, _ = case
    other = renamed(moved, data.draw(renamings(moved)))
    assert isomorphic(game, other, up_to_units=True)


def test_named_games_of_two_actions():
    """Two actions: what counts is what the better one gains, against each of the other's."""
    chicken = library.game("chicken")
    for other, same in (
        (library.game("hawk-dove", value=2, cost=6), True),
        (library.game("hawk-dove", value=2, cost=4), False),
        (library.game("battle-of-the-sexes"), True),  # equilibria in the other corners
        (library.game("stag-hunt"), False),
        (library.game("prisoners-dilemma"), False),
    ):
        assert isomorphic(chicken, other, up_to_units=True) == same
        assert not isomorphic(chicken, other)
    dilemmas = [library.game(f"prisoners-dilemma{end}") for end in ("", "-positive")]
    assert not isomorphic(*dilemmas, up_to_units=True)  # confessing gains 1 and 1; 2 and 1


def test_symmetries_of_the_classics():
    pennies, rps = library.game("matching-pennies"), library.game("rock-paper-scissors")
    assert len(list(isomorphisms(pennies, pennies))) == 4
    assert len(list(isomorphisms(rps, rps))) == 6  # three turns, with players kept or exchanged
    same = NormalForm(np.zeros((2, 3, 3)))
    assert len(list(isomorphisms(same, same))) == 2 * factorial(3) ** 2


@given(arrays(float, (3, 3), elements=INTEGERS))
def test_symmetric_games_are_symmetric(A):
    assert is_symmetric(NormalForm.bimatrix(A, A.T))
    assert is_symmetric(NormalForm.bimatrix(A, A)) == bool((A == A.T).all())


def test_symmetry_of_three_players_is_that_of_all_exchanges():
    """Paid for the number of others who play 1: all alike. A circle: turns only."""
    own, *_ = a = np.indices((2, 2, 2))
    alike = NormalForm(np.stack([sum(a) - k for k in a]) * 1.0)
    circle = NormalForm(np.stack([a[1], a[2], a[0]]) * 1.0)
    assert own.shape == (2, 2, 2)
    assert is_symmetric(alike)
    assert not is_symmetric(circle)
    assert len(list(isomorphisms(circle, circle))) == 3
    first_two = NormalForm(np.stack([a[0] + a[1], a[0] + a[1], a[2]]) * 1.0)
    assert not is_symmetric(first_two)
    assert not is_symmetric(NormalForm(np.zeros((2, 2, 3))))


@st.composite
def with_duplicates(draw):
    """(game, the same with actions repeated, what each action repeats)."""
    game = draw(bimatrix_games())
    origin = [
        draw(st.permutations([*range(k), *draw(st.lists(st.integers(0, k - 1), max_size=2))]))
        for k in game.num_actions
    ]
    return game, NormalForm(game.payoffs[np.ix_([0, 1], *origin)]), origin


@given(with_duplicates())
def test_duplicates_are_put_together(case):
    game, larger, origin = case
    once, again = reduced(game), reduced(larger)
    assert once.game.num_actions == again.game.num_actions
    assert isomorphic(once.game, again.game)
    for i in range(2):
        assert sorted(a for own in again.classes[i] for a in own) == list(range(len(origin[i])))
        for own in again.classes[i]:
            rows = np.moveaxis(larger.payoffs, i + 1, 0)[list(own)]
            assert (rows == rows[0]).all()
        first = [own[0] for own in again.classes[i]]
        assert first == sorted(first)
    assert reduced(again.game).game.num_actions == again.game.num_actions


@given(with_duplicates(), st.integers(0, 4))
@settings(max_examples=20)
def test_equilibria_of_the_reduced_game_can_be_shared_out(case, part):
    _, larger, _ = case
    found = reduced(larger)
    for profile in exact_equilibria(found.game).profiles:
        spread = []
        for x, classes, k in zip(profile, found.classes, larger.num_actions, strict=True):
            y = np.zeros(k)
            for p, own in zip(x, classes, strict=True):
                y[own[0]] += float(p) * part / 4
                y[own[-1]] += float(p) * (1 - part / 4)
            spread.append(y)
        assert is_nash(larger, spread)


GAME = library.game("chicken")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: equivalence(GAME, NormalForm(np.zeros((2, 2, 3)))), "equal shapes"),
        (lambda: renamed(GAME, Renaming((0, 0), ((0, 1), (0, 1)))), "permutation"),
        (lambda: renamed(GAME, Renaming((0, 1), ((0, 1), (0,)))), "permutation"),
        (lambda: renamed(GAME, Renaming((0, 1), ((0, 1),))), "need 2 permutations"),
        (lambda: isomorphic(*[NormalForm(np.zeros((2, 8, 8)))] * 2), "cap is 200000"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
    assert not isomorphic(GAME, NormalForm(np.zeros((2, 2, 3))))
