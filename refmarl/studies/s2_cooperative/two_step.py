"""The two-step game under VDN and QMIX: their tables of Q_tot beside what can be said at best.

Everybody plays uniformly (ε = 1), so that data favour nobody; then greedy play is looked at. A sum
of utilities is fitted by least squares: at the choice 6.93 and 6.435, after it −1.5, 2.5, 2.5 and
6.5, so that the sure 7 looks better than what it takes for 8 (Rashid et al. 2018,
arXiv:1803.11485).

Axes: 3 states (choose, sure, both), 2 × 2 joint actions.
"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...cooperative import iql, qmix, qtran, vdn, wqmix
from ...cooperative.decomposition import additive, main_effects
from ...cooperative.value_decomposition import split
from ...envs.tabular import TabularEnv
from ...learner import learn
from ..study import Outcome, close, equal
from ._tables import panel

GAME = TabularEnv("two_step", 0)
GAMMA = 0.99
BOTH = np.array([[0.0, 1.0], [1.0, 8.0]])
UNIFORM: dict[str, Any] = {
    "gamma": GAMMA, "epsilon": 1.0, "epsilon_last": 1.0, "num_envs": 8, "num_steps": 50,
    "iterations": 12, "warmup": 100, "capacity": 5000, "period": 100,
}  # fmt: skip


class Found(NamedTuple):
    """What a run ended with."""

    table: Array  # Q_tot (3, 2, 2); of independent learners the mean of both values
    worth: float  # return of greedy play, undiscounted


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """One seed of each learner; in full ten, and weighted QMIX and QTRAN."""
    seeds = [int(s) for s in rng.integers(2**31, size=10 if full else 1)]
    kinds = {"VDN": vdn, "QMIX": qmix, "IQL": iql}
    if full:
        kinds |= {"weighted QMIX": wqmix, "QTRAN": qtran}
    found = {name: [trained(kind, seed) for seed in seeds] for name, kind in kinds.items()}
    fit, best = least_squares(), optimum()
    rows = [
        equal(f"{name}: return of greedy play", [f.worth for f in runs], [worth] * len(seeds))
        for (name, runs), worth in zip(found.items(), (7.0, 8.0, 7.0, 8.0, 8.0), strict=False)
    ]
    for name, wanted, tolerance in (("VDN", fit, 0.5), ("QMIX", best, 0.15)):
        gap = max(float(abs(f.table - wanted).max()) for f in found[name])
        rows.append(close(f"{name}: largest distance of Q_tot from the table", gap, 0, tolerance))
    caption = (
        "Q_tot in the game that needs both: what is paid, the nearest sum, and one run of VDN and "
        "of QMIX on uniform play. Rows are the first player's actions, columns the second's. VDN "
        "gives 8 away for a sure 7."
    )
    tables = {
        "paid": BOTH, "nearest sum": fit[2],
        "VDN": found["VDN"][0].table[2], "QMIX": found["QMIX"][0].table[2],
    }  # fmt: skip
    alt = "Paid are 0, 1, 1 and 8; VDN has about 6.5 in the place of 8, QMIX 8."
    figure = plots.Figure(caption, (panel("Q_tot where both are needed", alt, tables),))
    return Outcome(tuple(rows), (figure,), f"n = {len(seeds)} seeds of each learner.")


def least_squares() -> Array:
    """(3, 2, 2): the sums that fit uniform data best, the later states first."""
    after = additive(main_effects(BOTH))
    first = GAMMA * np.array([[7.0, 7.0], [after.max(), after.max()]])
    return np.stack([first, np.full((2, 2), 7.0), after])


def optimum() -> Array:
    """(3, 2, 2): the true values of the best play."""
    return np.stack([GAMMA * np.array([[7.0, 7.0], [8.0, 8.0]]), np.full((2, 2), 7.0), BOTH])


def trained(kind: ModuleType, seed: int) -> Found:
    """A run of a learner on uniform play."""
    cfg = kind.Config(**UNIFORM)
    *_, (progress, _) = learn(kind, GAME, cfg, np.random.default_rng(seed))
    nets, state = kind.METHOD.nets(GAME, cfg), GAME.reset(np.random.default_rng(0), 3)
    state = state._replace(s=np.arange(3))
    parts = split(nets, progress.agent.phi)
    q = nets[0].forward(parts[0], GAME.observe(state)).q[0]
    joint = np.stack([q[:, 0, [0, 0, 1, 1]], q[:, 1, [0, 1, 0, 1]]], axis=-1)  # (3, 4, n)
    if kind in (vdn, qmix, wqmix):
        seen = np.repeat(GAME.global_state(state), 4, axis=0)
        total = nets[1].forward(parts[1], joint.reshape(12, 2), seen)[0]
    else:
        total = joint.mean(axis=-1)
    return Found(total.reshape(3, 2, 2).astype(float), _greedy_return(q))


def _greedy_return(q: Array) -> float:
    """What both earn who take their best actions."""
    after = 2 if q[0, 0].argmax() else 1
    return 7.0 if after == 1 else float(BOTH[q[2, 0].argmax(), q[2, 1].argmax()])
