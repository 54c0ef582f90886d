"""Grid: two agents cross a field and must not get into each other's way.

Agent 1 starts in the lower left corner and wants to the upper right one, agent 2 from the lower
right to the upper left. Both step at once: 0 north, 1 south, 2 east, 3 west. A step over the edge
is none, and each step fails with probability ``slip``, for each agent on its own. If both would be
in one cell, or change places, both stay where they were and are paid −1. Reaching one's goal is
paid 100; the episode is then over for both. On 3 × 3 cells without slipping this is the first grid
game of Hu & Wellman 2003, §5.1; there and in the second one slipping is what makes waiting an
answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Disc, Discrete, Env, Group, Label, Scene, Step, refuse
from ..games.markov import MarkovGame
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from . import _players
from ._frame import STEPS, close, lines, room

GOAL, BUMP = 100.0, -1.0
MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1))  # (row, column); row 0 is the lowest
Pair = tuple[int, int]


class State(NamedTuple):
    """B fields."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    cell: Real  # (B, 2) int64: row · columns + column of each agent


@dataclass(frozen=True)
class Grid(Env):
    """Two agents, four actions; both see who they are, where they and the other stand."""

    name: ClassVar[str] = "grid"
    rows: int = option(3, "cells northwards", "[2, 100]")
    columns: int = option(3, "cells eastwards", "[2, 100]")
    slip: float = option(0.0, "probability that a step fails", "[0, 1]")
    horizon: int = option(50, *STEPS)

    @property
    def cells(self) -> int:
        """rows · columns."""
        return self.rows * self.columns

    @property
    def _start(self) -> Pair:
        return 0, self.columns - 1

    @property
    def _goal(self) -> Pair:
        return self.cells - 1, self.cells - self.columns

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Both in one group: (who, where I am, where the other is), 2 + 2 · cells numbers."""
        return (Group("walkers", ("walker 1", "walker 2"), 2 + 2 * self.cells, Discrete(4)),)

    @cached_property
    def _pairs(self) -> list[Pair]:
        """The twin's states: two different cells."""
        return [(p, q) for p, q in product(range(self.cells), repeat=2) if p != q]

    def twin(self, gamma: float = 0.9) -> MarkovGame:
        """The same as a Markov game, written from the rules above; over means: stays, unpaid."""
        _players.twin_size(self.cells * (self.cells - 1), (4, 4))
        pairs, number = self._pairs, {pair: k for k, pair in enumerate(self._pairs)}
        moves = np.zeros((len(pairs), 4, 4, len(pairs)))
        reward = np.zeros((2, len(pairs), 4, 4))
        for k, (a, b) in product(range(len(pairs)), product(range(4), repeat=2)):
            if any(p == goal for p, goal in zip(pairs[k], self._goal, strict=True)):
                moves[k, a, b, k] = 1.0
                continue
            for chance, after, pay in self._outcomes(pairs[k], (a, b)):
                moves[k, a, b, number[after]] += chance
                reward[:, k, a, b] += chance * np.array(pay)
        initial = np.eye(len(pairs))[number[self._start]]
        names = tuple(f"{p},{q}" for p, q in pairs)
        return MarkovGame(moves, reward, gamma, initial, "Grid", names, ("1", "2"))

    def _outcomes(
        self, pair: Pair, action: Pair
    ) -> Iterator[tuple[float, Pair, tuple[float, float]]]:
        """(probability, cells after, rewards) of everything that can follow."""
        for fails in product((False, True), repeat=2):
            chance, wanted = 1.0, []
            for p, a, fail in zip(pair, action, fails, strict=True):
                chance *= self.slip if fail else 1.0 - self.slip
                row, column = p // self.columns + MOVES[a][0], p % self.columns + MOVES[a][1]
                inside = 0 <= row < self.rows and 0 <= column < self.columns
                wanted.append(row * self.columns + column if inside and not fail else p)
            if wanted[0] == wanted[1] or (wanted[0], wanted[1]) == pair[::-1]:
                yield chance, pair, (BUMP, BUMP)
                continue
            won = [GOAL * (p == goal) for p, goal in zip(wanted, self._goal, strict=True)]
            yield chance, (wanted[0], wanted[1]), (won[0], won[1])

    def twin_state(self, state: State) -> Real:
        """(B,) where each copy is, as a state of the twin."""
        p, q = state.cell.T
        return np.asarray(p * (self.cells - 1) + q - (q > p))

    def twin_copies(self) -> State:
        """One copy in every state of the twin."""
        first = self.restart(np.zeros(len(self._pairs), dtype=np.uint64))
        return first._replace(cell=np.array(self._pairs, dtype=np.int64))

    def restart(self, key: Real) -> State:
        """Both in their corners."""
        cell = np.tile(np.array(self._start, dtype=np.int64), (len(key), 1))
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool), cell)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(who, my cell, the other's cell) as one-hot vectors."""
        where = _players.one_hot(state.cell, self.cells)
        who = np.broadcast_to(np.eye(2), (len(where), 2, 2))
        return (np.concatenate([who, where, where[:, ::-1]], axis=2),)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Both step."""
        size = len(state.t)
        action, cell = _players.all_actions(self, size, actions), np.empty_like(state.cell)
        t, reward, flags = room(size, 2)
        rules = (self.rows, self.columns, self.slip, self.horizon)
        past = (state.key, state.cell, state.t, state.ended)
        if not _step(*past, action, *rules, cell, t, reward, flags):
            refuse(self, state, actions)
        return State(state.key, t, flags[2], cell), Step((reward,), flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Agent 1 goes east, then north; agent 2 north, then west: they do not meet."""
        column, row = state.cell % self.columns, state.cell // self.columns
        first = np.where(column[:, 0] < self.columns - 1, 2, 0)
        second = np.where(row[:, 1] < self.rows - 1, 0, 3)
        return (np.stack([first, second], axis=1),)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The cells, both goals, both agents."""
        shapes: list[Any] = [*lines(self.rows, self.columns)]
        for i, cell in enumerate(self._goal):
            shapes.append(Disc(self._middle(cell), 0.4, i, filled=False))
        for i, cell in enumerate(state.cell[copy]):
            shapes += [
                Disc(self._middle(int(cell)), 0.3, i),
                Label(self._middle(int(cell)), f"{i + 1}"),
            ]
        limits = (-0.2, self.columns + 0.2, -0.2, self.rows + 0.2)
        return Scene(limits, tuple(shapes), f"step {int(state.t[copy])}")

    def _middle(self, cell: int) -> tuple[float, float]:
        return cell % self.columns + 0.5, cell // self.columns + 0.5


@kernel
def _target(cell: int, action: int, rows: int, columns: int) -> int:
    """Where a step leads that does not fail."""
    row, column = cell // columns, cell % columns
    if action == 0:
        row += 1
    elif action == 1:
        row -= 1
    elif action == 2:
        column += 1
    else:
        column -= 1
    if 0 <= row < rows and 0 <= column < columns:
        return row * columns + column
    return cell


@kernel
def _step(
    key: Real,
    cell: Real,
    t: Real,
    over: Real,
    action: Real,
    rows: int,
    columns: int,
    slip: float,
    horizon: int,
    cell_next: Real,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action not one of the four."""
    for b in range(cell.shape[0]):
        if over[b] or not (0 <= action[b, 0] <= 3 and 0 <= action[b, 1] <= 3):
            return False
        p, q = cell[b, 0], cell[b, 1]
        if uniform(key[b], t[b] + 1, 0) >= slip:
            p = _target(p, action[b, 0], rows, columns)
        if uniform(key[b], t[b] + 1, 1) >= slip:
            q = _target(q, action[b, 1], rows, columns)
        bump = p == q or (p == cell[b, 1] and q == cell[b, 0])
        if bump:
            p, q = cell[b, 0], cell[b, 1]
        first, second = p == rows * columns - 1, q == rows * columns - columns
        reward[b, 0] = BUMP if bump else GOAL * first
        reward[b, 1] = BUMP if bump else GOAL * second
        cell_next[b, 0], cell_next[b, 1] = p, q
        close(b, t, first or second, horizon, t_next, flags)
    return True
