"""Regret matching beside its bound, with expected and with sampled regrets."""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, nash_conv
from ...games.correlated import violation
from ...games.regret import RegretPlay, regret_matching
from ..study import Outcome, Row, at_most, equal

ACTIONS = 10


class Sampled(NamedTuple):
    """Average regrets over seeds: mean and half the width of the 95 % t-interval, each (K,)."""

    times: Array
    mean: Array
    half: Array
    seeds: int


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """A random 10 × 10 game, a zero-sum one, and sampled play over seeds."""
    game_rng, play_rng = rng.spawn(2)
    steps, seeds = (1_000_000, 100) if full else (100_000, 20)
    u = game_rng.uniform(-1, 1, (2, ACTIONS, ACTIONS))
    general = NormalForm(u, title="random 10 × 10")
    zero_sum = NormalForm.zero_sum(u[0], title="random 10 × 10, zero-sum")
    plays = {p: regret_matching(general, steps, plus=p) for p in (False, True)}
    zero = {p: regret_matching(zero_sum, steps, plus=p, linear=p) for p in (False, True)}
    sampled = _sample(general, steps // 10, play_rng, seeds)
    rows = (
        *_surely(general, plays),
        _expected(general, sampled),
        *_distances(zero_sum, zero, steps),
    )
    caption = (
        "Average regret of the player who regrets most, beside the bound Δ√(A/T): with expected "
        "regrets it holds at every T (first), with sampled actions for the mean over seeds "
        "(second; band: 95 % t-interval). Third: in a zero-sum game the averages approach "
        "equilibrium; RM+ with linear weights is faster in practice than the bound promises."
    )
    panels = (
        _bounded(general, plays), _sampled_panel(general, sampled), _zero_sum(zero_sum, zero)
    )  # fmt: skip
    sample = (
        f"One random game of {ACTIONS} actions a side, {steps:,} rounds; sampled: n = {seeds} "
        f"seeds of {steps // 10:,} rounds, mean and 95 % t-interval."
    )
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def bound(game: NormalForm, times: Any) -> Array:
    """max_i Δ_i √(A_i/T), shape (K,)."""
    ranges = [
        float(np.ptp(u)) * np.sqrt(k) for u, k in zip(game.payoffs, game.num_actions, strict=True)
    ]
    value: Array = max(ranges) / np.sqrt(times)
    return value


def _sample(game: NormalForm, steps: int, rng: np.random.Generator, seeds: int) -> Sampled:
    from scipy.special import stdtrit

    plays = [regret_matching(game, steps, rng=stream) for stream in rng.spawn(seeds)]
    worst = np.array([p.regrets.max(axis=1) for p in plays])
    error = worst.std(axis=0, ddof=1) / np.sqrt(seeds)
    half = float(stdtrit(seeds - 1, 0.975)) * error
    return Sampled(plays[0].times.astype(float), worst.mean(axis=0), half, seeds)


def _surely(game: NormalForm, plays: dict[bool, RegretPlay]) -> list[Row]:
    rows = []
    for plus, play in plays.items():
        ratio = play.regrets.max(axis=1) / bound(game, play.times)
        name = "RM+" if plus else "RM"
        rows.append(
            at_most(f"{name}: largest ratio of regret to bound, all T", float(ratio.max()), 1.0)
        )
        excess = violation(game, play.joint, coarse=True) - play.regrets[-1].max()
        title = f"{name}: mean joint play, coarse correlated up to its largest regret; excess"
        rows.append(at_most(title, float(excess), 1e-9))
    return rows


def _expected(game: NormalForm, s: Sampled) -> Row:
    ratio = (s.mean + s.half) / bound(game, s.times)
    worst = float(ratio.max())
    return at_most(f"sampled, n = {s.seeds}: upper end of the interval / bound, all T", worst, 1.0)


def _distances(game: NormalForm, plays: dict[bool, RegretPlay], steps: int) -> list[Row]:
    found = {p: float(nash_conv(game, play.averages)[-1]) for p, play in plays.items()}
    limit = 2 * float(bound(game, np.array([steps]))[0])
    return [
        at_most(
            f"zero-sum: NashConv after {steps:,} rounds ≤ sum of bounds, RM", found[False], limit
        ),
        at_most("zero-sum: the same with RM+, linear weights", found[True], limit),
        equal("zero-sum: RM+ comes closer than RM", found[True] < found[False], True),
    ]


# -------------------------------------------------------------------------------------- figures


def _limit(ax: Any, game: NormalForm, times: Any) -> None:
    ax.loglog(times, bound(game, times), color=plots.INK, linestyle=":", label="bound Δ√(A/T)")
    ax.set(xlabel="rounds T", ylabel="average regret (payoff)")


def _bounded(game: NormalForm, plays: dict[bool, RegretPlay]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for plus, (color, line) in zip((False, True), plots.CYCLE, strict=False):
            play = plays[plus]
            worst = play.regrets.max(axis=1)
            seen = worst > 0
            label = "RM+" if plus else "RM"
            ax.loglog(play.times[seen], worst[seen], color=color, linestyle=line, label=label)
        _limit(ax, game, plays[False].times)

    alt = "Average regret of RM and RM+ falling with T, everywhere below the bound."
    return plots.Panel("Expected regrets", alt, draw)


def _sampled_panel(game: NormalForm, s: Sampled) -> plots.Panel:
    def draw(ax: Any) -> None:
        low = np.maximum(s.mean - s.half, 1e-4)
        plots.band(ax, s.times, low, s.mean + s.half, plots.GREEN)
        ax.loglog(s.times, s.mean, color=plots.GREEN, linestyle="-.", label=f"mean, n = {s.seeds}")
        _limit(ax, game, s.times)

    alt = f"Mean regret of sampled play over {s.seeds} seeds, with its interval, below the bound."
    return plots.Panel("Sampled actions", alt, draw)


def _zero_sum(game: NormalForm, plays: dict[bool, RegretPlay]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for plus, (color, line) in zip((False, True), plots.CYCLE, strict=False):
            play = plays[plus]
            label = "RM+, linear" if plus else "RM"
            y = nash_conv(game, play.averages)
            ax.loglog(play.times, y, color=color, linestyle=line, label=label)
        times = plays[False].times
        ax.loglog(times, 2 * bound(game, times), color=plots.INK, linestyle=":", label="2Δ√(A/T)")
        ax.set(xlabel="rounds T", ylabel="NashConv (payoff)")

    return plots.Panel(
        "Zero-sum game", "NashConv of RM and RM+ falling with T below 2Δ√(A/T).", draw
    )
