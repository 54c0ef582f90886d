"""What an answer to exercise 2.1 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import central
from ....nn import categorical
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ..s3_policy_gradient._softmax import log_pi, slope


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: list[Array]
    q: Array
    visits: Array
    agent: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three states, one to three agents, each with one to three actions."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    states = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    return Case(
        [rng.uniform(-2.0, 2.0, (states, k)).round(1) for k in sizes],
        rng.integers(-8, 9, (states, *sizes)) / 2.0,
        rng.integers(1, 9, states) / 2.0,
        draw(st.integers(0, len(sizes) - 1)),
    )


def _gradient(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.logits[case.agent].shape, "the gradient")
    return np.asarray(found, dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _gradient(answer, case)


def _rows(answer: Answer, case: Case) -> None:
    total = _gradient(answer, case).sum(axis=1)
    close(total, np.zeros(len(total)), "the sum over the actions of each state", atol=1e-8)


def _baseline(answer: Answer, case: Case) -> None:
    shape = list(case.q.shape)
    shape[1 + case.agent] = 1
    part = 2.0 + np.arange(np.prod(shape)).reshape(shape) ** 2
    moved = _gradient(answer, case._replace(q=case.q - part))
    close(moved, _gradient(answer, case), "the gradient with b(s, a_-i) subtracted", atol=1e-7)


def _visits(answer: Answer, case: Case) -> None:
    each = [_gradient(answer, case._replace(visits=e)) for e in np.eye(len(case.visits))]
    wanted = np.tensordot(case.visits, np.stack(each), axes=1)
    close(_gradient(answer, case), wanted, "the gradient, as a sum over states")


def _derivative(case: Case) -> Array:
    """∂/∂θ_i of Σ_s d(s) Σ_a π(a|s) Q(s, a), Q held: joint actions are summed one by one."""
    fixed = [np.exp(log_pi(x)) for x in case.logits]
    columns = case.q.reshape(len(case.q), -1).T

    def earned(x: Any) -> Any:
        pi, total = [*fixed], 0.0
        pi[case.agent] = np.exp(log_pi(x))
        for column, a in zip(columns, product(*map(range, case.q.shape[1:])), strict=True):
            chance = np.prod([p[:, k] for p, k in zip(pi, a, strict=True)], axis=0)
            total = total + (case.visits * chance * column).sum()
        return total

    return slope(earned, case.logits[case.agent])


def _slope(answer: Answer, case: Case) -> None:
    close(_gradient(answer, case), _derivative(case), "the gradient")


def _large(answer: Answer, case: Case) -> None:
    _slope(answer, case._replace(logits=[400.0 * x for x in case.logits]))


def _variant(kind: str) -> Answer:
    """The gradient with one thing changed, for the wrong answers below."""

    def answer(*given: Any) -> Any:
        case = Case(*given)
        pi = [np.exp(log_pi(x)) for x in case.logits]
        worth = np.moveaxis(case.q, 1 + case.agent, 1)
        for j in reversed([j for j in range(len(pi)) if j != case.agent]):
            weight = np.full(pi[j].shape, 1.0 / pi[j].shape[1]) if kind == "even" else pi[j]
            weight = np.ones(pi[j].shape) if kind == "summed" else weight
            worth = (worth * weight.reshape(len(weight), *(1,) * (worth.ndim - 2), -1)).sum(-1)
        own, d = pi[case.agent], case.visits[:, None]
        mean = (own * worth).sum(axis=1, keepdims=True)
        if kind == "even mean":
            mean = worth.mean(axis=1, keepdims=True)
        advantage = worth if kind == "no score" else worth - mean
        if kind in ("once", "shares"):
            d = np.ones(d.shape) if kind == "once" else d / d.sum()
        found = d * (advantage if kind == "by probability" else own * advantage)
        return -found if kind == "down" else found

    return answer


def _of_first(logits: Any, q: Any, visits: Any, agent: int) -> Any:
    other = (agent + 1) % len(logits)
    return _variant("")(logits, q, visits, other)


def _library(logits: Any, q: Any, visits: Any, agent: int) -> Any:
    rows, total = [np.asarray(x, float) for x in logits], np.zeros(np.shape(logits[agent]))
    pi = [categorical.probs(x) for x in rows]
    columns = np.asarray(q, float).reshape(len(rows[0]), -1).T
    for taken, a in zip(columns, product(*map(range, np.shape(q)[1:])), strict=True):
        chance = np.prod([p[:, k] for p, k in zip(pi, a, strict=True)], axis=0) * visits
        action, none = np.full(len(taken), a[agent]), np.zeros(len(taken))
        gain = central.actor_gain(categorical, rows[agent], action, taken, none, chance)
        total += gain.gradient
    return total


SPEC = Spec(
    exercise="maac-actor",
    function="maac_actor",
    cases=cases(),
    properties=(
        Property("a slope for each own logit", _shape, "(S, A_i), the agent's own.", gate=True),
        Property(
            "the gradient sums to 0 over the actions of each state",
            _rows,
            "The score of action b is 1{k = b} - pi_k; do not forget its second part.",
            weight=0,
        ),
        Property(
            "what looks at the others' actions only may be subtracted from Q",
            _baseline,
            "Weigh the others' actions with their policies; then b averages to a constant.",
            weight=0,
        ),
        Property("states add up, each d(s) times", _visits, "They need not sum to 1.", weight=0),
        Property(
            "it is the derivative of sum d(s) pi(a|s) Q(s, a), with d and Q held",
            _slope,
            "First what each own action is worth, the others averaged out; then d pi (worth - its "
            "mean under pi).",
            weight=4,
        ),
        Property("logits of any size", _large, "Subtract the largest of a row before exp."),
        layouts(_slope, "q", "visits"),
        *PURE,
    ),
    mistakes=(
        Mistake("the others are taken to mix evenly", _variant("even")),
        Mistake("the others' actions are summed without weights", _variant("summed")),
        Mistake("the mean over the own actions is an even one", _variant("even mean")),
        Mistake("the score lacks its part -pi", _variant("no score")),
        Mistake("the gradient is by probabilities, not by logits", _variant("by probability")),
        Mistake("every state counts once", _variant("once")),
        Mistake("visits are normalised to sum to 1", _variant("shares")),
        Mistake("the gradient is another agent's", _of_first),
        Mistake("the sign is that of descent", _variant("down")),
    ),
    reference=_library,
)
