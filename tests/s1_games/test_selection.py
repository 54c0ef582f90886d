"""Criteria that choose among equilibria: judged by their definitions and by theorems."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import (
    NormalForm,
    correlated_equilibrium,
    is_nash,
    product_distribution,
    pure_equilibria,
    support_enumeration,
    violation,
)
from refmarl.games.homotopy import logit_limit
from refmarl.games.nash import scale
from refmarl.games.selection import (
    deviation_losses,
    entropy,
    maximum_entropy_correlated,
    maximum_entropy_equilibrium,
    most_even,
    p_dominance,
    payoff_dominates,
    risk_dominance,
)
from refmarl.testing.strategies import INTEGERS, bimatrix_games, games

LOSSES = st.integers(1, 9)
OTHERS = arrays(float, 2, elements=INTEGERS)


def coordination(first, second, row=(0, 0), column=(0, 0)):
    """Strict at (0, 0) and (1, 1), where deviating loses the numbers given."""
    (a, b), (c, d) = first, second
    x, y = np.array(row, float), np.array(column, float)
    return NormalForm.bimatrix(np.diag([a, c]) + x[None, :], np.diag([b, d]) + y[:, None])


PAIRS = st.tuples(LOSSES, LOSSES)


@given(PAIRS, PAIRS, OTHERS, OTHERS)
def test_risk_dominance_is_a_matter_of_losses_alone(first, second, row, column):
    game = coordination(first, second, row, column)
    assert_allclose(deviation_losses(game, (0, 0), (1, 1)), first, atol=1e-12)
    found = risk_dominance(game, (0, 0), (1, 1))
    assert found == pytest.approx(-risk_dominance(game, (1, 1), (0, 0)), abs=1e-12)
    gap = np.prod(first) - np.prod(second)
    assert np.sign(round(found, 9)) == np.sign(gap)
    units = NormalForm(game.payoffs * np.array([3.0, 0.25]).reshape(2, 1, 1))
    assert risk_dominance(units, (0, 0), (1, 1)) == pytest.approx(found)
    flipped = NormalForm(game.payoffs[:, ::-1])
    assert risk_dominance(flipped, (1, 0), (0, 1)) == pytest.approx(found)


@given(LOSSES, LOSSES, OTHERS)
def test_in_symmetric_games_risk_dominance_is_half_dominance_and_what_the_path_selects(a, b, row):
    game = coordination((a, a), (b, b), row, row)
    risk = risk_dominance(game, (0, 0), (1, 1))
    half = p_dominance(game, (0, 0)), p_dominance(game, (1, 1))
    assert_allclose(half, [b / (a + b), a / (a + b)], atol=1e-12)
    assert (risk > 1e-9) == (half[0] < 0.5 - 1e-9)
    limit = logit_limit(game)
    assert limit.certified
    expected = 1.0 if a > b else 0.0 if a < b else 0.5
    assert_allclose(limit.profile[0][0], expected, atol=1e-9)


@given(games(2, 3), st.data())
def test_p_dominance_is_about_beliefs(game, data):
    joint = tuple(data.draw(st.integers(0, k - 1)) for k in game.num_actions)
    p = p_dominance(game, joint)
    assert np.isfinite(p) == (joint in pure_equilibria(game))
    if not np.isfinite(p):
        return
    assert 0.0 <= p <= 1.0
    tight = 0.0
    for i, u in enumerate(game.payoffs):
        rows = np.moveaxis(u, i, 0).reshape(game.num_actions[i], -1)
        shape = game.num_actions[:i] + game.num_actions[i + 1 :]
        here = (
            np.ravel_multi_index([a for j, a in enumerate(joint) if j != i], shape) if shape else 0
        )
        beliefs = np.eye(rows.shape[1]) * (1 - p)
        beliefs[:, here] += p
        value = rows @ beliefs.T  # the extreme beliefs that give at least p to what the others do
        assert (value[joint[i]] >= value.max(axis=0) - 1e-9).all()
        less = np.eye(rows.shape[1]) * (1 - p + 1e-3)
        less[:, here] += p - 1e-3
        value = rows @ less.T
        tight = max(tight, float((value.max(axis=0) - value[joint[i]]).max()))
    assert p == 0.0 or tight > 1e-6


@given(games(2, 3, elements=st.floats(-1, 1, width=32)))
def test_at_most_one_equilibrium_is_dominant_for_less_than_half(game):
    few = [a for a in pure_equilibria(game, tol=0.0) if p_dominance(game, a) < 0.5 - 1e-9]
    strict = [a for a in few if _strict(game, a)]
    assert len(strict) <= 1


def _strict(game, joint):
    for i, u in enumerate(game.payoffs):
        own = np.moveaxis(u, i, 0)[(slice(None), *(a for j, a in enumerate(joint) if j != i))]
        if (own >= own[joint[i]]).sum() > 1:
            return False
    return True


@given(games(2, 3), st.data())
def test_payoff_dominance_is_a_strict_order(game, data):
    x, y, z = (
        game.pure([data.draw(st.integers(0, k - 1)) for k in game.num_actions]) for _ in range(3)
    )
    assert not payoff_dominates(game, x, x)
    assert not (payoff_dominates(game, x, y) and payoff_dominates(game, y, x))
    if payoff_dominates(game, x, y) and payoff_dominates(game, y, z):
        assert payoff_dominates(game, x, z)


def test_in_the_stag_hunt_the_criteria_disagree():
    hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    assert payoff_dominates(hunt, hunt.pure((0, 0)), hunt.pure((1, 1)))
    assert risk_dominance(hunt, (1, 1), (0, 0)) > 0
    assert p_dominance(hunt, (1, 1)) < 0.5 < p_dominance(hunt, (0, 0))


@st.composite
def points(draw):
    k, m = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    weights = draw(arrays(float, (k, m), elements=st.integers(0, 3).map(float)))
    weights[:, 0] += weights.sum(axis=1) == 0
    return weights / weights.sum(axis=1, keepdims=True)


@given(points())
@settings(max_examples=60)
def test_the_most_even_mixture_meets_the_condition_for_a_maximum(rows):
    """H is concave: x is best iff ⟨-log x, u - x⟩ ≤ 0 for all the points u; and x is a mixture."""
    x = most_even(rows)
    assert_allclose(x.sum(), 1.0, atol=1e-12)
    used = rows.max(axis=0) > 0
    slopes = (rows - x)[:, used] @ -np.log(x[used])
    assert (slopes <= 1e-6).all()
    assert all(entropy(x) >= entropy(u) - 1e-9 for u in rows)


@given(bimatrix_games(3))
def test_no_equilibrium_has_more_entropy_than_the_one_given(game):
    found = maximum_entropy_equilibrium(game)
    assert is_nash(game, found.profile)
    assert found.entropy == pytest.approx(sum(map(entropy, found.profile)))
    for profile in support_enumeration(game).profiles:
        assert sum(map(entropy, profile)) <= found.entropy + 1e-7
    if is_nash(game, game.uniform(), tol=0.0):
        assert found.entropy == pytest.approx(np.log(game.num_actions).sum(), abs=1e-9)


@given(games(1, 3), st.sampled_from([1.0, 1e-200, 1e200]))
def test_no_correlated_equilibrium_has_more_entropy_than_the_one_given(game, unit):
    found = maximum_entropy_correlated(NormalForm(game.payoffs * unit))
    size = max(scale(game).max(), 1.0)
    assert violation(game, found.distribution) <= 1e-9 * size
    assert 0.0 <= found.violation <= 1e-9 * size * unit
    assert found.entropy == pytest.approx(entropy(found.distribution))
    for objective in ("welfare", "-welfare", 0):
        other = correlated_equilibrium(game, objective).distribution
        assert entropy(other) <= found.entropy + 1e-6
    even = product_distribution(game, game.uniform())
    if violation(game, even) == 0.0:
        assert_allclose(found.distribution, even, atol=1e-5)


@given(bimatrix_games(3))
@settings(max_examples=15)
def test_it_is_at_least_as_even_as_any_nash_equilibrium(game):
    found = maximum_entropy_correlated(game)
    assert found.entropy >= maximum_entropy_equilibrium(game).entropy - 1e-6


@given(arrays(float, (3, 3), elements=INTEGERS))
@settings(max_examples=15)
def test_alike_players_are_told_alike(A):
    p = maximum_entropy_correlated(NormalForm.bimatrix(A, A.T)).distribution
    assert_allclose(p, p.T, atol=1e-5)


@given(PAIRS, PAIRS)
@settings(max_examples=10)
def test_mixtures_of_two_strict_equilibria_are_correlated(first, second):
    game = coordination(first, second)
    assume(first != second)
    assert maximum_entropy_correlated(game).entropy >= np.log(2) - 1e-6


def test_bad_input_is_refused_in_one_line():
    hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    with pytest.raises(InputError, match="need two strict equilibria"):
        risk_dominance(hunt, (0, 0), (0, 1))
    with pytest.raises(InputError, match="need two strict equilibria"):
        risk_dominance(hunt, (0, 0), (0, 0))
    with pytest.raises(InputError, match="need 2 × 2 actions"):
        risk_dominance(NormalForm(np.zeros((2, 3, 2))), (0, 0), (1, 1))
    with pytest.raises(InputError, match="need 2 × 2 actions"):
        risk_dominance(NormalForm(np.zeros((3, 2, 2, 2))), (0, 0, 0), (1, 1, 1))
    with pytest.raises(InputError, match="need 2 players"):
        maximum_entropy_equilibrium(NormalForm(np.zeros((3, 2, 2, 2))))
    with pytest.raises(InputError, match="the cap is"):
        maximum_entropy_correlated(NormalForm(np.zeros((2, 60, 60))))
