"""Named streams of random numbers from one seed: one for each purpose, none global.

Examples
--------
>>> init, env = streams(7, "init", "env")
>>> alone, = streams(7, "env")
>>> bool(env.random() == alone.random())
True
"""

import zlib

import numpy as np

from .check import InputError


def streams(seed: int, *names: str) -> tuple[np.random.Generator, ...]:
    """A Generator for each name; it depends on the seed and on its own name alone.

    Raises
    ------
    InputError
        If the seed is not a whole number ≥ 0, or a name comes twice.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed: need a whole number ≥ 0, got {seed!r}")
    if len(set(names)) != len(names):
        raise InputError(f"names: need different ones, got {names}")
    keys = (zlib.crc32(name.encode()) for name in names)
    return tuple(
        np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=(key,))) for key in keys
    )
