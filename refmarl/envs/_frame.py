"""What a step of every environment has around its rules: room for what follows, clock and ends."""

import numpy as np

from ..check import Array
from ..env_api import INT, Segment
from ..kernels._jit import kernel
from ..value_grad import Real

STEPS = ("steps until truncation; 0 for none", "[0, 1e9]")


def room(size: int, agents: int) -> tuple[Real, Array, Real]:
    """Room for what a step of B copies of N agents leads to, for a kernel to fill in.

    t (B,), rewards (B, N), and flags (3, B): terminated, truncated, ended.
    """
    return np.empty(size, INT), np.empty((size, agents)), np.empty((3, size), bool)


def lines(rows: int, columns: int) -> list[Segment]:
    """The edges of a grid of cells, for a scene."""
    wide, high = float(columns), float(rows)
    across = [Segment((0.0, float(k)), (wide, float(k))) for k in range(rows + 1)]
    return across + [Segment((float(k), 0.0), (float(k), high)) for k in range(columns + 1)]


@kernel
def close(b: int, t: Real, over: bool, horizon: int, t_next: Real, flags: Real) -> None:
    """Count copy b's step; it has terminated if it is ``over``, else the horizon may cut it."""
    t_next[b] = t[b] + 1
    late = 0 < horizon <= t_next[b] and not over
    flags[0, b], flags[1, b], flags[2, b] = over, late, over or late
