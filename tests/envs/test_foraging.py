"""Level-based foraging: who may do what, who is paid what, and the original step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import random_actions
from refmarl.envs import Foraging

SEEDS = st.integers(0, 10**6)
ENVS = st.builds(
    Foraging,
    rows=st.integers(4, 8),
    columns=st.integers(4, 8),
    players=st.integers(1, 4),
    foods=st.integers(1, 4),
    max_level=st.integers(1, 3),
    cooperative=st.booleans(),
    penalty=st.sampled_from([0.0, 0.25]),
)
NOTHING, NORTH, SOUTH, WEST, EAST, LOAD = range(6)


def field(at, level, food_at=((1, 1),), food=(1,), **options):
    """One field on which these stand."""
    env = Foraging(5, 5, len(at), len(food), **options)
    state = env.reset(np.random.default_rng(0), 1)
    arrays = {"at": at, "level": level, "food_at": food_at, "food": food}
    state = state._replace(**{k: np.array([v]) for k, v in arrays.items()})
    return env, state._replace(total=state.food.sum(axis=1))


def act(env, state, *actions):
    return env.step(state, (np.array([actions]),))


@given(ENVS, SEEDS)
def test_beginnings_follow_the_rules(env, seed):
    state = env.reset(np.random.default_rng(seed), 5)
    size = np.array([env.rows, env.columns])
    assert (state.at >= 0).all()
    assert (state.at < size).all()
    assert (state.level >= 1).all()
    assert (state.level <= env.max_level).all()
    heaviest = np.sort(state.level, axis=1)[:, :3].sum(axis=1)
    there = state.food > 0
    assert there[:, -1].all() or env.players > 2  # unless agents cover all the ground inside
    assert (state.food <= heaviest[:, None]).all()
    if env.cooperative:
        assert (state.food == heaviest[:, None])[there].all()
    assert ((state.food_at >= 1) & (state.food_at < size - 1))[there].all()
    for b in range(5):
        foods = state.food_at[b][there[b]]
        everything = np.concatenate([state.at[b], foods])
        assert len(np.unique(everything, axis=0)) == len(everything)
        apart = abs(foods[:, None] - foods[None]).sum(axis=-1)
        assert (apart + 9 * np.eye(len(foods)) > 2).all()
    assert_array_equal(state.total, state.food.sum(axis=1))


def test_beginnings_are_spread_over_the_field():
    env = Foraging(5, 6, 2, 1)
    state = env.reset(np.random.default_rng(0), 6000)
    counts = np.zeros((5, 6))
    np.add.at(counts, tuple(state.at[:, 0].T), 1)
    assert_allclose(counts, 200, atol=5 * np.sqrt(200))
    assert_allclose(np.bincount(state.level[:, 0])[1:], 3000, atol=5 * np.sqrt(1500))
    inner = np.zeros((5, 6))
    np.add.at(inner, tuple(state.food_at[:, 0].T), 1)
    assert_allclose(inner[1:-1, 1:-1], 500, atol=5 * np.sqrt(500))


@given(ENVS, SEEDS)
def test_episodes_keep_the_rules(env, seed):
    """Nobody shares a cell or stands on food; rewards of all sum to at most 1, and to 1 at the end
    if nothing was lifted in vain."""
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 4)
    total = np.zeros(4)
    for _ in range(30):
        legal = env.mask(state)[0]
        state, step = env.step(state, random_actions(env, rng, state))
        gain = np.maximum(step.reward[0], 0).sum(axis=1)
        total += gain
        assert legal[..., NOTHING].all()
        for b in range(4):
            food = state.food_at[b][state.food[b] > 0]
            everything = np.concatenate([state.at[b], food])
            assert len(np.unique(everything, axis=0)) == len(everything)
        assert_allclose(total, 1 - state.food.sum(axis=1) / state.total, atol=1e-12)
        assert_array_equal(step.terminated, state.food.sum(axis=1) == 0)
        keep = ~state.ended
        state, total = type(state)(*(f[keep] for f in state)), total[keep]
        if len(total) < 4:
            break


@given(ENVS, SEEDS)
def test_what_the_mask_forbids_is_the_same_as_nothing(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 6)
    legal = env.mask(state)[0]
    action = rng.integers(0, 6, state.level.shape)
    allowed = np.take_along_axis(legal, action[..., None], axis=-1)[..., 0]
    one = env.step(state, (action,))
    two = env.step(state, (np.where(allowed, action, NOTHING),))
    for a, b in zip(one[0], two[0], strict=True):
        assert_array_equal(a, b)
    assert_array_equal(one[1].reward[0], two[1].reward[0])


def test_a_heavy_food_needs_two_and_pays_by_level():
    env, state = field([(0, 1), (2, 1)], [1, 2], food=(3,), penalty=0.5)
    after, step = act(env, state, LOAD, NOTHING)
    assert_array_equal(step.reward[0], [[-0.5, 0.0]])
    assert after.food[0, 0] == 3
    after, step = act(env, state, LOAD, LOAD)
    assert_allclose(step.reward[0], [[1 / 3, 2 / 3]])
    assert step.terminated[0]


def test_of_two_foods_each_counts_by_its_level():
    env, state = field([(0, 1), (4, 3)], [2, 2], [(1, 1), (3, 3)], (1, 2))
    after, step = act(env, state, LOAD, NOTHING)
    assert_allclose(step.reward[0], [[1 / 3, 0.0]])
    assert not step.terminated[0]
    assert_array_equal(after.food, [[0, 2]])
    after, step = act(env, after, LOAD, LOAD)  # the first has nothing beside it any more
    assert_allclose(step.reward[0], [[0.0, 2 / 3]])
    assert step.terminated[0]


def test_steps_into_one_cell_fail_and_those_behind_stay_too():
    env, state = field([(4, 0), (4, 2), (4, 3)], [1, 1, 1])
    after, _ = act(env, state, EAST, WEST, NOTHING)
    assert_array_equal(after.at, state.at)
    after, _ = act(env, state, EAST, WEST, WEST)  # the third would step onto the second
    assert_array_equal(after.at, state.at)
    after, _ = act(env, state, NOTHING, WEST, WEST)  # a queue moves on
    assert_array_equal(after.at, [[(4, 0), (4, 1), (4, 2)]])
    after, _ = act(env, state, NOTHING, EAST, WEST)  # and two may pass each other
    assert_array_equal(after.at, [[(4, 0), (4, 3), (4, 2)]])


def test_walls_and_food_stand_in_the_way():
    env, state = field([(0, 0), (1, 2), (2, 1)], [1, 1, 1])
    legal = env.mask(state)[0][0]
    assert_array_equal(legal[0], [True, False, True, False, True, False])
    assert_array_equal(legal[1], [True, True, True, False, True, True])
    assert_array_equal(legal[2], [True, False, True, True, True, True])


def test_what_is_seen_with_and_without_limit():
    everything = [1, 1, 2, 3, 3, 1]
    env, state = field([(4, 4), (0, 1)], [1, 2], [(1, 1), (3, 3)], (2, 1))
    assert_array_equal(env.observe(state)[0][0], [[*everything, 4, 4, 1, 0, 1, 2],
                                                  [*everything, 0, 1, 2, 4, 4, 1]])  # fmt: skip
    near = Foraging(5, 5, 2, 2, sight=1)
    nothing = [-1, -1, 0]
    seen = near.observe(state)[0][0]
    assert_array_equal(seen[0], [0, 0, 1, *nothing, 1, 1, 1, *nothing])
    assert_array_equal(seen[1], [1, 1, 2, *nothing, 0, 1, 2, *nothing])
    eaten = state._replace(food=np.array([[0, 1]]))
    assert_array_equal(env.observe(eaten)[0][0, 0, :6], [3, 3, 1, *nothing])
    assert_array_equal(env.global_state(eaten)[0], [1, 1, 0, 3, 3, 1, 4, 4, 1, 0, 1, 2])


@pytest.mark.parametrize("cooperative", [False, True])
def test_the_heuristic_gathers_nearly_everything(cooperative):
    env, rng = Foraging(cooperative=cooperative), np.random.default_rng(0)
    state, total = env.reset(rng, 200), np.zeros(200)
    going = np.arange(200)
    while len(going):
        state, step = env.step(state, env.heuristic(state))
        total[going] += step.reward[0].sum(axis=1)
        on = ~state.ended
        state, going = type(state)(*(f[on] for f in state)), going[on]
    assert total.mean() > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 2}, "rows: need"),
        ({"rows": 3, "columns": 3, "foods": 2}, "no room"),
        ({"rows": 3, "columns": 3, "players": 9, "foods": 1}, "no room"),
        ({"players": 0}, "players"),
        ({"sight": -1}, "sight"),
        ({"penalty": float("nan")}, "penalty"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Foraging(**options)


@pytest.mark.parametrize("seed", range(6))
def test_equal_to_the_original_step_by_step(seed):
    """Same beginnings, same actions: same fields, rewards, ends and observations. Where the
    original puts two agents into one cell, ours has them stay (the module says so)."""
    module = pytest.importorskip("lbforaging.foraging.environment")
    rng = np.random.default_rng(seed)
    players, foods, cooperative = 2 + seed % 3, 1 + seed % 3, seed % 2 == 1
    env = Foraging(7, 7, players, foods, 2, cooperative, 0, 0.25)
    theirs = module.ForagingEnv(
        players=players, min_player_level=1, max_player_level=2, min_food_level=1,
        max_food_level=None, field_size=(7, 7), max_num_food=foods, sight=7,
        max_episode_steps=50, force_coop=cooperative, normalize_reward=True, penalty=0.25,
    )  # fmt: skip
    compared = 0
    for episode in range(20):
        theirs.reset(seed=1000 * seed + episode)
        state = copied(env, theirs)
        while not state.ended[0]:
            action = random_actions(env, rng, state)[0]
            seen, reward, over, _, _ = theirs.step([module.Action(int(a)) for a in action[0]])
            before, (state, step) = state, env.step(state, (action,))
            if len({p.position for p in theirs.players}) < players or above_the_edge(
                before, action
            ):
                state = state._replace(ended=np.array([True]))
                continue
            compared += 1
            assert_array_equal(state.at[0], [p.position for p in theirs.players])
            assert_allclose(step.reward[0][0], reward, atol=1e-12)
            assert_array_equal(env.observe(state)[0][0], seen)
            assert state.ended[0] == over
    assert compared > 200


def above_the_edge(state, action):
    """Whether somebody loads what lies in row or column 1, from the edge: the original, looking
    north or west, leaves that row and column out."""
    edge = (state.at[0] == 0).any(axis=1)
    return False if not edge.any() else bool((action[0][edge] == LOAD).any())


def copied(env, theirs):
    """Our state of their field."""
    state = env.reset(np.random.default_rng(0), 1)
    cells = np.argwhere(theirs.field)
    food_at, food = np.zeros_like(state.food_at), np.zeros_like(state.food)
    if len(cells):
        food_at[0, -len(cells) :], food[0, -len(cells) :] = cells, theirs.field[tuple(cells.T)]
    return state._replace(
        at=np.array([[p.position for p in theirs.players]]),
        level=np.array([[p.level for p in theirs.players]]),
        food_at=food_at,
        food=food,
        total=food.sum(axis=1),
    )


@given(ENVS, SEEDS)
def test_nobody_eats_more_than_there_is(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 6)
    most, total = env.ceiling(state), np.zeros(6)
    assert (most <= 1.0 / env.players + 1e-12).all()
    for t in range(30):
        plan = env.heuristic(state) if t % 2 else random_actions(env, rng, state)
        after, step = env.step(state, plan)
        total += step.reward[0].mean(axis=1)
        if after.ended.any():
            break
        state = after
        assert (total + env.ceiling(state) <= most + 1e-9).all()  # what is eaten is gone
    assert (total <= most + 1e-9).all()
