"""Whole episodes: memories are carried and dropped with their copies, random play is legal."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import stats

from refmarl.check import InputError
from refmarl.env_api import Box, Discrete, MultiDiscrete
from refmarl.envs.cartpole import CartPole
from refmarl.rollout import Act
from refmarl.training import evaluate as module
from refmarl.training.evaluate import at_random, evaluate, trace


def remembering(told):
    """A policy whose actions are of its memory alone: (steps so far, the first place)."""

    def act(obs, mask, memory):
        x = obs[0][:, 0, 0]
        steps, first = memory or (np.zeros(len(x), dtype=np.int64), x)
        assert len(steps) == len(x)
        told.append(len(x))
        action = ((steps // 3 + (first > 0)) % 2)[:, None]  # to and fro, one way round or the other
        return Act((action,), (np.zeros((len(x), 1)),), (steps + 1, first))

    return act


def test_a_memory_stays_with_its_copy_when_others_end():
    told = []
    found = evaluate(CartPole(), remembering(told), np.random.default_rng(0), 30)
    assert told[0] == 30
    assert told == sorted(told, reverse=True)
    assert len(set(told)) > 2  # copies did end one after the other
    assert sum(told) == found.lengths.sum()
    assert_array_equal(found.returns[:, 0], found.lengths)


def test_an_episode_of_many_is_the_episode_alone():
    """Same keys, same actions: ended neighbours change nothing."""
    many = evaluate(CartPole(), remembering([]), np.random.default_rng(1), 8)
    keys = np.random.default_rng(1).integers(2**64, size=8, dtype=np.uint64)
    for k in range(8):
        state, memory, steps = CartPole().restart(keys[k : k + 1]), (), 0
        policy = remembering([])
        while not (steps and state.ended[0]):
            act = policy(CartPole().observe(state), (None,), memory)
            (state, _), memory = CartPole().step(state, act.action), act.memory
            steps += 1
        assert steps == many.lengths[k]


def test_a_trace_has_every_state_from_the_first():
    env = CartPole()
    found = trace(env, lambda s, m: (env.heuristic(s), ()), np.random.default_rng(2), 500)
    assert [int(s.t[0]) for s in found.states] == list(range(len(found.states)))
    assert len(found.reward) == len(found.states) - 1
    assert found.states[-1].ended[0]
    cut = trace(env, lambda s, m: (env.heuristic(s), ()), np.random.default_rng(2), 5)
    assert_array_equal([s.x for s in cut.states], [s.x for s in found.states[:6]])


def test_an_episode_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_STEPS", 20)
    env = CartPole(horizon=0)

    def hold(obs, mask, memory):
        lean = obs[0][..., 2] + 0.25 * obs[0][..., 3]
        return Act(((lean > 0).astype(np.int64),), (lean,))

    with pytest.raises(InputError, match="an episode of more than 20 steps"):
        evaluate(env, hold, np.random.default_rng(0), 2)


@dataclass(frozen=True)
class Shape:
    space: object


class Spaces:
    groups = (Shape(Discrete(4)), Shape(MultiDiscrete((2, 3))), Shape(Box(-2.0, 3.0, 2)))


def test_random_play_is_uniform_over_what_is_legal():
    obs = tuple(np.zeros((6000, 1, 1)) for _ in Spaces.groups)
    mask = np.broadcast_to([True, False, True, True], (6000, 1, 4))
    policy = at_random(Spaces, np.random.default_rng(3))
    one, several, real = policy(obs, (mask, None, None), ()).action
    counts = np.bincount(one[:, 0], minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]]).pvalue > 1e-3
    for k, size in enumerate((2, 3)):
        assert stats.chisquare(np.bincount(several[:, 0, k], minlength=size)).pvalue > 1e-3
    assert real.shape == (6000, 1, 2)
    assert stats.kstest(real.ravel(), stats.uniform(-2, 5).cdf).pvalue > 1e-3
    free = policy(obs, (None, None, None), ()).action[0]
    assert stats.chisquare(np.bincount(free[:, 0], minlength=4)).pvalue > 1e-3
