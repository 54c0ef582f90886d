"""What an answer to exercise 1.11 must satisfy.

Utilities are whole numbers: then regrets are zero, all equal, or at least 1/A in size somewhere,
and no law depends on how sums are rounded.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.regret import match_regrets as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._games import NUMBERS, numbers

LOOSE = 1e-6  # strategies are ratios of sums of up to 10 rounds of numbers below 10


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    utilities: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to 10 rounds of up to 4 actions; some begin with rounds in which all actions pay alike."""
    shapes = [(1, 1), (1, 3), (2, 2), (3, 1), (3, 2), (4, 3), (7, 2), (8, 3), (10, 4)]
    utilities = numbers(draw(NUMBERS), draw(st.sampled_from(shapes)))
    alike = draw(st.integers(0, 2))
    utilities[:alike] = utilities[:alike, :1]
    return Case(utilities)


def _strategies(answer: Answer, utilities: Array) -> Array:
    """The answer, after checking that every row is a distribution."""
    got = answer(utilities)
    shaped(got, utilities.shape, "the strategies")
    close(np.minimum(got, 0.0), np.zeros(utilities.shape), "the negative part of the strategies")
    close(np.sum(got, axis=1), np.ones(len(utilities)), "the sums of the strategies")
    x: Array = np.asarray(got, dtype=float)
    return x


def _gains(x: Array, utilities: Array) -> Array:
    """u_t(a) - ⟨x_t, u_t⟩, (T, A)."""
    gains: Array = utilities - (x * utilities).sum(axis=1, keepdims=True)
    return gains


def _distributions(answer: Answer, case: Case) -> None:
    _strategies(answer, case.utilities)


def _second(answer: Answer, case: Case) -> None:
    rounds = np.vstack([case.utilities[-1], 0 * case.utilities[-1]])
    regret = np.maximum(rounds[0] - rounds[0].mean(), 0.0)
    even = np.full(len(regret), 1 / len(regret))
    want = regret / regret.sum() if regret.sum() > LOOSE else even
    got = _strategies(answer, rounds)
    close(got, [even, want], f"the strategies of two rounds, the first paying {rounds[0]},")


def _one_is_better(answer: Answer, case: Case) -> None:
    utilities = np.zeros((len(case.utilities) + 1, case.utilities.shape[1]))
    utilities[:, -1] = 1.0 + case.utilities.max() - case.utilities.min()
    want = np.full(utilities.shape, 1 / utilities.shape[1])
    want[1:] = np.eye(utilities.shape[1])[-1]
    close(_strategies(answer, utilities), want, "the strategies where the last action alone pays")


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


def _average_of(regrets: Any) -> Any:
    """Half of the weight is kept for all actions alike."""
    return (_positive(regrets) + np.full(len(regrets), 1 / len(regrets))) / 2


def _squares(regrets: Any) -> Any:
    return _positive(np.maximum(regrets, 0.0) ** 2)


def _lifted(regrets: Any) -> Any:
    return _positive(regrets - regrets.min())


SPEC = Spec(
    exercise="regret-matching",
    function="regret_matching",
    cases=cases(),
    properties=(
        Property(
            "every strategy is a distribution, one row for each round",
            _distributions,
            "Where no regret is positive nothing can be normalised: what does (1.11) say then?",
            gate=True,
        ),
        Property(
            "the first strategy is uniform",
            _first,
            "Before the first round there is no regret. What does (1.11) say then?",
            weight=0,
        ),
        Property(
            "a strategy does not depend on its own round or on later ones",
            _no_peeking,
            "Write down the strategy of the round first, then add the round's regrets.",
            weight=0,
        ),
        Property(
            "paying all actions of a round more changes nothing",
            _shift,
            "A bonus for every action is in u(a) and in <x, u> alike: which of the two is missing?",
            weight=0,
        ),
        Property(
            "renaming the actions renames the strategies",
            _renaming,
            "No action is special. Is there an argmax that breaks ties?",
            weight=0,
        ),
        Property(
            "after one round the second strategy is proportional to what was regretted",
            _second,
            "Regret is u(a) - <x, u>. Below zero it counts as 0; if none is positive, all actions "
            "are played alike.",
        ),
        Property(
            "an action that alone pays is played from the second round on",
            _one_is_better,
            "Its regret is positive, all others' are below zero, and stay so: the regrets of all "
            "rounds add up.",
        ),
        Property(
            "the largest regret is at most Δ √(A T)",
            _bounded,
            "Is the regret measured against what the strategy itself earned?",
            weight=0,
        ),
        Property(
            "every strategy is proportional to the positive regrets of all rounds before it",
            _matches,
            "Regret is a sum over all rounds, with their signs; the cut at zero is for the "
            "strategy alone. Print both.",
            weight=2,
        ),
        layouts(_matches, "utilities"),
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
        Mistake("half of the weight is spread over all actions", _learner(_average_of)),
        Mistake("positive regrets are squared", _learner(_squares)),
    ),
    reference=reference,
)
