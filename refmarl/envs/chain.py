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

from ..check import Array, InputError, positive
from ..env_api import Actions, Disc, Discrete, Env, Group, Scene, Segment, Step, refuse
from ..games.markov import MarkovGame
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from . import _players


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
    length: int = 6  # L ≥ 1 places
    players: int = 2  # n ≥ 1
    slip: float = 0.1  # in [0, 1]
    calm: float = 0.05
    horizon: int = 50  # steps until truncation; 0 for none

    def __post_init__(self) -> None:
        positive(self.length, "length")
        positive(self.players, "players")
        _players.horizon(self.horizon)
        if not 0.0 <= self.slip <= 1.0 or not np.isfinite(self.calm):
            raise InputError(
                f"chain: need slip in [0, 1], calm finite; got {self.slip}, {self.calm}"
            )

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All agents in one."""
        names = tuple(f"swimmer {i + 1}" for i in range(self.players))
        return (Group("swimmers", names, self.length, Discrete(2)),)

    def twin(self, gamma: float = 0.9) -> MarkovGame:
        """The same as a Markov game, written from the rules above; its states are the places."""
        n, last = self.players, self.length - 1
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

    def permuted(self, state: Any, order: tuple[Real, ...]) -> Any:
        """All agents share one place."""
        return state

    def restart(self, key: Real) -> State:
        """In the first place."""
        zero, never = np.zeros(len(key), dtype=np.int64), np.zeros(len(key), dtype=bool)
        return State(key, zero, never, zero.copy())

    def observe(self, state: State) -> tuple[Array, ...]:
        """The place, one-hot, as (B, n, L)."""
        return (np.repeat(np.eye(self.length)[state.place][:, None], self.players, axis=1),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Swim or drift."""
        size = len(state.t)
        action = _players.all_actions(self, size, actions)
        place, t = np.empty((2, size), dtype=np.int64)
        reward, truncated = np.empty(action.shape), np.empty(size, dtype=bool)
        rules = (self.length - 1, self.slip, self.calm, self.horizon)
        before = (state.key, state.place, state.t, state.ended)
        if not _step(*before, action, *rules, place, t, reward, truncated):
            refuse(self, state, actions)
        after = State(state.key, t, truncated.copy(), place)
        return after, Step((reward,), np.zeros(size, dtype=bool), truncated)

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
    truncated: Real,
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
        t_next[b] = t[b] + 1
        up = swim == n and uniform(key[b], t_next[b], 0) >= slip
        place_next[b] = min(place[b] + 1, last) if up else max(place[b] - 1, 0)
        truncated[b] = 0 < horizon <= t_next[b]
    return True
