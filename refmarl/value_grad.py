"""What a loss returns: its value, and its gradient written by hand beside it."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

Real = NDArray[Any]  # float32 or float64: networks keep the dtype of θ


class ValueGrad(NamedTuple):
    """The value of a function of one array, and its gradient in the shape of that array."""

    value: Any  # a float, or one value for each row
    gradient: Real


class ValueGrads(NamedTuple):
    """The value of a function of several arrays, and its gradient in each of them, in order."""

    value: Any
    gradients: tuple[Real, ...]
