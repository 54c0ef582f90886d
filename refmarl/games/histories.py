"""Games whose observations are histories: what an agent has seen and done so far.

An agent that sees less than the state acts better with a memory. Unrolled over finitely many
rounds, a game has for states all that can have happened, and what agent i then sees is its whole
history (o_i,0, a_i,0, o_i,1, …, o_i,t): policies without memory there are policies with perfect
recall here. Everything that holds of Markov games with observations applies.

Axes: n players, S states, A_i actions of player i.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import InputError
from .markov import MarkovGame
from .policy_gradient import Ints, observations

MAX_ROUNDS = 50

History = tuple[int, ...]  # o_0, a_0, o_1, a_1, …, o_t
Node = tuple[int, tuple[History, ...]]  # the state, and every player's history


class Unrolled(NamedTuple):
    """A game of finitely many rounds, and what its states are to each player."""

    game: MarkovGame  # its last state is the end: nothing is paid there, and it stays
    observe: tuple[Ints, ...]  # the number of player i's history in each state, (S,)
    histories: tuple[tuple[History, ...], ...]  # what the numbers of player i stand for


def unroll(game: MarkovGame, horizon: int, observe: Any = None) -> Unrolled:
    """``game`` over ``horizon`` rounds, every player remembering what it has seen and done.

    States are what can be reached: a state of ``game`` and all players' histories. After the last
    round comes the end, with the empty history. A player does not see the others' actions unless
    ``observe``, a function of the state, tells them.

    Parameters
    ----------
    horizon : int ≥ 1
    observe : n rows of integers (S,)
        What player i sees in each state; None if everybody sees the state.

    Raises
    ------
    InputError
        If the horizon or an observation is none, or there are too many histories.

    Examples
    --------
    >>> game = MarkovGame(np.ones((1, 2, 1)), [[[1, 0]]], 0.5)
    >>> unroll(game, 2).histories
    (((0,), (0, 0, 0), (0, 1, 0), ()),)
    """
    seen = observations(game, observe)
    rounds = check.positive(horizon, "horizon", MAX_ROUNDS)
    nodes, steps = _reachable(game, seen, rounds)
    size, end = len(nodes) + 1, len(nodes)
    moves = np.zeros((size, *game.num_actions, size))
    moves[end, ..., end] = 1.0
    for k, a, after, p in steps:
        moves[(k, *a, after)] = p
    last = [k for k, (_, h) in enumerate(nodes) if len(h[0]) == 2 * rounds - 1]
    moves[last, ..., end] = 1.0
    reward = np.zeros((game.num_players, size, *game.num_actions))
    reward[:, :end] = game.reward[:, [s for s, _ in nodes]]
    first = [game.initial[s] if len(h[0]) == 1 else 0.0 for s, h in nodes]
    longer = MarkovGame(moves, reward, game.gamma, [*first, 0.0], game.title, (), game.players)
    numbered = [_numbers([*(h[i] for _, h in nodes), ()]) for i in range(game.num_players)]
    return Unrolled(longer, tuple(n[0] for n in numbered), tuple(n[1] for n in numbered))


Step = tuple[int, tuple[int, ...], int, float]  # from, joint action, to, with what probability


def _reachable(
    game: MarkovGame, seen: tuple[Ints, ...], rounds: int
) -> tuple[list[Node], list[Step]]:
    """Every node that can be reached within the rounds, in order of time, and the steps between."""
    layer: list[Node] = [
        (int(s), tuple((int(o[s]),) for o in seen)) for s in np.flatnonzero(game.initial)
    ]
    number = {node: k for k, node in enumerate(layer)}
    steps: list[Step] = []
    for _ in range(rounds - 1):
        after: list[Node] = []
        for s, past in layer:
            for a in product(*map(range, game.num_actions)):
                for t in map(int, np.flatnonzero(game.transition[(s, *a)])):
                    longer = tuple(
                        (*h, b, int(o[t])) for h, b, o in zip(past, a, seen, strict=True)
                    )
                    node: Node = (t, longer)
                    if node not in number:
                        number[node] = len(number)
                        after.append(node)
                    p = float(game.transition[(s, *a, t)])
                    steps.append((number[s, past], a, number[node], p))
            _affordable(len(number) + 1, game)
        layer = after
    return list(number), steps


def _affordable(size: int, game: MarkovGame) -> None:
    """Refuse a game of that many states before its tables are made."""
    entries = size * size * int(np.prod(game.num_actions))
    if entries > check.MAX_ENTRIES:
        raise InputError(
            f"horizon: more than {size - 1} histories, whose transitions need over "
            f"{check.MAX_ENTRIES} entries"
        )


def _numbers(histories: list[History]) -> tuple[Ints, tuple[History, ...]]:
    """(the number of each, those numbered), in order of first appearance."""
    number: dict[History, int] = {}
    found = [number.setdefault(h, len(number)) for h in histories]
    return np.array(found, dtype=np.intp), tuple(number)
