"""All extreme Nash equilibria of a two-player game, from vertex to vertex (course §1.1).

    x ∈ Δ(m), y ∈ Δ(n) is a Nash equilibrium  ⇔  supp(x) ⊆ BR(y) and supp(y) ⊆ BR(x)   (1.3)

The strategies x, each divided by an upper bound on what player 2 gets against it, form the polytope
P = {z ≥ 0, zᵀB ≤ 1} of :mod:`~refmarl.games.support`, and those of player 2 its like Q. A vertex of
P has label i where z_i = 0, "i is not played", and label m + j where (zᵀB)_j = 1, "j is a best
reply"; a vertex of Q the other way round. A pair of vertices with all m + n labels is an
equilibrium, but for (0, 0).

Where no vertex of P has more than m labels and none of Q more than n, the game is nondegenerate,
and the partner of a vertex has just the labels that it has not: it is looked up in a hash table.
The vertices themselves come by *reverse search*: the paths of the simplex method from all of them
to 0 form a tree, which is walked from its root, so that the work is in proportion to their number.
Random polytopes have far fewer vertices than the C(m + n, m) systems of equations that supports
give: of 12 × 12 actions some 5000 for 2.7 million.

In degenerate polytopes the right sides 1 are taken as 1 + ε ρ_j with ε as near to 0 as one likes
and ρ_j in no relation. That leaves no ties, and each vertex comes out at least once. A number that
is neither clearly 0 nor clearly positive ends the walk, and support enumeration does the work.
Each strategy found is solved anew from its own equations, and each pair certified.

Sources: D. Avis, K. Fukuda, *A pivoting algorithm for convex hulls and vertex enumeration of
arrangements and polyhedra*, Discrete & Computational Geometry 8, 1992; D. Avis, G. Rosenberg,
R. Savani, B. von Stengel, *Enumeration of Nash equilibria for two-player games*, Economic Theory
42, 2010; B. von Stengel, *Equilibrium computation for two-player games in strategic and extensive
form*, in Algorithmic Game Theory, 2007, ch. 3.
"""

import numpy as np

from ..check import Array, InputError
from ._vertex_kernels import (
    FOUND,
    TIED,
    TOO_MANY,
    explore,
    fully_labelled,
    nondegenerate,
    solved,
)
from .nash import TOLERANCE
from .normal_form import NormalForm
from .support import Equilibria, judged, support_enumeration

MAX_LABELS = 62  # actions of both players together: a set of labels is the bits of an int64
MAX_WORK = 400_000_000  # vertices of a polytope times m n: a few seconds
MAX_PAIRS = 10_000_000_000  # of vertices, in a degenerate game: a few seconds


def vertex_enumeration(game: NormalForm) -> Equilibria:
    """All extreme Nash equilibria of a two-player game; see the module for the method.

    In a nondegenerate game these are all equilibria, an odd number. In a degenerate one all others
    are mixtures of those that share a strategy; ``complete`` is False if there are such.

    Parameters
    ----------
    game : NormalForm (2, m, n)
        At most 62 actions of both players together. What counts is the number of vertices: 12 × 12
        takes some milliseconds, 15 × 15 less than a second.

    Returns
    -------
    Equilibria
        As of :func:`~refmarl.games.support.support_enumeration`: ``profiles`` in descending
        lexicographic order, each with regrets ≤ 1e-9 of the payoffs' size.

    Raises
    ------
    InputError
        If there are not two players, or the game exceeds a cap.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]])
    >>> for x, y in vertex_enumeration(game).profiles:
    ...     print(x.round(3), y.round(3))
    [1. 0. 0.] [1. 0.]
    [0.8 0.2 0. ] [0.667 0.333]
    [0.    0.333 0.667] [0.333 0.667]
    """
    u = game.payoffs
    if len(u) != 2:
        raise InputError(f"vertex enumeration: need 2 players, got {game.num_players}")
    m, n = u.shape[1:]
    if m + n > MAX_LABELS:
        raise InputError(f"vertex enumeration: {m} × {n} actions; the cap is {MAX_LABELS} together")
    most = MAX_WORK // (m * n)
    ended, points = nondegenerate(u, most, TOLERANCE)
    if ended == FOUND:
        return Equilibria(tuple([(row[:m], row[m:]) for row in points]), True, "", False)
    if ended == TIED:
        ended, found = _degenerate(u[0].T.copy(), u[1].copy(), most)
        if found.profiles:
            return found
    if ended == TOO_MANY:
        raise InputError(
            f"vertex enumeration: {m} × {n} actions with more than {most} vertices of a polytope, "
            f"or more than {MAX_PAIRS} pairs of them"
        )
    return _by_supports(game)


def _degenerate(a: Array, b: Array, most: int) -> tuple[int, Equilibria]:
    """How it ended, and the extreme equilibria of a degenerate game."""
    nothing = Equilibria((), False, "", True)
    found = (explore(payoffs, most)[2][1:] for payoffs in (b, a))
    first, second = (np.unique(nodes | ties) for nodes, ties in (v.T for v in found))
    if len(first) * len(second) > MAX_PAIRS:
        return TOO_MANY, nothing
    m, n = b.shape
    ended, points, pairs = solved(a, b, fully_labelled(first, second, m, n), TOLERANCE)
    if ended != FOUND or not len(pairs):
        return ended, nothing
    kept, rows = _descending(points), pairs.tolist()
    profiles = tuple([(points[e, :m], points[e, m:]) for e in kept])
    return ended, judged(profiles, [rows[e] for e in kept], True)


def _by_supports(game: NormalForm) -> Equilibria:
    """The same by support enumeration, where the vertices cannot be told apart."""
    try:
        return support_enumeration(game)
    except InputError as error:
        raise InputError(f"vertex enumeration: payoffs too near to a tie; {error}") from None


def _descending(points: Array) -> list[int]:
    """The rows in descending lexicographic order of 9 digits, equal ones once."""
    if len(points) == 1:
        return [0]
    digits = np.rint(points * 1e9).tolist()
    order = sorted(range(len(digits)), key=digits.__getitem__, reverse=True)
    return [e for k, e in enumerate(order) if k == 0 or digits[e] != digits[order[k - 1]]]
