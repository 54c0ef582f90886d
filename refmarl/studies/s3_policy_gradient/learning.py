"""Learning curves of REINFORCE and A2C, and a run that is interrupted and ends in the same bits.

CartPole's curves stand beside random play and Gymnasium's threshold. The chain is small enough for
the best return of a whole episode to be computed, backwards through its table. Both are trained as
``refmarl train`` does, into folders; one run is stopped at random moments, each time continued from
its folder alone, and its checkpoint and metrics are compared with those of one that was not.

Axes: n runs that differ in their seed.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...analysis import plots
from ...analysis.curves import Curve, Series, curve, final, panel, series
from ...check import Array
from ...envs.chain import Chain
from ...games.markov import MarkovGame
from ...policy_gradient import a2c, reinforce
from ...training import checkpoint
from ...training.run import Run, metrics, read, train
from ..study import Outcome, Row, at_least, equal
from .classic_control import ENVS, random_returns

SEEDS = 5
THRESHOLD, BEST = 475.0, 500.0  # Gymnasium's, of CartPole; the longest episode
CHAIN = Chain(length=4, players=1, horizon=20)
A2C = {"cartpole": 200, "chain": 60}  # iterations
REINFORCE = {"cartpole": 30, "chain": 40}


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """n runs of both on both; and the interrupted one."""
    stop_rng, base_rng = rng.spawn(2)
    seeds = [int(s) for s in base_rng.integers(2**31, size=SEEDS * (4 if full else 1))]
    with TemporaryDirectory() as folder:
        found = {env: curves_of(Path(folder), env, seeds) for env in A2C}
        halt = interrupted(Path(folder), stop_rng, seeds[0])
    random = random_play(seeds[0])
    rows = [*_rows(found, random), *halt]
    caption = (
        f"Returns of the episodes that end while training; thin lines are the n = {len(seeds)} "
        "runs, the line is their mean, the band a 95 % bootstrap interval at each point. Left: "
        "CartPole, with the threshold of 475. Right: the chain, with the best return that any "
        "policy can expect."
    )
    sample = f"n = {len(seeds)} seeds of each algorithm on each environment."
    panels = (
        _panel("CartPole", found["cartpole"], THRESHOLD, "threshold 475"),
        _panel("Chain of 4 places", found["chain"], optimum(), "best of all policies"),
    )
    return Outcome(tuple(rows), (plots.Figure(caption, panels),), sample)


# ------------------------------------------------------------------------------------- training


def runs_of(env: str, seed: int) -> dict[str, Run]:
    """What is trained, by name."""
    options = {} if env == "cartpole" else {"length": 4, "players": 1, "horizon": 20}
    weigh = env == "chain"  # over 500 steps γ^t leaves nothing of the later ones
    configs: dict[str, tuple[str, Any]] = {
        "A2C": ("a2c", a2c.Config(iterations=A2C[env])),
        "REINFORCE": (
            "reinforce",
            reinforce.Config(iterations=REINFORCE[env], weigh=weigh, gamma=0.99),
        ),
    }
    return {
        name: Run(
            algorithm=algorithm, env=env, env_options=options, seed=seed, config=config,
            log_every=2 if name == "REINFORCE" else 10, save_every=1000,
        )
        for name, (algorithm, config) in configs.items()
    }  # fmt: skip


def curves_of(folder: Path, env: str, seeds: Sequence[int]) -> dict[str, tuple[Curve, Array]]:
    """(curve, the mean of the last tenth of each run) of each algorithm."""
    lines: dict[str, list[Series]] = {}
    ends: dict[str, list[float]] = {}
    for seed in seeds:
        for name, what in runs_of(env, seed).items():
            train(what, folder / what.name)
            rows = metrics(folder / what.name)
            lines.setdefault(name, []).append(series(rows, "return"))
            ends.setdefault(name, []).append(final(rows, "return"))
    return {name: (curve(lines[name]), np.array(ends[name])) for name in lines}


def interrupted(folder: Path, rng: np.random.Generator, seed: int) -> list[Row]:
    """One run as it is, and one that is stopped three times and continued from its folder."""
    config = a2c.Config(iterations=60, num_steps=8)
    what = Run(
        algorithm="a2c", env="cartpole", seed=seed, config=config, log_every=2, save_every=10
    )
    whole = checkpoint.digest(train(what, folder / "whole"))
    for k, after in enumerate(rng.integers(1, 9, size=3)):
        left = [int(after)]

        def stop(left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] < 1

        train(what if k == 0 else read(folder / "halved"), folder / "halved", stop=stop)
    again = checkpoint.digest(train(read(folder / "halved"), folder / "halved"))
    files = [_bytes(folder / name / "metrics.jsonl") for name in ("halved", "whole")]
    return [
        equal("stopped three times: digest of the last checkpoint", again[:16], whole[:16]),
        equal("stopped three times: digest of all metrics", *files),
    ]


def _bytes(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


# -------------------------------------------------------------------------------------- yardsticks


def optimum() -> float:
    """The best expected return of the chain's whole episode, by looking back from its end."""
    game: MarkovGame = CHAIN.twin()
    joint = game.reward[0].reshape(game.num_states, -1)
    moves = game.transition.reshape(*joint.shape, game.num_states)
    worth = np.zeros(game.num_states)
    for _ in range(CHAIN.horizon):
        worth = (joint + moves @ worth).max(axis=1)
    return float(game.initial @ worth)


def random_play(seed: int) -> float:
    """CartPole's mean return under uniform actions."""
    return float(random_returns(ENVS["cartpole"], 500, seed).mean())


def _rows(found: dict[str, dict[str, tuple[Curve, Array]]], random: float) -> list[Row]:
    rows = []
    best = optimum()
    for name, (_, ends) in found["cartpole"].items():
        says = f"{name}, CartPole, n = {len(ends)}: mean return at the end over random play's"
        rows.append(at_least(says, float(ends.mean()) / random, 5.0))
    for name, (_, ends) in found["chain"].items():
        says = f"{name}, chain, n = {len(ends)}: mean return at the end over the best possible"
        rows.append(at_least(says, float(ends.mean()) / best, 0.9))
    return rows


# -------------------------------------------------------------------------------------- figures


def _panel(
    title: str, found: dict[str, tuple[Curve, Array]], level: float, says: str
) -> plots.Panel:
    whole = panel(title, {name: drawn for name, (drawn, _) in found.items()}, "mean return")

    def draw(ax: Any) -> None:
        whole.draw(ax)
        ax.axhline(level, color=plots.INK, linewidth=0.9, linestyle=":", label=says)

    return plots.Panel(title, f"{whole.alt} A dotted line: {says}, {level:.4g}.", draw)
