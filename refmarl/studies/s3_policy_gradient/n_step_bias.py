"""Bias and variance of n-step returns against exact ones; returns beside their literal sums.

The walk of :mod:`~refmarl.studies.s3_policy_gradient.gae_bias`, whose tables are known, with values
V + e that are wrong. Counting n rewards leaves of e what is still running after n steps,

    E[G^(n) | s] − V(s) = γⁿ (Pⁿ e)(s),

and brings in n rewards' noise. The second moment is exact, too, one step at a time: with
G^(n)(s) = r + γ G^(n−1)(s'), where a reward comes only with the end,

    E[(G^(n))² | s] = E[r² | s] + γ² Σ_s' P(s, s') E[(G^(n−1))² | s'].

The kernels are compared with these moments, and on pieces of many episodes with (4.1) and (3.5)
summed term by term, which takes O(T n) and O(T²).

Axes: S states, C counts n, m independent episodes, T steps, M streams.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...policy_gradient.returns import gae, n_step_return
from ...testing.trajectories import Streams, make, places, stop
from ..study import Outcome, Row, at_least, at_most, equal
from .gae_bias import GAMMA, START, Walk, sample, squared_error, walk

COUNTS = np.array([1, 2, 3, 5, 8, 12, 18, 27, 40, 60])  # n
AVERAGED = (1, 5, 20)  # m


class Moments(NamedTuple):
    """Of G^(n) from the start with action 1 first, for each n of ``COUNTS``."""

    mean: Array  # (C,)
    variance: Array  # (C,)


class Sampled(NamedTuple):
    """The same over episodes, with standard errors."""

    mean: Array
    variance: Array
    mean_error: Array
    variance_error: Array
    episodes: int


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Exact moments, sampled ones, and the sums."""
    w = walk()
    exact, found = moments(w), measure(w, rng, 200_000 if full else 20_000)
    caption = (
        "What n does to the return of the middle state if the values are half of what they should "
        "be. First: the bias, which falls by γ and by what has ended, at every step. Second: the "
        "variance, which rises until most episodes have ended. Third: the squared error of an "
        "average over m episodes: the more of them, the larger the best n. Lines are exact, dots "
        "sampled."
    )
    text = (
        f"One random walk, {found.episodes:,} independent episodes, the same ones for every n; the "
        "sums on 5 pieces of 60 steps of 4 streams."
    )
    panels = (_bias(w, exact, found), _variance(exact, found), _error(w, exact))
    rows = (*_rows(w, exact, found), *_sums(rng))
    return Outcome(rows, (plots.Figure(caption, panels, lead=2),), text)


def true_return(w: Walk) -> float:
    """Q^π of the start and action 1."""
    return float(w.reward[1, START] + GAMMA * w.p[1, START] @ w.value)


def bias(w: Walk, n: int) -> float:
    """γⁿ (P_1 Pⁿ⁻¹ e)(start)."""
    left = w.wrong - w.value
    for _ in range(n - 1):
        left = w.p.mean(axis=0) @ left
    return float(GAMMA**n * (w.p[1, START] @ left))


def moments(w: Walk) -> Moments:
    """Exact, by the recursion of the first two moments."""
    p, paid = w.p.mean(axis=0), w.reward.mean(axis=0)  # r is 0 or 1: E[r²] = E[r]
    first, second = w.wrong, w.wrong**2  # G^(0) = V
    mean, variance = np.empty((2, len(COUNTS)))
    for n in range(1, int(COUNTS[-1]) + 1):
        if n in COUNTS:
            one = w.reward[1, START] + GAMMA * w.p[1, START] @ first
            two = w.reward[1, START] + GAMMA**2 * w.p[1, START] @ second
            k = int(np.flatnonzero(n == COUNTS)[0])
            mean[k], variance[k] = one, two - one**2
        first, second = paid + GAMMA * p @ first, paid + GAMMA**2 * p @ second
    return Moments(mean, variance)


def measure(w: Walk, rng: np.random.Generator, episodes: int) -> Sampled:
    """Over as many episodes, by the kernel."""
    reward, _, after, over, ended = sample(w, rng, episodes, 1)
    streams = (reward, after, over, ended, GAMMA)
    returns = np.array([n_step_return(*streams, int(n))[0] for n in COUNTS])
    mean, variance = returns.mean(axis=1), returns.var(axis=1, ddof=1)
    squares = (returns - mean[:, None]) ** 2
    errors = (np.sqrt(variance / episodes), squares.std(axis=1, ddof=1) / np.sqrt(episodes))
    return Sampled(mean, variance, *errors, episodes)


# -- sums -------------------------------------------------------------------------------


