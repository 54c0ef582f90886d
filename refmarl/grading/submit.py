"""What a student hands in: a zip of the exercises' files, the same bytes for the same work."""

import io
import json
import platform
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import __version__
from ..check import InputError
from . import files
from .catalogue import Exercise, untouched
from .progress import digest

SCHEMA = 1
MANIFEST = "manifest.json"
MAX_FILE = 256 * 2**10  # bytes of one exercise's file: more is refused when it is graded
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell


def submit(folder: Path, chosen: Iterable[Exercise], out: Path) -> list[dict[str, Any]]:
    """Write the zip ``out`` with every exercise that was begun; return its manifest's files.

    Entries are stored as they are, in order of their paths, with a fixed date, so that the bytes
    depend on the work and the versions alone.

    Raises
    ------
    InputError
        If no exercise was begun, or a file is larger than ``MAX_FILE``.
    """
    found: dict[str, tuple[Exercise, bytes]] = {}
    for exercise in chosen:
        path = folder / exercise.path
        if not path.is_file():
            continue
        data = path.read_bytes()
        if len(data) > MAX_FILE:
            raise InputError(f"{path}: {len(data)} bytes; at most {MAX_FILE} are graded")
        if not untouched(exercise, data):
            found[exercise.path.as_posix()] = exercise, data
    if not found:
        raise InputError(f"{folder}: no exercise has been begun, so there is nothing to hand in")
    listed = [
        {"id": e.label, "path": name, "sha256": digest(data), "size": len(data)}
        for name, (e, data) in sorted(found.items())
    ]
    files.replace(out, _zip({name: data for name, (_, data) in sorted(found.items())}, listed))
    return listed


def _zip(contents: dict[str, bytes], listed: list[dict[str, Any]]) -> bytes:
    manifest = {
        "schema": SCHEMA,
        "kind": "refmarl-submission",
        "refmarl": __version__,
        "python": platform.python_version(),
        "files": listed,
    }
    text = json.dumps(manifest, indent=1) + "\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {**contents, MANIFEST: text.encode()}.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
