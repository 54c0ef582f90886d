"""Drawings of kitchens, and the kernels; the rules are told in :mod:`refmarl.envs.kitchen`."""

from typing import NamedTuple

import numpy as np

from ..check import Array, InputError
from ..kernels._jit import kernel
from ..value_grad import Real
from ._frame import close
from ._walk import settle, target

FLOOR, WALL, TABLE, ONIONS, DISHES, POT, EXIT = range(7)
SIGNS = {".": FLOOR, "#": WALL, "-": TABLE, "O": ONIONS, "D": DISHES, "P": POT, "S": EXIT}
NOTHING, ONION, DISH, SOUP = range(4)  # what a cook holds, and what lies on a table
INTERACT = 5
FOR_ONIONS, FOR_DISH, FOR_SOUP = 0.45, 0.15, 0.25  # of a soup: 3 · 3, 3 and 5 of 20
NONE, BONUS, POTENTIAL = range(3)  # ways to shape
LAYOUTS = {
    "cramped": "##P#/O12#/#..S/#D##",
    "ring": "##P##/#1..#/O.-.S/#..2#/##D##",
    "forced": "#####/O1-2P/D.-.S/#####",
}


class Plan(NamedTuple):
    """A kitchen as arrays, V cells row by row."""

    shape: tuple[int, int]
    kind: Real  # (V,)
    slot: Real  # (V,): the index of a table or pot among the K of them, −1 elsewhere
    pot: Real  # (K,) of bool
    start: Real  # (n,) cells


def read(drawing: str) -> Plan:
    """A kitchen from its rows, separated by /; digits are the cooks on floor.

    Raises
    ------
    InputError
        If it is no rectangle, is open at the edge, or lacks something to make soup with.
    """
    rows = drawing.split("/")
    if len(rows) == 1:
        raise InputError(
            f"layout: need {', '.join(LAYOUTS)}, or rows of signs with / between; got {drawing!r}"
        )
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise InputError(f"layout: need rows of one length, got {drawing!r}")
    text = "".join(rows)
    unknown = sorted(set(text) - set(SIGNS) - set("123"))
    if unknown:
        raise InputError(f"layout: need signs of 123{''.join(SIGNS)}, got {unknown[0]!r}")
    cooks = sorted(c for c in text if c in "123")
    if cooks not in (["1"], ["1", "2"], ["1", "2", "3"]):
        raise InputError(f"layout: need cooks 1, 2, 3 in turn, one of each, got {''.join(cooks)!r}")
    for sign in "ODPS":
        if sign not in text:
            raise InputError(f"layout: need at least one {sign}, got {drawing!r}")
    kind = np.array([SIGNS.get(c, FLOOR) for c in text], dtype=np.int64)
    grid = kind.reshape(len(rows), -1)
    if (np.concatenate([grid[0], grid[-1], grid[:, 0], grid[:, -1]]) == FLOOR).any():
        raise InputError(f"layout: need no floor at the edge, got {drawing!r}")
    places = np.flatnonzero((kind == TABLE) | (kind == POT))
    slot = np.full(len(kind), -1, dtype=np.int64)
    slot[places] = np.arange(len(places))
    start = np.array([text.index(c) for c in cooks], dtype=np.int64)
    return Plan((len(rows), len(rows[0])), kind, slot, kind[places] == POT, start)


@kernel
def potential(held: Real, what: Real, pot: Real, onions: int) -> float:
    """Φ of one kitchen: how far its soups are, in soups."""
    value, dishes, full = 0.0, 0, 0
    for i in range(len(held)):
        dishes += held[i] == DISH
        value += (FOR_ONIONS + FOR_DISH + FOR_SOUP) * (held[i] == SOUP)
    for k in range(len(what)):
        if pot[k]:
            value += FOR_ONIONS * what[k] / onions
            full += what[k] == onions
        else:
            dishes += what[k] == DISH
            value += (FOR_ONIONS + FOR_DISH + FOR_SOUP) * (what[k] == SOUP)
    return value + FOR_DISH * min(dishes, full)


@kernel
def _wanted(held: Real, what: Real, pot: Real, onions: int) -> bool:
    """Whether there are fewer dishes about than full pots."""
    dishes, full = 0, 0
    for i in range(len(held)):
        dishes += held[i] == DISH
    for k in range(len(what)):
        if pot[k]:
            full += what[k] == onions
        else:
            dishes += what[k] == DISH
    return dishes < full


@kernel
def _use_pot(
    i: int, k: int, held: Real, what: Real, clock: Real, onions: int, cooking: int, bonus: float
) -> float:
    """A cook at a pot: an onion in, or a soup out; what that is paid."""
    if held[i] == ONION and what[k] < onions:
        held[i], what[k] = NOTHING, what[k] + 1
        if what[k] == onions:
            clock[k] = cooking
        return bonus * FOR_ONIONS / onions
    if held[i] == DISH and what[k] == onions and clock[k] == 0:
        held[i], what[k] = SOUP, 0
        return bonus * FOR_SOUP
    return 0.0


