"""Two players with three actions or more, mostly known as tests of algorithms."""

from fractions import Fraction
from itertools import combinations

import numpy as np

from ... import check
from ...check import InputError
from ..normal_form import NormalForm
from ._entry import Entry, ExactProfile, count, exact, fixed, number, pure, register

fixed(
    "shapley",
    "Shapley's game",
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    ["1/3 1/3 1/3 | 1/3 1/3 1/3"],
    source="L. S. Shapley, Some topics in two-person games, 1964",
    notes="Fictitious play runs in ever longer cycles and does not converge.",
)

fixed(
    "shapley-1974-fig2",
    "Shapley's example for the Lemke-Howson algorithm",
    [[2, 2, 0], [0, 3, 0], [3, 0, 1]],
    [[3, 0, 2], [0, 3, 2], [0, 0, 1]],
    ["0 1 0 | 0 1 0", "0 1/2 1/2 | 0 1/4 3/4", "0 0 1 | 0 0 1"],
    source="L. S. Shapley, A note on the Lemke-Howson algorithm, 1974, fig. 2",
)

fixed(
    "von-stengel",
    "von Stengel's 3 × 2 game",
    [[3, 3], [2, 5], [0, 6]],
    [[3, 2], [2, 6], [3, 1]],
    ["1 0 0 | 1 0", "4/5 1/5 0 | 2/3 1/3", "0 1/3 2/3 | 1/3 2/3"],
    source="B. von Stengel in Algorithmic Game Theory, 2007, ch. 3",
)

fixed(
    "von-stengel-degenerate",
    "von Stengel's 3 × 2 game, degenerate",
    [[3, 3], [2, 5], [0, 6]],
    [[3, 3], [2, 6], [3, 1]],
    ["1 0 0 | 1 0", "1 0 0 | 2/3 1/3", "0 1/3 2/3 | 1/3 2/3"],
    source="B. von Stengel in Algorithmic Game Theory, 2007, ch. 3",
    notes="Row 1 against (q, 1-q) is an equilibrium for every q in [2/3, 1].",
)

fixed(
    "deg1",
    "A degenerate 3 × 3 game",
    [[1, 3, 2], [2, 2, 2], [3, 1, 2]],
    [[1, 2, 3], [3, 2, 1], [2, 2, 2]],
    [
        "1 0 0 | 0 0 1",
        "0 0 1 | 1 0 0",
        "0 0 1 | 0 0 1",
        "0 0 1 | 1/2 1/2 0",
        "1/2 1/2 0 | 0 0 1",
        "1/2 1/2 0 | 1/2 1/2 0",
    ],
    source="Gambit's collection of games, deg1.nfg",
)

fixed(
    "nashpy-4x3",
    "A 4 × 3 game with one equilibrium",
    [[160, 205, 44], [175, 180, 45], [201, 204, 50], [120, 207, 49]],
    [[2, 2, 2], [1, 0, 0], [3, 4, 1], [4, 1, 2]],
    ["0 0 3/4 1/4 | 1/28 27/28 0"],
    source="Nashpy's tests",
)

fixed(
    "long-lemke-howson",
    "A 6 × 6 game with long Lemke-Howson paths",
    [
        [-180, 72, -333, 297, -153, 270],
        [-30, 17, -33, 42, -3, 20],
        [-81, 36, -126, 126, -36, 90],
        [90, -36, 126, -126, 36, -81],
        [20, -3, 42, -33, 17, -30],
        [270, -153, 297, -333, 72, -180],
    ],
    [
        [72, 36, 17, -3, -36, -153],
        [-180, -81, -30, 20, 90, 270],
        [297, 126, 42, -33, -126, -333],
        [-333, -126, -33, 42, 126, 297],
        [270, 90, 20, -30, -81, -180],
        [-153, -36, -3, 17, 36, 72],
    ],
    ["1/30 1/6 3/10 3/10 1/6 1/30 | 1/6 1/30 3/10 3/10 1/30 1/6"],
    source="R. Savani, B. von Stengel, Econometrica 74, 2006; Gambit's tests",
    notes="The only equilibrium, and every path to it is long.",
)


_CLIMBING = [[11, -30, 0], [-30, 7, 6], [0, 0, 5]]
fixed(
    "climbing",
    "Climbing",
    _CLIMBING,
    _CLIMBING,
    ["1 0 0 | 1 0 0", "0 1 0 | 0 1 0", "5/16 0 11/16 | 5/16 0 11/16"],
    source="C. Claus, C. Boutilier, AAAI 1998 (the pure equilibria)",
    notes="A team of two: the best joint action stands beside two costly mistakes. Independent "
    "learners climb from (3, 3) to (2, 2) and seldom reach (1, 1).",
)


_NON_MONOTONE = [[8, -12, -12], [-12, 0, 0], [-12, 0, 0]]
fixed(
    "non-monotone",
    "Non-monotone",
    _NON_MONOTONE,
    _NON_MONOTONE,
    [
        "1 0 0 | 1 0 0",
        "0 1 0 | 0 1 0",
        "0 0 1 | 0 0 1",
        "0 1 0 | 0 0 1",
        "0 0 1 | 0 1 0",
        "3/8 5/8 0 | 3/8 5/8 0",
    ],
    complete=False,  # the second and third actions are alike
    source="K. Son et al., ICML 2019, arXiv:1905.05408",
    notes="A team of two: which action is better depends on what the other does, and no sum of "
    "utilities, nor a monotone function of them, can say so.",
)


