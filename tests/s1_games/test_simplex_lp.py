"""The linear program over distributions that (1.7) and (1.8) share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.games._simplex_lp import _polished, best_distribution
from refmarl.testing.strategies import matrices, mixtures


@given(matrices(), st.data())
def test_the_best_distribution_is_feasible_and_no_feasible_one_is_better(rows, data):
    size = rows.shape[1]
    inner = data.draw(mixtures(size))
    bound = rows @ inner  # so that something is feasible
    gain = np.array(data.draw(st.lists(st.integers(-4, 4), min_size=size, max_size=size)), float)
    best = best_distribution(gain, rows, bound, size)
    assert best is not None
    assert best.min() >= 0
    assert best.sum() == pytest.approx(1, abs=1e-12)
    assert (rows @ best <= bound + 1e-9).all()
    assert gain @ best >= gain @ inner - 1e-9


def test_free_numbers_may_be_negative_and_what_is_infeasible_is_none():
    level = best_distribution(
        np.array([0.0, 0, 1]), np.array([[3.0, 2, 1], [1, 2, 1]]), np.zeros(2), 2
    )
    assert level is not None
    assert level[-1] == pytest.approx(-2)  # t ≤ -3p_1 - 2p_2 and t ≤ -p_1 - 2p_2
    assert best_distribution(np.ones(2), np.ones((1, 2)), np.zeros(1), 2) is None


def test_rounding_is_cleaned_up_of_the_distribution_alone():
    assert_allclose(_polished(np.array([-1e-11, 0.25, 0.25, -3.0]), 3), [0, 0.5, 0.5, -3], rtol=0)


def test_a_solver_that_gives_up_is_told():
    with pytest.raises(RuntimeError, match="linear program of 1 × 1"):
        best_distribution(np.array([0.0, 1.0]), np.array([[1.0, 0.0]]), np.ones(1), 1)