@kernel
def _interact(
    i: int, kind: int, k: int, held: Real, what: Real, clock: Real, pot: Real, onions: int,
    cooking: int, bonus: float,
) -> float:  # fmt: skip
    """What cook i does with what is in front of it, and what that is paid."""
    if kind == POT:
        return _use_pot(i, k, held, what, clock, onions, cooking, bonus)
    if kind == TABLE and (held[i] == NOTHING) != (what[k] == NOTHING):
        held[i], what[k] = what[k], held[i]
    elif kind == ONIONS and held[i] == NOTHING:
        held[i] = ONION
    elif kind == DISHES and held[i] == NOTHING:
        paid = bonus * FOR_DISH if _wanted(held, what, pot, onions) else 0.0
        held[i] = DISH
        return paid
    elif kind == EXIT and held[i] == SOUP:
        held[i] = NOTHING
        return 1.0
    return 0.0


@kernel
def one_step(
    kind: Real, slot: Real, pot: Real, shape: tuple[int, int], onions: int, cooking: int,
    shaping: int, discount: float, at: Real, facing: Real, held: Real, what: Real, clock: Real,
    action: Real, stops: Real,
) -> float:  # fmt: skip
    """Move one kitchen on in place, (n,) cooks and (K,) tables and pots; what all are paid.

    −∞ if an action is none of the six.
    """
    paid, bonus = 0.0, 1.0 if shaping == BONUS else 0.0
    if shaping == POTENTIAL:
        paid -= potential(held, what, pot, onions)
    for k in range(len(clock)):
        clock[k] = max(clock[k] - 1, 0)
    for i in range(len(at)):
        if action[i] == INTERACT:
            cell = at[i] + _ahead(facing[i], shape[1])
            paid += _interact(
                i, kind[cell], slot[cell], held, what, clock, pot, onions, cooking, bonus
            )
    to = np.empty(len(at), dtype=np.int64)
    for i in range(len(at)):
        to[i] = at[i]
        if not 0 <= action[i] <= INTERACT:
            return -np.inf
        if 1 <= action[i] <= 4:
            facing[i] = action[i]
            to[i] = target(kind, at[i], action[i], shape[0], shape[1])
    settle(at, to, stops)
    for i in range(len(at)):
        at[i] = to[i]
    if shaping == POTENTIAL:
        paid += discount * potential(held, what, pot, onions)
    return paid


@kernel
def _ahead(facing: int, columns: int) -> int:
    """How the number of the cell in front differs."""
    if facing == 1:
        return -columns
    if facing == 2:
        return columns
    return -1 if facing == 3 else 1


@kernel
def step(
    kind: Real, slot: Real, pot: Real, shape: tuple[int, int], rules: tuple[int, int, int, float],
    t: Real, over: Real, action: Real, horizon: int, at: Real, facing: Real, held: Real,
    what: Real, clock: Real, t_next: Real, reward: Array, flags: Real,
) -> bool:  # fmt: skip
    """Move B kitchens on in place; False if a copy is over or an action none of the six."""
    stops = np.empty(at.shape[1], dtype=np.bool_)
    for b in range(at.shape[0]):
        if over[b]:
            return False
        paid = one_step(
            kind, slot, pot, shape, rules[0], rules[1], rules[2], rules[3], at[b], facing[b],
            held[b], what[b], clock[b], action[b], stops,
        )  # fmt: skip
        if paid == -np.inf:
            return False
        for i in range(at.shape[1]):
            reward[b, i] = paid
        close(b, t, False, horizon, t_next, flags)
    return True


@kernel
def look(
    floor: Real, pot: Real, onions: int, cooking: int, at: Real, facing: Real, held: Real,
    what: Real, clock: Real, seen: Array,
) -> None:  # fmt: skip
    """Fill in what everybody sees; ``seen`` comes as zeros. ``floor`` (V,) counts the floor."""
    n, size = at.shape[1], 1
    for k in range(len(floor)):
        size = max(size, floor[k] + 1)
    for b in range(at.shape[0]):
        for i in range(n):
            p = 0
            for k in range(n):
                j = (i + k) % n
                seen[b, i, p + floor[at[b, j]]] = 1.0
                seen[b, i, p + size + facing[b, j] - 1] = 1.0
                if held[b, j] != NOTHING:
                    seen[b, i, p + size + 3 + held[b, j]] = 1.0
                p += size + 7
            for k in range(what.shape[1]):
                if pot[k]:
                    seen[b, i, p] = what[b, k] / onions
                    seen[b, i, p + 1] = clock[b, k] / max(cooking, 1)
                    seen[b, i, p + 2] = what[b, k] == onions and clock[b, k] == 0
                elif what[b, k] != NOTHING:
                    seen[b, i, p + what[b, k] - 1] = 1.0
                p += 3
