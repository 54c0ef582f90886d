"""Path finding: the best plan by conflict-based search is the best return, and nobody collides."""

from heapq import heappop, heappush
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import advance, random_actions
from refmarl.envs import PathFinding
from refmarl.games.finite_horizon import finite_optimum
from refmarl.games.path_finding import (
    FIELDS,
    Field,
    alone,
    anonymous,
    cbs,
    conflict_based_search,
    joint,
    joint_search,
    least_makespan,
    named_field,
    prioritized,
    random_field,
    reachable,
)
from refmarl.training.certify import ceiling, certify
from refmarl.training.evaluate import at_random

SEEDS = st.integers(0, 2**32)
SHAPES = st.sampled_from([(2, 3), (3, 3), (1, 5), (2, 4), (3, 2)])
WALKERS = st.integers(1, 3)
WALLS = st.sampled_from([0.0, 0.2, 0.4])


@st.composite
def fields(draw, walkers=WALKERS):
    """Small enough for all joint states; often without a plan."""
    rng = np.random.default_rng(draw(SEEDS))
    return random_field(rng, *draw(SHAPES), draw(walkers), draw(WALLS))


def moves(field, at):
    """All that may follow in one step, written from the rules."""
    rows, columns = field.wall.shape

    def around(cell):
        r, c = divmod(cell, columns)
        for dr, dc in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= r + dr < rows and 0 <= c + dc < columns and not field.wall[r + dr, c + dc]:
                yield (r + dr) * columns + c + dc

    for to in product(*(around(cell) for cell in at)):
        if len(set(to)) < len(to):
            continue
        pairs = permutations(range(len(to)), 2)
        if not any(to[i] == at[j] and to[j] == at[i] for i, j in pairs):
            yield to


def cheapest(field, objective):
    """The cost of the best plan by Dijkstra in the joint space; None if there is none.

    A node is (cells, who will not move any more); only for ``arrivals`` that matters.
    """
    start, goal = tuple(field.start.tolist()), tuple(field.goal.tolist())
    n, done = len(start), (False,) * len(start)
    heap, seen = [(0, start, done)], set()
    while heap:
        cost, at, stay = heappop(heap)
        if (at, stay) in seen:
            continue
        seen.add((at, stay))
        if at == goal and (all(stay) or objective != "arrivals"):
            return cost
        if objective == "arrivals":
            for i in range(n):
                if at[i] == goal[i] and not stay[i]:
                    heappush(heap, (cost, at, (*stay[:i], True, *stay[i + 1 :])))
        for to in moves(field, at):
            if any(s and a != b for s, a, b in zip(stay, at, to, strict=True)):
                continue
            free = [a == b == g for a, b, g in zip(at, to, goal, strict=True)]
            pay = {"steps": n - sum(free), "arrivals": n - sum(stay), "makespan": 1}[objective]
            heappush(heap, (cost + pay, to, stay))
    return None


def assert_a_plan(field, plan):
    """From starts to goals by allowed moves."""
    rows = [tuple(row) for row in plan.paths.tolist()]
    assert rows[0] == tuple(field.start)
    assert rows[-1] == tuple(field.goal)
    for at, to in pairwise(rows):
        assert to in set(moves(field, at))


def steps(field, paths):
    """What a plan costs by the first objective."""
    stays = (paths[1:] == field.goal) & (paths[:-1] == field.goal)
    return int((~stays).sum())


@pytest.mark.parametrize("objective", ["steps", "arrivals", "makespan"])
@given(fields())
@settings(max_examples=15)
def test_conflict_based_search_costs_what_the_joint_space_says(objective, field):
    plan, wanted = conflict_based_search(field, objective), cheapest(field, objective)
    assert (plan is None) == (wanted is None) == (not reachable(field))
    assert (joint_search(field) is None) == (plan is None)
    if plan is None:
        return
    assert_a_plan(field, plan)
    assert plan.cost == wanted
    if objective == "steps":
        listed = joint_search(field)
        assert_a_plan(field, listed)
        for found in (plan, listed):
            assert steps(field, found.paths) == found.cost == wanted
    if objective == "makespan":
        assert plan.makespan == plan.cost == least_makespan(field)
    else:
        assert plan.makespan >= least_makespan(field)


@given(fields())
def test_bounds_are_below_and_prioritised_plans_above(field):
    one, any_goal, plan = alone(field), anonymous(field), conflict_based_search(field)
    assert any_goal <= one
    if plan is None:
        assert prioritized(field) is None
        return
    arrivals = conflict_based_search(field, "arrivals")
    assert one <= plan.cost <= arrivals.cost <= field.walkers * arrivals.makespan
    found = prioritized(field)
    if found is not None:
        assert_a_plan(field, found)
        assert steps(field, found.paths) == found.cost >= plan.cost


