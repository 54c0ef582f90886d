"""A plain plan for cooks, each by itself, and how far things are for one who walks.

Cooks decide in turn, each knowing what those before it are going to fetch: a soup goes to the exit,
a dish to a full pot, an onion to one with room, or to a table where that is out of reach. Empty
hands take what lies on a table and is of use, else a dish if a full pot lacks one, else an onion.
Who meets another, or has nothing to do, waits or steps aside by chance. It is no optimum.

Axes: B copies, V cells, n cooks, K tables and pots.
"""

from functools import lru_cache

import numpy as np

from ..kernels._jit import kernel
from ..kernels.counter import below, uniform
from ..value_grad import Real
from ._kitchen import (
    DISH,
    DISHES,
    EXIT,
    FLOOR,
    INTERACT,
    NOTHING,
    ONION,
    ONIONS,
    POT,
    SOUP,
    TABLE,
)
from ._walk import target
from .kitchen import Kitchen, State

FAR = 1 << 20
ROOM, FULL = -1, -2  # what a pot may be looked for


@lru_cache(maxsize=16)
def ways(layout: str) -> Real:
    """(V, V, 4): steps from a cell, facing a direction, until one stands in front of a cell."""
    plan = Kitchen(layout).plan
    found = np.full((len(plan.kind), len(plan.kind), 4), FAR, dtype=np.int64)
    _measure(plan.kind, *plan.shape, found)
    return found


def greedy(env: Kitchen, state: State) -> Real:
    """What everybody does, (B, n)."""
    action = np.zeros(state.at.shape, dtype=np.int64)
    laid, rules = (env.plan.kind, env.plan.slot, env.plan.pot), (env.onions, env.plan.shape)
    now = (state.key, state.t, state.at, state.facing, state.held, state.what)
    _greedy(*laid, *rules, ways(env.layout), *now, action)
    return action


@kernel
def _measure(kind: Real, rows: int, columns: int, found: Real) -> None:
    """Fill in the steps, which come as ``FAR``; each cell by rounds until nothing changes."""
    for aim in range(len(kind)):
        again = True
        while again:
            again = False
            for cell in range(len(kind)):
                for f in range(4 if kind[cell] == FLOOR else 0):
                    best = 0 if _front(cell, f + 1, columns) == aim else found[aim, cell, f]
                    for a in range(1, 5):
                        there = target(kind, cell, a, rows, columns)
                        best = min(best, found[aim, there, a - 1] + 1)
                    if best < found[aim, cell, f]:
                        found[aim, cell, f], again = best, True


@kernel
def _front(cell: int, facing: int, columns: int) -> int:
    """The cell in front."""
    if facing <= 2:
        return cell + (columns if facing == 2 else -columns)
    return cell + (1 if facing == 4 else -1)


@kernel
def _nearest(
    kind: Real, slot: Real, steps: Real, here: int, facing: int, what: Real, onions: int,
    wanted: int, content: int,
) -> int:  # fmt: skip
    """The nearest cell of a kind and, of tables and pots, content; −1 if there is none."""
    best, least = -1, FAR
    for cell in range(len(kind)):
        if kind[cell] != wanted or steps[cell, here, facing - 1] >= least:
            continue
        fits = True
        if wanted == TABLE:
            fits = what[slot[cell]] == content
        elif wanted == POT:
            fits = (what[slot[cell]] == onions) == (content == FULL)
        if fits:
            best, least = cell, steps[cell, here, facing - 1]
    return best


@kernel
def _bring(
    kind: Real, slot: Real, steps: Real, here: int, facing: int, what: Real, onions: int, held: int
) -> int:  # fmt: skip
    """Where one goes with something in hand, −1 for nowhere; to a table if all else is too far."""
    args = (kind, slot, steps, here, facing, what, onions)
    wanted, content = EXIT, NOTHING
    if held != SOUP:
        wanted, content = POT, FULL if held == DISH else ROOM
    for cell in range(len(kind)):
        if kind[cell] == wanted and steps[cell, here, facing - 1] < FAR:
            return _nearest(*args, wanted, content)
    return _nearest(*args, TABLE, NOTHING)


