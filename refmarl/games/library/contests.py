"""Contests and markets, from :mod:`refmarl.games.families`, with their equilibria."""

from fractions import Fraction
from itertools import product

import numpy as np

from ...check import InputError
from .. import families
from ..normal_form import NormalForm
from ._entry import Entry, ExactProfile, count, even, number, pure, register


@register("rps-n")
def rps_n(n: int = 7) -> Entry:
    """n odd: every action beats half of the others and loses to half."""
    game = families.rock_paper_scissors(count(n, "n", 1, 99))
    return Entry(
        game=game,
        equilibria=(even((n, n)),),
        complete=True,
        value=Fraction(0),
        source="D. C. Fisher, J. Ryan, American Mathematical Monthly 99, 1992",
        notes="Optimal strategies of tournaments are unique; here everything is alike.",
    )


@register("weighted-pennies")
def weighted_pennies(a: float = 3, b: float = 1, c: float = 2, d: float = 4) -> Entry:
    """Matching pennies at stakes: heads-heads pays a, tails-tails d; the others cost b and c."""
    a, b, c, d = (number(x, name) for x, name in ((a, "a"), (b, "b"), (c, "c"), (d, "d")))
    if not min(a, b, c, d) > 0.0:
        raise InputError(f"weighted-pennies: need stakes > 0, got {a:g}, {b:g}, {c:g}, {d:g}")
    p, q, r, s = map(Fraction, (a, b, c, d))
    total = p + q + r + s
    x, y = (r + s) / total, (q + s) / total
    return Entry(
        game=NormalForm.zero_sum(
            [[a, -b], [-c, d]], title="Weighted pennies", actions=(("heads", "tails"),) * 2
        ),
        equilibria=(((x, 1 - x), (y, 1 - y)),),
        complete=True,
        value=(p * s - q * r) / total,
        source="J. von Neumann, Mathematische Annalen 100, 1928",
        notes="Heads with probability (c + d)/T and (b + d)/T, T = a + b + c + d: each makes the "
        "other indifferent, so raising one's own prize changes what the other does.",
    )


@register("cournot-oligopoly")
def cournot_oligopoly(
    n: int = 3, intercept: float = 10, slope: float = 1, cost: float = 2, steps: int = 2
) -> Entry:
    """n firms choose quantities, 0 to twice the continuous game's q* in steps of q*/``steps``."""
    n, k = count(n, "n", 2, 8), count(steps, "steps", 1, 500)
    a, b, c = number(intercept, "intercept"), number(slope, "slope"), number(cost, "cost")
    if not (b > 0 and 0 < c < a):
        raise InputError(
            f"cournot-oligopoly: need slope > 0 and 0 < cost < intercept, got {b:g}, {c:g}, {a:g}"
        )
    sizes = (2 * k + 1,) * n
    quantities = (a - c) / ((n + 1) * b) / k * np.arange(2 * k + 1)
    moves = [d for d in product((-1, 0, 1), repeat=n) if sum(d) == 0]
    return Entry(
        game=families.cournot(quantities, a, b, [c] * n),
        equilibria=tuple(pure([k + e for e in d], sizes) for d in moves),
        complete=False,
        source="A. Cournot, Recherches, 1838, ch. VII",
        notes="q* = (intercept - cost)/((n + 1) slope). On the grid a quantity is best if it is "
        "within half a step of the best reply, half the slack that others leave: the pure "
        "equilibria are q*, and as many firms a step above it as below.",
    )


@register("bertrand")
def bertrand(n: int = 2, prices: int = 6) -> Entry:
    """The lowest prices share one customer; prices are cost, cost + 1, …"""
    n, m = count(n, "n", 2, 8), count(prices, "prices", 2, 1000)
    game = families.bertrand(n, np.arange(m))
    joint = product(range(m), repeat=n)
    alike = {(k,) * n for k in range(1, m) if k * (n - 1) <= n}
    return Entry(
        game=game,
        equilibria=tuple(pure(a, (m,) * n) for a in joint if a in alike or _at_cost(a)),
        complete=False,
        source="J. Bertrand, Journal des Savants, 1883",
        notes="At cost, if two firms or more are there: nobody earns anything. All at cost + k, "
        "if k (n - 1) ≤ n: undercutting earns k - 1 instead of k/n.",
    )


