"""What an answer to exercise 1.8 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games import NormalForm
from ....games.stackelberg import Commitment, leader_payoff, pure_commitment
from ....games.stackelberg import stackelberg as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, need
from .._layouts import layouts
from .._oracle import remembered
from ._games import NUMBERS, PAIRS, numbers, payoffs

TOLERANCE = 1e-6  # of payoffs up to 9: ten times the usual tolerance of a linear program
KNOWN = (
    ([[2, 4], [1, 3]], [[1, 0], [0, 1]]),
    ([[2, 0, 0], [1, 0, 0]], [[0, 2, 5], [0, -1, -4]]),
    ([[3, 9], [9, 1]], [[0, 0], [1, 8]]),
    ([[0, 4, 1], [3, 0, 2], [1, 2, 0]], [[1, 0, 2], [0, 3, 0], [2, 0, 1]]),
)


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    row: Array
    column: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three actions each; followers that are often indifferent; games from the papers."""
    if draw(st.integers(0, 3)) == 0:
        return Case(*(np.array(u, dtype=float) for u in draw(st.sampled_from(KNOWN))))
    row, column = draw(payoffs(PAIRS))
    if draw(st.booleans()):
        column = numbers(draw(NUMBERS), column.shape, most=1)
    return Case(row, column)


def _pair(answer: Answer, case: Case) -> tuple[Array, float]:
    """(x, value), of the right kinds and shapes."""
    got = answer(*case)
    need(isinstance(got, tuple | list), f"need a pair (x, value), got {type(got).__name__}")
    need(len(got) == 2, f"need a pair (x, value), got {len(got)} things")
    x, value = np.asarray(got[0]), np.asarray(got[1])
    need(x.dtype.kind in "biuf", f"x: need real numbers, got {type(got[0]).__name__}")
    need(x.shape == (len(case.row),), f"x: shape {x.shape}, need {(len(case.row),)}")
    need(value.dtype.kind in "biuf", f"value: need a number, got {type(got[1]).__name__}")
    need(value.shape == (), f"value: need one number, got shape {value.shape}")
    assert np.isfinite(x).all(), f"x: {x} is not finite"
    return x.astype(float), float(value)


def _mixture(answer: Answer, case: Case) -> None:
    x, _ = _pair(answer, case)
    assert x.min() >= -TOLERANCE, f"a probability is {x.min():g}"
    assert abs(x.sum() - 1) <= TOLERANCE, f"the probabilities sum to {x.sum():g}"


def _consistent(answer: Answer, case: Case) -> None:
    x, value = _pair(answer, case)
    worth = x @ case.column
    pays = (x @ case.row)[worth >= worth.max() - 10 * TOLERANCE]
    assert abs(value - pays.max()) <= 10 * TOLERANCE, (
        f"value is {value:.6g}, but a follower that replies best to x = {x.round(4)} "
        f"leaves the leader {pays.max():.6g}"
    )


@remembered
def _best(row: Array, column: Array) -> Commitment:
    return reference(NormalForm.bimatrix(row, column))


@remembered
def _pure(row: Array, column: Array) -> Commitment:
    return pure_commitment(NormalForm.bimatrix(row, column))


def _at_least_pure(answer: Answer, case: Case) -> None:
    value = _pair(answer, case)[1]
    pure = _pure(*case)
    assert value >= pure.payoff - 10 * TOLERANCE, (
        f"value is {value:.6g}; committing to action {int(np.argmax(pure.strategy))} "
        f"earns {pure.payoff:g}"
    )


def _optimal(answer: Answer, case: Case) -> None:
    value = _pair(answer, case)[1]
    best = _best(*case)
    assert abs(value - best.payoff) <= 10 * TOLERANCE, (
        f"value is {value:.6g}, the best is {best.payoff:.6g}, with x = {best.strategy.round(4)}"
    )


def _one_row(answer: Answer, case: Case) -> None:
    """A leader without a choice: the follower decides, and ties are the leader's."""
    row, column = case.row[-1:], case.column[-1:]
    value = _pair(answer, Case(row, column))[1]
    want = row[0, column[0] == column[0].max()].max()
    assert abs(value - want) <= 10 * TOLERANCE, (
        f"with the last row alone value is {value:.6g}; the follower's best replies pay {want:g}"
    )


def _preferences(answer: Answer, case: Case) -> None:
    row, column = case
    shift = np.arange(len(row))[::-1, None] * 3.0
    one, two = _pair(answer, case)[1], _pair(answer, Case(row, column + shift))[1]
    assert abs(one - two) <= 10 * TOLERANCE, (
        f"value is {one:.6g}, but {two:.6g} after adding {shift.ravel()} to the rows of column"
    )


# -- wrong answers ----------------------------------------------------------------------


