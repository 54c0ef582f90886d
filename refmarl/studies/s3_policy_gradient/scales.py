"""Targets of any size: what keeps predictions, and what keeps digits.

Pop-Art rewrites the last layer whenever the statistics of the targets move, so that no prediction
changes; the same without rewriting shifts them all. Running moments are merged from the parts, in
any order and however the data were cut, and stay exact where the mean is large: E[x²] − E[x]²
cancels as many digits as the square of mean / deviation has.

Axes: K updates, O outputs, F features.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...nn import MLP, normalise, popart
from ..study import Outcome, Row, at_least, at_most

SIZES = 10.0 ** np.array([0, 1, 3, 3, 0, -2, -2, 2, 5, 5])  # of the targets, at each update
OFFSETS = 10.0 ** np.arange(0, 9)  # mean / deviation of the data
ROUNDING = 1e-12  # relative: a few thousand times that of one operation


class Kept(NamedTuple):
    """How far predictions moved at each update (K,), of their size or that of the new targets."""

    rewritten: Array
    left: Array  # without rewriting the last layer


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Predictions over jumping scales; variances of data far from 0."""
    kept, digits = predictions(rng), variances(rng, 100_000 if full else 10_000)
    caption = (
        "Left: how much predictions change when the scale of the targets moves (by up to five "
        "orders of magnitude), with the last layer rewritten and without. Right: the error of a "
        "variance from data in pieces, whose mean is so many times their deviation; merged, and "
        "as E[x²] − E[x]² of running sums."
    )
    sample = f"A 3-16-2 network, {len(SIZES)} updates, 256 inputs; data in 50 pieces of any length."
    panels = (_kept_panel(kept), _digits_panel(digits))
    return Outcome(_rows(rng, kept, digits), (plots.Figure(caption, panels),), sample)


def predictions(rng: np.random.Generator) -> Kept:
    """Of a network whose targets jump in size."""
    net = MLP((3, 16, 2))
    theta, x, scale = net.init(rng), rng.standard_normal((256, 3)), popart.begin((2,))
    moved = np.empty((2, len(SIZES)))
    for k, size in enumerate(SIZES):
        targets = size * rng.normal(2.0, 1.0, (64, 2))
        new = popart.track(scale, targets, 0.3)
        before = popart.denormalise(scale, net.forward(theta, x)[0])
        unit = max(abs(before).max(), abs(new.mean).max(), new.std.max())
        rewritten = popart.preserve(net, theta, scale, new)
        for way, parameters in enumerate((rewritten, theta)):
            after = popart.denormalise(new, net.forward(parameters, x)[0])
            moved[way, k] = abs(after - before).max() / unit
        theta, scale = rewritten, new
    return Kept(*moved)


def variances(rng: np.random.Generator, count: int) -> Array:
    """Relative errors (2, offsets): merged, and from sums of x and x²."""
    found = np.empty((2, len(OFFSETS)))
    for k, offset in enumerate(OFFSETS):
        data = offset + rng.standard_normal(count)
        exact = float(np.square(np.longdouble(data) - np.longdouble(data).mean()).mean())
        total = np.zeros(2)
        seen = normalise.begin(())
        for part in pieces(rng, data):
            seen = normalise.update(seen, part)
            total += part.sum(), np.square(part).sum()
        mean, square = total / count
        for way, variance in enumerate((float(seen.variance), square - mean**2)):
            found[way, k] = abs(variance / exact - 1.0)
    return found


def pieces(rng: np.random.Generator, data: Array) -> list[Array]:
    """Cut at 49 random places; pieces may be empty."""
    cuts = np.sort(rng.integers(0, len(data), 49))
    return np.split(data, cuts)


def _merging(rng: np.random.Generator) -> float:
    """The largest relative difference of moments merged in pairs and those of all data at once."""
    data = rng.normal(100.0, 3.0, (999, 4))
    parts = [normalise.summary(part) for part in pieces(rng, data) if len(part)]
    while len(parts) > 1:  # as a tree, from both ends
        parts = [*map(normalise.merge, parts[::2], parts[1::2]), *parts[len(parts) // 2 * 2 :]]
    whole = (data.mean(axis=0), data.var(axis=0))
    pairs = zip((parts[0].mean, parts[0].variance), whole, strict=True)
    return float(max(abs(a / b - 1.0).max() for a, b in pairs))


def _rows(rng: np.random.Generator, kept: Kept, digits: Array) -> tuple[Row, ...]:
    return (
        at_most("largest change of a prediction, rewritten", float(kept.rewritten.max()), ROUNDING),
        at_least("largest change, not rewritten", float(kept.left.max()), 0.1),
        at_most("moments merged as a tree beside all at once", _merging(rng), ROUNDING),
        at_most("merged variance at mean / deviation = 10⁸", float(digits[0, -1]), 1e-6),
        at_least("E[x²] − E[x]² there", float(digits[1, -1]), 1e-2),
    )


# -- figures ----------------------------------------------------------------------------


def _kept_panel(kept: Kept) -> plots.Panel:
    def draw(ax: Any) -> None:
        step = np.arange(len(SIZES))
        pairs = ((kept.left, "last layer left"), (kept.rewritten, "rewritten"))
        for (moved, label), (color, line) in zip(pairs, plots.CYCLE, strict=False):
            y = np.maximum(moved, 1e-17)
            ax.semilogy(step, y, color=color, linestyle=line, marker="o", label=label)
        ax.set(xlabel="update", ylabel="change of predictions", ylim=(1e-18, 1e2))

    alt = "Rewritten, predictions move by rounding; left alone, they follow the targets' scale."
    return plots.Panel("Pop-Art", alt, draw)


def _digits_panel(digits: Array) -> plots.Panel:
    def draw(ax: Any) -> None:
        for error, label, (color, line) in zip(
            digits[::-1], ("E[x²] − E[x]²", "merged"), plots.CYCLE, strict=False
        ):
            y = np.maximum(error, 1e-17)
            ax.loglog(OFFSETS, y, color=color, linestyle=line, marker="o", label=label)
        ax.set(xlabel="mean / deviation", ylabel="error of the variance", ylim=(1e-18, 1e3))

    alt = "The error of the difference of squares grows with the square of the mean; merged, not."
    return plots.Panel("Running variance", alt, draw)
