"""What an exercise must satisfy: properties, and the wrong answers that they must catch."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis.strategies import SearchStrategy

from .border import wire
from .border.corpus import fresh
from .border.errors import BadReturn
from .border.helper import Candidate

__all__ = ["PURE", "Answer", "BadReturn", "Broken", "Candidate", "Case", "Differs", "Mistake"]
__all__ += ["Property", "Spec", "close", "need", "same", "shaped"]

Answer = Callable[..., Any]
Case = tuple[Any, ...]  # a NamedTuple: the arguments of the answer, by name


@dataclass(frozen=True)
class Property:
    """A law that every right answer obeys; ``check(answer, case)`` raises AssertionError.

    A ``gate`` earns nothing, because a wrong answer may pass it too; but it must be passed.
    ``weight`` says how many of the others a law counts as: the equation itself counts more than
    what follows from it. One of weight 0 only explains, and is tried on the first 20 cases.
    ``most`` is for laws that ask the answer for more than the case itself: the first so many do.
    """

    says: str
    check: Callable[[Answer, Any], None]
    hint: str
    gate: bool = False
    weight: int = 1
    most: int | None = None


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that the properties must catch; ``says`` is the diagnosis for a student."""

    says: str
    answer: Answer


@dataclass(frozen=True)
class Spec:
    """One exercise: the label of its equation, the function asked for, and what it must obey.

    ``cases`` draws NamedTuples of arguments; ``reference`` is the library's own answer in the
    exercise's signature, a third implementation beside the solution and the properties.
    """

    exercise: str
    function: str
    cases: SearchStrategy[Any]
    properties: tuple[Property, ...]
    mistakes: tuple[Mistake, ...]
    reference: Answer


@dataclass(frozen=True)
class Broken:
    """A property that an answer breaks, and how: ``kind`` is the status that it alone would give.

    ``case`` holds the arguments that the law called the answer with, ``last`` those of its last
    call if they were others, ``drawn`` what the law was given; ``number`` cases held before.
    """

    property: Property
    error: BaseException
    case: Case | None
    last: Case | None = None
    kind: str = "fail"
    drawn: Case | None = None
    number: int = 0


class Differs(AssertionError):
    """An answer of the right shape with other values: ``what`` it is, ``got`` and ``want``."""

    def __init__(self, what: str, got: Any, want: Any, worst: float) -> None:
        self.what, self.got, self.want = what, got, want
        shown = [np.array2string(x, precision=6) for x in (got, want)]
        exact = f" (they differ by {worst:.1g}; is it float32?)" if shown[0] == shown[1] else ""
        super().__init__(f"{what}: got {shown[0]}, need {shown[1]}{exact}")


def need(kind_is_right: bool, message: str) -> None:
    """Assert that the answer is the kind of thing asked for, before its values are looked at."""
    if not kind_is_right:
        raise BadReturn(message)


def close(answer: Any, expected: Any, what: str, atol: float = 1e-9) -> None:
    """Assert that ``answer`` is a real array of the shape and (within ``atol``) values expected.

    Type and shape come first: a missing return or an axis too many is told in words before any
    broadcasting can hide it.
    """
    need(answer is not None, f"{what}: the function returned None; is a return missing?")
    try:
        got = np.asarray(answer)
    except ValueError:
        raise BadReturn(f"{what}: the answer is ragged") from None
    need(got.dtype.kind in "biuf", f"{what}: need real numbers, got {type(answer).__name__}")
    want = np.asarray(expected, dtype=float)
    need(got.shape == want.shape, f"{what}: shape {got.shape}, need {want.shape}")
    worst = float(np.max(np.abs(got - want), initial=0.0))
    if not worst <= atol * max(1.0, float(np.max(np.abs(want), initial=0.0))):
        raise Differs(what, got, want, worst)


def shaped(answer: Any, shape: tuple[int, ...], what: str) -> None:
    """Assert that ``answer`` is a finite real array of this shape, whatever its values."""
    close(answer, np.zeros(shape), what, atol=np.inf)
    assert np.isfinite(np.asarray(answer, dtype=float)).all(), f"{what}: not finite: {answer}"


def same(a: Any, b: Any) -> bool:
    """Whether two answers agree to nine digits, through tuples, lists and dictionaries."""
    with suppress(wire.WireError):
        if wire.encode(a, layout=False) == wire.encode(b, layout=False):
            return True
    return _alike(a, b)


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_alike(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, str | bytes) or isinstance(b, str | bytes):
        return type(a) is type(b) and bool(a == b)
    try:
        return _near(np.asarray(a), np.asarray(b)) or a is b
    except (TypeError, ValueError):
        return a is b


def _near(x: Any, y: Any) -> bool:
    """Whether two arrays of numbers agree; what is not a number agrees with itself."""
    if x.shape != y.shape or not {x.dtype.kind, y.dtype.kind} <= set("biufc"):
        return False
    x, y = (z.astype(float if z.dtype.kind in "biu" else z.dtype) for z in (x, y))
    room = 1e-9 * max(1.0, float(np.max(np.abs(y), where=np.isfinite(y), initial=0.0)))
    return bool(((x == y) | (np.isnan(x) & np.isnan(y)) | (np.abs(x - y) <= room)).all())


def _unchanged(answer: Answer, case: Case) -> None:
    before, names = fresh(case), _names(case)
    answer(*case)
    told = getattr(answer, "changed", None)
    if told is not None:
        changed = [names[k] for k in told]
    else:
        changed = [n for n, a, b in zip(names, before, case, strict=True) if not same(a, b)]
    assert not changed, f"{changed[0]} was changed by the call"


def _repeatable(answer: Answer, case: Case) -> None:
    again = getattr(answer, "again", answer)  # what was asked before is not asked twice
    assert same(answer(*fresh(case)), again(*case)), "two equal calls, two answers"


def _names(case: Case) -> tuple[str, ...]:
    return tuple(getattr(case, "_fields", [f"argument {k}" for k in range(len(case))]))


PURE = (
    Property(
        "the inputs are left unchanged",
        _unchanged,
        "Work on a copy: x = np.array(x, dtype=float).",
        gate=True,
    ),
    Property(
        "equal inputs give equal answers",
        _repeatable,
        "Keep nothing between calls: no global, no mutable default argument.",
        gate=True,
        most=30,
    ),
)
