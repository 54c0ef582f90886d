"""The worlds of particles: laws of motion, symmetries, and what an environment promises."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment
from scipy.stats import chisquare, kstest

from refmarl.check import InputError
from refmarl.env_api import Box, Disc, Discrete, MultiDiscrete, advance, take
from refmarl.envs import Navigation, Pursuit, Reference, SpeakerListener
from refmarl.envs.navigation import original
from refmarl.envs.particles import contact
from refmarl.envs.pursuit import outside

KEEP = 0.75  # what damping leaves of a velocity
SEEDS = st.integers(0, 10**6)
MODES = st.fixed_dictionaries({"continuous": st.booleans(), "velocity_first": st.booleans()})
SMALL = st.integers(1, 4)


def built(kind, **counts):
    def make(modes, values):
        return kind(**modes, **dict(zip(counts, values, strict=True)))

    return st.builds(make, MODES, st.tuples(*counts.values()))


NAVIGATIONS = built(Navigation, team=SMALL, landmarks=SMALL, self_collision=st.booleans())
PURSUITS = built(Pursuit, chasers=SMALL, prey=SMALL, obstacles=st.integers(0, 3))
LISTENERS = built(SpeakerListener, listeners=SMALL, landmarks=SMALL, words=SMALL)
REFERENCES = built(Reference, team=SMALL, landmarks=SMALL, words=SMALL)
ENVS = st.one_of(NAVIGATIONS, PURSUITS, LISTENERS, REFERENCES)
DEFAULTS = [Navigation(), Pursuit(), SpeakerListener(), Reference()]


def draw(env, rng, copies, steps=None):
    """Random actions (B, N_g, …), or scripts (T, B, N_g, …)."""
    head = (copies,) if steps is None else (steps, copies)
    chosen = []
    for group in env.groups:
        lead, space = (*head, len(group.agents)), group.space
        if isinstance(space, Box):
            chosen.append(rng.random((*lead, space.size)))
        elif isinstance(space, Discrete):
            chosen.append(rng.integers(0, space.n, lead))
        else:
            chosen.append(rng.integers(0, space.sizes, (*lead, len(space.sizes))))
    return tuple(chosen)


def crowded(env, rng, copies=3):
    """Copies whose agents are in motion, and close enough to touch."""
    state = env.reset(rng, copies)
    x = state.x * [0.3, 0.3, 1, 1]
    x[..., 2:] = rng.uniform(-0.5, 0.5, (*x.shape[:2], 2))
    said = rng.random(state.said.shape)
    return state._replace(x=x, landmark=state.landmark * 0.5, said=said)


def moved(env, state, actions):
    """(x', rewards of all agents side by side)."""
    after, step = env.step(state, actions)
    return after.x, np.concatenate(step.reward, axis=1)


# What every environment promises


@given(ENVS, SEEDS, st.integers(1, 4))
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


@given(ENVS, SEEDS, st.integers(1, 6))
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


@given(ENVS, SEEDS)
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


@given(ENVS, SEEDS)
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


@pytest.mark.parametrize("kind", [Navigation, Pursuit, SpeakerListener, Reference])
def test_parameters_are_checked(kind):
    for name in kind.counts:
        with pytest.raises(InputError, match=name):
            kind(**{name: 0})
    with pytest.raises(InputError, match="horizon"):
        kind(horizon=-1)
    with pytest.raises(InputError, match="speeds"):
        Pursuit(prey_speed=0.0)
    with pytest.raises(InputError, match="obstacles"):
        Pursuit(obstacles=-1)


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


PLAYED = """
import sys
import numpy as np
from refmarl.envs import Navigation, Pursuit, Reference, SpeakerListener
numbers = []
for kind in (Navigation, Pursuit, Reference, SpeakerListener):
    for continuous in (False, True):
        env = kind(continuous=continuous)
        state = env.reset(np.random.default_rng(0), 3)
        state = state._replace(x=state.x * 0.3)
        for _ in range(6):
            state, step = env.step(state, env.heuristic(state))
            numbers += [state.x, *step.reward, *env.observe(state)]
np.save(sys.argv[1], np.concatenate([np.ravel(n) for n in numbers]))
"""


def test_compiled_and_plain_kernels_agree(tmp_path):
    for jit in "01":
        call = [sys.executable, "-c", PLAYED, str(tmp_path / f"{jit}.npy")]
        subprocess.run(call, check=True, env={**os.environ, "REFMARL_JIT": jit})
    plain, compiled = (np.load(tmp_path / f"{jit}.npy") for jit in "01")
    assert np.isfinite(plain).all()
    assert_allclose(compiled, plain, rtol=1e-12, atol=1e-12)


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
    assert (
        abs(np.cross(way, offset)) < 1e-12
        if False
        else abs(way[0] * offset[1] - way[1] * offset[0]) < 1e-12
    )


@given(ENVS, SEEDS)
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


@given(ENVS, SEEDS, st.booleans())
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


# Rewards


def scored(env, state):
    """Rewards where the agents are, all at rest: no moves, and the old velocity moves nobody."""
    x = state.x.copy()
    x[..., 2:], env = 0.0, replace(env, velocity_first=False)
    still = tuple(np.zeros_like(a) for a in draw(env, np.random.default_rng(0), len(x)))
    after, step = env.step(state._replace(x=x), still)
    assert_array_equal(after.x[..., :2], x[..., :2])
    return step.reward


@given(SMALL, SEEDS)
def test_covering_costs_at_most_the_best_assignment_and_nothing_on_the_landmarks(team, seed):
    env = Navigation(team=team, landmarks=team, global_weight=1.0, local_weight=0.0)
    state = crowded(env, np.random.default_rng(seed), 1)
    gap = np.linalg.norm(state.x[0, :, None, :2] - state.landmark[0], axis=-1)
    cost = gap[linear_sum_assignment(gap)].sum()
    reward = scored(env, state)[0]
    assert -cost - 1e-12 <= reward.min() == reward.max() <= -gap.min() * team + 1e-12
    x = np.zeros_like(state.x)
    x[..., :2] = state.landmark[:, ::-1]
    assert_array_equal(scored(env, state._replace(x=x))[0], 0.0)


@given(NAVIGATIONS, SEEDS, st.floats(0, 2), st.floats(0, 2))
def test_navigation_weighs_two_rewards(env, seed, shared, own):
    rng = np.random.default_rng(seed)
    state = crowded(env, rng)

    def reward(a, b, itself):
        options = {"team": env.team, "landmarks": env.landmarks, "self_collision": itself}
        return scored(Navigation(global_weight=a, local_weight=b, **options), state)[0]

    hits = -reward(0, 1, False)
    assert_allclose(
        reward(shared, own, False), shared * reward(1, 0, False) - own * hits, atol=1e-12
    )
    assert_allclose(reward(shared, own, True), reward(shared, own, False) - own, atol=1e-12)
    assert (hits.sum(axis=1) % 2 == 0).all()  # each collision has two ends
    assert ((hits >= 0) & (hits < max(env.team, 1))).all()


def test_collisions_begin_where_discs_touch():
    env = Navigation(team=3, global_weight=0.0, local_weight=1.0)
    state = env.reset(np.random.default_rng(0), 1)
    x = np.zeros((1, 3, 4))
    for gap, hits in ((0.2999, [1, 2, 1]), (0.3001, [0, 0, 0]), (0.14, [2, 2, 2])):
        x[0, :, 0] = [-gap, 0, gap]
        assert_array_equal(scored(env, state._replace(x=x))[0][0], np.negative(hits))


def test_the_original_rules():
    env = original(team=2, landmarks=4)
    assert env.velocity_first
    assert env.self_collision
    assert (env.global_weight, env.local_weight, env.sizes) == (1.0, 1.0, (2, 4, 0, 0))


@given(PURSUITS, SEEDS)
def test_inside_the_arena_prey_lose_what_each_chaser_gains(env, seed):
    state = crowded(env, np.random.default_rng(seed))
    chasers, prey = scored(env, state)
    assert (chasers == chasers[:, :1]).all()
    assert_array_equal(prey.sum(axis=1), -chasers[:, 0])
    gap = state.x[:, : env.chasers, None, :2] - state.x[:, None, env.chasers :, :2]
    touching = np.linalg.norm(gap, axis=-1) < 0.125
    assert_array_equal(chasers[:, 0], 10 * touching.sum(axis=(1, 2)))
    assert_array_equal(prey, -10 * touching.sum(axis=1))


@given(st.floats(0, 5), st.floats(0, 5))
def test_leaving_the_arena_costs_more_and_more_up_to_ten(a, b):
    a, b = sorted((a, b))
    assert outside(a) <= outside(b) <= 10.0
    assert outside(min(a, 0.8999)) == 0.0
    assert outside(1.0) == 1.0
    assert outside(np.nextafter(1.0, 0)) == pytest.approx(1.0)
    assert outside(1 + np.log(10) / 2 + 1e-9) == 10.0


def test_only_prey_pay_for_leaving_on_either_side_of_either_axis():
    env = Pursuit(chasers=1)
    state = env.reset(np.random.default_rng(0), 1)
    for place in ([0.95, 0], [-0.95, 0], [0, 0.95], [0, -0.95]):
        x = np.array([[[3.0, 3, 0, 0], [*place, 0, 0]]])
        chasers, prey = scored(env, state._replace(x=x))
        assert chasers[0, 0] == 0.0
        assert prey[0, 0] == pytest.approx(-0.5)


@given(LISTENERS, SEEDS)
def test_speaker_and_listeners_share_the_mean_squared_distance(env, seed):
    state = crowded(env, np.random.default_rng(seed))
    speaker, listeners = scored(env, state)
    assert (listeners == speaker).all()
    goal = state.landmark[np.arange(3), state.goal[:, 0]]
    spread = (state.x[..., :2] - goal[:, None]).reshape(3, -1)
    assert_allclose(speaker[:, 0] * env.listeners, -(spread**2).sum(axis=1), atol=1e-12)


@given(REFERENCES, SEEDS)
def test_ones_own_part_of_the_reward_is_about_the_one_that_one_informs(env, seed):
    rng = np.random.default_rng(seed)
    sizes = {"team": env.team, "landmarks": env.landmarks, "words": env.words}
    own = Reference(global_weight=0.0, local_weight=1.0, **sizes)
    shared = Reference(global_weight=1.0, local_weight=0.0, **sizes)
    state = crowded(own, rng)
    mine, ours, half = (scored(e, state)[0] for e in (own, shared, Reference(**sizes)))
    assert_allclose(ours, np.repeat(mine.mean(axis=1)[:, None], env.team, axis=1))
    assert_allclose(half, (mine + ours) / 2)
    x = state.x.copy()
    x[0, 0, :2] = state.landmark[0, state.goal[0, -1]]  # agent 0 to where the last one sends it
    there = scored(own, state._replace(x=x))[0]
    assert there[0, -1] == 0.0
    assert_array_equal(there[0, :-1], mine[0, :-1])


# What is seen


@given(st.one_of(NAVIGATIONS, PURSUITS), SEEDS)
def test_what_is_seen_lies_where_it_is(env, seed):
    state = crowded(env, np.random.default_rng(seed))
    movers, marks, _, _ = env.sizes
    rows = [o[:, i] for o in env.observe(state) for i in range(o.shape[1])]
    for i, row in enumerate(rows):
        velocity, here, places, rest = np.split(row, [2, 4, 4 + 2 * marks], axis=1)
        others = np.arange(movers) != i
        assert_array_equal(np.hstack([here, velocity]), state.x[:, i])
        seen = places.reshape(3, marks, 2) + here[:, None]
        assert_allclose(seen, state.landmark, atol=1e-12)
        seen = rest[:, : 2 * (movers - 1)].reshape(3, -1, 2) + here[:, None]
        assert_allclose(seen, state.x[:, others, :2], atol=1e-12)
        speeds = rest[:, 2 * (movers - 1) :]
        if isinstance(env, Pursuit):
            fleeing = others & (np.arange(movers) >= env.chasers)
            assert_array_equal(speeds.reshape(3, -1, 2), state.x[:, fleeing, 2:])
        else:
            assert not speeds.any()  # room for words


@given(st.one_of(LISTENERS, REFERENCES), SEEDS)
def test_those_who_are_told_see_landmarks_from_where_they_are_but_not_where_that_is(env, seed):
    state = crowded(env, np.random.default_rng(seed))
    obs = env.observe(state)[-1]
    marks = obs[..., 2 : 2 + 2 * env.landmarks].reshape(3, -1, env.landmarks, 2)
    assert_array_equal(obs[..., :2], state.x[..., 2:])
    assert_allclose(
        marks + state.x[:, :, None, :2], state.landmark[:, None] + 0 * marks, atol=1e-12
    )
    if isinstance(env, Reference) and env.landmarks > 1:
        colour = obs[..., 2 + 2 * env.landmarks :][..., : env.landmarks]
        assert_array_equal(colour.argmax(axis=-1), state.goal)
        assert_array_equal(np.unique(colour), [0.25, 0.75])


# Words


@given(st.one_of(LISTENERS, REFERENCES), SEEDS)
def test_words_are_heard_one_step_later_and_by_others_only(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 2)
    ring = isinstance(env, Reference)
    width = env.words * (env.team - 1 if ring else 1)
    heard = env.observe(state)[-1]
    assert (heard[..., heard.shape[-1] - width :] == 0).all()
    actions = draw(env, rng, 2)
    after, _ = env.step(state, actions)
    spoken = actions[0]
    if not env.continuous:
        spoken = np.eye(env.words)[spoken[..., 1] if ring else spoken]
    elif ring:
        spoken = spoken[..., 5:]
    assert_array_equal(after.said, spoken)
    obs = env.observe(after)[-1]
    heard = obs[..., obs.shape[-1] - width :]
    for i in range(obs.shape[1]):
        others = np.delete(spoken, i, axis=1) if ring else spoken
        assert_array_equal(heard[:, i], others.reshape(2, -1))


@given(st.one_of(LISTENERS, REFERENCES), SEEDS)
def test_only_those_who_should_see_the_goal(env, seed):
    state = env.reset(np.random.default_rng(seed), 4)
    other = state._replace(goal=(state.goal + 1) % env.landmarks)
    seen, changed = env.observe(state), env.observe(other)
    if env.landmarks > 1:
        assert (seen[0] != changed[0]).any(axis=-1).all()
    if isinstance(env, SpeakerListener):
        assert_array_equal(seen[1], changed[1])
        assert_array_equal(seen[0][:, 0].argmax(axis=-1), state.goal[:, 0])


@given(ENVS, SEEDS)
def test_the_global_state_tells_all_but_the_time(env, seed):
    state = crowded(env, np.random.default_rng(seed))
    shown = env.global_state(state)
    movers, marks, speakers, words = env.sizes
    parts = np.split(shown, np.cumsum([4 * movers, 2 * marks, speakers * marks]), axis=1)
    assert_array_equal(parts[0].reshape(state.x.shape), state.x)
    assert_array_equal(parts[1].reshape(state.landmark.shape), state.landmark)
    goals = parts[2].reshape(3, speakers, marks)
    if speakers:
        assert_array_equal(goals.argmax(axis=-1), state.goal)
    assert (goals.sum(axis=-1) == 1).all()
    assert_array_equal(parts[3].reshape(3, speakers, words), state.said)


# Policies and pictures


def final(env, policy, copies=300):
    """Mean rewards of the groups over an episode."""
    rng = np.random.default_rng(1)
    state, total = env.reset(rng, copies), 0.0
    for _ in range(env.horizon):
        state, step = env.step(state, policy(state, rng))
        total = total + np.array([r.mean() for r in step.reward])
    return total, state


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("kind", [Navigation, SpeakerListener, Reference])
def test_heuristics_beat_chance_by_far(kind, continuous):
    env = kind(continuous=continuous)
    planned, state = final(env, lambda s, rng: env.heuristic(s))
    chance, _ = final(env, lambda s, rng: draw(env, rng, 300))
    assert (planned > 0.5 * chance).all()
    if kind is not Navigation:  # whoever is told arrives
        goal = np.take_along_axis(state.landmark, state.goal[..., None], axis=1)
        told = np.roll(state.x[..., :2], -1, axis=1)
        assert np.median(np.linalg.norm(told - goal, axis=-1)) < 0.1


def test_chasers_and_prey_that_plan_do_better_than_those_that_do_not():
    env = Pursuit()

    def policy(chasers, prey):
        def act(state, rng):
            plan, chance = env.heuristic(state), draw(env, rng, 300)
            return (plan if chasers else chance)[0], (plan if prey else chance)[1]

        return final(env, act)[0]

    both, hunt, flee = policy(True, True), policy(True, False), policy(False, True)
    assert hunt[0] > 2 * both[0]
    assert both[0] > 2 * flee[0]
    assert flee[1] > both[1] > hunt[1]


@pytest.mark.parametrize("env", DEFAULTS, ids=lambda e: e.name)
def test_a_scene_shows_everything_that_moves_where_it_is(env):
    state = env.reset(np.random.default_rng(3), 2)
    state, _ = env.step(state, env.heuristic(state))
    scene = env.scene(state, 1)
    centres = {shape.centre for shape in scene.shapes if isinstance(shape, Disc)}
    here = {(float(x), float(y)) for x, y in state.x[1, :, :2]}
    marks = {(float(x), float(y)) for x, y in state.landmark[1]}
    assert centres == here | marks
    left, right, bottom, top = scene.limits
    assert all(left < x < right and bottom < y < top for x, y in centres)
    assert scene.caption == "step 1"


def test_rings_have_the_colour_of_where_one_must_go():
    env = Reference(team=3)
    state = env.reset(np.random.default_rng(0), 1)._replace(goal=np.array([[0, 1, 2]]))
    rings = [s for s in env.scene(state).shapes if isinstance(s, Disc) and not s.filled]
    assert [ring.centre for ring in rings] == [tuple(place) for place in state.x[0, :, :2].tolist()]
    assert [ring.colour for ring in rings] == [2, 0, 1]  # agent 1 must go where agent 0 knows
