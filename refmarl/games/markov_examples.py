"""Markov games with known values or known structure, and random ones.

Random games take their random generator first; the same seed gives the same game.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from .. import check
from ..check import Array, InputError
from .generators import common_interest_game, random_game, zero_sum_game
from .markov import MarkovGame, repeated
from .normal_form import NormalForm
from .stochastic.soccer import soccer as stochastic_soccer

KINDS = {"general": random_game, "team": common_interest_game, "zero-sum": zero_sum_game}


def random_markov_game(
    rng: np.random.Generator,
    num_states: int,
    shape: Sequence[int],
    gamma: float,
    kind: str = "general",
    concentration: float = 1.0,
) -> MarkovGame:
    """Rewards are whole numbers from -9 to 9; transitions are drawn from a Dirichlet distribution.

    Parameters
    ----------
    shape : (A_1, …, A_n)
    kind : "general" (all rewards independent), "team" (one for all) or "zero-sum" (sum 0)
    concentration : of the Dirichlet distribution: near 0 transitions are almost certain, 1 makes
        all distributions equally likely

    Raises
    ------
    InputError
        If a size is not positive or too large, or the kind is unknown.

    Examples
    --------
    >>> random_markov_game(np.random.default_rng(0), 3, (2, 2), 0.9).reward.shape
    (2, 3, 2, 2)
    """
    size = check.positive(num_states, "num_states")
    if kind not in KINDS:
        raise InputError(f"kind: need one of {', '.join(KINDS)}, got {kind!r}")
    if not concentration > 0.0:
        raise InputError(f"concentration: need a positive number, got {concentration!r}")
    check.size_cap((size, *shape, size), "transition")
    stages = [KINDS[kind](rng, shape).payoffs for _ in range(size)]
    weights = rng.standard_gamma(concentration, size=(size, *shape, size))
    weights[..., 0] += weights.sum(axis=-1) == 0.0  # all may underflow if concentration is tiny
    moves = weights / weights.sum(axis=-1, keepdims=True)
    return MarkovGame(moves, np.stack(stages, axis=1), gamma, title=f"random, {kind}")


def team_game(gamma: float, seed: int = 0, n: int = 2, m: int = 2, states: int = 3) -> MarkovGame:
    """A random team of n players with m actions each: :func:`random_markov_game` of this seed.

    Examples
    --------
    >>> bool((team_game(0.9, 1).transition == team_game(0.5, 1).transition).all())
    True
    """
    rng = check.seeded(seed)
    shape = (check.positive(m, "m"),) * check.positive(n, "n", 10)
    return random_markov_game(rng, check.positive(states, "states"), shape, gamma, "team")


def repeated_dilemma(gamma: float) -> MarkovGame:
    """The prisoner's dilemma again and again: payoffs 3, 0, 5, 1 (Axelrod 1984); one state.

    Without memory nobody can answer a defection: the only equilibrium in stationary policies is
    to defect always. Longer memories, as states, change that.
    """
    stage = NormalForm.bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]], title="Repeated dilemma")
    return repeated(stage, gamma)


def remembered_dilemma(gamma: float) -> MarkovGame:
    """The repeated dilemma where the state is what was last played: cc, cd, dc or dd.

    Grim trigger, which cooperates in cc alone, is an equilibrium exactly for γ ≥ 1/2: deviating
    once gains 5 - 3 and loses 3 - 1 ever after.
    """
    stage = repeated_dilemma(gamma).reward[:, 0]
    moves = np.zeros((4, 2, 2, 4))
    for a, b in product(range(2), repeat=2):
        moves[:, a, b, 2 * a + b] = 1.0
    return MarkovGame(
        moves,
        np.stack([stage] * 4, axis=1),
        gamma,
        initial=[1, 0, 0, 0],
        title="Dilemma with a memory of one round",
        states=("cc", "cd", "dc", "dd"),
    )


def two_step(gamma: float) -> MarkovGame:
    """A team's game of two steps: player 1 chooses between a sure 7 and a game that needs both.

    After its first action all joint actions pay 7; after its second the payoffs are 0, 1, 1 and 8,
    so that the best return is 8 (Rashid et al. 2018). A sum of values of each agent cannot tell.
    """
    moves, reward = np.zeros((4, 2, 2, 4)), np.zeros((4, 2, 2))
    moves[0, 0, :, 1] = moves[0, 1, :, 2] = 1.0
    moves[1:, ..., 3] = 1.0
    reward[1], reward[2] = 7.0, [[0.0, 1.0], [1.0, 8.0]]
    return MarkovGame(
        moves,
        np.stack([reward, reward]),
        gamma,
        initial=[1, 0, 0, 0],
        title="Two-step game",
        states=("choose", "sure", "both", "over"),
    )


def pennies_until_equal(gamma: float) -> MarkovGame:
    """Two pennies; once both show the same side player 1 gets 1 and all is over. Zero-sum.

    Both mix evenly. Half the time it ends, else it goes on: v = 1/2 + γ v/2, so v = 1/(2 - γ).
    """
    same = np.eye(2)
    moves = np.zeros((2, 2, 2, 2))
    moves[0, ..., 0], moves[0, ..., 1], moves[1, ..., 1] = 1 - same, same, 1.0
    return MarkovGame(
        moves,
        _zero_sum(np.stack([same, np.zeros((2, 2))])),
        gamma,
        initial=[1, 0],
        title="Pennies until they are equal",
        states=("play", "over"),
    )


def big_match(gamma: float) -> MarkovGame:
    """Player 2 names 0 or 1, player 1 guesses it and gets 1 if right; to guess 1 is for ever.

    After a guess of 1 the payoff stays what it was, 1 or 0 in every round (Gillette 1957). The
    value of a round, (1 - γ) v, is 1/2 for every γ; player 2 names both evenly, player 1 guesses 1
    with probability (1 - γ)/(2 - γ), so seldom that it vanishes with γ → 1 (Blackwell & Ferguson
    1968).
    """
    moves = np.zeros((3, 2, 2, 3))
    moves[0, 0, :, 0] = 1.0
    moves[0, 1, 0, 2] = moves[0, 1, 1, 1] = 1.0
    moves[1, ..., 1] = moves[2, ..., 2] = 1.0
    reward = np.stack([np.eye(2), np.ones((2, 2)), np.zeros((2, 2))])
    return MarkovGame(
        moves,
        _zero_sum(reward),
        gamma,
        initial=[1, 0, 0],
        title="Big match",
        states=("play", "won", "lost"),
    )


def pursuit(cells: int, gamma: float) -> MarkovGame:
    """On a ring, player 1 chases player 2; both stay or step left or right at once. Zero-sum.

    The state is how far player 2 is ahead, from 0 to ``cells`` - 1. Player 1 gets 1 in every round
    that begins in the same cell.
    """
    size = check.positive(cells, "cells")
    ahead, mine, theirs = np.ix_(range(size), (-1, 0, 1), (-1, 0, 1))
    moves = np.eye(size)[(ahead + theirs - mine) % size]
    reward = np.zeros((size, 3, 3))
    reward[0] = 1.0
    return MarkovGame(
        moves,
        _zero_sum(reward),
        gamma,
        title=f"Pursuit on a ring of {size}",
        states=tuple(str(k) for k in range(size)),
        players=("pursuer", "evader"),
    )


def soccer(gamma: float, rows: int = 2, columns: int = 3) -> MarkovGame:
    """Two players on a grid, one has the ball; who carries it over the far edge scores 1. Zero-sum.

    Both choose stay, north, south, east or west at once, and their moves are carried out in random
    order. To walk into the other's cell is no move, and the ball goes to the other. Player 1 scores
    by stepping east from the last column, player 2 west from the first, in any row; then both
    kick off again, player 1 in the first and player 2 in the last column, and either has the ball
    with probability 1/2. Littman's field is larger and its goals are smaller:
    :func:`refmarl.games.stochastic.soccer.soccer`.
    """
    everywhere = range(check.positive(rows, "rows"))
    corners = (0, 0), (rows - 1, check.positive(columns, "columns") - 1)
    return stochastic_soccer(gamma, rows, columns, everywhere, corners).dense()


def _zero_sum(reward: Array) -> Array:
    """(2, S, A_1, A_2) from player 1's rewards."""
    return np.stack([reward, -reward])


def examples(gamma: float = 0.9) -> Iterator[MarkovGame]:
    """Every named game of this module, at one discount."""
    yield from (make(gamma) for make in (repeated_dilemma, remembered_dilemma))
    yield from (make(gamma) for make in (pennies_until_equal, big_match, soccer))
    yield pursuit(5, gamma)
