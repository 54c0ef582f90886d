"""What an answer to exercise 3.19 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import surrogate
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts
from ._softmax import chosen, kept, log_pi, off_kinks, parts, slope


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    value: Array
    actions: Any  # integers
    log_prob_old: Array
    advantage: Array
    target: Array
    epsilon: float
    c_1: float
    c_2: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four rows, one to three actions, ratios on both sides of the band and within."""
    rng = np.random.default_rng(draw(SEEDS))
    rows, count = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    logits, actions = rng.uniform(-1.5, 1.5, (rows, count)), rng.integers(count, size=rows)
    epsilon = draw(st.sampled_from([0.2, 0.1, 0.5]))
    ratio = off_kinks(np.exp(rng.uniform(-0.8, 0.8, rows)), epsilon)
    value, advantage, target = np.rint(8.0 * rng.uniform(-2.0, 2.0, (3, rows))) / 4.0
    weights = (draw(st.sampled_from([0.5, 0.0, 2.0])) for _ in range(2))
    log_prob_old = chosen(log_pi(logits), actions) - np.log(ratio)
    return Case(logits, value, actions, log_prob_old, advantage, target, epsilon, *weights)


def _all(answer: Answer, case: Case) -> tuple[float, Array, Array]:
    needed = ("L", ()), ("d_logits", case.logits.shape), ("d_value", case.value.shape)
    gain, d_logits, d_value = parts(answer(*case), *needed)
    return float(gain), d_logits, d_value


def _shape(answer: Answer, case: Case) -> None:
    _all(answer, case)


def _objective(case: Case) -> Any:
    """L of logits and values; which of the products is the smaller one is decided once."""
    ratio = np.exp(chosen(log_pi(case.logits), case.actions) - case.log_prob_old)
    moves = kept(ratio, case.advantage, case.epsilon)
    edge = np.where(case.advantage >= 0, 1.0 + case.epsilon, 1.0 - case.epsilon)

    def gain(x: Any, v: Any) -> Any:
        r = np.where(moves, np.exp(chosen(log_pi(x), case.actions) - case.log_prob_old), edge)
        entropy = -(np.exp(log_pi(x)) * log_pi(x)).sum(axis=1)
        return (r * case.advantage - case.c_1 * (v - case.target) ** 2 + case.c_2 * entropy).mean()

    return gain


def _value(answer: Answer, case: Case) -> None:
    close(_all(answer, case)[0], _objective(case)(case.logits, case.value), "L")


def _d_logits(answer: Answer, case: Case) -> None:
    wanted = slope(lambda x: _objective(case)(x, case.value), case.logits)
    close(_all(answer, case)[1], wanted, "d_logits")


def _d_value(answer: Answer, case: Case) -> None:
    wanted = slope(lambda v: _objective(case)(case.logits, v), case.value)
    close(_all(answer, case)[2], wanted, "d_value")


def _bare(answer: Answer, case: Case) -> None:
    bare = case._replace(c_1=0.0, c_2=0.0)
    gain, d_logits, d_value = _all(answer, bare)
    close(gain, _objective(bare)(case.logits, case.value), "L for c_1 = c_2 = 0, row 3.7")
    wanted = slope(lambda x: _objective(bare)(x, case.value), case.logits)
    close(d_logits, wanted, "d_logits for c_1 = c_2 = 0, row 3.7")
    close(d_value, np.zeros(case.value.shape), "d_value for c_1 = 0")


def _critic(answer: Answer, case: Case) -> None:
    alone = case._replace(advantage=0.0 * case.advantage, c_1=case.c_1 + 1.0, c_2=0.0)
    gain, d_logits, d_value = _all(answer, alone)
    error = case.value - case.target
    close(gain, -alone.c_1 * (error**2).mean(), "L for A = 0 and c_2 = 0")
    close(d_logits, np.zeros(case.logits.shape), "d_logits for A = 0 and c_2 = 0")
    close(d_value, -2.0 * alone.c_1 * error / len(error), "d_value for A = 0")


def _entropy(answer: Answer, case: Case) -> None:
    alone = case._replace(advantage=0.0 * case.advantage, c_1=0.0, c_2=case.c_2 + 1.0)
    gain, d_logits, _ = _all(answer, alone)
    f = _objective(alone)
    close(gain, f(case.logits, case.value), "L for A = 0 and c_1 = 0: the entropy")
    close(d_logits, slope(lambda x: f(x, case.value), case.logits), "d_logits, of the entropy")


