"""Strict dominance, by pure and by mixed strategies, and its iteration (course §1.1).

    delete a_i while  ∃ x_i ∈ Δ(A_i):  u_i(x_i, a_-i) > u_i(a_i, a_-i)  ∀ a_-i       (1.5)

Let D[b, a_-i] = u_i(b, a_-i) - u_i(a_i, a_-i), what player i gains by playing b in place of a_i.
Seen as a zero-sum game against "the others", its value is the largest ε by which a mixture beats
a_i everywhere: a_i is strictly dominated iff the value is positive, and the optimal x_i dominates
it. If the value is 0, the optimal strategy of the others is a belief about a_-i to which a_i is a
best response (Pearce 1984, lemma 3). So an action that is best against some a_-i needs no program.

The order of deletion does not matter: an action that can go now can go later too, because a
dominator that went in between is replaced by its own. For *weak* dominance (≥ everywhere,
> somewhere) this fails, and a Nash equilibrium may be lost; it is not offered here.

Axes: n players, A_i actions of player i, M = Π_{j≠i} A_j joint actions of the others.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from .nash import TOLERANCE
from .normal_form import NormalForm
from .zero_sum import zero_sum_value

Mask = NDArray[np.bool_]

ROUNDING = 8 * float(np.finfo(float).eps)  # of a payoff: what computing it may have cost


class Removal(NamedTuple):
    """Why an action was deleted. Actions are counted from 0 as in the first game."""

    player: int
    action: int
    dominator: Array  # (A_i,): beats the action in every column left, and uses only what stays
    round: int  # 1, 2, …


class Elimination(NamedTuple):
    """What iterated strict dominance leaves."""

    kept: tuple[tuple[int, ...], ...]  # per player, actions of the first game, in order
    game: NormalForm  # the game of the kept actions, with their names
    rounds: tuple[Removal, ...]  # in order of deletion


def strictly_dominated(game: NormalForm, i: int, by: str = "mixed") -> Mask:
    """Which actions of player i are strictly dominated, shape (A_i,).

    Parameters
    ----------
    game : NormalForm
    i : player, counted from 0
    by : "mixed" or "pure"
        Whether mixtures count as dominators, or only single actions.

    Returns
    -------
    bool (A_i,)
        A dominator has to win by more than ε = 1e-9 of the largest difference that an action of
        player i makes (what the linear program may err by), plus the rounding of the payoffs: a
        tie is not strict. Positive multiples of u_i, and payoffs that depend on a_-i alone added
        to it, change nothing.

    Raises
    ------
    InputError
        If there is no player i, or ``by`` is neither word.

    References
    ----------
    Pearce 1984, "Rationalizable strategic behavior and the problem of perfection", Econometrica 52.

    Examples
    --------
    Half and half of the first two actions pays 1.5 always; neither of them does it alone.

    >>> game = NormalForm.bimatrix([[3, 0], [0, 3], [1, 1]], np.zeros((3, 2)))
    >>> print(strictly_dominated(game, 0), strictly_dominated(game, 0, by="pure"))
    [False False  True] [False False False]
    """
    u = _own(game, check.player(i, game.num_players))
    mixed = _mixed(by)
    return np.array([_dominator(u, a, mixed) is not None for a in range(len(u))])


def iterated_elimination(game: NormalForm, by: str = "mixed") -> Elimination:
    """Delete strictly dominated actions of all players, round after round, until none is left.

    A round deletes all actions that are dominated in the game which the round before has left.
    The outcome is that of deleting them one at a time in any order. Every Nash equilibrium of the
    game is one of the reduced game, and conversely.

    Parameters
    ----------
    game : NormalForm
    by : "mixed" or "pure", as in :func:`strictly_dominated`

    Raises
    ------
    InputError
        If ``by`` is neither word.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 0], [0, 3], [1, 1]], [[0, 1], [0, 1], [9, 0]])
    >>> result = iterated_elimination(game)
    >>> result.kept
    ((1,), (1,))
    >>> [(r.round, r.player, r.action) for r in result.rounds]
    [(1, 0, 2), (2, 1, 0), (3, 0, 0)]
    """
    _mixed(by)
    kept = [np.arange(k) for k in game.num_actions]
    removals: list[Removal] = []
    left, count = game, 0
    while True:
        count += 1
        dominated = [strictly_dominated(left, i, by) for i in range(game.num_players)]
        if not any(mask.any() for mask in dominated):
            return Elimination(tuple(tuple(k.tolist()) for k in kept), left, tuple(removals))
        for i, mask in enumerate(dominated):
            removals += _removals(game, left, kept[i], i, mask, _mixed(by), count)
        kept = [k[~mask] for k, mask in zip(kept, dominated, strict=True)]
        left = restricted(game, kept)


def restricted(game: NormalForm, kept: Any) -> NormalForm:
    """The game in which player i has only the actions ``kept[i]`` (counted from 0), names and all.

    Examples
    --------
    >>> game = NormalForm.zero_sum([[1, 2], [3, 4]], actions=(("up", "down"), ("left", "right")))
    >>> restricted(game, ([1], [0, 1])).actions
    (('down',), ('left', 'right'))
    """
    if len(kept) != game.num_players:
        raise InputError(f"kept: need {game.num_players} lists of actions, got {len(kept)}")
    indices = [
        [check.player(a, k, f"action of player {i}") for a in actions]
        for i, (actions, k) in enumerate(zip(kept, game.num_actions, strict=True))
    ]
    names = tuple(
        tuple(own[a] for a in actions) for own, actions in zip(game.actions, indices, strict=True)
    )
    payoffs = game.payoffs[np.ix_(range(game.num_players), *indices)]
    return NormalForm(payoffs, title=game.title, players=game.players, actions=names)


def _mixed(by: str) -> bool:
    if by not in ("mixed", "pure"):
        raise InputError(f'by: need "mixed" or "pure", got {by!r}')
    return by == "mixed"


def _own(game: NormalForm, i: int) -> Array:
    """Player i's payoffs (A_i, M), times a power of two that makes them at most 1: exact."""
    u: Array = np.moveaxis(game.payoffs[i], i, 0).reshape(game.num_actions[i], -1)
    _, exponent = np.frexp(np.abs(u).max())
    scaled: Array = np.ldexp(u, -exponent)
    return scaled


