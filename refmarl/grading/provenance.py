"""What a mark depends on: a stored one is used again only while it would come out the same."""

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from .results import SCHEMA, fingerprint, versions

if TYPE_CHECKING:
    from .catalogue import Exercise

PACKAGE = Path(__file__).parents[1]
ENGINE = ("grading/runner.py", "grading/spec.py")  # and what they import
ENGINE_FOLDERS = ("grading/border", "grading/sandbox")


def key(
    exercise: "Exercise", files: Mapping[str, bytes], secret: bytes | None, isolation: int
) -> str:
    """A digest of all that the mark of an exercise depends on.

    The student's file and those beside it, which it may import; the exercise's specification and
    stub, and the library behind them; the grader itself; the hidden seed; the versions of Python
    and of the packages; the level of isolation.
    """
    parts = {
        "schema": SCHEMA,
        "exercise": exercise.label,
        "function": exercise.function,
        "packages": exercise.packages,
        "files": {label: sha256(data).hexdigest() for label, data in files.items()},
        "law": _digest(exercise.course.specs / exercise.path),
        "stub": sha256(exercise.stub().encode()).hexdigest(),
        "engine": _engine(),
        "seed": fingerprint(secret),
        "versions": versions(),
        "isolation": isolation,
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _engine() -> str:
    files = [PACKAGE / name for name in ENGINE]
    for name in ENGINE_FOLDERS:
        files += sorted((PACKAGE / name).rglob("*.py"))
    return sha256("".join(_digest(file) for file in files).encode()).hexdigest()


@cache
def _digest(file: Path) -> str:
    """A digest of a module's source and of all sources that it imports, directly or not."""
    digest = sha256()
    for path in sorted(closure(file)):
        digest.update(f"{path.name} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def closure(file: Path) -> set[Path]:
    """``file``, the modules of refmarl that it imports and those beside it, and so on."""
    found, queue = {file}, [file]
    for path in queue:
        new = _imported(path) - found
        found |= new
        queue += sorted(new)
    return found


@cache
def _imported(path: Path) -> set[Path]:
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found |= set(_absolute(alias.name))
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if node.level:
                base = path.parents[node.level - 1]
                found |= set(_modules(base, (node.module or "").split("."), names))
            else:
                found |= set(_absolute(node.module or "", names))
    return found - {path}


def _absolute(module: str, names: list[str] | None = None) -> Iterator[Path]:
    top, _, rest = module.partition(".")
    if top == PACKAGE.name:
        yield from _modules(PACKAGE, rest.split("."), names or [])


def _modules(base: Path, parts: list[str], names: list[str]) -> Iterator[Path]:
    """The files of ``base``.parts, of the packages on the way, and of names that are modules."""
    parts = [part for part in parts if part]
    for k in range(len(parts) + 1):
        here = base.joinpath(*parts[:k])
        yield from (p for p in (here / "__init__.py", here.with_suffix(".py")) if p.is_file())
    inside = base.joinpath(*parts)
    for name in names:
        options = (inside / f"{name}.py", inside / name / "__init__.py")
        yield from (p for p in options if p.is_file())
