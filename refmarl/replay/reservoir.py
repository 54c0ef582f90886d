r"""A uniform sample of all rows that ever came, in one pass, in the room of C.

    the n-th row goes to place n if n ≤ C, else to a uniform place j of 1..n, if j ≤ C     (6.8)

After n rows each of them is held with probability min(1, C/n): algorithm R (Waterman; Vitter
1985, "Random sampling with a reservoir"). Memory of past tasks and of past policies.

Examples
--------
>>> import numpy as np
>>> memory = empty(2, (0,))
>>> memory = add(memory, np.random.default_rng(0), (np.arange(10),))
>>> memory.seen, memory.size, len(set(memory.data[0].tolist()))
(10, 2, 2)
"""

from typing import Any, NamedTuple

import numpy as np

from ..check import generator, positive
from ..value_grad import Real
from . import _store, ring


class Reservoir(NamedTuple):
    """Up to C rows of all that came."""

    data: Any  # the tree of a row, each array (C, …)
    seen: int  # n, rows that came

    @property
    def size(self) -> int:
        """Rows held, min(n, C)."""
        return min(self.seen, ring.capacity(self.data))


def empty(capacity: int, like: Any) -> Reservoir:
    """Room for ``capacity`` rows of the shapes and dtypes of the row ``like``."""
    return Reservoir(_store.empty(like, (positive(capacity, "capacity"),)), 0)


def add(memory: Reservoir, rng: np.random.Generator, rows: Any) -> Reservoir:
    """The memory after K more rows, each array (K, …).

    Writes into the arrays of ``memory``, which must not be used any more. The same rows give the
    same memory however they are cut into calls.

    Raises
    ------
    InputError
        If the rows have not the tree, shapes and dtypes with which the memory was made.
    """
    (count,) = _store.check(rows, memory.data, 1, 1)
    capacity = ring.capacity(memory.data)
    n = memory.seen + np.arange(count)  # how many came before each
    place = n.copy()
    late = n >= capacity
    place[late] = generator(rng).integers(0, n[late] + 1)  # (6.8)
    last = np.full(capacity, -1)
    kept = np.flatnonzero(place < capacity)
    np.maximum.at(last, place[kept], kept)  # of several rows for one place the last stays
    where = np.flatnonzero(last >= 0)

    def write(own: Real, given: Real) -> None:
        own[where] = given[last[where]]

    _store.each(write, memory.data, rows)
    return Reservoir(memory.data, memory.seen + count)


def held(memory: Reservoir) -> Any:
    """All rows held: read-only views, no copies, as :func:`refmarl.replay.ring.held`."""
    return ring.held(ring.Ring(memory.data, 0, memory.size, 0, np.zeros(1, np.int64)))


def sample(memory: Reservoir, rng: np.random.Generator, count: int) -> Any:
    """``count`` rows (count, …), each uniform among those held, with repetition; copies."""
    return ring.take(memory.data, ring.draw(rng, memory.size, count))
