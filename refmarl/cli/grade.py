"""The instructor's verbs: ``grade``, ``grade-class``, ``gradescope``."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ._grading import GradingBoard
from ._output import as_json, example

if TYPE_CHECKING:
    from datetime import tzinfo

    from ..grading.assignment import Assignment
    from ..grading.classroom import Setting
    from ..grading.intake import Submission
    from ..grading.results import Mark
    from ..grading.store import Store
    from ..grading.writeup import Outcome


def add(verbs: Any) -> None:
    """Declare the verbs."""
    one = verbs.add_parser(
        "grade",
        help="grade one submission: a folder or a zip",
        description="Runs a stranger's code, in a process of its own that can do nothing but "
        "answer. Status 0: everything passed; 1: something did not; 3: the grader itself failed.",
        **example("refmarl grade jane.zip --json"),
    )
    one.add_argument("path", type=Path, metavar="PATH", help="a folder or a zip")
    one.add_argument("--json", action="store_true", help="print the results as JSON")
    _common(one)
    one.set_defaults(run=_grade)
    _add_class(verbs)
    _add_gradescope(verbs)


def _add_class(verbs: Any) -> None:
    many = verbs.add_parser(
        "grade-class",
        help="grade a class: a folder with a folder or a zip of each student",
        description="Writes gradebook.csv, summary.md and a report for each student. May be "
        "interrupted and begun again: what is graded is not graded again. Status 0: graded; "
        "3: some exercise could not be, through a fault of the grader.",
        **example("refmarl grade-class submissions --out marks --assignment homework1.toml -j 2"),
    )
    many.add_argument("folder", type=Path, metavar="DIR", help="the folder of submissions")
    many.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for what is made")
    many.add_argument("-j", "--jobs", type=int, metavar="N", help="processes (default: cores)")
    many.add_argument("--roster", type=Path, metavar="FILE", help="CSV: id, name, submitted, …")
    many.add_argument("--similarity", action="store_true", help="compare submissions, for a person")
    many.add_argument(
        "--release",
        action="store_true",
        help="with --secret: show students the counterexamples, because nobody hands in any more",
    )
    _common(many)
    many.set_defaults(run=_grade_class)


def _add_gradescope(verbs: Any) -> None:
    zipped = verbs.add_parser(
        "gradescope",
        help="write an autograder for Gradescope",
        description="The zip is what Gradescope asks for as the autograder of a programming "
        "assignment. It carries the versions that are installed here, so that the marks there are "
        "the marks here; the image is tried while it is built.",
        **example("refmarl gradescope autograder.zip --assignment homework1.toml"),
    )
    zipped.add_argument("out", type=Path, metavar="OUT.zip")
    zipped.add_argument(
        "--minutes", type=float, default=8.0, help="for one submission (default: 8)"
    )
    _common(zipped)
    zipped.set_defaults(run=_gradescope)


def _common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--assignment", type=Path, metavar="FILE", help="TOML: points and deadlines")
    verb.add_argument("--course", type=Path, metavar="FOLDER", help="exercises of your own")
    verb.add_argument("--secret", type=Path, metavar="FILE", help="draw other cases than students")
    verb.add_argument(
        "--isolation",
        choices=["auto", "none", "1", "2"],
        default="auto",
        help="auto: the best that holds on this machine, at least 1; none: only a process of its "
        "own, for submissions that you trust",
    )


def _assignment(args: argparse.Namespace) -> "Assignment":
    from ..grading.assignment import Assignment, load
    from ..grading.catalogue import exercises

    if args.assignment:
        return load(args.assignment, args.course)
    title = args.course.name if args.course else "refmarl"
    return Assignment(title, exercises(args.course))


def _guarded(*paths: Path | None) -> tuple[Path, ...]:
    """What no submission may be able to read; the submission at hand comes to it by other ways."""
    return tuple(path.resolve() for path in paths if path)


def _grade(args: argparse.Namespace) -> int:
    from ..grading.intake import read
    from ..grading.runner import Grader
    from ..grading.sandbox import undumpable
    from ..grading.unattended import known, level, marks, secret

    assignment = _assignment(args)
    others = known(assignment)
    seed = secret(args.secret)
    isolation = level(args.isolation, _guarded(args.path, args.secret, args.assignment))
    got = read(args.path, {label: e.path for label, e in others.items()})
    with (
        tempfile.TemporaryDirectory(prefix="refmarl-grade-") as scratch,
        undumpable(),
        Grader(isolation, secret=seed) as grader,
    ):
        found = list(marks(got, assignment.exercises, others, grader, Path(scratch)))
    return _tell(args, assignment, got, found, isolation)


def _tell(
    args: argparse.Namespace,
    assignment: "Assignment",
    got: "Submission",
    found: "list[Mark]",
    isolation: int,
) -> int:
    """Print what one submission came to; the exit status."""
    from ..grading.feedback import blocks, plain_text
    from ..grading.results import Points, scored, total

    rows = [scored(one, Points(assignment.exercises[one.id].points)) for one in found]
    whole = total(rows)
    if args.json:
        came = {"ignored": list(got.ignored), "notes": list(got.notes)}
        as_json({"schema": 1, **whole, "isolation": isolation, "submission": came})
    else:
        titles = {label: e.title for label, e in assignment.exercises.items()}
        told = {"id": args.path.name, "notes": got.notes, "ignored": got.ignored}
        print(plain_text(blocks({"graded": whole, "submission": told}, titles, cases=True)))
    if any(one.status == "harness-error" for one in found):
        return 3
    return 0 if all(one.status == "pass" for one in found) else 1


def _grade_class(args: argparse.Namespace) -> int:
    from ..check import positive
    from ..grading.classroom import Setting, mark_all
    from ..grading.crew import Order
    from ..grading.gradebook import roster
    from ..grading.intake import arrivals
    from ..grading.store import Store, held
    from ..grading.unattended import known, level, secret
    from ..grading.writeup import write_up

    jobs = positive(args.jobs, "-j") if args.jobs is not None else os.cpu_count() or 1
    assignment = _assignment(args)
    others = known(assignment)
    people = roster(args.roster, _zone(assignment)) if args.roster else []
    arrived = arrivals(args.folder, {label: e.path for label, e in others.items()}, args.out)
    seed = secret(args.secret)
    with held(args.out), _stoppable():
        guarded = _guarded(args.folder, args.out, args.secret, args.assignment)
        courses = {e.course.table.parent for e in others.values() if not e.course.package}
        order = Order(level(args.isolation, guarded), seed, tuple(sorted(courses)))
        setting = Setting(assignment, others, order, jobs)
        store = Store(args.out)
        with GradingBoard() as board:
            entrants = mark_all(setting, store, arrived, board.show)
            flags = (
                _compare(setting, store, [a.id for a in arrived], board) if args.similarity else {}
            )
        outcome = write_up(setting, store, entrants, people, not seed or args.release, flags)
    return _tell_class(args, assignment, outcome)


def _compare(
    setting: "Setting", store: "Store", ids: list[str], board: GradingBoard
) -> dict[str, str]:
    """Write similarity.md; return why to look at some of the submissions."""
    from ..grading.similarity import compared, graded_files
    from ..grading.store import put

    def files(who: str) -> dict[str, bytes]:
        return graded_files(store.root / "files" / who, setting.exercises)

    text, flags = compared(ids, files, setting.exercises, setting.order.isolation, board.say)
    put(store.root / "similarity.md", text)
    return flags


def _zone(assignment: "Assignment") -> "tzinfo | None":
    """That of the first deadline: roster times without an offset are meant so."""
    due = [when for when in assignment.deadlines.values() if when]
    return due[0].tzinfo if due else None


@contextmanager
def _stoppable() -> Iterator[None]:
    """A polite request to end is as Ctrl-C; afterwards it is told how to go on."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        print("what is graded is kept; the same command goes on from there", file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_class(args: argparse.Namespace, assignment: "Assignment", outcome: "Outcome") -> int:
    came = [row for row in outcome.rows if row.came]
    most = sum(e.points for e in assignment.exercises.values())
    scores = sorted(sum(row.scores.values()) for row in came)
    middle = scores[len(scores) // 2] if scores else 0.0
    print(f"{len(came)} submissions graded: median {middle:g} of {most} points")
    missing = len(outcome.rows) - len(came)
    flagged = sum(bool(row.attention) for row in outcome.rows)
    if missing:
        print(f"{missing} on the roster handed nothing in")
    for line in outcome.changed[:20]:
        print(f"changed: {line}")
    if flagged:
        print(f"{flagged} need attention: {args.out / 'summary.md'}")
    print(f"Next: {args.out / 'gradebook.csv'}, and reports/ID/report.html for each student")
    if outcome.faults:
        print(
            f"{outcome.faults} exercises could not be graded: faults of the grader", file=sys.stderr
        )
        return 3
    return 0


def _gradescope(args: argparse.Namespace) -> int:
    from ..check import InputError
    from ..grading.files import replace
    from ..grading.gradescope import archive
    from ..grading.unattended import secret

    if not 1 <= args.minutes <= 60:
        raise InputError(f"--minutes: need 1 to 60, got {args.minutes:g}")
    assignment = _assignment(args)
    file = args.assignment.read_bytes() if args.assignment else None
    seed = secret(args.secret)
    data = archive(assignment, file, seed, args.isolation, args.minutes)
    replace(args.out, data)
    points = sum(e.points for e in assignment.exercises.values())
    says = f"{len(assignment.exercises)} exercises, {points} points"
    print(f"{args.out}: {says}, {len(data) >> 10} KiB")
    print("Next: Gradescope, your assignment, Configure Autograder, upload it as the zip")
    return 0
