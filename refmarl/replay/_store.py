"""Preallocated arrays in the shape of one row, and the check of what is written into them.

A row is a tuple or NamedTuple, nested as one likes, of arrays and numbers. A store has the same
tree; each of its arrays has leading axes in front of the row's own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..check import InputError
from ..value_grad import Real

MAX_BYTES = 2**36  # of one memory: a slip of a few zeros is refused before it is allocated


def empty(like: Any, lead: Sequence[int]) -> Any:
    """Zeros of shape (*lead, *row) for each array of the row ``like``, in its dtype.

    Raises
    ------
    InputError
        If ``like`` holds anything but numbers, or needs more than ``MAX_BYTES``.
    """
    total = 0
    for path, leaf in leaves(like, "row"):
        array = np.asarray(leaf)
        if array.dtype.kind not in "biuf":
            raise InputError(f"{path}: need numbers, got {type(leaf).__name__}")
        total += array.nbytes
    for size in lead:
        total *= size
    if total > MAX_BYTES:
        raise InputError(f"row: {total} bytes in all; the cap is {MAX_BYTES}")

    def zeros(leaf: Any) -> Real:
        array = np.asarray(leaf)
        return np.zeros((*lead, *array.shape), array.dtype)

    return each(zeros, like)


def check(rows: Any, store: Any, lead: int, axes: int) -> tuple[int, ...]:
    """The common leading shape (``axes`` axes) of rows that fit a store with ``lead`` own axes.

    Raises
    ------
    InputError
        If the tree, a shape or a dtype differs: a silent cast would lose what is learnt from.
    """
    given, wanted = list(leaves(rows, "rows")), list(leaves(store, "rows"))
    if [path for path, _ in given] != [path for path, _ in wanted]:
        need = ", ".join(path for path, _ in wanted)
        raise InputError(f"rows: need {need}; got {', '.join(path for path, _ in given)}")
    shape: tuple[int, ...] | None = None
    for (path, leaf), (_, own) in zip(given, wanted, strict=True):
        if not isinstance(leaf, np.ndarray) or leaf.dtype != own.dtype:
            got = leaf.dtype if isinstance(leaf, np.ndarray) else type(leaf).__name__
            raise InputError(f"{path}: need an array of {own.dtype}, got {got}")
        here, tail = leaf.shape[:axes], own.shape[lead:]
        shape = here if shape is None else shape
        if len(here) < axes or leaf.shape[axes:] != tail or here != shape:
            front = "".join(f"{n}, " for n in shape) if len(shape) == axes else "…, "
            raise InputError(f"{path}: need ({front}{str(tail)[1:]}, got {leaf.shape}")
    if shape is None:
        raise InputError("rows: need at least one array")
    return shape


def each(f: Callable[..., Any], *trees: Any) -> Any:
    """``f`` of corresponding leaves, in the same tree."""
    first = trees[0]
    if not isinstance(first, tuple):
        return f(*trees)
    parts = [each(f, *nodes) for nodes in zip(*trees, strict=True)]
    return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)


def first(tree: Any) -> Any:
    """The first leaf; None if there is none."""
    if not isinstance(tree, tuple):
        return tree
    for node in tree:
        found = first(node)
        if found is not None:
            return found
    return None


def read_only(view: Real) -> Real:
    """A view that nobody can write through."""
    view.flags.writeable = False
    return view


def leaves(tree: Any, path: str) -> list[tuple[str, Any]]:
    """(path, leaf) of each leaf."""
    if not isinstance(tree, tuple):
        return [(path, tree)]
    names = getattr(tree, "_fields", range(len(tree)))
    pairs = zip(names, tree, strict=True)
    return [leaf for name, node in pairs for leaf in leaves(node, f"{path}.{name}")]
