"""Sums over the joint actions of a game whose payoff tensor is laid out flat.

Axes: n players, S = Π_i A_i joint actions in row-major order, M = max_i A_i. ``payoffs`` is
float64 (n, S), ``sizes`` int64 (n,) holds A_i. Arrays (n, M) have a row per player, of which
the first A_i entries count. Integer payoffs and weights give exact sums below 2**53.
"""

import numpy as np
from numpy.typing import NDArray

from ._jit import kernel

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def digits(number: int, sizes: Ints, out: Ints) -> None:
    """Write into ``out`` the joint action of all players but the last that has this number."""
    for j in range(len(sizes) - 2, -1, -1):
        out[j] = number % sizes[j]
        number //= sizes[j]


@kernel
def flat_index(sizes: Ints, actions: Ints) -> int:
    """The place of a joint action among the S."""
    index = 0
    for i in range(len(sizes)):
        index = index * sizes[i] + actions[i]
    return index


@kernel
def mixed_values(payoffs: Array, sizes: Ints, weights: Array, values: Array) -> None:
    """values[i, a_i] = Σ_{a_-i} u_i(a) Π_{j≠i} weights[j, a_j], reading the tensor once.

    With mixed strategies as weights these are the players' action values; with counts of play,
    the same times a constant of each player.
    """
    n, last = len(sizes), sizes[-1]
    before = np.zeros(n, dtype=np.int64)
    for i in range(n):
        for a in range(sizes[i]):
            values[i, a] = 0.0
    for block in range(payoffs.shape[1] // last):
        digits(block, sizes, before)
        for i in range(n):
            others = 1.0
            for j in range(n - 1):
                if j != i:
                    others *= weights[j, before[j]]
            if i == n - 1:
                for b in range(last):
                    values[i, b] += others * payoffs[i, block * last + b]
                continue
            inner = 0.0
            for b in range(last):
                inner += payoffs[i, block * last + b] * weights[n - 1, b]
            values[i, before[i]] += others * inner


@kernel
def add_pure_values(payoffs: Array, sizes: Ints, actions: Ints, values: Array) -> None:
    """Add u_i(a_i, actions_-i) to values[i, a_i], for every player and action."""
    here, stride = flat_index(sizes, actions), 1
    for i in range(len(sizes) - 1, -1, -1):
        first = here - actions[i] * stride
        for a in range(sizes[i]):
            values[i, a] += payoffs[i, first + a * stride]
        stride *= sizes[i]


@kernel
def add_product(sizes: Ints, strategies: Array, joint: Array) -> None:
    """Add Π_i strategies[i, a_i] to joint[a], float64 (S,)."""
    n, last = len(sizes), sizes[-1]
    before = np.zeros(n, dtype=np.int64)
    for block in range(len(joint) // last):
        digits(block, sizes, before)
        weight = 1.0
        for j in range(n - 1):
            weight *= strategies[j, before[j]]
        for b in range(last):
            joint[block * last + b] += weight * strategies[n - 1, b]
