"""Dividing resources among agents: three welfares, their optima, and what certifies them (§7.1).

n agents value m divisible resources, U_i(x) = Σ_j v_ij x_ij, and of resource j there is q_j:

    x_ij ≥ 0,   Σ_i x_ij ≤ q_j

    utilitarian   max Σ_i U_i               every resource to who values it most
    egalitarian   max min_i U_i             leximin: then the second least, …
    Nash          max Σ_i log U_i           scale free, envy-free, a market equilibrium
    α-fair        max Σ_i U_i^(1−α)/(1−α)   α = 0, 1, ∞ are the three above

*Certificate.* For any prices p > 0 weak duality bounds the α-fair optimum from above: agent i buys
utility at 1/r_i with r_i = max_j v_ij/p_j, and wants r_i^(1/α) of it, so that

    max_x W(x) ≤ Σ_i max_U [w(U) − U/r_i] + Σ_j p_j q_j.

At an optimum the prices p_j = max_i v_ij U_i^(−α) make both sides equal (Kuhn & Tucker): the gap
between a welfare and its bound says how far from the optimum an allocation can be.

E. Eisenberg, D. Gale 1959; H. Varian 1974 (no envy); J. Mo, J. Walrand 2000 (α); F. Wu, L. Zhang
2007 (proportional response).

Axes: n agents, m resources, leading axes a batch where said.
"""

from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError

STEPS = 2000  # of proportional response
SLACK = 1e-7  # of a linear program's optimum, kept while the next least is raised
LEAST = 1e-12  # a utility's share below which logarithms are not taken


class Allocation(NamedTuple):
    """An allocation and what it is worth; no feasible one has more than ``bound``."""

    x: Array  # (n, m)
    utilities: Array  # (n,)
    welfare: float
    bound: float


def allocation_problem(values: Any, capacity: Any) -> tuple[Array, Array]:
    """(v (n, m), q (m,)), checked: v ≥ 0, everybody values something, q > 0.

    Raises
    ------
    InputError
        If they are not so.
    """
    v, q = check.real_array(values, "values", 2), check.real_array(capacity, "capacity", 1)
    if q.shape != v.shape[1:] or (q <= 0.0).any():
        raise InputError(f"capacity: need {v.shape[1]} numbers > 0, got {q.tolist()}")
    if (v < 0.0).any() or (v.max(axis=1) <= 0.0).any():
        raise InputError("values: need numbers ≥ 0, one above 0 for every agent")
    return v, q


def share_out(requests: Any, capacity: Any) -> Array:
    """What requests (…, n, m) get: all that was asked for, or shares in proportion if too much.

    No resource is given out beyond its capacity, whatever is asked for.

    Raises
    ------
    InputError
        If a request is negative.

    Examples
    --------
    >>> print(share_out([[3.0, 1.0], [1.0, 2.0]], [2.0, 4.0]))
    [[1.5 1. ]
     [0.5 2. ]]
    """
    asked, q = check.real_array(requests, "requests"), check.real_array(capacity, "capacity", 1)
    if (asked < 0.0).any():
        raise InputError("requests: need numbers ≥ 0")
    total = asked.sum(axis=-2, keepdims=True)
    found: Array = asked * np.minimum(1.0, q / np.maximum(total, np.finfo(float).tiny))
    return found


def utilitarian(values: Any, capacity: Any) -> Allocation:
    """The largest sum of utilities: every resource to the first of those who value it most.

    Examples
    --------
    >>> found = utilitarian([[10, 4, 1], [6, 8, 2]], [1, 1, 1])
    >>> print(found.x, found.welfare)
    [[1. 0. 0.]
     [0. 1. 1.]] 20.0
    """
    v, q = allocation_problem(values, capacity)
    x = np.where(np.arange(len(v))[:, None] == v.argmax(axis=0), q, 0.0)
    return Allocation(x, (v * x).sum(axis=1), float((v * x).sum()), float(v.max(axis=0) @ q))


