"""Rationalizable actions, and sets closed under rational behaviour  [+].

An action is *justified* if it is a best response to some belief about what the others do. What
remains when unjustified actions are deleted, round after round, is *rationalizable*. It depends on
what a belief may be:

    "point"        a single joint action of the others (Bernheim 1984, "point-rationalizable")
    "correlated"   any distribution over their joint actions

With correlated beliefs "justified" is the opposite of "strictly dominated" (Pearce 1984, lemma 3),
so that the result is that of iterated strict dominance (1.5). Bernheim and Pearce ask for
independent beliefs about several others. For two players that is the same; for more, what it leaves
lies between the two above and is not computed here, since justifying an action then means to solve
polynomial inequalities.

A set X = Π X_i of actions is *closed under rational behaviour*, curb, if it holds all best
responses to all beliefs about X (Basu & Weibull 1991); beliefs are correlated here. The smallest
closed set that holds a joint action is found by adding best responses until none is new; all
minimal closed sets are among these. Each of them holds the support of an equilibrium, being a game
of its own whose equilibria are those of the whole game. A strict equilibrium is a minimal closed
set by itself; matching pennies has no smaller one than the whole.

Axes: n players, A_i actions of player i, M = Π_{j≠i} A_j joint actions of the others.
"""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from .. import check
from ..check import Array, InputError
from .dominance import Mask, restricted, strictly_dominated
from .nash import TOLERANCE, scale
from .normal_form import NormalForm
from .zero_sum import zero_sum_value

Sets = tuple[tuple[int, ...], ...]  # per player, actions in order

BELIEFS = ("correlated", "point")
MAX_SEEDS = 2_500  # joint actions from which minimal closed sets are searched


def justified(game: NormalForm, i: int, beliefs: str = "correlated") -> Mask:
    """Which actions of player i are a best response to some belief, shape (A_i,).

    With "correlated" the opposite of :func:`~refmarl.games.dominance.strictly_dominated`; with
    "point" payoffs within 1e-9 of their size count as equal.

    Raises
    ------
    InputError
        If there is no player i, or no such kind of beliefs.

    Examples
    --------
    The third action is best against even mixing and against nothing pure.

    >>> game = NormalForm.bimatrix([[3, 0], [0, 3], [2, 2]], np.zeros((3, 2)))
    >>> print(justified(game, 0), justified(game, 0, beliefs="point"))
    [ True  True  True] [ True  True False]
    """
    i = check.player(i, game.num_players)
    if _known(beliefs) == "correlated":
        return ~strictly_dominated(game, i)
    u = np.moveaxis(game.payoffs[i], i, 0).reshape(game.num_actions[i], -1)
    best: Mask = (u >= u.max(axis=0) - TOLERANCE * scale(game)[i]).any(axis=1)
    return best


def belief(game: NormalForm, i: int, action: int) -> Array | None:
    """A belief about the others to which the action is a best response, or None.

    Returns
    -------
    float (A_1, …, 1, …, A_n), of sum 1
        The joint distribution of the others' actions, with one entry along player i's axis;
        among all beliefs one against which the best other action gains least.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 0], [0, 3], [2, 2]], np.zeros((3, 2)))
    >>> print(belief(game, 0, 2))
    [[0.5 0.5]]
    >>> print(belief(NormalForm.bimatrix([[1, 1], [0, 0]], np.zeros((2, 2))), 0, 1))
    None
    """
    i = check.player(i, game.num_players)
    action = check.player(action, game.num_actions[i], "action")
    if not justified(game, i)[action]:
        return None
    size = float(scale(game)[i]) or 1.0
    u = np.moveaxis(game.payoffs[i], i, 0) / size
    shape = u.shape[1:]
    gain = (u - u[action]).reshape(len(u), -1)
    others = gain if len(u) == 1 else np.delete(gain, action, axis=0)
    found = zero_sum_value(others).y
    return np.expand_dims(found.reshape(shape), i)


