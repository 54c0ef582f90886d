"""The studies of section 1 as a whole, and theorems on what they draw."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.cli import main
from refmarl.games import NormalForm, best_responses, library
from refmarl.studies import STUDIES
from refmarl.studies.s1_games import best_responses as curves
from refmarl.studies.s1_games import correlated, fictitious_play, stackelberg, welfare

FAST = ("s1.best-responses", "s1.welfare")


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


@pytest.mark.slow
def test_the_tour_meets_every_expectation_twice_alike(tmp_path):
    """The first of the two may have been made elsewhere: by another installation, in .ci/run."""
    first, again = Path(os.environ.get("REFMARL_TOUR") or tmp_path / "0"), tmp_path / "1"
    picture = tmp_path / "figures" / "tour.png"
    if not first.exists():
        assert main(["tour", "--out", str(first)]) == 0
    assert main(["tour", "--out", str(again), "--picture", str(picture)]) == 0
    assert picture.stat().st_size <= 15_000 * len(STUDIES)  # a page shows it
    assert (first / "report.html").read_bytes() == (again / "report.html").read_bytes()
    for folder in (first, again):
        rows = json.loads((folder / "results.json").read_text("utf-8"))
        assert {row["study"] for row in rows} == set(STUDIES)
        assert all(row["ok"] for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STUDIES))
def test_another_seed_meets_them_too(name):
    assert [row.name for row in STUDIES[name].run(7).rows if not row.ok] == []


def test_one_study_writes_its_figures_and_rows(tmp_path, capsys):
    assert main(["run", "welfare", "--out", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"s1.welfare.json", "s1.welfare-1.png", "s1.welfare-1.svg"}
    assert "price of anarchy" in capsys.readouterr().out
    assert main(["run", "welfare", "--out", str(tmp_path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    saved = json.loads((tmp_path / "s1.welfare.json").read_text("utf-8"))
    assert [row["got"] for row in rows] == [row["got"] for row in saved]


@settings(max_examples=30)
@given(st.lists(st.integers(-5, 5), min_size=8, max_size=8), st.floats(0.01, 0.99))
def test_a_curve_gives_a_best_response_everywhere_but_at_its_jump(numbers, other):
    game = NormalForm(np.reshape(numbers, (2, 2, 2)))
    for i in range(2):
        line = curves.curve(game, i)
        own = np.interp(other, line[:, 0], line[:, 1])
        if np.any(np.abs(line[1:-1, 0] - other) < 1e-9):
            continue
        profile = [[other, 1 - other]] * 2
        best = best_responses(game, profile, i)
        assert best[0 if own == 1 else 1]


def test_the_polygon_of_a_game_with_two_actions_is_the_same_for_both_kinds():
    plain, coarse = (correlated.polygon(correlated.CHICKEN, 12, c) for c in (False, True))
    assert_allclose(plain, coarse, atol=1e-7)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_the_price_of_two_roads_is_at_most_that_of_pigou(n):
    worst, best = welfare.road_cost(n)
    assert 1 <= worst / best <= 4 / 3 + 1e-12
    assert worst / best == pytest.approx(4 / 3) or n % 2


def test_public_goods_is_the_library_s_game_moved_by_the_endowment():
    ours, theirs = welfare.public_goods(3, 2.0), library.game("public-goods")
    assert_allclose(ours.payoffs - theirs.payoffs, 1.0)


def test_the_ratio_of_runs_solves_its_equation():
    x = fictitious_play.RATIO
    assert_allclose(x**3, x**2 + 1, rtol=1e-12)


def test_the_drawn_payoff_of_a_commitment_is_that_of_the_strong_reply():
    for game in (stackelberg.TWO, stackelberg.THREE):
        pieces = stackelberg._pieces(game)
        best = stackelberg.stackelberg(game)
        top = max(piece[:, 1].max() for piece in pieces)
        assert top <= best.payoff + 1e-9
        assert top == pytest.approx(best.payoff, abs=2e-3)  # a grid of 2001 points
