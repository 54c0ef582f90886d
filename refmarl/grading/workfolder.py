"""A student's folder of exercises: making it, finding files in it, giving a stub back."""

from collections.abc import Collection, Iterable
from itertools import count
from pathlib import Path

from ..check import InputError
from .catalogue import Exercise
from .files import replace

REFERENCE = ("api", "_site")  # of docs/: about the package, not for students
GIVEN = "assignment.toml"  # in the folder: what it was started with


def start(target: Path, chosen: Iterable[Exercise]) -> tuple[list[Path], list[Path]]:
    """Copy stubs and pages below ``target``: (stubs written, stubs left alone as they were there).

    Raises
    ------
    InputError
        If ``target`` is no folder.
    """
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: is a file; need the name of a folder")
    written: list[Path] = []
    kept: list[Path] = []
    chosen = list(chosen)
    for exercise in chosen:
        path = target / exercise.path
        put = _put(exercise.stub().encode(), path)
        (written if put else kept).append(path)
    for docs in {exercise.course.docs for exercise in chosen}:
        for page in sorted(docs.rglob("*")):
            name = page.relative_to(docs)
            if page.suffix in (".md", ".png") and name.parts[0] not in REFERENCE:
                _put(page.read_bytes(), target / "docs" / name)
    return written, kept


def _put(data: bytes, path: Path) -> bool:
    """Write a file where nothing is; return whether nothing was there."""
    if path.exists() or path.is_symlink():
        return False
    replace(path, data)
    return True


def home(folder: Path, known: Collection[Exercise], above: bool = False) -> Path:
    """The student's folder: ``folder``, or its exercises/, whichever holds an exercise or is given
    an assignment.

    With ``above`` it is the nearest such place from ``folder`` up.

    Raises
    ------
    InputError
        If there is none.
    """
    here = folder.resolve()
    for root in (here, *(here.parents if above else ())):
        for place in (root / "exercises", root):
            marks = [Path(GIVEN), *(exercise.path for exercise in known)]
            if any((place / mark).is_file() for mark in marks):
                return place
    raise InputError(
        f"{folder}: holds no exercise; `refmarl start DIR` makes some, --dir DIR says where"
    )


def named(path: Path, known: Iterable[Exercise]) -> Exercise | None:
    """The exercise whose file ``path`` is, by its last folder and its name."""
    tail = path.resolve().parts
    fits = (e for e in known if tail[-len(e.path.parts) :] == e.path.parts)
    return next(fits, None)


def reset(exercise: Exercise, path: Path) -> Path | None:
    """Write the stub to ``path``; return the copy that is kept of what was there, ID.py.bak-N."""
    kept = _spare(path) if path.exists() else None
    if kept:
        replace(kept, path.read_bytes())
    replace(path, exercise.stub())
    return kept


def _spare(path: Path) -> Path:
    """A name for a copy of a file that no file has yet."""
    numbered = (path.with_name(f"{path.name}.bak-{k}") for k in count(1))
    return next(name for name in numbered if not name.exists())
