"""Counterexamples as a student reads them: exact Python, with the symbols of the course beside."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from .catalogue import Exercise
from .spec import Case

WIDTH = 100
FULL = 64  # entries of an argument that are shown
SMALL = 8  # entries of an answer that are shown
ENTRY = re.compile(r"^    (\w[\w, ]*?) *: (\S.*?)(?: {2,}(\S.*))?$", re.MULTILINE)
LONG = 8  # letters of a number that is rather written as a fraction, if it is one
DENOMINATOR = 99
CLAUSE = re.compile(r";|,( but)?$")  # where a note may end


def literal(value: Any) -> str:
    """A value as Python that makes it, to the last bit; ``np`` is NumPy.

    Examples
    --------
    >>> literal([np.array([0.1, np.nan]), (True, 3)])
    '[np.array([0.1, np.nan]), (True, 3)]'
    >>> literal([2 / 3, 1 / 4])
    '[2/3, 0.25]'
    """
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        inside = ", ".join(literal(x) for x in value)
        inside += "," * (isinstance(value, tuple) and len(value) == 1)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if callable(value):
        return "..."
    return _scalar(value.item() if isinstance(value, np.generic) else value)


def _array(value: np.ndarray[Any, Any]) -> str:
    kind = value.dtype.name
    inside = f"array({_nested(value.tolist())}" if value.size else f"zeros({value.shape}"
    plain = ("bool", "int64", "float64") if value.size else ("float64",)
    return f"np.{inside})" if kind in plain else f'np.{inside}, dtype="{kind}")'


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if not isinstance(value, float):
        return repr(value)
    if not np.isfinite(value):
        return f"np.{value}" if value != -np.inf else "-np.inf"
    if len(repr(value)) > LONG:
        share = Fraction(value).limit_denominator(DENOMINATOR)
        if share.denominator > 1 and share.numerator / share.denominator == value:
            return str(share)
    return repr(value)


def notation(exercise: Exercise) -> dict[str, str]:
    """What each argument is in the course's symbols, from the statement: {"value": "V(s_t)"}."""
    text = exercise.stub().partition(f"def {exercise.function}(")[2]
    head, _, rest = text.partition(":")
    known, found = set(re.findall(r"\w+", head)), {}
    for listed, kind, says in ENTRY.findall(rest.partition('"""')[2].partition('"""')[0]):
        for name in known.intersection(listed.split(", ")):
            found[name] = CLAUSE.split(says or kind)[0].strip()
    return found


def arguments(case: Case, notes: Mapping[str, str] | None = None) -> list[str]:
    """A case as assignments, one for each argument, with its notation as a comment."""
    lines = []
    for name, value in zip(names(case), case, strict=True):
        note = ", ".join(x for x in (*_layout(value), (notes or {}).get(name, "")) if x)
        if _entries(value) > FULL:
            lines.append(f"# {name}: {_shapes(value)}, too large to be shown{note and ', ' + note}")
            continue
        if callable(value):
            lines.append(f"# {name}: a function that yours is given{note and ', ' + note}")
            continue
        text = f"{name} = {literal(value)}"
        if note and len(text) + len(note) > WIDTH:
            lines.append(f"# {note}")
        elif note:
            text += f"  # {note}"
        lines.append(text)
    return [*lines, *_game(case)]


def names(case: Case) -> tuple[str, ...]:
    """The names of a case's arguments."""
    return tuple(getattr(case, "_fields", [f"argument_{k}" for k in range(len(case))]))


def _entries(value: Any) -> int:
    if isinstance(value, list | tuple):
        return sum(map(_entries, value))
    return int(np.size(value)) if isinstance(value, np.ndarray) else 1


def _shapes(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.name} {value.shape}"
    if isinstance(value, list | tuple):
        return f"{len(value)} of {', '.join(sorted({_shapes(x) for x in value}))}"
    return type(value).__name__


def _layout(value: Any) -> list[str]:
    """What does not show in the numbers of an array, and may matter all the same."""
    if not isinstance(value, np.ndarray) or value.size < 2:
        return []
    flags, found = value.flags, []
    if not flags.c_contiguous:
        found.append("in Fortran's order" if flags.f_contiguous else "a view of a larger array")
    return found + ["read-only"] * (not flags.writeable)


def _game(case: Case) -> list[str]:
    """A small game of two players as a table, for reading beside the arrays."""
    from ..games.normal_form import NormalForm
    from ..games.show import text

    given: dict[str, Any] = dict(zip(names(case), case, strict=True))
    payoffs = given.get("payoffs")
    if payoffs is None and {"row", "column"} <= given.keys():
        payoffs = np.array([given["row"], given["column"]])
    if not isinstance(payoffs, np.ndarray) or payoffs.ndim != 3 or len(payoffs) != 2:
        return []
    if not 1 < payoffs[0].size <= 16 or not np.isfinite(payoffs).all():
        return []
    table = text(NormalForm(payoffs), marks=()).splitlines()
    return ["# u_1, u_2:", *(f"#   {line}" for line in table)]


@np.errstate(all="ignore")  # of numbers that nobody chose with care
def differing(got: Any, want: Any) -> list[str]:
    """Two arrays of one shape: in full if they are small, else where they first differ."""
    a, b = np.asarray(got), np.asarray(want)
    room = 1e-9 * max(1.0, float(np.max(np.abs(b), where=np.isfinite(b), initial=0.0)))
    apart = np.argwhere(~(np.isclose(a, b, rtol=0, atol=room, equal_nan=True)))
    if a.size <= SMALL:
        at = f"    first difference at {_index(apart[0])}" if a.ndim and len(apart) else ""
        return [f"yours     {_nested(a.tolist())}", f"expected  {_nested(b.tolist())}{at}"]
    if not len(apart):
        return []
    first = tuple(apart[0])
    return [
        f"yours     {_scalar(a[first].item())} at {_index(apart[0])}",
        f"expected  {_scalar(b[first].item())}    {len(apart)} of {a.size} differ, shape {a.shape}",
    ]


def _index(place: Any) -> str:
    return f"[{', '.join(str(k) for k in place)}]"


def script(exercise: Exercise, calls: list[Case]) -> str:
    """A program that calls the student's function with the arguments of a counterexample."""
    parts = [
        f'"""What `refmarl check {exercise.label} --case` found; it is written anew each time."""',
        f"import numpy as np\nfrom {exercise.slug} import {exercise.function}",
    ]
    for case in calls:
        given = [f"{n} = {literal(x)}" for n, x in zip(names(case), case, strict=True)]
        call = f"print({exercise.function}({', '.join(names(case))}))"
        parts.append("\n".join([*given, call]))
    return "\n\n".join(parts) + "\n"
