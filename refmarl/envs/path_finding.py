"""Path finding: walkers on a grid with walls, each with a goal, who must not collide.

All move at once: 0 stay, 1 north, 2 south, 3 west, 4 east. A step into a wall or over the edge is
none (the mask tells). If several would be in one cell, those of them who move stay instead, and if
two would change places, both stay; that may stop others behind them. To follow one another is
allowed, also round in a circle. A step costs each walker 1, unless it stays on its goal; everybody
is paid less the sum of these, or with ``shared`` off its own. Terminated when all stand on their
goals.

So the best return is less the cost of the best plan of
:mod:`refmarl.games.path_finding`, to the digit, wherever that does not exceed the horizon: a team
that is cut before the end has paid at least 1 in each step.

Everybody sees everything: walls, its own cell and goal, and in turn the others' cells and goals.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array, InputError, size_cap
from ..config import option
from ..env_api import INT, Actions, Disc, Discrete, Env, Group, Label, Scene, Segment, Step, refuse
from ..games.markov import MarkovGame
from ..games.path_finding import (
    FIELDS,
    Field,
    Plan,
    best_plan,
    named_field,
    prioritized,
)
from ..games.path_finding.field import draw_fields
from ..kernels._jit import kernel
from ..value_grad import Real
from . import _players
from ._frame import close, lines, room
from ._walk import settle, target

NODES = 2000  # of the search for a ceiling or a heuristic's plan


class State(NamedTuple):
    """B fields of V cells with n walkers."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    wall: Real  # (B, V) bool
    at: Real  # (B, n) int64, cells
    goal: Real  # (B, n) int64


