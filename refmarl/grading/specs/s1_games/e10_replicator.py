"""What an answer to exercise 1.10 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ....check import Array
from ....games.replicator import replicator_field as reference
from ....testing.strategies import INTEGERS, mixtures
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    A: Array
    x: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four actions, payoffs of both signs, shares some of which are zero."""
    size = draw(st.integers(1, 4))
    return Case(draw(arrays(float, (size, size), elements=INTEGERS)), draw(mixtures(size)))


def _definition(answer: Answer, case: Case) -> None:
    K = range(len(case.x))
    u = [sum(case.A[a, b] * case.x[b] for b in K) for a in K]
    pairs = [sum(case.x[a] * case.x[b] * (u[a] - u[b]) for b in K) for a in K]
    close(answer(*case), pairs, "the derivative")


def _shape(answer: Answer, case: Case) -> None:
    shaped(answer(*case), case.x.shape, "the derivative")


def _simplex(answer: Answer, case: Case) -> None:
    close(np.sum(answer(*case)), 0.0, "the sum of the derivative")


def _faces(answer: Answer, case: Case) -> None:
    absent = case.x == 0
    field = np.asarray(answer(*case))
    close(field[absent], np.zeros(absent.sum()), "the derivative of the absent actions")


def _pure(answer: Answer, case: Case) -> None:
    for a, x in enumerate(np.eye(len(case.x))):
        close(answer(case.A, x), 0 * x, f"the derivative where all play {a}")


def _quotient(answer: Answer, case: Case) -> None:
    x = (case.x + 1) / (case.x + 1).sum()  # no action is absent
    with np.errstate(all="ignore"):
        rate = np.asarray(answer(case.A, x)) / x
    u = (case.A * x).sum(axis=1)
    close(rate - rate[0], u - u[0], f"the differences between the rates ẋ_a/x_a at x = {x}")


def _opponent_only(answer: Answer, case: Case) -> None:
    column = np.arange(1.0, 1 + len(case.x)) ** 2
    what = "the derivative after adding a number to each column of A"
    close(answer(case.A + column, case.x), answer(*case), what)


def _no_average(A: Any, x: Any) -> Any:
    return x * (A @ x)


def _no_share(A: Any, x: Any) -> Any:
    u = A @ x
    return u - x @ u


def _transposed(A: Any, x: Any) -> Any:
    u = A.T @ x
    return x * (u - x @ u)


def _plain_mean(A: Any, x: Any) -> Any:
    u = A @ x
    return x * (u - u.mean())


def _over_the_mean(A: Any, x: Any) -> Any:
    u = A @ x
    mean = x @ u
    return x * (u - mean) / (mean if abs(mean) > 1e-9 else 1.0)


def _next_state(A: Any, x: Any) -> Any:
    u = A @ x
    return x + x * (u - x @ u)


def _normalised(A: Any, x: Any) -> Any:
    u = A @ x
    field = x * (u - x @ u)
    size = np.abs(field).sum()
    return field / (size if size > 1e-9 else 1.0)


def _backwards(A: Any, x: Any) -> Any:
    u = A @ x
    return x * (x @ u - u)


def _against_the_best(A: Any, x: Any) -> Any:
    u = A @ x
    return x * (u - u.max())


def _opponents_ignored(A: Any, x: Any) -> Any:
    u = A.sum(axis=1)
    return x * (u - x @ u)


def _unit_scale(A: Any, x: Any) -> Any:
    u = A @ x
    return x * (u - x @ u) / (np.abs(A).max() or 1.0)


def _rounded(A: Any, x: Any) -> Any:
    u = A @ x
    return np.round(x * (u - x @ u), 3)


SPEC = Spec(
    exercise="replicator",
    function="replicator_field",
    cases=cases(),
    properties=(
        Property("one number for each action", _shape, "It has the shape of x.", gate=True),
        Property(
            "where everybody plays the same action nothing changes",
            _pure,
            "The average of a population of one kind is what that kind gets. It is subtracted, and "
            "what is asked for is the change, not the shares after it.",
            weight=0,
        ),
        Property(
            "shares keep their sum: the derivative sums to zero",
            _simplex,
            "What is subtracted is the average over the population: who is counted how often? And "
            "by what is the advantage multiplied?",
            weight=0,
        ),
        Property(
            "an action that nobody plays does not appear",
            _faces,
            "Nobody without parents: by what is the advantage multiplied?",
            weight=0,
        ),
        Property(
            "what depends on the opponent alone changes nothing",
            _opponent_only,
            "Such a payoff raises every action and the average alike: nothing is divided by the "
            "average, and A[a, b] is what a gets from b.",
            weight=0,
        ),
        Property(
            "two rates of growth differ by the difference of the two utilities",
            _quotient,
            "u(a, x) is what a gets, with b met as often as x says. The better grow faster.",
        ),
        Property(
            "it equals (1.10) summed over the pairs that meet",
            _definition,
            "Work the example of the docstring out by hand: u, then its average, then the product.",
            weight=2,
        ),
        layouts(_definition, "A"),
        *PURE,
    ),
    mistakes=(
        Mistake("the average is not subtracted", _no_average),
        Mistake("the advantage is not multiplied by the share", _no_share),
        Mistake("A is transposed: what an action gives, not what it gets", _transposed),
        Mistake("the average counts every action alike, whatever its share", _plain_mean),
        Mistake("it is divided by the average, as in the map for generations", _over_the_mean),
        Mistake("it is the shares after a step, not their derivative", _next_state),
        Mistake("the derivative is scaled to length one", _normalised),
        Mistake("the sign is turned: the worse grow", _backwards),
        Mistake("the best utility is subtracted in place of the average", _against_the_best),
        Mistake("the opponents' shares are ignored in the utilities", _opponents_ignored),
        Mistake("payoffs are scaled to size one first", _unit_scale),
        Mistake("the derivative is rounded", _rounded),
    ),
    reference=reference,
)
