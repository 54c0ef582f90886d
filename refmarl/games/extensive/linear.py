"""The value of an extensive game by linear programming over sequences  [+].

    max v_∅   subject to   r(∅) = 1,   Σ_{s in k} r(s) = r(parent of k)       own sets k
                           v_{set of s} ≤ Σ_{sets j after s} v_j + (r W)(s)    other's sequences s

v_j is what the other player, who wishes it small, concedes at its set j; v_∅ at the root, the set
of its empty sequence. The program has one row for each sequence and set, where that of the normal
form has one for each of exponentially many plans.

D. Koller, N. Megiddo, B. von Stengel 1996, "Efficient computation of equilibria for extensive
two-person games"; I. Romanovskii 1962.

Axes: S sequences, I information sets.
"""

from typing import NamedTuple

import numpy as np

from ... import check
from ...check import Array
from .tree import ExtensiveGame
from .value import nash_conv


class Solution(NamedTuple):
    """An equilibrium of a two-player zero-sum game."""

    value: float  # to player 0
    strategy: Array  # (S,)
    nash_conv: float  # of the strategy: its certificate


def solve(game: ExtensiveGame) -> Solution:
    """An equilibrium by one linear program for each player.

    Raises
    ------
    InputError
        If the program is larger than the cap.
    ArithmeticError
        If the solver gives up.

    Examples
    --------
    >>> from refmarl.games.extensive import kuhn
    >>> print(round(-18 * solve(kuhn()).value, 9))
    1.0
    """
    values, strategy = [], game.uniform()
    for i in range(2):
        secured, plan = _best_plan(game, i)
        values.append(secured)
        for k in np.flatnonzero(game.owner == i):
            place = slice(game.offset[k], game.offset[k + 1])
            if plan[place].sum() > 0:  # else the player itself never comes here
                strategy[place] = plan[place] / plan[place].sum()
    return Solution((values[0] - values[1]) / 2, strategy, nash_conv(game, strategy))


def _best_plan(game: ExtensiveGame, i: int) -> tuple[float, Array]:
    """(what player i can secure, a plan (S + 1,) that does)."""
    from scipy.optimize import linprog

    size, sets = game.num_sequences, len(game.owner)
    check.size_cap((size + sets + 1, size + sets + 2), "the linear program")
    follows, concedes = _rows(game, i)  # own sets, the other's sequences
    columns = size + 1 + sets + 1  # r(s), r(∅), v_j, v_∅
    goal = np.zeros(columns)
    goal[-1] = -1.0
    start = np.zeros(len(follows))
    start[-1] = 1.0
    solved = linprog(
        goal,
        A_ub=concedes,
        b_ub=np.zeros(len(concedes)),
        A_eq=follows,
        b_eq=start,
        bounds=[(0, 1)] * (size + 1) + [(None, None)] * (sets + 1),
        method="highs",
    )
    if solved.x is None:
        raise ArithmeticError(f"{game.title}: {solved.message}")
    plan: Array = np.maximum(solved.x[: size + 1], 0.0)
    return -float(solved.fun), plan


def _rows(game: ExtensiveGame, i: int) -> tuple[Array, Array]:
    """The equations of player i's plan, the last r(∅) = 1; the inequalities of the other's v."""
    size, sets = game.num_sequences, len(game.owner)
    follows = np.zeros((sets + 1, size + sets + 2))
    concedes = np.zeros((size + 1, size + sets + 2))
    follows[-1, size] = 1.0
    concedes[size, -1] = 1.0
    for k in range(sets):
        place = slice(game.offset[k], game.offset[k + 1])
        if game.owner[k] == i:
            follows[k, place], follows[k, game.parent[k]] = 1.0, -1.0
        else:
            concedes[place, size + 1 + k] = 1.0
            concedes[game.parent[k], size + 1 + k] = -1.0
    payoffs = game.weight if i == 0 else -game.weight
    np.subtract.at(concedes, (game.last[1 - i], game.last[i]), payoffs)
    return follows, concedes
