"""The library's entries hold: what is published is true of the game beside it."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import library, pure_equilibria, regrets
from refmarl.games.nash import scale
from refmarl.games.pareto import pareto_frontier
from refmarl.games.support import support_enumeration
from refmarl.games.welfare import price_of_anarchy, price_of_stability, social_welfare

OTHERS = [  # beside the defaults: the corners of each parametrised game
    ("hawk-dove", {"value": 3, "cost": 2}),
    ("hawk-dove", {"value": 0.3, "cost": 0.7}),
    ("inspection", {"effort": 0.2, "inspecting": 0.1, "wage": 0.7, "output": 0}),
    ("blotto", {"soldiers": 3, "fields": 2}),
    ("blotto", {"soldiers": 5, "fields": 3}),
    ("blotto", {"soldiers": 6, "fields": 4}),
    ("penalty", {"k": 0}),
    ("penalty", {"k": -9.5}),
    ("penalty", {"k": -10}),
    ("penalty", {"k": -10.5}),
    ("identity-coordination", {"size": 1}),
    ("identity-coordination", {"size": 5}),
    ("cournot", {"steps": 1}),
    ("cournot", {"intercept": 1.7, "slope": 0.3, "cost": 0.2, "steps": 7}),
    ("travelers-dilemma", {"low": 3, "high": 3}),
    ("travelers-dilemma", {"low": 0, "high": 6, "bonus": 1.5}),
    ("public-goods", {"n": 5, "r": 1.3}),
    ("public-goods", {"n": 3, "r": 3.5}),
    ("public-goods", {"n": 2, "r": 0.5}),
    ("congestion", {"n": 2, "m": 3}),
    ("congestion", {"n": 5, "m": 3}),
    ("minimum-effort", {"n": 2, "efforts": 7, "benefit": 0.2, "cost": 0.1}),
    ("minimum-effort", {"n": 4, "efforts": 1}),
    ("volunteers-dilemma", {"n": 2, "benefit": 3, "cost": 1}),
    ("volunteers-dilemma", {"n": 5, "benefit": 0.7, "cost": 0.6}),
    ("dispersion", {"n": 2}),
    ("dispersion", {"n": 4}),
    ("el-farol", {"n": 5, "capacity": 3}),
    ("el-farol", {"n": 2, "capacity": 1}),
    ("rps-n", {"n": 1}),
    ("rps-n", {"n": 5}),
    ("weighted-pennies", {"a": 0.5, "b": 2, "c": 1, "d": 0.25}),
    ("cournot-oligopoly", {"n": 2, "steps": 5}),
    ("cournot-oligopoly", {"n": 4, "intercept": 3, "slope": 0.5, "cost": 0.1, "steps": 1}),
    ("cournot-oligopoly", {"n": 3, "intercept": 3.3, "cost": 3.2, "steps": 4}),
    ("bertrand", {"n": 3, "prices": 2}),
    ("bertrand", {"n": 2, "prices": 2}),
    ("bertrand", {"n": 3, "prices": 5}),
    ("bertrand", {"n": 4, "prices": 4}),
    ("tullock", {"n": 2, "steps": 1}),
    ("tullock", {"n": 2, "prize": 0.3, "r": 0.3, "steps": 20}),
    ("tullock", {"n": 3, "steps": 5}),
    ("tullock", {"n": 4, "r": 0.7, "steps": 3}),
    ("all-pay", {"prize": 3}),
    ("all-pay", {"prize": 6}),
    ("all-pay", {"prize": 7}),
    ("war-of-attrition", {"prize": 2.5, "longest": 1}),
    ("war-of-attrition", {"prize": 8, "longest": 4}),
    ("war-of-attrition", {"prize": 7, "longest": 5}),
    ("war-of-attrition", {"prize": 3, "longest": 8}),
    ("centipede", {"legs": 2}),
    ("centipede", {"legs": 7, "large": 3, "small": 0.5, "growth": 3}),
    ("braess", {"n": 2}),
    ("braess", {"n": 5}),
    ("pure-coordination", {"n": 2, "m": 3}),
    ("pure-coordination", {"n": 4, "m": 3}),
    ("stag-hunt-n", {"n": 2, "needed": 2, "hare": 3}),
    ("stag-hunt-n", {"n": 5, "needed": 3}),
    ("majority", {"n": 3}),
    ("minority", {"n": 3}),
    ("minority", {"n": 7}),
    ("agreement", {"n": 2, "m": 1}),
    ("agreement", {"n": 4, "m": 2}),
    ("graph-colouring", {"n": 3, "colours": 3}),
    ("graph-colouring", {"n": 5, "colours": 4}),
    ("battle-of-n", {"n": 2, "favourite": 2}),
    ("battle-of-n", {"n": 4, "other": 0.5}),
]
CASES = [(name, {}) for name in library.names()] + OTHERS
IDS = [name + "".join(f",{k}={v}" for k, v in values.items()) for name, values in CASES]
every_game = pytest.mark.parametrize(("name", "values"), CASES, ids=IDS)


@every_game
def test_every_published_equilibrium_is_one(name, values):
    entry = library.entry(name, **values)
    for profile, written in zip(entry.profiles, entry.equilibria, strict=True):
        assert all(sum(x) == 1 and min(x) >= 0 for x in written)  # exactly
        assert regrets(entry.game, profile).max() <= 1e-9 * scale(entry.game).max()
    assert len(set(entry.equilibria)) == len(entry.equilibria)


@every_game
def test_every_pure_equilibrium_is_published(name, values):
    entry = library.entry(name, **values)
    pure = [
        tuple(x.index(1) for x in profile)
        for profile in entry.equilibria
        if all(max(x) == 1 for x in profile)
    ]
    if entry.equilibria:
        assert sorted(pure) == pure_equilibria(entry.game)


@every_game
def test_where_the_list_is_complete_support_enumeration_finds_just_it(name, values):
    entry = library.entry(name, **values)
    if not entry.complete or entry.game.num_players != 2:
        return
    found = [np.concatenate(profile) for profile in support_enumeration(entry.game).profiles]
    published = [np.concatenate(profile) for profile in entry.profiles]
    assert len(found) == len(published)
    for x in published:
        assert min(np.abs(x - y).max() for y in found) <= 1e-9


@every_game
def test_a_published_value_is_the_payoff_of_a_zero_sum_game(name, values):
    entry = library.entry(name, **values)
    zero_sum = entry.game.num_players == 2 and not entry.game.payoffs.sum(axis=0).any()
    assert (entry.value is not None) == zero_sum
    if entry.value is not None:
        for x, y in entry.profiles:
            assert_allclose(x @ entry.game.payoffs[0] @ y, float(entry.value), atol=1e-12)


@every_game
def test_an_entry_says_where_it_is_from(name, values):
    entry = library.entry(name, **values)
    assert entry.name == name
    assert entry.parameters == library.parameters(name) | values
    assert entry.game.title
    assert entry.source


def test_the_game_without_a_listed_equilibrium_has_value_0_by_symmetry():
    game = library.game("blotto", soldiers=5)
    assert_array_equal(game.payoffs[0], -game.payoffs[0].T)


def test_some_games_are_alike_for_both_players():
    for name in ("prisoners-dilemma", "stag-hunt", "chicken", "hawk-dove", "cournot"):
        row, column = library.game(name).payoffs
        assert_array_equal(column, row.T)


def test_the_dilemmas_are_dilemmas():
    """Dominant defection, and the equilibrium is the one outcome that is not Pareto optimal."""
    for name in ("prisoners-dilemma", "prisoners-dilemma-positive"):
        entry = library.entry(name)
        row = entry.game.payoffs[0]
        assert (row[1] > row[0]).all()
        assert np.argwhere(~pareto_frontier(entry.game)).tolist() == [[1, 1]]


@pytest.mark.parametrize(("n", "r"), [(2, 1.5), (3, 2), (4, 3.5)])
def test_the_price_of_anarchy_of_public_goods_with_an_endowment_is_r(n, r):
    """Everybody starts with 1: all keep it, W = n; all give it, W = n r."""
    entry = library.entry("public-goods", n=n, r=r)
    endowed = type(entry.game)(entry.game.payoffs + 1.0)
    assert_allclose(price_of_anarchy(endowed, entry.profiles), r, rtol=1e-12)


def test_minimum_effort_ranks_its_equilibria():
    """Welfare n (b - c) k at effort k: the best over the worst is the number of efforts."""
    entry = library.entry("minimum-effort", n=3, efforts=5)
    assert price_of_anarchy(entry.game, entry.profiles) == 5.0
    assert price_of_stability(entry.game, entry.profiles) == 1.0


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 2), (4, 3)])
def test_congestion_has_rosenthals_potential(n, m):
    game = library.game("congestion", n=n, m=m)
    potential = np.zeros((m,) * n)
    for a in product(range(m), repeat=n):
        potential[a] = -sum(sum(range(1, a.count(road) + 1)) for road in range(m))
    for i, u in enumerate(game.payoffs):
        assert not np.diff(u - potential, axis=i).any()


@pytest.mark.parametrize("n", [2, 3, 5])
def test_who_mixes_in_the_volunteers_dilemma_waits_as_diekmann_says(n):
    entry = library.entry("volunteers-dilemma", n=n, benefit=8, cost=1)
    waiting = [float(x[1]) for x in entry.equilibria[-1]]
    assert_allclose(np.array(waiting) ** (n - 1), 1 / 8, rtol=1e-12)


def test_cournots_closed_form():
    entry = library.entry("cournot", intercept=13, slope=2, cost=1, steps=4)
    a = tuple(x.index(1) for x in entry.equilibria[0])
    quantity = float(entry.game.actions[0][a[0]])
    assert quantity == (13 - 1) / (3 * 2)
    assert_allclose(entry.game.at(a), (13 - 1) ** 2 / (9 * 2))
    assert_allclose(social_welfare(entry.game).max(), (13 - 1) ** 2 / (4 * 2))  # the monopoly's


def test_a_blotto_army_sends_everybody_somewhere():
    armies = [tuple(map(int, a.split("-"))) for a in library.game("blotto").actions[0]]
    assert {sum(a) for a in armies} == {6}
    assert len(set(armies)) == len(armies) == 28  # C(6 + 2, 2)


def test_probabilities_are_exact():
    assert library.entry("nashpy-4x3").equilibria[0][1] == (Fraction(1, 28), Fraction(27, 28), 0)
    assert library.entry("oneill").value == Fraction(-1, 5)
    assert library.parameters("chicken") == {}


@pytest.mark.parametrize(
    ("name", "values", "needs"),
    [
        ("chickn", {}, "no game is called 'chickn'; the nearest name is 'chicken'"),
        ("prisoner", {}, "'prisoners-dilemma'"),
        ("", {}, "the nearest name is"),
        ("penalty", {"kk": 1}, "penalty: no parameter 'kk'; its parameters are k"),
        ("chicken", {"k": 1}, "chicken: no parameter 'k'; it has none"),
        ("penalty", {"k": 1}, "need k ≤ 0, got 1"),
        ("penalty", {"k": "low"}, "k: need real numbers, got text"),
        ("penalty", {"k": float("nan")}, "finite"),
        ("hawk-dove", {"cost": 2}, "not equal"),
        ("inspection", {"wage": 1}, "< wage"),
        ("blotto", {"fields": 1}, "fields: need a whole number in 2..6, got 1"),
        ("blotto", {"soldiers": 100, "fields": 6}, "the cap is"),
        ("identity-coordination", {"size": 2.0}, "whole number"),
        ("identity-coordination", {"size": True}, "whole number"),
        ("cournot", {"cost": 20}, "cost < intercept"),
        ("travelers-dilemma", {"bonus": 1}, "bonus > 1"),
        ("travelers-dilemma", {"high": 1}, "in 2..10000, got 1"),
        ("travelers-dilemma", {"high": 9999}, "the cap is"),
        ("public-goods", {"r": 3}, "not equal to n"),
        ("congestion", {"n": 10, "m": 10}, "the cap is"),
        ("minimum-effort", {"cost": 2}, "cost < benefit"),
        ("volunteers-dilemma", {"cost": 0}, "0 < cost"),
        ("el-farol", {"capacity": 3}, "in 1..2, got 3"),
        ("rps-n", {"n": 4}, "n: need an odd number, got 4"),
        ("weighted-pennies", {"b": 0}, "need stakes > 0"),
        ("cournot-oligopoly", {"cost": 20}, "cost < intercept"),
        ("cournot-oligopoly", {"n": 8, "steps": 20}, "the cap is"),
        ("bertrand", {"n": 8, "prices": 99}, "the cap is"),
        ("tullock", {"r": 2}, "0 < r ≤ 1"),
        ("tullock", {"n": 8, "steps": 200}, "the cap is"),
        ("all-pay", {"prize": 2}, "in 3..1000, got 2"),
        ("war-of-attrition", {"prize": 2}, "prize > 2, got 2"),
        ("centipede", {"large": 2}, "large > growth · small"),
        ("centipede", {"growth": 1}, "growth > 1"),
        ("braess", {"n": 1}, "in 2..10, got 1"),
        ("pure-coordination", {"n": 10, "m": 10}, "the cap is"),
        ("stag-hunt-n", {"needed": 1}, "needed: need a whole number in 2..3, got 1"),
        ("stag-hunt-n", {"hare": 4}, "0 < hare < stag"),
        ("majority", {"n": 4}, "odd"),
        ("agreement", {"n": 10, "m": 10}, "the cap is"),
        ("graph-colouring", {"colours": 2}, "in 3..10, got 2"),
        ("battle-of-n", {"other": 3}, "0 < other < favourite"),
    ],
)
def test_what_there_is_not_is_refused_in_one_line(name, values, needs):
    with pytest.raises(InputError, match=needs) as caught:
        library.game(name, **values)
    assert "\n" not in str(caught.value)
