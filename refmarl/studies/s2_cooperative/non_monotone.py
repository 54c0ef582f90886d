"""Payoffs that no monotone mixing can say: nearest tables, and what learners make of them.

The game of Son et al. 2019 (arXiv:1905.05408) pays 8 where both take their first action, −12 where
one does, and 0 else. What is nearest to it in each form is computed exactly, and beside it learners
are trained on uniform play (ε = 1), where γ = 0 makes the payoff the target. The nearest monotone
table has the best joint action on top, but there is another one, with a loss a ninth larger, that
has it at the bottom, and descent ends there: −8 for whoever plays a first action, 0 for the rest.

In full also the climbing game and the penalty game with k = −30, ten seeds of each learner that
theory speaks of.

Axes: 3 × 3 joint actions.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...cooperative import qmix, qplex, qtran, vdn, wqmix
from ...cooperative.decomposition import additive, main_effects
from ...cooperative.representable import central, nearest_monotone, qtran_factors
from ...cooperative.value_decomposition import seen, split
from ...envs.matrix import Matrix
from ...games import library
from ...learner import learn
from ..published import Found as Published
from ..study import Outcome, Row, close, equal
from ._tables import panel

GAME = "non-monotone"
OTHERS: dict[str, dict[str, float]] = {"climbing": {}, "penalty": {"k": -30}}
SMALL = 1e-3  # α below which weighted nearest tables have the best joint action on top
UNIFORM: dict[str, Any] = {
    "gamma": 0.0, "epsilon": 1.0, "epsilon_last": 1.0, "num_envs": 64, "num_steps": 5,
    "updates": 8, "iterations": 8, "warmup": 300, "capacity": 2000, "hidden": (32,), "lr": 0.02,
}  # fmt: skip
PATIENT = {GAME: 20, "climbing": 40}  # iterations of QPLEX: enough for 40 of 40 seeds
LONGER: dict[str, Any] = {"iterations": 40, "lr": 0.005, "capacity": 5000}
LEARNERS: dict[str, tuple[ModuleType, dict[str, Any]]] = {
    "VDN": (vdn, {}),
    "QMIX": (qmix, {}),
    "CW-QMIX": (wqmix, {}),
    "OW-QMIX": (wqmix, {"weighting": "optimistic"}),
    "QTRAN": (qtran, {}),
    "QPLEX": (qplex, {}),
}

PAID: dict[str, dict[str, float]] = {  # what greedy play must earn, by theory
    GAME: {
        "VDN": 0.0, "QMIX": 0.0, "CW-QMIX": 8.0, "OW-QMIX": 8.0, "QTRAN": 8.0, "QPLEX": 8.0,
    },
    "climbing": {"VDN": 5.0, "CW-QMIX": 11.0, "QTRAN": 11.0, "QPLEX": 11.0},
    "penalty": {"VDN": 2.0},
}  # fmt: skip


class Found(NamedTuple):
    """What a run ended with."""

    table: Array  # Q_tot (3, 3); of QTRAN Σ Q_i + V
    pays: float  # what greedy play is paid
    joint: Array | None = None  # Q_jt (3, 3) of QTRAN


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Nearest tables and learners of the first game; in full of all three."""
    seeds = [int(s) for s in rng.integers(2**31, size=10 if full else 1)]
    found = _learners(GAME, {}, seeds)
    rows = [*exact_rows(GAME), *_learnt_rows(GAME, found)]
    if full:
        for game, numbers in OTHERS.items():
            runs = _learners(game, numbers, seeds)
            rows += [*exact_rows(game, **numbers), *_learnt_rows(game, runs)]
    caption = (
        "What is paid, and what one run of each learner makes of it on uniform play: Q_tot, of "
        "QTRAN the sum of utilities and V. The weighted one, QTRAN and QPLEX keep 8 on top."
    )
    tables = {name: found[name][0].table for name in LEARNERS}
    figure = plots.Figure(
        caption,
        (
            panel(
                "Q_tot of a sum and of a monotone mixing",
                "VDN and QMIX have their largest values where 0 is paid.",
                {"paid": payoffs(GAME), "VDN": tables["VDN"], "QMIX": tables["QMIX"]},
            ),
            panel(
                "Q_tot with weights, conditions, or credits",
                "CW-QMIX, QTRAN and QPLEX have 8 where it is paid.",
                {name: tables[name] for name in ("CW-QMIX", "QTRAN", "QPLEX")},
            ),
        ),
    )
    return Outcome(tuple(rows), (figure,), f"n = {len(seeds)} seeds of each learner.")


def payoffs(game: str, **numbers: float) -> Array:
    """A team's payoffs (3, 3)."""
    return np.asarray(library.game(game, **numbers).payoffs[0])


def reproduced(data: dict[str, Any], full: bool) -> Iterator[Published]:
    """S2.10: what greedy play is paid, and what Q_tot is at the top."""
    for name, wanted in data["pays"].items():
        for seed in range(10 if full else data["seeds"]):
            found = trained(name, GAME, seed, settings=LONGER)
            yield Published(f"{name}, seed {seed}: greedy play is paid", wanted, found.pays)
            if name in data["top"]:
                title, top = f"{name}, seed {seed}: largest Q_tot", float(found.table.max())
                yield Published(title, data["top"][name], top, data["tolerance"])


