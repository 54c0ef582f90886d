"""What an answer to exercise 3.13 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient.soft_values import soft_maximum, soft_policy
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    transition: Array
    reward: Array
    gamma: float
    alpha: float
    value: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three states and actions; now and then rewards of thousands of temperatures."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    states, actions = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    size = draw(st.sampled_from([1.0, 1.0, 1.0, 5000.0]))
    rewards = np.asarray(size * rng.integers(-6, 7, (states, actions)) / 2.0, np.float64)
    rows = rng.multinomial(4, np.ones(states) / states, (states, actions)) / 4.0
    return Case(
        rows,
        rewards,
        draw(st.sampled_from([0.0, 0.5, 0.9])),
        draw(st.sampled_from([0.5, 1.0, 2.0])),
        rng.integers(-6, 7, states) / 2.0,
    )


def _q(case: Case) -> Array:
    found: Array = case.reward + case.gamma * (case.transition @ case.value)
    return found


def _parts(answer: Answer, case: Case) -> tuple[Array, Array]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (new_value, policy), got {found!r:.60}")
    need(len(found) == 2, f"need (new_value, policy), got {len(found)} things")
    shaped(found[0], case.value.shape, "new_value")
    shaped(found[1], case.reward.shape, "policy")
    return np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _both(answer: Answer, case: Case) -> None:
    _value(answer, case)
    _policy(answer, case)


def _value(answer: Answer, case: Case) -> None:
    q = _q(case)
    best = q.max(axis=1)
    wanted = best + case.alpha * np.log(np.exp((q - best[:, None]) / case.alpha).sum(axis=1))
    close(_parts(answer, case)[0], wanted, "V, alpha times the log of the sum of exp(Q / alpha)")


def _policy(answer: Answer, case: Case) -> None:
    q = _q(case)
    odds = np.exp((q - q.max(axis=1, keepdims=True)) / case.alpha)
    wanted = odds / odds.sum(axis=1, keepdims=True)
    close(_parts(answer, case)[1], wanted, "pi, in proportion to exp(Q / alpha)")


def _earns(answer: Answer, case: Case) -> None:
    value, policy = _parts(answer, case)
    close(policy.sum(axis=1), np.ones(len(value)), "the sum of pi over the actions")
    logs = np.log(np.where(policy > 0, policy, 1.0))
    with_entropy = (policy * (_q(case) - case.alpha * logs)).sum(axis=1)
    close(value, with_entropy, "V, against what pi earns with its entropy, E[Q - alpha log pi]")


def _bounds(answer: Answer, case: Case) -> None:
    value, _ = _parts(answer, case)
    best, room = _q(case).max(axis=1), 1e-9 * (1.0 + abs(_q(case)).max())
    assert (value >= best - room).all(), f"V {value} is below the best Q {best}"
    most = best + case.alpha * np.log(case.reward.shape[1])
    assert (value <= most + room).all(), f"V {value} is above max Q + alpha log A = {most}"


def _one_action(answer: Answer, case: Case) -> None:
    one = case._replace(transition=case.transition[:, :1], reward=case.reward[:, :1])
    value, policy = _parts(answer, one)
    close(value, _q(one)[:, 0], "V where there is one action: its Q")
    close(policy, np.ones((len(value), 1)), "pi where there is one action")


def _constant(answer: Answer, case: Case) -> None:
    case = case._replace(reward=np.clip(case.reward, -3.0, 3.0))
    before, after = _parts(answer, case)[0], _parts(answer, case._replace(value=case.value + 2.0))
    moved = after[0] - before
    close(moved, np.full(moved.shape, 2.0 * case.gamma), "what 2 more in every V add")


def _variant(kind: str) -> Answer:
    """The backup with one thing changed, for the wrong answers below."""

    def answer(transition: Any, reward: Any, gamma: float, alpha: float, value: Any) -> Any:
        q = reward + (1.0 if kind == "no gamma" else gamma) * (transition @ value)
        if kind == "rewards alone":
            q = np.array(reward, dtype=float)
        heat = {"inverse": 1.0 / alpha, "no alpha": 1.0}.get(kind, alpha)
        best = q.max(axis=1, keepdims=True)
        odds = np.exp((q - best) / heat)
        total = odds.sum(axis=1, keepdims=True)
        soft, policy = (best + heat * np.log(total))[:, 0], odds / total
        if kind == "mean":
            soft = soft - alpha * np.log(q.shape[1])
        elif kind == "hard":
            soft = best[:, 0]
        elif kind == "no entropy":
            soft = (policy * q).sum(axis=1)
        elif kind == "outside":
            soft = (best / alpha + np.log(total))[:, 0]
        elif kind == "greedy":
            policy = np.eye(q.shape[1])[q.argmax(axis=1)]
        elif kind == "cold policy":
            policy = np.exp(q - best) / np.exp(q - best).sum(axis=1, keepdims=True)
        return soft, policy

    return answer


def _overflows(transition: Any, reward: Any, gamma: float, alpha: float, value: Any) -> Any:
    with np.errstate(all="ignore"):
        odds = np.exp((reward + gamma * (transition @ value)) / alpha)
        total = odds.sum(axis=1, keepdims=True)
        return alpha * np.log(total[:, 0]), odds / total


def _library(transition: Any, reward: Any, gamma: float, alpha: float, value: Any) -> Any:
    q = np.asarray(reward) + gamma * (np.asarray(transition) @ np.asarray(value))
    return soft_maximum(q, alpha), soft_policy(q, alpha)


SPEC = Spec(
    exercise="sac-objective",
    function="soft_backup",
    cases=cases(),
    properties=(
        Property(
            "a finite value for each state, a finite probability for each action",
            _shape,
            "Take the largest Q of each state out of the exponent before anything is summed.",
            gate=True,
        ),
        Property(
            "where there is one action, V is its Q",
            _one_action,
            "One action has no entropy: alpha log 1 = 0.",
        ),
        Property(
            "V lies between max Q and max Q + alpha log A",
            _bounds,
            "Entropy is at least 0 and at most log A, and each nat is paid alpha.",
            weight=0,
        ),
        Property(
            "a constant added to V comes back times gamma",
            _constant,
            "Where does V enter? Once, behind gamma and P.",
            weight=0,
        ),
        Property(
            "V is what the policy earns, entropy included",
            _earns,
            "The policy and the value belong together: V = sum_a pi(a) (Q(a) - alpha log pi(a)).",
        ),
        Property(
            "the policy is in proportion to exp(Q / alpha)",
            _policy,
            "Q holds the reward and what comes after it; a large alpha makes the policy flat.",
        ),
        Property(
            "V is alpha times the log of the sum of exp(Q / alpha)",
            _value,
            "alpha stands twice: it divides Q inside, and multiplies the log outside.",
            weight=2,
        ),
        layouts(_both, "reward", "value"),
        *PURE,
    ),
    mistakes=(
        Mistake("exp(Q / alpha) overflows", _overflows),
        Mistake("alpha multiplies Q instead of dividing it", _variant("inverse")),
        Mistake("alpha is left out", _variant("no alpha")),
        Mistake("the log is not multiplied by alpha", _variant("outside")),
        Mistake("the mean of the exponentials is taken, not their sum", _variant("mean")),
        Mistake("V is the largest Q", _variant("hard")),
        Mistake("V is the policy's mean of Q, without its entropy", _variant("no entropy")),
        Mistake("gamma is left out", _variant("no gamma")),
        Mistake("what comes after the reward is left out", _variant("rewards alone")),
        Mistake("the policy takes the best action alone", _variant("greedy")),
        Mistake("the policy is the softmax of Q, without alpha", _variant("cold policy")),
    ),
    reference=_library,
)
