"""Checks of the numbers that make a game of a family."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError


def number(value: Any, name: str) -> float:
    """A parameter that is a finite real number."""
    return float(check.real_array(value, name, 0))


def count(value: Any, name: str, least: int, most: int) -> int:
    """A parameter that is a whole number in least..most."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"{name}: need a whole number in {least}..{most}, got {value!r}")
    if not least <= value <= most:
        raise InputError(f"{name}: need a whole number in {least}..{most}, got {value}")
    return int(value)


def odd(value: Any, name: str, least: int, most: int) -> int:
    """A parameter that is an odd whole number in least..most."""
    if count(value, name, least, most) % 2 == 0:
        raise InputError(f"{name}: need an odd number, got {value}")
    return int(value)


def increasing(values: Any, name: str, least: float = 0.0) -> Array:
    """A grid (K,): numbers that grow, the first not below ``least``."""
    grid = check.real_array(values, name, 1)
    if (np.diff(grid) <= 0.0).any() or grid[0] < least:
        raise InputError(f"{name}: need growing numbers from {least:g} on, got {grid.tolist()}")
    return grid


def joint_actions(sizes: Sequence[int]) -> NDArray[np.int64]:
    """a_i of each joint action, shape (n, A_1, …, A_n)."""
    check.size_cap((len(sizes), *sizes), "payoffs")
    return np.indices(tuple(sizes))
