"""What a kitchen's cooks can earn at best: exactly from a list of all situations, or a bound.

Nothing is random, so that the best return is that of the best sequence of joint actions,

    V_0 = 0,   V_τ(s) = max_a r(s, a) + V_{τ−1}(s'(s, a)),

over all situations that can be reached, which small kitchens let us list. For others we count what
no soup can do without. Each takes W actions of somebody: k times an onion taken, carried and put
in, a dish taken and carried, the soup taken out, carried and served; n cooks have n T. And a pot
gives its first soup not before the nearest onions can be in it and cooked, and each further one
no sooner than those that follow at once are in and cooked.

Axes: R situations, J joint actions, T steps, n cooks, K tables and pots.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..check import Array, InputError
from ..env_api import Actions
from ..kernels._jit import kernel
from ..value_grad import Real
from . import _kitchen
from ._kitchen import DISHES, EXIT, FOR_DISH, FOR_ONIONS, FOR_SOUP, ONIONS, POT, TABLE
from .kitchen import Kitchen, State
from .kitchen_plans import FAR, ways

MAX_CODES = 20_000_000  # situations that could be thought of
MAX_TABLE = 8_000_000  # of joint actions in situations, and of situations at times


class Solved(NamedTuple):
    """All situations that can be reached, and the best that can be paid in so many steps more."""

    number: Real  # (codes,): which situation, −1 for none
    after: Real  # (R, J)
    reward: Array  # (R, J)
    value: Array  # (T + 1, R)


@lru_cache(maxsize=4)
def solve(env: Kitchen) -> Solved:
    """The exact optimum of everything that can be reached.

    Raises
    ------
    InputError
        If that is too much.
    """
    sizes, n = _sizes(env), len(env.plan.start)
    codes = int(np.prod(sizes.astype(float)))
    if codes > MAX_CODES:
        raise InputError(f"{env.name}: {codes:.3g} situations, more than {MAX_CODES}")
    first = env.restart(np.zeros(1, dtype=np.uint64))
    laid = (env.plan.kind, env.plan.slot, env.plan.pot, env.plan.shape, env.constants)
    number, listed = np.full(codes, -1, dtype=np.int32), np.empty(codes, dtype=np.int64)
    listed[0] = _codes(env, first)[0]
    most = MAX_TABLE // max(6**n, env.horizon + 1)
    cells = np.flatnonzero(env.plan.kind == _kitchen.FLOOR)
    count = _list(*laid, cells, sizes, n, most, number, listed)
    if count < 0:
        raise InputError(f"{env.name}: more than {most} situations within reach")
    after = np.empty((count, 6**n), dtype=np.int32)
    reward = np.empty((count, 6**n))
    _tabulate(*laid, cells, sizes, number, listed[:count], after, reward)
    value = np.zeros((env.horizon + 1, count))
    _improve(after, reward, value)
    return Solved(number, after, reward, value)


def ceiling(env: Kitchen, state: State) -> Array:
    """(B,): the best that can be paid from here on, or a bound of it, where play can get to."""
    left = np.maximum(env.horizon - state.t, 0)
    try:
        solved = solve(env)
    except InputError:
        return np.where(left > 0, _bound(env), 0.0)
    return np.asarray(solved.value[left, _rows(env, solved, state)])


def optimal(env: Kitchen, state: State) -> Actions:
    """What is best for all, by the list of all situations.

    Raises
    ------
    InputError
        If that is too long.
    """
    solved, left = solve(env), np.maximum(env.horizon - state.t, 1)
    row = _rows(env, solved, state)
    worth = solved.reward[row] + solved.value[(left - 1)[:, None], solved.after[row]]
    joint = worth.argmax(axis=1)
    return (np.stack(np.unravel_index(joint, (6,) * state.at.shape[1]), axis=1),)


# -- situations as numbers ----------------------------------------------------------------


def _sizes(env: Kitchen) -> Real:
    """How many values each digit has: cells, directions, things held, then tables and pots."""
    n, floor = len(env.plan.start), int((env.plan.kind == _kitchen.FLOOR).sum())
    places = np.where(env.plan.pot, env.onions + env.cooking + 1, 4)
    return np.array([floor] * n + [4] * (2 * n) + places.tolist(), dtype=np.int64)


def _codes(env: Kitchen, state: State) -> Real:
    """(B,): the number of each copy's situation."""
    floor = np.cumsum(env.plan.kind == _kitchen.FLOOR) - 1
    places = state.what + np.where(env.plan.pot, state.clock, 0)
    digits = [floor[state.at], state.facing - 1, state.held, places]
    return np.asarray(np.ravel_multi_index(tuple(np.concatenate(digits, axis=1).T), _sizes(env)))


