"""One equilibrium of a two-player game by complementary pivoting (course §1.1).

With payoffs A, B (m, n) made positive, a vertex of

    {z ≥ 0, w ≥ 0 :  A y + w_1 = 1,  Bᵀ x + w_2 = 1},    z = (x, y),

has label k where z_k = 0 or w_k = 0. Labels 0..m-1 are the actions of player 1: not played, or a
best reply; m..m+n-1 those of player 2. A vertex with all labels is an equilibrium (1.3), scaled,
or the *artificial* one z = 0. The algorithm leaves z = 0 along the edge that drops one label,
moves on by dropping the label that has come twice, and stops where the missing one is back.

In a degenerate game the basis that leaves is not unique, and a wrong choice may run in circles.
The *lexicographic* rule acts as if the right sides were 1 + ε^1, …, 1 + ε^{m+n} with ε near 0:
all choices are unique then, no basis comes back, and the path ends (Lemke & Howson 1964).

Each label leads to an equilibrium, of index +1 in a nondegenerate game; different labels may
lead to the same one, and some equilibria may not be reached from any. Paths can be exponentially
long (Savani & von Stengel 2006).

Sources: C. E. Lemke, J. T. Howson, *Equilibrium points of bimatrix games*, J. SIAM 12, 1964;
L. S. Shapley, *A note on the Lemke–Howson algorithm*, Math. Programming Study 1, 1974;
B. von Stengel, *Equilibrium computation for two-player games in strategic and extensive form*,
in Algorithmic Game Theory, 2007, ch. 3 (lexicographic rule: section 3.6); R. Savani,
B. von Stengel, *Hard-to-solve bimatrix games*, Econometrica 74, 2006.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..check import Array, InputError, Profile, player
from ..kernels._jit import kernel
from .nash import is_nash
from .normal_form import NormalForm
from .support import Ints, positive_form

MAX_ACTIONS = 600  # of both players together: the table has 2 (m + n)² numbers
MAX_EXACT = 40  # of both players together, where floats do not suffice
MAX_WORK = 20_000_000_000  # numbers of a table times pivots: paths can be exponentially long
LEAST = 1e-10  # a smaller number is no pivot: payoffs are in [1, 2]


class Reached(NamedTuple):
    """Where a path ends."""

    profile: Profile
    pivots: int  # steps of the path


class Found(NamedTuple):
    """An equilibrium, and the labels that lead to it."""

    profile: Profile
    labels: tuple[int, ...]


@kernel
def precedes(table: Array, r: int, s: int, column: int, tie: float) -> bool:
    """Whether row r, divided by its entry in ``column``, comes before row s in lexicographic order.

    Compared are the right side, last, then the columns of w, which hold the powers of ε.
    """
    size = len(table)
    p, q = table[r, column], table[s, column]
    for c in range(size + 1):
        at = 2 * size if c == 0 else size + c - 1
        gap = table[r, at] / p - table[s, at] / q
        if abs(gap) > tie:
            return bool(gap < 0.0)
    return False


@kernel
def leaving_row(table: Array, column: int, tie: float) -> int:
    """The row whose basic variable is the first at 0 as that of ``column`` grows; -1 if none."""
    best = -1
    for r in range(len(table)):
        if table[r, column] > LEAST and (best < 0 or precedes(table, r, best, column, tie)):
            best = r
    return best


@kernel
def exchange(table: Array, row: int, column: int) -> None:
    """Make ``column`` a unit column, 1 in ``row``."""
    pivot = table[row, column]
    for c in range(table.shape[1]):
        table[row, c] /= pivot
    for r in range(len(table)):
        factor = table[r, column]
        if r != row and factor != 0.0:
            for c in range(table.shape[1]):
                table[r, c] -= factor * table[row, c]
            table[r, column] = 0.0


@kernel
def walk(table: Array, basis: Ints, label: int, tie: float, most: int) -> int:
    """Follow the path of ``label`` in place; returns its pivots, -1 if it does not end.

    ``table`` (N, 2N + 1): the columns of z, of w, and the right side; ``basis`` (N,): the basic
    variable of each row, z_k as k and w_k as N + k.
    """
    size = len(table)
    entering = label
    for step in range(1, most + 1):
        row = leaving_row(table, entering, tie)
        if row < 0:
            return -1
        leaving = basis[row]
        exchange(table, row, entering)
        basis[row] = entering
        if leaving % size == label:
            return step
        entering = (leaving + size) % (2 * size)  # its complement, of the same label
    return -1


def rational_walk(table: list[list[Fraction]], basis: list[int], label: int) -> int:
    """:func:`walk` in Fractions, to its end."""
    size, entering, step = len(table), label, 0
    while True:
        step += 1
        above = [r for r in range(size) if table[r][entering] > 0]
        row = min(above, key=lambda r: _ratios(table[r], entering, size))
        pivot = table[row][entering]
        table[row] = [v / pivot for v in table[row]]
        for r in range(size):
            factor = table[r][entering]
            if r != row and factor:
                table[r] = [v - factor * p for v, p in zip(table[r], table[row], strict=True)]
        leaving, basis[row] = basis[row], entering
        if leaving % size == label:
            return step
        entering = (leaving + size) % (2 * size)


def _ratios(row: list[Fraction], column: int, size: int) -> list[Fraction]:
    """The right side and the columns of w, over the pivot: lists compare lexicographically."""
    return [v / row[column] for v in [row[-1], *row[size : 2 * size]]]


def tableau(game: NormalForm) -> tuple[Array, float]:
    """(the first table, that of z = 0; what counts as a tie in it)."""
    m, n = game.num_actions
    a, tie_a = positive_form(game.payoffs[0].T)
    b, tie_b = positive_form(game.payoffs[1])
    table: Array = np.zeros((m + n, 2 * (m + n) + 1))
    table[:m, m : m + n] = a.T
    table[m:, :m] = b.T
    table[:, m + n : -1] = np.eye(m + n)
    table[:, -1] = 1.0
    return table, max(tie_a, tie_b)


def rational_tableau(game: NormalForm) -> list[list[Fraction]]:
    """:func:`tableau` without rounding."""
    m, n = game.num_actions
    table = tableau(game)[0].astype(object)
    table[:m, m : m + n] = _rational_form(game.payoffs[0].T).T
    table[m:, :m] = _rational_form(game.payoffs[1]).T
    return [[Fraction(v) for v in row] for row in table.tolist()]


def _rational_form(u: Array) -> NDArray[np.object_]:
    """The payoffs of :func:`~refmarl.games.support.positive_form` in Fractions."""
    rows = [[Fraction(v) for v in row] for row in u.tolist()]
    gains = [[v - min(row) for v in row] for row in rows]
    top = max(map(max, gains))
    exponent = top.numerator.bit_length() - top.denominator.bit_length() + 1  # as of frexp
    return np.array([[v / Fraction(2) ** exponent + 1 for v in row] for row in gains], object)


def _profile(z: Array, m: int) -> Profile:
    """The strategies of a vertex (x, y), whose sums are positive, without rounding below 0."""
    x, y = np.maximum(z[:m], 0.0), np.maximum(z[m:], 0.0)
    return x / x.sum(), y / y.sum()


def _vertex(table: Array, basis: Ints) -> Array:
    """z of a basis, solved from the first table: the path's rounding errors are gone."""
    size = len(table)
    values = np.zeros(2 * size)
    values[basis] = np.linalg.solve(table[:, basis], table[:, -1])
    z: Array = values[:size]
    return z


