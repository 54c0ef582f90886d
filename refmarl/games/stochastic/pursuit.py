"""Pursuit on a torus: one or more predators, one prey, until it is caught."""

from collections.abc import Iterator
from itertools import product

from ... import check
from ...check import InputError
from ..sparse import Outcome, SparseMarkovGame, tabulate

STEPS = ((0, 0), (-1, 0), (1, 0), (0, 1), (0, -1))  # stay, north, south, east, west
Offset = tuple[int, int]


def pursuit(
    rows: int, columns: int, predators: int = 1, needed: int = 1, gamma: float = 0.9
) -> SparseMarkovGame:
    """All stay or step to a neighbouring cell of a torus at once; a caught prey ends the game.

    The prey, the last player, is caught where ``needed`` predators stand on its cell after the
    moves. Every predator then gets 1 and the prey -``predators``: the payoffs add up to 0. All
    that matters is where the predators are as seen from the prey: a state is these offsets, south
    and east; nobody collides. After Benda et al. 1985 and Stone & Veloso 2000, who let the prey
    be blocked on four sides. A prey is safe from a single predator for ever, except on rings of
    two or three cells: there is always a cell that it can reach and the other cannot.

    Raises
    ------
    InputError
        If a number is not positive, more predators are needed than there are, or the tables
        exceed the cap.

    Examples
    --------
    >>> game = pursuit(3, 3, predators=2)
    >>> game.num_states, game.num_actions
    (65, (5, 5, 5))
    """
    rows, columns = check.positive(rows, "rows", 100), check.positive(columns, "columns", 100)
    n = check.positive(predators, "predators", 5)
    if check.positive(needed, "needed") > n:
        raise InputError(f"needed: need 1..{n} of the predators, got {needed}")
    check.size_cap((*[rows * columns] * n, *[5] * (n + 1)), "joint actions of all states")
    torus = list(product(range(rows), range(columns)))
    places = list(product(torus, repeat=n))
    caught = {place for place in places if place.count((0, 0)) >= needed}
    states = [place for place in places if place not in caught] + ["caught"]
    reward = (*[1.0] * n, -float(n))

    def rules(state: tuple[Offset, ...] | str, actions: tuple[int, ...]) -> Iterator[Outcome]:
        if isinstance(state, str):
            yield Outcome(1.0, state, (0.0,) * (n + 1))
            return
        flees = STEPS[actions[n]]
        after = tuple(
            (
                (offset[0] + STEPS[a][0] - flees[0]) % rows,
                (offset[1] + STEPS[a][1] - flees[1]) % columns,
            )
            for offset, a in zip(state, actions[:n], strict=True)
        )
        done = after in caught
        yield Outcome(1.0, "caught" if done else after, reward if done else (0.0,) * (n + 1))

    if len(states) == 1:
        raise InputError(f"pursuit: on {rows} × {columns} cells the prey is caught from the start")
    free = len(states) - 1
    return tabulate(
        states,
        (5,) * (n + 1),
        rules,
        gamma,
        n + 1,
        initial=[1.0 / free] * free + [0.0],
        title=f"Pursuit on a torus of {rows} × {columns}",
        players=(*(f"predator {k + 1}" for k in range(n)), "prey"),
    )
