"""Ascent along the exact policy gradient, and how far estimates from plays are from it.

Ascents from many starts are one: a game whose states never change has a row of logits for each
state, and the states do not know of each other. Errors are root mean squares over all entries of
all players' gradients, √(Σ Var / N) for N plays, where the variance of one play comes from listing
every play.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games import MarkovGame, evaluate, library
from ...games.induced import state_regrets
from ...games.markov_examples import random_markov_game
from ...games.policy_gradient import policy_gradient, softmax_policies
from ...games.reinforce import (
    counterfactual_baselines,
    estimator_moments,
    play_gradients,
    sample_plays,
    value_baselines,
)
from ..study import Outcome, Row, at_least, at_most, close

STEPS, RATE = 800, 0.1  # of the ascents in the climbing game
HORIZON = 3  # rounds of the sampled game
COUNTS = (10, 100, 1000)  # plays of an estimate
KINDS = {
    "all rewards": ("total", None),
    "rewards to come": ("to-go", None),
    "less V(s)": ("to-go", value_baselines),
    "less b(s, a₋ᵢ)": ("to-go", counterfactual_baselines),
}


class Ascent(NamedTuple):
    """Values along an ascent."""

    values: Array  # before every step and after the last, (K, starts)
    regrets: Array  # of the player who regrets most, at the end, (starts,)
    slopes: Array  # the largest entry of the gradients, at the end, (starts,)


class Errors(NamedTuple):
    """Mean squares over estimates from N plays each, in units of 1/N."""

    bias: float  # largest entry of |expectation - gradient|, exact
    variance: float  # of one play, all entries, exact
    mean: Array  # N |g - ∇J|², measured, (len(COUNTS),)
    half: Array  # half the width of its 95 % t-interval


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Ascents in the climbing game, the effect of γ^t, and errors of four estimators."""
    start_rng, game_rng, play_rng = rng.spawn(3)
    starts, repeats = (60, 1000) if full else (30, 100)
    climbs = climb(start_rng, starts)
    rounds = {weighted: two_rounds(weighted) for weighted in (True, False)}
    game = _team(game_rng)
    logits = [game_rng.normal(size=(2, 3)) for _ in range(2)]
    streams = play_rng.spawn(len(KINDS))
    errors = {
        kind: _errors(game, logits, kind, repeats, stream)
        for kind, stream in zip(KINDS, streams, strict=True)
    }
    rows = (*_climbing(climbs), *_weights(rounds), *_sampling(errors, repeats))
    caption = (
        "First: both players follow the exact gradient in the climbing game. The common value "
        "never falls, and yet most ascents end at a local optimum, 7, or rest on plateaus: at 6 "
        "player 2 would gain 1, by an action that it hardly ever plays. Second: two rounds that "
        "look alike; acting together pays 1, then costs 3/2, γ = 1/2. Without γᵗ both learn to "
        "do nothing. Third: root mean square errors of estimates from N plays of a random team "
        "game; lines are exact, from listing all plays, dots measured. Baselines change the "
        "variance alone; one that knows what the other did need not be better than V."
    )
    panels = (_climbing_panel(climbs), _weights_panel(rounds), _errors_panel(errors, repeats))
    sample = (
        f"Climbing: {starts} starts with standard normal logits, and two given ones. Errors: n = "
        f"{repeats} independent estimates for each N and each kind, 95 % t-intervals."
    )
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


# ------------------------------------------------------------------------------------- ascents


def climb(rng: np.random.Generator, starts: int) -> Ascent:
    """The climbing game from even logits, from (3, 0, 0), and from random ones, side by side."""
    stage = library.game("climbing").payoffs
    given = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    logits = [np.vstack([given, rng.normal(size=(starts, 3))]) for _ in range(2)]
    size = starts + 2
    stay = np.zeros((size, 3, 3, size))
    stay[np.arange(size), ..., np.arange(size)] = 1.0
    game = MarkovGame(stay, np.repeat(stage[:, None], size, axis=1), 0.0)
    values = []
    for _ in range(STEPS + 1):
        values.append(evaluate(game, softmax_policies(game, logits))[0])
        gradient = [size * g for g in policy_gradient(game, logits).gradient]  # J is the mean
        last, logits = logits, [x + RATE * g for x, g in zip(logits, gradient, strict=True)]
    regrets = state_regrets(game, softmax_policies(game, last)).max(axis=0)
    slopes = np.abs(gradient).max(axis=(0, 2))
    return Ascent(np.array(values), regrets, slopes)


