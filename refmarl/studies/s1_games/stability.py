"""Rest points of learning dynamics, what eigenvalues say of them, and what trajectories do."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import NormalForm
from ...games.evolutionary import all_ess, evolutionary_stability
from ...games.normal_form import values_against
from ...games.replicator import replicator, replicator_field
from ...games.stability import linearise, rest_points, velocity
from ..study import Outcome, Row, at_most, close, equal

EVEN = np.full(3, 1 / 3)
MILD = np.array([[0.0, -1.0, 2.0], [2.0, 0.0, -1.0], [-1.0, 2.0, 0.0]])  # a win is worth more
RPS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
HARSH = np.array([[0.0, -4.0, 1.0], [1.0, 0.0, -4.0], [-4.0, 1.0, 0.0]])  # a loss costs more
ZEEMAN = np.array([[0.0, 6.0, -4.0], [-3.0, 0.0, 5.0], [-1.0, 3.0, 0.0]])
GAMES = {
    "A win is worth more": MILD,
    "A loss costs more": HARSH,
    "Three conventions": np.eye(3),
    "Attracting, yet no ESS": ZEEMAN,
}
RATES = (0.5, 1.0, 1.5, 2.5, 3.0)  # λ at which the growth of deviations is measured
HOPF = 2.0  # 6 / (loss - win)


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Kinds of rest points, rates of growth, and the signs of eigenvalues in random games."""
    draws = 1000 if full else 150
    measured = [growth(lam) for lam in RATES]
    clouds = {kind: _cloud(rng, kind, 40) for kind in ("general", "zero-sum", "team")}
    rows = (*_kinds(), *_ess(), *_logit(measured), *_clouds(clouds), *_random_ess(rng, draws))
    caption = (
        "First four: trajectories of the replicator dynamics in one population, with all isolated "
        "rest points (● sink, ○ source, ✕ saddle, ◇ centre by the eigenvalues along the triangle). "
        "Where a win is worth more the centre is evolutionarily stable; in the fourth it attracts "
        "and is not. Fifth: rock, paper, scissors in which a loss costs four, under logit: the "
        "rate at which deviations from the centre grow, by eigenvalue (line) and measured (dots); "
        "beyond λ = 2 the centre is lost to a cycle. Last: eigenvalues of two populations at full "
        "equilibria of random 3 × 3 games: pairs ±μ, imaginary if zero-sum, real in a team."
    )
    panels = (
        *(_portrait(title, A) for title, A in GAMES.items()),
        _logit_panel(measured),
        _cloud_panel(clouds),
    )
    return Outcome(
        rows, (plots.Figure(caption, panels),), f"40 random games of each sort; {draws} for ESS."
    )


# ---------------------------------------------------------------------------------- expectations


def kinds(A: Array) -> dict[str, int]:
    """How many isolated rest points of each kind the replicator dynamics has."""
    found: dict[str, int] = {}
    for x in rest_points(A.tolist()):
        kind = linearise(A, [float(p) for p in x]).kind
        found[kind] = found.get(kind, 0) + 1
    return dict(sorted(found.items()))


def _kinds() -> list[Row]:
    expected = {
        "A win is worth more": "3 saddle, 1 sink",
        "A loss costs more": "3 saddle, 1 source",
        "Three conventions": "3 saddle, 3 sink, 1 source",
        "Attracting, yet no ESS": "3 saddle, 2 sink, 1 source",
    }
    rows = []
    for title, A in (*GAMES.items(), ("Rock, paper, scissors", RPS)):
        got = ", ".join(f"{count} {kind}" for kind, count in kinds(A).items())
        rows.append(equal(f"{title}: rest points", got, expected.get(title, "1 centre, 3 saddle")))
    return rows


