"""Check a student's own file, in this process: for one's own work, not for strangers'."""

import io
import sys
import tempfile
import traceback
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
from hypothesis.configuration import set_hypothesis_home_dir

from ..check import InputError
from .catalogue import Exercise, spec
from .spec import Broken, Case, Mistake, Property, broken, diagnosis


@dataclass(frozen=True)
class Result:
    """How an answer did: status is pass, fail, error or not-started."""

    exercise: Exercise
    status: str
    passed: tuple[Property, ...] = ()
    failed: tuple[Broken, ...] = ()
    mistake: Mistake | None = None
    message: str = ""
    printed: str = ""

    @property
    def score(self) -> float:
        """Points: the share of the laws that hold, by weight, if every gate is passed."""
        earned = sum(p.weight for p in self.passed if not p.gate)
        total = earned + sum(b.property.weight for b in self.failed if not b.property.gate)
        if not total or any(b.property.gate for b in self.failed):
            return 0.0
        return round(self.exercise.points * earned / total, 2)


def load(path: Path) -> ModuleType:
    """Run the file as a module of its own. Raises whatever it raises.

    Bytes are compiled, so that a byte order mark and a declared encoding are understood; the
    file's folder is importable while it runs, for answers that build on earlier ones.
    """
    module = ModuleType(f"student_{path.stem}")
    module.__file__ = str(path)
    code = compile(path.read_bytes(), str(path), "exec")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        exec(code, module.__dict__)
    finally:
        sys.path.remove(str(path.parent.resolve()))
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
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a division by zero shows in the answer
        set_hypothesis_home_dir(scratch)  # else a folder appears beside the student's files
        with redirect_stdout(printed):
            result = _judge(exercise, path, examples)
    return replace(result, printed=printed.getvalue())


def _judge(exercise: Exercise, path: Path, examples: int) -> Result:
    try:
        answer = getattr(load(path), exercise.function, None)
    except (Exception, SystemExit):
        return Result(exercise, "error", message=_own_traceback(path))
    if not callable(answer):
        message = f"{path.name} defines no function {exercise.function}"
        return Result(exercise, "error", message=message)
    law = spec(exercise.label)
    failed: list[Broken] = []
    for prop in law.properties:
        result = broken(prop, answer, law, examples, shrink=not failed)
        if result and str(result.error) == f"{law.exercise}: {law.function}":
            return Result(exercise, "not-started")  # the stub's own words
        failed += [result] if result else []
    shrunk = failed[:1]
    failed.sort(key=lambda item: not _explains(item))
    if failed[:1] != shrunk:
        failed[0] = broken(failed[0].property, answer, law, examples) or failed[0]
    broke = [result.property for result in failed]
    passed = tuple(p for p in law.properties if p not in broke)
    if not failed:
        return Result(exercise, "pass", passed)
    mistake = diagnosis(law, answer)
    return Result(exercise, "fail", passed, tuple(failed), mistake)


def _explains(item: Broken) -> bool:
    """Whether it is a gate that says what is wrong: the wrong shape, say, breaks other laws too."""
    return item.property.gate and isinstance(item.error, AssertionError)


def _own_traceback(path: Path) -> str:
    """The traceback from the student's file on: our frames are no help to anybody."""
    kind, error, trace = sys.exc_info()
    if isinstance(error, SyntaxError | UnicodeDecodeError):
        return "".join(traceback.format_exception_only(kind, error)).rstrip()
    while trace and trace.tb_frame.f_code.co_filename != str(path) and trace.tb_next:
        trace = trace.tb_next
    return "".join(traceback.format_exception(kind, error, trace)).rstrip()


def show_case(case: Case) -> str:
    """The arguments of a case as lines that can be pasted into Python."""
    names = getattr(case, "_fields", [f"argument_{k}" for k in range(len(case))])
    return "\n".join(f"{name} = {_literal(x)}" for name, x in zip(names, case, strict=True))


def _literal(value: object) -> str:
    if isinstance(value, np.ndarray):
        text = np.array2string(value, separator=", ", floatmode="unique")
        return f"np.array({text})".replace("\n\n", "\n")
    if isinstance(value, list | tuple):
        inside = ", ".join(_literal(x) for x in value)
        inside += "," * (isinstance(value, tuple) and len(value) == 1)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return repr(value.item() if isinstance(value, np.generic) else value)


def report(result: Result, path: Path, trail: str = "") -> str:
    """What a student reads: the first broken law in full, the others in one line each."""
    exercise = result.exercise
    label = exercise.label
    if result.status == "not-started":
        return f"{label}: not started"
    if result.status == "error":
        return f"{label}: could not be run\n{result.message}"
    total = len(result.passed) + len(result.failed)
    head = f"{label}: {len(result.passed)} of {total} laws hold, {result.score:g}/{exercise.points}"
    lines = [head, *(f"  ✓ {p.says}" for p in result.passed)]
    for k, item in enumerate(result.failed):
        lines.append(f"  ✗ {item.property.says}")
        lines += _explain(item, path) if k == 0 else []
    if result.mistake:
        lines.append(f"  Looks like: {result.mistake.says}.")
    return "\n".join(lines + _printed(result.printed)) + trail


def _explain(item: Broken, path: Path) -> list[str]:
    """The smallest case of a broken law, what came of it, and a hint."""
    text = str(item.error).strip().splitlines()[:12] or [""]
    if not isinstance(item.error, AssertionError):
        text[0] = f"{type(item.error).__name__}: {text[0]}"
    frames = traceback.extract_tb(item.error.__traceback__)
    own = [f for f in frames if f.filename == str(path)]
    if own:
        text.append(f"in {own[-1].name}, line {own[-1].lineno}: {own[-1].line}")
    case = show_case(item.case).splitlines() if item.case is not None else []
    lines = ["    smallest case found:", *(f"      {line}" for line in case)] if case else []
    return [*lines, *(f"    {line}" for line in text), f"    Hint: {item.property.hint}"]


def _printed(text: str, most: int = 8) -> list[str]:
    """The first lines that the answer itself printed: it was called many times."""
    lines = text.splitlines()
    shown = [f"    {line}" for line in lines[:most]]
    more = [f"    … {len(lines) - most} lines more"] if len(lines) > most else []
    return ["  Your prints:", *shown, *more] if lines else []
