"""T-maze: who remembers earns 1, nobody else more than ½ on average."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.envs import TMaze
from refmarl.rollout import Act
from refmarl.training.evaluate import evaluate

SEEDS = st.integers(0, 2**32)
MAZES = st.builds(TMaze, length=st.integers(0, 4), players=st.integers(1, 3))


def remembering(obs, mask, memory):
    """Keeps the sign, and turns as it said."""
    sign = obs[0][..., 0] if not memory else np.where(memory[0] == 0, obs[0][..., 0], memory[0])
    return Act(((sign > 0).astype(np.int64),), (np.zeros(sign.shape),), (sign,))


@given(MAZES, SEEDS)
def test_who_remembers_the_sign_earns_1(env, seed):
    found = evaluate(env, remembering, np.random.default_rng(seed), 20)
    assert (found.returns == 1.0).all()
    assert (found.lengths == env.length + 1).all()


@given(MAZES, SEEDS, st.integers(0, 1))
def test_at_the_fork_all_signs_look_alike(env, seed, action):
    state = env.reset(np.random.default_rng(seed), 30)
    fork = state._replace(t=np.full(30, env.length))
    seen = env.observe(fork)[0]
    assert len(np.unique(seen.reshape(-1, 2), axis=0)) == (1 if env.length else 2)
    assert (seen[..., 1] == 1.0).all()
    _, step = env.step(fork, (np.full(state.sign.shape, action),))
    assert_array_equal(step.reward[0], state.sign == action)


def test_both_signs_are_equally_likely():
    count = 20_000
    sign = TMaze(players=2).reset(np.random.default_rng(0), count).sign
    both = np.bincount(sign[:, 0] * 2 + sign[:, 1], minlength=4) / count
    assert (abs(both - 0.25) < 5 * (0.25 * 0.75 / count) ** 0.5).all()  # five deviations
