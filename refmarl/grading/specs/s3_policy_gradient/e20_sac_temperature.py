"""What an answer to exercise 3.20 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....policy_gradient import sac_losses
from ...spec import PURE, Answer, Mistake, Property, Spec, need, shaped
from ...spec import close as near
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    log_alpha: float
    log_prob: Array
    target: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to four actions; entropies on both sides of their target."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    log_prob = rng.integers(-6, 7, draw(st.integers(1, 4))) / 2.0
    return Case(
        draw(st.sampled_from([-2.0, -0.5, 0.0, 1.0])),
        log_prob,
        draw(st.sampled_from([-2.0, -1.0, 0.5, 3.0])),
    )


def _parts(answer: Answer, case: Case) -> tuple[float, float, float]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (J, d_alpha, d_log_alpha), got {found!r:.60}")
    need(len(found) == 3, f"need (J, d_alpha, d_log_alpha), got {len(found)} things")
    for part, name in zip(found, ("J", "d_alpha", "d_log_alpha"), strict=True):
        shaped(part, (), name)
    return float(found[0]), float(found[1]), float(found[2])


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _value(case: Case, alpha: Any) -> Any:
    return (-alpha * (case.log_prob + case.target)).sum() / len(case.log_prob)


def _loss(answer: Answer, case: Case) -> None:
    near(_parts(answer, case)[0], _value(case, np.exp(case.log_alpha)), "J")


def _alpha(answer: Answer, case: Case) -> None:
    wanted = _value(case, 1.5) - _value(case, 0.5)  # J is linear in alpha
    near(_parts(answer, case)[1], wanted, "d_alpha, the slope of J in alpha")


def _log_alpha(answer: Answer, case: Case) -> None:
    wanted = _value(case, np.exp(case.log_alpha + 1e-20j)).imag / 1e-20
    near(_parts(answer, case)[2], wanted, "d_log_alpha, the slope of J in log alpha")


def _rises(answer: Answer, case: Case) -> None:
    short = case.target + case.log_prob.mean()  # by how much entropy falls short
    for got, name in zip(_parts(answer, case)[1:], ("d_alpha", "d_log_alpha"), strict=True):
        if abs(short) > 1e-9:
            says = "alpha must rise" if short > 0 else "alpha must fall"
            assert (got < 0) == (short > 0), f"{name} is {got:.4g}, but {says} down the slope of J"


def _rests(answer: Answer, case: Case) -> None:
    case = case._replace(target=-float(case.log_prob.mean()))
    for got, name in zip(_parts(answer, case)[1:], ("d_alpha", "d_log_alpha"), strict=True):
        near(got, 0.0, f"{name} where entropy is at its target")


def _all(answer: Answer, case: Case) -> None:
    _loss(answer, case)
    _alpha(answer, case)
    _log_alpha(answer, case)


def _variant(kind: str) -> Answer:
    """The loss with one thing changed, for the wrong answers below."""

    def answer(log_alpha: float, log_prob: Any, target: float) -> Any:
        alpha = log_alpha if kind == "no exp" else np.exp(log_alpha)
        mean = np.sum(log_prob) if kind == "summed" else np.mean(log_prob)
        missing = mean - target if kind == "minus" else mean + target
        if kind == "entropy alone":
            missing = mean
        if kind == "clipped":
            missing = max(missing, 0.0)
        sign = 1.0 if kind == "sign" else -1.0
        in_log = {"same": 1.0, "divided": 1.0 / alpha if alpha else 1.0}.get(kind, alpha)
        d_alpha = sign * missing * (alpha if kind == "alpha twice" else 1.0)
        value = sign * alpha * missing
        if kind == "log form":
            value = -log_alpha * missing
        return value, d_alpha, sign * in_log * missing

    return answer


def _library(log_alpha: float, log_prob: Any, target: float) -> Any:
    alpha = float(np.exp(log_alpha))
    found = sac_losses.temperature_loss(alpha, np.asarray(log_prob, float), target)
    return found.value, float(found.gradient), alpha * float(found.gradient)


SPEC = Spec(
    exercise="sac-temperature",
    function="sac_temperature",
    cases=cases(),
    properties=(
        Property("three finite numbers", _shape, "E is a mean: a number is left.", gate=True),
        Property(
            "alpha rises exactly while entropy is below its target, in both forms",
            _rises,
            "The entropy is -E[log pi]. J is descended: a negative slope makes alpha rise.",
        ),
        Property(
            "at the target alpha rests",
            _rests,
            "E[log pi] + target is 0 where the entropy -E[log pi] is the target.",
            weight=0,
        ),
        Property(
            "J is the mean of -alpha (log pi + target)",
            _loss,
            "alpha is exp(log_alpha).",
        ),
        Property("d_alpha is the slope of J in alpha", _alpha, "J is linear in alpha."),
        Property(
            "d_log_alpha is the slope of J in log alpha",
            _log_alpha,
            "The chain rule: d alpha / d log alpha = alpha.",
        ),
        layouts(_all, "log_prob"),
        *PURE,
    ),
    mistakes=(
        Mistake("the signs are turned round", _variant("sign")),
        Mistake("the target is taken away, not added", _variant("minus")),
        Mistake("the target is forgotten", _variant("entropy alone")),
        Mistake("log_alpha is taken for alpha", _variant("no exp")),
        Mistake("the sum is taken, not the mean", _variant("summed")),
        Mistake("both slopes are the same", _variant("same")),
        Mistake("the slope in log alpha is divided by alpha", _variant("divided")),
        Mistake("the slope in alpha is multiplied by alpha", _variant("alpha twice")),
        Mistake("J is taken as -log alpha (log pi + target)", _variant("log form")),
        Mistake("a surplus of entropy does not count", _variant("clipped")),
    ),
    reference=_library,
)
