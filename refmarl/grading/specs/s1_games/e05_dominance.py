"""What an answer to exercise 1.5 must satisfy."""

from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ....check import Array
from ....games import NormalForm
from ....games.dominance import iterated_elimination as reference
from ....games.zero_sum import zero_sum_value
from ....testing.dominated import dominated_games
from ....testing.strategies import bimatrix_games
from ...spec import PURE, Answer, Mistake, Property, Spec, need
from .._layouts import layouts

Mask = NDArray[np.bool_]
Rule = Callable[[Array], Mask]
STRICT = 1e-6  # the cases' payoffs are multiples of 1/64: below it a gain is rounding


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    row: Array
    column: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games at random, and games with actions put in a little below, or level with, mixtures."""
    losses = (0.0, 0.25, 0.5)
    planted = dominated_games(2, 2, most=2, losses=losses).map(lambda pair: pair[1])
    game = draw(st.one_of(planted, planted, bimatrix_games(4)))
    return Case(*(u.copy() for u in game.payoffs))


def _masks(answer: Answer, case: Any) -> tuple[Mask, Mask]:
    """The answer's two masks, of the right type and shape."""
    given = answer(*case)
    need(isinstance(given, list | tuple), f"need (rows, columns), got {type(given).__name__}")
    need(len(given) == 2, f"need (rows, columns), got {len(given)} things")
    for what, mask, k in zip(("rows", "columns"), given, case[0].shape, strict=True):
        array = np.asarray(mask)
        need(array.dtype == bool, f"{what}: need a mask of bools, got {array.dtype}")
        need(array.shape == (k,), f"{what}: shape {array.shape}, need {(k,)}")
    return np.asarray(given[0]), np.asarray(given[1])


def _left(case: Case, masks: tuple[Mask, Mask]) -> tuple[Array, Array]:
    """Own payoffs of each player in the game that is left: its actions are the rows."""
    left = np.ix_(*masks)
    return case.row[left], case.column[left].T


def _somebody_stays(answer: Answer, case: Case) -> None:
    rows, columns = _masks(answer, case)
    assert rows.any(), "no row is left"
    assert columns.any(), "no column is left"


def _no_pure_dominator(answer: Answer, case: Case) -> None:
    _somebody_stays(answer, case)
    for who, u in zip(("row", "column"), _left(case, _masks(answer, case)), strict=True):
        beaten = np.flatnonzero(_by_pure(u))
        assert not beaten.size, f"of the {who} player's actions left, number {beaten} can still go"


def _no_mixed_dominator(answer: Answer, case: Case) -> None:
    _somebody_stays(answer, case)
    for who, u in zip(("row", "column"), _left(case, _masks(answer, case)), strict=True):
        beaten = np.flatnonzero(_by_mixed(u))
        assert not beaten.size, f"of the {who} player's actions left, number {beaten} can still go"


def _best_replies_stay(answer: Answer, case: Case) -> None:
    rows, columns = _masks(answer, case)
    for b in np.flatnonzero(columns):
        best = case.row[:, b] == case.row[:, b].max()
        assert rows[best].all(), f"rows {np.flatnonzero(best)} are best against column {b}"
    for a in np.flatnonzero(rows):
        best = case.column[a] == case.column[a].max()
        assert columns[best].all(), f"columns {np.flatnonzero(best)} are best against row {a}"


def _single(answer: Answer, case: Case) -> None:
    _no_pure_dominator(answer, case)
    _best_replies_stay(answer, case)


def _mixed(answer: Answer, case: Case) -> None:
    for low, stays in ((1.0, False), (2.0, True)):
        row = np.array([[3.0, 0.0], [0.0, 3.0], [low, low]])
        rows, _ = _masks(answer, (row, 0.0 * row))
        assert rows[2] == stays, f"row payoffs {row.tolist()}: row 2 {'stays' if stays else 'goes'}"
    _no_mixed_dominator(answer, case)
    _equilibria_stay(answer, case)


