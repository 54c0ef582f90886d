"""Environments beside the Markov games that they are: where copies are, and what they are paid.

All play uniformly. From the twin's tables follow, without playing,

    d_{t+1} = d_t P^π      the distribution of the states after t steps
    Σ_t γ^t d_t · R^π      the discounted return of T steps

Copies are independent of each other, so that the states of n copies at one time are n draws from
d_t (χ² test), and the mean return is normal for large n (z test). Every step is held against the
tables, too: nothing may follow that has no probability, and r − R(s, a) is zero on average.
With m tests in all, each may err with probability α/m, which makes at most α for the study.

Axes: n copies, S states, T steps.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...env_api import random_actions, take
from ...envs import Chain, Grid, Matrix, TabularEnv
from ...games.markov import MarkovGame, joint_dynamics
from ...value_grad import Real
from ..study import Outcome, Row, at_least, close, equal

GAMMA, STEPS, TIMES, ALPHA = 0.9, 24, (1, 6, 24), 1e-3
ENVS: dict[str, Any] = {
    "chain": Chain(horizon=0),
    "grid": Grid(slip=0.3, horizon=0),
    "matrix, chicken": Matrix("chicken", horizon=0),
    "tabular, soccer": TabularEnv("soccer", horizon=0),
    "tabular, big match": TabularEnv("big_match", horizon=0),
}


class Played(NamedTuple):
    """What n copies did."""

    states: Real  # (T + 1, n): those of the twin; who has ended stays
    returns: Array  # (n,): of player 1, discounted
    surprise: Array  # r − R(s, a) of player 1, of every step
    impossible: int  # steps of probability 0


class Compared(NamedTuple):
    """One environment beside its twin."""

    played: Played
    states: Array  # (T + 1, S): d_t
    exact: float  # expected return
    p: tuple[float, ...]  # of the χ² tests, of the return, of the rewards


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Every environment beside its twin."""
    copies = 100_000 if full else 10_000
    found = {name: compare(env, rng, copies) for name, env in ENVS.items()}
    caption = (
        "Uniform play of environments beside the tables of the same rules. First: where the copies "
        "of the chain are after 24 steps (dots: exact). Second: p-values of all tests in order; if "
        "all agree with their twins they lie around the diagonal, and above the line. Third: mean "
        "returns of player 1 less the exact ones, in standard errors (bars: 95 %)."
    )
    sample = (
        f"n = {copies:,} independent copies of each of {len(ENVS)} environments, {STEPS} steps, "
        f"γ = {GAMMA}; {_tests(found)} tests, each at the level {ALPHA:g} / {_tests(found)}."
    )
    panels = (_visits(found["chain"]), _quantiles(found), _means(found))
    return Outcome(_rows(found), (plots.Figure(caption, panels, lead=1),), sample)


def compare(env: Any, rng: np.random.Generator, copies: int) -> Compared:
    """Play, compute, and test one against the other."""
    twin = env.twin(GAMMA)
    played, (states, exact) = play(env, twin, rng, copies), expected(twin)
    chances = [chi_square(played.states[t], states[t]) for t in TIMES]
    tests = (*chances, z_test(played.returns, exact), z_test(played.surprise, 0.0))
    return Compared(played, states, exact, tests)


def play(env: Any, twin: MarkovGame, rng: np.random.Generator, copies: int) -> Played:
    """T uniform steps of every copy, each step held against the tables."""
    shape = (twin.num_states, -1)
    moves = twin.transition.reshape(*shape, twin.num_states)
    pay = twin.reward[0].reshape(shape)
    state, going = env.reset(rng, copies), np.arange(copies)
    states, total = np.empty((STEPS + 1, copies), dtype=np.int64), np.zeros(copies)
    states[0], surprise, impossible = env.twin_state(state), [], 0
    for t in range(STEPS):
        actions = random_actions(env, rng, state)
        joint = np.ravel_multi_index(tuple(np.concatenate(actions, axis=1).T), twin.num_actions)
        state, step = env.step(state, actions)
        before, after, reward = states[t, going], env.twin_state(state), step.reward[0][:, 0]
        states[t + 1], total[going] = states[t], total[going] + GAMMA**t * reward
        states[t + 1, going] = after
        surprise.append(reward - pay[before, joint])
        impossible += int((moves[before, joint, after] == 0.0).sum())
        on = ~state.ended
        state, going = take(state, on), going[on]
    return Played(states, total, np.concatenate(surprise), impossible)


