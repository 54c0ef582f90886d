"""What an answer to exercise 2.7 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import decomposition
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
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three agents, up to four rows of which each may end its episode, in either way."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(2, 3))
    ends = rng.random(shape[1])
    q, q_next = rng.integers(-9, 10, (2, *shape)) / 2.0
    return Case(
        q, rng.integers(shape[2], size=shape[:2]), rng.integers(-9, 10, shape[1]) / 2.0,
        ends < 0.3, (ends >= 0.3) & (ends < 0.6), q_next,
        draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
    )  # fmt: skip


def _total(q: Array, actions: Any, m: int) -> float:
    return sum(float(q[i, m, actions[i]]) for i in range(len(q)))


def _target(case: Case) -> Array:
    """Row by row, by trying every joint action."""
    y = case.reward.astype(float)
    agents, _, count = case.q.shape
    for m in range(len(y)):
        if not case.terminated[m]:
            joint = product(range(count), repeat=agents)
            y[m] += case.gamma * max(_total(case.q_next, a, m) for a in joint)
    return y


def _loss_of(q: Array, case: Case, y: Array) -> float:
    rows = range(len(y))
    total = sum((y[m] - _total(q, case.actions[:, m], m)) ** 2 for m in rows)
    return float(total) / len(y)


def _best(answer: Answer, case: Case) -> None:
    close(parts(answer, case)[1], _target(case), "y, the best of all joint actions at s'")


def _alone(answer: Answer, case: Case) -> None:
    one = case._replace(q=case.q[:1], actions=case.actions[:1], q_next=case.q_next[:1])
    close(parts(answer, one)[1], _target(one), "y of a single agent: that of Q-learning")


def _loss(answer: Answer, case: Case) -> None:
    close(parts(answer, case)[0], _loss_of(case.q, case, _target(case)), "the loss")


def _everybody(answer: Answer, case: Case) -> None:
    dq = parts(answer, case)[2]
    received = np.take_along_axis(dq, case.actions[..., None], axis=-1)[..., 0]
    for i in range(1, len(dq)):
        close(received[i], received[0], f"what agent {i} receives, beside agent 0")


def _others(answer: Answer, case: Case) -> None:
    dq = parts(answer, case)[2].copy()
    np.put_along_axis(dq, case.actions[..., None], 0.0, axis=-1)
    close(dq, np.zeros(dq.shape), "dq of actions that were not taken")


def _slope(answer: Answer, case: Case) -> None:
    """The loss is a quadratic in q: a central difference of any step is exact."""
    dq, y = parts(answer, case)[2], _target(case)
    wanted = np.zeros(case.q.shape)
    for at in np.ndindex(case.q.shape):
        move = np.zeros(case.q.shape)
        move[at] = 0.5
        wanted[at] = _loss_of(case.q + move, case, y) - _loss_of(case.q - move, case, y)
    close(dq, wanted, "dq, the slope of the loss with y held")


def _all(answer: Answer, case: Case) -> None:
    _best(answer, case)
    _loss(answer, case)
    _slope(answer, case)


def _variant(kind: str) -> Answer:
    """The loss with one thing changed, for the wrong answers below."""

    def answer(
        q: Any, actions: Any, reward: Any, terminated: Any, truncated: Any, q_next: Any,
        gamma: float,
    ) -> Any:  # fmt: skip
        at = np.asarray(actions)[..., None]
        taken = np.take_along_axis(q, at, axis=-1)[..., 0]
        after = np.take_along_axis(q_next, at, axis=-1)[..., 0]
        peak = after if kind == "sarsa" else np.max(q_next, axis=-1)
        best = peak.mean(axis=0) if kind in ("mean", "mean next") else peak.sum(axis=0)
        best = peak.max(axis=0) if kind == "one best" else best
        best = np.max(np.sum(q_next, axis=0), axis=-1) if kind == "same action" else best
        over = terminated | truncated if kind == "clock" else terminated
        over = np.zeros(len(reward), bool) if kind == "goes on" else over
        y = reward + (1.0 if kind == "no gamma" else gamma) * np.where(over, 0.0, best)
        y = len(q) * reward + (y - reward) if kind == "paid each" else y
        error = (taken.mean(axis=0) if kind == "mean" else taken.sum(axis=0)) - y
        each = error[None] * np.ones((len(q), 1))
        if kind == "own errors":
            each = taken - (reward + gamma * np.where(over, 0.0, peak))
        each = each / len(q) if kind == "shared out" else each
        scale = {"half": 1.0, "down": -2.0}.get(kind, 2.0) / (1 if kind == "summed" else len(y))
        dq = np.zeros(np.shape(q))
        np.put_along_axis(dq, at, (scale * each)[..., None], axis=-1)
        if kind == "all actions":
            dq = np.repeat((scale * each)[..., None], np.shape(q)[-1], axis=-1)
        return (error**2).sum() if kind == "summed" else (error**2).mean(), y, dq

    return answer


def _library(
    q: Any, actions: Any, reward: Any, terminated: Any, truncated: Any, q_next: Any, gamma: float
) -> Any:
    at = np.asarray(actions)[..., None]
    taken = np.take_along_axis(np.asarray(q, float), at, axis=-1)[..., 0].T
    total, slope = decomposition.vdn(taken)
    best = decomposition.vdn(np.asarray(q_next, float).max(axis=-1).T).value
    y = decomposition.td_target(np.asarray(reward), terminated, best, gamma)
    loss = decomposition.td_loss(total, y)
    dq = np.zeros(np.shape(q))
    np.put_along_axis(dq, at, (loss.gradient[:, None] * slope).T[..., None], axis=-1)
    return loss.value, y, dq


SPEC = Spec(
    exercise="vdn",
    function="vdn",
    cases=cases(),
    properties=(
        Property(
            "a number, a target for each row, a slope for each agent, row and action",
            shape,
            "The team has one target in each row: y is (M,).",
            gate=True,
        ),
        Property(
            "where an episode terminates y is the reward",
            terminal,
            "Nothing comes after. The reward is the team's: it counts once.",
        ),
        Property(
            "where only the clock cuts, y goes on",
            truncated(_target),
            "The state in which a time limit stops is worth what it is worth.",
        ),
        Property(
            "one agent: the target of Q-learning",
            _alone,
            "A sum of one.",
            weight=0,
        ),
        Property(
            "y holds the best joint action of s', found without a search",
            _best,
            "Each agent picks its own best action; the best of a sum is the sum of the bests.",
            weight=2,
        ),
        Property(
            "the loss is the mean squared error of the sum",
            _loss,
            "One error in each row, of the team's value, not one of each agent.",
        ),
        Property(
            "every agent receives the same gradient at what it did",
            _everybody,
            "dQ_tot / dQ_i is 1 for each of them.",
            weight=0,
        ),
        Property(
            "actions that were not taken receive none",
            _others,
            "Only the values of the actions taken stand in Q_tot.",
            weight=0,
        ),
        Property(
            "dq is the slope of that loss, y held",
            _slope,
            "The slope of (y - Q)^2 in Q is 2 (Q - y), and the mean divides by M.",
            weight=2,
        ),
        layouts(_all, "q", "reward", "q_next"),
        *PURE,
    ),
    mistakes=(
        Mistake("every agent has a target and an error of its own", _variant("own errors")),
        Mistake("the mean of the utilities stands for their sum", _variant("mean")),
        Mistake("the mean of the best next utilities is taken", _variant("mean next")),
        Mistake("only the best agent counts at s'", _variant("one best")),
        Mistake("all agents must choose the same action at s'", _variant("same action")),
        Mistake("the actions taken are valued at s'", _variant("sarsa")),
        Mistake("the reward counts once for each agent", _variant("paid each")),
        Mistake("a truncated episode is not bootstrapped", _variant("clock")),
        Mistake("a terminated episode is bootstrapped", _variant("goes on")),
        Mistake("gamma is left out", _variant("no gamma")),
        Mistake("the gradient is divided among the agents", _variant("shared out")),
        Mistake("all actions receive the gradient", _variant("all actions")),
        Mistake("the factor 2 of the square's slope is missing", _variant("half")),
        Mistake("dq points down the slope", _variant("down")),
        Mistake("the loss is summed over the rows", _variant("summed")),
    ),
    reference=_library,
)
