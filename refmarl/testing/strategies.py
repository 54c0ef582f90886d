"""Hypothesis strategies for games and profiles.

Payoffs are small integers unless said otherwise: ties, dominated actions, degenerate and
one-action games then come by themselves, and every failing example can be read.

Examples
--------
>>> from hypothesis import given, settings
>>> from refmarl.games import expected_utility
>>> @settings(max_examples=20, database=None)
... @given(games_with_profiles())
... def law(case):
...     game, profile = case
...     assert expected_utility(game, profile).shape == (game.num_players,)
>>> law()
"""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ..check import Array, Profile
from ..games import NormalForm

INTEGERS = st.integers(-4, 4).map(float)
REALS = st.floats(-10, 10, allow_nan=False, width=32)


def shapes(
    min_players: int = 1, max_players: int = 4, max_actions: int = 3
) -> st.SearchStrategy[tuple[int, ...]]:
    """(A_1, …, A_n)."""
    sizes = st.integers(1, max_actions)
    return st.lists(sizes, min_size=min_players, max_size=max_players).map(tuple)


@st.composite
def games(
    draw: st.DrawFn,
    min_players: int = 2,
    max_players: int = 4,
    max_actions: int = 3,
    elements: st.SearchStrategy[float] = INTEGERS,
) -> NormalForm:
    """Games of ``min_players`` to ``max_players`` players, each with 1 to ``max_actions``."""
    sizes = draw(shapes(min_players, max_players, max_actions))
    return NormalForm(draw(arrays(float, (len(sizes), *sizes), elements=elements)))


def bimatrix_games(
    max_actions: int = 3, elements: st.SearchStrategy[float] = INTEGERS
) -> st.SearchStrategy[NormalForm]:
    """Games of two players."""
    return games(2, 2, max_actions, elements)


@st.composite
def matrices(
    draw: st.DrawFn, max_actions: int = 4, elements: st.SearchStrategy[float] = INTEGERS
) -> Array:
    """Payoff matrices (m, n) of the row player."""
    shape = draw(st.tuples(st.integers(1, max_actions), st.integers(1, max_actions)))
    matrix: Array = draw(arrays(float, shape, elements=elements))
    return matrix


@st.composite
def mixtures(draw: st.DrawFn, size: int) -> Array:
    """A mixed strategy (size,): pure, sparse and full ones."""
    weights = draw(arrays(float, size, elements=st.integers(0, 5).map(float)))
    if weights.sum() == 0:
        weights = np.eye(size)[draw(st.integers(0, size - 1))]
    mixture: Array = weights / weights.sum()
    return mixture


@st.composite
def profiles(draw: st.DrawFn, game: NormalForm) -> Profile:
    """A profile of mixed strategies of ``game``."""
    return tuple(draw(mixtures(k)) for k in game.num_actions)


@st.composite
def games_with_profiles(
    draw: st.DrawFn,
    min_players: int = 1,
    max_players: int = 4,
    max_actions: int = 3,
    elements: st.SearchStrategy[float] = INTEGERS,
) -> tuple[NormalForm, Profile]:
    """(game, profile)."""
    game = draw(games(min_players, max_players, max_actions, elements))
    return game, draw(profiles(game))


def joint_distributions(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """A distribution over joint actions, shape (A_1, …, A_n)."""
    return mixtures(int(np.prod(shape))).map(lambda p: p.reshape(shape))
