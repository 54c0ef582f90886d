"""What a mended piece 8 of the museum must satisfy: each is paid for its own speed."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import SEEDS, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    speed: Any
    crashed: Any
    slow: float
    fast: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two to five vehicles, some of them crashed, some slower or faster than what is paid."""
    rng = np.random.default_rng(draw(SEEDS))
    count = draw(st.integers(2, 5))
    return Case(rng.integers(15, 36, count) * 1.0, rng.random(count) < 0.3, 20.0, 30.0)


def _right(speed: Any, crashed: Any, slow: float, fast: float) -> Any:
    share = np.clip((speed - slow) / (fast - slow), 0.0, 1.0)
    return np.where(crashed, -1.0, share)


def _plain(case: Case) -> Case:
    return case._replace(speed=np.full(len(case.speed), case.speed[0]))


def _own(answer: Answer, case: Case) -> None:
    """The first drives at full speed, one after the other joins it."""
    nobody = np.zeros(len(case.speed), dtype=bool)
    for k in range(len(nobody)):
        speed = np.full(len(nobody), case.slow)
        speed[: k + 1] = case.fast
        want = (speed == case.fast) * 1.0
        close(answer(speed, nobody, case.slow, case.fast), want, f"the rewards at speeds {speed}")


def _first(speed: Any, crashed: Any, slow: float, fast: float) -> Any:
    return _right(speed[0] + 0.0 * speed, crashed, slow, fast)


def _mean(speed: Any, crashed: Any, slow: float, fast: float) -> Any:
    return _right(speed.mean() + 0.0 * speed, crashed, slow, fast)


def _anybody(speed: Any, crashed: Any, slow: float, fast: float) -> Any:
    return _right(speed, crashed | crashed.any(), slow, fast)


def _uncut(speed: Any, crashed: Any, slow: float, fast: float) -> Any:
    return np.where(crashed, -1.0, (speed - slow) / (fast - slow))


def _added(speed: Any, crashed: Any, slow: float, fast: float) -> Any:
    return _right(speed, crashed & False, slow, fast) - crashed


SPEC = Spec(
    exercise="museum-first-vehicle",
    function="speed_rewards",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where all drive alike the rewards are what they were",
            "Crashes and the cut at 0 and 1 were right.",
        ),
        (
            "each reward depends on the speed of its own vehicle",
            "Exchange the speeds of two vehicles: their rewards should be exchanged.",
        ),
        (
            "who drives fast is paid, who is slow is not, whoever else drives",
            "Whose speed is it in the loop?",
            _own,
        ),
    ),
    mistakes=(
        Mistake("everybody is paid for the first one's speed", _first),
        Mistake("everybody is paid for the mean speed", _mean),
        Mistake("one crash punishes all", _anybody),
        Mistake("the share is not cut off at 0 and 1", _uncut),
        Mistake("a crash is subtracted from the reward for speed", _added),
    ),
    reference=_right,
)
