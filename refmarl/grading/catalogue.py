"""The exercises: where they are, what they are worth, and how a stub comes out of a solution."""

import tomllib
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..check import InputError
from ..equations import EQUATIONS, Equation
from .spec import Spec

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
BUG, MENDED = "# BEGIN BUG", "# END BUG"
CLOSES = {BEGIN: END, BUG: MENDED}
WRONG = "# -"  # before a line of a bug, which the stub shows in place of what mends it


@dataclass(frozen=True)
class Exercise:
    """A row of exercises.toml.

    ``folder`` and ``slug`` name its file below exercises/ and solutions/, and the module of its
    specification; ``equation`` is None where the exercise asks for something else than one.
    """

    label: str
    title: str
    folder: str
    slug: str
    docs: str
    function: str
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


def folder(kind: str) -> Path:
    """The folder ``exercises`` or ``solutions``: inside an installed wheel, or of the checkout."""
    packed = Path(str(files("refmarl"))) / f"_{kind}"
    beside = Path(str(files("refmarl"))).parent / kind
    for place in (packed, beside):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"this installation of refmarl carries no {kind}")


def exercises() -> dict[str, Exercise]:
    """Every exercise by label: those of equations in the order of the course, then the others.

    Raises
    ------
    InputError
        If a table of exercises.toml is not an exercise: an unknown field, or a label that is no
        equation and no ``file``, ``title`` and ``docs`` given.
    """
    table = tomllib.loads((folder("exercises") / "exercises.toml").read_text("utf-8"))
    order = [label for label in EQUATIONS if label in table]
    order += sorted(
        (label for label in table if label not in EQUATIONS),
        key=lambda x: str(table[x].get("file")),
    )
    return {label: _exercise(label, table[label]) for label in order}


def _exercise(label: str, table: dict[str, Any]) -> Exercise:
    row: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    equation = EQUATIONS.get(label)
    try:
        if equation:
            docs = f"docs/{equation.folder}/{label}.md"
            return Exercise(
                label,
                equation.title,
                equation.folder,
                equation.slug,
                docs,
                equation=equation,
                **row,
            )
        file = Path(row.pop("file"))
        return Exercise(label, folder=str(file.parent), slug=file.stem, **row)
    except KeyError:
        raise InputError(
            f"exercises.toml: [{label}]: no equation is labelled so, and there is no `file` "
            'such as "s1_games/t03_tests.py"'
        ) from None
    except TypeError as error:
        raise InputError(f"exercises.toml: [{label}]: {error}") from None


def spec(label: str) -> Spec:
    """The property specification of an exercise."""
    exercise = exercises()[label]
    module = import_module(f"refmarl.grading.specs.{exercise.folder}.{exercise.slug}")
    found: Spec = module.SPEC
    return found


def stub(source: str, label: str, function: str) -> str:
    """The student's file: ``source`` with each marked block replaced.

    A block of a solution becomes an error that names the exercise, a bug's block its wrong lines.

    Raises
    ------
    InputError
        If the markers are nested, unclosed or missing, or a bug's block has no wrong line.
    """
    out: list[str] = []
    opened, wrong = "", 0
    for line in source.splitlines():
        mark, indent = line.strip(), line[: len(line) - len(line.lstrip())]
        if mark in CLOSES:
            if opened:
                raise InputError(f"{label}: {mark} inside another block")
            opened, wrong = mark, 0
            if mark == BEGIN:
                out.append(f'{indent}raise NotImplementedError("{label}: {function}")')
        elif mark in CLOSES.values():
            if mark != CLOSES.get(opened) or (opened == BUG and not wrong):
                raise InputError(f"{label}: {mark} closes nothing, or a bug without a wrong line")
            opened = ""
        elif opened == BUG and mark.startswith(WRONG):
            wrong += 1
            out.append((indent + mark.removeprefix(WRONG)[1:]).rstrip())
        elif not opened:
            out.append(line)
    if opened or out == source.splitlines():
        raise InputError(f"{label}: need {BEGIN} … {END} around a solution, {BUG} … {MENDED} a bug")
    return "\n".join(out) + "\n"


def untouched(exercise: Exercise, text: bytes) -> bool:
    """Whether a student's file is the stub as it was handed out, ends of lines and blanks aside."""
    shipped = (folder("exercises") / exercise.path).read_bytes()
    return _lines(text) == _lines(shipped)


def _lines(text: bytes) -> list[bytes]:
    lines = [line.rstrip() for line in text.removeprefix(b"\xef\xbb\xbf").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def stubs() -> dict[Path, str]:
    """{path below exercises/: text} of every stub, from the solutions."""
    solutions = folder("solutions")
    return {
        e.path: stub((solutions / e.path).read_text("utf-8"), e.label, e.function)
        for e in exercises().values()
    }


def start(target: Path) -> tuple[list[Path], list[Path]]:
    """Copy the stubs below ``target``; return (written, left alone because they were there)."""
    written, kept = [], []
    for source in sorted(folder("exercises").rglob("*.py")):
        path = target / source.relative_to(folder("exercises"))
        if path.exists():
            kept.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
        written.append(path)
    return written, kept
