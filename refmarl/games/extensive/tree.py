"""Two-player zero-sum games with chance moves and imperfect information, as arrays  [+].

The rules of a game are a function from a *history*, the tuple of moves so far, to what happens
there: somebody decides, chance moves, or the game is over. :func:`build` walks them once, level by
level, and keeps what all computations need, the sequence form:

    a sequence s     a decision of a player, (information set, action); everything that the player
                     did before is then known as well, because it forgets nothing (perfect recall)
    u(x) = Σ_leaves w(l) r_1(s_1(l)) r_2(s_2(l)),     w = chance's probability times the payoff
    r_i(s) = r_i(parent of s) x(s),   r_i = 1 before player i's first decision

H. Kuhn 1953, "Extensive games and the problem of information" (perfect recall); D. Koller,
N. Megiddo, B. von Stengel 1996 (sequence form).

Axes: I information sets of both players together, S sequences, L leaves. Information set k owns
the sequences offset[k], …, offset[k+1]-1, one for each action, and comes after all that its owner
may have passed before it. Index S stands for the empty sequence. A *behaviour strategy* x, (S,),
holds the probabilities of both players.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import check
from ...check import Array, InputError

Ints = NDArray[np.int64]
History = tuple[str, ...]

MAX_NODES = 1_000_000  # of a tree, about 10 s


class Leaf(NamedTuple):
    """The game is over."""

    payoff: float  # to player 0; player 1 receives the negative


class Chance(NamedTuple):
    """Chance moves."""

    outcomes: tuple[tuple[str, float], ...]  # (move, probability)


class Decision(NamedTuple):
    """A player decides, knowing no more than ``information``."""

    player: int  # 0 or 1
    information: str  # equal at histories that the player cannot tell apart
    actions: tuple[str, ...]


Rules = Callable[[History], Leaf | Chance | Decision]


@dataclass(frozen=True, eq=False)
class ExtensiveGame:
    """A game tree in sequence form, made by :func:`build`."""

    title: str
    information: tuple[str, ...]  # (I,) names
    actions: tuple[tuple[str, ...], ...]  # (I,) of names
    owner: Ints  # (I,) 0 or 1
    offset: Ints  # (I + 1,)
    parent: Ints  # (I,) the owner's sequence before this set
    last: Ints  # (2, L) both players' last sequences at each leaf
    weight: Array  # (L,) chance's probability times player 0's payoff
    payoff: Array  # (L,) player 0's payoff
    nodes: int  # of the tree

    @property
    def num_sequences(self) -> int:
        """S, the empty one not counted."""
        return int(self.offset[-1])

    def behaviour(self, probabilities: Mapping[str, Sequence[float]]) -> Array:
        """The strategy (S,) with these probabilities by information set, uniform elsewhere.

        Raises
        ------
        InputError
            If there is no such information set or its entry is not a distribution.
        """
        x = np.repeat(1.0 / np.diff(self.offset), np.diff(self.offset))
        for name, values in probabilities.items():
            if name not in self.information:
                raise InputError(f"strategy: no information set {name!r} in {self.title!r}")
            k = self.information.index(name)
            place = slice(self.offset[k], self.offset[k + 1])
            x[place] = check.mixture(values, len(self.actions[k]), f"strategy at {name!r}")
        return x

    def uniform(self) -> Array:
        """The strategy that mixes evenly everywhere."""
        return self.behaviour({})

    def table(self, x: Any) -> dict[str, dict[str, float]]:
        """``x`` for people: the probability of each action at each information set."""
        parts = np.split(self.strategy(x), self.offset[1:-1])
        named = zip(self.information, self.actions, parts, strict=True)
        return {name: dict(zip(a, p.tolist(), strict=True)) for name, a, p in named}

    def strategy(self, x: Any) -> Array:
        """``x`` (S,) as float64, checked against this game."""
        values = check.real_array(x, "strategy")
        if values.shape != (self.num_sequences,):
            raise InputError(
                f"strategy: need {self.num_sequences} probabilities, got shape {values.shape}"
            )
        if values.min() < -1e-9 or abs(np.add.reduceat(values, self.offset[:-1]) - 1).max() > 1e-6:
            raise InputError("strategy: need probabilities ≥ 0 that sum to 1 at each set")
        return values


@dataclass
class _Sets:
    """The information sets met so far."""

    index: dict[str, int] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=lambda: [0])

    def enter(self, node: Decision, last: tuple[int, int], history: History) -> int:
        """The first sequence of the node's set, which is new or must be as it was."""
        where = f"history {history}"
        if node.player not in (0, 1):
            raise InputError(f"{where}: need player 0 or 1, got {node.player!r}")
        if not node.actions or len(set(node.actions)) < len(node.actions):
            raise InputError(f"{where}: need actions with different names, got {node.actions}")
        parent = last[node.player]
        k = self.index.setdefault(node.information, len(self.index))
        if k == len(self.decisions):
            self.decisions.append(node)
            self.parent.append(parent)
            self.offset.append(self.offset[-1] + len(node.actions))
        if self.decisions[k] != node:
            raise InputError(f"{where}: {node} differs from {self.decisions[k]}, met before")
        if self.parent[k] != parent:
            raise InputError(f"{where}: player {node.player} forgot a move of its own")
        return self.offset[k]


