"""The way of one walker through what is reserved: A* over (time, cell).

    f = g + h,   h(t, v) = steps from v to the goal with nobody there

h is consistent, and costs are whole numbers, so that open nodes stand in one stack for each f, and
a node that is taken out has its least cost (Hart, Nilsson & Raphael 1968). Time is layered up to
the last reservation T; from there on nothing is in the way and h is exact.

Axes: T + 1 layers of time, V cells, 5 moves, n walkers.
"""

from typing import NamedTuple

import numpy as np

from ...kernels._jit import kernel
from ...value_grad import Real
from .field import FAR


class Plan(NamedTuple):
    """Ways of all walkers, and what they cost."""

    paths: Real  # (T + 1, n): cells; in row T all stand on their goals
    cost: int  # of the objective that was asked for
    expanded: int  # nodes of the search

    @property
    def makespan(self) -> int:
        """Steps until all are there."""
        return len(self.paths) - 1


def closed_table(layers: int, cells: int) -> Real:
    """What is reserved, nothing yet: (T + 1, V, 5), to be in a cell at t by a move."""
    return np.zeros((layers, cells, 5), dtype=bool)


def shortest_way(
    ways: Real, distance: Real, tail: Real, ends: tuple[int, int], closed: Real, arrival: bool
) -> tuple[Real, int] | None:
    """(cells at 0, 1, …, what they cost), or None if no way is free.

    Parameters
    ----------
    ways, distance : of the field, (V, 5) and (V,)
    tail : (V,), steps to the goal after the last layer; at least ``distance``
    ends : start and goal
    closed : (T + 1, V, 5)
    arrival : whether waiting on the goal costs, if it is left again
    """
    start, goal = ends
    buffer = np.empty(len(closed) + len(ways), dtype=np.int64)
    cost, length = _astar(ways, distance, tail, start, goal, closed, arrival, buffer)
    return None if cost < 0 else (buffer[:length].copy(), int(cost))


def stacked(paths: list[Real]) -> Real:
    """Ways of different lengths as one table (T + 1, n): who has arrived stays."""
    last = max(map(len, paths))
    table = np.empty((last, len(paths)), dtype=np.int64)
    for i, path in enumerate(paths):
        table[: len(path), i], table[len(path) :, i] = path, path[-1]
    return table


@kernel
def _astar(
    ways: Real, distance: Real, tail: Real, start: int, goal: int, closed: Real, arrival: bool,
    path: Real,
) -> tuple[int, int]:  # fmt: skip
    """Fill in the way; (its cost, its length), (−1, 0) if there is none.

    Column V of the nodes is the goal when it will not be left again: waiting there is free.
    """
    last, size = closed.shape[0] - 1, len(ways)
    best = np.full((last + 1, size + 1), FAR, dtype=np.int64)
    came = np.full((last + 1, size + 1), -1, dtype=np.int64)
    head = np.full(last + size + 3, -1, dtype=np.int64)
    room = 8 * (last + 1) * (size + 1)
    link, what = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    used = _open(0, start, 0, -1, distance, tail, goal, arrival, best, came, head, link, what, 0)
    for f in range(len(head)):
        while head[f] >= 0:
            node = what[head[f]]
            head[f] = link[head[f]]
            t, cell = node // (size + 1), node % (size + 1)
            here = goal if cell == size else cell
            g = best[t, cell]
            if g < 0:
                continue
            best[t, cell] = -1  # taken out
            if t == last:
                return f, _trace(ways, tail, goal, came, t, cell, path)
            for a in range(1 if cell == size else 5):
                there = ways[here, a]
                if there < 0 or closed[t + 1, there, a]:
                    continue
                free = cell == size or (a == 0 and here == goal and not arrival)
                used = _open(
                    t + 1, size if cell == size else there, g if free else g + 1, node, distance,
                    tail, goal, arrival, best, came, head, link, what, used,
                )  # fmt: skip
    return -1, 0


@kernel
def _open(
    t: int, cell: int, g: int, node: int, distance: Real, tail: Real, goal: int, arrival: bool,
    best: Real, came: Real, head: Real, link: Real, what: Real, used: int,
) -> int:  # fmt: skip
    """Put a node on the stack of its f, if it is cheaper than before; how many have been put."""
    size = len(distance)
    if g < best[t, cell]:
        best[t, cell], came[t, cell] = g, node
        at = goal if cell == size else cell
        h = tail[at] if t == best.shape[0] - 1 else distance[at]
        if h < FAR:
            what[used], link[used] = t * (size + 1) + cell, head[g + h]
            head[g + h] = used
            used += 1
    if arrival and cell == goal and g < best[t, size]:
        best[t, size], came[t, size] = g, node
        what[used], link[used] = t * (size + 1) + size, head[g]
        head[g] = used
        used += 1
    return used


@kernel
def _trace(
    ways: Real, tail: Real, goal: int, came: Real, t: int, cell: int, path: Real
) -> int:  # fmt: skip
    """Fill in the cells up to a node of the last layer and on to the goal; how many."""
    size, length = len(ways), t + 1
    while t >= 0:
        path[t] = goal if cell == size else cell
        node = came[t, cell]
        t, cell = t - 1, node % (size + 1)
    while path[length - 1] != goal:
        for a in range(1, 5):
            there = ways[path[length - 1], a]
            if there >= 0 and tail[there] < tail[path[length - 1]]:
                path[length] = there
                break
        length += 1
    return length
