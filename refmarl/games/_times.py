"""When a repeated play writes down its averages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import InputError

Ints = NDArray[np.int64]


def record_times(times: Sequence[int] | Any | None, steps: int, width: int) -> Ints:
    """The steps t in 1..steps at which to record ``width`` numbers; int64 (K,), increasing.

    By default about 100 of them, evenly spaced in log t, the first and the last step among them.

    Raises
    ------
    InputError
        If they are not whole numbers in 1..steps in increasing order, or too many to be kept.

    Examples
    --------
    >>> print(record_times(None, 20, 1))
    [ 1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20]
    """
    if times is None:
        return np.unique(np.geomspace(1, steps, 100).round().astype(np.int64))
    given = check.real_array(times, "times", 1)
    whole = given.astype(np.int64)
    if (whole != given).any() or whole[0] < 1 or whole[-1] > steps or (np.diff(whole) <= 0).any():
        raise InputError(f"times: need increasing whole numbers in 1..{steps}, got {given}")
    if len(whole) * width > check.MAX_ENTRIES:
        raise InputError(
            f"times: {len(whole)} records of {width} numbers; the cap is {check.MAX_ENTRIES}"
        )
    return whole
