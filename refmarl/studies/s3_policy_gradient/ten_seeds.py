"""PPO, TRPO and SAC over ten seeds: medians and intervals beside published numbers.

A score is the mean return of one seed's likeliest (or noiseless) actions after its last update; the
interval is the bootstrap's of the median over seeds. What is published is one run's mean and the
deviation of its episodes, which says nothing of other seeds: it is set beside ours, not compared.

Axes: n seeds.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...envs.acrobot import Acrobot
from ...envs.cartpole import CartPole
from ...envs.pendulum import Pendulum
from ..study import Outcome, Row, at_least
from . import pendulum, proximal, trpo_runs
from .spread import between, interval

SEEDS, QUICK = 10, 100  # in full; iterations of PPO otherwise
ZOO = "rl-baselines3-zoo"


class Case(NamedTuple):
    """An algorithm, an environment, and what is published."""

    name: str
    steps: str
    score: Callable[[int], float]  # of a seed
    threshold: float  # at which the task counts as solved
    published: float
    deviation: float  # of the episodes of the published run
    source: str


def _ppo_cartpole(seed: int) -> float:
    return proximal.trained(CartPole(), proximal.CARTPOLE, seed).greedy


def _ppo_acrobot(seed: int) -> float:
    return proximal.trained(Acrobot(), proximal.ACROBOT, seed).greedy


def _trpo_pendulum(seed: int) -> float:
    return trpo_runs.trained(Pendulum(), trpo_runs.PENDULUM, seed).final


def _sac_pendulum(seed: int) -> float:
    return pendulum.trained(seed, 15_000, -200.0).final


def _quick(seed: int) -> float:
    return proximal.trained(CartPole(), replace(proximal.CARTPOLE, iterations=QUICK), seed).greedy


CASES = (
    Case("PPO, CartPole", "100 k", _ppo_cartpole, 475.0, 500.0, 0.0, f"{ZOO}, 100 k steps"),
    Case("PPO, Acrobot", "299 k", _ppo_acrobot, -100.0, -73.5, 18.2, f"{ZOO}, 1 M steps"),
    Case("TRPO, Pendulum", "201 k", _trpo_pendulum, -200.0, -174.6, 127.6, f"{ZOO}, 100 k steps"),
    Case("SAC, Pendulum", "15 k", _sac_pendulum, -200.0, -157.0, 88.7, f"{ZOO}, 20 k steps"),
)
SHORT = Case("PPO, CartPole", "26 k", _quick, 100.0, 500.0, 0.0, f"{ZOO}, 100 k steps")


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """All four with ten seeds; otherwise a quarter of PPO on CartPole with two."""
    cases, count = (CASES, SEEDS) if full else ((SHORT,), 2)
    found = [np.array([case.score(seed) for seed in range(count)]) for case in cases]
    rows = [row for case, scores in zip(cases, found, strict=True) for row in _rows(case, scores)]
    caption = (
        f"Mean return of each seed's policy at the end: dots are the n = {count} seeds, the bar is "
        "their median with its 95 % bootstrap interval; dotted, what counts as solved; the "
        f"diamond, what is published ({ZOO}: one run)."
    )
    panels = tuple(_panel(case, scores) for case, scores in zip(cases, found, strict=True))
    sample = f"n = {count} seeds, 0 to {count - 1}, of each."
    if not full:
        sample += " PPO alone, a quarter of its steps; the others and ten seeds with --full."
    return Outcome(tuple(rows), (plots.Figure(caption, panels),), sample)


def _rows(case: Case, scores: Array) -> list[Row]:
    """The median with its interval beside what counts as solved, and how many seeds got there."""
    says = f"{case.name}, {case.steps} steps, n = {len(scores)}: median{between(scores)}"
    published = f"published {case.published:g} ± {case.deviation:g}, {case.source}"
    above = f"{case.name}: seeds at {case.threshold:g} or above (least {scores.min():.1f})"
    return [
        at_least(f"{says}; {published}", float(np.median(scores)), case.threshold),
        at_least(above, float((scores >= case.threshold).sum()), 0.7 * len(scores)),
    ]


def _panel(case: Case, scores: Array) -> plots.Panel:
    def draw(ax: Any) -> None:
        spots = np.linspace(-0.25, 0.25, len(scores))
        middle, low, high = interval(scores)
        ax.errorbar([0.0], [middle], [[middle - low], [high - middle]], color=plots.BLUE,
                    fmt="_", markersize=18, capsize=5, label="median, 95 %")  # fmt: skip
        ax.plot(spots, scores, "o", color=plots.INK, markersize=3, label="seeds")
        ax.plot([0.5], [case.published], "D", color=plots.ORANGE, markersize=5, label="published")
        ax.axhline(case.threshold, color=plots.INK, linewidth=0.9, linestyle=":", label="solved")
        ax.set(xlim=(-0.6, 0.8), xticks=[], ylabel="return at the end")

    alt = (
        f"{len(scores)} seeds with median {np.median(scores):.4g}, beside {case.published:g} "
        f"published and {case.threshold:g} that counts as solved."
    )
    return plots.Panel(case.name, alt, draw)
