"""What correlated equilibria pay: the polygons of payoffs that devices can reach."""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, expected_utility, library
from ...games.correlated import (
    Correlated,
    correlated_equilibrium,
    product_distribution,
    violation,
)
from ...games.support import support_enumeration
from ..study import Outcome, Row, at_least, at_most, close

CHICKEN = library.game("chicken")
SHAPLEY = library.game("shapley")
TIES = np.array([[0.5, -1, 1], [1, 0.5, -1], [-1, 1, 0.5]])
TIES_PAY = NormalForm.bimatrix(TIES, TIES.T, title="Rock, paper, scissors, ties pay 1/2")
THIRDS = np.array([[1, 1], [1, 0]]) / 3


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Chicken, where a device pays more than any Nash equilibrium; Shapley's game."""
    directions = 360 if full else 60
    best, worst = (correlated_equilibrium(CHICKEN, w) for w in ("welfare", "-welfare"))
    rows = (*_chicken(best, worst), *_nested(), *_ties())
    caption = (
        "First and third: payoffs of both players. Grey is what joint lotteries can pay at all, "
        "blue what correlated equilibria pay, orange (dashed) the coarse ones; dots are Nash "
        "equilibria. With two actions coarse and plain ones are the same; on Shapley's game plain "
        "ones pay what lies on a line, coarse ones what lies in a triangle. Second: three devices "
        "of chicken, each the probabilities with which it calls the four outcomes."
    )
    panels = (_polygons(CHICKEN, directions), _devices(best, worst), _polygons(SHAPLEY, directions))
    sample = f"Linear programs in {directions} directions for each polygon; no random numbers."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def _chicken(best: Correlated, worst: Correlated) -> list[Row]:
    mixed = next(x for x in support_enumeration(CHICKEN).profiles if 0 < x[0][0] < 1)
    nash = float(expected_utility(CHICKEN, mixed)[0])
    device = (CHICKEN.payoffs * THIRDS).sum(axis=(1, 2))
    wanted = np.array([[0.5, 0.25], [0.25, 0]])
    off = float(abs(best.distribution - wanted).max())
    return [
        close("mixed Nash: payoff of each", nash, 14 / 3, 1e-9),
        close("the device of thirds: payoff of each", float(device[0]), 5.0, 1e-9),
        at_most("the device of thirds: gain from disobeying", violation(CHICKEN, THIRDS), 1e-9),
        close("best device: payoff of each", float(best.payoffs[0]), 5.25, 1e-8),
        close("best device: distance from (1/2, 1/4, 1/4, 0)", off, 0.0, 1e-8),
        close("worst device: payoffs of both together", float(worst.payoffs.sum()), 7.2, 1e-8),
    ]  # fmt: skip


def _nested() -> list[Row]:
    """Nash ⊂ correlated ⊂ coarse, seen at the welfare that each reaches."""
    rows, gains = [], []
    for game in (CHICKEN, SHAPLEY, TIES_PAY):
        nash = support_enumeration(game).profiles
        gains += [violation(game, product_distribution(game, x)) for x in nash]
        welfare = max(float(expected_utility(game, x).sum()) for x in nash)
        plain, coarse = (
            float(correlated_equilibrium(game, coarse=c).payoffs.sum()) for c in (False, True)
        )
        least = min(plain - welfare, coarse - plain)
        title = f"{game.title}: least step in welfare from Nash to correlated to coarse"
        rows.append(at_least(title, least, -1e-8))
    return [
        at_most("Nash equilibria as devices: largest gain from disobeying", max(gains), 1e-9),
        *rows,
    ]


def _ties() -> list[Row]:
    """Rock, paper, scissors has one correlated equilibrium, also where ties pay (Viossat 2008)."""
    plain, coarse = (
        float(correlated_equilibrium(TIES_PAY, coarse=c).payoffs.sum()) for c in (False, True)
    )
    return [
        close(f"{TIES_PAY.title}: the only correlated welfare", plain, 1 / 3, 1e-7),
        close(f"{TIES_PAY.title}: best coarse welfare, always a tie", coarse, 1.0, 1e-7),
    ]


