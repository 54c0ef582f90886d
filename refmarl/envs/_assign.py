"""Who goes where, so that all together go least far: the assignment problem, exactly."""

import numpy as np

from ..check import Array
from ..kernels._jit import kernel
from ..value_grad import Real


@kernel
def assign(cost: Array, column: Real) -> None:
    """The least sum of ``cost`` (B, N, L), N ≤ L: row i of copy b is given ``column[b, i]``.

    Row by row, along shortest paths in the costs less both sides' prices, which keep them ≥ 0
    and 0 where given (Kuhn 1955; Jonker & Volgenant 1987): N² L operations at most.
    """
    size, rows, columns = cost.shape
    price_row, price = np.zeros(rows), np.zeros(columns)
    owner, via = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
    short, done = np.zeros(columns), np.zeros(columns, np.bool_)
    for b in range(size):
        price_row[:], price[:], owner[:] = 0.0, 0.0, -1
        for first in range(rows):
            last = _search(cost[b], first, price_row, price, owner, via, short, done)
            while last >= 0:  # everybody on the way moves on by one
                before = via[last]
                owner[last] = first if before < 0 else owner[before]
                last = before
        for j in range(columns):
            if owner[j] >= 0:
                column[b, owner[j]] = j


@kernel
def _search(
    cost: Array,
    row: int,
    price_row: Array,
    price: Array,
    owner: Real,
    via: Real,
    short: Array,
    done: Real,
) -> int:
    """The free column nearest to ``row``; ``via`` tells the way back, prices are set anew."""
    first, before, so_far = row, -1, 0.0
    short[:], done[:], via[:] = np.inf, False, -1
    while True:
        near = -1
        for j in range(len(price)):
            if done[j]:
                continue
            way = so_far + cost[row, j] - price_row[row] - price[j]
            if way < short[j]:
                short[j], via[j] = way, before
            if near < 0 or short[j] < short[near]:
                near = j
        done[near], so_far, before = True, short[near], near
        if owner[near] < 0:
            break
        row = owner[near]
    for j in range(len(price)):
        if done[j]:
            if owner[j] >= 0:
                price_row[owner[j]] += so_far - short[j]
            price[j] -= so_far - short[j]
    price_row[first] += so_far
    return near
