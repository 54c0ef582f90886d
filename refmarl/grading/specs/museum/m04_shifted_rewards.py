"""What a mended piece 4 of the museum must satisfy: an action is given its own reward."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import GAMMAS, SEEDS, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    reward: Any
    value: Any
    last_value: float
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Paths of two to six steps."""
    rng = np.random.default_rng(draw(SEEDS))
    steps = draw(st.integers(2, 6))
    return Case(halves(rng, steps), halves(rng, steps), float(halves(rng, 1)[0]), draw(GAMMAS))


def _right(reward: Any, value: Any, last_value: float, gamma: float) -> Any:
    after = [*value[1:], last_value]
    return np.array([r + gamma * w - v for r, w, v in zip(reward, after, value, strict=True)])


def _plain(case: Case) -> Case:
    return case._replace(reward=np.zeros(len(case.reward)))


def _each(answer: Answer, case: Case) -> None:
    """One reward at a time, no values."""
    for k, row in enumerate(np.eye(len(case.reward))):
        got = answer(row, 0.0 * case.value, 0.0, case.gamma)
        close(got, row, f"the errors where only step {k} pays, and nothing is worth anything")


def _with(shift: Any) -> Answer:
    def answer(reward: Any, value: Any, last_value: float, gamma: float) -> Any:
        return _right(shift(reward), value, last_value, gamma)

    return answer


def _no_last(reward: Any, value: Any, last_value: float, gamma: float) -> Any:
    return _right(reward, value, 0.0, gamma)


def _same_value(reward: Any, value: Any, last_value: float, gamma: float) -> Any:
    return reward + gamma * value - value


SPEC = Spec(
    exercise="museum-shifted-rewards",
    function="td_errors",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "without rewards the errors are what they were",
            "The values stood in their places, only the rewards did not.",
        ),
        (
            "each error holds its own step's reward against its own values",
            "Write down three steps by hand: which r stands beside V(s_0)?",
        ),
        (
            "a reward appears in the error of the step that earned it",
            "reward[t] is what the action at t brought, already in its row.",
            _each,
        ),
    ),
    mistakes=(
        Mistake("rewards come one step late", _with(lambda r: np.append(0.0, r[:-1]))),
        Mistake("rewards come one step early", _with(lambda r: np.append(r[1:], 0.0))),
        Mistake("rewards go round: the first stands last", _with(lambda r: np.roll(r, 1))),
        Mistake("the state after the last step is worth nothing", _no_last),
        Mistake("the next value is that of the state at hand", _same_value),
    ),
    reference=_right,
)
