"""The certificate of every derivative in refmarl.nn: how far each is from differences.

Each function that returns a derivative meets random cases, among them one row, one unit and
saturated inputs, and is compared with differences of the function that it differentiates, in
float64. The error is |a − b| over the norm of the block, or over 10⁻³ if that is larger. Central
differences err by about 10⁻¹⁰ themselves, by more where units saturate; the complex step has no
difference to cancel and is exact to rounding. It is the judge where a function takes complex
numbers.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...nn.gradcheck import TOLERANCE, Report
from ..study import Outcome, Row, at_most, equal
from . import certificate_cases as cases

CASES = 4  # of each function
SURE = 1e-8  # of the complex step: roundings of inner products, which may cancel


class Worst(NamedTuple):
    """The largest errors of one function over its cases."""

    name: str  # module:function, below refmarl.nn
    central: float
    exact: float | None  # by the complex step, where it goes

    @property
    def judged(self) -> float:
        """The better of both witnesses."""
        return self.central if self.exact is None else self.exact


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """The worst error of each derivative."""
    count = CASES * (10 if full else 1)
    found = measure(rng, count)
    caption = (
        "The largest error of each derivative in refmarl.nn, one dot for each, by module. Left of "
        "the line at 10⁻⁶ it is certified. Rings: by the complex step, which has no error of its "
        "own, where the function takes complex numbers."
    )
    sample = f"{len(found)} derivatives, {count} random cases of each, float64."
    return Outcome(_rows(found), (plots.Figure(caption, (_panel(found),)),), sample)


def measure(rng: np.random.Generator, count: int) -> list[Worst]:
    """Of every derivative, over ``count`` cases."""
    found = []
    for name, check in cases.ALL.items():
        central = max(error(check(rng, "central")) for _ in range(count))
        exact = None
        if name.partition(":")[0] in cases.COMPLEX:
            exact = max(error(check(rng, "complex")) for _ in range(count))
        found.append(Worst(name, central, exact))
    return found


def error(report: Report) -> float:
    """The largest |a − b| / max(‖block‖, 10⁻³) of the blocks of a report."""
    return max(part.difference * TOLERANCE / part.limit for part in report.parts)


def _rows(found: list[Worst]) -> tuple[Row, ...]:
    exact = [w.exact for w in found if w.exact is not None]
    worst = max(found, key=lambda w: w.judged)
    certified = sum(w.judged <= TOLERANCE for w in found)
    middle = float(np.median([w.central for w in found]))
    return (
        equal("derivatives that are certified", certified, len(found)),
        at_most(f"largest error, of {worst.name}", worst.judged, TOLERANCE),
        at_most("median error beside central differences", middle, TOLERANCE / 100),
        at_most(f"largest error of {len(exact)} by the complex step", max(exact), SURE),
    )


def _panel(found: list[Worst]) -> plots.Panel:
    modules = list(dict.fromkeys(w.name.partition(":")[0] for w in found))
    height: Callable[[Worst], int] = lambda w: modules.index(w.name.partition(":")[0])  # noqa: E731

    def dots(ax: Any, errors: Array, rows: list[int], **look: Any) -> None:
        ax.plot(np.maximum(errors, 1e-17), rows, linestyle="none", **look)

    def draw(ax: Any) -> None:
        ax.set_xscale("log")
        ax.axvline(TOLERANCE, color=plots.ORANGE, linestyle="--", label="limit")
        rows = [height(w) for w in found]
        dots(ax, np.array([w.central for w in found]), rows, marker="o", color=plots.BLUE,
             markersize=4, label="central differences")  # fmt: skip
        sure = [w for w in found if w.exact is not None]
        dots(ax, np.array([w.exact for w in sure]), [height(w) for w in sure], marker="o",
             fillstyle="none", color=plots.GREEN, label="complex step")  # fmt: skip
        ax.set_yticks(range(len(modules)), modules)
        ax.invert_yaxis()
        ax.set(xlabel="largest error", xlim=(1e-18, 1e-4))

    alt = "All dots lie left of the line at 10⁻⁶, those of the complex step near 10⁻¹⁵."
    return plots.Panel("Largest errors", alt, draw, (plots.WIDTH, 5.2))
