r"""Critics and baselines on a team of coins: how noisy gradients are, and how fast agents learn.

N agents give 0 or 1, each 1 with probability p_i = σ(θ_i), and R = Σ a_i + N(0, σ²). The estimate
of dJ/dθ_i from one joint action is (a_i − p_i) w with

    reinforce        w = R                       variance at p = 1/2: ¼ (N²/4 + N/4 + σ²) − 1/16
    value baseline   w = R − V                   (N − 1)/16 + σ²/4
    central critic   w = Q(a) − V                (N − 1)/16
    COMA             w = Q(a) − Σ_b π_i(b) Q     0                                        (2.6)

and the mean p_i (1 − p_i), 1/4, of all four. An exact critic of the own action alone would have
w = Q_i(a_i) − V = a_i − p_i as COMA has: these agents do not need each other. What a critic that
knows less than the state costs or saves, the second part shows: two agents in random games of three
states, whose variances are sums over all that can happen.

Axes: N agents, K samples or runs.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...cooperative.counterfactual import joint_advantages
from ...cooperative.enumerated import (
    StepMoments,
    expected_step,
    joint_action_values,
)
from ...games.markov import MarkovGame, evaluate
from ...games.markov_examples import random_markov_game
from ...games.policy_gradient import joint_policy, policy_gradient, softmax_policies
from ..study import Outcome, Row, at_least, at_most, close, equal
from .credit import coins

METHODS = ("reinforce", "value baseline", "central critic", "COMA")
COUNTS = (2, 4, 8)
AGENTS, NOISE, STEP, GOAL = 8, 1.0, 0.5, 0.9
UPDATES: dict[str, int | str] = {
    "reinforce": "never",
    "value baseline": 38,
    "central critic": 32,
    "COMA": 28,
}


class Found(NamedTuple):
    """Mean and variance of one agent's estimate."""

    mean: float
    variance: float


# ----------------------------------------------------------------------------------- the coins


def by_hand(n: int, noise: float) -> dict[str, float]:
    """The four variances at p = 1/2, σ² = ``noise``."""
    forms = (
        (n**2 / 4 + n / 4 + noise) / 4 - 1 / 16,
        (n - 1) / 16 + noise / 4,
        (n - 1) / 16,
        0.0,
    )
    return dict(zip(METHODS, forms, strict=True))


def exact(n: int, noise: float) -> dict[str, Found]:
    """Summed over all joint actions."""
    game, even = coins(n), [np.zeros((1, 2))] * n
    q = game.reward[0]
    weights = (q, q - n / 2, q - n / 2, joint_advantages(q, np.full((1, 2), 0.5), 0))
    found = {}
    for method, w, extra in zip(METHODS, weights, (noise, noise, 0.0, 0.0), strict=True):
        mean, variance = expected_step(game, even, 0, w, noise=extra)
        found[method] = Found(float(mean[0, 1]), float(variance[0, 1]))
    return found


def sampled(rng: np.random.Generator, n: int, noise: float, samples: int) -> dict[str, Found]:
    """From so many joint actions."""
    p = np.full((1, n), 0.5)
    found = {}
    for method in METHODS:
        a, w = _drawn(rng, method, np.repeat(p, samples, axis=0), noise)
        x = (a[:, 0] - 0.5) * w[:, 0]
        found[method] = Found(float(x.mean()), float(x.var(ddof=1)))
    return found


def _drawn(rng: np.random.Generator, method: str, p: Array, noise: float) -> tuple[Array, Array]:
    """(actions (K, N), what weighs their scores (K, N) or (K, 1))."""
    a = (rng.random(p.shape) < p).astype(float)
    total, v = a.sum(axis=1, keepdims=True), p.sum(axis=1, keepdims=True)
    if method == "COMA":
        return a, a - p  # (2.6): Σ a − (Σ_{j≠i} a_j + p_i)
    if method == "central critic":
        return a, total - v
    paid = total + np.sqrt(noise) * rng.standard_normal(total.shape)
    return a, paid if method == "reinforce" else paid - v


def learnt(
    rng: np.random.Generator, method: str, n: int, noise: float, step: float, runs: int, limit: int
) -> Array:
    """The mean of p over agents and runs, before the first update and after each (limit + 1,)."""
    theta, curve = np.zeros((runs, n)), np.full(limit + 1, 0.5)
    for k in range(limit):
        p = 1.0 / (1.0 + np.exp(-theta))
        a, w = _drawn(rng, method, p, noise)
        theta += step * (a - p) * w
        curve[k + 1] = (1.0 / (1.0 + np.exp(-theta))).mean()
    return curve


def crossing(curve: Array) -> int | None:
    """The first update after which the mean exceeds ``GOAL``, None if there is none."""
    above = np.flatnonzero(curve > GOAL)
    return int(above[0]) if len(above) else None


# --------------------------------------------------------------------------------- small games


def in_games(rng: np.random.Generator, games: int) -> dict[str, Array]:
    """Summed variance of agent 0's estimate in random team games, (games,) for each weight."""
    rows: dict[str, list[float]] = {}
    for _ in range(games):
        game = random_markov_game(rng, 3, (3, 3), 0.8, "team")
        logits = [rng.standard_normal((3, 3)) for _ in range(2)]
        for name, found in moments(game, logits).items():
            rows.setdefault(name, []).append(float(found.variance.sum()))
    return {name: np.array(values) for name, values in rows.items()}


