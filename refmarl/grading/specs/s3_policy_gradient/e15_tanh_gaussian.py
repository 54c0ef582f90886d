"""What an answer to exercise 3.15 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import tanh_gaussian
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts

GRID = np.linspace(-12.0, 12.0, 801)  # of the noise, for integrals


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    mean: Array
    log_std: Array
    noise: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three rows of up to three numbers; now and then means of hundreds."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    size = draw(st.sampled_from([1.0, 1.0, 30.0, 300.0]))
    mean = np.asarray(size * rng.integers(-3, 4, shape) / 2.0, np.float64)
    return Case(mean, rng.integers(-4, 3, shape) / 2.0, rng.integers(-4, 5, shape) / 2.0)


def _parts(answer: Answer, case: Case) -> tuple[Array, Array]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (action, log_prob), got {found!r:.60}")
    need(len(found) == 2, f"need (action, log_prob), got {len(found)} things")
    shaped(found[0], case.mean.shape, "action")
    shaped(found[1], case.mean.shape[:1], "log_prob")
    return np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _u(case: Case) -> Array:
    found: Array = case.mean + np.exp(case.log_std) * case.noise
    return found


def _actions(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[0], np.tanh(_u(case)), "the action, tanh(mu + sigma eps)")


def _integral(answer: Answer, case: Case) -> None:
    """∫ π(a) da over one number, with a = tanh(μ + σ ε) and da = (1 − tanh² u) σ dε."""
    mean, log_std = np.clip(case.mean[0, 0], -3.0, 3.0), min(case.log_std[0, 0], 0.0)
    ones = np.ones((len(GRID), 1))
    line = Case(mean * ones, log_std * ones, GRID[:, None].copy())
    slope = np.exp(log_std) / np.cosh(_u(line)[:, 0]) ** 2
    total = (np.exp(_parts(answer, line)[1]) * slope).sum() * (GRID[1] - GRID[0])
    close(total, 1.0, f"the integral of the density, mu = {mean:.3g}, log sigma = {log_std:.3g}")


def _near(answer: Answer, case: Case) -> None:
    case = case._replace(mean=np.clip(case.mean, -1.5, 1.5), log_std=np.minimum(case.log_std, 0.0))
    close(_parts(answer, case)[1], _density(case), "log pi near 0")


def _density(case: Case) -> Array:
    """Number by number; log(1 − tanh² u) = −2 log cosh u, where nothing is lost."""
    size = abs(_u(case))
    log_cosh = size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)
    normal = -0.5 * case.noise**2 - case.log_std - 0.5 * np.log(2.0 * np.pi)
    found: Array = (normal + 2.0 * log_cosh).sum(axis=1)
    return found


def _everywhere(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[1], _density(case), "log pi")


def _adds(answer: Answer, case: Case) -> None:
    alone = [_parts(answer, Case(*(x[:, [k]] for x in case)))[1] for k in range(case.mean.shape[1])]
    close(_parts(answer, case)[1], sum(alone), "log pi, against the sum over single numbers")


def _all(answer: Answer, case: Case) -> None:
    _actions(answer, case)
    _everywhere(answer, case)


def _variant(kind: str) -> Answer:
    """The density with one thing changed, for the wrong answers below."""

    def answer(mean: Any, log_std: Any, noise: Any) -> Any:
        sigma = np.exp(log_std) if kind != "sigma" else log_std + 0.0
        u = mean + sigma * noise
        a = np.tanh(u)
        normal = -0.5 * np.square(noise) - log_std - 0.5 * np.log(2.0 * np.pi)
        if kind == "no sigma":
            normal = normal + log_std
        elif kind == "no constant":
            normal = normal + 0.5 * np.log(2.0 * np.pi)
        elif kind == "of the action":
            normal = -0.5 * ((a - mean) / sigma) ** 2 - log_std - 0.5 * np.log(2.0 * np.pi)
        slope = 2.0 * (np.log(2.0) - u - np.logaddexp(0.0, -2.0 * u))
        with np.errstate(divide="ignore"):
            if kind == "naive":
                slope = np.log(1.0 - a**2)
            elif kind == "epsilon":
                slope = np.log(1.0 - a**2 + 1e-6)
            elif kind == "first power":
                slope = slope / 2.0
            elif kind == "no log 2":
                slope = slope - 2.0 * np.log(2.0)
        each = {"none": normal, "sign": normal + slope}.get(kind, normal - slope)
        return (u if kind == "unsquashed" else a), (each.mean(1) if kind == "mean" else each.sum(1))

    return answer


def _library(mean: Any, log_std: Any, noise: Any) -> Any:
    params = np.concatenate([np.asarray(mean, float), np.asarray(log_std, float)], axis=1)
    drawn = tanh_gaussian.draw(params, np.asarray(noise, float))
    return drawn.action, drawn.log_prob


SPEC = Spec(
    exercise="tanh-gaussian",
    function="tanh_gaussian",
    cases=cases(),
    properties=(
        Property(
            "actions in the shape of mean, one finite log density for each row",
            _shape,
            "For |u| > 19, tanh u is 1 and 1 - tanh^2 u is 0: its log needs another form, "
            "2 (log 2 - u - log(1 + exp(-2u))), where log(1 + exp(x)) is np.logaddexp(0, x).",
            gate=True,
        ),
        Property(
            "the action is tanh(mu + sigma eps)",
            _actions,
            "sigma is exp(log_std).",
        ),
        Property(
            "the density of one number integrates to 1",
            _integral,
            "Two factors: the Gaussian's density at u, and one over the slope of tanh there.",
        ),
        Property(
            "the log density of several numbers is the sum over them",
            _adds,
            "They are independent given mu and sigma.",
            weight=0,
        ),
        Property(
            "near 0 it is log N(u) - log(1 - tanh^2 u)",
            _near,
            "log N(u) = -eps^2 / 2 - log sigma - log(2 pi) / 2, at u and not at the action.",
        ),
        Property(
            "far out it is right to nine digits too",
            _everywhere,
            "Does anything small stand beside the 1 in log(1 - tanh^2 u)?",
            weight=2,
        ),
        layouts(_all, "mean", "log_std", "noise"),
        *PURE,
    ),
    mistakes=(
        Mistake("the slope of tanh is left out", _variant("none")),
        Mistake("the slope of tanh is added, not taken away", _variant("sign")),
        Mistake("log(1 - tanh^2 u) is taken as it stands", _variant("naive")),
        Mistake("1e-6 is added inside the logarithm", _variant("epsilon")),
        Mistake("the slope of tanh is taken as its square root", _variant("first power")),
        Mistake("the 2 log 2 of the slope is forgotten", _variant("no log 2")),
        Mistake("log sigma is forgotten", _variant("no sigma")),
        Mistake("the Gaussian's constant is forgotten", _variant("no constant")),
        Mistake("the Gaussian is taken at the action", _variant("of the action")),
        Mistake("log_std is taken for sigma", _variant("sigma")),
        Mistake("the numbers of an action are averaged", _variant("mean")),
        Mistake("the action is not squashed", _variant("unsquashed")),
    ),
    reference=_library,
)
