"""What a test of exercise 4.1 must do: reject wrong n-step returns, accept right ones."""

from typing import Any

import numpy as np

from ...spec import Mistake
from .._tests import small, tests_of
from .e01_n_step_return import SPEC as RETURNS


def _by_sweeps(
    reward: Any, next_value: Any, terminated: Any, truncated: Any, gamma: float, n: int
) -> Any:
    """G of one step more, again and again; lists are returned."""
    reward = np.asarray(reward, dtype=float)
    over, ended = np.asarray(terminated), np.asarray(terminated) | np.asarray(truncated)
    found = reward + gamma * np.where(over, 0.0, next_value)
    for _ in range(min(int(n), len(reward)) - 1):
        later = reward[:-1] + gamma * found[1:]
        found = np.vstack([np.where(ended[:-1], found[:-1], later), found[-1:]])
    return found.tolist()


def _plain(n: int) -> tuple[Any, ...]:
    no = np.zeros((3, 1), dtype=bool)
    reward = np.array([[1.0], [2.0], [3.0]])
    return reward, 8.0 + 0.0 * reward, no, no, 0.5, n


def _accepts_all(n_step_return: Any) -> None:
    n_step_return(*_plain(2))


def _rejects_all(n_step_return: Any) -> bool:
    n_step_return(*_plain(2))
    return False


def _shape_only(n_step_return: Any) -> None:
    assert np.shape(n_step_return(*_plain(2))) == (3, 1)


def _one_case(n_step_return: Any) -> None:
    assert np.allclose(n_step_return(*_plain(2)), [[4.0], [5.5], [7.0]])


def _one_step(n_step_return: Any) -> None:
    assert np.allclose(n_step_return(*_plain(1)), [[5.0], [6.0], [7.0]])


def _arrays_only(n_step_return: Any) -> None:
    assert isinstance(n_step_return(*_plain(2)), np.ndarray)


SPEC = tests_of(
    RETURNS,
    label="tests-n-step-return",
    function="check_n_step_return",
    rights=(("by sweeps, as lists", small(_by_sweeps)),),
    mistakes=(
        Mistake("everything is accepted", _accepts_all),
        Mistake("everything is rejected", _rejects_all),
        Mistake("only the shape is looked at", _shape_only),
        Mistake("no episode ends in the one case that is tried", _one_case),
        Mistake("only n = 1 is tried", _one_step),
        Mistake("right answers that are lists are rejected", _arrays_only),
    ),
)
