"""Equilibria by methods that have nothing in common, each profile with its certificate.

Supports are enumerated, pure profiles searched, a linear program solved, and two learning rules
run. Whatever the method, NashConv is computed from the profile alone: it is the proof.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array, Profile
from ...games import NormalForm, library, nash_conv, pure_equilibria
from ...games.fictitious import fictitious_play
from ...games.regret import regret_matching
from ...games.support import Equilibria, support_enumeration
from ...games.zero_sum import ZeroSum, zero_sum_value
from ..study import Outcome, Row, at_most, equal

LARGE = ("blotto",)  # too many supports
LEARNERS = ("fictitious play", "regret matching+")


class Solved(NamedTuple):
    """A two-player game of the library with its equilibria, published and found."""

    entry: library.Entry
    found: Equilibria

    @property
    def game(self) -> NormalForm:
        """The game."""
        return self.entry.game


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """All two-player games of the library; value bounds from learning in the zero-sum ones."""
    steps = 1_000_000 if full else 100_000
    entries = [library.entry(name) for name in library.names()]
    two = [e for e in entries if e.game.num_players == 2 and e.name not in LARGE]
    solved = [Solved(e, support_enumeration(e.game)) for e in two]
    zero = {s.entry.name: s for s in solved if s.entry.value is not None}
    values = {name: zero_sum_value(s.game.payoffs[0]) for name, s in zero.items()}
    learned = {name: _learn(s.game, steps) for name, s in zero.items()}
    rows = (
        *_certified(solved),
        *_published(solved, entries),
        *_values(zero, values),
        *_learned(zero, values, learned),
    )
    caption = (
        "First: NashConv of what each method finds, a dot for each zero-sum game: exact methods "
        "stop at rounding errors (0 is drawn at 10⁻¹⁷), learning comes as near as its steps "
        "allow. Second: fictitious play on O'Neill's game; what each side can secure closes in "
        "on the value. Third: how many equilibria the games of the library have."
    )
    panels = (
        _certificates(zero, values, learned, steps),
        _bounds(zero["oneill"].game, values["oneill"].value, steps),
        _counts(solved),
    )
    sample = (
        f"n = {len(two)} games of two players, {len(zero)} of them zero-sum; {steps:,} steps of "
        "learning; no random numbers."
    )
    return Outcome(rows, (plots.Figure(caption, panels, lead=1),), sample)


def _learn(game: NormalForm, steps: int) -> tuple[Profile, Profile]:
    """Averages of fictitious play and of RM+."""
    plays = (
        fictitious_play(game, steps, times=[steps]),
        regret_matching(game, steps, plus=True, linear=True, times=[steps]),
    )
    first, second = (tuple(x[-1] for x in play.averages) for play in plays)
    return first, second


def _certified(solved: list[Solved]) -> list[Row]:
    count = sum(len(s.found.profiles) for s in solved)
    worst = max(float(nash_conv(s.game, x)) for s in solved for x in s.found.profiles)
    even = [
        s.entry.name for s in solved if not s.found.degenerate and len(s.found.profiles) % 2 == 0
    ]
    return [
        at_most(f"largest NashConv of the {count} equilibria found by supports", worst, 1e-7),
        equal("nondegenerate games with an even number of equilibria", even, []),
    ]


def _published(solved: list[Solved], entries: list[library.Entry]) -> list[Row]:
    """Supports against what is published, and against the search of pure profiles."""
    missing = [
        s.entry.name
        for s in solved
        if any(_distance(x, s.found.profiles) > 1e-8 for x in s.entry.profiles)
        or (s.entry.complete and len(s.found.profiles) != len(s.entry.profiles))
    ]
    differ = [
        s.entry.name for s in solved if _pure(s.found.profiles) != set(pure_equilibria(s.game))
    ]
    many = [e for e in entries if e.game.num_players > 2 and e.equilibria]
    others = [e.name for e in many if _pure(e.profiles) != set(pure_equilibria(e.game))]
    return [
        equal("games whose published equilibria are not those found", missing, []),
        equal("games whose pure equilibria differ between supports and search", differ, []),
        equal(f"the same, search and published, for {len(many)} games of more players", others, []),
    ]


def _distance(x: Profile, profiles: tuple[Profile, ...]) -> float:
    """Largest difference of a probability from the nearest of ``profiles``."""
    return min(
        (max(float(abs(a - b).max()) for a, b in zip(x, y, strict=True)) for y in profiles),
        default=np.inf,
    )


def _pure(profiles: tuple[Profile, ...]) -> set[tuple[int, ...]]:
    pure = [p for p in profiles if all(x.max() > 1 - 1e-9 for x in p)]
    return {tuple(int(x.argmax()) for x in p) for p in pure}


def _values(zero: dict[str, Solved], values: dict[str, ZeroSum]) -> list[Row]:
    off = [abs(values[name].value - float(s.entry.value or 0)) for name, s in zero.items()]
    conv = [float(nash_conv(s.game, (values[n].x, values[n].y))) for n, s in zero.items()]
    return [
        at_most("zero-sum: linear program − published value, largest", max(off), 1e-8),
        at_most("zero-sum: NashConv of the linear program's strategies, largest", max(conv), 1e-8),
    ]


def _learned(
    zero: dict[str, Solved],
    values: dict[str, ZeroSum],
    learned: dict[str, tuple[Profile, Profile]],
) -> list[Row]:
    """The value lies between what the two averages secure."""
    rows = []
    for k, method in enumerate(LEARNERS):
        conv, outside = 0.0, 0.0
        for name, s in zero.items():
            x, y = learned[name][k]
            A, v = s.game.payoffs[0], values[name].value
            conv = max(conv, float(nash_conv(s.game, (x, y))) / float(np.ptp(A)))
            outside = max(outside, float((x @ A).min()) - v, v - float((A @ y).max()))
        rows.append(at_most(f"{method}: largest NashConv / payoff range", conv, 0.02))
        rows.append(at_most(f"{method}: value outside what the averages secure by", outside, 1e-8))
    return rows


# -------------------------------------------------------------------------------------- figures


def _certificates(
    zero: dict[str, Solved],
    values: dict[str, ZeroSum],
    learned: dict[str, tuple[Profile, Profile]],
    steps: int,
) -> plots.Panel:
    found: dict[str, list[float]] = {m: [] for m in ("supports", "linear program", *LEARNERS)}
    for name, s in zero.items():
        profiles = (s.found.profiles[0], (values[name].x, values[name].y), *learned[name])
        for method, x in zip(found, profiles, strict=True):
            found[method].append(max(float(nash_conv(s.game, x)), 1e-17))

    def draw(ax: Any) -> None:
        for k, (conv, shape) in enumerate(zip(found.values(), "osd^", strict=True)):
            height = len(found) - 1 - k + np.linspace(-0.2, 0.2, len(conv))
            ax.semilogx(conv, height, shape, color=plots.CYCLE[k][0], markersize=5, alpha=0.85)
        ax.set_yticks(range(len(found)), list(found)[::-1])
        ax.set(xlim=(3e-18, 1), xlabel="NashConv (payoff)", ylim=(-0.5, 3.5))
        ax.set_xticks([1e-17, 1e-13, 1e-9, 1e-5, 1e-1])

    alt = f"NashConv: near 1e-16 for exact methods, 1e-2 to 1e-4 for learning in {steps:,} steps."
    return plots.Panel("Certificates by method", alt, draw)


def _bounds(game: NormalForm, value: float, steps: int) -> plots.Panel:
    play = fictitious_play(game, steps)
    A = game.payoffs[0]
    low: Array = (play.averages[0] @ A).min(axis=1)
    high: Array = (play.averages[1] @ A.T).max(axis=1)

    def draw(ax: Any) -> None:
        plots.band(ax, play.times.astype(float), low, high, plots.BLUE)
        ax.semilogx(play.times, high, color=plots.ORANGE, linestyle="--", label="conceded")
        ax.semilogx(play.times, low, color=plots.BLUE, label="secured")
        ax.axhline(
            value, color=plots.INK, linestyle=":", label="value " + f"{value:.4g}".replace("-", "−")
        )
        ax.set(xlabel="plays t", ylabel="payoff of player 1")

    alt = f"Bounds on the value of O'Neill's game closing in on {value:.4g}."
    return plots.Panel("O'Neill's game: bounds", alt, draw)


def _counts(solved: list[Solved]) -> plots.Panel:
    sizes = [len(s.found.profiles) for s in solved]
    mixed = [len(s.found.profiles) - len(_pure(s.found.profiles)) for s in solved]
    numbers = sorted(set(sizes))
    games = [sizes.count(k) for k in numbers]

    def draw(ax: Any) -> None:
        where = np.arange(len(numbers))
        ax.bar(where, games, color=plots.SKY, edgecolor=plots.BLUE, width=0.6)
        for x, height in zip(where, games, strict=True):
            ax.text(x, height + 0.2, str(height), ha="center")
        ax.set_ylim(0, max(games) + 1.5)
        ax.set_xticks(where, [str(k) for k in numbers])
        ax.set(xlabel="number of (extreme) equilibria", ylabel="games")
        ax.grid(False, axis="x")

    alt = (
        "Games by number of equilibria: "
        + ", ".join(f"{g} with {k}" for k, g in zip(numbers, games, strict=True))
        + f"; {sum(mixed)} of {sum(sizes)} equilibria are mixed."
    )
    return plots.Panel("Equilibria per game", alt, draw)
