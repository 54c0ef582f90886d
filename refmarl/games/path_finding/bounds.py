"""What a plan costs at least, whether there is one, and a plan that is found quickly."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from ...kernels._jit import kernel
from ...value_grad import Real
from .field import FAR, Field, distances
from .joint import least_makespan
from .plan import Plan, closed_table, shortest_way, stacked


def cost_of(costs: list[int], objective: str) -> int:
    """What ways cost together."""
    return max(costs) if objective == "makespan" else sum(costs)


def alone(field: Field) -> int | None:
    """The sum of the lengths of shortest paths: no plan costs less; None if one has none."""
    steps = field.distance[np.arange(field.walkers), field.start]
    return None if (steps == FAR).any() else int(steps.sum())


def anonymous(field: Field) -> int | None:
    """The same if anybody may go to any goal: the cheapest assignment (Kuhn 1955).

    No plan costs less, whoever goes where; None if there is no assignment.
    """
    steps = field.distance[:, field.start].T.astype(np.float64)
    steps[steps == FAR] = field.wall.size * field.walkers + 1.0
    rows, columns = linear_sum_assignment(steps)
    total = steps[rows, columns].sum()
    return None if total > field.wall.size * field.walkers else int(total)


def reachable(field: Field) -> bool:
    """Whether there is a plan at all; by planning one after the other, else by all joint states.

    Raises
    ------
    InputError
        If that fails and there are too many joint states.
    """
    return prioritized(field) is not None or least_makespan(field) is not None


def prioritized(field: Field) -> Plan | None:
    """One after the other, each around those before; None if no order that is tried succeeds.

    Orders are the walkers' own and its rotations (Erdmann & Lozano-Pérez 1987). Nothing is promised
    of the cost, which is that of ``steps``.
    """
    for k in range(field.walkers):
        order = [(k + i) % field.walkers for i in range(field.walkers)]
        found = _in_order(field, order)
        if found is not None:
            return found
    return None


def _in_order(field: Field, order: list[int]) -> Plan | None:
    """Ways in this order of planning."""
    size, done = field.wall.size, dict[int, Real]()
    total, ways, tail = 0, field.ways.copy(), np.empty(size, dtype=np.int64)
    for i in order:
        closed = closed_table(max(map(len, done.values()), default=1), size)
        for path in done.values():
            _reserve(path, field.ways, closed)
        distances(ways, field.goal[i], tail)
        ends = (int(field.start[i]), int(field.goal[i]))
        found = shortest_way(field.ways, field.distance[i], tail, ends, closed, False)
        if found is None:
            return None
        done[i], total = found[0], total + found[1]
        ways[field.goal[i]] = -1  # a wall, once it is there
        ways[ways == field.goal[i]] = -1
    return Plan(stacked([done[i] for i in range(field.walkers)]), total, field.walkers)


@kernel
def _reserve(path: Real, ways: Real, closed: Real) -> None:
    """Close the cells of a way, and changing places with it."""
    last = len(path) - 1
    for t in range(closed.shape[0]):
        closed[t, path[min(t, last)]] = True
        if 0 < t <= last:
            for a in range(1, 5):
                if ways[path[t], a] == path[t - 1]:
                    closed[t, path[t - 1], a] = True
