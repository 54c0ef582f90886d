"""What learners of repeated games share: how they explore, and who gets which random numbers.

Axes: R runs, T rounds, n players, M = max_i A_i. A player uses three uniforms in each round:
whether it explores, which action it takes, and whether it forgives a disappointment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import check
from ..check import Array, InputError
from ..kernels._jit import kernel

BLOCK = 1 << 20  # random numbers drawn at once
USES = 3  # uniforms of a player in a round: explore? which action? forgive?


def fraction(value: Any, name: str, *, positive: bool = False) -> float:
    """A number in [0, 1], or in (0, 1] where it must be positive."""
    number, least = float(check.real_array(value, name, 0)), "(0" if positive else "[0"
    if isinstance(value, bool) or not 0.0 <= number <= 1.0 or (positive and number == 0.0):
        raise InputError(f"{name}: need a number in {least}, 1], got {value!r}")
    return number


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """For how long to play, and how far from greedily in round t = 0, 1, ….

    ``"epsilon"`` takes with probability ε_t any action, all alike, and else one of the best.
    ``"boltzmann"`` takes action a with probability ∝ exp(value(a)/τ_t). Either falls
    geometrically down to its least value, ε_t = max(epsilon_min, epsilon0 · epsilon_decay^t).
    """

    steps: int = 5000  # T ≥ 1
    exploration: str = "epsilon"  # or "boltzmann"
    epsilon0: float = 1.0  # in [0, 1]
    epsilon_decay: float = 0.998  # in (0, 1]
    epsilon_min: float = 0.01  # in [0, 1]
    temperature0: float = 20.0  # > 0, in units of payoff
    temperature_decay: float = 0.997  # in (0, 1]
    temperature_min: float = 0.05  # > 0

    def __post_init__(self) -> None:
        check.positive(self.steps, "steps")
        if self.exploration not in ("epsilon", "boltzmann"):
            raise InputError(
                f"exploration: need 'epsilon' or 'boltzmann', got {self.exploration!r}"
            )
        for name in ("epsilon0", "epsilon_min"):
            fraction(getattr(self, name), name)
        for name in ("epsilon_decay", "temperature_decay"):
            fraction(getattr(self, name), name, positive=True)
        for name in ("temperature0", "temperature_min"):
            if not check.real_array(getattr(self, name), name, 0) > 0:
                raise InputError(f"{name}: need a number > 0, got {getattr(self, name)!r}")

    @property
    def boltzmann(self) -> bool:
        """Whether actions are drawn by their values, not ε-greedily."""
        return self.exploration == "boltzmann"

    def schedule(self, first: int, last: int) -> Array:
        """ε_t or τ_t for t = first, …, last - 1.

        >>> print(Exploration(epsilon_decay=0.5, epsilon_min=0.2).schedule(0, 4))
        [1.   0.5  0.25 0.2 ]
        """
        start, decay, least = self.epsilon0, self.epsilon_decay, self.epsilon_min
        if self.boltzmann:
            start, decay, least = self.temperature0, self.temperature_decay, self.temperature_min
        values: Array = np.maximum(least, start * decay ** np.arange(first, last, dtype=float))
        return values


def draws(
    rng: np.random.Generator, runs: int, steps: int, n: int
) -> Iterator[tuple[slice, int, int, Array]]:
    """(runs, first, last, uniforms): pieces that cover all rounds of all runs, in order.

    ``uniforms`` is (runs, last - first, n, 3). Run b draws from the b-th generator that ``rng``
    spawns, whatever the number of runs, of rounds, and the size of the pieces.
    """
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng: need a numpy Generator, got {type(rng).__name__}")
    span = max(1, min(steps, BLOCK // (USES * n)))
    group = max(1, BLOCK // (USES * n * span))
    streams = rng.spawn(check.positive(runs, "runs"))
    for start in range(0, runs, group):
        members = streams[start : start + group]
        for first in range(0, steps, span):
            last = min(steps, first + span)
            shape = (last - first, n, USES)
            uniforms = np.stack([stream.random(shape) for stream in members])
            yield slice(start, start + len(members)), first, last, uniforms


@kernel
def greedy(values: Array, size: int, uniform: float) -> int:
    """One of the best of the first ``size`` actions; ``uniform`` picks among equals."""
    ties, best = 1, 0
    for a in range(1, size):
        if values[a] > values[best]:
            ties, best = 1, a
        elif values[a] == values[best]:
            ties += 1
    left = int(uniform * ties)
    for a in range(best, size):
        if values[a] == values[best]:
            if left == 0:
                return a
            left -= 1
    return best


@kernel
def softmax_draw(values: Array, size: int, temperature: float, uniform: float) -> int:
    """The action at which the cumulated probabilities ∝ exp(value/τ) pass ``uniform``."""
    top, total = values[0], 0.0
    for a in range(1, size):
        top = max(top, values[a])
    for a in range(size):
        total += np.exp((values[a] - top) / temperature)
    chosen, below = 0, 0.0
    for a in range(size):
        weight = np.exp((values[a] - top) / temperature)
        if weight > 0.0 and below <= uniform * total:
            chosen = a
        below += weight
    return chosen


@kernel
def explore(values: Array, size: int, boltzmann: bool, amount: float, uniforms: Array) -> int:
    """The action taken: ``amount`` is ε_t or τ_t, the first two of ``uniforms`` decide."""
    if boltzmann:
        return softmax_draw(values, size, amount, uniforms[1])
    if uniforms[0] < amount:
        return int(uniforms[1] * size)
    return greedy(values, size, uniforms[1])
