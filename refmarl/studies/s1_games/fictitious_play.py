"""Fictitious play: convergence in zero-sum games, an endless cycle on Shapley's game."""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, library, nash_conv
from ...games.fictitious import Play, fictitious_play
from ..study import Outcome, Row, at_least, at_most, close, equal

SHAPLEY = library.game("shapley")
PENNIES = library.game("matching-pennies")
RPS = library.game("rock-paper-scissors")
COORDINATION = library.game("coordination")
FIRST_RUNS = [1, 2, 4, 7, 11, 17, 26, 39, 58, 86]
RATIO = float(np.roots([1.0, -1.0, 0.0, -1.0])[0].real)  # x³ = x² + 1: 1.46557


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Shapley's game beside three where the averages converge."""
    steps = 20_000_000 if full else 1_000_000
    cycle = fictitious_play(SHAPLEY, steps, start=(0, 0))
    zero_sum = {g: fictitious_play(g, steps, start=(0, 0)) for g in (PENNIES, RPS)}
    common = fictitious_play(COORDINATION, 1000, start=(0, 1))
    rows = (*_cycling(cycle), *_converging(zero_sum, steps), *_meeting(common))
    caption = (
        "First: how far the averages are from equilibrium after t plays. In zero-sum games the "
        "distance falls about like 1/√t, on Shapley's game it does not fall. Second: there the "
        "same six joint actions come round in turn, each time 1.46557 times as long. Third: the "
        "averages of player 1 run round a triangle and never towards the equilibrium (open dot)."
    )
    panels = (_distances(cycle, zero_sum), _lengths(cycle), _orbit(steps))
    sample = f"{steps:,} plays each, ties to the lowest index; no random numbers."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def limit_at_run_ends(ratio: float) -> float:
    """NashConv of the averages at the ends of long runs, if run lengths grow by ``ratio``.

    Runs visit (1,1), (1,2), (2,2), (2,3), (3,3), (3,1). Counted back from the last, run k makes
    up the share (1 - 1/ratio) ratio^-k of all plays, so the averages follow from the ratio alone.
    """
    share = (1 - 1 / ratio) * ratio ** -np.arange(600.0)
    visited = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)]
    x, y = np.zeros(3), np.zeros(3)
    for k, weight in enumerate(share):
        a, b = visited[-1 - k % 6]
        x[a] += weight
        y[b] += weight
    return float(nash_conv(SHAPLEY, (x / x.sum(), y / y.sum())))


def _cycling(play: Play) -> list[Row]:
    lengths = play.run_lengths[:-1]  # the last one is cut off
    ends = np.cumsum(lengths)[8:]
    at_ends = fictitious_play(SHAPLEY, int(ends[-1]), start=(0, 0), times=ends.tolist())
    distance = nash_conv(SHAPLEY, at_ends.averages)
    growth = float(lengths[-1] / lengths[-2])
    plays = play.run_profiles
    paid = SHAPLEY.payoffs[:, plays[:, 0], plays[:, 1]].sum(axis=0) @ play.run_lengths
    late = nash_conv(SHAPLEY, play.averages)[play.times > 1000]
    return [
        equal("Shapley's game: lengths of the first ten runs", lengths[:10].tolist(), FIRST_RUNS),
        close("ratio of the last two runs: root of x³ = x² + 1", growth, RATIO, 1e-3),
        close(
            "NashConv at the end of the last run: geometric series",
            float(distance[-1]), limit_at_run_ends(RATIO), 1e-3,
        ),
        at_least("smallest NashConv after 1000 plays", float(late.min()), 0.27),
        close(
            "payoffs of both together, mean (Nash: 2/3)",
            float(paid / play.run_lengths.sum()), 1.0, 1e-9,
        ),
    ]  # fmt: skip


def _converging(plays: dict[NormalForm, Play], steps: int) -> list[Row]:
    rows = []
    for game, play in plays.items():
        distance = nash_conv(game, play.averages)
        title = f"{game.title}: NashConv after {steps:,} plays"
        rows.append(at_most(title, float(distance[-1]), 10 / np.sqrt(steps)))
        late = play.times >= 100
        slope = float(np.polyfit(np.log(play.times[late]), np.log(distance[late]), 1)[0])
        rows.append(close(f"{game.title}: slope on the log-log plot", slope, -0.5, 0.1))
    return rows


def _meeting(play: Play) -> list[Row]:
    found = nash_conv(COORDINATION, play.averages)[-1]
    return [at_most("coordination from a mismatch: NashConv after 1000 plays", float(found), 0.05)]


# -------------------------------------------------------------------------------------- figures


def _distances(cycle: Play, zero_sum: dict[NormalForm, Play]) -> plots.Panel:
    def draw(ax: Any) -> None:
        series = [(SHAPLEY, cycle), *zero_sum.items()]
        for (game, play), (color, line) in zip(series, plots.CYCLE, strict=False):
            y = nash_conv(game, play.averages)
            ax.loglog(play.times, y, color=color, linestyle=line, label=game.title)
        t = np.array([1.0, cycle.times[-1]])
        ax.loglog(t, t**-0.5, color=plots.MUTED, linestyle=":", linewidth=1.2, label="1/√t")
        ax.set(xlabel="plays t", ylabel="NashConv (payoff)")

    alt = "NashConv against plays, both logarithmic: level for Shapley's game, falling like 1/√t."
    return plots.Panel("Distance from equilibrium", alt, draw)


def _lengths(play: Play) -> plots.Panel:
    lengths = play.run_lengths[:-1]
    k = np.arange(1, len(lengths) + 1)

    def draw(ax: Any) -> None:
        ax.semilogy(k, lengths, "o", color=plots.BLUE, markersize=4.5, label="measured")
        ax.semilogy(
            k, lengths[-1] * RATIO ** (k - k[-1]), "--", color=plots.ORANGE, label="1.46557ᵏ"
        )
        ax.set(xlabel="run number k", ylabel="length of the run (plays)")

    alt = f"Lengths of {len(k)} runs on Shapley's game on a straight line of slope log 1.46557."
    return plots.Panel("Shapley's game: runs", alt, draw)


def _orbit(steps: int) -> plots.Panel:
    times = np.unique(np.geomspace(20, steps, 4000).astype(int))
    path: Array = fictitious_play(SHAPLEY, steps, start=(0, 0), times=times.tolist()).averages[0]

    def draw(ax: Any) -> None:
        plots.triangle(ax, ("action 1", "action 2", "action 3"))
        plane = plots.on_triangle(path)
        ax.plot(plane[:, 0], plane[:, 1], color=plots.BLUE, linewidth=1.3)
        for where in (0.9, 0.935, 0.97):
            plots.arrow(ax, plane, where, plots.BLUE)
        plots.mark(ax, plots.on_triangle(np.full(3, 1 / 3)), pure=False)

    alt = "Player 1's averages on the triangle: they settle on a smaller triangle round the centre."
    return plots.Panel("Shapley's game: averages", alt, draw)
