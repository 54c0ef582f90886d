"""What an answer to exercise 1.11 must satisfy.

Utilities are whole numbers: then regrets are zero, all equal, or at least 1/A in size somewhere,
and no law depends on how sums are rounded.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ....check import Array
from ....games.regret import match_regrets as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, close

LOOSE = 1e-6  # strategies are ratios of sums of up to 10 rounds of numbers below 10


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    utilities: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to 10 rounds of up to 4 actions; some begin with rounds in which all actions pay alike."""
    shape = draw(st.tuples(st.integers(1, 10), st.integers(1, 4)))
    utilities = draw(arrays(float, shape, elements=st.integers(-4, 4).map(float)))
    alike = draw(st.integers(0, 2))
    utilities[:alike] = utilities[:alike, :1]
    return Case(utilities)


def _strategies(answer: Answer, utilities: Array) -> Array:
    """The answer, after checking that every row is a distribution."""
    got = answer(utilities)
    close(np.zeros(np.shape(got)), np.zeros(utilities.shape), "the strategies")
    close(np.minimum(got, 0.0), np.zeros(utilities.shape), "the negative part of the strategies")
    close(np.sum(got, axis=1), np.ones(len(utilities)), "the sums of the strategies")
    x: Array = np.asarray(got, dtype=float)
    return x


def _gains(x: Array, utilities: Array) -> Array:
    """u_t(a) - ⟨x_t, u_t⟩, (T, A)."""
    gains: Array = utilities - (x * utilities).sum(axis=1, keepdims=True)
    return gains


def _first(answer: Answer, case: Case) -> None:
    size = case.utilities.shape[1]
    close(_strategies(answer, case.utilities)[0], np.full(size, 1 / size), "the first strategy")


def _matches(answer: Answer, case: Case) -> None:
    x = _strategies(answer, case.utilities)
    regrets = np.cumsum(_gains(x, case.utilities), axis=0)
    for t, row in enumerate(regrets[:-1], start=1):
        positive = np.maximum(row, 0.0)
        even = positive.sum() < LOOSE
        want = np.full(len(row), 1 / len(row)) if even else positive / positive.sum()
        close(x[t], want, f"strategy {t + 1}, after regrets {np.round(row, 6)},", atol=LOOSE)


def _bounded(answer: Answer, case: Case) -> None:
    steps, size = case.utilities.shape
    worst = _gains(_strategies(answer, case.utilities), case.utilities).sum(axis=0).max()
    bound = np.ptp(case.utilities) * np.sqrt(size * steps)
    assert worst <= bound + LOOSE, f"regret {worst:g} after {steps} rounds; the bound is {bound:g}"


def _no_peeking(answer: Answer, case: Case) -> None:
    x = _strategies(answer, case.utilities)
    for t in range(1, len(x)):
        future = np.vstack([case.utilities[: t - 1], -case.utilities[t - 1 : t]])
        close(
            _strategies(answer, future)[t - 1],
            x[t - 1],
            f"strategy {t} with other utilities in round {t} and none after it",
            atol=LOOSE,
        )


def _shift(answer: Answer, case: Case) -> None:
    bonus = np.arange(len(case.utilities))[:, None] % 3 - 1.0
    close(
        _strategies(answer, case.utilities + bonus),
        _strategies(answer, case.utilities),
        "the strategies when all actions of a round pay more",
        atol=LOOSE,
    )


def _renaming(answer: Answer, case: Case) -> None:
    flipped = np.ascontiguousarray(case.utilities[:, ::-1])
    close(
        _strategies(answer, flipped)[:, ::-1],
        _strategies(answer, case.utilities),
        "the strategies with the actions renamed",
        atol=LOOSE,
    )


def _positive(regrets: Any) -> Any:
    """[R]_+ normalised, or uniform."""
    positive = np.maximum(regrets, 0.0)
    total = positive.sum()
    return positive / total if total > 1e-12 else np.full(len(regrets), 1 / len(regrets))


def _learner(
    choose: Callable[[Any], Any] = _positive,
    add: Callable[[Any, Any, Any], Any] = lambda regrets, gain, u: regrets + gain,
    peek: bool = False,
) -> Answer:
    """Regret matching with one thing changed."""

    def answer(utilities: Any) -> Any:
        regrets, rows = np.zeros(utilities.shape[1]), []
        for u in utilities:
            x = choose(regrets)
            regrets = add(regrets, u - x @ u, u)
            rows.append(choose(regrets) if peek else x)
        return np.array(rows)

    return answer


def _softmax(regrets: Any) -> Any:
    e = np.exp(regrets - regrets.max())
    return e / e.sum()


def _sizes(regrets: Any) -> Any:
    return _positive(np.abs(regrets))


def _no_fallback(regrets: Any) -> Any:
    positive = np.maximum(regrets, 0.0)
    return positive / max(positive.sum(), 1e-12)


def _leader(regrets: Any) -> Any:
    return np.eye(len(regrets))[np.argmax(regrets)] if regrets.max() > 1e-12 else _positive(regrets)


def _lifted(regrets: Any) -> Any:
    return _positive(regrets - regrets.min())


SPEC = Spec(
    exercise="regret-matching",
    function="regret_matching",
    cases=cases(),
    properties=(
        Property(
            "the first strategy is uniform",
            _first,
            "Before the first round there is no regret. What does (1.11) say then?",
        ),
        Property(
            "a strategy does not depend on its own round or on later ones",
            _no_peeking,
            "Write down the strategy of the round first, then add the round's regrets.",
        ),
        Property(
            "every strategy is proportional to the positive regrets of all rounds before it",
            _matches,
            "Regret is a sum over rounds of u(a) - ⟨x, u⟩. Print it beside the strategy.",
        ),
        Property(
            "the largest regret is at most Δ √(A T)",
            _bounded,
            "Is the regret measured against what the strategy itself earned?",
        ),
        Property(
            "paying all actions of a round more changes nothing",
            _shift,
            "A bonus for every action is in u(a) and in ⟨x, u⟩ alike.",
        ),
        Property(
            "renaming the actions renames the strategies",
            _renaming,
            "No action is special. Is there an argmax that breaks ties?",
        ),
        *PURE,
    ),
    mistakes=(
        Mistake("a softmax of the regrets is played", _learner(_softmax)),
        Mistake("negative regrets are not cut off: their size counts", _learner(_sizes)),
        Mistake("regrets are lifted above zero, not cut off", _learner(_lifted)),
        Mistake("only the last round is regretted", _learner(add=lambda regrets, gain, u: gain)),
        Mistake(
            "negative regrets are forgotten after each round: that is RM+",
            _learner(add=lambda regrets, gain, u: np.maximum(regrets + gain, 0.0)),
        ),
        Mistake("the round's own utilities are used before it is played", _learner(peek=True)),
        Mistake("all probabilities are 0 where no regret is positive", _learner(_no_fallback)),
        Mistake("all weight goes to the largest regret", _learner(_leader)),
        Mistake(
            "utilities are summed up, without what was earned",
            _learner(add=lambda regrets, gain, u: regrets + u),
        ),
        Mistake("regret has the wrong sign", _learner(add=lambda regrets, gain, u: regrets - gain)),
    ),
    reference=reference,
)
