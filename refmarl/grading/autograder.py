"""What runs inside a Gradescope container: grade what lies in submission/, write results.json.

    <root>/source/          the archive: settings.json, assignment.toml, course/, seed, lib/
    <root>/submission/      what the student handed in
    <root>/submission_metadata.json
    <root>/results/results.json

results.json is there from the first moment, worth nothing, and is replaced after each exercise:
whenever the platform stops us, what stands there is true.
"""

import json
import math
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from . import feedback
from .assignment import Assignment, load
from .catalogue import Exercise, exercises
from .files import replace
from .intake import Submission, gathered
from .results import SCHEMA, Mark, Points, clean, fingerprint, scored, versions
from .runner import Grader
from .sandbox import undumpable
from .unattended import known, level, marks, secret

UNREACHED = "not reached: the time of the whole submission was used up before"
MAX_METADATA = 16 * 2**20


class OutOfTime(BaseException):
    """The time of the whole submission is used up; no failure of an exercise, so no Exception."""


@dataclass
class Report:
    """results.json as it grows: a test for each exercise, those not graded yet worth nothing."""

    path: Path
    assignment: Assignment
    cases: bool
    extra: dict[str, Any] = field(default_factory=dict)
    came: datetime | None = None
    submission: Submission = field(default_factory=Submission)
    found: dict[str, Mark] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def write(self, says: str = "") -> None:
        """Write what is known; ``says`` stands above everything."""
        tests = [self._test(e) for e in self.assignment.exercises.values()]
        notes = [says, *self.submission.notes]
        if self.submission.ignored:
            notes.append(f"Ignored: {', '.join(self.submission.ignored)}")
        faults = [one.id for one in self.found.values() if one.status == "harness-error"]
        rows = {
            "score": round(sum(test["score"] for test in tests), 2),
            "execution_time": math.ceil(time.monotonic() - self.began),
            "output": clean("\n".join(note for note in notes if note)),
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "tests": tests,
            "extra_data": {"schema": SCHEMA, **self.extra, "needs_attention": faults},
        }
        replace(self.path, json.dumps(rows, indent=1, sort_keys=True, allow_nan=False))

    def give_up(self, why: str) -> None:
        """Mark what is not graded as a fault of ours."""
        for label in self.assignment.exercises:
            self.found.setdefault(label, Mark(label, "harness-error", message=why))

    def _test(self, exercise: Exercise) -> dict[str, Any]:
        mark = self.found.get(exercise.label)
        counts = self.assignment.share(exercise.label, self.came)
        test: dict[str, Any] = {
            "name": f"{exercise.label}: {exercise.title}",
            "number": exercise.equation.tag if exercise.equation else exercise.label,
            "score": 0.0,
            "max_score": exercise.points,
            "status": "failed",
            "output": "did not finish",
            "output_format": "text",
            "visibility": "visible",
        }
        if mark is None:
            return test
        row = scored(mark, Points(exercise.points, counts))
        test["score"] = row["score"]
        test["status"] = "passed" if mark.status == "pass" else "failed"
        test["output"] = feedback.plain_text(feedback.exercise(row, self.cases))
        return test


def main(argv: list[str]) -> int:
    """Grade the submission below the folder argv[0]; with --self-test, try the grader itself."""
    root = Path(argv[0]).resolve()
    if argv[1:] == ["--self-test"]:
        return self_test(root / "source")
    report = Report(root / "results" / "results.json", Assignment("refmarl", {}), cases=False)
    try:
        grade(root, report)
    except OutOfTime:
        report.give_up(UNREACHED)
        report.write("The time for the whole submission was used up; your instructor knows.")
    except Exception:  # whatever it is: the student gets a sentence, the instructor the traceback
        traceback.print_exc()
        report.give_up("the grader failed before")
        report.write("The grader failed. That is not your fault, and your instructor can see why.")
    return 0


