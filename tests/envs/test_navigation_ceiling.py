"""What no team of navigators can exceed, and where the bound is reached; the best assignment."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment

from refmarl.check import InputError
from refmarl.env_api import take
from refmarl.envs import Navigation
from refmarl.envs._assign import assign
from refmarl.testing.particles import MODES, NAVIGATIONS, SEEDS, SMALL, crowded, draw
from refmarl.training.certify import ceiling, scripted
from refmarl.training.evaluate import play_out

WEIGHTS = st.sampled_from([(0.5, 0.5), (1.0, 0.0), (0.3, 2.0), (1.0, -0.5), (-1.0, 1.0)])
COPIES = 8


def plans(env, rng, start):
    """Policies: by chance, keeping a move, all to one place, each to its landmark."""
    kept = draw(env, rng, len(start.t))[0]

    def to(place):
        return lambda state: env.toward(
            state.x, np.broadcast_to(place(state), state.x[..., :2].shape)
        )

    return [
        lambda state: draw(env, rng, len(state.t))[0],
        lambda state: kept,
        to(lambda state: state.landmark[:, :1]),
        to(lambda state: state.x[..., :2].mean(axis=1, keepdims=True)),  # into each other
        to(lambda state: 2.0 * state.x[..., :2]),  # apart
        lambda state: env.heuristic(state)[0],
    ]


@settings(max_examples=15)
@given(NAVIGATIONS, WEIGHTS, SEEDS, st.booleans())
def test_nobody_earns_more_than_the_ceiling_at_any_time(env, weights, seed, close):
    env = replace(env, global_weight=weights[0], local_weight=weights[1], horizon=8)
    rng = np.random.default_rng(seed)
    start = crowded(env, rng, COPIES) if close else env.reset(rng, COPIES)
    most = env.ceiling(start)
    for plan in plans(env, rng, start):
        state, total = start, np.zeros(COPIES)
        for _ in range(env.horizon):
            state, step = env.step(state, (plan(state),))
            total += step.reward[0].mean(axis=1)
            assert (total + env.ceiling(state) <= most + 1e-9).all()  # the future only shrinks
        assert_array_equal(env.ceiling(state), 0.0)


@given(st.booleans(), SEEDS)
def test_no_script_of_two_agents_that_push_each_other_earns_more(velocity_first, seed):
    env = Navigation(team=2, landmarks=2, horizon=4, velocity_first=velocity_first)
    rng = np.random.default_rng(seed)
    start = crowded(env, rng, 1)
    moves = np.array(list(product(range(5), repeat=4))).reshape(-1, 2, 2)  # two steps of both
    script = np.repeat(moves.swapaxes(0, 1), 2, axis=0)  # each of them twice
    many = take(start, np.zeros(len(moves), dtype=int))
    best = env.play(many, (script,)).reward[0].sum(axis=0).mean(axis=1).max()
    assert best <= env.ceiling(start)[0] + 1e-9


@given(NAVIGATIONS, SEEDS)
def test_a_step_that_nothing_can_change_is_known_exactly(env, seed):
    env = replace(env, horizon=1, velocity_first=False)
    rng = np.random.default_rng(seed)
    start = crowded(env, rng, COPIES)
    _, step = env.step(start, draw(env, rng, COPIES))
    assert_allclose(env.ceiling(start), step.reward[0].mean(axis=1), rtol=0, atol=1e-9)


@pytest.mark.parametrize("velocity_first", [False, True])
@pytest.mark.parametrize(("continuous", "way"), [(False, (1, 0)), (True, (1, -1))])
def test_who_goes_straight_to_a_landmark_out_of_reach_earns_the_ceiling(
    continuous, way, velocity_first
):
    env = Navigation(continuous=continuous, velocity_first=velocity_first)
    state = env.reset(np.random.default_rng(0), 1)
    x = np.zeros_like(state.x)
    x[0, :, 0] = [0.0, 1000.0, -1000.0]
    x[..., 2:] = [[1.0, 0.5], [0.0, 0.0], [-0.3, 0.2]]
    state = state._replace(x=x, landmark=x[..., :2] + 50.0 * np.array(way))
    most = env.ceiling(state)
    move = np.full((1, 3), 2) if not continuous else np.tile([0.0, 0, 1, 1, 0], (1, 3, 1))
    total = 0.0
    for _ in range(env.horizon):
        state, step = env.step(state, (move,))
        total += step.reward[0].mean()
    assert total == pytest.approx(most[0], rel=1e-12)


@given(st.booleans(), SEEDS)
def test_paid_to_be_far_who_flees_along_a_diagonal_earns_the_ceiling(velocity_first, seed):
    """Numbers steer to the corners of a square, √2 times as far as its sides."""
    env = Navigation(team=1, landmarks=1, global_weight=-1.0, continuous=True,
                     velocity_first=velocity_first, horizon=6)  # fmt: skip
    rng = np.random.default_rng(seed)
    state, way = env.reset(rng, COPIES), rng.choice([-1.0, 1.0], (COPIES, 1, 2))
    state = state._replace(landmark=state.x[..., :2] - rng.random((COPIES, 1, 1)) * way)
    move = np.zeros((COPIES, 1, 5))
    move[..., 1::2], move[..., 2::2] = way < 0.0, way > 0.0
    total = env.play(state, (np.repeat(move[None], env.horizon, axis=0),)).reward[0].sum(axis=0)
    assert_allclose(total[:, 0], env.ceiling(state), rtol=1e-12)


def test_one_agent_between_two_landmarks_earns_the_ceiling_by_standing_still():
    env = Navigation(team=1, landmarks=2)
    state = env.reset(np.random.default_rng(0), 20)
    x = np.zeros_like(state.x)
    x[:, 0, :2] = 0.3 * state.landmark[:, 0] + 0.7 * state.landmark[:, 1]
    state = state._replace(x=x)
    script = np.zeros((env.horizon, 20, 1), dtype=int)
    total = env.play(state, (script,)).reward[0].sum(axis=0)[:, 0]
    assert_allclose(env.ceiling(state), total)


def test_a_push_can_take_farther_than_steering_and_the_ceiling_knows():
    env = Navigation(team=2, landmarks=1, local_weight=0.0)
    state = env.reset(np.random.default_rng(0), 1)
    x = np.zeros_like(state.x)
    x[0, 1, 0] = -0.01
    state = state._replace(x=x, landmark=np.array([[[50.0, 0.0]]]))
    script = np.full((env.horizon, 1, 2), 2)
    total = env.play(state, (script,)).reward[0].sum(axis=0).mean()
    lonely = Navigation(team=1, landmarks=1, local_weight=0.0)
    steered = lonely.ceiling(state._replace(x=x[:, :1]))[0]
    assert steered + 0.1 < total <= env.ceiling(state)[0]


@given(st.booleans(), st.floats(0.001, 0.1))
def test_paid_to_be_far_two_who_push_each_other_off_get_farther_than_by_steering(late, gap):
    env = Navigation(team=2, landmarks=1, global_weight=-1.0, local_weight=0.0, horizon=6,
                     velocity_first=late)  # fmt: skip
    state = env.reset(np.random.default_rng(0), 1)
    x = np.zeros_like(state.x)
    x[0, :, 0] = -gap, gap
    state = state._replace(x=x, landmark=np.zeros((1, 1, 2)))
    total = env.play(state, (np.tile([[1, 2]], (env.horizon, 1, 1)),)).reward[0].sum(axis=0).mean()
    steered = replace(env, team=1).ceiling(state._replace(x=x[:, :1]))[0]
    assert steered + 0.1 < total <= env.ceiling(state)[0]


@given(st.floats(0.11, 0.24))
def test_who_is_pushed_into_another_from_behind_touches_it_and_the_ceiling_knows(gap):
    """Both together come 0.1 nearer by steering; the push in the back does the rest."""
    env = Navigation(team=3, landmarks=1, global_weight=0.0, local_weight=-1.0, horizon=1,
                     velocity_first=True)  # fmt: skip
    state = env.reset(np.random.default_rng(0), 1)
    x = np.zeros_like(state.x)
    x[0, :, 0] = 0.0, 0.3 + gap, -0.05
    state = state._replace(x=x)
    paid = env.step(state, (np.array([[2, 1, 0]]),))[1].reward[0][0]
    assert paid[1] == 1.0
    assert paid.mean() <= env.ceiling(state)[0]


@given(SMALL, SEEDS)
def test_more_landmarks_than_are_shared_out_are_bounded_too(team, seed):
    env = Navigation(team=team, landmarks=7, horizon=10)
    first, second = (np.random.default_rng(seed) for _ in range(2))
    most = env.ceiling(env.reset(first, COPIES))
    assert (most < 0.0).all()
    played = play_out(env, lambda state, memory: (env.heuristic(state), memory), second, COPIES)
    assert (played.team <= most + 1e-9).all()


@given(NAVIGATIONS, SEEDS)
def test_agents_and_landmarks_that_are_counted_otherwise_have_the_same_ceiling(env, seed):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)
    agents, marks = rng.permutation(env.team), rng.permutation(env.landmarks)
    other = state._replace(x=state.x[:, agents], landmark=state.landmark[:, marks])
    assert_allclose(env.ceiling(other), env.ceiling(state), atol=1e-9)


@given(st.integers(1, 6), st.integers(0, 3), SEEDS)
def test_the_best_assignment_is_the_best(rows, more, seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(-3, 4, (4, rows, rows + more)) + rng.choice([0.0, 0.5], (4, 1, 1))
    column = np.empty((4, rows), dtype=np.int64)
    assign(cost, column)
    for b in range(4):
        assert len(set(column[b])) == rows
        assert (
            cost[b, np.arange(rows), column[b]].sum()
            == cost[b][linear_sum_assignment(cost[b])].sum()
        )


@given(SMALL, SMALL, st.fixed_dictionaries(MODES), SEEDS)
def test_those_who_stand_on_different_landmarks_stay_and_nobody_else_goes_there(
    team, marks, modes, seed
):
    env = Navigation(team=team, landmarks=marks, **modes)
    state = env.reset(np.random.default_rng(seed), 3)
    x, same = np.zeros_like(state.x), min(team, marks)
    x[:, :same, :2] = state.landmark[:, :same]
    x[:, same:, :2] = 5.0
    action = env.heuristic(state._replace(x=x))[0]
    if team <= marks:
        assert not action.any()
    else:
        assert not action[:, :same].any()


def test_without_a_horizon_nobody_knows_a_ceiling():
    env = Navigation(horizon=0)
    with pytest.raises(InputError, match="no ceiling without a horizon"):
        env.ceiling(env.reset(np.random.default_rng(0), 2))


def test_the_heuristic_is_measured_from_the_same_first_states():
    env = Navigation(team=2, horizon=6)
    same = (np.random.default_rng(3) for _ in range(3))
    state, total = env.reset(next(same), 40), 0.0
    for _ in range(env.horizon):
        state, step = env.step(state, env.heuristic(state))
        total += step.reward[0].mean()
    assert scripted(env, next(same), 40) == pytest.approx(total)
    assert total < ceiling(env, next(same), 40)
