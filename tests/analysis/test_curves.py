"""Learning curves: common points, no look ahead, intervals."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from refmarl.analysis.curves import Series, align, curve, final, panel, series, smooth
from refmarl.analysis.plots import look, picture
from refmarl.check import InputError


@st.composite
def one_series(draw):
    steps = draw(st.lists(st.integers(1, 5), min_size=1, max_size=12))
    x = np.cumsum(steps).astype(float)
    y = np.random.default_rng(draw(st.integers(0, 99))).normal(size=len(x))
    return Series(x, y)


@given(one_series(), st.integers(1, 5))
def test_smoothing_is_the_mean_of_the_points_so_far(one, width):
    found = smooth(one, width)
    for k in range(len(one.y)):
        assert_allclose(found.y[k], one.y[max(0, k - width + 1) : k + 1].mean(), atol=1e-12)
    assert_array_equal(smooth(one, 1).x, one.x)
    assert_allclose(smooth(one, 1).y, one.y, atol=1e-12)


@given(st.lists(one_series(), min_size=1, max_size=4))
def test_aligned_runs_have_their_latest_value_and_nothing_from_the_future(runs):
    begin, end = max(r.x[0] for r in runs), min(r.x[-1] for r in runs)
    if begin > end:
        with pytest.raises(InputError, match="no points in common"):
            align(runs)
        return
    x, y = align(runs)
    assert (np.diff(x) > 0).all()
    assert (x[0], x[-1]) == (begin, end)
    for k, at in enumerate(x):
        for run, value in zip(runs, y[:, k], strict=True):
            assert value == run.y[run.x <= at][-1]


@given(one_series(), st.integers(2, 4))
def test_equal_runs_have_a_band_of_no_width(one, copies):
    for interval in ("bootstrap", "t"):
        found = curve([one] * copies, "mean", interval)
        for part in found.middle:
            assert_allclose(part, one.y, atol=1e-12)


def test_one_run_has_no_interval():
    one = Series(np.arange(3.0), np.arange(3.0))
    assert curve([one]).middle is None


def test_a_bad_request_is_refused():
    one = Series(np.arange(3.0), np.arange(3.0))
    for statistic, interval in (("median", "t"), ("mean", "normal"), ("iqm", "t")):
        with pytest.raises(InputError):
            curve([one, one], statistic, interval)


ROWS = [{"iteration": k, "steps": 8 * k, "loss": 1.0 / k} for k in range(10, 110, 10)]


def test_a_score_is_the_mean_of_the_last_tenth():
    rows = [dict(row) for row in ROWS]
    for row in rows[::3]:
        row["return"] = float(row["iteration"])
    assert final(rows, "return") == 100.0  # at 10, 40, 70, 100
    assert final(rows, "return", 0.4) == 85.0
    assert final(rows[:-1], "return", 0.2) == 70.0  # 72 < iteration: none, so the last
    assert final(ROWS, "loss", 0.1) == ROWS[-1]["loss"]  # 90 is not later than 90
    assert final(rows, "loss", 1.0) == pytest.approx(np.mean([row["loss"] for row in rows]))


def test_a_metric_that_was_not_measured_is_named_with_those_that_were():
    with pytest.raises(InputError, match="no 'gain' was measured; there are loss"):
        series(ROWS, "gain")
    with pytest.raises(InputError, match="there are none yet"):
        series([], "gain")


def test_a_panel_says_in_words_what_it_shows():
    one = Series(np.arange(3.0), np.arange(3.0))
    drawn = panel("cartpole", {"a": curve([one]), "b": curve([one, one])}, "mean of return")
    assert drawn.alt == "mean of return over steps: a ends at 2 (n = 1); b ends at 2 (n = 2)."
    assert b"b (n = 2)" in picture([drawn], "svg")


@pytest.mark.parametrize("count", [1, 2, 5, 16])
@pytest.mark.parametrize("label", ["a", "gamma=0.99, lr=0.0007", "hidden=64,64, " * 8])
def test_nothing_of_a_panel_is_cut_off(count, label):
    one = Series(np.arange(3.0), np.arange(3.0))
    curves = {f"{label} {k}": curve([one, one]) for k in range(count)}
    drawn = panel("cartpole (horizon=9, gravity=10)", curves, "interquartile mean of return")
    image = np.asarray(Image.open(io.BytesIO(picture([drawn], "png"))).convert("L"))
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert edge.min() > 250  # paper
    assert (image < 128).sum() > 1000


def test_no_two_of_sixteen_lines_look_the_same():
    assert len({look(k) for k in range(16)}) == 16


@pytest.mark.parametrize(("interval", "says"), [("t", "Student's t"), ("bootstrap", "bootstrap")])
def test_a_picture_says_what_its_bands_are(interval, says):
    one, two = (Series(np.arange(3.0), k + np.arange(3.0)) for k in range(2))
    several = panel("x", {"a": curve([one, two], "mean", interval)}, "mean of return")
    alone = panel("x", {"a": curve([one])}, "mean of return")
    assert f"bands: 95 % {says}" in picture([several], "svg").decode()
    assert "bands" not in picture([alone], "svg").decode()