# ----------------------------------------------------------------------------- nearest tables


def exact_rows(game: str, **numbers: float) -> list[Row]:
    """What is paid at the top of each nearest table, and two losses of monotone ones."""
    u = payoffs(game, **numbers)
    sums = {GAME: 0.0, "climbing": 5.0, "penalty": 2.0}[game]
    fit = _top(u, additive(main_effects(u)))
    rows = [equal(f"{game}: paid at the top of the nearest sum", fit, sums)]
    for kind, near in (
        ("CW", nearest_monotone(u, central(u, SMALL))),
        ("OW", nearest_monotone(u, optimistic=SMALL)),
    ):
        slack = float(near.table.max() - near.table.flat[u.argmax()])
        rows.append(close(f"{game}, {kind}: how far the best is from the top", slack, 0, 1e-9))
    if (u == u.max()).sum() == 1:  # of several a sum cannot exclude that they are mixed up
        utilities, _ = qtran_factors(u)
        top = _top(u, additive(utilities))
        rows.append(equal(f"{game}: paid at the top of QTRAN's sum", top, float(u.max())))
    if game == GAME:
        for best, wanted in (((0, 0), 288), ((1, 1), 320)):
            loss = nearest_monotone(u, best=best).loss
            title = f"{game}: squared error of monotone tables with {u[best]:.0f} on top"
            rows.append(close(title, loss, wanted, 1e-9))
    else:
        got = _top(u, nearest_monotone(u).table)
        rows.append(equal(f"{game}: of the nearest monotone table", got, sums))
    return rows


def _top(u: Array, table: Array) -> float:
    """The least that is paid among the largest entries."""
    return float(u[table >= table.max() - 1e-9].min())


# ------------------------------------------------------------------------------------ learners


def trained(
    learner: str,
    game: str,
    seed: int,
    numbers: Mapping[str, float] = MappingProxyType({}),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Found:
    """A run of a learner on uniform play of one round; ``settings`` beside those of the study."""
    kind, more = LEARNERS[learner]
    stage = library.game(game, **numbers)
    env, cfg = Matrix(stage, 1), kind.Config(**UNIFORM | dict(settings) | more)
    *_, (progress, _) = learn(kind, env, cfg, np.random.default_rng(seed))
    nets, state = kind.METHOD.nets(env, cfg), env.reset(np.random.default_rng(0), 9)
    parts = split(nets, progress.agent.phi)
    at = np.indices((3, 3)).reshape(2, 9)
    obs, s = tuple(o.astype(np.float32) for o in env.observe(state)), env.global_state(state)
    q = np.concatenate(nets[0].forward(parts[0], obs).q, axis=1)  # (9, n, A)
    own = np.stack([q[np.arange(9), i, at[i]] for i in range(2)], axis=1)
    pays = float(stage.payoffs[0][tuple(q[0].argmax(axis=-1))])
    acts = tuple(at[i][:, None] for i in range(2)) if len(env.groups) == 2 else (at.T,)
    x = seen(nets[0], s.astype(np.float32), acts, None)
    if kind is not qtran:
        beside = (q.max(axis=-1), s, x) if kind is qplex else (s.astype(np.float32),)
        total = nets[1].forward(parts[1], own, *beside)[0]
        return Found(total.reshape(3, 3).astype(float), pays)
    joint, v = nets[1].forward(parts[1], x)[0], nets[2].forward(parts[2], s.astype(np.float32))[0]
    total = own.sum(axis=1) + v[:, 0]
    return Found(total.reshape(3, 3).astype(float), pays, joint.reshape(3, 3).astype(float))


def _learners(game: str, numbers: Mapping[str, float], seeds: list[int]) -> dict[str, list[Found]]:
    """Runs of all learners of which theory says something there."""
    found = {}
    for name in PAID[game]:
        more = {"iterations": PATIENT[game]} if name == "QPLEX" else {}
        found[name] = [trained(name, game, s, numbers, more) for s in seeds]
    return found


def _learnt_rows(game: str, found: dict[str, list[Found]]) -> list[Row]:
    """What theory says of each learner's greedy play, and of its table."""
    rows = [
        equal(f"{game}, {name}: greedy play is paid", [f.pays for f in found[name]],
              [worth] * len(found[name]))
        for name, worth in PAID[game].items()
    ]  # fmt: skip
    if game != GAME:
        return rows
    u = payoffs(game)
    low, sums = nearest_monotone(u, best=(1, 1)).table, additive(main_effects(u))
    for name, table in (("VDN", sums), ("QMIX", low), ("QPLEX", u)):
        gap = float(np.mean([abs(f.table - table) for f in found[name]]))
        rows.append(close(f"{name}: mean distance from the nearest table", gap, 0, 1.0))
    short = max(float((u - f.table).max()) for f in found["QTRAN"])
    rows.append(close("QTRAN: how far the sum falls below what is paid", max(short, 0.0), 0, 0.5))
    return rows
