"""Ours beside the published numbers of the classic control tasks: scripts, and random play."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...check import Array
from ...env_api import Env
from ...envs.acrobot import Acrobot
from ...envs.cartpole import CartPole
from ...envs.mountain_car import MountainCar
from ...envs.pendulum import Pendulum
from ..published import Found
from .episodes import returns

Data = dict[str, Any]
ENVS: dict[str, Env] = {env.name: env for env in (CartPole(), Pendulum(), Acrobot(), MountainCar())}


def scripted(data: Data, full: bool) -> Iterator[Found]:
    """S3.07: what a given body shows, and what it is paid, under given actions."""
    for name, script in data["scripts"].items():
        env = ENVS[name]
        state = env.reset(np.random.default_rng(0), 1)
        state = state._replace(x=np.array([script["start"]]))
        discrete = name == "cartpole"
        seen, paid, over = [], [], []
        for action in script["actions"]:
            given = np.array([[action]]) if discrete else np.array([[[float(action)]]])
            state, step = env.step(state, (given,))
            seen.append(env.observe(state)[0][0, 0])
            paid.append(float(step.reward[0][0, 0]))
            over.append(bool(step.terminated[0]))
        yield Found(f"{name}: what is seen", script["seen"], np.array(seen), data["tolerance"])
        yield Found(f"{name}: rewards", script["rewards"], np.array(paid), data["tolerance"])
        yield Found(f"{name}: terminated", script["terminated"], over)


def random_play(data: Data, full: bool) -> Iterator[Found]:
    """S3.08: the mean return under uniform actions, over ten times as many episodes in full."""
    for name, row in data["returns"].items():
        got = random_returns(ENVS[name], row["episodes"] * (10 if full else 1))
        yield Found(f"{name}, uniform actions", row["mean"], float(got.mean()), row["tolerance"])


def random_returns(env: Env, episodes: int, seed: int = 0) -> Array:
    """Returns (episodes,) of one agent that acts uniformly."""
    return returns(env, np.random.default_rng(seed), episodes)[:, 0]
