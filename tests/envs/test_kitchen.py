"""The kitchen: nothing is lost, nobody is in two places, and what cooks can earn at best."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import random_actions
from refmarl.envs import Kitchen
from refmarl.envs import kitchen_optimum as best
from refmarl.envs._kitchen import (
    DISH,
    FLOOR,
    FOR_DISH,
    FOR_ONIONS,
    FOR_SOUP,
    INTERACT,
    LAYOUTS,
    NOTHING,
    ONION,
    SOUP,
)
from refmarl.testing.check_env import check_env
from refmarl.training.certify import ceiling

SEEDS = st.integers(0, 2**32)
COOKS = st.integers(1, 3)
WEST, EAST, NORTH, SOUTH, STAY = 3, 4, 1, 2, 0


@st.composite
def kitchens(draw, cooks=COOKS, wide=(3, 5), **fixed):
    """Random rooms with all that is needed at the walls; often it cannot be reached."""
    n = draw(cooks)
    rows, columns = draw(st.integers(3, 4)), draw(st.integers(*wide))
    rng = np.random.default_rng(draw(SEEDS))
    grid = np.full((rows, columns), "#")
    inner = [(r, c) for r in range(1, rows - 1) for c in range(1, columns - 1)]
    edge = [(r, c) for r in range(rows) for c in range(columns) if (r, c) not in inner]
    assume(len(inner) >= n)
    inner = [inner[k] for k in rng.permutation(len(inner))]
    edge = [e for e in edge if e[0] in range(1, rows - 1) or e[1] in range(1, columns - 1)]
    assume(len(edge) >= 4)
    for k, at in enumerate(inner):
        grid[at] = str(k + 1) if k < n else rng.choice([".", ".", "-"])
    chosen = rng.permutation(len(edge))
    for k, sign in zip(chosen, ["O", "D", "P", "S", *rng.choice(list("#-OP"), 20)], strict=False):
        grid[edge[k]] = sign
    options = {
        "onions": draw(st.integers(1, 3)),
        "cooking": draw(st.integers(0, 3)),
        "shaping": draw(st.sampled_from(["none", "bonus", "potential"])),
    }
    return Kitchen("/".join(map("".join, grid)), **(options | {"horizon": 12} | fixed))


NAMED = st.sampled_from([Kitchen(x, onions=1, cooking=1) for x in LAYOUTS])


def played(env, seed, copies=5, steps=40):
    """(before, action, after, step) of play that often uses what is in front."""
    rng = np.random.default_rng(seed)
    state = env.reset(rng, copies)
    for _ in range(min(steps, env.horizon)):
        chance, plan = random_actions(env, rng, state)[0], env.heuristic(state)[0]
        action = np.where(rng.random(chance.shape) < 0.5, chance, plan)
        action = np.where(rng.random(chance.shape) < 0.2, INTERACT, action)
        after, step = env.step(state, (action,))
        yield state, action, after, step
        state = after


def stock(env, state):
    """(B, 3): onions, dishes and soups that are held, lie on tables, or are in pots as onions."""
    table = np.where(env.plan.pot, NOTHING, state.what)
    count = [(state.held == x).sum(axis=1) + (table == x).sum(axis=1) for x in (ONION, DISH, SOUP)]
    count[0] = count[0] + np.where(env.plan.pot, state.what, 0).sum(axis=1)
    return np.stack(count, axis=1)


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_it_keeps_all_promises(layout):
    check_env(Kitchen(layout))
    check_env(Kitchen(layout, shaping="bonus", onions=1, cooking=0, horizon=7))


@settings(max_examples=60)
@given(kitchens(horizon=40), SEEDS)
def test_cooks_stand_on_floor_one_in_a_cell_and_never_change_places(env, seed):
    columns = env.plan.shape[1]
    way = {NORTH: -columns, SOUTH: columns, WEST: -1, EAST: 1}
    for before, action, after, _ in played(env, seed):
        assert (env.plan.kind[after.at] == FLOOR).all()
        assert all(len(set(row)) == len(row) for row in after.at.tolist())
        for b, i in np.ndindex(*action.shape):
            a, here, there = action[b, i], before.at[b, i], after.at[b, i]
            if a in way:
                assert after.facing[b, i] == a
                assert there in (here, here + way[a])
                if there == here:  # no floor, or somebody else who stood or came there
                    others = np.delete(np.arange(action.shape[1]), i)
                    wanted = [
                        before.at[b, j] + way.get(action[b, j], 0) for j in others
                    ]  # fmt: skip
                    crowd = {*before.at[b, others].tolist(), *map(int, wanted)}
                    assert env.plan.kind[here + way[a]] != FLOOR or here + way[a] in crowd
            else:
                assert there == here
                assert after.facing[b, i] == before.facing[b, i]
            for j in range(i):
                swapped = there == before.at[b, j] and after.at[b, j] == here
                assert not swapped or there == here


@settings(max_examples=60)
@given(kitchens(shaping="none", horizon=40) | NAMED, SEEDS)
def test_nothing_is_lost_and_what_is_paid_was_served(env, seed):
    for before, action, after, step in played(env, seed):
        change = stock(env, after) - stock(env, before)
        paid = step.reward[0][:, 0]
        assert (step.reward[0] == paid[:, None]).all()
        out = change[:, 2] + paid  # soups taken from pots
        assert (out >= 0).all()
        taken = change[:, 0] + env.onions * out  # from where onions are
        dishes = change[:, 1] + out
        users = (action == INTERACT).sum(axis=1)
        assert ((taken >= 0) & (dishes >= 0)).all()
        assert (taken + dishes + out + paid <= users).all()
        quiet = action != INTERACT
        assert_array_equal(after.held[quiet], before.held[quiet])


@settings(max_examples=60)
@given(kitchens(horizon=40) | NAMED, SEEDS)
def test_a_pot_takes_so_many_onions_cooks_and_only_then_gives_a_soup(env, seed):
    pot = env.plan.pot
    for before, _, after, _ in played(env, seed):
        old, new = before.what[:, pot], after.what[:, pot]
        clock, now = before.clock[:, pot], after.clock[:, pot]
        assert ((new >= 0) & (new <= env.onions)).all()
        assert (now[new < env.onions] == 0).all()
        emptied = (old == env.onions) & (new < env.onions)
        assert (clock[emptied] <= 1).all()  # the step itself is one of those that it cooks
        goes_on = (old == env.onions) & (new == env.onions) & (clock > 1)
        assert_array_equal(now[goes_on], clock[goes_on] - 1)
        filled = (old < env.onions) & (new == env.onions)
        if env.cooking > 0:
            assert (now[filled] == env.cooking).all()


@given(st.sampled_from([ONION, DISH, SOUP]), st.sampled_from([ONION, DISH, SOUP]))
def test_a_table_takes_one_thing_from_full_hands_and_gives_it_to_empty_ones(mine, other):
    env = Kitchen("#-#/O1P/DS#", onions=1)
    first = env.reset(np.random.default_rng(0), 1)
    k = int(np.flatnonzero(~env.plan.pot)[0])
    first.facing[:] = NORTH
    use = (np.array([[INTERACT]]),)
    for held, lies, after in [
        (mine, NOTHING, (NOTHING, mine)),
        (NOTHING, other, (other, NOTHING)),
        (mine, other, (mine, other)),
    ]:
        first.held[0, 0], first.what[0, k] = held, lies
        state, _ = env.step(first, use)
        assert (state.held[0, 0], state.what[0, k]) == after


@settings(max_examples=40)
@given(kitchens(horizon=30), SEEDS)
def test_in_a_mirror_all_goes_the_other_way(env, seed):
    rows = env.layout.split("/")
    glass = Kitchen(
        "/".join(row[::-1] for row in rows), env.onions, env.cooking, env.shaping,
        env.discount, env.horizon,
    )  # fmt: skip
    other = np.array([STAY, NORTH, SOUTH, EAST, WEST, INTERACT])
    wide = env.plan.shape[1]

    def mirrored(cells):
        return cells // wide * wide + wide - 1 - cells % wide

    seen = glass.reset(np.random.default_rng(seed), 5)
    for _, action, after, step in played(env, seed):
        seen, there = glass.step(seen, (other[action],))
        assert_array_equal(seen.at, mirrored(after.at))
        assert_array_equal(seen.facing, other[after.facing])
        assert_array_equal(seen.held, after.held)
        assert_allclose(there.reward[0], step.reward[0], atol=1e-12)


@settings(max_examples=40)
@given(kitchens(shaping="potential", horizon=30), SEEDS, st.floats(0.5, 1.0))
def test_a_potential_pays_back_what_it_paid(env, seed, gamma):
    args = (env.layout, env.onions, env.cooking)
    env = Kitchen(*args, "potential", gamma, env.horizon)
    plain = Kitchen(*args, "none", gamma, env.horizon)
    last, served, shaped = None, 0.0, 0.0
    for t, (before, action, after, step) in enumerate(played(env, seed)):
        paid = plain.step(before, (action,))[1].reward[0][:, 0]
        served, shaped = served + gamma**t * paid, shaped + gamma**t * step.reward[0][:, 0]
        last = gamma ** (t + 1) * env.potential(after)
    assert (env.potential(env.reset(np.random.default_rng(seed), 5)) == 0.0).all()
    assert_allclose(shaped, served + last, atol=1e-9)


def test_a_dish_is_worth_something_where_a_full_pot_waits_for_it():
    env = Kitchen("#P##/O12S/#DP#", onions=2)
    state = env.reset(np.random.default_rng(0), 1)
    state.held[0] = DISH, DISH
    assert env.potential(state)[0] == 0.0
    state.what[0, 0] = 1
    assert env.potential(state)[0] == pytest.approx(FOR_ONIONS / 2)
    state.what[0, 0] = 2
    assert env.potential(state)[0] == pytest.approx(FOR_ONIONS + FOR_DISH)
    state.what[0, 1] = 2
    assert env.potential(state)[0] == pytest.approx(2 * (FOR_ONIONS + FOR_DISH))


def test_a_soup_pays_one_and_its_bonus():
    env = Kitchen("#P#/O1S/#D#", onions=2, cooking=2, shaping="bonus", horizon=50)
    state, total = env.reset(np.random.default_rng(0), 1), 0.0
    script = [WEST, INTERACT, NORTH, INTERACT, WEST, INTERACT, NORTH, INTERACT, SOUTH, INTERACT]
    script += [NORTH, INTERACT, EAST, INTERACT]
    for a in script:
        state, step = env.step(state, (np.array([[a]]),))
        total += float(step.reward[0][0, 0])
    assert total == pytest.approx(1.0 + FOR_ONIONS + FOR_DISH + FOR_SOUP)


# -- what can be earned -----------------------------------------------------------------


def by_brute_force(env):
    """The best of all sequences of joint actions."""
    n = len(env.plan.start)
    count = (6**n) ** env.horizon
    digits = np.stack(np.unravel_index(np.arange(count), (6,) * (n * env.horizon)), axis=1)
    state, total = env.reset(np.random.default_rng(0), count), np.zeros(count)
    for t in range(env.horizon):
        state, step = env.step(state, (digits[:, t * n : (t + 1) * n].astype(np.int64),))
        total += step.reward[0][:, 0]
    return total.max()


@settings(max_examples=20)
@given(st.data(), st.sampled_from([(1, 6), (2, 3)]))
def test_the_optimum_is_that_of_all_sequences_tried_one_by_one(data, size):
    cooks, horizon = size
    shaping = data.draw(st.sampled_from(["bonus", "potential"]))  # no soup is done so soon
    env = data.draw(kitchens(st.just(cooks), (3, 4), shaping=shaping, horizon=horizon))
    first = env.reset(np.random.default_rng(0), 1)
    assert_allclose(env.ceiling(first), by_brute_force(env), atol=1e-9)


@settings(max_examples=12)
@given(kitchens(st.integers(1, 2), (3, 4), horizon=25), SEEDS)
def test_nobody_exceeds_the_optimum_which_the_plan_attains_and_the_bound_holds(env, seed):
    first = env.reset(np.random.default_rng(seed), 5)
    top = env.ceiling(first)
    assert (top <= best._bound(env) + 1e-9).all()
    earned, state = 0.0, first
    for _ in range(env.horizon):
        left = env.ceiling(state)
        state, step = env.step(state, best.optimal(env, state))
        paid = step.reward[0][:, 0]
        assert_allclose(left, paid + env.ceiling(state), atol=1e-9)
        earned = earned + paid
    assert_allclose(earned, top, atol=1e-9)
    total = 0.0
    for before, _, after, step in played(env, seed):
        assert (step.reward[0][:, 0] + env.ceiling(after) <= env.ceiling(before) + 1e-9).all()
        total = total + step.reward[0][:, 0]
    assert (total <= top + 1e-9).all()


@settings(max_examples=15)
@given(kitchens(st.integers(1, 2), (3, 4), shaping="none", horizon=40) | NAMED)
def test_no_more_soups_are_served_than_counting_allows(env):
    value = best.solve(env).value
    for steps, row in enumerate(value[:, 0]):  # the first that is listed is the beginning
        assert row <= best.most_soups(env, steps)
    assert all((early <= late).all() for early, late in pairwise(value))


def test_a_pot_may_be_emptied_twice_in_one_step():
    env = Kitchen("#O#S#/#.1.#/D2P3D/#####", onions=1, cooking=0)
    state = env.reset(np.random.default_rng(0), 1)
    state.facing[0] = SOUTH, EAST, WEST
    state.held[0], state.what[0] = (DISH, ONION, DISH), 1
    after, _ = env.step(state, (np.full((1, 3), INTERACT),))
    assert_array_equal(after.held[0], [SOUP, NOTHING, SOUP])
    assert after.what[0] == 0


@pytest.mark.parametrize(("layout", "soups"), [("cramped", 3), ("forced", 2)])
def test_what_is_shown_as_ceiling_is_the_best_of_the_named_kitchens(layout, soups):
    env = Kitchen(layout)
    assert ceiling(env, np.random.default_rng(0), 2) == soups
    state, total = env.reset(np.random.default_rng(0), 1), 0.0
    for _ in range(env.horizon):
        state, step = env.step(state, best.optimal(env, state))
        total += step.reward[0][0, 0]
    assert total == soups


def test_two_cooks_serve_more_than_one():
    two, one = LAYOUTS["cramped"], LAYOUTS["cramped"].replace("2", ".")
    for horizon in (20, 30, 40):
        values = [best.solve(Kitchen(x, horizon=horizon)).value[-1, 0] for x in (one, two)]
        assert values[0] <= values[1]
    assert values[0] < values[1]


@pytest.mark.parametrize(("gone", "left"), [("2", "1"), ("1", "2")])
def test_in_forced_nobody_can_do_it_alone(gone, left):
    alone = LAYOUTS["forced"].replace(gone, ".").replace(left, "1")
    assert best.solve(Kitchen(alone, horizon=60)).value[-1, 0] == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "#P#/xyz"}, "layout: need signs of"),
        ({"layout": "###/#1#"}, "layout: need at least one O"),
        ({"layout": "nowhere"}, "layout: need cramped, ring, forced, or rows"),
        ({"layout": "#P#/O1S/#D"}, "layout: need rows of one length"),
        ({"layout": "#P#/O2S/#D#"}, "layout: need cooks 1, 2, 3 in turn"),
        ({"layout": "#P#/O1S/.D#"}, "layout: need no floor at the edge"),
        ({"onions": 0}, "onions"),
        ({"cooking": -1}, "cooking"),
        ({"shaping": "much"}, "shaping"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Kitchen(**options)
