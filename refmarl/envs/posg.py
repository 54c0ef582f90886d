"""Dec-POMDPs as environments: Dec-Tiger, channel, robots, switch riddle, tiny Hanabi, random ones.

    s₀ ~ initial,   reward R_i(s, a),   s' ~ P(·|s, a),   o ~ O(·|s', a)

Plays a :class:`~refmarl.games.posg.POSG` over T rounds. Nobody sees the state. An agent sees who it
is, with ``clock`` the round, and its own last K observations, one-hot, zeros where there was none
yet: with K ≥ T − 1 its whole history. What a team can earn at best is known exactly for few rounds
(:func:`~refmarl.games.dec_pomdp.solve_dec_pomdp`). A state that is never left and pays nobody is
terminal.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from ..check import Array
from ..config import option
from ..env_api import Actions, Disc, Env, Group, Label, Scene, Shape, Step, refuse
from ..games import posg_examples
from ..games.posg import POSG, histories
from ..kernels._jit import kernel
from ..kernels.counter import uniform
from ..value_grad import Real
from . import _players
from ._frame import close, room
from .tabular import Tables, cumulative, draw, start_states, tables

GAMES = (
    "dec_tiger", "broadcast_channel", "recycling_robots", "switch_riddle", "tiny_hanabi",
    "team_game",
)  # fmt: skip


class State(NamedTuple):
    """B plays of the game."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    s: Real  # (B,) int64: the game's state, which nobody sees
    seen: Real  # (B, n, K) int64: each agent's last observations, the latest last; −1 for none


