"""Floats beside fractions: does the solver in floats find what there is, or say that it may not?

Both are asked for all equilibria of every game of the library and of random games of whole
numbers, most of those with few numbers to choose from degenerate. They *agree* if each extreme
equilibrium of one is one of the other to 1e-9, and if floats do not claim that these are all where
there are infinitely many.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array, InputError
from ...games import NormalForm, library
from ...games.solve import Solution, solve
from ..study import Outcome, Row, at_most, equal

TOPS = (1, 3, 9, 99)  # payoffs are whole numbers from -top to top
TOLERANCE = 1e-9  # probabilities from well conditioned equations, payoffs up to 99
KINDS = ("regular", "degenerate, finitely many", "infinitely many")


class Verdict(NamedTuple):
    """The two answers about one game."""

    degenerate: tuple[bool, bool]  # what floats say, what is so
    complete: tuple[bool, bool]  # whether the extreme equilibria are all: said, so
    extreme: int  # how many extreme equilibria there are
    gap: float  # largest distance of one answer's equilibria from the other's

    @property
    def agree(self) -> bool:
        """Neither a wrong or missing equilibrium nor a wrong claim."""
        return self.gap <= TOLERANCE and (self.complete[1] or not self.complete[0])

    @property
    def kind(self) -> str:
        """One of ``KINDS``."""
        return KINDS[self.degenerate[1] + (not self.complete[1])]


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """The library first, then as many random games of each range of payoffs."""
    each = 1250 if full else 75
    two, others = _library()
    drawn = {top: [compare(random_game(rng, top)) for _ in range(each)] for top in TOPS}
    found = [v for verdicts in drawn.values() for v in verdicts]
    rows = (
        equal(
            "games without an exact answer that claim to be complete",
            [name for name, solved in others.items() if solved.complete],
            [],
        ),
        *_rows("library", list(two.values())),
        *_rows("random games", found),
    )
    caption = (
        "First: random games of 2 or 3 actions with whole payoffs, by their range: regular ones, "
        "degenerate ones with finitely many equilibria, and games with infinitely many, where "
        "floats say that their list is not complete. Second: how far the equilibria in floats are "
        "from the exact ones, the share of all games with at most this distance (0 is drawn at "
        "10⁻¹⁸)."
    )
    kinds = {k: sum(v.kind == k for v in found) for k in KINDS}
    sample = (
        f"{len(two)} games of the library, and {len(others)} of more players or too large for "
        f"fractions; n = {len(found)} random games: {kinds[KINDS[0]]} regular, "
        f"{kinds[KINDS[1]]} degenerate with finitely many equilibria, {kinds[KINDS[2]]} with "
        "infinitely many."
    )
    panels = (_kinds_panel(drawn), _gaps_panel([*two.values(), *found]))
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def random_game(rng: np.random.Generator, top: int) -> NormalForm:
    """Two players with 2 or 3 actions, payoffs whole numbers from -top to top."""
    shape = rng.integers(2, 4, size=2)
    return NormalForm(rng.integers(-top, top + 1, size=(2, *shape)).astype(float))


def compare(game: NormalForm) -> Verdict:
    """Solve in floats and in fractions."""
    found, truth = solve(game), solve(game, exact=True)
    ours, theirs = _points(found), _points(truth)
    gap = np.inf
    if len(ours) == len(theirs):
        apart = np.abs(ours[:, None] - theirs[None]).max(axis=2)
        gap = float(max(apart.min(axis=0).max(), apart.min(axis=1).max()))
    degenerate = (bool(found.facts["degenerate"]), bool(truth.facts["degenerate"]))
    finite = len(truth.components) == len(truth.equilibria)
    return Verdict(degenerate, (found.complete, finite), len(theirs), gap)


def _points(solved: Solution) -> Array:
    """The equilibria as rows."""
    return np.array([np.concatenate(e.profile) for e in solved.equilibria if e.profile])


def _library() -> tuple[dict[str, Verdict], dict[str, Solution]]:
    """Verdicts where both answer; what floats say where fractions cannot."""
    two, others = {}, {}
    for name in library.names():
        game = library.game(name)
        try:
            two[name] = compare(game)
        except InputError:
            others[name] = solve(game)
    return two, others


def _rows(name: str, verdicts: list[Verdict]) -> list[Row]:
    n = len(verdicts)
    modest = sum(v.complete[1] and not v.complete[0] for v in verdicts)
    wrong = sum(v.degenerate[0] != v.degenerate[1] for v in verdicts)
    even = sum(v.kind == KINDS[0] and v.extreme % 2 == 0 for v in verdicts)
    return [
        equal(f"{name}: disagreements in {n} games", sum(not v.agree for v in verdicts), 0),
        at_most(f"{name}: distance of equilibria", max(v.gap for v in verdicts), TOLERANCE),
        equal(f"{name}: complete lists that floats call incomplete", modest, 0),
        equal(f"{name}: degeneracy told wrongly", wrong, 0),
        equal(f"{name}: regular games with an even number of equilibria", even, 0),
    ]


# -------------------------------------------------------------------------------------- figures


def _kinds_panel(drawn: dict[int, list[Verdict]]) -> plots.Panel:
    each = len(drawn[TOPS[0]])
    shares = np.array([[sum(v.kind == k for v in drawn[top]) for top in TOPS] for k in KINDS])
    colors, hatches = (plots.SKY, plots.ORANGE, plots.PURPLE), ("", "//", "..")

    def draw(ax: Any) -> None:
        below, where = np.zeros(len(TOPS)), np.arange(len(TOPS))
        for count, kind, color, hatch in zip(shares, KINDS, colors, hatches, strict=True):
            ax.bar(
                where, count / each, 0.66, below, color=color, label=kind, hatch=hatch,
                edgecolor=plots.PAPER, linewidth=0.5,
            )  # fmt: skip
            below += count / each
        ax.set_xticks(where, [f"±{top}" for top in TOPS])
        ax.set(ylim=(0, 1), xlabel=f"payoffs, {each} games each", ylabel="share of games")
        ax.grid(False, axis="x")

    ends = [1 - shares[0, k] / each for k in (0, -1)]
    alt = (
        f"Degenerate are {ends[0]:.0%} of the games with payoffs −1, 0, 1, and {ends[1]:.0%} of "
        "those with payoffs up to 99."
    )
    return plots.Panel("Degenerate games", alt, draw)


def _gaps_panel(verdicts: list[Verdict]) -> plots.Panel:
    gaps = np.sort([max(v.gap, 1e-18) for v in verdicts])
    share = np.arange(1, len(gaps) + 1) / len(gaps)

    def draw(ax: Any) -> None:
        ax.step([*gaps, 1.0], [*share, 1.0], where="post", color=plots.BLUE)
        ax.axvline(TOLERANCE, color=plots.INK, linestyle=":", label="tolerance")
        ax.set_xscale("log")
        ax.set(xlim=(3e-19, 1e-6), ylim=(0, 1.02), ylabel="share of games")
        ax.set_xlabel("largest distance of a probability")
        ax.set_xticks([1e-18, 1e-15, 1e-12, 1e-9, 1e-6])

    exact = sum(v.gap == 0.0 for v in verdicts)
    alt = f"{exact} of {len(verdicts)} games: no distance at all; the largest is {gaps[-1]:.1e}."
    return plots.Panel("Floats less fractions", alt, draw)
