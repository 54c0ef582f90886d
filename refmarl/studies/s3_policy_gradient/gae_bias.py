"""Bias and variance of generalised advantages against exact values, on a small random walk.

The walk has five states in a row and may stop at any step; action 1 goes right with probability
0.8, action 0 with 0.3; leaving on the right pays 1. The values are learnt halfway: V/2 stands where
V should. For values V + e that are wrong by any e,

    E[Â | s, a] − A(s, a) = −e(s) + γ (1 − λ) P_a (I − γλP)⁻¹ e

(each TD error is off by γ e(s') − e(s), and the sum telescopes). At λ = 1 it is −e(s), the same
for every action: a baseline, no bias of the policy gradient. What misleads the gradient is the
part that depends on the action, so that part is measured: the bias less its mean over actions.
A gradient averages over m episodes, and its squared error is bias² + variance / m.

Axes: S states, A = 2 actions, K values of λ, n episodes.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...policy_gradient.returns import gae
from ..study import Outcome, Row, at_least, at_most, equal

SIZE, START, GAMMA, STOP = 5, 2, 0.95, 0.05
RIGHT = np.array([0.3, 0.8])  # by action
LAMBDAS = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0])
AVERAGED = (10, 100, 1000)  # m
STEPS = 400  # of the longest walk: longer ones have a probability of 0.95^400 = 1e-9


class Walk(NamedTuple):
    """The walk under the policy that takes both actions equally often; S inner states."""

    p: Array  # (A, S, S): what is missing of 1 is the end
    reward: Array  # (A, S)
    value: Array  # V^π (S,)
    wrong: Array  # V^π + e (S,)


class Measured(NamedTuple):
    """Â at the start, per action and λ."""

    mean: Array  # (A, K)
    half: Array  # half the width of its 95 % t-interval, (A, K)
    variance: Array  # (A, K)
    error: Array  # standard error of the variance, (A, K)
    episodes: int  # n, of each action


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Sampled advantages beside the closed form, over λ."""
    w = walk()
    found = measure(w, rng, 200_000 if full else 20_000)
    panels = (_bias_panel(w, found), _variance_panel(found), _error_panel(w, found))
    caption = (
        "What λ does to the advantages of the middle state if the values are wrong. First: the "
        "part of the bias that depends on the action falls to nothing at λ = 1 (line: closed form; "
        "bars: 95 % t-interval). Second: the variance grows with λ. Third: the squared error of an "
        "average over m episodes, bias² + variance / m: the more of them, the larger the best λ."
    )
    sample = (
        f"One random walk of {SIZE} states, values half of what they should be; for each action "
        f"n = {found.episodes:,} independent episodes, the same ones for every λ."
    )
    return Outcome(_rows(w, found), (plots.Figure(caption, panels, lead=2),), sample)


def walk() -> Walk:
    """Exact values by a linear solve, and half of them."""
    p, reward = np.zeros((2, SIZE, SIZE)), np.zeros((2, SIZE))
    for a in range(2):
        for s in range(SIZE):
            for to, chance in ((s + 1, RIGHT[a]), (s - 1, 1.0 - RIGHT[a])):
                if 0 <= to < SIZE:
                    p[a, s, to] = (1.0 - STOP) * chance
        reward[a, -1] = (1.0 - STOP) * RIGHT[a]
    value = np.linalg.solve(np.eye(SIZE) - GAMMA * p.mean(axis=0), reward.mean(axis=0))
    return Walk(p, reward, value, value / 2.0)


def advantage(w: Walk) -> Array:
    """A^π of the start, (A,)."""
    found: Array = w.reward[:, START] + GAMMA * w.p[:, START] @ w.value - w.value[START]
    return found


def bias(w: Walk, lam: float) -> Array:
    """E[Â | start, a] − A(start, a), shape (A,)."""
    e = w.wrong - w.value
    seen = np.linalg.solve(np.eye(SIZE) - GAMMA * lam * w.p.mean(axis=0), e)
    found: Array = -e[START] + GAMMA * (1.0 - lam) * w.p[:, START] @ seen
    return found


def measure(w: Walk, rng: np.random.Generator, episodes: int) -> Measured:
    """n episodes for each first action, all from the start."""
    from scipy.special import stdtrit

    samples = np.empty((2, len(LAMBDAS), episodes))
    for a in range(2):
        streams = sample(w, rng, episodes, a)
        for k, lam in enumerate(LAMBDAS):
            samples[a, k] = gae(*streams, GAMMA, float(lam))[0]
    mean, variance = samples.mean(axis=-1), samples.var(axis=-1, ddof=1)
    half = float(stdtrit(episodes - 1, 0.975)) * np.sqrt(variance / episodes)
    squares = (samples - mean[..., None]) ** 2
    error = squares.std(axis=-1, ddof=1) / np.sqrt(episodes)
    return Measured(mean, half, variance, error, episodes)


