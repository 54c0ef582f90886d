"""Every method's answers carry a certificate that the method does not know."""

from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import NormalForm, expected_utility, nash_conv, pure_equilibria, regrets
from refmarl.games.correlated import violation
from refmarl.games.nash import scale
from refmarl.games.solve import MAX_LISTED, METHODS, solve
from refmarl.testing.strategies import bimatrix_games, games, matrices

CHICKEN = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
DILEMMA = NormalForm.bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]], actions=(("c", "d"),) * 2)
EXACT = sorted(METHODS.keys() - {"fictitious-play", "regret-matching", "stackelberg"})


def assert_certified(game, solution):
    assert solution.complete == (solution.reason == "")
    for answer in solution.equilibria:
        if answer.profile is None:
            p = answer.distribution
            assert_allclose(answer.payoffs, [(p * u).sum() for u in game.payoffs], atol=1e-9)
            assert answer.regret == max(violation(game, p, "coarse" in answer.kind), 0.0)
        elif answer.kind != "stackelberg":
            assert_allclose(answer.payoffs, expected_utility(game, answer.profile))
            assert answer.regret == regrets(game, answer.profile).max()
        if answer.kind != "approximate":
            assert answer.regret <= 1e-6 * scale(game).max()


@pytest.mark.parametrize("method", EXACT)
@given(game=bimatrix_games())
@settings(max_examples=20)
def test_what_an_exact_method_finds_has_no_regret(method, game):
    if method == "zero-sum":
        game = NormalForm.zero_sum(game.payoffs[0])
    solution = solve(game, method)
    assert solution.method == method
    assert_certified(game, solution)


@given(games(3, 4, max_actions=2))
@settings(max_examples=20)
def test_more_than_two_players_get_all_pure_equilibria_and_are_told_so(game):
    solution, pure = solve(game), pure_equilibria(game)
    decided = sum(k > 1 for k in game.num_actions) <= 1 and len(pure) == 1
    assert (solution.method, solution.complete) == ("pure" if pure else "homotopy", decided)
    found = [tuple(int(x.argmax()) for x in answer.profile) for answer in solution.equilibria]
    assert found == pure or not pure
    assert [answer.kind for answer in solution.equilibria] == ["nash"] * max(len(pure), 1)
    assert_certified(game, solution)


@given(matrices(), st.integers(-3, 3))
@settings(max_examples=20)
def test_a_constant_added_to_one_players_payoffs_moves_no_optimum(A, constant):
    game = NormalForm.bimatrix(A, constant - A)
    solution = solve(game, "zero-sum")
    value = solution.facts["value"]
    assert_allclose(value, solve(NormalForm.zero_sum(A), "zero-sum").facts["value"], atol=1e-9)
    assert_allclose(solution.equilibria[0].payoffs, [value, constant - value], atol=1e-8)
    assert_certified(game, solution)


@pytest.mark.parametrize("method", ["fictitious-play", "regret-matching"])
def test_repeated_play_nears_the_value_as_its_steps_grow(method):
    game = NormalForm.zero_sum([[3, 0], [1, 2]])
    short, long = (solve(game, method, steps=steps).equilibria[0] for steps in (10, 100_000))
    assert short.kind == long.kind == "approximate"
    assert long.regret < 0.02
    assert short.regret > long.regret
    assert_allclose(long.payoffs, [1.5, -1.5], atol=0.02)


@pytest.mark.parametrize("method", ["fictitious-play", "regret-matching"])
def test_a_seed_decides_what_is_random(method):
    game = NormalForm(np.random.default_rng(0).normal(size=(3, 2, 3, 4)))
    runs = [solve(game, method, steps=50, seed=seed).equilibria[0].regret for seed in range(6)]
    again = [solve(game, method, steps=50, seed=seed).equilibria[0].regret for seed in range(6)]
    assert runs == again
    assert len(set(runs)) > 1


