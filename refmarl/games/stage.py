"""Stage games: what to make of the table Q(s, ·) of one state (course §1).

In a Markov game the joint action a in a state s is worth

    Q_i(s, a) = R_i(s, a) + γ Σ_s' P(s'|s, a) V_i(s')

to player i: a game in normal form. A *solver* says what it is worth to everybody, and how it is
played. Each solver gives one method of the same family:

    minimax        two players, zero-sum: the value                   Littman 1994
    nash           two players: the equilibrium of largest welfare    Hu & Wellman 2003
    correlated     the correlated equilibrium of largest welfare      Greenwald & Hall 2003 (uCE-Q)
    friend_or_foe  each player with its friends against the others    Littman 2001

Axes: n players, A_i actions of player i.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError, Profile
from ..kernels.joint import Ints
from .correlated import correlated_equilibrium
from .normal_form import NormalForm
from .support import support_enumeration
from .zero_sum import ZeroSum, zero_sum_value

TIGHT = 1e-12  # a gap this small, of the payoffs' range, needs no linear program
TIE = 1e-9  # welfares that differ by less, of the payoffs' size, are equal


class Stage(NamedTuple):
    """A stage game solved."""

    values: Array  # what it is worth to each player, (n,)
    play: Array  # the distribution of joint actions, (A_1, …, A_n)


Solver = Callable[[Array], Stage]  # of payoffs (n, A_1, …, A_n), finite


def quick_value(A: Array, guess: ZeroSum | None = None) -> ZeroSum:
    """:func:`~refmarl.games.zero_sum.zero_sum_value`, a linear program only where one is needed.

    Tried before: saddle points, and mixtures that make the other side indifferent on the supports
    of ``guess`` or, without one, on all actions of a square matrix. No check of A.

    Examples
    --------
    >>> print(quick_value(np.array([[3.0, 0.0], [1.0, 2.0]])).value)
    1.5
    """
    secured, conceded = A.min(axis=1), A.max(axis=0)
    i, j = int(secured.argmax()), int(conceded.argmin())
    if secured[i] == conceded[j]:
        x, y = np.eye(1, A.shape[0], i)[0], np.eye(1, A.shape[1], j)[0]
        return ZeroSum(float(A[i, j]), x, y, 0.0)
    if guess is not None:
        found = _on_supports(A, np.flatnonzero(guess.x), np.flatnonzero(guess.y))
        if found is not None:
            return found
    found = _on_supports(A, *(np.arange(k) for k in A.shape))
    return zero_sum_value(A) if found is None else found


def _on_supports(A: Array, rows: Ints, columns: Ints) -> ZeroSum | None:
    """The solution that makes ``rows`` and ``columns`` indifferent; None if it is not optimal."""
    if len(rows) != len(columns):
        return None
    square, x, y = A[np.ix_(rows, columns)], np.zeros(A.shape[0]), np.zeros(A.shape[1])
    try:
        x[rows], y[columns] = _indifferent(square.T), _indifferent(square)
    except np.linalg.LinAlgError:
        return None
    low, high = float((x @ A).min()), float((A @ y).max())
    if high - low > TIGHT * float(np.ptp(A)):
        return None
    return ZeroSum((low + high) / 2, x, y, max(high - low, 0.0))


def _indifferent(square: Array) -> Array:
    """The mixture z with all (square @ z)_i equal, if there is one. Raises LinAlgError if singular.

    Payoffs are made positive first; then z is, up to its sum, what makes them all 1.
    """
    weights: Array = np.linalg.solve(square - square.min() + np.ptp(square), np.ones(len(square)))
    clipped = np.maximum(weights, 0.0)
    if not 0.0 < clipped.sum() < np.inf:
        raise np.linalg.LinAlgError("no mixture")
    mixture: Array = clipped / clipped.sum()
    return mixture


def minimax(payoffs: Array) -> Stage:
    """The value v of a two-player zero-sum game: (v, -v), both play optimal strategies.

    Examples
    --------
    >>> A = np.array([[3.0, 0.0], [1.0, 2.0]])
    >>> print(minimax(np.stack([A, -A])).values)
    [ 1.5 -1.5]
    """
    solved = quick_value(payoffs[0])
    return Stage(np.array([solved.value, -solved.value]), np.outer(solved.x, solved.y))


def nash(payoffs: Array) -> Stage:
    """The Nash equilibrium of largest welfare in a two-player game.

    Welfare is bilinear, so none of the equilibria that are not extreme has more. Of several with
    the same welfare it is the first that :func:`support_enumeration` lists: the largest
    x lexicographically, then the largest y.

    Examples
    --------
    >>> print(nash(np.array([[[2.0, 0], [0, 1]], [[1, 0], [0, 3]]])).values)  # battle of the sexes
    [1. 3.]
    """
    found = support_enumeration(NormalForm(payoffs)).profiles
    if not found:
        raise ArithmeticError("no equilibrium found: the payoffs differ too much in size")
    plays = np.array([np.outer(x, y) for x, y in found])
    values = np.einsum("eab,iab->ei", plays, payoffs)
    welfare = values.sum(axis=1)
    tie = TIE * float(np.abs(payoffs).max())
    first = int(np.argmax(welfare >= welfare.max() - tie))
    return Stage(values[first], plays[first])


def correlated(payoffs: Array) -> Stage:
    """The correlated equilibrium of largest welfare, any number of players.

    Where several have the largest welfare, the linear program decides.

    Examples
    --------
    >>> chicken = np.array([[[6.0, 2], [7, 0]], [[6, 7], [2, 0]]])
    >>> print(correlated(chicken).values.round(9))
    [5.25 5.25]
    """
    best = correlated_equilibrium(NormalForm(payoffs))
    return Stage(best.payoffs, best.distribution)


def friend_or_foe(friends: Any) -> Solver:
    """The solver in which player i and its friends play together against all others.

    Parameters
    ----------
    friends : bool (n, n)
        [i, j] is whether i takes j for a friend. All True: everybody hopes for its best joint
        action (friend-Q). All False: everybody secures what it can against the rest (foe-Q), in
        two-player zero-sum games the same as minimax. The diagonal does not count.

    Returns
    -------
    Solver
        Player i's value is that of the zero-sum game about Q_i between these two coalitions, and
        what it plays is its part of its coalition's strategy. These beliefs need not agree.

    Raises
    ------
    InputError
        If ``friends`` is not square; when called, if it does not fit the number of players.

    Examples
    --------
    >>> prisoners = np.array([[[3.0, 0], [4, 1]], [[3, 4], [0, 1]]])
    >>> for friend in True, False:
    ...     print(friend_or_foe([[True, friend], [friend, True]])(prisoners).values)
    [4. 4.]
    [1. 1.]
    """
    sides = check.real_array(friends, "friends", 2) > 0
    n = len(sides)
    if sides.shape != (n, n):
        raise InputError(f"friends: need a square table, got shape {sides.shape}")

    def solve(payoffs: Array) -> Stage:
        if len(payoffs) != n:
            raise InputError(f"friends: of {n} players, but the game has {len(payoffs)}")
        beliefs = [_coalition(u, i, sides[i]) for i, u in enumerate(payoffs)]
        values, profile = zip(*beliefs, strict=True)
        return Stage(np.array(values), product(profile))

    return solve


def _coalition(u: Array, i: int, friends: Any) -> tuple[float, Array]:
    """(the value of u for i and its friends against the rest, what i plays (A_i,))."""
    mine = [j for j in range(u.ndim) if friends[j] and j != i]
    rest = [j for j in range(u.ndim) if not friends[j] and j != i]
    size = int(np.prod([u.shape[j] for j in rest], dtype=int))
    solved = quick_value(np.transpose(u, (i, *mine, *rest)).reshape(-1, size))
    return solved.value, solved.x.reshape(u.shape[i], -1).sum(axis=1)


def product(profile: Profile) -> Array:
    """Π_j x_j(a_j), (A_1, …, A_n): players who draw independently."""
    play = np.ones(())
    for x in profile:
        play = play[..., None] * x
    return play