def _dominator(u: Array, a: int, mixed: bool) -> Array | None:
    """A strategy (A_i,) that strictly dominates action a in u (A_i, M), or None."""
    gain = u - u[a]
    margin = TOLERANCE * float(np.ptp(u, axis=0).max()) + ROUNDING * float(np.abs(u).max())
    if gain.max(axis=0).min() <= margin:  # a is a best response to some a_-i
        return None
    worst = gain.min(axis=1)
    if worst.max() > margin:
        pure: Array = np.eye(1, len(u), int(worst.argmax()))[0]
        return pure
    if not mixed or gain.mean(axis=1).max() <= margin:  # or to the belief that all are alike
        return None
    found = zero_sum_value(gain)
    beats = float((found.x @ gain).min()) > margin  # (1.5)
    return found.x if beats else None


def _removals(
    game: NormalForm, left: NormalForm, kept: Any, i: int, mask: Mask, mixed: bool, count: int
) -> list[Removal]:
    """The records of one round's deletions of player i, whose actions in ``left`` are ``kept``.

    Each dominator is looked for among the actions that stay, where there always is one; should
    rounding hide it, the one that convicted the action is taken.
    """
    u, records = _own(left, i), []
    for a in np.flatnonzero(mask):
        rows = np.append(np.flatnonzero(~mask), a)
        found = _dominator(u[rows], len(rows) - 1, mixed)
        if found is None:
            rows, found = np.arange(len(u)), _dominator(u, int(a), mixed)
        dominator = np.zeros(game.num_actions[i])
        dominator[kept[rows]] = found
        records.append(Removal(i, int(kept[a]), dominator, count))
    return records