def literal_gae(case: Streams) -> Array:
    """(3.5) as a sum of TD errors from each step to its episode's end: O(T²)."""
    follow = np.where(case.terminated, 0.0, case.next_value)
    delta = case.reward + case.gamma * follow - case.value
    found = np.empty(case.reward.shape)
    for t, m in places(case):
        last = stop(case, t, m) + 1
        found[t, m] = (case.gamma * case.lam) ** np.arange(last - t) @ delta[t:last, m]
    return found


def literal_return(case: Streams, n: int) -> Array:
    """(4.1) as it stands: O(T n)."""
    found = np.empty(case.reward.shape)
    for t, m in places(case):
        last = min(t + n, stop(case, t, m) + 1)
        found[t, m] = case.gamma ** np.arange(last - t) @ case.reward[t:last, m]
        if not case.terminated[last - 1, m]:
            found[t, m] += case.gamma ** (last - t) * case.next_value[last - 1, m]
    return found


def _sums(rng: np.random.Generator) -> tuple[Row, ...]:
    """Both kernels beside their sums, where episodes end and where they do not."""
    apart, far = 0.0, 0.0
    for ends in (0.0, 0.02, 0.1, 0.3, 1.0):
        case = make(int(rng.integers(2**32)), 60, 4, GAMMA, 0.95, ends)
        apart = max(apart, float(abs(gae(*case) - literal_gae(case)).max()))
        for n in (1, 4, 9, 20, 60, 100):
            found = n_step_return(case.reward, *case[2:6], n)
            far = max(far, float(abs(found - literal_return(case, n)).max()))
    return (
        at_most("advantages beside their O(T²) sum: largest difference", apart, 1e-12),
        at_most("n-step returns beside theirs: largest difference", far, 1e-12),
    )


# -- rows and figures -------------------------------------------------------------------


def best(w: Walk, exact: Moments, m: int) -> int:
    """The n whose average over m episodes errs least."""
    squared = squared_error(exact.mean - true_return(w), exact.variance, m)
    return int(COUNTS[squared.argmin()])


def _rows(w: Walk, exact: Moments, found: Sampled) -> tuple[Row, ...]:
    closed = np.array([bias(w, int(n)) for n in COUNTS])
    apart = abs(exact.mean - true_return(w) - closed).max()
    off = abs(found.mean - exact.mean) / found.mean_error
    spread = abs(found.variance - exact.variance) / found.variance_error
    winners = [best(w, exact, m) for m in AVERAGED]
    falls = bool((np.diff(abs(closed)) <= 1e-15).all())
    return (
        at_most("moments beside the closed form of the bias: largest difference", apart, 1e-12),
        at_most("sampled means: largest distance in standard errors", float(off.max()), 4.5),
        at_most("sampled variances: the same", float(spread.max()), 4.5),
        equal("the bias never rises with n", falls, True),
        at_least(
            "variance with n = 60 over that with n = 1", exact.variance[-1] / exact.variance[0], 2
        ),
        equal(f"the best n grows with m = {AVERAGED}", winners == sorted(set(winners)), True),
    )


def _bias(w: Walk, exact: Moments, found: Sampled) -> plots.Panel:
    def draw(ax: Any) -> None:
        true = true_return(w)
        ax.plot(COUNTS, exact.mean - true, color=plots.INK, linestyle=":", label="exact")
        bars = {"fmt": "o", "markersize": 4, "color": plots.BLUE, "label": "sampled"}
        ax.errorbar(COUNTS, found.mean - true, yerr=1.96 * found.mean_error, **bars)
        ax.set(xlabel="n", ylabel="bias", xscale="log")

    return plots.Panel("Bias", "The bias shrinks to zero as n grows; dots lie on the line.", draw)


def _variance(exact: Moments, found: Sampled) -> plots.Panel:
    def draw(ax: Any) -> None:
        ax.plot(COUNTS, exact.variance, color=plots.INK, linestyle=":", label="exact")
        bars = {"fmt": "o", "markersize": 4, "color": plots.BLUE, "label": "sampled"}
        ax.errorbar(COUNTS, found.variance, yerr=1.96 * found.variance_error, **bars)
        ax.set(xlabel="n", ylabel="variance", xscale="log")

    return plots.Panel("Variance", "The variance rises with n and levels off.", draw)


def _error(w: Walk, exact: Moments) -> plots.Panel:
    def draw(ax: Any) -> None:
        for m, (color, line) in zip(AVERAGED, plots.CYCLE, strict=False):
            y = squared_error(exact.mean - true_return(w), exact.variance, m)
            ax.loglog(COUNTS, y, color=color, linestyle=line, label=f"m = {m}")
            ax.plot(COUNTS[y.argmin()], y.min(), "o", color=color)
        ax.set(xlabel="n", ylabel="mean squared error")

    alt = "Squared errors over n for three m; the least of each, a dot, moves right as m grows."
    return plots.Panel("Error of an average", alt, draw)
