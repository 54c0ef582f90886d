"""The worlds of particles: laws of motion, symmetries, and what an environment promises."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare, kstest

from refmarl.check import InputError
from refmarl.env_api import Discrete, MultiDiscrete, advance, take
from refmarl.envs import Navigation, Pursuit, Reference, SpeakerListener
from refmarl.envs._physics import contact
from refmarl.testing.particles import (
    LISTENERS,
    NAVIGATIONS,
    PURSUITS,
    REFERENCES,
    SEEDS,
    WORLDS,
    crowded,
    draw,
    moved,
)

KEEP = 0.75  # what damping leaves of a velocity
DEFAULTS = [Navigation(), Pursuit(), SpeakerListener(), Reference()]


# What every environment promises


@given(WORLDS, SEEDS, st.integers(1, 4))
def test_spaces_and_shapes_are_those_announced(env, seed, copies):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, copies)
    after, step = env.step(state, draw(env, rng, copies))
    for s in (state, after):
        for group, obs in zip(env.groups, env.observe(s), strict=True):
            assert obs.shape == (copies, len(group.agents), group.obs_dim)
            assert np.isfinite(obs).all()
        shown = env.global_state(s)
        assert shown.shape[0] == copies
        assert np.isfinite(shown).all()
    assert [r.shape for r in step.reward] == [(copies, len(g.agents)) for g in env.groups]
    assert not step.terminated.any()


@given(WORLDS, SEEDS, st.integers(1, 6))
def test_a_script_is_its_steps_one_after_the_other(env, seed, steps):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)
    script = draw(env, rng, 3, steps)
    whole = env.play(state, script)
    for t in range(steps):
        state, step = env.step(state, tuple(a[t] for a in script))
        for all_rewards, reward in zip(whole.reward, step.reward, strict=True):
            assert_array_equal(all_rewards[t], reward)
        for seen, obs in zip(whole.obs, env.observe(state), strict=True):
            assert_array_equal(seen[t], obs)
        assert_array_equal(whole.truncated[t], step.truncated)
    for field, last in zip(whole.state, state, strict=True):
        assert_array_equal(field, last)


@given(WORLDS, SEEDS)
def test_a_copy_does_not_see_the_others(env, seed):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)
    actions = draw(env, rng, 3)
    together, step = env.step(state, actions)
    for b in range(3):
        alone, mine = env.step(take(state, [b]), tuple(a[[b]] for a in actions))
        for field, all_copies in zip(alone, take(together, [b]), strict=True):
            assert_array_equal(field, all_copies)
        for reward, rewards in zip(mine.reward, step.reward, strict=True):
            assert_array_equal(reward[0], rewards[b])
        for obs, all_obs in zip(env.observe(alone), env.observe(together), strict=True):
            assert_array_equal(obs[0], all_obs[b])
    one = env.restart(state.key[[1]])
    for field, all_copies in zip(one, take(env.restart(state.key), [1]), strict=True):
        assert_array_equal(field, all_copies)


@given(WORLDS, SEEDS)
def test_a_step_changes_nothing_that_was_there_and_can_be_repeated(env, seed):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)
    actions = draw(env, rng, 3)
    before = [field.copy() for field in (*state, *actions)]
    first, second = env.step(state, actions), env.step(state, actions)
    for kept, field in zip(before, (*state, *actions), strict=True):
        assert_array_equal(kept, field)
    for a, b in zip(first[0], second[0], strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("env", DEFAULTS, ids=lambda e: e.name)
def test_episodes_end_when_time_is_up_and_then_no_step_is_taken(env):
    rng = np.random.default_rng(0)
    state = env.reset(rng, 2)
    for t in range(25):
        state, step = env.step(state, env.heuristic(state))
        assert (step.truncated == (t == 24)).all()
        assert (state.ended == step.truncated).all()
    with pytest.raises(InputError, match="has ended"):
        env.step(state, env.heuristic(state))
    state = state._replace(ended=np.zeros(2, bool), t=state.t - 1)
    state, _, final = advance(env, state, draw(env, rng, 2))
    assert (final.t == 25).all()
    assert (state.t == 0).all()
    assert (state.x[..., 2:] == 0).all()
    assert not state.said.any()
    endless = replace(env, horizon=0)
    late = state._replace(t=state.t + 10**6)
    assert not endless.step(late, draw(env, rng, 2))[1].truncated.any()


@pytest.mark.parametrize("env", DEFAULTS, ids=lambda e: e.name)
def test_a_script_does_not_run_past_the_end(env):
    rng = np.random.default_rng(0)
    state = env.reset(rng, 2)
    state = state._replace(t=np.array([3, 20]))
    assert_array_equal(env.play(state, draw(env, rng, 2, 5)).truncated[-1], [False, True])
    with pytest.raises(InputError, match="a script of 6 steps, 5 are left"):
        env.play(state, draw(env, rng, 2, 6))
    for wrong in (draw(env, rng, 2), draw(env, rng, 3, 5), draw(env, rng, 2, 0)):
        with pytest.raises(InputError, match="script: need"):
            env.play(state, wrong)
    if len(env.groups) == 2:
        with pytest.raises(InputError, match="script: need"):
            env.play(state, (draw(env, rng, 2, 5)[0], draw(env, rng, 2, 4)[1]))


@pytest.mark.parametrize("env", DEFAULTS, ids=lambda e: e.name)
@pytest.mark.parametrize("below", [True, False])
def test_actions_out_of_range_are_refused(env, below):
    rng = np.random.default_rng(0)
    state = env.reset(rng, 2)
    for g, group in enumerate(env.groups):
        good = draw(env, rng, 2)
        single = isinstance(group.space, Discrete)
        sizes = (group.space.n,) if single else group.space.sizes
        for part, size in enumerate(sizes):
            bad, wrong = good[g].copy(), -1 if below else size
            bad.reshape(2, -1, len(sizes))[1, -1, part] = wrong
            with pytest.raises(InputError, match=f"got {wrong}"):
                env.step(state, (*good[:g], bad, *good[g + 1 :]))
        with pytest.raises(InputError, match="need integers"):
            env.step(state, (*good[:g], good[g] + 0.5, *good[g + 1 :]))
    with pytest.raises(InputError, match="need a tuple"):
        env.step(state, good[0])
    box = replace(env, continuous=True)
    bad = tuple(np.full_like(a, np.nan) for a in draw(box, rng, 2))
    with pytest.raises(InputError, match="need finite"):
        box.step(state, bad)


def test_places_and_goals_begin_uniform():
    for env in (Navigation(), Pursuit(obstacles=3), Reference()):
        state = env.reset(np.random.default_rng(0), 2000)
        assert kstest(state.x[..., :2].ravel(), "uniform", (-1, 2)).pvalue > 1e-4
        marks = state.landmark.ravel() / env.spread
        assert kstest(marks, "uniform", (-1, 2)).pvalue > 1e-4
        both = np.corrcoef(np.hstack([state.x[..., 0], state.landmark[..., 1]]).T)
        assert abs(both - np.eye(len(both))).max() < 0.1
        assert (state.x[..., 2:] == 0).all()
    assert chisquare(np.bincount(state.goal.ravel(), minlength=3)).pvalue > 1e-4
    assert abs(np.corrcoef(state.goal.T)[0, 1]) < 0.1


# Motion


@given(NAVIGATIONS, SEEDS)
def test_pushes_change_no_momentum(env, seed):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)
    still = replace(env, continuous=True)
    after, _ = moved(still, state, (np.zeros((3, env.team, 5)),))
    total = state.x[..., 2:].sum(axis=1)
    assert_allclose(after[..., 2:].sum(axis=1), KEEP * total, atol=1e-11)


@given(SEEDS, st.floats(0.01, 0.29))
def test_two_that_overlap_push_apart_along_their_line_as_hard_as_they_overlap(seed, apart):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    line = np.array([np.cos(angle), np.sin(angle)])
    env = Navigation(team=2)
    state = env.reset(np.random.default_rng(seed), 1)
    x = np.zeros((1, 2, 4))
    x[0, :, :2] = np.outer([0.5, -0.5], apart * line)
    after, _ = moved(env, state._replace(x=x), (np.zeros((1, 2), int),))
    force = after[0, :, 2:] / 0.1
    assert_allclose(force, np.outer([1, -1], 100 * (0.3 - apart) * line), rtol=1e-4)


@given(st.floats(-0.004, 0.03), st.booleans())
def test_the_push_is_smooth_where_they_touch(gap, obstacle):
    """100 k log(1 + exp(−gap / k)), also a little beyond contact; of an obstacle, too."""
    env = Pursuit(chasers=1, obstacles=1) if obstacle else Navigation(team=2)
    state = env.reset(np.random.default_rng(0), 1)
    x, landmark = np.zeros((1, 2, 4)), np.full((1, env.sizes[1], 2), 7.0)
    x[0, 1, :2] = [0.0, 5.0] if obstacle else [-0.3 - gap, 0.0]
    if obstacle:
        landmark[0, 0] = [-0.275 - gap, 0.0]
    still = tuple(np.zeros((1, len(g.agents)), int) for g in env.groups)
    after, _ = moved(env, state._replace(x=x, landmark=landmark), still)
    force = 100 * 1e-3 * np.logaddexp(0.0, -gap / 1e-3)
    assert after[0, 0, 2] / 0.1 == pytest.approx(force, rel=1e-6, abs=1e-15)
    assert after[0, 0, 3] == 0.0


@given(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0), st.floats(0.05, 0.5))
def test_pushes_grow_with_depth_and_vanish_beyond_contact(near, far, touch):
    near, far = sorted((near, far))
    assert contact(near, touch) * near >= contact(far, touch) * far >= 0.0
    assert contact(touch, touch) * touch == pytest.approx(0.1 * np.log(2))
    assert contact(touch + 0.06, touch) == 0.0
    assert contact(touch + 0.04, touch) < 1e-15


def test_discs_at_one_place_do_not_push():
    state = Navigation().reset(np.random.default_rng(0), 1)
    after, reward = moved(
        Navigation(), state._replace(x=np.zeros((1, 3, 4))), (np.zeros((1, 3), int),)
    )
    assert_array_equal(after, 0.0)
    assert np.isfinite(reward).all()
    env = Pursuit()
    state = env.reset(np.random.default_rng(0), 1)
    state = state._replace(x=np.zeros((1, 4, 4)), landmark=np.zeros((1, 2, 2)))
    after, _ = moved(env, state, (np.zeros((1, 3), int), np.zeros((1, 1), int)))
    assert_array_equal(after, 0.0)


@given(SEEDS, st.booleans(), st.integers(1, 30), st.integers(1, 4))
def test_a_lone_agent_that_pushes_one_way_follows_the_geometric_series(seed, first, steps, move):
    env = Navigation(team=1, velocity_first=first, horizon=0)
    state = env.reset(np.random.default_rng(seed), 1)
    after = env.play(state, (np.full((steps, 1, 1), move),)).state.x[0, 0]
    speed = 0.1 * 5 / (1 - KEEP) * (1 - KEEP ** np.arange(steps + 1))  # v_0 … v_T
    way = 0.1 * (speed[1:] if first else speed[:-1]).sum()
    axis, sign = (move - 1) // 2, 1 if move % 2 == 0 else -1
    assert_allclose(after[2 + axis], sign * speed[-1], atol=1e-12)
    assert_allclose(after[axis] - state.x[0, 0, axis], sign * way, atol=1e-12)
    assert after[1 - axis] == state.x[0, 0, 1 - axis]


@given(PURSUITS, SEEDS)
def test_nobody_is_faster_than_allowed(env, seed):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)
    for _ in range(3):
        state, _ = env.step(state, draw(env, rng, 3))
        speed = np.linalg.norm(state.x[..., 2:], axis=-1)
        assert (speed <= env.discs[:, 2] * (1 + 1e-12)).all()


@given(SEEDS, st.floats(0.01, 2.5))
def test_nobody_slower_than_allowed_is_sped_up_or_slowed_down(seed, speed):
    env = Pursuit(obstacles=0)
    state = env.reset(np.random.default_rng(seed), 1)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    x = np.zeros((1, 4, 4))
    x[0, :, 0] = [0, 10, 20, 30]
    x[0, :, 2:] = speed * np.array([np.cos(angle), np.sin(angle)])
    after, _ = moved(env, state._replace(x=x), (np.zeros((1, 3), int), np.zeros((1, 1), int)))
    wanted = np.minimum(KEEP * speed, env.discs[:, 2])
    assert_allclose(np.linalg.norm(after[0, :, 2:], axis=-1), wanted, rtol=1e-12)


def test_the_top_speed_is_reached_and_keeps_the_direction():
    env = Pursuit(obstacles=0, continuous=True, horizon=0)
    state = env.reset(np.random.default_rng(0), 1)
    x = state.x.copy()
    x[0, :, 0] = [0, 10, 20, 30]
    full = np.tile([0, 0, 1.0, 0, 0.5], (20, 1, 4, 1))
    after = env.play(state._replace(x=x), (full[:, :, :3], full[:, :, 3:])).state.x
    speed = np.linalg.norm(after[0, :, 2:], axis=-1)
    assert_allclose(speed, [1.0, 1.0, 1.0, 1.3], rtol=1e-12)
    assert_allclose(after[0, :, 2], 2 * after[0, :, 3], rtol=1e-12)


@given(SEEDS)
def test_obstacles_stay_and_push_outwards(seed):
    rng = np.random.default_rng(seed)
    env = Pursuit(chasers=1, obstacles=1, continuous=True, velocity_first=True)
    state = env.reset(rng, 1)
    offset = rng.normal(size=2)
    offset *= rng.uniform(0.05, 0.26) / np.linalg.norm(offset)
    x = np.zeros((1, 2, 4))
    x[0, 0, :2], x[0, 1, :2] = state.landmark[0, 0] + offset, 5.0
    after, _ = env.step(state._replace(x=x), (np.zeros((1, 1, 5)),) * 2)
    assert_array_equal(after.landmark, state.landmark)
    way = after.x[0, 0, :2] - x[0, 0, :2]
    assert way @ offset > 0
    assert abs(way[0] * offset[1] - way[1] * offset[0]) < 1e-12


@given(WORLDS, SEEDS)
def test_those_far_from_each_other_move_as_if_alone(env, seed):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng, 1)
    movers = env.sizes[0]
    x = state.x.copy()
    x[0, :, :2] += 10.0 * np.arange(1, movers + 1)[:, None]
    state, actions = state._replace(x=x), draw(env, rng, 1)
    after, _ = moved(env, state, actions)
    for i in range(movers):
        others = x.copy()
        others[0, np.arange(movers) != i, :2] += 100.0
        assert_array_equal(moved(env, state._replace(x=others), actions)[0][0, i], after[0, i])


# Symmetries

TURN = np.array([0, 3, 4, 2, 1])  # left → down, right → up, down → right, up → left
FLIP = np.array([0, 2, 1, 3, 4])  # left ↔ right


def turned(env, actions, to):
    """The same moves in a world that is turned or mirrored: moves k become to[k]."""
    changed = []
    for group, action in zip(env.groups, actions, strict=True):
        new, speaks = action.copy(), group.name == "speaker"
        if not speaks and env.continuous:
            new[..., to] = action[..., :5]
        elif not speaks and isinstance(group.space, MultiDiscrete):
            new[..., 0] = to[action[..., 0]]
        elif not speaks:
            new = to[action]
        changed.append(new)
    return tuple(changed)


@given(WORLDS, SEEDS, st.booleans())
def test_a_world_that_is_turned_or_mirrored_goes_on_as_before(env, seed, turn):
    rng = np.random.default_rng(seed)
    state, actions = crowded(env, rng), draw(env, rng, 3)

    def map_(v):
        x, y = v[..., 0], v[..., 1]
        return np.stack([-y, x] if turn else [-x, y], axis=-1)

    def world(x):
        return np.concatenate([map_(x[..., :2]), map_(x[..., 2:])], axis=-1)

    other = state._replace(x=world(state.x), landmark=map_(state.landmark))
    x, reward = moved(env, state, actions)
    other_x, other_reward = moved(env, other, turned(env, actions, TURN if turn else FLIP))
    assert_allclose(other_x, world(x), rtol=0, atol=1e-12)
    assert_allclose(other_reward, reward, rtol=1e-12, atol=1e-12)


@given(st.one_of(NAVIGATIONS, LISTENERS, REFERENCES), SEEDS)
def test_a_world_that_is_shifted_goes_on_as_before(env, seed):
    rng = np.random.default_rng(seed)
    state, actions = crowded(env, rng), draw(env, rng, 3)
    shift = rng.normal(size=2)
    x = state.x.copy()
    x[..., :2] += shift
    other = state._replace(x=x, landmark=state.landmark + shift)
    here, reward = moved(env, state, actions)
    there, other_reward = moved(env, other, actions)
    assert_allclose(there - here, np.broadcast_to([*shift, 0, 0], here.shape), atol=1e-9)
    assert_allclose(other_reward, reward, atol=1e-9)


@given(st.one_of(NAVIGATIONS, PURSUITS, LISTENERS), SEEDS)
def test_agents_alike_may_change_places(env, seed):
    rng = np.random.default_rng(seed)
    state, actions = crowded(env, rng), draw(env, rng, 3)
    orders = [rng.permutation(len(g.agents)) for g in env.groups]
    movers = orders[1:] if isinstance(env, SpeakerListener) else orders
    first = np.cumsum([0, *map(len, movers)])
    order = np.concatenate([k + o for k, o in zip(first, movers, strict=False)])
    swapped = tuple(a[:, o] for a, o in zip(actions, orders, strict=True))
    marks = rng.permutation(env.sizes[1]) if not isinstance(env, SpeakerListener) else slice(None)
    x, landmark = state.x[:, order].copy(), state.landmark[:, marks].copy()
    other = state._replace(x=x, landmark=landmark)
    after, step = env.step(state, actions)
    other_after, other_step = env.step(other, swapped)
    assert_allclose(other_after.x, after.x[:, order], rtol=0, atol=1e-10)
    for mine, theirs, o in zip(step.reward, other_step.reward, orders, strict=True):
        assert_allclose(theirs, mine[:, o], rtol=1e-9, atol=1e-9)
    for mine, theirs, o in zip(env.observe(after), env.observe(other_after), orders, strict=True):
        assert_allclose(theirs[..., :2], mine[:, o, :2], atol=1e-9)  # oneself, first
        assert_allclose(np.sort(theirs), np.sort(mine[:, o]), atol=1e-9)  # others' order differs


@given(REFERENCES, SEEDS, st.integers(0, 3))
def test_the_ring_of_speakers_may_be_turned(env, seed, by):
    rng = np.random.default_rng(seed)
    state, actions = crowded(env, rng), draw(env, rng, 3)
    rolled = {k: np.roll(getattr(state, k), by, axis=1) for k in ("x", "goal", "said")}
    x, reward = moved(env, state, actions)
    other_x, other = moved(env, state._replace(**rolled), (np.roll(actions[0], by, axis=1),))
    assert_array_equal(other_x, np.roll(x, by, axis=1))
    assert_allclose(other, np.roll(reward, by, axis=1), rtol=1e-12)
