"""What a study is: a question, what theory or a publication expects, and what comes out.

A study's module has one function ``run(rng, full) -> Outcome``. It is handed its own stream of
random numbers, which depends on the seed and on the study's name alone: a study gives the same
numbers alone and among others.
"""

import math
import re
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..analysis.plots import Figure


class Row(NamedTuple):
    """One expectation beside what came out; values are numbers, texts, or lists of them."""

    name: str
    expected: Any
    got: Any
    ok: bool
    tolerance: str = "exact"


class Outcome(NamedTuple):
    """What a study found. ``sample`` says how many runs, seeds or games stand behind it."""

    rows: tuple[Row, ...]
    figures: "tuple[Figure, ...]"
    sample: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """A named study of one section; ``module`` holds its ``run`` and is imported when needed."""

    name: str
    title: str
    question: str
    labels: tuple[str, ...]  # of the ledger's rows that it shows
    module: str

    @property
    def section(self) -> int:
        """1 … 7."""
        return int(self.name[1])

    def run(self, seed: int, full: bool = False) -> Outcome:
        """Run it; the same seed gives the same numbers."""
        import numpy as np

        stream = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(self.name.encode()),))
        work: Callable[[np.random.Generator, bool], Outcome] = import_module(self.module).run
        return work(np.random.default_rng(stream), full)


class Performed(NamedTuple):
    """A study that was run: its outcome, its panels drawn (one list of SVG for each figure)."""

    study: Study
    outcome: Outcome
    drawings: tuple[tuple[str, ...], ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether everything came out as expected."""
        return all(row.ok for row in self.outcome.rows)


def perform(study: Study, seed: int, full: bool = False) -> Performed:
    """Run a study and draw it. An error in it becomes a row that is not ok, never an exception."""
    start = time.perf_counter()
    try:
        outcome = study.run(seed, full)
        drawings = _draw(study, outcome)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        outcome, drawings = Outcome((Row("the study finishes", "yes", text, False),), (), ""), ()
    return Performed(study, outcome, drawings, time.perf_counter() - start)


def _draw(study: Study, outcome: Outcome) -> tuple[tuple[str, ...], ...]:
    from ..analysis.plots import svg

    stem = study.name.replace(".", "-")
    return tuple(
        tuple(svg(panel, f"{stem}-{f}{p}") for p, panel in enumerate(figure.panels))
        for f, figure in enumerate(outcome.figures)
    )


# ------------------------------------------------------------------------ rows, by their claim


def equal(name: str, got: Any, expected: Any) -> Row:
    """The two are the same: counts, names, lists of them."""
    return Row(name, expected, got, bool(got == expected))


def close(name: str, got: float, expected: float, tolerance: float) -> Row:
    """The two differ by at most ``tolerance``."""
    ok = abs(got - expected) <= tolerance  # false for NaN
    return Row(name, float(expected), float(got), bool(ok), f"± {tolerance:g}")


def at_most(name: str, got: float, bound: float) -> Row:
    """``got`` does not exceed a bound."""
    return Row(name, f"≤ {bound:.6g}", float(got), bool(got <= bound), "bound")


def at_least(name: str, got: float, bound: float) -> Row:
    """``got`` does not fall below a bound."""
    return Row(name, f"≥ {bound:.6g}", float(got), bool(got >= bound), "bound")


def jsonable(value: Any) -> Any:
    """``value`` as JSON takes it: NumPy's numbers as Python's, NaN and infinity as text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str | int | float) or value is None:
        return value
    if isinstance(value, Sequence):
        return [jsonable(x) for x in value]
    return str(value)


def shown(value: Any) -> str:
    """``value`` for people: six digits, powers of ten raised, lists in parentheses."""
    value = jsonable(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value + 0.0:.6g}"
        return raised(f"{value:.2e}" if "e" in text else text)
    if isinstance(value, list):
        return "(" + ", ".join(shown(x) for x in value) + ")" if value else "none"
    return raised(str(value)) if isinstance(value, str) else str(value).replace("-", "−")


def raised(text: str) -> str:
    """Numbers such as -1.20e-09 in ``text`` written as −1.2·10⁻⁹; other text as it is."""
    return re.sub(r"(?<![\w.])(-?)(\d+(?:\.\d+)?)(?:e([+-]\d+))?(?![\w.])", _raised, text)


def _raised(found: re.Match[str]) -> str:
    sign, mantissa, exponent = found.groups()
    sign = "−" if sign else ""
    if exponent is None:
        return sign + mantissa
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    digits = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{sign}{'' if digits == '1' else f'{digits}·'}10{power}"
