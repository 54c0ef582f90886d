"""What a team can earn whose members cannot tell each other what they saw."""

from typing import Any

import numpy as np

from ...analysis import plots
from ...check import Array
from ...games.dec_pomdp import JointPlan, centralised_value, solve_dec_pomdp
from ...games.posg import POSG, belief_update
from ...games.posg_examples import broadcast_channel, dec_tiger, recycling_robots
from ...games.posg_policies import posg_nash_conv, posg_value
from ..study import Outcome, Row, at_most, close

PUBLISHED = {
    dec_tiger: {2: -4.0, 3: 5.190812, 4: 4.802755},
    broadcast_channel: {2: 2.0, 3: 2.99, 4: 3.89},
    recycling_robots: {2: 7.0, 3: 10.660125, 4: 13.38},
}
HORIZONS = 4
ROUNDS = 5  # of listening, in the picture of beliefs


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Three problems from the literature, then teams with random rewards and signals."""
    problems = [(make(), known) for make, known in PUBLISHED.items()]
    plans = {
        game.game.title: [solve_dec_pomdp(game, h) for h in range(1, HORIZONS + 1)]
        for game, _ in problems
    }
    rows: list[Row] = []
    for posg, known in problems:
        found = plans[posg.game.title]
        rows += [
            close(f"{posg.game.title}, {h} rounds", found[h - 1].value, v, 1e-6)
            for h, v in known.items()
        ]
        rows += _laws(posg, found)
    tiger = dec_tiger()
    shared = [centralised_value(tiger, h) for h in range(1, HORIZONS + 1)]
    apart = [plan.value for plan in plans[tiger.game.title]]
    above = max(a - b for a, b in zip(apart, shared, strict=True))
    rows.append(at_most("Dec-Tiger: largest value apart − value with shared ears", above, 1e-9))
    paths = _beliefs(rng, tiger, 200 if full else 40)
    caption = (
        "First: what two agents earn on average in a round of Dec-Tiger when they plan for so "
        "many rounds, apart and if they could share what they hear. Second: the belief that the "
        "tiger is left while both listen. Thin lines: what one agent thinks by its own ears, in "
        "random courses; thick ones: who knows that both heard the same side in every round."
    )
    panels = (_value_panel(apart, shared), _belief_panel(paths))
    sample = (
        f"Exact values of 3 problems over up to {HORIZONS} rounds; {len(paths)} random courses."
    )
    return Outcome(tuple(rows), (plots.Figure(caption, panels),), sample)


def _laws(posg: POSG, plans: list[JointPlan]) -> list[Row]:
    off = max(float(np.abs(posg_value(posg, plan.strategies) - plan.value).max()) for plan in plans)
    gain = max(posg_nash_conv(posg, plan.strategies) for plan in plans)
    title = posg.game.title
    return [
        at_most(f"{title}: value of the policies found − optimum", off, 1e-9),
        at_most(f"{title}: what anybody alone could gain", gain, 1e-9),
    ]


def _beliefs(rng: np.random.Generator, posg: POSG, count: int) -> Array:
    """(count, ROUNDS + 1): one agent's b(left) along courses of listening, the tiger anywhere."""
    alone = POSG.independent(posg.game, [posg.marginal(0), np.ones((2, 3, 3, 1))])
    tigers = rng.integers(2, size=count)
    belief: Array = np.full((count, 2), 0.5)
    found = [belief[:, 0]]
    for _ in range(ROUNDS):
        wrong = rng.random(count) > 0.85
        heard = np.where(wrong, 1 - tigers, tigers)
        seen = np.stack([heard, np.zeros(count, dtype=int)], axis=1)
        belief = belief_update(alone, belief, np.zeros((count, 2), dtype=int), seen)
        found.append(belief[:, 0])
    return np.stack(found, axis=1)


# -------------------------------------------------------------------------------------- figures


def _value_panel(apart: list[float], shared: list[float]) -> plots.Panel:
    rounds = np.arange(1, len(apart) + 1)

    def draw(ax: Any) -> None:
        ax.plot(rounds, shared / rounds, "s--", color=plots.ORANGE, label="what is heard is shared")
        ax.plot(rounds, apart / rounds, "o-", color=plots.BLUE, label="apart")
        ax.set(xlabel="rounds", xticks=rounds)
        ax.set_ylabel("value per round")

    alt = (
        "Value per round against rounds: apart "
        f"{', '.join(f'{v / h:.3g}' for v, h in zip(apart, rounds, strict=True))}; shared "
        f"{', '.join(f'{v / h:.3g}' for v, h in zip(shared, rounds, strict=True))}."
    )
    return plots.Panel("Dec-Tiger", alt, draw)


def _belief_panel(paths: Array) -> plots.Panel:
    rounds = np.arange(paths.shape[1])
    odds = (0.85 / 0.15) ** (2.0 * rounds)
    agreed = odds / (1 + odds)

    def draw(ax: Any) -> None:
        ax.plot(rounds, paths.T, color=plots.MUTED, linewidth=0.7, alpha=0.5)
        ax.plot(rounds, agreed, color=plots.BLUE, linewidth=2.2, label="both hear left")
        ax.plot(rounds, 1 - agreed, "--", color=plots.ORANGE, linewidth=2.2, label="both right")
        ax.set(xlim=(0, len(rounds) - 1), ylim=(-0.01, 1.01), xlabel="rounds of listening")
        ax.set_ylabel("belief that it is left")

    alt = (
        f"Beliefs start at 1/2. If both hear left it is {agreed[1]:.4f}; one alone believes 0.85 "
        "after one sound, and a second from the other side takes it back to 1/2."
    )
    return plots.Panel("Belief", alt, draw)
