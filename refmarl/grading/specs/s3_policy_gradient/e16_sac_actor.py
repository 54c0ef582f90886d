"""What an answer to exercise 3.16 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import tanh_gaussian
from ....policy_gradient import sac_losses
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    mean: Array
    log_std: Array
    noise: Array
    q: Array
    dq: Array
    alpha: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three rows of up to two numbers; the critics differ by a half at least."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows, size = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    mean, log_std, noise = rng.integers(-2, 3, (3, rows, size)) / 2.0
    q = rng.integers(-4, 5, (2, rows)) / 2.0
    q[1] += np.where(q[0] == q[1], 0.5, 0.0)
    dq = rng.integers(-6, 7, (2, rows, size)) / 2.0
    return Case(
        mean, np.minimum(log_std, 0.0), noise, q, dq, draw(st.sampled_from([0.0, 0.2, 1.0]))
    )


def _parts(answer: Answer, case: Case) -> tuple[float, Array, Array]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (loss, d_mean, d_log_std), got {found!r:.60}")
    need(len(found) == 3, f"need (loss, d_mean, d_log_std), got {len(found)} things")
    shaped(found[0], (), "loss")
    shaped(found[1], case.mean.shape, "d_mean")
    shaped(found[2], case.mean.shape, "d_log_std")
    return float(found[0]), np.asarray(found[1], float), np.asarray(found[2], float)


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _value(case: Case, mean: Any, log_std: Any) -> Any:
    """The loss near the case's parameters: each Q_k is q_k + dq_k (a - a_0) there."""
    here = np.tanh(case.mean + np.exp(case.log_std) * case.noise)
    u = mean + np.exp(log_std) * case.noise
    a = np.tanh(u)
    each = -0.5 * case.noise**2 - log_std - 0.5 * np.log(2.0 * np.pi) - np.log(1.0 - a**2)
    smaller, rows = case.q.argmin(axis=0), np.arange(len(here))
    least = case.q[smaller, rows] + (case.dq[smaller, rows] * (a - here)).sum(axis=1)
    return (case.alpha * each.sum(axis=1) - least).mean()


def _slopes(case: Case) -> tuple[Array, Array]:
    """By the complex step, number by number: exact to rounding."""
    out = np.zeros((2, *case.mean.shape))
    for which, m, k in np.ndindex(out.shape):
        move = np.zeros((2, *case.mean.shape), complex)
        move[which, m, k] = 1e-20j
        value = _value(case, case.mean + move[0], case.log_std + move[1])
        out[which, m, k] = value.imag / 1e-20
    return out[0], out[1]


def _loss(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[0], _value(case, case.mean, case.log_std), "the loss")


def _critic_alone(answer: Answer, case: Case) -> None:
    case = case._replace(alpha=0.0)
    close(_parts(answer, case)[1], _slopes(case)[0], "d_mean for alpha = 0, where only Q counts")


def _entropy_alone(answer: Answer, case: Case) -> None:
    case = case._replace(alpha=1.0, dq=0.0 * case.dq)
    wanted = _slopes(case)
    _, d_mean, d_log_std = _parts(answer, case)
    close(d_mean, wanted[0], "d_mean where Q is flat, and only entropy counts")
    close(d_log_std, wanted[1], "d_log_std where Q is flat")


def _mean(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[1], _slopes(case)[0], "d_mean, the slope in every mu")


def _log_std(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[2], _slopes(case)[1], "d_log_std, the slope in every log sigma")


def _all(answer: Answer, case: Case) -> None:
    _loss(answer, case)
    _mean(answer, case)
    _log_std(answer, case)


