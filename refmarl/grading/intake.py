"""What a student handed in, as bytes: a folder or a zip, read within limits, nothing run.

Only files that the catalogue knows are opened; everything else is listed. A student who zips the
folder, or the folder around it, is understood: of each exercise the copy nearest the top counts.
Nothing that a submission holds raises: what cannot be graded is said in ``refused`` and ``notes``.
"""

import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from ..check import InputError
from .archive import members, opened

MAX_FILE = 256 * 2**10  # bytes of one exercise's file
MAX_TOTAL = 10 * 2**20  # bytes of all files of a submission that are graded
MAX_ENTRIES = 20_000  # names that are looked at
MAX_DEPTH = 12  # folders inside each other
MAX_LISTED = 20  # ignored names that are told
SKIPPED = ("__pycache__", "__MACOSX", ".git", ".venv", "docs")  # folders not looked into
OURS = ("assignment.toml", "manifest.json")  # written by `refmarl start` and `submit`


@dataclass(frozen=True)
class Submission:
    """The files of one student by label; why others cannot be graded; what else came."""

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """One digest of all that is graded."""
        digest = hashlib.sha256()
        for label, data in sorted(self.files.items()):
            digest.update(f"{label} {len(data)}\n".encode() + data)
        return digest.hexdigest()


class Entry(NamedTuple):
    """A name inside a submission; ``source`` is what ``_read`` needs to open it."""

    parts: tuple[str, ...]
    fault: str
    source: Any


def read(path: Path, wanted: Mapping[str, Path]) -> Submission:
    """The submission at ``path``; ``wanted`` is the path of each exercise's file by its label.

    Raises
    ------
    InputError
        If ``path`` is neither a folder nor a zip that can be read.
    """
    try:
        if path.is_dir():
            return _folder(path, wanted)
        with opened(path) as file:
            return _zip(file, wanted)
    except InputError as error:
        raise InputError(f"{shown(path.name)}: {error}") from None
    except OSError as error:
        raise InputError(f"{shown(str(path))}: {error.strerror or error}") from None


def gathered(path: Path, wanted: Mapping[str, Path]) -> Submission:
    """``read``, for a batch: what cannot be read is an empty submission with a note."""
    try:
        if path.is_symlink():
            return Submission(notes=("is a symbolic link and was not followed",))
        return read(path, wanted)
    except InputError as error:
        return Submission(notes=(str(error),))


def _folder(root: Path, wanted: Mapping[str, Path]) -> Submission:
    entries, notes = _walk(root)
    names = [e for e in entries if not e.fault and e.parts[-1].lower().endswith(".zip")]
    if len(names) == 1 and not _found(entries, wanted):  # a platform's folder around the upload
        with os.fdopen(_descend(root, names[0].parts), "rb") as file:
            return _zip(file, wanted)
    return _collected(entries, notes, wanted, lambda entry: _below(root, entry.parts))


def _zip(file: BinaryIO, wanted: Mapping[str, Path]) -> Submission:
    with members(file) as archive:
        entries, notes = _listed(archive)
        return _collected(entries, notes, wanted, lambda entry: _member(archive, entry.source))


def _collected(
    entries: list[Entry], notes: list[str], wanted: Mapping[str, Path], load: Any
) -> Submission:
    """Choose one entry for each exercise, read it, and check size and encoding."""
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    found = _found(entries, wanted)
    total = 0
    for label, copies in found.items():
        entry = min(copies, key=lambda e: (len(e.parts), e.parts))
        if len(copies) > 1:
            name = shown("/".join(entry.parts))
            notes.append(f"{len(copies)} copies of {wanted[label].as_posix()}: {name} counts")
        data, fault = (b"", entry.fault) if entry.fault else load(entry)
        fault = fault or _unfit(data)
        total += len(data)
        if not fault and total > MAX_TOTAL:
            fault = f"all files together are larger than {MAX_TOTAL >> 20} MiB"
        if fault:
            refused[label] = fault
        else:
            files[label] = data
    if not found:
        notes.append("holds no file of an exercise")
    known = {e.parts for copies in found.values() for e in copies}
    others = sorted("/".join(e.parts) for e in entries if e.parts not in known and _telling(e))
    return Submission(files, refused, _told(others), tuple(notes))


