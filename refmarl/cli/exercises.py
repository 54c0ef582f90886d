"""The student's verbs: ``start``, ``check``, ``hint``, ``solution``, ``reset``, ``progress``,
``doctor``, ``submit``.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _check, _desk
from ._output import as_json, example

if TYPE_CHECKING:
    from ..grading.catalogue import Exercise


def add(verbs: Any) -> None:
    """Declare the verbs."""
    _add_start(verbs)
    _add_check(verbs)
    _add_about_one(verbs)
    _add_about_all(verbs)


def _add_start(verbs: Any) -> None:
    start = verbs.add_parser(
        "start",
        help="copy the exercises into a folder of your own",
        description="Writes the exercises and the pages that they refer to. A file that is there "
        "already is left alone, so that it may be called again at any time.",
        **example("refmarl start mywork"),
    )
    start.add_argument("folder", type=Path, metavar="DIR")
    _desk.options(start, folder=False)
    start.add_argument("--json", action="store_true", help="print JSON")
    start.set_defaults(run=_start)


def _add_check(verbs: Any) -> None:
    check = verbs.add_parser(
        "check",
        help="hold your answers against the laws that they must obey",
        description="Without an exercise, all that are begun and whose requirements are passed. "
        "Ends with 0 if all pass, 1 if some fail, 2 if it was not understood, 3 if refmarl itself "
        "failed. Your code runs in a process of its own, without further protection.",
        **example("refmarl check nash, refmarl check s1_games/e03_nash.py --watch"),
    )
    check.add_argument(
        "exercise", nargs="*", metavar="EXERCISE", help="labels, tags or files, such as nash"
    )
    check.add_argument(
        "--case", action="store_true", help="write the counterexample as a program beside the file"
    )
    check.add_argument(
        "--watch", action="store_true", help="check again whenever you save; keys: h n l c x q"
    )
    _desk.options(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=_check_verb)


def _add_about_one(verbs: Any) -> None:
    for name, run, text, says in (
        ("hint", _hint, "the next hint to an exercise", "refmarl hint nash"),
        ("solution", _solution, "the solution of an exercise you passed", "refmarl solution nash"),
        ("reset", _reset, "begin an exercise anew; yours is kept beside it", "refmarl reset nash"),
    ):
        verb = verbs.add_parser(name, help=text, **example(says))
        verb.add_argument("exercise", metavar="EXERCISE", help="its label, tag or file")
        if name == "hint":
            verb.add_argument("number", nargs="?", type=int, help="which, instead of the next")
        if name == "solution":
            verb.add_argument(
                "--give-up", action="store_true", help="show it before you passed; is recorded"
            )
        _desk.options(verb)
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(run=run)


def _add_about_all(verbs: Any) -> None:
    progress = verbs.add_parser(
        "progress", help="how far you are, and what is next", **example("refmarl progress --all")
    )
    progress.add_argument("--all", action="store_true", help="every exercise, not sections only")
    progress.set_defaults(run=_progress)
    submit = verbs.add_parser(
        "submit",
        help="pack the exercises that you began into a zip to hand in",
        description="The zip holds the exercises' files and a list of them, nothing else. The "
        "same work gives the same bytes. What check says is provisional: your work is graded "
        "again, on inputs that you have not seen.",
        **example("refmarl submit --out homework1.zip"),
    )
    submit.add_argument(
        "--out", type=Path, metavar="FILE", help="default: submission.zip in your folder"
    )
    submit.set_defaults(run=_submit)
    for verb in (progress, submit):
        _desk.options(verb)
        verb.add_argument("--json", action="store_true", help="print JSON")
    doctor = verbs.add_parser(
        "doctor",
        help="whether exercises can be checked here, and how well strangers' code is fenced in",
        description="Prints versions, what a test program could do at each level of isolation, and "
        "tries the checker. Ends with 3 if the checker fails, 1 if --require is not met.",
        **example("refmarl doctor --require 1"),
    )
    doctor.add_argument(
        "--require", type=int, choices=(0, 1, 2), default=0, help="the isolation that must hold"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)


def _start(args: argparse.Namespace) -> int:
    from ..grading.workfolder import start

    _, chosen = _desk.chosen(args)
    written, kept = start(args.folder, chosen.values())
    if args.assignment:
        _desk.give(args.assignment, args.folder)
    if args.json:
        names = {"written": written, "kept": kept}
        rows = {key: [p.as_posix() for p in paths] for key, paths in names.items()}
        as_json({"folder": str(args.folder), **rows})
        return 0
    print(f"{len(written)} exercises written to {args.folder}, their pages to {args.folder}/docs")
    if kept:
        print(f"{len(kept)} were there already and were left alone")
    first = next(iter(chosen.values()))
    print(f"Next: cd {args.folder}, edit {first.path.as_posix()}, refmarl check {first.label}")
    return 0


def _check_verb(args: argparse.Namespace) -> int:
    from . import expected

    try:
        return _check.run(args)
    except Exception as error:
        if expected(error):
            raise
        return _check.fault(error)


def _hint(args: argparse.Namespace) -> int:
    desk = _desk.sit(args, [args.exercise])
    exercise = desk.exercise(args.exercise)
    number, text = hint(desk, exercise, args.number)
    if args.json:
        row = {"id": exercise.label, "number": number, "hints": len(exercise.hints)}
        as_json({**row, "hint": text})
    else:
        print(text)
    return 0


def hint(desk: _desk.Desk, exercise: "Exercise", number: int | None = None) -> tuple[int, str]:
    """The next hint, or one by its number, with where it stands among all; it is counted.

    Raises
    ------
    KeyError
        If there is no hint of this number.
    """
    label, hints = exercise.label, exercise.hints
    seen = desk.state.of(label).hints
    if number is not None and not 1 <= number <= len(hints):
        raise KeyError(f"{label} has hints 1 to {len(hints)}, asked for {number}")
    if not hints:
        return 0, f"{label} has no hints; its page is {_desk.page(exercise, desk)}"
    k = number or min(seen + 1, len(hints))
    desk.state.change(label, hints=max(seen, k))
    desk.save()
    more = "" if k < len(hints) else f"\nThat was the last. refmarl solution {label} --give-up"
    return k, f"{label}, hint {k} of {len(hints)}: {hints[k - 1]}{more}"


def _solution(args: argparse.Namespace) -> int:
    from ..check import InputError
    from ..grading.stubs import solved

    desk = _desk.sit(args, [args.exercise])
    exercise = desk.exercise(args.exercise)
    record = desk.state.of(exercise.label)
    if not exercise.solution.is_file():
        raise InputError(f"{exercise.label}: its course carries no solution")
    if not record.passed and not args.give_up:
        raise InputError(
            f"{exercise.label} is not passed yet; --give-up shows the solution all the same, and "
            "is recorded"
        )
    if not record.passed:
        desk.state.change(exercise.label, gave_up=True)
        desk.save()
    text = solved(exercise.solution.read_text("utf-8"))
    if args.json:
        as_json({"id": exercise.label, "gave_up": not record.passed, "solution": text})
    else:
        print(text, end="")
    return 0


def _reset(args: argparse.Namespace) -> int:
    from ..grading.workfolder import reset

    desk = _desk.sit(args, [args.exercise])
    exercise = desk.exercise(args.exercise)
    path = desk.path(exercise)
    kept = reset(exercise, path)
    if args.json:
        as_json({"id": exercise.label, "path": str(path), "kept": str(kept) if kept else None})
        return 0
    print(f"{path} is as it was handed out" + (f"; yours is kept as {kept.name}" if kept else ""))
    return 0


def _progress(args: argparse.Namespace) -> int:
    from . import _standing

    return _standing.progress(_desk.sit(args), args.all, args.json)


def _submit(args: argparse.Namespace) -> int:
    from . import _standing

    return _standing.submit(_desk.sit(args), args.out, args.json)


def _doctor(args: argparse.Namespace) -> int:
    from . import _doctor

    return _doctor.run(args.require, args.json)
