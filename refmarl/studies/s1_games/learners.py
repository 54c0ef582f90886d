"""Learners of games whose answers are known: values, and policies that must mix.

The twins of :mod:`.twins` say whether values converge to the exact ones. Policies are harder: in
matching pennies independent Q-learners keep changing, policy hill climbing (PHC) goes round the
equilibrium, and WoLF-PHC, which learns fast only while it loses, spirals into it.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm
from ...games.markov_examples import pennies_until_equal
from ...games.minimax_q import JointQ, minimax_q
from ...games.wolf_phc import WolfConfig, learn
from ..study import Outcome, Row, at_least, at_most, equal
from .twins import GAMMA, Twin, greedy_in_pennies, half_width, twins

WOLVES = {"WoLF-PHC": (0.0002, 0.0008), "PHC": (0.0008, None)}  # δ_w, δ_l
PENNIES = NormalForm.zero_sum([[3, -1], [-1, 1 / 3]])  # both mix (1/4, 3/4), and get 0
RUNS = 20
EXPLORE = 0.05


class Trained(NamedTuple):
    """Runs of one learner on one game, as it is played: exploration belongs to it."""

    times: Array  # (K,)
    profile: tuple[Array, ...]  # (R, K, A_i)
    conv: Array  # NashConv of it, (R, K)

    def late(self) -> Array:
        """Mean NashConv of each run in the last third, (R,)."""
        third: Array = self.conv[:, -(self.conv.shape[1] // 3) :].mean(axis=1)
        return third


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Twins, a learning curve, and policies in two zero-sum games."""
    seeds, steps = (12, 400_000) if full else (10, 100_000)
    streams = rng.spawn(4)
    known = list(twins(streams[0], seeds, full))
    times, curve = _learning_curve(streams[1], seeds, 4000 if full else 400)
    trained = {name: _train(streams[2], name, steps) for name in WOLVES}
    rows = (*(_twin_row(t) for t in known), *_policy_rows(trained), *_greedy_rows(streams[3]))
    caption = (
        f"First: what learners think a game is worth, less what it is worth, as a share of the "
        f"largest payoff; mean of {seeds} seeds, with Student's 99.9 % interval. Second: the same "
        f"for minimax-Q on pennies until equal as it learns. Third: policies of one run in "
        "weighted pennies, from even ones on; the dot is the equilibrium. Fourth: their NashConv, "
        f"mean of {RUNS} runs with the same interval."
    )
    panels = (
        _twins_panel(known),
        _curve_panel(times, curve),
        _orbits_panel(trained),
        _conv_panel(trained),
    )
    sample = f"n = {seeds} seeds for values; n = {RUNS} runs of {steps:,} rounds for policies."
    return Outcome(rows, (plots.Figure(caption, panels, lead=2),), sample)


def _learning_curve(rng: np.random.Generator, seeds: int, steps: int) -> tuple[Array, Array]:
    """(times (K,), V - V* (seeds, K)) of minimax-Q."""
    game, times = pennies_until_equal(GAMMA), np.unique(np.geomspace(10, steps, 12).round())
    off = np.empty((seeds, len(times)))
    for row, stream in zip(off, rng.spawn(seeds), strict=True):
        known: JointQ | None = None
        for k, more in enumerate(np.diff(times, prepend=0.0).astype(int)):
            known = minimax_q(game, stream, int(more), known)
            row[k] = known.values[0, 0] - 1 / (2 - GAMMA)
    return times, off


def _train(rng: np.random.Generator, name: str, steps: int) -> Trained:
    """From the even policies; 1500 of them are kept."""
    win, lose = WOLVES[name]
    cfg = WolfConfig(
        steps=steps, alpha=0.02, delta_win=win, delta_lose=lose, delta_half=steps / 5,
        explore=EXPLORE,
    )  # fmt: skip
    times = np.linspace(steps / 1500, steps, 1500).round()
    play = learn(PENNIES, cfg, rng, RUNS, times)
    x, y = ((1 - EXPLORE) * p[:, :, 0] + EXPLORE / p.shape[-1] for p in play.policies)
    A = PENNIES.payoffs[0]
    return Trained(play.times.astype(float), (x, y), (y @ A.T).max(axis=-1) - (x @ A).min(axis=-1))


# ----------------------------------------------------------------------------------------- rows


def _twin_row(twin: Twin) -> Row:
    got, n = float(twin.found.mean()), len(twin.found)
    kind = "bias" if twin.bias > twin.half else f"t, n = {n}"
    ok = bool(abs(got - twin.exact) <= twin.tolerance)
    return Row(twin.name, float(twin.exact), got, ok, f"± {twin.tolerance:.2g} ({kind})")


