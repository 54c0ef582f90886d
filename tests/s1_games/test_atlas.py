"""The 144 games: counts from the literature, by brute force; exchanges and their graph."""

from collections import Counter
from itertools import chain, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.games import NormalForm, library, pareto_frontier, pure_equilibria, strictly_dominated
from refmarl.games.atlas import (
    KINDS,
    LAYERS,
    NAMES,
    SYMMETRIC,
    Ordinal,
    atlas,
    canonical,
    exchanged,
    layer,
    name,
    named,
    neighbours,
    ordinal,
    place,
    structure,
    untied,
)
from refmarl.games.equivalence import is_symmetric, isomorphic, isomorphisms

GAMES = tuple(chain.from_iterable(atlas()))
TABLES = st.tuples(*[st.permutations((1, 2, 3, 4)).map(tuple)] * 2).map(lambda t: Ordinal(*t))


def groups(ranks):
    """What the exchanges k ↔ k+1, k in ranks, join."""
    left, found = set(GAMES), []
    while left:
        reached, new = set(), {left.pop()}
        while new:
            reached |= new
            new = set(chain.from_iterable(neighbours(g, ranks) for g in new)) - reached
        left -= reached
        found.append(reached)
    return found


def test_there_are_144_games_and_78_if_players_may_be_exchanged():
    """All 576 tables, put together by a search for renamings that knows no canonical form."""
    orders = list(permutations((1, 2, 3, 4)))
    tables = [Ordinal(row, column) for row in orders for column in orders]
    assert Counter(map(canonical, tables)) == dict.fromkeys(GAMES, 4)
    assert len(set(GAMES)) == 144
    assert len({min(g, exchanged(g)) for g in GAMES}) == 78
    assert sum(exchanged(g) == g for g in GAMES) == 12


@given(TABLES, TABLES)
def test_games_are_the_same_iff_rows_and_columns_can_be_renamed(one, other):
    kept = [r for r in isomorphisms(one.game, other.game) if r.players == (0, 1)]
    assert bool(kept) == (canonical(one) == canonical(other))
    both = isomorphic(one.game, other.game)
    assert both == (canonical(one) in (canonical(other), exchanged(other)))


@given(TABLES)
def test_canonical_forms(game):
    form = canonical(game)
    assert form.row.index(4) in (1, 3)
    assert form.column.index(4) in (0, 1)
    assert canonical(form) == form
    assert exchanged(exchanged(game)) == form
    i, j = place(game)
    assert atlas()[i][j] == form
    assert place(exchanged(game)) == (j, i)
    assert named(name(game)) == form
    assert ordinal(game.game) == form
    assert structure(game) == structure(form)
    assert layer(game) == layer(form)


def test_the_diagonal_holds_the_symmetric_games():
    for i, title in enumerate(NAMES):
        game = atlas()[i][i]
        assert exchanged(game) == game
        assert name(game) == title
        rank = {letter: 4 - k for k, letter in enumerate(SYMMETRIC[title])}
        payoffs = [[rank["R"], rank["S"]], [rank["T"], rank["P"]]]
        plain = NormalForm.bimatrix(payoffs, np.transpose(payoffs))
        assert is_symmetric(plain)
        assert ordinal(plain) == game


def test_exchanges_of_ranks():
    """Six neighbours each, all different; every exchange is undone by another."""
    for game in GAMES:
        found = neighbours(game)
        assert len({*found, game}) == 7
        for k, other in enumerate(found):
            assert game in neighbours(other)
            same_player = [place(game)[p] == place(other)[p] for p in (0, 1)]
            if k % 3 < 2:  # below 4 only the pattern of the one player changes
                assert same_player == [k >= 3, k < 3]
    assert len(groups((1, 2, 3))) == 1


