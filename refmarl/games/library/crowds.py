"""Crowds on roads and graphs, from :mod:`refmarl.games.families`, with their equilibria."""

from itertools import combinations, product

import numpy as np

from ...check import InputError, seeded
from .. import families, generators
from ..nash import pure_equilibria
from ..normal_form import NormalForm
from ._entry import Entry, count, even, number, pure, register


@register("braess")
def braess(n: int = 4) -> Entry:
    """Braess's paradox: everybody takes the bridge, and everybody is later."""
    n = count(n, "n", 2, 10)
    sizes = (3,) * n
    stable = [a for a in product(range(3), repeat=n) if a.count(0) <= 1 and a.count(1) <= 1]
    return Entry(
        game=families.braess(n).game,
        equilibria=tuple(pure(a, sizes) for a in stable),
        complete=False,
        source="D. Braess, Unternehmensforschung 12, 1968",
        notes="At most one driver on either of the roads without the bridge. If all use it they "
        "need 2n each; without it 3n/2, n even.",
    )


@register("pure-coordination")
def pure_coordination(n: int = 3, m: int = 2) -> Entry:
    """1 for everybody if all n do the same of m actions, else nothing."""
    n, m = count(n, "n", 2, 10), count(m, "m", 1, 10)
    game = families.coordinate(np.ones((n, m)), title="Pure coordination")
    stable = [a for a in product(range(m), repeat=n) if _stuck(a)]
    return Entry(
        game=game,
        equilibria=tuple(pure(a, (m,) * n) for a in stable),
        complete=False,
        source="T. C. Schelling, The Strategy of Conflict, 1960",
        notes="The agreements; and where no n - 1 agree, nobody alone can mend it. There are "
        "mixed ones.",
    )


def _stuck(a: tuple[int, ...]) -> bool:
    """Whether all agree, or no single player can make all agree."""
    most = max(a.count(k) for k in a)
    return most == len(a) or most <= len(a) - 2


@register("stag-hunt-n")
def stag_hunt_n(n: int = 3, needed: int = 3, stag: float = 4, hare: float = 1) -> Entry:
    """The stag is caught if ``needed`` of n hunt it; a hare is safe."""
    n = count(n, "n", 2, 16)
    game = families.stag_hunt(n, needed, stag, hare)
    return Entry(
        game=game,
        equilibria=(pure((0,) * n, (2,) * n), pure((1,) * n, (2,) * n)),
        complete=False,
        source="J.-J. Rousseau 1755; B. Skyrms, The Stag Hunt, 2004",
        notes="All hunt the stag, or nobody. If all are needed, hunting with probability "
        "(hare/stag)^(1/(n - 1)) each is an equilibrium, too.",
    )


@register("majority")
def majority(n: int = 5) -> Entry:
    """Two sides, n odd; 1 for all on the larger side."""
    n = count(n, "n", 3, 15)
    return Entry(
        game=families.majority(n),
        equilibria=(pure((0,) * n, (2,) * n), pure((1,) * n, (2,) * n), even((2,) * n)),
        complete=False,
        source="H. Moulin, The Strategy of Social Choice, 1983",
        notes="Whoever is on the smaller side joins the larger one: only unanimity is stable.",
    )


@register("minority")
def minority(n: int = 5) -> Entry:
    """Two sides, n odd; 1 for all on the smaller side."""
    n = count(n, "n", 3, 15)
    halves = [g for k in (n // 2, n // 2 + 1) for g in combinations(range(n), k)]
    split = tuple(pure([int(i in g) for i in range(n)], (2,) * n) for g in halves)
    return Entry(
        game=families.minority(n),
        equilibria=(*split, even((2,) * n)),
        complete=False,
        source="D. Challet, Y.-C. Zhang, Physica A 246, 1997",
        notes="Sides that differ by one player, whoever is where. There are mixed ones.",
    )


@register("agreement")
def consensus(n: int = 4, m: int = 3) -> Entry:
    """The payoff is how many others do the same."""
    n, m = count(n, "n", 2, 10), count(m, "m", 1, 10)
    together = (pure((k,) * n, (m,) * n) for k in range(m))
    return Entry(
        game=families.consensus(n, m).game,
        equilibria=(*together, *([even((m,) * n)] if m > 1 else [])),
        complete=False,
        source="H. P. Young, Econometrica 61, 1993",
        notes="Of two groups the one that is not larger gains by joining the other: only "
        "consensus is stable. The pairs of players in agreement are a potential.",
    )


@register("graph-colouring")
def graph_colouring(n: int = 4, colours: int = 3) -> Entry:
    """n players in a ring; each pays 1 for a neighbour of the same colour."""
    n, m = count(n, "n", 3, 10), count(colours, "colours", 3, 10)
    ring = np.eye(n, k=1) + np.eye(n, k=-1) + np.eye(n, k=n - 1) + np.eye(n, k=1 - n)
    game, _ = families.graph_colouring(ring, m)
    proper = [a for a in product(range(m), repeat=n) if _proper(a)]
    return Entry(
        game=game,
        equilibria=(*(pure(a, (m,) * n) for a in proper), even((m,) * n)),
        complete=False,
        source="P. N. Panagopoulou, P. G. Spirakis, WINE 2008",
        notes="With three colours nobody needs to clash with two neighbours: the pure equilibria "
        "are the (m - 1)^n + (-1)^n (m - 1) proper colourings of the ring.",
    )


def _proper(a: tuple[int, ...]) -> bool:
    """Whether no two neighbours of the ring are equal."""
    return all(a[k] != a[k - 1] for k in range(len(a)))


@register("battle-of-n")
def battle_of_n(n: int = 3, favourite: float = 3, other: float = 1) -> Entry:
    """n friends, n places, each with its own favourite; it is no fun unless all are there."""
    n = count(n, "n", 2, 7)
    high, low = number(favourite, "favourite"), number(other, "other")
    if not 0.0 < low < high:
        raise InputError(f"battle-of-n: need 0 < other < favourite, got {low:g}, {high:g}")
    stable = [a for a in product(range(n), repeat=n) if _stuck(a)]
    return Entry(
        game=families.coordinate(low + (high - low) * np.eye(n), title="Battle of n friends"),
        equilibria=tuple(pure(a, (n,) * n) for a in stable),
        complete=False,
        source="R. D. Luce, H. Raiffa, Games and Decisions, 1957, §5.3, for n = 2",
        notes="As in pure coordination, but everybody would rather have another agreement.",
    )


@register("team-game")
def team_game(seed: int = 0, n: int = 2, m: int = 3) -> Entry:
    """A random team: one whole number from 0 to 99 for each joint action, paid to everybody."""
    n, m = count(n, "n", 1, 8), count(m, "m", 1, 20)
    game = generators.common_interest_game(seeded(seed), (m,) * n, low=0, high=99)
    return Entry(
        game=NormalForm(game.payoffs, title="Random team"),
        equilibria=tuple(pure(a, (m,) * n) for a in pure_equilibria(game)),
        complete=False,
        source="drawn from the seed; pure equilibria by enumeration",
        notes="The best joint action is an equilibrium, and so is every one that nobody alone can "
        "better.",
    )
