"""A stranger's zip, opened only after its size and the length of its list have been looked at."""

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..check import InputError

MAX_ARCHIVE = 100 * 2**20  # bytes of a zip
MAX_LIST = 2 * 2**20  # bytes of its central directory: some 20,000 names

_END, _END_SIZE = b"PK\5\6", 22
_LOCATOR, _LOCATOR_SIZE = b"PK\6\7", 20


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The regular file at ``path``, for reading; a pipe or a device is refused, never waited for.

    Raises
    ------
    InputError
        If it is not a regular file.
    OSError
        If it cannot be opened.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise InputError("need a folder or a zip file")
        yield file


@contextmanager
def members(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """The archive in ``file``.

    Raises
    ------
    InputError
        If it is no zip, is damaged, or is larger or lists more than the limits above.
    """
    size = os.fstat(file.fileno()).st_size
    if size > MAX_ARCHIVE:
        raise InputError(f"a zip of {size >> 20} MiB; the cap is {MAX_ARCHIVE >> 20} MiB")
    _look_at_the_end(file, size)
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile lets errors of several kinds through on damaged lists
        raise InputError(f"not a zip that can be read: {error}") from None
    with archive:
        yield archive


def _look_at_the_end(file: BinaryIO, size: int) -> None:
    """Refuse an archive whose list is long before zipfile reads the whole of it into memory."""
    file.seek(max(0, size - 2**16 - _END_SIZE - _LOCATOR_SIZE))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise InputError("not a zip: its end is missing")
    if tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR):
        raise InputError("a zip64 archive, made for more than 4 GB; make an ordinary zip")
    listing = struct.unpack("<I", tail[at + 12 : at + 16])[0]
    if listing > MAX_LIST:
        raise InputError(f"the zip lists {listing >> 10} KiB of names; the cap is {MAX_LIST >> 10}")
    file.seek(0)
