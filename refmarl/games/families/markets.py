"""Firms that choose quantities, or prices."""

from typing import Any

import numpy as np

from ... import check
from ...check import Array, InputError
from .._parameters import count, increasing, joint_actions, number
from ..normal_form import NormalForm


def cournot(
    quantities: Any, intercept: float, slope: float, costs: Any, floor: bool = True
) -> NormalForm:
    """Firms choose quantities q_i; the price is intercept - slope · Σ_j q_j (Cournot 1838).

    Parameters
    ----------
    quantities : float (K,)
        What every firm chooses from, growing, ≥ 0.
    intercept, slope : > 0
    costs : float (n,)
        Of one unit, to each firm.
    floor : whether the price stops at 0
        Without a floor the game has an exact potential, :func:`cournot_potential`.

    Without a grid, in equilibrium q_i = (intercept - n c_i + Σ_{j≠i} c_j) / ((n + 1) slope), where
    no q_i is negative.

    Examples
    --------
    >>> print(cournot([0, 1, 2], 6, 1, [1, 1]).payoffs[0])
    [[0. 0. 0.]
     [4. 3. 2.]
     [6. 4. 2.]]
    """
    joint, costs, a, b = _firms(quantities, intercept, slope, costs)
    price = a - b * joint.sum(axis=0)
    price = np.maximum(price, 0.0) if floor else price
    margins = price - costs.reshape(-1, *[1] * (joint.ndim - 1))
    names = tuple(f"{q:g}" for q in check.real_array(quantities, "quantities", 1))
    return NormalForm(margins * joint, title="Cournot", actions=(names,) * len(costs))


def cournot_potential(quantities: Any, intercept: float, slope: float, costs: Any) -> Array:
    """Σ_i (a - c_i) q_i - b Σ_i q_i² - b Σ_{i<j} q_i q_j, shape (K, …, K).

    The exact potential of :func:`cournot` without a floor (Monderer & Shapley 1996).
    """
    joint, costs, a, b = _firms(quantities, intercept, slope, costs)
    squares = (joint**2).sum(axis=0)
    linear = np.tensordot(a - costs, joint, axes=1)
    found: Array = linear - b / 2 * (squares + joint.sum(axis=0) ** 2)
    return found


def _firms(
    quantities: Any, intercept: float, slope: float, costs: Any
) -> tuple[Array, Array, float, float]:
    """(q_i of each joint action (n, K, …, K), c (n,), a, b), checked."""
    grid, each = increasing(quantities, "quantities"), check.real_array(costs, "costs", 1)
    a, b = number(intercept, "intercept"), number(slope, "slope")
    if not (a > 0.0 and b > 0.0):
        raise InputError(f"cournot: need intercept > 0 and slope > 0, got {a:g}, {b:g}")
    return grid[joint_actions((len(grid),) * len(each))], each, a, b


def bertrand(n: int, margins: Any) -> NormalForm:
    """n firms name prices; the lowest ones share the one customer (Bertrand 1883).

    Parameters
    ----------
    margins : float (K,)
        Price less cost, growing, ≥ 0: what everybody chooses from.

    Examples
    --------
    >>> print(bertrand(2, [0, 1, 2]).payoffs[0])
    [[0.  0.  0. ]
     [0.  0.5 1. ]
     [0.  0.  1. ]]
    """
    size, grid = count(n, "n", 2, 16), increasing(margins, "margins")
    joint = grid[joint_actions((len(grid),) * size)]
    sells = joint == joint.min(axis=0)
    names = tuple(f"{m:g}" for m in grid)
    payoffs = joint * sells / sells.sum(axis=0)
    return NormalForm(payoffs, title="Bertrand", actions=(names,) * size)
