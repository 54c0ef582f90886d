"""Hanabi: everybody sees all cards but the own, and a team lays them in order by hints.

Each of C colours has ranks 1 … R. Who is in turn discards a card, plays one, or tells another
player which of its cards have one colour, or one rank: all of them, and at least one. A hint costs
a token. A played card that is the next of its colour is laid on the board and pays everybody 1;
any other is lost, and a life with it. Whose hand has a gap draws. A discard gives a token back (it
is not allowed when all are there), and so does a colour's last card. It is over when a life is the
last, when all is laid, or when everybody has had one more turn after the deck ran out. With
``forfeit`` the last life takes all that was earned, so that the return is 0.

Who is not in turn has one legal action, to wait; actions are numbered as in
:mod:`refmarl.envs._hanabi`. A player sees the others' hands, what is still possible of every
card after the hints (their own hand's first), the board, the discards, how much is left, who is in
turn, and the last action with the card that it showed. Everything counts from the own seat on, so
that players who change seats see the same. What a hint meant, beyond its words, is for memory.

Bard et al. 2020, "The Hanabi challenge", arXiv:1902.00506, whose Hanabi Learning Environment has
these rules and the sizes ``very-small``, ``small`` and ``full``. What is optimal in ``tiny`` is
known exactly: :mod:`refmarl.games.hanabi`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array, InputError
from ..config import option
from ..env_api import Actions, Disc, Discrete, Env, Group, Label, Scene, Step, refuse
from ..games.hanabi import Rules, deals, optimum, searchable
from ..value_grad import Real
from . import _hanabi, _players
from ._frame import STEPS, room

NAMED = {
    "tiny": Rules(2, 2, (2, 1), 1, 2, 1, 1),
    "mini": Rules(2, 3, (2, 2, 1), 2, 2, 3, 2),
    "very-small": Rules(1, 5, (3, 2, 2, 2, 1), 2, 2, 3, 1),
    "small": Rules(2, 5, (3, 2, 2, 2, 1), 2, 2, 3, 1),
    "full": Rules(5, 5, (3, 2, 2, 2, 1), 5, 2, 8, 3),
}
AS_SIZED = "; none: as the size has it"
CHANGES = (
    "drawn", "hand", "colours", "ranks", "board", "gone", "tokens", "lives", "left", "turn", "last",
)  # fmt: skip


class State(NamedTuple):
    """B tables with N players, H cards in a hand, D cards in all."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    deck: Real  # (B, D) int64: all cards, in the order in which they are drawn
    drawn: Real  # (B,) int64: how many have been
    hand: Real  # (B, N, H) int64: the oldest first, −1 for none
    colours: Real  # (B, N, H, C) bool: what hints leave possible of a card
    ranks: Real  # (B, N, H, R) bool
    board: Real  # (B, C) int64: cards laid
    gone: Real  # (B, C, R) int64: cards discarded or lost
    tokens: Real  # (B,) int64
    lives: Real  # (B,) int64
    left: Real  # (B,) int64: turns that are left when the deck is out
    turn: Real  # (B,) int64: who acts
    last: Real  # (B, 3) int64: action, card shown, whether it was laid; −1 for none


