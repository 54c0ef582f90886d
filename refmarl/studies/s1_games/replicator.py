"""Portraits of the replicator dynamics, in one population and in two."""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm, library
from ...games.replicator import population_field, replicate, replicator, replicator_field
from ..study import Outcome, Row, at_most, close, equal

RPS = library.game("rock-paper-scissors").payoffs[0]
BIASED = library.game("biased-rps").payoffs[0]
MILD = np.array([[0.0, -1.0, 2.0], [2.0, 0.0, -1.0], [-1.0, 2.0, 0.0]])  # a win is worth more
HARSH = np.array([[0.0, -2.0, 1.0], [1.0, 0.0, -2.0], [-2.0, 1.0, 0.0]])  # a loss costs more
EVEN = np.full(3, 1 / 3)
CENTRE = {"RPS": EVEN, "BIASED": np.array([1, 10, 5]) / 16}
NAMES = ("rock", "paper", "scissors")
PENNIES = library.game("matching-pennies")
COORDINATION = library.game("coordination")


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Orbits that close, spiral and settle, with the quantities that must stay constant."""
    span = 400.0 if full else 100.0
    rows = (*_invariants(span), *_period(), *_averages(), *_spirals(), *_two_populations())
    caption = (
        "Each curve is a trajectory; arrows give its direction, the dot the equilibrium. In "
        "zero-sum games (the first two portraits, and matching pennies) orbits close round it and "
        "Σ x*ₐ log xₐ keeps its value; where a win is worth more than a loss costs they spiral in, "
        "where it is worth less they spiral out. Two populations that want to coordinate end in "
        "one of the pure equilibria (solid: the better one; dashed: the other), past a saddle."
    )
    return Outcome(rows, (plots.Figure(caption, _panels()),), "Deterministic: no random numbers.")


def log_product(x: Array, centre: Array) -> Array:
    """log ∏_a x_a^{x*_a}, constant on the orbits of a zero-sum game with equilibrium x*."""
    value: Array = np.log(x) @ centre
    return value


def _invariants(span: float) -> list[Row]:
    times = np.linspace(0, span, 400)
    starts = np.array([[0.34, 0.35, 0.31], [0.5, 0.3, 0.2], [0.8, 0.15, 0.05]])
    rows = []
    for title, A, centre in (
        ("rock, paper, scissors", RPS, CENTRE["RPS"]),
        ("biased rock, paper, scissors", BIASED, CENTRE["BIASED"]),
    ):
        value = log_product(replicator(A, starts, times), centre)
        drift = float(np.ptp(value, axis=0).max())
        rows.append(at_most(f"{title}: drift of Σ x*ₐ log xₐ up to t = {span:g}", drift, 1e-7))
    p, q = replicate(PENNIES, ([0.8, 0.2], [0.4, 0.6]), times)
    value = 0.5 * (np.log(p) + np.log(q)).sum(axis=1)
    rows.append(
        at_most("matching pennies, two populations: drift of Σᵢ KL", float(np.ptp(value)), 1e-7)
    )
    return rows


def _period() -> list[Row]:
    """The linearised field at the centre of RPS has eigenvalues ± i/√3."""
    times = np.linspace(0, 60, 12001)
    x = replicator(RPS, EVEN + 1e-4 * np.array([1, -1, 0]), times)[:, 0] - 1 / 3
    k = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    upward = times[k] - x[k] * (times[1] - times[0]) / (x[k + 1] - x[k])
    got = float(np.diff(upward).mean())
    return [
        close("small orbits of rock, paper, scissors: period 2π√3", got, 2 * np.pi * 3**0.5, 1e-4)
    ]


def _averages() -> list[Row]:
    """Along an orbit the mean share of each action tends to the equilibrium's, like 1/t."""
    times = np.linspace(0, 1000, 20001)
    x = replicator(BIASED, EVEN, times)
    mean = (x[:-1] + x[1:]).mean(axis=0) / 2
    off = float(abs(mean - CENTRE["BIASED"]).max())
    return [at_most("biased: distance of the mean share up to t = 1000 from x*", off, 0.02)]


def _spirals() -> list[Row]:
    start = np.array([0.5, 0.3, 0.2])
    inward = replicator(MILD, start, [0.0, 100.0])[-1]
    outward = replicator(HARSH, start, [0.0, 60.0])[-1]
    return [
        at_most(
            "a win worth more: distance from the centre", float(abs(inward - EVEN).max()), 1e-6
        ),
        at_most("a loss worth more: smallest share", float(outward.min()), 1e-6),
    ]


