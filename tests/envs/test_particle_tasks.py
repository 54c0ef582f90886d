"""The tasks of the particle worlds: rewards, what is seen and said, policies, pictures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment

from refmarl.env_api import Disc
from refmarl.envs import Navigation, Pursuit, Reference, SpeakerListener
from refmarl.envs.navigation import original
from refmarl.envs.pursuit import outside
from refmarl.testing.particles import (
    LISTENERS,
    NAVIGATIONS,
    PURSUITS,
    REFERENCES,
    SEEDS,
    SMALL,
    WORLDS,
    crowded,
    draw,
)

DEFAULTS = [Navigation(), Pursuit(), SpeakerListener(), Reference()]


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


@given(WORLDS, SEEDS)
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
