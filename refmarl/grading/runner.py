"""Check a student's file: its function runs in a child process, laws and marks stay here."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..check import InputError
from . import sandbox
from .border.answer import Answer
from .border.corpus import Case, Cases, draw, fresh, seed_of
from .border.errors import BadReturn, Stop, StudentError
from .border.limits import Limits
from .border.nursery import Nursery
from .border.submission import Submission
from .border.text import clean
from .catalogue import Exercise, exercises, spec, untouched
from .judge import diagnosis, replay, smallest, trial
from .spec import Broken, Mistake, Property, Spec

__all__ = ["STATUSES", "Grader", "Limits", "Result", "check"]

DIAGNOSED = 30  # cases on which an answer must equal a known mistake

# The graver of two comes first: it is what an exercise is called that has both.
STATUSES = (
    "harness-error",
    "not-started",
    "blocked",
    "crash",
    "timeout",
    "error",
    "bad-return",
    "fail",
    "pass",
)


@dataclass(frozen=True)
class Result:
    """How an answer did; ``status`` is one of STATUSES, the gravest of what happened.

    ``message`` says what happened where no law was tried; ``hidden`` that the cases are secret.
    """

    exercise: Exercise
    status: str
    passed: tuple[Property, ...] = ()
    failed: tuple[Broken, ...] = ()
    mistake: Mistake | None = None
    message: str = ""
    printed: str = ""
    hidden: bool = False
    isolation: dict[str, Any] = field(default_factory=dict, compare=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def score(self) -> float:
        """Points: the share of the laws that hold, by weight, if every gate is passed."""
        earned = sum(p.weight for p in self.passed if not p.gate)
        total = earned + sum(b.property.weight for b in self.failed if not b.property.gate)
        if not total or self.status == "harness-error":
            return 0.0
        if any(b.property.gate for b in self.failed):
            return 0.0
        return round(self.exercise.points * earned / total, 2)

    def as_json(self, reveal: bool | None = None) -> dict[str, Any]:
        """{id, score, max_score, status, properties: [{says, passed, counterexample, hint}]}.

        ``reveal`` says whether to tell what holds or quotes a case; by default unless they are
        secret, because an answer may carry them out in its own words.
        """
        from .report import counterexample

        shown = not self.hidden if reveal is None else reveal
        rows = [_row(p, True, None) for p in self.passed]
        for item in self.failed:
            rows.append(_row(item.property, False, counterexample(item) if shown else None))
        return {
            "id": self.exercise.label,
            "score": self.score,
            "max_score": self.exercise.points,
            "status": self.status,
            "message": self.message if shown else "",
            "properties": rows,
        }


def _row(law: Property, passed: bool, counterexample: str | None) -> dict[str, Any]:
    hint = None if passed else law.hint
    return {"says": law.says, "passed": passed, "counterexample": counterexample, "hint": hint}


class Grader:
    """Grades many files one after the other; what they share is made once.

    ``isolation`` is the level asked for, ``guarded`` are files and folders that no answer may read
    from level 1 on, ``secret`` draws other cases than the public ones. Use it in a ``with`` block,
    and in one thread.

    Raises
    ------
    InputError
        If that level cannot be had on this system.
    """

    def __init__(
        self,
        isolation: int = 0,
        limits: Limits | None = None,
        secret: bytes | None = None,
        guarded: tuple[Path, ...] = (),
    ) -> None:
        if isolation not in (0, 1, 2):
            raise InputError(f"need an isolation level of 0, 1 or 2, got {isolation}")
        if isolation:
            sandbox.require(isolation, guarded)
        self.isolation, self.secret = isolation, secret
        self._nursery = Nursery(isolation, limits or Limits())
        self._cases: dict[tuple[str, int], Cases] = {}
        self._sections = frozenset(e.folder for e in exercises().values())
        self._open = ExitStack()

    def __enter__(self) -> "Grader":
        self._open.callback(self._nursery.close)
        if self.isolation:
            self._open.enter_context(sandbox.undumpable())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._cases.clear()

    def check(
        self,
        exercise: Exercise,
        path: Path,
        examples: int = 60,
        *,
        shrink: bool = True,
        shown: str = "",
    ) -> Result:
        """Hold the function in ``path`` against the exercise's specification.

        ``shown`` is the name that tracebacks give the file (default: its path). Without
        ``shrink`` the smallest of the cases drawn is shown, which takes less time.

        Raises
        ------
        InputError
            If there is no such file.
        """
        began = time.monotonic()
        if not path.is_file():
            raise InputError(f"{path}: no such file; `refmarl start DIR` makes one")
        sections = self._sections | {exercise.folder}
        given = Submission(
            path, exercise.function, exercise.packages, shown, sections, self.isolation > 0
        )
        answer = Answer(given, self._nursery)
        try:
            if untouched(exercise, given.read()):
                return Result(exercise, "not-started")
            result = self._judge(exercise, answer, examples, shrink)
        except (ValueError, OSError) as error:
            result = Result(exercise, "error", message=str(error))
        finally:
            answer.close()
        return replace(
            result,
            message=clean(result.message),
            printed=clean(answer.printed.decode("utf-8", "replace")),
            hidden=self.secret is not None,
            isolation=answer.isolation,
            seconds=time.monotonic() - began,
        )

    def _judge(self, exercise: Exercise, answer: Answer, examples: int, shrink: bool) -> Result:
        self._nursery.prepare(exercise.packages)
        law = spec(exercise)
        first = self.cases(law, 1)[0]
        answer.names = tuple(getattr(first, "_fields", ()))
        idle = _not_begun(exercise, answer, first)
        if idle:
            return idle
        cases = self.cases(law, examples)
        found = [(prop, replay(prop, answer, cases)) for prop in law.properties]
        passed = tuple(prop for prop, item in found if item is None)
        failed = [_whose(item, law, cases) for _, item in found if item]
        if not failed:
            return Result(exercise, "pass", passed)
        failed.sort(key=_gravity)
        status = failed[0].kind
        if not isinstance(failed[0].error, Stop):
            failed[0] = smallest(failed[0], answer, law, cases, shrink)
        mistake = _looks_like(law, answer, cases) if status in ("fail", "bad-return") else None
        return Result(exercise, status, passed, tuple(failed), mistake)

    def cases(self, law: Spec, examples: int) -> Cases:
        """The cases of an exercise, drawn the first time they are asked for."""
        key = law.exercise, examples
        if key not in self._cases:
            number = seed_of(law.exercise, self.secret)
            self._cases[key] = draw(law.cases, number, examples)
        return self._cases[key]


def check(
    exercise: Exercise,
    path: Path,
    examples: int = 60,
    *,
    isolation: int = 0,
    limits: Limits | None = None,
    secret: bytes | None = None,
    shrink: bool = True,
) -> Result:
    """Hold the function in ``path`` against the exercise's specification; see Grader.

    Raises
    ------
    InputError
        If there is no such file, or the level of isolation cannot be had.
    """
    with Grader(isolation, limits, secret) as grader:
        return grader.check(exercise, path, examples, shrink=shrink)


def _not_begun(exercise: Exercise, answer: Answer, case: Case) -> Result | None:
    """A result if there is nothing to hold against the laws.

    The file does not run, or the first call ends in the words of a stub: this exercise's, or one
    on which the answer builds.
    """
    try:
        answer.start()
    except Stop as stop:
        return Result(exercise, stop.kind, message=str(stop))
    answer.begin()
    try:
        answer(*fresh(case))
    except StudentError as error:
        if not isinstance(error, NotImplementedError):
            return None
        label = _stub_of(str(error))
        if label == exercise.label:
            return Result(exercise, "not-started")
        if label:
            return Result(
                exercise, "blocked", message=f"it builds on {label}, which is not started"
            )
    except (Stop, BadReturn):
        return None
    return None


def _gravity(item: Broken) -> float:
    """The place of a broken law in the report: the gravest first, which is the status.

    A gate that says in words what is wrong comes before errors: what breaks it, an input changed
    in place say, raises elsewhere too.
    """
    tells = item.property.gate and item.kind == "fail"
    return STATUSES.index("error") - 0.5 if tells else STATUSES.index(item.kind)


def _stub_of(text: str) -> str | None:
    """The label of the exercise whose stub raises an error of this text."""
    found = [e.label for e in exercises().values() if f"{e.label}: {e.function}" == text]
    return found[0] if found else None


def _whose(item: Broken, law: Spec, cases: Cases) -> Broken:
    """The item, told apart from a fault of ours: our own answer must pass where it fails."""
    if item.kind in ("timeout", "crash", "harness-error"):
        return item
    ours = trial(item.property, law.reference, cases[item.number])
    if ours:
        text = f"our own answer breaks this law too: {type(ours.error).__name__}: {ours.error}"
        return replace(item, kind="harness-error", error=Stop("harness-error", text))
    return item


def _looks_like(law: Spec, answer: Answer, cases: Cases) -> Mistake | None:
    answer.begin()
    try:
        return diagnosis(law, answer, cases[:DIAGNOSED])
    except Stop:
        return None