@dataclass(frozen=True)
class Hanabi(Env):
    """Players alike; a ``size`` gives the numbers, and each may be another.

    Raises
    ------
    InputError
        If a number is out of range, there are not as many copies as ranks, or too few cards.

    Examples
    --------
    >>> env = Hanabi(size="small", players=3)
    >>> env.numbers.hand, env.groups[0].space  # 2 discards, 2 plays, 2 · 7 hints, to wait
    (2, Discrete(n=19))
    """

    name: ClassVar[str] = "hanabi"
    size: str = option("mini", "the numbers that are not given", tuple(NAMED))
    colours: int | None = option(None, f"C{AS_SIZED}", "[1, 10]")
    top: int | None = option(None, f"R, ranks{AS_SIZED}", "[1, 10]")
    copies: tuple[int, ...] = option((), "of each rank, lowest first; none: as R has it", "[1, 10]")
    hand: int | None = option(None, f"H, cards in a hand{AS_SIZED}", "[1, 10]")
    players: int | None = option(None, f"N{AS_SIZED}", "[2, 10]")
    tokens: int | None = option(None, f"for hints, at first and at most{AS_SIZED}", "[0, 100]")
    lives: int | None = option(None, f"cards that may be lost in playing{AS_SIZED}", "[1, 100]")
    forfeit: bool = option(True, "losing the last life takes all that was earned")
    horizon: int = option(0, *STEPS)

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = self.numbers
        if len(rules.copies) != rules.ranks:
            raise InputError(f"copies: need {rules.ranks}, one for each rank, got {rules.copies}")
        if len(rules.cards) < rules.players * rules.hand:
            need = f"{rules.players} hands of {rules.hand}"
            raise InputError(f"hand: need cards for {need}, there are {len(rules.cards)}")

    @cached_property
    def numbers(self) -> Rules:
        """All numbers."""
        named = NAMED[self.size]
        given: dict[str, Any] = {
            "colours": self.colours, "ranks": self.top, "copies": self.copies or None,
            "hand": self.hand, "players": self.players, "tokens": self.tokens, "lives": self.lives,
        }  # fmt: skip
        if self.top not in (None, named.ranks) and not self.copies:
            given["copies"] = usual(self.top or 1)
        return named._replace(**{k: v for k, v in given.items() if v is not None})

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All players in one."""
        n = self.numbers.players
        names = tuple(f"player {i + 1}" for i in range(n))
        return (Group("players", names, sum(self.layout.values()), Discrete(self.wait + 1)),)

    @property
    def _shape(self) -> tuple[int, int, int, int]:
        """N, H, C, R."""
        return self.numbers.players, self.numbers.hand, self.numbers.colours, self.numbers.ranks

    @property
    def wait(self) -> int:
        """The action of who is not in turn."""
        n, size, kinds, values = self._shape
        return 2 * size + (n - 1) * (kinds + values)

    @cached_property
    def layout(self) -> dict[str, int]:
        """How many numbers of an observation tell what, in their order."""
        n, size, kinds, values = self._shape
        cards = kinds * values
        return {
            "hands": (n - 1) * size * cards,  # of the others, one-hot
            "possible": n * size * (kinds + values),  # what hints leave of each card
            "board": cards,
            "gone": cards,  # share of the copies that is lost
            "left": 4,  # of deck, tokens, lives, turns after the deck: shares
            "turn": n,
            "action": self.wait,  # the last one
            "shown": cards + 1,  # the card it showed, and whether it was laid
        }

    @cached_property
    def _limits(self) -> Real:
        """Copies of each rank, then tokens and lives at first."""
        return np.array(
            [*self.numbers.copies, self.numbers.tokens, self.numbers.lives], dtype=np.int64
        )

    def restart(self, key: Real) -> State:
        """A shuffled deck, hands dealt from it."""
        deck = np.tile(np.array(self.numbers.cards, dtype=np.int64), (len(key), 1))
        hand = np.empty((len(key), *self._shape[:2]), dtype=np.int64)
        _hanabi.shuffle(key, deck, hand)
        return self._dealt(key, deck, hand)

    def _dealt(self, key: Real, deck: Real, hand: Real) -> State:
        """The beginning, with these hands."""
        n, size, kinds, values = self._shape

        def whole(value: int, *shape: int) -> Real:
            return np.full((len(key), *shape), value, dtype=np.int64)

        last = whole(-1, 3)
        last[:, 2] = 0
        colours, ranks = (np.ones((len(key), n, size, k), dtype=bool) for k in (kinds, values))
        return State(
            key, whole(0), np.zeros(len(key), dtype=bool), deck, whole(n * size), hand, colours,
            ranks, whole(0, kinds), whole(0, kinds, values), whole(self.numbers.tokens),
            whole(self.numbers.lives), whole(n), whole(0), last,
        )  # fmt: skip

    def deals(self) -> tuple[State, Array] | None:
        """(beginnings with every order of the deck, what is the probability of each).

        Orders of which nobody can tell the difference count once; None if there are too many.
        """
        found = deals(self.numbers)
        if found is None:
            return None
        n, size = self._shape[:2]
        hand = found[:, : n * size].reshape(-1, n, size).copy()
        state = self._dealt(np.zeros(len(found), dtype=np.uint64), found, hand)
        return state, np.full(len(found), 1.0 / len(found))

    def optimum(self) -> float | None:
        """What the best joint policy scores on average; None if it is too much to search.

        None also with a horizon, which may cut the game before a life is lost.
        """
        if self.horizon or not searchable(self.numbers):
            return None
        return float(optimum(self.numbers, self.forfeit))

    def permuted(self, state: Any, order: tuple[Real, ...]) -> Any:
        """Everybody some seats further on; another order of play would be another game."""
        n, first = self.numbers.players, int(order[0][0])
        if not (order[0] == (first + np.arange(n)) % n).all():
            return None
        moved = {f: getattr(state, f)[:, order[0]].copy() for f in ("hand", "colours", "ranks")}
        return state._replace(**moved, turn=(state.turn - first) % n)

    def _look(self, state: State, mine: bool, seen: Array) -> Array:
        public = (state.board, state.gone, self._limits, state.tokens, state.lives, state.left)
        cards = (state.deck, state.drawn, state.hand, state.colours, state.ranks)
        _hanabi.look(mine, *cards, *public, state.turn, state.last, seen)
        return seen

    def observe(self, state: State) -> tuple[Array, ...]:
        """What :attr:`layout` says, (B, N, O)."""
        seen = np.zeros((len(state.t), self.numbers.players, self.groups[0].obs_dim))
        return (self._look(state, False, seen),)

    def global_state(self, state: State) -> Array:
        """What player 1 would see with the own hand, too: its cards come first, (B, S)."""
        _, size, kinds, values = self._shape
        wide = self.groups[0].obs_dim + size * kinds * values
        return self._look(state, True, np.zeros((len(state.t), 1, wide)))[:, 0]

    def mask(self, state: State) -> tuple[Real | None, ...]:
        """What is allowed to who is in turn; all others wait."""
        n, _, kinds, values = self._shape
        legal = np.empty((len(state.t), n, self.wait + 1), dtype=bool)
        given = (state.ended, state.turn, state.hand, state.tokens, self.numbers.tokens)
        _hanabi.legal_actions(*given, kinds, values, legal)
        return (legal,)

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """One turn."""
        action = _players.all_actions(self, len(state.t), actions)
        t, reward, flags = room(len(state.t), self.numbers.players)
        what = (self.numbers.tokens, self.forfeit, self.horizon)
        s = state._replace(**{name: getattr(state, name).copy() for name in CHANGES})
        cards = (s.drawn, s.hand, s.colours, s.ranks, s.board, s.gone)
        rest = (s.tokens, s.lives, s.left, s.turn, s.last, t, reward, flags)
        if not _hanabi.step(state.t, state.ended, s.deck, action, *what, *cards, *rest):
            refuse(self, state, actions)
        return s._replace(t=t, ended=flags[2]), Step((reward,), flags[0], flags[1])

    def heuristic(self, state: State) -> Actions:
        """As one who sees the own hand: play what fits, else discard what is useless, else hint."""
        action = np.empty((len(state.t), self.numbers.players), dtype=np.int64)
        public = (state.board, state.gone, self._limits, state.tokens, self.numbers.tokens)
        _hanabi.open_handed(state.ended, state.turn, state.hand, *public, action)
        return (action,)

    def ceiling(self, state: State) -> Array:
        """(B,): what can still be laid: no more than there are turns, and no rank that is lost."""
        lost = state.gone >= np.array(self.numbers.copies)
        within = np.arange(self.numbers.ranks) >= state.board[..., None]
        free = within & ~np.logical_or.accumulate(lost & within, axis=-1)
        turns = state.deck.shape[1] - state.drawn + state.left
        most = np.minimum(free.sum(axis=(1, 2)), turns)
        return np.asarray(np.where(state.ended, 0, most), dtype=np.float64)

    def scene(self, state: State, copy: int = 0) -> Scene:
        """The hands, an arrow at who is in turn, the board above, what is left below."""
        n, size, kinds, values = self._shape
        shapes: list[Any] = []
        for c, high in enumerate(state.board[copy]):
            at = (c + 0.5, n + 0.5)
            shapes += [Disc(at, 0.4, c, filled=False), Label(at, f"{chr(97 + c)}{high}")]
        for i in range(n):
            y = n - 1 - i + 0.5
            if i == state.turn[copy]:
                shapes.append(Label((-0.5, y), "→"))
            for k, card in enumerate(state.hand[copy, i]):
                if card >= 0:
                    at = (k + 0.5, y)
                    shapes += [Disc(at, 0.35, int(card) // values), Label(at, _name(card, values))]
        deck = state.deck.shape[1] - state.drawn[copy]
        says = f"deck {deck}, tokens {state.tokens[copy]}, lives {state.lives[copy]}"
        return Scene((-1.0, float(max(size, kinds)), 0.0, n + 1.0), tuple(shapes), says)


def usual(ranks: int) -> tuple[int, ...]:
    """Three copies of the lowest rank, one of the highest, two of those between."""
    return tuple(3 if r == 0 else 1 + (r < ranks - 1) for r in range(ranks))


def _name(card: int, ranks: int) -> str:
    """A letter for the colour, and the rank from 1."""
    return f"{chr(97 + int(card) // ranks)}{int(card) % ranks + 1}"
