"""The kernels of level-based foraging; the rules are told in :mod:`refmarl.envs.foraging`."""

import numpy as np

from ..check import Array
from ..kernels._jit import kernel
from ..kernels.counter import below, uniform
from ..value_grad import Real
from ._frame import close

LOAD = 5
TRIES = 1000  # to place one more thing


@kernel
def place(
    key: Real,
    rows: int,
    columns: int,
    max_level: int,
    cooperative: bool,
    at: Real,
    level: Real,
    food_at: Real,
    food: Real,
) -> None:
    """Where everything stands at the beginning, and its level."""
    for b in range(at.shape[0]):
        draws = _place_agents(key[b], rows, columns, max_level, at[b], level[b])
        heaviest = _three_weakest(level[b])
        for f in range(food.shape[1]):
            for _ in range(TRIES):
                row = 1 + below(key[b], 0, draws, rows - 2)
                column = 1 + below(key[b], 0, draws + 1, columns - 2)
                draws += 2
                if _free(row, column, at[b], food_at[b], f):
                    food_at[b, f, 0], food_at[b, f, 1] = row, column
                    weight = below(key[b], 0, draws, heaviest)
                    food[b, f] = heaviest if cooperative else 1 + weight
                    draws += 1
                    break
        _sort(food_at[b], food[b])


@kernel
def _place_agents(
    key: np.uint64, rows: int, columns: int, max_level: int, at: Real, level: Real
) -> int:
    """Each agent in a cell of its own; how many numbers were drawn."""
    draws = 0
    for i in range(at.shape[0]):
        while True:
            cell = below(key, 0, draws, rows * columns)
            draws += 1
            free = True
            for j in range(i):
                free = free and at[j, 0] * columns + at[j, 1] != cell
            if free:
                break
        at[i, 0], at[i, 1] = cell // columns, cell % columns
        level[i] = 1 + below(key, 0, draws, max_level)
        draws += 1
    return draws


@kernel
def _three_weakest(level: Real) -> int:
    """The levels of the three weakest agents together."""
    total = 0
    for i in range(level.shape[0]):
        weaker = 0
        for j in range(level.shape[0]):
            weaker += level[j] < level[i] or (level[j] == level[i] and j < i)
        if weaker < 3:
            total += level[i]
    return total


@kernel
def _free(row: int, column: int, at: Real, food_at: Real, foods: int) -> bool:
    """Whether food may lie here: on nobody, with no food around or two steps straight ahead."""
    if _taken(row, column, at):
        return False
    for f in range(foods):
        down, right = abs(food_at[f, 0] - row), abs(food_at[f, 1] - column)
        if food_at[f, 0] > 0 and (max(down, right) <= 1 or (down + right <= 2)):
            return False
    return True


@kernel
def _sort(food_at: Real, food: Real) -> None:
    """Row by row; what could not be placed (level 0) stays in front."""
    for f in range(1, food.shape[0]):
        k = f
        while k > 0 and (
            food_at[k, 0] < food_at[k - 1, 0]
            or (food_at[k, 0] == food_at[k - 1, 0] and food_at[k, 1] < food_at[k - 1, 1])
        ):
            for c in range(2):
                food_at[k, c], food_at[k - 1, c] = food_at[k - 1, c], food_at[k, c]
            food[k], food[k - 1] = food[k - 1], food[k]
            k -= 1


@kernel
def _food_in(row: int, column: int, food_at: Real, food: Real) -> int:
    """The index of the food in this cell, −1 if there is none."""
    for f in range(food.shape[0]):
        if food[f] > 0 and food_at[f, 0] == row and food_at[f, 1] == column:
            return f
    return -1


@kernel
def _may(
    action: int, row: int, column: int, food_at: Real, food: Real, rows: int, columns: int
) -> bool:
    """Whether an action is possible here."""
    if action == 0:
        return True
    if action == LOAD:
        for f in range(food.shape[0]):
            if food[f] > 0 and abs(food_at[f, 0] - row) + abs(food_at[f, 1] - column) == 1:
                return True
        return False
    row, column = _ahead(action, row, column)
    inside = 0 <= row < rows and 0 <= column < columns
    return inside and _food_in(row, column, food_at, food) < 0


@kernel
def _ahead(action: int, row: int, column: int) -> tuple[int, int]:
    """The cell that a step leads to."""
    if action == 1:
        return row - 1, column
    if action == 2:
        return row + 1, column
    if action == 3:
        return row, column - 1
    if action == 4:
        return row, column + 1
    return row, column


@kernel
def legal_actions(
    at: Real, food_at: Real, food: Real, rows: int, columns: int, legal: Real
) -> None:
    """Fill in (B, N, 6)."""
    for b in range(at.shape[0]):
        for i in range(at.shape[1]):
            row, column = at[b, i, 0], at[b, i, 1]
            for a in range(6):
                legal[b, i, a] = _may(a, row, column, food_at[b], food[b], rows, columns)