def two_rounds(weighted: bool) -> Array:
    """Values (K,) where acting together pays 1, then costs 3/2; ascent with γ^t or without."""
    moves, reward = np.zeros((3, 2, 2, 3)), np.zeros((2, 3, 2, 2))
    moves[0, ..., 1] = moves[1, ..., 2] = moves[2, ..., 2] = 1.0
    reward[:, 0, 0, 0], reward[:, 1, 0, 0] = 1.0, -1.5
    first, second = (MarkovGame(moves, reward, 0.5, s) for s in ([1, 0, 0], [0, 1, 0]))
    seen, logits = [[0, 0, 1]] * 2, [np.zeros((2, 2))] * 2
    values = []
    for _ in range(201):
        found = policy_gradient(first, logits, seen)
        values.append(found.values[0])
        gradient = found.gradient
        if not weighted:  # each round as if it were the first
            parts = [policy_gradient(g, logits, seen, 1).gradient for g in (first, second)]
            gradient = tuple(a + b for a, b in zip(*parts, strict=True))
        logits = [x + 2.0 * g for x, g in zip(logits, gradient, strict=True)]
    return np.array(values)


# -------------------------------------------------------------------------------------- errors


def _team(rng: np.random.Generator) -> MarkovGame:
    """Two states, three actions each, one common reward, from 0 to 18."""
    game = random_markov_game(rng, 2, (3, 3), 0.9, "team")
    return MarkovGame(game.transition, game.reward + 9.0, game.gamma)


def _errors(
    game: MarkovGame, logits: list[Array], kind: str, repeats: int, rng: np.random.Generator
) -> Errors:
    returns, make = KINDS[kind]
    exact = policy_gradient(game, logits, None, HORIZON).gradient
    baselines = make and make(game, logits, HORIZON)
    found = estimator_moments(game, logits, HORIZON, None, baselines, returns)
    bias = max(float(np.abs(m - g).max()) for m, g in zip(found.mean, exact, strict=True))
    policies = softmax_policies(game, logits)
    squares = np.zeros((len(COUNTS), repeats))
    for k, count in enumerate(COUNTS):
        plays = sample_plays(game, policies, rng, count * repeats, HORIZON)
        each = play_gradients(game, logits, plays, None, baselines, returns)
        for g, h in zip(each, exact, strict=True):
            estimates = g.reshape(repeats, count, *h.shape).mean(axis=1)
            squares[k] += count * ((estimates - h) ** 2).sum(axis=(1, 2))
    variance = sum(float(v.sum()) for v in found.variance)
    return Errors(bias, variance, squares.mean(axis=1), _half(squares))


def _half(samples: Array) -> Array:
    """Half the width of the 95 % t-interval of the mean of each row."""
    from scipy.special import stdtrit

    n = samples.shape[1]
    half: Array = float(stdtrit(n - 1, 0.975)) * samples.std(axis=1, ddof=1) / np.sqrt(n)
    return half


# ---------------------------------------------------------------------------------------- rows


def _climbing(found: Ascent) -> list[Row]:
    rise = float(np.diff(found.values, axis=0).min())
    end = found.values[-1]
    return [
        at_least(
            "climbing, every start: smallest rise of the common value in a step", rise, -1e-12
        ),
        at_least("climbing from logits (3, 0, 0): value at the end", float(end[1]), 10.9),
        at_most("climbing from even logits: value at the end", float(end[0]), 7.0),
        at_most("the same: largest entry of the gradients there", float(found.slopes[0]), 0.02),
        at_least("the same: largest regret there, a plateau", float(found.regrets[0]), 0.9),
    ]