def _telling(entry: Entry) -> bool:
    """Whether a file that is ignored is one that a student may have meant to be graded."""
    return entry.parts[-1] not in OURS and not any(p.startswith(".") for p in entry.parts)


def _found(entries: Iterable[Entry], wanted: Mapping[str, Path]) -> dict[str, list[Entry]]:
    """The entries that end in the path of an exercise, at any depth, by label."""
    labels = {PurePosixPath(path.as_posix()).parts: label for label, path in wanted.items()}
    sizes = sorted({len(parts) for parts in labels})
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        tails = (entry.parts[-n:] for n in sizes if n <= len(entry.parts))
        for label in (labels[tail] for tail in tails if tail in labels):
            found.setdefault(label, []).append(entry)
    return {label: found[label] for label in wanted if label in found}


def _told(names: list[str]) -> tuple[str, ...]:
    told = tuple(shown(name) for name in names[:MAX_LISTED])
    more = len(names) - len(told)
    return (*told, f"… and {more} more") if more else told


def _unfit(data: bytes) -> str:
    """Why these bytes are no source file; '' if they may be one."""
    if len(data) > MAX_FILE:
        return f"is larger than {MAX_FILE >> 10} KiB"
    if b"\0" in data:
        return "holds a NUL byte, so it is no Python source"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return f"is not UTF-8 (line {line}); save it as UTF-8"
    return ""


# -- folders ------------------------------------------------------------------------------


def _walk(root: Path) -> tuple[list[Entry], list[str]]:
    """All that lies below ``root``, nearest first; links are entries, never followed."""
    entries: list[Entry] = []
    queue: list[tuple[str, ...]] = [()]
    for parts in queue:
        for name, mode in _inside(root.joinpath(*parts)):
            here = (*parts, name)
            if len(entries) + len(queue) > MAX_ENTRIES:
                return entries, [f"more than {MAX_ENTRIES} files; the rest was not looked at"]
            if not stat.S_ISDIR(mode):
                entries.append(Entry(here, _kind(mode), None))
            elif len(here) < MAX_DEPTH and name not in SKIPPED:
                queue.append(here)
    return entries, []


def _inside(folder: Path) -> Iterator[tuple[str, int]]:
    """(name, mode) of what is in a folder, sorted; nothing where it cannot be listed."""
    try:
        with os.scandir(folder) as scan:
            found = [(item.name, item.stat(follow_symlinks=False).st_mode) for item in scan]
    except OSError:
        return
    yield from sorted(found)


def _kind(mode: int) -> str:
    """What an entry is if not a regular file; '' if it is one."""
    if stat.S_ISREG(mode) or not stat.S_IFMT(mode):
        return ""
    return "is a symbolic link" if stat.S_ISLNK(mode) else "is not a regular file"