def rationalizable(game: NormalForm, beliefs: str = "correlated") -> Sets:
    """Per player, the actions that survive; never empty.

    The order of deletion does not matter. For two players and "correlated" these are the
    rationalizable actions; for more the correlated rationalizable ones (Brandenburger & Dekel
    1987).

    Raises
    ------
    InputError
        If there is no such kind of beliefs.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 0], [0, 3], [1, 1]], [[0, 1], [0, 1], [9, 0]])
    >>> rationalizable(game)
    ((1,), (1,))
    """
    _known(beliefs)
    kept = [np.arange(k) for k in game.num_actions]
    while True:
        left = restricted(game, kept)
        masks = [justified(left, i, beliefs) for i in range(game.num_players)]
        if all(mask.all() for mask in masks):
            return tuple(tuple(k.tolist()) for k in kept)
        kept = [k[mask] for k, mask in zip(kept, masks, strict=True)]


def replies(game: NormalForm, sets: Sequence[Iterable[int]], i: int) -> tuple[int, ...]:
    """All best responses of player i to beliefs about what the others have in ``sets``.

    ``sets[i]`` does not matter.
    """
    i = check.player(i, game.num_players)
    seen = [sorted(set(own)) for own in sets]
    if len(seen) == game.num_players:
        seen[i] = list(range(game.num_actions[i]))
    return tuple(np.flatnonzero(justified(restricted(game, seen), i)).tolist())


def is_closed(game: NormalForm, sets: Sequence[Iterable[int]]) -> bool:
    """Does X = Π X_i hold all best responses to beliefs about it?

    Raises
    ------
    InputError
        If ``sets`` is not one non-empty set of actions for each player.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> is_closed(game, ([0], [0])), is_closed(game, ([0, 1], [0]))
    (True, False)
    """
    own = [set(actions) for actions in sets]
    restricted(game, [list(actions) for actions in own])  # refuses what is no set for each player
    return all(set(replies(game, sets, i)) <= own[i] for i in range(game.num_players))


def closure(game: NormalForm, sets: Sequence[Iterable[int]]) -> Sets:
    """The smallest closed set that holds the given one: best responses are added until none is new.

    Examples
    --------
    >>> pennies = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> closure(pennies, ([0], [0]))
    ((0, 1), (0, 1))
    """
    return _closure(game, tuple(tuple(sorted(set(own))) for own in sets), {})


def minimal_closed_sets(game: NormalForm) -> tuple[Sets, ...]:
    """All minimal sets closed under rational behaviour (minimal curb sets), in order.

    Every closed set holds one, and they are disjoint: no two have a joint action in common, for two
    players not even an action of one of them.

    Raises
    ------
    InputError
        If the game has more than 2 500 joint actions.

    Examples
    --------
    Two strict equilibria of coordination; and pennies, with a way out that nobody takes.

    >>> minimal_closed_sets(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]))
    (((0,), (0,)), ((1,), (1,)))
    >>> game = NormalForm.zero_sum([[1, -1, 2], [-1, 1, 2], [-2, -2, 3]])
    >>> minimal_closed_sets(game)
    (((0, 1), (0, 1)),)
    """
    seeds = int(np.prod(game.num_actions))
    if seeds > MAX_SEEDS:
        raise InputError(f"closed sets: {seeds} joint actions; the cap is {MAX_SEEDS}")
    known: dict[tuple[int, Sets], tuple[int, ...]] = {}
    found = {
        _closure(game, tuple((k,) for k in a), known)
        for a in product(*(range(k) for k in game.num_actions))
    }
    return tuple(sorted(x for x in found if not any(y != x and _within(y, x) for y in found)))


def _closure(game: NormalForm, now: Sets, known: dict[tuple[int, Sets], tuple[int, ...]]) -> Sets:
    """:func:`closure`; ``known`` keeps the best responses to sets that were met before."""
    while True:
        grown = []
        for i, own in enumerate(now):
            key = i, (*now[:i], (), *now[i + 1 :])
            if key not in known:
                known[key] = replies(game, now, i)
            grown.append(tuple(sorted({*own, *known[key]})))
        if tuple(grown) == now:
            return now
        now = tuple(grown)


def _known(beliefs: str) -> str:
    """``beliefs`` if it is a word of ours."""
    if beliefs not in BELIEFS:
        raise InputError(f"beliefs: need one of {', '.join(BELIEFS)}, got {beliefs!r}")
    return beliefs


def _within(inner: Sets, outer: Sets) -> bool:
    """Is each player's inner set part of its outer one?"""
    return all(set(a) <= set(b) for a, b in zip(inner, outer, strict=True))
