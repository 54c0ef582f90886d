"""What a mended piece 6 of the museum must satisfy: what was played counts."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import SEEDS, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    error: Any
    filled: Any
    terminated: Any


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four episodes of one to five steps, padded to the longest and beyond."""
    rng = np.random.default_rng(draw(SEEDS))
    episodes, steps = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    lengths = rng.integers(1, steps, episodes)
    at = np.arange(steps)
    ended = (at == lengths[:, None] - 1) & (rng.random((episodes, 1)) < 0.7)
    return Case(halves(rng, episodes, steps), at < lengths[:, None], ended)


def _right(error: Any, filled: Any, terminated: Any) -> Any:
    played = [float(e) ** 2 for e, f in zip(error.flat, filled.flat, strict=True) if f]
    return sum(played) / len(played)


def _plain(case: Case) -> Case:
    every = np.ones(case.filled.shape, dtype=bool)
    return Case(case.error, every, ~every)


def _padding(answer: Answer, case: Case) -> None:
    """Errors of 2 in what was played; what stands in the padding changes nothing."""
    for waste in (0.0, 7.0):
        error = np.where(case.filled, 2.0, waste)
        got = answer(error, case.filled, case.terminated)
        close(got, 4.0, f"the loss for errors of 2, and {waste} in the padding")


def _mask(made: Any) -> Answer:
    def answer(error: Any, filled: Any, terminated: Any) -> Any:
        mask = 1.0 * made(filled, terminated)
        return (mask * error**2).sum() / max(mask.sum(), 1.0)

    return answer


def _by_size(error: Any, filled: Any, terminated: Any) -> Any:
    return (filled * error**2).mean()


def _summed(error: Any, filled: Any, terminated: Any) -> Any:
    return (filled * error**2).sum()


def _per_episode(error: Any, filled: Any, terminated: Any) -> Any:
    return ((filled * error**2).sum(axis=1) / filled.sum(axis=1)).mean()


SPEC = Spec(
    exercise="museum-padded-steps",
    function="masked_loss",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where nothing is padded and nothing ends the loss is what it was",
            "The mean of squares over the mask: that was right.",
        ),
        (
            "it is the mean of the squares over the steps that were played",
            "Count the steps of the printed case: how many are there to average over?",
        ),
        (
            "what stands in the padding does not matter, the last step does",
            "Which array knows the padding? terminated is False there, too.",
            _padding,
        ),
    ),
    mistakes=(
        Mistake("the mask is what did not terminate", _mask(lambda f, d: ~d)),
        Mistake("the last step is left out", _mask(lambda f, d: f & ~d)),
        Mistake("it is divided by all steps, padding included", _by_size),
        Mistake("the squares are summed", _summed),
        Mistake("each episode counts alike, whatever its length", _per_episode),
    ),
    reference=_right,
)
