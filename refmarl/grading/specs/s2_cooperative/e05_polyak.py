"""What an answer to exercise 2.5 must satisfy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import optim
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need
from .._layouts import layouts

Lists = list[Array]


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    target: Lists
    theta: Lists
    tau: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three arrays of one or two axes."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shapes = draw(st.lists(st.sampled_from([(1,), (3,), (2, 2), (1, 3)]), min_size=1, max_size=3))
    target, theta = ([rng.integers(-9, 10, shape) / 2.0 for shape in shapes] for _ in range(2))
    return Case(target, theta, draw(st.sampled_from([0.0, 0.005, 0.1, 0.25, 0.5, 1.0])))


def _parts(answer: Answer, case: Case) -> Lists:
    found = answer(*case)
    need(isinstance(found, list | tuple), f"need a list of arrays, got {type(found).__name__}")
    need(len(found) == len(case.target), f"need {len(case.target)} arrays, got {len(found)}")
    for k, (got, old) in enumerate(zip(found, case.target, strict=True)):
        close(got, np.zeros(old.shape), f"array {k}", atol=np.inf)
    return [np.asarray(got, dtype=float) for got in found]


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _ends(answer: Answer, case: Case) -> None:
    for tau, wanted, what in ((1.0, case.theta, "theta"), (0.0, case.target, "the target")):
        for k, got in enumerate(_parts(answer, case._replace(tau=tau))):
            close(got, wanted[k], f"array {k} for tau = {tau:.0f}: {what}")


def _mixture(answer: Answer, case: Case) -> None:
    for k, got in enumerate(_parts(answer, case)):
        wanted = case.tau * case.theta[k] + (1.0 - case.tau) * case.target[k]
        close(got, wanted, f"array {k}")


def _shrinks(answer: Answer, case: Case) -> None:
    for k, got in enumerate(_parts(answer, case)):
        before = case.target[k] - case.theta[k]
        close(got - case.theta[k], (1.0 - case.tau) * before, f"what is left of gap {k}")


def _again(answer: Answer, case: Case) -> None:
    twice = _parts(answer, case._replace(target=_parts(answer, case)))
    for k, got in enumerate(twice):
        left = (1.0 - case.tau) ** 2 * (case.target[k] - case.theta[k])
        close(got - case.theta[k], left, f"what is left of gap {k} after two steps")


def _variant(mix: Callable[[Any, Any, float], Any]) -> Answer:
    def answer(target: Any, theta: Any, tau: float) -> Any:
        return [mix(old, new, tau) for old, new in zip(target, theta, strict=True)]

    return answer


def _first_only(target: Any, theta: Any, tau: float) -> Any:
    return [tau * theta[0] + (1.0 - tau) * target[0], *target[1:]]


def _library(target: Any, theta: Any, tau: float) -> Any:
    pairs = zip(target, theta, strict=True)
    return [optim.polyak(np.asarray(old), np.asarray(new), tau) for old, new in pairs]


SPEC = Spec(
    exercise="polyak",
    function="polyak",
    cases=cases(),
    properties=(
        Property(
            "one array for each of the target's, in its shape",
            _shape,
            "Return a new list; neither list of arrays is written into.",
            gate=True,
        ),
        Property(
            "tau = 1 copies theta and tau = 0 keeps the target",
            _ends,
            "Which of the two parameter vectors is multiplied by tau?",
        ),
        Property(
            "the gap to theta shrinks by 1 - tau",
            _shrinks,
            "Subtract theta on both sides of (2.5).",
        ),
        Property(
            "two steps leave (1 - tau)^2 of the gap",
            _again,
            "Each step starts from where the one before arrived.",
            weight=0,
        ),
        Property(
            "it is tau theta + (1 - tau) theta', array by array",
            _mixture,
            "The weights sum to 1.",
            weight=2,
        ),
        layouts(_mixture, "target", "theta"),
        *PURE,
    ),
    mistakes=(
        Mistake("the weights are swapped", _variant(lambda o, n, t: t * o + (1.0 - t) * n)),
        Mistake("theta is copied", _variant(lambda o, n, t: n)),
        Mistake("the target is kept", _variant(lambda o, n, t: o)),
        Mistake("tau theta is added to the whole target", _variant(lambda o, n, t: o + t * n)),
        Mistake("the step goes away from theta", _variant(lambda o, n, t: o - t * (n - o))),
        Mistake("the step is tau squared", _variant(lambda o, n, t: o + t * t * (n - o))),
        Mistake("only the first array moves", _first_only),
    ),
    reference=_library,
)
