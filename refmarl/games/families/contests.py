"""Contests: who does more wins, and what is spent is spent."""

from itertools import product
from typing import Any

import numpy as np

from ... import check
from ...check import Array, InputError
from .._parameters import count, increasing, joint_actions, number, odd
from ..normal_form import NormalForm


def rock_paper_scissors(n: int) -> NormalForm:
    """n odd: each action beats half of the others and loses to half; n = 3 is the usual game.

    Action j beats i if j - i, counted round the circle from 1 to n - 1, is odd. The value is 0,
    and both mixing evenly is the only equilibrium (Fisher & Ryan 1992: a tournament has one
    optimal strategy).

    Examples
    --------
    >>> print(rock_paper_scissors(3).payoffs[0])
    [[ 0. -1.  1.]
     [ 1.  0. -1.]
     [-1.  1.  0.]]
    """
    size = odd(n, "n", 1, 1001)
    ahead = np.subtract.outer(np.arange(size), np.arange(size)).T % size  # j - i
    row = np.where(ahead == 0, 0.0, np.where(ahead % 2 == 1, -1.0, 1.0))
    return NormalForm.zero_sum(row, title=f"Rock, paper, scissors with {size} actions")


def blotto(first: int, second: int, values: Any) -> NormalForm:
    """Colonel Blotto (Borel 1921): armies are divided among fields, the larger part wins a field.

    Parameters
    ----------
    first, second : int
        The soldiers of the two sides, 0 or more; all of them are sent.
    values : float (K,)
        What each field is worth, ≥ 0. A tied field pays nothing; the game is zero-sum.

    Examples
    --------
    >>> print(blotto(3, 1, [1, 2]).payoffs[0])  # (0, 3) … (3, 0) against (0, 1), (1, 0)
    [[ 2.  1.]
     [ 3.  2.]
     [ 1.  3.]
     [-1.  1.]]
    """
    worth = check.real_array(values, "values", 1)
    if (worth < 0.0).any():
        raise InputError(f"values: need numbers ≥ 0, got {worth.min():g}")
    sizes = [count(s, name, 0, 1000) for s, name in ((first, "first"), (second, "second"))]
    ways = [_ways(s, len(worth)) for s in sizes]
    check.size_cap((2, *ways), "payoffs")
    check.size_cap((len(worth), max(ways)), "armies")
    sides = [divisions(s, len(worth)) for s in sizes]
    row: Array = np.zeros((len(sides[0]), len(sides[1])))
    for k, value in enumerate(worth):
        row += value * np.sign(sides[0][:, None, k] - sides[1][None, :, k])
    names = tuple(tuple("-".join(map(str, a)) for a in side.tolist()) for side in sides)
    return NormalForm.zero_sum(row, title="Colonel Blotto", actions=names)


def divisions(soldiers: int, fields: int) -> Any:
    """All ways to send all soldiers to the fields, in lexicographic order; int (ways, fields)."""
    if fields == 1:
        return np.array([[soldiers]])
    parts = []
    for here in range(soldiers + 1):
        rest = divisions(soldiers - here, fields - 1)
        parts.append(np.column_stack([np.full(len(rest), here), rest]))
    return np.concatenate(parts)


def _ways(soldiers: int, fields: int) -> int:
    """How many divisions there are: soldiers + fields - 1 over fields - 1."""
    ways = 1
    for k in range(1, fields):
        ways = ways * (soldiers + k) // k
    return ways


