"""Learning curves of a few runs: their middle, an interval, and the runs themselves.

A series is one quantity of one run, (x, y), at increasing x, environment steps for instance.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..check import Array, InputError
from . import statistics
from .plots import Panel, band, legend, look, margin
from .statistics import STATISTICS, Interval

INTERVALS = ("bootstrap", "t")
RESAMPLES = 500
WIDTH, AXES, LINE = 4.6, 3.2, 0.19  # inches: of a panel; its height without legend; a line of it
BANDS = {"bootstrap": "bands: 95 % bootstrap", "t": "bands: 95 % Student's t"}


class Series(NamedTuple):
    """One run."""

    x: Array  # (T,), increasing
    y: Array  # (T,)


class Curve(NamedTuple):
    """n runs on common points."""

    x: Array  # (T,)
    runs: Array  # (n, T)
    middle: Interval | None  # (T,) each; of one run there is no interval
    interval: str = ""  # one of INTERVALS, if there is one


def series(rows: Sequence[dict[str, float]], metric: str, x: str = "steps") -> Series:
    """A run's metric where it was measured.

    Raises
    ------
    InputError
        If it never was.
    """
    kept = [row for row in rows if metric in row]
    if not kept:
        there = sorted({key for row in rows for key in row} - {"iteration", "steps"})
        raise InputError(f"no {metric!r} was measured; there are {', '.join(there) or 'none yet'}")
    return Series(*(np.array([row[key] for row in kept], dtype=float) for key in (x, metric)))


def final(rows: Sequence[dict[str, float]], metric: str, part: float = 0.1) -> float:
    """A run's score: the mean of the metric over the last ``part`` of its iterations.

    Where it was not measured there, its last value.
    """
    found = series(rows, metric, "iteration")
    late = found.x > (1.0 - part) * rows[-1]["iteration"]
    return float(found.y[late].mean() if late.any() else found.y[-1])


def smooth(one: Series, width: int) -> Series:
    """Each point the mean of itself and the up to ``width`` - 1 before it: no look ahead."""
    total = np.concatenate([[0.0], np.cumsum(one.y)])
    last = np.arange(1, len(one.y) + 1)
    first = np.maximum(last - width, 0)
    return Series(one.x, (total[last] - total[first]) / (last - first))


def align(runs: Sequence[Series]) -> tuple[Array, Array]:
    """(x (T,), y (n, T)): every run's latest value at every x of any, where all have one.

    From where the last of them began to where the first of them ended.
    """
    begin, end = max(run.x[0] for run in runs), min(run.x[-1] for run in runs)
    x = np.unique(np.concatenate([run.x for run in runs]))
    x = x[(x >= begin) & (x <= end)]
    if len(x) == 0:
        raise InputError("these runs have no points in common; train the shorter ones further")
    y = [run.y[np.searchsorted(run.x, x, side="right") - 1] for run in runs]
    return x, np.stack(y)


def curve(
    runs: Sequence[Series],
    statistic: str = "mean",
    interval: str = "bootstrap",
    rng: np.random.Generator | None = None,
) -> Curve:
    """Runs on common points, with a 95 % interval at every point if there are two or more.

    Raises
    ------
    InputError
        If there is no such statistic or interval, or Student's is asked for another than the mean.
    """
    if statistic not in STATISTICS or interval not in INTERVALS:
        need = f"{', '.join(STATISTICS)}; {', '.join(INTERVALS)}"
        raise InputError(f"need one of each: {need}; got {statistic!r}, {interval!r}")
    if interval == "t" and statistic != "mean":
        raise InputError(f"Student's interval is one of the mean, not of the {statistic}")
    x, y = align(runs)
    if len(y) == 1:
        return Curve(x, y, None)
    if interval == "t":
        return Curve(x, y, statistics.t_interval(y), interval)
    rng = rng or np.random.default_rng(0)
    found = statistics.bootstrap(rng, [y], STATISTICS[statistic], resamples=RESAMPLES)
    return Curve(x, y, found, interval)


def panel(title: str, curves: dict[str, Curve], y_label: str, x_label: str = "steps") -> Panel:
    """Curves of one environment under their labels; each run is a thin line behind.

    Wide enough to be read on a telephone, and higher the more curves there are.
    """

    names = [f"{label} (n = {len(found.runs)})" for label, found in curves.items()]

    def draw(ax: Any) -> None:
        for k, (says, found) in enumerate(zip(names, curves.values(), strict=True)):
            color, dashes = look(k)
            middle = found.runs[0] if found.middle is None else found.middle.estimate
            if found.middle is not None:
                band(ax, found.x, found.middle.low, found.middle.high, color)
                for run in found.runs:
                    ax.plot(found.x, run, color=color, linewidth=0.5, alpha=0.35)
            ax.plot(found.x, middle, color=color, linestyle=dashes, label=says)
        ax.set_xlabel(x_label)
        ax.set_ylabel(y_label)
        ax.set_xlim(left=0)
        margin(ax, ", ".join(sorted({BANDS[c.interval] for c in curves.values() if c.interval})))
        ax.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=True)

    ends = [
        f"{label} ends at {_last(found):.4g} (n = {len(found.runs)})"
        for label, found in curves.items()
    ]
    told, columns = legend(names, WIDTH)
    size = (WIDTH, AXES + LINE * sum(1 + name.count("\n") for name in told) / columns)
    return Panel(title, f"{y_label} over {x_label}: {'; '.join(ends)}.", draw, size)


def _last(found: Curve) -> float:
    return float(found.runs[0, -1] if found.middle is None else found.middle.estimate[-1])
