"""Littman's soccer (1994): two players, one ball, moves in random order."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ... import check
from ...check import InputError, Profile
from ..sparse import Outcome, SparseMarkovGame, tabulate

Ints = NDArray[np.int64]
Cell = tuple[int, int]  # row from the north, column from the west
Position = tuple[Cell, Cell, int]  # player 1, player 2, who has the ball (0 or 1)
STEPS = ((0, 0), (-1, 0), (1, 0), (0, 1), (0, -1))  # stay, north, south, east, west
ACTIONS = ("stay", "north", "south", "east", "west")


def soccer(
    gamma: float = 0.9,
    rows: int = 4,
    columns: int = 5,
    goal: Sequence[int] = (1, 2),
    kickoff: tuple[Cell, Cell] = ((2, 1), (1, 3)),
) -> SparseMarkovGame:
    """Who carries the ball through the goal scores 1; the game is zero-sum and has no end.

    Both choose stay, north, south, east or west at once, and the moves are carried out in random
    order. A move into the other's cell does not take place, and the ball goes to the other, who
    stands there. Player 1 scores by stepping east out of the field in a row of the goal, player 2
    by stepping west; other steps out of the field do nothing. Then both kick off again, and the
    ball is given to either with probability 1/2. Littman's field has 4 rows and 5 columns, goals
    of 2 cells and γ = 0.9: 760 states. (He has player A, who scores west, where player 2 is.)

    Parameters
    ----------
    goal : the rows, from 0, in which the field is open at both ends
    kickoff : the cells (row, column) of both players after a goal

    Raises
    ------
    InputError
        If the field is too small for two, or a row or cell lies outside.

    References
    ----------
    M. L. Littman, *Markov games as a framework for multi-agent reinforcement learning*, ICML 1994,
    §4.

    Examples
    --------
    >>> game = soccer()
    >>> game.num_states, game.num_actions
    (760, (5, 5))
    """
    size = check.positive(rows, "rows", 100), check.positive(columns, "columns", 100)
    if rows * columns < 2:
        raise InputError("soccer: need a field of two cells or more")
    cells = rows * columns
    check.size_cap((2 * cells * (cells - 1), 5, 5), "joint actions of all states")
    mouths = frozenset(check.player(r, rows, "row of the goal") for r in goal)
    _inside(kickoff, size)
    starts = [(kickoff[0], kickoff[1], ball) for ball in (0, 1)]

    def rules(state: Position, actions: tuple[int, ...]) -> Iterator[Outcome]:
        for first in (0, 1):
            after, scored = play(state, actions, first, size, mouths)
            reward = (float(scored), float(-scored))
            if after is not None:
                yield Outcome(0.5, after, reward)
            else:
                yield from (Outcome(0.25, start, reward) for start in starts)

    states = positions(rows, columns)
    return tabulate(
        states,
        (5, 5),
        rules,
        gamma,
        2,
        initial=[0.5 * (state in starts) for state in states],
        title="Soccer",
        labels=[f"{p[0]}{p[1]} {q[0]}{q[1]} {ball + 1}" for p, q, ball in states],
    )


def _inside(kickoff: tuple[Cell, Cell], size: Cell) -> None:
    """Check the two cells after a goal."""
    for cell in kickoff:
        if len(cell) != 2 or not all(0 <= x < k for x, k in zip(cell, size, strict=True)):
            raise InputError(f"kickoff: need cells of a field of {size[0]} × {size[1]}, got {cell}")
    if tuple(kickoff[0]) == tuple(kickoff[1]):
        raise InputError(f"kickoff: need two cells, got {kickoff[0]} twice")


def positions(rows: int, columns: int) -> list[Position]:
    """All states, in the order of the tables."""
    field = list(product(range(rows), range(columns)))
    return [(p, q, ball) for p, q in product(field, repeat=2) if p != q for ball in (0, 1)]


def play(
    state: Position, actions: Sequence[int], first: int, size: Cell, goal: frozenset[int]
) -> tuple[Position | None, int]:
    """(what follows, or None after a goal; player 1's reward), if player ``first`` moves first."""
    at, ball = [state[0], state[1]], state[2]
    for mover in (first, 1 - first):
        step = STEPS[actions[mover]]
        row, column = at[mover][0] + step[0], at[mover][1] + step[1]
        if ball == mover and column == (size[1], -1)[mover] and row in goal:
            return None, 1 - 2 * mover
        if (row, column) == at[1 - mover]:
            ball = 1 - mover
        elif 0 <= row < size[0] and 0 <= column < size[1]:
            at[mover] = (row, column)
    return (at[0], at[1], ball), 0


def turned(rows: int, columns: int) -> tuple[Ints, Ints]:
    """The symmetry of the game: half a turn of the field, and the players change places.

    Returns
    -------
    states, actions : int (S,), int (5,)
        State k becomes ``states[k]`` and action a ``actions[a]``; what was player 1's is player
        2's. Values change their sign.
    """
    order = positions(rows, columns)
    number = {state: k for k, state in enumerate(order)}

    def turn(cell: Cell) -> Cell:
        return rows - 1 - cell[0], columns - 1 - cell[1]

    image = [number[turn(q), turn(p), 1 - ball] for p, q, ball in order]
    return np.array(image), np.array([0, 2, 1, 4, 3])


def hand_built(rows: int = 4, columns: int = 5, goal: Sequence[int] = (1, 2)) -> Profile:
    """A pair of deterministic policies by rules of thumb, (S, 5) each; the same for both players.

    With the ball: go to the nearest row of the goal, then for the goal; if the other is in the way
    step aside, to the row of the field's middle. Without it: if the other is farther from the
    goal than oneself, take its row, else go home.
    """
    mouths = sorted({check.player(r, rows, "row of the goal") for r in goal})
    order = positions(rows, columns)
    found = []
    for player in (0, 1):
        chosen = [_rule(state, player, rows, columns, mouths) for state in order]
        found.append(np.eye(5)[chosen])
    return tuple(found)


def _rule(state: Position, player: int, rows: int, columns: int, goal: list[int]) -> int:
    """The action of the rules of thumb; forward is east for player 1."""
    me, other, ball = (
        (state[0], state[1], state[2]) if player == 0 else (state[1], state[0], state[2])
    )
    forward, sign = ((3, 1), (4, -1))[player]
    if ball == player:
        row = min(goal, key=lambda r: abs(r - me[0]))
        way = forward if row == me[0] else (1 if row < me[0] else 2)
        ahead = (me[0] + STEPS[way][0], me[1] + STEPS[way][1])
        if ahead != other:
            return way
        if way != forward:
            return forward
        return 1 if me[0] > (rows - 1) / 2 else 2
    between = sign * (other[1] - me[1])  # > 0 where the other has still to pass
    if between <= 0:
        return 7 - forward
    return 0 if me[0] == other[0] else (1 if other[0] < me[0] else 2)
