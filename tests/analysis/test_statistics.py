"""Statistics of runs: equivariance, reductions, coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import stats

from refmarl.analysis.statistics import (
    bootstrap,
    improvement,
    improvement_interval,
    iqm,
    mean,
    t_interval,
)
from refmarl.check import InputError

SCORES = arrays(np.float64, st.integers(2, 15), elements=st.floats(-1e3, 1e3))


def rng():
    return np.random.default_rng(0)


@given(SCORES, st.floats(0.1, 10), st.floats(-100, 100))
def test_everything_moves_with_the_scores(scores, scale, shift):
    moved = scale * scores + shift
    for f in (t_interval, lambda x: bootstrap(rng(), [x], iqm, resamples=50)):
        assert_allclose(f(moved), scale * np.array(f(scores)) + shift, atol=1e-8)
    assert_allclose(improvement(moved, scale * np.sort(scores)[:2] + shift),
                    improvement(scores, np.sort(scores)[:2]), atol=0.5)  # fmt: skip


@given(SCORES)
def test_an_estimate_lies_in_its_interval_and_within_the_scores(scores):
    slack = 1e-9 * (1 + abs(scores).max())
    for found in (t_interval(scores), bootstrap(rng(), [scores], mean, resamples=200)):
        assert found.low - slack <= found.estimate <= found.high + slack
    for statistic in (mean, iqm):
        found = bootstrap(rng(), [scores], statistic, resamples=50)
        assert scores.min() - slack <= found.low <= found.high <= scores.max() + slack


@given(SCORES)
def test_the_t_interval_is_scipys_test_turned_round(scores):
    if scores.std() < 1e-6:
        return
    found = t_interval(scores, 0.9)
    for end in (found.low, found.high):
        assert_allclose(stats.ttest_1samp(scores, end).pvalue, 0.1, rtol=1e-6)


@given(st.integers(1, 10).map(lambda k: 4 * k), st.integers(0, 99))
def test_iqm_of_a_multiple_of_four_is_the_plain_middle_half(n, seed):
    scores = np.random.default_rng(seed).normal(size=n)
    assert_allclose(iqm(scores), np.sort(scores)[n // 4 : 3 * n // 4].mean())
    assert_allclose(iqm(scores), stats.trim_mean(scores, 0.25))


@given(SCORES)
def test_iqm_counts_border_runs_in_part(scores):
    """Four copies of every run have the same interquartile mean, and a multiple of four runs."""
    copies = np.sort(np.repeat(scores, 4))
    n = len(scores)
    assert_allclose(iqm(scores), copies[n : 3 * n].mean(), atol=1e-9)


@given(SCORES)
def test_iqm_does_not_see_the_ends(scores):
    if len(scores) < 4:
        return
    spoiled = np.sort(scores)
    spoiled[0] -= 1e6
    spoiled[-1] += 1e6
    assert_allclose(iqm(spoiled), iqm(scores), atol=1e-9)


@given(SCORES, SCORES)
def test_improvement_is_a_probability_with_its_opposite(x, y):
    brute = (np.sign(x[:, None] - y) + 1).mean() / 2
    assert_allclose(improvement(x, y), brute, atol=1e-12)
    assert_allclose(improvement(x, y) + improvement(y, x), 1.0)
    assert improvement(x, x) == pytest.approx(0.5)
    assert improvement(x + 2 * abs(x).max() + abs(y).max() + 1, y) == 1.0


@given(SCORES, SCORES)
def test_improvement_is_mann_and_whitneys_u(x, y):
    u = stats.mannwhitneyu(x, y, method="asymptotic").statistic
    assert_allclose(improvement(x, y), u / (len(x) * len(y)), atol=1e-12)


def test_strata_are_resampled_within_themselves():
    """Each task is constant: nothing can vary, though the pooled scores do."""
    tasks = [np.full(5, 0.0), np.full(3, 10.0)]
    found = bootstrap(rng(), tasks, mean)
    assert found.low == found.estimate == found.high == pytest.approx(30 / 8)
    better = improvement_interval(rng(), tasks, [np.full(2, -1.0), np.full(2, 11.0)])
    assert tuple(better) == (0.5, 0.5, 0.5)


def test_equal_scores_give_an_interval_of_no_width():
    for found in (t_interval(np.ones(4)), bootstrap(rng(), [np.ones(4)], iqm)):
        assert found.low == found.estimate == found.high == 1.0


def test_curves_are_treated_point_by_point():
    scores = np.random.default_rng(1).normal(size=(6, 3))
    whole = t_interval(scores)
    for k in range(3):
        assert_allclose([part[k] for part in whole], t_interval(scores[:, k]))
    found = bootstrap(rng(), [scores], iqm, resamples=100)
    assert found.estimate.shape == found.low.shape == (3,)
    alone = bootstrap(rng(), [scores[:, :1]], iqm, resamples=100)
    assert_allclose([part[0] for part in found], [part[0] for part in alone])


def test_intervals_cover_as_often_as_they_say():
    """Normal scores: Student's exactly, the bootstrap's less for small n (its known fault)."""
    draws = np.random.default_rng(2).normal(size=(10, 4000))
    found = t_interval(draws, 0.9)
    share = ((found.low <= 0) & (found.high >= 0)).mean()
    assert abs(share - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 4000)
    found = bootstrap(rng(), [draws[:, :500]], mean, 0.9, resamples=400)
    assert 0.78 < ((found.low <= 0) & (found.high >= 0)).mean() < 0.9


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: t_interval(np.ones(1)), "need 2 runs or more"),
        (lambda: t_interval(np.array([1.0, np.nan])), "need finite numbers"),
        (lambda: t_interval(np.ones(3), 1.0), r"level: need a number in \(0, 1\)"),
        (lambda: bootstrap(rng(), [np.ones(3), np.ones(1)]), "need 2 runs or more"),
        (lambda: improvement_interval(rng(), [np.ones(2)], []), "need as many of both"),
    ],
)
def test_what_cannot_be_told_is_refused(call, says):
    with pytest.raises(InputError, match=says):
        call()