def test_layers_tiles_hotspots_and_pipes():
    """Robinson & Goforth 2005."""
    layers = groups((1, 2))
    assert sorted(map(len, layers)) == [36] * 4
    assert all(len({layer(g) for g in one}) == 1 for one in layers)
    assert Counter(map(layer, GAMES)) == dict.fromkeys(LAYERS, 36)
    tiles = groups((1,))
    assert list(map(len, tiles)) == [4] * 36
    joined = groups((1, 3))
    assert sorted(map(len, joined)) == [8] * 6 + [16] * 6
    assert all(len({layer(g) for g in one}) == len(one) // 4 for one in joined)


def test_neighbours_in_the_table_are_neighbours():
    for i in range(12):
        ring = i // 6 * 6 + (i + 1) % 6
        for j in range(12):
            k = (1, 0)[i % 2]  # 2 ↔ 3 and 1 ↔ 2 in turn
            assert atlas()[ring][j] == neighbours(atlas()[i][j])[k]


def test_equilibria_dominance_and_efficiency_by_brute_force():
    for found in GAMES:
        game, seen = found.game, structure(found)
        pure = pure_equilibria(game)
        assert sorted(seen.equilibria) == sorted(tuple(map(int, game.at(a))) for a in pure)
        dominant = sum(strictly_dominated(game, i, by="pure").any() for i in (0, 1))
        assert seen.dominant == dominant
        beaten = sum(any((game.at(b) > game.at(a)).all() for b in np.ndindex(2, 2)) for a in pure)
        expected = {0: {0: "cycle"}, 1: {0: "one", 1: "deficient"}, 2: {0: "rival", 1: "ranked"}}
        assert seen.kind == expected[len(pure)][beaten]


def test_how_many_games_there_are_of_each_kind():
    """18 without a pure equilibrium, 108 with one, 18 with two; of the 78: 9, 57, 12."""
    seen = {g: structure(g) for g in GAMES}
    assert Counter(len(s.equilibria) for s in seen.values()) == {0: 18, 1: 108, 2: 18}
    assert Counter(s.dominant for s in seen.values()) == {0: 36, 1: 72, 2: 36}
    assert Counter(s.kind for s in seen.values()) == dict(
        zip(KINDS, (101, 7, 9, 9, 18), strict=True)
    )
    once = {min(g, exchanged(g)) for g in GAMES}
    assert Counter(len(seen[g].equilibria) for g in once) == {0: 9, 1: 57, 2: 12}
    # a dominant action makes the equilibrium unique; with none there are two or there is none
    assert all((s.dominant > 0) == (len(s.equilibria) == 1) for s in seen.values())


def test_rapoport_and_guyer_s_classes_of_conflict():
    """Of the 78: 21 in which both like the same best, 3 of pure conflict, 54 mixed."""
    once = {min(g, exchanged(g)) for g in GAMES}
    aligned = {g for g in once if layer(g) == "aligned"}
    opposed = {g for g in once if all(r + c == 5 for r, c in zip(*g, strict=True))}
    assert (len(aligned), len(opposed), len(once - aligned - opposed)) == (21, 3, 54)


def test_only_the_prisoner_s_dilemma_has_dominant_actions_that_lead_both_astray():
    astray = [g for g in GAMES if structure(g).dominant == 2 and structure(g).kind == "deficient"]
    assert astray == [named("prisoner's dilemma")]


def test_what_is_deficient_lies_off_the_frontier():
    beaten = {"one": 0, "deficient": 1, "ranked": 1, "rival": 0, "cycle": 0}
    for found in GAMES:
        optimal = pareto_frontier(found.game)
        off = sum(not optimal[a] for a in pure_equilibria(found.game))
        assert off == beaten[structure(found).kind]


@pytest.mark.parametrize(
    ("title", "where"),
    [
        ("prisoners-dilemma", {"prisoner's dilemma"}),
        ("prisoners-dilemma-positive", {"prisoner's dilemma"}),
        ("chicken", {"chicken"}),
        ("stag-hunt", {"stag hunt"}),
        ("hawk-dove", {"chicken"}),
        ("battle-of-the-sexes", {"leader", "hero", "leader × hero", "hero × leader"}),
        ("inspection", None),
    ],
)
def test_the_library_s_games_have_their_place(title, where):
    found = untied(library.game(title))
    if where is not None:
        assert {name(g) for g in found} == where
    else:
        assert {structure(g).kind for g in found} == {"cycle"}


@given(st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_breaking_ties_contradicts_no_difference(numbers):
    payoffs = np.reshape(numbers, (2, 2, 2)).astype(float)
    found = untied(NormalForm(payoffs))
    assert found
    assert list(found) == sorted(set(found), key=place)
    noise = np.random.default_rng(0).permutation(8).reshape(2, 2, 2) / 100
    assert ordinal(NormalForm(payoffs + noise)) in found
    if not any(len(set(u.ravel())) < 4 for u in payoffs):
        assert len(found) == 1


def test_bad_input():
    with pytest.raises(InputError, match="indifferent"):
        ordinal(library.game("coordination"))
    with pytest.raises(InputError, match="2 players with 2"):
        untied(library.game("shapley"))
    with pytest.raises(InputError, match="no game"):
        named("chess")
    for call in (neighbours, place, structure, layer, exchanged):
        with pytest.raises(InputError, match="ranks 1, 2, 3, 4"):
            call(Ordinal((1, 2, 3, 3), (1, 2, 3, 4)))
    with pytest.raises(InputError, match="among 1, 2, 3"):
        neighbours(GAMES[0], (0,))
