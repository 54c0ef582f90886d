"""Stopping games: two players watch a Markov chain, and either may end it (Dynkin 1969)."""

from typing import Any

import numpy as np

from ... import check
from ...check import InputError
from ..markov import MarkovGame


def dynkin(chain: Any, first: Any, second: Any, both: Any, gamma: float) -> MarkovGame:
    """Zero-sum: player 2 pays first[s] if player 1 stops in s, second[s] if 2 does, or both[s].

    While both go on nothing is paid, and the state moves by ``chain``. Where first ≤ both ≤
    second, nobody has to draw: the value solves

        V(s) = min(second(s), max(first(s), γ Σ_s' P(s'|s) V(s')))

    in pure strategies. Otherwise mixtures may be needed (Neveu 1975; Rosenberg, Solan & Vieille
    2001).

    Parameters
    ----------
    chain : float (S, S)
        P(s'|s).
    first, second, both : float (S,)

    Returns
    -------
    MarkovGame
        With one state more, "over". Actions: stop, go on.

    Examples
    --------
    >>> game = dynkin([[1]], [1], [3], [2], 0.5)
    >>> print(game.reward[0, 0])
    [[2. 1.]
     [3. 0.]]
    """
    moves = check.real_array(chain, "chain", 2)
    size = len(moves)
    pays = [check.real_array(x, name, 1) for x, name in (
        (first, "first"), (second, "second"), (both, "both"),
    )]  # fmt: skip
    if moves.shape != (size, size) or any(len(x) != size for x in pays):
        raise InputError(
            f"dynkin: need a square chain and as many payoffs, got {moves.shape} and "
            f"{[len(x) for x in pays]}"
        )
    check.size_cap((size + 1, 2, 2, size + 1), "transition")
    transition, reward = np.zeros((size + 1, 2, 2, size + 1)), np.zeros((size + 1, 2, 2))
    transition[..., size] = 1.0
    transition[:size, 1, 1, :size], transition[:size, 1, 1, size] = moves, 0.0
    reward[:size, 0, 0], reward[:size, 0, 1], reward[:size, 1, 0] = pays[2], pays[0], pays[1]
    states = (*(str(k + 1) for k in range(size)), "over")
    return MarkovGame(
        transition, np.stack([reward, -reward]), gamma, title="Stopping game", states=states
    )