@dataclass(frozen=True, eq=False)
class PathFinding(Env):
    """Walkers alike but for their goals, five actions.

    Examples
    --------
    >>> env = PathFinding("crossing")
    >>> print(env.ceiling(env.reset(np.random.default_rng(0), 2)))  # 8 steps, and somebody waits
    [-9. -9.]
    """

    name: ClassVar[str] = "path-finding"
    instance: str | Field = option("bay", f"a field, random, or one of {', '.join(FIELDS)}")
    rows: int = option(4, "cells southwards of a random field", "[1, 100]")
    columns: int = option(4, "cells eastwards of a random field", "[1, 100]")
    players: int = option(2, "n, walkers on a random field", "[1, 100]")
    walls: float = option(0.2, "share of cells that are walls on a random field", "[0, 0.9]")
    shared: bool = option(True, "everybody is paid less the sum of all costs")
    horizon: int = option(30, "T, steps until truncation", "[1, 1e9]")

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.instance, Field):
            return
        if self.instance != "random":
            named_field(self.instance)
        elif self.players >= self.rows * self.columns:
            size = f"{self.rows} × {self.columns} cells"
            raise InputError(f"players: no room for {self.players} to walk on {size}")

    @cached_property
    def field(self) -> Field | None:
        """The field, if it is always the same."""
        if isinstance(self.instance, Field):
            return self.instance
        return None if self.instance == "random" else named_field(self.instance)

    @cached_property
    def _size(self) -> tuple[int, int, int]:
        """(rows, columns, n)."""
        if self.field is None:
            return self.rows, self.columns, self.players
        return (*self.field.wall.shape, self.field.walkers)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All in one; V numbers each for the walls, and for the cells and goals of all."""
        rows, columns, n = self._size
        names = tuple(f"walker {i + 1}" for i in range(n))
        return (Group("walkers", names, rows * columns * (1 + 2 * n), Discrete(5)),)

    def restart(self, key: Real) -> State:
        """Everybody at its start."""
        (rows, columns, n), size = self._size, len(key)
        wall = np.empty((size, rows * columns), dtype=bool)
        at, goal = np.empty((size, n), dtype=INT), np.empty((size, n), dtype=INT)
        if self.field is None:
            draw_fields(key, rows, columns, self.walls, wall, at, goal)
        else:
            wall[:] = self.field.wall.ravel()
            at[:], goal[:] = self.field.start, self.field.goal
        return State(key, np.zeros(size, dtype=INT), np.zeros(size, dtype=bool), wall, at, goal)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(walls, my cell, my goal, the others' in turn), (B, n, V (1 + 2 n))."""
        seen = np.zeros((*state.at.shape, self.groups[0].obs_dim))
        _look(state.wall, state.at, state.goal, seen)
        return (seen,)

    def global_state(self, state: State) -> Array:
        """(walls, everybody's cell, everybody's goal), (B, V (1 + 2 n)): what walker 1 sees."""
        return self.observe(state)[0][:, 0].copy()

    def mask(self, state: State) -> tuple[Real | None, ...]:
        """Steps onto free ground, whoever stands there, and staying."""
        legal = np.empty((*state.at.shape, 5), dtype=bool)
        _legal(state.wall, state.at, *self._size[:2], legal)
        return (legal,)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """All move who can."""
        rows, columns, n = self._size
        action, at = _players.all_actions(self, len(state.t), actions), np.empty_like(state.at)
        t, reward, flags = room(len(state.t), n)
        past = (state.wall, state.at, state.goal, state.t, state.ended, action)
        rules = (rows, columns, self.shared, self.horizon)
        if not _step(*past, *rules, at, t, reward, flags):
            refuse(self, state, actions)
        after = state._replace(t=t, ended=flags[2], at=at)
        return after, Step((reward,), flags[0], flags[1])

    def permuted(self, state: Any, order: tuple[Real, ...]) -> Any:
        """The same field with the walkers counted otherwise."""
        at, goal = (np.ascontiguousarray(a[:, order[0]]) for a in (state.at, state.goal))
        return state._replace(at=at, goal=goal)

    def ceiling(self, state: State) -> Array:
        """(B,): less what the best plan costs, or the best bound that is known of it."""
        rows = zip(state.wall, state.at, state.goal, state.t, strict=True)
        shape = self._size[:2]
        cost = [_least(_field(*row[:3], shape), self.horizon - int(row[3])) for row in rows]
        return -np.asarray(cost, dtype=np.float64) / (1 if self.shared else self._size[2])

    def heuristic(self, state: State) -> Actions:
        """The first step of the best plan from here; of a prioritised one where that takes long."""
        rows, shape = zip(state.wall, state.at, state.goal, strict=True), self._size[:2]
        action = [_first(_field(*row, shape)) for row in rows]
        return (np.array(action, dtype=INT).reshape(state.at.shape),)

    def twin(self, gamma: float = 0.99) -> MarkovGame:
        """The same as a Markov game, all placings of the walkers; over means: stays, unpaid.

        Raises
        ------
        InputError
            If the field is drawn anew each time, or has too many placings.
        """
        n, copies = self._size[2], self.twin_copies()
        size, joint = len(copies.t), 5**n
        _players.twin_size(size, (5,) * n)
        pick, number = np.repeat(np.arange(size), joint), self._number
        action = np.array(np.unravel_index(np.arange(joint), (5,) * n)).T
        begun = copies._replace(**{k: v[pick] for k, v in copies._asdict().items()})
        over = (begun.at == begun.goal).all(axis=1)
        after, step = self.step(begun, (np.tile(action, (size, 1)),))
        code = np.where(over, number[self._code(begun.at)], number[self._code(after.at)])
        moves = np.zeros((size * joint, size))
        moves[np.arange(size * joint), code] = 1.0
        reward = np.where(over[:, None], 0.0, step.reward[0]).T
        shape, names = (size, *(5,) * n), tuple(str(tuple(row)) for row in copies.at.tolist())
        initial = np.zeros(size)
        initial[number[self._code(self.restart(copies.key[:1]).at)]] = 1.0
        return MarkovGame(
            moves.reshape(*shape, size), reward.reshape(n, *shape), gamma, initial,
            "Path finding", names, self.agents,
        )  # fmt: skip

    def twin_state(self, state: State) -> Real:
        """(B,) where each copy is, as a state of the twin."""
        return np.asarray(self._number[self._code(state.at)])

    def twin_copies(self) -> State:
        """One copy in every state of the twin."""
        codes = np.flatnonzero(self._number >= 0)
        first = self.restart(np.zeros(len(codes), dtype=np.uint64))
        cells = self._size[0] * self._size[1]
        at = np.array(np.unravel_index(codes, (cells,) * self._size[2])).T
        return first._replace(at=np.ascontiguousarray(at, INT))

    @cached_property
    def _number(self) -> Real:
        """(V^n,): the twin's state of each joint cell, −1 where nobody can be."""
        if self.field is None:
            raise InputError(f"{self.name}: no twin of fields that are drawn anew each time")
        cells, n = self.field.wall.size, self.field.walkers
        size_cap((cells,) * n, "twin", "placings")
        at = np.array(np.unravel_index(np.arange(cells**n), (cells,) * n))
        fine = ~self.field.wall.ravel()[at].any(axis=0)
        for i in range(n):
            fine &= (at[:i] != at[i]).all(axis=0)
        return np.where(fine, np.cumsum(fine) - 1, -1)

    def _code(self, at: Real) -> Real:
        cells, n = self._size[0] * self._size[1], self._size[2]
        return np.asarray(np.ravel_multi_index(tuple(at.T), (cells,) * n))

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The grid with its walls, goals as rings, walkers as discs."""
        rows, columns, _ = self._size
        shapes: list[Any] = [*lines(rows, columns)]
        for cell in np.flatnonzero(state.wall[copy]):
            x, y = self._middle(int(cell))
            shapes.append(Segment((x - 0.5, y), (x + 0.5, y), 1.0))
        for i, cell in enumerate(state.goal[copy]):
            shapes.append(Disc(self._middle(int(cell)), 0.42, i, filled=False))
        for i, cell in enumerate(state.at[copy]):
            at = self._middle(int(cell))
            shapes += [Disc(at, 0.3, i), Label(at, f"{i + 1}")]
        limits = (-0.2, columns + 0.2, -0.2, rows + 0.2)
        return Scene(limits, tuple(shapes), f"step {int(state.t[copy])}")

    def _middle(self, cell: int) -> tuple[float, float]:
        rows, columns, _ = self._size
        return cell % columns + 0.5, rows - cell // columns - 0.5


Instance = tuple[bytes, tuple[int, int], tuple[int, ...], tuple[int, ...]]


def _field(wall: Real, at: Real, goal: Real, shape: tuple[int, int]) -> Instance:
    """A field as what can be looked up: (walls, shape, cells, goals)."""
    return wall.tobytes(), shape, tuple(at.tolist()), tuple(goal.tolist())


@lru_cache(maxsize=10_000)
def _searched(instance: Instance) -> tuple[Field, Plan | None, bool] | None:
    """(the field, its best plan, whether the search came to an end); None if all are there."""
    wall, shape, at, goal = instance
    if at == goal:
        return None
    field = Field(np.frombuffer(wall, dtype=bool).reshape(shape), np.array(at), np.array(goal))
    try:
        return field, best_plan(field, NODES), True
    except InputError:  # too many nodes, or joint states
        return field, None, False


def _least(instance: Instance, left: int) -> int:
    """What a team pays at least in ``left`` steps."""
    found = _searched(instance)
    if found is None:
        return 0
    field, plan, sure = found
    walk = np.minimum(field.distance[np.arange(field.walkers), field.start], left).sum()
    if plan is not None:
        return max(min(plan.cost, left), int(walk))
    return max(left, int(walk)) if sure else int(walk)


def _first(instance: Instance) -> list[int]:
    """Everybody's first move by the best plan that was found; all stay if none was."""
    found, n = _searched(instance), len(instance[2])
    if found is None:
        return [0] * n
    field, plan, sure = found
    if plan is None and not sure:
        plan = prioritized(field)
    if plan is None:
        return [0] * n
    rows = zip(field.ways[plan.paths[0]], plan.paths[1], strict=True)
    return [int(np.flatnonzero(ways == there)[0]) for ways, there in rows]


