"""What an answer to exercise 3.4 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import returns
from ....testing.trajectories import streams
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    reward: Array
    value: Array
    next_value: Array
    terminated: Any
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five steps of up to three copies; what follows an end is large and meaningless."""
    drawn = draw(streams(5))
    after = np.where(drawn.terminated, 50.0 + drawn.next_value, drawn.next_value)
    return Case(drawn.reward, drawn.value, after, drawn.terminated, drawn.gamma)


def _delta(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.reward.shape, "delta")
    return np.asarray(found, dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _delta(answer, case)


def _going_on(answer: Answer, case: Case) -> None:
    found, on = _delta(answer, case), ~case.terminated
    wanted = case.reward + case.gamma * case.next_value - case.value
    close(found[on], wanted[on], "delta where the episode goes on")


def _terminal(answer: Answer, case: Case) -> None:
    found, over = _delta(answer, case), case.terminated
    close(found[over], (case.reward - case.value)[over], "delta where the episode terminated")


def _true_values(answer: Answer, case: Case) -> None:
    # a deterministic chain in each column: V(s_t) is what is still to come, and nothing is an error
    reward, after = case.reward, np.zeros(case.reward.shape)
    for t in reversed(range(len(reward) - 1)):
        after[t] = reward[t + 1] + case.gamma * after[t + 1]
    value = reward + case.gamma * after
    over = np.broadcast_to(np.arange(len(reward))[:, None] == len(reward) - 1, reward.shape).copy()
    found = _delta(answer, Case(reward, value, after, over, case.gamma))
    close(found, np.zeros(reward.shape), "delta of the true values of a chain without chance")


def _short_sight(answer: Answer, case: Case) -> None:
    found = _delta(answer, case._replace(gamma=0.0))
    close(found, case.reward - case.value, "delta for gamma = 0")


def _copies(answer: Answer, case: Case) -> None:
    whole = _delta(answer, case)
    for b in range(whole.shape[1]):
        reward, value, after, over = (array[:, [b]] for array in case[:4])
        alone = Case(reward, value, after, over, case.gamma)
        close(_delta(answer, alone)[:, 0], whole[:, b], f"delta of copy {b}, alone")


def _variant(
    bootstrap: bool = False,
    sign: float = 1.0,
    discounted: bool = True,
    whole: bool = False,
    swapped: bool = False,
    below: bool = False,
    clock: bool = False,
) -> Answer:
    """The TD error with one thing changed, for the wrong answers below."""

    def answer(reward: Any, value: Any, next_value: Any, terminated: Any, gamma: float) -> Any:
        if below:
            next_value = np.concatenate([value[1:], next_value[-1:]])
        if swapped:
            value, next_value = next_value, value
        on = np.ones(reward.shape) if bootstrap else 1.0 - terminated
        if clock:
            on[-1] = 0.0
        follow = on * (gamma if discounted else 1.0) * next_value
        return sign * (reward + follow - (on if whole else 1.0) * value)

    return answer


SPEC = Spec(
    exercise="td-error",
    function="td_error",
    cases=cases(),
    properties=(
        Property("one error for each step of each copy", _shape, "Nothing is summed or averaged."),
        Property(
            "where the episode goes on, V(s) is held against r + gamma V(s')",
            _going_on,
            "What came minus what was expected; the future counts gamma times.",
        ),
        Property(
            "where the episode terminated, only the reward is held against V(s)",
            _terminal,
            "Nothing is to come after the end, whatever next_value says there. But V(s) was said.",
        ),
        Property(
            "the true values of a chain without chance have no error",
            _true_values,
            "Write down V of the last two states of a chain, by hand.",
        ),
        Property("with gamma = 0 only the reward counts", _short_sight, "Where does gamma stand?"),
        Property("a copy's errors do not depend on the others", _copies, "Work entry by entry."),
        *PURE,
    ),
    mistakes=(
        Mistake("the value after a terminal step is bootstrapped", _variant(bootstrap=True)),
        Mistake("the sign is turned round: expected minus came", _variant(sign=-1.0)),
        Mistake("gamma is left out", _variant(discounted=False)),
        Mistake("V(s) is dropped too where the episode terminated", _variant(whole=True)),
        Mistake("V(s) and V(s') are exchanged", _variant(swapped=True)),
        Mistake("V of the row below is taken instead of next_value", _variant(below=True)),
        Mistake("the last row is taken for a terminal one", _variant(clock=True)),
    ),
    reference=returns.td_error,
)
