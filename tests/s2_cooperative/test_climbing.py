"""The study of climbing and penalty games, and its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import binom

from refmarl.analysis.statistics import share_interval
from refmarl.check import InputError
from refmarl.games import library
from refmarl.games.independent_q import IndependentConfig, learn
from refmarl.studies import STUDIES
from refmarl.studies.s2_cooperative import climbing


@given(st.integers(1, 40), st.floats(0.0, 1.0), st.sampled_from([0.5, 0.9, 0.95]))
def test_the_interval_covers_every_probability_as_often_as_it_says(runs, p, level):
    found = [share_interval(hits, runs, level) for hits in range(runs + 1)]
    covers = [low <= p <= high for _, low, high in found]
    assert binom.pmf(np.arange(runs + 1), runs, p)[covers].sum() >= level - 1e-9


@given(st.integers(1, 1000), st.data())
def test_the_interval_holds_its_share_and_mirrors(runs, data):
    hits = data.draw(st.integers(0, runs))
    one, other = share_interval(hits, runs), share_interval(runs - hits, runs)
    assert 0.0 <= one.low <= hits / runs <= one.high <= 1.0
    assert one.low == pytest.approx(1.0 - other.high, abs=1e-12)


@pytest.mark.parametrize(("hits", "runs"), [(-1, 3), (4, 3), (0, 0)])
def test_what_is_no_count_is_refused(hits, runs):
    with pytest.raises(InputError, match=r"hits: need|runs: need|runs"):
        share_interval(hits, runs)


@pytest.mark.parametrize("k", [0, -5, -100])
def test_optimists_of_the_penalty_game_always_value_alike(k):
    # (1, 1), (2, 2), (3, 3) alone raise a value, and that of both players by the same
    cfg = IndependentConfig(beta=0.0, steps=300)
    found = learn(library.game("penalty", k=k), cfg, np.random.default_rng(1), runs=50)
    assert_array_equal(found.q[0], found.q[1])


def test_the_study_comes_out_as_expected_and_would_notice_another_game(monkeypatch):
    outcome = STUDIES["s2.climbing"].run(0)
    assert [row.name for row in outcome.rows if not row.ok] == []
    game = library.game("penalty", k=-30)
    monkeypatch.setattr(climbing.library, "game", lambda name, **numbers: game)
    failed = {row.name for row in STUDIES["s2.climbing"].run(0).rows if not row.ok}
    assert {"climbing, joint action: share of runs", "k = −3: smallest share"} & failed
