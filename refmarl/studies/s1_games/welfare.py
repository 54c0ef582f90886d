"""Dominance, Pareto optimality and the price of anarchy, with the course's own printed outputs."""

from itertools import product
from typing import Any

import numpy as np

from ...analysis import plots
from ...games import NormalForm, library, nash_conv, pure_equilibria
from ...games.dominance import iterated_elimination
from ...games.pareto import pareto_frontier
from ...games.support import support_enumeration
from ...games.welfare import price_of_anarchy, social_welfare
from ..study import Outcome, Row, at_most, close, equal

DILEMMA = library.game("prisoners-dilemma")
DRIVERS = (2, 4, 6, 8, 10)


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """The prisoner's dilemma, public goods, two roads, and what dominance leaves."""
    drivers = (*DRIVERS, 12, 14) if full else DRIVERS
    roads = {n: road_cost(n) for n in drivers}
    rows = (*_printed(), *_dominance(), *_public_goods(), *_roads(roads), *_survivors())
    caption = (
        "First: the four outcomes of the prisoner's dilemma; the line joins the Pareto-optimal "
        "ones, and the equilibrium is the only one below it. Second: public goods of 4 players, "
        "whose gifts are multiplied by r and shared: giving pays all and costs the giver, so that "
        "nobody gives, and the price of anarchy is r. Third: n drivers choose between a road that "
        "takes 1 and one that takes the share of drivers on it; the price of anarchy is 4/3."
    )
    panels = (_outcomes(), _gifts(), _driving(roads))
    sample = "Exact, by enumeration of all joint actions; no random numbers."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def public_goods(n: int, r: float) -> NormalForm:
    """n players give 1 or nothing; gifts times r are shared by all (action 0 gives)."""
    gives = 1 - np.indices((2,) * n)
    payoffs = 1 - gives + r * gives.sum(axis=0) / n
    return NormalForm(payoffs, title=f"Public goods, r = {r:g}")


def two_roads(n: int) -> NormalForm:
    """Pigou's roads with n drivers; payoffs are times: action 0 takes k/n, action 1 takes 1."""
    choice = np.indices((2,) * n)
    share = (choice == 0).sum(axis=0) / n
    return NormalForm(-np.where(choice == 0, share, 1.0), title=f"{n} drivers")


def road_cost(n: int) -> tuple[float, float]:
    """Total time of all drivers (in the worst pure equilibrium, at best)."""
    game = two_roads(n)
    welfare = social_welfare(game)
    return max(-float(welfare[a]) for a in pure_equilibria(game)), -float(welfare.max())


def _printed() -> list[Row]:
    """What the course prints in its sections 1 and 7."""
    coordination = library.game("coordination")
    mixed = ([1 / 3, 2 / 3], [1 / 3, 2 / 3])
    later, battle = library.game("prisoners-dilemma-positive"), library.game("battle-of-the-sexes")
    single = float(social_welfare(later)[1, 1])
    welfare = [float(social_welfare(battle)[a]) for a in pure_equilibria(battle)]
    return [
        equal("prisoner's dilemma: pure equilibria", pure_equilibria(DILEMMA), [(1, 1)]),
        equal("its equilibrium is Pareto optimal", bool(pareto_frontier(DILEMMA)[1, 1]), False),
        equal("coordination: pure equilibria", pure_equilibria(coordination), [(0, 0), (1, 1)]),
        at_most(
            "coordination: NashConv of the mixed one, (1/3, 2/3) twice, that the course omits",
            float(nash_conv(coordination, mixed)), 1e-12,
        ),
        equal("section 7, prisoner's dilemma: welfare at (1, 1)", single, 2.0),
        equal("section 7, battle of the sexes: welfare at (0, 0) and (1, 1)", welfare, [3.0, 3.0]),
    ]  # fmt: skip


def _dominance() -> list[Row]:
    left = iterated_elimination(DILEMMA, "pure").game.actions
    travellers = iterated_elimination(library.game("travelers-dilemma"))
    mixed = NormalForm.bimatrix([[3, 0], [0, 3], [1, 1]], [[0, 1], [1, 0], [0, 0]])
    kept = {by: iterated_elimination(mixed, by).kept[0] for by in ("pure", "mixed")}
    return [
        equal(
            "prisoner's dilemma: actions that survive strict dominance", left, (("confess",),) * 2
        ),
        equal("rows (3,0), (0,3), (1,1): survive pure dominators", kept["pure"], (0, 1, 2)),
        equal("the same: survive mixed dominators", kept["mixed"], (0, 1)),
        equal(
            "traveler's dilemma, claims of 2 to 10: survivors",
            travellers.game.actions,
            (("2",),) * 2,
        ),
        equal("the same: rounds, one for each claim above 2", travellers.rounds[-1].round, 8),
    ]