def build(rules: Rules, title: str = "") -> ExtensiveGame:
    """The tree of all histories that ``rules`` allows.

    Raises
    ------
    InputError
        If chance's probabilities are none, an information set is not the same at all its
        histories, a player forgets what it did or knew, nobody decides anything, or the tree has
        more than ``MAX_NODES`` histories.

    Examples
    --------
    A coin is tossed, player 0 sees it and may pass; player 1 sees neither the coin nor the move.

    >>> def rules(history):
    ...     if len(history) == 0:
    ...         return Chance((("heads", 0.5), ("tails", 0.5)))
    ...     if len(history) == 1:
    ...         return Decision(0, history[0], ("pass", "stay"))
    ...     if len(history) == 2:
    ...         return Decision(1, "guess", ("heads", "tails"))
    ...     return Leaf(0 if history[1] == "pass" else 1 if history[0] != history[2] else -1)
    >>> game = build(rules)
    >>> game.information, game.nodes, len(game.weight)
    (('heads', 'tails', 'guess'), 15, 8)
    """
    sets, leaves, nodes = _Sets(), [], 0
    queue: deque[tuple[History, float, tuple[int, int]]] = deque([((), 1.0, (-1, -1))])
    while queue:
        history, chance, last = queue.popleft()
        node, nodes = rules(history), nodes + 1
        if nodes + len(queue) > MAX_NODES:
            raise InputError(f"the tree has more than {MAX_NODES} histories")
        if isinstance(node, Leaf):
            payoff = float(check.real_array(node.payoff, f"payoff at history {history}", 0))
            leaves.append((*last, chance, payoff))
        elif isinstance(node, Chance):
            moves, p = [m for m, _ in node.outcomes], [float(q) for _, q in node.outcomes]
            check.mixture(p, len(moves), f"chance at history {history}")
            queue.extend(((*history, m), chance * q, last) for m, q in zip(moves, p, strict=True))
        else:
            first = sets.enter(node, last, history)
            for s, action in enumerate(node.actions, start=first):
                after = (s, last[1]) if node.player == 0 else (last[0], s)
                queue.append(((*history, action), chance, after))
    if not sets.decisions:
        raise InputError("nobody decides anything in this game")
    return _game(title, sets, leaves, nodes)


def _game(
    title: str, sets: _Sets, leaves: list[tuple[int, int, float, float]], nodes: int
) -> ExtensiveGame:
    """The arrays of what was met; -1 becomes S."""
    first, second, chance, payoff = (np.array(x) for x in zip(*leaves, strict=True))
    size, last = sets.offset[-1], np.stack([first, second]).astype(np.int64)
    parent = np.array(sets.parent, dtype=np.int64)
    return ExtensiveGame(
        title,
        tuple(d.information for d in sets.decisions),
        tuple(d.actions for d in sets.decisions),
        np.array([d.player for d in sets.decisions], dtype=np.int64),
        np.array(sets.offset, dtype=np.int64),
        np.where(parent < 0, size, parent),
        np.where(last < 0, size, last),
        chance * payoff,
        payoff,
        nodes,
    )
