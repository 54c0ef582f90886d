"""Hypothesis strategies for what trajectories of rewards, values and episode ends look like.

Axes: T steps, M streams.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from ..value_grad import Real

SEEDS = st.integers(0, 2**32)
UNIT = st.sampled_from([0.0, 0.3, 0.5, 0.9, 0.99, 1.0])  # γ and λ


class Streams(NamedTuple):
    """Arguments of ``gae``; ``next_value`` is the value one row below, except at a cut."""

    reward: Real  # (T, M)
    value: Real  # (T, M)
    next_value: Real  # (T, M)
    terminated: Real  # (T, M) of bool
    ended: Real  # (T, M) of bool
    gamma: float
    lam: float


def make(seed: int, steps: int, width: int, gamma: float, lam: float, ends: float) -> Streams:
    """Normal rewards and values; a step ends its episode with probability ``ends``.

    Half of the ends are terminations, the others truncations.
    """
    rng = np.random.default_rng(seed)
    shape = (steps, width)
    reward, value, beyond = rng.standard_normal((3, *shape))
    ended = rng.random(shape) < ends
    terminated = ended & (rng.random(shape) < 0.5)
    below = np.concatenate([value[1:], beyond[-1:]])
    after = np.where(ended, beyond, below)
    return Streams(reward, value, after, terminated, ended, gamma, lam)


def streams(max_steps: int = 9, max_width: int = 3) -> st.SearchStrategy[Streams]:
    """Streams of one row and more, from never ending to ending at every step."""
    steps, width = st.integers(1, max_steps), st.integers(1, max_width)
    ends = st.sampled_from([0.0, 0.25, 0.7, 1.0])
    return st.builds(make, SEEDS, steps, width, UNIT, UNIT, ends)


def stop(case: Streams, t: int, m: int) -> int:
    """The last row that belongs to row t of stream m: an episode's end, or the last of all."""
    while not case.ended[t, m] and t < len(case.reward) - 1:
        t += 1
    return t


def places(case: Streams) -> Iterator[tuple[int, ...]]:
    """(t, m) of every number."""
    return np.ndindex(case.reward.shape)
