"""The files of a run's folder: kept from a second process, cut to a checkpoint, never torn."""

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..check import InputError
from . import checkpoint

SCHEMA = 1
LINES = ("metrics.jsonl", "times.jsonl")
ERROR = "error.txt"  # the traceback of what nobody had thought of


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second process out, where the system can; a killed one leaves nothing behind.

    Raises
    ------
    InputError
        If another process is training in ``folder``.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another process is training here") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def is_part(path: Path) -> bool:
    """Whether this is a file that somebody was writing when he was killed."""
    return path.name.startswith(".") and path.name.endswith(".part")


def clear(folder: Path) -> None:
    """Take away half-written files and an old error; only for who is :func:`alone` there."""
    for path in folder.iterdir():
        if is_part(path) or path.name == ERROR:
            path.unlink(missing_ok=True)


def last(path: Path, iteration: int) -> int:
    """The iteration of the last of the whole lines up to ``iteration``; 0 if there is none."""
    kept = _kept(path, iteration)
    return int(json.loads(kept[-1])["iteration"]) if kept else 0


def cut(path: Path, iteration: int) -> None:
    """Drop the lines that were written after ``iteration``, and a torn one."""
    text = b"".join(_kept(path, iteration))
    if path.exists() and len(text) != path.stat().st_size:
        checkpoint.write(path, lambda file: file.write(text))


def _kept(path: Path, iteration: int) -> list[bytes]:
    """The whole lines up to ``iteration``."""
    kept: list[bytes] = []
    if not path.exists():
        return kept
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            if not line.endswith(b"\n") or json.loads(line)["iteration"] > iteration:
                break
        except (ValueError, KeyError, TypeError):
            break
        kept.append(line)
    return kept


def lines(path: Path) -> list[dict[str, float]]:
    """The rows of a file of JSON lines; a torn last one is left out.

    Raises
    ------
    InputError
        If another line is none, or the file cannot be read.
    """
    try:
        texts = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    rows = []
    for k, text in enumerate(texts, start=1):
        row = _row(text)
        if row is None and k < len(texts):
            raise InputError(f"{path}: line {k} is damaged")
        rows += [] if row is None else [row]
    return rows


def _row(text: str) -> dict[str, float] | None:
    """The numbers of a line, or None if it is not a row."""
    try:
        row = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(row, dict) and {"iteration", "steps"} <= row.keys()
    good = whole and all(isinstance(value, int | float) for value in row.values())
    return row if good else None


def machine() -> dict[str, Any]:
    """Versions and machine: what the bits depend on beside the run itself."""
    import numba
    import scipy

    return {
        "schema": SCHEMA,
        "refmarl": __version__,
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "system": platform.platform(),
        "processor": platform.machine(),
        "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS", "not set"),
    }


class Log:
    """A file of JSON lines, each whole or absent."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab")

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def add(self, row: dict[str, float]) -> None:
        """Append a line."""
        self.file.write(json.dumps(row).encode() + b"\n")
        self.file.flush()

    def keep(self) -> None:
        """Make what was written durable."""
        os.fsync(self.file.fileno())