def _public_goods() -> list[Row]:
    rows = []
    for r in (1.6, 3.0):
        game = public_goods(4, r)
        kept = iterated_elimination(game).kept
        rows.append(equal(f"{game.title}: survivors (0 gives, 1 keeps)", kept, ((1,),) * 4))
        price = price_of_anarchy(game, [(1, 1, 1, 1)])
        rows.append(close(f"{game.title}: price of anarchy, r", price, r, 1e-12))
    return rows


def _roads(costs: dict[int, tuple[float, float]]) -> list[Row]:
    off = max(abs(worst / best - 4 / 3) for worst, best in costs.values())
    counts = ", ".join(str(n) for n in costs)
    return [at_most(f"two roads, n = {counts}: distance of the price from 4/3", off, 1e-12)]


def _survivors() -> list[Row]:
    """Over the library: no equilibrium plays an action that strict dominance deletes."""
    played = 0.0
    names = [n for n in library.names() if n != "blotto"]
    games = [g for g in (library.game(n) for n in names) if g.num_players == 2]
    for game in games:
        kept = iterated_elimination(game).kept
        for profile in support_enumeration(game).profiles:
            for x, stays in zip(profile, kept, strict=True):
                played = max(played, 1 - float(x[list(stays)].sum()))
    title = f"{len(games)} games of the library: probability of a deleted action in equilibrium"
    return [at_most(title, played, 1e-9)]


# -------------------------------------------------------------------------------------- figures


def _outcomes() -> plots.Panel:
    best = pareto_frontier(DILEMMA)
    names = DILEMMA.actions[0]

    def draw(ax: Any) -> None:
        frontier = sorted(tuple(DILEMMA.at(tuple(a))) for a in np.argwhere(best))
        ax.plot(*np.transpose(frontier), color=plots.BLUE, label="Pareto optimal", marker="o")
        for a, b in product(range(2), repeat=2):
            x, y = DILEMMA.at((a, b))
            ax.annotate(
                f"{names[a]},\n{names[b]}", (x, y), xytext=(7, 4), textcoords="offset points",
                fontsize=8.5,
            )  # fmt: skip
        for joint in pure_equilibria(DILEMMA):
            plots.mark(ax, DILEMMA.at(joint), label="Nash")
        ax.set(xlim=(-3.4, 1.5), ylim=(-3.4, 0.9))
        ax.set(xlabel="payoff of player 1 (minus years)", ylabel="payoff of player 2")

    alt = "Payoffs of the prisoner's dilemma: the equilibrium at (−2, −2) lies below (−1, −1)."
    return plots.Panel("Prisoner's dilemma", alt, draw)


def _gifts() -> plots.Panel:
    r, n = 1.6, 4
    k = np.arange(n + 1)

    def draw(ax: Any) -> None:
        ax.plot(k, n - k + r * k, color=plots.BLUE, marker="o", label="welfare")
        ax.plot(
            k[1:], r * k[1:] / n, color=plots.ORANGE, linestyle="--", marker="s", label="a giver"
        )
        ax.plot(
            k[:-1],
            1 + r * k[:-1] / n,
            color=plots.GREEN,
            linestyle="-.",
            marker="d",
            label="a keeper",
        )
        plots.mark(ax, (0, n), label="Nash")
        ax.set(xlabel="players who give", ylabel="payoff", ylim=(0, None))
        ax.set_xticks(k)

    alt = "Welfare rises with the number of givers, yet a keeper always gets more than a giver."
    return plots.Panel("Public goods, r = 1.6", alt, draw)


def _driving(costs: dict[int, tuple[float, float]]) -> plots.Panel:
    n = np.array(list(costs))
    worst, best = np.array(list(costs.values())).T

    def draw(ax: Any) -> None:
        ax.plot(n, worst / n, color=plots.ORANGE, linestyle="--", marker="s", label="worst Nash")
        ax.plot(n, best / n, color=plots.BLUE, marker="o", label="best")
        ax.annotate("ratio 4/3", (6, 0.875), ha="center", va="center")
        ax.set(xlabel="number of drivers n", ylabel="mean time of a driver")
        ax.set_ylim(0.5, 1.1)
        ax.set_xticks(n)

    alt = "Mean time of a driver: 1 in the worst equilibrium, 3/4 at best, for every even n."
    return plots.Panel("Two roads", alt, draw)
