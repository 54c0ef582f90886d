r"""A vector of its own for each of K things: a linear layer on one-hot inputs, without the zeros.

    y = E_k = 1_k E,   ∂L/∂E_k = Σ of ∂L/∂y over the rows that had k

Axes: L networks (any leading axes of θ, or none), any rows, K things, H units, P = K·H parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real
from .flat import Flat, Shapes, size_of, whole


def one_hot(index: Real, count: int, dtype: type = np.float64) -> Real:
    """(..., K) of 0 and 1 for integers (...) in 0 … K − 1.

    Raises
    ------
    InputError
        If an index is no integer or out of range.

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    index = _checked(index, count)
    out = np.zeros((*index.shape, count), dtype)
    np.put_along_axis(out, index[..., None], 1, axis=-1)
    return out


@dataclass(frozen=True)
class Embedding(Flat):
    """``count`` vectors of ``units`` numbers.

    Examples
    --------
    >>> net = Embedding(3, 2)
    >>> theta = np.array([0.0, 1, 2, 3, 4, 5])
    >>> net.forward(theta, np.array([2, 0, 2]))
    array([[4., 5.],
           [0., 1.],
           [4., 5.]])
    >>> net.backward(theta, np.array([2, 0, 2]), np.ones((3, 2)))
    array([1., 1., 0., 0., 2., 2.])
    """

    count: int
    units: int

    def __post_init__(self) -> None:
        whole(self.count, "count")
        whole(self.units, "units")

    def shapes(self) -> Shapes:
        """One matrix."""
        return {"E": (self.count, self.units)}

    def init(
        self,
        rng: np.random.Generator,
        lead: Sequence[int] = (),
        *,
        scale: float = 1.0,
        dtype: type = np.float64,
    ) -> Real:
        """θ (*lead, P): normal numbers of standard deviation ``scale``."""
        return (scale * generator(rng).standard_normal((*lead, self.size))).astype(dtype)

    def forward(self, theta: Real, index: Real) -> Real:
        """y (*L, *rows, H) for integers (*L, *rows) in 0 … K − 1; the index is the tape.

        Raises
        ------
        InputError
            If an index is no integer or out of range, or lacks the axes of the networks.
        """
        which = self._places(theta, index)
        table = self.views(theta)["E"].reshape(-1, self.units)
        return table[which].reshape(*np.shape(index), self.units)

    def backward(self, theta: Real, index: Real, dy: Real) -> Real:
        """∂L/∂θ (*L, P) from ∂L/∂y (*L, *rows, H)."""
        which = self._places(theta, index).ravel()
        dtheta = np.zeros(theta.shape, np.result_type(theta, dy))
        table = dtheta.reshape(-1, self.units)
        np.add.at(table, which, np.asarray(dy).reshape(len(which), self.units))
        return dtheta

    def jvp(self, v: Real, index: Real) -> Real:
        """Jv = R{y} (*L, *rows, H) along v (*L, P): y is linear in θ, so it is y of v."""
        return self.forward(v, index)

    def _places(self, theta: Real, index: Real) -> Real:
        """Rows (L, M) of the tables of all networks below each other."""
        index = _checked(index, self.count)
        rows = self.rows(theta, index, "index")
        networks = size_of(theta.shape[:-1])
        first = self.count * np.arange(networks)[:, None]
        return np.asarray(index.reshape(networks, size_of(rows)) + first)


def _checked(index: Real, count: int) -> Real:
    index = np.asarray(index)
    if index.dtype.kind not in "iu" or (index.size and not 0 <= index.min() <= index.max() < count):
        got = f"{index.min()} … {index.max()}" if index.size else "none"
        raise InputError(f"index: need integers in 0 … {count - 1}, got {index.dtype} {got}")
    return index.astype(np.int64, copy=False)
