"""Doing the same as others, or not."""

from typing import Any

import numpy as np

from ... import check
from ...check import InputError
from .._parameters import count, joint_actions, number, odd
from ..normal_form import NormalForm


def coordinate(prizes: Any, title: str = "Coordination") -> NormalForm:
    """If all choose action k player i gets ``prizes[i, k]`` > 0, else nobody gets anything.

    Equal prizes: pure coordination (Schelling 1960). Prizes that the players rank differently:
    the battle of the sexes, of n. Pure equilibria are the agreements, and the disagreements that
    nobody can mend alone.

    Parameters
    ----------
    prizes : float (n, m)

    Examples
    --------
    >>> print(coordinate([[2, 1], [1, 2]]).payoffs)
    [[[2. 0.]
      [0. 1.]]
    <BLANKLINE>
     [[1. 0.]
      [0. 2.]]]
    """
    table = check.real_array(prizes, "prizes", 2)
    if not (table > 0.0).all():
        raise InputError(f"prizes: need numbers > 0, got {table.min():g}")
    n, m = table.shape
    check.size_cap((n, *[m] * n), "payoffs")
    payoffs = np.zeros((n, *[m] * n))
    joint = joint_actions((m,) * n)
    agree = (joint == joint[0]).all(axis=0)
    for i in range(n):
        payoffs[i] = np.where(agree, table[i][joint[0]], 0.0)
    return NormalForm(payoffs, title=title)


def stag_hunt(n: int, needed: int, stag: float, hare: float) -> NormalForm:
    """Rousseau's hunt: a hunter gets ``stag`` if ``needed`` hunt it, else nothing; a hare is sure.

    Examples
    --------
    >>> print(stag_hunt(2, 2, 4, 3).payoffs[0])
    [[4. 0.]
     [3. 3.]]
    """
    size = count(n, "n", 2, 16)
    least = count(needed, "needed", 2, size)
    stag, hare = number(stag, "stag"), number(hare, "hare")
    if not 0.0 < hare < stag:
        raise InputError(f"stag-hunt: need 0 < hare < stag, got {hare:g}, {stag:g}")
    hunts = joint_actions((2,) * size) == 0
    caught = np.where(hunts.sum(axis=0) >= least, stag, 0.0)
    names = (("stag", "hare"),) * size
    return NormalForm(np.where(hunts, caught, hare), title="Stag hunt", actions=names)


def majority(n: int) -> NormalForm:
    """n odd, two actions: 1 for everybody on the side of the majority.

    Examples
    --------
    >>> print(majority(3).payoffs[:, 0, 0, 1])
    [1. 1. 0.]
    """
    return NormalForm(1.0 - _fewer(n), title="Majority")


def minority(n: int) -> NormalForm:
    """n odd, two actions: 1 for everybody on the side of the minority (Challet & Zhang 1997).

    Examples
    --------
    >>> print(minority(3).payoffs[:, 0, 0, 1])
    [0. 0. 1.]
    """
    return NormalForm(_fewer(n), title="Minority game")


def _fewer(n: int) -> Any:
    """1 for those on the side of the minority, shape (n, 2, …, 2)."""
    size = odd(n, "n", 3, 15)
    side = joint_actions((2,) * size)
    second = side.sum(axis=0)
    return np.where(side == 1, 2 * second < size, 2 * second > size).astype(float)