# -------------------------------------------------------------------------------------- figures


def polygon(game: NormalForm, directions: int, coarse: bool | None) -> Array:
    """Corners (K, 2) of the payoffs of (coarse) correlated equilibria; of all lotteries if None."""
    corners = []
    for angle in np.arange(directions) * 2 * np.pi / directions + 0.01:
        weights = np.cos(angle) * game.payoffs[0] + np.sin(angle) * game.payoffs[1]
        if coarse is None:
            a = np.unravel_index(int(np.argmax(weights)), weights.shape)
            corners.append(game.at(tuple(int(k) for k in a)))
        else:
            corners.append(correlated_equilibrium(game, weights, coarse).payoffs)
    return np.array(corners)


def _polygons(game: NormalForm, directions: int) -> plots.Panel:
    everything, plain, coarse = (polygon(game, directions, c) for c in (None, False, True))
    nash = [(expected_utility(game, x), x) for x in support_enumeration(game).profiles]

    def draw(ax: Any) -> None:
        ax.fill(*everything.T, color=plots.GRID, alpha=0.6, linewidth=0, label="all lotteries")
        ax.fill(
            *plain.T, facecolor=plots.SKY, edgecolor=plots.BLUE, linewidth=2, label="correlated"
        )
        loop = np.vstack([coarse, coarse[:1]])
        ax.plot(*loop.T, color=plots.ORANGE, linestyle="--", label="coarse")
        for k, (u, x) in enumerate(nash):
            plots.mark(ax, u, pure=max(x[0]) > 1 - 1e-9, label="" if k else "Nash")
        if game is CHICKEN:
            ax.plot([5], [5], marker="D", linestyle="none", color=plots.PURPLE, label="thirds")
            ax.plot([5.25], [5.25], "*", color=plots.GREEN, markersize=12, label="best")
        ax.set(xlabel="payoff of player 1", ylabel="payoff of player 2")
        ax.set_aspect("equal")

    alt = (
        f"{game.title}: payoffs of correlated equilibria inside those of all lotteries, "
        f"with {len(nash)} Nash equilibria."
    )
    return plots.Panel(game.title, alt, draw, (plots.WIDTH, 3.6))


def _devices(best: Correlated, worst: Correlated) -> plots.Panel:
    devices = (("thirds", THIRDS), ("best", best.distribution), ("worst", worst.distribution))

    def draw(ax: Any) -> None:
        for k, (name, p) in enumerate(devices):
            top = 2 - k
            ax.text(-0.15, top + 0.44, name, ha="right", va="center", fontweight="bold")
            for (a, b), value in np.ndenumerate(p):
                left, low = 1.2 * b, top + 0.44 - 0.44 * a
                ax.fill_between(
                    [left, left + 1.2], low, low + 0.44, color=plots.BLUE, linewidth=0,
                    alpha=0.7 * float(value),
                )  # fmt: skip
                ax.text(left + 0.6, low + 0.22, f"{value:.3g}", ha="center", va="center")
                ax.plot(
                    [left, left + 1.2, left + 1.2, left, left],
                    [low, low, low + 0.44, low + 0.44, low],
                    color=plots.MUTED, linewidth=0.8,
                )  # fmt: skip
            for a, action in enumerate(CHICKEN.actions[0]):
                ax.text(2.5, top + 0.66 - 0.44 * a, action, va="center", color=plots.MUTED)
        for b, action in enumerate(CHICKEN.actions[1]):
            ax.text(0.6 + 1.2 * b, 2.95, action, ha="center", color=plots.MUTED)
        ax.set(xlim=(-0.9, 3.3), ylim=(-0.05, 3.2))
        ax.set_axis_off()

    table = "; ".join(f"{name}: {np.round(p, 3).tolist()}" for name, p in devices)
    return plots.Panel("Devices of chicken", f"Probabilities. {table}.", draw, (plots.WIDTH, 3.6))
