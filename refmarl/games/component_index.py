"""The index of every component of equilibria of a two-player game, degenerate or not  [+].

A regular equilibrium has index +1 or -1 (:mod:`~refmarl.games.exact`). A *component* has the sum of
the indices of those equilibria of a nearby nondegenerate game that lie near it, whichever game that
is; it may be any whole number, 0 included. All indices sum to +1 (Shapley 1974; Ritzberger 1994).

Nothing is measured here, and nothing rounded. With payoffs A, B in whole numbers take A + εE and
B + εF, where E and F are whole numbers drawn at random. Who is a best reply to a vertex, and which
of its coordinates are positive, are signs of minors of (A + εE, 1) and (B + εF, 1): polynomials in
ε with whole coefficients, at most K. None but the zero polynomial has a root in (0, 1/(1 + K)). At
ε = 1/(2 + K) all signs are those of ε → 0.

So let an equilibrium at this ε play I and J. As ε → 0 it tends to the set of pairs (x, y) with

    supp x ⊆ I ⊆ BR(y),     supp y ⊆ J ⊆ BR(x),

which are equilibria of (A, B), all of them; the set is convex, hence lies in one component, and
each extreme equilibrium in it says in which.

L. S. Shapley, *A note on the Lemke–Howson algorithm*, Math. Programming Study 1, 1974;
K. Ritzberger, *The theory of normal form games from the differentiable viewpoint*, Int. J. Game
Theory 23, 1994.
"""

from collections.abc import Sequence
from math import factorial
from typing import Any

import numpy as np

from .exact import ExactEquilibria, Mixture, Whole, _bimatrix, exact_equilibria, whole_form
from .normal_form import NormalForm

NOISE = 997  # the perturbations are 0..NOISE
TRIES = 20


def component_indices(
    game: NormalForm | Sequence[Any], found: ExactEquilibria | None = None, seed: int = 0
) -> tuple[int, ...]:
    """The index of each component of ``exact_equilibria(game)``, in its order; they sum to +1.

    Parameters
    ----------
    game : NormalForm, or exact payoffs [A, B]
        As for :func:`~refmarl.games.exact.exact_equilibria`, with its caps and errors.
    found : what that function returned for the game, if it is known
    seed : whole number ≥ 0
        Draws the perturbation. The indices do not depend on it.

    Examples
    --------
    Both get 1 at (1, 1), else nothing. At (2, 2) nobody gains by deviating, but a trifle destroys
    this equilibrium, or splits it in two:

    >>> component_indices([[[1, 0], [0, 0]], [[1, 0], [0, 0]]])
    (1, 0)
    """
    known = exact_equilibria(game) if found is None else found
    first, second = _bimatrix(game)
    a = whole_form(tuple(zip(*first, strict=True)))  # (n, m): what rows get against a column
    b = whole_form(second)
    near = _nearby([list(row) for row in zip(*a, strict=True)], b, seed)
    owner = {x: c for c, component in enumerate(known.components) for s in component
             for x in _pairs(s)}  # fmt: skip
    homes = [
        (owner[x, y], _support(x), _support(y), _best(y, a), _best(x, b)) for x, y in known.profiles
    ]
    indices = [0] * len(known.components)
    for (x, y), _, index in near.extreme:
        i, j = _support(x), _support(y)
        (home,) = {c for c, si, sj, bi, bj in homes if si <= i <= bi and sj <= j <= bj}
        indices[home] += index or 0  # never None: the game is nondegenerate
    return tuple(indices)


def _pairs(subset: Any) -> list[tuple[Mixture, Mixture]]:
    return [(x, y) for x in subset.rows for y in subset.columns]


def _support(x: Mixture) -> frozenset[int]:
    return frozenset(k for k, p in enumerate(x) if p)


def _best(x: Mixture, u: Whole) -> frozenset[int]:
    """The best replies to x, ``u[a][b]`` being what b pays against a."""
    values = [sum(p * row[b] for p, row in zip(x, u, strict=True)) for b in range(len(u[0]))]
    return frozenset(b for b, v in enumerate(values) if v == max(values))


def small_enough(a: Whole, b: Whole) -> int:
    """2 + K: one over an ε below which no sign of a minor changes, for ``NOISE`` at most.

    A minor of order k has k! products of k factors u + εe, each with coefficients that sum to at
    most (U + NOISE)^k.
    """
    largest = max(v for u in (a, b) for row in u for v in row) + NOISE
    k = min(len(a), len(a[0])) + 1
    bound: int = 2 + factorial(k) * int(largest) ** k
    return bound


def _nearby(a: Whole, b: Whole, seed: int) -> ExactEquilibria:
    """The equilibria of a nondegenerate game so near that only signs that were 0 differ."""
    rng, factor = np.random.default_rng(seed), small_enough(a, b)
    for _ in range(TRIES):
        moved = [
            [[factor * v + int(rng.integers(NOISE + 1)) for v in r] for r in u] for u in (a, b)
        ]
        near = exact_equilibria(moved)
        if not near.degenerate:
            return near
    raise ArithmeticError(f"{TRIES} perturbations of the game are degenerate")
