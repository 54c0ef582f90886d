"""The author's verbs: ``dev new``, ``dev sync``, ``dev verify``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import as_json, example

if TYPE_CHECKING:
    from ..grading.course import Course


def add(verbs: Any) -> None:
    """Declare the verbs."""
    dev = verbs.add_parser(
        "dev",
        help="for authors: begin an exercise, write its stub, hold it against the gates",
        description="In a checkout of refmarl, or anywhere with --course FOLDER for exercises of "
        "your own. docs/exercises/authors.md has an example from nothing.",
        **example("refmarl dev new my-exercise --course mycourse"),
    )
    actions = dev.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_new(actions)
    sync = actions.add_parser(
        "sync",
        help="rewrite what is generated from its source",
        description="Rewrites the stubs in exercises/ from solutions/ and, in a checkout, the "
        "ledger's snapshot and page.",
        **example("refmarl dev sync --check"),
    )
    sync.add_argument("--check", action="store_true", help="change nothing; exit 1 on a difference")
    sync.set_defaults(run=_sync)
    verify = actions.add_parser(
        "verify",
        help="hold exercises against the gates that all must pass",
        **example("refmarl dev verify my-exercise --course mycourse"),
    )
    verify.add_argument("label", nargs="*", metavar="LABEL", help="default: all")
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(run=_verify)
    for action in (sync, verify):
        action.add_argument("--course", type=Path, metavar="FOLDER", help="exercises of your own")


def _add_new(actions: Any) -> None:
    new = actions.add_parser(
        "new",
        help="the four files of a new exercise, to be filled in",
        description="Writes a solution with its markers, a specification with generators and five "
        "mistakes to fill in, a row of exercises.toml and a page. What is there is left alone.",
        **example("refmarl dev new my-exercise --course mycourse"),
    )
    new.add_argument("label", metavar="LABEL", help="small letters and hyphens")
    new.add_argument("--function", help="what the student writes (default: the label)")
    new.add_argument("--title", help="what it is about (default: the label)")
    new.add_argument(
        "--file", help="section/name.py, where it is no equation of the course's ledger"
    )
    new.add_argument("--course", type=Path, metavar="FOLDER", help="made if it is not there")
    new.set_defaults(run=_new)


def _course(folder: Path | None) -> "Course":
    from ..grading.course import at, checkout

    return at(folder) if folder else checkout(Path.cwd())


def _new(args: argparse.Namespace) -> int:
    from ..grading.authoring import Wish, found, new

    course = found(args.course) if args.course else _course(None)
    wish = Wish.of(course, args.label, args.function, args.title, args.file)
    for path in new(course, wish):
        print(f"wrote {path}")
    option = f" --course {args.course}" if args.course else ""
    print(
        f"""
Next:
1. {wish.file}, the solution: the statement, the signature, one example by hand, the block.
2. specs: the cases, the laws, five mistakes that a student makes.
3. exercises.toml: minutes, what it requires, three hints; the page.
4. refmarl dev sync{option}; refmarl dev verify {wish.label}{option}"""
    )
    return 0


def _sync(args: argparse.Namespace) -> int:
    from ..grading.generated import stale, stale_stubs

    course = _course(args.course)
    changed = (
        stale_stubs(course, write=not args.check)
        if args.course
        else stale(Path.cwd(), write=not args.check)
    )
    for line in changed:
        print(line, file=sys.stderr if args.check else sys.stdout)
    return 1 if args.check and changed else 0


def _verify(args: argparse.Namespace) -> int:
    from ..grading.catalogue import table
    from ..grading.verify import gates
    from ._desk import find

    known = table(_course(args.course))
    chosen = [find(name, known) for name in args.label] or list(known.values())
    rows, failed = [], False
    for exercise in chosen:
        found = gates(exercise)
        bad = [gate for gate in found if gate.problem]
        failed = failed or bool(bad)
        rows.append({"id": exercise.label, "gates": [g._asdict() for g in found]})
        if args.json:
            continue
        print(f"{'✗' if bad else '✓'} {exercise.label}: {len(found) - len(bad)} of {len(found)}")
        for gate in bad:
            print(f"    ✗ {gate.says}: {gate.problem}", flush=True)
    if args.json:
        as_json(rows)
    return 1 if failed else 0
