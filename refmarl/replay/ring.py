"""The newest C rows, sampled uniformly (Lin 1992; Mnih et al. 2015).

Rings that follow each other share their arrays: adding writes into them, which costs nothing. An
older ring still holds what it held as long as there was room beside it, and adding to it again
goes on in a copy. Once its rows have been written over it refuses; ``copy.deepcopy`` keeps one.

Examples
--------
>>> import numpy as np
>>> ring = empty(3, (0.0,))
>>> ring = add(ring, (np.array([1.0, 2.0]),))
>>> ring = add(ring, (np.array([3.0, 4.0]),))
>>> in_order(ring)
(array([2., 3., 4.]),)
>>> (rows,) = sample(ring, np.random.default_rng(0), 5)
>>> set(rows.tolist()) <= {2.0, 3.0, 4.0}
True
"""

from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, generator, positive
from ..value_grad import Real
from . import _store


class Ring(NamedTuple):
    """Up to C rows."""

    data: Any  # the tree of a row, each array (C, …)
    at: int  # where the next row goes, 0 ≤ at < C
    size: int  # rows held, ≤ C
    added: int  # rows, ever
    written: Real  # (1,) of int64: ``added`` of the newest ring in these arrays; all share it

    @property
    def capacity(self) -> int:
        """C."""
        return capacity(self.data)


def empty(capacity: int, like: Any) -> Ring:
    """Room for ``capacity`` rows of the shapes and dtypes of the row ``like``."""
    data = _store.empty(like, (positive(capacity, "capacity"),))
    return Ring(data, 0, 0, 0, np.zeros(1, np.int64))


def add(ring: Ring, rows: Any) -> Ring:
    """The ring after K more rows, each array (K, …), K ≥ 0; the oldest make room.

    Raises
    ------
    InputError
        If the rows have not the tree, shapes and dtypes with which the ring was made, or its own
        rows have been written over.
    """
    (count,) = _store.check(rows, ring.data, 1, 1)
    return push(ring, rows, count)


def push(ring: Ring, rows: Any, count: int) -> Ring:
    """:func:`add` of ``count`` rows that are known to fit: who makes a row each step knows it.

    Raises
    ------
    InputError
        If the ring's own rows have been written over.
    """
    if ring.written[0] != ring.added:
        data = _store.each(np.copy, intact(ring).data)
        ring = ring._replace(data=data, written=np.array([ring.added]))
    room = ring.capacity
    if ring.at + count <= room:
        place: Any = slice(ring.at, ring.at + count)
        first = 0
    else:
        place = places(ring.at, count, room)
        first = count - len(place)

    def write(own: Real, given: Real) -> None:
        own[place] = given[first:]

    _store.each(write, ring.data, rows)
    ring.written[0] += count
    at, size = (ring.at + count) % room, min(ring.size + count, room)
    return Ring(ring.data, at, size, ring.added + count, ring.written)


def intact(ring: Ring) -> Ring:
    """The ring itself.

    Raises
    ------
    InputError
        If rows that it held have been written over by rings after it.
    """
    later = int(ring.written[0]) - ring.added
    lost = min(later - (ring.capacity - ring.size), ring.size)
    if lost > 0:
        raise InputError(
            f"memory: need the rows it held; {lost} of {ring.size} were written over by a run that "
            "went on from here (copy.deepcopy keeps one to go on from twice)"
        )
    return ring


def places(at: int, count: int, capacity: int) -> Real:
    """Where the last min(count, C) of ``count`` rows go, the first of all of which goes to ``at``.

    Where more come than there is room, only the newest are written.
    """
    skipped = max(0, count - capacity)
    return np.asarray((at + np.arange(skipped, count)) % capacity)


def draw(rng: np.random.Generator, size: int, count: int) -> Real:
    """``count`` indices, each uniform in 0..size-1, with repetition.

    Raises
    ------
    InputError
        If there is nothing to draw from.
    """
    if size == 0:
        raise InputError("sample: the memory is empty")
    return generator(rng).integers(size, size=positive(count, "count"))


def take(data: Any, index: Real) -> Any:
    """Copies of the rows at these indices."""
    return _store.each(lambda own: own.take(index, axis=0), data)


def held(ring: Ring) -> Any:
    """All rows held, in the order in which they lie: read-only views, no copies.

    For sums over everything. They show what is added later, so do not keep them.
    """
    return _store.each(lambda own: _store.read_only(own[: ring.size]), intact(ring).data)


def sample(ring: Ring, rng: np.random.Generator, count: int) -> Any:
    """``count`` rows (count, …), each uniform among those held, with repetition; copies."""
    return take(intact(ring).data, draw(rng, ring.size, count))


def in_order(ring: Ring) -> Any:
    """All rows held, the oldest first; copies."""
    start = ring.at if ring.size == ring.capacity else 0
    return take(intact(ring).data, (start + np.arange(ring.size)) % ring.capacity)


def capacity(data: Any) -> int:
    """C of a store (C, …)."""
    return len(_store.first(data))
