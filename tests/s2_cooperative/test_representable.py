"""Nearest monotone tables, weighted QMIX's theorems and QTRAN's, and the game that shows them."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from refmarl.check import InputError
from refmarl.cooperative.decomposition import (
    additive,
    central_weight,
    main_effects,
    optimistic_weight,
    qtran_loss,
    td_loss,
)
from refmarl.cooperative.mixers import Monotone
from refmarl.cooperative.representable import central, nearest_monotone, qtran_factors
from refmarl.games import library
from refmarl.studies import STUDIES

SHAPES = st.sampled_from([(3,), (2, 2), (2, 3), (3, 3), (2, 2, 2)])
PAYS = st.integers(-12, 12).map(float)
TABLES = SHAPES.flatmap(lambda shape: arrays(float, shape, elements=PAYS))
PAIRS = SHAPES.flatmap(
    lambda shape: st.tuples(
        arrays(float, shape, elements=PAYS), arrays(float, shape, elements=st.floats(0.1, 3.0))
    )
)


def orders(table):
    return product(*(permutations(range(size)) for size in table.shape))


def rises(table):
    return all((np.diff(table, axis=axis) >= -1e-9).all() for axis in range(table.ndim))


@given(TABLES, st.data())
def test_what_is_found_is_monotone_with_the_asked_for_on_top(table, data):
    best = tuple(data.draw(st.integers(0, size - 1)) for size in table.shape)
    top = nearest_monotone(table, best=best)
    assert top.table[best] >= top.table.max() - 1e-9
    assert top.loss >= nearest_monotone(table).loss - 1e-9
    for near in (
        top,
        nearest_monotone(table),
        nearest_monotone(table, central(table, 0.1)),
        nearest_monotone(table, optimistic=0.1),
    ):
        assert any(rises(near.table[np.ix_(*order)]) for order in orders(table))


@given(TABLES, st.data())
def test_a_monotone_table_is_its_own_nearest(table, data):
    for axis in range(table.ndim):
        table = np.sort(table, axis=axis)
    order = tuple(data.draw(st.permutations(range(size))) for size in table.shape)
    mixed = table[np.ix_(*order)]
    found = nearest_monotone(mixed)
    assert_allclose(found.table, mixed, atol=1e-9)
    assert found.loss == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=15)
@given(PAIRS)
def test_no_sum_is_nearer(pair):
    """Sums are monotone; and where weights are alike no constant is nearer, either."""
    table, weights = pair
    found = nearest_monotone(table, weights)
    fit = additive(main_effects(table, weights))
    assert found.loss <= (weights * (table - fit) ** 2).sum() + 1e-7
    assert found.table.min() >= table.min() - 1e-9
    assert found.table.max() <= table.max() + 1e-9


@settings(max_examples=8)
@given(arrays(float, (2, 3), elements=PAYS), st.sampled_from([1.0, 0.2]))
def test_a_solver_of_convex_programs_finds_nothing_nearer(table, alpha):
    least = np.inf
    for order in orders(table):
        u = table[np.ix_(*order)]

        def loss(x, u=u):
            gap = u - x.reshape(u.shape)
            return (np.where(gap > 0, 1.0, alpha) * gap**2).sum()

        def slope(x, u=u):
            gap = u - x.reshape(u.shape)
            return (-2 * np.where(gap > 0, 1.0, alpha) * gap).ravel()

        rules = [
            {"type": "ineq", "fun": lambda x, k=k: np.diff(x.reshape(2, 3), axis=k).ravel()}
            for k in range(2)
        ]
        found = minimize(loss, np.full(6, u.mean()), jac=slope, constraints=rules, method="SLSQP")
        least = min(least, found.fun)
    assert nearest_monotone(table, optimistic=alpha).loss == pytest.approx(
        least, rel=1e-4, abs=1e-4
    )


# -- weighted QMIX ----------------------------------------------------------------------


@given(TABLES)
def test_with_small_weights_the_best_joint_action_is_on_top(table):
    """Rashid et al. 2020, theorems 1 and 2, with how small α must be.

    With Q(û) as it is and one value c for all others, α R is lost, R = Σ (u − c)². So the nearest
    table has at û more than u(û) − √(α R), which is above all other payoffs if α R < Δ², and
    cutting off what lies above û brings it nearer.
    """
    best = np.unravel_index(table.argmax(), table.shape)
    rest = np.delete(table.ravel(), table.argmax())
    gap = table.max() - rest.max()
    if gap == 0.0:
        return
    for kind, c in (("CW", rest.mean()), ("OW", rest.max())):
        alpha = min(0.5 * gap**2 / max(((rest - c) ** 2).sum(), 1e-9), 1.0)
        if kind == "CW":
            near = nearest_monotone(table, central(table, alpha))
        else:
            near = nearest_monotone(table, optimistic=alpha)
        assert near.table[best] >= near.table.max() - 1e-9
        assert near.table[best] > rest.max()


@given(TABLES, st.floats(0.01, 1.0))
def test_the_learners_weights_are_those(table, alpha):
    """Where Q* is what is paid and everybody is greedy for it."""
    u, q = table.ravel(), np.roll(table.ravel(), 1)
    first = np.arange(u.size) == u.argmax()
    found = central_weight(first, u, np.full_like(u, u.max()), alpha)
    assert_allclose(found, central(table, alpha).ravel())
    loss = td_loss(q, u, optimistic_weight(q, u, alpha)).value
    assert_allclose(loss, (np.where(q < u, 1.0, alpha) * (u - q) ** 2).sum())


@pytest.mark.equation("2.8")
@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_no_mixing_network_is_nearer(seed):
    """Whatever QMIX's parameters: what it says of a game is monotone."""
    rng = np.random.default_rng(seed)
    u = library.game("non-monotone").payoffs[0]
    net = Monotone(2, 1, units=5, activation=rng.choice(["elu", "tanh"]))
    psi, utilities = 3.0 * rng.standard_normal(net.size), 5.0 * rng.standard_normal((2, 3))
    at = np.indices((3, 3)).reshape(2, 9)
    q = np.stack([utilities[i, at[i]] for i in range(2)], axis=1)
    total = net.forward(psi, q, np.ones((9, 1)))[0].reshape(3, 3)
    total += (u - total).mean()
    assert ((u - total) ** 2).sum() >= nearest_monotone(u).loss - 1e-9
    best = tuple(int(own.argmax()) for own in utilities)
    assert ((u - total) ** 2).sum() >= nearest_monotone(u, best=best).loss - 1e-9


