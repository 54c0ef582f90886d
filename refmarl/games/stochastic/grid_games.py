"""Hu and Wellman's two grid games (2003): two robots, nine cells, each wants to its goal first."""

from collections.abc import Iterator
from itertools import product

from ... import check
from ...check import InputError
from ..markov import MarkovGame
from ..sparse import Outcome, tabulate

# cells from 0, left to right, the bottom row first: 6 7 8 / 3 4 5 / 0 1 2
STARTS = (0, 2)
GOALS = {1: (8, 6), 2: (7, 7)}
ACTIONS = ("up", "down", "left", "right")
OVER = "over"
GOAL, BUMP = 100.0, -1.0


def grid_game(number: int, gamma: float = 0.99) -> MarkovGame:
    """Grid game 1 or 2 of two robots on 3 × 3 cells, who move at once, up, down, left or right.

    They start in the lower corners. In game 1 each has its goal in the upper corner across, in
    game 2 the middle cell on top is the goal of both; but there a step up from either start
    succeeds with probability 1/2 only. Who reaches its goal gets 100, and the game is over; both
    may do so at once. If both would enter the same cell, the goal in game 2 excepted, or would
    change places, they stay where they are and lose 1 each. A step against the wall is none.

    That robots cannot pass through each other is our reading; the paper does not say. In both
    games many pairs of shortest paths are equilibria: 100 γ³ = 97.03 to each in game 1; in game 2
    who goes through the middle gets 100 γ² = 98.01, the other half of it.

    References
    ----------
    J. Hu, M. P. Wellman, *Nash Q-learning for general-sum stochastic games*, JMLR 4, 2003, §5.

    Examples
    --------
    >>> game = grid_game(1)
    >>> game.num_states, game.num_actions
    (73, (4, 4))
    """
    if number not in GOALS or isinstance(number, bool):
        raise InputError(f"grid-game: need number 1 or 2, got {number!r}")
    goals = GOALS[number]
    places = [(p, q) for p, q in product(range(9), repeat=2) if p != q]
    states = [*places, OVER]

    def rules(state: tuple[int, int] | str, actions: tuple[int, ...]) -> Iterator[Outcome]:
        if isinstance(state, str) or state[0] == goals[0] or state[1] == goals[1]:
            yield Outcome(1.0, OVER, (0.0, 0.0))
            return
        for p, q, chance in _steps(state, actions, barriers=number == 2):
            bump = (p == q and p not in goals) or (p, q) == (state[1], state[0])
            if bump:
                yield Outcome(chance, state, (BUMP, BUMP))
                continue
            there = (p == goals[0], q == goals[1])
            after = OVER if any(there) else (p, q)
            yield Outcome(chance, after, (GOAL * there[0], GOAL * there[1]))

    start = [float(state == STARTS) for state in states]
    labels = [f"{p} {q}" for p, q in places]
    game = tabulate(
        states, (4, 4), rules, gamma, 2,
        initial=start, title=f"Grid game {number}", labels=(*labels, OVER),
    )  # fmt: skip
    return game.dense()


def _steps(
    state: tuple[int, int], actions: tuple[int, ...], barriers: bool
) -> Iterator[tuple[int, int, float]]:
    """(where 1 wants to, where 2 wants to, with which probability); barriers may hold either."""
    choices = []
    for cell, action in zip(state, actions, strict=True):
        held = barriers and cell in STARTS and action == 0
        choices.append(
            [(step(cell, action), 0.5), (cell, 0.5)] if held else [(step(cell, action), 1.0)]
        )
    for (p, chance), (q, other) in product(*choices):
        yield p, q, chance * other


def step(cell: int, action: int) -> int:
    """The cell that an action leads to from a cell, if nobody is in the way.

    Examples
    --------
    >>> step(0, 0), step(0, 1), step(8, 2)
    (3, 0, 7)
    """
    row, column = divmod(check.player(cell, 9, "cell"), 3)
    row += (1, -1, 0, 0)[action]
    column += (0, 0, -1, 1)[action]
    return 3 * row + column if 0 <= row < 3 and 0 <= column < 3 else cell
