"""Exercises in which the student writes the test: graded by the wrong answers that it rejects."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ..border.corpus import draw, fresh
from ..border.helper import UNANSWERED
from ..spec import Answer, Candidate, Mistake, Property, Spec

Right = tuple[str, Callable[..., Any]]
MOST = 10_000  # numbers that our own variants take: they run beside the laws


class Case(NamedTuple):
    """The argument of a student's test: what it has to judge."""

    implementation: Any


def rejects(test: Answer, implementation: Any) -> bool:
    """Whether a test turns an implementation down: by an AssertionError, or by returning False.

    It is asked in a new process each time: which one it is handed when must not help it.
    """
    getattr(test, "anew", _nothing)()
    try:
        verdict = test(implementation)
    except AssertionError:
        return True
    return verdict is False or (isinstance(verdict, np.bool_) and not verdict)


def _nothing() -> None:
    """What a test in this process needs."""


def small(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` for arguments of a size that a test has use for."""

    def answer(*given: Any) -> Any:
        if _count(given) > MOST:
            raise ValueError(f"too large a case: at most {MOST} numbers")
        try:
            return f(*given)
        except Exception:
            raise ValueError(UNANSWERED) from None

    return answer


def _count(value: Any) -> int:
    if isinstance(value, list | tuple):
        return sum(map(_count, value))
    return int(np.size(value))


def tests_of(
    law: Spec, label: str, function: str, rights: Sequence[Right], mistakes: tuple[Mistake, ...]
) -> Spec:
    """The specification of ``label``: a test of what ``law`` specifies.

    It has to accept the library's answer and ``rights``, right ones in other words, and earns a
    share of the points for each of the mistakes known to ``law`` that it rejects.
    """
    accepted: list[Right] = [("the library's own", Candidate(law.exercise)), *rights]

    def accepts(answer: Answer, case: Case) -> None:
        for name, right in accepted:
            assert not rejects(answer, right), f"it rejects a right answer: {name}"

    def kills(k: int, says: str) -> Property:
        def check(answer: Answer, case: Case) -> None:
            assert rejects(answer, Candidate(law.exercise, k)), f"it accepts this: {says}"

        hint = "Think of a case with so few numbers that you can work it out, on which this shows."
        return Property(f"it rejects an answer in which {says}", check, hint)

    return Spec(
        exercise=label,
        function=function,
        cases=st.just(Case(Candidate(law.exercise))),
        properties=(
            Property(
                "it accepts every right answer",
                accepts,
                "Right answers may differ in their last digits, and be lists. Is your own expected "
                "number right?",
                gate=True,
            ),
            *(kills(k, mistake.says) for k, mistake in enumerate(law.mistakes)),
        ),
        mistakes=mistakes,
        reference=_by_laws(law),
    )


def _by_laws(law: Spec) -> Answer:
    """The laws themselves as a test. It judges an implementation once."""
    cases: list[Any] = []

    @cache
    def verdict(implementation: Any) -> Exception | None:
        cases.extend([] if cases else draw(law.cases, 0, 60))
        try:
            for prop in law.properties:
                if prop.gate or prop.weight:
                    for case in cases[: prop.most]:
                        prop.check(implementation, fresh(case))
        except Exception as error:
            return error
        return None

    def test(implementation: Any) -> None:
        error = verdict(implementation)
        if error:
            raise error

    return test
