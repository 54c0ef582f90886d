"""Any Markov game as an environment: states and rewards come from its tables.

    s₀ ~ initial,   s' ~ P(·|s, a),   reward R_i(s, a)

``TabularEnv(game)`` plays a :class:`~refmarl.games.markov.MarkovGame`, whose exact values
(:func:`~refmarl.games.markov.evaluate`, :func:`~refmarl.games.shapley.shapley`, …) say what
learning should find. Everybody sees who he is and the state, both as one-hot vectors. A state that
is never left and pays nobody is terminal: reaching it ends the episode.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Disc, Env, Group, Label, Scene, Shape, Step, refuse
from ..games import markov_examples
from ..games.markov import MarkovGame
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from . import _players
from ._frame import STEPS, close, room

GAMES = (
    "repeated_dilemma", "remembered_dilemma", "pennies_until_equal", "big_match", "soccer",
    "two_step", "team_game",
)  # fmt: skip


class State(NamedTuple):
    """B plays of the game."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    s: Real  # (B,) int64: the game's state


class Tables(NamedTuple):
    """A game laid out for the kernels; J joint actions, the last player's changing fastest."""

    start: Array  # (S,): P(s₀ ≤ s)
    moves: Array  # (S, J, S): P(s' ≤ ·|s, a)
    reward: Array  # (S, J, n)
    terminal: Real  # (S,) bool


@dataclass(frozen=True, eq=False)
class TabularEnv(Env):
    """A Markov game, played.

    Parameters
    ----------
    game : a MarkovGame, or the name of a function of :mod:`refmarl.games.markov_examples` that
        needs nothing but γ; with numbers: team_game:seed=3,n=2
    horizon : steps until truncation; 0 for none

    Raises
    ------
    InputError
        If there is no game of this name, or the horizon is negative.
    """

    name: ClassVar[str] = "tabular"
    game: str | MarkovGame = option("soccer", "a game, or the name of an example")
    horizon: int = option(50, *STEPS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.game, str):
            made = _players.maker(self.game, markov_examples, GAMES)
            if ":" in self.game:
                made(0.9)  # raises where a number does not fit

    def twin(self, gamma: float = 0.9) -> MarkovGame:
        """The game; ``gamma`` counts only where it was given by name."""
        if isinstance(self.game, MarkovGame):
            return self.game
        made: MarkovGame = _players.maker(self.game, markov_examples, GAMES)(gamma)
        return made

    def twin_state(self, state: State) -> Real:
        """(B,) where each copy is, as a state of the twin."""
        return state.s

    def twin_copies(self) -> State:
        """One copy in every state of the twin."""
        size = self.twin().num_states
        clock, never = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        return State(np.zeros(size, dtype=np.uint64), clock, never, np.arange(size))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The players, who see (who they are, the state): n + S numbers."""
        game = self.twin()
        names = tuple(f"player {p}" for p in game.players)
        wide = game.num_players + game.num_states
        return _players.player_groups(names, game.num_actions, wide)

    @cached_property
    def _tables(self) -> Tables:
        return tables(self.twin())

    @cached_property
    def _sizes(self) -> Real:
        return np.array(self.twin().num_actions, dtype=np.int64)

    def restart(self, key: Real) -> State:
        """States drawn from the initial distribution."""
        s, never = np.empty(len(key), dtype=np.int64), np.zeros(len(key), dtype=bool)
        start_states(key, self._tables.start, s)
        return State(key, np.zeros(len(key), dtype=np.int64), never, s)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(who, state) as one-hot vectors."""
        common = _players.one_hot(state.s, len(self._tables.terminal))
        return _players.split(self.groups, _players.seen_by_all(len(self._sizes), common))

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Pay, and move to the next state."""
        size, table = len(state.t), self._tables
        action, s = _players.all_actions(self, size, actions), np.empty_like(state.s)
        t, reward, flags = room(size, len(self._sizes))
        past = (state.key, state.s, state.t, state.ended)
        laid = (table.moves, table.reward, table.terminal)
        if not _step(*past, action, self._sizes, *laid, self.horizon, s, t, reward, flags):
            refuse(self, state, actions)
        rewards = _players.split(self.groups, reward)
        return State(state.key, t, flags[2], s), Step(rewards, flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Everybody's first action."""
        return tuple(np.zeros((len(state.t), len(g.agents)), dtype=np.int64) for g in self.groups)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The states on a circle, the present one filled."""
        game, here = self.twin(), int(state.s[copy])
        angles = np.linspace(0.0, 2 * np.pi, game.num_states, endpoint=False)
        centres = [(float(np.sin(a)), float(np.cos(a))) for a in angles]
        radius = min(0.25, 2.5 / game.num_states)
        discs = [Disc(c, radius, 0, filled=k == here) for k, c in enumerate(centres)]
        shapes: tuple[Shape, ...] = (*discs, Label((0.0, 0.0), game.states[here]))
        return Scene((-1.3, 1.3, -1.3, 1.3), shapes, f"step {int(state.t[copy])}")


def tables(game: MarkovGame) -> Tables:
    """A game's tables as the kernels want them."""
    n, size = game.num_players, game.num_states
    joint = prod(game.num_actions)
    transition = game.transition.reshape(size, joint, size)
    reward = np.ascontiguousarray(np.moveaxis(game.reward.reshape(n, size, joint), 0, -1))
    stays = (transition[np.arange(size), :, np.arange(size)] == 1.0).all(axis=1)
    terminal = stays & (reward == 0.0).all(axis=(1, 2))
    return Tables(cumulative(game.initial), cumulative(transition), reward, terminal)


def cumulative(p: Array) -> Array:
    """Running sums along the last axis; above 1 from the last possible outcome on."""
    size = p.shape[-1]
    last = size - 1 - np.argmax(p[..., ::-1] > 0.0, axis=-1)
    return np.where(np.arange(size) < last[..., None], np.cumsum(p, axis=-1), 2.0)


@kernel
def draw(cumulative: Array, u: float) -> int:
    """The first outcome whose running sum exceeds u, by bisection."""
    low, high = 0, cumulative.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if u < cumulative[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def start_states(key: Real, start: Array, s: Real) -> None:
    """Fill in first states (B,), drawn from the distribution of ``start``."""
    for b in range(s.shape[0]):
        s[b] = draw(start, uniform(key[b], 0, 0))


@kernel
def _step(
    key: Real,
    s: Real,
    t: Real,
    over: Real,
    action: Real,
    sizes: Real,
    moves: Array,
    pay: Array,
    terminal: Real,
    horizon: int,
    s_next: Real,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action out of range."""
    for b in range(s.shape[0]):
        joint = _players.joint_action(action, b, sizes)
        if over[b] or joint < 0:
            return False
        s_next[b] = draw(moves[s[b], joint], uniform(key[b], t[b] + 1, 0))
        for i in range(sizes.shape[0]):
            reward[b, i] = pay[s[b], joint, i]
        close(b, t, terminal[s_next[b]], horizon, t_next, flags)
    return True
