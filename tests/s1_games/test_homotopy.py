"""One equilibrium of every game: the certificate is computed from the profile alone."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import NormalForm, is_nash, library
from refmarl.games import homotopy as module
from refmarl.games.homotopy import logit_limit, one_equilibrium, refine
from refmarl.games.solve import solve
from refmarl.games.support import support_enumeration
from refmarl.testing.strategies import INTEGERS, games

SEEDS = st.integers(0, 10_000)
SIZES = st.sampled_from([(2, 2), (3, 2), (2, 2, 2), (3, 3, 3), (2, 1, 3), (2, 2, 2, 2)])
TIED = st.sampled_from([0.0, 0.0, 0.0, 1.0])


def gaussian(seed, sizes):
    return NormalForm(np.random.default_rng(seed).normal(size=(len(sizes), *sizes)))


def flat(profile):
    return np.concatenate(profile)


@given(games(1, 4, elements=st.one_of(INTEGERS, TIED)))
@settings(max_examples=200)
def test_every_game_gets_an_equilibrium(game):
    found = one_equilibrium(game)
    assert found.certified
    assert is_nash(game, found.profile)
    assert_allclose(found.certificate.regrets, 0.0, atol=4e-9)


@pytest.mark.parametrize("name", library.names())
def test_every_game_of_the_library_does(name):
    game = library.game(name)
    found = one_equilibrium(game)
    assert found.certified
    assert is_nash(game, found.profile)


@given(SEEDS, SIZES)
def test_games_with_normal_payoffs_get_one_to_rounding(seed, sizes):
    game = gaussian(seed, sizes)
    found = one_equilibrium(game)
    assert found.certified
    assert is_nash(game, found.profile, tol=1e-12)


@given(SEEDS, st.sampled_from([(2, 2), (3, 3), (4, 2)]))
def test_it_is_one_of_those_that_supports_give(seed, sizes):
    game = gaussian(seed, sizes)
    every = support_enumeration(game)
    for found in (one_equilibrium(game), logit_limit(game)):
        if found.certified:
            off = [np.abs(flat(found.profile) - flat(x)).max() for x in every.profiles]
            assert min(off) <= 1e-8


@given(SEEDS, SIZES)
@settings(max_examples=20)
def test_units_and_names_do_not_matter(seed, sizes):
    game, rng = gaussian(seed, sizes), np.random.default_rng(seed + 1)
    found = one_equilibrium(game)
    if found.starts > 1:
        return
    n = len(sizes)
    units = rng.uniform(0.01, 100.0, size=(n, *[1] * n))
    scaled = one_equilibrium(NormalForm(game.payoffs * units))
    assert_allclose(flat(scaled.profile), flat(found.profile), atol=1e-7)
    order = rng.permutation(n)
    moved = NormalForm(np.transpose(game.payoffs[order], [0, *(k + 1 for k in order)]))
    again = one_equilibrium(moved)
    for i, k in enumerate(order):
        assert_allclose(again.profile[i], found.profile[k], atol=1e-7)


@pytest.mark.parametrize("unit", [1e-250, 1e-20, 1e20, 1e299])
def test_tiny_and_huge_payoffs_are_no_different(unit):
    game = gaussian(3, (3, 3, 3))
    found = one_equilibrium(NormalForm(game.payoffs * unit))
    assert found.certified
    assert_allclose(flat(found.profile), flat(one_equilibrium(game).profile), atol=1e-8)


def test_an_unbalanced_game_is_solved_in_each_players_own_units():
    game = gaussian(7, (3, 3, 3))
    payoffs = game.payoffs * np.array([1e-200, 1.0, 1e200]).reshape(3, 1, 1, 1)
    assert one_equilibrium(NormalForm(payoffs)).certified


@given(SEEDS, SIZES)
@settings(max_examples=20)
def test_refinement_keeps_an_equilibrium_and_repairs_one_that_is_nearly_so(seed, sizes):
    game = gaussian(seed, sizes)
    exact = one_equilibrium(game).profile
    played = flat(exact) > 0
    kept = refine(game, exact, played)
    assert_allclose(flat(kept), flat(exact), atol=1e-12)
    rng = np.random.default_rng(seed)
    rough = [x + 1e-5 * rng.random(len(x)) for x in exact]
    assert_allclose(
        flat(refine(game, [x / x.sum() for x in rough], played)), flat(exact), atol=1e-6
    )


def test_supports_without_a_solution_give_nothing():
    dominated = NormalForm.bimatrix([[2, 2], [1, 1]], [[1, 0], [0, 1]])
    assert refine(dominated, dominated.uniform(), np.ones(4, bool)) is None


def test_what_is_not_certified_is_said_not_to_be():
    pennies = NormalForm.bimatrix([[3, 0], [0, 1]], [[0, 1], [1, 0]])
    with mock.patch.multiple(module, STAGES=(1.0,), refine=lambda *_: None):
        found = one_equilibrium(pennies, starts=3)
        assert not found.certified
        assert found.starts == 3
        assert found.certificate.regrets.max() > 1e-3
        solution = solve(pennies, "homotopy")
        assert solution.equilibria[0].kind == "approximate"
        assert "no path led" in solution.reason
    hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    with mock.patch.multiple(module, STAGES=(1.0,), refine=lambda *_: None):
        assert one_equilibrium(hunt, starts=2).certified  # a pure one is the last resort


def test_the_solver_takes_them_and_their_option():
    pennies = NormalForm.bimatrix([[4, 0], [0, 1]], [[0, 1], [1, 0]])
    (limit,) = solve(pennies, "logit").equilibria
    assert limit.kind == "nash"
    assert_allclose(limit.profile[1], [0.2, 0.8], atol=1e-9)
    gaps = []
    for rate in (1.0, 100.0, 1e4):
        found = solve(pennies, "logit", rationality=rate)
        (answer,) = found.equilibria
        assert (answer.kind, found.complete) == ("quantal-response", False)
        assert found.facts == {"rationality": rate}
        gaps.append(answer.regret)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] <= np.log(2) / 1e4
    with pytest.raises(InputError, match="rationality: not an option of the method homotopy"):
        solve(pennies, "homotopy", rationality=1.0)


def test_a_game_of_three_without_pure_equilibria_is_solved_by_default():
    game = library.game("matching-pennies-3")
    found = solve(game)
    assert (found.method, len(found.equilibria), found.complete) == ("homotopy", 1, False)
    assert is_nash(game, found.equilibria[0].profile)
    with mock.patch("refmarl.games.quantal.MAX_WORK", 10):
        found = solve(game)
        assert (found.method, found.equilibria) == ("pure", ())
        assert "the cap is" in found.reason
    with pytest.raises(InputError, match="starts: need a whole number"):
        one_equilibrium(game, starts=0)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(3, 3, 3), (4, 4, 4), (2, 2, 2, 2), (3, 3, 3, 3), (5, 5)])
def test_hundreds_of_games_with_ties_and_without_are_all_solved(sizes):
    rng = np.random.default_rng(0)
    shape = (len(sizes), *sizes)
    for _ in range(150):
        whole = rng.integers(-2, 3, size=shape) * (rng.random(shape) < 0.4)
        for payoffs in (rng.normal(size=shape), rng.integers(0, 2, size=shape), whole):
            game = NormalForm(payoffs.astype(float))
            found = one_equilibrium(game)
            assert found.certified
            assert is_nash(game, found.profile)