# -- QTRAN ------------------------------------------------------------------------------


def losses(utilities, v, joint):
    """(L_opt, L_nopt) over all joint actions."""
    total, best = additive(utilities), tuple(int(own.argmax()) for own in utilities)
    at_best = (np.array([x[best]]) for x in (total, joint))
    opt = qtran_loss(*at_best, np.array([v]), taken=False).value
    return opt, qtran_loss(total.ravel(), joint.ravel(), np.full(joint.size, v), taken=True).value


@given(TABLES)
def test_qtrans_losses_can_vanish_whatever_is_paid(table):
    utilities, v = qtran_factors(table)
    top = additive(utilities)
    assert (top + v >= table - 1e-9).all()
    if (table == table.max()).sum() == 1:
        assert losses(utilities, v, table) == (pytest.approx(0.0), pytest.approx(0.0))
        assert np.argwhere(top == top.max()).tolist() == np.argwhere(table == v).tolist()


@given(TABLES, st.integers(0, 2**32), st.floats(-5.0, 5.0))
def test_where_they_vanish_the_greedy_joint_action_is_best(table, seed, v):
    rng = np.random.default_rng(seed)
    utilities = tuple(rng.standard_normal(size) for size in table.shape)
    above = additive(utilities) + v
    joint = above - np.abs(table)  # below the sum, and equal to it at the top
    best = np.unravel_index(above.argmax(), table.shape)
    joint[best] = above[best]
    assert losses(utilities, v, joint) == (pytest.approx(0.0), pytest.approx(0.0))
    assert joint[best] == joint.max()


# -- the game ---------------------------------------------------------------------------


def test_what_is_out_of_range_is_refused():
    for wrong, says in (
        ({"weights": [[1, 1], [1, 0]]}, "weights: need numbers > 0"),
        ({"optimistic": 0.0}, "optimistic: need a number"),
        ({"best": (2, 0)}, r"best: need a joint action, got \(2, 0\)"),
    ):
        with pytest.raises(InputError, match=says):
            nearest_monotone([[1, 2], [3, 4]], **wrong)
    with pytest.raises(InputError, match="payoffs: need a small table"):
        nearest_monotone(np.zeros((9, 9)))
    with pytest.raises(InputError, match="payoffs: need at least one axis"):
        qtran_factors(3.0)


def test_three_forms_of_the_non_monotone_game():
    u = library.game("non-monotone").payoffs[0]
    assert nearest_monotone(u, best=(0, 0)).table[0, 0] == 8.0
    low = nearest_monotone(u, best=(1, 1)).table
    assert_allclose(low, [[-8, -8, -8], [-8, 0, 0], [-8, 0, 0]], atol=1e-12)


@pytest.mark.slow  # 40 s: ten seeds of five learners in three games
def test_the_study_comes_out_as_theory_says():
    outcome = STUDIES["s2.non-monotone"].run(0, full=True)
    assert [row.name for row in outcome.rows if not row.ok] == []
