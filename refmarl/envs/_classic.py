"""What the classic control tasks share: a vector of physical numbers, a clock, an end."""

from typing import NamedTuple

import numpy as np

from ..check import Array
from ..env_api import Step
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real

Outcome = tuple[Array, Real, Array, Real, Real, Real]


class State(NamedTuple):
    """B copies of one body."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    x: Array  # (B, numbers of the body)


def begin(key: Real, low: Array, high: Array) -> State:
    """Every number k uniform in [low_k, high_k)."""
    x = np.empty((len(key), len(low)))
    _fill(key, low, high, x)
    return State(key, np.zeros(len(key), dtype=np.int64), np.zeros(len(key), dtype=bool), x)


def blank(state: State) -> Outcome:
    """Room for (x', t', reward, terminated, truncated, ended), for a kernel to fill."""
    size, width = state.x.shape
    terminated, truncated, ended = np.empty((3, size), dtype=bool)
    t = np.empty(size, dtype=np.int64)
    return np.empty((size, width)), t, np.empty((size, 1)), terminated, truncated, ended


def outcome(state: State, filled: Outcome) -> tuple[State, Step]:
    """What a step returns."""
    x, t, reward, terminated, truncated, ended = filled
    return State(state.key, t, ended, x), Step((reward,), terminated, truncated)


@kernel
def _fill(key: Real, low: Array, high: Array, x: Array) -> None:
    for b in range(x.shape[0]):
        for k in range(x.shape[1]):
            x[b, k] = low[k] + (high[k] - low[k]) * uniform(key[b], 0, k)