def _ess() -> list[Row]:
    counts = [len(all_ess(A.tolist())) for A in (MILD, RPS, HARSH, np.eye(3), ZEEMAN)]
    mild = linearise(MILD, EVEN).eigenvalues[0]
    return [
        equal(
            "ESS: a win worth more, even, a loss worth more, conventions, the fourth",
            counts,
            [1, 0, 0, 3, 1],
        ),
        close("a win worth more: real part -(win - loss)/6", float(mild.real), -1 / 6, 1e-9),
        close(
            "a win worth more: imaginary part (win + loss)/√12", float(mild.imag), 3 / 12**0.5, 1e-9
        ),
    ]


def growth(lam: float, span: float = 6.0, steps: int = 600) -> float:
    """The measured rate of growth of a small deviation from the centre under logit, by RK4."""
    x, h = EVEN + 1e-6 * np.array([1.0, -1.0, 0.0]), span / steps
    half = np.linalg.norm(x - EVEN)
    for _ in range(steps):
        x = _step(lambda y: velocity(HARSH, y, "logit", lam), x, h)
    return float(np.log(np.linalg.norm(x - EVEN) / half) / span)


def _step(field: Callable[[Array], Array], x: Array, h: float) -> Array:
    """One step of the classical method of Runge and Kutta."""
    a = field(x)
    b = field(x + h / 2 * a)
    c = field(x + h / 2 * b)
    d = field(x + h * c)
    ahead: Array = x + h / 6 * (a + 2 * b + 2 * c + d)
    return ahead


def real_part(lam: float) -> float:
    """Largest real part of the eigenvalues at the centre under logit."""
    return float(linearise(HARSH, EVEN, "logit", lam).eigenvalues[0].real)


def _logit(measured: list[float]) -> list[Row]:
    off = max(abs(g - real_part(lam)) for g, lam in zip(measured, RATES, strict=True))
    signs = [linearise(HARSH, EVEN, "logit", HOPF + d).kind for d in (-0.01, 0.0, 0.01)]
    return [
        at_most("logit: growth measured beside the eigenvalue's real part, largest gap", off, 1e-3),
        equal(
            "logit: kind just below, at and above λ = 6/(loss - win) = 2",
            signs,
            ["sink", "centre", "source"],
        ),
    ]


# ---------------------------------------------------------------------------------- random games


def _cloud(rng: np.random.Generator, kind: str, draws: int) -> Array:
    """Eigenvalues (draws · 4,) at even mixing, made an equilibrium, of 3 × 3 games."""
    values = []
    for _ in range(draws):
        A = rng.normal(size=(3, 3))
        B = {"general": rng.normal(size=(3, 3)), "zero-sum": -A, "team": A}[kind]
        flat = [M - M.mean(axis=0) - M.mean(axis=1, keepdims=True) + M.mean() for M in (A, B)]
        game = NormalForm.bimatrix(*flat)
        assert max(float(np.ptp(values_against(game, game.uniform(), i))) for i in (0, 1)) < 1e-9
        values.append(linearise(game, game.uniform()).eigenvalues)
    found: Array = np.concatenate(values)
    return found


def _clouds(clouds: dict[str, Array]) -> list[Row]:
    pairs = clouds["general"].reshape(-1, 4)
    odd = max(float(np.abs(pairs.sum(axis=1)).max()), float(np.abs((pairs**3).sum(axis=1)).max()))
    inside = int((pairs.real > 1e-9).any(axis=1).sum())
    turning = int((np.abs(pairs.real) <= 1e-9).all(axis=1).sum())
    return [
        at_most("two populations: Σ μ and Σ μ³ are 0", odd, 1e-9),
        at_most(
            "two populations, zero-sum: real parts",
            float(np.abs(clouds["zero-sum"].real).max()),
            1e-7,
        ),
        at_most(
            "two populations, a team: imaginary parts",
            float(np.abs(clouds["team"].imag).max()),
            1e-7,
        ),
        equal("two populations: unstable or turning, never a sink", inside + turning, len(pairs)),
    ]


