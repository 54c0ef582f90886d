"""What an answer to exercise 3.12 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import trust_region
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._softmax import log_pi


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    weight: Array
    advantage: Array
    x: Array
    delta: float
    beta: float
    tries: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three states of two or three actions; no try is within rounding of a border."""
    rng = np.random.default_rng(draw(SEEDS))
    kind = draw(st.sampled_from(["up", "up", "near", "near", "down", "still"]))
    while True:
        case = _drawn(rng, kind)
        found, old = _tried(case), _gain(case, case.logits)
        off = [min(abs(kl - case.delta), abs(gain - old)) for kl, gain in found]
        if not found or min(off) > 1e-7:
            return case


def _drawn(rng: np.random.Generator, kind: str) -> Case:
    shape = int(rng.integers(1, 4)), int(rng.integers(2, 4))
    logits, advantage, noise = rng.uniform(-2.0, 2.0, (3, *shape))
    weight = rng.dirichlet(np.ones(shape[0])) * 0.9 + 0.1 / shape[0]
    x = {"up": advantage, "near": advantage + 1.5 * noise, "down": -advantage,
         "still": np.repeat(noise[:, :1], shape[1], axis=1)}[kind]  # fmt: skip
    delta = float(rng.choice([0.01, 0.1, 1.0, 3.0]))
    return Case(logits, weight, advantage, x, delta, float(rng.choice([0.5, 0.8])),
                int(rng.integers(1, 6)))  # fmt: skip


def _curvature(case: Case) -> float:
    p = np.exp(log_pi(case.logits))
    mean = (p * case.x).sum(axis=1, keepdims=True)
    return float(case.weight @ (p * (case.x - mean) ** 2).sum(axis=1))


def _kl(case: Case, logits: Array) -> float:
    old = log_pi(case.logits)
    return float(case.weight @ (np.exp(old) * (old - log_pi(logits))).sum(axis=1))


def _gain(case: Case, logits: Array) -> float:
    return float(case.weight @ (np.exp(log_pi(logits)) * case.advantage).sum(axis=1))


def _candidates(case: Case) -> list[Array]:
    bent = _curvature(case)
    if bent <= 1e-12:
        return []
    step = np.sqrt(2.0 * case.delta / bent) * case.x
    return [case.logits + case.beta**j * step for j in range(case.tries)]


def _tried(case: Case) -> list[tuple[float, float]]:
    """(KL, gain) of each try."""
    return [(_kl(case, z), _gain(case, z)) for z in _candidates(case)]


def _accepted(case: Case) -> int:
    """The j that must be taken; −1: none."""
    old = _gain(case, case.logits)
    good = [j for j, (kl, gain) in enumerate(_tried(case)) if kl <= case.delta and gain > old]
    return good[0] if good else -1


def _moved(answer: Answer, case: Case) -> Array:
    """What was added to the logits."""
    found = answer(*case)
    shaped(found, case.logits.shape, "the new logits")
    step: Array = np.asarray(found, dtype=float) - case.logits
    return step


def _shape(answer: Answer, case: Case) -> None:
    _moved(answer, case)


def _stays(answer: Answer, case: Case) -> None:
    step = _moved(answer, case)
    if _accepted(case) < 0:
        close(step, np.zeros(step.shape), "the step where no try is good, or x moves nothing")


def _full(answer: Answer, case: Case) -> None:
    """Where the first try is good, ½ΔᵀHΔ = δ."""
    step = _moved(answer, case)
    if _accepted(case) == 0:
        half = 0.5 * _curvature(case._replace(x=step))
        close(half, case.delta, "half of step.H step, where the full step is good")


def _within(answer: Answer, case: Case) -> None:
    step = _moved(answer, case)
    if _accepted(case) < 0:
        return
    new, old = case.logits + step, _gain(case, case.logits)
    kl, gain = _kl(case, new), _gain(case, new)
    assert kl <= case.delta * (1.0 + 1e-9), f"KL of the step is {kl:.6g} > delta = {case.delta}"
    assert gain > old, f"a step was good, but the gain goes from {old:.6g} to {gain:.6g}"


def _length(answer: Answer, case: Case) -> None:
    longer = case._replace(x=3.0 * case.x)
    step, j = _moved(answer, longer), _accepted(case)
    wanted = _candidates(case)[j] - case.logits if j >= 0 else np.zeros(step.shape)
    close(step, wanted, "the step for x three times as long")


def _definition(answer: Answer, case: Case) -> None:
    j = _accepted(case)
    wanted = _candidates(case)[j] if j >= 0 else case.logits
    says = f"try {j} of {case.tries}" if j >= 0 else "no try is good"
    close(case.logits + _moved(answer, case), wanted, f"the new logits ({says})")


