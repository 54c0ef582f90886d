"""``refmarl check``: answers against their laws, what was found, and what is remembered of it."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _desk
from ._output import as_json

if TYPE_CHECKING:
    from ..grading.catalogue import Exercise
    from ..grading.runner import Result

FAULT = 3  # status of the process where the checker itself failed


@dataclass(frozen=True)
class Checked:
    """How one exercise stands after a check; ``result`` is None where nothing was run."""

    exercise: "Exercise"
    status: str
    says: str
    result: "Result | None" = None
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """Points."""
        return self.result.score if self.result else 0.0

    def as_json(self) -> dict[str, Any]:
        """The keys of ``refmarl grade``, and why nothing was run."""
        if self.result:
            return {**self.result.as_json(), "seconds": round(self.seconds, 3)}
        e = self.exercise
        row = {"id": e.label, "score": 0.0, "max_score": e.points, "status": self.status}
        return {**row, "properties": [], "message": self.says, "seconds": 0.0}


def run(args: argparse.Namespace) -> int:
    """The verb."""
    if args.watch and (args.json or args.case):
        from ..check import InputError

        raise InputError("--watch goes with neither --json nor --case")
    desk = _desk.sit(args, args.exercise)
    named = [desk.exercise(name) for name in args.exercise]
    with desk:
        if args.watch:
            from ._watch import watch

            return watch(desk, named)
        if args.json:
            done = list(each(desk, named))
            as_json(_summary(done))
            return status(done, bool(named))
        return show(desk, named, args.case)


def show(desk: _desk.Desk, named: "list[Exercise]", case: bool = False) -> int:
    """Check and print; the exit status. With ``case`` counterexamples are written as programs."""
    paint, done, explained = _desk.colourful(), [], False
    for one in each(desk, named):
        done.append(one)
        whole = bool(named) or (not explained and one.status not in QUIET)
        explained = explained or whole
        print(text(one, desk, whole, paint), flush=True)
        if case and one.result:
            _write_case(desk, one.result)
    _sum(desk, done, named)
    return status(done, bool(named))


def _write_case(desk: _desk.Desk, result: "Result") -> None:
    from ..grading.files import replace
    from ..grading.report import program

    text = program(result)
    if text:
        path = desk.path(result.exercise)
        path = path.with_name(f"case_{path.name}")
        replace(path, text)
        print(f"  wrote {path.relative_to(desk.folder).as_posix()}, a program that repeats it")


QUIET = {"pass", "not-started", "blocked"}


def each(desk: _desk.Desk, named: "list[Exercise]") -> Iterator[Checked]:
    """Check the exercises named, or all in an order in which none waits for a later one."""
    from ..grading.progress import in_order

    for exercise in named or in_order(desk.chosen):
        yield one(desk, exercise, named=bool(named))
    desk.save()


def one(desk: _desk.Desk, exercise: "Exercise", named: bool) -> Checked:
    """Check an exercise and remember it; unless ``named`` it waits for what it requires."""
    from ..grading.catalogue import untouched
    from ..grading.progress import digest

    path = desk.path(exercise)
    if not path.is_file():
        return Checked(exercise, "not-started", f"no file {path}")
    data = path.read_bytes()
    if untouched(exercise, data):
        return Checked(exercise, "not-started", "not started")
    waits = desk.state.blocks(exercise, desk.known)
    if waits and not named:
        return Checked(exercise, "blocked", f"blocked: first {', '.join(waits)}")
    begun = time.perf_counter()
    result = desk.judge(exercise)
    seconds = time.perf_counter() - begun
    record = desk.state.of(exercise.label)
    desk.state.last = exercise.label
    desk.state.change(
        exercise.label,
        status=result.status,
        score=result.score,
        max_score=float(exercise.points),
        sha256=digest(data),
        passed=record.passed or result.status == "pass",
        checks=record.checks + 1,
    )
    return Checked(exercise, result.status, _says(result), result, seconds)


def _says(result: "Result") -> str:
    total = len(result.passed) + len(result.failed)
    return f"{len(result.passed)} of {total} laws hold" if total else result.status


def text(one: Checked, desk: _desk.Desk, whole: bool, paint: bool) -> str:
    """A line for an exercise, or the ``whole`` report."""
    from ..grading.report import report

    e = one.exercise
    if whole and one.result:
        page = _desk.page(e, desk)
        return _desk.painted(report(one.result, page, one.seconds), paint)
    points = f"{one.score:g}/{e.points}" if one.result else ""
    more = f"; refmarl check {e.label} says more" if one.status not in QUIET else ""
    sign = _desk.mark(one.status, paint)
    return f"{sign} {e.label:22} {points:>7}  {one.says}{more}".rstrip()


def _sum(desk: _desk.Desk, done: list[Checked], named: "list[Exercise]") -> None:
    """Points and, after a check of everything or a success, what is next."""
    score, total = sum(x.score for x in done), sum(x.exercise.points for x in done)
    head = f"{desk.title}: " if desk.title else ""
    print(f"\n{head}{score:g} of {total:g} points")
    if not named or all(x.status == "pass" for x in done):
        print(following(desk))


def following(desk: _desk.Desk) -> str:
    """The next exercise, in a sentence."""
    from ..grading.progress import suggestion

    exercise = suggestion(desk.chosen, desk.state)
    if exercise is None:
        return "All exercises are passed." if desk.chosen else ""
    return f"Next: {exercise.label}, about {exercise.minutes} minutes: {exercise.path.as_posix()}"


def _summary(done: list[Checked]) -> dict[str, Any]:
    isolation = [x.result.isolation for x in done if x.result]
    return {
        "score": sum(x.score for x in done),
        "max_score": sum(x.exercise.points for x in done),
        "exercises": [x.as_json() for x in done],
        "isolation": isolation[0] if isolation else 0,
    }


def status(done: Iterable[Checked], named: bool) -> int:
    """0 where all pass, 1 where some fail, 3 where the checker did; what was not begun and not
    asked for by name is no failure.
    """
    found = {x.status for x in done}
    if "harness-error" in found:
        return FAULT
    fine = {"pass"} if named else QUIET
    return 1 if found - fine else 0


def fault(error: Exception) -> int:
    """Tell that the checker failed, with the whole traceback: it is ours to mend."""
    import traceback

    traceback.print_exception(error)
    print("refmarl: this is a fault of refmarl, not of your answer", file=sys.stderr)
    return FAULT
