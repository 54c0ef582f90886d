"""Hypothesis strategies for games and profiles, Markov games and policies.

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
from ..games.markov import MarkovGame

INTEGERS = st.integers(-4, 4).map(float)
REALS = st.floats(-10, 10, allow_nan=False, width=32)
DISCOUNTS = st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.99])


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


@st.composite
def stochastic_tables(draw: st.DrawFn, shape: tuple[int, ...]) -> Array:
    """A table whose rows, over the last axis, are distributions: certain, sparse and full ones."""
    weights = draw(arrays(float, shape, elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 5.0])))
    preferred = draw(arrays(int, shape[:-1], elements=st.integers(0, shape[-1] - 1)))
    weights += np.eye(shape[-1])[preferred]
    table: Array = weights / weights.sum(axis=-1, keepdims=True)
    return table


@st.composite
def markov_games(
    draw: st.DrawFn,
    min_players: int = 1,
    max_players: int = 3,
    max_actions: int = 3,
    max_states: int = 3,
    elements: st.SearchStrategy[float] = INTEGERS,
    zero_sum: bool = False,
) -> MarkovGame:
    """Markov games; with ``zero_sum`` the rewards of all players add up to 0."""
    sizes = draw(shapes(min_players, max_players, max_actions))
    states = draw(st.integers(1, max_states))
    reward = draw(arrays(float, (len(sizes), states, *sizes), elements=elements))
    if zero_sum:
        reward[-1] = -reward[:-1].sum(axis=0)
    return MarkovGame(
        draw(stochastic_tables((states, *sizes, states))),
        reward,
        draw(DISCOUNTS),
        initial=draw(mixtures(states)),
    )


@st.composite
def policies(draw: st.DrawFn, game: MarkovGame) -> Profile:
    """A policy (S, A_i) of every player: pure, sparse and full in each state."""
    return tuple(draw(stochastic_tables((game.num_states, k))) for k in game.num_actions)


@st.composite
def markov_games_with_policies(
    draw: st.DrawFn,
    min_players: int = 1,
    max_players: int = 3,
    max_actions: int = 3,
    max_states: int = 3,
    elements: st.SearchStrategy[float] = INTEGERS,
) -> tuple[MarkovGame, Profile]:
    """(game, policies)."""
    game = draw(markov_games(min_players, max_players, max_actions, max_states, elements))
    return game, draw(policies(game))


@st.composite
def seeded_markov_games_with_policies(
    draw: st.DrawFn, max_players: int = 3, max_actions: int = 3, max_states: int = 3
) -> tuple[MarkovGame, Profile]:
    """(game, policies): sizes are drawn, and shrink; numbers come from a seed, which is quick."""
    sizes = draw(shapes(1, max_players, max_actions))
    states, gamma = draw(st.integers(1, max_states)), draw(DISCOUNTS)
    rng = np.random.default_rng(draw(st.integers(0, 999)))

    def table(*shape: int) -> Array:
        weights = rng.integers(0, 4, size=shape) * (rng.random(shape) < 0.6).astype(float)
        weights += np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
        rows: Array = weights / weights.sum(axis=-1, keepdims=True)
        return rows

    reward: Array = rng.integers(-4, 5, size=(len(sizes), states, *sizes)).astype(float)
    game = MarkovGame(table(states, *sizes, states), reward, gamma, initial=table(states))
    return game, tuple(table(states, k) for k in sizes)


@st.composite
def games_with_logits(
    draw: st.DrawFn, max_players: int = 3, max_actions: int = 3, max_states: int = 3
) -> tuple[MarkovGame, Profile, list[list[int]] | None]:
    """(game, logits (O_i, A_i), what is seen): all states, or observations that they may share."""
    game, _ = draw(seeded_markov_games_with_policies(max_players, max_actions, max_states))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    n, states = game.num_players, game.num_states
    seen = draw(st.none() | st.just([rng.integers(0, states, states).tolist() for _ in range(n)]))
    logits = tuple(rng.normal(size=(states, k)) for k in game.num_actions)
    return game, logits, seen
