"""Beliefs that justify, and closed sets: against each other and against equilibria."""

from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.games import (
    NormalForm,
    best_responses,
    exact_equilibria,
    iterated_elimination,
    library,
    pure_equilibria,
    strictly_dominated,
)
from refmarl.games.dominance import restricted
from refmarl.games.rationalizable import (
    belief,
    closure,
    is_closed,
    justified,
    minimal_closed_sets,
    rationalizable,
    replies,
)
from refmarl.testing.strategies import bimatrix_games, games

FEW = settings(max_examples=30)


def within(inner, outer):
    return all(set(a) <= set(b) for a, b in zip(inner, outer, strict=True))


def everything(game):
    return tuple(tuple(range(k)) for k in game.num_actions)


def subsets(k):
    """Non-empty sets of actions."""
    return list(chain.from_iterable(combinations(range(k), s) for s in range(1, k + 1)))


def strict_equilibria(game):
    """Pure equilibria that everybody would lose by leaving."""
    found = []
    for a in pure_equilibria(game):
        rows = [np.moveaxis(game.payoffs[i], i, 0) for i in range(game.num_players)]
        told = [tuple(b for j, b in enumerate(a) if j != i) for i in range(game.num_players)]
        values = [u[(slice(None), *t)] for u, t in zip(rows, told, strict=True)]
        if all((np.delete(v, k) < v[k]).all() for v, k in zip(values, a, strict=True)):
            found.append(a)
    return found


@given(games(max_players=3))
@FEW
def test_an_action_is_justified_or_dominated(game):
    """Pearce's lemma: the belief proves the one, the dominator the other."""
    for i in range(game.num_players):
        dominated = strictly_dominated(game, i)
        u = np.moveaxis(game.payoffs[i], i, 0)
        for a in range(len(u)):
            found = belief(game, i, a)
            assert (found is None) == dominated[a]
            if found is not None:
                assert (found >= 0).all()
                assert found.sum() == pytest.approx(1)
                assert found.shape[i] == 1
                values = (u * np.take(found, 0, axis=i)).reshape(len(u), -1).sum(axis=1)
                assert values[a] >= values.max() - 1e-8


@given(games(max_players=3))
@FEW
def test_what_survives_is_what_dominance_leaves_and_holds_what_point_beliefs_leave(game):
    assert rationalizable(game) == iterated_elimination(game).kept
    assert within(rationalizable(game, "point"), rationalizable(game))
    for a in pure_equilibria(game):
        assert within([(k,) for k in a], rationalizable(game, "point"))


@given(games(max_players=3))
@FEW
def test_what_survives_is_justified_by_what_survives(game):
    for beliefs in ("correlated", "point"):
        kept = rationalizable(game, beliefs)
        left = restricted(game, kept)
        for i in range(game.num_players):
            assert justified(left, i, beliefs).all()
            inside = [everything(game)[j] if j == i else own for j, own in enumerate(kept)]
            whole = justified(restricted(game, inside), i, beliefs)
            assert set(np.flatnonzero(whole)) <= set(kept[i])


def test_a_belief_that_is_correlated_justifies_more():
    """Osborne & Rubinstein 1994, §4.1: the second is best against a coin that both others see.

    Against independent p, q it pays 4(pq + (1-p)(1-q)). It beats 8pq and 8(1-p)(1-q) only if they
    are equal, p + q = 1, and then it is 8pq ≤ 2 < 3, the fourth's payoff.
    """
    third = np.zeros((2, 2, 4))
    third[0, 0], third[1, 1], third[..., 3] = [8, 4, 0, 3], [0, 4, 8, 3], 3
    game = NormalForm(np.stack([np.zeros((2, 2, 4))] * 2 + [third]))
    assert rationalizable(game)[2] == (0, 1, 2, 3)
    assert rationalizable(game, "point")[2] == (0, 2, 3)
    found = belief(game, 2, 1)[..., 0]
    assert found[0, 0] == pytest.approx(found[1, 1])
    assert 3 / 8 - 1e-9 <= found[0, 0] <= 1 / 2 + 1e-9
    for p, q in product(np.linspace(0, 1, 21), repeat=2):
        assert not best_responses(game, ([p, 1 - p], [q, 1 - q], [1, 0, 0, 0]), 2)[1]


