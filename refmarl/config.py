"""Settings of a run: frozen dataclasses whose fields say their symbol and their range.

    class Config(Settings):
        gamma: float = option(0.99, "γ, discount", "[0, 1]")

The range is checked whenever a config is made, the text is the command line's help, a misspelt
name is an error that names the nearest right one, and ``digest`` names the folder of a run.

Examples
--------
>>> @dataclass(frozen=True, kw_only=True)
... class Config(Settings):
...     gamma: float = option(0.99, "γ, discount", "[0, 1]")
...     hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
>>> override(Config(), ["gamma=0.5", "hidden=32,32"])
Config(gamma=0.5, hidden=(32, 32))
>>> Config(gamma=2.0)
Traceback (most recent call last):
    ...
refmarl.check.InputError: gamma: need a number in [0, 1], got 2.0
"""

import dataclasses
import hashlib
import json
import math
import numbers
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .check import InputError, nearest

S = TypeVar("S", bound="Settings")


def option(default: Any, says: str, within: str | tuple[str, ...] = "") -> Any:
    """A field of a config.

    Parameters
    ----------
    default : its value
    says : symbol and meaning, for the help
    within : an interval such as "[0, 1]" or "(0, inf)" for numbers (each, in a tuple), or the
        texts that there are
    """
    return dataclasses.field(default=default, metadata={"says": says, "within": within})


def fixed(value: Any) -> Any:
    """A field of a config's base that nobody can choose here: it has this value, and no name."""
    return dataclasses.field(default=value, init=False)


def options(kind: Any) -> list[dataclasses.Field[Any]]:
    """The fields of a dataclass that can be chosen."""
    return [field for field in dataclasses.fields(kind) if field.init]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all configs: checks every field's type and range."""

    def __post_init__(self) -> None:
        check_fields(self, dataclasses.fields(self))


def check_fields(owner: Any, fields: Sequence[dataclasses.Field[Any]]) -> None:
    """Hold fields of a dataclass against their types and ranges; numbers become Python's own.

    Raises
    ------
    InputError
        At the first that does not fit, with its name, what is needed, and what came.
    """
    kinds = typing.get_type_hints(type(owner)) if fields else {}
    for field in fields:
        value = _typed(getattr(owner, field.name), kinds[field.name], field.name)
        _ranged(value, field.metadata.get("within", ""), field.name)
        object.__setattr__(owner, field.name, value)


def to_dict(cfg: Settings) -> dict[str, Any]:
    """The settings as JSON has them: tuples become lists."""
    chosen = {field.name: getattr(cfg, field.name) for field in options(cfg)}
    loaded: dict[str, Any] = json.loads(json.dumps(chosen))
    return loaded


def from_dict(kind: type[S], values: Mapping[str, Any]) -> S:
    """A config from names and values; missing ones are the defaults.

    Raises
    ------
    InputError
        If a name is unknown (with the nearest one) or a value is not what the field needs.
    """
    names = [field.name for field in options(kind)]
    for name in values:
        if name not in names:
            raise InputError(f"no option {name!r}; {nearest(name, names)}")
    return kind(**values)


def override(cfg: S, texts: Iterable[str]) -> S:
    """The config with some fields replaced, each given as ``name=value``.

    Raises
    ------
    InputError
        As :func:`from_dict`, or if there is no ``=``.
    """
    kinds = typing.get_type_hints(type(cfg))
    values = {field.name: getattr(cfg, field.name) for field in options(cfg)}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"need name=value, got {text!r}")
        name = name.strip().replace("-", "_")
        values[name] = parse(value.strip(), kinds[name], name) if name in kinds else value
    return from_dict(type(cfg), values)


def digest(cfg: Settings) -> str:
    """Eight hexadecimal digits that depend on the kind of config and on every value."""
    text = json.dumps([type(cfg).__module__, to_dict(cfg)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def describe(kind: type[Any]) -> list[tuple[str, str, str, str]]:
    """(name, default, range, meaning) of every field of a dataclass, for help and docs."""
    rows = []
    for field in options(kind):
        within = field.metadata.get("within", "")
        text = within if isinstance(within, str) else " | ".join(within)
        default = field.default
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        rows.append((field.name, shown, text, field.metadata.get("says", "")))
    return rows


def parse(text: str, kind: Any, name: str) -> Any:
    """A value of type ``kind`` from what was typed.

    Raises
    ------
    InputError
        If it cannot be read as one.
    """
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        parts = [part for part in text.strip("()[] ").split(",") if part.strip()]
        return tuple(parse(part.strip(), item, name) for part in parts)
    if isinstance(kind, types.UnionType):
        if text.lower() == "none" and type(None) in typing.get_args(kind):
            return None
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in words:
            raise InputError(f"{name}: need true or false, got {text!r}")
        return words[text.lower()]
    try:
        return kind(float(text)) if kind is int and float(text).is_integer() else kind(text)
    except (ValueError, OverflowError):
        need = {int: "a whole number", float: "a number"}.get(kind, kind.__name__)
        raise InputError(f"{name}: need {need}, got {text!r}") from None


def _typed(value: Any, kind: Any, name: str) -> Any:
    """The value if it is of the field's type; whole numbers pass for floats, lists for tuples."""
    if isinstance(kind, types.UnionType):
        kinds = [k for k in typing.get_args(kind) if k is not type(None)]
        if value is None and len(kinds) < len(typing.get_args(kind)):
            return None
        if len(kinds) > 1:
            _need(isinstance(value, kind), " or a ".join(k.__name__ for k in kinds), value, name)
            return value
        kind = kinds[0]
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, tuple | list):
            raise InputError(f"{name}: need several values, got {value!r}")
        return tuple(_typed(item, typing.get_args(kind)[0], name) for item in value)
    number = {int: numbers.Integral, float: numbers.Real}.get(kind)
    fits = isinstance(value, number or kind) and not (number and isinstance(value, bool))
    need = {int: "a whole number", float: "a number", bool: "true or false"}
    _need(fits, need.get(kind, kind.__name__), value, name)
    try:
        return kind(value) if number else value
    except OverflowError:
        raise InputError(f"{name}: a number too large for a float") from None


def _need(fits: bool, what: str, value: Any, name: str) -> None:
    if not fits:
        raise InputError(f"{name}: need {what}, got {value!r}")


def _ranged(value: Any, within: str | tuple[str, ...], name: str) -> None:
    """Refuse what lies outside ``within``."""
    if isinstance(value, tuple):
        for item in value:
            _ranged(item, within, name)
    elif isinstance(within, tuple):
        if value not in within:
            raise InputError(f"{name}: need one of {', '.join(within)}; got {value!r}")
    elif within and value is not None:
        low, high = (float(end) for end in within.strip("[]()").split(","))
        above = value >= low if within[0] == "[" else value > low
        below = value <= high if within[-1] == "]" else value < high
        if not (above and below and math.isfinite(value)):
            raise InputError(f"{name}: need a number in {within}, got {value!r}")
