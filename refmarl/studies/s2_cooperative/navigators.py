"""MADDPG beside independent DDPG on navigation, seed by seed, by the published settings.

Lowe et al. 2017: an update of 1024 rows for every hundred steps, Adam at 0.01, γ = 0.95, τ = 0.01,
25,000 episodes. What they print, quoted and not verified, is the mean distance of landmarks from
agents and the collisions a step; which sum and which mean it is, is not known here, and ours are
those of MPE2's rules. So the order is compared, not the numbers. Axes: n seeds.
"""

from collections.abc import Iterator
from functools import partial
from math import comb
from typing import Any, NamedTuple

import numpy as np

from ...analysis.statistics import Interval, bootstrap
from ...check import Array
from ...envs.navigation import Navigation
from ..published import Found
from ..study import Row, at_least, at_most
from .speaker import ALGORITHMS, collisions, greedy

Data = dict[str, Any]
SETTINGS: dict[str, Any] = {"lr": 0.01, "every": 100, "num_envs": 100}
SEEDS, ITERATIONS = 10, 250  # an iteration: an episode of each of the hundred copies
NAMES = {
    "returns": "return",
    "end": "Σ distances after the last step",
    "way": "Σ distances, mean over the steps",
    "collisions": "pairs that touch, mean over the steps",
}
CLAIMED = {"returns": 1.0, "end": -1.0, "way": -1.0}  # and which sign is better


class Led(NamedTuple):
    """Means of greedy episodes of one seed, or of each of n seeds."""

    returns: Any
    end: Any  # Σ over landmarks of the distance of the nearest agent, after the last step
    way: Any  # the same, mean over the steps
    collisions: Any  # pairs that touch, mean over the steps


def led(name: str, seed: int, iterations: int) -> Led:
    """Train an algorithm, and measure its greedy policy."""
    played = greedy(name, Navigation(), seed, iterations=iterations, **SETTINGS)
    gaps = [uncovered(state.x[..., :2], state.landmark) for state in played.states]
    hits = [collisions(state.x[..., :2]) for state in played.states]
    returns = float(played.returns.mean())
    return Led(returns, gaps[-1], float(np.mean(gaps)), float(np.mean(hits)))


def uncovered(places: Array, landmark: Array) -> float:
    """Σ_l min_i ‖x_i − l‖ of agents (E, N, 2) and landmarks (E, L, 2), mean over E."""
    gap = np.linalg.norm(places[:, :, None] - landmark[:, None], axis=-1)
    return float(gap.min(axis=1).sum(axis=1).mean())


def pairs(seeds: int, iterations: int) -> dict[str, Led]:
    """Both algorithms from the same seeds: arrays (n,)."""
    found = {}
    for name in ALGORITHMS:
        runs = [led(name, seed, iterations) for seed in range(seeds)]
        found[name] = Led(*(np.array(values) for values in zip(*runs, strict=True)))
    return found


def navigation(data: Data, full: bool) -> Iterator[Found]:
    """S2.11: in how many seeds MADDPG is ahead; ten of 25,000 episodes in full."""
    size = data["full" if full else "short"]
    found = pairs(size["seeds"], size["iterations"])
    runs = f"{100 * size['iterations']:,} episodes, n = {size['seeds']}"
    for measure in CLAIMED:
        ahead = int((better(found, measure) > 0.0).sum())
        case = f"seeds in which MADDPG is ahead: {NAMES[measure]} ({runs})"
        yield Found(case, size["seeds"], ahead, size["misses"])


def compared() -> list[Row]:
    """Medians over ten seeds, and of the seeds' differences, with 95 % bootstrap intervals."""
    found = pairs(SEEDS, ITERATIONS)
    head = f"navigation, n = {SEEDS}"
    rows = [
        told(f"{head}, {name}: {NAMES[measure]}, median", getattr(runs, measure))
        for measure in NAMES for name, runs in found.items()
    ]  # fmt: skip
    for measure in CLAIMED:
        gain = better(found, measure)
        ahead, middle = int((gain > 0.0).sum()), median(gain)
        says = f"{head}: MADDPG's lead, {NAMES[measure]}"
        rows.append(at_least(f"{says}, lower end of the median's 95 %", float(middle.low), 0.0))
        chance = at_random(ahead, SEEDS)
        rows.append(at_most(f"{says}, {ahead} seeds: by chance, as many", chance, 0.05))
    more = found["MADDPG"].collisions - found["DDPG"].collisions
    return [*rows, told(f"{head}: how much more often MADDPG's agents touch, median", more)]


def better(found: dict[str, Led], measure: str) -> Array:
    """(n,) by how much MADDPG is ahead of DDPG, seed by seed."""
    one, two = (np.asarray(getattr(found[name], measure)) for name in ("MADDPG", "DDPG"))
    return np.asarray(CLAIMED[measure] * (one - two))


def median(scores: Array) -> Interval:
    """The median of n ≥ 2 seeds with its 95 % percentile bootstrap."""
    return bootstrap(np.random.default_rng(0), [scores], partial(np.median, axis=0))


def at_random(ahead: int, seeds: int) -> float:
    """The one-sided sign test: how likely so many coins of all, or more, show heads."""
    return sum(comb(seeds, k) for k in range(ahead, seeds + 1)) / float(2**seeds)


def told(name: str, scores: Array) -> Row:
    """A median of which nothing is claimed."""
    middle = median(scores)
    says = f"{name}, 95 % [{middle.low:.3f}, {middle.high:.3f}]"
    return Row(says, "–", float(middle.estimate), True, "told")
