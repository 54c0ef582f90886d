"""Hold an answer against laws: what breaks, the smallest case of it, which mistake it looks like.

An answer is a function: one of ours in this process, or a student's behind the border.
"""

import signal
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis.errors import HypothesisException

from .border.corpus import BLOCK, Cases, fresh, run
from .border.errors import BadReturn, Stop, StudentError
from .spec import Answer, Broken, Case, Mistake, Property, Spec, same

SHRINKS = 300  # smaller cases that are tried, the same ones on any machine
SHRINK_SECONDS = 8.0  # if it takes longer, none of them is shown

TELLING = 20  # cases on which a law is tried that only explains what others find wrong
LAW_SECONDS = 20.0  # of our own time for one law: what comes back may be made to take longer


def replay(prop: Property, answer: Answer, cases: Sequence[Case]) -> Broken | None:
    """The first of ``cases`` on which ``answer`` breaks ``prop``, if there is one."""
    getattr(answer, "begin", _nothing)()
    began = time.thread_time()
    with _interrupted():
        for number, case in enumerate(cases[: _most(prop)]):
            item = trial(prop, answer, case)
            if not item and time.thread_time() - began > LAW_SECONDS:
                item = _broken(prop, answer, case, _endless())
            if item:
                return replace(item, number=number)
    return None


def _most(prop: Property) -> int | None:
    """Cases on which a law is tried; all if None."""
    explains = not (prop.gate or prop.weight)
    return TELLING if explains and prop.most is None else prop.most


def _endless() -> Stop:
    return Stop("bad-return", f"what was returned takes more than {LAW_SECONDS:g} s to judge")


@contextmanager
def _interrupted() -> Iterator[None]:
    """Stop a law that does not come to an end in our own time, where signals can be had."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGPROF"):
        yield
        return

    def stop(*_: object) -> None:
        raise _endless()

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LAW_SECONDS, LAW_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


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


def smallest(item: Broken, answer: Answer, spec: Spec, cases: Cases, shrink: bool = True) -> Broken:
    """A smaller case that breaks the same law in the same way; the same one at every run.

    Hypothesis looks for it; where that takes too long, and without ``shrink``, it is the
    smallest of ``cases``.
    """
    best, tried, until = item, 0, time.monotonic() + SHRINK_SECONDS
    seed, held = cases.origins[item.number]

    def attempt(case: Case) -> None:
        nonlocal best, tried
        tried += 1
        if tried <= held:
            return
        if tried > held + SHRINKS or time.monotonic() > until:
            raise _Enough
        found = trial(item.property, answer, case)
        if found and found.kind == item.kind:
            best = found
            raise _Found

    if shrink:
        with suppress(_Found, _Enough, HypothesisException), _interrupted():
            run(attempt, spec.cases, seed, BLOCK, shrink=True)
    if not shrink or time.monotonic() > until:
        with _interrupted():
            best = _least(item, answer, cases)
    if best.drawn is not None and trial(item.property, spec.reference, best.drawn):
        best = item  # our own answer breaks it there: no example to show
    return replace(best, number=item.number)


def _least(item: Broken, answer: Answer, cases: Cases) -> Broken:
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


def diagnosis(spec: Spec, answer: Answer, cases: Sequence[Case]) -> Mistake | None:
    """The known mistake that ``answer`` equals on every case, if there is one.

    First in what it returns and changes, then in what it returns alone; never where that is right.
    """
    got = [_outcome(answer, case) for case in cases]
    right = [_outcome(spec.reference, case) for case in cases]
    for parts in (2, 1):
        if all(same(a[:parts], b[:parts]) for a, b in zip(got, right, strict=True)):
            continue
        for known in spec.mistakes:
            pairs = zip(cases, got, strict=True)
            if all(same(_outcome(known.answer, case)[:parts], a[:parts]) for case, a in pairs):
                return known
    return None


def _outcome(answer: Answer, case: Case) -> tuple[Any, Any]:
    """(what is returned or the kind of error, places of the arguments that were changed)."""
    given = fresh(case)
    try:
        value = answer(*given)
    except (Exception, SystemExit) as error:
        kinds = (k for k in type(error).__mro__ if k.__module__ == "builtins")
        return next(kinds), []
    changed = [k for k, (a, b) in enumerate(zip(given, case, strict=True)) if not same(a, b)]
    return value, getattr(answer, "changed", changed)