@dataclass(frozen=True, eq=False)
class PosgEnv(Env):
    """A partially observed game, played.

    Parameters
    ----------
    game : a POSG, or the name of a function of :mod:`refmarl.games.posg_examples`; with numbers:
        switch_riddle:prisoners=4
    horizon : T, rounds until truncation
    memory : K, own observations that an agent is shown
    clock : whether agents are shown the round

    Raises
    ------
    InputError
        If there is no game of this name, or a number is not in its range.

    Examples
    --------
    >>> env = PosgEnv("dec_tiger", horizon=3, memory=2)
    >>> env.groups[0].obs_dim  # who (2), round (3), two observations of two kinds
    9
    """

    name: ClassVar[str] = "dec-pomdp"
    game: str | POSG = option("dec_tiger", f"a game, or one of {', '.join(GAMES)}")
    horizon: int = option(4, "T, rounds", "[1, 1000]")
    memory: int = option(3, "K, own observations that an agent is shown", "[1, 1000]")
    clock: bool = option(True, "agents are shown the round")

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.game, str):
            made = _players.maker(self.game, posg_examples, GAMES)
            if ":" in self.game:
                made()  # raises where a number does not fit

    @cached_property
    def posg(self) -> POSG:
        """The game."""
        if isinstance(self.game, POSG):
            return self.game
        made: POSG = _players.maker(self.game, posg_examples, GAMES)()
        return made

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The players, who see (who they are, the round, their last observations)."""
        players = self.posg.game.players
        names = tuple(f"player {p}" for p in players)
        wide = len(players) + self.clock * self.horizon + self.memory * self._kinds
        return _players.player_groups(names, self.posg.num_actions, wide)

    @property
    def _kinds(self) -> int:
        """Of observations, at most."""
        return max(self.posg.num_observations)

    @cached_property
    def _tables(self) -> Tables:
        return tables(self.posg.game)

    @cached_property
    def _signals(self) -> Array:
        """P(o ≤ ·|s', a) as (S, J, O)."""
        size, joint = self._tables.reward.shape[:2]
        return cumulative(self.posg.observation.reshape(size, joint, -1))

    @cached_property
    def _sizes(self) -> tuple[Real, Real]:
        """(actions, observations) of each player."""
        posg = self.posg
        sizes = (posg.num_actions, posg.num_observations)
        return np.array(sizes[0], dtype=np.int64), np.array(sizes[1], dtype=np.int64)

    def restart(self, key: Real) -> State:
        """A state drawn from the initial distribution; nothing seen yet."""
        size, n = len(key), self.posg.num_players
        s, never = np.empty(size, dtype=np.int64), np.zeros(size, dtype=bool)
        start_states(key, self._tables.start, s)
        seen = np.full((size, n, self.memory), -1, dtype=np.int64)
        return State(key, np.zeros(size, dtype=np.int64), never, s, seen)

    def in_histories(self, t: int) -> State:
        """Copies in round t, the k-th with every agent in the k-th of its histories.

        As many as the agent with most observations has histories, O^t; who has fewer begins again.
        """
        counts = [o**t for o in self.posg.num_observations]
        size = max(counts)
        state = self.restart(np.zeros(size, dtype=np.uint64))
        seen, last = state.seen.copy(), min(t, self.memory)
        for i, count in enumerate(counts):
            past = histories(self.posg, i, t)[np.arange(size) % count]
            seen[:, i, self.memory - last :] = past[:, t - last :]
        return state._replace(t=np.full(size, t, dtype=np.int64), seen=seen)

    def observe(self, state: State) -> tuple[Array, ...]:
        """(who, round, the last observations) as one-hot vectors."""
        n, size = self.posg.num_players, len(state.t)
        past = _players.one_hot(state.seen, self._kinds).reshape(size, n, -1)
        parts = [np.broadcast_to(np.eye(n), (size, n, n)), past]
        if self.clock:
            rounds = _players.one_hot(state.t, self.horizon)
            parts.insert(1, np.repeat(rounds[:, None], n, axis=1))
        return _players.split(self.groups, np.concatenate(parts, axis=2))

    def global_state(self, state: State) -> Array:
        """What only a critic may see: the state, and everybody's observations."""
        seen = super().global_state(state)
        hidden = _players.one_hot(state.s, self.posg.game.num_states)
        return np.concatenate([hidden, seen], axis=1)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """Pay, move, and show everybody something."""
        size, table = len(state.t), self._tables
        (acts, shows), n = self._sizes, self.posg.num_players
        action, s = _players.all_actions(self, size, actions), np.empty_like(state.s)
        t, reward, flags = room(size, n)
        seen = np.empty_like(state.seen)
        past = (state.key, state.s, state.seen, state.t, state.ended)
        laid = (table.moves, self._signals, table.reward, table.terminal)
        filled = (s, seen, t, reward, flags)
        if not _step(*past, action, acts, shows, *laid, self.horizon, *filled):
            refuse(self, state, actions)
        rewards = _players.split(self.groups, reward)
        return State(state.key, t, flags[2], s, seen), Step(rewards, flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """Everybody's first action: to listen, to wait, to recharge."""
        return tuple(np.zeros((len(state.t), len(g.agents)), dtype=np.int64) for g in self.groups)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The hidden states on a circle, the present one filled; what each agent has seen."""
        game, here = self.posg.game, int(state.s[copy])
        angles = np.linspace(0.0, 2 * np.pi, game.num_states, endpoint=False)
        shapes: list[Shape] = []
        for k, a in enumerate(angles):
            at = (float(np.sin(a)), float(np.cos(a)))
            shapes += [Disc(at, 0.15, 0, filled=k == here)]
        shapes.append(Label((0.0, 0.3), game.states[here]))
        for i, row in enumerate(state.seen[copy]):
            told = " ".join(str(o) for o in row if o >= 0) or "–"
            shapes.append(Label((0.0, -0.1 - 0.3 * i), f"{game.players[i]} saw {told}", i))
        return Scene((-1.3, 1.3, -1.3, 1.3), tuple(shapes), f"round {int(state.t[copy])}")


@kernel
def _step(
    key: Real,
    s: Real,
    seen: Real,
    t: Real,
    over: Real,
    action: Real,
    acts: Real,
    shows: Real,
    moves: Array,
    signals: Array,
    pay: Array,
    terminal: Real,
    horizon: int,
    s_next: Real,
    seen_next: Real,
    t_next: Real,
    reward: Array,
    flags: Real,
) -> bool:
    """Fill in what follows; False if a copy is over or an action out of range."""
    n, memory = seen.shape[1], seen.shape[2]
    for b in range(s.shape[0]):
        joint = _players.joint_action(action, b, acts)
        if over[b] or joint < 0:
            return False
        s_next[b] = draw(moves[s[b], joint], uniform(key[b], t[b] + 1, 0))
        shown = draw(signals[s_next[b], joint], uniform(key[b], t[b] + 1, 1))
        for i in range(n - 1, -1, -1):
            for k in range(memory - 1):
                seen_next[b, i, k] = seen[b, i, k + 1]
            seen_next[b, i, memory - 1] = shown % shows[i]
            shown //= shows[i]
            reward[b, i] = pay[s[b], joint, i]
        close(b, t, terminal[s_next[b]], horizon, t_next, flags)
    return True
