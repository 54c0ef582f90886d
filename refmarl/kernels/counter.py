"""Random numbers that are a function of (key, t, k), for environments.

A copy's key and its step number give its k-th number: the same one in any batch size, in any
order and on any number of workers, with no generator to pass along. The mixing is that of
SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"), once for
each argument.
"""

from collections.abc import Callable
from functools import wraps

import numpy as np

from ..value_grad import Real
from ._jit import JIT, P, R, kernel

GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)
RESTART = 0xFFFF_FFFF  # the t of a copy's next key: no episode is as long
ULP = 2.0**-53


def _wraps_around(f: Callable[P, R]) -> Callable[P, R]:
    """Let NumPy's 64-bit words overflow without a warning, where the kernels are plain Python."""
    if JIT:
        return f

    @wraps(f)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(over="ignore"):
            return f(*args, **kwargs)

    return quiet


@_wraps_around
@kernel
def mix(z: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: a bijection of the 64-bit words that looks random."""
    z = (z ^ (z >> np.uint64(30))) * MIX_A
    z = (z ^ (z >> np.uint64(27))) * MIX_B
    return z ^ (z >> np.uint64(31))


@_wraps_around
@kernel
def word(key: np.uint64, t: int, k: int) -> np.uint64:
    """The 64 random bits number k of step t."""
    z = mix(np.uint64(key) + GAMMA)
    z = mix(z ^ (np.uint64(t) * GAMMA + MIX_A))
    return mix(z ^ (np.uint64(k) * GAMMA + MIX_B))


@kernel
def uniform(key: np.uint64, t: int, k: int) -> float:
    """A number in [0, 1), uniform on the multiples of 2⁻⁵³."""
    return float(word(key, t, k) >> np.uint64(11)) * ULP


@kernel
def normal(key: np.uint64, t: int, k: int) -> float:
    """A standard normal number, from uniforms 2k and 2k + 1 (Box & Muller 1958)."""
    u = 1.0 - uniform(key, t, 2 * k)  # in (0, 1]
    return float(np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * uniform(key, t, 2 * k + 1)))


@kernel
def below(key: np.uint64, t: int, k: int, n: int) -> int:
    """A whole number in 0..n-1 (its bias is n 2⁻⁵³)."""
    return int(uniform(key, t, k) * n)


@kernel
def next_keys(keys: Real, out: Real) -> None:
    """The keys (B,) of the episodes that follow, written into ``out``."""
    for b in range(keys.shape[0]):
        out[b] = word(keys[b], RESTART, 0)
