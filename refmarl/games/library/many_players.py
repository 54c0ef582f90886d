"""Games of any number of players."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np

from ...check import InputError
from ..normal_form import NormalForm
from ._entry import (
    Entry,
    ExactProfile,
    count,
    even,
    exact,
    joint_actions,
    number,
    pure,
    register,
)


@register("public-goods")
def public_goods(n: int = 3, r: float = 2) -> Entry:
    """Each gives 1 or nothing; what is given grows by the factor r and is shared by all n."""
    n = count(n, "n", 2, 16)
    r = number(r, "r")
    if not r > 0 or r == n:
        raise InputError(f"public-goods: need r > 0, not equal to n, got r {r:g}, n {n}")
    gives = 1.0 - joint_actions((2,) * n)
    payoffs = r / n * gives.sum(axis=0) - gives
    return Entry(
        game=NormalForm(payoffs, title="Public goods", actions=(("give", "keep"),) * n),
        equilibria=(pure((int(r < n),) * n, (2,) * n),),
        complete=True,
        source="J. O. Ledyard in Handbook of Experimental Economics, 1995",
        notes="Keeping is dominant where r < n, giving where r > n; giving is best for all "
        "together where r > 1.",
    )


@register("congestion")
def congestion(n: int = 3, m: int = 2) -> Entry:
    """n drivers choose among m equal roads; each pays the number of drivers on its road."""
    n, m = count(n, "n", 2, 10), count(m, "m", 2, 10)
    sizes = (m,) * n
    roads = joint_actions(sizes)
    payoffs = -(roads[:, None] == roads[None, :]).sum(axis=1, dtype=float)
    stable = [a for a in product(range(m), repeat=n) if _balanced(a, m)]
    return Entry(
        game=NormalForm(payoffs, title="Congestion"),
        equilibria=(*(pure(a, sizes) for a in stable), even(sizes)),
        complete=False,
        source="R. W. Rosenthal, Int. J. Game Theory 2, 1973",
        notes="With l drivers on a road, -Σ l(l+1)/2 over the roads is an exact potential; pure "
        "equilibria are the ways in which no two roads differ by more than one driver.",
    )


def _balanced(a: Sequence[int], m: int) -> bool:
    """Whether no two of m roads differ by more than one driver."""
    loads = [a.count(road) for road in range(m)]
    return max(loads) - min(loads) <= 1


@register("minimum-effort")
def minimum_effort(n: int = 3, efforts: int = 3, benefit: float = 2, cost: float = 1) -> Entry:
    """All gain by the smallest effort, each pays for its own."""
    n, m = count(n, "n", 2, 10), count(efforts, "efforts", 1, 20)
    b, c = number(benefit, "benefit"), number(cost, "cost")
    if not 0 < c < b:
        raise InputError(f"minimum-effort: need 0 < cost < benefit, got {cost}, {benefit}")
    sizes = (m,) * n
    effort = joint_actions(sizes) + 1.0
    return Entry(
        game=NormalForm(b * effort.min(axis=0) - c * effort, title="Minimum effort"),
        equilibria=tuple(pure((k,) * n, sizes) for k in range(m)),
        complete=False,
        source="J. B. Van Huyck, R. C. Battalio, R. O. Beil, American Economic Review 80, 1990",
        notes="Equal efforts are equilibria, the more the better for all. There are mixed ones.",
    )


@register("volunteers-dilemma")
def volunteers_dilemma(n: int = 3, benefit: float = 4, cost: float = 1) -> Entry:
    """All gain if anybody volunteers, which costs each who does."""
    n = count(n, "n", 2, 10)
    b, c = number(benefit, "benefit"), number(cost, "cost")
    if not 0 < c < b:
        raise InputError(f"volunteers-dilemma: need 0 < cost < benefit, got {cost}, {benefit}")
    volunteers = 1.0 - joint_actions((2,) * n)
    active = [s for r in range(1, n + 1) for s in combinations(range(n), r)]
    ratio = Fraction(c) / Fraction(b)
    return Entry(
        game=NormalForm(
            b * volunteers.max(axis=0) - c * volunteers,
            title="Volunteer's dilemma",
            actions=(("volunteer", "wait"),) * n,
        ),
        equilibria=tuple(_volunteers(s, n, ratio) for s in active),
        complete=True,
        source="A. Diekmann, J. Conflict Resolution 29, 1985",
        notes="If k ≥ 2 players are in it at all, each waits with probability "
        "(cost/benefit)^(1/(k-1)), and the others wait for sure: one equilibrium for each "
        "non-empty set of players.",
    )


def _volunteers(active: Sequence[int], n: int, ratio: Fraction) -> ExactProfile:
    """The equilibrium in which only ``active`` players ever volunteer."""
    k = len(active) - 1
    wait = Fraction(0) if k == 0 else ratio if k == 1 else Fraction(float(ratio) ** (1 / k))
    return tuple((1 - wait, wait) if i in active else (Fraction(0), Fraction(1)) for i in range(n))


@register("dispersion")
def dispersion(n: int = 3) -> Entry:
    """n players, n actions; 1 for whoever is alone on its action."""
    n = count(n, "n", 2, 7)
    sizes = (n,) * n
    a = joint_actions(sizes)
    alone = (a[:, None] == a[None, :]).sum(axis=1) == 1
    return Entry(
        game=NormalForm(alone.astype(float), title="Dispersion"),
        equilibria=(*(pure(p, sizes) for p in permutations(range(n))), even(sizes)),
        complete=n == 2,
        source="T. Grenager, R. Powers, Y. Shoham, AAAI 2002",
        notes="Pure equilibria are the permutations.",
    )


@register("el-farol")
def el_farol(n: int = 3, capacity: int = 2) -> Entry:
    """A bar is good (1) for up to ``capacity`` guests, bad (-1) for more; home is 0."""
    n = count(n, "n", 2, 16)
    room = count(capacity, "capacity", 1, n - 1)
    goes = 1 - joint_actions((2,) * n)
    worth = np.where(goes.sum(axis=0) <= room, 1.0, -1.0)
    guests = combinations(range(n), room)
    return Entry(
        game=NormalForm(
            worth * goes.astype(float), title="El Farol", actions=(("go", "stay"),) * n
        ),
        equilibria=tuple(pure([int(i not in g) for i in range(n)], (2,) * n) for g in guests),
        complete=False,
        source="W. B. Arthur, American Economic Review 84, 1994",
        notes="A full bar is an equilibrium, whoever the guests are. There are mixed ones.",
    )


@register("matching-pennies-3")
def matching_pennies_3() -> Entry:
    """Three in a ring: 1 wants to match 2, 2 to match 3, 3 to differ from 1."""
    a = joint_actions((2, 2, 2))
    same = [a[0] == a[1], a[1] == a[2], a[2] != a[0]]
    return Entry(
        game=NormalForm(
            np.where(same, 1.0, -1.0),
            title="Matching pennies of three",
            actions=(("heads", "tails"),) * 3,
        ),
        equilibria=(exact("1/2 1/2 | 1/2 1/2 | 1/2 1/2"),),
        complete=True,
        source="J. S. Jordan, Games and Economic Behavior 5, 1993",
        notes="Fictitious play does not converge.",
    )


@register("coordination-3")
def coordination_3() -> Entry:
    """Three players get 1 where all do the same."""
    a = joint_actions((2, 2, 2))
    same = ((a[0] == a[1]) & (a[1] == a[2])).astype(float)
    found = ("1 0 | 1 0 | 1 0", "0 1 | 0 1 | 0 1", "1/2 1/2 | 1/2 1/2 | 1/2 1/2")
    return Entry(
        game=NormalForm(np.stack([same] * 3), title="Coordination of three"),
        equilibria=tuple(exact(text) for text in found),
        complete=True,
        source="T. C. Schelling, The Strategy of Conflict, 1960",
        notes="A mixed equilibrium needs x_j + x_k = 1 for each two players: all are 1/2.",
    )
