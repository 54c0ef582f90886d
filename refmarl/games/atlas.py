"""The 144 games of two players, two actions and strict preferences  [+].

If only the order of the four outcomes matters to each player and nobody is ever indifferent, there
are 4!·4! = 576 tables, and 144 games, since rows may be exchanged and so may columns. If the
players may be exchanged as well there are 78 (Rapoport & Guyer 1966); 12 games are symmetric.

*Canonical form.* Ranks are 1 (worst) to 4. Exchanging columns moves the row player's 4 to the other
column, exchanging rows the column player's 4 to the other row: exactly one table of each game has
the row player's 4 in the right column and the column player's 4 in the upper row. So a game is a
pair of *patterns*, 12 for each player: 2 places for the 4 and 6 orders of the rest. Each pattern
belongs to one symmetric game and is called after it, as in Bruns (2015).

*Neighbours.* The smallest change of a game exchanges two adjacent ranks of one player, 1↔2, 2↔3 or
3↔4: six neighbours (Robinson & Goforth 2005). A *layer* are the games with the two 4s in the same
relative place: what exchanges below 4 can reach, 36 games each. A *tile* are the four games that
exchanges 1↔2 lead to: breaking ties between both players' worst outcomes gives such a set. Tiles
that exchanges 3↔4 join form six *hotspots* of 8 games, on two layers, and six *pipes* of 16, on
all four.

*Order.* Along an axis of the 12 × 12 table the patterns follow one another by exchanges 2↔3 and 1↔2
in turn, which closes a ring of six, for one place of the 4 and then for the other. The symmetric
games lie on the diagonal.

D. Robinson, D. Goforth, *The Topology of the 2×2 Games*, 2005; A. Rapoport, M. Guyer, *A taxonomy
of 2×2 games*, General Systems 11, 1966; A. Rapoport, M. Guyer, D. Gordon, *The 2×2 Game*, 1976;
B. Bruns, *Names for games: locating 2×2 games*, Games 6, 2015.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from ..check import Array, InputError
from .nash import TOLERANCE
from .normal_form import NormalForm

Ranks = tuple[int, int, int, int]  # of the cells upper left, upper right, lower left, lower right

# Each symmetric game by what a player likes best, second, third, least: R if both play 0, T for 1
# against 0, S for 0 against 1, P if both play 1. In the order of the atlas.
SYMMETRIC = {
    "chicken": "TRSP",
    "leader": "TSRP",
    "hero": "TSPR",
    "compromise": "TPSR",
    "deadlock": "TPRS",
    "prisoner's dilemma": "TRPS",
    "stag hunt": "RTPS",
    "assurance": "RPTS",
    "coordination": "RPST",
    "peace": "RSPT",
    "harmony": "RSTP",
    "concord": "RTSP",
}
NAMES = tuple(SYMMETRIC)
LAYERS = ("opposed", "same row", "same column", "aligned")
KINDS = ("one", "deficient", "ranked", "rival", "cycle")
ROWS, COLUMNS = (2, 3, 0, 1), (1, 0, 3, 2)  # where the cells come from if those are exchanged
TURNED, MIRRORED = (0, 2, 1, 3), (3, 1, 2, 0)  # transposed, along one diagonal and the other


class Ordinal(NamedTuple):
    """A game by its players' ranks of the four outcomes."""

    row: Ranks
    column: Ranks

    @property
    def game(self) -> NormalForm:
        """The game whose payoffs are the ranks."""
        tables = (np.reshape(ranks, (2, 2)) for ranks in self)
        return NormalForm.bimatrix(*tables, title=name(self).capitalize())


class Structure(NamedTuple):
    """A game's pure equilibria and dominant actions."""

    equilibria: tuple[tuple[int, int], ...]  # each as (row player's rank, column player's rank)
    dominant: int  # how many players have a dominant action
    kind: str  # of KINDS, see :func:`structure`


def atlas() -> tuple[tuple[Ordinal, ...], ...]:
    """All 144 games in canonical form: ``atlas()[i][j]``, row player's pattern i, column's j.

    Examples
    --------
    >>> table = atlas()
    >>> len(table), {len(line) for line in table}
    (12, {12})
    >>> table[5][5]
    Ordinal(row=(1, 3, 2, 4), column=(4, 3, 2, 1))
    """
    rows = _patterns()
    return tuple(tuple(Ordinal(row, _moved(other, MIRRORED)) for other in rows) for row in rows)


