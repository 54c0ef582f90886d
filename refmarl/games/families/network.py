"""Games on a graph: everybody plays the same small game with each neighbour."""

from typing import Any

import numpy as np

from ... import check
from ...check import Array, InputError
from .._parameters import count, joint_actions
from ..generators import PotentialGame
from ..normal_form import NormalForm


def network_game(weights: Any, common: Any) -> PotentialGame:
    """u_i(a) = Σ_j w_ij C[a_i, a_j], with w and C symmetric: two neighbours have one interest.

    Parameters
    ----------
    weights : float (n, n)
        Symmetric, 0 on the diagonal: an adjacency matrix, or strengths of any sign.
    common : float (m, m)
        C, symmetric: what an edge pays to either end.

    Returns
    -------
    PotentialGame
        The potential counts every edge once: half of all payoffs.

    Examples
    --------
    >>> game, potential = network_game([[0, 1], [1, 0]], [[2, 0], [0, 1]])
    >>> print(game.payoffs[0], potential)
    [[2. 0.]
     [0. 1.]] [[2. 0.]
     [0. 1.]]
    """
    w, pay = _symmetric(weights, "weights"), _symmetric(common, "common")
    if np.diag(w).any():
        raise InputError("weights: need 0 on the diagonal, nobody is its own neighbour")
    n = len(w)
    a = joint_actions((len(pay),) * n)
    payoffs = np.zeros(a.shape)
    for i in range(n):
        for j in range(i):
            edge = w[i, j] * pay[a[i], a[j]]
            payoffs[i] += edge
            payoffs[j] += edge
    return PotentialGame(NormalForm(payoffs, title="Network game"), payoffs.sum(axis=0) / 2)


def graph_colouring(adjacency: Any, colours: int) -> PotentialGame:
    """Everybody chooses a colour and pays 1 for each neighbour of the same colour.

    With more colours than any node has neighbours, the pure equilibria are the proper colourings:
    as many as the chromatic polynomial says (Panagopoulou & Spirakis 2008; Kearns et al. 2006
    had people play it).

    Examples
    --------
    >>> from refmarl.games import pure_equilibria
    >>> triangle = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    >>> len(pure_equilibria(graph_colouring(triangle, 4).game))  # 4 · 3 · 2
    24
    """
    edges = _symmetric(adjacency, "adjacency")
    if not np.isin(edges, (0.0, 1.0)).all():
        raise InputError("adjacency: need 0 and 1")
    game, potential = network_game(edges, -np.eye(count(colours, "colours", 1, 1000)))
    return PotentialGame(NormalForm(game.payoffs, title="Graph colouring"), potential)


def consensus(n: int, m: int) -> PotentialGame:
    """n players choose among m actions and get the number of others who chose the same.

    Examples
    --------
    >>> print(consensus(3, 2).game.payoffs[:, 0, 0, 1])
    [1. 1. 0.]
    """
    size = count(n, "n", 2, 12)
    game, potential = network_game(1.0 - np.eye(size), np.eye(count(m, "m", 1, 1000)))
    return PotentialGame(NormalForm(game.payoffs, title="Consensus"), potential)


def _symmetric(values: Any, name: str) -> Array:
    """A symmetric matrix."""
    table = check.real_array(values, name, 2)
    if table.shape[0] != table.shape[1] or (table != table.T).any():
        raise InputError(f"{name}: need a symmetric matrix, got shape {table.shape}")
    return table
