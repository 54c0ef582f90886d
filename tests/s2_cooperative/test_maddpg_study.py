"""The study of MADDPG and the yardsticks of S2.09."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refmarl.studies import STUDIES
from refmarl.studies.s2_cooperative import speaker


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
