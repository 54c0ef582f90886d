"""Best joint policies of small Hanabi, exactly, by search over what everybody knows.

Two players hold one card each and see the other's. All that is done is public, and so is a card
that leaves a hand. What everybody knows is therefore: the cards not yet seen by all, n(c) of kind
c, the board, tokens, lives, and for each player the set of kinds that the card may be in view of
what the partner did, S_1 × S_2. All orders of the deck that agree with this are alike.

Who acts sees the partner's card: a rule says an action for each kind in S. Who knows the rule
learns from action a that the kind is in S_a, where it is played. With U for expected rewards times
the number of orders of the deck,

    U(n, S_1, S_2) = max over partitions of S_2 into S_a  Σ_a U_a(n, S_1, S_a),

where U_a plays a, sums over the card that is shown, and goes on with the players exchanged. As a
rule for all of S is chosen at once by a team that shares it, this is a problem of one agent, the
team before the deal (Nayyar, Mahajan & Teneketzis 2013; in Hanabi Foerster et al. 2019). To draw
lots helps nobody: the value is linear in them. U is a whole number, so that nothing is rounded.
"""

import math
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..value_grad import Real

MAX_DEALS = 50_000
MAX_KINDS = 4  # subsets of kinds are gone through
MAX_CARDS = 8
GONE = 0  # the set of kinds of a hand without a card


class Rules(NamedTuple):
    """The numbers of a game."""

    colours: int
    ranks: int
    copies: tuple[int, ...]  # of each rank, lowest first
    hand: int
    players: int
    tokens: int
    lives: int

    @property
    def cards(self) -> list[int]:
        """All cards, colour · R + rank."""
        kinds = [(c, r) for c in range(self.colours) for r in range(self.ranks)]
        return [c * self.ranks + r for c, r in kinds for _ in range(self.copies[r])]


class Known(NamedTuple):
    """What everybody knows, of who acts and of the partner."""

    unseen: tuple[int, ...]  # n(c)
    board: tuple[int, ...]
    tokens: int
    lives: int
    turns: int  # left when the deck is out
    mine: int  # the kinds that the card of who acts may be, as bits
    other: int  # the partner's; GONE: it has none


def deals(rules: Rules) -> Real | None:
    """All orders of the deck, (K, D), those that look alike once; None if they are too many.

    Every row is as likely as any other.
    """
    cards = rules.cards
    same = math.prod(math.factorial(cards.count(c)) for c in set(cards))
    if math.factorial(len(cards)) // same > MAX_DEALS:
        return None
    counts = np.array([[cards.count(c) for c in range(max(cards) + 1)]])
    orders = np.zeros((1, 0), dtype=np.int64)
    for _ in cards:
        row, card = np.nonzero(counts)
        counts = counts[row] - np.eye(counts.shape[1], dtype=np.int64)[card]
        orders = np.column_stack([orders[row], card])
    return np.asarray(orders)


def searchable(rules: Rules) -> bool:
    """Whether :func:`optimum` can be computed: two players, one card each, few kinds of cards."""
    kinds = rules.colours * rules.ranks
    small = kinds <= MAX_KINDS and len(rules.cards) <= MAX_CARDS and rules.tokens <= 3
    return small and rules.players == 2 and rules.hand == 1


@cache
def optimum(rules: Rules, forfeit: bool = True) -> Fraction:
    """The largest expected return of any joint policy, with perfect memory.

    Parameters
    ----------
    rules : Rules
    forfeit : bool
        Whether the last life takes all that was earned.

    Raises
    ------
    InputError
        If the game is too large; see :func:`searchable`.

    Examples
    --------
    One colour, ranks 1 and 2, each once, and one turn for each. Who sees the 2 holds the 1 and
    plays it, and 2 points follow. Who sees the 1 hints, and 1 point follows.

    >>> print(optimum(Rules(1, 2, (1, 1), 1, 2, 1, 1)))
    3/2
    """
    if not searchable(rules):
        need = f"two players, one card each, at most {MAX_KINDS} kinds and {MAX_CARDS} cards"
        raise InputError(f"hanabi: need {need}; got {rules}")
    cards = rules.cards
    unseen = tuple(cards.count(c) for c in range(rules.colours * rules.ranks))
    everything = (1 << len(unseen)) - 1
    board = (0,) * rules.colours
    first = Known(unseen, board, rules.tokens, rules.lives, 2, everything, everything)
    return Fraction(_Search(rules, forfeit).value(first), math.factorial(len(cards)))


