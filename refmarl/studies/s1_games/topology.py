"""The atlas of the 144 two-by-two games: how many of each kind, and who is whose neighbour."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ...analysis import plots
from ...games import library
from ...games.atlas import (
    KINDS,
    NAMES,
    Ordinal,
    atlas,
    exchanged,
    layer,
    name,
    named,
    neighbours,
    ordinal,
    structure,
    untied,
)
from ...games.generators import random_game
from ..study import Outcome, Row, at_most, equal

SIGNS = ("Ch", "Le", "He", "Cm", "De", "PD", "SH", "As", "Co", "Pe", "Ha", "Cc")
SHORT = dict(zip(SIGNS, NAMES, strict=True))
WORDS = {
    "one": "one equilibrium",
    "deficient": "one, bad for both",
    "ranked": "two, one better",
    "rival": "two, disputed",
    "cycle": "none",
}
LOOKS = {
    "one": (plots.GRID, 0.8, ""),
    "deficient": (plots.ORANGE, 0.6, "▼"),
    "ranked": (plots.GREEN, 0.45, "▲"),
    "rival": (plots.BLUE, 0.45, "◆"),
    "cycle": (plots.PURPLE, 0.35, "○"),
}
EXPECTED = (101, 7, 9, 9, 18)  # games of each kind, in the order of KINDS


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Count, walk along the exchanges of ranks, place the library's games, draw random ones."""
    draws = 20_000 if full else 1_000
    games = tuple(chain.from_iterable(atlas()))
    shares = _random(rng, draws)
    rows = (*_counts(games), *_groups(games), *_library(), *_shares(shares, draws))
    caption = (
        "Each cell is a game; its row is the pattern of the row player's preferences, its column "
        "that of the column player's, both called after the symmetric game with that pattern: "
        + ", ".join(f"{short} {title}" for short, title in SHORT.items())
        + ". The symmetric games lie on the diagonal from the upper left. Neighbouring cells, and "
        "the first and last of each half, differ by an exchange of two adjacent ranks. First: "
        "equilibria in pure strategies. Second: the rank, 4 the best, that the worse-off player "
        "gets in the best of them. Third: the kinds of games with random payoffs."
    )
    panels = (_kinds_panel(), _ranks_panel(), _random_panel(shares))
    return Outcome(
        rows,
        (plots.Figure(caption, panels),),
        f"All 576 tables of strict ordinal games; {draws} random games.",
    )


# --------------------------------------------------------------------------------------- counts


def _counts(games: Sequence[Ordinal]) -> list[Row]:
    seen = [structure(g) for g in games]
    once = {min(g, exchanged(g)) for g in games}
    aligned = [g for g in once if layer(g) == "aligned"]
    opposed = [g for g in once if all(r + c == 5 for r, c in zip(*g, strict=True))]
    kinds = Counter(s.kind for s in seen)
    number = Counter(len(s.equilibria) for s in seen)
    dominant = Counter(s.dominant for s in seen)
    symmetric = sum(exchanged(g) == g for g in games)
    return [
        equal(
            "games; up to exchanging players; symmetric",
            [len(set(games)), len(once), symmetric],
            [144, 78, 12],
        ),
        equal("games with 0, 1, 2 pure equilibria", [number[k] for k in (0, 1, 2)], [18, 108, 18]),
        equal(
            "games with 0, 1, 2 dominant actions", [dominant[k] for k in (0, 1, 2)], [36, 72, 36]
        ),
        equal("; ".join(WORDS[k] for k in KINDS), [kinds[k] for k in KINDS], list(EXPECTED)),
        equal(
            "of the 78: the same best for both; pure conflict; the rest",
            [len(aligned), len(opposed), 78 - len(aligned) - len(opposed)],
            [21, 3, 54],
        ),
        equal(
            "both have a dominant action, and both would like another outcome better",
            [
                name(g)
                for g, s in zip(games, seen, strict=True)
                if s.dominant == 2 and s.kind == "deficient"
            ],
            ["prisoner's dilemma"],
        ),
    ]


def joined(games: Sequence[Ordinal], ranks: Sequence[int]) -> list[int]:
    """Sizes of the groups that the exchanges k ↔ k+1, k in ``ranks``, make of the games."""
    left, sizes = set(games), []
    while left:
        reached: set[Ordinal] = set()
        new = {left.pop()}
        while new:
            reached |= new
            new = set(chain.from_iterable(neighbours(g, ranks) for g in new)) - reached
        left -= reached
        sizes.append(len(reached))
    return sorted(sizes)


