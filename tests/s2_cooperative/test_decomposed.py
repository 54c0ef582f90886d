"""Ours beside published numbers of decomposed values."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from refmarl.studies.published import PUBLISHED, reproduce
from refmarl.studies.s2_cooperative import two_step


@pytest.mark.slow  # 25 s each, the last 5
@pytest.mark.parametrize("name", ["S2.03", "S2.08", "S2.10"])
def test_it_is_reproduced(name):
    assert [row["case"] for row in reproduce(PUBLISHED[name]) if not row["ok"]] == []


def test_the_best_play_of_two_steps_is_the_fixed_point_of_its_game():
    game = two_step.GAME.twin(two_step.GAMMA)
    values = np.zeros(4)
    for _ in range(3):
        q = game.reward[0] + game.gamma * game.transition @ values
        values = q.max(axis=(1, 2))
    assert_allclose(two_step.optimum(), q[:3], atol=1e-12)
