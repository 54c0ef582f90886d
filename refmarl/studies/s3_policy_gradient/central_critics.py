"""MAPPO beside IPPO on navigation: is a critic that sees all worth anything there?

Three agents must cover three landmarks, and each sees all the others: what the global state adds
to an observation is little. Both learn with shared networks that see ids, Pop-Art, and the same
constants; what differs is what the critic sees and whose rewards it judges. On CartPole, where the
one agent sees the state, both must be the same to the bit.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...analysis import plots
from ...analysis.curves import Curve, curve, final, panel, series
from ...check import Array
from ...envs.cartpole import CartPole
from ...envs.navigation import Navigation
from ...learner import learn
from ...policy_gradient import mappo, ppo
from ...training.evaluate import at_random, evaluate
from ...training.run import Run, metrics, train
from ..study import Outcome, at_least, at_most, close

SEEDS = 2
SETTINGS: dict[str, Any] = {
    "num_envs": 32, "num_steps": 25, "epochs": 10, "lr": 1e-3, "entropy": 0.01, "gamma": 0.95,
    "ids": True, "popart": True, "iterations": 30,
}  # fmt: skip
CONFIGS: dict[str, tuple[str, Any]] = {
    "IPPO": ("ppo", ppo.Config(**SETTINGS)),
    "MAPPO": ("mappo", mappo.Config(**SETTINGS)),
}


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """n runs of both, and the reduction to one agent."""
    play_rng, base_rng = rng.spawn(2)
    seeds = [int(s) for s in base_rng.integers(2**31, size=10 if full else SEEDS)]
    with TemporaryDirectory() as folder:
        found = {name: _learnt(Path(folder), name, seeds) for name in CONFIGS}
    random = at_chance(play_rng)
    ends = {name: float(end.mean()) for name, (_, end) in found.items()}
    rows = (
        close("one agent: largest difference of parameters", apart(seeds[0]), 0.0, 0.0),
        at_least("IPPO: mean return above random play's", ends["IPPO"] - random, 2.0),
        at_least("MAPPO: mean return above random play's", ends["MAPPO"] - random, 2.0),
        at_most("difference of the two, which see nearly the same",
                abs(ends["MAPPO"] - ends["IPPO"]), 2.0),
    )  # fmt: skip
    caption = (
        f"Navigation, three agents: returns while training, n = {len(seeds)} seeds each, means and "
        f"95 % bootstrap intervals. Random play earns {random:.1f}."
    )
    drawn = panel("Navigation", {name: line for name, (line, _) in found.items()}, "mean return")
    return Outcome(rows, (plots.Figure(caption, (drawn,)),), f"n = {len(seeds)} seeds of each.")


def _learnt(folder: Path, name: str, seeds: list[int]) -> tuple[Curve, Array]:
    """(curve, mean of the last tenth of each run)."""
    algorithm, config = CONFIGS[name]
    lines, ends = [], []
    for seed in seeds:
        what = Run(algorithm=algorithm, env="navigation", seed=seed, config=config, log_every=2,
                   save_every=1000)  # fmt: skip
        train(what, folder / what.name)
        rows = metrics(folder / what.name)
        lines.append(series(rows, "return"))
        ends.append(final(rows, "return"))
    return curve(lines), np.array(ends)


def apart(seed: int) -> float:
    """The largest difference of parameters after three iterations with one agent."""
    same: dict[str, Any] = {"num_envs": 4, "num_steps": 32, "iterations": 3, "popart": True}
    thetas = []
    for algorithm in (ppo, mappo):
        *_, (last, _) = learn(
            algorithm, CartPole(), algorithm.Config(**same), np.random.default_rng(seed)
        )
        thetas.append(np.concatenate([last.agent.theta[0], last.agent.phi[0]]))
    return float(abs(thetas[0] - thetas[1]).max())


def at_chance(rng: np.random.Generator) -> float:
    """The mean return of uniform actions."""
    act_rng, env_rng = rng.spawn(2)
    env = Navigation()
    return float(evaluate(env, at_random(env, act_rng), env_rng, 400).team.mean())