def _random_ess(rng: np.random.Generator, draws: int) -> list[Row]:
    """In random games no best reply is idle: every ESS is then a sink."""
    kinds_seen, sinks = [], 0
    for _ in range(draws):
        A = rng.normal(size=(4, 4))
        kinds_seen += [linearise(A, [float(p) for p in x]).kind for x in all_ess(A.tolist())]
        for x in rest_points(A.tolist()):
            nash = evolutionary_stability(A.tolist(), x).nash
            sinks += nash and linearise(A, [float(p) for p in x]).kind == "sink"
    return [
        equal("random 4 × 4 games: kinds of their ESS", sorted(set(kinds_seen)), ["sink"]),
        at_most("random 4 × 4 games: ESS / attracting equilibria", len(kinds_seen) / sinks, 1.0),
    ]


# -------------------------------------------------------------------------------------- figures


def _portrait(title: str, A: Array) -> plots.Panel:
    points = [np.array([float(p) for p in x]) for x in rest_points(A.tolist())]
    marks = [(x, linearise(A, x).kind) for x in points]
    paths = [replicator(A, x, np.linspace(0.0, 40.0, 800)) for x in _starts(A)]

    def draw(ax: Any) -> None:
        plots.triangle(ax, ("1", "2", "3"))
        for path in paths:
            plane = plots.on_triangle(path)
            ax.plot(*plane.T, color=plots.BLUE, linewidth=1.3)
            speed = np.linalg.norm(replicator_field(A, path), axis=1)
            plots.arrow(ax, plane, float(np.argmax(speed) + 1) / len(path), plots.BLUE)
        for x, kind in marks:
            plots.rest_point(ax, plots.on_triangle(x), kind)

    seen = ", ".join(f"{count} {kind}" for kind, count in kinds(A).items())
    alt = f"Trajectories on a triangle with its rest points: {seen}."
    return plots.Panel(title, alt, draw, (plots.WIDTH, 3.1))


def _starts(A: Array) -> list[Array]:
    """Where the drawn trajectories begin."""
    if A is HARSH:
        return [np.array([0.36, 0.33, 0.31])]
    if A is MILD:
        return [np.array([0.94, 0.04, 0.02])]
    weights = [(6, 5, 1), (5, 6, 1), (1, 6, 5), (1, 5, 6)]
    if A is ZEEMAN:
        weights = [(1, 12, 1), (1, 1, 12), (12, 3, 1), (12, 1, 4), (5, 7, 8), (12, 2, 2)]
    else:
        weights += [(6, 1, 5), (5, 1, 6), (12, 10, 10), (10, 12, 10), (10, 10, 12)]
    return [np.array(w) / sum(w) for w in weights]


def _logit_panel(measured: list[float]) -> plots.Panel:
    lam = np.linspace(0.0, 3.4, 60)

    def draw(ax: Any) -> None:
        ax.axhline(0.0, color=plots.MUTED, linewidth=0.8)
        ax.plot(lam, [real_part(v) for v in lam], color=plots.BLUE, label="eigenvalue")
        ax.plot(RATES, measured, "o", color=plots.INK, label="measured")
        ax.set(xlabel="rationality λ", ylabel="rate of growth", xlim=(0, 3.4))

    alt = "The rate of growth rises in a line from -1 at λ = 0 through 0 at λ = 2; dots lie on it."
    return plots.Panel("Logit loses its centre", alt, draw)


def _cloud_panel(clouds: dict[str, Array]) -> plots.Panel:
    looks = {
        "general": ("o", plots.MUTED),
        "zero-sum": ("^", plots.BLUE),
        "team": ("s", plots.ORANGE),
    }

    reach = 1.06 * max(float(np.abs([v.real, v.imag]).max()) for v in clouds.values())

    def draw(ax: Any) -> None:
        for kind, values in clouds.items():
            shape, color = looks[kind]
            ax.plot(
                values.real, values.imag, shape, color=color, markersize=3.2, alpha=0.8, label=kind
            )
        ax.set(
            xlabel="real part", ylabel="imaginary part", xlim=(-reach, reach), ylim=(-reach, reach)
        )

    alt = (
        "Eigenvalues in the complex plane: zero-sum ones on one axis, those of teams on the other."
    )
    return plots.Panel("Two populations", alt, draw)
