"""Level-based foraging: food that is too heavy for one must be lifted together.

Agents with levels walk on a grid: 0 nothing, 1 north, 2 south, 3 west, 4 east, 5 load. Nobody can
leave the field or step on food; a step that is not possible, like loading with no food beside one,
counts as nothing (the mask tells). If several would be in one cell, those who move stay instead.
Those who load beside the same food lift it together. If their levels sum to at least the food's, it
is gone and each is paid level · food's level / (sum of their levels · all food spawned), which
makes all rewards of an episode sum to at most 1. Else each pays ``penalty``. Terminated when
nothing is left.

Albrecht & Ramamoorthy 2013; Papoudakis, Christianos, Schäfer & Albrecht 2021, whose implementation
(lbforaging 3) these rules follow, in one point stricter: there an agent may step onto one whose own
step failed, and both stand in one cell; here it stays.

What is seen: (row, column, level) of every food, then of oneself, then of the others; −1, −1, 0 for
what is eaten or out of sight. With a limited sight s the rows and columns count within one's own
window of 2 s + 1 cells, cut at the edges.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array, InputError
from ..config import option
from ..env_api import Actions, Disc, Discrete, Env, Group, Label, Scene, Step, refuse
from ..value_grad import Real
from . import _foraging, _players
from ._frame import STEPS, lines, room


class State(NamedTuple):
    """B fields with N agents and F foods."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    at: Real  # (B, N, 2) int64: row and column of the agents
    level: Real  # (B, N) int64
    food_at: Real  # (B, F, 2) int64, row by row
    food: Real  # (B, F) int64: level of what is there, 0 where it is eaten
    total: Real  # (B,) int64: the levels of all food at the beginning


@dataclass(frozen=True)
class Foraging(Env):
    """Agents alike but for their levels, six actions."""

    name: ClassVar[str] = "foraging"
    rows: int = option(8, "cells southwards", "[3, 1000]")
    columns: int = option(8, "cells eastwards", "[3, 1000]")
    players: int = option(2, "N, agents", "[1, 1000]")
    foods: int = option(3, "F, things to eat", "[1, 1000]")
    max_level: int = option(2, "an agent has a level from 1 to this", "[1, 1e6]")
    cooperative: bool = option(False, "all food as heavy as the three weakest can lift")
    sight: int = option(0, "how far the agents see; 0 for everything", "[0, 1000]")
    penalty: float = option(0.0, "what is paid for lifting in vain", "[0, 1e6]")
    horizon: int = option(50, *STEPS)

    def __post_init__(self) -> None:
        super().__post_init__()
        size, inner = f"{self.rows} × {self.columns} cells", (self.rows - 2) * (self.columns - 2)
        if self.foods > inner:
            raise InputError(f"foods: no room for {self.foods} inside of {size}")
        if self.players + self.foods > self.rows * self.columns:
            raise InputError(f"players: no room for {self.players} beside the food in {size}")

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All agents in one; they see 3 (F + N) numbers."""
        names = tuple(f"forager {i + 1}" for i in range(self.players))
        return (Group("foragers", names, 3 * (self.foods + self.players), Discrete(6)),)

    @property
    def _sight(self) -> int:
        return self.sight or max(self.rows, self.columns)

    def permuted(self, state: Any, order: tuple[Real, ...]) -> Any:
        """The same field with the agents counted otherwise."""
        at, level = (np.ascontiguousarray(a[:, order[0]]) for a in (state.at, state.level))
        return state._replace(at=at, level=level)

    def restart(self, key: Real) -> State:
        """Agents anywhere, food inside, no two foods next to or two steps from each other."""
        size = len(key)
        at, food_at = (np.zeros((size, k, 2), np.int64) for k in (self.players, self.foods))
        level, food = (np.zeros((size, k), np.int64) for k in (self.players, self.foods))
        rules = (self.rows, self.columns, self.max_level, self.cooperative)
        _foraging.place(key, *rules, at, level, food_at, food)
        t, never = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        return State(key, t, never, at, level, food_at, food, food.sum(axis=1))

    def observe(self, state: State) -> tuple[Array, ...]:
        """(row, column, level) of the foods, of oneself, of the others: (B, N, 3 (F + N))."""
        group = self.groups[0]
        seen = np.empty((len(state.t), len(group.agents), group.obs_dim))
        _foraging.look(state.at, state.level, state.food_at, state.food, self._sight, seen)
        return (seen,)

    def global_state(self, state: State) -> Array:
        """(row, column, level) of every food and agent, (B, 3 (F + N)); eaten food has level 0."""
        foods = np.concatenate([state.food_at, state.food[..., None]], axis=2)
        agents = np.concatenate([state.at, state.level[..., None]], axis=2)
        both = np.concatenate([foods, agents], axis=1)
        return both.reshape(len(both), -1).astype(np.float64)

    def mask(self, state: State) -> tuple[Real | None, ...]:
        """Steps onto free ground, and loading beside food."""
        legal = np.empty((*state.level.shape, 6), dtype=bool)
        _foraging.legal_actions(state.at, state.food_at, state.food, self.rows, self.columns, legal)
        return (legal,)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Walk, then lift."""
        size = len(state.t)
        action = _players.all_actions(self, size, actions)
        at, food = np.empty_like(state.at), np.empty_like(state.food)
        t, reward, flags = room(size, self.players)
        rules = (self.rows, self.columns, self.penalty, self.horizon)
        before = (state.at, state.level, state.food_at, state.food, state.total)
        filled = (at, food, t, reward, flags)
        if not _foraging.step(*before, state.t, state.ended, action, *rules, *filled):
            refuse(self, state, actions)
        after = state._replace(t=t, ended=flags[2], at=at, food=food)
        return after, Step((reward,), flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Everybody walks to the food nearest to agent 1 and loads there."""
        action = np.empty(state.level.shape, dtype=np.int64)
        legal = np.asarray(self.mask(state)[0])
        _foraging.greedy(state.key, state.t, state.at, state.food_at, state.food, legal, action)
        return (action,)

    def ceiling(self, state: State) -> Array:
        """(B,): the mean over the agents of all that can be eaten; lifting in vain pays nobody."""
        share = state.food.sum(axis=1) / np.maximum(state.total, 1)
        return np.asarray(share / self.players)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The grid, the food with its levels, the agents with theirs."""
        rows, columns = float(self.rows), float(self.columns)
        shapes: list[Any] = [*lines(self.rows, self.columns)]
        for (row, column), level in zip(state.food_at[copy], state.food[copy], strict=True):
            at = (column + 0.5, rows - row - 0.5)
            shapes += [Disc(at, 0.4, filled=False), Label(at, str(level))] if level else []
        for i, (row, column) in enumerate(state.at[copy]):
            at = (column + 0.5, rows - row - 0.5)
            shapes += [Disc(at, 0.35, i), Label(at, str(state.level[copy, i]))]
        caption = f"step {int(state.t[copy])}"
        return Scene((-0.2, columns + 0.2, -0.2, rows + 0.2), tuple(shapes), caption)
