"""Learners without a state on climbing and penalty games: how often the best joint action is found.

The learners and what is published of them are those of S2.01: 5000 rounds, values from 0, and the
share of runs whose greedy joint action is best in the end. Two certainties stand beside them: who
learns values of joint actions centrally finds the best, and so do optimistic learners where payoffs
are certain (Lauer & Riedmiller 2000). The penalty game pays 10 if both play 1 or both 3, 2 if both
play 2, and k if one plays 1 and the other 3; how large |k| must be for each learner to fail, the
second panel shows.

Axes: K penalties.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...analysis.statistics import Interval, share_interval
from ...check import Array
from ...games import library
from ..published import PUBLISHED
from ..s1_games.published import found_best
from ..study import Outcome, Row, at_least, at_most, close, equal

GAMES = ("climbing", "penalty")
SHOWN = ("independent", "independent, Boltzmann", "hysteretic")
PENALTIES = (-3, -10, -30, -100, -300)
LEVEL = 0.95
Shares = dict[str, Interval]  # by learner


class Swept(NamedTuple):
    """The penalty game with each k."""

    penalties: tuple[int, ...]
    shares: dict[str, list[Interval]]  # by learner, (K,)


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Both games under all learners, and the penalty game with other k; in full 1000 runs."""
    data = PUBLISHED["S2.01"].data
    runs = int(data["runs"]) if full else 100
    found = {
        name: {learner: share(name, learner, runs, rng) for learner in data["learners"]}
        for name in GAMES
    }
    sweep = swept(runs, rng)
    rows = (*_published(found, data, runs), *_swept(sweep))
    caption = (
        "Share of runs whose greedy joint action is best in the end. First: the climbing game and "
        "the penalty game with k = −100, crosses published. Second: the penalty game by k. "
        f"Bars: Clopper and Pearson's 95 % interval, n = {runs} runs."
    )
    figure = plots.Figure(caption, (_games_panel(found, data), _sweep_panel(sweep)))
    return Outcome(rows, (figure,), f"n = {runs} runs of 5000 rounds for each game and learner.")


def share(name: str, learner: str, runs: int, rng: np.random.Generator, **numbers: Any) -> Interval:
    """How often one learner finds what is best in a game of the library."""
    got = found_best(library.game(name, **numbers), learner, runs, rng)
    return share_interval(round(got * runs), runs, LEVEL)


def swept(runs: int, rng: np.random.Generator) -> Swept:
    """The penalty game with every k, under the learners that are shown."""
    shares = {
        learner: [share("penalty", learner, runs, rng, k=k) for k in PENALTIES] for learner in SHOWN
    }
    return Swept(PENALTIES, shares)


# ----------------------------------------------------------------------------------------- rows


def _published(found: dict[str, Shares], data: dict[str, Any], runs: int) -> list[Row]:
    """0 and 1 exactly; others within the tolerance and 3.3 standard errors of both samples."""
    rows = []
    for name, shares in found.items():
        for learner, got in shares.items():
            p, title = data["learners"][learner][name], f"{name}, {learner}: share of runs"
            if p in (0, 1):
                rows.append(equal(title, float(got.estimate), float(p)))
            else:
                noise = 3.3 * np.sqrt(p * (1.0 - p) * (1.0 / runs + 1.0 / data["runs"]))
                rows.append(close(title, float(got.estimate), p, max(noise, data["tolerance"])))
    return rows


def _swept(sweep: Swept) -> list[Row]:
    """Small penalties hinder nobody; of large ones, who averages all news suffers first."""
    at = {k: i for i, k in enumerate(sweep.penalties)}
    plain, *others = (sweep.shares[learner] for learner in SHOWN)
    least = min(float(s[0].estimate) for s in (plain, *others))
    rows = [equal("k = −3: smallest share", least, 1.0)]
    rows.append(
        at_most("k = −30, independent: upper end of the interval", float(plain[at[-30]].high), 0.2)
    )
    for learner, shares in zip(SHOWN[1:], others, strict=True):
        title = f"k = −30, {learner}: lower end of the interval"
        rows.append(at_least(title, float(shares[at[-30]].low), 0.9))
    return rows


# -------------------------------------------------------------------------------------- figures


BARS: dict[str, Any] = {"markersize": 4, "capsize": 2, "elinewidth": 1.0}


def _bars(found: list[Interval]) -> tuple[Array, Array]:
    """(shares (K,), what lies below and above them (2, K))."""
    middle, low, high = np.array(found).T
    return middle, np.stack([middle - low, high - middle])


def _games_panel(found: dict[str, Shares], data: dict[str, Any]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for k, (name, shares) in enumerate(found.items()):
            y = np.arange(len(shares)) + 0.16 - 0.32 * k
            (middle, bars), color = _bars(list(shares.values())), plots.look(k)[0]
            ax.errorbar(middle, y, xerr=bars, fmt="os"[k], color=color, label=name, **BARS)
            wanted = [data["learners"][learner][name] for learner in shares]
            ax.plot(wanted, y, "x", color=plots.INK, markersize=5)
        names = [learner.replace(", ", ",\n") for learner in found[GAMES[0]]]
        ax.set(yticks=range(len(names)), yticklabels=names, xlim=(-0.05, 1.05), xlabel="share")
        ax.invert_yaxis()

    alt = (
        "Central and optimistic learners always find the best joint action, joint-action and "
        "plain independent learners never; hysteretic ones nine times of ten."
    )
    return plots.Panel("Two games, six learners", alt, draw)


def _sweep_panel(sweep: Swept) -> plots.Panel:
    def draw(ax: Any) -> None:
        x = -np.array(sweep.penalties, dtype=float)
        for k, (learner, found) in enumerate(sweep.shares.items()):
            (y, bars), (color, line) = _bars(found), plots.look(k)
            options = {"color": color, "linestyle": line, "label": learner, "marker": "o"}
            ax.errorbar(x * 1.06 ** (k - 1), y, bars, **options, **BARS)
        ax.set(xscale="log", xlabel="k, the penalty", ylabel="share", ylim=(-0.05, 1.08))
        ax.set_xticks(x, [f"−{-k}" for k in sweep.penalties])
        ax.minorticks_off()

    alt = "Plain learners fail from a penalty of 30 on, Boltzmann and hysteretic ones later."
    return plots.Panel("The penalty game by k", alt, draw)