def _variant(
    factor: float = 2.0, root: bool = True, weighed: bool = True, centred: bool = True,
    checks: str = "both", shrink: str = "power", fallback: str = "old", turned: bool = False,
    last: bool = False, one_less: bool = False, guard: bool = True, normed: bool = False,
) -> Answer:  # fmt: skip
    """The step with one thing changed, for the wrong answers below."""

    def answer(
        logits: Any, weight: Any, advantage: Any, x: Any, delta: float, beta: float, tries: int
    ) -> Any:
        case = Case(logits, weight, advantage, x, delta, beta, tries)
        p = np.exp(log_pi(logits))
        mean = (p * x).sum(axis=1, keepdims=True) if centred else 0.0
        each = weight[:, None] if weighed else 1.0
        bent = (each * p * (x - mean) ** 2).sum()
        bent = (x**2).sum() if normed else bent
        if guard and bent <= 1e-12:
            return logits + 0.0
        with np.errstate(all="ignore"):
            size = factor * delta / bent
            step = np.nan_to_num((np.sqrt(size) if root else size) * x)
        old, found = _gain(case, logits), logits + 0.0
        for j in range(tries - one_less):
            scale = {"power": beta**j, "linear": 1.0 - j * (1.0 - beta), "late": beta ** (j + 1)}
            tried = logits + scale[shrink] * step
            back = case._replace(logits=tried)
            kl = _kl(back, logits) if turned else _kl(case, tried)
            good = (kl <= delta or checks == "gain") and (
                _gain(case, tried) > old or checks == "kl"
            )
            if good or checks == "none":
                found = tried
                if not last:
                    return tried
            elif fallback == "last":
                found = tried
        return found

    return answer


def _library(
    logits: Any, weight: Any, advantage: Any, x: Any, delta: float, beta: float, tries: int
) -> Any:
    """θ = the logits; each state's actions are rows with the weights of the old policy."""
    shape, theta = np.shape(logits), np.array(logits, dtype=float).ravel()
    p = categorical.probs(np.asarray(logits, dtype=float))
    hx = weight[:, None] * categorical.fisher(np.asarray(logits, dtype=float), x)
    if (np.asarray(x) * hx).sum() <= 1e-12:
        return np.array(logits, dtype=float)
    step = trust_region.full_step(np.array(x, dtype=float).ravel(), hx.ravel(), delta)
    old = np.repeat(np.asarray(logits, dtype=float), shape[1], axis=0)
    actions, share = np.tile(np.arange(shape[1]), shape[0]), (weight[:, None] * p).ravel()
    worth = np.asarray(advantage, dtype=float).ravel()

    def judge(at: Any) -> Any:
        new = np.repeat(at.reshape(shape), shape[1], axis=0)
        gain = trust_region.surrogate(categorical, new, old, actions, worth, share).value
        kl = trust_region.divergence(categorical, new, old, share).value
        return np.asarray(gain.sum()), np.asarray(kl.sum())

    return trust_region.line_search(theta, step, judge, delta, beta, tries).theta.reshape(shape)


SPEC = Spec(
    exercise="trpo-step",
    function="trpo_step",
    cases=cases(),
    properties=(
        Property("one logit for each logit", _shape, "The answer is (S, K).", gate=True),
        Property(
            "where no try is good, or x moves nothing, the logits stay",
            _stays,
            "Compare x.Hx with 1e-12 first; and after the last try return what you were given.",
            weight=0,
        ),
        Property(
            "the full step has half of step.H step = delta",
            _full,
            "x.Hx is the mean variance of x under pi, with the weights. The square root is over "
            "all of 2 delta / x.Hx.",
        ),
        Property(
            "a step that is taken is within delta, and improves",
            _within,
            "Both must hold: KL(pi_old || pi) <= delta, with the old policy as the first, and a "
            "gain above the old one.",
        ),
        Property(
            "the length of x does not matter",
            _length,
            "x appears twice: beside the root and, squared, under it.",
        ),
        Property(
            "the first try that is good is taken",
            _definition,
            "Tries are the full step, beta times it, beta^2 times it. Stop at the first.",
            weight=2,
        ),
        layouts(_definition, "logits", "weight", "advantage", "x"),
        *PURE,
    ),
    mistakes=(
        Mistake("the 2 under the root is left out", _variant(factor=1.0)),
        Mistake("the root is left out", _variant(root=False)),
        Mistake("the states' weights are left out of H", _variant(weighed=False)),
        Mistake("H is diag(pi): the mean of x is not taken away", _variant(centred=False)),
        Mistake("the divergence is not looked at", _variant(checks="gain")),
        Mistake("the gain is not looked at", _variant(checks="kl")),
        Mistake("the full step is taken without a look", _variant(checks="none")),
        Mistake("if nothing is good the last try is taken", _variant(fallback="last")),
        Mistake("the divergence is taken the other way round, KL(pi || pi_old)",
                _variant(turned=True)),
        Mistake("the last good try is taken, not the first", _variant(last=True)),
        Mistake("the step shrinks linearly", _variant(shrink="linear")),
        Mistake("the first try is shortened already", _variant(shrink="late")),
        Mistake("there is one try too few", _variant(one_less=True)),
        Mistake("the step is measured by |x|, not by x.Hx", _variant(normed=True)),
        Mistake("x.Hx = 0 is divided by", _variant(guard=False)),
    ),
    reference=_library,
)  # fmt: skip