def _policy_rows(trained: dict[str, Trained]) -> list[Row]:
    wolf, phc = (trained[name].late() for name in WOLVES)
    upper = float(wolf.mean() + half_width(wolf))
    lower = float(phc.mean() - half_width(phc))
    off = np.abs(trained["WoLF-PHC"].profile[0][:, -1].mean(axis=0) - [0.25, 0.75])
    game = "weighted pennies"
    return [
        at_most(f"{game}, WoLF-PHC: late NashConv, 99.9 % upper end", upper, 0.15),
        at_least(f"{game}, PHC: the same, lower end, to WoLF's upper", lower / upper, 3.0),
        at_most(f"{game}, WoLF-PHC: mean last policy from equilibrium", off.max(), 0.02),
    ]


def _greedy_rows(rng: np.random.Generator) -> list[Row]:
    conv, moving = greedy_in_pennies(rng, 100)
    return [
        equal("independent Q, matching pennies: NashConv of the greedy profiles, least", conv, 2.0),
        at_least("the same: share of 100 runs changed by 1000 more rounds", moving, 0.5),
    ]


# -------------------------------------------------------------------------------------- figures


def _twins_panel(known: list[Twin]) -> plots.Panel:
    short = [t.name.replace("three states", "3 states").replace("until equal", "") for t in known]

    def draw(ax: Any) -> None:
        height = np.arange(len(known))[::-1]
        for y, twin in zip(height, known, strict=True):
            off = (twin.found.mean() - twin.exact) / twin.size
            ax.errorbar(
                off, y, xerr=twin.half / twin.size, fmt="o", color=plots.BLUE, capsize=2.5,
                markersize=4, linewidth=1.2,
            )  # fmt: skip
        ax.axvline(0.0, color=plots.INK, linewidth=0.9)
        ax.set_yticks(height, [s.strip(" ,") for s in short], fontsize=7)
        ax.set_xlabel("share of the largest payoff", fontsize=8, loc="right")
        ax.grid(False, axis="y")

    worst = max(known, key=lambda t: abs(t.found.mean() - t.exact) / t.size)
    off = (worst.found.mean() - worst.exact) / worst.size
    alt = f"{len(known)} learners; the farthest from its exact value is {worst.name}, by {off:.1%}."
    return plots.Panel("Learnt − exact", alt, draw)


def _curve_panel(times: Array, off: Array) -> plots.Panel:
    mean, half = off.mean(axis=0), half_width(off)

    def draw(ax: Any) -> None:
        plots.band(ax, times, mean - half, mean + half, plots.BLUE)
        ax.semilogx(times, mean, color=plots.BLUE)
        ax.axhline(0.0, color=plots.INK, linewidth=0.9)
        ax.set(xlabel="transitions", ylabel="learnt value − exact value")

    alt = f"The mean goes from {mean[0]:.2g} to {mean[-1]:.2g}, n = {len(off)}."
    return plots.Panel("Minimax-Q", alt, draw)


def _orbits_panel(trained: dict[str, Trained]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for (name, found), (color, line) in zip(trained.items(), plots.CYCLE, strict=False):
            x, y = (p[0, :, 0] for p in found.profile)
            ax.plot(x, y, color=color, linestyle=line, linewidth=1.0, label=name)
        plots.mark(ax, (0.25, 0.25), pure=False)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        ax.set_xlabel("player 1: probability of action 1")
        ax.set_ylabel("player 2: the same")

    alt = "PHC goes round the equilibrium on wide orbits, WoLF-PHC spirals into it."
    return plots.Panel("Weighted pennies", alt, draw, (plots.WIDTH, 3.1))


def _conv_panel(trained: dict[str, Trained]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for (name, found), (color, line) in zip(trained.items(), plots.CYCLE, strict=False):
            conv, times = found.conv[:, 9::10], found.times[9::10] / 1000
            mean, half = conv.mean(axis=0), half_width(conv)
            plots.band(ax, times, np.maximum(mean - half, 1e-4), mean + half, color)
            ax.semilogy(times, mean, color=color, linestyle=line, label=name)
        ax.set(xlabel="rounds (thousands)", ylabel="NashConv", ylim=(0.005, 6))

    ends = ", ".join(f"{name} {found.late().mean():.2g}" for name, found in trained.items())
    return plots.Panel("Distance from equilibrium", f"In the last third: {ends}.", draw)
