"""What an answer to exercise 1.7 must satisfy."""

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games import NormalForm
from ....games.correlated import correlated_equilibrium as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, need
from .._layouts import layouts
from .._oracle import remembered
from ._games import PAIRS, payoffs

TOLERANCE = 1e-6  # of payoffs up to 8: ten times the usual tolerance of a linear program
CHICKEN = ([[6, 2], [7, 0]], [[6, 7], [2, 0]])
BATTLE = ([[3, 0, 1], [1, 2, 1]], [[2, 1, 0], [0, 3, 1]])
SHAPLEY = ([[0, 2, 1], [1, 0, 2], [2, 1, 0]], [[0, 1, 2], [2, 0, 1], [1, 2, 0]])


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    row: Array
    column: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two players with one to three actions; often chicken and others where devices matter."""
    known = st.sampled_from([CHICKEN, BATTLE, SHAPLEY]).map(lambda g: np.array(g, dtype=float))
    row, column = draw(st.one_of(payoffs(PAIRS), payoffs(PAIRS), known))
    return Case(row, column)


def _device(answer: Answer, case: Case) -> Array:
    """The answer, an array of the right shape."""
    p = answer(*case)
    need(p is not None, "p: the function returned None; is a return missing?")
    got = np.asarray(p)
    need(got.dtype.kind in "biuf", f"p: need real numbers, got {type(p).__name__}")
    need(got.shape == case.row.shape, f"p: shape {got.shape}, need {case.row.shape}")
    assert np.isfinite(got).all(), f"p: {got} is not finite"
    return got.astype(float)


def _distribution(answer: Answer, case: Case) -> None:
    p = _device(answer, case)
    assert p.min() >= -TOLERANCE, f"a probability is {p.min():g}"
    assert abs(p.sum() - 1) <= TOLERANCE, f"the probabilities sum to {p.sum():g}"


def _no_swap(answer: Answer, case: Case) -> None:
    p = _device(answer, case)
    for who, u, q in (("row", case.row, p), ("column", case.column.T, p.T)):
        for told, played in product(range(len(u)), repeat=2):
            gain = float(q[told] @ (u[played] - u[told]))
            assert gain <= TOLERANCE, (
                f"told action {told}, the {who} player gains {gain:.4g} with action {played}"
            )


def _at_least_nash(answer: Answer, case: Case) -> None:
    row, column = case
    welfare = float((_device(answer, case) * (row + column)).sum())
    stable = (row == row.max(axis=0)) & (column == column.max(axis=1, keepdims=True))
    best = max((row + column)[stable], default=-np.inf)
    assert welfare >= best - 10 * TOLERANCE, (
        f"the sum of payoffs is {welfare:.6g}; a pure Nash equilibrium has {best:g}"
    )


@remembered
def _largest(row: Array, column: Array) -> float:
    return reference(NormalForm.bimatrix(row, column)).value


def _largest_welfare(answer: Answer, case: Case) -> None:
    row, column = case
    welfare = float((_device(answer, case) * (row + column)).sum())
    best = _largest(row, column)
    assert abs(welfare - best) <= 10 * TOLERANCE, (
        f"the sum of payoffs is {welfare:.6g}; the best that an equilibrium has is {best:.6g}"
    )


def _best(answer: Answer, case: Case) -> None:
    _no_swap(answer, case)
    _largest_welfare(answer, case)


# -- wrong answers ----------------------------------------------------------------------


def _swaps(row: Any, column: Any, players: str = "rc") -> list[Array]:
    """Each swap's gain as weights of p, (m, n)."""
    rows = []
    for who, u in (("r", row), ("c", column.T)):
        for told, played in product(range(len(u)), repeat=2):
            gain = np.zeros(u.shape)
            gain[told] = u[played] - u[told]
            rows += [gain if who == "r" else gain.T] * (who in players)
    return rows


