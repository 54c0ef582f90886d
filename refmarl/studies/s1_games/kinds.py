"""What kinds of games there are: potential or harmonic, cooperative or competitive.

The share of the potential part in what is strategic is drawn against the correlation of payoffs for
every game of the library. For random payoffs with correlation ρ both are known. Normal payoffs have
the same expected square in every direction that lies in one player's payoffs alone, and 1 + ρ times
it along the sum of both players' payoffs. With k actions each, the strategic part has 2(k-1)
directions in which a payoff depends on the own action alone, all potential, and 2(k-1)² in which it
depends on both, half of them (the sums) potential:

    E|P|² / E|P + H|² = (2(k-1) + (1+ρ)(k-1)²) / (2(k-1) + 2(k-1)²) = (2 + (1+ρ)(k-1)) / (2k)
"""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, library
from ...games.generators import covariance_game
from ...games.kinds import decompose, spectrum
from ..study import Outcome, Row, at_most, equal

ACTIONS = (2, 4, 8)
RHO = np.linspace(-1.0, 1.0, 9)
LABELLED = {
    "prisoners-dilemma": ("prisoner's dilemma", (4, -13)),
    "matching-pennies": ("matching pennies", (6, 6)),
    "saddle-point": ("saddle point", (6, -16)),
    "climbing": ("climbing", (-4, -14)),
    "shapley": ("Shapley", (6, 2)),
    "inspection": ("inspection", (6, 2)),
}


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """The library's games, then random games of every correlation."""
    draws = 1000 if full else 250
    games = {name: library.game(name) for name in library.names()}
    places = {n: _place(g) for n, g in games.items()}
    shares = {k: np.array([_share(rng, k, rho, draws) for rho in RHO]) for k in ACTIONS}
    rows = (*_library(games, places), *_random(shares, draws))
    caption = (
        "First: games of the library by the correlation of their payoffs (−1 is zero-sum for two "
        "players, 1 is common interest) and by the share of the potential part; at 1 they are "
        "potential games, at 0 harmonic ones. Second: the share in random games of two players "
        "with k actions each and payoffs of correlation ρ: what was measured (dots) beside what "
        "is expected (lines). The more actions, the more cycles."
    )
    panels = (_library_panel(places), _random_panel(shares))
    sample = f"{len(games)} games of the library; {draws} random games for each k and ρ."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def expected_share(k: int, rho: Any) -> Any:
    """E|P|² / E|P + H|² of two players with k actions each."""
    return (2 + (1 + rho) * (k - 1)) / (2 * k)


def standard_error(k: int, rho: Any) -> Any:
    """Of the ratio of means, times √draws (delta method; a squared normal has variance 2)."""
    own, joint, share = 2 * (k - 1), (k - 1) ** 2, expected_share(k, rho)
    potential, harmonic = own + joint * (1 + rho) ** 2, joint * (1 - rho) ** 2
    spread = 2 * ((1 - share) ** 2 * potential + share**2 * harmonic)
    return np.sqrt(spread) / (own + 2 * joint)


def _place(game: NormalForm) -> tuple[float, float]:
    """(correlation, potential share)."""
    return spectrum(game).correlation, decompose(game).potential_share


def _share(rng: np.random.Generator, k: int, rho: float, draws: int) -> float:
    """Mean |P|² over mean |P + H|² of ``draws`` games."""
    parts = [decompose(covariance_game(rng, (k, k), rho)) for _ in range(draws)]
    p, h = (sum(float((x**2).sum()) for x in xs) for xs in (
        [part.potential for part in parts], [part.harmonic for part in parts],
    ))  # fmt: skip
    return p / (p + h)


def _library(games: dict[str, NormalForm], places: dict[str, tuple[float, float]]) -> list[Row]:
    off = across = 0.0
    for game in games.values():
        part = decompose(game)
        size = float(np.abs(game.payoffs).max())
        parts = (part.nonstrategic, part.potential, part.harmonic)
        off = max(off, float(np.abs(sum(parts) - game.payoffs).max()) / size)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            product = sum(
                k * float((u * v).sum())
                for k, u, v in zip(game.num_actions, parts[a], parts[b], strict=True)
            )
            across = max(across, abs(product) / size**2 / game.payoffs.size)
    share = {name: place[1] for name, place in places.items()}
    harmonic = sorted(name for name, s in share.items() if s == 0.0)
    pure = ("prisoners-dilemma", "stag-hunt", "coordination", "congestion", "climbing")
    return [
        at_most("library: the parts less the game, to its payoffs' size", off, 1e-12),
        at_most("library: inner product of two parts, the same", across, 1e-12),
        equal(f"potential games: {', '.join(pure)}", all(share[n] == 1.0 for n in pure), True),
        equal(
            "harmonic: matching pennies and rock-paper-scissors",
            {"matching-pennies", "rock-paper-scissors"} <= set(harmonic),
            True,
        ),
    ]


def _random(shares: dict[int, Array], draws: int) -> list[Row]:
    return [
        at_most(
            f"random games, k = {k}: distance of the share from its expectation (5 s.e.)",
            float(np.abs(found - expected_share(k, RHO)).max()),
            5 * float(standard_error(k, RHO).max()) / np.sqrt(draws),
        )
        for k, found in shares.items()
    ]


# -------------------------------------------------------------------------------------- figures


def _library_panel(places: dict[str, tuple[float, float]]) -> plots.Panel:
    def draw(ax: Any) -> None:
        x, y = np.array(list(places.values())).T
        ax.plot(x, y, "o", color=plots.BLUE, alpha=0.55, markeredgewidth=0, clip_on=False)
        for name, (text, shift) in LABELLED.items():
            ax.annotate(
                text, places[name], xytext=shift, textcoords="offset points", fontsize=8.5,
                ha="left" if shift[0] > 0 else "right",
            )  # fmt: skip
        ax.set(xlim=(-1, 1), ylim=(0, 1), xlabel="correlation of payoffs")
        ax.set_ylabel("share of the potential part")

    found = [x for x, y in places.values() if y == 1.0]
    alt = (
        f"{len(found)} of {len(places)} games have a potential, with correlations from "
        f"{min(found):.2g} to {max(found):.2g}; the harmonic ones lie at −1."
    )
    return plots.Panel("Games of the library", alt, draw)


def _random_panel(shares: dict[int, Array]) -> plots.Panel:
    styles = ((plots.BLUE, "-", "o"), (plots.ORANGE, "--", "s"), (plots.GREEN, "-.", "d"))

    def draw(ax: Any) -> None:
        for (k, found), (color, line, marker) in zip(shares.items(), styles, strict=True):
            ax.plot(RHO, expected_share(k, RHO), color=color, linestyle=line, label=f"k = {k}")
            ax.plot(RHO, found, marker, color=color, clip_on=False)
        ax.set(xlim=(-1, 1), ylim=(0, 1), xlabel="correlation ρ of payoffs")
        ax.set_ylabel("share of the potential part")

    alt = "The share grows in a line with ρ, up to 1 at ρ = 1; at −1 it is 1/k."
    return plots.Panel("Random games", alt, draw)
