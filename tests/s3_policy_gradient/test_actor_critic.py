"""Actors for every space of actions, and masks on their way through acting and learning."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import Box, Discrete, Env, Group, MultiDiscrete, Step
from refmarl.policy_gradient import a2c, actor_critic
from refmarl.rollout import begin, collect


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray


class Levers(Env):
    """Two agents with levers of 2 and 3 positions; position 0 of the second is forbidden.

    The reward of an agent is 1 if its levers stand at (1, 2), ½ if one of them does.
    """

    name = "levers"
    horizon = 1

    @cached_property
    def groups(self):
        return (Group("pullers", ("a", "b"), 1, MultiDiscrete((2, 3))),)

    def restart(self, key):
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool))

    def observe(self, state):
        return (np.ones((len(state.key), 2, 1)),)

    def mask(self, state):
        legal = np.array([True, True, False, True, True])
        return (np.broadcast_to(legal, (len(state.key), 2, 5)),)

    def step(self, state, actions):
        right = (actions[0] == [1, 2]).mean(axis=-1)
        assert (actions[0][..., 1] > 0).all()
        ended = np.ones(len(state.key), bool)
        return state._replace(t=state.t + 1, ended=ended), Step((right,), ended, ~ended)


@pytest.mark.parametrize(
    ("space", "kind", "outputs"),
    [
        (Discrete(4), "categorical", 4),
        (MultiDiscrete((2, 3)), "multi-discrete", 5),
        (Box(-1.0, 1.0, 3), "gaussian", 3),
    ],
)
def test_every_space_has_its_distribution(space, kind, outputs):
    policy = actor_critic.actor(Group("g", ("a",), 2, space), (8,))
    assert (policy.kind, policy.net.sizes) == (kind, (2, 8, outputs))


def test_an_unknown_space_is_refused():
    with pytest.raises(InputError, match="g: no policy for actions of"):
        actor_critic.actor(Group("g", ("a",), 2, "a space"), (8,))


@pytest.mark.parametrize("share", [True, False])
def test_masked_sets_of_actions_are_learnt(share):
    env = Levers()
    cfg = a2c.Config(hidden=(8,), num_envs=32, lr=0.05, entropy=0.01, iterations=150, share=share)
    progress = a2c.start(env, cfg, np.random.default_rng(0))
    entropies = []
    for _ in range(cfg.iterations):
        progress, metrics = a2c.iterate(env, cfg, progress)
        entropies.append(metrics["entropy"])
    assert_allclose(entropies[0], 2 * np.log(2.0), atol=0.02)  # two choices each: masks count
    assert metrics["return"] > 0.95  # optimum is 1
    assert np.isfinite(progress.agent.theta[0]).all()


def test_log_probabilities_of_acting_are_those_of_the_masked_policy():
    env, cfg = Levers(), a2c.Config(hidden=(8,), dtype="float64")
    agent = a2c.start(env, cfg, np.random.default_rng(1)).agent
    act = a2c.policy(env, cfg, agent, np.random.default_rng(2))
    _, batch = collect(env, act, begin(env, np.random.default_rng(3), 6), 4)
    assert batch.action[0].shape == (4, 6, 2, 2)
    assert batch.mask[0].shape == (4, 6, 2, 5)
    net = actor_critic.actor(env.groups[0], cfg.hidden)
    params, _ = net.forward(agent.theta[0], batch.obs[0][:-1])
    again = net.head.log_prob(params, batch.action[0], batch.mask[0])
    assert_allclose(batch.log_prob[0], again, atol=1e-12)


def test_a_greedy_agent_takes_no_illegal_action():
    env, cfg = Levers(), a2c.Config(hidden=())
    agent = a2c.start(env, cfg, np.random.default_rng(1)).agent
    theta = np.array([0.0, 1.0, 9.0, 1.0, 0.0, *np.zeros(5)], np.float32)  # prefers position 0
    act = a2c.policy(env, cfg, agent._replace(theta=(theta,)), np.random.default_rng(2), True)
    state = env.reset(np.random.default_rng(0), 3)
    found = act(env.observe(state), env.mask(state), ())
    assert_array_equal(found.action[0], np.broadcast_to([1, 1], (3, 2, 2)))
