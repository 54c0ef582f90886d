"""What an answer to exercise 1.15 must satisfy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ....check import Array
from ....games.independent_q import td_update
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    obs: int
    action: int
    reward: float
    next_obs: int
    terminated: bool
    alpha: float
    beta: float
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small tables of whole numbers; ends, staying where one is, equal rates and β = 0 are common.

    Rewards and values have both signs, so that news, reward and target differ in sign.
    """
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    q = draw(arrays(float, shape, elements=st.integers(-6, 6).map(float)))
    obs, next_obs = (draw(st.integers(0, shape[0] - 1)) for _ in range(2))
    action, ended = draw(st.integers(0, shape[1] - 1)), draw(st.booleans())
    reward = float(draw(st.integers(-6, 6)))
    alpha = draw(st.sampled_from([0.25, 0.5, 1.0]))
    beta = alpha * draw(st.sampled_from([0.0, 0.25, 1.0]))
    gamma = draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    return Case(q, obs, action, reward, next_obs, ended, alpha, beta, gamma)


def _target(case: Case) -> float:
    """r + γ (1-d) max Q(o')."""
    following = [0.0] if case.terminated else case.q[case.next_obs].tolist()
    return case.reward + case.gamma * max(following)


def _table(answer: Answer, case: Case) -> Array:
    """The answer, after its type and shape."""
    got = answer(*case)
    close(np.zeros(np.shape(got)), np.zeros(case.q.shape), "the table")
    close(got, got, "the table")
    table: Array = np.asarray(got, dtype=float)
    return table


def _one_entry(answer: Answer, case: Case) -> None:
    table = _table(answer, case)
    table[case.obs, case.action] = case.q[case.obs, case.action]
    close(table, case.q, f"the table, apart from entry ({case.obs}, {case.action}),")


def _moved(answer: Answer, case: Case, good: bool) -> None:
    before = float(case.q[case.obs, case.action])
    news = _target(case) - before
    if (news >= 0) is not good:  # mirror it
        case = case._replace(reward=case.reward - 2 * news - (0.0 if good else 1.0))
    target = _target(case)
    rate = case.alpha if good else case.beta
    got = _table(answer, case)[case.obs, case.action]
    what = f"the value {before:g} with target {target:g} and rate {rate:g}"
    close(got, (1 - rate) * before + rate * target, what)


def _good_news(answer: Answer, case: Case) -> None:
    _moved(answer, case, True)


def _bad_news(answer: Answer, case: Case) -> None:
    _moved(answer, case, False)


def _at_end(answer: Answer, case: Case) -> None:
    """A terminal step that pays 5 more than the value."""
    before = float(case.q[case.obs, case.action])
    ended = case._replace(terminated=True, reward=before + 5.0)
    got = _table(answer, ended)[case.obs, case.action]
    close(
        got, before + 5.0 * case.alpha, f"the value {before:g} at an end that pays {before + 5:g}"
    )


def _both(answer: Answer, case: Case) -> None:
    _one_entry(answer, case)
    _moved(answer, case, True)
    _moved(answer, case, False)


def _terminal(answer: Answer, case: Case) -> None:
    ended = case._replace(terminated=True)
    tables = [_table(answer, ended._replace(next_obs=o)) for o in range(len(case.q))]
    for o, table in enumerate(tables):
        close(table, tables[0], f"at an end, the table when observation {o} comes with it")
    close(
        _table(answer, ended),
        _table(answer, ended._replace(gamma=0.0)),
        "at an end, the table with or without a discount of 0,",
    )


def _deaf(answer: Answer, case: Case) -> None:
    table = _table(answer, case._replace(beta=0.0))
    drop = np.min(table - case.q)
    assert drop >= -1e-9, f"with beta = 0 a value fell by {-drop:g}"


def _shift(answer: Answer, case: Case) -> None:
    bonus = 3.0 if case.terminated else 3.0 * (1 - case.gamma)
    richer = case._replace(q=case.q + 3.0, reward=case.reward + bonus)
    close(
        _table(answer, richer),
        _table(answer, case) + 3.0,
        "the table when all values are 3 higher, and the reward by what makes up for it,",
    )


def _learner(
    future: Callable[[Case], Any] | None = None,
    rate: Callable[[Case, Any, Any], Any] | None = None,
    write: Callable[[Any, Case, Any, Any], None] | None = None,
    copy: bool = True,
) -> Answer:
    """Q-learning with one thing changed."""

    def answer(*arguments: Any) -> Any:
        case = Case(*arguments)
        q = case.q.copy() if copy else case.q
        after = future(case) if future else (not case.terminated) * q[case.next_obs].max()
        target = case.reward + case.gamma * after
        delta = target - q[case.obs, case.action]
        chosen = case.alpha if delta >= 0 else case.beta
        step = rate(case, delta, target) if rate else chosen
        if write:
            write(q, case, step, target)
        else:
            q[case.obs, case.action] += step * delta
        return q

    return answer


