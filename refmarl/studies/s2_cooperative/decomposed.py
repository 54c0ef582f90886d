"""Published numbers of values that are decomposed: nearest sums, two steps, repeated games."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...check import Array
from ...cooperative import iql, qmix, vdn
from ...cooperative.decomposition import additive, main_effects, td_loss
from ...cooperative.decomposition import vdn as summed
from ...envs.tabular import TabularEnv
from ...games import library
from ...games.markov import repeated
from ...learner import learn
from ...training.evaluate import evaluate
from ..published import Found
from . import two_step

Data = dict[str, Any]
KINDS: dict[str, Any] = {"IQL": iql, "VDN": vdn, "QMIX": qmix}
ROUNDS = 25
PLAYED: dict[str, Any] = {
    "reward": "common", "gamma": 0.9, "num_envs": 16, "num_steps": 25, "iterations": 60,
    "epsilon_steps": 2000, "hidden": (32,), "warmup": 400, "capacity": 1000, "period": 50,
}  # fmt: skip


def projected(data: Data, full: bool) -> Iterator[Found]:
    """S2.02: the nearest sum in closed form, and that of a table trained by VDN's loss."""
    for name, entry in data["games"].items():
        fit = additive(main_effects(entry["pays"]))
        yield Found(f"{name}: main effects", entry["sum"], fit, data["tolerance"])
        learnt = trained(np.array(entry["pays"], float))
        yield Found(f"{name}: trained table", entry["sum"], learnt, data["trained"])


def trained(pays: Array, steps: int = 2000, rate: float = 0.2) -> Array:
    """Q_tot of tables that follow the gradient of (2.7), every joint action in each step."""
    tables, at = [np.zeros(size) for size in pays.shape], np.indices(pays.shape).reshape(2, -1)
    for _ in range(steps):
        total, slope = summed(np.stack([t[a] for t, a in zip(tables, at, strict=True)], axis=1))
        dq = td_loss(total, pays.ravel()).gradient[:, None] * slope
        for i, table in enumerate(tables):
            np.subtract.at(table, at[i], rate * dq[:, i])
    return additive(tuple(tables))


def two_steps(data: Data, full: bool) -> Iterator[Found]:
    """S2.03: ten seeds of each; tables are those of the seed that is farthest off."""
    fit, best = two_step.least_squares(), two_step.optimum()
    for name, wanted, tolerance in (("VDN", fit, 0.5), ("IQL", None, 0), ("QMIX", best, 0.15)):
        runs = [two_step.trained(KINDS[name], seed) for seed in range(data["seeds"])]
        worth = data["returns"][name]
        share = sum(run.worth == worth for run in runs) / len(runs)
        yield Found(f"{name}: share of seeds that return {worth}", 1.0, share, 0.1)
        if wanted is None:
            continue
        far = max(runs, key=lambda run: float(abs(run.table - wanted).max()))
        for k, state in ((0, "at the choice"), (2, "where both are needed")):
            case = f"{name}: Q_tot {state}"
            target = data["tables"][name][state] if name == "QMIX" else wanted[k].round(3).tolist()
            yield Found(case, target, far.table[k], tolerance)


def played(data: Data, full: bool) -> Iterator[Found]:
    """S2.08: the return of 25 rounds of greedy play; two seeds, five in full."""
    for entry in data["cases"]:
        options = {"k": entry["k"]} if "k" in entry else {}
        env = TabularEnv(repeated(library.game(entry["game"], **options), 0.9), ROUNDS)
        kind, title = KINDS[entry["learner"]], f"{entry['game']}{_shown(options)}"
        for seed in range(5 if full else 2):
            cfg = kind.Config(**PLAYED | {"lr": entry.get("lr", 1e-3)})
            *_, (progress, _) = learn(kind, env, cfg, np.random.default_rng(seed))
            act = kind.policy(env, cfg, progress.agent, np.random.default_rng(0), True)
            got = float(evaluate(env, act, np.random.default_rng(0), 1).team[0])
            yield Found(f"{title}, {entry['learner']}, seed {seed}", entry["return"], got, 1e-6)


def _shown(options: dict[str, Any]) -> str:
    return "".join(f", {key} = {value}" for key, value in options.items())
