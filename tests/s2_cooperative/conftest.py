"""Environments in which everything happens: section 3's, and a team of choices alone."""

from dataclasses import dataclass
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from refmarl.env_api import Discrete, Env, Group, Step

SPEC = spec_from_file_location(
    "pair_env", Path(__file__).parents[1] / "s3_policy_gradient" / "conftest.py"
)
ENV = module_from_spec(SPEC)
SPEC.loader.exec_module(ENV)
pair = ENV.pair


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray


@dataclass(frozen=True)
class Team(Env):
    """Two agents of three actions, of which one may be illegal, and a third with two.

    Copy b ends after 2 + (key mod 3) steps, by the clock where key mod 3 is 2. The second agent
    acts in the first step only.
    """

    name: ClassVar[str] = "team"
    horizon: int = 4

    @cached_property
    def groups(self):
        return Group("a", ("a1", "a2"), 3, Discrete(3)), Group("b", ("b1",), 2, Discrete(2))

    def restart(self, key):
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool))

    def observe(self, state):
        near = np.stack([state.t, np.ones_like(state.t), state.key % 7], axis=-1) / 5.0
        return np.stack([near, -near], axis=1), near[:, None, :2]

    def mask(self, state):
        legal = np.ones((len(state.t), 2, 3), dtype=bool)
        legal[:, 0, 1] = state.t % 2 == 0
        return legal, None

    def alive(self, state):
        return np.stack([state.t >= 0, state.t == 0], axis=1), None

    def step(self, state, actions):
        t, kind = state.t + 1, (state.key % 3).astype(np.int64)
        over = t >= 2 + kind
        reward = (actions[0] == 2) + 0.5 * (actions[1] == 1), 1.0 * (actions[1] == 0)
        after = State(state.key, t, over)
        return after, Step(reward, over & (kind < 2), over & (kind == 2))


@pytest.fixture(scope="session")
def team():
    """One of them."""
    return Team()
