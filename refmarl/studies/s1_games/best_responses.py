"""Best-response curves of games with two players and two actions.

With p = x_1(first action) and q = x_2(first action), player 1 prefers the first action where

    (u_1(1,1) − u_1(2,1)) q + (u_1(1,2) − u_1(2,2)) (1 − q) > 0,

so that its best response jumps where this line in q crosses zero; the same for player 2 in p.
The equilibria are the points that the two curves share.
"""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array, Profile
from ...games import NormalForm, library, nash_conv
from ...games.support import support_enumeration
from ..study import Outcome, at_most, close, equal

GAMES = (
    "prisoners-dilemma",
    "stag-hunt",
    "chicken",
    "battle-of-the-sexes",
    "coordination",
    "matching-pennies",
)


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Curves of six games, their crossings counted and located."""
    rows, panels, worst = [], [], 0.0
    for name in GAMES:
        known = library.entry(name)
        game, title = known.game, known.game.title
        found = support_enumeration(game).profiles
        worst = max([worst, *(float(nash_conv(game, x)) for x in found)])
        rows.append(equal(f"{title}: number of equilibria", len(found), len(known.equilibria)))
        mixed = [x for x in known.profiles if _is_mixed(x)]
        for p, q in ((x[0][0], x[1][0]) for x in mixed):
            jumps = [float(curve(game, 1)[1, 0]), float(curve(game, 0)[1, 0])]
            off = max(abs(jumps[0] - p), abs(jumps[1] - q))
            rows.append(
                close(
                    f"{title}: distance of the jumps from the published mixed one", off, 0.0, 1e-9
                )
            )
        panels.append(_panel(game, found))
    rows.append(at_most("largest NashConv of all of them", worst, 1e-9))
    caption = (
        "Best responses of player 1 (solid) to q and of player 2 (dashed) to p, where p and q are "
        "the probabilities of the first action. Filled dots are pure equilibria, open dots mixed "
        "ones. Where nobody is indifferent at a pure profile the curves meet once or three times."
    )
    sample = f"{len(GAMES)} games, solved exactly; nothing is drawn at random."
    return Outcome(tuple(rows), (plots.Figure(caption, tuple(panels), lead=2),), sample)


def _is_mixed(x: Profile) -> bool:
    return bool(max(x[0]) < 1 - 1e-9)


def curve(game: NormalForm, i: int) -> Array:
    """Player i's best response as a polyline (K, 2) of (other's probability, own probability)."""
    u = game.payoffs[i] if i == 0 else game.payoffs[i].T
    gain = u[0] - u[1]  # of the first action, against the other's two actions
    at_zero, at_one = gain[1], gain[0]
    start, end = float(at_zero > 0), float(at_one > 0)
    if at_zero * at_one >= 0:
        always = float(at_zero + at_one > 0)
        return np.array([[0.0, always], [1.0, always]])
    jump = at_zero / (at_zero - at_one)
    return np.array([[0.0, start], [jump, start], [jump, end], [1.0, end]])


def _panel(game: NormalForm, found: tuple[Profile, ...]) -> plots.Panel:
    first, second = curve(game, 0), curve(game, 1)

    def draw(ax: Any) -> None:
        above = {"clip_on": False, "zorder": 3}  # the axes
        ax.plot(first[:, 1], first[:, 0], plots.BLUE, label="BR₁(q)", **above)
        ax.plot(*second.T, plots.ORANGE, linestyle="--", label="BR₂(p)", **above)
        for x in found:
            plots.mark(ax, (x[0][0], x[1][0]), pure=not _is_mixed(x))
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="p, player 1's first action")
        ax.set_ylabel("q, player 2's first action")
        ax.set_xticks([0, 0.5, 1])
        ax.set_yticks([0, 0.5, 1])

    places = "; ".join(f"p = {x[0][0]:.3g}, q = {x[1][0]:.3g}" for x in found)
    alt = f"{game.title}: the best-response curves share {len(found)} point(s), at {places}."
    return plots.Panel(game.title, alt, draw, (plots.WIDTH, 3.3))
