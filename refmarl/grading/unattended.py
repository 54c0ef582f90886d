"""Grading strangers' work with nobody watching: how far they are kept in, and the hidden seed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..check import InputError
from .assignment import Assignment
from .catalogue import Exercise, table, untouched
from .intake import Submission
from .results import Mark
from .sandbox import probe, reached, require
from .worker import Holder, graded

LEVELS = ("auto", "none", "1", "2")
MIN_SECRET, MAX_SECRET = 16, 4096


def level(wanted: str, guarded: tuple[Path, ...] = ()) -> int:
    """The level of isolation to grade at; below 1 only where that is what was asked for.

    ``guarded`` are files and folders that no submission may be able to read.

    Raises
    ------
    InputError
        If the level does not hold on this machine.
    """
    if wanted == "none":
        return 0
    if wanted != "auto":
        return require(int(wanted), guarded).level
    best = reached(guarded).level
    if best < 1:
        raise InputError(
            f"{probe(1, guarded).says}; grade in a container that has it, or type "
            "--isolation=none for submissions that you would run yourself"
        )
    return best


def secret(path: Path | None) -> bytes | None:
    """The hidden seed in a file, None without one.

    Raises
    ------
    InputError
        If it is shorter than 16 or longer than 4096 bytes.
    """
    if path is None:
        return None
    with path.open("rb") as file:
        found = file.read(MAX_SECRET + 1).strip()
    if not MIN_SECRET <= len(found) <= MAX_SECRET:
        raise InputError(f"{path}: need {MIN_SECRET} to {MAX_SECRET} bytes that nobody can guess")
    return found


def known(assignment: Assignment) -> dict[str, Exercise]:
    """Every exercise of the courses that an assignment chose from: an answer may import others."""
    found: dict[str, Exercise] = {}
    for course in dict.fromkeys(e.course for e in assignment.exercises.values()):
        found |= table(course)
    return found | assignment.exercises


def without_grading(got: Submission, exercise: Exercise) -> Mark | None:
    """The mark of a file that is missing, no source file, or still as it was handed out."""
    if exercise.label in got.refused:
        says = f"{exercise.path.as_posix()} {got.refused[exercise.label]}"
        return Mark(exercise.label, "error", message=says)
    data = got.files.get(exercise.label)
    if data is None or untouched(exercise, data):
        return Mark(exercise.label, "not-started")
    return None


def marks(
    got: Submission,
    chosen: Mapping[str, Exercise],
    others: Mapping[str, Exercise],
    holder: Holder,
    scratch: Path,
) -> Iterator[Mark]:
    """The marks of one submission, an exercise at a time; its files are copied below ``scratch``.

    ``others`` are the exercises that ``got`` was read for, ``chosen`` those that are graded.
    """
    for label, data in got.files.items():
        path = scratch / others[label].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for exercise in chosen.values():
        ready = without_grading(got, exercise)
        yield ready or graded(holder, exercise, scratch / exercise.path)
