"""Markov games with exact values: Littman's soccer, grid games, and extortion in the dilemma."""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array, Profile
from ...games import evaluate, policy_nash_conv
from ...games.memory_one import STRATEGIES, MemoryOne, average_payoffs, zero_determinant
from ...games.newton import newton_iteration
from ...games.shapley import ShapleyValue, shapley_iteration
from ...games.sparse import SparseMarkovGame, policy_regrets
from ...games.sparse import evaluate as sparse_evaluate
from ...games.stochastic.grid_games import grid_game
from ...games.stochastic.pursuit import pursuit
from ...games.stochastic.soccer import hand_built, positions, soccer, turned
from ..study import Outcome, Row, at_least, at_most, close, equal

OPPONENT = (1, 3)  # where the value map puts the player without the ball
NEWTON, SHAPLEY = (1, 2, 3, 4, 5, 6, 8, 10), (1, 2, 5, 10, 20, 40, 80)
CHI, GENEROUS = 3.0, 2.0
MINE = (
    ("extortion, χ = 3", zero_determinant(1.0, CHI), plots.BLUE, "o"),
    ("generosity, χ = 2", zero_determinant(3.0, GENEROUS), plots.ORANGE, "s"),
    ("win stay, lose shift", STRATEGIES["win stay, lose shift"], plots.GREEN, "d"),
)


class Field(NamedTuple):
    """Littman's game and its solution."""

    game: SparseMarkovGame
    solved: ShapleyValue


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Solve soccer, certify it; the grid games' published values; memory-one opponents."""
    field = Field(game := soccer(), newton_iteration(game))
    count = 2000 if full else 200
    met = _opponents(rng, count)
    rows = (*_soccer(field), *_published(), *_lines(met))
    caption = (
        "First: what the ball is worth to player 1 in each cell when player 2 is at ×, in goals "
        "discounted by 0.9 a step; it scores in the open rows on the right. Second: the error that "
        "is certified after a number of operators, on a field of 2 × 3: Newton's method jumps to "
        "the end of the game, Shapley's looks one step farther each time. Third: mean payoffs in "
        "the prisoner's dilemma against random opponents: zero-determinant strategies hold all of "
        "them on a line."
    )
    panels = (_map(field), _errors(), _plane(met))
    sample = f"{game.num_states} states of soccer; {count} random opponents that remember a round."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def _soccer(field: Field) -> list[Row]:
    game, solved = field
    states, _ = turned(4, 5)
    ball = np.array([1 - 2 * b for *_, b in positions(4, 5)])
    thumb, even = hand_built(), tuple(np.full((game.num_states, 5), 0.2) for _ in range(2))
    lost = sparse_evaluate(game, (thumb[0], solved.policies[1]))[0] @ game.initial
    won = sparse_evaluate(game, (thumb[0], even[1]))[0] @ game.initial
    return [
        equal("soccer: states, 20 · 19 places and the ball", game.num_states, 760),
        at_most("error certified", solved.error, 1e-8),
        at_most("value of the kickoff, by symmetry 0", abs(solved.value @ game.initial), 1e-7),
        at_most(
            "V(s) + V(s with the players exchanged), largest",
            float(np.abs(solved.value + solved.value[states]).max()),
            1e-7,
        ),
        at_least("least worth of the ball, whoever is where", (ball * solved.value).min(), 0.0),
        at_most(
            "NashConv of the optimal policies", policy_regrets(game, solved.policies).sum(), 1e-7
        ),
        at_least("NashConv of rules of thumb", policy_regrets(game, thumb).sum(), 0.1),
        at_most("rules of thumb against optimal play", float(lost), 1e-7),
        at_least("rules of thumb against random play", float(won), 0.5),
    ]


def _published() -> list[Row]:
    """Hu & Wellman's grid games, and a pursuit that is a guess."""
    first, second = grid_game(1), grid_game(2)
    cross = _paths((0, 3, 6, 7, 8), (2, 1, 4, 3, 6))
    race = _paths((0, 1, 4, 7), (2, 5, 8, 7))
    race |= {(0, 5): (3, 0), (1, 2): (0, 0), (4, 2): (0, 0)}  # held at the barrier
    one, two = _follow(cross), _follow(race)
    worth = evaluate(second, two) @ second.initial
    ring = newton_iteration(pursuit(1, 3)).value[0]
    return [
        close("grid game 1: a shortest path each, 100 γ³", _start(one), 100 * 0.99**3, 1e-9),
        at_most("its NashConv", policy_nash_conv(first, one), 1e-8),
        close("grid game 2: through the middle, 100 γ²", float(worth[0]), 98.01, 1e-9),
        close("past the barrier, half of it", float(worth[1]), 49.005, 1e-9),
        at_most("its NashConv", policy_nash_conv(second, two), 1e-8),
        close("pursuit on a ring of 3, 1/(3 − 2γ)", float(ring), 1 / 1.2, 1e-8),
    ]


def _start(policies: Profile) -> float:
    """The less that either robot gets in grid game 1."""
    game = grid_game(1)
    return float((evaluate(game, policies) @ game.initial).min())


def _paths(one: tuple[int, ...], two: tuple[int, ...]) -> dict[tuple[int, int], tuple[int, int]]:
    """Actions where both are on their paths of cells."""
    way = {3: 0, -3: 1, -1: 2, 1: 3}
    steps = zip(one, one[1:], two, two[1:], strict=False)
    return {(p, q): (way[r - p], way[s - q]) for p, r, q, s in steps}


