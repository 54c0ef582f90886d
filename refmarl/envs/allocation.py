"""Resource allocation: agents ask for shares of what there is, and are paid a common welfare.

Each round every agent values every resource anew, v_ij uniform in [0, 1), and there is 1 of each.
All agents see all values, their own first. They ask for shares d_ij in [0, 1]; what is asked for in
excess is cut in proportion, so that no resource is ever given out beyond what there is:

    x_ij = d_ij · min(1, 1 / Σ_k d_kj),   U_i = Σ_j v_ij x_ij

    utilitarian   everybody is paid the mean of all U
    egalitarian   min_i U_i
    nash          (Π_i U_i)^(1/n)
    selfish       one's own U_i: to ask for everything is dominant, and all end at equal shares

The best that can be earned is known (:mod:`refmarl.games.allocation`), round by round.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import (
    Actions,
    Box,
    Env,
    Group,
    Label,
    MultiDiscrete,
    Scene,
    Segment,
    Step,
    continuous_actions,
    discrete_actions,
    refuse,
)
from ..games.allocation import egalitarian, nash_welfare
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from ._frame import close, room

WELFARES = ("utilitarian", "egalitarian", "nash", "selfish")


class State(NamedTuple):
    """B teams."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    value: Array  # (B, n, m): v_ij of this round
    given: Array  # (B, n, m): x_ij of the round before, 0 at first


@dataclass(frozen=True)
class Allocation(Env):
    """A team that divides resources; truncated at the horizon."""

    name: ClassVar[str] = "resources"
    players: int = option(3, "n, agents", "[1, 100]")
    resources: int = option(3, "m, resources", "[1, 100]")
    welfare: str = option("nash", "what is paid", WELFARES)
    levels: int = option(4, "requests are multiples of one over this", "[1, 1000]")
    continuous: bool = option(False, "requests are any numbers in [0, 1]")
    horizon: int = option(5, "T, rounds", "[1, 1000]")

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All in one, who see n · m values."""
        names = tuple(f"agent {i + 1}" for i in range(self.players))
        asks = MultiDiscrete((self.levels + 1,) * self.resources)
        space = Box(0.0, 1.0, self.resources) if self.continuous else asks
        return (Group("agents", names, self.players * self.resources, space),)

    def restart(self, key: Real) -> State:
        """The first round's values."""
        size, shape = len(key), (len(key), self.players, self.resources)
        t, never = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        value = np.empty(shape)
        _draw(key, t, value)
        return State(key, t, never, value, np.zeros(shape))

    def observe(self, state: State) -> tuple[Array, ...]:
        """Everybody's values, one's own first, then those of who comes after: (B, n, n m)."""
        n = self.players
        order = (np.arange(n)[:, None] + np.arange(n)) % n
        return (state.value[:, order].reshape(len(state.t), n, -1),)

    def global_state(self, state: State) -> Array:
        """All values, (B, n m)."""
        return state.value.reshape(len(state.t), -1).copy()

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Share out, pay, and draw new values."""
        size = len(state.t)
        if self.continuous:
            asked = continuous_actions(self, size, actions)
        else:
            asked = discrete_actions(self, size, actions) / self.levels
        given, value = np.empty_like(state.given), np.empty_like(state.value)
        t, reward, flags = room(size, self.players)
        kind = WELFARES.index(self.welfare)
        past = (state.key, state.t, state.ended, state.value)
        if not _step(*past, asked, kind, self.horizon, given, value, t, reward, flags):
            refuse(self, state, actions)
        return State(state.key, t, flags[2], value, given), Step((reward,), flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Who values a resource most asks for all of it: the utilitarian optimum."""
        most = state.value == state.value.max(axis=1, keepdims=True)
        return (most * 1.0,) if self.continuous else (most * self.levels,)

    def ceiling(self, state: State) -> Array:
        """(B,): what no team earns more than, in whole episodes from these first states."""
        total = np.zeros(len(state.t))
        value = state.value
        for t in range(self.horizon):
            total += self._best(value)
            value = np.empty_like(value)
            _draw(state.key, np.full(len(total), t + 1), value)
        return total

    def _best(self, value: Array) -> Array:
        """(B,): the most that a round with these values can pay on average over the agents."""
        ones = np.ones(self.resources)
        if self.welfare == "nash":
            return np.asarray(nash_welfare(value, ones).bound)
        if self.welfare == "egalitarian":
            return np.array([egalitarian(v, ones).bound for v in value])
        return np.asarray(value.max(axis=1).sum(axis=1) / self.players)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """A bar for each resource, in the colours of those who had it, and their utilities."""
        shapes: list[Any] = []
        for j in range(self.resources):
            low = 0.0
            shapes.append(Segment((float(j), 0.0), (float(j), 1.0)))
            for i in range(self.players):
                high = low + float(state.given[copy, i, j])
                if high > low:
                    shapes.append(Segment((float(j), low), (float(j), high), 0.3, i))
                low = high
        for i in range(self.players):
            had = float(state.given[copy, i].sum())
            shapes.append(Label((self.resources + 0.2, 0.2 * i), f"{had:.2f}", i))
        return Scene(
            (-0.6, self.resources + 0.8, -0.2, 1.2), tuple(shapes), f"round {state.t[copy]}"
        )


@kernel
def _draw(key: Real, t: Real, value: Array) -> None:
    """Fill in the values of round t."""
    for b in range(value.shape[0]):
        for i in range(value.shape[1]):
            for j in range(value.shape[2]):
                value[b, i, j] = uniform(key[b], t[b], i * value.shape[2] + j)


@kernel
def _step(
    key: Real,
    t: Real,
    over: Real,
    value: Array,
    asked: Array,
    kind: int,
    horizon: int,
    given: Array,
    value_next: Array,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or a request is not in [0, 1]."""
    n, m = value.shape[1], value.shape[2]
    for b in range(value.shape[0]):
        if over[b]:
            return False
        for i in range(n):
            reward[b, i] = 0.0
        for j in range(m):
            total = 0.0
            for i in range(n):
                if not 0.0 <= asked[b, i, j] <= 1.0:
                    return False
                total += asked[b, i, j]
            for i in range(n):
                given[b, i, j] = asked[b, i, j] / max(total, 1.0)
                reward[b, i] += value[b, i, j] * given[b, i, j]
        _pay(reward[b], kind)
        close(b, t, False, horizon, t_next, flags)
    _draw(key, t_next, value_next)
    return True


@kernel
def _pay(reward: Array, kind: int) -> None:
    """Utilities, in place, become what everybody is paid."""
    n = reward.shape[0]
    if kind == 3:
        return
    paid = 0.0
    if kind == 0:
        for i in range(n):
            paid += reward[i] / n
    elif kind == 1:
        paid = reward[0]
        for i in range(1, n):
            paid = min(paid, reward[i])
    else:
        paid = 1.0
        for i in range(n):
            paid *= reward[i] ** (1.0 / n)
    for i in range(n):
        reward[i] = paid