def _variant(
    square: float = 2.0, critic: float = -1.0, bonus: float = 1.0, simple: bool = False,
    through: bool = False, per: int = 1, moves_all: bool = False, frozen: bool = False,
    log_old: bool = False,
) -> Answer:  # fmt: skip
    """The answer with one thing changed, for the wrong answers below."""

    def answer(
        logits: Any, value: Any, actions: Any, log_prob_old: Any, advantage: Any, target: Any,
        epsilon: float, c_1: float, c_2: float,
    ) -> Any:  # fmt: skip
        new = log_pi(logits)
        pi, count = np.exp(new), len(actions) if per else 1
        ratio = np.exp(chosen(new, actions) - (log_prob_old if not log_old else 0.0))
        moves = kept(ratio, advantage, epsilon) | moves_all
        free, entropy = ratio * advantage, -(pi * new).sum(axis=1)
        gain = np.where(kept(ratio, advantage, epsilon), free,
                        np.clip(ratio, 1 - epsilon, 1 + epsilon) * advantage)  # fmt: skip
        error = value - target
        total = gain + critic * c_1 * square / 2.0 * error**2 + bonus * c_2 * entropy
        score = np.eye(logits.shape[1])[actions] - pi
        d_entropy = -pi * (new + (0.0 if simple else entropy[:, None]))
        d_logits = np.where(moves, free, 0.0)[:, None] * score
        d_logits = d_logits + (not frozen) * bonus * c_2 * d_entropy
        d_value = critic * square * c_1 * error - through * np.where(moves, ratio, 0.0)
        return float(total.sum() / count), d_logits / count, d_value / count

    return answer


def _library(
    logits: Any, value: Any, actions: Any, log_prob_old: Any, advantage: Any, target: Any,
    epsilon: float, c_1: float, c_2: float,
) -> Any:  # fmt: skip
    new, v, taken = (np.asarray(x) for x in (logits, value, actions))
    log_old, a, wanted = (np.asarray(x) for x in (log_prob_old, advantage, target))
    weights = surrogate.Weights(epsilon, c_1, c_2)
    total, gradients = surrogate.total_gain(categorical, new, v, taken, log_old, a, wanted, weights)
    return total, *gradients


SPEC = Spec(
    exercise="ppo-total",
    function="ppo_total",
    cases=cases(),
    properties=(
        Property("a number and two derivatives", _shape, "L is a mean over the rows.", gate=True),
        Property(
            "without both weights it is the clipped objective",
            _bare,
            "c_1 = c_2 = 0: the value does not count at all, and d r = r d log pi(a).",
        ),
        Property(
            "the square of the value's error is taken away",
            _critic,
            "-c_1 (V - target)^2 has the slope -2 c_1 (V - target) in V; over M rows, divide.",
        ),
        Property(
            "the entropy is added",
            _entropy,
            "H = -sum pi log pi, and its slope in logit k is -pi_k (log pi_k + H).",
        ),
        Property("L is what the equation says", _value, "A sum of three, averaged.", weight=2),
        Property(
            "d_logits is the derivative of L",
            _d_logits,
            "The gain moves where r A is the smaller product, by r A (1{k = a} - pi_k); and the "
            "entropy moves everywhere.",
            weight=2,
        ),
        Property("d_value is the derivative of L", _d_value, "Only the square depends on V."),
        layouts(_value, "value", "advantage", "target"),
        *PURE,
    ),
    mistakes=(
        Mistake("the square is halved, as in a regression", _variant(square=1.0)),
        Mistake("the error of the value is rewarded", _variant(critic=1.0)),
        Mistake("the entropy is punished", _variant(bonus=-1.0)),
        Mistake("the entropy's derivative is -pi log pi", _variant(simple=True)),
        Mistake("the entropy is left out of the derivative", _variant(frozen=True)),
        Mistake(
            "the advantage is differentiated, as if it were target - V", _variant(through=True)
        ),
        Mistake("the rows are summed", _variant(per=0)),
        Mistake("the derivative does not know of the clipping", _variant(moves_all=True)),
        Mistake("the ratio is pi itself", _variant(log_old=True)),
    ),
    reference=_library,
)