def _by_programs(row: Any, column: Any, rivals: Any) -> Any:
    """max over replies j of max x·row[:, j] with rivals(j) @ x ≤ 0; uniform if there is none."""
    from scipy.optimize import linprog

    m, n = row.shape
    found = []
    for j in range(n):
        rows = rivals(j).reshape(-1, m)
        lp = linprog(
            -row[:, j], A_ub=rows, b_ub=np.zeros(len(rows)), A_eq=np.ones((1, m)), b_eq=[1.0]
        )
        found += [(lp.x, float(lp.x @ row[:, j]))] if lp.success else []
    return max(found, key=lambda pair: pair[1], default=(np.full(m, 1 / m), 0.0))


def _pure_only(row: Any, column: Any) -> Any:
    best = pure_commitment(NormalForm.bimatrix(row, column))
    return best.strategy, best.payoff


def _weak(row: Any, column: Any) -> Any:
    best = reference(NormalForm.bimatrix(row, column), ties="weak")
    return best.strategy, best.payoff


def _ties_against(row: Any, column: Any) -> Any:
    game = NormalForm.bimatrix(row, column)
    x = reference(game).strategy
    return x, leader_payoff(game, x, ties="weak")


def _simultaneous(row: Any, column: Any) -> Any:
    stable = (row == row.max(axis=0)) & (column == column.max(axis=1, keepdims=True))
    if not stable.any():
        return _maximin(row, column)
    a, b = np.unravel_index(np.argmax(np.where(stable, row, -np.inf)), row.shape)
    return np.eye(len(row))[a], float(row[a, b])


def _maximin(row: Any, column: Any) -> Any:
    best = reference(NormalForm.zero_sum(row))
    return best.strategy, best.payoff


def _obedient(row: Any, column: Any) -> Any:
    a, b = np.unravel_index(np.argmax(row), row.shape)
    return np.eye(len(row))[a], float(row[a, b])


def _worst_reply(row: Any, column: Any) -> Any:
    return _by_programs(row, column, lambda j: (column[:, [j]] - column).T)


def _transposed(row: Any, column: Any) -> Any:
    other = column.T if len(row) == row.shape[1] else column
    return _by_programs(row, column, lambda j: (other - other[:, [j]]).T)


def _one_rival(row: Any, column: Any) -> Any:
    return _by_programs(row, column, lambda j: column[:, 0] - column[:, j])


def _uneven_total(row: Any, column: Any) -> Any:
    x, value = _by_programs(row, column, lambda j: (column - column[:, [j]]).T)
    return x / x.max(), value / x.max()


def _library(row: Any, column: Any) -> Any:
    best = reference(NormalForm.bimatrix(row, column))
    return best.strategy, best.payoff


SPEC = Spec(
    exercise="stackelberg",
    function="stackelberg",
    cases=cases(),
    properties=(
        Property(
            "x is a mixed strategy of the leader",
            _mixture,
            "One probability per row. What makes them probabilities?",
            gate=True,
        ),
        Property(
            "only the follower's preferences between its own actions matter",
            _preferences,
            "The follower compares columns for the same x. Do you compare within its matrix along "
            "the right axis?",
            weight=0,
        ),
        Property(
            "a leader with one action gets what the follower's best reply pays",
            _one_row,
            "The follower takes the largest entry of its row, and among equals what pays the "
            "leader most.",
            most=30,
        ),
        Property(
            "value is what x earns when the follower replies best, ties in the leader's favour",
            _consistent,
            "Compute x @ column: which replies are best? Of those, which pays the leader most?",
        ),
        Property(
            "no commitment to a single action earns more",
            _at_least_pure,
            "A pure commitment is one of the mixed ones. Do your constraints exclude one? The "
            "follower's replies are to x, which it knows.",
        ),
        Property(
            "no commitment at all earns more",
            _optimal,
            "For each reply j: among the x to which j is best, the one that makes x @ row[:, j] "
            "largest. Then the best j.",
            weight=2,
        ),
        layouts(_optimal, "row", "column"),
        *PURE,
    ),
    mistakes=(
        Mistake("only pure commitments are tried", _pure_only),
        Mistake("ties go against the leader: the weak commitment", _weak),
        Mistake(
            "x is right, but value breaks the follower's ties against the leader", _ties_against
        ),
        Mistake("both move at once: the payoff of a Nash equilibrium", _simultaneous),
        Mistake("the follower is taken for an enemy: maximin", _maximin),
        Mistake("the follower is taken to do what the leader likes", _obedient),
        Mistake("the follower's inequalities are reversed: it replies worst", _worst_reply),
        Mistake("the follower's payoffs are read transposed", _transposed),
        Mistake("the reply is compared with one other reply only", _one_rival),
        Mistake("x is scaled by its largest entry, not by its sum", _uneven_total),
    ),
    reference=_library,
)