def grade(root: Path, report: Report) -> None:
    """Grade everything, writing the report on the way."""
    source = root / "source"
    given = settings(source)
    report.assignment, seed = given.assignment, given.secret
    report.cases = seed is None
    report.write()
    report.came = handed_in(root / "submission_metadata.json")
    report.extra = {"grader": versions() | {"seed": fingerprint(seed)}}
    isolation = level(given.isolation, (source, root / "results", root / "submission"))
    report.extra["grader"]["isolation"] = isolation
    others = known(report.assignment)
    report.submission = gathered(
        root / "submission", {label: e.path for label, e in others.items()}
    )
    report.write()
    with (
        tempfile.TemporaryDirectory(prefix="refmarl-grade-") as scratch,
        undumpable(),
        Grader(isolation, secret=seed) as grader,
        _within(60.0 * given.minutes),
    ):
        chosen = report.assignment.exercises
        for mark in marks(report.submission, chosen, others, grader, Path(scratch)):
            report.found[mark.id] = mark
            report.write()
            print(f"{mark.id}: {mark.status} {mark.share:.3f}", flush=True)
            if mark.status == "harness-error":
                print(mark.message, flush=True)


@dataclass(frozen=True)
class Settings:
    """What the archive says."""

    assignment: Assignment
    secret: bytes | None
    isolation: str
    minutes: float


def settings(source: Path) -> Settings:
    """The settings of the archive that was unpacked to ``source``."""
    row = json.loads((source / "settings.json").read_text("utf-8"))
    course = source / "course"
    own = course if course.is_dir() else None
    file = source / "assignment.toml"
    assignment = load(file, own) if file.is_file() else Assignment(row["title"], exercises(own))
    seed = source / "seed"
    return Settings(
        assignment, secret(seed if seed.is_file() else None), row["isolation"], row["minutes"]
    )


def handed_in(path: Path) -> datetime | None:
    """When the platform received the submission; None where it does not say."""
    try:
        if path.stat().st_size > MAX_METADATA:
            return None
        when = datetime.fromisoformat(json.loads(path.read_bytes())["created_at"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return when if when.tzinfo else None


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise OutOfTime after so many seconds."""

    def over(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# -- the self-test ----------------------------------------------------------------------------

HOSTILE = {
    "ends the interpreter": "import os\nos._exit(0)\n",
    "never ends": "while True:\n    pass\n",
    "reads the solution": "text = open({solution!r}).read()\nexec(text)\n",
    "imports the library": "import refmarl\n",
    "writes the results": "open({results!r}, 'w').write('{{\"score\": 100}}')\n",
    "starts a program": "import subprocess\nsubprocess.run(['true'], check=True)\n",
}


def self_test(source: Path) -> int:
    """Whether this machine can grade: isolation, right answers, hostile ones. Status 0 or 1."""
    given = settings(source)
    chosen, others = given.assignment.exercises, known(given.assignment)
    isolation = level(given.isolation, (source,))
    print(f"isolation level {isolation}")
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as scratch, Grader(isolation, secret=given.secret) as grader:
        right = {k: e.solution.read_bytes() for k, e in others.items() if e.solution.is_file()}
        for mark in marks(Submission(right), chosen, others, grader, Path(scratch, "right")):
            wrong += [] if mark.status == "pass" else [f"solution of {mark.id}: {mark.message}"]
        for says, text in HOSTILE.items() if isolation else ():
            first = next(iter(chosen.values()))
            results = source.parent / "results" / "results.json"
            code = text.format(solution=str(first.solution), results=str(results))
            bad = Submission({first.label: code.encode()})
            marked = list(marks(bad, {first.label: first}, others, grader, Path(scratch, "bad")))
            wrong += [f"a file that {says} got marks" for mark in marked if mark.share]
    for line in wrong:
        print(f"refmarl: error: {line}", file=sys.stderr)
    if not wrong:
        print(f"{len(chosen)} solutions have full marks, {len(HOSTILE)} hostile files have none")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
