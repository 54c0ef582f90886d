"""Markov games: Shapley's iteration, how far policies are from equilibrium, memory in a dilemma.

Values of iterates are compared with the fixed point, and so is the certificate that comes with
them. Regrets of three strategies in the remembered dilemma are known by hand. Against

    grim trigger         the best is to defect for ever, or not at all
    tit for tat          the same, or to defect every other round
    win-stay, lose-shift to defect whenever both are about to cooperate

which gains, in payoff per round from a start in cooperation, max(0, 2 - 4γ), the larger of this and
5/(1+γ) - 3, and (2 - 2γ)/(1+γ). So the first is an equilibrium from γ = 1/2 on, the second from
2/3 on, the third never.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array, Profile
from ...games import MarkovGame
from ...games.induced import best_response_policy, induced_mdp, policy_nash_conv, policy_regrets
from ...games.markov import evaluate
from ...games.markov_examples import (
    big_match,
    pennies_until_equal,
    pursuit,
    random_markov_game,
    remembered_dilemma,
)
from ...games.mdp import solve_mdp
from ...games.shapley import shapley_iteration
from ..study import Outcome, Row, at_most, close, equal

GAMMA = 0.9
STEPS = 40
DISCOUNTS = np.linspace(0.0, 0.95, 20)
COOPERATES = {  # in cc, cd, dc, dd, seen by player 1
    "grim trigger": (1, 0, 0, 0),
    "tit for tat": (1, 0, 1, 0),
    "win-stay, lose-shift": (1, 0, 0, 1),
}


class Iterates(NamedTuple):
    """Shapley's iteration on one game, step by step."""

    game: MarkovGame
    value: Array  # (S,), the fixed point
    off: Array  # (K,) |V_k - V*|, for k = 0, …, K - 1
    certified: Array  # (K - 1,) ε_k ≥ off, for k = 1, …
    conv: Array  # (K - 1,) NashConv of the policies


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Four zero-sum games, the dilemma, and random games of two and three players."""
    draws = 500 if full else 50
    games = (
        big_match(GAMMA),
        pennies_until_equal(GAMMA),
        pursuit(5, GAMMA),
        random_markov_game(rng, 4, (3, 3), GAMMA, "zero-sum"),
    )
    found = [_iterate(game) for game in games]
    regrets = {name: _regrets(name) for name in COOPERATES}
    rows = (*_contraction(found), *_known(found), *_responses(rng, draws), *_memory(regrets))
    caption = (
        f"First: how far Shapley's iterates from 0 are from the value, γ = {GAMMA:g}; none falls "
        "more slowly than γᵏ. Second: in the random game, the NashConv of their policies, which "
        "are right long before the values, and the certificate that bounds it. Third: what a "
        "player gains per round by leaving a strategy of the dilemma with memory: lines by hand, "
        "dots from the induced process."
    )
    panels = (_iterates_panel(found), _certificate_panel(found[-1]), _memory_panel(regrets))
    sample = f"{len(games)} zero-sum games; n = {draws} random games of two or three players."
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def _iterate(game: MarkovGame) -> Iterates:
    value = shapley_iteration(game, tol=1e-13).value
    steps = [shapley_iteration(game, 1e-15, k) for k in range(1, STEPS + 1)]
    values = [np.zeros(game.num_states), *(step.value for step in steps)]
    return Iterates(
        game,
        value,
        np.array([np.abs(v - value).max() for v in values]),
        np.array([step.error for step in steps]),
        np.array([policy_nash_conv(game, step.policies) for step in steps]),
    )


def play(name: str) -> Profile:
    """Both players' policies (4, 2) of a strategy; the second player sees cd and dc exchanged."""
    mine = np.array(COOPERATES[name], dtype=float)
    policies = (np.stack([own, 1 - own], axis=1) for own in (mine, mine[[0, 2, 1, 3]]))
    first, second = policies
    return first, second


def by_hand(name: str, gamma: Any) -> Any:
    """What leaving it gains per round; see the module."""
    for_ever, in_turn = 2 - 4 * gamma, 5 / (1 + gamma) - 3
    if name == "grim trigger":
        return np.maximum(for_ever, 0.0)
    if name == "tit for tat":
        return np.maximum(np.maximum(for_ever, in_turn), 0.0)
    return (2 - 2 * gamma) / (1 + gamma)


def _regrets(name: str) -> Array:
    """Player 1's regret per round at each of ``DISCOUNTS``."""
    return np.array(
        [(1 - g) * policy_regrets(remembered_dilemma(g), play(name))[0] for g in DISCOUNTS]
    )


# ----------------------------------------------------------------------------------------- rows


def _contraction(found: list[Iterates]) -> list[Row]:
    rows = []
    for it in found:
        near = it.off > 1e-11 * it.off[0]  # above rounding
        ratios = it.off[1:][near[:-1]] / it.off[:-1][near[:-1]]
        rows.append(at_most(f"{it.game.title}: worst ratio of errors", ratios.max(), GAMMA + 1e-9))
    wrong = sum(int((it.off[1:] > it.certified + 1e-12).sum()) for it in found)
    more = sum(int((it.conv > 2 * it.certified + 1e-12).sum()) for it in found)
    return [
        *rows,
        equal("errors above their certificate, all games and steps", wrong, 0),
        equal("NashConv above twice the certificate", more, 0),
    ]


