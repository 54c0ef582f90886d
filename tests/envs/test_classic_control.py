"""Pendulum, Acrobot and MountainCar: conserved energy, symmetry, ends, published numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.envs import (
    Acrobot,
    CartPole,
    ContinuousMountainCar,
    MountainCar,
    Pendulum,
    acrobot,
)
from refmarl.studies.published import PUBLISHED, reproduce

ANGLES, SPINS = st.floats(-6, 6), st.floats(-4, 4)
ALL = [Pendulum(), Acrobot(), MountainCar(), ContinuousMountainCar()]


def at(env, *rows):
    state = env.reset(np.random.default_rng(0), len(rows))
    return state._replace(x=np.array(rows, dtype=float))


def discrete(*actions):
    return (np.array(actions)[:, None],)


def forces(*actions):
    return (np.array(actions, dtype=float)[:, None, None],)


@given(ANGLES, SPINS, st.floats(-2, 2))
def test_a_pendulum_mirrored_swings_mirrored(angle, spin, torque):
    state, step = Pendulum().step(
        at(Pendulum(), (angle, spin), (-angle, -spin)), forces(torque, -torque)
    )
    assert_allclose(state.x[0], -state.x[1], atol=1e-12)
    assert_allclose(step.reward[0][0], step.reward[0][1], rtol=1e-9, atol=1e-9)


@given(ANGLES, SPINS, st.floats(-2, 2), st.integers(-2, 2))
def test_full_turns_change_nothing_but_the_angle(angle, spin, torque, turns):
    state = at(Pendulum(), (angle, spin), (angle + 2 * math.pi * turns, spin))
    after, step = Pendulum().step(state, forces(torque, torque))
    assert_allclose(after.x[0, 1], after.x[1, 1], atol=1e-9)
    if abs(abs(math.remainder(angle, 2 * math.pi)) - math.pi) > 1e-6:  # there the reward jumps
        assert_allclose(step.reward[0][0], step.reward[0][1], atol=1e-8)


@given(st.floats(-0.2, 0.2), st.floats(-0.5, 0.5))
def test_the_semi_implicit_step_keeps_a_shadow_of_the_energy(lean, spin):
    """Near the bottom θ = π + x, the map of x' = x + h v', v' = v − h k x keeps
    v² + k x² − h k x v: Euler's explicit step would blow it up, and so would a wrong sign."""
    env, k, h = Pendulum(horizon=0), 15.0, 0.05
    state = at(env, (math.pi + 1e-3 * lean, 1e-3 * spin))

    def shadow(state):
        x, v = state.x[0, 0] - math.pi, state.x[0, 1]
        return v * v + k * x * x - h * k * x * v

    start = shadow(state)
    for _ in range(200):
        state, _ = env.step(state, forces(0.0))
    assert_allclose(shadow(state), start, rtol=1e-4, atol=1e-15)


def test_rewards_of_the_pendulum_are_between_its_extremes():
    state = at(Pendulum(), (0, 0), (math.pi, 8.0))
    _, step = Pendulum().step(state, forces(0.0, 2.0))
    assert step.reward[0][0, 0] == 0.0
    assert_allclose(step.reward[0][1, 0], -(math.pi**2 + 6.4 + 0.004))


def test_torques_and_pushes_are_clipped():
    for env, limit in ((Pendulum(), 2.0), (ContinuousMountainCar(), 1.0)):
        state = env.reset(np.random.default_rng(3), 2)
        one, step = env.step(state, forces(limit, -limit))
        two, other = env.step(state, forces(50.0, -50.0))
        assert_array_equal(one.x, two.x)
        assert_array_equal(step.reward[0], other.reward[0])


