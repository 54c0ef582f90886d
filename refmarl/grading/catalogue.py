"""The exercises: where they come from, what they are worth, what must have been done before."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..check import InputError
from ..equations import EQUATIONS, Equation
from .course import TABLE, Course, courses, folder, own
from .stubs import stub

if TYPE_CHECKING:
    from .spec import Spec

__all__ = ["Exercise", "exercises", "folder", "spec", "stub", "stubs", "table", "untouched"]


@dataclass(frozen=True)
class Exercise:
    """A row of exercises.toml.

    ``folder`` and ``slug`` name its file below exercises/ and solutions/, and the module of its
    specification; ``docs`` is its page; ``equation`` is None where the exercise asks for
    something else than one; ``course`` says where all of these are.
    """

    label: str
    title: str
    folder: str
    slug: str
    docs: str
    function: str
    course: Course
    equation: Equation | None = None
    points: int = 10
    minutes: int = 20
    packages: tuple[str, ...] = ("numpy",)
    requires: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Its file, relative to the exercises' folder."""
        return Path(self.folder) / f"{self.slug}.py"

    @property
    def solution(self) -> Path:
        """The file of its solution."""
        return self.course.solutions / self.path

    @property
    def page(self) -> Path:
        """The file of its page, which an installation need not hold."""
        return self.course.docs / self.docs.partition("#")[0].removeprefix("docs/")

    def stub(self) -> str:
        """What the student gets: made from the solution, or the file where there is none.

        Raises
        ------
        InputError
            If the solution's markers are wrong.
        """
        if not self.solution.is_file():  # a course that is given to students without them
            return (self.course.exercises / self.path).read_text("utf-8")
        name = (Path("solutions") / self.path).as_posix()
        return stub(self.solution.read_text("utf-8"), self.label, self.function, name)


def exercises(course: Path | None = None) -> dict[str, Exercise]:
    """Every exercise by label, in the order of the courses that they are from.

    ``course`` is a folder with exercises of your own (see :func:`refmarl.grading.course.courses`);
    without it these are refmarl's own, in the order of the course, and those of installed packages.

    Raises
    ------
    InputError
        If a row of exercises.toml is no exercise, or two courses use one label.
    """
    found: dict[str, Exercise] = {}
    for one in courses(course):
        for label, exercise in table(one).items():
            if label in found:
                names = f"{found[label].course.name} and {one.name}"
                raise InputError(f"{names} both have an exercise {label}; a label is used once")
            found[label] = exercise
    return found


