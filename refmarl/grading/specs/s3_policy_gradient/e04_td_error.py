"""What an answer to exercise 3.4 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import returns
from ....testing.trajectories import streams
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._ends import copy_of, rows_of


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
    reward, value, after = (np.rint(2.0 * x) / 2.0 for x in drawn[:3])
    after = np.where(drawn.terminated, 50.0 + after, after)
    return Case(reward, value, after, drawn.terminated, drawn.gamma)


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


def _definition(answer: Answer, case: Case) -> None:
    wanted = np.zeros(case.reward.shape)
    for t, b in np.ndindex(wanted.shape):
        follow = 0.0 if case.terminated[t, b] else case.next_value[t, b]
        wanted[t, b] = case.reward[t, b] + case.gamma * follow - case.value[t, b]
    close(_delta(answer, case), wanted, "delta")


def _short_sight(answer: Answer, case: Case) -> None:
    found, on = _delta(answer, case._replace(gamma=0.0)), ~case.terminated
    close(found[on], (case.reward - case.value)[on], "delta for gamma = 0")


def _alone(answer: Answer, case: Case) -> None:
    found = _delta(answer, case)
    for t, b in np.ndindex(found.shape):
        one = copy_of(rows_of(case, t, t + 1), b)
        close(_delta(answer, one)[0, 0], found[t, b], f"delta at t = {t}, b = {b}, alone")


def _variant(
    bootstrap: bool = False,
    sign: float = 1.0,
    discounted: bool = True,
    whole: bool = False,
    swapped: bool = False,
    below: bool = False,
    clock: bool = False,
    both: bool = False,
    turned: bool = False,
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
        if turned:
            on = 1.0 - on
        follow = on * (gamma if discounted else 1.0) * next_value
        return sign * (reward + follow - (on if whole else 1.0) * (gamma if both else 1.0) * value)

    return answer


def _squared(*given: Any) -> Any:
    return 0.5 * returns.td_error(*given) ** 2


def _averaged(*given: Any) -> Any:
    delta = returns.td_error(*given)
    return delta * 0.0 + delta.mean(axis=1, keepdims=True)


SPEC = Spec(
    exercise="td-error",
    function="td_error",
    cases=cases(),
    properties=(
        Property(
            "one error for each step of each copy",
            _shape,
            "Nothing is summed or averaged.",
            gate=True,
        ),
        Property(
            "a step's error depends on no other step",
            _alone,
            "Work entry by entry: next_value has V(s') of each step, of the last one too, in the "
            "step's own place.",
            weight=0,
        ),
        Property(
            "with gamma = 0 it is r - V(s) where the episode goes on",
            _short_sight,
            "What came minus what was expected. Where does gamma stand, and in front of what?",
        ),
        Property(
            "where the episode terminated it is r - V(s)",
            _terminal,
            "Nothing is to come, whatever next_value says there. But V(s) was said.",
        ),
        Property(
            "where the episode goes on it is r + gamma V(s') - V(s)",
            _going_on,
            "The future counts gamma times, the reward and V(s) once.",
        ),
        Property(
            "the true values of a chain without chance have no error",
            _true_values,
            "Write down V of the last two states of a chain, by hand.",
            weight=0,
        ),
        layouts(_definition, "reward", "value", "next_value"),
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
        Mistake("gamma multiplies the value of the state at hand, too", _variant(both=True)),
        Mistake("only termination is followed by a value", _variant(turned=True)),
        Mistake("the error is squared, as in a loss", _squared),
        Mistake("the errors are averaged over the copies", _averaged),
    ),
    reference=returns.td_error,
)
