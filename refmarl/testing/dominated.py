"""Hypothesis strategies for games with dominated actions: rare in games drawn at random.

Examples
--------
>>> from hypothesis import given, settings
>>> from refmarl.games.dominance import iterated_elimination
>>> @settings(max_examples=10, database=None)
... @given(dominated_games())
... def law(case):
...     small, large = case
...     assert iterated_elimination(large).kept == iterated_elimination(small).kept
>>> law()
"""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ..check import Array
from ..games import NormalForm
from .strategies import INTEGERS, games

WEIGHTS = (0.0, 0.25, 0.5, 0.75)  # with integer payoffs every sum below is exact
LOSSES = (0.25, 0.5, 1.0)


@st.composite
def dominated_games(
    draw: st.DrawFn,
    min_players: int = 2,
    max_players: int = 4,
    max_actions: int = 3,
    most: int = 3,
    losses: tuple[float, ...] = LOSSES,
) -> tuple[NormalForm, NormalForm]:
    """(small, large): the large game has up to ``most`` actions more, put in one after the other.

    Each new action of its player pays a mixture of two older ones less a constant out of
    ``losses``, while the others get anything there. With positive losses the new actions fall in
    the opposite order, so both games have the same outcome of iterated strict dominance. With a
    loss of 0 the new action is no better than a mixture but not strictly dominated by it.
    """
    small = draw(games(min_players, max_players, max_actions))
    payoffs = small.payoffs
    for _ in range(draw(st.integers(1, most))):
        payoffs = _grown(draw, payoffs, draw(st.sampled_from(losses)))
    return small, NormalForm(payoffs)


def _grown(draw: st.DrawFn, payoffs: Array, loss: float) -> Array:
    """``payoffs`` with one action more for one player."""
    i = draw(st.integers(0, len(payoffs) - 1))
    actions = st.integers(0, payoffs.shape[i + 1] - 1)
    weight = draw(st.sampled_from(WEIGHTS))
    a, b = (np.take(payoffs[i], draw(actions), axis=i) for _ in range(2))
    new: Array = 3.0 * draw(arrays(float, (len(payoffs), *a.shape), elements=INTEGERS))
    new[i] = weight * a + (1 - weight) * b - loss
    grown: Array = np.concatenate([payoffs, np.expand_dims(new, i + 1)], axis=i + 1)
    return grown
