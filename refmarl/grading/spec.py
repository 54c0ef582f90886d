"""What an exercise must satisfy: properties, and the wrong answers that they must catch."""

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

from .border.corpus import draw, fresh, run
from .border.errors import BadReturn, Stop, StudentError
from .border.helper import Candidate

__all__ = ["PURE", "Answer", "BadReturn", "Broken", "Candidate", "Case", "Differs", "Mistake"]
__all__ += ["Property", "Spec", "broken", "close", "diagnosis", "failures", "need", "replay"]
__all__ += ["same", "shaped", "smallest", "trial"]

Answer = Callable[..., Any]
Case = tuple[Any, ...]  # a NamedTuple: the arguments of the answer, by name
SHRINKS = 300  # smaller cases that are tried, the same ones on any machine
SHRINK_SECONDS = 8.0  # if it takes longer, none of them is shown


@dataclass(frozen=True)
class Property:
    """A law that every right answer obeys; ``check(answer, case)`` raises AssertionError.

    A ``gate`` earns nothing, because a wrong answer may pass it too; but it must be passed.
    ``weight`` says how many of the others a law counts as: the equation itself counts more than
    what follows from it.
    """

    says: str
    check: Callable[[Answer, Any], None]
    hint: str
    gate: bool = False
    weight: int = 1


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
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
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
    assert same(answer(*fresh(case)), answer(*case)), "two equal calls, two answers"


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
    ),
)


def failures(
    spec: Spec, answer: Answer, examples: int = 60, cases: list[Case] | None = None
) -> list[Broken]:
    """Every property that ``answer`` breaks, each with the first case that shows it."""
    cases = draw(spec.cases, 0, examples) if cases is None else cases
    found = (replay(prop, answer, cases) for prop in spec.properties)
    return [item for item in found if item]


def broken(
    prop: Property, answer: Answer, spec: Spec, examples: int = 60, shrink: bool = True
) -> Broken | None:
    """A counterexample to ``prop``, or None; with ``shrink`` the smallest that is found."""
    cases = draw(spec.cases, 0, examples)
    item = replay(prop, answer, cases)
    return smallest(item, answer, spec, cases, 0, examples) if item and shrink else item


def replay(prop: Property, answer: Answer, cases: list[Case]) -> Broken | None:
    """The first of ``cases`` on which ``answer`` breaks ``prop``, if there is one."""
    getattr(answer, "begin", _nothing)()
    for number, case in enumerate(cases):
        item = trial(prop, answer, case)
        if item:
            return replace(item, number=number)
    return None


def _nothing() -> None:
    """What a function in this process needs before a law."""


def trial(prop: Property, answer: Answer, case: Case) -> Broken | None:
    """What came of one law on one case."""
    getattr(answer, "forget", _nothing)()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever the law makes of a strange answer
            prop.check(answer, fresh(case))
    except (Exception, SystemExit, Stop) as error:
        error.__traceback__ = None  # it holds everything that the law had
        return _broken(prop, answer, case, error)
    return None


def _broken(prop: Property, answer: Answer, case: Case, error: BaseException) -> Broken:
    first, last = _called(answer, case)
    if isinstance(error, Stop):
        return Broken(prop, error, first, last, error.kind, case)
    if isinstance(error, AssertionError) and not isinstance(error, StudentError):
        kind = "bad-return" if isinstance(error, BadReturn) else "fail"
        return Broken(prop, error, first, last, kind, case)
    if isinstance(error, StudentError) or not hasattr(answer, "arguments"):
        return Broken(prop, error, first, last, "error", case)
    text = f"what was returned cannot be used: {type(error).__name__}: {error}"
    return Broken(prop, BadReturn(text), first, last, "bad-return", case)


def _called(answer: Answer, case: Case) -> tuple[Case, Case | None]:
    """The arguments of the first call that a law made, and of the last one if they differ."""
    calls = [_like(case, args) for args in getattr(answer, "arguments", list)()]
    return (calls[0], calls[-1] if len(calls) > 1 else None) if calls else (case, None)


def _like(case: Case, args: Case) -> Case:
    return type(case)(*args) if len(args) == len(case) and hasattr(case, "_fields") else args


class _Found(Exception):
    """A case that breaks the law in the same way."""


class _Enough(BaseException):
    """Hypothesis has tried enough smaller cases; it lets this pass."""


def smallest(
    item: Broken,
    answer: Answer,
    spec: Spec,
    cases: list[Case],
    number: int | None,
    examples: int = 60,
) -> Broken:
    """A smaller case that breaks the same law in the same way; the same one at every run.

    Hypothesis looks for it if ``number``, the seed of the cases, is given; where that takes too
    long, and without a seed, it is the smallest of ``cases``.
    """
    best, tried, until = item, 0, time.monotonic() + SHRINK_SECONDS

    def attempt(case: Case) -> None:
        nonlocal best, tried
        tried += 1
        if tried <= item.number:  # these hold
            return
        if tried > item.number + SHRINKS or time.monotonic() > until:
            raise _Enough
        found = trial(item.property, answer, case)
        if found and found.kind == item.kind:
            best = found
            raise _Found

    if number is not None:
        with suppress(_Found, _Enough, HypothesisException):
            run(attempt, spec.cases, number, examples, shrink=True)
    if number is None or time.monotonic() > until:
        best = _least(item, answer, cases)
    if best.drawn is not None and trial(item.property, spec.reference, best.drawn):
        best = item  # our own answer breaks it there: no example to show
    return replace(best, number=item.number)


def _least(item: Broken, answer: Answer, cases: list[Case]) -> Broken:
    """The smallest of the cases that break a law in the same way, the first of equal ones."""
    tries = (trial(item.property, answer, case) for case in cases[item.number + 1 :])
    return min([item, *(t for t in tries if t and t.kind == item.kind)], key=_entries)


def _entries(item: Broken) -> int:
    return _count(item.drawn)


def _count(value: Any) -> int:
    """Numbers in a case."""
    if isinstance(value, list | tuple):
        return sum(_count(x) for x in value) + len(value)
    return int(value.size) if isinstance(value, np.ndarray) else 1


def diagnosis(
    spec: Spec, answer: Answer, examples: int = 30, cases: list[Case] | None = None
) -> Mistake | None:
    """The known mistake that ``answer`` equals on every case, if there is one."""
    candidates = list(spec.mistakes)
    for case in draw(spec.cases, 0, examples) if cases is None else cases[:examples]:
        if not candidates:
            return None
        got = _outcome(answer, case)
        candidates = [m for m in candidates if same(_outcome(m.answer, case), got)]
    return candidates[0] if candidates else None


def _outcome(answer: Answer, case: Case) -> Any:
    try:
        return answer(*fresh(case))
    except (Exception, SystemExit) as error:
        kinds = (k for k in type(error).__mro__ if k.__module__ == "builtins")
        return next(kinds)
