"""The same arguments in other arrays: whole numbers, read-only, turned, with gaps.

A student tries an answer on fresh arrays of floats. It may still cut fractions off where it is
given whole numbers, write into what it was given, or read the memory in the wrong order.
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np

from ..spec import Answer, Property

Kind = Callable[[Any], Any]


def whole(a: Any) -> Any:
    """As an integer array, if all its entries are whole."""
    return a.astype(np.int64) if a.dtype.kind == "f" and (a == np.rint(a)).all() else a


def read_only(a: Any) -> Any:
    """A copy that refuses to be changed."""
    b = a.copy()
    b.flags.writeable = False
    return b


def turned(a: Any) -> Any:
    """A copy that varies fastest along its first axis."""
    return np.asfortranarray(a.copy())


def gaps(a: Any) -> Any:
    """A view that runs backwards through memory in which other numbers lie between."""
    if a.ndim == 0:
        return a
    buffer = np.full((*a.shape[:-1], 2 * a.shape[-1]), 77).astype(a.dtype)
    view = buffer[::-1, ..., ::2] if a.ndim > 1 else buffer[::-2]
    view[...] = a
    return view


LAYOUTS: dict[str, Kind] = {
    "read-only arrays": read_only,
    "arrays in Fortran order": turned,
    "arrays that are views": gaps,
}


def each(kind: Kind, value: Any) -> Any:
    """``value`` with every array in it, through lists and tuples, turned into another one."""
    if isinstance(value, list | tuple):
        return type(value)(each(kind, x) for x in value)
    return kind(value) if isinstance(value, np.ndarray) else value


def layouts(check: Callable[[Answer, Any], None], *real: str) -> Property:
    """The law that what ``check`` says holds for arrays of every kind.

    ``real`` names the arguments that may be any real numbers: these are rounded to whole ones, and
    given as integers. Of the other layouts each case sees one.
    """

    def every_kind(answer: Answer, case: Any) -> None:
        names = list(LAYOUTS)
        name = names[_digest(case) % len(names)]
        _held(check, answer, case, name, LAYOUTS[name])
        if real:
            rounded = {x: each(np.rint, getattr(case, x)) for x in real}
            _held(check, answer, case._replace(**rounded), "whole numbers, of dtype int", whole)

    return Property(
        "whole numbers, read-only arrays and views are answered like fresh arrays of floats",
        every_kind,
        "zeros_like(x) has the dtype of x, and x -= y writes into x: begin with np.zeros(shape), "
        "or with np.array(x, dtype=float).",
        most=24,
    )


def _digest(value: Any) -> int:
    """A number that depends on all numbers of a case."""
    if isinstance(value, list | tuple):
        return sum(k * _digest(x) for k, x in enumerate(value, start=1))
    return crc32(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())


def _held(check: Any, answer: Answer, case: Any, name: str, kind: Kind) -> None:
    try:
        check(lambda *given: answer(*(each(kind, x) for x in given)), case)
    except AssertionError as error:
        raise AssertionError(f"given {name}: {error}") from error
