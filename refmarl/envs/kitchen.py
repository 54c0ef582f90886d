"""A small kitchen: cooks who must share the way, the pot and the work.

Each cook stands on a cell of the floor and faces one of its four neighbours. All act at once: 0
stay, 1 north, 2 south, 3 west, 4 east, 5 use what is in front. A move turns the cook, and takes it
there if that is floor and nobody is in the way: of those who would be in one cell, or change
places, none moves. With empty hands one takes an onion or a dish from where they are, or whatever
lies on a table; on an empty table one puts what one holds. A pot takes onions, k in all, and then
cooks for c steps; from then on the soup is taken out with a dish in hand. A soup that is taken to
the exit is served: everybody is paid 1. Cooks who use one thing at once do so in their order.

Nothing is random, nobody is hidden from anybody, and the clock alone ends an episode.

``shaping`` also pays on the way: ``bonus`` for onions into a pot (together 0.45 a soup), for a dish
taken when a full pot has none waiting for it (0.15), for a soup taken out (0.25);
``potential`` pays γ Φ(s') − Φ(s), with Φ the same numbers for what there is, which moves no
optimum (2.9).

After Carroll et al. 2019, arXiv:1910.05789, and their Overcooked-AI; the kitchens are our own
drawings of three of theirs, made small enough to be solved
(:mod:`refmarl.envs.kitchen_optimum`). There 20 is paid for a soup, 3, 3 and 5 on the way.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import (
    GREY,
    INT,
    Actions,
    Disc,
    Discrete,
    Env,
    Group,
    Label,
    Scene,
    Segment,
    Step,
    refuse,
)
from ..value_grad import Real
from . import _kitchen, _players
from ._frame import lines, room
from ._kitchen import DISH, LAYOUTS, ONION, POT, SOUP

SHAPINGS = ("none", "bonus", "potential")
SIGNS = {_kitchen.ONIONS: "onions", _kitchen.DISHES: "dishes", _kitchen.EXIT: "exit"}
HELD = {ONION: "o", DISH: "d", SOUP: "s"}


class State(NamedTuple):
    """B kitchens with n cooks, and K tables and pots."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    at: Real  # (B, n) int64, cells
    facing: Real  # (B, n) int64: 1 north, 2 south, 3 west, 4 east
    held: Real  # (B, n) int64: 0 nothing, 1 an onion, 2 a dish, 3 a soup
    what: Real  # (B, K) int64: the same of a table, the number of onions of a pot
    clock: Real  # (B, K) int64: steps until the soup is done


