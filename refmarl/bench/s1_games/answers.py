"""Games, and what counts as a right answer about them (section 1).

The truth about all equilibria is the set that rational arithmetic finds, where that is quick
enough; beyond, the union of all that anybody found and that has no regret.
"""

from collections.abc import Sequence
from math import comb
from typing import Any, NamedTuple

import numpy as np

from ...check import Array

Bimatrix = tuple[Array, Array]  # payoffs of both, (m, n)

GAMES = 5  # of each size
UNIT = 2.0**-20  # the random payoffs are whole multiples of it
EXACT = 200_000  # C(2n, n) up to which the exact solver is asked: 10 × 10
REGRET = 1e-8  # of the payoffs' size: what counts as an equilibrium
DISTANCE = 1e-6  # two that are nearer are the same


class Profiles(NamedTuple):
    """What a method says are the equilibria."""

    rows: Array  # (E, m + n): x, then y
    regrets: Array  # (E,), of the payoffs' size


class One(NamedTuple):
    """What a method says is an equilibrium."""

    number: int  # 1
    regret: float


class Value(NamedTuple):
    """What a method says about a zero-sum game."""

    value: float
    gap: float  # between what its strategies secure, the value, and what they concede


def random_bimatrix(seed: int, size: int) -> tuple[Bimatrix, ...]:
    """Games (n, n) of multiples of ``UNIT`` from -1 to 1: no ties, and no rounding for anybody."""
    rngs = np.random.default_rng([seed, size]).spawn(GAMES)
    top = round(1 / UNIT)
    return tuple(
        (_whole(rng, -top, top, size) * UNIT, _whole(rng, -top, top, size) * UNIT) for rng in rngs
    )


def degenerate_bimatrix(seed: int, size: int) -> tuple[Bimatrix, ...]:
    """Games (n, n) of the numbers 0, 1, 2: full of ties."""
    rngs = np.random.default_rng([seed, size]).spawn(GAMES)
    return tuple((_whole(rng, 0, 2, size), _whole(rng, 0, 2, size)) for rng in rngs)


def _whole(rng: np.random.Generator, low: int, high: int, size: int) -> Array:
    return rng.integers(low, high, (size, size), endpoint=True).astype(float)


def normal_matrix(seed: int, size: int) -> tuple[Array, ...]:
    """Zero-sum games (n, n) of standard normal payoffs: 20 small ones, or one large one."""
    draws = np.random.default_rng([seed, size])
    return tuple(draws.standard_normal((20 if size <= 30 else 1, size, size)))


def profiles(given: Bimatrix, found: Sequence[Any]) -> Profiles:
    """Pairs (x, y) as rows, with their regrets; what is no pair of mixtures has regret ∞."""
    m, n = given[0].shape
    pairs = [np.concatenate([np.ravel(z).astype(float) for z in pair]) for pair in found]
    rows = np.array(pairs).reshape(len(pairs), -1) if pairs else np.empty((0, m + n))
    return Profiles(rows, regrets(given, rows))


def regrets(given: Bimatrix, rows: Array) -> Array:
    """The larger regret of both players, by the payoffs' size."""
    a, b = given
    x, y = rows[:, : len(a)], rows[:, len(a) :]
    first = (y @ a.T).max(axis=1, initial=-np.inf) - np.einsum("ei,ij,ej->e", x, a, y)
    second = (x @ b).max(axis=1, initial=-np.inf) - np.einsum("ei,ij,ej->e", x, b, y)
    proper = (rows >= -REGRET).all(axis=1)
    for side in (x, y):
        proper &= np.isclose(side.sum(axis=1), 1.0, rtol=0.0, atol=REGRET)
    size = max(abs(a).max(), abs(b).max(), 1.0)
    regret: Array = np.where(proper, np.maximum(first, second) / size, np.inf)
    return regret


def contains(rows: Array, row: Array) -> bool:
    """Whether ``row`` is among ``rows``."""
    return bool(len(rows)) and bool((abs(rows - row).max(axis=1) < DISTANCE).any())


def all_equilibria(given: Bimatrix, answers: Sequence[Profiles]) -> Profiles:
    """The extreme equilibria: exact ones, or all that anybody found."""
    m, n = given[0].shape
    if comb(m + n, m) <= EXACT:
        from ...games import exact_equilibria

        return profiles(given, exact_equilibria(given).profiles)
    rows: list[Array] = []
    for answer in answers:
        for row in answer.rows[answer.regrets <= REGRET]:
            if not contains(np.array(rows), row):
                rows.append(row)
    return Profiles(np.array(rows), np.zeros(len(rows)))


def same_equilibria(truth: Profiles, got: Profiles) -> bool:
    """Whether ``got`` has all of ``truth`` and nothing that is no equilibrium.

    Mixtures of extreme equilibria, and the same twice, are forgiven.
    """
    sound = bool((got.regrets <= REGRET).all())
    return sound and all(contains(got.rows, row) for row in truth.rows)


def one(given: Bimatrix, found: Sequence[Any]) -> One:
    """A list of one pair (x, y)."""
    regret = profiles(given, found).regrets
    return One(len(regret), float(regret.max(initial=0.0)))


def one_equilibrium(truth: One, got: One) -> bool:
    """Whether ``got`` is an equilibrium, whichever."""
    return got.number == 1 and got.regret <= REGRET


def value(given: Array, found: Sequence[Any]) -> Value:
    """The value and the gap of (value, x, y, …)."""
    worth, x, y = found[:3]
    secured, conceded = float((x @ given).min()), float((given @ y).max())
    return Value(float(worth), max(conceded, worth) - min(secured, worth))


def same_value(truth: Value, got: Value) -> bool:
    """The values agree, and the strategies prove it."""
    return abs(truth.value - got.value) <= DISTANCE and got.gap <= DISTANCE
