"""Conflict-based search: the best plan of all walkers, by forbidding one collision at a time.

Everybody first takes its own best way. Where two collide, one of them must not do so: two children
of this node, in each of which one walker has a constraint more and a new best way. A node costs
what its ways cost, and no plan that keeps its constraints costs less; every plan without collisions
keeps those of a child. So the first node taken out, cheapest first, whose ways do not collide is an
optimum (Sharon, Stern, Felner & Sturtevant 2015, "Conflict-based search for optimal multi-agent
pathfinding"). Among equals the one with fewest collisions comes first.

The search does not end by itself where there is no plan: after ``DOUBT`` nodes all joint states are
looked at, if they can be listed.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from ...check import InputError, positive
from ...kernels._jit import kernel
from ...value_grad import Real
from .bounds import cost_of, reachable
from .field import FAR, Field
from .joint import joint_search
from .plan import Plan, closed_table, shortest_way, stacked

OBJECTIVES = ("steps", "arrivals", "makespan")
DOUBT = 50
LIMIT = 20_000


class Constraint(NamedTuple):
    """What one walker must not do, and those before it."""

    walker: int
    t: int
    cell: int  # to be here at t,
    move: int  # by this move; −1 for any
    before: "Constraint | None"


class Node(NamedTuple):
    """Ways under constraints; ordered by cost, then collisions, then age."""

    cost: int
    collisions: int
    age: int
    paths: list[Real]
    costs: list[int]
    constraint: Constraint | None
    first: Real  # the first collision, as _collisions says it


def conflict_based_search(
    field: Field, objective: str = "steps", limit: int = LIMIT
) -> Plan | None:
    """The cheapest plan, or None if there is none at all.

    Raises
    ------
    InputError
        If the objective is none of ``OBJECTIVES``, or it takes more than ``limit`` nodes.

    Examples
    --------
    >>> from refmarl.games.path_finding import named_field
    >>> plan = conflict_based_search(named_field("bay"))
    >>> plan.cost, plan.makespan  # four steps each, and one waits in the bay
    (11, 6)
    """
    if objective not in OBJECTIVES:
        raise InputError(f"objective: need one of {', '.join(OBJECTIVES)}, got {objective!r}")
    positive(limit, "limit")
    if (field.distance[np.arange(field.walkers), field.start] == FAR).any():
        return None
    heap, made = [_root(field, objective)], 1
    for expanded in range(1, limit + 1):
        if not heap:
            return None
        node = heappop(heap)
        if node.collisions == 0:
            return Plan(stacked(node.paths), node.cost, expanded)
        if expanded == DOUBT and _hopeless(field):
            return None
        for constraint in _constraints(field, node):
            child = _child(field, objective, node, constraint, made)
            made += 1
            if child is not None:
                heappush(heap, child)
    raise InputError(f"path finding: no plan within {limit} nodes")


def _hopeless(field: Field) -> bool:
    """Whether it is known that there is no plan: not where the joint states cannot be listed."""
    try:
        return not reachable(field)
    except InputError:
        return False


def best_plan(field: Field, limit: int = LIMIT) -> Plan | None:
    """The cheapest plan by ``steps``, or None: of the joint states if collisions take too long.

    Raises
    ------
    InputError
        If neither search can be finished.
    """
    try:
        return conflict_based_search(field, limit=limit)
    except InputError:
        return joint_search(field)


def _root(field: Field, objective: str) -> Node:
    """Everybody's own best way."""
    closed, arrival = closed_table(1, field.wall.size), objective != "steps"
    paths, costs = [], []
    for i, ends in enumerate(zip(field.start, field.goal, strict=True)):
        row = field.distance[i]
        found = shortest_way(field.ways, row, row, ends, closed, arrival)
        assert found is not None  # its distance is known
        paths.append(found[0])
        costs.append(found[1])
    return _node(paths, costs, objective, None, 0)


def _node(
    paths: list[Real], costs: list[int], objective: str, constraint: Constraint | None, age: int
) -> Node:
    first = np.empty(5, dtype=np.int64)
    count = int(_collisions(stacked(paths), first))
    return Node(cost_of(costs, objective), count, age, paths, costs, constraint, first)


def _constraints(field: Field, node: Node) -> list[Constraint]:
    """What one or the other of the first two that collide must not do."""
    t, i, j, to, back = (int(x) for x in node.first)
    if back < 0:
        return [Constraint(k, t, to, -1, node.constraint) for k in (i, j)]
    there, here = (int(np.flatnonzero(field.ways[a] == b)[0]) for a, b in ((back, to), (to, back)))
    return [
        Constraint(i, t, to, there, node.constraint),
        Constraint(j, t, back, here, node.constraint),
    ]


def _child(
    field: Field, objective: str, node: Node, constraint: Constraint, age: int
) -> Node | None:
    """The node with one constraint more; None if its walker has no way left."""
    i, mine = constraint.walker, []
    row: Constraint | None = constraint
    while row is not None:
        if row.walker == i:
            mine.append(row)
        row = row.before
    closed = closed_table(1 + max(c.t for c in mine), field.wall.size)
    for c in mine:
        closed[c.t, c.cell, slice(None) if c.move < 0 else c.move] = True
    ends, distance = (int(field.start[i]), int(field.goal[i])), field.distance[i]
    found = shortest_way(field.ways, distance, distance, ends, closed, objective != "steps")
    if found is None:
        return None
    paths, costs = list(node.paths), list(node.costs)
    paths[i], costs[i] = found
    return _node(paths, costs, objective, constraint, age)


@kernel
def _collisions(paths: Real, first: Real) -> int:
    """How many pairs collide, and the first: (t, i, j, where to, where i came from or −1)."""
    count = 0
    for t in range(1, paths.shape[0]):
        for i in range(paths.shape[1]):
            for j in range(i):
                meet = paths[t, i] == paths[t, j]
                swap = paths[t, i] == paths[t - 1, j] and paths[t, j] == paths[t - 1, i]
                if not (meet or swap):
                    continue
                if count == 0:
                    first[0], first[1], first[2] = t, i, j
                    first[3], first[4] = paths[t, i], -1 if meet else paths[t - 1, i]
                count += 1
    return count
