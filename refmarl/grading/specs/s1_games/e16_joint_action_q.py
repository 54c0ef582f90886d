"""What an answer to exercise 1.16 must satisfy."""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ....check import Array
from ....games.joint_action_q import expected_values as reference
from ....games.joint_action_q import product_model
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    counts: list[Array]
    player: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four players with different numbers of actions, some of whom have not played yet."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    q = draw(arrays(float, tuple(sizes), elements=st.integers(-5, 5).map(float)))
    counts = [draw(arrays(float, k, elements=st.integers(0, 6).map(float))) for k in sizes]
    if draw(st.integers(0, 4)) == 0:
        counts[draw(st.integers(0, len(sizes) - 1))][:] = 0.0
    return Case(q, counts, draw(st.integers(0, len(sizes) - 1)))


def _share(row: Any) -> Any:
    """Frequencies; even where nothing was seen."""
    return row / row.sum() if row.sum() > 0 else np.full(len(row), 1 / len(row))


def _definition(answer: Answer, case: Case) -> None:
    i, expected = case.player, np.zeros(case.q.shape[case.player])
    for a in product(*map(range, case.q.shape)):
        chances = [_share(c)[b] for c, b in zip(case.counts, a, strict=True)]
        expected[a[i]] += np.prod(chances[:i] + chances[i + 1 :]) * case.q[a]
    close(answer(*case), expected, f"the values of player {i}'s actions")


def _constant(answer: Answer, case: Case) -> None:
    same = case._replace(q=np.full(case.q.shape, 2.0))
    size = case.q.shape[case.player]
    close(answer(*same), np.full(size, 2.0), "the values where every joint action is worth 2")


def _sure(answer: Answer, case: Case) -> None:
    seen = [int(np.argmax(c)) for c in case.counts]
    counts = [3.0 * np.eye(len(c))[k] for c, k in zip(case.counts, seen, strict=True)]
    rows = np.moveaxis(case.q, case.player, -1)
    others = tuple(k for j, k in enumerate(seen) if j != case.player)
    close(
        answer(case.q, counts, case.player),
        rows[others],
        f"the values where the others have only ever done {others}",
    )


def _scale(answer: Answer, case: Case) -> None:
    more = case._replace(counts=[(j + 2.0) * c for j, c in enumerate(case.counts)])
    close(answer(*more), answer(*case), "the values when the same has been seen more often")


def _own(answer: Answer, case: Case) -> None:
    counts = list(case.counts)
    counts[case.player] = counts[case.player][::-1] + np.arange(len(counts[case.player]))
    close(
        answer(case.q, counts, case.player),
        answer(*case),
        "the values after the player itself has acted otherwise",
    )


def _linear(answer: Answer, case: Case) -> None:
    other = np.arange(case.q.size, dtype=float).reshape(case.q.shape) % 7 - 3
    parts = [np.asarray(answer(q, *case[1:])) for q in (case.q, other)]
    close(
        answer(2 * case.q - other, *case[1:]),
        2 * parts[0] - parts[1],
        "the values of twice the table less another one",
    )


def _averaged(
    weigh: Callable[[Any], Any] = _share, axis: Callable[[int], int] = lambda i: i
) -> Answer:
    """The average over the others, with their weights or the own axis changed."""

    def answer(q: Any, counts: Any, player: int) -> Any:
        i = axis(player)
        values = np.moveaxis(q, i, 0)
        for j in reversed(range(len(counts))):
            if j != i:
                values = values @ weigh(counts[j])
        return values

    return answer


def _unseen_is_nobody(row: Any) -> Any:
    return row / max(row.sum(), 1.0)


def _smoothed(row: Any) -> Any:
    return (row + 1) / (row + 1).sum()


def _likely(row: Any) -> Any:
    return np.eye(len(row))[np.argmax(row)] if row.sum() > 0 else _share(row)


def _even(row: Any) -> Any:
    return np.full(len(row), 1 / len(row))


def _raw(row: Any) -> Any:
    return row if row.sum() > 0 else _share(row)


def _hopeful(q: Any, counts: Any, player: int) -> Any:
    return np.moveaxis(q, player, 0).reshape(q.shape[player], -1).max(axis=1)


def _weighted_by_own(q: Any, counts: Any, player: int) -> Any:
    return _averaged()(q, counts, player) * _share(counts[player])


def _best(q: Any, counts: Any, player: int) -> Any:
    return np.argmax(_averaged()(q, counts, player))


def _library(q: Any, counts: Any, player: int) -> Any:
    return reference(q, product_model(counts, player), player)


SPEC = Spec(
    exercise="joint-action-q",
    function="expected_values",
    cases=cases(),
    properties=(
        Property(
            "what the player itself has done does not matter",
            _own,
            "The model is of the others. Which entry of counts must not be used?",
            weight=0,
        ),
        Property(
            "a table of one constant gives that constant: the model's probabilities sum to 1",
            _constant,
            "One value for each action of the player. Counts become frequencies by their sum; "
            "what if nothing has been counted yet?",
        ),
        Property(
            "seeing the same more often changes nothing",
            _scale,
            "Only the shares of the counts matter, for each player by itself.",
            weight=0,
        ),
        Property(
            "values are linear in the table",
            _linear,
            "An average is linear; a maximum is not.",
            weight=0,
        ),
        Property(
            "where the others have only ever done one thing, values are read off the table",
            _sure,
            "Which axis of the table are the player's own actions? Keep that one.",
        ),
        Property(
            "each value is the average of the table over what the others might do",
            _definition,
            "Average over one other player at a time, with that player's frequencies.",
            weight=2,
        ),
        layouts(_definition, "q"),
        *PURE,
    ),
    mistakes=(
        Mistake("counts are used as they are, not divided by their sum", _averaged(_raw)),
        Mistake("a player who has not played yet gets all weights 0", _averaged(_unseen_is_nobody)),
        Mistake("every action is counted once more than it was seen", _averaged(_smoothed)),
        Mistake("the others are taken to do what they did most", _averaged(_likely)),
        Mistake("the others are taken to play uniformly", _averaged(_even)),
        Mistake("the others are taken to do what suits the player best", _hopeful),
        Mistake("the first player's actions are valued, whoever asks", _averaged(axis=lambda i: 0)),
        Mistake("values are weighted with the player's own frequencies", _weighted_by_own),
        Mistake("the best action is returned, not the values", _best),
    ),
    reference=_library,
)
