"""What a mended piece 1 of the museum must satisfy: truncation is no termination."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import GAMMAS, SEEDS, ends, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    reward: Any
    next_value: Any
    terminated: Any
    truncated: Any
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five steps of up to three copies, ends of both kinds."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return Case(halves(rng, *shape), halves(rng, *shape), *ends(rng, *shape), draw(GAMMAS))


def _right(reward: Any, next_value: Any, terminated: Any, truncated: Any, gamma: float) -> Any:
    return reward + gamma * np.where(terminated, 0.0, next_value)


def _plain(case: Case) -> Case:
    return case._replace(truncated=np.zeros(case.reward.shape, dtype=bool))


def _cut(answer: Answer, case: Case) -> None:
    """The clock cuts everywhere, and everything has a value."""
    every = np.ones(case.reward.shape, dtype=bool)
    value = 1.0 + np.abs(case.next_value)
    given = Case(case.reward, value, ~every, every, 0.5)
    close(answer(*given), case.reward + 0.5 * value, "the targets where the clock cuts every step")


def _wrong(on: Any, factor: float = 1.0) -> Answer:
    def answer(reward: Any, next_value: Any, terminated: Any, truncated: Any, gamma: float) -> Any:
        follows = on(terminated, truncated) * next_value
        return reward + (gamma if factor else 1.0) * follows

    return answer


SPEC = Spec(
    exercise="museum-truncation-as-terminal",
    function="td_target",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where no clock cuts the targets are what they were",
            "Terminated steps have no future, all others have one.",
        ),
        (
            "every step that did not terminate is bootstrapped",
            "Which of the two flags says that nothing follows?",
        ),
        (
            "where the clock cuts the value of the last state counts",
            "The episode would have gone on: next_value is what it would have been worth.",
            _cut,
        ),
    ),
    mistakes=(
        Mistake("truncation counts as termination", _wrong(lambda d, c: 1.0 - (d | c))),
        Mistake("only truncation stops the bootstrap", _wrong(lambda d, c: 1.0 - c)),
        Mistake("everything is bootstrapped", _wrong(lambda d, c: 1.0 + 0 * d)),
        Mistake("only truncated steps are bootstrapped", _wrong(lambda d, c: 1.0 * c)),
        Mistake("gamma is left out", _wrong(lambda d, c: 1.0 - d, 0.0)),
    ),
    reference=_right,
)
