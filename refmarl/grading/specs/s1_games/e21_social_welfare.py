"""What an answer to exercise 1.21 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ....check import Array
from ....games import NormalForm, pure_equilibria
from ....games.welfare import price_of_anarchy as reference
from ....testing.strategies import shapes
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts

SHARED, OWN = st.integers(-2, 6).map(float), st.integers(-3, 3).map(float)


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    payoffs: Array
    equilibria: list[tuple[int, ...]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Potential games, which have pure equilibria; some of these, in any order."""
    sizes = draw(shapes(1, 3))
    potential = draw(arrays(float, sizes, elements=SHARED))
    payoffs = np.stack([potential] * len(sizes))
    for i in range(len(sizes)):
        others = (*sizes[:i], 1, *sizes[i + 1 :])
        payoffs[i] += draw(arrays(float, others, elements=OWN))
    every = draw(st.permutations(pure_equilibria(NormalForm(payoffs))))
    some = list(every[: draw(st.integers(1, len(every)))])
    least = min(float(payoffs.sum(axis=0)[a]) for a in some)
    if least <= 0:  # a constant for all players changes no equilibrium
        payoffs += np.ceil((1 - least) / len(sizes))
    return Case(payoffs, some)


def _number(answer: Answer, payoffs: Array, equilibria: list[tuple[int, ...]]) -> float:
    """The answer, after its type."""
    got = answer(payoffs, equilibria)
    close(np.ndim(got) if got is not None else None, 0, "the answer's number of axes")
    close(got, got, "the price")
    return float(got)


def _definition(answer: Answer, case: Case) -> None:
    joint = product(*(range(k) for k in case.payoffs.shape[1:]))
    welfare = {a: sum(float(u[a]) for u in case.payoffs) for a in joint}
    want = max(welfare.values()) / min(welfare[a] for a in case.equilibria)
    close(answer(*case), want, "the price")


def _at_least_1(answer: Answer, case: Case) -> None:
    price = _number(answer, *case)
    assert price >= 1 - 1e-12, f"the price is {price:g}: no equilibrium beats the best joint action"


def _welfare(answer: Answer, case: Case) -> None:
    """The best joint action is worth n more than twice the worst equilibrium."""
    n, welfare = len(case.payoffs), case.payoffs.sum(axis=0)
    worst = min(welfare[a] for a in case.equilibria)
    payoffs = np.concatenate([case.payoffs, np.full_like(case.payoffs[..., :1], -9.0)], axis=-1)
    last = tuple(k - 1 for k in payoffs.shape[1:])
    payoffs[(slice(None), *last)] = (abs(welfare).max() + worst * 2 + n) / n
    best = float(payoffs[(slice(None), *last)].sum())
    close(
        answer(payoffs, case.equilibria), best / worst, f"the price where {last} is worth {best:g}"
    )


def _best_equilibrium(answer: Answer, case: Case) -> None:
    welfare = case.payoffs.sum(axis=0)
    best = tuple(int(k) for k in np.argwhere(welfare == welfare.max())[0])
    price = _number(answer, case.payoffs, [best])
    close(price, 1.0, f"the price where the best joint action {best} is the only equilibrium")
    both = _number(answer, case.payoffs, [best, *case.equilibria])
    close(both, _number(answer, *case), f"the price with {best} as one more equilibrium")


def _worst_alone(answer: Answer, case: Case) -> None:
    each = [_number(answer, case.payoffs, [a]) for a in case.equilibria]
    close(_number(answer, *case), max(each), "the largest of the prices of each equilibrium alone")


def _unit(answer: Answer, case: Case) -> None:
    doubled = _number(answer, 2.0 * case.payoffs, case.equilibria)
    close(doubled, _number(answer, *case), "the price with all payoffs doubled")


def _price(payoffs: Any, equilibria: Any, over: Any = min, joint: Any = np.sum) -> Any:
    welfare = joint(payoffs, axis=0)
    return welfare.max() / over([welfare[a] for a in equilibria])


def _stability(payoffs: Any, equilibria: Any) -> Any:
    return _price(payoffs, equilibria, over=max)


def _average(payoffs: Any, equilibria: Any) -> Any:
    return _price(payoffs, equilibria, over=np.mean)


def _first_equilibrium(payoffs: Any, equilibria: Any) -> Any:
    return _price(payoffs, equilibria[:1])


def _inverted(payoffs: Any, equilibria: Any) -> Any:
    return 1.0 / _price(payoffs, equilibria)


def _difference(payoffs: Any, equilibria: Any) -> Any:
    welfare = payoffs.sum(axis=0)
    return welfare.max() - min(welfare[a] for a in equilibria)


def _first_player(payoffs: Any, equilibria: Any) -> Any:
    best = payoffs[0].max()
    return best / (min(payoffs[0][a] for a in equilibria) or 1.0)


def _each_at_its_best(payoffs: Any, equilibria: Any) -> Any:
    best = sum(u.max() for u in payoffs)
    return best / min(payoffs.sum(axis=0)[a] for a in equilibria)


def _worst_of_all(payoffs: Any, equilibria: Any) -> Any:
    welfare = payoffs.sum(axis=0)
    return welfare.max() / (welfare.min() or 1.0)


def _absolute(payoffs: Any, equilibria: Any) -> Any:
    return _price(np.abs(payoffs), equilibria)


def _library(payoffs: Any, equilibria: Any) -> Any:
    return reference(NormalForm(payoffs), equilibria)


SPEC = Spec(
    exercise="social-welfare",
    function="price_of_anarchy",
    cases=cases(),
    properties=(
        Property(
            "it is at least 1",
            _at_least_1,
            "An equilibrium is one of the joint actions. Which of the two welfares is on top?",
            weight=0,
        ),
        Property(
            "where the best joint action is the only equilibrium it is 1, and as one more it counts"
            " for nothing",
            _best_equilibrium,
            "The top of the ratio goes over all joint actions, equilibria or not.",
            weight=0,
        ),
        Property(
            "the worst equilibrium alone decides",
            _worst_alone,
            "The price of anarchy is a guarantee: it takes the worst that may happen.",
            weight=0,
        ),
        Property(
            "the unit of utility does not count",
            _unit,
            "Doubling all payoffs doubles both welfares.",
            weight=0,
        ),
        Property(
            "a new joint action that is best for all raises the price",
            _welfare,
            "The top goes over all joint actions, equilibria or not.",
        ),
        Property(
            "it is the best welfare over the worst equilibrium's",
            _definition,
            "Welfare is the sum over players of the payoffs at one and the same joint action.",
            weight=2,
        ),
        layouts(_definition, "payoffs"),
        *PURE,
    ),
    mistakes=(
        Mistake("the best equilibrium is taken: the price of stability", _stability),
        Mistake("the equilibria are averaged", _average),
        Mistake("only the first equilibrium counts", _first_equilibrium),
        Mistake("the ratio is upside down", _inverted),
        Mistake("the difference is taken, not the ratio", _difference),
        Mistake("only the first player's payoff counts", _first_player),
        Mistake("each player's best payoff is added, over different actions", _each_at_its_best),
        Mistake("the worst joint action is taken, equilibrium or not", _worst_of_all),
        Mistake("payoffs lose their sign", _absolute),
    ),
    reference=_library,
)
