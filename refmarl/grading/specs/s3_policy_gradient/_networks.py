"""Perceptrons as lists of weights and biases, for the exercises about their derivatives."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn.mlp import MLP
from ...spec import close

Lists = list[Array]


class Network(NamedTuple):
    """Weights and biases, and rows to send through."""

    weights: Lists
    biases: Lists
    x: Array


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, np.random.Generator]:
    """One to three layers of one to three units, one to three rows, and a source of numbers."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    rows = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    pairs = list(pairwise(sizes))
    weights = [rng.uniform(-1.5, 1.5, pair).round(1) for pair in pairs]
    biases = [rng.uniform(-1.0, 1.0, pair[1]).round(1) for pair in pairs]
    return Network(weights, biases, rng.uniform(-1.5, 1.5, (rows, sizes[0])).round(1)), rng


def forward(weights: Lists, biases: Lists, x: Any) -> Any:
    """y of the network, for real or complex numbers."""
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = x @ w + b if k == len(weights) - 1 else np.tanh(x @ w + b)
    return x


def results(found: Any, names: str, *needs: Any) -> list[Any]:
    """What an answer gave, as floats: a tuple like ``names``, of lists of arrays or of arrays.

    ``needs`` says for each place what it must be like: the arrays of all layers, or one array.
    """
    assert isinstance(found, tuple | list), f"need {names}, got {found!r:.60}"
    assert len(found) == len(needs), f"need {names}, got {len(found)} things"
    for at, name in enumerate(names.strip("()").split(", ")):
        got, need = found[at], needs[at]
        if not isinstance(need, list):
            close(got, np.zeros(need.shape), name, atol=np.inf)
            continue
        assert isinstance(got, tuple | list), f"{name}: need a list, got {type(got).__name__}"
        assert len(got) == len(need), f"{name}: {len(got)} arrays for {len(need)} layers"
        for k, (g, p) in enumerate(zip(got, need, strict=True)):
            close(g, np.zeros(p.shape), f"{name}[{k}]", atol=np.inf)
    return [
        [np.asarray(g, dtype=float) for g in part] if isinstance(needs[at], list)
        else np.asarray(part, dtype=float)
        for at, part in enumerate(found)
    ]  # fmt: skip


def directional(f: Callable[..., Any], arrays: Lists, along: Lists, step: float = 1e-20) -> Any:
    """The derivative of f(*arrays) along a direction, by the complex step: exact to rounding."""
    moved = [a + 1j * step * v for a, v in zip(arrays, along, strict=True)]
    return np.asarray(f(*moved)).imag / step


def gradient_of(x: Array, depth: int, error: Callable[[Any], Any]) -> Callable[..., Any]:
    """(weights, biases) ↦ ∂L/∂(weights, biases) as one vector, for real or complex numbers.

    ``error`` is y ↦ ∂L/∂y: plain (3.1).
    """

    def gradient(*arrays: Any) -> Any:
        weights, biases = arrays[:depth], arrays[depth:]
        hidden = [x]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            hidden.append(np.tanh(hidden[-1] @ w + b))
        delta = error(hidden[-1] @ weights[-1] + biases[-1])
        d_weights: list[Any] = []
        d_biases: list[Any] = []
        for k in reversed(range(depth)):
            d_weights.insert(0, (hidden[k].T @ delta).ravel())
            d_biases.insert(0, delta.sum(axis=0))
            if k > 0:
                delta = (delta @ weights[k].T) * (1.0 - hidden[k] ** 2)
        return np.concatenate([*d_weights, *d_biases])

    return gradient


def as_vector(net: MLP, weights: Lists, biases: Lists) -> Array:
    """The library's θ."""
    parts = [p.ravel() for pair in zip(weights, biases, strict=True) for p in pair]
    return np.concatenate(parts, dtype=float)


def as_lists(net: MLP, theta: Array) -> tuple[Lists, Lists]:
    """(weights, biases) of a θ."""
    layers = net.layers(theta)
    return [layer.w.copy() for layer in layers], [layer.b[0].copy() for layer in layers]


def shapes_of(weights: Lists) -> MLP:
    """The library's network of the same sizes."""
    return MLP((weights[0].shape[0], *(w.shape[1] for w in weights)))
