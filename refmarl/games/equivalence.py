"""When two games are the same: payoffs' units, names, duplicates  [+].

Harsanyi & Selten (1988, ch. 3) ask that a solution does not change with what means nothing:

    units and gifts    u_i → α_i u_i + f_i(a_-i),  α_i > 0, f_i free of i's own action
    names              of players and of actions
    duplicates         actions between which no player sees a difference

The first leaves every player's comparison of two actions against every belief as it was: best
responses, regrets up to the factor α_i, and all Nash and correlated equilibria. It is about all
that does: where no action dominates another, nearly all games in which these comparisons agree are
so related (Moulin & Vial 1978; Morris & Ui 2004). Dominated actions leave more room, since what is
never best may pay anything low enough. Welfare, Pareto optimality and what commitment is worth do
change with gifts.

Two games are *isomorphic* if a renaming takes one to the other. All renamings are tried, those of
players and then those of each one's actions; a game's renamings onto itself are its symmetries.

Axes: n players with A_i actions.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from .dominance import ROUNDING, restricted
from .nash import TOLERANCE
from .normal_form import NormalForm

Order = NDArray[np.intp]

MAX_RENAMINGS = 200_000  # n! Π A_i!


class Renaming(NamedTuple):
    """Player i of one game is ``players[i]`` of the other, its action a is ``actions[i][a]``."""

    players: tuple[int, ...]
    actions: tuple[tuple[int, ...], ...]


class Reduction(NamedTuple):
    """A game without duplicate actions."""

    game: NormalForm
    classes: tuple[
        tuple[tuple[int, ...], ...], ...
    ]  # per player and action left: what it stands for


def equivalence(a: NormalForm, b: NormalForm, tol: float = TOLERANCE) -> Array | None:
    """The α (n,) with u_i^b = α_i u_i^a + f_i(a_-i) and α_i > 0, or None if there is none.

    Where a player's own action never matters, in both games, α_i is 1.

    Parameters
    ----------
    tol : what may be missing, times the size of what player i's actions change

    Raises
    ------
    InputError
        If the games have not the same shape.

    Examples
    --------
    Chicken and hawk-dove are one game; the prisoner's dilemma is another.

    >>> chicken = NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    >>> hawk_dove = NormalForm.bimatrix([[1, 0], [2, -2]], [[1, 2], [0, -2]])
    >>> print(equivalence(chicken, hawk_dove))
    [1. 1.]
    >>> dilemma = NormalForm.bimatrix([[-1, -3], [0, -2]], [[-1, 0], [-3, -2]])
    >>> print(equivalence(chicken, dilemma))
    None
    """
    if a.num_actions != b.num_actions:
        raise InputError(f"games: need equal shapes, got {a.num_actions} and {b.num_actions}")
    factors = []
    for i in range(a.num_players):
        factor = _factor(a.payoffs[i], b.payoffs[i], i, tol)
        if factor is None:
            return None
        factors.append(factor)
    return np.array(factors)


def strategically_equivalent(a: NormalForm, b: NormalForm, tol: float = TOLERANCE) -> bool:
    """Do the games differ in units and gifts only? As :func:`equivalence`.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> gifts = NormalForm.bimatrix([[7, -3], [5, -2]], [[4, 0], [9, 11]])
    >>> strategically_equivalent(game, gifts)
    True
    """
    return equivalence(a, b, tol) is not None


def reduced(game: NormalForm, tol: float = TOLERANCE) -> Reduction:
    """Keep one of each class of duplicate actions, the first.

    Two actions of a player are duplicates if no joint action of the others makes a difference
    between them to anybody. Equilibria of the reduced game are those of the game, with the
    probability of a class shared out among its actions in any way.

    Parameters
    ----------
    tol : differences up to this, times the size of a player's payoffs, count as none

    Examples
    --------
    >>> game = NormalForm.bimatrix([[1, 1, 0], [0, 0, 2]], [[3, 3, 0], [1, 1, 1]])
    >>> found = reduced(game)
    >>> found.game.num_actions, found.classes[1]
    ((2, 2), ((0, 1), (2,)))
    """
    size = np.abs(game.payoffs).reshape(game.num_players, -1).max(axis=1)
    classes = []
    for i, k in enumerate(game.num_actions):
        rows = np.moveaxis(game.payoffs, i + 1, 1).reshape(game.num_players, k, -1)
        own: list[list[int]] = []
        for a in range(k):
            for known in own:
                apart = np.abs(rows[:, a] - rows[:, known[0]]).max(axis=1)
                if (apart <= tol * size).all():
                    known.append(a)
                    break
            else:
                own.append([a])
        classes.append(tuple(tuple(known) for known in own))
    left = restricted(game, [[known[0] for known in own] for own in classes])
    return Reduction(left, tuple(classes))


def renamed(game: NormalForm, renaming: Renaming) -> NormalForm:
    """The game in which everything bears its new number; words move along.

    Raises
    ------
    InputError
        If the renaming is not one permutation of the players and one for each player's actions.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[1, 2, 3], [4, 5, 6]], [[0, 0, 0], [7, 8, 9]])
    >>> swapped = renamed(game, Renaming((1, 0), ((1, 0), (0, 1, 2))))
    >>> print(swapped.payoffs[1])
    [[4. 1.]
     [5. 2.]
     [6. 3.]]
    """
    _permutation(renaming.players, game.num_players, "players")
    if len(renaming.actions) != game.num_players:
        raise InputError(f"actions: need {game.num_players} permutations")
    for i, own in enumerate(renaming.actions):
        _permutation(own, game.num_actions[i], f"actions of player {i}")
    old = np.argsort(renaming.players).tolist()  # old[p]: who is now player p
    orders = [np.argsort(renaming.actions[i]) for i in old]
    return NormalForm(
        _moved(game.payoffs, old, orders),
        title=game.title,
        players=tuple(game.players[i] for i in old),
        actions=tuple(
            tuple(game.actions[i][a] for a in order) for i, order in zip(old, orders, strict=True)
        ),
    )


def isomorphisms(
    a: NormalForm, b: NormalForm, up_to_units: bool = False, tol: float = TOLERANCE
) -> Iterator[Renaming]:
    """All renamings that make ``b`` of ``a``; with ``up_to_units`` up to equivalence of payoffs.

    Parameters
    ----------
    up_to_units : False, or True for a result that is only strategically equivalent to ``b``
    tol : as in :func:`equivalence`; without units, times the size of a player's payoffs

    Raises
    ------
    InputError
        If n! Π A_i! > 200 000 renamings would have to be tried.

    Examples
    --------
    The battle of the sexes is symmetric if actions are renamed as well:

    >>> battle = NormalForm.bimatrix([[2, 0], [0, 1]], [[1, 0], [0, 2]])
    >>> for found in isomorphisms(battle, battle):
    ...     print(found.players, found.actions)
    (0, 1) ((0, 1), (0, 1))
    (1, 0) ((1, 0), (1, 0))
    """
    if sorted(a.num_actions) != sorted(b.num_actions):
        return
    _affordable(a)
    same = strategically_equivalent if up_to_units else _equal
    for players in permutations(range(a.num_players)):
        if any(a.num_actions[i] != b.num_actions[p] for i, p in enumerate(players)):
            continue
        for actions in product(*(permutations(range(k)) for k in a.num_actions)):
            renaming = Renaming(players, actions)
            if same(renamed(a, renaming), b, tol):
                yield renaming


def isomorphic(
    a: NormalForm, b: NormalForm, up_to_units: bool = False, tol: float = TOLERANCE
) -> bool:
    """Is there a renaming of players and actions between them? As :func:`isomorphisms`.

    Examples
    --------
    Matching pennies with the roles exchanged:

    >>> pennies = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> isomorphic(pennies, NormalForm.zero_sum([[-1, 1], [1, -1]]))
    True
    """
    return next(isomorphisms(a, b, up_to_units, tol), None) is not None


def is_symmetric(game: NormalForm, tol: float = TOLERANCE) -> bool:
    """Can any player take any other's place without anything changing? Actions keep their numbers.

    Examples
    --------
    >>> is_symmetric(NormalForm.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]]))
    True
    >>> is_symmetric(NormalForm.bimatrix([[2, 0], [0, 1]], [[1, 0], [0, 2]]))
    False
    """
    n = game.num_players
    if len(set(game.num_actions)) > 1:
        return False
    same = tuple(range(game.num_actions[0]))
    neighbours = (
        (*range(i), i + 1, i, *range(i + 2, n)) for i in range(n - 1)
    )  # they generate all
    return all(_equal(renamed(game, Renaming(p, (same,) * n)), game, tol) for p in neighbours)


def _factor(u: Array, v: Array, i: int, tol: float) -> float | None:
    """α > 0 with v = α u + (what is free of i's action), or None."""
    own, other = (w - w.mean(axis=i, keepdims=True) for w in (u, v))
    here, there = float(np.abs(own).max()), float(np.abs(other).max())
    noise = [ROUNDING * float(np.abs(w).max()) for w in (u, v)]
    if here <= noise[0] or there <= noise[1]:  # the action never matters in one of them
        return 1.0 if here <= noise[0] and there <= noise[1] else None
    x, y = own / here, other / there
    ratio = float((x * y).sum() / (x * x).sum())
    allowed = tol + noise[0] / here + noise[1] / there
    if ratio <= 0 or np.abs(y - ratio * x).max() > allowed:
        return None
    return ratio * there / here


def _permutation(order: Sequence[int], size: int, name: str) -> None:
    """Refuse what is none of 0..size-1."""
    if sorted(check.player(k, size, name) for k in order) != list(range(size)):
        raise InputError(f"{name}: need a permutation of 0..{size - 1}, got {tuple(order)}")


def _moved(payoffs: Array, old: Sequence[int], orders: Sequence[Order]) -> Array:
    """Axes and entries of the payoffs in their new places."""
    turned = payoffs[list(old)].transpose(0, *(1 + i for i in old))
    moved: Array = turned[np.ix_(np.arange(len(old)), *orders)]
    return moved


def _equal(a: NormalForm, b: NormalForm, tol: float) -> bool:
    """Payoffs that are the same up to rounding."""
    size = np.abs(b.payoffs).reshape(b.num_players, -1).max(axis=1)
    apart = np.abs(a.payoffs - b.payoffs).reshape(b.num_players, -1).max(axis=1)
    return bool((apart <= tol * size).all())


def _affordable(game: NormalForm) -> None:
    """Refuse to try too many."""
    count = factorial(game.num_players)
    for k in game.num_actions:
        count *= factorial(min(k, 20))
    if count > MAX_RENAMINGS:
        raise InputError(f"isomorphisms: {count} renamings; the cap is {MAX_RENAMINGS}")
