"""Soft actor–critic on Pendulum, with the settings that it has if nothing is said."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...envs.pendulum import Pendulum
from ...learner import Progress, learn
from ...policy_gradient import sac
from ...rng import streams
from ...training.evaluate import evaluate
from ..published import Found
from .spread import between

Data = dict[str, Any]
EVERY, EPISODES = 20, 20  # iterations between evaluations, episodes of one


class Trained(NamedTuple):
    """One seed."""

    first: int  # steps when the greedy policy was first at the threshold; -1: never
    final: float  # mean return of the greedy policy at the end


def sac_pendulum(data: Data, full: bool) -> Iterator[Found]:
    """S3.11: ten seeds in full, one otherwise."""
    count = data["seeds"] if full else 1
    runs = [trained(seed, data["steps"], data["threshold"]) for seed in range(count)]
    final = [run.final for run in runs]
    mean = sum(final) / count
    name = f"greedy policy after {data['steps']:,} steps, mean of {count} seeds"
    if full:
        name += f" (median {np.median(final):.1f}{between(final)})"
    yield Found(name, data["return"], mean, data["tolerance"])
    above = sum(run.final >= data["threshold"] for run in runs)
    few = count // 3  # seeds that may miss: two of three are asked for
    yield Found(f"seeds of {count} at {data['threshold']} or above at the end", count, above, few)
    reached = sorted(run.first for run in runs if run.first > 0)
    middle = f"the middle one after {reached[len(reached) // 2]:,}" if reached else "none"
    yield Found(f"seeds of {count} that came to it ({middle} steps)", count, len(reached), few)


def trained(seed: int, steps: int, threshold: float) -> Trained:
    """Train, and evaluate every now and then on streams of their own."""
    env, cfg = Pendulum(), sac.Config()
    (rng,) = streams(seed, "learn")
    first, final = -1, 0.0
    for progress, _ in learn(sac, env, cfg, rng):
        last = progress.steps >= steps
        if last or progress.iteration % EVERY == 0:
            final = greedy(env, cfg, progress, seed)
            first = progress.steps if first < 0 and final >= threshold else first
        if last:
            break
    return Trained(first, final)


def greedy(env: Pendulum, cfg: sac.Config, progress: Progress, seed: int) -> float:
    """The mean return of actions without noise."""
    at = progress.iteration
    act_rng, env_rng = streams(seed, f"act at {at}", f"evaluate at {at}")
    policy = sac.policy(env, cfg, progress.agent, act_rng, greedy=True)
    return float(evaluate(env, policy, env_rng, EPISODES).team.mean())
