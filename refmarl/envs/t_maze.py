"""T-maze: a sign at the beginning of a corridor says where to turn at its end.

Each of n agents is carried along a corridor of its own, one cell a step. In the first cell it sees
a sign, left or right with probability ½; from then on nothing, until it knows that it stands at the
fork, L steps later. What it does there decides: 1 is paid to those who turn where their sign said,
0 to the others, and all is over; what is done before does not matter. Who remembers earns 1, and
who does not earns ½ on average whatever it does, unless L = 0: then the sign stands at the fork.

After Bakker 2002, "Reinforcement learning with long short-term memory", where one walks by oneself.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import (
    Actions,
    Disc,
    Discrete,
    Env,
    Group,
    Scene,
    Segment,
    Step,
    discrete_actions,
    refuse,
)
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from ._frame import STEPS, close, room


class State(NamedTuple):
    """B mazes."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64, the cell where all stand
    ended: Real  # (B,) bool
    sign: Real  # (B, n) int64, 0 left, 1 right


@dataclass(frozen=True)
class TMaze(Env):
    """Agents alike, two actions each: 0 left, 1 right."""

    name: ClassVar[str] = "t-maze"
    length: int = option(5, "L, steps from the sign to the fork", "[0, 1e6]")
    players: int = option(1, "n, agents, each with its own sign", "[1, 1000]")
    horizon: int = option(0, *STEPS)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All agents in one."""
        names = tuple(f"walker {i + 1}" for i in range(self.players))
        return (Group("walkers", names, 2, Discrete(2)),)

    def restart(self, key: Real) -> State:
        """In the first cell, before the sign."""
        sign = np.empty((len(key), self.players), dtype=np.int64)
        _draw(key, sign)
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool), sign)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(sign: −1, 1, or 0 where it is not seen; whether this is the fork), (B, n, 2)."""
        seen = np.where(state.t[:, None] == 0, 2.0 * state.sign - 1.0, 0.0)
        fork = np.broadcast_to((state.t == self.length)[:, None], seen.shape)
        return (np.stack([seen, fork], axis=-1),)

    def global_state(self, state: State) -> Array:
        """Everybody's sign, −1 or 1, also where nobody sees it, and whether this is the fork."""
        return np.column_stack([2.0 * state.sign - 1.0, state.t == self.length])

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """One cell further, or the turn."""
        size = len(state.t)
        action = discrete_actions(self, size, actions)
        t, reward, flags = room(size, self.players)
        past = (state.t, state.ended, state.sign)
        if not _step(*past, action, self.length, self.horizon, t, reward, flags):
            refuse(self, state, actions)
        return State(state.key, t, flags[2], state.sign), Step((reward,), flags[0], flags[1])

    def permuted(self, state: Any, order: tuple[Real, ...]) -> Any:
        """Everybody has a maze of its own."""
        return state._replace(sign=state.sign[:, order[0]])

    def heuristic(self, state: State) -> Actions:
        """As one who remembers."""
        return (state.sign.copy(),)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The corridors one below the other, their signs, and where all stand."""
        length, shapes = float(max(self.length, 1)), list[Any]()
        for i in range(self.players):
            y = -3.0 * i
            turn = y + (1.0 if state.sign[copy, i] == 0 else -1.0)
            shapes += [
                Segment((0.0, y), (length, y)),
                Segment((length, y - 1.0), (length, y + 1.0)),
                Disc((length, turn), 0.3, filled=False),
                Disc((min(float(state.t[copy]), length), y), 0.25, i),
            ]
        bottom = -3.0 * (self.players - 1) - 1.5
        return Scene((-0.5, length + 0.5, bottom, 1.5), tuple(shapes), f"step {state.t[copy]}")


@kernel
def _draw(key: Real, sign: Real) -> None:
    """The sign of everybody."""
    for b in range(sign.shape[0]):
        for i in range(sign.shape[1]):
            sign[b, i] = 1 if uniform(key[b], 0, i) < 0.5 else 0


@kernel
def _step(
    t: Real, over: Real, sign: Real, action: Real, length: int, horizon: int, t_next: Real,
    reward: Array, flags: Real,
) -> bool:  # fmt: skip
    """Fill in what follows; False if a copy is over or an action not one of the two."""
    for b in range(sign.shape[0]):
        if over[b]:
            return False
        fork = t[b] == length
        for i in range(sign.shape[1]):
            if not 0 <= action[b, i] <= 1:
                return False
            reward[b, i] = 1.0 if fork and action[b, i] == sign[b, i] else 0.0
        close(b, t, fork, horizon, t_next, flags)
    return True
