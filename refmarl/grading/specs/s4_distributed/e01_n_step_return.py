"""What an answer to exercise 4.1 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import returns
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from ..s3_policy_gradient._ends import copy_of, last, rows_of, steps


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    reward: Array
    next_value: Array
    terminated: Any
    truncated: Any
    gamma: float
    n: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Steps with both kinds of ends, and any n up to beyond the last row."""
    s, n = draw(steps()), draw(st.integers(1, 8))
    return Case(s.reward, s.next_value, s.terminated, s.truncated, s.gamma, n)


def _return(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.reward.shape, "G")
    return np.asarray(found, dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _return(answer, case)


def _one(answer: Answer, case: Case) -> None:
    wanted = case.reward + case.gamma * np.where(case.terminated, 0.0, case.next_value)
    close(_return(answer, case._replace(n=1)), wanted, "G for n = 1, the TD target")


def _far(answer: Answer, case: Case) -> None:
    wanted = np.zeros(case.reward.shape)
    for t, b in np.ndindex(wanted.shape):
        end = last(case, t, b)
        wanted[t, b] = case.gamma ** np.arange(end - t + 1) @ case.reward[t : end + 1, b]
        if not case.terminated[end, b]:
            wanted[t, b] += case.gamma ** (end - t + 1) * case.next_value[end, b]
    found = _return(answer, case._replace(n=len(case.reward)))
    close(found, wanted, "G for an n beyond the last row")


def _shift(answer: Answer, case: Case) -> None:
    longer, shorter = _return(answer, case._replace(n=case.n + 1)), _return(answer, case)
    for t, b in np.ndindex(longer.shape):
        wanted = shorter[t, b]
        if last(case, t, b) > t:
            wanted = case.reward[t, b] + case.gamma * shorter[t + 1, b]
        close(longer[t, b], wanted, f"G of {case.n + 1} steps at t = {t}, b = {b}")


def _early_end(answer: Answer, case: Case) -> None:
    found, ended = _return(answer, case), case.terminated | case.truncated
    wanted = case.reward + case.gamma * np.where(case.terminated, 0.0, case.next_value)
    close(found[ended], wanted[ended], "G of the steps at which episodes end")


def _no_leak(answer: Answer, case: Case) -> None:
    whole = _return(answer, case)
    for t in range(len(case.reward) - 1):
        if (case.terminated[t] | case.truncated[t]).all():
            first, second = rows_of(case, 0, t + 1), rows_of(case, t + 1, len(case.reward))
            close(_return(answer, first), whole[: t + 1], f"G up to row {t}, where all end")
            close(_return(answer, second), whole[t + 1 :], f"G after row {t}, where all end")


def _copies(answer: Answer, case: Case) -> None:
    whole = _return(answer, case)
    for b in range(whole.shape[1]):
        alone = _return(answer, copy_of(case, b))
        close(alone[:, 0], whole[:, b], f"G of copy {b}, alone")


def _variant(
    more: int = 0,
    bootstraps: str = "truncated",
    cuts: str = "both",
    power: str = "count",
    clock: bool = False,
    undiscounted: bool = False,
) -> Answer:
    """The sum with one thing changed, for the wrong answers below."""

    def answer(
        reward: Any, next_value: Any, terminated: Any, truncated: Any, gamma: float, n: int
    ) -> Any:
        found = np.zeros(reward.shape)
        stops = terminated | truncated if cuts == "both" else terminated
        none = {"truncated": terminated, "neither": terminated | truncated, "both": terminated & 0}
        for t, b in np.ndindex(reward.shape):
            k = t
            while k < len(reward) - 1 and k - t < n + more - 1 and not stops[k, b]:
                k += 1
            m = k - t + 1
            weights = np.ones(m) if undiscounted else gamma ** np.arange(m)
            found[t, b] = weights @ reward[t : k + 1, b]
            over = none[bootstraps][k, b] or (clock and k == len(reward) - 1)
            factor = gamma ** {"count": m, "n": n, "less": m - 1}[power]
            found[t, b] += 0.0 if over else factor * next_value[k, b]
        return found

    return answer


def _library(
    reward: Any, next_value: Any, terminated: Any, truncated: Any, gamma: float, n: int
) -> Any:
    ended = terminated | truncated
    return returns.n_step_return(reward, next_value, terminated, ended, gamma, n)


SPEC = Spec(
    exercise="n-step-return",
    function="n_step_return",
    cases=cases(),
    properties=(
        Property("one return for each step of each copy", _shape, "Every row begins one."),
        Property("n = 1 gives the TD target", _one, "One reward, then the value of where it led."),
        Property(
            "an n beyond all ends gives the return, bootstrapped where only the clock cut",
            _far,
            "Which ends are followed by nothing, and which by next_value?",
        ),
        Property(
            "n + 1 steps are one step before n steps",
            _shift,
            "r + gamma times the n-step return of the next row, unless the episode ends here.",
        ),
        Property(
            "at the end of an episode there is one reward, whatever n is",
            _early_end,
            "The row below belongs to another episode.",
        ),
        Property(
            "nothing leaks from one episode into the one before",
            _no_leak,
            "Stop counting at both kinds of ends.",
        ),
        Property("a copy's returns do not depend on the others", _copies, "Copies are columns."),
        *PURE,
    ),
    mistakes=(
        Mistake("one reward too many is counted", _variant(more=1)),
        Mistake("a terminated episode is bootstrapped", _variant(bootstraps="both")),
        Mistake("a truncated episode is not bootstrapped", _variant(bootstraps="neither")),
        Mistake("rewards are counted on beyond a truncated end", _variant(cuts="terminated")),
        Mistake("the value weighs gamma^n where fewer rewards were counted", _variant(power="n")),
        Mistake("the value weighs one power of gamma too few", _variant(power="less")),
        Mistake("the last row is taken for a terminal one", _variant(clock=True)),
        Mistake("the rewards are not discounted", _variant(undiscounted=True)),
    ),
    reference=_library,
)
