"""CartPole: the equations of motion, the ends, and the source's numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import advance
from refmarl.envs import CartPole

ENV = CartPole()
NUMBERS = st.tuples(*(st.floats(-limit, limit) for limit in (2.3, 3.0, 0.2, 3.0)))
PUSHES = st.integers(0, 1)


def at(*rows):
    state = ENV.reset(np.random.default_rng(0), len(rows))
    return state._replace(x=np.array(rows, dtype=float))


def pushed(state, *actions):
    return ENV.step(state, (np.array(actions)[:, None],))


@given(NUMBERS, PUSHES)
def test_everything_mirrored_moves_mirrored(x, a):
    state, step = pushed(at(x, np.negative(x)), a, 1 - a)
    assert_allclose(state.x[0], -state.x[1], atol=1e-12)
    assert step.terminated[0] == step.terminated[1]


@given(NUMBERS, PUSHES)
def test_accelerations_solve_the_equations_of_motion(x, a):
    """Newton for the whole and for the pole, as Barto, Sutton & Anderson have them, no friction."""
    state, _ = pushed(at(x), a)
    _, dx, angle, spin = x
    ddx, bend = (state.x[0, 1] - dx) / 0.02, (state.x[0, 3] - spin) / 0.02
    sin, cos, force = np.sin(angle), np.cos(angle), 20 * a - 10
    along = 1.1 * ddx + 0.05 * (bend * cos - spin**2 * sin)
    assert_allclose(along, force, atol=1e-8)
    assert_allclose(0.5 * 4 / 3 * bend + ddx * cos, 9.8 * sin, atol=1e-8)
    assert_allclose(state.x[0, [0, 2]], [x[0] + 0.02 * dx, angle + 0.02 * spin], atol=1e-12)


@given(st.floats(-3, 3), st.floats(-0.3, 0.3), PUSHES)
def test_it_ends_beyond_the_track_and_beyond_twelve_degrees(x, angle, a):
    _, step = pushed(at((x, 0, angle, 0)), a)
    assert step.terminated[0] == (abs(x) > 2.4 or abs(angle) > np.deg2rad(12))
    assert step.reward[0][0, 0] == 1.0


def test_the_clock_truncates_unless_the_pole_fell_just_then():
    late = at((0, 0, 0, 0), (3, 0, 0, 0), (0, 0, 0, 0))._replace(t=np.array([499, 499, 498]))
    state, step = pushed(late, 0, 0, 0)
    assert_array_equal(step.truncated, [True, False, False])
    assert_array_equal(step.terminated, [False, True, False])
    assert_array_equal(state.ended, [True, True, False])


def test_beginnings_fill_their_range_evenly():
    x = ENV.reset(np.random.default_rng(1), 4000).x
    assert abs(x).max() <= 0.05
    assert_allclose(x.mean(axis=0), 0, atol=5 * 0.1 / np.sqrt(12 * 4000))
    assert_allclose(np.cov(x.T), np.eye(4) * 0.01 / 12, atol=8e-5)


def test_the_heuristic_balances_longer_than_chance():
    state = ENV.reset(np.random.default_rng(0), 50)
    for _ in range(100):
        state, _ = ENV.step(state, ENV.heuristic(state))
        assert not state.ended.any()


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 40), st.integers(1, 15))
def test_a_script_is_so_many_steps_with_restarts(seed, copies, steps, horizon):
    env, rng = CartPole(horizon), np.random.default_rng(seed)
    start = env.reset(rng, copies)
    script = rng.integers(0, 2, (steps, copies, 1))
    played, state = env.play(start, (script,)), start
    for n in range(steps):
        state, step, _ = advance(env, state, (script[n],))
        assert_array_equal(played.obs[n], env.observe(state)[0])
        assert_array_equal(played.terminated[n], step.terminated)
        assert_array_equal(played.truncated[n], step.truncated)
    for one, two in zip(played.state, state, strict=True):
        assert_array_equal(one, two)


def test_a_script_is_refused_if_a_copy_has_ended_or_an_action_is_none():
    state = ENV.reset(np.random.default_rng(0), 2)
    with pytest.raises(InputError, match="0 ≤ action"):
        ENV.play(state, (np.full((3, 2, 1), 2),))
    with pytest.raises(InputError, match="has ended"):
        ENV.play(state._replace(ended=np.array([False, True])), (np.zeros((3, 2, 1), int),))
    with pytest.raises(InputError, match="need integers"):
        ENV.play(state, (np.zeros((3, 2, 2), int),))