def _known(found: list[Iterates]) -> list[Row]:
    match, pennies = found[0], found[1]
    rate = float((pennies.off[12] / pennies.off[2]) ** 0.1)
    return [
        close("big match: (1 − γ) v", (1 - GAMMA) * match.value[0], 0.5, 1e-9),
        close("big match: rate of the errors", match.off[1] / match.off[0], GAMMA, 1e-9),
        close("pennies until equal: v", pennies.value[0], 1 / (2 - GAMMA), 1e-9),
        at_most(
            "pennies until equal: rate, where it goes on half the time", rate, GAMMA / 2 + 0.01
        ),
    ]


def _responses(rng: np.random.Generator, draws: int) -> list[Row]:
    """A best response earns the values of the induced process, and leaves no regret."""
    off = left = 0.0
    for k in range(draws):
        game = random_markov_game(rng, 3, (2, 3) if k % 2 else (2, 2, 2), GAMMA)
        policies = tuple(rng.dirichlet(np.ones(a), size=3) for a in game.num_actions)
        i = k % game.num_players
        best = best_response_policy(game, policies, i)
        reply = (*policies[:i], best, *policies[i + 1 :])
        size = float(np.abs(game.reward).max()) / (1 - GAMMA)
        wanted = solve_mdp(induced_mdp(game, policies, i)).values
        off = max(off, float(np.abs(evaluate(game, reply)[i] - wanted).max()) / size)
        left = max(left, float(policy_regrets(game, reply)[i]) / size)
    name = "random games: best response"
    return [
        at_most(f"{name} in the game, less that in the induced process", off, 1e-10),
        at_most(f"{name}: regret left", left, 1e-10),
    ]


def _memory(regrets: dict[str, Array]) -> list[Row]:
    return [
        at_most(
            f"{name}: distance of its regret from that by hand, {len(DISCOUNTS)} discounts",
            float(np.abs(found - by_hand(name, DISCOUNTS)).max()),
            1e-9,
        )
        for name, found in regrets.items()
    ]


# -------------------------------------------------------------------------------------- figures


def _iterates_panel(found: list[Iterates]) -> plots.Panel:
    names = ("big match", "pennies", "pursuit", "random")
    steps = np.arange(STEPS + 1)

    def draw(ax: Any) -> None:
        for it, name, (color, line) in zip(found, names, plots.CYCLE, strict=True):
            share = np.where(it.off > 1e-12, it.off, np.nan) / it.off[0]
            ax.semilogy(steps, share, color=color, linestyle=line, label=name)
        dots = {"markerfacecolor": "none", "markersize": 5, "linestyle": "none", "marker": "o"}
        ax.semilogy(steps[::5], GAMMA ** steps[::5], color=plots.INK, label="γᵏ", **dots)
        ax.set(xlabel="iterations k", ylabel="|Vₖ − V*| / |V*|", ylim=(1e-10, 2))

    ends = ", ".join(
        f"{n} {it.off[-1] / it.off[0]:.1e}" for n, it in zip(names, found, strict=True)
    )
    alt = f"After {STEPS} iterations: {ends}; γ to that power is {GAMMA**STEPS:.1e}."
    return plots.Panel("Shapley's iteration", alt, draw)


def _certificate_panel(it: Iterates) -> plots.Panel:
    steps = np.arange(1, STEPS + 1)

    def draw(ax: Any) -> None:
        ax.semilogy(steps, 2 * it.certified, color=plots.BLUE, label="twice the certificate")
        seen = np.where(it.conv > 1e-12, it.conv, np.nan)
        ax.semilogy(steps, seen, color=plots.ORANGE, linestyle="--", label="NashConv")
        ax.set(xlabel="iterations k", ylabel="payoff")

    alt = f"NashConv of the policies falls from {it.conv[0]:.2g} to {it.conv[-1]:.2g}."
    return plots.Panel("Policies", alt, draw)


def _memory_panel(regrets: dict[str, Array]) -> plots.Panel:
    fine = np.linspace(0.0, 0.999, 400)

    def draw(ax: Any) -> None:
        for (name, found), (color, line) in zip(regrets.items(), plots.CYCLE, strict=False):
            ax.plot(fine, by_hand(name, fine), color=color, linestyle=line, label=name)
            ax.plot(DISCOUNTS, found, "o", color=color, markersize=4, clip_on=False)
        ax.set(xlim=(0, 1), ylim=(0, 2.1), xlabel="discount γ", ylabel="regret per round")

    alt = "Regrets fall from 2 at γ = 0 to 0 at 1/2 (grim trigger), 2/3 (tit for tat) and 1."
    return plots.Panel("A dilemma with memory", alt, draw)