def _groups(games: Sequence[Ordinal]) -> list[Row]:
    dilemma, hunt = named("prisoner's dilemma"), named("stag hunt")
    between = [name(g) for g in neighbours(dilemma) if g in neighbours(hunt)]
    return [
        equal(
            "every game has six different neighbours",
            {len(set(neighbours(g)) - {g}) for g in games} == {6},
            True,
        ),
        equal("one exchange leads to another, everywhere", joined(games, (1, 2, 3)), [144]),
        equal("layers, by exchanges below 4", joined(games, (1, 2)), [36] * 4),
        equal("tiles, by exchanges 1↔2", joined(games, (1,)) == [4] * 36, True),
        equal("hotspots and pipes, by 1↔2 and 3↔4", joined(games, (1, 3)), [8] * 6 + [16] * 6),
        equal(
            "between the prisoner's dilemma and the stag hunt",
            sorted(between),
            ["prisoner's dilemma × stag hunt", "stag hunt × prisoner's dilemma"],
        ),
    ]


def _library() -> list[Row]:
    strict = ("prisoners-dilemma", "chicken", "hawk-dove", "stag-hunt")
    places = [name(ordinal(library.game(title))) for title in strict]
    tile = [name(g) for g in untied(library.game("battle-of-the-sexes"))]
    return [
        equal(
            f"the library's {', '.join(strict)}",
            places,
            ["prisoner's dilemma", "chicken", "chicken", "stag hunt"],
        ),
        equal(
            "battle of the sexes, its ties broken",
            tile,
            ["leader", "leader × hero", "hero × leader", "hero"],
        ),
    ]


def _random(rng: np.random.Generator, draws: int) -> list[float]:
    """The share of each kind among games with independent normal payoffs."""
    found = Counter(
        structure(ordinal(random_game(rng, (2, 2), "normal"))).kind for _ in range(draws)
    )
    return [found[k] / draws for k in KINDS]


def _shares(shares: Sequence[float], draws: int) -> list[Row]:
    """All tables are equally likely: a kind's share is its number of games over 144."""
    rows = []
    for kind, share, count in zip(KINDS, shares, EXPECTED, strict=True):
        p = count / 144
        off = abs(share - p) / np.sqrt(p * (1 - p) / draws)
        rows.append(
            at_most(
                f"random games, {WORDS[kind]}: share beside {count}/144, standard errors", off, 4
            )
        )
    return rows


# -------------------------------------------------------------------------------------- figures


def _kinds_panel() -> plots.Panel:
    looks = {WORDS[k]: LOOKS[k] for k in KINDS}
    classes = [[WORDS[structure(g).kind] for g in line] for line in atlas()]

    def draw(ax: Any) -> None:
        plots.mosaic(ax, classes, looks, SIGNS)
        for k in range(len(SIGNS)):  # the symmetric games
            corners = np.array([[0, 1, 1, 0], [0, 0, 1, 1]]) + k
            ax.fill(*corners, facecolor="none", edgecolor=plots.MUTED, linewidth=1.2)

    alt = (
        "A table of 12 by 12 games coloured by their pure equilibria: the prisoner's dilemma and "
        "six games in its row and column are deficient, blocks of 9 have two equilibria or none."
    )
    return plots.Panel("Equilibria of the 144 games", alt, draw, (plots.WIDTH, 4.4))


def _ranks_panel() -> plots.Panel:
    looks = {
        "the best": (plots.GREEN, 0.5, "4"),
        "the second": (plots.SKY, 0.6, "3"),
        "the third": (plots.ORANGE, 0.45, "2"),
        "no equilibrium": (plots.GRID, 0.8, "·"),
    }
    words = dict(zip((4, 3, 2, 0), looks, strict=True))
    classes = [
        [words[max((min(e) for e in structure(g).equilibria), default=0)] for g in line]
        for line in atlas()
    ]

    def draw(ax: Any) -> None:
        plots.mosaic(ax, classes, looks, SIGNS)

    alt = "The same table by what the worse-off player gets in the best equilibrium."
    return plots.Panel("What the worse-off player gets", alt, draw, (plots.WIDTH, 4.4))


def _random_panel(shares: Sequence[float]) -> plots.Panel:
    expected = np.array(EXPECTED) / 144

    def draw(ax: Any) -> None:
        y = np.arange(len(KINDS))
        ax.barh(y, expected, height=0.6, color=plots.SKY, label="games / 144")
        ax.plot(shares, y, "o", color=plots.INK, label="random payoffs")
        ax.set_yticks(y, [WORDS[k] for k in KINDS])
        ax.set(ylim=(len(KINDS) - 0.5, -0.5), xlim=(0, 0.8), xlabel="share of games")
        ax.grid(axis="y", visible=False)

    alt = "Bars for the shares of the five kinds among the 144 games; dots of random games on them."
    return plots.Panel("Games with random payoffs", alt, draw, (plots.WIDTH, 3.1))