def tullock(n: int, prize: float, efforts: Any, r: float = 1.0) -> NormalForm:
    """A contest (Tullock 1980): i wins the prize with probability e_i^r / Σ_j e_j^r, and pays e_i.

    Parameters
    ----------
    n : the number of players, ≥ 2
    prize : > 0
    efforts : float (K,)
        What everybody chooses from: growing, from 0 or above. If nobody makes an effort the
        prize is drawn evenly.
    r : > 0
        How sharply effort decides. Without a grid, for r ≤ n/(n-1), the effort
        (n - 1)/n² · r · prize of all is an equilibrium.

    Examples
    --------
    >>> print(tullock(2, 4, [0, 1, 2]).payoffs[0].round(3))
    [[2.    0.    0.   ]
     [3.    1.    0.333]
     [2.    0.667 0.   ]]
    """
    size = count(n, "n", 2, 16)
    effort = increasing(efforts, "efforts")
    prize, r = number(prize, "prize"), number(r, "r")
    if not (prize > 0.0 and r > 0.0):
        raise InputError(f"tullock: need prize > 0 and r > 0, got {prize:g}, {r:g}")
    joint = effort[joint_actions((len(effort),) * size)]
    weight = (joint / effort[-1]) ** r if effort[-1] > 0.0 else joint
    total = weight.sum(axis=0)
    share = np.divide(weight, total, out=np.full_like(weight, 1.0 / size), where=total > 0.0)
    names = tuple(f"{e:g}" for e in effort)
    return NormalForm(prize * share - joint, title="Tullock contest", actions=(names,) * size)


def all_pay(n: int, prize: float, bids: Any) -> NormalForm:
    """The highest bid wins the prize, ties share it, and all pay what they bid.

    Examples
    --------
    >>> print(all_pay(2, 3, [0, 1, 2]).payoffs[0])
    [[ 1.5  0.   0. ]
     [ 2.   0.5 -1. ]
     [ 1.   1.  -0.5]]
    """
    size, prize = count(n, "n", 2, 16), number(prize, "prize")
    grid = increasing(bids, "bids")
    joint = grid[joint_actions((len(grid),) * size)]
    wins = joint == joint.max(axis=0)
    names = tuple(f"{b:g}" for b in grid)
    payoffs = prize * wins / wins.sum(axis=0) - joint
    return NormalForm(payoffs, title="All-pay auction", actions=(names,) * size)


def war_of_attrition(prize: float, times: Any) -> NormalForm:
    """Two wait; who waits longer gets the prize, and both pay the shorter time.

    At equal times they share the prize (Maynard Smith 1974).

    Examples
    --------
    >>> print(war_of_attrition(2, [0, 1, 2]).payoffs[0])
    [[ 1.  0.  0.]
     [ 2.  0. -1.]
     [ 2.  1. -1.]]
    """
    prize, grid = number(prize, "prize"), increasing(times, "times")
    check.size_cap((2, len(grid), len(grid)), "payoffs")
    mine, other = grid[:, None], grid[None, :]
    won = 0.5 + 0.5 * np.sign(mine - other)
    row = prize * won - np.minimum(mine, other)
    names = tuple(f"{t:g}" for t in grid)
    return NormalForm.bimatrix(row, row.T, title="War of attrition", actions=(names, names))


def centipede(legs: int, large: float = 4.0, small: float = 1.0, growth: float = 2.0) -> NormalForm:
    """Two take turns to take the larger pile or to pass, which makes both piles grow.

    Taking at turn t = 0, 1, … gives the taker large · growthᵗ and the other small · growthᵗ. If
    all turns pass, the piles are shared as if the next one had taken. A strategy says at which
    of the own turns to take: 1, 2, … or never (Rosenthal 1981; piles after McKelvey & Palfrey
    1992).

    Raises
    ------
    InputError
        Unless large > growth · small > 0 and growth > 1: else there is no reason to take, or
        none to pass.

    Examples
    --------
    >>> print(centipede(2).payoffs[0])
    [[ 4.  4.]
     [ 2. 16.]]
    """
    turns = count(legs, "legs", 1, 2000)
    large, small = number(large, "large"), number(small, "small")
    growth = number(growth, "growth")
    if not (growth > 1.0 and large > growth * small > 0.0):
        raise InputError(
            f"centipede: need growth > 1 and large > growth · small > 0; got growth {growth:g}, "
            f"large {large:g}, small {small:g}"
        )
    sizes = (-(-turns // 2) + 1, turns // 2 + 1)
    payoffs = np.empty((2, *sizes))
    for a, b in product(*map(range, sizes)):
        end = min(2 * a, 2 * b + 1, turns)
        payoffs[:, a, b] = large, small
        payoffs[:, a, b] = payoffs[:: 1 - 2 * (end % 2), a, b] * growth**end
    names = tuple((*(f"take {k + 1}" for k in range(m - 1)), "pass") for m in sizes)
    return NormalForm(payoffs, title="Centipede", actions=names)
