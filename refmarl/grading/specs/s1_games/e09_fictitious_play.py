"""What an answer to exercise 1.9 must satisfy.

Where two actions are equally good, the lowest index is asked for only after one and two plays:
these averages are exact in floating point. Later an answer that never rounds may see one of two
equal values as larger, so that any action within rounding of the best is accepted.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games import NormalForm
from ....games.fictitious import fictitious_play as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts
from ._games import payoffs

EQUAL = 1e-9  # payoffs are small whole numbers, t ≤ 12: values that differ do so by 1/12 or more


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    row: Array
    column: Array
    start: tuple[int, int]
    steps: int


SHAPLEY = (np.eye(3), np.roll(np.eye(3), 1, axis=1))
PENNIES = (np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[-1.0, 1.0], [1.0, -1.0]]))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of up to 4 by 4 actions, half of them with many ties; any start; up to 12 plays."""
    sizes = [(1, 1), (1, 3), (3, 1), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4), (4, 3), (4, 4)]
    drawn = st.sampled_from([1, 4]).flatmap(lambda most: payoffs(sizes, most)).map(tuple)
    row, column = draw(st.one_of(st.sampled_from([PENNIES, SHAPLEY]), drawn, drawn, drawn))
    start = tuple(draw(st.integers(0, k - 1)) for k in row.shape)
    return Case(row.copy(), column.copy(), (start[0], start[1]), draw(st.integers(1, 12)))


def _averages(answer: Answer, case: Case, steps: int) -> list[Array]:
    """[x̄, ȳ] after ``steps`` plays, as distributions of the right shapes."""
    pair = answer(case.row, case.column, case.start, steps)
    need(isinstance(pair, tuple | list), f"need a tuple (x, y), got {type(pair).__name__}")
    need(len(pair) == 2, f"need a tuple (x, y), got {len(pair)} items")
    for x, k, name in zip(pair, case.row.shape, "xy", strict=True):
        shaped(x, (k,), name)
        close(np.minimum(x, 0.0), np.zeros(k), f"the negative part of {name}")
        close(np.sum(x), 1.0, f"the sum of {name}")
    return [np.asarray(x, dtype=float) for x in pair]


def _values(case: Case, averages: list[Array]) -> tuple[Array, Array]:
    """What each action pays against the other's average, for both players."""
    x, y = averages
    return case.row @ y, x @ case.column


def _distributions(answer: Answer, case: Case) -> None:
    _averages(answer, case, case.steps)


def _starts(answer: Answer, case: Case) -> None:
    for x, a, name in zip(_averages(answer, case, 1), case.start, "xy", strict=True):
        close(x, np.eye(len(x))[a], f"{name} after one play")


def _second_and_third(answer: Answer, case: Case) -> None:
    for t in (1, 2):
        now, after = _averages(answer, case, t), _averages(answer, case, t + 1)
        for x, z, values, name in zip(now, after, _values(case, now), "xy", strict=True):
            best = np.eye(len(x))[np.argmax(values)]
            close(z, x + (best - x) / (t + 1), f"{name} after {t + 1} plays")


def _counts(answer: Answer, case: Case) -> None:
    for x, name in zip(_averages(answer, case, case.steps), "xy", strict=True):
        counts = case.steps * x
        close(counts, np.round(counts), f"{case.steps} {name}, which counts plays,")


def _replies(answer: Answer, case: Case) -> None:
    path = [_averages(answer, case, t) for t in range(1, case.steps + 1)]
    for t, (now, after) in enumerate(pairwise(path), start=1):
        for x, z, values, name in zip(now, after, _values(case, now), "xy", strict=True):
            played = (t + 1) * z - t * x
            action = int(np.argmax(played))
            close(played, np.eye(len(x))[action], f"what moved {name} from play {t} to {t + 1}")
            assert values[action] >= values.max() - EQUAL, (
                f"play {t + 1} of {name} is action {action}, worth {values[action]:g} against the "
                f"average of the first {t}; another is worth {values.max():g}"
            )


