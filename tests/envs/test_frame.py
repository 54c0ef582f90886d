"""The clock and the ends that steps of all environments share, and what they leave to chance."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refmarl.envs import CartPole, Grid
from refmarl.envs._frame import close, lines, room


@given(st.booleans(), st.integers(0, 4), st.integers(0, 4))
def test_an_episode_that_is_over_when_time_is_up_has_terminated(over, horizon, t):
    t_next, reward, flags = room(1, 2)
    close(0, np.array([t]), over, horizon, t_next, flags)
    terminated, truncated, ended = flags[:, 0].tolist()
    assert t_next[0] == t + 1
    assert reward.shape == (1, 2)
    assert terminated == over
    assert truncated == (not over and 0 < horizon <= t + 1)
    assert ended == (terminated or truncated)


def test_a_cart_that_falls_and_a_walker_that_arrives_in_the_last_step_terminate():
    env = CartPole(horizon=7)
    state = env.reset(np.random.default_rng(0), 2)
    x = np.array([[2.39, 5.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    _, step = env.step(state._replace(x=x, t=np.array([6, 6])), (np.ones((2, 1), int),))
    assert step.terminated.tolist() == [True, False]
    assert step.truncated.tolist() == [False, True]
    grid = Grid(horizon=4)
    state = grid.reset(np.random.default_rng(0), 1)
    for _ in range(4):
        state, step = grid.step(state, grid.heuristic(state))
    assert step.terminated[0]
    assert not step.truncated[0]


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_grid_is_drawn_by_the_edges_of_its_cells(rows, columns):
    drawn = lines(rows, columns)
    assert len(drawn) == rows + columns + 2
    level = [s for s in drawn if s.start[1] == s.end[1]]
    assert sorted(s.start[1] for s in level) == list(range(rows + 1))
    assert all(s.end[0] - s.start[0] == columns for s in level)
    upright = [s for s in drawn if s.start[0] == s.end[0]]
    assert sorted(s.start[0] for s in upright) == list(range(columns + 1))
    assert all(s.end[1] - s.start[1] == rows for s in upright)