class _Search:
    """U of what everybody knows, remembered."""

    def __init__(self, rules: Rules, forfeit: bool) -> None:
        self.rules, self.forfeit = rules, forfeit
        kinds = range(rules.colours * rules.ranks)
        colours = [[k for k in kinds if k // rules.ranks == c] for c in range(rules.colours)]
        ranks = [[k for k in kinds if k % rules.ranks == r] for r in range(rules.ranks)]
        self.hints = [sum(1 << k for k in group) for group in (*colours, *ranks)]
        self.found: dict[Known, int] = {}

    def value(self, known: Known) -> int:
        """U, at the best rule for who acts; 0 if no deal agrees with what is known."""
        left = sum(1 << c for c, n in enumerate(known.unseen) if n)
        mine, other = known.mine & left, known.other & left
        if not mine or (known.other and not other):
            return 0
        known = known._replace(mine=mine, other=other)
        if known not in self.found:
            self.found[known] = self._best(known)
        return self.found[known]

    def _best(self, known: Known) -> int:
        """The best partition of the partner's kinds among the actions, action by action."""
        parts = _subsets(known.other)
        best: dict[int, int] = {}  # of the actions so far, for every set that they share
        for hints in ([], *([hint] for hint in self.hints)):
            for worth in self._worths(known, parts, hints):
                best = _shared(best, worth, parts)
        return best[known.other]

    def _worths(self, known: Known, parts: list[int], hints: list[int]) -> list[dict[int, int]]:
        """U_a of every set S_a, for to play and to discard, or for a hint."""
        if not hints:
            found = [{s: self._show(known, s, True) for s in parts}]
            if known.tokens < self.rules.tokens:
                found.append({s: self._show(known, s, False) for s in parts})
            return found
        if known.tokens == 0 or known.other == GONE:
            return []
        turns = known.turns - (_deck(known) == 0)
        found = [{}]
        for s in parts:
            if s and s & ~hints[0] == 0:
                after = known._replace(
                    tokens=known.tokens - 1, turns=turns, mine=s, other=known.mine
                )
                found[0][s] = self.value(after) if turns else 0
        return found

    def _show(self, known: Known, other: int, plays: bool) -> int:
        """U_a of playing or discarding, where the partner's card is one of ``other``."""
        rules, deck, total = self.rules, _deck(known), 0
        turns = known.turns - (deck == 0)
        drawn = GONE if deck == 0 else (1 << len(known.unseen)) - 1
        for card in _kinds(known.mine):
            colour, rank = divmod(card, rules.ranks)
            laid = plays and known.board[colour] == rank
            board = tuple(h + (laid and c == colour) for c, h in enumerate(known.board))
            lives = known.lives - (plays and not laid)
            back = not plays or (laid and rank == rules.ranks - 1)
            pay = int(laid) - (sum(board) if self.forfeit and lives == 0 else 0)
            total += pay * _orders(known, card, other)
            if lives and turns and sum(board) < len(known.unseen):
                unseen = tuple(n - (c == card) for c, n in enumerate(known.unseen))
                tokens = min(known.tokens + back, rules.tokens)
                after = Known(unseen, board, tokens, lives, turns, other, drawn)
                total += known.unseen[card] * self.value(after)
        return total


def _deck(known: Known) -> int:
    """How many cards are left to draw."""
    return sum(known.unseen) - 1 - (known.other != GONE)


def _orders(known: Known, card: int, other: int) -> int:
    """Orders of the deck in which who acts holds this kind, and the partner one of ``other``."""
    own, deck = known.unseen[card], math.factorial(_deck(known))
    if known.other == GONE:
        return own * deck
    return own * deck * sum(known.unseen[k] - (k == card) for k in _kinds(other))


@cache
def _kinds(bits: int) -> tuple[int, ...]:
    return tuple(k for k in range(bits.bit_length()) if bits >> k & 1)


@cache
def _subsets(bits: int) -> list[int]:
    """All sets below, the empty one and the whole included."""
    return [s for s in range(bits + 1) if s & ~bits == 0]


def _shared(best: dict[int, int], worth: dict[int, int], parts: list[int]) -> dict[int, int]:
    """What sets are worth with one action more, which takes a part of them or nothing."""
    if not best:
        return dict(worth)
    found = {}
    for s in parts:
        options = [best[s]] if s in best else []
        options += [best[s ^ p] + u for p, u in worth.items() if p & ~s == 0 and (s ^ p) in best]
        found[s] = max(options)
    return found
