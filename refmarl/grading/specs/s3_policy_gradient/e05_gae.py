"""What an answer to exercise 3.5 must satisfy."""

from typing import Any

import numpy as np

from ....check import Array
from ....policy_gradient import returns
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._ends import Steps as Case
from ._ends import copy_of, last, rows_of, steps


def _advantage(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.reward.shape, "A")
    return np.asarray(found, dtype=float)


def _delta(case: Case) -> Array:
    after = np.where(case.terminated, 0.0, case.next_value)
    found: Array = case.reward + case.gamma * after - case.value
    return found


def _shape(answer: Answer, case: Case) -> None:
    _advantage(answer, case)


def _one_step(answer: Answer, case: Case) -> None:
    case = case._replace(lam=0.0)
    close(_advantage(answer, case), _delta(case), "A for lam = 0, the TD error")


def _whole_return(answer: Answer, case: Case) -> None:
    case = case._replace(lam=1.0)
    wanted = -case.value.copy()
    for t, b in np.ndindex(case.reward.shape):
        end = last(case, t, b)
        wanted[t, b] += case.gamma ** np.arange(end - t + 1) @ case.reward[t : end + 1, b]
        if not case.terminated[end, b]:
            wanted[t, b] += case.gamma ** (end - t + 1) * case.next_value[end, b]
    close(_advantage(answer, case), wanted, "A for lam = 1, the return minus V")


def _sum(answer: Answer, case: Case) -> None:
    delta, wanted = _delta(case), np.zeros(case.reward.shape)
    for t, b in np.ndindex(case.reward.shape):
        errors = delta[t : last(case, t, b) + 1, b]
        wanted[t, b] = (case.gamma * case.lam) ** np.arange(len(errors)) @ errors
    close(_advantage(answer, case), wanted, "A, against the sum written out")


def _terminal(answer: Answer, case: Case) -> None:
    found, over = _advantage(answer, case), case.terminated
    close(found[over], (case.reward - case.value)[over], "A of the steps that terminate")


def _cut(answer: Answer, case: Case) -> None:
    found, cut = _advantage(answer, case), case.truncated & ~case.terminated
    close(found[cut], _delta(case)[cut], "A of the steps at which the clock cuts")


def _last_row(answer: Answer, case: Case) -> None:
    close(_advantage(answer, case)[-1], _delta(case)[-1], "A of the last row")


def _no_leak(answer: Answer, case: Case) -> None:
    whole = _advantage(answer, case)
    for t in range(len(case.reward) - 1):
        if (case.terminated[t] | case.truncated[t]).all():
            first, second = rows_of(case, 0, t + 1), rows_of(case, t + 1, len(case.reward))
            close(_advantage(answer, first), whole[: t + 1], f"A up to row {t}, where all end")
            close(_advantage(answer, second), whole[t + 1 :], f"A after row {t}, where all end")


def _copies(answer: Answer, case: Case) -> None:
    whole = _advantage(answer, case)
    for b in range(whole.shape[1]):
        alone = _advantage(answer, copy_of(case, b))
        close(alone[:, 0], whole[:, b], f"A of copy {b}, alone")


def _variant(
    bootstraps: str = "truncated",
    cuts: str = "both",
    decay: str = "both",
    below: bool = False,
    late: bool = False,
    clock: bool = False,
    together: bool = False,
    target: bool = False,
    start: bool = False,
    adds: bool = False,
    overrules: bool = False,
) -> Answer:
    """The recursion with one thing changed, for the wrong answers below."""

    def answer(
        reward: Any, value: Any, next_value: Any, terminated: Any, truncated: Any,
        gamma: float, lam: float,
    ) -> Any:  # fmt: skip
        flags = {"both": terminated | truncated, "terminated": terminated, "truncated": truncated}
        none = {
            "truncated": flags["terminated"],
            "neither": flags["both"],
            "both": flags["both"] & 0,
        }
        if below:
            next_value = np.concatenate([value[1:], next_value[-1:]])
        over = none[bootstraps].astype(bool) & ~(truncated & overrules)
        if clock:
            over = over | (np.arange(len(reward)) == len(reward) - 1)[:, None]
        delta = reward + gamma * np.where(over, 0.0, next_value) - value
        cut = flags[cuts]
        if late:
            cut = np.concatenate([cut[1:], cut[-1:]])
        if together:
            cut = np.broadcast_to(cut.any(axis=1, keepdims=True), cut.shape)
        weight = {"both": gamma * lam, "gamma": gamma, "lam": lam}[decay]
        on = 1.0 - terminated - truncated if adds else 1.0 - cut
        found, tail = np.zeros(reward.shape), start * next_value[-1]
        for t in reversed(range(len(reward))):
            tail = delta[t] + weight * on[t] * tail
            found[t] = tail
        return found + value if target else found

    return answer


