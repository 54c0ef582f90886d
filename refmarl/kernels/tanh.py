r"""tanh of one number in plain arithmetic, which becomes vector instructions in a loop.

    tanh x = e / (e + 2),   e = e^{2x} − 1 = 2ᵏ p + (2ᵏ − 1),   p = e^r − 1,   2x = k ln 2 + r

k is the nearest whole number, so |r| ≤ ½ ln 2, where p is a Taylor sum; e has no cancellation for
x ≥ 0, and negative x go by symmetry. The error is at most 3 units in the last place in float32
and float64; ±inf gives ±1 and nan gives nan.
"""

import math
from typing import Any

import numpy as np

from ._jit import JIT, kernel

# k stands in the last bits of z + MAGIC; shifted to the exponent's place it gives 2ᵏ
MAGIC, SHIFT, ONE = 1.5 * 2.0**52, 52, 1023 << 52
MAGIC_32, SHIFT_32, ONE_32 = np.float32(1.5 * 2.0**23), np.int32(23), np.int32(127 << 23)
# beyond, tanh rounds to 1
LIMIT, LIMIT_32 = 40.0, np.float32(20.0)
PER_LN2, PER_LN2_32 = 1.0 / math.log(2.0), np.float32(1.0 / math.log(2.0))
# ln 2 in two parts: k times the first is exact
HIGH = math.floor(math.log(2.0) * 2**32) / 2**32
LOW = math.log(2.0) - HIGH
HIGH_32 = np.float32(math.floor(math.log(2.0) * 2**12) / 2**12)
LOW_32 = np.float32(math.log(2.0) - float(HIGH_32))


@kernel
def tanh_64(x: Any) -> Any:
    """tanh x in float64."""
    t = 2.0 * abs(x)
    t = LIMIT if t > LIMIT else t
    z = t * PER_LN2 + MAGIC
    k = z - MAGIC
    r = (t - k * HIGH) - k * LOW
    s = 1.0 / 6227020800.0
    s = s * r + 1.0 / 479001600.0
    s = s * r + 1.0 / 39916800.0
    s = s * r + 1.0 / 3628800.0
    s = s * r + 1.0 / 362880.0
    s = s * r + 1.0 / 40320.0
    s = s * r + 1.0 / 5040.0
    s = s * r + 1.0 / 720.0
    s = s * r + 1.0 / 120.0
    s = s * r + 1.0 / 24.0
    s = s * r + 1.0 / 6.0
    s = s * r + 0.5
    p = r + r * r * s
    power = np.int64((np.float64(z).view(np.int64) << SHIFT) + ONE).view(np.float64)
    e = power * p + (power - 1.0)
    y = e / (e + 2.0)
    return -y if x < 0.0 else y


@kernel
def tanh_32(x: Any) -> Any:
    """tanh x in float32."""
    t = np.float32(2.0) * abs(x)
    t = LIMIT_32 if t > LIMIT_32 else t
    z = t * PER_LN2_32 + MAGIC_32
    k = z - MAGIC_32
    r = (t - k * HIGH_32) - k * LOW_32
    s = np.float32(1.0 / 5040.0)
    s = s * r + np.float32(1.0 / 720.0)
    s = s * r + np.float32(1.0 / 120.0)
    s = s * r + np.float32(1.0 / 24.0)
    s = s * r + np.float32(1.0 / 6.0)
    s = s * r + np.float32(0.5)
    p = r + r * r * s
    power = np.int32((np.float32(z).view(np.int32) << SHIFT_32) + ONE_32).view(np.float32)
    e = power * p + (power - np.float32(1.0))
    y = e / (e + np.float32(2.0))
    return -y if x < np.float32(0.0) else y


def tanh(x: Any) -> Any:
    """tanh x in the precision of x."""
    return tanh_32(x) if x.dtype == np.float32 else tanh_64(x)


if JIT:
    from numba import types
    from numba.extending import overload

    @overload(tanh)
    def _tanh(x: Any) -> Any:
        def single(x: Any) -> Any:
            return tanh_32(x)

        def double(x: Any) -> Any:
            return tanh_64(x)

        return single if x == types.float32 else double


@kernel
def tanh_all(x: Any, out: Any) -> None:
    """tanh of every number of ``x`` (M,) into ``out``."""
    for m in range(len(x)):
        out[m] = tanh(x[m])
