"""Chain: a walk upstream that only succeeds when everybody swims at once.

n agents stand together in one of L places. Each drifts (0) or swims (1). If all swim, they move one
place up with probability 1 − slip, else one down; if not all swim, they move one place down for
sure (the two ends hold them back). Everybody is paid 1 when all swim in the last place, and
``calm`` when nobody swims in the first. The small reward is there at once, the large one only after
L − 1 joint efforts: a team version of RiverSwim (Strehl & Littman 2008). Never terminated.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Disc, Discrete, Env, Group, Scene, Segment, Step, refuse
from ..games.markov import MarkovGame
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from . import _players
from ._frame import STEPS, close, room


class State(NamedTuple):
    """B teams."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    place: Real  # (B,) int64


@dataclass(frozen=True)
class Chain(Env):
    """Agents alike, two actions each; all see the place, one-hot."""

    name: ClassVar[str] = "chain"
    length: int = option(6, "L, places", "[1, 1000]")
    players: int = option(2, "n, agents", "[1, 1000]")
    slip: float = option(0.1, "probability that a joint effort fails", "[0, 1]")
    calm: float = option(0.05, "what is paid for drifting in the first place", "[-1e6, 1e6]")
    horizon: int = option(50, *STEPS)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All agents in one."""
        names = tuple(f"swimmer {i + 1}" for i in range(self.players))
        return (Group("swimmers", names, self.length, Discrete(2)),)

    def twin(self, gamma: float = 0.9) -> MarkovGame:
        """The same as a Markov game, written from the rules above; its states are the places."""
        n, last = self.players, self.length - 1
        _players.twin_size(self.length, (2,) * n)
        moves = np.zeros((last + 1, *(2,) * n, last + 1))
        reward = np.zeros((n, last + 1, *(2,) * n))
        for s, action in product(range(last + 1), product(range(2), repeat=n)):
            up = 1.0 - self.slip if all(action) else 0.0
            moves[s, *action, min(s + 1, last)] += up
            moves[s, *action, max(s - 1, 0)] += 1.0 - up
            pay = float(s == last and all(action)) + self.calm * (s == 0 and not any(action))
            index: tuple[Any, ...] = (slice(None), s, *action)
            reward[index] = pay
        return MarkovGame(moves, reward, gamma, np.eye(last + 1)[0], title="Chain")

    def twin_state(self, state: State) -> Real:
        """(B,) where each copy is, as a state of the twin."""
        return state.place

    def twin_copies(self) -> State:
        """One copy in every state of the twin."""
        first = self.restart(np.zeros(self.length, dtype=np.uint64))
        return first._replace(place=np.arange(self.length))

    def permuted(self, state: Any, order: tuple[Real, ...]) -> Any:
        """All agents share one place."""
        return state

    def restart(self, key: Real) -> State:
        """In the first place."""
        zero, never = np.zeros(len(key), dtype=np.int64), np.zeros(len(key), dtype=bool)
        return State(key, zero, never, zero.copy())

    def observe(self, state: State) -> tuple[Array, ...]:
        """The place, one-hot, as (B, n, L)."""
        here = _players.one_hot(state.place, self.length)
        return (np.repeat(here[:, None], self.players, axis=1),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Swim or drift."""
        size = len(state.t)
        action, place = _players.all_actions(self, size, actions), np.empty_like(state.place)
        t, reward, flags = room(size, self.players)
        rules = (self.length - 1, self.slip, self.calm, self.horizon)
        past = (state.key, state.place, state.t, state.ended)
        if not _step(*past, action, *rules, place, t, reward, flags):
            refuse(self, state, actions)
        return State(state.key, t, flags[2], place), Step((reward,), flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Everybody swims, always."""
        return (np.ones((len(state.t), self.players), dtype=np.int64),)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The places in a row, the team in one of them."""
        line: list[Any] = [Segment((0.0, 0.0), (self.length - 1.0, 0.0))]
        line += [Disc((float(k), 0.0), 0.3, filled=False) for k in range(self.length)]
        here, spread = float(state.place[copy]), 0.4 / self.players
        for i in range(self.players):
            at = here + spread * (i - (self.players - 1) / 2)
            line.append(Disc((at, 0.0), min(0.1, spread / 2), i))
        return Scene((-0.5, self.length - 0.5, -0.6, 0.6), tuple(line), f"step {state.t[copy]}")


@kernel
def _step(
    key: Real,
    place: Real,
    t: Real,
    over: Real,
    action: Real,
    last: int,
    slip: float,
    calm: float,
    horizon: int,
    place_next: Real,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action not one of the two."""
    n = action.shape[1]
    for b in range(place.shape[0]):
        swim = 0
        for i in range(n):
            if not 0 <= action[b, i] <= 1:
                return False
            swim += action[b, i]
        if over[b]:
            return False
        pay = 0.0
        if place[b] == last and swim == n:
            pay += 1.0
        if place[b] == 0 and swim == 0:
            pay += calm
        for i in range(n):
            reward[b, i] = pay
        close(b, t, False, horizon, t_next, flags)
        up = swim == n and uniform(key[b], t_next[b], 0) >= slip
        place_next[b] = min(place[b] + 1, last) if up else max(place[b] - 1, 0)
    return True
