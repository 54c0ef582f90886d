"""The output folder of a class: marks as they are made, durable one by one, and who holds it.

    FOLDER/gradebook.csv, summary.md, run.jsonl, grader.log
    FOLDER/files/<id>/<path of the exercise>      what was graded, and nothing else
    FOLDER/parts/<id>/<label>.json                the mark of one exercise
    FOLDER/reports/<id>/{report.md, report.html, results.json}

A part is written beside its place, flushed to the disk and renamed; it carries the key of all that
it depends on, so that whoever finds it knows whether it still holds.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..check import InputError
from ..training.checkpoint import write
from .results import SCHEMA, Mark

LOCK = ".lock"


@dataclass(frozen=True)
class Part:
    """A stored mark: its key, how often it was graded, the first verdict if another one counts."""

    key: str
    mark: Mark
    seconds: float = 0.0
    tries: int = 1
    first: str = ""

    def data(self) -> bytes:
        """The bytes of its file."""
        timing = {"seconds": self.seconds}
        row = {"schema": SCHEMA, "key": self.key, "tries": self.tries, "first": self.first}
        return text(row | {"graded": self.mark.as_dict(), "timing": timing}).encode()


def text(value: Any) -> str:
    """JSON with sorted keys: equal values are equal bytes."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def put(path: Path, data: bytes | str) -> None:
    """Write a file durably and in one step, unless it holds just this already."""
    data = data.encode() if isinstance(data, str) else data
    with contextlib.suppress(OSError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, lambda file: file.write(data))


class Store:
    """The files of a class below ``root``, which only its owner may read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def part(self, student: str, label: str) -> Path:
        """The file of one mark."""
        return self.root / "parts" / student / f"{label}.json"

    def file(self, student: str, path: Path) -> Path:
        """The copy of a student's file that is graded."""
        return self.root / "files" / student / path

    def report(self, student: str, name: str) -> Path:
        """One of a student's reports."""
        return self.root / "reports" / student / name

    def load(self, student: str, label: str) -> Part | None:
        """The stored mark, if there is a whole one; its key is the caller's to compare."""
        try:
            row = json.loads(self.part(student, label).read_bytes())
            if row["schema"] != SCHEMA:
                return None
            mark = Mark.of(row["graded"])
            seconds = float(row["timing"]["seconds"])
            return Part(row["key"], mark, seconds, row["tries"], row["first"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, student: str, part: Part) -> None:
        """Store a mark."""
        put(self.part(student, part.mark.id), part.data())

    def keep(self, student: str, files: dict[Path, bytes]) -> None:
        """Have exactly ``files`` as the graded files of a student."""
        home = self.root / "files" / student
        with contextlib.suppress(OSError):
            there = {p.relative_to(home) for p in home.rglob("*") if p.is_file()}
            for path in there - files.keys():
                (home / path).unlink()
        for path, data in files.items():
            put(home / path, data)


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Make ``root``, for its owner alone, and hold it against a second grading at the same time.

    The system lets go of the lock when this process ends, however it ends.

    Raises
    ------
    InputError
        If another grading holds it, or it holds something else than an earlier grading.
    OSError
        If it cannot be made or written to.
    """
    root.mkdir(parents=True, exist_ok=True)
    strange = [p.name for p in root.iterdir() if not p.name.startswith(".")]
    if strange and not (root / LOCK).exists():
        raise InputError(f"{root}: holds {strange[0]} and no earlier grading; name a new folder")
    os.chmod(root, 0o700)
    with (root / LOCK).open("a+") as file:
        if not _lock(file):
            file.seek(0)
            who = " ".join(file.read().split()) or "somebody"
            raise InputError(f"{root}: is being graded into right now ({who})")
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        file.flush()
        for part in root.rglob(".*.part"):  # of a process that was killed while it wrote
            part.unlink(missing_ok=True)
        yield


def _lock(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # no POSIX system, and so no isolation to grade strangers' work with
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
