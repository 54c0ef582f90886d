"""Spaces of others, read by their attributes; and ours in a dress that they know."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..check import Array, InputError
from ..env_api import Box, Discrete, MultiDiscrete, Space


class ParallelSpace:
    """A space with the attributes and methods that PettingZoo's tools use."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._rng = np.random.default_rng()
        self.shape: tuple[int, ...]
        self.dtype: np.dtype[Any]
        if isinstance(space, Discrete):
            self.n, self.start, self.shape, self.dtype = space.n, 0, (), np.dtype(np.int64)
        elif isinstance(space, MultiDiscrete):
            self.nvec, self.shape = np.array(space.sizes), (len(space.sizes),)
            self.dtype = np.dtype(np.int64)
        else:
            self.shape, self.dtype = (space.size,), np.dtype(np.float64)
            self.low, self.high = np.full(space.size, space.low), np.full(space.size, space.high)

    def seed(self, seed: int | None = None) -> None:
        """Decide the samples that follow."""
        self._rng = np.random.default_rng(seed)

    def sample(self, mask: Any = None, probability: Any = None) -> Any:
        """One element; of those that ``mask`` allows, if given."""
        if isinstance(self.space, Discrete):
            legal = np.arange(self.n) if mask is None else np.flatnonzero(mask)
            return np.int64(self._rng.choice(legal))
        if isinstance(self.space, MultiDiscrete):
            return self._rng.integers(0, self.nvec)
        low, high = (np.clip(end, -1e6, 1e6) for end in (self.low, self.high))
        return self._rng.uniform(low, high)

    def contains(self, x: Any) -> bool:
        """Whether this is an element."""
        array = np.asarray(x)
        if array.shape != self.shape:
            return False
        if isinstance(self.space, Box):
            return bool(((array >= self.low) & (array <= self.high)).all())
        sizes = self.n if isinstance(self.space, Discrete) else self.nvec
        return array.dtype.kind in "iu" and bool(((array >= 0) & (array < sizes)).all())

    def __contains__(self, x: Any) -> bool:
        return self.contains(x)

    def __repr__(self) -> str:
        return repr(self.space)


def _parts(space: Any) -> list[tuple[Any, Any]] | None:
    """(key, space) of the parts of a composed space, None of a simple one; no action mask."""
    inner = getattr(space, "spaces", None)
    if isinstance(inner, Mapping):
        return [(key, part) for key, part in inner.items() if key != "action_mask"]
    return list(enumerate(inner)) if isinstance(inner, list | tuple) else None


def flat_size(space: Any) -> int:
    """How many numbers an observation of this space is; categories count as one-hot.

    Raises
    ------
    InputError
        If it is none that can be read.
    """
    parts = _parts(space)
    if parts is not None:
        return sum(flat_size(part) for _, part in parts)
    if hasattr(space, "nvec"):
        return int(np.sum(space.nvec))
    if hasattr(space, "low") or (hasattr(space, "n") and space.shape):  # a box, bits
        return int(np.prod(space.shape))
    if hasattr(space, "n"):
        return int(space.n)
    raise InputError(f"observation: cannot read a space {space!r}")


def flat(space: Any, value: Any) -> Array:
    """An observation as numbers."""
    parts = _parts(space)
    if parts is not None:
        rows = [flat(part, value[key]) for key, part in parts]
        return np.concatenate(rows) if rows else np.empty(0)
    if hasattr(space, "nvec"):
        sizes, chosen = np.ravel(space.nvec), np.ravel(value) - np.ravel(getattr(space, "start", 0))
        return np.concatenate([np.eye(k)[a] for k, a in zip(sizes, chosen, strict=True)])
    if hasattr(space, "n") and not space.shape:
        return np.array(np.eye(int(space.n))[int(value) - int(getattr(space, "start", 0))])
    return np.asarray(value, dtype=np.float64).ravel()


def native(space: Any) -> Space:
    """Their actions as ours: a box of unequal or endless bounds becomes [−1, 1], rescaled.

    Raises
    ------
    InputError
        If we have none of this kind.
    """
    if hasattr(space, "nvec"):
        return MultiDiscrete(tuple(int(k) for k in np.ravel(space.nvec)))
    if hasattr(space, "n"):
        return MultiDiscrete((2,) * int(np.prod(space.shape))) if space.shape else Discrete(space.n)
    if hasattr(space, "low"):
        low, high = np.ravel(space.low), np.ravel(space.high)
        if _even(low, high):
            return Box(float(low[0]), float(high[0]), len(low))
        if np.isfinite(low).all() and np.isfinite(high).all():
            return Box(-1.0, 1.0, len(low))
    raise InputError(f"actions: there is no Discrete, MultiDiscrete or bounded Box like {space!r}")


def their_action(space: Any, value: Any) -> Any:
    """Our action as they expect it."""
    if hasattr(space, "nvec"):
        moved = np.asarray(value) + np.ravel(getattr(space, "start", 0))
        return moved.reshape(space.shape).astype(space.dtype)
    if hasattr(space, "n"):
        if space.shape:
            return np.asarray(value).reshape(space.shape).astype(space.dtype)
        return int(value) + int(getattr(space, "start", 0))
    low, high = np.ravel(space.low), np.ravel(space.high)
    if not _even(low, high):
        value = low + (np.asarray(value) + 1.0) / 2.0 * (high - low)
    return np.asarray(value, dtype=space.dtype).reshape(space.shape)


def _even(low: Array, high: Array) -> bool:
    """Whether all bounds are the same, and finite."""
    same = (low == low[0]).all() and (high == high[0]).all()
    return bool(same and np.isfinite(low[0]) and np.isfinite(high[0]))
