"""Markov games over T rounds: values, best responses and a team's optimum, by going backwards  [+].

    V_i,t(s) = Σ_a π(a|s) [R_i(s, a) + γ Σ_s' P(s'|s, a) V_i,t+1(s')],   V_i,T = 0

Policies are stationary here, as learnt ones are; who deviates may count the rounds. What a best
response gains is added up from what is missed in each round, so that no term is negative and who
plays best responses has regret 0 exactly (Kakade & Langford 2002).

Axes: n players, S states, A_i actions of player i, T rounds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import check
from ..check import Array
from .dec_pomdp import horizon_discount
from .induced import induced_mdp
from .markov import MarkovGame, joint_dynamics

MAX_ROUNDS = 100_000


def finite_value(
    game: MarkovGame, policies: Sequence[Any], rounds: int, gamma: float = 1.0
) -> Array:
    """Σ_{t<T} γ^t R_i expected, from the first state on, (n,); the game's own γ is not used.

    Raises
    ------
    InputError
        If a policy does not fit, there is no round, or γ is not in [0, 1].

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(finite_value(game, ([[1, 0]], [[1, 0]]), 3))
    [6. 6.]
    """
    chain, reward = joint_dynamics(game, policies)
    weight, found = horizon_discount(gamma), np.zeros(game.num_players)
    where = game.initial
    for _ in range(check.positive(rounds, "rounds", MAX_ROUNDS)):
        found += reward @ where
        where = weight * (where @ chain)
    return found


def finite_regrets(
    game: MarkovGame, policies: Sequence[Any], rounds: int, gamma: float = 1.0
) -> Array:
    """What each player's best response would gain over T rounds, (n,), ≥ 0.

    Arguments and errors are those of :func:`finite_value`.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(finite_regrets(game, ([[1, 0]], [[0, 1]]), 3))
    [3. 6.]
    """
    pi, weight = game.policies(policies), horizon_discount(gamma)
    total = check.positive(rounds, "rounds", MAX_ROUNDS)
    chain, _ = joint_dynamics(game, pi)
    check.size_cap((total, game.num_states), "rounds", "states")
    visits = np.empty((total, game.num_states))
    visits[0] = game.initial
    for t in range(1, total):
        visits[t] = weight * (visits[t - 1] @ chain)
    found = np.zeros(game.num_players)
    for i in range(game.num_players):
        mdp, best = induced_mdp(game, pi, i), np.zeros(game.num_states)
        for t in reversed(range(total)):
            q = mdp.reward + weight * (mdp.transition @ best)
            best = q.max(axis=1)
            found[i] += visits[t] @ (pi[i] * (best[:, None] - q)).sum(axis=1)
    return found


def finite_optimum(game: MarkovGame, rounds: int, gamma: float = 1.0) -> float:
    """The largest mean over the players of Σ_{t<T} γ^t R_i that any joint policy earns.

    Everybody sees the state, so that players who have agreed reach it apart. With equal rewards it
    is the team's optimum.

    Raises
    ------
    InputError
        If there is no round, or γ is not in [0, 1].

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> finite_optimum(game, 3)
    6.0
    """
    weight, size = horizon_discount(gamma), game.num_states
    team = game.reward.mean(axis=0).reshape(size, -1)
    moves = game.transition.reshape(size, -1, size)
    best = np.zeros(size)
    for _ in range(check.positive(rounds, "rounds", MAX_ROUNDS)):
        best = (team + weight * (moves @ best)).max(axis=1)
    return float(game.initial @ best)