def _descend(root: Path, parts: tuple[str, ...]) -> int:
    """A descriptor of a file below ``root``; no component on the way may be a link."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    if os.open not in os.supports_dir_fd:  # not POSIX
        return os.open(root.joinpath(*parts), flags | getattr(os, "O_BINARY", 0))
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for name in parts:
        try:
            last = os.O_NONBLOCK if name is parts[-1] else os.O_DIRECTORY
            below = os.open(name, flags | last, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def _below(root: Path, parts: tuple[str, ...]) -> tuple[bytes, str]:
    """(bytes, fault) of a file below ``root``."""
    try:
        with os.fdopen(_descend(root, parts), "rb") as file:
            if fault := _kind(os.fstat(file.fileno()).st_mode):
                return b"", fault
            return file.read(MAX_FILE + 1), ""
    except OSError as error:
        return b"", f"cannot be read: {error.strerror}"


# -- zips -----------------------------------------------------------------------------------


def _listed(archive: zipfile.ZipFile) -> tuple[list[Entry], list[str]]:
    """The members that are files; those whose names point out of the archive are noted."""
    entries: dict[tuple[str, ...], Entry] = {}
    outside: list[str] = []
    twice: list[str] = []
    for info in archive.infolist()[:MAX_ENTRIES]:
        name = info.filename.replace("\\", "/")
        parts = tuple(p for p in name.split("/") if p not in ("", "."))
        if name.startswith("/") or ".." in parts or re.match("[A-Za-z]:", name):
            outside.append(shown(info.filename))
        elif parts and not name.endswith("/") and not set(parts) & set(SKIPPED):
            if parts in entries:
                twice.append(shown(name))
            entries[parts] = Entry(parts, _member_kind(info), info)  # unzip keeps the last, too
    notes = [f"the zip names files outside itself: {', '.join(outside[:3])}"] if outside else []
    notes += [f"the zip holds two files of the name {name}: the last counts" for name in twice[:3]]
    if len(archive.infolist()) > MAX_ENTRIES:
        notes.append(f"more than {MAX_ENTRIES} files; the rest was not looked at")
    return list(entries.values()), notes


def _member_kind(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that is not read here; use an ordinary zip"
    return _kind(info.external_attr >> 16)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[bytes, str]:
    """(bytes, fault) of a member; never more than the limit is unpacked."""
    try:
        with archive.open(info) as file:
            return file.read(MAX_FILE + 1), ""
    except Exception as error:  # damaged in whatever way a stranger could think of
        return b"", f"cannot be unpacked: {shown(str(error))}"


def shown(text: str, most: int = 120) -> str:
    """``text`` on one line, as anybody may see it: no control, direction or broken characters."""
    clean = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii")
        for c in text[: most + 1]
    )
    return clean if len(clean) <= most else clean[: most - 1] + "…"


# -- classes --------------------------------------------------------------------------------


class Arrival(NamedTuple):
    """One entry of the folder of a class: its id (a safe file name), its name there, its path."""

    id: str
    name: str
    path: Path


def arrivals(folder: Path, wanted: Mapping[str, Path], out: Path) -> list[Arrival]:
    """The submissions in ``folder``, sorted by id: each folder and each zip; ``out`` is none.

    Raises
    ------
    InputError
        If there is none, or ``folder`` is itself a submission.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; it should hold one folder or zip per student")
    if any((folder / path).is_file() for path in wanted.values()):
        raise InputError(
            f"{folder} is one submission; `refmarl grade {folder}` grades it, and grade-class "
            "takes the folder that holds a folder or a zip of each student"
        )
    taken: dict[str, Arrival] = {}
    for name, mode in sorted(_inside(folder), key=lambda item: (stat.S_ISREG(item[1]), item[0])):
        path, zipped = folder / name, name.lower().endswith(".zip")
        hidden = name.startswith(".") or name in SKIPPED or path.resolve() == out.resolve()
        if hidden or (stat.S_ISREG(mode) and not zipped):
            continue
        own = _id(name[:-4] if zipped and not stat.S_ISDIR(mode) else name)
        own = own if own.casefold() not in taken else _id(name, always=True)
        taken[own.casefold()] = Arrival(own, name, path)
    if not taken:
        raise InputError(f"{folder}: no submission in it; need one folder or zip per student")
    return sorted(taken.values())


def _id(name: str, always: bool = False) -> str:
    """``name`` as a file name that is safe everywhere; changed ones carry a piece of a digest."""
    clean = re.sub(r"[^\w.@+ ()-]", "_", shown(name)).strip(" .")[:80] or "_"
    if clean == name and not always:
        return clean
    return f"{clean}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:6]}"
