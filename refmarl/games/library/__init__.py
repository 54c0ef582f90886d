"""Named games with their published equilibria, as data.

>>> from refmarl.games import library, regrets
>>> entry = library.entry("chicken")
>>> entry.game.title, len(entry.equilibria), entry.complete
('Chicken', 3, True)
>>> print([str(p) for p in entry.equilibria[2][0]])
['2/3', '1/3']

Some games have parameters: ``library.game("penalty", k=-30)``.
"""

from . import bimatrix, contests, crowds, many_players, two_by_two, zero_sum
from ._entry import Entry, entry, game, names, parameters

__all__ = ["Entry", "entry", "game", "names", "parameters"]

del (
    bimatrix,
    contests,
    crowds,
    many_players,
    two_by_two,
    zero_sum,
)  # imported so that their games are entered
