"""Families of games: functions from parameters to games in normal form.

The parameters may be arrays, graphs or lists of resources. For those that numbers are enough for,
the library has an entry with defaults and the equilibria that are known in closed form:
``library.entry("tullock", n=3)``, ``refmarl solve tullock:n=3``.

>>> from refmarl.games import families, pure_equilibria
>>> pure_equilibria(families.cournot([0, 1, 2, 3], 10, 1, [2, 2, 2]))[3]
(2, 2, 2)
"""

from .congestion import braess, congestion, three_in_a_ring
from .contests import (
    all_pay,
    blotto,
    centipede,
    rock_paper_scissors,
    tullock,
    war_of_attrition,
)
from .coordination import coordinate, majority, minority, stag_hunt
from .markets import bertrand, cournot, cournot_potential
from .network import consensus, graph_colouring, network_game

__all__ = [
    "all_pay",
    "bertrand",
    "blotto",
    "braess",
    "centipede",
    "congestion",
    "consensus",
    "coordinate",
    "cournot",
    "cournot_potential",
    "graph_colouring",
    "majority",
    "minority",
    "network_game",
    "rock_paper_scissors",
    "stag_hunt",
    "three_in_a_ring",
    "tullock",
    "war_of_attrition",
]