def _follow(plan: dict[tuple[int, int], tuple[int, int]]) -> Profile:
    """Policies of a grid game that follow a plan, and go up where there is none."""
    game = grid_game(1)  # both have the same states
    places = [tuple(map(int, name.split())) for name in game.states[:-1]]
    chosen = [*(plan.get((p, q), (0, 0)) for p, q in places), (0, 0)]
    return game.pure([[a[i] for a in chosen] for i in (0, 1)])


def _opponents(rng: np.random.Generator, count: int) -> list[Array]:
    """Mean payoffs (count, 2) of each of MINE and of random opponents."""
    others = [MemoryOne(rng.random(), tuple(rng.beta(0.5, 0.5, size=4))) for _ in range(count)]
    return [np.array([average_payoffs(p, q) for q in others]) for _, p, _, _ in MINE]


def _lines(met: list[Array]) -> list[Row]:
    extort, give = (m.T for m in met[:2])
    return [
        at_most(
            "extortion: distance from s₁ − 1 = 3 (s₂ − 1), largest",
            float(np.abs(extort[0] - 1 - CHI * (extort[1] - 1)).max()),
            1e-7,
        ),
        at_most(
            "generosity: distance from s₁ − 3 = 2 (s₂ − 3), largest",
            float(np.abs(give[0] - 3 - GENEROUS * (give[1] - 3)).max()),
            1e-7,
        ),
    ]


# -------------------------------------------------------------------------------------- figures


def _map(field: Field) -> plots.Panel:
    number = {state: k for k, state in enumerate(positions(4, 5))}
    cells = [(r, c) for r in range(4) for c in range(5) if (r, c) != OPPONENT]
    worth = {cell: float(field.solved.value[number[cell, OPPONENT, 0]]) for cell in cells}

    def draw(ax: Any) -> None:
        for (row, column), v in worth.items():
            box = [column, column + 1, column + 1, column], [row, row, row + 1, row + 1]
            ax.fill(*box, color=plots.BLUE, alpha=0.75 * v, linewidth=0)
            ax.text(column + 0.5, row + 0.5, f"{v:.2f}", ha="center", va="center", fontsize=8.5)
        ax.text(OPPONENT[1] + 0.5, OPPONENT[0] + 0.5, "×", ha="center", va="center", fontsize=16)
        ax.plot([0, 5, 5, 0, 0], [0, 0, 4, 4, 0], color=plots.MUTED, linewidth=1.0)
        for side in (0, 5):
            ax.plot([side, side], [1, 3], color=plots.PAPER, linewidth=3.0)
        ax.annotate("", (5.55, 2), (5.05, 2), arrowprops={"arrowstyle": "-|>", "color": plots.INK})
        ax.set(xlim=(-0.1, 5.6), ylim=(4.1, -0.1), aspect="equal")
        ax.set_axis_off()

    best, least = max(worth, key=worth.__getitem__), min(worth, key=worth.__getitem__)
    alt = (
        f"The ball is worth most, {worth[best]:.2f}, in row {best[0] + 1}, column {best[1] + 1}, "
        f"and least, {worth[least]:.2f}, in row {least[0] + 1}, column {least[1] + 1}."
    )
    return plots.Panel("What the ball is worth", alt, draw)


def _errors() -> plots.Panel:
    small = soccer(0.9, 2, 3, range(2), ((0, 0), (1, 2)))
    table = small.dense()
    quick = [newton_iteration(small, 1e-12, k) for k in NEWTON]
    slow = [shapley_iteration(table, 1e-12, k).error for k in SHAPLEY]

    def draw(ax: Any) -> None:
        ax.plot(SHAPLEY, slow, "-s", color=plots.ORANGE, label="Shapley's iteration")
        counts, errors = zip(*((s.iterations, s.error) for s in quick), strict=True)
        ax.plot(counts, np.maximum(errors, 1e-15), "-o", color=plots.BLUE, label="Newton's")
        ax.set(yscale="log", ylim=(1e-15, 30), xlim=(0, 82), xlabel="operators applied")
        ax.set_ylabel("certified error")

    alt = (
        f"Newton's error is {quick[-1].error:.0e} after {quick[-1].iterations} operators, "
        f"Shapley's {slow[-1]:.0e} after {SHAPLEY[-1]}."
    )
    return plots.Panel("How fast the value is found", alt, draw)


def _plane(met: list[Array]) -> plots.Panel:
    def draw(ax: Any) -> None:
        corners = np.array([[3, 3], [0, 5], [1, 1], [5, 0], [3, 3]])
        ax.plot(corners[:, 0], corners[:, 1], color=plots.MUTED, linewidth=1.0)
        for (name, _, color, marker), points in zip(MINE, met, strict=True):
            ax.plot(
                points[:, 1], points[:, 0], marker, color=color, markersize=3.5, alpha=0.6,
                markeredgewidth=0, label=name,
            )  # fmt: skip
        ax.set(xlim=(0, 5), ylim=(0, 5), aspect="equal", xlabel="the opponent's payoff")
        ax.set_ylabel("own payoff")

    alt = (
        "Extortion's points lie on a steep line from (1, 1), generosity's on one to (3, 3); those "
        "of win stay, lose shift fill an area."
    )
    return plots.Panel("Payoffs against anybody", alt, draw)
