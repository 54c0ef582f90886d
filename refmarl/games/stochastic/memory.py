"""A repeated game in which everybody remembers what was played last."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from ... import check
from ..markov import MarkovGame
from ..normal_form import NormalForm


def remembered(game: NormalForm, gamma: float, last: Sequence[int] | None = None) -> MarkovGame:
    """``game`` again and again; the state is the last joint action, in lexicographic order.

    Policies may answer what was done, so that threats and promises become possible: equilibria
    are more than those of the stage game, ever more as γ → 1 (the folk theorem; Friedman 1971).
    ``last`` is what counts as played before the first round, by default everybody's first action.

    Examples
    --------
    >>> pennies = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> game = remembered(pennies, 0.5)
    >>> print(game.states, game.transition[0, 1, 0])
    ('1 1', '1 2', '2 1', '2 2') [0. 0. 1. 0.]
    """
    sizes, n = game.num_actions, game.num_players
    size = int(np.prod(sizes))
    check.size_cap((size, *sizes, size), "transition")
    check.size_cap((n, size, *sizes), "reward")
    moves = np.broadcast_to(np.eye(size).reshape(*sizes, size), (size, *sizes, size))
    reward = np.broadcast_to(game.payoffs[:, None], (n, size, *sizes))
    before = tuple(last) if last is not None else (0,) * n
    game.at(before)
    labels = (" ".join(words) for words in product(*game.actions))
    return MarkovGame(
        moves,
        reward,
        gamma,
        initial=np.eye(size)[int(np.ravel_multi_index(before, sizes))],
        title=f"{game.title}, remembered",
        states=tuple(labels),
        players=game.players,
    )
