"""Ways to credit a team's reward to its members, by exact variance and bias.

n agents give 0 or 1, each with probability 1/2, and G is the sum: the team of S2.04 without its
noise, for which all variances are known. Then a team whose actions have a future, two robots that
recycle cans and see both batteries, over one to three rounds.
"""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...cooperative.credit import Credit, compare_credits
from ...games import NormalForm
from ...games.markov import MarkovGame, repeated
from ...games.posg_examples import recycling_robots
from ..study import Outcome, Row, at_least, at_most, close

AGENTS = (1, 2, 4, 6, 8)
ROUNDS = (1, 2, 3)
UNBIASED = ("team", "value", "counterfactual", "default", "shaped", "difference")
DRAWN = ("team", "value", "difference", "counterfactual")


def coins(n: int) -> MarkovGame:
    """G = a_1 + … + a_n."""
    team = np.indices((2,) * n).sum(axis=0).astype(float)
    return repeated(NormalForm(np.stack([team] * n)), 0.0)


def known(n: int) -> dict[str, float]:
    """The variance of one entry of one agent's gradient, by hand."""
    return {
        "team": (n**2 / 4 + n / 4) / 4 - 1 / 16,
        "value": (n - 1) / 16,
        "shaped": (n - 1) / 16,
        "difference": 1 / 16,
        "default": 1 / 16,
        "shapley": 1 / 16,
        "counterfactual": 0.0,
        "aristocrat": 0.0,
    }


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Coins, then robots."""
    del rng  # nothing is sampled
    agents = (*AGENTS, 10) if full else AGENTS
    flat = {n: compare_credits(coins(n), [[[0.0, 0.0]]] * n, 1) for n in agents}
    game = recycling_robots(0.9).game
    deep = {t: compare_credits(game, [np.zeros((4, 3))] * 2, t) for t in ROUNDS}
    rows = (*_coins(flat), *_robots(deep))
    caption = (
        "First: variance of one agent's gradient in a team of n whose reward is the sum of what "
        "its members give; lines are known by hand, dots by listing all joint actions. With the "
        "team's reward it grows like n², COMA's credit leaves nothing. Second: two recycling "
        "robots over three rounds, all agents and entries together: variance of an estimate from "
        "one play, and the distance of its mean from the gradient, drawn ten times as long. "
        "Aristocrat and Shapley credits of the round vary least, and have another mean."
    )
    panels = (_growth(flat), _bars(deep[ROUNDS[-1]]))
    sample = "Exact: every play is listed with its probability; no random numbers."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def _coins(flat: dict[int, dict[str, Credit]]) -> list[Row]:
    rows = []
    for n in (2, 8):
        for method, want in known(n).items():
            got = float(flat[n][method].variance[0][0, 1])
            rows.append(close(f"{n} coins, {method}: variance of an entry", got, want, 1e-12))
    worst = max(c.total_bias for found in flat.values() for c in found.values())
    rows.append(at_most("coins, all methods: bias", worst, 1e-12))
    return rows


def _robots(deep: dict[int, dict[str, Credit]]) -> list[Row]:
    last = deep[ROUNDS[-1]]
    rows = [at_most(f"robots, {m}: bias", last[m].total_bias, 1e-10) for m in UNBIASED]
    for method in ("aristocrat", "shapley"):
        rows.append(
            at_least(f"robots, {method}: bias over three rounds", last[method].total_bias, 0.1)
        )
    first = deep[1]["aristocrat"].total_bias
    rows.append(at_most("robots, aristocrat: bias in one round", first, 1e-12))
    shaped, value = last["shaped"].total_variance, last["value"].total_variance
    rows.append(
        close("robots: variance shaped by V, as with V for a baseline", shaped, value, 1e-9)
    )
    ratio = last["counterfactual"].total_variance / last["team"].total_variance
    rows.append(at_most("robots: variance with COMA's credit over that of the team's", ratio, 0.5))
    return rows


# -------------------------------------------------------------------------------------- figures


def _growth(flat: dict[int, dict[str, Credit]]) -> plots.Panel:
    n = np.array(list(flat))

    def draw(ax: Any) -> None:
        for k, method in enumerate(DRAWN):
            colour, line = plots.look(k)
            fine = np.linspace(n[0], n[-1], 50)
            ax.plot(fine, [known(x)[method] for x in fine], line, color=colour, label=method)
            ax.plot(n, [f[method].variance[0][0, 1] for f in flat.values()], "o", color=colour)
        ax.set(xlabel="agents n", ylabel="variance of an entry")

    return plots.Panel("A sum of coins", "The team's reward: quadratic in n; COMA: 0.", draw)


def _bars(found: dict[str, Credit]) -> plots.Panel:
    place: Array = np.arange(len(found), dtype=float)

    def draw(ax: Any) -> None:
        spread = [c.total_variance for c in found.values()]
        ax.barh(place - 0.2, spread, 0.4, color=plots.BLUE, label="variance")
        bias = [10.0 * c.total_bias for c in found.values()]
        ax.barh(place + 0.2, bias, 0.4, color=plots.ORANGE, hatch="//", label="10 × bias")
        ax.set_yticks(place, list(found))
        ax.invert_yaxis()
        ax.set(xlabel="of one play's estimate")

    return plots.Panel("Robots, three rounds", "Low variance and no bias: COMA's credit.", draw)