def _rows(env: Kitchen, solved: Solved, state: State) -> Real:
    """(B,): which situations these are."""
    row = solved.number[_codes(env, state)]
    if (row < 0).any():
        raise InputError(f"{env.name}: copy {int(row.argmin())}: nobody gets there from the start")
    return np.asarray(row)


@kernel
def _read(code: int, cells: Real, sizes: Real, pot: Real, onions: int, now: Real) -> None:
    """Fill in a situation, (5, n or K): cells, directions, held, on tables and in pots, clocks."""
    n = (len(sizes) - len(pot)) // 3
    for d in range(len(sizes) - 1, -1, -1):
        digit, code = code % sizes[d], code // sizes[d]
        if d >= 3 * n:
            k = d - 3 * n
            now[3, k] = min(digit, onions) if pot[k] else digit
            now[4, k] = max(digit - onions, 0) if pot[k] else 0
        elif d < n:
            now[0, d] = cells[digit]
        else:
            now[d // n, d % n] = digit + (d < 2 * n)


@kernel
def _write(floor: Real, sizes: Real, pot: Real, now: Real) -> int:
    """The number of a situation; ``floor`` counts the cells."""
    n, code = (len(sizes) - len(pot)) // 3, 0
    for d in range(len(sizes)):
        if d >= 3 * n:
            digit = now[3, d - 3 * n] + now[4, d - 3 * n]
        elif d < n:
            digit = floor[now[0, d]]
        else:
            digit = now[d // n, d % n] - (d < 2 * n)
        code = code * sizes[d] + digit
    return code


@kernel
def _follow(
    kind: Real, slot: Real, pot: Real, shape: tuple[int, int], rules: tuple[int, int, int, float],
    floor: Real, sizes: Real, begun: Real, joint: int, now: Real, action: Real, stops: Real,
) -> tuple[int, float]:  # fmt: skip
    """(what follows a situation and a joint action, what is paid)."""
    n = len(action)
    now[:] = begun
    for i in range(n - 1, -1, -1):
        action[i], joint = joint % 6, joint // 6
    paid = _kitchen.one_step(
        kind, slot, pot, shape, rules[0], rules[1], rules[2], rules[3], now[0, :n], now[1, :n],
        now[2, :n], now[3, : len(pot)], now[4, : len(pot)], action, stops,
    )  # fmt: skip
    return _write(floor, sizes, pot, now), paid


@kernel
def _list(
    kind: Real, slot: Real, pot: Real, shape: tuple[int, int], rules: tuple[int, int, int, float],
    cells: Real, sizes: Real, n: int, most: int, number: Real, listed: Real,
) -> int:  # fmt: skip
    """Number what can be reached from the first that is listed; how many, −1 if too many."""
    wide = max(n, len(pot))
    begun, now = np.zeros((5, wide), dtype=np.int64), np.zeros((5, wide), dtype=np.int64)
    action, stops = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.bool_)
    floor = np.full(len(kind), -1, dtype=np.int64)
    floor[cells] = np.arange(len(cells))
    number[listed[0]], row, count = 0, 0, 1
    while row < count:
        if count > most:
            return -1
        _read(listed[row], cells, sizes, pot, rules[0], begun)
        for joint in range(6**n):
            code, _ = _follow(
                kind, slot, pot, shape, rules, floor, sizes, begun, joint, now, action, stops
            )
            if number[code] < 0:
                number[code], listed[count] = count, code
                count += 1
        row += 1
    return count


@kernel
def _tabulate(
    kind: Real, slot: Real, pot: Real, shape: tuple[int, int], rules: tuple[int, int, int, float],
    cells: Real, sizes: Real, number: Real, listed: Real, after: Real, reward: Array,
) -> None:  # fmt: skip
    """Fill in what follows, and what is paid, (R, J)."""
    n = (len(sizes) - len(pot)) // 3
    wide = max(n, len(pot))
    begun, now = np.zeros((5, wide), dtype=np.int64), np.zeros((5, wide), dtype=np.int64)
    action, stops = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.bool_)
    floor = np.full(len(kind), -1, dtype=np.int64)
    floor[cells] = np.arange(len(cells))
    for row in range(len(listed)):
        _read(listed[row], cells, sizes, pot, rules[0], begun)
        for joint in range(after.shape[1]):
            code, paid = _follow(
                kind, slot, pot, shape, rules, floor, sizes, begun, joint, now, action, stops
            )
            after[row, joint], reward[row, joint] = number[code], paid


