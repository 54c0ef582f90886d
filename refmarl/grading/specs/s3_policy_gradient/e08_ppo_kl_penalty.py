"""What an answer to exercise 3.8 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import surrogate
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts
from ._softmax import chosen, log_pi, parts, slope


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    logits_old: Array
    actions: Any  # integers
    advantage: Array
    beta: float
    target: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four rows, one to three actions; KL above, below and within the band."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    old = rng.uniform(-1.5, 1.5, shape).round(1)
    new = old + rng.uniform(-1.0, 1.0, shape).round(1)
    case = Case(
        new, old, rng.integers(shape[1], size=shape[0]), rng.uniform(-2.0, 2.0, shape[0]).round(1),
        draw(st.sampled_from([0.5, 0.0, 1.0, 3.0])), 1.0,
    )  # fmt: skip
    factor = draw(st.sampled_from([1.0, 0.8, 1.2, 0.5, 2.0]))  # never at an end of the band
    return case._replace(target=factor * max(float(_kl(case).mean()), 0.01))


def _kl(case: Case) -> Array:
    """Of each row, written out."""
    old, new = log_pi(case.logits_old), log_pi(case.logits)
    found: Array = (np.exp(old) * (old - new)).sum(axis=1)
    return found


def _all(answer: Answer, case: Case) -> tuple[float, Array, float]:
    needed = ("L", ()), ("slope", case.logits.shape), ("beta_next", ())
    gain, d_logits, beta = parts(answer(*case), *needed)
    return float(gain), d_logits, float(beta)


def _shape(answer: Answer, case: Case) -> None:
    _all(answer, case)


def _objective(case: Case) -> Any:
    log_old = log_pi(case.logits_old)

    def gain(x: Any) -> Any:
        free = np.exp(chosen(log_pi(x) - log_old, case.actions)) * case.advantage
        kl = (np.exp(log_old) * (log_old - log_pi(x))).sum(axis=1)
        return (free - case.beta * kl).mean()

    return gain


def _value(answer: Answer, case: Case) -> None:
    close(_all(answer, case)[0], _objective(case)(case.logits), "L")


def _derivative(answer: Answer, case: Case) -> None:
    close(_all(answer, case)[1], slope(_objective(case), case.logits), "slope")


def _at_old(answer: Answer, case: Case) -> None:
    here = case._replace(logits=case.logits_old)
    wanted = slope(lambda x: (case.advantage * chosen(log_pi(x), case.actions)).mean(), here.logits)
    gain, d_logits, _ = _all(answer, here)
    close(gain, case.advantage.mean(), "L at the old policy")
    close(d_logits, wanted, "slope at the old policy")


def _priceless(answer: Answer, case: Case) -> None:
    free = case._replace(beta=0.0)
    gain, d_logits, beta = _all(answer, free)
    close(gain, _objective(free)(case.logits), "L for beta = 0")
    close(d_logits, slope(_objective(free), case.logits), "slope for beta = 0")
    close(beta, 0.0, "beta_next for beta = 0")


def _price(answer: Answer, case: Case) -> None:
    costly = case._replace(beta=case.beta + 2.0)
    found = _all(answer, case)[0] - _all(answer, costly)[0]
    close(found, 2.0 * float(_kl(case).mean()), "what L loses if beta rises by 2")


def _next(answer: Answer, case: Case) -> None:
    kl, beta = float(_kl(case).mean()), case.beta + 1.0
    tries = [(kl * x, beta * y) for x, y in ((0.5, 2.0), (0.8, 1.0), (1.2, 1.0), (2.0, 0.5))]
    for target, wanted in tries if kl > 1e-6 else [(1.0, 0.5 * beta)]:
        found = _all(answer, case._replace(beta=beta, target=target))[2]
        close(found, wanted, f"beta_next, if KL is {kl:.4g} where {target:.4g} was wanted")


def _variant(
    turned: bool = False, opposite: bool = False, factor: float = 2.0, band: float = 1.5,
    still: bool = False, sign: float = -1.0, per: int = 1, entropy: bool = False,
    taken: bool = False, fixed: bool = False,
) -> Answer:  # fmt: skip
    """The answer with one thing changed, for the wrong answers below."""

    def answer(
        logits: Any, logits_old: Any, actions: Any, advantage: Any, beta: float, target: float
    ) -> Any:
        old, rows = log_pi(logits_old), np.arange(len(actions))

        def total(x: Any) -> Any:
            new = log_pi(x)
            free = np.exp(chosen(new - old, actions)) * advantage
            return (free + sign * beta * distance(new)).sum() / (len(rows) if per else 1)

        def distance(new: Any) -> Any:
            if taken:
                return chosen(old - new, actions)
            first, second = (new, old) if turned else (old, new)
            return (np.exp(first) * (first - second * (not entropy))).sum(axis=1)

        mean = distance(log_pi(logits)).mean()
        high, low = (1.0 / factor, factor) if opposite else (factor, 1.0 / factor)
        after = beta * (high if mean > band * target else low if mean < target / band else 1.0)
        d_logits = slope(total, np.asarray(logits, dtype=float))
        if still:
            gain = (np.exp(chosen(log_pi(logits) - old, actions)) * advantage)[:, None]
            d_logits = gain * (np.eye(logits.shape[1])[actions] - np.exp(log_pi(logits)))
            d_logits = d_logits / len(rows)
        return float(total(logits)), d_logits, float(beta if fixed else after)

    return answer


def _library(
    logits: Any, logits_old: Any, actions: Any, advantage: Any, beta: float, target: float
) -> Any:
    given = (np.asarray(x) for x in (logits, logits_old, actions, advantage))
    logits, logits_old, actions, advantage = given
    found = surrogate.penalised_gain(categorical, logits, logits_old, actions, advantage, beta)
    kl = max(float(categorical.kl(logits_old, logits).mean()), 0.0)
    return found.value, found.gradient, surrogate.next_beta(beta, kl, target)


SPEC = Spec(
    exercise="ppo-kl-penalty",
    function="ppo_kl_penalty",
    cases=cases(),
    properties=(
        Property("a number, a slope in the logits, a number", _shape, "L is a mean.", gate=True),
        Property(
            "at the old policy the slope is that of the policy gradient",
            _at_old,
            "There r = 1, and KL has its minimum 0: its slope is 0.",
        ),
        Property(
            "with beta = 0 nothing is charged, now and later",
            _priceless,
            "L is the mean of r A, and twice 0 is 0.",
            weight=0,
        ),
        Property(
            "beta charges KL(pi_old || pi), with the old policy's probabilities as weights",
            _price,
            "sum_b pi_old(b) (log pi_old(b) - log pi(b)): over all actions, not the one drawn.",
        ),
        Property(
            "beta doubles above the band, halves below, and stays within",
            _next,
            "Too far: the price rises. Compare the mean KL with 1.5 target and target / 1.5.",
        ),
        Property("L is what the equation says", _value, "r A - beta KL for each row.", weight=2),
        Property(
            "the slope is the derivative of L",
            _derivative,
            "d r = r d log pi(a), and the slope of KL(pi_old || pi) in the logits is pi - pi_old.",
            weight=2,
        ),
        layouts(_value, "advantage"),
        *PURE,
    ),
    mistakes=(
        Mistake("KL is that of the new policy from the old one", _variant(turned=True)),
        Mistake("the price rises where the policy hardly moved", _variant(opposite=True)),
        Mistake("the price grows by half, not twofold", _variant(factor=1.5)),
        Mistake("the band is a factor of two wide", _variant(band=2.5)),
        Mistake("there is no band", _variant(band=1.0)),
        Mistake("the price never changes", _variant(fixed=True)),
        Mistake("the derivative leaves the penalty out", _variant(still=True)),
        Mistake("the penalty is a reward", _variant(sign=1.0)),
        Mistake("the rows are summed", _variant(per=0)),
        Mistake("the penalty is the negative entropy of the old policy", _variant(entropy=True)),
        Mistake("KL is estimated from the action drawn", _variant(taken=True)),
    ),
    reference=_library,
)
