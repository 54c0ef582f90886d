"""Congestion games: what a resource costs depends on how many use it (Rosenthal 1973)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import check
from ...check import InputError
from .._parameters import count, joint_actions
from ..generators import PotentialGame
from ..normal_form import NormalForm


def congestion(strategies: Sequence[Sequence[Sequence[int]]], delays: Any) -> PotentialGame:
    """Everybody chooses a set of resources and pays for each what its number of users makes of it.

    Parameters
    ----------
    strategies : ``strategies[i][a]`` lists the resources, from 0, that action a of player i uses
    delays : float (R, n)
        ``delays[r, k - 1]`` is what each of k users of the resource r pays.

    Returns
    -------
    PotentialGame
        Payoffs are costs with their sign changed. With l_r(a) users of r, the potential is
        -Σ_r Σ_{k ≤ l_r(a)} delays[r, k - 1]: who changes plans changes it by what the change
        brings to itself. Hence every path of improvements ends, at a pure equilibrium.

    Raises
    ------
    InputError
        If a resource is none of the R or is listed twice, a player has no action, or the table of
        delays does not fit.

    Examples
    --------
    Two drivers, a road that costs its load and one that costs 2 always:

    >>> game, potential = congestion([[[0], [1]]] * 2, [[1, 2], [2, 2]])
    >>> print(game.payoffs[0], potential)
    [[-2. -1.]
     [-2. -2.]] [[-3. -3.]
     [-3. -4.]]
    """
    table = check.real_array(delays, "delays", 2)
    n, num_resources = len(strategies), len(table)
    if n == 0 or table.shape[1] != n:
        raise InputError(f"delays: need shape (resources, {n} players), got {table.shape}")
    uses = [_uses(own, num_resources, i) for i, own in enumerate(strategies)]
    sizes = tuple(len(u) for u in uses)
    check.size_cap((n + num_resources, *sizes), "payoffs")
    actions = joint_actions(sizes)
    loads = sum(u.T[:, a] for u, a in zip(uses, actions, strict=True))  # (R, A_1, …, A_n)
    sums = np.concatenate([np.zeros((num_resources, 1)), table.cumsum(axis=1)], axis=1)
    payoffs, potential = np.zeros((n, *sizes)), np.zeros(sizes)
    for r, load in enumerate(loads):
        potential -= sums[r][load]
        paid = table[r][np.maximum(load, 1) - 1]
        for i, a in enumerate(actions):
            payoffs[i] -= uses[i][a, r] * paid
    return PotentialGame(NormalForm(payoffs, title="Congestion"), potential)


def _uses(own: Sequence[Sequence[int]], num_resources: int, i: int) -> Any:
    """Whether an action uses a resource: int (A_i, R)."""
    if len(own) == 0:
        raise InputError(f"strategies of player {i}: need one or more")
    table = np.zeros((len(own), num_resources), dtype=np.int64)
    for a, resources in enumerate(own):
        for r in resources:
            table[a, check.player(r, num_resources, "resource")] += 1
    if table.max() > 1:
        raise InputError(f"strategies of player {i}: a resource is listed twice")
    return table


def braess(n: int, bridge: bool = True) -> PotentialGame:
    """Braess's paradox (1968) with n drivers: a new bridge makes everybody worse off.

    From S to T over A or over B. S-A and B-T cost their load, S-B and A-T cost n always. The
    bridge A-B costs nothing. Without it half of the drivers go either way at 3n/2 each, n even.
    With it all can go S-A-B-T, at 2n each; at most one driver on S-A-T and one on S-B-T make the
    other equilibria.

    Examples
    --------
    >>> game, _ = braess(2)
    >>> print(game.payoffs[:, 2, 2], game.payoffs[:, 0, 1])
    [-4. -4.] [-3. -3.]
    """
    size = count(n, "n", 2, 10)
    check.instance(bridge, bool, "bridge")
    load, flat = np.arange(1.0, size + 1), np.full(size, float(size))
    routes = ((0, 3), (1, 2), (0, 2))[: 3 if bridge else 2]  # S-A, S-B, B-T, A-T
    game, potential = congestion([routes] * size, [load, flat, load, flat])
    names = ("S-A-T", "S-B-T", "S-A-B-T")[: len(routes)]
    return PotentialGame(
        NormalForm(game.payoffs, title="Braess's paradox", actions=(names,) * size), potential
    )


def three_in_a_ring() -> PotentialGame:
    """The worst of affine delays: an equilibrium that costs 5/2 of the best.

    Every delay is its load. Player i uses h_i and g_i, or its neighbours' h and the next one's g:
    cost 2 each if all do the first, 5 each if all do the second, which is an equilibrium
    (Christodoulou & Koutsoupias 2005, who prove that it is never worse).

    Examples
    --------
    >>> from refmarl.games import pure_equilibria
    >>> game, _ = three_in_a_ring()
    >>> print(game.payoffs[:, 0, 0, 0], game.payoffs[:, 1, 1, 1])
    [-2. -2. -2.] [-5. -5. -5.]
    >>> (1, 1, 1) in pure_equilibria(game)
    True
    """
    plans = [
        [(i, 3 + i), ((i + 2) % 3, (i + 1) % 3, 3 + (i + 1) % 3)] for i in range(3)
    ]  # h_0, h_1, h_2, g_0, g_1, g_2
    return congestion(plans, [[1, 2, 3]] * 6)