@given(fields(st.integers(2, 3)))
@settings(max_examples=15)
def test_the_assignment_is_below_the_best_plan_of_walkers_without_names(field):
    plans = []
    for order in permutations(range(field.walkers)):
        goal = field.goal[list(order)]
        if (goal == field.start).all():
            assert anonymous(field) == 0
            return
        plans.append(conflict_based_search(Field(field.wall, field.start, goal)))
    found = [plan.cost for plan in plans if plan is not None]
    assert anonymous(field) <= min(found, default=np.inf)


def test_two_who_cannot_pass_each_other_have_no_plan():
    field = Field(np.zeros((1, 5), dtype=bool), np.array([0, 4]), np.array([4, 0]))
    assert conflict_based_search(field) is None
    assert alone(field) == 8
    assert not reachable(field)
    env = PathFinding(field, horizon=12)
    state = env.reset(np.random.default_rng(0), 1)
    assert env.ceiling(state)[0] == -12.0  # somebody pays in each step
    assert (env.heuristic(state)[0] == 0).all()


def test_a_wall_between_leaves_no_way():
    wall = np.array([[False, True, False]])
    field = Field(wall, np.array([0]), np.array([2]))
    assert conflict_based_search(field) is alone(field) is anonymous(field) is None


def test_a_circle_may_turn_and_two_may_not_change_places():
    ring = Field(np.zeros((2, 2), dtype=bool), np.array([0, 1, 3, 2]), np.array([1, 3, 2, 0]))
    assert conflict_based_search(ring).cost == 4
    pair = Field(np.zeros((2, 2), dtype=bool), np.array([0, 1]), np.array([1, 0]))
    assert conflict_based_search(pair).cost == cheapest(pair, "steps") == 4  # half a turn


def test_waiting_on_a_goal_that_is_left_again_costs_only_where_arrivals_count():
    """2 stands on its goal, in 1's way, far from where 1 starts; the side cell is beside it."""
    wall = np.array([[False] * 6, [True] * 4 + [False, True]])
    field = Field(wall, np.array([0, 4]), np.array([5, 4]))
    assert conflict_based_search(field).cost == 5 + 2  # out and back; 4 steps of waiting are free
    assert conflict_based_search(field, "arrivals").cost == 5 + 5
    assert cheapest(field, "arrivals") == 10


@given(st.sampled_from(["bay", "crossing"]), st.booleans())
@settings(max_examples=4)
def test_value_iteration_on_the_joint_states_finds_the_cost_of_the_plan(name, shared):
    """The environment's own steps, tabulated: its optimum is less the cost of the best plan."""
    env = PathFinding(name, shared=shared)
    cost = conflict_based_search(env.field).cost
    per = 1 if shared else env.field.walkers
    assert finite_optimum(env.twin(), env.horizon) == pytest.approx(-cost / per, abs=1e-9)
    assert ceiling(env, np.random.default_rng(0), 2) == -cost / per


@given(fields(st.integers(1, 2)), st.integers(1, 14))
def test_the_ceiling_bounds_the_exact_optimum_and_is_it_where_time_suffices(field, horizon):
    env = PathFinding(field, horizon=horizon)
    best = finite_optimum(env.twin(), horizon)
    bound = env.ceiling(env.reset(np.random.default_rng(0), 1))[0]
    assert best <= bound + 1e-9
    plan = conflict_based_search(field)
    if plan is not None and plan.cost <= horizon:
        assert best == pytest.approx(bound, abs=1e-9)
        assert bound == -plan.cost


@given(fields(), st.integers(2, 30), st.data())
def test_later_the_ceiling_is_that_of_what_time_is_left(field, horizon, data):
    spent = data.draw(st.integers(1, horizon - 1))
    long, short = PathFinding(field, horizon=horizon), PathFinding(field, horizon=horizon - spent)
    state = long.reset(np.random.default_rng(0), 1)
    assert long.ceiling(state._replace(t=state.t + spent)) == short.ceiling(state)


@given(fields())
def test_the_mask_allows_what_leads_somewhere(field):
    env = PathFinding(field)
    state = env.reset(np.random.default_rng(0), 1)
    assert_array_equal(env.mask(state)[0][0], field.ways[field.start] >= 0)