@register("penalty")
def penalty(k: float = -100) -> Entry:
    """A team of two with two best joint actions, and ``k`` ≤ 0 for mixing them up."""
    k = number(k, "k")
    if k > 0:
        raise InputError(f"penalty: need k ≤ 0, got {k:g}")
    row = [[10, 0, k], [0, 2, 0], [k, 0, 10]]
    found = ["1 0 0 | 1 0 0", "0 1 0 | 0 1 0", "0 0 1 | 0 0 1"]
    found += ["1/6 5/6 0 | 1/6 5/6 0", "0 5/6 1/6 | 0 5/6 1/6"]
    found += ["1/2 0 1/2 | 1/2 0 1/2"] if k > -10 else []
    equilibria = [exact(text) for text in found]
    if k > -10:
        outer = 2 / (14 + Fraction(k))
        equilibria.append(((outer, 1 - 2 * outer, outer),) * 2)
    return Entry(
        game=NormalForm.bimatrix(row, row, title="Penalty"),
        equilibria=tuple(equilibria),
        complete=k != -10,  # there the game is degenerate
        source="C. Claus, C. Boutilier, AAAI 1998",
        notes="All three diagonal joint actions are equilibria; the middle one is safe.",
    )


@register("identity-coordination")
def identity_coordination(size: int = 3) -> Entry:
    """Both get 1 where they play the same action: 2^size - 1 equilibria."""
    m = count(size, "size", 1, 12)
    supports = [s for r in range(1, m + 1) for s in combinations(range(m), r)]
    return Entry(
        game=NormalForm.bimatrix(np.eye(m), np.eye(m), title=f"Coordination on {m} actions"),
        equilibria=tuple(_even_on(s, m) for s in supports),
        complete=True,
        source="T. Quint, M. Shubik, Int. J. Game Theory 26, 1997",
        notes="One equilibrium for each non-empty set of actions, on which both mix evenly.",
    )


def _even_on(support: tuple[int, ...], m: int) -> ExactProfile:
    x = tuple(Fraction(int(a in support), len(support)) for a in range(m))
    return (x, x)


@register("cournot")
def cournot(intercept: float = 14, slope: float = 1, cost: float = 2, steps: int = 4) -> Entry:
    """Two firms choose quantities; the price is intercept - slope · total, and never negative.

    The grid runs from 0 to twice the equilibrium quantity q* of the continuous game, ``steps``
    steps on either side of q*.
    """
    a, b, c = number(intercept, "intercept"), number(slope, "slope"), number(cost, "cost")
    k = count(steps, "steps", 1, 500)
    if not (b > 0 and 0 < c < a):
        raise InputError(
            f"cournot: need slope > 0 and 0 < cost < intercept, got {slope}, {cost}, {intercept}"
        )
    best = (a - c) / (3 * b)
    quantity = best / k * np.arange(2 * k + 1)
    price = np.maximum(0.0, a - b * (quantity[:, None] + quantity))
    row = (price - c) * quantity[:, None]
    names = tuple(f"{q:g}" for q in quantity)
    sizes = (2 * k + 1,) * 2
    return Entry(
        game=NormalForm.bimatrix(row, row.T, title="Cournot duopoly", actions=(names, names)),
        equilibria=tuple(pure(x, sizes) for x in ((k, k), (k - 1, k + 1), (k + 1, k - 1))),
        complete=False,
        source="A. Cournot, Recherches, 1838, ch. VII",
        notes="q* = (intercept - cost)/(3 slope) each. The grid adds two equilibria, one firm a "
        "step below q* and the other a step above: against either, two quantities are best.",
    )


@register("travelers-dilemma")
def travelers_dilemma(low: int = 2, high: int = 10, bonus: float = 2) -> Entry:
    """Both are paid the lower of two claims; who claimed less gets a bonus from the other."""
    first = count(low, "low", 0, 10_000)
    last = count(high, "high", first, 10_000)
    r = number(bonus, "bonus")
    if not r > 1:
        raise InputError(f"travelers-dilemma: need bonus > 1, got {bonus}")
    size = last - first + 1
    check.size_cap((2, size, size), "payoffs")
    claim = np.arange(first, last + 1, dtype=float)
    mine, other = claim[:, None], claim[None, :]
    row = np.minimum(mine, other) + r * np.sign(other - mine)
    names = tuple(str(k) for k in range(first, last + 1))
    return Entry(
        game=NormalForm.bimatrix(row, row.T, title="Traveler's dilemma", actions=(names, names)),
        equilibria=(pure((0, 0), (size, size)),),
        complete=True,
        source="K. Basu, American Economic Review 84, 1994",
        notes="Underbidding by one always pays, down to the lowest claim. Basu's claims go from 2 "
        "to 100.",
    )
