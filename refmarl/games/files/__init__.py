"""Games from files and into files: Gambit's ``.nfg``, JSON and NumPy's ``.npz``, by suffix.

Files may come from strangers. They are read as data, never run: no pickle, no ``eval``; what a
file promises is held against the caps before memory is taken for it; whatever is wrong with one
is an :class:`~refmarl.check.InputError` of one line that starts with the file's name. What
:func:`write` writes, :func:`read` reads back bit for bit, names included.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ...check import InputError
from ..normal_form import NormalForm
from . import json_form, nfg, npz
from .limits import MAX_BYTES, MAX_PLAYERS, decoded, number_of_players

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_EXACT",
    "MAX_PLAYERS",
    "Format",
    "parse_json",
    "parse_json_exact",
    "read",
    "read_exact",
    "write",
]


T = TypeVar("T")

MAX_EXACT = 500_000  # payoffs that are read as Fractions


class Format(NamedTuple):
    """How games become bytes and back."""

    name: str
    parse: Callable[[bytes], NormalForm]
    build: Callable[[NormalForm], bytes]
    exact: Callable[[bytes], Any] | None  # payoffs as Fractions; None where the file holds floats


FORMATS = {
    ".nfg": Format(
        "Gambit strategic game",
        lambda data: nfg.parse(decoded(data)),
        nfg.build,
        lambda data: nfg.exact(decoded(data)),
    ),
    ".json": Format(
        "JSON",
        lambda data: json_form.parse(decoded(data)),
        json_form.build,
        lambda data: json_form.exact(decoded(data)),
    ),
    ".npz": Format("NumPy archive", npz.parse, npz.build, None),
}


def read(path: str | os.PathLike[str]) -> NormalForm:
    """The game in a file.

    Raises
    ------
    InputError
        If the file cannot be read, is larger than ``MAX_BYTES``, is not of the format that its
        suffix names, or holds no game or one larger than ``refmarl.check.MAX_ENTRIES``.

    Examples
    --------
    >>> import tempfile
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]], title="Lunch")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(game, f"{folder}/lunch.nfg")
    ...     print(Path(f"{folder}/lunch.nfg").read_text(), end="")
    ...     print(read(f"{folder}/lunch.nfg").title)
    NFG 1 R "Lunch" { "1" "2" } { { "1" "2" } { "1" "2" } }
    <BLANKLINE>
    2 2 0 0
    0 0 1 1
    Lunch
    """
    form = _format(path)
    return _named(str(path), form.parse, _content(path))


def read_exact(path: str | os.PathLike[str]) -> tuple[NormalForm, Any]:
    """The game in a file and its payoffs un-rounded, for exact arithmetic; errors as of `read`.

    A number of a text counts as it is written: 0.1 is 1/10, and "1/3" is 1/3. The floats of an
    archive count as what they are.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/thirds.json").write_text('{"zero_sum": [["1/3", 0.1]]}')
    ...     print(*read_exact(f"{folder}/thirds.json")[1][0][0])
    1/3 1/10
    """
    return _both(_format(path), _content(path), str(path))


def write(game: NormalForm, path: str | os.PathLike[str]) -> None:
    """Write ``game``, whole or not at all: a file that was there before is replaced at once.

    Raises
    ------
    InputError
        If the suffix names no format, the game is too large for :func:`read`, or the file
        cannot be written.
    """
    form, path = _format(path), Path(path)
    try:
        number_of_players(game.num_players)
        data = form.build(game)
    except (InputError, UnicodeEncodeError) as error:
        raise InputError(f"{path}: {error}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path}: would be {len(data)} bytes; the cap is {MAX_BYTES} (64 MiB)")
    try:
        _replace(path, data)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def parse_json(data: bytes, name: str) -> NormalForm:
    """The game in JSON that came from elsewhere, such as standard input; ``name`` is for errors."""
    return _named(name, FORMATS[".json"].parse, data)


def parse_json_exact(data: bytes, name: str) -> tuple[NormalForm, Any]:
    """:func:`parse_json` with the payoffs as :func:`read_exact` gives them."""
    return _both(FORMATS[".json"], data, name)


def _both(form: Format, data: bytes, name: str) -> tuple[NormalForm, Any]:
    """The game, and its payoffs as they are written."""
    game = _named(name, form.parse, data)
    if game.payoffs.size > MAX_EXACT:
        raise InputError(
            f"{name}: {game.payoffs.size} payoffs; the cap is {MAX_EXACT} in exact arithmetic"
        )
    return game, game.payoffs if form.exact is None else _named(name, form.exact, data)


def _named(name: str, parse: Callable[[bytes], T], data: bytes) -> T:
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: larger than {MAX_BYTES} bytes (64 MiB), the cap")
    try:
        if not data.strip():
            raise InputError("the file is empty")
        return parse(data)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _format(path: str | os.PathLike[str]) -> Format:
    """The format that the suffix of ``path`` names."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(f"{path}: need a file name that ends in one of {known}")
    return FORMATS[suffix]


def _content(path: str | os.PathLike[str]) -> bytes:
    """The file's bytes, one more than the cap at most."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise InputError(f"{path}: {size} bytes; the cap is {MAX_BYTES} (64 MiB)")
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{path!r}: {error}") from None


def _replace(path: Path, data: bytes) -> None:
    """Write to a temporary file beside ``path`` and move it there in one step."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    """The process's mask of permissions: a file made by ``mkstemp`` is its owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
