"""Fields: a grid with walls, where walkers start and where they want to be.

Cells are counted row by row from the upper left, walls included. Moves are 0 stay, 1 north,
2 south, 3 west, 4 east.

Axes: V cells, n walkers.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...check import InputError, generator, nearest, positive
from ...kernels._jit import kernel
from ...kernels.counter import below, uniform
from ...value_grad import Real

MOVES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # (row, column); row 0 is the uppermost
FAR = 1 << 30  # where no way leads
TRIES = 100  # to draw a field on which everybody can get to its goal; then one without walls
DRAWINGS = {
    "bay": (".....", "##.##"),
    "crossing": ("##.##", "##.##", ".....", "##.##", "##.##"),
    "open": ("....",) * 4,
    "maze": (".....", ".###.", "...#.", ".#...", ".#.#."),
}
ENDS = {  # starts and goals as (row, column)
    "bay": (((0, 0), (0, 4)), ((0, 4), (0, 0))),
    "crossing": (((0, 2), (2, 0)), ((4, 2), (2, 4))),
    "open": (((0, 0), (0, 3), (3, 0), (3, 3)), ((3, 3), (3, 0), (0, 3), (0, 0))),
    "maze": (((0, 0), (4, 4), (4, 0)), ((4, 4), (0, 0), (0, 4))),
}
FIELDS = tuple(DRAWINGS)


@dataclass(frozen=True, eq=False)
class Field:
    """An instance of path finding.

    Parameters
    ----------
    wall : (rows, columns) of bool
    start, goal : (n,) cells, each without a wall and different from each other

    Raises
    ------
    InputError
        If these are not of that form, or all stand on their goals already.

    Examples
    --------
    >>> field = named_field("bay")
    >>> print(field.wall.astype(int), field.start, field.goal)
    [[0 0 0 0 0]
     [1 1 0 1 1]] [0 4] [4 0]
    """

    wall: Real
    start: Real
    goal: Real

    def __post_init__(self) -> None:
        wall = np.asarray(self.wall)
        if wall.ndim != 2 or wall.dtype != bool or wall.size == 0:
            got = f"{wall.dtype} {wall.shape}"
            raise InputError(f"wall: need bool (rows, columns), got {got}")
        for name in ("start", "goal"):
            cells = np.asarray(getattr(self, name))
            if cells.ndim != 1 or cells.dtype.kind not in "iu" or len(cells) == 0:
                got = f"{cells.dtype} {cells.shape}"
                raise InputError(f"{name}: need integers (n,), got {got}")
            if cells.min() < 0 or cells.max() >= wall.size or wall.ravel()[cells].any():
                raise InputError(f"{name}: need free cells below {wall.size}, got {cells}")
            if len(set(cells.tolist())) < len(cells):
                raise InputError(f"{name}: need different cells, got {cells}")
            object.__setattr__(self, name, cells.astype(np.int64))
        if len(self.start) != len(self.goal):
            got = f"{len(self.start)} and {len(self.goal)}"
            raise InputError(f"goal: need one for each start, got {got}")
        if (self.start == self.goal).all():
            raise InputError("goal: all stand on their goals already")
        object.__setattr__(self, "wall", wall.copy())

    @property
    def walkers(self) -> int:
        """How many, n."""
        return len(self.start)

    @cached_property
    def ways(self) -> Real:
        """(V, 5): where each move leads from each cell, −1 if nowhere."""
        found = np.empty((self.wall.size, 5), dtype=np.int64)
        rows, columns = self.wall.shape
        neighbours(self.wall.ravel(), rows, columns, found)
        return found

    @cached_property
    def distance(self) -> Real:
        """(n, V): steps from each cell to each goal, with nobody else there; ``FAR`` for never."""
        found = np.empty((self.walkers, self.wall.size), dtype=np.int64)
        for row, goal in zip(found, self.goal, strict=True):
            distances(self.ways, goal, row)
        return found


def named_field(name: str) -> Field:
    """One of ``FIELDS``.

    ``bay`` is a corridor in which two want to the other's end, with a place to wait beside its
    middle; in ``crossing`` two lanes meet; on the 4 × 4 cells of ``open`` four want from corner
    to corner; in ``maze`` three go through narrow ways.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if name not in DRAWINGS:
        raise InputError(f"instance: no field {name!r}; {nearest(name, FIELDS)}")
    wall = np.array([[c == "#" for c in row] for row in DRAWINGS[name]])
    start, goal = (np.array([r * wall.shape[1] + c for r, c in ends]) for ends in ENDS[name])
    return Field(wall, start, goal)


