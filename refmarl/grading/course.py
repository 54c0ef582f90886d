"""Where exercises come from: refmarl's own course, a folder of your own, an installed package."""

import os
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from ..check import InputError

TABLE = "exercises.toml"
KINDS = ("exercises", "solutions", "specs", "docs", "accept")
ACCEPT = Path("tests", "grading", "accept")  # in a checkout
GROUP = "refmarl.exercises"  # entry points: name = package whose folder is a course
VARIABLE = "REFMARL_COURSE"


@dataclass(frozen=True)
class Course:
    """The places of a course: its table, and the folders ``exercises`` to ``accept``.

    ``accept`` holds right answers in other words, a file for an exercise. ``package`` is what its
    specifications are modules of; empty where they are loose files.
    """

    name: str
    table: Path
    exercises: Path
    solutions: Path
    specs: Path
    docs: Path
    accept: Path
    package: str = ""

    def specs_package(self) -> str:
        """The package to import its specifications from, made up for loose files."""
        if self.package:
            return self.package
        digest = sha256(str(self.specs).encode()).hexdigest()[:12]
        name = f"_refmarl_course_{digest}"
        if name not in sys.modules:
            made = ModuleType(name)
            made.__path__ = [str(self.specs)]
            sys.modules[name] = made
        return name


def folder(kind: str) -> Path:
    """The folder ``exercises``, ``solutions`` or ``docs``: in an installed wheel, or a checkout.

    Raises
    ------
    FileNotFoundError
        If this installation carries none.
    """
    root = Path(str(files("refmarl")))
    for place in (root / f"_{kind}", root.parent / kind):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"this installation of refmarl carries no {kind}")


def own() -> Course:
    """refmarl's own course."""
    root, stubs = Path(str(files("refmarl"))), folder("exercises")
    specs, accept = root / "grading" / "specs", root.parent / ACCEPT
    parts = (stubs / TABLE, stubs, folder("solutions"), specs, folder("docs"), accept)
    return Course("refmarl", *parts, package="refmarl.grading.specs")


def checkout(root: Path) -> Course:
    """refmarl's own course as the checkout ``root`` has it.

    Raises
    ------
    InputError
        If ``root`` is no checkout.
    """
    stubs, specs = root / "exercises", root / "refmarl" / "grading" / "specs"
    if not specs.is_dir() or not (root / "solutions").is_dir():
        raise InputError(f"{root} is no checkout of refmarl: no refmarl/ and solutions/")
    parts = (stubs / TABLE, stubs, root / "solutions", specs, root / "docs", root / ACCEPT)
    return Course("refmarl", *parts, package="refmarl.grading.specs")


def at(root: Path) -> Course:
    """The course in a folder: exercises.toml beside exercises/, solutions/, specs/ and docs/.

    Raises
    ------
    InputError
        If there is no exercises.toml.
    """
    root = root.resolve()
    if not (root / TABLE).is_file():
        raise InputError(f"{root}: no course, for there is no {TABLE}")
    stubs, solutions, specs, docs, accept = (root / kind for kind in KINDS)
    return Course(root.name, root / TABLE, stubs, solutions, specs, docs, accept)


def courses(chosen: Path | None = None) -> list[Course]:
    """The course in the folder ``chosen`` (or in the variable REFMARL_COURSE), and no other;
    without one, refmarl's own and those of installed packages.

    Raises
    ------
    InputError
        If the folder is no course, or an installed one cannot be loaded.
    """
    named = chosen or os.environ.get(VARIABLE)
    if named:
        return [at(Path(named))]
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return [own(), *map(_installed, found)]


def _installed(point: EntryPoint) -> Course:
    try:
        package = str(files(point.value))
    except Exception as error:  # whatever its import raises
        raise InputError(f"the installed course {point.name} ({point.value}): {error}") from None
    return at(Path(package))
