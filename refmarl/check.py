"""Checks of arguments at the public boundary: one line that says what was needed and what came."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Profile = tuple[Array, ...]

MAX_ENTRIES = 10_000_000  # payoff numbers of one game: 80 MB
MAX_PAYOFF = 1e300  # leaves room for sums and differences of payoffs


class InputError(ValueError):
    """What was given cannot be used; the message is one line, for the person who gave it."""


def real_array(values: Any, name: str, ndim: int | None = None) -> Array:
    """``values`` as a new float64 array; finite numbers only, never text, never ragged.

    Raises
    ------
    InputError
        If it is ragged, holds anything but finite real numbers, is empty, or has not ``ndim`` axes.
    """
    try:
        raw = np.asarray(values)
        if raw.dtype.kind == "O":  # whole numbers too large for an int64 are fine as floats
            raw = np.asarray(values, dtype=np.float64) if _whole(raw) else raw
    except OverflowError:
        raise InputError(f"{name}: a number too large for a float") from None
    except ValueError:
        raise InputError(f"{name}: rows of unequal length; need a full rectangle") from None
    if raw.dtype.kind not in "biuf":
        raise InputError(f"{name}: need real numbers, got {_kind(raw)}")
    if ndim is not None and raw.ndim != ndim:
        raise InputError(f"{name}: need {ndim} axes, got {raw.ndim} (shape {raw.shape})")
    if raw.size == 0:
        raise InputError(f"{name}: empty (shape {raw.shape})")
    array = np.array(raw, dtype=np.float64, order="C")
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name}: {array[where]} at index {where}; need finite numbers")
    return array


def _whole(raw: NDArray[Any]) -> bool:
    """Whether an array of objects holds Python's real numbers only."""
    return all(isinstance(x, int | float) for x in raw.flat)


def _kind(raw: NDArray[Any]) -> str:
    """What stands in an array that is not numeric, in words."""
    if raw.dtype.kind == "O":
        kinds = sorted({type(x).__name__ for x in raw.flat if not isinstance(x, int | float)})
        return f"objects of type {', '.join(kinds)}"
    return {"U": "text", "S": "bytes", "c": "complex numbers"}.get(raw.dtype.kind, str(raw.dtype))


def size_cap(shape: Sequence[int], name: str, what: str = "payoffs") -> None:
    """Refuse a shape of more than ``MAX_ENTRIES`` numbers before anything is allocated."""
    entries = 1
    for k in shape:
        entries *= int(k)
    if entries > MAX_ENTRIES:
        text = " × ".join(str(k) for k in shape)
        raise InputError(f"{name}: {text} = {entries} {what}; the cap is {MAX_ENTRIES}")


def mixture(x: Any, size: int, name: str) -> Array:
    """A mixed strategy (..., size): non-negative, each row summing to 1 (within 1e-6)."""
    array = real_array(x, name)
    if array.shape[-1:] != (size,):
        got = array.shape[-1] if array.ndim else "one number"
        raise InputError(f"{name}: need {size} probabilities, got {got}")
    total = array.sum(axis=-1)
    if (array < -1e-9).any() or (abs(total - 1.0) > 1e-6).any():
        raise InputError(
            f"{name}: need probabilities ≥ 0 that sum to 1; got smallest {array.min():g}, "
            f"sum {total.flat[np.argmax(abs(total - 1.0))]:g}"
        )
    return array


def same_shape(**arrays: Any) -> None:
    """Refuse arrays of several shapes."""
    shapes = [np.shape(a) for a in arrays.values()]
    if len(set(shapes)) > 1:
        got = ", ".join(str(shape) for shape in shapes)
        raise InputError(f"{', '.join(arrays)}: need one shape, got {got}")


def same_axes(**arrays: Any) -> None:
    """Refuse a row beside a column, which would become a table; single numbers go with all."""
    shapes = [np.shape(a) for a in arrays.values()]
    if len({len(shape) for shape in shapes if shape}) > 1:
        got = ", ".join(str(shape) for shape in shapes)
        raise InputError(f"{', '.join(arrays)}: need as many axes each, got {got}")


def player(i: int, num_players: int, name: str = "player") -> int:
    """A player's index in 0..n-1."""
    if isinstance(i, bool) or not isinstance(i, int | np.integer) or not 0 <= i < num_players:
        raise InputError(f"{name}: need an index in 0..{num_players - 1}, got {i!r}")
    return int(i)


def positive(value: int, name: str, cap: int | None = None) -> int:
    """A whole number ≥ 1, and at most ``cap``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name}: need a whole number ≥ 1, got {value!r}")
    if cap is not None and value > cap:
        raise InputError(f"{name}: {value}; the cap is {cap}")
    return int(value)


def instance(value: Any, kind: type, name: str) -> None:
    """Something of the class ``kind``, not another thing in its place."""
    if not isinstance(value, kind):
        raise InputError(f"{name}: need a {kind.__name__}, got {type(value).__name__}")


def several(values: Any, name: str, what: str) -> None:
    """A list or tuple (or an array of several rows), one thing for each player."""
    if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str):
        raise InputError(f"{name}: need {what}, got {type(values).__name__}")


def nearest(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not among the known ones.

    Examples
    --------
    >>> nearest("gama", ["gamma", "lam"]), nearest("x", ["gamma", "lam"]), nearest("x", [])
    ("did you mean 'gamma'?", 'there are gamma, lam', 'there are none')
    """
    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}"


def seeded(seed: int) -> np.random.Generator:
    """The source of random numbers of a seed, a whole number in 0..2³²."""
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= 2**32:
        raise InputError(f"seed: need a whole number in 0..2^32, got {seed!r}")
    return np.random.default_rng(seed)


def generator(rng: np.random.Generator) -> np.random.Generator:
    """A source of random numbers, not a seed."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng: need np.random.default_rng(seed), got {type(rng).__name__}")
    return rng
