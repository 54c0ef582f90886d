"""What an answer to exercise 3.14 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import sac_losses
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._critics import parts, shape, terminal, truncated
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    reward: Array
    terminated: Any
    truncated: Any
    q_next: Array
    log_prob_next: Array
    alpha: float
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five steps of which each may end its episode, in either way."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows = draw(st.integers(1, 5))
    ends = rng.random(rows)
    halves = rng.integers(-9, 10, (6, rows)) / 2.0
    return Case(
        halves[:2], halves[2], ends < 0.3, (ends >= 0.3) & (ends < 0.6), halves[3:5], halves[5],
        draw(st.sampled_from([0.0, 0.2, 1.0, 2.0])), draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
    )  # fmt: skip


def _target(case: Case) -> Array:
    """Step by step."""
    y = case.reward.astype(float)
    for m in range(len(y)):
        if not case.terminated[m]:
            least = min(case.q_next[0, m], case.q_next[1, m])
            y[m] += case.gamma * (least - case.alpha * case.log_prob_next[m])
    return y


def _cold(answer: Answer, case: Case) -> None:
    case = case._replace(alpha=0.0)
    close(parts(answer, case)[1], _target(case), "y for alpha = 0, the target of TD3")


def _bonus(answer: Answer, case: Case) -> None:
    before = parts(answer, case)[1]
    after = parts(answer, case._replace(log_prob_next=case.log_prob_next - 1.0))[1]
    wanted = np.where(case.terminated, 0.0, case.gamma * case.alpha)
    close(after - before, wanted, "what one nat of entropy more adds to y")


def _whole(answer: Answer, case: Case) -> None:
    close(parts(answer, case)[1], _target(case), "y")


def _loss(answer: Answer, case: Case) -> None:
    wanted = 0.5 * ((case.q - _target(case)) ** 2).sum() / len(case.reward)
    close(parts(answer, case)[0], wanted, "the loss")


def _slope(answer: Answer, case: Case) -> None:
    """The loss is a quadratic in q: a central difference of any step is exact."""
    dq, y = parts(answer, case)[2], _target(case)

    def loss(q: Array) -> float:
        return float(0.5 * ((q - y) ** 2).sum() / len(y))

    wanted = np.zeros(case.q.shape)
    for at in np.ndindex(case.q.shape):
        move = np.zeros(case.q.shape)
        move[at] = 0.5
        wanted[at] = loss(case.q + move) - loss(case.q - move)
    close(dq, wanted, "dq, the slope of the loss with y held")


def _all(answer: Answer, case: Case) -> None:
    _whole(answer, case)
    _loss(answer, case)
    _slope(answer, case)


def _variant(kind: str) -> Answer:
    """The critic's loss with one thing changed, for the wrong answers below."""

    def answer(
        q: Any, reward: Any, terminated: Any, truncated: Any, q_next: Any, log_prob_next: Any,
        alpha: float, gamma: float,
    ) -> Any:  # fmt: skip
        pick: Any = {"max": np.max, "mean": np.mean}.get(kind, np.min)
        least = q_next if kind == "each its own" else pick(q_next, axis=0)
        bonus = (alpha if kind == "sign" else -alpha) * log_prob_next
        if kind == "no bonus":
            bonus = 0.0 * bonus
        over = terminated | truncated if kind == "clock" else terminated
        on = np.ones(len(reward)) if kind == "goes on" else 1.0 - over
        y = reward + gamma * on * (least + bonus)
        if kind == "bonus at ends":
            y = reward + gamma * (on * least + bonus)
        elif kind == "undiscounted bonus":
            y = reward + on * (gamma * least + bonus)
        elif kind == "no gamma":
            y = reward + on * (least + bonus)
        error = q - y
        half = 1.0 if kind == "no half" else 0.5
        count = 1 if kind == "summed" else len(reward)
        dq = 2.0 * half * error / (1 if kind == "undivided" else count)
        shown = y if y.ndim == 1 else y[0]
        return half * (error**2).sum() / count, shown, -dq if kind == "down" else dq

    return answer


def _library(
    q: Any, reward: Any, terminated: Any, truncated: Any, q_next: Any, log_prob_next: Any,
    alpha: float, gamma: float,
) -> Any:  # fmt: skip
    q, q_next = np.asarray(q, float), np.asarray(q_next, float)
    after = np.asarray(log_prob_next, float)
    y = sac_losses.critic_target(np.asarray(reward), terminated, q_next, after, alpha, gamma)
    loss = sac_losses.critic_loss(q, y)
    return loss.value, y, loss.gradient


SPEC = Spec(
    exercise="sac-critic",
    function="sac_critic",
    cases=cases(),
    properties=(
        Property(
            "a number, a target for each step, a slope for each critic and step",
            shape,
            "Both critics share one target: y is (M,).",
            gate=True,
        ),
        Property(
            "where an episode terminates y is the reward",
            terminal,
            "Nothing comes after: neither a value nor the entropy of an action that is not taken.",
        ),
        Property(
            "where only the clock cuts, y goes on",
            truncated(_target),
            "The state in which a time limit stops is worth what it is worth, entropy included.",
        ),
        Property(
            "alpha = 0 gives the target of TD3: the smaller of both critics",
            _cold,
            "Step by step: compare the two slow critics at the same s', a'.",
        ),
        Property(
            "a nat of entropy more is worth gamma alpha, unless the episode terminated",
            _bonus,
            "Entropy is -log pi. It is that of the next action, so it is discounted like Q'.",
        ),
        Property("y is the target of (3.14)", _whole, "Put the pieces together.", weight=2),
        Property(
            "the loss is half the squared error, summed over critics, averaged over steps",
            _loss,
            "Sum over both critics, mean over the steps, and one half of it.",
        ),
        Property(
            "dq is the slope of that loss, y held",
            _slope,
            "The slope of (Q - y)^2 / 2 is Q - y, and the mean divides by M.",
        ),
        layouts(_all, "q", "reward", "q_next", "log_prob_next"),
        *PURE,
    ),
    mistakes=(
        Mistake("the larger critic is taken", _variant("max")),
        Mistake("the mean of both critics is taken", _variant("mean")),
        Mistake("each critic has a target of its own", _variant("each its own")),
        Mistake("the entropy is charged, not paid", _variant("sign")),
        Mistake("the entropy is left out", _variant("no bonus")),
        Mistake("a truncated episode is not bootstrapped", _variant("clock")),
        Mistake("a terminated episode is bootstrapped", _variant("goes on")),
        Mistake("entropy is paid after the end", _variant("bonus at ends")),
        Mistake("the entropy is not discounted", _variant("undiscounted bonus")),
        Mistake("gamma is left out", _variant("no gamma")),
        Mistake("the one half is forgotten", _variant("no half")),
        Mistake("the loss is summed over the steps", _variant("summed")),
        Mistake("dq points down the slope", _variant("down")),
        Mistake("dq is not divided by the number of steps", _variant("undivided")),
    ),
    reference=_library,
)