def canonical(game: Ordinal) -> Ordinal:
    """The one of its four tables with the row's 4 on the right and the column's 4 above."""
    row, column = game
    if row.index(4) in (0, 2):
        row, column = _moved(row, COLUMNS), _moved(column, COLUMNS)
    if column.index(4) in (2, 3):
        row, column = _moved(row, ROWS), _moved(column, ROWS)
    return Ordinal(row, column)


def ordinal(game: NormalForm) -> Ordinal:
    """The game of the atlas with the same order of outcomes, in canonical form.

    Raises
    ------
    InputError
        If the game is not 2 × 2, or a player is indifferent: see :func:`untied`.

    Examples
    --------
    >>> dilemma = NormalForm.bimatrix([[-1, -3], [0, -2]], [[-1, 0], [-3, -2]])
    >>> name(ordinal(dilemma))
    "prisoner's dilemma"
    """
    found = untied(game)
    if any(_tied(u) for u in game.payoffs):
        raise InputError("ordinal: a player is indifferent between two outcomes; use untied")
    return found[0]


def untied(game: NormalForm) -> tuple[Ordinal, ...]:
    """All games of the atlas that breaking ties may lead to, in canonical form and in order.

    Payoffs within 1e-9 of their size are ties.

    Examples
    --------
    In the battle of the sexes both kinds of going apart are alike; telling them apart gives a tile.

    >>> battle = NormalForm.bimatrix([[2, 0], [0, 1]], [[1, 0], [0, 2]])
    >>> for found in untied(battle):
    ...     print(name(found))
    leader
    leader × hero
    hero × leader
    hero
    """
    if game.num_actions != (2, 2):
        raise InputError(f"atlas: need 2 players with 2 actions, got {game.num_actions}")
    rows, columns = (list(_orders(u.ravel())) for u in game.payoffs)
    found = {canonical(Ordinal(row, column)) for row, column in product(rows, columns)}
    return tuple(sorted(found, key=place))


def place(game: Ordinal) -> tuple[int, int]:
    """(i, j) with ``atlas()[i][j]`` this game, in whatever table it is given."""
    row, column = canonical(_checked(game))
    rows = _patterns()
    return rows.index(row), rows.index(_moved(column, MIRRORED))


def name(game: Ordinal) -> str:
    """A symmetric game's name, or those of the two games from which the patterns are.

    Examples
    --------
    >>> name(atlas()[0][0]), name(atlas()[0][6])
    ('chicken', 'chicken × stag hunt')
    """
    i, j = place(game)
    return NAMES[i] if i == j else f"{NAMES[i]} × {NAMES[j]}"


def named(title: str) -> Ordinal:
    """The game called so by :func:`name`.

    Raises
    ------
    InputError
        If no symmetric game is called ``title`` or a part of it.

    Examples
    --------
    >>> named("stag hunt")
    Ordinal(row=(1, 4, 2, 3), column=(3, 4, 2, 1))
    """
    parts = title.split(" × ")
    if len(parts) > 2 or any(part not in SYMMETRIC for part in parts):
        raise InputError(f"atlas: no game {title!r}; the symmetric ones are {', '.join(NAMES)}")
    return atlas()[NAMES.index(parts[0])][NAMES.index(parts[-1])]


def exchanged(game: Ordinal) -> Ordinal:
    """The game with the players' roles exchanged, in canonical form."""
    row, column = _checked(game)
    return canonical(Ordinal(_moved(column, TURNED), _moved(row, TURNED)))


def neighbours(game: Ordinal, ranks: Sequence[int] = (1, 2, 3)) -> tuple[Ordinal, ...]:
    """The games one exchange k ↔ k+1 away, k in ``ranks``, first the row player's, in that order.

    Examples
    --------
    A stag hunter who comes to like hares best, if only the other goes for the stag:

    >>> name(neighbours(named("stag hunt"))[2])
    "prisoner's dilemma × stag hunt"
    """
    row, column = _checked(game)
    if any(k not in (1, 2, 3) for k in ranks):
        raise InputError(f"neighbours: need ranks among 1, 2, 3, got {tuple(ranks)}")
    return tuple(
        canonical(Ordinal(*pair))
        for pair in (
            *((_swapped(row, k), column) for k in ranks),
            *((row, _swapped(column, k)) for k in ranks),
        )
    )


