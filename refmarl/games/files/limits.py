"""What every format shares: caps, numbers written as text, names, and keyed tables of payoffs."""

import re
from fractions import Fraction
from typing import Any

import numpy as np

from ... import check
from ...check import Array, InputError
from ..normal_form import NormalForm

MAX_BYTES = 64 * 2**20
MAX_PLAYERS = 26
SCHEMA = 1  # of the JSON form, and of the names inside an .npz

DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
FRACTION = re.compile(r"([+-]?[0-9]+)/([0-9]+)")
MAX_DIGITS = 1000  # of one number: more says nothing about a float
LEAST = 1e-300  # a number nearer to 0 has no fraction of bearable length
PAYOFF_KEYS = ({"payoffs"}, {"row", "column"}, {"zero_sum"})


def decoded(data: bytes) -> str:
    """The text of a file, which must be UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not text in UTF-8 (byte {error.start})") from None


def shortened(text: str) -> str:
    """``text`` as a message may show it: quoted, no control characters, not long."""
    return ascii(text) if len(text) <= 40 else f"{ascii(text[:37])[:-1]}...'"


def number(text: str) -> float:
    """The finite number that ``text`` writes: 3, -0.5, .5, 1e-3 or 1/3.

    Raises
    ------
    InputError
        If it writes none, divides by zero or is too large for a float.

    Examples
    --------
    >>> number("1/4") + number("-.5e1")
    -4.75
    """
    fraction = FRACTION.fullmatch(text)
    if len(text) > MAX_DIGITS or not (fraction or DECIMAL.fullmatch(text)):
        raise InputError(f"{shortened(text)} is no number")
    try:
        value = int(fraction[1]) / int(fraction[2]) if fraction else float(text)
    except ZeroDivisionError:
        raise InputError(f"{shortened(text)} divides by zero") from None
    except OverflowError:
        value = np.inf
    if not np.isfinite(value):
        raise InputError(f"{shortened(text)} is too large for a float")
    return value


def fraction(text: str) -> Fraction:
    """Exactly the number that ``text`` writes, with the errors of :func:`number`.

    Examples
    --------
    >>> print(fraction("0.1"), fraction("-2/6"))
    1/10 -1/3
    """
    value = number(text)
    if not text.lower().partition("e")[0].strip("+-0."):  # 0, whatever its exponent
        return Fraction(0)
    if abs(value) < LEAST and "/" not in text:
        raise InputError(f"{shortened(text)} is too near to 0 for exact arithmetic")
    return Fraction(text)


def written(x: float) -> str:
    """The shortest text that :func:`number` reads back as exactly ``x``."""
    text = repr(float(x))
    return text.removesuffix(".0")


def number_of_players(n: int) -> int:
    """``n``, if it is at least 1 and at most ``MAX_PLAYERS``."""
    if not 1 <= n <= MAX_PLAYERS:
        raise InputError(f"{n} players; need 1 to {MAX_PLAYERS}")
    return n


def name(value: Any, what: str) -> str:
    """A player's, an action's or a game's name: any text that can be written again."""
    if not isinstance(value, str):
        raise InputError(f"{what}: need text, got {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{what}: {shortened(value)} holds half a surrogate pair") from None
    return value


def names(value: Any, what: str) -> tuple[str, ...]:
    """A list of names."""
    if not isinstance(value, list):
        raise InputError(f"{what}: need a list of names, got {type(value).__name__}")
    return tuple(name(x, what) for x in value)


def labels(table: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of :class:`NormalForm` in ``title``, ``players`` and ``actions``."""
    if table.get("schema", SCHEMA) != SCHEMA:
        raise InputError(f"schema {shortened(str(table['schema']))}; this version reads {SCHEMA}")
    found: dict[str, Any] = {"title": name(table.get("title", ""), "title")}
    if "players" in table:
        found["players"] = names(table["players"], "players")
    if "actions" in table:
        actions = table["actions"]
        if not isinstance(actions, list):
            raise InputError(f"actions: need a list of lists, got {type(actions).__name__}")
        found["actions"] = tuple(names(x, f"actions of player {i}") for i, x in enumerate(actions))
    return found


def keys(given: set[str], besides: set[str]) -> set[str]:
    """Which of the three ways to give payoffs the keys are; each other key must be known."""
    strangers = given - besides - set[str]().union(*PAYOFF_KEYS)
    if strangers:
        shown = ", ".join(shortened(k) for k in sorted(strangers)[:5])
        known = ", ".join(sorted(besides | set[str]().union(*PAYOFF_KEYS)))
        raise InputError(f"unknown key {shown}; known: {known}")
    found = given - besides
    if found not in PAYOFF_KEYS:
        got = ", ".join(sorted(found)) or "none of them"
        raise InputError(f"need payoffs, or row and column, or zero_sum; got {got}")
    return found


def assembled(table: dict[str, Array], labels: dict[str, Any]) -> NormalForm:
    """The game of the payoff arrays in ``table``, whose keys passed :func:`keys`."""
    if "payoffs" in table:
        number_of_players(len(table["payoffs"]) if table["payoffs"].ndim else 0)
        return NormalForm(table["payoffs"], **labels)
    if "zero_sum" in table:
        return NormalForm.zero_sum(table["zero_sum"], **labels)
    return NormalForm.bimatrix(table["row"], table["column"], **labels)


def shape_cap(key: str, shape: tuple[int, ...]) -> None:
    """Refuse the shape of an array of the file before it is made."""
    if len(shape) > MAX_PLAYERS + 1:
        raise InputError(f"{key}: {len(shape)} axes; need at most {MAX_PLAYERS + 1}")
    check.size_cap(shape if key == "payoffs" else (2, *shape), key)
