"""An environment of two groups in which everything happens: masks, deaths, ends."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from refmarl.env_api import Box, Discrete, Env, Group, Step


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray
    s: np.ndarray


@dataclass(frozen=True)
class Pair(Env):
    """Two groups: two agents of three actions, of which one may be masked, and a continuous one.

    Copy b ends after 2 + (key mod 3) steps. The second agent acts in the first step only.
    """

    name: ClassVar[str] = "pair"
    horizon: int = 5

    @cached_property
    def groups(self):
        return (
            Group("walkers", ("a", "b"), 3, Discrete(3)),
            Group("flyer", ("c",), 1, Box(-1.0, 1.0, 2)),
        )

    def restart(self, key):
        zeros = np.zeros(len(key), dtype=np.int64)
        return State(key, zeros, np.zeros(len(key), dtype=bool), zeros)

    def observe(self, state):
        near = np.stack([state.t, np.ones_like(state.t), state.key % 7], axis=-1) / 5.0
        return np.stack([near, -near], axis=1), near[:, None, :1]

    def mask(self, state):
        legal = np.ones((len(state.t), 2, 3), dtype=bool)
        legal[:, 0, 1] = state.t % 2 == 0
        return legal, None

    def alive(self, state):
        return np.stack([state.t >= 0, state.t == 0], axis=1), None

    def step(self, state, actions):
        t = state.t + 1
        over = t >= 2 + (state.key % 3).astype(np.int64)
        reward = (actions[0] == 2).astype(float), -np.square(actions[1]).sum(axis=-1)
        return State(state.key, t, over, state.s), Step(reward, over, np.zeros_like(over))


@pytest.fixture(scope="session")
def pair():
    """One of them."""
    return Pair()


@dataclass(frozen=True)
class Boxes(Pair):
    """The same with numbers as actions of both groups, and nothing masked."""

    @cached_property
    def groups(self):
        first, second = super().groups
        return first._replace(space=Box(-2.0, 2.0, 1)), second

    def mask(self, state):
        return None, None

    def step(self, state, actions):
        after, step = super().step(state, (actions[0][..., 0] > 0, actions[1]))
        return after, step._replace(reward=(-abs(actions[0][..., 0] - 1.0), step.reward[1]))


@pytest.fixture(scope="session")
def boxes():
    """One of them."""
    return Boxes()