def layer(game: Ordinal) -> str:
    """Where the two 4s lie: "opposed" corners, "same row", "same column", or "aligned" in one cell.

    Examples
    --------
    >>> layer(named("prisoner's dilemma")), layer(named("stag hunt"))
    ('opposed', 'aligned')
    """
    row, column = canonical(_checked(game))
    corners = ((3, 0), (1, 0), (3, 1), (1, 1))
    return LAYERS[corners.index((row.index(4), column.index(4)))]


def structure(game: Ordinal) -> Structure:
    """Pure equilibria, dominant actions, and the kind that follows.

    ``kind`` is *cycle*: no pure equilibrium; *one*; *deficient*: one, and both like some other
    outcome better; *ranked*: two, one of them better for both; *rival*: two, and the players
    disagree which is better.

    Examples
    --------
    >>> structure(named("prisoner's dilemma"))
    Structure(equilibria=((2, 2),), dominant=2, kind='deficient')
    >>> structure(named("chicken")).kind
    'rival'
    """
    row, column = _checked(game)
    stable = [k for k in range(4) if row[k] > row[ROWS[k]] and column[k] > column[COLUMNS[k]]]
    dominant = ((row[0] > row[2]) == (row[1] > row[3])) + (
        (column[0] > column[1]) == (column[2] > column[3])
    )
    beaten = [k for k in stable if any(row[c] > row[k] and column[c] > column[k] for c in range(4))]
    kinds = (("cycle", "cycle"), ("one", "deficient"), ("rival", "ranked"))
    found = tuple(sorted((row[k], column[k]) for k in stable))
    return Structure(found, dominant, kinds[len(stable)][bool(beaten)])


def _checked(game: Ordinal) -> Ordinal:
    """``game`` if both players rank four outcomes."""
    for ranks in game:
        if sorted(ranks) != [1, 2, 3, 4]:
            raise InputError(f"atlas: need the ranks 1, 2, 3, 4 in some order, got {ranks}")
    return Ordinal(*game)


@cache
def _patterns() -> tuple[Ranks, ...]:
    """The row player's, in the order of the atlas."""
    return tuple(_pattern(order) for order in SYMMETRIC.values())


def _pattern(order: str) -> Ranks:
    """The row player's canonical ranks in the symmetric game with this order of R, S, T, P."""
    rank = {letter: 4 - k for k, letter in enumerate(order)}
    r, s, t, p = (rank[letter] for letter in "RSTP")
    return canonical(Ordinal((r, s, t, p), (r, t, s, p))).row


def _moved(ranks: Ranks, cells: Sequence[int]) -> Ranks:
    """The ranks that the four cells then show."""
    a, b, c, d = (ranks[k] for k in cells)
    return a, b, c, d


def _swapped(ranks: Ranks, k: int) -> Ranks:
    """Ranks k and k+1 exchanged."""
    a, b, c, d = ({k: k + 1, k + 1: k}.get(rank, rank) for rank in ranks)
    return a, b, c, d


def _ties(u: Array) -> Array:
    """Which pairs of payoffs are ties, (4, 4)."""
    flat = u.ravel()
    close: Array = np.abs(flat[:, None] - flat) <= TOLERANCE * np.abs(flat).max()
    return close


def _tied(u: Array) -> bool:
    return bool(_ties(u).sum() > u.size)


def _orders(u: Array) -> Iterator[Ranks]:
    """All rankings of four payoffs that contradict none of their differences."""
    ties = _ties(u)
    apart = [(i, j) for i in range(4) for j in range(i) if not ties[i, j]]
    for a, b, c, d in permutations((1, 2, 3, 4)):
        ranks = (a, b, c, d)
        if all((u[i] > u[j]) == (ranks[i] > ranks[j]) for i, j in apart):
            yield ranks
