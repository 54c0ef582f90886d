"""What a test of exercise 3.5, GAE, must do: reject the wrong answers, accept the right ones."""

from typing import Any

import numpy as np

from ...spec import Mistake
from .._tests import small, tests_of
from .e05_gae import SPEC as GAE


def _forwards(
    reward: Any, value: Any, next_value: Any, terminated: Any, truncated: Any,
    gamma: float, lam: float,
) -> Any:  # fmt: skip
    """Each error is handed to the rows before it; lists are returned."""
    reward = np.asarray(reward, dtype=float)
    found, trace = np.zeros(reward.shape), np.zeros(reward.shape)
    for t in range(len(reward)):
        trace[t] = 1.0
        follow = gamma * np.where(terminated[t], 0.0, next_value[t])
        found += trace * (reward[t] + follow - value[t])
        trace = trace * gamma * lam * ~(np.asarray(terminated[t]) | np.asarray(truncated[t]))
    return found.tolist()


def _plain(steps: int = 2, lam: float = 0.5) -> tuple[Any, ...]:
    no = np.zeros((steps, 1), dtype=bool)
    reward = np.arange(1.0, 1.0 + steps)[:, None]
    return reward, reward / 4, reward / 2, no, no, 0.5, lam


def _want(*given: Any) -> Any:
    return np.array(_forwards(*given))


def _accepts_all(gae: Any) -> None:
    gae(*_plain())


def _rejects_all(gae: Any) -> bool:
    gae(*_plain())
    return False


def _shape_only(gae: Any) -> None:
    assert np.shape(gae(*_plain())) == (2, 1)


def _one_case(gae: Any) -> None:
    assert np.allclose(gae(*_plain()), _want(*_plain()))


def _without_decay(gae: Any) -> None:
    assert np.allclose(gae(*_plain(lam=0.0)), _want(*_plain(lam=0.0)))


def _arrays_only(gae: Any) -> None:
    assert isinstance(gae(*_plain()), np.ndarray)


SPEC = tests_of(
    GAE,
    label="tests-gae",
    function="check_gae",
    rights=(("forwards, as lists", small(_forwards)),),
    mistakes=(
        Mistake("everything is accepted", _accepts_all),
        Mistake("everything is rejected", _rejects_all),
        Mistake("only the shape is looked at", _shape_only),
        Mistake("no episode ends in the one case that is tried", _one_case),
        Mistake("only lam = 0 is tried", _without_decay),
        Mistake("right answers that are lists are rejected", _arrays_only),
    ),
)
