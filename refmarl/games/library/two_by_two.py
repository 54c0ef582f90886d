"""Two players, two actions each."""

from fractions import Fraction

import numpy as np

from ...check import InputError
from ..normal_form import NormalForm
from ._entry import Entry, exact, fixed, number, register, symmetric

FIRST, SECOND = "1 0 | 1 0", "0 1 | 0 1"

_DILEMMA = [[-1, -3], [0, -2]]
fixed(
    "prisoners-dilemma",
    "Prisoner's dilemma",
    _DILEMMA,
    symmetric(_DILEMMA),
    [SECOND],
    actions=["keep silent", "confess"],
    source="A. W. Tucker 1950; the payoffs are those of the course, §1",
    notes="Confessing is dominant, and the equilibrium is the only outcome off the frontier.",
)

_POSITIVE = [[3, 0], [5, 1]]
fixed(
    "prisoners-dilemma-positive",
    "Prisoner's dilemma, positive payoffs",
    _POSITIVE,
    symmetric(_POSITIVE),
    [SECOND],
    actions=["cooperate", "defect"],
    source="R. Axelrod, The Evolution of Cooperation, 1984",
    notes="T = 5, R = 3, P = 1, S = 0; P = 1 gives the welfare 2 that the course prints in §7.6.",
)

fixed(
    "coordination",
    "Coordination",
    [[2, 0], [0, 1]],
    [[2, 0], [0, 1]],
    [FIRST, SECOND, "1/3 2/3 | 1/3 2/3"],
    source="the course, §1",
    notes="The course prints the two pure equilibria and omits the mixed one.",
)

fixed(
    "battle-of-the-sexes",
    "Battle of the sexes",
    [[2, 0], [0, 1]],
    [[1, 0], [0, 2]],
    [FIRST, SECOND, "2/3 1/3 | 1/3 2/3"],
    actions=["fight", "ballet"],
    source="R. D. Luce, H. Raiffa, Games and Decisions, 1957, §5.3",
    notes="Welfare 3 at both pure equilibria, as the course prints in §7.6.",
)

fixed(
    "battle-of-the-sexes-nau",
    "Battle of the sexes, payoffs 3 and 2",
    [[3, 0], [0, 2]],
    [[2, 0], [0, 3]],
    [FIRST, SECOND, "3/5 2/5 | 2/5 3/5"],
    source="R. Nau, S. Gomez Canovas, P. Hansen, Int. J. Game Theory 32, 2004, §3",
)

_STAG = [[9, 0], [8, 7]]
fixed(
    "stag-hunt",
    "Stag hunt",
    _STAG,
    symmetric(_STAG),
    [FIRST, SECOND, "7/8 1/8 | 7/8 1/8"],
    actions=["stag", "hare"],
    source="R. J. Aumann, Nash equilibria are not self-enforcing, 1990",
    notes="(stag, stag) is best for both, (hare, hare) is safe.",
)

_CHICKEN = [[6, 2], [7, 0]]
fixed(
    "chicken",
    "Chicken",
    _CHICKEN,
    symmetric(_CHICKEN),
    ["1 0 | 0 1", "0 1 | 1 0", "2/3 1/3 | 2/3 1/3"],
    actions=["give way", "dare"],
    source="R. J. Aumann, J. Math. Economics 1, 1974",
    notes="The mixed equilibrium pays 14/3 each; a correlated equilibrium pays 21/4 each.",
)

fixed(
    "matching-pennies",
    "Matching pennies",
    [[1, -1], [-1, 1]],
    None,
    ["1/2 1/2 | 1/2 1/2"],
    actions=["heads", "tails"],
    value="0",
    source="J. von Neumann, O. Morgenstern, Theory of Games and Economic Behavior, 1944, ch. III",
)


@register("hawk-dove")
def hawk_dove(value: float = 2, cost: float = 4) -> Entry:
    """Two animals contest a resource of this value; a fight costs the loser ``cost``."""
    v, c = number(value, "value"), number(cost, "cost")
    if not (v > 0 and c > 0) or v == c:
        raise InputError(f"hawk-dove: need value, cost > 0 and not equal, got {value}, {cost}")
    row = np.array([[(v - c) / 2, v], [0, v / 2]])
    hawk = Fraction(v) / Fraction(c)
    mixed = ((hawk, 1 - hawk),) * 2
    return Entry(
        game=NormalForm.bimatrix(
            row, row.T, title="Hawk and dove", actions=(("hawk", "dove"),) * 2
        ),
        equilibria=(exact("1 0 | 0 1"), exact("0 1 | 1 0"), mixed) if v < c else (exact(FIRST),),
        complete=True,
        source="J. Maynard Smith, G. R. Price, Nature 246, 1973",
        notes="Where a fight costs more than the resource is worth, value/cost of a population "
        "that is at rest are hawks.",
    )


@register("inspection")
def inspection(
    effort: float = 1, inspecting: float = 2, wage: float = 4, output: float = 6
) -> Entry:
    """A worker may shirk, an employer may inspect; who is caught shirking gets no wage."""
    g, h = number(effort, "effort"), number(inspecting, "inspecting")
    w, v = number(wage, "wage"), number(output, "output")
    if not (0 < g < w and 0 < h < w):
        raise InputError(
            f"inspection: need 0 < effort, inspecting < wage, got {effort}, {inspecting}, {wage}"
        )
    shirk, inspect = Fraction(h) / Fraction(w), Fraction(g) / Fraction(w)
    return Entry(
        game=NormalForm.bimatrix(
            [[0, w], [w - g, w - g]],
            [[-h, -w], [v - w - h, v - w]],
            title="Inspection",
            players=("worker", "employer"),
            actions=(("shirk", "work"), ("inspect", "trust")),
        ),
        equilibria=(((shirk, 1 - shirk), (inspect, 1 - inspect)),),
        complete=True,
        source="D. Fudenberg, J. Tirole, Game Theory, 1991, §1.2",
        notes="Each one's probability is set by the other's costs.",
    )
