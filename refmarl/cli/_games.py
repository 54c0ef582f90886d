"""Games as the command line names them, and how their probabilities are printed."""

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..games import NormalForm
    from ..games.library import Entry

MAX_DENOMINATOR = 1000
LEAST = 1e-9  # probabilities up to this are not printed


def load(name: str) -> "NormalForm":
    """The game that ``name`` says: a game of the library, ``-`` for JSON on stdin, or a file."""
    from ..games import files

    if name == "-":
        return files.parse_json(sys.stdin.buffer.read(files.MAX_BYTES + 1), "standard input")
    return files.read(name) if _is_file(name) else entry(name).game


def load_exact(name: str) -> tuple["NormalForm", Any]:
    """:func:`load` with payoffs for exact arithmetic: numbers count as they are written."""
    from ..games import files

    if name == "-":
        data = sys.stdin.buffer.read(files.MAX_BYTES + 1)
        return files.parse_json_exact(data, "standard input")
    if _is_file(name):
        return files.read_exact(name)
    game = entry(name).game
    return game, _as_written(game.payoffs.tolist())


def _as_written(values: Any) -> Any:
    """Nested lists of floats as Fractions of their shortest decimals: -0.05 as -1/20."""
    if isinstance(values, list):
        return [_as_written(inner) for inner in values]
    return Fraction(repr(values))


def _is_file(name: str) -> bool:
    """Whether ``name`` is no game of the library and looks like a file."""
    from ..games import library

    if name.partition(":")[0] in library.names():
        return False
    return bool(Path(name).suffix) or Path(name).exists() or Path(name).name != name


def entry(name: str) -> "Entry":
    """A game of the library, its parameters behind a colon: ``hawk-dove:value=2,cost=5``.

    Raises
    ------
    InputError
        If there is no such game or parameter, or a value is no number.
    """
    from ..check import InputError
    from ..games import library

    base, colon, rest = name.partition(":")
    values: dict[str, float] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = (x.strip() for x in part.partition("="))
        if not equals or not key.isidentifier() or key in values:
            raise InputError(f"{name}: need each parameter once, as name=value; got {part!r}")
        values[key] = _number(value, f"{name}: {key}")
    return library.entry(base, **values)


def _number(text: str, name: str) -> float:
    """A whole number as an int, any other as a float."""
    from ..check import InputError
    from ..games.files.limits import number

    try:
        return int(text) if text.removeprefix("-").isdecimal() else number(text)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None


def player(game: "NormalForm", text: str, what: str) -> int:
    """A player's index from its name or, where nobody has that name, its number from 1."""
    from ..check import InputError

    if text in game.players:
        return game.players.index(text)
    if text.isdecimal() and 1 <= int(text[:9]) <= game.num_players:
        return int(text) - 1
    raise InputError(f"{what}: need one of {', '.join(game.players)}; got {text!r}")


def decimal(x: Any, size: float = 0.0) -> str:
    """A number to six digits, without the sign of a zero; 0 if it is rounding beside ``size``."""
    return f"{float(x) + 0.0:.6g}" if abs(x) > 1e-12 * size else "0"


def probability(p: Any) -> str:
    """A probability as a decimal, and as the fraction that it seems to be.

    Examples
    --------
    >>> print(probability(0.25), "and", probability(2 / 3), "and", probability(0.1234567))
    0.25 (1/4) and 0.666667 (2/3) and 0.123457
    """
    near = Fraction(float(p)).limit_denominator(MAX_DENOMINATOR)
    nice = near.denominator > 1 and abs(float(near) - float(p)) <= 1e-9
    return decimal(p) + f" ({near})" * nice


def mixture(names: tuple[str, ...], x: Any) -> str:
    """A mixed strategy: each action that is played, with its probability; Fractions exactly."""
    from ..games.show import plain

    if isinstance(x[0], Fraction):
        return ", ".join(f"{plain(a)} {p}" for a, p in zip(names, x, strict=True) if p)
    played = [(a, float(p)) for a, p in zip(names, x, strict=True) if p > LEAST]
    return ", ".join(f"{plain(a)} {probability(p)}" for a, p in played)
