"""Hypothesis strategies for zero-sum Markov games of two players.

Examples
--------
>>> from hypothesis import given, settings
>>> @settings(max_examples=20, database=None)
... @given(tables())
... def law(case):
...     assert case.transition.shape == (*case.reward.shape, len(case.reward))
>>> law()
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ..check import Array
from ..games.markov import MarkovGame

GAMMAS = (0.0, 0.3, 0.5, 0.9)


class Tables(NamedTuple):
    """A zero-sum Markov game in plain arrays."""

    transition: Array  # P(s'|s, a, b), (S, A, B, S)
    reward: Array  # what the column player pays to the row player, (S, A, B)
    gamma: float

    @property
    def game(self) -> MarkovGame:
        """The same, with both players' rewards."""
        return MarkovGame(self.transition, np.stack([self.reward, -self.reward]), self.gamma)


@st.composite
def tables(
    draw: st.DrawFn,
    max_states: int = 3,
    max_actions: int = 3,
    gammas: tuple[float, ...] = GAMMAS,
    rows: int | None = None,
    columns: int | None = None,
    certain: bool = False,
) -> Tables:
    """1 to ``max_states`` states, 1 to ``max_actions`` actions; many with ties, or absorbing.

    ``rows`` and ``columns`` fix the numbers of actions; ``certain`` makes transitions certain.
    """
    S, sizes = draw(st.integers(1, max_states)), st.integers(1, max_actions)
    A, B = rows or draw(sizes), columns or draw(sizes)
    reward = draw(arrays(float, (S, A, B), elements=st.integers(-4, 4).map(float)))
    ends = draw(arrays(int, (S, A, B), elements=st.integers(0, S - 1)))
    transition = np.eye(S)[ends]
    if not certain:
        weights = draw(arrays(float, (S, A, B, S), elements=st.sampled_from([0.0, 1.0, 3.0])))
        transition += weights
        transition /= transition.sum(axis=-1, keepdims=True)
    return Tables(transition, reward, draw(st.sampled_from(gammas)))


def values(num_states: int) -> st.SearchStrategy[Array]:
    """V (S,)."""
    return arrays(float, num_states, elements=st.integers(-12, 12).map(float))
