"""Hypothesis strategies for partially observed games and strategies in them.

Sizes are drawn and shrink; numbers come from a seed, which is quick. Tables are sparse, so that
some observations cannot occur.
"""

import numpy as np
from hypothesis import strategies as st

from ..check import Array
from ..games.dec_pomdp import Strategy
from ..games.markov import MarkovGame
from ..games.posg import POSG


def sparse_rows(rng: np.random.Generator, *shape: int) -> Array:
    """A table of distributions over its last axis, about half of the entries 0."""
    weights = rng.integers(0, 4, size=shape) * (rng.random(shape) < 0.6).astype(float)
    weights += np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
    rows: Array = weights / weights.sum(axis=-1, keepdims=True)
    return rows


@st.composite
def posgs(
    draw: st.DrawFn,
    max_players: int = 3,
    max_actions: int = 2,
    max_states: int = 3,
    max_observations: int = 2,
    team: bool = False,
) -> POSG:
    """Games of one player or more; signals of the players depend on each other."""
    sizes = draw(st.lists(st.integers(1, max_actions), min_size=1, max_size=max_players))
    signals = tuple(draw(st.integers(1, max_observations)) for _ in sizes)
    states = draw(st.integers(1, max_states))
    gamma = draw(st.sampled_from([0.0, 0.5, 0.9]))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    reward = rng.integers(-4, 5, size=(len(sizes), states, *sizes)).astype(float)
    if team:
        reward[:] = reward[0]
    game = MarkovGame(
        sparse_rows(rng, states, *sizes, states), reward, gamma, initial=sparse_rows(rng, states)
    )
    seen = sparse_rows(rng, states, *sizes, int(np.prod(signals)))
    return POSG(game, seen.reshape(states, *sizes, *signals))


@st.composite
def strategies(draw: st.DrawFn, posg: POSG, rounds: int) -> tuple[Strategy, ...]:
    """A strategy over ``rounds`` rounds for every player: pure, sparse and full rows."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    pairs = zip(posg.num_actions, posg.num_observations, strict=True)
    return tuple(tuple(sparse_rows(rng, o**t, k) for t in range(rounds)) for k, o in pairs)


@st.composite
def posgs_with_strategies(
    draw: st.DrawFn, rounds: int = 3, max_players: int = 3, max_actions: int = 2
) -> tuple[POSG, tuple[Strategy, ...]]:
    """(game, strategies)."""
    posg = draw(posgs(max_players, max_actions))
    return posg, draw(strategies(posg, rounds))
