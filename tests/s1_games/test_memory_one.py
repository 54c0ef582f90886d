"""The iterated prisoner's dilemma, exactly."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import markov
from refmarl.games.markov_examples import repeated_dilemma
from refmarl.games.memory_one import (
    AXELROD,
    COOPERATED,
    OTHERS_VIEW,
    STRATEGIES,
    MemoryOne,
    average_payoffs,
    discounted_payoffs,
    long_run,
    outcome_chain,
    total_payoffs,
    tournament,
    zero_determinant,
)
from refmarl.games.normal_form import NormalForm
from refmarl.games.stochastic.memory import remembered
from refmarl.testing.strategies import stochastic_tables

PROBABILITY = st.sampled_from([0.0, 0.0, 0.1, 0.5, 0.75, 1.0, 1.0]) | st.floats(0.01, 0.99)
PLAYERS = st.builds(MemoryOne, PROBABILITY, st.tuples(*[PROBABILITY] * 4))
GAMMAS = st.sampled_from([0.0, 0.5, 0.9, 0.99])


def dilemma():
    return NormalForm(repeated_dilemma(0.0).reward[:, 0])


@given(PLAYERS, PLAYERS)
def test_who_is_called_player_1_does_not_matter(p, q):
    swap = list(OTHERS_VIEW)
    (first, chain), (other, turned) = outcome_chain(p, q), outcome_chain(q, p)
    assert_allclose(other, first[swap], atol=1e-15)
    assert_allclose(turned, chain[np.ix_(swap, swap)], atol=1e-15)
    assert_allclose(chain.sum(axis=1), 1.0, atol=1e-12)
    assert_allclose(average_payoffs(q, p), average_payoffs(p, q)[::-1], atol=1e-9)


@given(PLAYERS, PLAYERS, GAMMAS)
def test_it_is_a_markov_game_whose_state_is_the_last_outcome(p, q, gamma):
    """Policies of that game; player 2 reads the state from its own side."""
    game = remembered(dilemma(), gamma)
    mine = np.array(p.answers)
    seen = np.array([q.answers[2 * b + a] for a, b in product(range(2), repeat=2)])
    pi = tuple(np.stack([x, 1 - x], axis=1) for x in (mine, seen))
    first, _ = outcome_chain(p, q)
    stage = game.reward[:, 0].reshape(2, 4)
    expected = first @ (stage + gamma * markov.evaluate(game, pi)).T
    assert_allclose(discounted_payoffs(p, q, gamma), (1 - gamma) * expected, atol=1e-9)


@given(PLAYERS, PLAYERS, GAMMAS)
def test_sums_averages_and_discounts_are_of_the_same_walk(p, q, gamma):
    rounds = 60
    sums = np.array([total_payoffs(p, q, t) for t in range(1, rounds + 1)])
    each = np.diff(sums, axis=0, prepend=np.zeros((1, 2)))
    tail = 5 * gamma**rounds
    found = (1 - gamma) * (gamma ** np.arange(rounds)) @ each
    assert (np.abs(found - discounted_payoffs(p, q, gamma)) <= tail + 1e-9).all()


@given(PLAYERS, PLAYERS)
def test_the_average_is_the_limit_of_discounting(p, q):
    """Their difference is O(1 - γ), but the constant grows where the chain is slow."""
    near = discounted_payoffs(p, q, 1 - 1e-7)
    assert_allclose(average_payoffs(p, q), near, atol=1e-3)


@given(st.integers(1, 5).flatmap(lambda n: stochastic_tables((n, n))))
def test_the_long_run_is_the_projection_onto_what_stays(chain):
    often = long_run(chain)
    assert (often >= -1e-12).all()
    assert_allclose(often.sum(axis=1), 1.0, atol=1e-9)
    assert_allclose(often @ chain, often, atol=1e-9)
    assert_allclose(chain @ often, often, atol=1e-9)
    assert_allclose(often @ often, often, atol=1e-9)
    here, mean, steps = np.eye(len(chain)), np.zeros_like(chain), 4000
    for _ in range(steps):
        mean += here / steps
        here = here @ chain
    assert_allclose(mean, often, atol=0.05)


@given(PLAYERS, PLAYERS)
def test_akins_lemma(p, q):
    """How much more often one cooperates next than now has mean 0 in the long run."""
    first, chain = outcome_chain(p, q)
    often = first @ long_run(chain)
    assert_allclose(often @ (np.array(p.answers) - COOPERATED), 0.0, atol=1e-9)
    swap = list(OTHERS_VIEW)
    assert_allclose(often[swap] @ (np.array(q.answers) - COOPERATED), 0.0, atol=1e-9)


@given(
    PLAYERS,
    st.floats(1.0, 10.0),
    st.sampled_from([1.0, 3.0]) | st.floats(1.0, 3.0),
    st.floats(0.05, 1.0),
)
def test_zero_determinant_strategies_enforce_their_line_on_everybody(q, chi, kappa, share):
    most = 2 * strength(zero_determinant(kappa, chi), kappa, chi)
    p = zero_determinant(kappa, chi, share * most)
    one, two = average_payoffs(p, q)
    assert_allclose(one - kappa, chi * (two - kappa), atol=1e-7)


def strength(p, kappa, chi):
    """φ of a zero-determinant strategy, from the answer to CD."""
    return (1 - p.answers[1]) / -((0 - kappa) - chi * (5 - kappa))


def test_an_extortioner_never_earns_less_and_a_generous_player_never_more():
    rng = np.random.default_rng(0)
    extort, give = zero_determinant(1, 3), zero_determinant(3, 2)
    for _ in range(50):
        q = MemoryOne(rng.random(), tuple(rng.random(4)))
        one, two = average_payoffs(extort, q)
        assert one >= two >= 1 - 1e-9
        one, two = average_payoffs(give, q)
        assert one <= two + 1e-9
    full = average_payoffs(extort, STRATEGIES["always cooperate"])
    assert_allclose(full[0] - 1, 3 * (full[1] - 1))
    assert_allclose(full, [1 + 3 * 10 / 11, 1 + 10 / 11])  # (1 - p̃) worked out by hand


def test_press_and_dysons_bounds_of_extortion():
    """Against full cooperation (2 + 13χ)/(2 + 3χ), to the other (12 + 3χ)/(2 + 3χ)."""
    for chi in (1.0, 2.0, 5.0, 20.0):
        found = average_payoffs(zero_determinant(1, chi), STRATEGIES["always cooperate"])
        assert_allclose(found, [(2 + 13 * chi) / (2 + 3 * chi), (12 + 3 * chi) / (2 + 3 * chi)])


def test_tit_for_tat_is_extortion_with_chi_1():
    p = zero_determinant(1, 1, 1 / 5)
    assert_allclose(p.answers, STRATEGIES["tit for tat"].answers, atol=1e-12)


@pytest.mark.parametrize("gamma", [0.3, 0.5, 0.9])
def test_grim_trigger_and_a_defector(gamma):
    grim, wolf = STRATEGIES["grim trigger"], STRATEGIES["always defect"]
    assert_allclose(discounted_payoffs(grim, grim, gamma), 3.0)
    assert_allclose(discounted_payoffs(grim, wolf, gamma), [gamma, 5 * (1 - gamma) + gamma])


def test_win_stay_lose_shift_recovers_from_a_mistake_and_tit_for_tat_does_not():
    pavlov, tat = STRATEGIES["win stay, lose shift"], STRATEGIES["tit for tat"]
    slip = MemoryOne(0.0, pavlov.answers)
    assert_array_equal(average_payoffs(slip, pavlov), [3, 3])
    assert_array_equal(average_payoffs(MemoryOne(0.0, tat.answers), tat), [2.5, 2.5])


def test_scores_of_200_rounds_as_published():
    """Axelrod-Python 4.14.0, the strategies of its list that remember one round."""
    names = [
        "always cooperate", "always defect", "tit for tat", "grim trigger", "alternator",
        "win stay, lose shift", "suspicious tit for tat", "anti tit for tat",
    ]  # fmt: skip
    published = [
        [600, 0, 600, 600, 300, 600, 597, 3],
        [1000, 200, 204, 204, 600, 600, 200, 1000],
        [600, 199, 600, 600, 498, 600, 500, 450],
        [600, 199, 600, 600, 597, 600, 203, 989],
        [800, 100, 503, 107, 400, 450, 500, 400],
        [600, 100, 600, 600, 450, 600, 401, 267],
        [602, 200, 500, 203, 500, 401, 200, 450],
        [998, 0, 450, 9, 400, 602, 450, 400],
    ]
    assert_array_equal(tournament([STRATEGIES[n] for n in names], 200), published)


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (lambda: outcome_chain((1, (1, 1, 1)), (1, (1, 1, 1, 1))), "four answers"),
        (lambda: outcome_chain((1, (1, 1, 1, 2)), (1, (1, 1, 1, 1))), "first strategy"),
        (lambda: outcome_chain((1, (1, 1, 1, 1)), "tit for tat"), "second strategy"),
        (lambda: discounted_payoffs(*[STRATEGIES["random"]] * 2, 1.0), "gamma"),
        (lambda: total_payoffs(*[STRATEGIES["random"]] * 2, 0), "rounds"),
        (lambda: average_payoffs(*[STRATEGIES["random"]] * 2, (1, 2)), r"\(R, S, T, P\)"),
        (lambda: zero_determinant(5, 2), "no strategy enforces"),
        (lambda: zero_determinant(1, 3, 0.5), "phi: need a number in"),
        (lambda: zero_determinant(1, 3, -0.1), "phi"),
    ],
)
def test_what_is_no_strategy_is_refused(call, needs):
    with pytest.raises(InputError, match=needs):
        call()


def test_the_payoffs_are_those_of_the_repeated_dilemma():
    assert_array_equal(dilemma().payoffs[0].ravel(), AXELROD)
