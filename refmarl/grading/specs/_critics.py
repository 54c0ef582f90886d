"""Laws that exercises on critics share: an answer is (loss, y, dq), y from rewards and ends."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...check import Array
from ..spec import Answer, close, need, shaped


def parts(answer: Answer, case: Any) -> tuple[float, Array, Array]:
    """What the answer gives: a number, y like ``case.reward``, dq like ``case.q``."""
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (loss, y, dq), got {found!r:.60}")
    need(len(found) == 3, f"need (loss, y, dq), got {len(found)} things")
    shaped(found[0], (), "loss")
    shaped(found[1], case.reward.shape, "y")
    shaped(found[2], case.q.shape, "dq")
    return float(found[0]), np.asarray(found[1], float), np.asarray(found[2], float)


def shape(answer: Answer, case: Any) -> None:
    """The law that there are three things of the right shapes."""
    parts(answer, case)


def terminal(answer: Answer, case: Any) -> None:
    """The law that nothing follows a termination."""
    y, over = parts(answer, case)[1], case.terminated
    close(y[over], case.reward[over], "y where the episode terminated: the reward alone")


def truncated(target: Callable[[Any], Array]) -> Callable[[Answer, Any], None]:
    """The law that what follows a truncation counts, y as ``target`` has it."""

    def law(answer: Answer, case: Any) -> None:
        y, cut = parts(answer, case)[1], case.truncated
        close(y[cut], target(case)[cut], "y where only the clock cut")

    return law