@kernel
def _look(wall: Real, at: Real, goal: Real, seen: Real) -> None:
    """Fill in what everybody sees; ``seen`` comes as zeros."""
    size, n = wall.shape[1], at.shape[1]
    for b in range(at.shape[0]):
        for i in range(n):
            for v in range(size):
                seen[b, i, v] = wall[b, v]
            for k in range(n):
                j = (i + k) % n
                seen[b, i, (1 + 2 * k) * size + at[b, j]] = 1.0
                seen[b, i, (2 + 2 * k) * size + goal[b, j]] = 1.0


@kernel
def _legal(wall: Real, at: Real, rows: int, columns: int, legal: Real) -> None:
    """Fill in (B, n, 5)."""
    for b in range(at.shape[0]):
        for i in range(at.shape[1]):
            legal[b, i, 0] = True
            for a in range(1, 5):
                legal[b, i, a] = target(wall[b], at[b, i], a, rows, columns) != at[b, i]


@kernel
def _step(
    wall: Real, at: Real, goal: Real, t: Real, over: Real, action: Real, rows: int, columns: int,
    shared: bool, horizon: int, at_next: Real, t_next: Real, reward: Array, flags: Real,
) -> bool:  # fmt: skip
    """Fill in what follows; False if a copy is over or an action not one of the five."""
    n = at.shape[1]
    stops = np.empty(n, dtype=np.bool_)
    for b in range(at.shape[0]):
        if over[b]:
            return False
        for i in range(n):
            if not 0 <= action[b, i] <= 4:
                return False
            at_next[b, i] = target(wall[b], at[b, i], action[b, i], rows, columns)
        settle(at[b], at_next[b], stops)
        total, there = 0.0, True
        for i in range(n):
            stays = at[b, i] == goal[b, i] and at_next[b, i] == goal[b, i]
            reward[b, i] = 0.0 if stays else -1.0
            total += reward[b, i]
            there = there and at_next[b, i] == goal[b, i]
        for i in range(n if shared else 0):
            reward[b, i] = total
        close(b, t, there, horizon, t_next, flags)
    return True
