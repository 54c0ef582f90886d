"""Actions, made fit for the kernels of environments."""

import math

from ..check import Array
from ._jit import kernel


@kernel
def clip(given: Array, low: float, high: float, out: Array) -> bool:
    """Fill ``out`` (…) with the same numbers within [low, high]; False if one is not finite."""
    numbers, within = given.reshape(-1), out.reshape(-1)
    for k in range(len(numbers)):
        if not math.isfinite(numbers[k]):
            return False
        within[k] = min(max(numbers[k], low), high)
    return True
