"""Whole episodes of an environment: what every agent was paid."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...check import Array
from ...env_api import Actions, Env, random_actions, take

Act = Callable[[Any], Actions]


def returns(env: Env, rng: np.random.Generator, episodes: int, act: Act | None = None) -> Array:
    """Undiscounted returns (n, N) of all agents, group by group; they act uniformly without act.

    Copies that have ended are not stepped any more.
    """
    state, going = env.reset(rng, episodes), np.arange(episodes)
    total = np.zeros((episodes, len(env.agents)))
    while len(going):
        actions = random_actions(env, rng, state) if act is None else act(state)
        state, step = env.step(state, actions)
        total[going] += np.concatenate(step.reward, axis=1)
        if state.ended.any():
            on = ~state.ended
            state, going = take(state, on), going[on]
    return total