@kernel
def _fetch(
    kind: Real, slot: Real, steps: Real, here: int, facing: int, what: Real, onions: int,
    counts: Real,
) -> int:  # fmt: skip
    """Where one goes with empty hands; ``counts``: dishes and onions held, about, and wanted."""
    args = (kind, slot, steps, here, facing, what, onions)
    pots = False
    for cell in range(len(kind)):
        pots = pots or (kind[cell] == POT and steps[cell, here, facing - 1] < FAR)
    cell = _nearest(*args, TABLE, SOUP)
    if cell >= 0 and _nearest(*args, EXIT, NOTHING) >= 0:
        return cell
    for k, thing, source in ((0, DISH, DISHES), (1, ONION, ONIONS)):
        cell = _nearest(*args, TABLE, thing)
        if pots and cell >= 0 and counts[k, 0] < counts[k, 2]:
            counts[k, 0] += 1
            return cell
        cell = _nearest(*args, source, NOTHING)
        if cell >= 0 and counts[k, 1] < counts[k, 2]:
            counts[k, 0], counts[k, 1] = counts[k, 0] + 1, counts[k, 1] + 1
            return cell
    return -1


@kernel
def _count(held: Real, what: Real, pot: Real, onions: int, counts: Real) -> None:
    """Fill in how many dishes and onions are held, are about in all, and are wanted, (2, 3)."""
    counts[:] = 0
    for i in range(len(held)):
        counts[0, 0] += held[i] == DISH
        counts[1, 0] += held[i] == ONION
    counts[:, 1] = counts[:, 0]
    for k in range(len(what)):
        if pot[k]:
            counts[0, 2] += what[k] == onions
            counts[1, 2] += onions - what[k]
        else:
            counts[0, 1] += what[k] == DISH
            counts[1, 1] += what[k] == ONION


@kernel
def _towards(
    kind: Real, shape: tuple[int, int], steps: Real, aim: int, i: int, at: Real, facing: int,
    claims: Real,
) -> int:  # fmt: skip
    """Cook i's action on its way; where that leads becomes its claim. 0 for nowhere."""
    best, least, claims[i] = 0, FAR, at[i]
    if aim >= 0 and steps[aim, at[i], facing - 1] == 0:
        return INTERACT
    for a in range(1, 5 if aim >= 0 else 1):
        cell = target(kind, at[i], a, shape[0], shape[1])
        if steps[aim, cell, a - 1] < least:
            best, least, claims[i] = a, steps[aim, cell, a - 1], cell
    return best


@kernel
def _in_the_way(i: int, at: Real, claims: Real) -> bool:
    """Whether somebody before i claims the same cell or i's own, or one after it stands there."""
    for j in range(len(at)):
        if j < i and (claims[j] == claims[i] or claims[j] == at[i]):
            return True
        if j > i and at[j] == claims[i]:
            return True
    return False


@kernel
def _greedy(
    kind: Real, slot: Real, pot: Real, onions: int, shape: tuple[int, int], steps: Real, key: Real,
    t: Real, at: Real, facing: Real, held: Real, what: Real, action: Real,
) -> None:  # fmt: skip
    """Fill in what everybody does, (B, n)."""
    counts, claims = np.empty((2, 3), dtype=np.int64), np.empty(at.shape[1], dtype=np.int64)
    for b in range(at.shape[0]):
        _count(held[b], what[b], pot, onions, counts)
        for i in range(at.shape[1]):
            args = (kind, slot, steps, at[b, i], facing[b, i], what[b], onions)
            aim = _fetch(*args, counts) if held[b, i] == NOTHING else _bring(*args, held[b, i])
            chosen = _towards(kind, shape, steps, aim, i, at[b], facing[b, i], claims)
            stuck = aim < 0 or (chosen != INTERACT and _in_the_way(i, at[b], claims))
            if stuck and uniform(key[b], t[b], 2 * i) < 0.5:
                chosen = below(key[b], t[b], 2 * i + 1, 5)
            action[b, i] = chosen
