"""What an answer to exercise 2.6 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import counterfactual
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    pi: Array
    actions: Any
    agent: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four steps of one to three agents, each with one to three actions."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows, sizes = draw(st.integers(1, 4)), draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    agent = draw(st.integers(0, len(sizes) - 1))
    weights = rng.integers(1, 5, (rows, sizes[agent])).astype(float)
    actions = np.stack([rng.integers(k, size=rows) for k in sizes], axis=1)
    q = rng.integers(-8, 9, (rows, *sizes)) / 2.0
    return Case(q, weights / weights.sum(axis=1, keepdims=True), actions, agent)


def _taken(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, (len(case.q),), "the advantages")
    return np.asarray(found, dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _taken(answer, case)


def _with(case: Case, b: int) -> Case:
    """The same, but the agent had done b."""
    actions = case.actions.copy()
    actions[:, case.agent] = b
    return case._replace(actions=actions)


def _centred(answer: Answer, case: Case) -> None:
    each = [_taken(answer, _with(case, b)) for b in range(case.pi.shape[1])]
    mean = (case.pi * np.stack(each, axis=1)).sum(axis=1)
    close(mean, np.zeros(len(mean)), "the mean over the own actions, weighted by pi")


def _blind(answer: Answer, case: Case) -> None:
    shape = list(case.q.shape)
    shape[1 + case.agent] = 1
    part = 3.0 + np.arange(np.prod(shape)).reshape(shape) ** 2
    moved = _taken(answer, case._replace(q=case.q + part))
    close(moved, _taken(answer, case), "A with f(s, a_-i) added to Q")


def _differences(answer: Answer, case: Case) -> None:
    for b in range(case.pi.shape[1]):
        other = _with(case, b)
        got = _taken(answer, case) - _taken(answer, other)
        now, then = ([c.q[(m, *c.actions[m])] for m in range(len(c.q))] for c in (case, other))
        close(got, np.subtract(now, then), f"what doing {b} instead would have changed")


def _definition(answer: Answer, case: Case) -> None:
    wanted = np.zeros(len(case.q))
    for m in range(len(case.q)):
        at = list(case.actions[m])
        wanted[m] = case.q[(m, *at)]
        for b in range(case.pi.shape[1]):
            at[case.agent] = b
            wanted[m] -= case.pi[m, b] * case.q[(m, *at)]
    close(_taken(answer, case), wanted, "A")


def _held(case: Case) -> Any:
    """Q (M, A_i) with the others' actions held."""
    own = np.moveaxis(case.q, 1 + case.agent, -1)
    others = [case.actions[:, j] for j in range(case.actions.shape[1]) if j != case.agent]
    return own[(np.arange(len(own)), *others)]


def _variant(kind: str) -> Answer:
    """The advantage with one thing changed, for the wrong answers below."""

    def answer(*given: Any) -> Any:
        case = Case(*given)
        own, rows = _held(case), np.arange(len(case.q))
        now = own[rows, case.actions[:, case.agent]]
        whole = case.q.reshape(len(case.q), -1)
        if kind == "others even":
            last = np.moveaxis(case.q, 1 + case.agent, -1)
            own = last.reshape(len(rows), -1, last.shape[-1]).mean(axis=1)
        baseline = {
            "even": own.mean(axis=1),
            "all": whole.mean(axis=1),
            "best": own.max(axis=1),
            "default": own[:, 0],
            "none": 0.0 * now,
        }.get(kind, (case.pi * own).sum(axis=1))
        if kind == "q of the mean":
            return now - own[rows, case.pi.argmax(axis=1)]
        if kind == "weighed":
            return case.pi[rows, case.actions[:, case.agent]] * now - baseline
        return baseline - now if kind == "sign" else now - baseline

    return answer


def _library(q: Any, pi: Any, actions: Any, agent: int) -> Any:
    found = counterfactual.joint_advantages(np.asarray(q, float), np.asarray(pi, float), agent)
    return found[(np.arange(len(found)), *np.transpose(actions))]


SPEC = Spec(
    exercise="coma-advantage",
    function="coma_advantage",
    cases=cases(),
    properties=(
        Property("one number for each step", _shape, "A is (M,).", gate=True),
        Property(
            "a policy expects no advantage of itself",
            _centred,
            "The baseline is the mean of Q over the agent's own actions, weighted by its policy.",
            weight=0,
        ),
        Property(
            "what depends on the others' actions alone drops out",
            _blind,
            "Hold the actions of the others at what they did, in Q and in the baseline alike.",
            weight=0,
        ),
        Property(
            "two advantages differ as Q does",
            _differences,
            "The baseline must not look at the action that the agent took.",
        ),
        Property(
            "it is Q minus the mean over the own actions, the others' held",
            _definition,
            "np.moveaxis(q, 1 + agent, -1) puts the own actions last; index the rest.",
            weight=3,
        ),
        layouts(_definition, "q"),
        *PURE,
    ),
    mistakes=(
        Mistake("the own actions are weighted evenly", _variant("even")),
        Mistake("the others' actions are averaged out, too", _variant("all")),
        Mistake("the others' actions are averaged out of the baseline", _variant("others even")),
        Mistake("the baseline is the best own action", _variant("best")),
        Mistake("the baseline is a default action", _variant("default")),
        Mistake("the baseline is the likeliest action", _variant("q of the mean")),
        Mistake("nothing is subtracted", _variant("none")),
        Mistake("Q of the action taken is weighted, too", _variant("weighed")),
        Mistake("the sign is turned", _variant("sign")),
    ),
    reference=_library,
)
