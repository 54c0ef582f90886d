"""Pareto optimality of joint actions (course §1.1).

    a is Pareto optimal  ⟺  ∄ a': u_j(a') ≥ u_j(a) for all j, > for one j     (1.6)

Only pure joint actions are compared. A lottery over joint actions may be better for everybody
than one that is optimal here.

Payoffs are compared exactly, with no tolerance: the frontier then depends on each player's order
of the outcomes alone, and does not change when a player's utilities go through a strictly
increasing map. Payoffs that are equal on paper must be equal as numbers.

Axes: n players, A_i actions of player i, K = ∏ A_i joint actions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from .normal_form import NormalForm

MAX_COMPARISONS = 2_000_000_000  # pairs of outcomes, n ≥ 3


def pareto_dominates(u: Any, v: Any) -> bool:
    """Whether outcome u (n,) Pareto-dominates outcome v (n,): no worse for all, better for one.

    Raises
    ------
    InputError
        If they are not two vectors of the same length.

    Examples
    --------
    >>> pareto_dominates([2, 1], [1, 1]), pareto_dominates([2, 1], [2, 1])
    (True, False)
    """
    u, v = check.real_array(u, "u", 1), check.real_array(v, "v", 1)
    if u.shape != v.shape:
        raise InputError(f"outcomes: need one payoff per player, got {len(u)} and {len(v)}")
    return bool((u >= v).all() and (u > v).any())  # (1.6)


def pareto_frontier(game: NormalForm) -> NDArray[np.bool_]:
    """Which joint actions are Pareto optimal, shape (A_1, …, A_n); Eq. (1.6).

    Two players cost one sort, O(K log K). Three and more cost O(K F) for a frontier of F different
    outcomes: each optimum found strikes out what lies below it (Kung, Luccio & Preparata 1975 and
    Chomicki et al. 2003 on the maxima of vectors). No K × K table is ever formed.

    Raises
    ------
    InputError
        If three or more players have so many optima that over ``MAX_COMPARISONS`` pairs of
        outcomes would have to be compared.

    Examples
    --------
    In the prisoner's dilemma everything is optimal but the equilibrium.

    >>> game = NormalForm.bimatrix([[-1, -3], [0, -2]], [[-1, 0], [-3, -2]])
    >>> print(pareto_frontier(game))
    [[ True  True]
     [ True False]]
    """
    outcomes = game.payoffs.reshape(game.num_players, -1)
    optimal = _staircase(*outcomes) if game.num_players == 2 else _strike_out(outcomes)
    return optimal.reshape(game.num_actions)


def _staircase(first: Array, second: Array) -> NDArray[np.bool_]:
    """The maxima (K,) of K pairs: best for the second player among all as good for the first."""
    levels, level = np.unique(first, return_inverse=True)
    best = np.full(len(levels), -np.inf)
    np.maximum.at(best, level, second)  # what 2 can get where 1 gets exactly this
    above = np.append(np.maximum.accumulate(best[::-1])[::-1][1:], -np.inf)  # where 1 gets more
    optimal: NDArray[np.bool_] = (second == best[level]) & (second > above[level])  # (1.6)
    return optimal


def _strike_out(outcomes: Array) -> NDArray[np.bool_]:
    """The maxima (K,) of K vectors (n, K).

    Each payoff is replaced by its rank among that player's payoffs. Ranks are whole numbers, so
    their sum is exact, and where one outcome dominates another its sum is the larger: whoever has
    the largest sum among the rest is optimal.
    """
    ranks = np.stack([np.unique(u, return_inverse=True)[1] for u in outcomes])
    total = ranks.sum(axis=0)
    rest = np.argsort(-total, kind="stable")
    rows = np.vstack([ranks, total])[:, rest]
    optimal = np.zeros(len(rest), dtype=bool)
    comparisons = 0
    while len(rest):
        comparisons += len(rest)
        if comparisons > MAX_COMPARISONS:
            raise InputError(
                f"Pareto frontier: {len(optimal)} joint actions with {int(optimal.sum())} or more "
                f"optima need over {MAX_COMPARISONS} comparisons; give a smaller game"
            )
        below = np.logical_and.reduce([row <= row[0] for row in rows])
        optimal[rest[below & (rows[-1] == rows[-1, 0])]] = True  # (1.6), equal ones with it
        rest, rows = rest[~below], rows[:, ~below]
    return optimal