def _at_cost(a: tuple[int, ...]) -> bool:
    """Whether two firms sell at cost."""
    return a.count(0) >= 2


@register("tullock")
def tullock(n: int = 2, prize: float = 8, r: float = 1, steps: int = 2) -> Entry:
    """The prize goes to i with probability e_i^r / Σ e_j^r; efforts in steps of e*/``steps``."""
    n, k = count(n, "n", 2, 8), count(steps, "steps", 1, 200)
    prize, r = number(prize, "prize"), number(r, "r")
    if not (prize > 0 and 0 < r <= 1):
        raise InputError(f"tullock: need prize > 0 and 0 < r ≤ 1, got {prize:g}, {r:g}")
    best = (n - 1) / n**2 * r * prize
    top = int(k * n**2 / ((n - 1) * r))  # more than the prize is never worth it
    levels = min(top, 2 * k + 1) + 1
    return Entry(
        game=families.tullock(n, prize, best / k * np.arange(levels), r),
        equilibria=(pure((k,) * n, (levels,) * n),),
        complete=False,
        source="G. Tullock in Toward a Theory of the Rent-Seeking Society, 1980",
        notes="e* = (n - 1)/n² · r · prize each. Of the prize (n - 1)/n · r is wasted.",
    )


@register("all-pay")
def all_pay(prize: int = 4) -> Entry:
    """Two bid 0, 1, …, prize; the higher bid wins, ties share, both pay."""
    v = count(prize, "prize", 3, 1000)
    low, high = ((*_alternate(v, first), Fraction(0)) for first in (0, 1))
    extreme: set[ExactProfile] = {(x, y) for x in (low, high) for y in (low, high)}
    return Entry(
        game=families.all_pay(2, v, np.arange(v + 1)),
        equilibria=tuple(sorted(extreme, reverse=True)),
        complete=True,
        source="M. R. Baye, D. Kovenock, C. G. de Vries, Economic Theory 8, 1996",
        notes="Both draw from 0, …, prize - 1 evenly: bid b wins (b + 1/2)/prize of the time, so "
        "every bid earns 1/2. To be indifferent each needs that two bids in a row have "
        "probability 2/prize: this is all if the prize is odd; if it is even, even bids may be "
        "more likely and odd ones less, or the reverse.",
    )


def _alternate(v: int, first: int) -> tuple[Fraction, ...]:
    """Evenly on all bids below v; if v is even, on those of one parity only."""
    if v % 2:
        return (Fraction(1, v),) * v
    return tuple(Fraction(2 * int(b % 2 == first), v) for b in range(v))


@register("war-of-attrition")
def war_of_attrition(prize: float = 4, longest: int = 5) -> Entry:
    """Two wait 0, 1, …, ``longest``; the longer wins, both pay the shorter time."""
    v, m = number(prize, "prize"), count(longest, "longest", 1, 1000)
    if not v > 2:
        raise InputError(f"war-of-attrition: need prize > 2, got {v:g}")
    sizes = (m + 1, m + 1)
    gives_in = [(0, b) for b in range(1, m + 1) if b >= (v if b < m else v / 2)]
    found = [*gives_in, *((b, a) for a, b in gives_in), *([(m, m)] if m <= v / 2 else [])]
    return Entry(
        game=families.war_of_attrition(v, np.arange(m + 1)),
        equilibria=tuple(pure(a, sizes) for a in found),
        complete=False,
        source="J. Maynard Smith, Journal of Theoretical Biology 47, 1974",
        notes="One gives in at once because the other would wait for longer than it is worth. "
        "There are mixed ones.",
    )


@register("centipede")
def centipede(legs: int = 4, large: float = 4, small: float = 1, growth: float = 2) -> Entry:
    """Take the larger pile, or pass and let both piles grow."""
    turns = count(legs, "legs", 2, 200)
    game = families.centipede(turns, large, small, growth)
    return Entry(
        game=game,
        equilibria=(pure((0, 0), game.num_actions),),
        complete=False,
        source="R. W. Rosenthal, Journal of Economic Theory 25, 1981",
        notes="The first one takes at once, in every equilibrium; the other, who is not asked, "
        "must take often enough.",
    )
