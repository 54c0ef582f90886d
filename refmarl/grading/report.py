"""What a student reads about an answer."""

from collections.abc import Mapping

from .border.errors import StudentError
from .border.text import clean as clean
from .cases import arguments, differing, names, notation, script
from .catalogue import Exercise
from .runner import Result
from .spec import Broken, Case, Differs, Property

PRINTS = 8  # lines of the student's own that are shown
LINES = 12  # of a message


def report(result: Result, page: str = "", seconds: float | None = None) -> str:
    """The laws that hold in a line each, the first broken one in full, the others in a line each.

    ``page`` is where the exercise's page is read, ``seconds`` how long the check took.
    """
    exercise = result.exercise
    if result.status == "not-started":
        return f"{exercise.label}: not started"
    took = "" if seconds is None else f", {seconds:.1f} s"
    if not result.passed and not result.failed:
        head = f"{exercise.label}: {HEADS[result.status]}{took}"
        return "\n".join([head, *_told(result.message), *_printed(result.printed)])
    total = len(result.passed) + len(result.failed)
    head = f"{exercise.label}: {len(result.passed)} of {total} laws hold, "
    lines = [f"{head}{result.score:g}/{exercise.points}{took}"]
    lines += [f"  ✓ {p.says}" for p in result.passed]
    worth = _worth(result)
    for k, item in enumerate(result.failed):
        lines.append(f"  ✗ {item.property.says} ({worth(item.property)})")
        lines += _explain(item, result) if k == 0 else []
    lines += _printed(result.printed)
    return "\n".join(lines + (_more(exercise, page) if result.failed else []))


HEADS = {
    "error": "could not be run",
    "timeout": "could not be run in time",
    "crash": "ended its process",
    "blocked": "waits for another exercise",
    "harness-error": "not checked, through a fault of ours, not yours",
}


def _more(exercise: Exercise, page: str) -> list[str]:
    read = f"Read: {page}   " if page else ""
    label = exercise.label
    return [f"  {read}More: refmarl hint {label}   Reproduce: refmarl check {label} --case"]


class _worth:
    """What each law earns: the exercise's points, by weight."""

    def __init__(self, result: Result) -> None:
        laws = [*result.passed, *(item.property for item in result.failed)]
        self.whole = sum(p.weight for p in laws if not p.gate)
        self.points = result.exercise.points

    def __call__(self, prop: Property) -> str:
        if prop.gate or not self.whole:
            return "without it nothing counts"
        if not prop.weight:
            return "it explains, and earns nothing"
        points = round(self.points * prop.weight / self.whole, 2)
        return f"{points:g} point{'s' * (points != 1)}"


def counterexample(item: Broken) -> str:
    """The case of a broken law and what came of it, in lines."""
    return "\n".join([*_case(item, {}), *_came(item)])


def _case(item: Broken, notes: Mapping[str, str]) -> list[str]:
    """The arguments of the law's first call and, where they differ, of its last."""
    if item.case is None:
        return []
    lines = arguments(item.case, notes)
    if item.last is not None:
        lines += ["# and then", *_changed(item.case, item.last)]
    return clean("\n".join(lines)).splitlines()


def _changed(first: Case, last: Case) -> list[str]:
    """Those arguments of the last call that are not as in the first."""
    if names(first) != names(last):
        return arguments(last)
    before, after = arguments(first), arguments(last)
    return [line for line in after if line not in before and not line.startswith("#")]


def _came(item: Broken) -> list[str]:
    """What was raised with the student's own lines, or what came and what was wanted."""
    error = item.error
    if isinstance(error, StudentError):
        return _told(error.trace, last=True)
    if isinstance(error, Differs):
        what = clean(error.what).splitlines() or [""]
        return [f"{what[0]}:", *(f"  {line}" for line in differing(error.got, error.want))]
    return _told(str(error))


def _told(text: str, last: bool = False) -> list[str]:
    lines = clean(text).strip().splitlines()
    return lines[-LINES:] if last else lines[:LINES]


def _explain(item: Broken, result: Result) -> list[str]:
    """The smallest case of a broken law, what came of it, which mistake that is, and a hint."""
    case = _case(item, notation(result.exercise))
    held = f", after {item.number} that hold" if item.number else ""
    lines = [f"smallest case found{held}:", *(f"  {line}" for line in case)] if case else []
    lines += _came(item)
    if result.mistake:
        lines.append(f"Looks like: {result.mistake.says}.")
    lines.append(f"Hint: {item.property.hint}")
    return [f"      {line}" for line in lines]


def program(result: Result) -> str:
    """A program that repeats the counterexample of the first broken law; "" if there is none."""
    item = next(iter(result.failed), None)
    if item is None or item.case is None:
        return ""
    return script(result.exercise, [item.case, *([] if item.last is None else [item.last])])


def _printed(text: str) -> list[str]:
    """The first lines that the answer itself printed: it was called many times."""
    lines = clean(text).splitlines()
    shown = [f"    {line}" for line in lines[:PRINTS]]
    more = [f"    … {len(lines) - PRINTS} lines more"] if len(lines) > PRINTS else []
    return ["  Your prints:", *shown, *more] if lines else []
