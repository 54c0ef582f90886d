"""Cases that can be checked by hand, and what the pieces share."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...spec import PURE, Answer, Property, close, shaped

SEEDS = st.integers(0, 2**32)
GAMMAS = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def halves(rng: np.random.Generator, *shape: int) -> Any:
    """Multiples of 1/2 from -3 to 3."""
    return rng.integers(-6, 7, shape) / 2


def ends(rng: np.random.Generator, *shape: int) -> tuple[Any, Any]:
    """(terminated, truncated), never both, at a third of the steps; the last row may go on."""
    draw = rng.random(shape)
    return draw < 1 / 6, draw > 5 / 6


def laws(
    reference: Answer,
    plain: Callable[[Any], Any] | None,
    shown: tuple[str, str] | None,
    always: tuple[str, str],
    repaired: tuple[str, str, Callable[[Answer, Any], None]],
) -> tuple[Property, ...]:
    """The laws of a piece.

    ``plain`` makes a case on which the bug does not show, if there is any: there the function was
    right, and has to stay so. That is a gate, like the shape; what the bug breaks earns the points.
    """

    def kind(answer: Answer, case: Any) -> None:
        want = np.asarray(reference(*case))
        shaped(answer(*case), want.shape, "the answer")

    def kept(answer: Answer, case: Any) -> None:
        easy = plain(case) if plain else case
        close(answer(*easy), reference(*easy), "the answer where nothing was wrong")

    def right(answer: Answer, case: Any) -> None:
        close(answer(*case), reference(*case), "the answer")

    says, hint, check = repaired
    return (
        Property("the answer has its shape", kind, "Mend the line, keep the rest.", gate=True),
        *([Property(shown[0], kept, shown[1], gate=True)] if shown else []),
        Property(says, check, hint),
        Property(always[0], right, always[1]),
        *PURE,
    )
