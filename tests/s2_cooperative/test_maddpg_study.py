"""The study of MADDPG and the yardsticks of S2.09."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from refmarl.envs import Navigation
from refmarl.studies import STUDIES
from refmarl.studies.s2_cooperative import navigators, speaker


def test_every_row_of_the_study_holds():
    outcome = STUDIES["s2.maddpg"].run(0)
    assert [row for row in outcome.rows if not row.ok] == []


@given(st.integers(0, 2**32), st.integers(2, 4))
def test_a_pair_that_touches_is_one_collision(seed, agents):
    rng = np.random.default_rng(seed)
    places = rng.uniform(-0.5, 0.5, (5, agents, 2))
    count = 0
    for copy in places:
        for i in range(agents):
            for j in range(i):
                count += float(np.hypot(*(copy[i] - copy[j]))) < 2 * 0.15
    assert speaker.collisions(places) == count / 5
    assert speaker.collisions(places[:, rng.permutation(agents)]) == count / 5


def test_a_return_is_made_of_the_distances_and_the_collisions():
    env = Navigation()
    played = navigators.led("DDPG", 0, 1)
    hits = env.local_weight * 2.0 / env.team * played.collisions
    paid = -env.horizon * (env.global_weight * played.way + hits)
    assert played.returns == pytest.approx(paid, rel=1e-12)
    assert played.end > 0.0


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 4))
def test_what_is_uncovered_is_the_way_from_each_landmark_to_somebody(seed, agents, marks):
    rng = np.random.default_rng(seed)
    places, landmark = rng.normal(size=(3, agents, 2)), rng.normal(size=(3, marks, 2))
    total = 0.0
    for copy, there in zip(places, landmark, strict=True):
        total += sum(min(float(np.hypot(*(x - mark))) for x in copy) for mark in there)
    assert navigators.uncovered(places, landmark) == pytest.approx(total / 3)
    assert navigators.uncovered(landmark, landmark) == 0.0


@given(st.integers(1, 12), st.integers(0, 12))
def test_the_sign_test_is_the_binomial_one(seeds, ahead):
    ahead = min(ahead, seeds)
    chance = binomtest(ahead, seeds, alternative="greater").pvalue
    assert navigators.at_random(ahead, seeds) == pytest.approx(chance)


def test_ahead_is_who_earns_more_and_who_is_nearer():
    one, two = (
        navigators.Led(*(np.full(3, x) for x in at)) for at in ((-1, 1, 1, 1), (-2, 2, 2, 2))
    )
    for measure in navigators.CLAIMED:
        assert (navigators.better({"MADDPG": one, "DDPG": two}, measure) == 1.0).all()
        assert (navigators.better({"MADDPG": two, "DDPG": one}, measure) == -1.0).all()
