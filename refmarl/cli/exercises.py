"""The student's verbs ``start``, ``check``, ``hint``, and the author's ``dev sync``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import example

if TYPE_CHECKING:
    from ..grading.catalogue import Exercise


def add(verbs: Any) -> None:
    """Declare the verbs."""
    start = verbs.add_parser(
        "start",
        help="copy the exercises into a folder of your own",
        **example("refmarl start mywork"),
    )
    start.add_argument("folder", type=Path, metavar="DIR")
    start.set_defaults(run=_start)
    check = verbs.add_parser(
        "check",
        help="hold your answers against the laws that they must obey",
        description="Without an exercise, all that are started. Runs your file in this process.",
        **example("refmarl check nash --dir mywork"),
    )
    check.add_argument("exercise", nargs="*", metavar="EXERCISE", help="labels, such as nash")
    check.add_argument("--dir", type=Path, default=Path(), help="your folder (default: here)")
    check.set_defaults(run=_check)
    hint = verbs.add_parser(
        "hint", help="the hints to an exercise, one at a time", **example("refmarl hint nash 2")
    )
    hint.add_argument("exercise", metavar="EXERCISE")
    hint.add_argument("number", nargs="?", type=int, default=1, help="which hint (default: 1)")
    hint.set_defaults(run=_hint)
    dev = verbs.add_parser(
        "dev",
        help="for authors: rewrite what is generated from its source",
        description="sync rewrites the stubs in exercises/ from solutions/, the ledger's snapshot, "
        "docs/equations.md and the exercises' table. Run it in a checkout.",
        **example("refmarl dev sync --check"),
    )
    dev.add_argument("action", choices=["sync"])
    dev.add_argument("--check", action="store_true", help="change nothing; exit 1 on a difference")
    dev.set_defaults(run=_dev)


def _start(args: argparse.Namespace) -> int:
    from ..grading.catalogue import exercises
    from ..grading.workfolder import start

    written, kept = start(args.folder, exercises().values())
    print(f"{len(written)} exercises written to {args.folder}")
    if kept:
        print(f"{len(kept)} were there already and were left alone")
    print(f"Next: edit {sorted(written + kept)[0]}, then refmarl check --dir {args.folder}")
    return 0


def _exercise(name: str) -> "Exercise":
    from ..equations import find
    from ..grading.catalogue import exercises

    known = exercises()
    if name in known:
        return known[name]
    try:
        label = find(name).label
    except KeyError as error:
        raise KeyError(f"{error.args[0]}; `refmarl list exercises` has them all") from None
    if label not in known:
        raise KeyError(f"{label} has no exercise yet; there are {', '.join(known)}")
    return known[label]


def _find(exercise: "Exercise", folder: Path) -> Path:
    """The student's file of an exercise: below the folder, or below its exercises/."""
    inside = folder / "exercises" / exercise.path
    return inside if inside.is_file() else folder / exercise.path


def _check(args: argparse.Namespace) -> int:
    from ..grading.catalogue import exercises
    from ..grading.report import report
    from ..grading.runner import check

    chosen = [_exercise(name) for name in args.exercise] or list(exercises().values())
    score = total = failed = 0.0
    paths = {e.label: _find(e, args.dir) for e in chosen}
    if not any(path.is_file() for path in paths.values()):
        raise FileNotFoundError(
            f"{args.dir}: holds no exercise asked for; `refmarl start DIR` makes some, --dir DIR "
            "says where they are"
        )
    for exercise in chosen:
        path = paths[exercise.label]
        total += exercise.points
        if not path.is_file():
            print(f"{exercise.label}: no file {path}")
            failed += bool(args.exercise)
            continue
        result = check(exercise, path)
        score += result.score
        skipped = result.status == "not-started" and not args.exercise
        failed += result.status != "pass" and not skipped
        trail = ""
        if result.status == "fail":
            trail = f"\n  Read: {exercise.docs}   More: refmarl hint {exercise.label}"
        print(report(result, path, trail), flush=True)
    print(f"\n{score:g} of {total:g} points")
    return 1 if failed else 0


def _hint(args: argparse.Namespace) -> int:
    hints = _exercise(args.exercise).hints
    if not 1 <= args.number <= len(hints):
        raise KeyError(f"{args.exercise} has hints 1 to {len(hints)}, asked for {args.number}")
    print(hints[args.number - 1])
    if args.number < len(hints):
        print(f"(next: refmarl hint {args.exercise} {args.number + 1})")
    return 0


def _dev(args: argparse.Namespace) -> int:
    from ..grading.generated import stale

    root = Path.cwd()
    if not (root / "solutions").is_dir() or not (root / "refmarl").is_dir():
        raise NotADirectoryError(f"{root} is no checkout of refmarl: no refmarl/ and solutions/")
    changed = stale(root, write=not args.check)
    for line in changed:
        print(line, file=sys.stderr if args.check else sys.stdout)
    return 1 if args.check and changed else 0