@dataclass(frozen=True)
class Kitchen(Env):
    """One to three cooks, six actions.

    Examples
    --------
    >>> env = Kitchen("cramped", onions=1, cooking=3, horizon=20)
    >>> state = env.reset(np.random.default_rng(0), 1)
    >>> west, east, stay, use = 3, 4, 0, 5
    >>> for pair in [(west, 2), (use, west), (stay, 2), (stay, use)]:  # an onion, and a dish
    ...     state, _ = env.step(state, (np.array([pair]),))
    >>> print(state.at, state.held)
    [[5 9]] [[1 2]]
    """

    name: ClassVar[str] = "kitchen"
    layout: str = option("cramped", f"{', '.join(LAYOUTS)}, or rows of signs with / between")
    onions: int = option(2, "k, onions in a soup", "[1, 9]")
    cooking: int = option(4, "c, steps that a soup cooks", "[0, 1000]")
    shaping: str = option("none", "what is paid on the way", SHAPINGS)
    discount: float = option(0.99, "γ of the potential's differences", "[0, 1]")
    horizon: int = option(40, "T, steps until truncation", "[1, 1e6]")

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.plan

    @cached_property
    def plan(self) -> _kitchen.Plan:
        """The drawing as arrays."""
        return _kitchen.read(LAYOUTS.get(self.layout, self.layout))

    @property
    def constants(self) -> tuple[int, int, int, float]:
        """(k, c, kind of shaping, γ)."""
        return self.onions, self.cooking, SHAPINGS.index(self.shaping), self.discount

    @cached_property
    def _floor(self) -> Real:
        """(V,): cells of the floor counted, −1 elsewhere."""
        free = self.plan.kind == _kitchen.FLOOR
        return np.where(free, np.cumsum(free) - 1, -1)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All in one; cell, direction, what is held of each cook; 3 numbers of each place."""
        n, places = len(self.plan.start), len(self.plan.pot)
        names = tuple(f"cook {i + 1}" for i in range(n))
        wide = n * (int(self._floor.max()) + 1 + 7) + 3 * places
        return (Group("cooks", names, wide, Discrete(6)),)

    def restart(self, key: Real) -> State:
        """Where the drawing has them, empty hands, facing south."""
        size, (n, places) = len(key), (len(self.plan.start), len(self.plan.pot))
        at = np.tile(self.plan.start, (size, 1))
        facing, held = np.full((size, n), 2, dtype=INT), np.zeros((size, n), dtype=INT)
        what, clock = (np.zeros((size, places), dtype=INT) for _ in range(2))
        never = np.zeros(size, dtype=bool)
        return State(key, np.zeros(size, dtype=INT), never, at, facing, held, what, clock)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(I, then the others in turn; tables and pots), (B, n, O)."""
        seen = np.zeros((*state.at.shape, self.groups[0].obs_dim))
        _kitchen.look(self._floor, self.plan.pot, *self.constants[:2], *state[3:], seen)
        return (seen,)

    def global_state(self, state: State) -> Array:
        """What cook 1 sees, (B, O)."""
        return self.observe(state)[0][:, 0].copy()

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """All act."""
        size, plan = len(state.t), self.plan
        action = _players.all_actions(self, size, actions)
        t, reward, flags = room(size, len(plan.start))
        at, facing, held, what, clock = (field.copy() for field in state[3:])
        laid = (plan.kind, plan.slot, plan.pot, plan.shape, self.constants)
        now, moved = (state.t, state.ended, action, self.horizon), (at, facing, held, what, clock)
        if not _kitchen.step(*laid, *now, *moved, t, reward, flags):
            refuse(self, state, actions)
        after = State(state.key, t, flags[2], *moved)
        return after, Step((reward,), flags[0], flags[1])

    def potential(self, state: State) -> Array:
        """Φ (B,): how far soups are, in soups."""
        rows = zip(state.held, state.what, strict=True)
        return np.array([_kitchen.potential(*r, self.plan.pot, self.onions) for r in rows])

    def ceiling(self, state: State) -> Array:
        """(B,): the best that can be paid from here, exactly where it can be listed."""
        from .kitchen_optimum import ceiling  # not above: it needs this module

        return ceiling(self, state)

    def heuristic(self, state: State) -> Actions:
        """Everybody by itself: what the pot lacks, then a dish; around whoever is in the way."""
        from .kitchen_plans import greedy

        return (greedy(self, state),)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The kitchen from above; rings are things to use, discs cooks, with what they hold."""
        rows, columns = self.plan.shape
        shapes: list[Any] = [*lines(rows, columns)]
        for cell, kind in enumerate(self.plan.kind):
            if kind == _kitchen.FLOOR:
                continue
            x, y = self._middle(cell)
            if kind == _kitchen.WALL:
                shapes.append(Segment((x - 0.5, y), (x + 0.5, y), 1.0))
                continue
            text = SIGNS.get(int(kind)) or self._told(state, copy, cell)
            shapes += [Disc((x, y), 0.42, GREY, filled=False), Label((x, y), text)]
        for i, cell in enumerate(state.at[copy]):
            x, y = self._middle(int(cell))
            dx, dy = ((0, 1), (0, -1), (-1, 0), (1, 0))[state.facing[copy, i] - 1]
            shapes += [Disc((x, y), 0.3, i), Segment((x, y), (x + 0.45 * dx, y + 0.45 * dy))]
            shapes.append(Label((x, y), f"{i + 1}{HELD.get(int(state.held[copy, i]), '')}"))
        limits = (-0.2, columns + 0.2, -0.2, rows + 0.2)
        return Scene(limits, tuple(shapes), f"step {int(state.t[copy])}")

    def _told(self, state: State, copy: int, cell: int) -> str:
        """What is on a table or in a pot."""
        k = self.plan.slot[cell]
        what = int(state.what[copy, k])
        if self.plan.kind[cell] != POT:
            return HELD.get(what, "")
        return f"pot {what}" if what < self.onions else f"soup {state.clock[copy, k]}"

    def _middle(self, cell: int) -> tuple[float, float]:
        rows, columns = self.plan.shape
        return cell % columns + 0.5, rows - cell // columns - 0.5