def egalitarian(values: Any, capacity: Any) -> Allocation:
    """Leximin: the least utility as large as it can be, then the second least, and so on.

    Linear programs, one for each level. ``welfare`` is the least utility, ``bound`` that of the
    first program's dual: prices p ≥ 0 and weights w on the agents that sum to 1 with p_j ≥ w_i
    v_ij prove that the least utility is at most Σ_j p_j q_j.

    Examples
    --------
    >>> found = egalitarian([[1, 0], [1, 3]], [2, 1])
    >>> print(found.x.round(6), found.utilities.round(6))
    [[2. 0.]
     [0. 1.]] [2. 3.]
    """
    from scipy.optimize import linprog

    v, q = allocation_problem(values, capacity)
    n, m = v.shape
    fixed, bound = np.full(n, np.nan), np.inf
    while np.isnan(fixed).any():
        free = np.isnan(fixed)
        use = np.zeros((n, n * m + 1))  # −U_i, + level where it is free
        for i in range(n):
            use[i, i * m : (i + 1) * m] = -v[i]
            use[i, -1] = float(free[i])
        cap = np.concatenate([np.tile(np.eye(m), n), np.zeros((m, 1))], axis=1)
        least = -np.where(free, 0.0, fixed * (1.0 - SLACK))
        cost = np.append(np.zeros(n * m), -1.0)
        solved = linprog(cost, np.vstack([use, cap]), np.append(least, q), method="highs")
        level, weights = -float(solved.fun), -solved.ineqlin.marginals[:n]
        if not np.isfinite(bound):
            bound = _egalitarian_bound(v, q, weights)
        tight = free & (weights > 1e-9)  # no more for these without less for others
        fixed[tight if tight.any() else free] = level
        x = solved.x[:-1].reshape(n, m)
    u = (v * x).sum(axis=1)
    return Allocation(x, u, float(u.min()), bound)


def _egalitarian_bound(v: Array, q: Array, weights: Array) -> float:
    """min_i U_i ≤ Σ_i w_i U_i ≤ Σ_j q_j max_i w_i v_ij, for weights that sum to 1."""
    w = np.maximum(weights, 0.0) / np.maximum(weights, 0.0).sum()
    return float((w[:, None] * v).max(axis=0) @ q)


def nash_welfare(values: Any, capacity: Any, steps: int = STEPS) -> Allocation:
    """The largest geometric mean of utilities, by proportional response.

    Everybody has one unit of money, and bids on each resource in proportion to what it brought in
    the round before; goods go in proportion to bids. ``welfare`` is (Π_i U_i)^(1/n), and
    ``bound`` is the same of the dual at the final prices.

    Parameters
    ----------
    values : float (…, n, m)
    capacity : float (m,)

    Returns
    -------
    Allocation
        Of arrays (…, n, m), (…, n), (…), (…) if ``values`` has leading axes.

    Examples
    --------
    >>> found = nash_welfare([[10, 4, 1], [6, 8, 2]], [1, 1, 1])
    >>> print(found.x.round(6) + 0.0, found.utilities.round(6))
    [[1. 0. 0.]
     [0. 1. 1.]] [10. 10.]
    """
    v = check.real_array(values, "values")
    _, q = allocation_problem(v.reshape(-1, v.shape[-1]), capacity)
    worth = v * q  # of whole resources
    bids = worth / worth.sum(axis=-1, keepdims=True)
    for _ in range(check.positive(steps, "steps")):
        brought = worth * _shares(bids)
        bids = brought / brought.sum(axis=-1, keepdims=True)
    share = _shares(bids)
    u = (worth * share).sum(axis=-1)
    prices = np.maximum((v / u[..., None]).max(axis=-2), np.finfo(float).tiny)
    rate = (v / prices[..., None, :]).max(axis=-1)
    bound = np.exp((np.log(rate) - 1.0).mean(axis=-1) + (prices @ q) / v.shape[-2])
    welfare = np.exp(np.log(u).mean(axis=-1))
    return Allocation(share * q, u, welfare[()], bound[()])


