"""A run's progress as one file: arrays and numbers only, never torn, never unpickled.

A progress is a tree of NamedTuples and tuples whose leaves are arrays, numbers and Generators. The
file is a NumPy archive of the leaves, written beside its final place and moved there in one step:
a reader sees the old file or the new one. Reading needs a template, the progress with which such
a run begins: the file must have the same tree, shapes and dtypes.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..check import InputError

T = TypeVar("T")
SCHEMA = 1
MAX_BYTES = 2**31  # of one checkpoint file


def save(path: Path, progress: Any) -> None:
    """Write ``progress`` to ``path``; what stood there stays until the new file is whole.

    Raises
    ------
    OSError
        If it cannot be written (no space, no permission); the old file is left as it was.
    """
    leaves: dict[str, Any] = dict(_leaves(progress, ""))
    leaves["schema"] = np.array(SCHEMA)
    write(path, lambda file: np.savez(file, **leaves))


def write(path: Path, fill: Any) -> None:
    """Write a file through ``fill(file)``, atomically and durably.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def load(path: Path, template: T) -> T:
    """The progress in the file, in the shape of ``template``; its Generators are new ones.

    Raises
    ------
    InputError
        If the file is not a checkpoint of such a run, is damaged, or is larger than
        ``MAX_BYTES``.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: {path.stat().st_size} bytes; the cap is {MAX_BYTES}")
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            unpacked = sum(part.file_size for part in archive.zip.infolist())
            if unpacked > MAX_BYTES:
                raise ValueError(f"{unpacked} bytes unpacked; the cap is {MAX_BYTES}")
            leaves = {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for damaged archives
        raise InputError(f"{path}: not a whole checkpoint ({error})") from None
    schema = leaves.pop("schema", np.array(-1))
    if schema.shape != () or int(schema) != SCHEMA:
        raise InputError(f"{path}: schema {schema}; this version reads {SCHEMA}")
    wanted = dict(_leaves(template, ""))
    if leaves.keys() != wanted.keys():
        odd = sorted(leaves.keys() ^ wanted.keys())[0]
        raise InputError(f"{path}: a checkpoint of another kind of run ({odd})")
    loaded: T = _rebuild(template, "", leaves, path)
    return loaded


def same(one: Any, two: Any) -> bool:
    """Whether two progresses hold the same bits."""
    return digest(one) == digest(two)


def digest(progress: Any) -> str:
    """Hexadecimal digits that depend on every bit of a progress, and on its shapes and types."""
    found = hashlib.sha256()
    for path, array in _leaves(progress, ""):
        found.update(f"{path} {array.dtype.str} {array.shape} ".encode() + array.tobytes())
    return found.hexdigest()


def unsavable(progress: Any) -> str:
    """What in a progress no checkpoint can hold, in words; "" if it can be saved.

    Examples
    --------
    >>> unsavable((np.zeros(2), 1)), unsavable((np.array([print]),)), unsavable(("text",))
    ('', 'Python objects at /0', 'a str at /0')
    """
    try:
        for path, array in _leaves(progress, ""):
            if array.dtype.hasobject:
                return f"Python objects at {path}"
    except TypeError as error:
        return str(error)
    return ""


def _leaves(node: Any, path: str) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """(path, array) of every leaf; a Generator is the JSON of its state."""
    if isinstance(node, tuple):
        names = getattr(node, "_fields", range(len(node)))
        yield f"{path}#", np.array(len(node))  # so that an empty tuple is one
        for name, child in zip(names, node, strict=True):
            yield from _leaves(child, f"{path}/{name}")
    elif isinstance(node, np.random.Generator):
        yield path, np.array(json.dumps(_plain(node.bit_generator.state)))
    elif isinstance(node, np.ndarray | np.generic | bool | int | float):
        yield path, np.asarray(node)
    else:
        raise TypeError(f"a {type(node).__name__} at {path}")


def _rebuild(node: Any, path: str, leaves: dict[str, Any], file: Path) -> Any:
    """The tree of ``node`` with the leaves of the file."""
    if isinstance(node, tuple):
        names = getattr(node, "_fields", range(len(node)))
        pairs = zip(names, node, strict=True)
        parts = [_rebuild(child, f"{path}/{name}", leaves, file) for name, child in pairs]
        return type(node)(*parts) if hasattr(node, "_fields") else tuple(parts)
    found = leaves[path]
    if isinstance(node, np.random.Generator):
        return _generator(node, str(found), file)
    need = np.asarray(node)
    if found.dtype != need.dtype or found.shape != need.shape:
        raise InputError(
            f"{file}: {path} is {found.dtype} {found.shape}, need {need.dtype} {need.shape}"
        )
    return found if isinstance(node, np.ndarray) else found[()].item()


def _generator(like: np.random.Generator, text: str, file: Path) -> np.random.Generator:
    """A Generator of the same kind in the state that was saved."""
    kind = type(like.bit_generator)
    try:
        state = json.loads(text)
        bits = kind(0)
        bits.state = state
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{file}: a generator's state cannot be read") from None
    return np.random.Generator(bits)


def _plain(state: Any) -> Any:
    """A bit generator's state without NumPy's own types."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        return state.tolist()
    return state.item() if isinstance(state, np.generic) else state


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
