"""Check a student's file: its function runs in a child process, laws and marks stay here."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..check import InputError
from . import sandbox
from .border.answer import Answer, Submission
from .border.corpus import draw, fresh, seed_of
from .border.errors import BadReturn, Stop, StudentError
from .border.limits import Limits
from .border.nursery import Nursery
from .catalogue import Exercise, exercises, spec, untouched
from .spec import (
    Broken,
    Case,
    Mistake,
    Property,
    Spec,
    diagnosis,
    replay,
    smallest,
    trial,
)

__all__ = ["STATUSES", "Grader", "Limits", "Result", "check"]

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
    """How an answer did; ``status`` is one of STATUSES, the gravest of what happened."""

    exercise: Exercise
    status: str
    passed: tuple[Property, ...] = ()
    failed: tuple[Broken, ...] = ()
    mistake: Mistake | None = None
    message: str = ""
    printed: str = ""
    isolation: dict[str, Any] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points: the share of the laws that hold, by weight, if every gate is passed."""
        earned = sum(p.weight for p in self.passed if not p.gate)
        total = earned + sum(b.property.weight for b in self.failed if not b.property.gate)
        if not total or any(b.property.gate for b in self.failed):
            return 0.0
        return round(self.exercise.points * earned / total, 2)

    def as_json(self) -> dict[str, Any]:
        """{id, score, max_score, status, properties: [{says, passed, counterexample, hint}]}."""
        from .report import counterexample

        held = [
            {"says": p.says, "passed": True, "counterexample": None, "hint": None}
            for p in self.passed
        ]
        broke = [
            {
                "says": item.property.says,
                "passed": False,
                "counterexample": counterexample(item),
                "hint": item.property.hint,
            }
            for item in self.failed
        ]
        return {
            "id": self.exercise.label,
            "score": self.score,
            "max_score": self.exercise.points,
            "status": self.status,
            "message": self.message,
            "properties": held + broke,
        }


class Grader:
    """Grades many files one after the other; what they share is made once.

    ``isolation`` is the level asked for, ``secret`` draws other cases than the public ones.

    Raises
    ------
    InputError
        If that level cannot be had on this system.
    """

    def __init__(
        self, isolation: int = 0, limits: Limits | None = None, secret: bytes | None = None
    ) -> None:
        self.isolation, self.secret = isolation, secret
        if isolation:
            sandbox.require(isolation)
        self._nursery = Nursery(isolation, limits or Limits())
        self._cases: dict[tuple[str, int], list[Case]] = {}
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

        ``shown`` is the name that tracebacks give the file (default: its path).

        Raises
        ------
        InputError
            If there is no such file.
        """
        if not path.is_file():
            raise InputError(f"{path}: no such file; `refmarl start DIR` makes one")
        given = Submission(
            path, exercise.function, exercise.packages, folder=exercise.folder, name=shown
        )
        try:
            if untouched(exercise, given.read()):
                return Result(exercise, "not-started")
        except ValueError as error:
            return Result(exercise, "error", message=str(error))
        answer = Answer(given, self._nursery)
        try:
            result = self._judge(exercise, answer, examples, shrink)
        finally:
            answer.close()
        return _with(result, answer)

    def _judge(self, exercise: Exercise, answer: Answer, examples: int, shrink: bool) -> Result:
        try:
            answer.start()
        except Stop as stop:
            return Result(exercise, stop.kind, message=str(stop))
        law = spec(exercise)
        first = self.cases(law, 1)[0]
        answer.names = tuple(getattr(first, "_fields", ()))
        idle = _not_begun(exercise, answer, first)
        if idle:
            return idle
        cases = self.cases(law, examples)
        found = [(prop, replay(prop, answer, cases)) for prop in law.properties]
        passed = tuple(prop for prop, item in found if item is None)
        failed = [_whose(item, answer, law, cases) for _, item in found if item]
        if not failed:
            return Result(exercise, "pass", passed)
        status = min((item.kind for item in failed), key=STATUSES.index)
        failed.sort(
            key=lambda item: (item.kind != status, status == "fail" and not item.property.gate)
        )
        if shrink and status in ("error", "bad-return", "fail"):
            number = seed_of(exercise.label, self.secret)
            answer.begin()
            failed[0] = smallest(failed[0], answer, law, number, examples)
        mistake = _looks_like(law, answer, cases) if status in ("fail", "bad-return") else None
        return Result(exercise, status, passed, tuple(failed), mistake)

    def cases(self, law: Spec, examples: int) -> list[Case]:
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


def _with(result: Result, answer: Answer) -> Result:
    from dataclasses import replace

    printed = answer.printed.decode("utf-8", "replace")
    return replace(result, printed=printed, isolation=answer.isolation)


def _not_begun(exercise: Exercise, answer: Answer, case: Case) -> Result | None:
    """A result if the first call ends in the words of a stub, this exercise's or another's."""
    answer.begin()
    try:
        answer(*fresh(case))
    except StudentError as error:
        if not isinstance(error, NotImplementedError):
            return None
        stubs = {f"{e.label}: {e.function}": e.label for e in exercises().values()}
        label = stubs.get(str(error))
        if label == exercise.label:
            return Result(exercise, "not-started")
        if label:
            message = f"it builds on {label}, which is not started"
            return Result(exercise, "blocked", message=message)
    except (Stop, BadReturn):
        return None
    return None


def _whose(item: Broken, answer: Answer, law: Spec, cases: list[Case]) -> Broken:
    """The item, told apart from a fault of ours: our own answer must pass where it fails."""
    from dataclasses import replace

    if item.kind in ("timeout", "crash", "harness-error"):
        return item
    ours = trial(item.property, law.reference, cases[item.number])
    if ours:
        text = f"our own answer breaks this law too: {type(ours.error).__name__}: {ours.error}"
        return replace(item, kind="harness-error", error=Stop("harness-error", text))
    if item.kind == "error" and not isinstance(item.error, StudentError):
        text = f"what was returned cannot be used: {type(item.error).__name__}: {item.error}"
        return replace(item, kind="bad-return", error=BadReturn(text))
    return item


def _looks_like(law: Spec, answer: Answer, cases: list[Case]) -> Mistake | None:
    answer.begin()
    try:
        return diagnosis(law, answer, cases=cases)
    except Stop:
        return None
