"""What a student reads about an answer."""

from pathlib import Path

import numpy as np

from .border.errors import StudentError
from .border.text import clean as clean
from .runner import Result
from .spec import Broken, Case


def show_case(case: Case) -> str:
    """The arguments of a case as lines that can be pasted into Python."""
    names = getattr(case, "_fields", [f"argument_{k}" for k in range(len(case))])
    return "\n".join(f"{name} = {show(x)}" for name, x in zip(names, case, strict=True))


def show(value: object) -> str:
    """A value as it is written in Python."""
    if isinstance(value, np.ndarray):
        text = np.array2string(value, separator=", ", floatmode="unique")
        return f"np.array({text})".replace("\n\n", "\n")
    if isinstance(value, list | tuple):
        inside = ", ".join(show(x) for x in value)
        inside += "," * (isinstance(value, tuple) and len(value) == 1)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return repr(value.item() if isinstance(value, np.generic) else value)


def report(result: Result, path: Path, trail: str = "") -> str:
    """What a student reads: the first broken law in full, the others in one line each."""
    exercise = result.exercise
    label = exercise.label
    if result.status == "not-started":
        return f"{label}: not started"
    if not result.passed and not result.failed:
        return f"{label}: {HEADS[result.status]}\n{clean(result.message)}"
    total = len(result.passed) + len(result.failed)
    head = f"{label}: {len(result.passed)} of {total} laws hold, {result.score:g}/{exercise.points}"
    lines = [head, *(f"  ✓ {p.says}" for p in result.passed)]
    for k, item in enumerate(result.failed):
        lines.append(f"  ✗ {item.property.says}")
        lines += _explain(item) if k == 0 else []
    if result.mistake:
        lines.append(f"  Looks like: {result.mistake.says}.")
    return "\n".join(lines + _printed(result.printed)) + trail


HEADS = {
    "error": "could not be run",
    "timeout": "could not be run in time",
    "crash": "ended its process",
    "blocked": "waits for another exercise",
    "harness-error": "not checked, through a fault of ours, not yours",
}


def counterexample(item: Broken) -> str:
    """The case of a broken law and what came of it, in lines."""
    case = show_case(item.case).splitlines() if item.case is not None else []
    if item.last is not None and item.case is not None:
        case += ["then called with", *_others(item.case, item.last)]
    return clean("\n".join([*case, *_told(item)]))


def _others(first: Case, last: Case) -> list[str]:
    """Those arguments of the last call that are not as in the first."""
    if len(first) != len(last):
        return show_case(last).splitlines()
    before, after = ([show(x) for x in case] for case in (first, last))
    names = getattr(last, "_fields", [f"argument_{k}" for k in range(len(last))])
    lines = zip(names, before, after, strict=True)
    return [line for n, a, b in lines if a != b for line in f"{n} = {b}".splitlines()]


def _told(item: Broken) -> list[str]:
    """What was raised, and the student's own lines that it went through."""
    error = item.error
    if isinstance(error, StudentError):
        return error.trace.splitlines()[-12:]
    return str(error).strip().splitlines()[:12]


def _explain(item: Broken) -> list[str]:
    """The smallest case of a broken law, what came of it, and a hint."""
    case = show_case(item.case).splitlines() if item.case is not None else []
    lines = ["    smallest case found:", *(f"      {line}" for line in case)] if case else []
    if item.last is not None and item.case is not None:
        lines += ["    then called with", *(f"      {x}" for x in _others(item.case, item.last))]
    told = [f"    {line}" for line in clean("\n".join(_told(item))).splitlines()]
    return [*lines, *told, f"    Hint: {item.property.hint}"]


def _printed(text: str, most: int = 8) -> list[str]:
    """The first lines that the answer itself printed: it was called many times."""
    lines = clean(text).splitlines()
    shown = [f"    {line}" for line in lines[:most]]
    more = [f"    … {len(lines) - most} lines more"] if len(lines) > most else []
    return ["  Your prints:", *shown, *more] if lines else []