def energy(x):
    """Of two rods with m = l = I = 1, centre at 1/2, hanging from a fixed point; g = 9.8."""
    a, b, da, db = x
    d1 = 3.5 + np.cos(b)
    d2 = 1.25 + 0.5 * np.cos(b)
    kinetic = 0.5 * (d1 * da**2 + 2 * d2 * da * db + 1.25 * db**2)
    return kinetic - 9.8 * (1.5 * np.cos(a) + 0.5 * np.cos(a + b))


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-1, 1), st.floats(-1, 1))
def test_a_swinging_acrobot_keeps_its_energy(a, b, da, db):
    """The kinetic energy is that of two rods: an error in any term of θ̈ shows."""
    x, h = np.array([a, b, da, db]), 1e-5
    slope = np.array(acrobot._slope(a, b, da, db, 0.0))
    assert_allclose(energy(x + h * slope) - energy(x - h * slope), 0, atol=1e-8)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-1, 1), st.floats(-1, 1), st.integers(-1, 1))
def test_the_joint_does_work_torque_times_spin(a, b, da, db, torque):
    x, h = np.array([a, b, da, db]), 1e-5
    slope = np.array(acrobot._slope(a, b, da, db, float(torque)))
    power = (energy(x + h * slope) - energy(x - h * slope)) / (2 * h)
    assert_allclose(power, torque * db, atol=1e-4)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_runge_and_kutta_are_of_fourth_order(a, b):
    """Two errors of one step, against many small ones, are 2⁵ apart when the step is halved."""

    def error(h):
        x, small = (a, b, 0.5, -0.5), (a, b, 0.5, -0.5)
        x = np.array(swing(x, h))
        for _ in range(32):
            small = swing(small, h / 32)
        return np.linalg.norm(x - np.array(small))

    def swing(x, h):
        k1 = np.array(acrobot._slope(*x, 1.0))
        k2 = np.array(acrobot._slope(*(x + h / 2 * k1), 1.0))
        k3 = np.array(acrobot._slope(*(x + h / 2 * k2), 1.0))
        k4 = np.array(acrobot._slope(*(x + h * k3), 1.0))
        return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    assert error(0.1) < error(0.2) / 12 + 1e-12
    assert_allclose(acrobot._swing(a, b, 0.5, -0.5, 1.0), swing((a, b, 0.5, -0.5), 0.2), atol=1e-12)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 2))
def test_an_acrobot_mirrored_swings_mirrored(a, b, da, db, action):
    env = Acrobot()
    state, step = env.step(
        at(env, (a, b, da, db), (-a, -b, -da, -db)), discrete(action, 2 - action)
    )
    assert_allclose(np.sin(state.x[0]), -np.sin(state.x[1]), atol=1e-9)
    height = -np.cos(state.x[0, 0]) - np.cos(state.x[0, :2].sum())
    assert step.terminated[0] == (height > 1)
    assert step.reward[0][0, 0] == (0.0 if height > 1 else -1.0)
    assert (abs(state.x) <= np.array([math.pi, math.pi, 4 * math.pi, 9 * math.pi]) + 1e-12).all()


@given(st.floats(-1.19, 0.3), st.floats(-0.05, 0.05))
def test_the_car_rolls_down_its_slope(x, v):
    """Without a push v gains −0.0025 cos 3x: downhill on sin 3x. A wall stops it on the left."""
    env = MountainCar()
    state, step = env.step(at(env, (x, v)), discrete(1))
    if state.x[0, 0] > -1.2:
        assert_allclose(state.x[0, 1] - v, -0.0025 * math.cos(3 * x), atol=1e-12)
    assert state.x[0, 0] >= -1.2
    assert state.x[0, 1] >= 0.0 or state.x[0, 0] > -1.2
    assert step.reward[0][0, 0] == -1.0


def test_the_wall_on_the_left_stops_the_car():
    env = MountainCar()
    state, step = env.step(at(env, (-1.19, -0.07), (-1.0, -0.07)), discrete(0, 0))
    assert_array_equal(state.x[0], [-1.2, 0.0])
    assert state.x[1, 1] < -0.05
    assert not step.terminated.any()


