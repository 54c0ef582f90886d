"""The rules of some small games: Kuhn poker, Leduc poker, any matrix game.

H. Kuhn 1950, "A simplified two-person poker"; F. Southey, M. Bowling, B. Larson, C. Piccione,
N. Burch, D. Billings, C. Rayner 2005, "Bayes' bluff: opponent modelling in poker" (Leduc).
"""

from typing import Any

from ... import check
from .tree import Chance, Decision, ExtensiveGame, History, Leaf, build

RANKS = "JQK"  # in order


def kuhn() -> ExtensiveGame:
    """Kuhn poker: three cards J < Q < K, one for each player, ante 1, one bet of 1.

    ``p`` is pass (check or fold), ``b`` is bet (or call). An information set is the own card and
    what was done: ``Qpb`` is player 0 with the queen, who passed and was bet at. The value is
    -1/18 to player 0.

    Examples
    --------
    >>> game = kuhn()
    >>> len(game.information), len(game.weight), game.nodes
    (12, 30, 55)
    """
    return build(_kuhn, "Kuhn poker")


def leduc() -> ExtensiveGame:
    """Leduc poker: two suits of J < Q < K, a private card each, then a public one, ante 1.

    In each of two rounds player 0 acts first and at most two raises are made, of 2 in the first
    round and of 4 in the second. ``c`` is check or call, ``r`` raise, ``f`` fold. A pair with the
    public card wins, else the higher card; equal cards share. Suits do not matter, so that deals
    are those of ranks, with their probabilities. An information set is the own card, the first
    round's moves, then the public card and the second round's moves.

    Examples
    --------
    >>> game = leduc()
    >>> len(game.information), len(game.weight)
    (288, 1116)
    """
    return build(_leduc, "Leduc poker")


def one_shot(A: Any, title: str = "") -> ExtensiveGame:
    """The matrix game with payoffs ``A`` (m, n) to player 0; player 1 does not see the row chosen.

    Moves are called "1", "2", …

    Examples
    --------
    >>> one_shot([[1, -1], [-1, 1]]).information
    ('row', 'column')
    """
    payoffs = check.real_array(A, "payoffs", 2)
    names = [tuple(str(a + 1) for a in range(k)) for k in payoffs.shape]

    def rules(history: History) -> Leaf | Decision:
        if len(history) < 2:
            return Decision(len(history), ("row", "column")[len(history)], names[len(history)])
        i, j = (int(a) - 1 for a in history)
        return Leaf(float(payoffs[i, j]))

    return build(rules, title)


def _kuhn(history: History) -> Leaf | Chance | Decision:
    if not history:
        return Chance(tuple((a + b, 1 / 6) for a in RANKS for b in RANKS if a != b))
    deal, bets = history[0], "".join(history[1:])
    sign = 1 if RANKS.index(deal[0]) > RANKS.index(deal[1]) else -1
    over = {"pp": sign, "bb": 2 * sign, "pbb": 2 * sign, "bp": 1, "pbp": -1}
    if bets in over:
        return Leaf(over[bets])
    player = len(bets) % 2
    return Decision(player, deal[player] + bets, ("p", "b"))


def _leduc(history: History) -> Leaf | Chance | Decision:
    if not history:
        return Chance(tuple((a + b, (1 / 15 if a == b else 2 / 15)) for a in RANKS for b in RANKS))
    deal, moves = history[0], "".join(history[1:])
    first, public, second = _rounds(moves)
    bets = second if public else first
    if bets.endswith("f"):
        loser = (len(bets) - 1) % 2
        stake = _stakes(first, second)[loser]
        return Leaf(-stake if loser == 0 else stake)
    if bets.endswith(("cc", "rc")):
        if public:
            return Leaf(_winner(deal, public) * _stakes(first, second)[0])
        left = {r: 2 - deal.count(r) for r in RANKS}
        return Chance(tuple((r, k / 4) for r, k in left.items() if k))
    player = len(bets) % 2
    actions = ("f",) * bets.endswith("r") + ("c",) + ("r",) * (bets.count("r") < 2)
    return Decision(player, deal[player] + moves, actions)


def _rounds(moves: str) -> tuple[str, str, str]:
    """(first round, public card or "", second round)."""
    for k, move in enumerate(moves):
        if move in RANKS:
            return moves[:k], move, moves[k + 1 :]
    return moves, "", ""


def _stakes(first: str, second: str) -> list[int]:
    """What each player has put in."""
    stakes = [1, 1]
    for bets, raised in ((first, 2), (second, 4)):
        for k, move in enumerate(bets):
            if move != "f":
                stakes[k % 2] = max(stakes) + raised * (move == "r")
    return stakes


def _winner(deal: str, public: str) -> int:
    """1, 0, -1: player 0 wins, shares, loses."""
    mine, other = ((card == public, RANKS.index(card)) for card in deal)
    return (mine > other) - (mine < other)