@kernel
def _improve(after: Real, reward: Array, value: Array) -> None:
    """Fill in the best of 1, 2, … T steps; ``value[0]`` comes as zeros."""
    for left in range(1, value.shape[0]):
        for row in range(after.shape[0]):
            best = -np.inf
            for joint in range(after.shape[1]):
                best = max(best, reward[row, joint] + value[left - 1, after[row, joint]])
            value[left, row] = best


# -- what no soup can do without ----------------------------------------------------------


def most_soups(env: Kitchen, steps: int) -> int:
    """Soups that can be served at most in so many steps from the beginning."""
    plan, n, k = env.plan, len(env.plan.start), env.onions
    onion, dish, soup = (
        _carried(env.layout, *pair, 2) for pair in ((ONIONS, POT), (DISHES, POT), (POT, EXIT))
    )
    if max(onion, dish, soup) >= FAR:
        return 0
    work = k * (onion + 2) + dish + soup + 3
    walk = ways(env.layout)[plan.kind == ONIONS][:, plan.start, 1].min()  # all face south
    quick, out = (_carried(env.layout, *pair, 1) for pair in ((ONIONS, POT), (POT, EXIT)))
    first = int(walk) + 1 + quick + -(-k // n) - 1 + env.cooking  # the step that takes it out
    last = steps - 2 - out
    apart = env.cooking + max(0, -(-(k - n + 1) // n))
    each = 0
    if last >= first:
        each = 1 + (last - first) // apart if apart else n * steps  # a pot emptied twice in a step
    return min(n * steps // work, each * int((plan.kind == POT).sum()))


@lru_cache(maxsize=128)
def _carried(layout: str, source: int, aim: int, over: int) -> int:
    """Actions that carry a thing from one kind of place to another; ``over`` across a table."""
    kind, steps = Kitchen(layout).plan.kind, ways(layout)
    tables = np.flatnonzero(kind == TABLE)

    def walked(begin: Real, end: Real) -> int:
        """From in front of one of these cells to in front of one of those."""
        stand = (steps[begin] == 0).any(axis=0)
        return int(steps[end][:, stand].min(initial=FAR))

    sources, aims = (np.flatnonzero(kind == x) for x in (source, aim))
    best = walked(sources, aims)
    cost = {t: walked(sources, tables[[k]]) + over for k, t in enumerate(tables)}
    for _ in tables:
        for k, t in enumerate(tables):
            onward = [cost[u] + walked(np.array([u]), tables[[k]]) + over for u in tables]
            cost[t] = min(cost[t], *onward)
    return min([best, *(cost[t] + walked(np.array([t]), aims) for t in tables)])


def _bound(env: Kitchen) -> float:
    """What can be paid in a whole episode, at most; what was paid already is not taken off."""
    n, tables, pots = len(env.plan.start), int((~env.plan.pot).sum()), int(env.plan.pot.sum())
    soups = float(most_soups(env, env.horizon))
    if env.shaping == "bonus":
        most = max(FOR_ONIONS / env.onions, FOR_DISH, FOR_SOUP)  # of an action
        return soups + env.horizon * n * most
    if env.shaping == "potential":  # what is not served in the end
        soup = FOR_ONIONS + FOR_DISH + FOR_SOUP
        return soups + pots * (FOR_ONIONS + FOR_DISH) + (n + tables) * soup
    return soups
