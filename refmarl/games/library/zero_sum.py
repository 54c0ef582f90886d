"""Two players, one's gain the other's loss."""

from fractions import Fraction
from itertools import product

import numpy as np

from ... import check
from ...check import Array
from ..normal_form import NormalForm
from ._entry import Entry, ExactProfile, count, fixed, register

_RPS = ["rock", "paper", "scissors"]

fixed(
    "rock-paper-scissors",
    "Rock, paper, scissors",
    [[0, -1, 1], [1, 0, -1], [-1, 1, 0]],
    None,
    ["1/3 1/3 1/3 | 1/3 1/3 1/3"],
    actions=_RPS,
    value="0",
    source="J. von Neumann, O. Morgenstern, Theory of Games and Economic Behavior, 1944, ch. III",
)

fixed(
    "biased-rps",
    "Biased rock, paper, scissors",
    [[0, -0.25, 0.5], [0.25, 0, -0.05], [-0.5, 0.05, 0]],
    None,
    ["1/16 10/16 5/16 | 1/16 10/16 5/16"],
    actions=_RPS,
    value="0",
    source="B. Bošanský et al., Artificial Intelligence 237, 2016, §6.2; OpenSpiel's tests",
)

fixed(
    "rpsls",
    "Rock, paper, scissors, lizard, Spock",
    [
        [0, -1, 1, 1, -1],
        [1, 0, -1, -1, 1],
        [-1, 1, 0, 1, -1],
        [-1, 1, -1, 0, 1],
        [1, -1, 1, -1, 0],
    ],
    None,
    ["1/5 1/5 1/5 1/5 1/5 | 1/5 1/5 1/5 1/5 1/5"],
    actions=[*_RPS, "lizard", "Spock"],
    value="0",
    source="S. Kass, K. Bryla; each action beats two and loses to two",
)

fixed(
    "oneill",
    "O'Neill's card game",
    [[1, -1, -1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1], [-1, 1, 1, -1]],
    None,
    ["2/5 1/5 1/5 1/5 | 2/5 1/5 1/5 1/5"],
    actions=["joker", "ace", "two", "three"],
    value="-1/5",
    source="B. O'Neill, Proc. Nat. Acad. Sci. 84, 1987",
    notes="The first player wins on two jokers or two different number cards: twice in five.",
)

fixed(
    "saddle-point",
    "A game with a saddle point",
    [[2, 1, 5], [-3, -4, -2]],
    None,
    ["1 0 | 0 1 0"],
    value="1",
    source="OpenSpiel's tests of its linear program",
    notes="The first row is dominant.",
)


@register("blotto")
def blotto(soldiers: int = 6, fields: int = 3) -> Entry:
    """Two colonels with equal armies: payoff is fields won less fields lost."""
    s = count(soldiers, "soldiers", 1, 100)
    f = count(fields, "fields", 2, 6)
    armies = _armies(s, f)
    sides = np.array(armies)
    payoffs: Array = np.zeros((len(armies), len(armies)))
    for k in range(f):
        payoffs += np.sign(sides[:, None, k] - sides[None, :, k])
    names = tuple("-".join(map(str, a)) for a in armies)
    return Entry(
        game=NormalForm.zero_sum(payoffs, title="Colonel Blotto", actions=(names, names)),
        equilibria=(_hart(armies),) if (s, f) == (6, 3) else (),
        complete=False,
        value=Fraction(0),
        source="E. Borel 1921; S. Hart, Int. J. Game Theory 36, 2008",
        notes="Listed, for 6 soldiers on 3 fields: 0, 2 and 4 in each of the six orders, so that "
        "every field sees 0, 2 and 4 equally often. There are other equilibria.",
    )


def _armies(soldiers: int, fields: int) -> list[tuple[int, ...]]:
    """All ways to send all soldiers to the fields, in lexicographic order."""
    ways = 1
    for k in range(1, fields):
        ways = ways * (soldiers + k) // k
    check.size_cap((2, ways, ways), "payoffs")
    heads = product(range(soldiers + 1), repeat=fields - 1)
    return [(*h, soldiers - sum(h)) for h in heads if sum(h) <= soldiers]


def _hart(armies: list[tuple[int, ...]]) -> ExactProfile:
    """The six orders of (0, 2, 4), a sixth each."""
    x = tuple(Fraction(int(sorted(a) == [0, 2, 4]), 6) for a in armies)
    return (x, x)