@kernel
def look(at: Real, level: Real, food_at: Real, food: Real, sight: int, seen: Array) -> None:
    """Fill in what every agent sees, (B, N, 3 (F + N))."""
    foods, n = food.shape[1], at.shape[1]
    for b in range(at.shape[0]):
        for i in range(n):
            for k in range(foods + n):
                seen[b, i, 3 * k], seen[b, i, 3 * k + 1], seen[b, i, 3 * k + 2] = -1.0, -1.0, 0.0
            k = 0
            for f in range(foods):
                if food[b, f] > 0 and _near(at[b, i], food_at[b, f], sight):
                    _note(at[b, i], food_at[b, f], food[b, f], sight, seen[b, i], k)
                    k += 1
            _note(at[b, i], at[b, i], level[b, i], sight, seen[b, i], foods)
            k = foods + 1
            for j in range(n):
                if j != i and _near(at[b, i], at[b, j], sight):
                    _note(at[b, i], at[b, j], level[b, j], sight, seen[b, i], k)
                    k += 1


@kernel
def _near(mine: Real, other: Real, sight: int) -> bool:
    """Whether one can be seen from the other."""
    return bool(abs(other[0] - mine[0]) <= sight and abs(other[1] - mine[1]) <= sight)


@kernel
def _note(mine: Real, other: Real, level: int, sight: int, seen: Array, k: int) -> None:
    """Row, column and level of one thing, in the window around ``mine``."""
    for c in range(2):
        seen[3 * k + c] = other[c] - mine[c] + min(sight, mine[c])
    seen[3 * k + 2] = level


@kernel
def _walk(action: Real, at: Real, at_next: Real) -> None:
    """All step at once; who would share a cell stays, until nobody would."""
    n = at.shape[0]
    for i in range(n):
        at_next[i, 0], at_next[i, 1] = _ahead(action[i], at[i, 0], at[i, 1])
    back = np.empty(n, dtype=np.bool_)
    for _ in range(n):
        for i in range(n):
            back[i] = False
            for j in range(n):
                same = at_next[i, 0] == at_next[j, 0] and at_next[i, 1] == at_next[j, 1]
                back[i] = back[i] or (i != j and same)
        for i in range(n):
            if back[i]:
                at_next[i, 0], at_next[i, 1] = at[i, 0], at[i, 1]


@kernel
def _lift(
    action: Real,
    level: Real,
    at: Real,
    food_at: Real,
    food: Real,
    total: int,
    penalty: float,
    reward: Array,
) -> None:
    """Those who load lift what is beside them; ``food`` becomes 0 where it is gone."""
    n = at.shape[0]
    for i in range(n):
        reward[i] = 0.0
    for f in range(food.shape[0]):
        if food[f] == 0:
            continue
        strength = 0
        for i in range(n):
            beside = abs(at[i, 0] - food_at[f, 0]) + abs(at[i, 1] - food_at[f, 1]) == 1
            if action[i] == LOAD and beside:
                strength += level[i]
        for i in range(n):
            beside = abs(at[i, 0] - food_at[f, 0]) + abs(at[i, 1] - food_at[f, 1]) == 1
            if action[i] == LOAD and beside:
                if strength >= food[f]:
                    reward[i] += level[i] * food[f] / (strength * total)
                else:
                    reward[i] -= penalty
        if strength >= food[f]:
            food[f] = 0


@kernel
def step(
    at: Real,
    level: Real,
    food_at: Real,
    food: Real,
    total: Real,
    t: Real,
    over: Real,
    action: Real,
    rows: int,
    columns: int,
    penalty: float,
    horizon: int,
    at_next: Real,
    food_next: Real,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action not one of the six."""
    n = at.shape[1]
    does = np.empty(n, dtype=np.int64)
    for b in range(at.shape[0]):
        if over[b]:
            return False
        for i in range(n):
            a, row, column = action[b, i], at[b, i, 0], at[b, i, 1]
            if not 0 <= a <= LOAD:
                return False
            does[i] = a if _may(a, row, column, food_at[b], food[b], rows, columns) else 0
        _walk(does, at[b], at_next[b])
        left = 0
        for f in range(food.shape[1]):
            food_next[b, f] = food[b, f]
        _lift(does, level[b], at_next[b], food_at[b], food_next[b], total[b], penalty, reward[b])
        for f in range(food.shape[1]):
            left += food_next[b, f]
        close(b, t, left == 0, horizon, t_next, flags)
    return True


@kernel
def greedy(
    key: Real, t: Real, at: Real, food_at: Real, food: Real, legal: Real, action: Real
) -> None:
    """Towards the food nearest to the first agent, around others, and load beside it."""
    for b in range(at.shape[0]):
        goal, best = 0, 1 << 30
        for f in range(food.shape[1]):
            far = abs(food_at[b, f, 0] - at[b, 0, 0]) + abs(food_at[b, f, 1] - at[b, 0, 1])
            if food[b, f] > 0 and far < best:
                goal, best = f, far
        for i in range(at.shape[1]):
            row, column = at[b, i, 0], at[b, i, 1]
            if abs(food_at[b, goal, 0] - row) + abs(food_at[b, goal, 1] - column) == 1:
                action[b, i] = LOAD
                continue
            action[b, i], near = 0, np.inf
            for a in range(1, 5):
                down, right = _ahead(a, row, column)
                far = abs(food_at[b, goal, 0] - down) + abs(food_at[b, goal, 1] - right)
                ahead = far + 0.5 * uniform(key[b], t[b], 4 * i + a)  # ties at random
                if legal[b, i, a] and not _taken(down, right, at[b]) and ahead < near:
                    action[b, i], near = a, ahead


@kernel
def _taken(row: int, column: int, at: Real) -> bool:
    """Whether somebody stands here."""
    taken = False
    for i in range(at.shape[0]):
        taken = taken or (at[i, 0] == row and at[i, 1] == column)
    return bool(taken)
