"""A2C on CartPole to the end, with the settings that it has if nothing is said."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...envs.cartpole import CartPole
from ...learner import Progress, learn
from ...policy_gradient import a2c
from ...rng import streams
from ...training.evaluate import evaluate
from ..published import Found

Data = dict[str, Any]
EVERY, EPISODES, LAST = 40, 20, 100  # iterations; episodes of an evaluation, and of the last one


class Trained(NamedTuple):
    """One seed."""

    first: int  # steps when the greedy policy was first at the threshold; -1: never
    final: float  # mean return of the greedy policy at the end
    steps: int  # in all
    seconds: float  # of the processor, evaluations included


def a2c_cartpole(data: Data, full: bool) -> Iterator[Found]:
    """S3.13: ten seeds in full, one otherwise."""
    count = data["seeds"] if full else 1
    runs = [trained(seed, data["threshold"]) for seed in range(count)]
    mean = sum(run.final for run in runs) / count
    name = f"greedy policy after {runs[0].steps:,} steps, mean of {count} seeds"
    yield Found(name, data["return"], mean, data["tolerance"])
    few = round((1.0 - data["share"]) * count)  # seeds that may miss
    above = sum(run.final >= data["threshold"] for run in runs)
    yield Found(f"seeds of {count} at {data['threshold']} or above at the end", count, above, few)
    reached = [run.first for run in runs if 0 < run.first <= data["steps"]]
    slow = f"the last after {max(reached):,}" if reached else "none"
    yield Found(f"seeds of {count} that came to it ({slow} steps)", count, len(reached), few)
    within, most = sum(r.seconds <= data["seconds"] for r in runs), max(r.seconds for r in runs)
    name = f"seeds of {count} within {data['seconds']} s of one core (longest {most:.1f} s)"
    yield Found(name, count, within, few)


def trained(seed: int, threshold: float) -> Trained:
    """Train, and evaluate every now and then on streams of their own."""
    env, cfg, begin = CartPole(), a2c.Config(), time.process_time()
    (rng,) = streams(seed, "learn")
    first, final, progress = -1, 0.0, None
    for progress, _ in learn(a2c, env, cfg, rng):
        last = progress.iteration == cfg.iterations
        if last or progress.iteration % EVERY == 0:
            final = greedy(env, cfg, progress, seed, LAST if last else EPISODES)
            first = progress.steps if first < 0 and final >= threshold else first
    steps = progress.steps if progress else 0
    return Trained(first, final, steps, time.process_time() - begin)


def greedy(env: CartPole, cfg: a2c.Config, progress: Progress, seed: int, episodes: int) -> float:
    """The mean return of the likeliest actions."""
    at = progress.iteration
    act_rng, env_rng = streams(seed, f"act at {at}", f"evaluate at {at}")
    policy = a2c.policy(env, cfg, progress.agent, act_rng, greedy=True)
    return float(evaluate(env, policy, env_rng, episodes).team.mean())
