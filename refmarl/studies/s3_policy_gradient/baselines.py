"""What baselines do to the variance of REINFORCE: theory by listing every episode, and sampling.

One estimate from N episodes of T steps is ĝ = 1/N Σ_n Σ_t X_nt (G_nt − b_nt) with X_nt = γ^t
∇ log π(a_nt|s_nt). All three baselines leave E ĝ = ∇J as it is. Without one, or with values that
are known beforehand, the episodes are independent and the variance is that of one, over N. With the
mean of the other episodes,

    ĝ = 1/(N(N−1)) Σ_{n<m} Σ_t (X_nt − X_mt)(G_nt − G_mt)

is a U-statistic, the sample covariance of X_t and G_t, summed over t. Its variance is (Hoeffding
1948)  2/(N(N−1)) (2(N−2) ζ₁ + ζ₂)  with h the term of a pair, halved, ζ₂ = Var h and ζ₁ = Var
E[h | one of the two]. Variances of vectors are summed over their P entries.

Axes: E episodes that can happen, T steps, S states, P parameters, K estimates.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...envs.chain import Chain
from ...games.policy_gradient import softmax
from ...policy_gradient import reinforce
from ...policy_gradient.actor_critic import Agent
from ...value_grad import Real
from ..study import Outcome, Row, at_least, at_most
from . import exact_gradients
from .exact_gradients import Twin

GAMMA, HORIZON = exact_gradients.GAMMA, 4
COUNTS = (2, 4, 8, 32)  # N
KINDS = {"none": "none", "value": "E[G | s]", "mean": "the mean of the others"}


class Listed(NamedTuple):
    """Every episode that can happen."""

    chance: Array  # (E,)
    score: Array  # X, (E, T, P)
    togo: Array  # G, (E, T)
    state: Real  # (E, T) of int


class Measured(NamedTuple):
    """N times the summed variance of ĝ, from K estimates, at each of COUNTS."""

    mean: Array
    half: Array  # half the width of its 95 % t-interval


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """The three baselines at four numbers of episodes."""
    theta_rng, play_rng = rng.spawn(2)
    repeats = 4000 if full else 300
    twin = exact_gradients.twin(Chain(length=3, players=1, slip=0.2, calm=0.5, horizon=HORIZON))
    start = reinforce.start(twin.env, settings("value"), theta_rng).agent
    agent = exact_gradients.varied(start, theta_rng)
    listed = episodes(twin, agent)
    values = returns_by_state(listed, twin.game.num_states)
    agent = agent._replace(phi=exact_gradients.critics(twin, values[None]))
    wanted = {kind: theory(listed, values, kind) for kind in KINDS}
    streams = zip(KINDS, play_rng.spawn(len(KINDS)), strict=True)
    truth = expectation(listed)
    found = {kind: measure(twin, agent, kind, truth, rng, repeats) for kind, rng in streams}
    caption = (
        "N times the variance of REINFORCE's estimate from N episodes, summed over all parameters. "
        "Lines: theory, from listing every episode; dots: measured, with 95 % t-intervals. The "
        "mean of the others costs a little at few episodes and needs no values."
    )
    sample = (
        f"Chain of 3 places, one agent, {HORIZON} steps, {len(listed.chance)} possible episodes; "
        f"n = {repeats} independent estimates for each dot."
    )
    figure = plots.Figure(caption, (_panel(wanted, found),))
    return Outcome(tuple(_rows(listed, wanted, found, repeats)), (figure,), sample)


def settings(kind: str, count: int = 2) -> reinforce.Config:
    """A softmax policy in a table, and a linear critic."""
    return reinforce.Config(
        gamma=GAMMA, baseline=kind, hidden=(), share=False, dtype="float64", num_envs=count
    )


# -------------------------------------------------------------------------------------- theory


def episodes(twin: Twin, agent: Agent) -> Listed:
    """List them: all actions and all that can follow, step by step."""
    game, (logits,) = twin.game, exact_gradients.logits(twin, (), agent)
    pi = softmax(logits)
    slopes = scores(twin, agent, pi)

    def walk(t: int, s: int) -> Iterator[tuple[float, list[tuple[int, int, int]]]]:
        if t == HORIZON:
            yield 1.0, []
            return
        for a, after in product(range(pi.shape[1]), range(len(pi))):
            if (chance := pi[s, a] * game.transition[s, a, after]) > 0.0:
                for rest, more in walk(t + 1, after):
                    yield chance * rest, [(s, a, after), *more]

    (begin,) = np.flatnonzero(game.initial)
    chances, paths = zip(*walk(0, int(begin)), strict=True)
    state, action = np.array(paths)[..., 0], np.array(paths)[..., 1]
    reward, togo = game.reward[0, state, action], np.zeros(state.shape)
    for t in reversed(range(HORIZON)):
        togo[:, t] = reward[:, t] + (GAMMA * togo[:, t + 1] if t + 1 < HORIZON else 0.0)
    weight = GAMMA ** np.arange(HORIZON)[:, None]
    return Listed(np.array(chances), weight * slopes[state, action], togo, state)


def scores(twin: Twin, agent: Agent, pi: Array) -> Array:
    """∇ log π(a|s) (S, A, P), through the network."""
    found = np.empty((*pi.shape, agent.theta[0].shape[-1]))
    for s, a in product(range(pi.shape[0]), range(pi.shape[1])):
        slope = np.zeros(pi.shape)
        slope[s] = np.eye(pi.shape[1])[a] - pi[s]
        found[s, a] = exact_gradients.through(twin, (), agent, [slope])
    return found


def expectation(listed: Listed) -> Array:
    """E ĝ = ∇J, (P,)."""
    found: Array = np.einsum("e,etp,et->p", *listed[:3])
    return found


def returns_by_state(listed: Listed, num_states: int) -> Array:
    """E[G | s] (S,), over the steps at which s is visited, each with the weight γ^2t."""
    weight = listed.chance[:, None] * GAMMA ** (2 * np.arange(HORIZON))
    total, visits = np.zeros((2, num_states))
    np.add.at(total, listed.state, weight * listed.togo)
    np.add.at(visits, listed.state, weight)
    return total / np.maximum(visits, 1e-300)


def theory(listed: Listed, values: Array, kind: str) -> Array:
    """N times the summed variance of ĝ at each of COUNTS."""
    if kind == "mean":
        one, two = pair_variances(listed)
        return np.array([2.0 / (n - 1) * (2.0 * (n - 2) * one + two) for n in COUNTS])
    known = values[listed.state] if kind == "value" else 0.0
    each = np.einsum("etp,et->ep", listed.score, listed.togo - known)
    return np.full(len(COUNTS), variance(listed.chance, each))


def pair_variances(listed: Listed) -> tuple[float, float]:
    """(ζ₁, ζ₂) of h = ½ Σ_t (X_t − X'_t)(G_t − G'_t), (E, E', P)."""
    p, x, g = listed.chance, listed.score, listed.togo
    own = np.einsum("etp,et->ep", x, g)
    across = np.einsum("etp,ft->efp", x, g)
    h = (own[:, None] + own[None] - across - across.transpose(1, 0, 2)) / 2.0
    return variance(p, np.einsum("f,efp->ep", p, h)), variance(
        np.outer(p, p).ravel(), h.reshape(-1, h.shape[-1])
    )


def variance(chance: Array, values: Array) -> float:
    """Σ_p Var of (E, P) with these probabilities."""
    off = values - chance @ values
    return float(chance @ np.square(off).sum(axis=1))


# ------------------------------------------------------------------------------------ sampling


def measure(
    twin: Twin, agent: Agent, kind: str, truth: Array, rng: np.random.Generator, repeats: int
) -> Measured:
    """N |ĝ − E ĝ|², its mean over K estimates; ``truth`` is E ĝ."""
    from scipy.special import stdtrit

    squares = np.empty((len(COUNTS), repeats))
    for k, count in enumerate(COUNTS):
        cfg = settings(kind, count)
        acting = reinforce.policy(twin.env, cfg, agent, rng)
        for r in range(repeats):
            played = reinforce.play(twin.env, acting, rng, count, HORIZON)
            found = reinforce.gradient(twin.env, cfg, agent, played, 0)[0].ravel()
            squares[k, r] = count * np.square(found - truth).sum()
    error = squares.std(axis=1, ddof=1) / np.sqrt(repeats)
    return Measured(squares.mean(axis=1), stdtrit(repeats - 1, 0.975) * error)


def _rows(
    listed: Listed, wanted: dict[str, Array], found: dict[str, Measured], repeats: int
) -> Iterator[Row]:
    name = "probabilities of all episodes sum to 1, within"
    yield at_most(name, abs(float(listed.chance.sum()) - 1.0), 1e-12)
    for kind, says in KINDS.items():
        off = abs(found[kind].mean - wanted[kind]) / found[kind].half * 1.97
        title = f"baseline {says}: largest distance from theory, in standard errors"
        yield at_most(title, float(off.max()), 4.5)
    last = len(COUNTS) - 1
    for kind in ("value", "mean"):
        less = wanted["none"][last] / wanted[kind][last]
        got = found["none"].mean[last] / found[kind].mean[last]
        title = f"variance without a baseline over that with {KINDS[kind]}, N = {COUNTS[last]}"
        yield at_least(f"{title}: theory", float(less), 1.0)
        yield at_least(f"{title}: measured (n = {repeats})", float(got), 1.0)
    price = wanted["mean"][0] / wanted["mean"][last]
    yield at_least("price of a mean of few: N Var at N = 2 over that at 32, theory", price, 1.0)


# -------------------------------------------------------------------------------------- figures


def _panel(wanted: dict[str, Array], found: dict[str, Measured]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for k, kind in enumerate(KINDS):
            color, line = plots.look(k)
            ax.plot(COUNTS, wanted[kind], color=color, linestyle=line, label=KINDS[kind])
            bars = {"fmt": "o", "markersize": 4, "color": color}
            ax.errorbar(COUNTS, found[kind].mean, yerr=found[kind].half, **bars)
        ax.set_xscale("log", base=2)
        ax.set_xticks(COUNTS, map(str, COUNTS))
        ax.set_ylim(bottom=0)
        ax.set(xlabel="N, episodes of an estimate", ylabel="N × variance of ĝ")

    alt = "The variance without a baseline is highest; measured values lie on the lines of theory."
    return plots.Panel("Variance by baseline", alt, draw)
