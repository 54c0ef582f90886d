"""Small two-player zero-sum extensive games: the tree, exact values, best responses, CFR  [+].

>>> from refmarl.games.extensive import cfr, expected_value, kuhn, nash_conv
>>> game = kuhn()
>>> equilibrium = game.behaviour({
...     "J": [1, 0], "Q": [1, 0], "K": [1, 0], "Jpb": [1, 0], "Qpb": [2/3, 1/3], "Kpb": [0, 1],
...     "Jp": [2/3, 1/3], "Qp": [1, 0], "Kp": [0, 1], "Jb": [1, 0], "Qb": [2/3, 1/3], "Kb": [0, 1],
... })
>>> round(-18 * expected_value(game, equilibrium), 9), abs(nash_conv(game, equilibrium)) < 1e-12
(1.0, True)
"""

from .counterfactual import CfrPlay, cfr
from .linear import Solution, solve
from .rules import kuhn, leduc, one_shot
from .tree import Chance, Decision, ExtensiveGame, Leaf, build
from .value import (
    Response,
    best_response,
    expected_value,
    exploitability,
    nash_conv,
    plans,
    to_normal_form,
)

__all__ = [
    "CfrPlay",
    "Chance",
    "Decision",
    "ExtensiveGame",
    "Leaf",
    "Response",
    "Solution",
    "best_response",
    "build",
    "cfr",
    "expected_value",
    "exploitability",
    "kuhn",
    "leduc",
    "nash_conv",
    "one_shot",
    "plans",
    "solve",
    "to_normal_form",
]