def _two_populations() -> list[Row]:
    """On the diagonal the basins of coordination part at 1/3."""
    ends = []
    for p in (0.33, 0.34):
        x, _ = replicate(COORDINATION, ([p, 1 - p], [p, 1 - p]), [0.0, 200.0])
        ends.append(round(float(x[-1, 0]), 6))
    name = "coordination from (0.33, 0.33) and from (0.34, 0.34): share of the first action"
    return [equal(name, ends, [0.0, 1.0])]


# -------------------------------------------------------------------------------------- figures


def _panels() -> tuple[plots.Panel, ...]:
    ring = [EVEN + r * np.array([-1, -1, 2]) / 6 for r in (0.3, 0.75, 1.2, 1.6)]
    biased = [np.array([a, 10, 5]) / (a + 15) for a in (2.0, 5.0, 16.0)]
    inner, outer = np.array([0.42, 0.31, 0.27]), np.array([0.9, 0.07, 0.03])
    circles = tuple((0.5, q) for q in (0.6, 0.75, 0.88, 0.97))
    edge = (0.6, 0.72, 0.8, 0.95)
    border = tuple((0.05, q) for q in edge) + tuple((p, 0.05) for p in edge)
    return (
        _portrait("Rock, paper, scissors", RPS, EVEN, ring, 40.0, "closed orbits"),
        _portrait(
            "Biased payoffs",
            BIASED,
            CENTRE["BIASED"],
            biased,
            300.0,
            "closed orbits round (1/16, 10/16, 5/16)",
        ),
        _portrait("A win is worth more", MILD, EVEN, [outer], 60.0, "a spiral into the centre"),
        _portrait("A loss costs more", HARSH, EVEN, [inner], 45.0, "a spiral out to the border"),
        _field(PENNIES, circles, 25.0, ((0.5, 0.5),), ()),
        _field(COORDINATION, border, 12.0, ((1 / 3, 1 / 3),), ((0, 0), (1, 1))),
    )


def _portrait(
    title: str, A: Array, centre: Array, starts: list[Array], span: float, seen: str
) -> plots.Panel:
    paths = [replicator(A, x, np.linspace(0, span, 500)) for x in starts]

    def draw(ax: Any) -> None:
        plots.triangle(ax, NAMES)
        for path in paths:
            plane = plots.on_triangle(path)
            ax.plot(*plane.T, color=plots.BLUE, linewidth=1.4)
            plots.arrow(ax, plane, _quick(A, path), plots.BLUE)
        plots.mark(ax, plots.on_triangle(centre), pure=False)

    alt = f"Trajectories on the triangle of rock, paper and scissors: {seen}."
    return plots.Panel(title, alt, draw, (plots.WIDTH, 3.1))


def _quick(A: Array, path: Array) -> float:
    """Where on the path the flow is fastest: there an arrow is clearest."""
    speed = np.linalg.norm(replicator_field(A, path), axis=1)
    return float(np.argmax(speed[:300]) + 1) / len(path)


def _field(
    game: NormalForm,
    starts: tuple[tuple[float, float], ...],
    span: float,
    mixed: tuple[tuple[float, float], ...],
    pure: tuple[tuple[int, int], ...],
) -> plots.Panel:
    times = np.linspace(0, span, 600)
    paths = []
    for first, second in starts:
        profile = [first, 1 - first], [second, 1 - second]
        x, y = replicate(game, profile, times)
        paths.append(np.stack([x[:, 0], y[:, 0]], axis=1))
    p, q = np.meshgrid(np.linspace(0.05, 0.95, 10), np.linspace(0.05, 0.95, 10))
    vx, vy = population_field(game, (np.stack([p, 1 - p], -1), np.stack([q, 1 - q], -1)))

    def draw(ax: Any) -> None:
        ax.quiver(p, q, vx[..., 0], vy[..., 0], color=plots.MUTED, width=0.005)
        for path in paths:
            down = bool(pure) and path[-1, 0] < 0.5
            color, line = plots.CYCLE[1 if down else 0]
            ax.plot(*path.T, color=color, linestyle=line, linewidth=1.4)
        for x in mixed:
            plots.mark(ax, x, pure=False)
        for a in pure:
            plots.mark(ax, a)
        ax.set(xlim=(0, 1), ylim=(0, 1))
        ax.set_xlabel("share of the first action, population 1")
        ax.set_ylabel("the same, population 2")
        ax.grid(False)

    ends = "closed orbits round the centre" if not pure else "paths to two corners past a saddle"
    alt = f"{game.title}, two populations: {ends}."
    return plots.Panel(f"{game.title}, two populations", alt, draw, (plots.WIDTH, 3.1))
