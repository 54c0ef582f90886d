"""A game in normal form, played again and again by players who remember the last round.

Any :class:`~refmarl.games.NormalForm`, or one of the library by name. Everybody sees who he is and
what each player did in the round before (zeros in the first), one-hot; everybody acts at once and
is paid u_i(a). Never terminated, truncated at the horizon.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Env, Group, Label, Scene, Step, refuse
from ..games import library
from ..games.markov import MarkovGame
from ..games.normal_form import NormalForm
from ..kernels._jit import kernel
from ..value_grad import Real
from . import _players
from ._frame import STEPS, close, room


class State(NamedTuple):
    """B plays of the game."""

    key: Real  # (B,) uint64; nothing here is random
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    last: Real  # (B, n) int64: what was played, −1 before the first round


@dataclass(frozen=True, eq=False)
class Matrix(Env):
    """A repeated game.

    Parameters
    ----------
    game : a NormalForm, or a name of :mod:`refmarl.games.library`; with numbers: penalty:k=-30
    horizon : rounds until truncation; 0 for none
    """

    name: ClassVar[str] = "matrix"
    game: str | NormalForm = option("prisoners-dilemma", "a game, or its name in the library")
    horizon: int = option(25, *STEPS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.game, str):
            _named(self.game)  # raises if there is none

    @cached_property
    def stage(self) -> NormalForm:
        """The game of one round."""
        return _named(self.game) if isinstance(self.game, str) else self.game

    def twin(self, gamma: float = 0.9) -> MarkovGame:
        """The same as a Markov game: state 0 begins, state 1 + j follows joint action j."""
        sizes = self.stage.num_actions
        joint = prod(sizes)
        _players.twin_size(joint + 1, sizes)
        moves = np.zeros((joint + 1, joint, joint + 1))
        moves[:, np.arange(joint), 1 + np.arange(joint)] = 1.0
        shape = (joint + 1, *sizes, joint + 1)
        reward = np.repeat(self.stage.payoffs[:, None], joint + 1, axis=1)
        names = ("start", *(" ".join(a) for a in product(*self.stage.actions)))
        initial = np.eye(joint + 1)[0]
        title = f"Repeated: {self.stage.title}"
        return MarkovGame(moves.reshape(shape), reward, gamma, initial, title, names)

    def twin_state(self, state: State) -> Real:
        """(B,) where each copy is, as a state of the twin."""
        joint = np.ravel_multi_index(tuple(np.maximum(state.last, 0).T), self.stage.num_actions)
        return np.where(state.last[:, 0] < 0, 0, 1 + joint)

    def twin_copies(self) -> State:
        """One copy in every state of the twin."""
        sizes = self.stage.num_actions
        first = self.restart(np.zeros(1 + prod(sizes), dtype=np.uint64))
        played = np.array(list(np.ndindex(*sizes)), dtype=np.int64)
        return first._replace(last=np.concatenate([first.last[:1], played]))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The players, who see (who they are, what each did last): n + Σ A_i numbers."""
        sizes = self.stage.num_actions
        names = tuple(f"player {p}" for p in self.stage.players)
        return _players.player_groups(names, sizes, len(sizes) + sum(sizes))

    @cached_property
    def _pay(self) -> Array:
        """u as (J, n)."""
        return np.ascontiguousarray(self.stage.payoffs.reshape(len(self.stage.payoffs), -1).T)

    @cached_property
    def _sizes(self) -> Real:
        return np.array(self.stage.num_actions, dtype=np.int64)

    def restart(self, key: Real) -> State:
        """Nothing played yet."""
        size, never = len(key), np.zeros(len(key), dtype=bool)
        last = np.full((size, len(self._sizes)), -1, dtype=np.int64)
        return State(key, np.zeros(size, dtype=np.int64), never, last)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(who, the last actions) as one-hot vectors."""
        hot = [_players.one_hot(state.last[:, i], k) for i, k in enumerate(self._sizes)]
        common = np.concatenate(hot, axis=1)
        return _players.split(self.groups, _players.seen_by_all(len(self._sizes), common))

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Play a round."""
        size = len(state.t)
        action = _players.all_actions(self, size, actions)
        t, reward, flags = room(size, len(self._sizes))
        given = (state.t, state.ended, action, self._sizes, self._pay, self.horizon)
        if not _step(*given, t, reward, flags):
            refuse(self, state, actions)
        rewards = _players.split(self.groups, reward)
        return State(state.key, t, flags[2], action.copy()), Step(rewards, flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Tit for tat where all have the same actions: what the next player did; first 0."""
        do = np.minimum(np.maximum(np.roll(state.last, -1, axis=1), 0), self._sizes - 1)
        return _players.split(self.groups, do)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """Who played what in the last round, and what it paid."""
        game, last = self.stage, [int(a) for a in state.last[copy]]
        shapes = []
        for i, a in enumerate(last):
            y = float(game.num_players - i)
            did = game.actions[i][a] if a >= 0 else "–"
            paid = f"{game.at(last)[i]:g}" if a >= 0 else ""
            texts = zip((0.5, 2.0, 3.5), (game.players[i], did, paid), strict=True)
            shapes += [Label((x, y), text, i) for x, text in texts]
        top = game.num_players + 1.0
        return Scene((0.0, 4.0, 0.0, top), tuple(shapes), f"round {int(state.t[copy])}")


def _named(text: str) -> NormalForm:
    """A game of the library, with its numbers if they are given: ``penalty:k=-30``."""
    name, values = _players.spelled(text)
    return library.game(name, **values)


@kernel
def _step(
    t: Real,
    over: Real,
    action: Real,
    sizes: Real,
    pay: Array,
    horizon: int,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action out of range."""
    for b in range(t.shape[0]):
        joint = _players.joint_action(action, b, sizes)
        if over[b] or joint < 0:
            return False
        for i in range(sizes.shape[0]):
            reward[b, i] = pay[joint, i]
        close(b, t, False, horizon, t_next, flags)
    return True