def _equilibria_stay(answer: Answer, case: Case) -> None:
    rows, columns = _masks(answer, case)
    best = case.row == case.row.max(axis=0)
    best &= case.column == case.column.max(axis=1, keepdims=True)
    for a, b in np.argwhere(best):
        assert rows[a] & columns[b], f"the equilibrium (row {a}, column {b}) is lost"


def _definition(answer: Answer, case: Case) -> None:
    rows, columns = _masks(answer, case)
    want_rows, want_columns = _one_at_a_time(case)
    assert (rows == want_rows).all(), f"rows {rows}, need {want_rows}"
    assert (columns == want_columns).all(), f"columns {columns}, need {want_columns}"


def _one_at_a_time(case: Case) -> tuple[Mask, Mask]:
    """The masks, by deleting the last dominated action of the column player, then of the row's."""
    masks = tuple(np.ones(k, dtype=bool) for k in case.row.shape)
    while True:
        own = _left(case, masks)  # type: ignore[arg-type]
        for i in (1, 0):
            beaten = np.flatnonzero(_by_mixed(own[i]))
            if beaten.size:
                masks[i][np.flatnonzero(masks[i])[beaten[-1]]] = False
                break
        else:
            return masks[0], masks[1]


def _exchanged(answer: Answer, case: Case) -> None:
    rows, columns = _masks(answer, case)
    turned = Case(np.ascontiguousarray(case.column.T), np.ascontiguousarray(case.row.T))
    their_rows, their_columns = _masks(answer, turned)
    assert (their_rows == columns).all(), "the column player, put in the row player's place"
    assert (their_columns == rows).all(), "the row player, put in the column player's place"


def _by_pure(u: Array) -> Mask:
    return np.array([(u > row + STRICT).all(axis=1).any() for row in u])


def _by_mixed(u: Array) -> Mask:
    """Rows of u that a mixture of rows beats in every column."""
    unsure = ~(u == u.max(axis=0)).any(axis=1)
    beaten = [bool(s) and zero_sum_value(u - u[a]).value > STRICT for a, s in enumerate(unsure)]
    return np.array(beaten)


def _weak_pure(u: Array) -> Mask:
    return np.array([((u >= row).all(axis=1) & (u > row).any(axis=1)).any() for row in u])


def _weak_mixed(u: Array) -> Mask:
    """Rows that the other rows, mixed, match in every column."""
    return np.array(
        [
            len(u) > 1 and zero_sum_value(np.delete(u, a, axis=0) - u[a]).value >= -STRICT
            for a in range(len(u))
        ]
    )


def _by_halves(u: Array) -> Mask:
    halves = [(u[a] + u[b]) / 2 for a, b in combinations(range(len(u)), 2)]
    pool = np.array([*u, *halves])
    return np.array([(pool > row + STRICT).all(axis=1).any() for row in u])


def _never_best(u: Array) -> Mask:
    never: Mask = ~(u == u.max(axis=0)).any(axis=1)
    return never


def _on_average(u: Array) -> Mask:
    average: Array = u.mean(axis=1)
    below: Mask = average < average.max() - STRICT
    return below


def _as_costs(u: Array) -> Mask:
    return _by_mixed(-u)


def _iterate(rule: Rule, row: Any, column: Any, rounds: int = 100) -> Any:
    """Masks after ``rounds`` rounds of deleting what ``rule`` finds, of both players at once."""
    rows, columns = (np.ones(k, dtype=bool) for k in row.shape)
    for _ in range(rounds):
        own, theirs = _left(Case(row, column), (rows, columns))
        rows[np.flatnonzero(rows)[rule(own)]] = False
        columns[np.flatnonzero(columns)[rule(theirs)]] = False
        if not (rows.any() and columns.any()):
            break
    return rows, columns


def _with(rule: Rule, rounds: int = 12) -> Answer:
    return lambda row, column: _iterate(rule, row, column, rounds)