@given(games(max_players=3))
@FEW
def test_best_responses_to_every_mixture_of_a_set_are_its_replies(game):
    rng = np.random.default_rng(0)
    for i in range(game.num_players):
        sets = [sorted(set(rng.integers(0, k, size=2).tolist())) for k in game.num_actions]
        allowed = set(replies(game, sets, i))
        for _ in range(5):
            profile = []
            for own, k in zip(sets, game.num_actions, strict=True):
                x = np.zeros(k)
                x[own] = rng.dirichlet(np.ones(len(own)))
                profile.append(x)
            assert set(np.flatnonzero(best_responses(game, profile, i, 1e-12))) <= allowed


@given(bimatrix_games())
@FEW
def test_minimal_closed_sets_are_those_of_a_search_through_all_sets(game):
    closed = [s for s in product(*map(subsets, game.num_actions)) if is_closed(game, s)]
    minimal = [s for s in closed if not any(t != s and within(t, s) for t in closed)]
    assert minimal_closed_sets(game) == tuple(sorted(minimal))


@given(games(max_players=3))
@FEW
def test_laws_of_closed_sets(game):
    found = minimal_closed_sets(game)
    assert found
    survivors = rationalizable(game)
    assert is_closed(game, survivors)
    for sets in found:
        assert is_closed(game, sets)
        assert within(sets, survivors)
        for i, own in enumerate(sets):  # minimal: nothing in it that is no reply to it
            assert replies(game, sets, i) == own
        a = [own[-1] for own in sets]
        assert closure(game, [(k,) for k in a]) == sets
    for one, other in combinations(found, 2):
        assert any(set(a).isdisjoint(b) for a, b in zip(one, other, strict=True))
        if game.num_players == 2:
            assert all(set(a).isdisjoint(b) for a, b in zip(one, other, strict=True))
    single = [tuple(own[0] for own in s) for s in found if all(len(own) == 1 for own in s)]
    assert sorted(single) == sorted(strict_equilibria(game))


@given(bimatrix_games())
@FEW
def test_every_closed_set_holds_an_equilibrium_of_the_game(game):
    for sets in minimal_closed_sets(game):
        inside = [
            profile
            for profile in exact_equilibria(game).profiles
            if within([[a for a, p in enumerate(x) if p] for x in profile], sets)
        ]
        assert inside


def test_named_games():
    assert minimal_closed_sets(library.game("matching-pennies")) == (((0, 1), (0, 1)),)
    assert minimal_closed_sets(library.game("chicken")) == (((0,), (1,)), ((1,), (0,)))
    assert minimal_closed_sets(library.game("shapley")) == (((0, 1, 2), (0, 1, 2)),)
    assert rationalizable(library.game("prisoners-dilemma")) == ((1,), (1,))


@given(games(max_players=3), st.integers(1, 5))
@FEW
def test_units_and_what_others_pay_do_not_matter(game, factor):
    shift = np.stack([u.max(axis=i, keepdims=True) + 0 * u for i, u in enumerate(game.payoffs)])
    moved = NormalForm(factor * game.payoffs + shift)
    assert rationalizable(moved) == rationalizable(game)
    assert minimal_closed_sets(moved) == minimal_closed_sets(game)


GAME = library.game("chicken")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rationalizable(GAME, "wild"), "need one of correlated, point"),
        (lambda: justified(GAME, 2), "player"),
        (lambda: belief(GAME, 0, 5), "action"),
        (lambda: is_closed(GAME, ([0],)), "2 lists"),
        (lambda: is_closed(GAME, ([], [0])), "empty"),
        (lambda: closure(GAME, ([3], [0])), "action of player 0"),
        (lambda: minimal_closed_sets(NormalForm(np.zeros((2, 51, 51)))), "cap is 2500"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_one_player_and_one_action():
    alone = NormalForm([[1.0, 3.0, 3.0]])
    assert rationalizable(alone) == ((1, 2),)
    assert minimal_closed_sets(alone) == (((1, 2),),)
    assert belief(NormalForm(np.ones((2, 1, 1))), 0, 0).tolist() == [[1.0]]
