"""Dividing resources: feasible, certified by duality, each optimum best for its welfare."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games.allocation import (
    alpha_bound,
    alpha_fair,
    egalitarian,
    envy,
    nash_welfare,
    selfish_price,
    share_out,
    utilitarian,
)

SEEDS = st.integers(0, 2**32)


@st.composite
def problems(draw, most=4):
    n, m = draw(st.integers(1, most)), draw(st.integers(1, most))
    rng = np.random.default_rng(draw(SEEDS))
    return rng.uniform(0.05, 1.0, (n, m)), rng.uniform(0.5, 2.0, m), rng


def some(rng, shape, q):
    """Feasible allocations, among them ones that give everything away."""
    shares = rng.dirichlet(np.full(shape[0] + 1, 0.4), size=(200, shape[1]))[..., :-1]
    return np.moveaxis(shares, 1, 2) * q


def feasible(x, q):
    assert (x >= -1e-12).all()
    assert (x.sum(axis=-2) <= q * (1 + 1e-9)).all()


@given(problems())
def test_whatever_is_asked_for_nothing_is_given_out_twice(case):
    v, q, rng = case
    asked = rng.exponential(1.0, (5, *v.shape))
    x = share_out(asked, q)
    feasible(x, q)
    assert (x <= asked + 1e-12).all()
    fits = asked.sum(axis=-2) <= q
    assert_allclose(np.where(fits[:, None], x, 0.0), np.where(fits[:, None], asked, 0.0))
    scarce = ~fits
    assert_allclose(x.sum(axis=-2)[scarce], np.broadcast_to(q, scarce.shape)[scarce])


@given(problems())
def test_each_optimum_is_best_under_its_own_welfare(case):
    v, q, rng = case
    u = (some(rng, v.shape, q) * v).sum(axis=-1)  # (200, n)
    for found, welfare in (
        (utilitarian(v, q), u.sum(axis=-1)),
        (egalitarian(v, q), u.min(axis=-1)),
        (nash_welfare(v, q), np.exp(np.log(np.maximum(u, 1e-300)).mean(axis=-1))),
    ):
        feasible(found.x, q)
        assert_allclose(found.utilities, (v * found.x).sum(axis=1), rtol=1e-9)
        assert welfare.max() <= found.welfare * (1 + 1e-3)
        assert welfare.max() <= found.bound * (1 + 1e-9)


@settings(max_examples=15)
@given(problems())
def test_duality_gaps_are_closed(case):
    v, q, _ = case
    for found, gap in ((utilitarian(v, q), 1e-12), (egalitarian(v, q), 1e-6)):
        assert abs(found.bound - found.welfare) <= gap * found.bound
    found = nash_welfare(v, q, steps=3000)
    assert -1e-9 <= found.bound / found.welfare - 1.0 <= 5e-3


@settings(max_examples=15)
@given(problems(3), st.sampled_from([0.5, 1.0, 2.0, 5.0]))
def test_the_dual_bounds_every_allocation_and_is_met_at_the_optimum(case, alpha):
    v, q, rng = case
    u = (some(rng, v.shape, q) * v).sum(axis=-1)
    u = u[(u > 1e-3).all(axis=1)]
    worth = np.log(u) if alpha == 1.0 else u ** (1 - alpha) / (1 - alpha)
    bounds = [alpha_bound(v, q, one, alpha) for one in u[:10]]
    assert all(b >= worth.sum(axis=1).max() - 1e-6 * abs(b) for b in bounds)
    found = alpha_fair(v, q, alpha)
    feasible(found.x, q)
    assert -1e-6 <= (found.bound - found.welfare) / abs(found.welfare) <= 1e-3


@settings(max_examples=10)
@given(problems(), SEEDS)
def test_nash_does_not_mind_units_and_nobody_envies(case, seed):
    v, q, _ = case
    found = nash_welfare(v, q, steps=3000)
    units = np.random.default_rng(seed).uniform(0.1, 10.0, (len(v), 1))
    other = nash_welfare(units * v, q, steps=3000)
    assert_allclose(other.utilities, units[:, 0] * found.utilities, rtol=1e-6)
    assert (envy(v, found.x) <= 0.03 * found.utilities).all()
    assert (found.utilities >= (v @ q) / len(v) * 0.99).all()  # no less than an equal split


def test_known_markets():
    """S7.11: Eisenberg and Gale's two buyers."""
    found = nash_welfare([[10, 4, 1], [6, 8, 2]], [1, 1, 1])
    assert_allclose(found.x, [[1, 0, 0], [0, 1, 1]], atol=1e-4)
    assert_allclose(found.utilities, [10, 10], atol=1e-4)
    assert found.welfare == pytest.approx(found.bound, rel=1e-6)


def test_leximin_goes_on_after_the_least():
    """Agent 1 can have 1 at most; a bare max-min may leave the others there, leximin does not."""
    v = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    found = egalitarian(v, [1.0, 3.0, 1.0])
    assert_allclose(np.sort(found.utilities), [1.0, 2.0, 2.0], atol=1e-5)
    assert found.bound == pytest.approx(1.0)


@given(problems())
def test_the_three_welfares_are_ordered(case):
    """Nobody has a larger sum than the utilitarian, nor a larger least than the egalitarian."""
    v, q, _ = case
    one, two, three = utilitarian(v, q), nash_welfare(v, q), egalitarian(v, q)
    sums = [found.utilities.sum() for found in (one, two, three)]
    assert sums[0] >= max(sums[1:]) - 1e-9
    leasts = [found.utilities.min() for found in (one, two, three)]
    assert leasts[2] >= max(leasts[:2]) - 1e-6
    assert 1.0 - 1e-12 <= selfish_price(v, q) <= len(v) + 1e-9


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: utilitarian([[1.0, 2.0]], [1.0]), "capacity"),
        (lambda: utilitarian([[1.0], [0.0]], [1.0]), "values"),
        (lambda: alpha_fair([[1.0]], [1.0], 0.0), "alpha"),
        (lambda: share_out([[-1.0]], [1.0]), "requests"),
    ],
)
def test_bad_input_is_told_in_a_line(call, says):
    with pytest.raises(InputError, match=says):
        call()