def sample(
    w: Walk, rng: np.random.Generator, episodes: int, first: int
) -> tuple[Array, Array, Array, Any, Any]:
    """(reward, V, V of the next state, terminated, ended), all (STEPS, n), first action given."""
    shape = (STEPS, episodes)
    reward, value, after = np.zeros((3, *shape))
    over = np.ones(shape, dtype=bool)  # also after the end, where all is 0
    known = np.append(w.wrong, 0.0)
    state, running = np.full(episodes, START), np.arange(episodes)
    for t in range(STEPS):
        s = state[running]
        right = RIGHT[rng.integers(2, size=len(s)) if t else np.full(len(s), first)]
        to = np.where(rng.random(len(s)) < right, s + 1, s - 1)
        going = rng.random(len(s)) >= STOP
        reward[t, running] = going & (to == SIZE)
        inside = going & (to >= 0) & (to < SIZE)
        value[t, running] = known[s]
        after[t, running] = known[np.where(inside, to, SIZE)]
        over[t, running] = ~inside
        state[running] = to
        running = running[inside]
        if len(running) == 0:
            return reward[: t + 1], value[: t + 1], after[: t + 1], over[: t + 1], over[: t + 1]
    return reward, value, after, over, over


def _misleading(x: Array) -> Array:
    """Half the difference of the two actions: what of a bias depends on the action."""
    found: Array = (x[1] - x[0]) / 2.0
    return found


def _curves(w: Walk, found: Measured) -> tuple[Array, Array, Array, Array]:
    """(closed form, measured, half width, variance) of half the difference, each (K,)."""
    wanted = _misleading(np.array([bias(w, float(lam)) for lam in LAMBDAS]).T)
    got = _misleading(found.mean - advantage(w)[:, None])
    half = np.sqrt((found.half**2).sum(axis=0)) / 2.0
    return wanted, got, half, found.variance.sum(axis=0) / 4.0


def squared_error(wrong: Array, variance: Array, m: int) -> Array:
    """Bias² + variance / m of an average over m episodes, (K,)."""
    found: Array = wrong**2 + variance / m
    return found


def _rows(w: Walk, found: Measured) -> tuple[Row, ...]:
    wanted, got, half, variance = _curves(w, found)
    full = np.array([bias(w, float(lam)) for lam in LAMBDAS]).T
    off = abs(found.mean - advantage(w)[:, None] - full) / (found.half / 1.96)
    best = [float(LAMBDAS[squared_error(wanted, variance, m).argmin()]) for m in AVERAGED]
    growth = np.diff(found.variance, axis=1) / np.hypot(found.error[:, 1:], found.error[:, :-1])
    name = f"n = {found.episodes:,}: largest distance of a mean from the closed form"
    return (
        at_most(f"{name}, in standard errors (16 means)", float(off.max()), 4.5),
        at_most("closed form: bias at λ = 1 that depends on the action", abs(wanted[-1]), 1e-12),
        at_most("measured: the same, in half widths of its interval", abs(got[-1] / half[-1]), 2.3),
        at_least("bias at λ = 0 in half widths of its interval", abs(got[0] / half[0]), 2.0),
        at_least("variance at λ = 1 over that at λ = 0", float(variance[-1] / variance[0]), 2.0),
        at_least("growth of the variance with λ, least in standard errors", float(growth.min()), 0),
        equal(f"the best λ grows with m = {AVERAGED}", best == sorted(set(best)), True),
    )


# -------------------------------------------------------------------------------------- figures


def _bias_panel(w: Walk, found: Measured) -> plots.Panel:
    wanted, got, half, _ = _curves(w, found)

    def draw(ax: Any) -> None:
        ax.plot(LAMBDAS, wanted, color=plots.INK, linestyle=":", label="closed form")
        bars = {"fmt": "o", "markersize": 4, "color": plots.BLUE}
        ax.errorbar(LAMBDAS, got, yerr=half, label=f"n = {found.episodes:,}", **bars)
        ax.set(xlabel="λ", ylabel="bias between the actions")

    alt = "The bias between the actions shrinks to zero as λ goes to 1, on the closed form."
    return plots.Panel("Bias", alt, draw)


def _variance_panel(found: Measured) -> plots.Panel:
    def draw(ax: Any) -> None:
        for a, (color, line) in zip(range(2), plots.CYCLE, strict=False):
            bars = {"color": color, "linestyle": line, "label": f"action {a}"}
            ax.errorbar(LAMBDAS, found.variance[a], yerr=1.96 * found.error[a], **bars)
        ax.set(xlabel="λ", ylabel="variance of Â")

    return plots.Panel("Variance", "The variance of both actions' Â grows with λ.", draw)


def _error_panel(w: Walk, found: Measured) -> plots.Panel:
    wanted, _, _, variance = _curves(w, found)

    def draw(ax: Any) -> None:
        for m, (color, line) in zip(AVERAGED, plots.CYCLE, strict=False):
            y = squared_error(wanted, variance, m)
            ax.semilogy(LAMBDAS, y, color=color, linestyle=line, label=f"m = {m}")
            ax.plot(LAMBDAS[y.argmin()], y.min(), "o", color=color)
        ax.set(xlabel="λ", ylabel="mean squared error")

    alt = "Squared errors over λ for three m; the least of each, a dot, moves right as m grows."
    return plots.Panel("Error of an average", alt, draw)
