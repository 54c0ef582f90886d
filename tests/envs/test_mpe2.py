"""Step by step what MPE2 does, where it is installed (``pip install mpe2``)."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from refmarl.envs import Navigation, Pursuit, Reference, SpeakerListener

pytest.importorskip("mpe2")

from mpe2 import (
    simple_reference_v3,
    simple_speaker_listener_v4,
    simple_spread_v3,
    simple_tag_v3,
)

STEPS = 25
CASES = [
    (Navigation(), simple_spread_v3, {}),
    (Navigation(continuous=True), simple_spread_v3, {}),
    (
        Navigation(team=5, landmarks=5, global_weight=0.8, local_weight=0.2),
        simple_spread_v3,
        {"N": 5, "local_ratio": 0.2},
    ),
    (Pursuit(), simple_tag_v3, {}),
    (Pursuit(continuous=True), simple_tag_v3, {}),
    (
        Pursuit(chasers=4, prey=3, obstacles=3),
        simple_tag_v3,
        {"num_adversaries": 4, "num_good": 3, "num_obstacles": 3},
    ),
    (SpeakerListener(), simple_speaker_listener_v4, {}),
    (SpeakerListener(continuous=True), simple_speaker_listener_v4, {}),
    (Reference(), simple_reference_v3, {}),
    (Reference(continuous=True), simple_reference_v3, {}),
    (
        Reference(global_weight=0.75, local_weight=0.25),
        simple_reference_v3,
        {"local_ratio": 0.25},
    ),
]


def put_there(env, state, theirs):
    """Their world at copy 0 of ours."""
    world = theirs.unwrapped.world
    movers = [agent for agent in world.agents if agent.movable]
    for agent, (x, y, vx, vy) in zip(movers, state.x[0], strict=True):
        agent.state.p_pos, agent.state.p_vel = np.array([x, y]), np.array([vx, vy])
    for mark, place in zip(world.landmarks, state.landmark[0], strict=True):
        mark.state.p_pos = place.copy()
    for speaker, goal in zip(world.agents, state.goal[0], strict=False):
        speaker.goal_b = world.landmarks[goal]
    return movers


def their_action(env, group, action):
    """One agent's action as they number it."""
    if env.continuous:
        return action.astype(np.float64)
    if isinstance(env, Reference):
        return int(action[0] + 5 * action[1])
    return int(action)


def draw(env, rng):
    """Random actions of one copy."""
    chosen = []
    for group in env.groups:
        lead = (1, len(group.agents))
        if env.continuous:
            chosen.append(rng.random((*lead, group.space.size)).astype(np.float32).astype(float))
        elif isinstance(env, Reference):
            chosen.append(rng.integers(0, group.space.sizes, (*lead, 2)))
        else:
            chosen.append(rng.integers(0, group.space.n, lead))
    return tuple(chosen)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("env", "module", "options"), CASES, ids=[f"{e.name}-{i}" for i, (e, *_) in enumerate(CASES)]
)
@pytest.mark.parametrize("seed", range(4))
def test_positions_rewards_and_observations_are_theirs(env, module, options, seed):
    rng = np.random.default_rng(seed)
    theirs = module.parallel_env(max_cycles=STEPS, continuous_actions=env.continuous, **options)
    theirs.reset(seed=seed)
    state = env.reset(rng, 1)
    x = state.x.copy()
    x[..., :2] *= 0.3 if seed % 2 else 1.0  # crowded, so that they touch
    state = state._replace(x=x)
    movers = put_there(env, state, theirs)
    names = theirs.possible_agents
    for t in range(STEPS):
        actions = env.heuristic(state) if seed == 3 else draw(env, rng)
        flat = [
            their_action(env, g, a)
            for g, group in zip(env.groups, actions, strict=True)
            for a in group[0]
        ]
        obs, reward, _, truncated, _ = theirs.step(dict(zip(names, flat, strict=True)))
        state, step = env.step(state, actions)
        place = np.array([[*m.state.p_pos, *m.state.p_vel] for m in movers])
        assert_allclose(state.x[0], place, rtol=0, atol=1e-9)
        ours = np.concatenate(step.reward, axis=1)[0]
        assert_allclose(ours, [reward[name] for name in names], rtol=0, atol=1e-9)
        seen = [row for group in env.observe(state) for row in group[0]]
        for name, row in zip(names, seen, strict=True):
            assert_allclose(row, obs[name], rtol=1e-6, atol=1e-6)  # theirs are float32
        assert step.truncated[0] == truncated[names[0]] == (t == STEPS - 1)
