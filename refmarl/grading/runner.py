"""Check a student's own file, in this process: for one's own work, not for strangers'."""

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from ..check import InputError
from .catalogue import Exercise, spec
from .spec import Broken, Case, Mistake, broken, diagnosis


@dataclass(frozen=True)
class Result:
    """How an answer did: status is pass, fail, error or not-started."""

    exercise: Exercise
    status: str
    passed: tuple[str, ...] = ()
    failed: tuple[Broken, ...] = ()
    mistake: Mistake | None = None
    message: str = ""

    @property
    def score(self) -> float:
        """Points: the share of the properties that hold."""
        total = len(self.passed) + len(self.failed)
        return round(self.exercise.points * len(self.passed) / total, 2) if total else 0.0


def load(path: Path) -> ModuleType:
    """Run the file as a module of its own. Raises whatever it raises."""
    module = ModuleType(f"student_{path.stem}")
    module.__file__ = str(path)
    code = compile(path.read_text("utf-8"), str(path), "exec")
    exec(code, module.__dict__)
    return module


def check(exercise: Exercise, path: Path, examples: int = 60) -> Result:
    """Hold the function in ``path`` against the exercise's specification.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; `refmarl start DIR` makes one")
    try:
        answer = getattr(load(path), exercise.function, None)
    except Exception:
        return Result(exercise, "error", message=_own_traceback(path))
    if not callable(answer):
        message = f"{path.name} defines no function {exercise.function}"
        return Result(exercise, "error", message=message)
    law = spec(exercise.equation.label)
    failed: list[Broken] = []
    for prop in law.properties:
        result = broken(prop, answer, law, examples, shrink=not failed)
        if result and isinstance(result.error, NotImplementedError):
            return Result(exercise, "not-started")
        failed += [result] if result else []
    names = {result.property.says for result in failed}
    passed = tuple(p.says for p in law.properties if p.says not in names)
    if not failed:
        return Result(exercise, "pass", passed)
    mistake = diagnosis(law, answer)
    return Result(exercise, "fail", passed, tuple(failed), mistake)


def _own_traceback(path: Path) -> str:
    """The traceback from the student's file on: our frames are no help to anybody."""
    kind, error, trace = sys.exc_info()
    while trace and trace.tb_frame.f_code.co_filename != str(path) and trace.tb_next:
        trace = trace.tb_next
    return "".join(traceback.format_exception(kind, error, trace)).rstrip()


def show_case(case: Case) -> str:
    """The arguments of a case as lines that can be pasted into Python."""
    names = getattr(case, "_fields", [f"argument_{k}" for k in range(len(case))])
    return "\n".join(f"{name} = {_literal(x)}" for name, x in zip(names, case, strict=True))


def _literal(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"np.array({np.array2string(value, separator=', ', floatmode='unique')})"
    if isinstance(value, list | tuple):
        inside = ", ".join(_literal(x) for x in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside},)"
    return repr(value.item() if isinstance(value, np.generic) else value)


def report(result: Result, trail: str = "") -> str:
    """What a student reads: the first broken law in full, the others in one line each."""
    exercise = result.exercise
    label = exercise.equation.label
    if result.status == "not-started":
        return f"{label}: not started"
    if result.status == "error":
        return f"{label}: could not be run\n{result.message}"
    total = len(result.passed) + len(result.failed)
    head = f"{label}: {len(result.passed)} of {total} laws hold, {result.score:g}/{exercise.points}"
    lines = [head, *(f"  ✓ {says}" for says in result.passed)]
    for k, item in enumerate(result.failed):
        lines.append(f"  ✗ {item.property.says}")
        lines += _explain(item) if k == 0 else []
    if result.mistake:
        lines.append(f"  Looks like: {result.mistake.says}.")
    return "\n".join(lines) + trail


def _explain(item: Broken) -> list[str]:
    error = item.error
    text = str(error).strip().splitlines() or [type(error).__name__]
    if not isinstance(error, AssertionError):
        text[0] = f"{type(error).__name__}: {text[0]}"
    lines = ["    smallest case found:"] if item.case is not None else []
    if item.case is not None:
        lines += [f"      {line}" for line in show_case(item.case).splitlines()]
    lines += [f"    {line}" for line in text if not line.startswith("Falsifying")][:12]
    return [*lines, f"    Hint: {item.property.hint}"]