def test_dominance_solves_the_dilemma_and_says_why():
    solution = solve(DILEMMA, "dominance")
    assert solution.complete
    assert nash_conv(DILEMMA, solution.equilibria[0].profile) == 0
    assert solution.facts["kept"] == [["d"], ["d"]]
    assert [(r["player"], r["action"]) for r in solution.facts["removed"]] == [
        ("1", "c"),
        ("2", "c"),
    ]
    left = solve(CHICKEN, "dominance")
    assert (left.complete, left.equilibria) == (False, ())
    assert "2 × 2 actions are left" in left.reason


def test_a_leader_of_either_side_gets_what_commitment_is_worth():
    for leader in (0, 1):
        (answer,) = solve(CHICKEN, "stackelberg", leader=leader).equilibria
        assert answer.payoffs[leader] == pytest.approx(7)
        assert_allclose(expected_utility(CHICKEN, answer.profile), answer.payoffs, atol=1e-9)
    game = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    (answer,) = solve(game, "stackelberg").equilibria  # (1/2, 1/2): no Nash equilibrium
    assert regrets(game, answer.profile)[0] == pytest.approx(0.5)
    assert answer.regret <= 1e-9
    (weak,) = solve(CHICKEN, "stackelberg", leader=1, ties="weak").equilibria
    assert weak.payoffs[1] <= 7 + 1e-9


def test_the_objective_chooses_among_correlated_equilibria():
    best, worst, first = (
        solve(CHICKEN, "correlated", objective=o).equilibria[0].payoffs
        for o in ("welfare", "-welfare", 0)
    )
    assert best.sum() == pytest.approx(10.5)
    assert worst.sum() == pytest.approx(7.2)
    assert first[0] == pytest.approx(7)


def test_being_told_later_restricts_less():
    row, column = [[0, 0, 1], [0, 0, 2], [2, 0, 0]], [[0, 2, 3], [1, 0, 0], [0, 2, 3]]
    game = NormalForm.bimatrix(row, column)
    told, coarse = (solve(game, m).equilibria[0] for m in ("correlated", "coarse-correlated"))
    assert coarse.payoffs.sum() > told.payoffs.sum() + 0.1
    assert violation(game, coarse.distribution) > 0.01


def test_auto_falls_back_where_supports_are_too_many():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 40))
    zero_sum = solve(NormalForm.zero_sum(A))
    assert (zero_sum.method, len(zero_sum.equilibria)) == ("zero-sum", 1)
    assert "the cap is" in zero_sum.reason
    game = NormalForm.bimatrix(A, rng.normal(size=(40, 40)))
    general = solve(game)
    assert general.method == ("pure" if pure_equilibria(game) else "homotopy")
    assert_certified(game, general)
    assert "the cap is" in general.reason
    with pytest.raises(InputError, match="the cap is"):
        solve(NormalForm.zero_sum(A), "support")


def test_pure_equilibria_beyond_the_cap_are_counted_not_listed():
    solution = solve(NormalForm(np.zeros((3, 11, 11, 11))))
    assert len(solution.equilibria) == MAX_LISTED
    assert solution.facts["count"] == 1331
    assert "the first 1000 of 1331" in solution.reason


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "lemke"}, "need auto, support, pure"),
        ({"steps": 5}, "steps: not an option of the method auto"),
        ({"method": "support", "seed": 0}, "seed: not an option of the method support"),
        ({"method": "pure", "objective": "welfare"}, "but of correlated, coarse-correlated"),
        ({"method": "correlated", "leader": 0}, "but of stackelberg"),
        ({"method": "fictitious-play", "ties": "weak"}, "but of stackelberg"),
        ({"method": "fictitious-play", "steps": 0}, "steps: need a whole number ≥ 1, got 0"),
        ({"method": "regret-matching", "seed": -1}, "seed: need a whole number ≥ 0, got -1"),
        ({"method": "correlated", "objective": "profit"}, "objective: need"),
        ({"method": "stackelberg", "leader": 2}, "leader: need an index in 0..1, got 2"),
        ({"method": "stackelberg", "ties": "fair"}, "ties"),
        ({"method": "zero-sum"}, "constant sum; got 2 players, sums from 0 to 12"),
        ({"method": "pure", "exact": True}, "exact: not an option of the method pure, but of supp"),
        ({"exact": [[[1]]]}, "exact equilibria: need 2 players, got 1"),
        ({"exact": [[[1]], [[1]]]}, "need 2 probabilities, got 1"),
    ],
)
def test_an_option_that_does_nothing_or_does_not_fit_is_an_error(options, says):
    with pytest.raises(InputError) as caught:
        solve(CHICKEN, **options)
    assert says in str(caught.value)