def _solve(welfare: Any, gains: Iterable[Any], total: bool = True) -> Array:
    """The best p for these constraints; uniform if there is none."""
    from scipy.optimize import linprog

    rows = np.array([g.ravel() for g in gains]).reshape(-1, welfare.size)
    ones = np.ones((1, welfare.size))
    extra: dict[str, Any] = {"A_eq": ones, "b_eq": [1.0]} if total else {}
    rows = rows if total else np.concatenate([rows, ones])
    bound = np.zeros(len(rows))
    bound[-1:] = 0.0 if total else 1.0
    found = linprog(-welfare.ravel(), A_ub=rows, b_ub=bound, **extra)
    p: Array = found.x if found.success else np.full(welfare.size, 1 / welfare.size)
    return p.reshape(welfare.shape)


def _coarse(row: Any, column: Any) -> Any:
    gains = [row[a] - row for a in range(len(row))]
    gains += [column[:, [b]] - column for b in range(column.shape[1])]
    return _solve(row + column, gains)


def _row_player_only(row: Any, column: Any) -> Any:
    return _solve(row + column, _swaps(row, column, "r"))


def _unconstrained(row: Any, column: Any) -> Any:
    p = np.zeros(row.shape)
    p[np.unravel_index(np.argmax(row + column), row.shape)] = 1.0
    return p


def _reversed(row: Any, column: Any) -> Any:
    return _solve(row + column, [-g for g in _swaps(row, column)])


def _minimum(row: Any, column: Any) -> Any:
    return _solve(-(row + column), _swaps(row, column))


def _selfish(row: Any, column: Any) -> Any:
    return _solve(row, _swaps(row, column))


def _unnormalised(row: Any, column: Any) -> Any:
    return _solve(row + column, _swaps(row, column), total=False)


def _nash_only(row: Any, column: Any) -> Any:
    stable = (row == row.max(axis=0)) & (column == column.max(axis=1, keepdims=True))
    p = np.zeros(row.shape)
    if not stable.any():
        return p + 1 / p.size
    p[np.unravel_index(np.argmax(np.where(stable, row + column, -np.inf)), row.shape)] = 1.0
    return p


def _transposed_column(row: Any, column: Any) -> Any:
    other = column.T if len(row) == row.shape[1] else column
    return _solve(row + column, _swaps(row, other))


def _library(row: Any, column: Any) -> Any:
    return reference(NormalForm.bimatrix(row, column)).distribution


SPEC = Spec(
    exercise="correlated",
    function="correlated_equilibrium",
    cases=cases(),
    properties=(
        Property(
            "the answer is a distribution over joint actions",
            _distribution,
            "Which two conditions make mn numbers probabilities, and did the program get both?",
            gate=True,
        ),
        Property(
            "nobody gains by playing another action than the one it is told",
            _no_swap,
            "Fix who, what it is told, what it plays instead: one inequality each. Over what is "
            "the sum, and whose payoffs stand in it?",
            weight=2,
        ),
        Property(
            "its sum of payoffs is at least that of every pure Nash equilibrium",
            _at_least_nash,
            "Nash equilibria obey all the inequalities. Do you maximise or minimise, and what?",
        ),
        Property(
            "no correlated equilibrium has a larger sum of payoffs",
            _largest_welfare,
            "Either a constraint is one too many, or the objective is not both players' payoffs.",
            weight=2,
        ),
        layouts(_best, "row", "column"),
        *PURE,
    ),
    mistakes=(
        Mistake("deviations are decided before the advice: the coarse equilibrium", _coarse),
        Mistake("only the row player's deviations are excluded", _row_player_only),
        Mistake("the best joint action is taken, whoever would deviate from it", _unconstrained),
        Mistake("the inequalities stand the wrong way round", _reversed),
        Mistake("the sum of payoffs is minimised", _minimum),
        Mistake("only the row player's payoff is maximised", _selfish),
        Mistake("the probabilities need not sum to 1", _unnormalised),
        Mistake("the best pure Nash equilibrium is taken", _nash_only),
        Mistake("the column player's payoffs are read transposed", _transposed_column),
    ),
    reference=_library,
)
