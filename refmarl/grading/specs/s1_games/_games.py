"""Games of telling shapes: alone, with a single action, square, oblong, of three and of four.

Numbers come from one whole number k. Small k are zeros and ones, bit by bit, and pure strategies,
so that a counterexample shrinks to few ones; large k seed a generator, so that cases are spread
evenly. Drawn number by number, hypothesis repeats shapes and numbers in most of sixty cases.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ....check import Array, Profile

Sizes = tuple[int, ...]
SIMPLE = 4096  # below it k stands for bits

ALL: list[Sizes] = [(1,), (2,), (3,), (1, 2), (3, 1), (2, 2), (2, 3), (3, 2), (3, 3), (2, 1, 2)]
ALL += [(2, 2, 2), (3, 2, 1), (2, 3, 2), (3, 2, 3), (2, 1, 2, 2), (2, 2, 2, 2)]
PAIRS: list[Sizes] = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (1, 3), (3, 1), (3, 3)]
PAIRS += [(2, 2), (2, 3), (3, 2), (3, 3)]

NUMBERS = st.integers(0, 2**24)


def numbers(k: int, shape: Sizes, most: int = 4) -> Array:
    """Whole numbers of size ``most`` and less; ties are common."""
    if k < SIMPLE:
        count = int(np.prod(shape))
        return np.array([float(k >> j & 1) for j in range(count)]).reshape(shape)
    rng = np.random.default_rng(k)
    size = int(rng.choice([1, max(1, most // 2), most]))
    table: Array = rng.integers(-size, size + 1, shape).astype(float)
    return table


def mixture(rng: np.random.Generator, size: int) -> Array:
    """A pure, sparse or full strategy."""
    weights = rng.integers(1, 6, size) * (rng.random(size) < rng.choice([0.0, 0.5, 1.0]))
    weights[rng.integers(size)] += 1
    found: Array = weights / weights.sum()
    return found


def profile(k: int, sizes: Sizes) -> Profile:
    """A strategy of each player, all pure where k is small."""
    if k < SIMPLE:
        return tuple(
            pure(sizes, tuple(int(a) for a in np.unravel_index(k % np.prod(sizes), sizes)))
        )
    rng = np.random.default_rng(k)
    return tuple(mixture(rng, size) for size in sizes)


def pure(sizes: Sizes, a: tuple[int, ...]) -> list[Array]:
    """The profile in which the joint action a is certain."""
    return [np.eye(k)[b] for k, b in zip(sizes, a, strict=True)]


@st.composite
def payoffs(draw: st.DrawFn, shapes: Sequence[Sizes] = ALL, most: int = 4) -> Any:
    """(n, A_1, …, A_n)."""
    sizes = draw(st.sampled_from(shapes))
    return numbers(draw(NUMBERS), (len(sizes), *sizes), most)


@st.composite
def plays(draw: st.DrawFn, shapes: Sequence[Sizes] = ALL) -> tuple[Array, Profile]:
    """(payoffs, a profile)."""
    table = draw(payoffs(shapes))
    return table, profile(draw(NUMBERS), table.shape[1:])
