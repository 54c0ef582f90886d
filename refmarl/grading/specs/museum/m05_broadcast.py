"""What a mended piece 5 of the museum must satisfy: each value meets its own target."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import SEEDS, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    value: Any
    target: Any


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two to six states."""
    rng = np.random.default_rng(draw(SEEDS))
    states = draw(st.integers(2, 6))
    return Case(halves(rng, states, 1), halves(rng, states))


def _right(value: Any, target: Any) -> Any:
    pairs = zip(value[:, 0], target, strict=True)
    return sum((v - y) ** 2 for v, y in pairs) / (2 * len(target))


def _plain(case: Case) -> Case:
    return Case(case.value, np.full(len(case.target), 2.5))


def _exact(answer: Answer, case: Case) -> None:
    target = np.arange(1.0, 1.0 + len(case.target))
    close(answer(target[:, None], target), 0.0, "the loss where every value is its target")
    close(answer(target[:, None] + 2.0, target), 2.0, "the loss where every value is 2 too high")


def _everybody(value: Any, target: Any) -> Any:
    return 0.5 * ((value - target) ** 2).mean()


def _summed(value: Any, target: Any) -> Any:
    return len(target) * _right(value, target)


def _without_half(value: Any, target: Any) -> Any:
    return 2.0 * _right(value, target)


def _of_means(value: Any, target: Any) -> Any:
    return 0.5 * (value.mean() - target.mean()) ** 2


def _absolute(value: Any, target: Any) -> Any:
    return 0.5 * np.abs(value[:, 0] - target).mean()


SPEC = Spec(
    exercise="museum-silent-broadcast",
    function="value_loss",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where all targets are equal the loss is what it was",
            "Half of the mean of squares: that was right.",
        ),
        (
            "it is half the mean over the states of the squared error",
            "Print the shape of error. How many numbers should it hold?",
        ),
        (
            "a critic that is right has no loss, one that is 2 too high a loss of 2",
            "Which value meets which target in value - target?",
            _exact,
        ),
    ),
    mistakes=(
        Mistake("every value is held against every target", _everybody),
        Mistake("the squares are summed", _summed),
        Mistake("the half is left out", _without_half),
        Mistake("the means are compared", _of_means),
        Mistake("the errors are not squared", _absolute),
    ),
    reference=_right,
)
