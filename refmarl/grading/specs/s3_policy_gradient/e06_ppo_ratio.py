"""What an answer to exercise 3.6 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import surrogate
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._softmax import chosen, log_pi


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    logits_old: Array
    actions: Any  # integers


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to five samples of one to four actions."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    old = np.rint(4.0 * rng.uniform(-2.0, 2.0, shape)) / 4.0
    new = old + np.rint(4.0 * rng.uniform(-2.0, 2.0, shape)) / 4.0
    return Case(new, old, rng.integers(shape[1], size=shape[0]))


def _ratio(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.actions.shape, "r")
    return np.asarray(found, dtype=float)


def _wanted(case: Case) -> Array:
    log_new, log_old = log_pi(case.logits), log_pi(case.logits_old)
    found: Array = np.exp(chosen(log_new - log_old, case.actions))
    return found


def _shape(answer: Answer, case: Case) -> None:
    assert (_ratio(answer, case) >= 0).all(), "a ratio is negative"


def _itself(answer: Answer, case: Case) -> None:
    same = case._replace(logits=case.logits_old)
    close(_ratio(answer, same), np.ones(len(case.actions)), "r of the old policy itself")


def _mean(answer: Answer, case: Case) -> None:
    count = case.logits.shape[1]
    every = Case(
        np.repeat(case.logits[:1], count, axis=0),
        np.repeat(case.logits_old[:1], count, axis=0),
        np.arange(count),
    )
    expected = np.exp(log_pi(case.logits_old)[0]) @ _ratio(answer, every)
    close(expected, 1.0, "the mean of r over all actions, as pi_old draws them")


def _definition(answer: Answer, case: Case) -> None:
    close(_ratio(answer, case), _wanted(case), "r")


def _turned(answer: Answer, case: Case) -> None:
    back = case._replace(logits=case.logits_old, logits_old=case.logits)
    product = _ratio(answer, case) * _ratio(answer, back)
    close(product, np.ones(len(case.actions)), "r times the ratio of the policies exchanged")


def _high(answer: Answer, case: Case) -> None:
    lifted = case._replace(logits=case.logits + 1000.0, logits_old=case.logits_old - 1000.0)
    close(_ratio(answer, lifted), _wanted(case), "r, with 1000 added to or taken from all logits")


def _rare(answer: Answer, case: Case) -> None:
    low = np.zeros(case.logits.shape)
    low[np.arange(len(low)), case.actions] = -900.0
    rare = case._replace(logits=case.logits + low, logits_old=case.logits_old + low)
    found = _ratio(answer, rare)
    close(found, _wanted(rare), "r of actions that neither policy draws once in 10^390 times")


def _variant(
    turned: bool = False, logs: bool = False, raw: bool = False, clipped: bool = False,
    greedy: bool = False, joint: bool = False, averaged: bool = False,
) -> Answer:  # fmt: skip
    """The ratio with one thing changed, for the wrong answers below."""

    def answer(logits: Any, logits_old: Any, actions: Any) -> Any:
        new, old = (logits, logits_old) if raw else (log_pi(logits), log_pi(logits_old))
        x = chosen(new, logits.argmax(axis=1) if greedy else actions) - chosen(old, actions)
        x = -x if turned else x
        x = np.full(x.shape, x.sum()) if joint else x
        found = x if logs else np.exp(x)
        found = np.full(found.shape, found.mean()) if averaged else found
        return np.clip(found, 0.8, 1.2) if clipped else found

    return answer


def _quotient(spoilt: bool) -> Answer:
    """Probabilities first, then their quotient: it breaks down in one of two ways."""

    def answer(logits: Any, logits_old: Any, actions: Any) -> Any:
        with np.errstate(all="ignore"):
            if spoilt:
                each = [np.exp(x) for x in (logits, logits_old)]
                pi, old = (x / x.sum(axis=1, keepdims=True) for x in each)
            else:
                pi, old = (np.exp(log_pi(x)) for x in (logits, logits_old))
            return chosen(pi, actions) / chosen(old, actions)

    return answer


def _guarded(logits: Any, logits_old: Any, actions: Any) -> Any:
    pi, old = (np.exp(log_pi(x)) for x in (logits, logits_old))
    return chosen(pi, actions) / (chosen(old, actions) + 1e-8)


def _library(logits: Any, logits_old: Any, actions: Any) -> Any:
    log_probs = (categorical.log_prob(x, np.asarray(actions)) for x in (logits, logits_old))
    return surrogate.ratio(*log_probs)


SPEC = Spec(
    exercise="ppo-ratio",
    function="ppo_ratio",
    cases=cases(),
    properties=(
        Property("one ratio for each sample, none negative", _shape, "Of the drawn action.", True),
        Property(
            "it is 1 where both policies are the same",
            _itself,
            "log pi - log pi_old is 0 then.",
            weight=0,
        ),
        Property(
            "exchanging the policies turns it upside down",
            _turned,
            "Both policies are treated alike, one above and one below the line.",
            weight=0,
        ),
        Property(
            "its mean under the old policy is 1",
            _mean,
            "sum_a pi_old(a) pi(a) / pi_old(a) = sum_a pi(a). Which one stands above the line, and "
            "do the probabilities of each sum to 1?",
            weight=0,
        ),
        Property(
            "it is exp(log pi - log pi_old) of the action drawn",
            _definition,
            "For two logits and one sample, work it out by hand: softmax of each, then the entry "
            "of the action.",
            weight=2,
        ),
        Property(
            "logits may be of any size",
            _high,
            "exp of a large number overflows. pi stays the same if a row's largest logit is "
            "subtracted first.",
        ),
        Property(
            "actions may be as rare as one likes",
            _rare,
            "Both probabilities round to 0, and 0 / 0 is no number; the difference of their "
            "logarithms is an ordinary one. Never leave the logarithms before the end.",
        ),
        layouts(_definition, "logits", "logits_old"),
        *PURE,
    ),
    mistakes=(
        Mistake("the old policy stands above the line", _variant(turned=True)),
        Mistake("the logarithm of the ratio is returned", _variant(logs=True)),
        Mistake("logits are taken for log probabilities", _variant(raw=True)),
        Mistake("the ratio is clipped already", _variant(clipped=True)),
        Mistake("the new policy's best action stands in for the one drawn", _variant(greedy=True)),
        Mistake("the ratios are multiplied over the samples", _variant(joint=True)),
        Mistake("the mean over the samples is returned for each", _variant(averaged=True)),
        Mistake("probabilities that round to 0 are divided", _quotient(False)),
        Mistake("exponentials of large logits overflow", _quotient(True)),
        Mistake("a small number below the line hides divisions by 0", _guarded),
    ),
    reference=_library,
)
