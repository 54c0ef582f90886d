"""What an answer to exercise 3.9 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import trust_region
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts
from ._softmax import chosen, log_pi, parts, slope


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    logits_old: Array
    actions: Any  # (M,) of integers
    advantage: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four rows of one to four actions."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    logits, old = rng.uniform(-2.0, 2.0, (2, *shape))
    actions = rng.integers(shape[1], size=shape[0])
    return Case(logits, old, actions, rng.uniform(-2.0, 2.0, shape[0]))


def _parts(answer: Answer, case: Case) -> Any:
    shape = case.logits.shape
    needed = (("gain", ()), ("kl", ()), ("d_gain", shape), ("d_kl", shape))
    return parts(answer(*case), *needed)


def _gain(case: Case) -> Any:
    old = chosen(log_pi(case.logits_old), case.actions)

    def gain(logits: Any) -> Any:
        return (np.exp(chosen(log_pi(logits), case.actions) - old) * case.advantage).mean()

    return gain


def _kl(case: Case) -> Any:
    old = log_pi(case.logits_old)
    return lambda logits: (np.exp(old) * (old - log_pi(logits))).sum(axis=1).mean()


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _value_of_gain(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[0], _gain(case)(case.logits), "gain")


def _value_of_kl(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[1], _kl(case)(case.logits), "kl")


def _slope_of_gain(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[2], slope(_gain(case), case.logits), "d_gain")


def _slope_of_kl(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[3], slope(_kl(case), case.logits), "d_kl")


def _policy_gradient(answer: Answer, case: Case) -> None:
    here = case._replace(logits=case.logits_old.copy())
    found = _parts(answer, here)
    close(found[0], case.advantage.mean(), "gain of the old policy, the mean advantage")

    def plain(logits: Any) -> Any:
        return (chosen(log_pi(logits), case.actions) * case.advantage).mean()

    close(found[2], slope(plain, here.logits), "d_gain of the old policy, the policy gradient")


def _flat(answer: Answer, case: Case) -> None:
    assert _parts(answer, case)[1] >= -1e-9, "kl is negative"
    found = _parts(answer, case._replace(logits=case.logits_old.copy()))
    close(found[1], 0.0, "kl of the old policy")
    close(found[3], np.zeros(case.logits.shape), "d_kl of the old policy")


def _all(answer: Answer, case: Case) -> None:
    _value_of_gain(answer, case)
    _value_of_kl(answer, case)
    _slope_of_gain(answer, case)
    _slope_of_kl(answer, case)


def _large(answer: Answer, case: Case) -> None:
    _all(answer, case._replace(logits=case.logits + 800.0, logits_old=case.logits_old - 800.0))


def _variant(
    turned: bool = False,
    ratio: str = "right",
    own: bool = False,
    unmoved: bool = False,
    over: str = "rows",
    one: bool = False,
    kl_sign: float = 1.0,
    flip: bool = False,
    plain: bool = False,
) -> Answer:
    """Both values with one thing changed, for the wrong answers below."""

    def answer(logits: Any, logits_old: Any, actions: Any, advantage: Any) -> Any:
        new, old, rows = log_pi(logits), log_pi(logits_old), np.arange(len(logits))
        if plain:
            new, old = (x - np.log(np.exp(x).sum(axis=1, keepdims=True)) for x in
                        (logits, logits_old))  # fmt: skip
        count = len(rows) if over == "rows" else 1
        gap = new[rows, actions] - old[rows, actions]
        r = {"right": np.exp(gap), "over": np.exp(-gap), "log": gap}[ratio]
        taken = np.zeros(new.shape)
        taken[rows, actions] = 1.0
        each = r * advantage
        score = taken - (0.0 if own else np.exp(new))
        d_gain = (advantage if unmoved else each)[:, None] * score / count
        p, q = np.exp(old), np.exp(new)
        kls = (p * (old - new)).sum(axis=1)
        d_kl = q - p
        if turned:
            kls = (q * (new - old)).sum(axis=1)
            d_kl = q * (new - old - kls[:, None])
        if one:
            kls, d_kl = -gap, q - taken
        d_kl = -d_kl if flip else d_kl
        return each.sum() / count, kl_sign * kls.sum() / count, d_gain, kl_sign * d_kl / count

    return answer


def _library(logits: Any, logits_old: Any, actions: Any, advantage: Any) -> Any:
    share = np.full(len(logits), 1.0 / len(logits))
    logits, logits_old = (np.asarray(x, dtype=float) for x in (logits, logits_old))
    gain = trust_region.surrogate(categorical, logits, logits_old, actions, advantage, share)
    kl = trust_region.divergence(categorical, logits, logits_old, share)
    return gain.value.sum(), kl.value.sum(), gain.gradient, kl.gradient


SPEC = Spec(
    exercise="trpo-surrogate",
    function="trpo_surrogate",
    cases=cases(),
    properties=(
        Property("two numbers and two slopes", _shape, "Slopes are (M, K).", gate=True),
        Property(
            "the gain is the mean of ratio times advantage",
            _value_of_gain,
            "The ratio is exp(log pi(a) - log pi_old(a)), the new policy above.",
        ),
        Property(
            "kl is the mean of KL(pi_old || pi)",
            _value_of_kl,
            "Which policy weighs the logarithms, and over which actions does the sum run?",
        ),
        Property(
            "at the old policy the gain has the policy gradient",
            _policy_gradient,
            "All ratios are 1 there: what is left is advantage times the slope of log pi(a).",
        ),
        Property(
            "kl is never negative, and 0 and flat at the old policy",
            _flat,
            "Its slope is a difference of two distributions. Which?",
            weight=0,
        ),
        Property(
            "d_gain is the slope of the gain",
            _slope_of_gain,
            "The slope of a ratio is the ratio times that of log pi(a): 1 - pi(a) in the logit of "
            "a, -pi(b) in the others. And the mean divides by M.",
        ),
        Property(
            "d_kl is the slope of kl",
            _slope_of_kl,
            "Only log pi moves. Sum pi_old(a) (1_a - pi) over all a.",
        ),
        Property(
            "logits may be of any size",
            _large,
            "exp of a large number overflows. Subtract a row's largest logit first.",
        ),
        layouts(_all, "logits", "logits_old", "advantage"),
        *PURE,
    ),
    mistakes=(
        Mistake("the divergence is taken the other way round, KL(pi || pi_old)",
                _variant(turned=True)),
        Mistake("the ratio is old over new", _variant(ratio="over")),
        Mistake("the logarithm of the ratio is taken for the ratio", _variant(ratio="log")),
        Mistake("only the logit of the action taken is moved", _variant(own=True)),
        Mistake("the slope of the gain forgets the ratio", _variant(unmoved=True)),
        Mistake("the rows are summed, not averaged", _variant(over="nothing")),
        Mistake("the divergence is estimated from the action taken alone", _variant(one=True)),
        Mistake("the divergence is minus itself", _variant(kl_sign=-1.0)),
        Mistake("the slope of the divergence has the wrong sign", _variant(flip=True)),
        Mistake("exponentials of large logits overflow", _variant(plain=True)),
    ),
    reference=_library,
)  # fmt: skip
