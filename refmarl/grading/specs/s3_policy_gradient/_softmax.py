"""Policies as logits, for the exercises about their gradients."""

from typing import Any

import numpy as np

from ....check import Array
from ...spec import shaped


def log_pi(logits: Any) -> Any:
    """log π of real or complex logits."""
    lowered = logits - np.real(logits).max(axis=1, keepdims=True)
    return lowered - np.log(np.exp(lowered).sum(axis=1, keepdims=True))


def slope(f: Any, x: Array) -> Array:
    """The gradient of f at ``x``, number by number, by the complex step."""
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-20j
        found[index] = np.asarray(f(moved)).imag / 1e-20
    return found


def parts(found: Any, *needed: tuple[str, tuple[int, ...]]) -> tuple[Any, ...]:
    """The results of an answer that returns several, each named and of a shape, as floats."""
    names = ", ".join(name for name, _ in needed)
    assert isinstance(found, tuple | list), f"need ({names}), got {found!r:.60}"
    assert len(found) == len(needed), f"need ({names}), got {len(found)} things"
    for got, (name, shape) in zip(found, needed, strict=True):
        shaped(got, shape, name)
    return tuple(np.asarray(got, dtype=float) for got in found)


def chosen(table: Any, actions: Any) -> Any:
    """The entry of each row's action."""
    return table[np.arange(len(actions)), actions]


def kept(ratio: Any, advantage: Any, epsilon: float) -> Any:
    """Whether the unclipped product is the smaller one: written out by cases."""
    return np.where(advantage >= 0, ratio <= 1.0 + epsilon, ratio >= 1.0 - epsilon)


def off_kinks(ratio: Array, epsilon: float) -> Array:
    """The ratios, with those that are too near to 1 ± ε moved a little."""
    near = np.minimum(abs(ratio - 1.0 - epsilon), abs(ratio - 1.0 + epsilon)) < 1e-3
    return np.where(near, ratio + 0.01, ratio)