def _players_swapped(answer: Answer, case: Case) -> None:
    steps = min(case.steps, 3)
    a, b = case.start
    swapped = Case(case.column.T.copy(), case.row.T.copy(), (b, a), steps)
    pairs = zip(
        _averages(answer, swapped, steps), reversed(_averages(answer, case, steps)), strict=True
    )
    for z, x in pairs:
        close(z, x, "the average with the players' roles exchanged")


def _wrong(
    last: Any = np.argmax,
    row_of: Any = lambda row, column: row,
    column_of: Any = lambda row, column: column,
    weight: Any = lambda t: 1 / (t + 1),
    more: int = 0,
    mode: str = "",
) -> Answer:
    """Fictitious play with one thing changed."""

    def answer(row: Any, column: Any, start: Any, steps: int) -> Any:
        m, n = row.shape
        a, b = (0, 0) if mode == "no start" else start
        x, y = np.eye(m)[a], np.eye(n)[b]
        seen = x, y
        for t in range(1, steps + more):
            against_x, against_y = seen if mode == "last action" else (x, y)
            best_x = np.eye(m)[last(np.round(row_of(row, column) @ against_y, 9))]
            if mode == "in turn":
                against_x = x + (best_x - x) * weight(t)
            best_y = np.eye(n)[last(np.round(against_x @ column_of(row, column), 9))]
            x, y = x + (best_x - x) * weight(t), y + (best_y - y) * weight(t)
            seen = best_x, best_y
        return (best_x, best_y) if mode == "no average" and steps > 1 else (x, y)

    return answer


def _highest(values: Any) -> int:
    return len(values) - 1 - int(np.argmax(values[::-1]))


def _transposed(row: Any, column: Any) -> Any:
    return column.T if len(set(column.shape)) == 1 else column


def _library(row: Any, column: Any, start: Any, steps: int) -> Any:
    play = reference(NormalForm.bimatrix(row, column), steps, start, times=[steps])
    return tuple(x[-1] for x in play.averages)


SPEC = Spec(
    exercise="fictitious-play",
    function="fictitious_play",
    cases=cases(),
    properties=(
        Property(
            "two distributions, one over the rows and one over the columns",
            _distributions,
            "Averages of pure strategies sum to 1.",
            gate=True,
        ),
        Property(
            "after one play the averages are the start",
            _starts,
            "x^1 is pure start[0], y^1 pure start[1]. With steps = 1 nothing is added: how often "
            "must the loop run?",
            weight=2,
        ),
        Property(
            "steps times the averages are whole numbers: they count plays",
            _counts,
            "Every play so far must have the same weight, the first one too.",
            weight=0,
        ),
        Property(
            "exchanging the players' roles exchanges the averages",
            _players_swapped,
            "Does each player use its own payoffs, against the other's average of the plays "
            "before, at the same time?",
            weight=0,
        ),
        Property(
            "every play is a best response to the other's average over all plays before it",
            _replies,
            "The reply is to the average, not to the last play; of equal payoffs the largest "
            "counts.",
            weight=2,
        ),
        Property(
            "the second and the third play follow (1.9), ties going to the lowest index",
            _second_and_third,
            "Do the first three plays of matching pennies by hand. What has weight 1/2, what 1/3? "
            "Of two equally good actions the lower index is played.",
            weight=2,
        ),
        layouts(_second_and_third, "row", "column"),
        *PURE,
    ),
    mistakes=(
        Mistake(
            "the column player already knows the row player's new play", _wrong(mode="in turn")
        ),
        Mistake("the step is 1/t, which forgets the start", _wrong(weight=lambda t: 1 / t)),
        Mistake("the reply is to the last play, not to the average", _wrong(mode="last action")),
        Mistake("ties go to the highest index", _wrong(last=_highest)),
        Mistake(
            "the column player maximises the row player's payoffs",
            _wrong(column_of=lambda row, column: row),
        ),
        Mistake("the column player's payoffs are read transposed", _wrong(column_of=_transposed)),
        Mistake("the worst reply is played", _wrong(last=np.argmin)),
        Mistake("one play too many", _wrong(more=1)),
        Mistake("the given start is ignored", _wrong(mode="no start")),
        Mistake("the step never shrinks", _wrong(weight=lambda t: 0.5)),
        Mistake("the last play is returned, not the average", _wrong(mode="no average")),
    ),
    reference=_library,
)
