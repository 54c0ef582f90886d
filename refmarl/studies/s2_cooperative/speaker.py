"""MADDPG beside independent DDPG in two worlds of particles: how far from the goal they end.

Axes: E episodes.
"""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...check import Array
from ...cooperative import ddpg, maddpg
from ...envs.navigation import RADIUS
from ...envs.particles import Particles
from ...envs.speaker_listener import SpeakerListener
from ...learner import learn
from ...rng import streams
from ..published import Found

Data = dict[str, Any]
EPISODES = 1000  # of an evaluation
ALGORITHMS: dict[str, ModuleType] = {"MADDPG": maddpg, "DDPG": ddpg}


class Played(NamedTuple):
    """Greedy episodes: every state that was seen, and what they brought."""

    states: list[Any]  # T, after each step
    returns: Array  # (E,) mean over the agents


def speaker_listener(data: Data, full: bool) -> Iterator[Found]:
    """S2.09: five seeds of 10,000 episodes in full, otherwise one of 6,000.

    The source trained for 25,000 episodes, with an update of its own kind for every hundred steps
    of a single copy; here 25 copies have one for every 25 steps together.
    """
    size = data["full" if full else "short"]
    found = {
        name: [
            distance(name, seed, size["iterations"], data["rate"]) for seed in range(size["seeds"])
        ]
        for name in ALGORITHMS
    }
    mean = {name: float(np.mean(values)) for name, values in found.items()}
    runs = f"{size['episodes']:,} episodes, mean of {size['seeds']} seeds"
    yield Found(f"MADDPG, distance at the end ({runs})", data["maddpg"], mean["MADDPG"],
                data["tolerance"])  # fmt: skip
    gap = data["ddpg"] - data["maddpg"]
    yield Found(f"how much farther independent DDPG ends ({runs})", gap,
                mean["DDPG"] - mean["MADDPG"], gap - data["least_gap"])  # fmt: skip
    nearer = sum(a < b for a, b in zip(found["MADDPG"], found["DDPG"], strict=True))
    yield Found("seeds in which MADDPG ends nearer", size["seeds"], nearer)


def distance(name: str, seed: int, iterations: int, rate: float) -> float:
    """Train, and say how far from its goal the listener ends, on average."""
    env = SpeakerListener()
    ended = greedy(name, env, seed, iterations=iterations, lr=rate).states[-1]
    goal = ended.landmark[np.arange(EPISODES), ended.goal[:, 0]]
    return float(np.linalg.norm(ended.x[:, 0, :2] - goal, axis=-1).mean())


def collisions(places: Array) -> float:
    """Pairs of agents (E, N, 2) that touch, on average."""
    apart = np.linalg.norm(places[:, :, None] - places[:, None], axis=-1)
    first, second = np.triu_indices(places.shape[1], 1)
    return float((apart[:, first, second] < 2.0 * RADIUS).sum(axis=1).mean())


def greedy(name: str, env: Particles, seed: int, **options: Any) -> Played:
    """Train with these options; then whole episodes without noise, on streams of their own."""
    algorithm = ALGORITHMS[name]
    cfg = algorithm.Config(**options)
    learn_rng, act_rng, env_rng = streams(seed, "learn", "act", "evaluate")
    *_, (progress, _) = learn(algorithm, env, cfg, learn_rng)
    act = algorithm.policy(env, cfg, progress.agent, act_rng, greedy=True)
    state, states, total = env.reset(env_rng, EPISODES), [], np.zeros(EPISODES)
    for _ in range(env.horizon):
        state, step = env.step(state, act(env.observe(state), env.mask(state), ()).action)
        states.append(state)
        total += np.concatenate(step.reward, axis=1).mean(axis=1)
    return Played(states, total)