def _weights(found: dict[bool, Array]) -> list[Row]:
    with_, without = (float(found[weighted][-1]) for weighted in (True, False))
    return [
        close("two rounds, with γᵗ: value after 200 steps", with_, 0.25, 0.02),
        close("two rounds, without: the same", without, 0.0, 0.02),
    ]


def _sampling(found: dict[str, Errors], repeats: int) -> list[Row]:
    rows = [
        at_most(
            f"{kind}: largest |expectation − gradient|, over all plays", errors.bias, 1e-10
        )
        for kind, errors in found.items()
    ]  # fmt: skip
    for kind, errors in found.items():
        off = np.abs(errors.mean / errors.variance - 1.0)
        allowed = 2.5 * errors.half / errors.variance  # about five standard errors
        name = f"{kind}: measured / exact mean square error − 1, by its allowance (n = {repeats})"
        rows.append(at_most(name, float((off / allowed).max()), 1.0))
    to_go, state = found["rewards to come"].variance, found["less V(s)"].variance
    rows.append(at_most("variance with the baseline V, to that without", state / to_go, 1.0))
    return rows


# -------------------------------------------------------------------------------------- figures


def _climbing_panel(found: Ascent) -> plots.Panel:
    best = int((found.values[-1, 2:] > 10.0).sum())

    def draw(ax: Any) -> None:
        ax.plot(found.values[:, 2:], color=plots.SKY, linewidth=0.8)
        ax.plot([], [], color=plots.SKY, linewidth=0.8, label="random logits")
        ax.plot(found.values[:, 0], color=plots.BLUE, label="even logits")
        ax.plot(found.values[:, 1], color=plots.ORANGE, linestyle="--", label="(3, 0, 0)")
        ax.axhline(11, color=plots.INK, linestyle=":", linewidth=1.2, label="the best, 11")
        ax.set_xscale("symlog", linthresh=1, linscale=0.4)
        ax.set(xlim=(0, STEPS), xlabel="step", ylabel="common value J")

    alt = (
        f"Values rise and level off at 5, 6, 7 or 11; {best} of {found.values.shape[1] - 2} random "
        f"starts reach 11, even logits end at {found.values[-1, 0]:.2g}."
    )
    return plots.Panel("Ascent in the climbing game", alt, draw)


def _weights_panel(found: dict[bool, Array]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for weighted, (color, line) in zip((True, False), plots.CYCLE, strict=False):
            label = "with γᵗ" if weighted else "without γᵗ"
            ax.plot(found[weighted], color=color, linestyle=line, label=label)
        ax.set(xlim=(0, 200), ylim=(-0.01, 0.26), xlabel="step", ylabel="common value J")

    alt = "With γᵗ the value rises to 1/4, without it falls to 0."
    return plots.Panel("Two rounds that look alike", alt, draw)


def _errors_panel(found: dict[str, Errors], repeats: int) -> plots.Panel:
    markers = ("o", "s", "d", "^")

    def draw(ax: Any) -> None:
        n = np.array(COUNTS, dtype=float)
        for (kind, e), (color, line), marker in zip(
            found.items(), plots.CYCLE, markers, strict=True
        ):
            ax.loglog(n, np.sqrt(e.variance / n), color=color, linestyle=line, label=kind)
            middle, low, high = (np.sqrt(x / n) for x in (e.mean, e.mean - e.half, e.mean + e.half))
            bars = np.stack([middle - low, high - middle])
            ax.errorbar(n, middle, bars, fmt=marker, color=color, markersize=4.5)
        ax.set(xlabel="plays N", ylabel="error of the gradient")
        ax.tick_params(which="minor", labelleft=False)

    first, last = (e.variance for e in (found["all rewards"], found["less b(s, a₋ᵢ)"]))
    alt = (
        f"Errors fall as 1/√N. The variance of one play is {first:.3g} with all rewards and "
        f"{last:.3g} with baselines of state and others' actions; n = {repeats} estimates a dot."
    )
    return plots.Panel("Errors of estimates", alt, draw)