def moments(game: MarkovGame, logits: list[Array]) -> dict[str, StepMoments]:
    """Of agent 0's estimate from one step, for each weight of its score."""
    pi = softmax_policies(game, logits)
    q, v = joint_action_values(game, pi)[0], evaluate(game, pi)[0]
    state = v.reshape(-1, *(1,) * game.num_players)
    others = joint_policy((np.ones((len(v), 1)), *pi[1:]))
    own = (q * others).sum(axis=tuple(range(2, q.ndim)), keepdims=True)  # Q_0(s, a_0)
    weights = {
        "Q(s, a)": q,
        "Q(s, a) − V(s)": q - state,
        "COMA": joint_advantages(q, pi[0], 0),
        "Q_i(s, a_i)": np.broadcast_to(own, q.shape),
        "Q_i(s, a_i) − V(s)": np.broadcast_to(own - state, q.shape),
    }
    return {name: expected_step(game, logits, 0, w) for name, w in weights.items()}


def worst_bias(rng: np.random.Generator, games: int) -> float:
    """The largest distance of any mean from the policy gradient."""
    worst = 0.0
    for _ in range(games):
        game = random_markov_game(rng, 3, (3, 3), 0.8, "team")
        logits = [rng.standard_normal((3, 3)) for _ in range(2)]
        wanted = policy_gradient(game, logits).gradient[0]
        off = [abs(found.mean - wanted).max() for found in moments(game, logits).values()]
        worst = max(worst, *map(float, off))
    return worst


# --------------------------------------------------------------------------------------- study


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """The coins by hand, exactly and sampled; their learning; random games."""
    draw_rng, learn_rng, bias_rng, game_rng = rng.spawn(4)
    samples, runs, games = (200_000, 500, 200) if full else (40_000, 500, 30)
    drawn = {n: sampled(draw_rng, n, NOISE, samples) for n in COUNTS}
    limit = 400 if full else 120
    given = (AGENTS, NOISE, STEP, runs, limit)
    curves = {m: learnt(learn_rng, m, *given) for m in METHODS}
    spread = in_games(game_rng, games)
    rows = (*_coins(drawn), *_learning(curves), *_games(spread, worst_bias(bias_rng, games)))
    caption = (
        "First: variance of one agent's estimate in a team of N coins; lines by hand, dots "
        f"sampled ({samples} joint actions). Second: the mean probability of giving, "
        f"N = {AGENTS}, step {STEP}; the crosses are the published numbers of updates until 0.9."
    )
    figure = plots.Figure(caption, (_variance_panel(drawn), _learning_panel(curves)))
    return Outcome(rows, (figure,), f"{runs} runs of each kind; {games} random games, exactly.")


def _coins(drawn: dict[int, dict[str, Found]]) -> Iterator[Row]:
    for n, found in drawn.items():
        known, summed = by_hand(n, NOISE), exact(n, NOISE)
        off = max(abs(summed[m].variance - known[m]) for m in METHODS)
        yield at_most(f"N = {n}: variances listed and by hand differ by", off, 1e-12)
        far = max(abs(found[m].variance / known[m] - 1.0) for m in METHODS[:-1])
        yield at_most(f"N = {n}: sampled variances, relative distance", far, 0.06)
        yield at_most(f"N = {n}: COMA's sampled variance", found["COMA"].variance, 1e-12)


def _learning(curves: dict[str, Array]) -> Iterator[Row]:
    for method, wanted in UPDATES.items():
        got = crossing(curves[method])
        title = f"{method}: updates until the mean of p exceeds {GOAL}"
        if isinstance(wanted, str) or got is None:
            yield equal(title, "never" if got is None else got, wanted)
        else:
            yield close(title, got, wanted, 3.0)


def _games(spread: dict[str, Array], bias: float) -> Iterator[Row]:
    yield at_most("random games: largest bias of any weight", bias, 1e-9)
    pairs = (("Q_i(s, a_i)", "Q(s, a)"), ("Q_i(s, a_i) − V(s)", "Q(s, a) − V(s)"))
    for less, more in pairs:
        name = f"variance with {less} over that with {more}, largest of all games"
        yield at_most(name, float((spread[less] / spread[more]).max()), 1.0)
    share = float((spread["COMA"] < spread["Q(s, a)"]).mean())
    yield at_least("share of games in which COMA is calmer than Q(s, a)", share, 0.9)
    ratio = float(np.median(spread["COMA"] / spread["Q(s, a) − V(s)"]))
    yield at_most("COMA's variance over that with Q − V, median", ratio, 1.0)


def _variance_panel(drawn: dict[int, dict[str, Found]]) -> plots.Panel:
    def draw(ax: Any) -> None:
        fine = np.linspace(COUNTS[0], COUNTS[-1], 50)
        for k, method in enumerate(METHODS):
            color, line = plots.look(k)
            wanted = [by_hand(n, NOISE)[method] for n in fine]
            ax.plot(fine, wanted, color=color, linestyle=line, label=method)
            dots = [found[method].variance for found in drawn.values()]
            ax.plot(list(drawn), dots, "o", markersize=4, color=color)
        ax.set(xlabel="N, agents", ylabel="variance of one agent's estimate")
        ax.set_ylim(bottom=-0.1)

    alt = "REINFORCE's variance grows like N², those of two baselines like N, COMA's is 0."
    return plots.Panel("How noisy", alt, draw)


def _learning_panel(curves: dict[str, Array]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for k, method in enumerate(METHODS):
            color, line = plots.look(k)
            ax.plot(curves[method], color=color, linestyle=line, label=method)
            if not isinstance(at := UPDATES[method], str):
                ax.plot([at], [GOAL], "x", color=color)
        ax.set(xlabel="updates", ylabel="mean of p", xlim=(0, 80))

    alt = "COMA is first above 0.9, then the central critic, then the value baseline."
    return plots.Panel("How fast", alt, draw)
