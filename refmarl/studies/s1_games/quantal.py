"""Logit equilibria: where the path leads, how it turns, and what it finds.

In a symmetric 2 × 2 game the symmetric logit equilibria are known in closed form: with p the
probability of the first action, which is better than the second by d(p) = α p - β,

    log(p / (1 - p)) = λ d(p),      λ = log(p / (1 - p)) / (α p - β)

In the stag hunt d(p) = 4p - 3. One curve runs from (λ, p) = (0, 1/2) to p = 0: all hunt hares,
which is risk dominant. The other comes from λ = ∞ at the mixed equilibrium p = 3/4, turns, and goes
back to λ = ∞ at p = 1.
"""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, library, regrets
from ...games.component_index import component_indices
from ...games.generators import random_game
from ...games.homotopy import logit_limit, one_equilibrium
from ...games.nash import scale
from ...games.quantal import LogitPath, logit_path
from ..study import Outcome, Row, at_least, at_most, close, equal

HUNT = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
TURNING = NormalForm(  # found by a search among small whole numbers
    np.reshape(
        [0, 2, 0, 1, 0, 0, 1, 5, 5, 4, 5, 2, 3, 0, 2, 5, 4, 5, 4, 3, 2, 1, 5, 3], (3, 2, 2, 2)
    )
)
SHAPES = ((2, 2, 2), (3, 3, 3), (2, 3, 4), (2, 2, 2, 2))


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Two paths that are drawn, then random games of three and four players."""
    draws = 500 if full else 40
    hunt, turning = logit_path(HUNT, 40.0), logit_path(TURNING, 120.0, longest=0.5)
    normal = [random_game(rng, shape, "normal") for shape in SHAPES for _ in range(draws)]
    tied = [random_game(rng, s, low=-1, high=1) for s in SHAPES * draws]
    paths = [logit_path(game) for game in normal[::draws]]
    rows = (
        *_drawn(hunt, turning),
        *_bounded(normal[::draws], paths),
        *_solved(normal, tied),
        *_indices(rng, draws),
    )
    caption = (
        "First: the symmetric logit equilibria of the stag hunt, as a formula gives them and as "
        "the path is traced (dots). It ends at the risk dominant equilibrium; the two others are "
        "the ends of another curve. Second: a game of three players whose path turns twice. "
        "Third: regret along the path, of four random games, below log A / λ."
    )
    panels = (_hunt_panel(hunt), _turning_panel(turning), _regret_panel(normal[::draws], paths))
    sample = f"{len(normal)} games with normal payoffs, {len(tied)} with payoffs −1, 0, 1."
    return Outcome(rows, (plots.Figure(caption, panels, lead=1),), sample)


def symmetric_rationality(p: Any) -> Any:
    """λ at which the stag hunt has the symmetric logit equilibrium p, p ≠ 3/4."""
    return np.log(p / (1 - p)) / (4 * p - 3)


def turns(path: LogitPath) -> int:
    """How often λ changes its direction along a path."""
    up = np.diff(path.rationality) > 0
    return int((up[1:] != up[:-1]).sum())


def _drawn(hunt: LogitPath, turning: LogitPath) -> list[Row]:
    p = hunt.profiles[0][1:, 0]
    off = float(abs(symmetric_rationality(p) / hunt.rationality[1:] - 1).max())
    stag = float(logit_limit(HUNT).profile[0][0])
    end = logit_limit(TURNING)
    last = [float(x[-1, 0]) for x in turning.profiles]
    return [
        at_most("stag hunt: λ of the path against the formula, relative", off, 1e-7),
        close("stag hunt: probability of stag at the end", stag, 0.0, 0.0),
        equal("three players: how often λ turns", turns(turning), 2),
        at_most(
            "three players: largest regret at the end", float(end.certificate.regrets.max()), 1e-12
        ),
        at_most(
            "three players: end of the path from the equilibrium it is refined to",
            float(max(abs(a - x[0]) for a, x in zip(last, end.profile, strict=True))),
            1e-6,
        ),
    ]


def _bounded(games: list[NormalForm], paths: list[LogitPath]) -> list[Row]:
    worst = 0.0
    for game, path in zip(games, paths, strict=True):
        share = _regrets(game, path) * path.rationality[1:, None] / np.log(game.num_actions)
        worst = max(worst, float(share[path.rationality[1:] < 1e6].max()))
    return [at_most("random games: regret · λ / log A, largest along a path", worst, 1.0)]


def _regrets(game: NormalForm, path: LogitPath) -> Array:
    """(T - 1, n): without the start."""
    found: Array = regrets(game, tuple(x[1:] / x[1:].sum(axis=1)[:, None] for x in path.profiles))
    return found


def _solved(normal: list[NormalForm], tied: list[NormalForm]) -> list[Row]:
    rows = []
    named = [library.game(name) for name in library.names()]
    for label, games in (("normal payoffs", normal), ("ties", tied), ("the library", named)):
        found = [one_equilibrium(game) for game in games]
        worst = max(
            float((f.certificate.regrets / np.maximum(scale(g), 1e-300)).max())
            for f, g in zip(found, games, strict=True)
        )
        solved = sum(f.certified for f in found)
        first = sum(f.starts == 1 for f in found) / len(found)
        rows += [
            equal(f"{label}: games with a certified equilibrium", solved, len(games)),
            at_most(f"{label}: largest regret / payoffs", worst, 1e-9),
            at_least(f"{label}: share that the first path solves", first, 0.9),
        ]
    return rows


def _indices(rng: np.random.Generator, draws: int) -> list[Row]:
    sums: set[int] = set()
    for _ in range(draws):
        m, n = (int(k) for k in rng.integers(2, 5, size=2))
        payoffs = rng.integers(0, 3, size=(2, m, n))
        sums.add(sum(component_indices(NormalForm(payoffs.astype(float)))))
    return [equal("degenerate games of two: the sums of all indices", sorted(sums), [1])]


# -------------------------------------------------------------------------------------- figures


def _hunt_panel(hunt: LogitPath) -> plots.Panel:
    def draw(ax: Any) -> None:
        for low, high, style in ((1e-6, 0.4999, 0), (0.7501, 1 - 1e-6, 1)):
            p = np.linspace(low, high, 4000)
            color, line = plots.CYCLE[style]
            label = ("path from (0, 1/2)", "the other curve")[style]
            ax.plot(symmetric_rationality(p), p, color=color, linestyle=line, label=label)
        ax.plot(hunt.rationality, hunt.profiles[0][:, 0], "o", color=plots.BLUE, markersize=4)
        ax.set(xlim=(0, 8), ylim=(0, 1), xlabel="λ (1 / payoff)", ylabel="probability of stag")

    alt = (
        "One curve falls from 1/2 to 0 as λ grows. The other comes from 3/4 at large λ, turns near "
        f"λ = {_least():.2g}, and goes to 1."
    )
    return plots.Panel("Stag hunt", alt, draw)


def _least() -> float:
    """Where the other curve turns."""
    return float(symmetric_rationality(np.linspace(0.76, 0.9999, 10_000)).min())


def _turning_panel(turning: LogitPath) -> plots.Panel:
    def draw(ax: Any) -> None:
        for i, x in enumerate(turning.profiles):
            color, line = plots.CYCLE[i]
            name = f"player {i + 1}"
            ax.plot(turning.rationality, x[:, 0], color=color, linestyle=line, label=name)
        ax.set_xscale("symlog", linthresh=1.0)
        ax.set(xlim=(0, 100), ylim=(0, 1), xlabel="λ (1 / payoff)")
        ax.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
        ax.set_ylabel("probability of action 1")

    back = turning.rationality[np.flatnonzero(np.diff(turning.rationality) < 0)]
    alt = (
        f"The path runs to λ = {back.max():.3g}, turns back to {back.min():.2g} while the players' "
        "plans change, and then goes on to a pure equilibrium."
    )
    return plots.Panel("Three players, a path that turns", alt, draw)


def _regret_panel(games: list[NormalForm], paths: list[LogitPath]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for (color, line), game, path, shape in zip(plots.CYCLE, games, paths, SHAPES, strict=True):
            gap = np.maximum(_regrets(game, path).max(axis=1), 1e-17)
            label = " × ".join(map(str, shape))
            ax.loglog(path.rationality[1:], gap, color=color, linestyle=line, label=label)
        rate = np.array([1e-2, 1e8])
        ax.loglog(rate, np.log(4) / rate, color=plots.MUTED, linewidth=1.0)
        ax.annotate("log 4 / λ", (1e4, np.log(4) / 1e4), xytext=(4, 4), textcoords="offset points")
        ax.set(xlim=(1e-2, 1e8), ylim=(1e-12, 10), xlabel="λ (1 / payoff)")
        ax.set_ylabel("largest regret (payoff)")

    alt = "All curves stay below log 4 / λ; where the end is pure, regret falls faster still."
    return plots.Panel("Regret along the path", alt, draw)