def _weak_in_turn(row: Any, column: Any) -> Any:
    """Weak dominance with mixtures, one action at a time: somebody always stays."""
    masks = (np.ones(len(row), dtype=bool), np.ones(row.shape[1], dtype=bool))
    while True:
        own = _left(Case(row, column), masks)
        found = [(i, a) for i in (0, 1) for a in np.flatnonzero(_weak_mixed(own[i]))]
        if not found:
            return masks
        i, a = found[0]
        masks[i][np.flatnonzero(masks[i])[a]] = False


def _payoffs_exchanged(row: Any, column: Any) -> Any:
    return _iterate(_by_mixed, column, row, 12)


def _axis_not_turned(row: Any, column: Any) -> Any:
    return ~_by_mixed(row), ~_by_mixed(column)


def _rows_alone(row: Any, column: Any) -> Any:
    return ~_by_mixed(row), np.ones(row.shape[1], dtype=bool)


def _deleted_columns_count(row: Any, column: Any) -> Any:
    """The row player's dominators are held against the columns that are gone, too."""
    rows = ~_by_mixed(row)
    return rows, ~_by_mixed(column[rows].T)


def _removed(row: Any, column: Any) -> Any:
    rows, columns = _library(row, column)
    return ~rows, ~columns


def _library(row: Any, column: Any) -> Any:
    kept = reference(NormalForm.bimatrix(row, column)).kept
    return tuple(np.isin(np.arange(k), own) for k, own in zip(row.shape, kept, strict=True))


SPEC = Spec(
    exercise="dominance",
    function="iterated_elimination",
    cases=cases(),
    properties=(
        Property(
            "two masks, one per row and one per column; some action of each player stays",
            _somebody_stays,
            "True means that the action survives. An action that is best against something stays.",
            gate=True,
        ),
        Property(
            "what another single action beats everywhere goes, what is best against something "
            "stays",
            _single,
            "More of its owner's payoffs in every case that is left: a tie is no win. After a "
            "deletion look again, the other player has fewer cases to win in.",
        ),
        Property(
            "exchanging the players exchanges the masks",
            _exchanged,
            "The column player's own payoffs are in column, its actions along the columns. What is "
            "column.T?",
            weight=0,
        ),
        Property(
            "what a mixture beats everywhere goes, and no pure Nash equilibrium is lost",
            _mixed,
            "In [[3, 0], [0, 3], [1, 1]] no row beats the third, but half and half of the first "
            "two does. In [[3, 0], [0, 3], [2, 2]] nothing beats it, though it is never best.",
        ),
        Property(
            "it is what deleting one dominated action at a time leaves",
            _definition,
            "Delete by hand, and note which cases count at each step.",
            weight=2,
        ),
        layouts(_single, "row", "column"),
        *PURE,
    ),
    mistakes=(
        Mistake("weak dominance: ties count as beaten", _with(_weak_pure)),
        Mistake("weak dominance by mixtures: ties count as beaten", _weak_in_turn),
        Mistake("only single actions are tried as dominators", _with(_by_pure)),
        Mistake("only mixtures of half and half are tried", _with(_by_halves)),
        Mistake("only one round", _with(_by_mixed, 1)),
        Mistake("only two rounds", _with(_by_mixed, 2)),
        Mistake("the players' payoffs are exchanged", _payoffs_exchanged),
        Mistake("the column player's actions are compared along the rows", _axis_not_turned),
        Mistake("only the row player deletes", _rows_alone),
        Mistake("dominators have to win in deleted columns, too", _deleted_columns_count),
        Mistake("what is best against no single action is deleted", _with(_never_best)),
        Mistake("actions are compared by their average", _with(_on_average)),
        Mistake("payoffs are taken for costs", _with(_as_costs)),
        Mistake("the masks tell what was deleted", _removed),
    ),
    reference=_library,
)