@given(st.floats(-1.19, 0.3), st.floats(-0.05, 0.05), st.integers(0, 2))
def test_both_cars_are_one_car_with_other_strength(x, v, action):
    one, _ = MountainCar().step(at(MountainCar(), (x, v)), discrete(action))
    two, step = ContinuousMountainCar().step(
        at(ContinuousMountainCar(), (x, v)), forces((action - 1) / 1.5)
    )
    assert_allclose(one.x, two.x, atol=1e-12)
    arrived = two.x[0, 0] >= 0.45
    assert_allclose(step.reward[0][0, 0], 100 * arrived - 0.1 * ((action - 1) / 1.5) ** 2)


def test_the_goals_end_the_episode():
    cars = (MountainCar(), 0.5, discrete(2, 2)), (ContinuousMountainCar(), 0.45, forces(1, 1))
    for env, goal, push in cars:
        _, step = env.step(at(env, (goal - 0.01, 0.07), (goal - 0.2, 0.0)), push)
        assert_array_equal(step.terminated, [True, False])


@pytest.mark.parametrize("env", ALL, ids=lambda e: e.name)
def test_the_clock_truncates(env):
    state = env.reset(np.random.default_rng(0), 2)._replace(t=np.array([env.horizon - 1, 0]))
    state, step = env.step(state, env.heuristic(state))
    assert_array_equal(step.truncated, [True, False])
    assert not step.terminated.any()


def played(env, copies=20):
    """Mean return of the heuristic."""
    state = env.reset(np.random.default_rng(0), copies)
    total, going = np.zeros(copies), np.arange(copies)
    while len(going):
        state, step = env.step(state, env.heuristic(state))
        total[going] += step.reward[0][:, 0]
        on = ~state.ended
        state, going = type(state)(*(f[on] for f in state)), going[on]
    return total.mean()


@pytest.mark.parametrize(
    ("env", "better_than"),
    [(Pendulum(), -400), (Acrobot(), -200), (MountainCar(), -150), (ContinuousMountainCar(), 70)],
    ids=lambda x: getattr(x, "name", ""),
)
def test_heuristics_solve_their_tasks(env, better_than):
    assert played(env) > better_than


@pytest.mark.parametrize("name", ["S3.07", "S3.08"])
def test_published_numbers(name):
    rows = reproduce(PUBLISHED[name])
    assert [row["case"] for row in rows if not row["ok"]] == []
    assert len(rows) > 3


ORIGINALS = {
    "CartPole-v1": CartPole(),
    "Pendulum-v1": Pendulum(),
    "Acrobot-v1": Acrobot(),
    "MountainCar-v0": MountainCar(),
    "MountainCarContinuous-v0": ContinuousMountainCar(),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_equal_to_gymnasium_step_by_step(name):
    """Both stand in the same state before every step: after it, to float64 (float32 where the
    original keeps its state so)."""
    gym = pytest.importorskip("gymnasium")
    env, theirs = ORIGINALS[name], gym.make(name).unwrapped
    rng, narrow = np.random.default_rng(0), name == "MountainCarContinuous-v0"
    state = env.reset(rng, 1)
    theirs.reset(seed=0)
    for _ in range(1000):
        theirs.state = state.x[0].copy()
        action = theirs.action_space.sample()
        given = np.asarray(action).reshape((1, 1, -1) if np.ndim(action) else (1, 1))
        action = action.astype(float) if np.ndim(action) else action  # it would compute in float32
        seen, reward, terminated, _, _ = theirs.step(action)
        state, step = env.step(state, (given,))
        assert_allclose(state.x[0], theirs.state, rtol=1e-6 if narrow else 1e-12, atol=1e-12)
        assert_allclose(env.observe(state)[0][0, 0], seen, rtol=1e-6, atol=1e-6)
        assert_allclose(step.reward[0][0, 0], reward, rtol=1e-6, atol=1e-12)
        assert step.terminated[0] == terminated
        if state.ended[0]:
            state = env.reset(rng, 1)
            theirs.reset()