@given(fields(st.integers(2, 3)), SEEDS)
def test_whatever_they_do_they_move_as_plans_may(field, seed):
    env, rng = PathFinding(field), np.random.default_rng(seed)
    state = env.reset(rng, 6)
    for _ in range(5):
        actions = random_actions(env, rng, state)
        after, final = advance(env, state, actions)[0::2]
        for at, to in zip(state.at.tolist(), final.at.tolist(), strict=True):
            assert tuple(to) in set(moves(field, tuple(at)))
        state = after


@given(fields(st.integers(2, 3)), SEEDS)
def test_a_joint_move_that_collides_with_nothing_is_made(field, seed):
    """The environment refuses no move that plans may make."""
    env = PathFinding(field)
    state = env.reset(np.random.default_rng(seed), 1)
    for to in moves(field, tuple(field.start)):
        action = [
            np.flatnonzero(field.ways[a] == b)[0] for a, b in zip(field.start, to, strict=True)
        ]
        after, _ = env.step(state, (np.array([action]),))
        assert_array_equal(after.at[0], to)


@given(st.integers(1, 3), SEEDS, WALLS)
@settings(max_examples=10)
def test_who_follows_the_plan_reaches_the_ceiling(players, seed, walls):
    env = PathFinding("random", 3, 4, players, walls)
    state = env.reset(np.random.default_rng(seed), 4)
    left = env.ceiling(state)
    fine = left > -env.horizon
    while fine.any():
        state, step = env.step(state, env.heuristic(state))
        left -= step.reward[0].mean(axis=1)
        assert_array_equal(left[fine & step.terminated], 0.0)
        fine &= ~step.terminated
        state = state._replace(ended=np.zeros(4, dtype=bool))


@given(SEEDS, WALLS, st.integers(1, 3))
def test_random_fields_let_each_walk_home_alone(seed, walls, players):
    env = PathFinding("random", 3, 4, players, walls)
    state = env.reset(np.random.default_rng(seed), 5)
    for b in range(5):
        field = Field(state.wall[b].reshape(3, 4), state.at[b], state.goal[b])
        assert alone(field) is not None


def test_the_certificate_of_a_policy_is_exact_on_named_fields():
    env = PathFinding("bay")
    found = certify(env, at_random(env, np.random.default_rng(0)), greedy=True)
    assert (found.best, found.reached) == (-11.0, True)
    assert found.values.mean() <= found.best
    with pytest.raises(InputError, match="no twin"):
        PathFinding("random").twin()


@pytest.mark.parametrize("name", FIELDS)
def test_joint_states_that_cannot_be_listed_do_not_stop_the_search(name, monkeypatch):
    cost = conflict_based_search(named_field(name)).cost
    monkeypatch.setattr(cbs, "DOUBT", 1)
    monkeypatch.setattr(joint, "MAX_JOINT", 1)
    assert conflict_based_search(named_field(name)).cost == cost


@pytest.mark.parametrize("name", FIELDS)
def test_named_fields_have_plans(name):
    field = named_field(name)
    plan = conflict_based_search(field)
    assert_a_plan(field, plan)
    assert plan.cost >= alone(field)
    assert plan.cost <= PathFinding().horizon


def test_prioritised_planning_is_not_complete():
    """In the bay each would have to make way for the other before it is planned."""
    assert prioritized(named_field("bay")) is None
    assert reachable(named_field("bay"))


FREE = np.zeros((2, 2), dtype=bool)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PathFinding("bey"), "no field 'bey'"),
        (lambda: PathFinding("random", 2, 2, players=4), "no room"),
        (lambda: PathFinding(walls=0.95), "walls: need"),
        (lambda: named_field("nowhere"), "no field"),
        (lambda: random_field(np.random.default_rng(0), 2, 2, 4), "walkers: need 1 to 3"),
        (lambda: random_field(np.random.default_rng(0), 2, 2, 1, 1.0), "walls: need"),
        (lambda: Field(FREE, np.array([0, 0]), np.array([1, 2])), "start: need different"),
        (lambda: Field(FREE, np.array([0]), np.array([4])), "goal: need free cells"),
        (lambda: Field(FREE, np.array([0]), np.array([0])), "already"),
        (lambda: Field(FREE, np.array([0]), np.array([1, 2])), "one for each start"),
        (lambda: Field(FREE, np.array([0.5]), np.array([1])), "start: need integers"),
        (lambda: Field(FREE.astype(int), np.array([0]), np.array([1])), "wall: need bool"),
        (lambda: conflict_based_search(named_field("bay"), "time"), "objective: need one of"),
        (lambda: conflict_based_search(named_field("bay"), limit=3), "within 3 nodes"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
