"""What every verb of a student needs: the exercises asked for, the folder, what was done so far."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..grading.catalogue import Exercise
    from ..grading.progress import State
    from ..grading.runner import Grader, Result


@dataclass
class Desk:
    """``known`` are all exercises, ``chosen`` those of the assignment, if there is one."""

    known: "dict[str, Exercise]"
    chosen: "dict[str, Exercise]"
    title: str
    folder: Path
    state: "State"
    grader: "Grader | None" = None

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *error: object) -> None:
        if self.grader:
            self.grader.__exit__(*error)

    def judge(self, exercise: "Exercise") -> "Result":
        """Hold the student's answer against its laws; what checks share is made once."""
        if self.grader is None:
            from ..grading.runner import Grader

            self.grader = Grader().__enter__()
        return self.grader.check(exercise, self.path(exercise))

    def path(self, exercise: "Exercise") -> Path:
        """The student's file."""
        return self.folder / exercise.path

    def exercise(self, name: str) -> "Exercise":
        """The exercise with this label, tag or file, with the points it has here."""
        found = find(name, self.known)
        return self.chosen.get(found.label, found)

    def save(self) -> None:
        """Keep what was done; where that cannot be written, say so and go on."""
        if any(self.folder == e.course.solutions.resolve() for e in self.known.values()):
            return
        try:
            self.state.save()
        except OSError as error:
            print(f"refmarl: progress is not kept: {error}", file=sys.stderr)


def options(verb: argparse.ArgumentParser, folder: bool = True) -> None:
    """Declare where the student's folder is and which exercises are meant."""
    if folder:
        verb.add_argument("--dir", type=Path, help="your folder (default: here, or above)")
    verb.add_argument(
        "--course", type=Path, metavar="FOLDER", help="a folder with exercises of its own"
    )
    verb.add_argument(
        "--assignment", type=Path, metavar="FILE", help="only what this file chooses (TOML)"
    )


def chosen(
    args: argparse.Namespace, given: Path | None = None
) -> "tuple[str, dict[str, Exercise]]":
    """The title and the exercises of the assignment; all of the course without one."""
    from ..grading.assignment import load
    from ..grading.catalogue import exercises

    path = args.assignment or given
    if path is None:
        return "", exercises(args.course)
    work = load(path, args.course)
    return work.title, work.exercises


def sit(args: argparse.Namespace, names: Iterable[str] = ()) -> Desk:
    """The desk of these arguments; a file among ``names`` says where the folder is.

    Raises
    ------
    InputError
        If there is no exercise in the folder or above it, or the assignment is none.
    """
    from ..grading.catalogue import exercises
    from ..grading.progress import load
    from ..grading.workfolder import GIVEN, home

    known = exercises(args.course)
    files = [Path(name).parent for name in names if Path(name).is_file()]
    start = args.dir or next(iter(files), Path())
    if args.assignment:
        known = known | chosen(args)[1]
    folder = home(start, known.values(), above=args.dir is None)
    given = folder / GIVEN
    title, picked = chosen(args, given if given.is_file() else None)
    return Desk(known | picked, picked, title, folder, load(folder))


def give(assignment: Path, folder: Path) -> None:
    """Keep the assignment in the student's folder, where the other verbs find it."""
    from ..grading.files import replace
    from ..grading.workfolder import GIVEN

    text = assignment.read_text("utf-8")
    beside = assignment.parent.resolve()
    text = re.sub(
        r'^course *= *"(.*)"',
        lambda m: f"course = {json.dumps(str(beside / m[1]))}",
        text,
        flags=re.M,
    )
    replace(folder / GIVEN, text)


def find(name: str, known: "Mapping[str, Exercise]") -> "Exercise":
    """The exercise with this label, the tag of its equation, or its file.

    Raises
    ------
    KeyError
        If there is none; the nearest name is told.
    """
    from ..grading.workfolder import named

    if name in known:
        return known[name]
    if name.endswith(".py"):
        by_file = named(Path(name), known.values())
        if by_file:
            return by_file
    for exercise in known.values():
        if exercise.equation and exercise.equation.tag == name:
            return exercise
    raise KeyError(_unknown(name, known))


def _unknown(name: str, known: "Mapping[str, Exercise]") -> str:
    from difflib import get_close_matches

    from ..equations import EQUATIONS

    if name in EQUATIONS:
        return f"{name} has no exercise; `refmarl list exercises` has them all"
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else "`refmarl list exercises` has them all"
    return f"no exercise {name!r}; {hint}"


def page(exercise: "Exercise", desk: Desk) -> str:
    """Where its page is read: in the student's folder, else where refmarl is installed."""
    beside = desk.folder / exercise.docs
    if beside.is_file():
        return exercise.docs
    return str(exercise.page) if exercise.page.is_file() else ""


MARKS: Mapping[str, tuple[str, str]] = {  # by status: a sign, and its colour on a terminal
    "pass": ("●", "32"),
    "fail": ("◐", "33"),
    "not-started": ("○", ""),
    "blocked": ("⊘", ""),
    "harness-error": ("!", "35"),
}


def mark(status: str, paint: bool) -> str:
    """The sign of a status."""
    sign, colour = MARKS.get(status, ("✗", "31"))
    return f"\x1b[{colour}m{sign}\x1b[0m" if paint and colour else sign


def painted(text: str, paint: bool) -> str:
    """A report with its signs in colour."""
    if not paint:
        return text
    for sign, colour in (("✓", "32"), ("✗", "31")):
        text = text.replace(f"  {sign} ", f"  \x1b[{colour}m{sign}\x1b[0m ")
    return text


def colourful(stream: Any = None) -> bool:
    """Whether to paint: on a terminal, unless NO_COLOR is set."""
    import os

    return (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR")
