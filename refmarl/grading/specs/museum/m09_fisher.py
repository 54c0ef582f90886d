"""What a mended piece 9 of the museum must satisfy: the mean of squares."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import SEEDS, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    gradients: Any


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two to six samples, one to four weights."""
    rng = np.random.default_rng(draw(SEEDS))
    return Case(halves(rng, draw(st.integers(2, 6)), draw(st.integers(1, 4))))


def _right(gradients: Any) -> Any:
    return np.array([sum(float(g) ** 2 for g in column) / len(column) for column in gradients.T])


def _plain(case: Case) -> Case:
    return Case(np.repeat(case.gradients[:1], len(case.gradients), axis=0))


def _cancel(answer: Answer, case: Case) -> None:
    g = 1.0 + np.abs(case.gradients[0])
    close(answer(np.stack([g, -g])), g**2, f"the answer for the gradients {g} and {-g}")


def _square_of_mean(gradients: Any) -> Any:
    return gradients.mean(axis=0) ** 2


def _summed(gradients: Any) -> Any:
    return (gradients**2).sum(axis=0)


def _variance(gradients: Any) -> Any:
    return gradients.var(axis=0)


def _absolute(gradients: Any) -> Any:
    return np.abs(gradients).mean(axis=0)


def _over_weights(gradients: Any) -> Any:
    return np.full(gradients.shape[1], (gradients**2).mean())


SPEC = Spec(
    exercise="museum-fisher-of-the-mean",
    function="fisher_diagonal",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where all samples agree the answer is what it was",
            "The axis was right: one number for each weight.",
        ),
        (
            "it is the mean over the samples of the squared gradients",
            "Do it by hand for one weight and the gradients 1 and 3.",
        ),
        (
            "gradients that point against each other do not cancel",
            "What comes first, the square or the mean?",
            _cancel,
        ),
    ),
    mistakes=(
        Mistake("the mean is squared", _square_of_mean),
        Mistake("the squares are summed", _summed),
        Mistake("the mean is taken off: a variance", _variance),
        Mistake("sizes are averaged, not squares", _absolute),
        Mistake("all weights are given the same number", _over_weights),
    ),
    reference=_right,
)
