"""Checks of the tables of a Markov game or decision process."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import check
from ..check import Array, InputError

ROW_TOLERANCE = 1e-9  # by how much a row of probabilities may miss 1
ROUNDING = 1e-12  # a row that misses 1 by less is left as it is
LEAST_LOSS = 1e-9  # of 1 - γ: nearer to 1 a value has no digits left


def table(values: Any, name: str) -> Array:
    """A new table of finite numbers, below the cap."""
    if isinstance(values, np.ndarray):
        _cap(values.shape, name)
    found = check.real_array(values, name)
    _cap(found.shape, name)
    return found


def _cap(shape: Sequence[int], name: str) -> None:
    """Refuse more than the cap's entries."""
    entries = 1
    for k in shape:
        entries *= int(k)
    if entries > check.MAX_ENTRIES:
        text = " × ".join(str(k) for k in shape)
        raise InputError(f"{name}: {text} = {entries} entries; the cap is {check.MAX_ENTRIES}")


def stochastic(rows: Array, name: str) -> Array:
    """``rows`` with every row, over the last axis, a distribution, made to sum to 1."""
    total = rows.sum(axis=-1, keepdims=True)
    error = np.abs(total - 1.0)
    if (rows < 0.0).any() or (error > ROW_TOLERANCE).any():
        raise InputError(
            f"{name}: need probabilities ≥ 0 that sum to 1; got smallest {rows.min():g}, "
            f"sum {total.flat[np.argmax(error)]:.12g}"
        )
    return rescaled(rows, total)


def rescaled(rows: Array, total: Array) -> Array:
    """Rows divided by their sums, but for those that are 1 already: twice is the same as once."""
    return np.where(np.abs(total - 1.0) > ROUNDING, rows / total, rows)


def discount(gamma: Any) -> float:
    """γ as a float, in [0, 1)."""
    number = int | float | np.integer | np.floating
    if isinstance(gamma, bool) or not isinstance(gamma, number):
        raise InputError(f"gamma: need a number in [0, 1), got {gamma!r}")
    if not 0.0 <= gamma <= 1.0 - LEAST_LOSS:
        raise InputError(f"gamma: need 0 ≤ γ ≤ 1 - {LEAST_LOSS:g}, got {gamma!r}")
    return float(gamma)


def names(given: Sequence[Any], size: int, name: str) -> tuple[str, ...]:
    """The names given, or "1", "2", …"""
    found = tuple(str(x) for x in given) or tuple(str(k + 1) for k in range(size))
    if len(found) != size:
        raise InputError(f"{name}: need {size} names, got {len(found)}")
    return found


def discounted_sum(chain: Array, gamma: float, reward: Array) -> Array:
    """Σ_t γ^t chain^t reward, shape of ``reward`` (S, …): the solution of v = reward + γ chain v.

    I - γ chain is invertible because γ < 1: its smallest row is dominated by the diagonal.
    """
    return np.array(np.linalg.solve(np.eye(len(chain)) - gamma * chain, reward), dtype=float)
