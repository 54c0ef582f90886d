r"""The newest C rows, sampled in proportion to their priorities.

    P(i) = p_i^α / Σ_j p_j^α            p_i = |δ_i| + ε
    w_i  = (K P(i))^{−β} / max_j (K P(j))^{−β}          K rows held

Schaul, Quan, Antonoglou & Silver 2016, arXiv:1511.05952, proportional variant: M rows are drawn
one from each of M equal parts of the mass (appendix B.2.1), and new rows get the largest
priority that was ever given. The weights' maximum is over all rows held, not over those drawn.

Examples
--------
>>> import numpy as np
>>> memory = add(empty(4, (0,), alpha=1.0), (np.arange(2),))
>>> memory = update(memory, np.array([0, 1]), np.array([3.0, 1.0]), epsilon=0.0)
>>> place, rows, weight = sample(memory, np.random.default_rng(0), 4, beta=1.0)
>>> place, weight.round(4)
(array([0, 0, 0, 1]), array([0.3333, 0.3333, 0.3333, 1.    ]))
"""

from typing import Any, NamedTuple

import numpy as np

from ..check import Array, InputError, generator, positive
from ..kernels.sum_tree import assign, descend
from ..value_grad import Real
from . import _store, ring
from .ring import Ring

HIGHEST = 1e100  # of a priority: leaves room for sums


class Prioritised(NamedTuple):
    """Up to C rows, and the trees over p_i^α."""

    ring: Ring
    total: Array  # (2L,): sums; L is the power of two ≥ C
    least: Array  # (2L,): minima, ∞ where no row is
    highest: float  # the largest p^α so far; 1 at first
    alpha: float


class Sample(NamedTuple):
    """M rows."""

    place: Real  # (M,) where they lie: for update
    rows: Any  # the tree of a row, each array (M, …); copies
    weight: Array  # (M,) w in (0, 1]


def empty(capacity: int, like: Any, alpha: float = 0.6) -> Prioritised:
    """Room for ``capacity`` rows like the row ``like``; α = 0 samples uniformly.

    Raises
    ------
    InputError
        If α is not in [0, 1].
    """
    if not 0.0 <= alpha <= 1.0:
        raise InputError(f"alpha: need a number in [0, 1], got {alpha!r}")
    rows = ring.empty(capacity, like)
    leaves = 1 << (capacity - 1).bit_length()
    return Prioritised(rows, np.zeros(2 * leaves), np.full(2 * leaves, np.inf), 1.0, float(alpha))


def add(memory: Prioritised, rows: Any) -> Prioritised:
    """The memory after K more rows (K, …), as :func:`refmarl.replay.ring.add`.

    Writes into the arrays of ``memory``, which must not be used any more.
    """
    (count,) = _store.check(rows, memory.ring.data, 1, 1)
    place = ring.places(memory.ring.at, count, memory.ring.capacity)
    assign(memory.total, memory.least, place, np.full(len(place), memory.highest))
    return memory._replace(ring=ring.add(memory.ring, rows))


def update(memory: Prioritised, index: Real, error: Array, epsilon: float = 1e-6) -> Prioritised:
    """The memory with p_i = |δ_i| + ε at these indices (M,); of equal ones the last counts.

    Writes into the arrays of ``memory``, which must not be used any more.

    Raises
    ------
    InputError
        If an index is not of a row held, or a priority is not in (0, ``HIGHEST``].
    """
    index = np.ascontiguousarray(index, dtype=np.int64)
    priority = np.abs(np.asarray(error, dtype=np.float64)) + epsilon
    if index.ndim != 1 or priority.shape != index.shape:
        raise InputError(f"update: need (M,) indices and errors, got {index.shape}, {error.shape}")
    if len(index) == 0:
        return memory
    if index.min() < 0 or index.max() >= memory.ring.size:
        raise InputError(f"index: need 0 ≤ i < {memory.ring.size}, the rows held")
    if not (epsilon >= 0.0 and ((priority > 0.0) & (priority <= HIGHEST)).all()):
        raise InputError(f"error: need ε ≥ 0 and |δ| + ε in (0, {HIGHEST:g}]")
    mass = priority**memory.alpha
    assign(memory.total, memory.least, index, mass)
    return memory._replace(highest=max(memory.highest, float(mass.max())))


def sample(memory: Prioritised, rng: np.random.Generator, count: int, beta: float) -> Sample:
    """``count`` rows in proportion to p^α; β = 0 gives weights 1, β = 1 undoes the proportions.

    Raises
    ------
    InputError
        If the memory is empty, or β is not in [0, 1].
    """
    size, total = memory.ring.size, memory.total[1]
    if size == 0:
        raise InputError("sample: the memory is empty")
    if not 0.0 <= beta <= 1.0:
        raise InputError(f"beta: need a number in [0, 1], got {beta!r}")
    count = positive(count, "count")
    part = (np.arange(count) + generator(rng).random(count)) / count
    index = np.empty(count, dtype=np.int64)
    descend(memory.total, part * total, index)
    mass = memory.total[len(memory.total) // 2 + index]
    weight: Array = (memory.least[1] / mass) ** beta
    return Sample(index, ring.take(memory.ring.data, index), weight)


def probability(memory: Prioritised) -> Array:
    """P(i) of every row held, (K,)."""
    leaves = len(memory.total) // 2
    mass: Array = memory.total[leaves : leaves + memory.ring.size]
    share: Array = mass / mass.sum()
    return share
