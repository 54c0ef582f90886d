"""What a leader earns by each commitment, and what commitment is worth beside Nash."""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, expected_utility, library
from ...games.stackelberg import leader_payoff, pure_commitment, stackelberg
from ...games.support import support_enumeration
from ...games.zero_sum import zero_sum_value
from ..study import Outcome, Row, at_least, at_most, close, equal

TWO = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]], title="Conitzer & Sandholm")
THREE = NormalForm.bimatrix(
    [[2, 0, 0], [1, 0, 0]], [[0, 2, 5], [0, -1, -4]], title="A follower with three actions"
)
COMPARED = (
    "battle-of-the-sexes",
    "chicken",
    "inspection",
    "matching-pennies",
    "prisoners-dilemma",
    "climbing",
    "von-stengel",
)


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Two games in which the follower's ties decide, seven of the library, and random ones."""
    count = 1000 if full else 60
    rows = (*_published(), *_laws(rng, count), _zero_sum())
    caption = (
        "First and second: what the leader earns by committing to its first action with "
        "probability p; the follower replies where its best action changes the payoff jumps. At "
        "a jump the follower is indifferent: a strong commitment counts on ties that go for the "
        "leader (filled dot), a weak one fears that they go against it (open dot) and can only "
        "come near the jump. The dotted line is the best Nash payoff. Third: the same comparison "
        "over the library, payoffs scaled to the leader's range."
    )
    panels = (_curve(TWO), _curve(THREE), _comparison())
    sample = f"Laws over n = {count} random 3 × 3 games, payoffs uniform in [−1, 1]."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def best_nash(game: NormalForm) -> float:
    """The leader's (player 1's) largest payoff in an equilibrium."""
    return max(float(expected_utility(game, x)[0]) for x in support_enumeration(game).profiles)


def _published() -> list[Row]:
    two, three, weak = stackelberg(TWO), stackelberg(THREE), stackelberg(TWO, ties="weak")
    return [
        close(f"{TWO.title}: strong commitment pays", two.payoff, 3.5, 1e-6),
        close(f"{TWO.title}: probability of the first action", float(two.strategy[0]), 0.5, 1e-6),
        close(f"{TWO.title}: the only Nash payoff", best_nash(TWO), 2.0, 1e-9),
        equal(f"{TWO.title}: weak ties, 3.5 is reached itself", weak.attained, False),
        close(f"{THREE.title}: strong commitment pays", three.payoff, 4 / 3, 1e-6),
    ]  # fmt: skip


def _laws(rng: np.random.Generator, count: int) -> list[Row]:
    above_nash, above_pure, apart = [], [], []
    for u in rng.uniform(-1, 1, (count, 2, 3, 3)):
        game = NormalForm(u)
        strong = stackelberg(game).payoff
        above_nash.append(strong - best_nash(game))
        above_pure.append(strong - pure_commitment(game).payoff)
        apart.append(strong - stackelberg(game, ties="weak").payoff)
    return [
        at_least(f"{count} random games: least of strong − best Nash", min(above_nash), -1e-8),
        at_least("the same games: least of strong − best pure commitment", min(above_pure), -1e-8),
        at_most("the same games: largest strong − weak (no ties: 0)", max(apart), 1e-6),
    ]


def _zero_sum() -> Row:
    game = library.game("oneill")
    off = abs(stackelberg(game).payoff - zero_sum_value(game.payoffs[0]).value)
    return at_most("O'Neill's game, zero-sum: commitment − value", off, 1e-8)


# -------------------------------------------------------------------------------------- figures


def _pieces(game: NormalForm) -> list[Array]:
    """The leader's payoff as (K, 2) polylines in p, one between each two changes of reply."""
    p = np.linspace(0, 1, 2001)
    x = np.stack([p, 1 - p], axis=1)
    reply = np.argmax(x @ game.payoffs[1] + 1e-12 * (x @ game.payoffs[0]), axis=1)
    pay = np.take_along_axis(x @ game.payoffs[0], reply[:, None], axis=1)[:, 0]
    cuts = np.flatnonzero(np.diff(reply)) + 1
    return [
        np.stack(pair, axis=1) for pair in zip(np.split(p, cuts), np.split(pay, cuts), strict=True)
    ]


def _curve(game: NormalForm) -> plots.Panel:
    strong, nash = stackelberg(game), best_nash(game)
    p = float(strong.strategy[0])
    weak = leader_payoff(game, strong.strategy, ties="weak")

    def draw(ax: Any) -> None:
        for k, piece in enumerate(_pieces(game)):
            label = "earned" if k == 0 else None
            ax.plot(*piece.T, color=plots.BLUE, label=label)
        ax.axhline(nash, color=plots.MUTED, linestyle=":", linewidth=1.4, label="best Nash")
        ax.plot([p, p], [weak, strong.payoff], color=plots.ORANGE, linestyle="--", linewidth=1.2)
        plots.mark(ax, (p, strong.payoff), label=f"ties for it, {strong.payoff:.4g}")
        plots.mark(ax, (p, weak), pure=False, label=f"against, {weak:.4g}")
        ax.set(xlim=(-0.02, 1.02), xlabel="p, commitment to the first action")
        ax.set_ylabel("leader's payoff")

    alt = (
        f"{game.title}: leader's payoff against p, with its maximum {strong.payoff:.4g} at "
        f"p = {p:.4g} above the best Nash payoff {nash:.4g}."
    )
    return plots.Panel(game.title, alt, draw, (plots.WIDTH, 3.1))


def _comparison() -> plots.Panel:
    games = [library.game(name) for name in COMPARED]
    lines = []
    for game in games:
        u = game.payoffs[0]
        values = (best_nash(game), pure_commitment(game).payoff, stackelberg(game).payoff)
        lines.append([(v - u.min()) / np.ptp(u) for v in values])
    nash, pure, strong = np.array(lines).T

    def draw(ax: Any) -> None:
        y = np.arange(len(games))[::-1]
        ax.hlines(y, np.minimum(nash, pure), strong, color=plots.GRID, linewidth=3)
        ax.plot(strong, y, "o", color=plots.BLUE, label="mixed commitment", markersize=8)
        ax.plot(pure, y, "s", color=plots.ORANGE, label="pure commitment", markersize=4.5)
        ax.plot(
            nash, y, "d", color=plots.GREEN, label="best Nash", markersize=9, markerfacecolor="none"
        )
        ax.set_yticks(y, [game.title.partition("'s 3")[0] for game in games])
        ax.set(xlim=(-0.05, 1.05), xlabel="share of payoff range")

    alt = "Seven games: mixed commitment pays at least the best Nash and the best pure commitment."
    return plots.Panel("Worth of commitment", alt, draw, (plots.WIDTH, 3.1))
