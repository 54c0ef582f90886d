r"""What each form of Q_tot can say of a team's payoffs: exact nearest tables, in one state.

    sum        argmin Σ w (u − Σ_i Q_i)²                           decomposition.main_effects
    monotone   argmin Σ w (u − f(Q_1, …, Q_n))²,  ∂f/∂Q_i ≥ 0      nearest_monotone
    QTRAN      Σ_i Q_i + V ≥ u,  = u where every Q_i is largest    qtran_factors
    QPLEX      V + Σ_i λ_i(a) A_i(a_i),  λ > 0 ≥ A                 qplex_factors

A table is monotone if each agent can order its actions so that nothing is lost by going up. For
each choice of orders the nearest such table is a weighted isotonic regression on their product,

    f(x) = max over U ∋ x of min over L ∋ x of the mean over U ∩ L,

U upper, L lower sets (Robertson, Wright and Dykstra, *Order restricted statistical inference*,
1988, theorem 1.4.4); here all orders and all sets are tried, so tables must be small. The same
formula holds with what minimises the optimistic loss in the place of the mean, as for any mean that
lies between those of two parts (Robertson and Wright, *Ann. Statist.* 8, 1980).

Weights are those of weighted QMIX (Rashid et al. 2020, arXiv:2006.10800): ``central`` counts all
but the best joint action α, ``optimistic`` what is overrated.

Axes: A_i actions of each of n agents, J joint actions, S upper sets.
"""

from functools import cache
from itertools import permutations, product
from math import comb, prod
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ..value_grad import Real

MOST = 1000  # upper sets that are tried


class Nearest(NamedTuple):
    """The nearest monotone table."""

    table: Array  # (A_1, …, A_n)
    loss: float  # Σ w (u − f)², w with α where that overrates


def central(payoffs: Any, alpha: float) -> Array:
    """Weights of CW with u for Q*: 1 at the best joint action, the first of equals, else α.

    Examples
    --------
    >>> print(central([[0, 1], [1, 8]], 0.1))
    [[0.1 0.1]
     [0.1 1. ]]
    """
    table = check.real_array(payoffs, "payoffs")
    found = np.full(table.shape, float(alpha))
    found[np.unravel_index(table.argmax(), table.shape)] = 1.0
    return found


def nearest_monotone(
    payoffs: Any,
    weights: Any = None,
    optimistic: float = 1.0,
    best: tuple[int, ...] | None = None,
) -> Nearest:
    """The monotone table next to payoffs (A_1, …, A_n).

    Parameters
    ----------
    payoffs : a team's
    weights : > 0 and of the same shape; all 1 without
    optimistic : α in (0, 1], by which an error counts that overrates (OW); 1: as the others
    best : a joint action that shall be best in the table; None: any

    Raises
    ------
    InputError
        If an argument is out of its range, or there are too many upper sets to try.

    Examples
    --------
    >>> game = [[8, -12], [-12, 0]]
    >>> print(*nearest_monotone(game))
    [[ 8. -8.]
     [-8. -8.]] 96.0
    >>> print(nearest_monotone(game, best=(1, 1)).table.round(2))
    [[-5.33 -5.33]
     [-5.33  0.  ]]
    """
    table, given = _checked(payoffs, weights, optimistic)
    found = []
    for orders in product(*(permutations(range(size)) for size in table.shape)):
        if best is not None and tuple(order[-1] for order in orders) != tuple(best):
            continue
        at, fit = np.ix_(*orders), np.empty(table.shape)
        fit[at] = _isotonic(table[at], given[at], optimistic)
        loss = float((given * _share(table, fit, optimistic) * (table - fit) ** 2).sum())
        found.append(Nearest(fit, loss))
    if not found:
        raise InputError(f"best: need a joint action, got {best!r}")
    least = min(one.loss for one in found)
    return next(one for one in found if one.loss <= least + 1e-12 * (1.0 + least))


def _checked(payoffs: Any, weights: Any, optimistic: float) -> tuple[Array, Array]:
    """(payoffs, weights) as arrays.

    Raises
    ------
    InputError
        If one is out of its range, or there are too many upper sets.
    """
    table = check.real_array(payoffs, "payoffs")
    given = np.ones(table.shape) if weights is None else check.real_array(weights, "weights")
    if given.shape != table.shape or (given <= 0.0).any():
        raise InputError(f"weights: need numbers > 0 of shape {table.shape}, got {given.shape}")
    if not 0.0 < optimistic <= 1.0:
        raise InputError(f"optimistic: need a number in (0, 1], got {optimistic!r}")
    if not table.ndim or _sets_at_most(table.shape) > MOST:
        raise InputError(f"payoffs: need a small table of one axis or more, got {table.shape}")
    return table, given


