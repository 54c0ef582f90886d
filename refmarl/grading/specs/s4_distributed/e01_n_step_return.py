"""What an answer to exercise 4.1 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import returns
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
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


def _terminal(answer: Answer, case: Case) -> None:
    found, over = _return(answer, case), case.terminated
    close(found[over], case.reward[over], "G of the steps that terminate")


def _cut(answer: Answer, case: Case) -> None:
    found, cut = _return(answer, case), case.truncated & ~case.terminated
    wanted = case.reward + case.gamma * case.next_value
    close(found[cut], wanted[cut], "G of the steps at which the clock cuts")


def _last_row(answer: Answer, case: Case) -> None:
    wanted = case.reward + case.gamma * np.where(case.terminated, 0.0, case.next_value)
    close(_return(answer, case)[-1], wanted[-1], "G of the last row")


def _sum(answer: Answer, case: Case) -> None:
    wanted = np.zeros(case.reward.shape)
    for t, b in np.ndindex(wanted.shape):
        stop = min(last(case, t, b), t + case.n - 1)
        count = stop - t + 1
        wanted[t, b] = case.gamma ** np.arange(count) @ case.reward[t : stop + 1, b]
        if not case.terminated[stop, b]:
            wanted[t, b] += case.gamma**count * case.next_value[stop, b]
    close(_return(answer, case), wanted, f"G of {case.n} steps")


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
    short: bool = False,
    own: bool = False,
    mean: bool = False,
) -> Answer:
    """The sum with one thing changed, for the wrong answers below."""

    def answer(
        reward: Any, next_value: Any, terminated: Any, truncated: Any, gamma: float, n: int
    ) -> Any:
        found = np.zeros(reward.shape)
        both = terminated | truncated
        stops = {"both": both, "terminated": terminated, "truncated": truncated}[cuts]
        none = {"truncated": terminated, "neither": terminated | truncated, "both": terminated & 0}
        for t, b in np.ndindex(reward.shape):
            k = t
            while k < len(reward) - 1 and k - t < n + more - 1 and not stops[k, b]:
                k += 1
            m = k - t + 1
            if short and m < n:
                continue
            weights = np.ones(m) if undiscounted else gamma ** np.arange(m)
            found[t, b] = weights @ reward[t : k + 1, b] / (m if mean else 1)
            over = none[bootstraps][k, b] or (clock and k == len(reward) - 1)
            factor = gamma ** {"count": m, "n": n, "less": m - 1}[power]
            found[t, b] += 0.0 if over else factor * next_value[t if own else k, b]
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
        Property(
            "one return for each step of each copy",
            _shape,
            "Every row begins one, the last ones, too: they count what there is.",
            gate=True,
        ),
        Property(
            "where an episode terminates G is the reward",
            _terminal,
            "Nothing is to come: no value, and no reward of the row below.",
            weight=0,
        ),
        Property(
            "where the clock cuts G is r + gamma V, whatever n is",
            _cut,
            "The episode would have gone on from a state worth next_value, which weighs gamma once "
            "for each reward counted; the row below belongs to another episode.",
        ),
        Property(
            "the last row's G is r + gamma V, whatever n is",
            _last_row,
            "The rows end, the episode does not: next_value stands for the rest, and weighs gamma "
            "once for each reward counted.",
        ),
        Property(
            "n = 1 gives the TD target",
            _one,
            "One reward, then gamma times the value of where it led.",
        ),
        Property(
            "a copy's returns do not depend on the others", _copies, "Copies are columns.", weight=0
        ),
        Property(
            "nothing leaks from one episode into the one before",
            _no_leak,
            "Stop counting at both kinds of ends.",
            weight=0,
        ),
        Property(
            "an n beyond all ends gives the return, bootstrapped where only the clock cut",
            _far,
            "A reward k rows on weighs gamma^k, the value one power more than the last reward.",
        ),
        Property(
            "n + 1 steps are one step before n steps",
            _shift,
            "r + gamma times the n-step return of the next row, unless the episode ends here.",
            weight=0,
        ),
        Property(
            "it is the sum of n rewards, or of those up to the end, and the value there",
            _sum,
            "Count the rewards of a row in the middle of a long episode: n of them.",
            weight=2,
        ),
        layouts(_sum, "reward", "next_value"),
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
        Mistake("rewards are counted on beyond a terminal step", _variant(cuts="truncated")),
        Mistake("rows with fewer than n rewards to come are left at zero", _variant(short=True)),
        Mistake("the value is that of the step at hand, not of the last", _variant(own=True)),
        Mistake("n rewards are averaged", _variant(mean=True)),
    ),
    reference=_library,
)
