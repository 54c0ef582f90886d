"""The studies of section 3 as a whole, and theorems on what they compute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.studies import STUDIES
from refmarl.studies.s3_policy_gradient import gae_bias

FAST = ("s3.gae-bias",)


@pytest.mark.parametrize("name", FAST)
def test_a_study_meets_its_expectations_whatever_the_seed(name):
    for seed in (0, 1):
        outcome = STUDIES[name].run(seed)
        assert [row.name for row in outcome.rows if not row.ok] == []
        assert outcome.figures
        assert outcome.sample
        for figure in outcome.figures:
            assert figure.caption.endswith(".")
            assert 0 <= figure.lead < len(figure.panels)
            assert all(panel.alt and panel.title for panel in figure.panels)


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_the_bias_is_the_sum_of_what_each_td_error_is_off(seed, lam):
    w = gae_bias.walk()
    e = np.random.default_rng(seed).standard_normal(len(w.value))
    p, wanted = w.p.mean(axis=0), np.zeros(2)
    for a in range(2):
        where = np.eye(len(e))[gae_bias.START]
        for k in range(600):
            after = where @ (w.p[a] if k == 0 else p)
            wanted[a] += (gae_bias.GAMMA * lam) ** k * (gae_bias.GAMMA * after - where) @ e
            where = after
    found = gae_bias.bias(w._replace(wrong=w.value + e), lam)
    assert_allclose(found, wanted, atol=1e-9)


def test_advantages_average_to_zero_over_the_policy_and_the_better_action_has_the_larger():
    found = gae_bias.advantage(gae_bias.walk())
    assert found.mean() == pytest.approx(0.0, abs=1e-12)
    assert found[1] > found[0]


def test_the_walk_is_sampled_as_its_tables_say():
    w, n = gae_bias.walk(), 4000
    for first in range(2):
        reward, value, after, over, ended = gae_bias.sample(w, np.random.default_rng(0), n, first)
        assert_array_equal(over, ended)
        assert_array_equal(value[0], w.wrong[gae_bias.START])
        assert set(np.unique(reward)) == {0.0, 1.0}
        assert_array_equal(value[1:][~over[:-1]], after[:-1][~over[:-1]])
        assert not after[over].any()
        powers = gae_bias.GAMMA ** np.arange(len(reward))
        q = gae_bias.advantage(w)[first] + w.value[gae_bias.START]
        returns = powers @ reward
        assert abs(returns.mean() - q) <= 4.0 * returns.std() / np.sqrt(n)
