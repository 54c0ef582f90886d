"""Search of all joint states: simple, and only for few walkers on few cells."""

from heapq import heappop, heappush

import numpy as np

from ...check import InputError
from ...kernels._jit import kernel
from ...value_grad import Real
from .field import FAR, Field
from .plan import Plan

MAX_JOINT = 20_000_000  # joint states that are looked at
MAX_LISTED = 500_000  # of which costs are kept


def least_makespan(field: Field) -> int | None:
    """Steps until all can be on their goals, by breadth-first search of the joint states.

    Raises
    ------
    InputError
        If there are more than ``MAX_JOINT``.
    """
    _, ways, start, goal = _numbered(field, MAX_JOINT)
    depth = _breadth_first(ways, start, goal)
    return None if depth < 0 else int(depth)


def joint_search(field: Field) -> Plan | None:
    """The cheapest plan by ``steps``, or None if there is none (Dijkstra 1959).

    Raises
    ------
    InputError
        If there are more than ``MAX_LISTED`` joint states.
    """
    free, ways, start, goal = _numbered(field, MAX_LISTED)
    came = np.full(len(free) ** field.walkers, -1, dtype=np.int64)
    cost, expanded = _dijkstra(ways, start, goal, came)
    if cost < 0:
        return None
    codes = [int(np.ravel_multi_index(tuple(goal), (len(free),) * field.walkers))]
    while came[codes[-1]] >= 0:
        codes.append(int(came[codes[-1]]))
    cells = np.unravel_index(np.array(codes[::-1]), (len(free),) * field.walkers)
    return Plan(free[np.array(cells).T], int(cost), int(expanded))


def _numbered(field: Field, most: int) -> tuple[Real, Real, Real, Real]:
    """(free cells, where moves lead among these, starts, goals)."""
    free = np.flatnonzero(~field.wall.ravel())
    if len(free) ** field.walkers > most:
        size = f"{len(free)}^{field.walkers}"
        raise InputError(f"path finding: {size} joint states, more than {most}")
    number = np.full(field.wall.size + 1, -1, dtype=np.int64)
    number[free] = np.arange(len(free))
    # −1 is the last entry, which is −1
    return free, number[field.ways[free]], number[field.start], number[field.goal]


@kernel
def _dijkstra(ways: Real, start: Real, goal: Real, came: Real) -> tuple[int, int]:
    """Fill in where each joint state was come from; (the goal's cost or −1, states looked at)."""
    size, n = len(ways), len(start)
    first, aim, looked = 0, 0, 0
    for i in range(n):
        first, aim = first * size + start[i], aim * size + goal[i]
    best = np.full(len(came), FAR, dtype=np.int64)
    at, to = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    best[first], heap = 0, [(0, first)]
    while len(heap) > 0:
        cost, code = heappop(heap)
        if cost > best[code]:
            continue
        if code == aim:
            return cost, looked
        looked, rest = looked + 1, code
        for i in range(n - 1, -1, -1):
            at[i], rest = rest % size, rest // size
        for joint in range(5**n):
            there, pay = _moved(ways, at, joint, to), cost
            if there < 0:
                continue
            for i in range(n):
                pay += not (at[i] == goal[i] and to[i] == goal[i])
            if pay < best[there]:
                best[there], came[there] = pay, code
                heappush(heap, (pay, there))
    return -1, looked


@kernel
def _breadth_first(ways: Real, start: Real, goal: Real) -> int:
    """Steps from start to goal (n,) in the joint states, −1 if there is no way."""
    size, n = len(ways), len(start)
    first, aim = 0, 0
    for i in range(n):
        first, aim = first * size + start[i], aim * size + goal[i]
    depth = np.full(size**n, -1, dtype=np.int32)
    queue = np.empty(size**n, dtype=np.int32)
    at, to = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    depth[first], queue[0], head, last = 0, first, 0, 1
    while head < last and depth[aim] < 0:
        code = queue[head]
        head += 1
        rest = code
        for i in range(n - 1, -1, -1):
            at[i], rest = rest % size, rest // size
        for joint in range(5**n):
            there = _moved(ways, at, joint, to)
            if there >= 0 and depth[there] < 0:
                depth[there], queue[last] = depth[code] + 1, there
                last += 1
    return int(depth[aim])


@kernel
def _moved(ways: Real, at: Real, joint: int, to: Real) -> int:
    """The joint state after a joint move, −1 if it is not allowed."""
    code = 0
    for i in range(len(at)):
        to[i] = ways[at[i], joint % 5]
        joint //= 5
        if to[i] < 0:
            return -1
        for j in range(i):
            if to[j] == to[i] or (to[j] == at[i] and to[i] == at[j]):
                return -1
        code = code * len(ways) + to[i]
    return code
