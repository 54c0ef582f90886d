"""What a mended piece 2 of the museum must satisfy: nothing leaks from the next episode."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import GAMMAS, SEEDS, ends, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    reward: Any
    value: Any
    next_value: Any
    terminated: Any
    truncated: Any
    gamma: float
    lam: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five steps of up to three copies, ends of both kinds."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    reward, value, after = (halves(rng, *shape) for _ in range(3))
    over, cut = ends(rng, *shape)
    return Case(reward, value, after, over, cut, draw(GAMMAS), draw(GAMMAS))


def _right(
    reward: Any, value: Any, next_value: Any, terminated: Any, truncated: Any,
    gamma: float, lam: float,
) -> Any:  # fmt: skip
    """The sum written out, row by row."""
    delta = reward + gamma * np.where(terminated, 0.0, next_value) - value
    found = np.zeros(delta.shape)
    for t, b in np.ndindex(delta.shape):
        for k in range(t, len(delta)):
            found[t, b] += (gamma * lam) ** (k - t) * delta[k, b]
            if terminated[k, b] or truncated[k, b]:
                break
    return found


def _plain(case: Case) -> Case:
    return case._replace(truncated=np.zeros(case.reward.shape, dtype=bool))


def _split(answer: Answer, case: Case) -> None:
    """The clock cuts after the first row; the second pays 9."""
    first = np.zeros(case.reward.shape, dtype=bool)
    first[0] = True
    reward = case.reward.copy()
    reward[1] = 9.0 + case.value[1] - case.next_value[1]
    given = Case(reward, case.value, case.next_value, ~first & first, first, 1.0, 1.0)
    want = (case.reward + case.next_value - case.value)[0]
    close(np.asarray(answer(*given))[0], want, "A of a step that the clock cuts")


def _wrong(cut: Any, bootstrap: Any = lambda d, c: d, power: Any = lambda g, k: g * k) -> Answer:
    def answer(*given: Any) -> Any:
        c = Case(*given)
        over, ended = bootstrap(c.terminated, c.truncated), cut(c.terminated, c.truncated)
        delta = c.reward + c.gamma * np.where(over, 0.0, c.next_value) - c.value
        found, tail = np.zeros(delta.shape), 0.0 * delta[0]
        for t in reversed(range(len(delta))):
            tail = delta[t] + power(c.gamma, c.lam) * np.where(ended[t], 0.0, tail)
            found[t] = tail
        return found

    return answer


def _any(d: Any, c: Any) -> Any:
    return d | c


SPEC = Spec(
    exercise="museum-gae-across-episodes",
    function="gae",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where no clock cuts the advantages are what they were",
            "The TD errors and the weights were right.",
        ),
        (
            "the sum of later errors ends where the episode does, in either way",
            "Which rows belong to the same episode as the row below them?",
        ),
        (
            "a step that the clock cuts is its own TD error",
            "The row below is another episode: its tail must be forgotten, whichever flag is set.",
            _split,
        ),
    ),
    mistakes=(
        Mistake("the tail runs on through truncated ends", _wrong(lambda d, c: d)),
        Mistake("the tail runs on through terminated ends", _wrong(lambda d, c: c)),
        Mistake("the tail is never cut", _wrong(lambda d, c: d & False)),
        Mistake("a truncated step is not bootstrapped", _wrong(_any, _any)),
        Mistake("lam is left out of the weight", _wrong(_any, power=lambda g, k: g)),
    ),
    reference=_right,
)