@pytest.mark.parametrize("method", ["support", "zero-sum", "stackelberg", "lemke-howson"])
def test_methods_for_two_players_refuse_three(method):
    with pytest.raises(InputError, match="3"):
        solve(NormalForm(np.zeros((3, 2, 2, 2))), method)


@given(bimatrix_games())
@settings(max_examples=25)
def test_exact_answers_are_those_of_the_floats_and_leave_nothing_out(game):
    exact, floats = solve(game, exact=True), solve(game, "support")
    assert (exact.method, exact.complete) == ("support", True)
    indices = {"indices": exact.facts["indices"]} if exact.facts["degenerate"] else {}
    assert exact.facts == floats.facts | indices
    assert sum(indices.get("indices", [1])) == 1
    assert_certified(game, exact)
    assert len(exact.equilibria) == len(floats.equilibria)
    for answer in exact.equilibria:
        for x, fractions in zip(answer.profile, answer.exact.profile, strict=True):
            assert_allclose(x, [float(p) for p in fractions], rtol=1e-15)
        assert_allclose(answer.payoffs, [float(v) for v in answer.exact.payoffs], atol=1e-12)
    assert (len(exact.components) == len(exact.equilibria)) == floats.complete


def test_exact_payoffs_are_not_rounded():
    third = Fraction(1, 3)
    rows = [[3 * third, 0], [0, third]]
    game = NormalForm.bimatrix([[1, 0], [0, 1 / 3]], [[1, 0], [0, 1 / 3]])
    given_, from_floats = (solve(game, "support", exact=e) for e in ([rows, rows], True))
    assert given_.equilibria[1].exact.profile[0] == (Fraction(1, 4), Fraction(3, 4))
    assert from_floats.equilibria[1].exact.profile[0][0] not in (Fraction(1, 4), 0, 1)
    assert solve(game, "support", exact=False).equilibria[0].exact is None


def test_lemke_howson_says_which_labels_lead_where():
    solution = solve(DILEMMA, "lemke-howson")
    assert solution.facts["labels"] == [["1: c", "1: d", "2: c", "2: d"]]
    solution = solve(CHICKEN, "lemke-howson")
    assert sorted(k for labels in solution.facts["labels"] for k in labels) == [
        "1: 1",
        "1: 2",
        "2: 1",
        "2: 2",
    ]
    assert (solution.complete, len(solution.equilibria)) == (False, 2)


def test_a_path_without_end_is_an_input_error():
    with mock.patch("refmarl.games.lemke_howson.MAX_WORK", 1), pytest.raises(InputError) as caught:
        solve(NormalForm(np.random.default_rng(0).normal(size=(2, 25, 25))), "lemke-howson")
    assert "in floating point" in str(caught.value)


@pytest.mark.parametrize(
    ("payoffs", "complete"),
    [
        ([[1.0, 3.0, 2.0]], True),
        ([[3.0, 3.0, 2.0]], False),
        ([[[[1.0]]], [[[2.0]]], [[[0.0]]]], True),
    ],
)
def test_where_one_player_decides_the_best_action_is_all_there_is(payoffs, complete):
    found = solve(NormalForm(payoffs))
    assert found.complete is complete
    assert (found.reason == "") is complete