def _library(
    reward: Any, value: Any, next_value: Any, terminated: Any, truncated: Any,
    gamma: float, lam: float,
) -> Any:  # fmt: skip
    ended = terminated | truncated
    return returns.gae(reward, value, next_value, terminated, ended, gamma, lam)


SPEC = Spec(
    exercise="gae",
    function="gae",
    cases=steps(),
    properties=(
        Property(
            "one advantage for each step of each copy",
            _shape,
            "Nothing is summed or averaged.",
            gate=True,
        ),
        Property(
            "where an episode terminates A is r - V(s)",
            _terminal,
            "Nothing is to come: neither next_value nor the row below counts.",
        ),
        Property(
            "where the clock cuts A is the TD error of that step",
            _cut,
            "The episode would have gone on from a state worth next_value; the row below, and its "
            "V, belong to another episode.",
        ),
        Property(
            "the last row is its own TD error",
            _last_row,
            "What follows it is known through next_value alone: the tail begins with 0.",
        ),
        Property(
            "lam = 0 gives the TD errors",
            _one_step,
            "With lam = 0 the row below has no weight. What is left?",
        ),
        Property(
            "a copy's advantages do not depend on the others",
            _copies,
            "The tail is one number for each copy; nothing is averaged or normalised over copies.",
            weight=0,
        ),
        Property(
            "nothing leaks from one episode into the one before",
            _no_leak,
            "Which flag says that the row below is another episode's: that of its own row, or that "
            "of the row above it?",
            weight=0,
        ),
        Property(
            "lam = 1 gives the return minus V, bootstrapped where only the clock cut",
            _whole_return,
            "From behind: A of this row is its TD error plus a weight times A of the next row. The "
            "TD errors are right; is the weight gamma, where lam = 1?",
        ),
        Property(
            "it is the sum of the later TD errors, weighted by powers of gamma times lam",
            _sum,
            "The error l rows on has the weight (gamma lam)^l, counted from the row itself.",
            weight=2,
        ),
        layouts(_sum, "reward", "value", "next_value"),
        *PURE,
    ),
    mistakes=(
        Mistake("a terminated episode is bootstrapped", _variant(bootstraps="both")),
        Mistake("a truncated episode is not bootstrapped", _variant(bootstraps="neither")),
        Mistake("the tail runs on through truncated ends", _variant(cuts="terminated")),
        Mistake("the tail runs on through terminated ends", _variant(cuts="truncated")),
        Mistake("lam is left out of the weight", _variant(decay="gamma")),
        Mistake("gamma is left out of the weight", _variant(decay="lam")),
        Mistake("V of the row below is taken instead of next_value", _variant(below=True)),
        Mistake("the tail is cut one row too early", _variant(late=True)),
        Mistake("the last row is taken for a terminal one", _variant(clock=True)),
        Mistake("the end of one copy's episode cuts all copies", _variant(together=True)),
        Mistake("the target A + V is returned", _variant(target=True)),
        Mistake("the tail begins with the last value, not with zero", _variant(start=True)),
        Mistake("the flags are added, and count twice where both are set", _variant(adds=True)),
        Mistake("truncation overrules termination where both are set", _variant(overrules=True)),
    ),
    reference=_library,
)
