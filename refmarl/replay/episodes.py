"""The newest C whole episodes, for algorithms that unroll a memory along them.

Axes: T time, E episodes given, M episodes sampled, L the longest that there is room for.

Examples
--------
>>> import numpy as np
>>> memory = empty(8, 4, (0.0,))
>>> memory = add(memory, (np.ones((3, 2)),), np.array([3, 1]))
>>> batch = sample(memory, np.random.default_rng(1), 3)
>>> batch.mask.sum(axis=0) == batch.rows[0].sum(axis=0)
array([ True,  True,  True])
"""

from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, positive
from ..value_grad import Real
from . import _store, ring


class Episodes(NamedTuple):
    """Up to C episodes."""

    data: Any  # the tree of a row, each array (L, C, …); zeros behind an episode's end
    length: Real  # (C,) steps of each
    at: int  # where the next one goes
    size: int  # episodes held


class Padded(NamedTuple):
    """M episodes side by side, T the longest of them."""

    rows: Any  # the tree of a row, each array (T, M, …); copies
    mask: Real  # (T, M): the step belongs to the episode

    @property
    def length(self) -> Real:
        """(M,) steps of each."""
        return np.asarray(self.mask.sum(axis=0))


def empty(capacity: int, longest: int, like: Any) -> Episodes:
    """Room for ``capacity`` episodes of up to ``longest`` steps, each like the row ``like``."""
    lead = (positive(longest, "longest"), positive(capacity, "capacity"))
    return Episodes(_store.empty(like, lead), np.zeros(capacity, dtype=np.int64), 0, 0)


def add(memory: Episodes, rows: Any, length: Real) -> Episodes:
    """The memory after E more episodes: arrays (T, E, …), of which ``length[e]`` steps count.

    Writes into the arrays of ``memory``, which must not be used any more.

    Raises
    ------
    InputError
        If the rows do not fit, or a length is not in 1..T, or T exceeds L.
    """
    steps, count = _store.check(rows, memory.data, 2, 2)
    longest, capacity = _store.leaves(memory.data, "")[0][1].shape[:2]
    length = np.asarray(length)
    if length.shape != (count,) or length.dtype.kind not in "iu":
        raise InputError(f"length: need integers ({count},), got {length.dtype} {length.shape}")
    if count and not (length.min() >= 1 and length.max() <= steps <= longest):
        raise InputError(
            f"length: need 1 ≤ length ≤ T = {steps} ≤ L = {longest}, "
            f"got {length.min()} to {length.max()}"
        )
    place = ring.places(memory.at, count, capacity)
    kept = slice(count - len(place), None)
    inside = np.arange(steps)[:, None] < length[kept]

    def write(own: Real, given: Real) -> None:
        tail = inside.reshape(*inside.shape, *(1,) * (given.ndim - 2))
        own[:steps, place] = np.where(tail, given[:, kept], given.dtype.type(0))
        own[steps:, place] = 0

    _store.each(write, memory.data, rows)
    memory.length[place] = length[kept]
    held = min(memory.size + count, capacity)
    return Episodes(memory.data, memory.length, (memory.at + count) % capacity, held)


def take(memory: Episodes, index: Real) -> Padded:
    """Copies of the episodes at these indices (M,), padded to the longest of them."""
    length = memory.length[index]
    steps = int(length.max())
    rows = _store.each(lambda own: own[:steps, index], memory.data)
    return Padded(rows, np.arange(steps)[:, None] < length)


def sample(memory: Episodes, rng: np.random.Generator, count: int) -> Padded:
    """``count`` episodes, each uniform among those held, with repetition."""
    return take(memory, ring.draw(rng, memory.size, count))
