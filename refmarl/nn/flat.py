"""Named blocks of one flat parameter vector: what the networks that are no perceptrons share."""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from ..check import InputError
from ..value_grad import Real
from .mlp import Block

Shapes = dict[str, tuple[int, ...]]


class Flat(ABC):
    """A network that knows the shapes of its parameters; θ (*L, P) is yours."""

    @abstractmethod
    def shapes(self) -> Shapes:
        """The parts of θ in order."""

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The parts of θ with their places, as ``gradcheck`` takes them."""
        found: list[Block] = []
        for name, shape in self.shapes().items():
            start = found[-1].stop if found else 0
            found.append(Block(name, start, start + int(np.prod(shape)), shape))
        return tuple(found)

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.blocks[-1].stop

    def views(self, theta: Real) -> dict[str, Real]:
        """Each block (*L, *shape) by its name; writing into it writes into θ.

        Raises
        ------
        InputError
            If the last axis of θ is not P.
        """
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise InputError(f"theta: need (..., P = {self.size}), got shape {theta.shape}")
        return {
            b.name: theta[..., b.start : b.stop].reshape(*theta.shape[:-1], *b.shape)
            for b in self.blocks
        }

    def rows(self, theta: Real, x: Real, name: str, *last: int) -> tuple[int, ...]:
        """The axes of x (*L, *rows, *last) between those of the networks and the last ones.

        Raises
        ------
        InputError
            If x has another shape; -1 in ``last`` is any number.
        """
        lead, shape = theta.shape[:-1], np.shape(x)
        enough = len(shape) >= len(lead) + len(last)
        tail = shape[len(shape) - len(last) :]
        if (
            not enough
            or shape[: len(lead)] != lead
            or any(have != need for have, need in zip(tail, last, strict=True) if need != -1)
        ):
            need = ", ".join(
                [*map(str, lead), "...", *("any" if n == -1 else str(n) for n in last)]
            )
            raise InputError(f"{name}: need ({need}), got shape {shape}")
        return shape[len(lead) : len(shape) - len(last)]


def size_of(rows: tuple[int, ...]) -> int:
    """How many rows there are."""
    return int(np.prod(rows, dtype=int))


def in_kind(x: Real, theta: Real) -> Real:
    """x in the dtype of θ; complex numbers, which the complex step brings, stay what they are."""
    x = np.asarray(x)
    return x if x.dtype.kind == "c" else x.astype(theta.dtype, copy=False)


def transposed(x: Real) -> Real:
    """In the last two axes."""
    return np.swapaxes(x, -1, -2)


def whole(value: int, name: str) -> None:
    """Refuse what is no whole number ≥ 1.

    Raises
    ------
    InputError
        If it is none.
    """
    if not (isinstance(value, int | np.integer) and value > 0):
        raise InputError(f"{name}: need a whole number ≥ 1, got {value!r}")
