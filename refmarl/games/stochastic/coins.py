"""The coin game (Lerer & Peysakhovich 2017): a dilemma that unfolds on a grid."""

from collections.abc import Iterator
from itertools import product

from ... import check
from ...check import InputError
from ..sparse import Outcome, SparseMarkovGame, tabulate

STEPS = ((-1, 0), (1, 0), (0, 1), (0, -1))  # north, south, east, west
Cell = tuple[int, int]
State = tuple[Cell, Cell, Cell, int]  # player 1 (red), player 2 (blue), the coin, its owner


def coin_game(
    rows: int = 2, columns: int = 2, gamma: float = 0.9, loss: float = 2.0
) -> SparseMarkovGame:
    """Two players, one coin in the colour of one of them, on a torus.

    Both step north, south, east or west at once; they may share a cell. Whoever steps on the coin
    gets 1; if it was not its colour, the other loses ``loss``. A new coin falls on a cell where
    nobody is, each equally likely, in either colour with probability 1/2. Taking every coin gains
    1 at a time and costs the other 2: with ``loss`` > 1 all are better off if each leaves the
    other's coins alone. Lerer and Peysakhovich played on 5 × 5 cells, Foerster et al. (2018) on
    3 × 3.

    Raises
    ------
    InputError
        If there are fewer than three cells, so that no coin could fall, or the tables exceed the
        cap.

    Examples
    --------
    >>> game = coin_game()
    >>> game.num_states, game.num_actions
    (72, (4, 4))
    """
    size = check.positive(rows, "rows", 100), check.positive(columns, "columns", 100)
    if rows * columns < 3:
        raise InputError(f"coin-game: need three cells or more, got {rows} × {columns}")
    loss = float(check.real_array(loss, "loss", 0))
    cells = list(product(range(rows), range(columns)))
    check.size_cap((len(cells), len(cells), len(cells), 2, 4, 4), "joint actions of all states")
    states = [
        (p, q, coin, owner)
        for p, q, coin in product(cells, repeat=3)
        if coin not in (p, q)
        for owner in (0, 1)
    ]

    def rules(state: State, actions: tuple[int, ...]) -> Iterator[Outcome]:
        p, q = (_step(cell, a, size) for cell, a in zip(state[:2], actions, strict=True))
        coin, owner = state[2], state[3]
        takes = [int(p == coin), int(q == coin)]
        pays = tuple(takes[i] - loss * takes[1 - i] * (owner == i) for i in (0, 1))
        if not any(takes):
            yield Outcome(1.0, (p, q, coin, owner), pays)
            return
        free = [cell for cell in cells if cell not in (p, q)]
        for cell, colour in product(free, (0, 1)):
            yield Outcome(0.5 / len(free), (p, q, cell, colour), pays)

    return tabulate(states, (4, 4), rules, gamma, 2, title="Coin game", players=("red", "blue"))


def _step(cell: Cell, action: int, size: Cell) -> Cell:
    """The neighbouring cell on the torus."""
    return (cell[0] + STEPS[action][0]) % size[0], (cell[1] + STEPS[action][1]) % size[1]
