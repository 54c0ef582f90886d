"""MASAC beside independent SAC: what critics gain that are told what the others saw and did.

In the climbing game, with a temperature at which both play uniformly and no discount, what an
independent critic cannot know is what the other will do: its error falls to the variance of its pay
given its own action, which the game's table tells, and stays there. MASAC's falls to 0. Both agree
on the mean over the other's actions. In full both learn speaker-listener, where one cannot move
and the other cannot see the goal.

Axes: n seeds, T iterations.
"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...analysis.curves import curve, final, panel, series
from ...analysis.statistics import bootstrap, improvement_interval
from ...check import Array
from ...env_api import Env
from ...envs.matrix import Matrix
from ...envs.speaker_listener import SpeakerListener
from ...games.normal_form import NormalForm
from ...learner import learn
from ...policy_gradient import masac, sac
from ...training.evaluate import at_random, evaluate
from ..study import Outcome, Row, at_least, at_most, close

GAME, SEEDS = "climbing", 2
UNIFORM = sac.Config(
    gamma=0.0, lr=5e-3, tau=0.1, hidden=(32,), num_envs=8, num_steps=10, warmup=160, batch=64,
    capacity=4000, iterations=40, alpha=1000.0, tune=False,
)  # fmt: skip
TALK = sac.Config(
    gamma=0.9, lr=2e-3, tau=0.02, num_envs=16, num_steps=25, warmup=2000, capacity=50_000,
    iterations=100, alpha=0.1, alpha_lr=3e-3, choice_entropy=0.2,
)  # fmt: skip
BOTH: dict[str, ModuleType] = {"independent SAC": sac, "MASAC": masac}


class Learnt(NamedTuple):
    """Runs of one algorithm on one environment."""

    rows: list[list[dict[str, float]]]  # metrics of every iteration, for each seed

    def table(self, key: str) -> Array:
        """(n, T) of a metric, from where updates begin."""
        return np.array([[row[key] for row in rows if key in row] for rows in self.rows])


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """n runs of both in the game, in full also on speaker-listener."""
    play_rng, seed_rng = rng.spawn(2)
    seeds = [int(s) for s in seed_rng.integers(2**31, size=10 if full else SEEDS)]
    game = Matrix(game=GAME, horizon=10)
    found = {name: learnt(way, game, UNIFORM, seeds) for name, way in BOTH.items()}
    unknown = variance(game.stage)
    rows, panels = _rows(found, unknown), [_error_panel(found, unknown)]
    caption = (
        f"Error of the critics, both of a pair, in the climbing game under uniform play, n = "
        f"{len(seeds)} seeds of each; dotted, the variance of the pay given an agent's own action."
    )
    sample = f"n = {len(seeds)} seeds of each."
    if full:
        env = SpeakerListener()
        talk = {name: learnt(way, env, TALK, seeds) for name, way in BOTH.items()}
        rows += _compared(talk, at_chance(env, play_rng))
        lines = {
            name: curve([series(r, "return") for r in one.rows]) for name, one in talk.items()
        }  # fmt: skip
        panels.append(panel("Speaker and listener", lines, "mean return"))
        caption += " Right: returns on speaker-listener with 95 % bootstrap intervals."
    else:
        sample += " Ten seeds, and returns on speaker-listener, with --full."
    return Outcome(tuple(rows), (plots.Figure(caption, tuple(panels)),), sample)


def learnt(way: ModuleType, env: Env, cfg: sac.Config, seeds: list[int]) -> Learnt:
    """Train with every seed."""
    return Learnt([
        [{"steps": p.steps, "iteration": p.iteration, **metrics}
         for p, metrics in learn(way, env, cfg, np.random.default_rng(seed))]
        for seed in seeds
    ])  # fmt: skip


def variance(game: NormalForm) -> float:
    """E[Var(u_i | a_i)] under uniform play, the mean over both players.

    That is the loss of a pair of critics, ½ E[e²] each, that know the means given a_i.
    """
    own = [np.moveaxis(u, i, 0).reshape(len(np.moveaxis(u, i, 0)), -1)
           for i, u in enumerate(game.payoffs)]  # fmt: skip
    return float(np.mean([u.var(axis=1).mean() for u in own]))


def at_chance(env: Env, rng: np.random.Generator) -> float:
    """The mean return of uniform actions."""
    act_rng, env_rng = rng.spawn(2)
    return float(evaluate(env, at_random(env, act_rng), env_rng, 400).team.mean())


def _rows(found: dict[str, Learnt], unknown: float) -> list[Row]:
    last = {name: one.table("critic_loss")[:, -10:].mean() for name, one in found.items()}
    q = {name: one.table("q")[:, -10:].mean() for name, one in found.items()}
    spread = float(np.sqrt(unknown))
    return [
        close("independent critics' error over what they cannot know",
              float(last["independent SAC"]) / unknown, 1.0, 0.15),
        at_most("MASAC's error over the same", float(last["MASAC"]) / unknown, 0.1),
        close("difference of the mean values, by the pay's deviation",
              float(q["MASAC"] - q["independent SAC"]) / spread, 0.0, 0.15),
    ]  # fmt: skip


def _compared(talk: dict[str, Learnt], random: float) -> list[Row]:
    """Returns on speaker-listener: that both learn, and how they differ."""
    ends = {name: np.array([final(r, "return") for r in one.rows]) for name, one in talk.items()}
    rows = []
    for name, end in ends.items():
        low, high = bootstrap(np.random.default_rng(0), [end])[1:]
        says = (
            f"{name}, speaker-listener, n = {len(end)}: mean return, 95 % [{low:.1f}, {high:.1f}]"
        )
        rows.append(
            at_least(f"{says}, above random play's {random:.1f}", float(end.mean()) - random, 8.0)
        )
    alone, told = ends.values()
    better = improvement_interval(np.random.default_rng(0), [told], [alone])
    between = f"95 % [{better.low:.2f}, {better.high:.2f}]"
    name = (
        f"difference of the two (MASAC is better with probability {better.estimate:.2f}, {between})"
    )
    return [*rows, at_most(name, float(abs(told.mean() - alone.mean())), 1.5)]


def _error_panel(found: dict[str, Learnt], unknown: float) -> plots.Panel:
    def draw(ax: Any) -> None:
        for (name, one), (color, line) in zip(found.items(), plots.CYCLE, strict=False):
            error = one.table("critic_loss")
            ax.plot(error.T, color=color, linewidth=0.6, alpha=0.5)
            ax.plot(error.mean(axis=0), color=color, linestyle=line, label=name)
        ax.axhline(unknown, color=plots.INK, linewidth=0.9, linestyle=":", label="variance")
        ax.set(xlabel="iteration", ylabel="critics' error", yscale="log")

    alt = (
        f"Independent critics' error stays at {unknown:.4g}, the variance of the pay given one's "
        "own action; that of critics which see all falls far below it."
    )
    return plots.Panel("What a critic cannot know", alt, draw)