def _variant(kind: str) -> Answer:
    """The gradient with one thing changed, for the wrong answers below."""

    def answer(mean: Any, log_std: Any, noise: Any, q: Any, dq: Any, alpha: float) -> Any:
        sigma = np.exp(log_std)
        u = mean + sigma * noise
        a, rows = np.tanh(u), 1 if kind == "summed" else len(mean)
        slope = 2.0 * (np.log(2.0) - u - np.logaddexp(0.0, -2.0 * u))
        log_prob = (-0.5 * np.square(noise) - 0.5 * np.log(2.0 * np.pi) - log_std - slope).sum(1)
        first = q[0] > q[1] if kind == "larger" else q[0] < q[1]
        if kind == "first":
            first = np.ones(len(mean), bool)
        towards = np.where(first[:, None], dq[0], dq[1])
        if kind == "both":
            towards = dq.mean(axis=0)
        squeeze = 1.0 if kind == "no squeeze" else 1.0 - a**2
        through = {"no log prob": 0.0, "one a": alpha * a, "wrong way": -2.0 * alpha * a}
        du = through.get(kind, 2.0 * alpha * a) - towards * squeeze
        if kind == "down":
            du = 2.0 * alpha * a + towards * squeeze
        spread = 1.0 if kind == "no sigma" else sigma
        d_log_std = du * spread * noise - (0.0 if kind == "no alpha" else alpha)
        price = 0.0 if kind == "no entropy" else alpha
        loss = (price * log_prob - np.min(q, axis=0)).sum() / rows
        return loss, du / rows, d_log_std / rows

    return answer


def _library(mean: Any, log_std: Any, noise: Any, q: Any, dq: Any, alpha: float) -> Any:
    params = np.concatenate([np.asarray(mean, float), np.asarray(log_std, float)], axis=1)
    drawn = tanh_gaussian.draw(params, np.asarray(noise, float))
    loss = sac_losses.actor_loss(drawn.log_prob, np.asarray(q, float), alpha)
    d_log_prob, d_q = loss.gradients
    d_action = (d_q[..., None] * dq).sum(axis=0)
    found = tanh_gaussian.backward(params, drawn, d_action, d_log_prob)
    return loss.value, *np.split(found, 2, axis=1)


SPEC = Spec(
    exercise="sac-actor",
    function="sac_actor",
    cases=cases(),
    properties=(
        Property(
            "a number, and two gradients in the shape of mean",
            _shape,
            "Nothing is summed over the rows or over the numbers of an action.",
            gate=True,
        ),
        Property(
            "the loss is E[alpha log pi - min Q]",
            _loss,
            "log pi is the squashed density of exercise 3.15; the mean is over the rows.",
        ),
        Property(
            "where alpha is 0, mu follows the smaller critic",
            _critic_alone,
            "dQ/da comes to mu through tanh, whose slope is 1 - a^2. Which critic is the smaller "
            "is decided row by row, by q.",
        ),
        Property(
            "where Q is flat, only entropy moves mu and sigma",
            _entropy_alone,
            "log pi depends on u through -log(1 - tanh^2 u), whose slope is 2a, and on log sigma "
            "through -log sigma as well.",
        ),
        Property(
            "d_mean is the slope of the loss in every mu, the noise held",
            _mean,
            "du = 2 alpha a - dQ/da (1 - a^2), and du/dmu = 1.",
        ),
        Property(
            "d_log_std is the slope of the loss in every log sigma, the noise held",
            _log_std,
            "du/dlog sigma = sigma eps, and log pi holds -log sigma itself.",
            weight=2,
        ),
        layouts(_all, "mean", "log_std", "noise", "dq"),
        *PURE,
    ),
    mistakes=(
        Mistake("the larger critic is followed", _variant("larger")),
        Mistake("the first critic is followed, whichever is smaller", _variant("first")),
        Mistake("the mean of both critics is followed", _variant("both")),
        Mistake("the slope of tanh is left out on the way from Q", _variant("no squeeze")),
        Mistake("log pi is taken not to depend on u", _variant("no log prob")),
        Mistake("the slope of log pi is a, not 2a", _variant("one a")),
        Mistake("the slope of log pi has the wrong sign", _variant("wrong way")),
        Mistake("the actor goes down Q", _variant("down")),
        Mistake("sigma is left out of du/dlog sigma", _variant("no sigma")),
        Mistake("the -log sigma of log pi is forgotten", _variant("no alpha")),
        Mistake("the gradients are summed over the rows", _variant("summed")),
        Mistake("the loss leaves the entropy out", _variant("no entropy")),
    ),
    reference=_library,
)