def _in_floats(game: NormalForm, label: int) -> Reached | None:
    """The end of the path, None where rounding errors have led astray."""
    table, tie = tableau(game)
    basis = np.arange(len(table)) + len(table)
    pivots = walk(table.copy(), basis, label, tie, MAX_WORK // table.size)
    if pivots < 0:
        return None
    try:
        z = _vertex(table, basis)
    except np.linalg.LinAlgError:
        return None
    m = game.num_actions[0]
    if min(z[:m].max(), z[m:].max()) <= 0.0:
        return None
    profile = _profile(z, m)
    return Reached(profile, int(pivots)) if is_nash(game, profile) else None


def _in_fractions(game: NormalForm, label: int) -> Reached:
    """The end of the path of the payoffs taken exactly."""
    table = rational_tableau(game)
    size, m = len(table), game.num_actions[0]
    basis = list(range(size, 2 * size))
    pivots = rational_walk(table, basis, label)
    z = [Fraction(0)] * (2 * size)
    for r, k in enumerate(basis):
        z[k] = table[r][-1]
    x, y = z[:m], z[m:size]
    return Reached(
        (
            np.array([float(v / sum(x)) for v in x]),
            np.array([float(v / sum(y)) for v in y]),
        ),
        pivots,
    )


def lemke_howson(game: NormalForm, label: int = 0) -> Reached:
    """The equilibrium at the end of the path that drops ``label``.

    Parameters
    ----------
    game : NormalForm (2, m, n)
        At most 600 actions of both players together.
    label : index of an action, 0..m-1 of player 1 and m..m+n-1 of player 2

    Returns
    -------
    Reached
        The profile has no regret above 1e-9 of the payoffs' size: it is checked, and where
        rounding errors left the path, small games are done again in Fractions.

    Raises
    ------
    InputError
        If there are not two players, too many actions, or no such label.
    ArithmeticError
        If the path takes more than about half a minute, as it may from 100 actions each, or
        floats do not suffice in a game of more than 40 actions together.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]])
    >>> (x, y), pivots = lemke_howson(game, label=1)
    >>> print(x.round(3), y.round(3), pivots)
    [0.    0.333 0.667] [0.333 0.667] 4
    """
    if game.num_players != 2:
        raise InputError(f"lemke-howson: need 2 players, got {game.num_players}")
    m, n = game.num_actions
    if m + n > MAX_ACTIONS:
        raise InputError(f"lemke-howson: {m} × {n} actions; the cap is {MAX_ACTIONS} together")
    label = player(label, m + n, "label")
    found = _in_floats(game, label)
    if found is None and m + n <= MAX_EXACT:
        return _in_fractions(game, label)
    if found is None:
        raise ArithmeticError(
            f"lemke-howson: no end of the path from label {label} within "
            f"{MAX_WORK // (2 * (m + n) ** 2)} pivots in floating point"
        )
    return found


def all_labels(game: NormalForm) -> tuple[Found, ...]:
    """The different equilibria that the m + n labels lead to, by the first label of each.

    In a nondegenerate game all of them have index +1; others there may be more.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]])
    >>> for (x, y), labels in all_labels(game):
    ...     print(x.round(3), y.round(3), labels)
    [1. 0. 0.] [1. 0.] (0, 2, 3)
    [0.    0.333 0.667] [0.333 0.667] (1, 4)
    """
    found: list[Found] = []
    for label in range(sum(game.num_actions)):
        end = np.concatenate(lemke_howson(game, label).profile)
        for k, (profile, labels) in enumerate(found):
            if np.allclose(np.concatenate(profile), end, rtol=0.0, atol=1e-9):
                found[k] = Found(profile, (*labels, label))
                break
        else:
            m = game.num_actions[0]
            found.append(Found((end[:m], end[m:]), (label,)))
    return tuple(found)