def random_field(
    rng: np.random.Generator, rows: int, columns: int, walkers: int, walls: float = 0.2
) -> Field:
    """A field on which each could get to its goal if it were alone.

    Each cell is a wall with probability ``walls``. Whether all can get there is another question:
    :func:`~refmarl.games.path_finding.bounds.reachable`.

    Raises
    ------
    InputError
        If the grid has no room, or a number is out of range.
    """
    size = positive(rows, "rows") * positive(columns, "columns")
    if not 1 <= walkers < size:
        raise InputError(f"walkers: need 1 to {size - 1} on {size} cells, got {walkers}")
    if not 0.0 <= walls < 1.0:
        raise InputError(f"walls: need a number in [0, 1), got {walls!r}")
    key = generator(rng).integers(2**64, size=1, dtype=np.uint64)
    wall = np.empty((1, size), dtype=bool)
    ends = np.empty((2, 1, walkers), dtype=np.int64)
    draw_fields(key, rows, columns, walls, wall, ends[0], ends[1])
    return Field(wall[0].reshape(rows, columns), ends[0, 0], ends[1, 0])


@kernel
def neighbours(wall: Real, rows: int, columns: int, ways: Real) -> None:
    """Fill in where the moves lead, (V, 5)."""
    for cell in range(rows * columns):
        for a in range(5):
            row, column = cell // columns + MOVES[a][0], cell % columns + MOVES[a][1]
            free = 0 <= row < rows and 0 <= column < columns and not wall[cell]
            there = row * columns + column
            ways[cell, a] = there if free and not wall[there] else -1


@kernel
def distances(ways: Real, goal: int, found: Real) -> None:
    """Fill in the steps from each cell to the goal, (V,); breadth first."""
    found[:] = FAR
    found[goal] = 0
    queue = np.empty(len(found), dtype=np.int64)
    queue[0], first, last = goal, 0, 1
    while first < last:
        cell = queue[first]
        first += 1
        for a in range(1, 5):
            there = ways[cell, a]
            if there >= 0 and found[there] == FAR:
                found[there] = found[cell] + 1
                queue[last] = there
                last += 1


@kernel
def draw_fields(
    key: Real, rows: int, columns: int, walls: float, wall: Real, start: Real, goal: Real
) -> None:
    """Fill in B random fields: walls (B, V), starts and goals (B, n)."""
    ways = np.empty((rows * columns, 5), dtype=np.int64)
    found = np.empty(rows * columns, dtype=np.int64)
    for b in range(len(key)):
        draws = 0
        for k in range(TRIES + 1):
            share = walls if k < TRIES else 0.0
            for cell in range(rows * columns):
                wall[b, cell] = uniform(key[b], 0, draws) < share
                draws += 1
            if rows * columns - wall[b].sum() <= start.shape[1]:
                continue
            neighbours(wall[b], rows, columns, ways)
            draws = _draw_cells(key[b], wall[b], draws, start[b])
            draws = _draw_cells(key[b], wall[b], draws, goal[b])
            if _connected(ways, start[b], goal[b], found):
                break


@kernel
def _draw_cells(key: np.uint64, wall: Real, draws: int, cells: Real) -> int:
    """Fill in different free cells (n,); how many numbers have been drawn in all."""
    for i in range(len(cells)):
        taken = True
        while taken:
            cells[i] = below(key, 0, draws, len(wall))
            draws += 1
            taken = wall[cells[i]]
            for j in range(i):
                taken = taken or cells[j] == cells[i]
    return draws


@kernel
def _connected(ways: Real, start: Real, goal: Real, found: Real) -> bool:
    """Whether everybody can get to its goal alone, and somebody is not there yet."""
    away = False
    for i in range(len(start)):
        distances(ways, goal[i], found)
        if found[start[i]] == FAR:
            return False
        away = away or start[i] != goal[i]
    return away