def expected(twin: MarkovGame) -> tuple[Array, float]:
    """(d_t (T + 1, S), expected return of player 1) of uniform policies."""
    chain, reward = joint_dynamics(twin, twin.uniform())
    states = np.empty((STEPS + 1, twin.num_states))
    states[0] = twin.initial
    for t in range(STEPS):
        states[t + 1] = states[t] @ chain
    powers = twin.gamma ** np.arange(STEPS)
    return states, float(powers @ states[:-1] @ reward[0])


def chi_square(drawn: Real, chance: Array) -> float:
    """The p-value of draws (n,) from a distribution (S,); states expected below 5 are one."""
    from scipy.special import gammaincc

    wanted, got = len(drawn) * chance, np.bincount(drawn, minlength=len(chance))
    rare = wanted < 5.0
    wanted = np.append(wanted[~rare], wanted[rare].sum())
    got = np.append(got[~rare], got[rare].sum())
    if got[wanted == 0.0].any():
        return 0.0
    wanted, got = wanted[wanted > 0.0], got[wanted > 0.0]
    statistic = ((got - wanted) ** 2 / wanted).sum()
    return float(gammaincc((len(wanted) - 1) / 2, statistic / 2)) if len(wanted) > 1 else 1.0


def z_test(values: Array, mean: float) -> float:
    """The two-sided p-value of independent values (n,) of this mean; exact where all are equal."""
    from scipy.special import ndtr

    off, error = _off(values, mean)
    if error < 1e-12:
        return 1.0 if abs(off) < 1e-9 else 0.0
    return float(2.0 * ndtr(-abs(off) / error))


def _off(values: Array, mean: float) -> tuple[float, float]:
    """(mean of the values less what it should be, its standard error)."""
    return float(values.mean() - mean), float(values.std(ddof=1) / np.sqrt(len(values)))


def _tests(found: dict[str, Compared]) -> int:
    return sum(len(one.p) for one in found.values())


def _rows(found: dict[str, Compared]) -> tuple[Row, ...]:
    from scipy.special import ndtri

    level, rows = ALPHA / _tests(found), []
    width = -float(ndtri(level / 2))
    for name, one in found.items():
        _, error = _off(one.played.returns, one.exact)
        got = float(one.played.returns.mean())
        rows.append(close(f"{name}: discounted return", got, one.exact, width * error + 1e-9))
        rows.append(at_least(f"{name}: smallest of {len(one.p)} p-values", min(one.p), level))
        rows.append(equal(f"{name}: impossible steps", one.played.impossible, 0))
    return tuple(rows)


# -------------------------------------------------------------------------------------- figures


def _visits(one: Compared) -> plots.Panel:
    wanted, drawn = one.states[STEPS], one.played.states[STEPS]
    share = np.bincount(drawn, minlength=len(wanted)) / len(drawn)

    def draw(ax: Any) -> None:
        places = np.arange(len(wanted))
        ax.bar(places, share, color=plots.SKY, label="played")
        ax.plot(places, wanted, "o", color=plots.INK, label="exact")
        ax.set(xlabel="place of the chain", ylabel="share of copies")

    alt = "Bars of the copies' places; the dots of the exact distribution lie on their tops."
    return plots.Panel(f"After {STEPS} steps", alt, draw)


def _quantiles(found: dict[str, Compared]) -> plots.Panel:
    p = np.sort([value for one in found.values() for value in one.p])

    def draw(ax: Any) -> None:
        wanted = (np.arange(len(p)) + 0.5) / len(p)
        ax.plot(wanted, p, "o", color=plots.BLUE, label="tests")
        ax.plot([0, 1], [0, 1], ":", color=plots.INK, label="if all agree")
        ax.axhline(ALPHA / len(p), color=plots.ORANGE, linestyle="--", label="level")
        ax.set(xlabel="quantile", ylabel="p-value")

    alt = "Sorted p-values near the diagonal, all above the level; those of sure steps are 1."
    return plots.Panel("All tests", alt, draw)


def _means(found: dict[str, Compared]) -> plots.Panel:
    off = [_off(one.played.returns, one.exact) for one in found.values()]

    def draw(ax: Any) -> None:
        score = [distance / error for distance, error in off]
        bars = {"fmt": "o", "color": plots.BLUE, "xerr": 1.96}
        ax.errorbar(score, range(len(score)), **bars)
        ax.axvline(0.0, color=plots.INK, linestyle=":")
        ax.set_yticks(range(len(score)), [name.replace(", ", "\n") for name in found])
        ax.set(xlabel="standard errors from the exact return")

    alt = "Mean returns within a few standard errors of the exact ones, for every environment."
    return plots.Panel("Returns", alt, draw)