def table(course: Course) -> dict[str, Exercise]:
    """The exercises of one course, those of equations in their order, then the others by file.

    Raises
    ------
    InputError
        If a row of exercises.toml is no exercise: no TOML, an unknown or a missing field, a label
        that is no equation and no ``file`` and ``title`` given, something required that is not
        there or requires it in turn.
    """
    try:
        rows = tomllib.loads(course.table.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{course.table}: {error}") from None
    order = [label for label in EQUATIONS if label in rows]
    rest = (label for label in rows if label not in EQUATIONS)
    for label, row in rows.items():
        if not isinstance(row, dict):
            raise InputError(f"{TABLE}: {label}: need a table [{label}], got {row!r}")
    order += sorted(rest, key=lambda label: str(rows[label].get("file")))
    found = {label: _exercise(course, label, rows[label]) for label in order}
    for exercise in found.values():
        for other in exercise.requires:
            if other not in found and other not in EQUATIONS:
                raise _wrong(exercise.label, f"requires {other!r}, which is no exercise")
    try:
        TopologicalSorter({label: e.requires for label, e in found.items()}).prepare()
    except CycleError as error:
        raise InputError(f"{TABLE}: requires goes round: {' → '.join(error.args[1])}") from None
    return found


def _wrong(label: str, says: str) -> InputError:
    return InputError(f"{TABLE}: [{label}]: {says}")


FREE = {"label", "folder", "slug", "course", "equation"}  # these do not stand in the table
KINDS = {"points": int, "minutes": int, "packages": list, "requires": list, "hints": list}


def _exercise(course: Course, label: str, row: dict[str, Any]) -> Exercise:
    equation = EQUATIONS.get(label) if course.package else None
    known = {f.name for f in fields(Exercise)} - FREE
    known = known - {"title", "docs"} if equation else known | {"file"}
    for key, value in row.items():
        if key not in known:
            raise _wrong(label, f"unknown field {key!r}; there are {', '.join(sorted(known))}")
        kind = KINDS.get(key, str)
        if type(value) is not kind or not _FITS[kind](value):
            raise _wrong(label, f"{key}: need {_NEEDS[kind]}, got {value!r}")
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    if "function" not in given:
        raise _wrong(label, "no `function`, the name of what a student writes")
    if equation:
        place, docs = equation.folder, f"docs/{equation.folder}/{label}.md"
        given |= {"title": equation.title, "docs": docs, "equation": equation}
        return Exercise(label, folder=place, slug=equation.slug, course=course, **given)
    return _without_equation(course, label, given)


_NEEDS = {int: "a whole number above 0", list: "a list of texts", str: "a text"}
_FITS: dict[type, Callable[[Any], bool]] = {
    int: lambda value: value > 0,
    list: lambda value: all(isinstance(x, str) for x in value),
    str: bool,
}


def _without_equation(course: Course, label: str, given: dict[str, Any]) -> Exercise:
    if label in EQUATIONS:
        raise _wrong(label, "an equation of refmarl's course is labelled so; choose another label")
    if "file" not in given:
        says = 'no equation is labelled so, and there is no `file` such as "s1_games/t03_tests.py"'
        raise _wrong(label, says)
    if "title" not in given:
        raise _wrong(label, "no `title`")
    file = Path(given.pop("file"))
    if file.suffix != ".py" or not all(x.isidentifier() for x in file.with_suffix("").parts):
        raise _wrong(label, f'file: need names such as "s1_games/t03_tests.py", got "{file}"')
    place = file.parent.as_posix()
    given.setdefault("docs", f"docs/{file.with_suffix('.md').as_posix()}")
    return Exercise(label, folder=place, slug=file.stem, course=course, **given)


def spec(exercise: Exercise | str) -> "Spec":
    """The specification of an exercise, given as such or by the label.

    Raises
    ------
    InputError
        If there is none in the exercise's course, or it is that of another exercise.
    """
    from .spec import Spec  # not above: hints and progress need no NumPy

    found = exercises()[exercise] if isinstance(exercise, str) else exercise
    package = found.course.specs_package()
    name = ".".join((package, *found.path.with_suffix("").parts))
    where = f"{found.course.specs / found.path}"
    try:
        law = getattr(import_module(name), "SPEC", None)
    except ModuleNotFoundError as error:
        if not name.startswith(str(error.name)):
            raise
        raise InputError(f"{found.label}: no specification; need {where}") from None
    if not isinstance(law, Spec):
        raise InputError(f"{where}: need SPEC, a Spec, got {law!r}")
    if (law.exercise, law.function) != (found.label, found.function):
        got, need = f"{law.exercise}: {law.function}", f"{found.label}: {found.function}"
        raise InputError(f"{where}: the SPEC of {got}, need that of {need}")
    return law


def untouched(exercise: Exercise, text: bytes) -> bool:
    """Whether a student's file is the stub as it was handed out, ends of lines and blanks aside."""
    return _lines(text) == _lines(exercise.stub().encode())


def _lines(text: bytes) -> list[bytes]:
    lines = [line.rstrip() for line in text.removeprefix(b"\xef\xbb\xbf").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def stubs(course: Course | None = None) -> dict[Path, str]:
    """{path below exercises/: text} of every stub of a course, from its solutions."""
    return {e.path: e.stub() for e in table(course or own()).values()}
