"""What a test of exercise 1.3 must do: reject wrong regrets, accept right ones."""

from typing import Any

import numpy as np

from ...spec import Mistake
from .._tests import small, tests_of
from .e03_nash import SPEC as REGRETS


def _by_einsum(payoffs: Any, profile: Any) -> Any:
    """One index for each player's actions; a list is returned."""
    n, found = len(profile), []
    for i in range(n):
        operands: list[Any] = [np.asarray(payoffs)[i], list(range(n))]
        for j in range(n):
            operands += [np.asarray(profile[j]), [j]] if j != i else []
        values = np.einsum(*operands, [i])
        found.append(float(np.dot(profile[i], values.max() - values)))
    return found


PENNIES = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
HEADS = [np.array([1.0, 0.0])] * 2
EVEN = [np.array([0.5, 0.5])] * 2


def _accepts_all(regrets: Any) -> None:
    regrets(PENNIES, HEADS)


def _rejects_all(regrets: Any) -> bool:
    regrets(PENNIES, HEADS)
    return False


def _shape_only(regrets: Any) -> None:
    assert np.shape(regrets(PENNIES, HEADS)) == (2,)


def _equilibrium_only(regrets: Any) -> None:
    assert np.allclose(regrets(PENNIES, EVEN), 0.0)


def _sign_only(regrets: Any) -> None:
    assert (np.asarray(regrets(PENNIES, HEADS)) >= 0).all()


def _arrays_only(regrets: Any) -> None:
    assert isinstance(regrets(PENNIES, HEADS), np.ndarray)


SPEC = tests_of(
    REGRETS,
    label="tests-nash",
    function="check_regrets",
    rights=(("by einsum, as a list", small(_by_einsum)),),
    mistakes=(
        Mistake("everything is accepted", _accepts_all),
        Mistake("everything is rejected", _rejects_all),
        Mistake("only the shape is looked at", _shape_only),
        Mistake("only an equilibrium is tried", _equilibrium_only),
        Mistake("only the sign is looked at", _sign_only),
        Mistake("right answers that are lists are rejected", _arrays_only),
    ),
)
