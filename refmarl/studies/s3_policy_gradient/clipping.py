"""How far PPO moves in one iteration: clipping at ε, and a penalty that adapts.

On CartPole, from the start of training: the share of samples whose ratio ends beyond 1 ± ε, and
KL(π_old ‖ π_θ) after all epochs, means over iterations and n seeds. Clipping bounds no distance,
but a narrower band leaves less to be gained by going far.

Axes: E values of ε, n seeds.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...envs.cartpole import CartPole
from ...learner import learn
from ...policy_gradient import ppo
from ..study import Outcome, at_least, at_most, equal

CLIPS = (0.05, 0.1, 0.2, 0.4, 10.0)  # the last as good as none
TARGET = 0.01  # KL that the penalty is to bring about
SEEDS = 2
SETTINGS: dict[str, Any] = {"epochs": 10, "lr": 1e-3, "anneal": False, "iterations": 6}


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """n runs for each ε, and n with a penalty."""
    seeds = [int(s) for s in rng.integers(2**31, size=SEEDS * (4 if full else 1))]
    found = np.array([moved(ppo.Config(**SETTINGS, clip=clip), seeds) for clip in CLIPS])
    clipped, kl = found.mean(axis=(1, 2)).T
    first = ppo.Config(**SETTINGS | {"epochs": 1, "iterations": 1}, minibatches=1)
    steady = ppo.Config(
        **SETTINGS | {"iterations": 20}, objective="kl", beta=1e-3, kl_target=TARGET
    )
    price = moved(steady, seeds)[:, 10:, 1]
    rows = (
        equal("before the first step: share that is clipped", moved(first, seeds)[..., 0].max(), 0),
        equal("KL rises with ε", bool((np.diff(kl) > 0).all()), True),
        equal("the share that is clipped falls with ε", bool((np.diff(clipped) < 0).all()), True),
        at_least("KL without a limit over KL with ε = 0.2", kl[-1] / kl[2], 5),
        at_least("penalty: median KL over the one wanted", float(np.median(price)) / TARGET, 0.5),
        at_most("penalty: median KL over the one wanted", float(np.median(price)) / TARGET, 2.0),
    )
    caption = (
        "CartPole, early in training. Left: KL of an iteration over ε. Right: the share of samples "
        f"beyond 1 ± ε. Means of {SETTINGS['iterations']} iterations and n = {len(seeds)} seeds; "
        "dots are the seeds."
    )
    panels = (
        _panel("Distance", "KL of an iteration", found[..., 1].mean(axis=2), "rises"),
        _panel("Clipped", "share beyond the band", found[..., 0].mean(axis=2), "falls"),
    )
    return Outcome(rows, (plots.Figure(caption, panels),), f"n = {len(seeds)} seeds for each ε.")


def moved(cfg: ppo.Config, seeds: Iterable[int]) -> Array:
    """(n, iterations, 2): the share that is clipped and KL, of every iteration."""
    lines = (learn(ppo, CartPole(), cfg, np.random.default_rng(seed)) for seed in seeds)
    return np.array([[(m["clipped"], m["kl"]) for _, m in line] for line in lines])


def _panel(title: str, says: str, each: Array, goes: str) -> plots.Panel:
    """``each`` (E, n) over ε."""

    def draw(ax: Any) -> None:
        at = range(len(CLIPS))
        ax.plot(at, each.mean(axis=1), color=plots.BLUE)
        for column in each.T:
            ax.plot(at, column, ".", color=plots.INK, markersize=3)
        ax.set_xticks(at, [f"{clip:g}" for clip in CLIPS])
        ax.set(xlabel="ε", ylabel=says, yscale="log")

    return plots.Panel(title, f"Over ε from 0.05 to 10, {says} {goes}.", draw)
