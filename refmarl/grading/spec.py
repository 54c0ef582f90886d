"""What an exercise must satisfy: properties, and the wrong answers that they must catch."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, HypothesisException
from hypothesis.strategies import SearchStrategy

Answer = Callable[..., Any]
Case = tuple[Any, ...]  # a NamedTuple: the arguments of the answer, by name


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
    """A property that an answer breaks: the error of its smallest counterexample."""

    property: Property
    error: Exception
    case: Case | None


def close(answer: Any, expected: Any, what: str, atol: float = 1e-9) -> None:
    """Assert that ``answer`` is a real array of the shape and (within ``atol``) values expected.

    Type and shape come first: a missing return or an axis too many is told in words before any
    broadcasting can hide it.
    """
    assert answer is not None, f"{what}: the function returned None; is a return missing?"
    try:
        got = np.asarray(answer)
    except ValueError:
        raise AssertionError(f"{what}: the answer is ragged") from None
    assert got.dtype.kind in "biuf", f"{what}: need real numbers, got {type(answer).__name__}"
    want = np.asarray(expected, dtype=float)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, need {want.shape}"
    worst = float(np.max(np.abs(got - want), initial=0.0))
    shown = [np.array2string(x, precision=6) for x in (got, want)]
    exact = f" (they differ by {worst:.1g}; is it float32?)" if shown[0] == shown[1] else ""
    assert worst <= atol * max(1.0, float(np.max(np.abs(want), initial=0.0))), (
        f"{what}: got {shown[0]}, need {shown[1]}{exact}"
    )


def shaped(answer: Any, shape: tuple[int, ...], what: str) -> None:
    """Assert that ``answer`` is a finite real array of this shape, whatever its values."""
    close(answer, np.zeros(shape), what, atol=np.inf)
    assert np.isfinite(np.asarray(answer, dtype=float)).all(), f"{what}: not finite: {answer}"


def same(a: Any, b: Any) -> bool:
    """Whether two answers agree, through tuples and lists."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    try:
        close(a, b, "")
    except (AssertionError, TypeError, ValueError):
        return a is b
    return True


def _unchanged(answer: Answer, case: Case) -> None:
    before = copy.deepcopy(case)
    answer(*case)
    for name, old, new in zip(_names(case), before, case, strict=True):
        assert same(old, new), f"{name} was changed by the call"


def _repeatable(answer: Answer, case: Case) -> None:
    assert same(answer(*copy.deepcopy(case)), answer(*case)), "two equal calls, two answers"


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


def broken(
    prop: Property, answer: Answer, spec: Spec, examples: int = 60, shrink: bool = True
) -> Broken | None:
    """The smallest counterexample found to ``prop``, or None; the same one at every run."""
    failing: list[Case] = []
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)

    @seed(0)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(spec.cases)
    def run(case: Case) -> None:
        kept = copy.deepcopy(case)
        try:
            prop.check(answer, case)
        except HypothesisException:
            raise
        except Exception:
            failing[:] = [kept]
            raise
        except SystemExit as error:  # exit() in an answer must not end the check
            failing[:] = [kept]
            raise RuntimeError("the answer called exit()") from error

    try:
        run()
    except Flaky as error:  # the same case, another outcome: hidden state
        return Broken(prop, error, failing[0] if failing else None)
    except HypothesisException:  # the harness is at fault, not the answer
        raise
    except Exception as error:  # a student's bug may raise anything
        return Broken(prop, error, failing[0] if failing else None)
    return None


def failures(spec: Spec, answer: Answer, examples: int = 60, shrink: bool = False) -> list[Broken]:
    """Every property that ``answer`` breaks; with ``shrink`` the first one's case is minimal."""
    found: list[Broken] = []
    for prop in spec.properties:
        result = broken(prop, answer, spec, examples, shrink=shrink and not found)
        found += [result] if result else []
    return found


def diagnosis(spec: Spec, answer: Answer, examples: int = 30) -> Mistake | None:
    """The known mistake that ``answer`` equals on every generated case, if there is one."""
    candidates = list(spec.mistakes)

    @seed(0)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(spec.cases)
    def run(case: Case) -> None:
        if candidates:
            got = _outcome(answer, case)
            candidates[:] = [m for m in candidates if same(_outcome(m.answer, case), got)]

    run()
    return candidates[0] if candidates else None


def _outcome(answer: Answer, case: Case) -> Any:
    try:
        return answer(*copy.deepcopy(case))
    except (Exception, SystemExit) as error:
        return type(error)