def _shares(bids: Array) -> Array:
    total = bids.sum(axis=-2, keepdims=True)
    return np.asarray(bids / np.maximum(total, np.finfo(float).tiny))


def alpha_fair(values: Any, capacity: Any, alpha: float) -> Allocation:
    """max Σ_i U_i^(1−α)/(1−α), log U_i for α = 1, by sequential quadratic programming.

    Raises
    ------
    InputError
        If α is not in (0, 20].

    Examples
    --------
    Two agents on one resource share it alike, whatever α, if they value it alike.

    >>> print(alpha_fair([[2.0], [2.0]], [3.0], 2.0).x.round(6).ravel())
    [1.5 1.5]
    """
    from scipy.optimize import LinearConstraint, minimize

    v, q = allocation_problem(values, capacity)
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0.0 < alpha <= 20.0:
        raise InputError(f"alpha: need a number in (0, 20], got {alpha!r}")
    n, m = v.shape
    scale = (v @ q) / n  # of an equal split: what utilities are near

    def spread(y: Array) -> tuple[float, Array]:
        x = y.reshape(n, m) * q
        u = np.maximum((v * x).sum(axis=1), LEAST * scale)
        slope = (u**-alpha)[:, None] * v * q
        return -float(_worth(u, alpha).sum()), -slope.ravel()

    size = abs(spread(np.full(n * m, 1.0 / n))[0]) + 1.0
    solved = minimize(
        lambda y: tuple(part / size for part in spread(y)),
        np.full(n * m, 1.0 / n),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * (n * m),
        constraints=[LinearConstraint(np.tile(np.eye(m), n), -np.inf, 1.0)],
        options={"maxiter": 1000, "ftol": 1e-15},
    )
    x = share_out(np.maximum(solved.x, 0.0).reshape(n, m), np.ones(m)) * q
    u = (v * x).sum(axis=1)
    return Allocation(x, u, float(_worth(u, alpha).sum()), alpha_bound(v, q, u, alpha))


def alpha_bound(values: Any, capacity: Any, utilities: Any, alpha: float) -> float:
    """What no allocation's α-fair welfare exceeds: the dual at p_j = max_i v_ij U_i^(−α).

    A bound whatever the utilities; the least one at those of an optimum.
    """
    v, q = allocation_problem(values, capacity)
    u = check.real_array(utilities, "utilities", 1)
    prices = np.maximum((v * u[:, None] ** -alpha).max(axis=0), np.finfo(float).tiny)
    rate = (v / prices).max(axis=1)
    wanted = rate ** (1.0 / alpha)
    return float((_worth(wanted, alpha) - wanted / rate).sum() + prices @ q)


def _worth(u: Array, alpha: float) -> Array:
    found: Array = np.log(u) if alpha == 1.0 else u ** (1.0 - alpha) / (1.0 - alpha)
    return found


def envy(values: Any, x: Any) -> Array:
    """How much more agent i would have with the best of the others' bundles: (n,), ≥ 0.

    Examples
    --------
    >>> print(envy([[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.5], [0.0, 0.5]]))
    [0. 1.]
    """
    v, given = check.real_array(values, "values", 2), check.real_array(x, "x", 2)
    worth = v @ given.T  # of k's bundle to i
    found: Array = worth.max(axis=1) - np.diagonal(worth)
    return found


def selfish_price(values: Any, capacity: Any) -> float:
    """The price of anarchy where requests are shared out in proportion: best sum over the even one.

    To ask for everything is a dominant action there (a larger request never gets less), and if all
    do, everybody has q_j/n of everything.

    Examples
    --------
    >>> selfish_price([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0])
    2.0
    """
    v, q = allocation_problem(values, capacity)
    return float((v.max(axis=0) @ q) / (v.mean(axis=0) @ q))
