"""Games as JSON, schema 1.

    {"schema": 1, "title": "…", "players": ["…", …], "actions": [["…", …], …], "payoffs": […]}

``payoffs`` is nested n, A_1, …, A_n; in its place may stand ``row`` and ``column``, or
``zero_sum``, matrices of two players. All else may be left out. A number may also be a text,
"1/3", for a fraction that has no short decimal.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ... import check
from ...check import Array, InputError
from ..normal_form import NormalForm
from .limits import (
    MAX_PLAYERS,
    SCHEMA,
    assembled,
    fraction,
    keys,
    labels,
    number,
    shape_cap,
    shortened,
)

NAMES = {"schema", "title", "players", "actions"}


def parse(text: str) -> NormalForm:
    """The game that a JSON text writes.

    Raises
    ------
    InputError
        If it is no JSON, or no game.

    Examples
    --------
    >>> parse('{"zero_sum": [["1/2", -1], [0, 2]]}').payoffs[1].tolist()
    [[-0.5, 1.0], [-0.0, -2.0]]
    """
    if text.count(",") > 3 * check.MAX_ENTRIES:
        raise InputError(f"more than {check.MAX_ENTRIES} payoffs, the cap")
    table = loads(text)
    if not isinstance(table, dict):
        raise InputError(f"need a JSON object, got {_kind(table)}")
    given = keys(set(table), NAMES)
    return assembled({key: _array(table[key], key) for key in given}, labels(table))


def exact(text: str) -> list[Any]:
    """The players' payoffs as nested lists of Fractions, of a text that :func:`parse` accepts.

    Examples
    --------
    >>> print(*exact('{"zero_sum": [["1/3", 0.1]]}')[1][0])
    -1/3 -1/10
    """
    table = loads(text, parse_float=str)
    if "payoffs" in table:
        return [_fractions(u, "payoffs") for u in table["payoffs"]]
    if "zero_sum" in table:
        row = _fractions(table["zero_sum"], "zero_sum")
        return [row, [[-v for v in values] for values in row]]
    return [_fractions(table[key], key) for key in ("row", "column")]


def _fractions(nested: Any, key: str) -> Any:
    """Nested lists of numbers and texts, each number exactly as it is written."""
    if isinstance(nested, list):
        return [_fractions(inner, key) for inner in nested]
    try:
        return fraction(str(nested))
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


def loads(text: str, parse_float: Callable[[str], Any] | None = None) -> Any:
    """The value of a JSON text; a key that comes twice, NaN and infinity are refused."""
    try:
        return json.loads(
            text, parse_constant=_constant, object_pairs_hook=_once, parse_float=parse_float
        )
    except json.JSONDecodeError as error:
        raise InputError(f"line {error.lineno}: no JSON: {error.msg}") from None
    except RecursionError:
        raise InputError("nested too deeply") from None
    except InputError:
        raise
    except ValueError:  # Python's limit to the digits of a whole number
        raise InputError("a whole number of thousands of digits") from None


def _constant(text: str) -> NoReturn:
    raise InputError(f"{text}; need finite numbers")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise InputError("a key comes twice in one object")
    return table


def _array(nested: Any, key: str) -> Array:
    """A nested list of numbers as an array; its size is looked at first."""
    shape: list[int] = []
    inner = nested
    while isinstance(inner, list) and len(shape) <= MAX_PLAYERS + 1:
        shape.append(len(inner))
        inner = inner[0] if inner else None
    if not shape:
        raise InputError(f"{key}: need a nested list, got {_kind(nested)}")
    shape_cap(key, tuple(shape))
    flat = list(_leaves(nested, tuple(shape), key))
    try:
        return np.array(flat, dtype=np.float64).reshape(shape)
    except OverflowError:
        raise InputError(f"{key}: a number is too large for a float") from None


def _leaves(nested: Any, shape: tuple[int, ...], key: str) -> list[float]:
    """The numbers of a nested list in order, each list as long as ``shape`` wants it."""
    if not isinstance(nested, list) or len(nested) != shape[0]:
        raise InputError(f"{key}: rows of unequal length; need a full rectangle")
    if len(shape) == 1:
        return [x if type(x) in (int, float) else _number(x, key) for x in nested]
    return [x for inner in nested for x in _leaves(inner, shape[1:], key)]


def _number(value: Any, key: str) -> float:
    if isinstance(value, str):
        try:
            return number(value)
        except InputError as error:
            raise InputError(f"{key}: {error}") from None
    if isinstance(value, list):
        raise InputError(f"{key}: rows of unequal depth; need a full rectangle")
    raise InputError(f"{key}: need numbers, got {_kind(value)}")


def _kind(value: Any) -> str:
    """What a JSON value is, in JSON's words."""
    if isinstance(value, str):
        return f"the text {shortened(value)}"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value) if value is None or isinstance(value, bool) else "a number"


def build(game: NormalForm) -> bytes:
    """The game as JSON, a key per line.

    Examples
    --------
    >>> print(build(NormalForm([[1, 0.5]], title="x")).decode(), end="")
    {
     "schema": 1,
     "title": "x",
     "players": ["1"],
     "actions": [["1", "2"]],
     "payoffs": [[1.0, 0.5]]
    }
    """
    table = names(game) | {"payoffs": game.payoffs.tolist()}
    lines = [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in table.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8")


def names(game: NormalForm) -> dict[str, Any]:
    """What the form holds besides payoffs."""
    actions = [list(names) for names in game.actions]
    return {
        "schema": SCHEMA,
        "title": game.title,
        "players": list(game.players),
        "actions": actions,
    }