def qtran_factors(payoffs: Any) -> tuple[tuple[Array, ...], float]:
    """(utilities (A_i,), V) with which both losses of QTRAN are 0, if one joint action is best.

    0 for each agent's part in it, else −1/n of how much the next best is worse; V is what it pays.
    So every other joint action stays above what it pays. Where several are best all utilities are
    0: agents that prefer one of two may not be able to say so without spoiling the other.

    Examples
    --------
    >>> utilities, v = qtran_factors([[8, -12], [-12, 0]])
    >>> print(utilities, v)
    (array([ 0., -4.]), array([ 0., -4.])) 8.0
    """
    table = check.real_array(payoffs, "payoffs")
    if table.ndim == 0:
        raise InputError("payoffs: need at least one axis, got a number")
    best = np.unravel_index(table.argmax(), table.shape)
    flat = np.sort(table.ravel())
    gap = float(flat[-1] - flat[-2]) if flat.size > 1 else 0.0
    parts = [
        np.where(np.arange(k) == b, 0.0, -gap / table.ndim)
        for k, b in zip(table.shape, best, strict=True)
    ]
    return tuple(parts), float(table.max())


def qplex_factors(payoffs: Any) -> tuple[tuple[Array, ...], Array, float]:
    """(A_i (A_i,), λ (A_1, …, A_n, n), V) with which QPLEX says payoffs exactly.

    A_i is 0 at the agent's part in the best joint action, else −1; λ divides what is lost by how
    many have left it. Payoffs in which several joint actions are best have no λ > 0.

    Raises
    ------
    InputError
        If there is no axis, or not one best joint action.

    Examples
    --------
    >>> advantages, credit, v = qplex_factors([[8, -12], [-12, 0]])
    >>> print(advantages, credit[1, 1], v)
    (array([ 0., -1.]), array([ 0., -1.])) [4. 4.] 8.0
    """
    table = check.real_array(payoffs, "payoffs")
    if table.ndim == 0 or (table == table.max()).sum() > 1:
        many = int((table == table.max()).sum())
        raise InputError(f"payoffs: need an axis and one best joint action, got {many} best")
    best = np.unravel_index(table.argmax(), table.shape)
    own = tuple(
        np.where(np.arange(k) == b, 0.0, -1.0) for k, b in zip(table.shape, best, strict=True)
    )
    left = sum(at != b for at, b in zip(np.indices(table.shape), best, strict=True))
    credit = np.where(left > 0, (table.max() - table) / np.maximum(left, 1), 1.0)
    return own, np.repeat(credit[..., None], table.ndim, axis=-1), float(table.max())


# -- isotonic regression ----------------------------------------------------------------


def _isotonic(table: Array, weights: Array, alpha: float) -> Array:
    """The nearest table that never falls along an axis."""
    upper = _upper_sets(table.shape)  # (S, J)
    u, w = table.ravel(), weights.ravel()
    both = upper[:, None] & ~upper[None]  # of an upper set and the complement of another
    means = np.full(both.shape[:2], np.inf)
    some = both.any(axis=2)
    means[some] = _means(u, w, both[some], alpha)
    found = np.empty(len(u))
    for x in range(len(u)):
        inside, outside = upper[:, x], ~upper[:, x]
        found[x] = means[np.ix_(inside, outside)].min(axis=1).max()
    return found.reshape(table.shape)


def _means(u: Array, w: Array, sets: Real, alpha: float) -> Array:
    """(K,): what m minimises Σ w |u − m|²_α over each of the sets (K, J)."""
    low, high = np.full(len(sets), u.min()), np.full(len(sets), u.max())
    m = (sets * (w * u)).sum(axis=1) / (sets * w).sum(axis=1)
    if alpha == 1.0:
        return np.asarray(m)
    for _ in range(200):  # each weight falls once at most: it ends where m divides as it was made
        share = sets * w * _share(u, m[:, None], alpha)
        new = np.clip((share * u).sum(axis=1) / share.sum(axis=1), low, high)
        if np.array_equal(new, m):
            break
        m = new
    return np.asarray(m)


def _share(u: Array, m: Array, alpha: float) -> Array:
    """1 where m lies below u, else α."""
    return np.where(m < u, 1.0, alpha)


@cache
def _upper_sets(shape: tuple[int, ...]) -> Real:
    """(S, J): the sets of joint actions that contain all above each of theirs; the last is empty.

    A set is how many of the last axis' actions it has in each row, which never falls along others.
    """
    *rest, last = shape
    rows = list(np.ndindex(*rest))
    found: list[dict[tuple[int, ...], int]] = [{}]
    for at in rows:
        below = [(*at[:k], at[k] - 1, *at[k + 1 :]) for k in range(len(at)) if at[k]]
        found = [
            {**counts, at: c}
            for counts in found
            for c in range(max((counts[b] for b in below), default=0), last + 1)
        ]
    count = np.array([[counts[at] for at in rows] for counts in found])
    sets = np.arange(last) >= last - count[..., None]
    return np.asarray(sets.reshape(len(found), -1)[::-1])


def _sets_at_most(shape: tuple[int, ...]) -> int:
    """No fewer than there are upper sets: exactly as many up to two axes."""
    *rest, last = shape
    if not rest:
        return last + 1
    found: int = comb(rest[0] + last, last) ** prod(rest[1:])
    return found
