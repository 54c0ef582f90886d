"""What an answer to exercise 2.2 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import central
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._critics import parts, shape, terminal, truncated
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    actions: Any
    reward: Array
    terminated: Any
    truncated: Any
    q_next: Array
    policies: list[Array]
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to four steps of one to three agents; each step may end its episode, in either way."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows, sizes = draw(st.integers(1, 4)), draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    ends, weights = rng.random(rows), [rng.integers(1, 5, (rows, k)).astype(float) for k in sizes]
    q, q_next = rng.integers(-8, 9, (2, rows, *sizes)) / 2.0
    return Case(
        q,
        np.stack([rng.integers(k, size=rows) for k in sizes], axis=1),
        rng.integers(-8, 9, rows) / 2.0,
        ends < 0.3,
        (ends >= 0.3) & (ends < 0.6),
        q_next,
        [w / w.sum(axis=1, keepdims=True) for w in weights],
        draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
    )


def _target(case: Case) -> Array:
    """Step by step, joint action by joint action."""
    y = case.reward.astype(float)
    for m in range(len(y)):
        if not case.terminated[m]:
            for a in product(*map(range, case.q.shape[1:])):
                chance = np.prod([p[m, k] for p, k in zip(case.policies, a, strict=True)])
                y[m] += case.gamma * chance * case.q_next[(m, *a)]
    return y


def _at(case: Case) -> Any:
    return (np.arange(len(case.reward)), *case.actions.T)


def _sure(answer: Answer, case: Case) -> None:
    # each agent's policy is sure: one entry of the slow critic is left
    chosen = [p.argmin(axis=1) for p in case.policies]
    sizes = case.q.shape[1:]
    sure = case._replace(policies=[np.eye(k)[a] for k, a in zip(sizes, chosen, strict=True)])
    slow = case.q_next[(np.arange(len(case.reward)), *chosen)]
    wanted = case.reward + case.gamma * np.where(case.terminated, 0.0, slow)
    close(parts(answer, sure)[1], wanted, "y where the slow policies do not mix")


def _whole(answer: Answer, case: Case) -> None:
    close(parts(answer, case)[1], _target(case), "y")


def _loss(answer: Answer, case: Case) -> None:
    wanted = ((case.q[_at(case)] - _target(case)) ** 2).mean()
    close(parts(answer, case)[0], wanted, "the loss")


def _slope(answer: Answer, case: Case) -> None:
    """The loss is a quadratic in q: a central difference of any step is exact."""
    dq, y, at = parts(answer, case)[2], _target(case), _at(case)

    def loss(q: Array) -> float:
        return float(((q[at] - y) ** 2).mean())

    wanted = np.zeros(case.q.shape)
    for index in np.ndindex(case.q.shape):
        move = np.zeros(case.q.shape)
        move[index] = 0.5
        wanted[index] = loss(case.q + move) - loss(case.q - move)
    close(dq, wanted, "dq, the slope of the loss with y held")


def _all(answer: Answer, case: Case) -> None:
    _whole(answer, case)
    _loss(answer, case)
    _slope(answer, case)


def _variant(kind: str) -> Answer:
    """The critic's loss with one thing changed, for the wrong answers below."""

    def answer(*given: Any) -> Any:
        case = Case(*given)
        value = case.q if kind == "fast" else case.q_next
        rows = np.arange(len(case.reward))
        if kind == "greedy":
            value = value.reshape(len(rows), -1).max(axis=1)
        elif kind == "old actions":
            value = value[_at(case)]
        elif kind == "likeliest":
            value = value[(rows, *(p.argmax(axis=1) for p in case.policies))]
        else:
            for p in reversed(case.policies):
                w = np.full(p.shape, 1.0 / p.shape[1]) if kind == "even" else p
                value = (value * w.reshape(len(w), *(1,) * (value.ndim - 2), -1)).sum(axis=-1)
        over = case.terminated | (case.truncated & (kind == "clock"))
        on = 1.0 if kind == "goes on" else 1.0 - over
        y = case.reward + (1.0 if kind == "no gamma" else case.gamma) * on * value
        error, count = case.q[_at(case)] - y, 1 if kind == "summed" else len(y)
        dq = np.zeros(case.q.shape)
        dq[_at(case)] = (1.0 if kind == "no two" else 2.0) * error / count
        if kind == "everywhere":
            dq = 2.0 * (case.q - y.reshape(-1, *(1,) * (case.q.ndim - 1))) / count
        half = 0.5 if kind == "half" else 1.0
        return half * (error**2).sum() / count, y, -dq if kind == "down" else half * dq

    return answer


def _library(
    q: Any, actions: Any, reward: Any, terminated: Any, truncated: Any, q_next: Any,
    policies: Any, gamma: float,
) -> Any:  # fmt: skip
    q = np.asarray(q, float)
    slow = central.expected(np.asarray(q_next, float), [np.asarray(p, float) for p in policies])
    y = central.critic_target(np.asarray(reward), terminated, slow, gamma)
    at = (np.arange(len(y)), *np.transpose(actions))
    loss, dq = central.critic_loss(q[at], y), np.zeros(q.shape)
    dq[at] = loss.gradient
    return loss.value, y, dq


SPEC = Spec(
    exercise="maac-critic",
    function="maac_critic",
    cases=cases(),
    properties=(
        Property(
            "a number, a target for each step, a slope for each entry of q",
            shape,
            "y is (M,), dq has the shape of q.",
            gate=True,
        ),
        Property(
            "where an episode terminates y is the reward",
            terminal,
            "Nothing comes after.",
        ),
        Property(
            "where only the clock cuts, y goes on",
            truncated(_target),
            "The state in which a time limit stops is worth what it is worth.",
        ),
        Property(
            "policies that do not mix leave one entry of the slow critic",
            _sure,
            "The next joint action is the slow policies', not the one of the memory.",
            weight=0,
        ),
        Property(
            "y is the target of (2.2)",
            _whole,
            "Average the slow critic over the joint actions, the last agent's axis first.",
            weight=3,
        ),
        Property("the loss is the mean squared error", _loss, "Over the M steps; no one half."),
        Property(
            "dq is the slope of that loss, y held",
            _slope,
            "2 (Q - y) / M at the joint action taken, 0 elsewhere.",
            weight=2,
        ),
        layouts(_all, "q", "reward", "q_next"),
        *PURE,
    ),
    mistakes=(
        Mistake("the slow policies are taken to mix evenly", _variant("even")),
        Mistake("the likeliest action stands for the policy", _variant("likeliest")),
        Mistake("the next actions are the best ones", _variant("greedy")),
        Mistake("the next actions are those of the memory", _variant("old actions")),
        Mistake("the fast critic judges the next state", _variant("fast")),
        Mistake("a truncated episode is not bootstrapped", _variant("clock")),
        Mistake("a terminated episode is bootstrapped", _variant("goes on")),
        Mistake("gamma is left out", _variant("no gamma")),
        Mistake("the loss has a one half", _variant("half")),
        Mistake("the slope lacks its factor 2", _variant("no two")),
        Mistake("the loss is summed over the steps", _variant("summed")),
        Mistake("every joint action is pulled to y", _variant("everywhere")),
        Mistake("dq points down the slope", _variant("down")),
    ),
    reference=_library,
)
