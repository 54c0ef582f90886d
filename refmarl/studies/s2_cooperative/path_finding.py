r"""Path finding: plans that are the best of all, and teams that find them by learning.

Conflict-based search must cost what a search of all joint states costs, and never less than the
bounds. Learners know neither the map's plan nor each other; what they earn is compared with the
best plan, which is exact. VDN learns in the bay, where one of two must make way; in full IQL, VDN,
QMIX and MAPPO learn on two fields with ten seeds each.
"""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import InputError
from ...cooperative import iql, qmix, vdn
from ...envs.path_finding import PathFinding
from ...games.path_finding import (
    alone,
    anonymous,
    conflict_based_search,
    joint_search,
    prioritized,
    random_field,
)
from ...learner import learn
from ...policy_gradient import mappo
from ...training.evaluate import evaluate
from ..study import Outcome, Row, at_least, at_most, equal

NODES = 2000  # of a search by collisions
EVERY = 5  # iterations between two greedy episodes
VALUES: dict[str, Any] = {"epsilon_steps": 5000, "iterations": 60}
KINDS: dict[str, tuple[Any, Any]] = {
    "VDN": (vdn, vdn.Config(**VALUES)),
    "IQL": (iql, iql.Config(**VALUES)),
    "QMIX": (qmix, qmix.Config(**VALUES)),
    "MAPPO": (mappo, mappo.Config(iterations=60)),
}
LEAST = {"VDN": 10, "IQL": 9, "QMIX": 10, "MAPPO": 10}  # of ten seeds
Curve = tuple[list[int], list[float]]


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Plans on random fields, and learners on named ones."""
    count, seeds = (
        (300, rng.integers(2**31, size=10)) if full else (40, rng.integers(2**31, size=1))
    )
    rows = _plans(rng, count)
    curves: dict[str, list[Curve]] = {}
    for name in KINDS if full else ["VDN"]:
        for place in ("bay", "crossing") if full else ("bay",):
            env = PathFinding(place)
            best = float(env.ceiling(env.reset(np.random.default_rng(0), 1))[0])
            found = [learned(name, env, int(seed)) for seed in seeds]
            reached = sum(max(line) == best for _, line in found)
            says = f"{name}, {place}: seeds of {len(seeds)} that reach the best plan, {best:g}"
            rows.append(at_least(says, reached, LEAST[name] if full else 1))
            if place == "bay":
                curves[name] = found
    caption = (
        "Two walkers in the bay: what a greedy episode returns. The line is the best plan, by "
        "conflict-based search; -60 is paid by two who never arrive."
    )
    sample = f"n = {count} random fields; {len(seeds)} seeds of each learner."
    return Outcome(tuple(rows), (plots.Figure(caption, (_panel(curves),)),), sample)


def _plans(rng: np.random.Generator, count: int) -> list[Row]:
    """Two searches of each of some random fields, and what is above and below."""
    same, ordered, none, late, extra = 0, 0, 0, 0, list[float]()
    for _ in range(count):
        field = random_field(rng, 3, 4, 3, 0.2)
        listed, quick = joint_search(field), prioritized(field)
        try:
            plan = conflict_based_search(field, limit=NODES)
        except InputError:
            late += 1
            continue
        if plan is None or listed is None:
            none += plan is listed
            continue
        same += plan.cost == listed.cost
        least, labels = alone(field), anonymous(field)
        assert least is not None
        assert labels is not None
        ordered += labels <= least <= plan.cost
        if quick is not None:
            extra.append(quick.cost / plan.cost)
    done, some = count - late, count - late - none
    worst = f"prioritised plans found, {len(extra)} of {some}: mean cost, best plan 1"
    return [
        at_most(f"fields of {count} that take more than {NODES} collisions", late, 0.05 * count),
        equal("fields on which both searches cost the same, or find no plan", same + none, done),
        equal("fields with assignment ≤ shortest paths ≤ best plan", ordered, some),
        at_least(worst, float(np.mean(extra)), 1.0),
    ]


def learned(name: str, env: PathFinding, seed: int) -> Curve:
    """(steps of the environment, what a greedy episode then returned)."""
    algorithm, cfg = KINDS[name]
    steps, line = list[int](), list[float]()
    for progress, _ in learn(algorithm, env, cfg, np.random.default_rng(seed)):
        if progress.iteration % EVERY == 0:
            act = algorithm.policy(env, cfg, progress.agent, np.random.default_rng(0), greedy=True)
            played = evaluate(env, act, np.random.default_rng(0), 1)
            steps.append(progress.iteration * cfg.num_envs * cfg.num_steps)
            line.append(float(played.team[0]))
    return steps, line


def _panel(curves: dict[str, list[Curve]]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for k, (name, found) in enumerate(curves.items()):
            color, line = plots.look(k)
            mean = np.mean([returns for _, returns in found], axis=0)
            ax.plot(found[0][0], mean, color=color, linestyle=line, label=name)
        ax.axhline(-11.0, color="0.5", linewidth=0.8)
        ax.set(xlabel="steps of the environment", ylabel="greedy return", ylim=(-62, 0))

    return plots.Panel("In the bay", "From never arriving to the best plan.", draw)
