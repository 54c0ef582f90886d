"""What the classic control tasks share: a vector of physical numbers, a clock, an end."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..env_api import (
    Actions,
    Box,
    Env,
    Group,
    Step,
    continuous_actions,
    discrete_actions,
    refuse,
)
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from ._frame import room


class State(NamedTuple):
    """B copies of one body."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    x: Array  # (B, numbers of the body)


@dataclass(frozen=True)
class Body(Env):
    """One agent that moves one body.

    ``kernel`` takes (x, t, ended, actions, horizon), fills in (x', t', reward, flags), and returns
    False where a copy has ended or an action is illegal; ``start`` is where numbers begin, uniform
    between its two rows.
    """

    group: ClassVar[Group]
    start: ClassVar[Array]
    kernel: ClassVar[Callable[..., bool]]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group of one agent."""
        return (self.group,)

    def restart(self, key: Real) -> State:
        """Every number uniform between those of ``start``."""
        size = len(key)
        x = np.empty((size, self.start.shape[1]))
        _fill(key, self.start, x)
        return State(key, np.zeros(size, np.int64), np.zeros(size, bool), x)

    def observe(self, state: State) -> tuple[Array, ...]:
        """The numbers as they are, (B, 1, O)."""
        return (state.x[:, None].copy(),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """One step of every copy."""
        key, t, over, x = state
        size = len(t)
        read = continuous_actions if isinstance(self.group.space, Box) else discrete_actions
        given, x_next = read(self, size, actions), np.empty(x.shape)
        t_next, reward, flags = room(size, 1)
        if not self.kernel(x, t, over, given, self.horizon, x_next, t_next, reward, flags):
            refuse(self, state, actions)
        return State(key, t_next, flags[2], x_next), Step((reward,), flags[0], flags[1])

    @abstractmethod
    def heuristic(self, state: State) -> Actions:
        """A plain policy to compare with."""


@kernel
def _fill(key: Real, start: Array, x: Array) -> None:
    for b in range(x.shape[0]):
        begin(b, key, start, x)


@kernel
def begin(b: int, key: Real, start: Array, x: Array) -> None:
    """Copy b's numbers at the beginning."""
    for k in range(x.shape[1]):
        x[b, k] = start[0, k] + (start[1, k] - start[0, k]) * uniform(key[b], 0, k)