def _bootstraps_ends(case: Case) -> Any:
    return case.q[case.next_obs].max()


def _ends_only(case: Case) -> Any:
    return case.terminated * case.q[case.next_obs].max()


def _same_obs(case: Case) -> Any:
    return (not case.terminated) * case.q[case.obs].max()


def _same_action(case: Case) -> Any:
    return (not case.terminated) * case.q[case.next_obs, case.action]


def _mean(case: Case) -> Any:
    return (not case.terminated) * case.q[case.next_obs].mean()


def _row(q: Any, case: Case, step: Any, target: Any) -> None:
    q[case.obs] += step * (target - q[case.obs])


def _forgets(q: Any, case: Case, step: Any, target: Any) -> None:
    q[case.obs, case.action] += step * target


def _by_reward(case: Case, delta: Any, target: Any) -> Any:
    return case.alpha if case.reward >= 0 else case.beta


def _by_target(case: Case, delta: Any, target: Any) -> Any:
    return case.alpha if target >= 0 else case.beta


def _swapped(case: Case, delta: Any, target: Any) -> Any:
    return case.beta if delta >= 0 else case.alpha


def _plain(case: Case, delta: Any, target: Any) -> Any:
    return case.alpha


def _product(case: Case, delta: Any, target: Any) -> Any:
    return case.alpha if delta >= 0 else case.alpha * case.beta


def _library(*arguments: Any) -> Any:
    *transition, alpha, beta, gamma = arguments
    return td_update(*transition, gamma=gamma, alpha=alpha, beta=beta)


SPEC = Spec(
    exercise="independent-q",
    function="q_update",
    cases=cases(),
    properties=(
        Property(
            "only the value of the observation and action at hand changes",
            _one_entry,
            "Return a whole table. Which single entry of it did the agent try?",
            gate=True,
        ),
        Property(
            "what is observed at an end, and the discount, do not matter there",
            _terminal,
            "A terminal state is worth 0. What does the factor (1-d) do?",
            weight=0,
        ),
        Property(
            "values that are all 3 higher, and fit the rewards, stay 3 higher",
            _shift,
            "δ should stay as it is, and its sign, which alone chooses the rate. Does the old "
            "value stand in it, with its minus sign?",
            weight=0,
        ),
        Property(
            "with beta = 0 no value ever falls",
            _deaf,
            "Is it the rate of bad news that is beta?",
            weight=0,
        ),
        Property(
            "bad news moves the value by the share beta of its way to the target",
            _bad_news,
            "δ = r + γ max over the next observation's values - q[obs, action]. News is bad where"
            " δ, not the reward, is below zero: then it counts by beta.",
        ),
        Property(
            "good news moves the value by the share alpha of its way to the target",
            _good_news,
            "Write down δ for the printed numbers: the maximum runs over the next observation's "
            "values, and the rate alpha takes δ in, no more.",
        ),
        Property(
            "an end that pays 5 more than expected moves the value by 5 alpha",
            _at_end,
            "Nothing is to come after an end: the target is the reward alone.",
        ),
        layouts(_both, "q"),
        *PURE,
    ),
    mistakes=(
        Mistake("an end is bootstrapped like any other step", _learner(_bootstraps_ends)),
        Mistake("only ends are bootstrapped", _learner(_ends_only)),
        Mistake("the maximum is over the old observation's values", _learner(_same_obs)),
        Mistake("the next value is that of the same action, not the best", _learner(_same_action)),
        Mistake("the next values are averaged, not maximised", _learner(_mean)),
        Mistake("every action of the observation is updated", _learner(write=_row)),
        Mistake("the old value is not subtracted from the target", _learner(write=_forgets)),
        Mistake("the sign of the reward decides which rate is used", _learner(rate=_by_reward)),
        Mistake("the sign of the target decides which rate is used", _learner(rate=_by_target)),
        Mistake("the two rates are swapped", _learner(rate=_swapped)),
        Mistake("bad news moves the value at rate alpha, too", _learner(rate=_plain)),
        Mistake("bad news moves the value at rate alpha times beta", _learner(rate=_product)),
        Mistake("the table that was given is changed", _learner(copy=False)),
    ),
    reference=_library,
)
