r"""COMA and MAAC on a team whose optimum is known, and what they reach there, exactly.

Two agents must do the same of three things, which pays 10, 6 or 2; nothing else pays. Every (k, k)
is an equilibrium, (0, 0) the optimum. What policies earn is not sampled but summed over all joint
actions, floors left out, and their NashConv says what agents alone could still gain.

In full also foraging: two agents on 5 × 5 cells who can only lift the food together; an episode in
which it is eaten in time pays each 1/2, and no policy earns more.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...cooperative import attention_maac, coma, maac, on_policy
from ...envs.foraging import Foraging
from ...envs.matrix import Matrix
from ...games import NormalForm, expected_utility, nash_conv
from ...learner import learn
from ...nn import categorical
from ..study import Outcome, Row, at_least, at_most

PAYS = np.diag([10.0, 6.0, 2.0])
TEAM = NormalForm(np.stack([PAYS, PAYS]), title="Do the same")
FEW: dict[str, Any] = {
    "gamma": 0.0, "num_envs": 64, "num_steps": 1, "hidden": (16,), "lr": 1e-2, "critic_lr": 2e-2,
    "max_norm": 100.0, "iterations": 60,
}  # fmt: skip
KINDS: dict[str, tuple[Any, Any]] = {
    "COMA": (coma, coma.Config(**FEW)),
    "MAAC": (maac, maac.Config(**FEW)),
}
SLOW: dict[str, Any] = {
    "gamma": 0.0, "alpha": 0.2, "tau": 0.05, "num_envs": 32, "num_steps": 1, "updates": 1,
    "batch": 64, "warmup": 64, "hidden": (16,), "units": 16, "heads": 2, "lr": 2e-3,
    "critic_lr": 1e-2, "max_norm": 100.0, "iterations": 140,
}  # fmt: skip
KINDS["MAAC, attention"] = (attention_maac, attention_maac.Config(**SLOW))
FOOD = Foraging(rows=5, columns=5, players=2, foods=1, cooperative=True, horizon=25)
LONG: dict[str, Any] = {"num_envs": 32, "num_steps": 8, "iterations": 800, "reward": "mean"}
FED: dict[str, tuple[Any, Any]] = {
    "COMA": (coma, coma.Config(**LONG)),
    "MAAC": (maac, maac.Config(**LONG)),
    "MAAC, attention": (attention_maac, attention_maac.Config(iterations=320)),
}


class Learnt(NamedTuple):
    """Of some seeds: what policies earn after each iteration, and NashConv in the end."""

    worth: Array  # (seeds, iterations)
    regret: Array  # (seeds,)


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """A few seeds of each kind; in full ten, and foraging."""
    seeds = [int(s) for s in rng.integers(2**31, size=10 if full else 2)]
    found = {name: matched(name, seeds) for name in KINDS}
    rows = list(_rows(found))
    if full:
        for name in FED:
            ends = np.array([fed(name, seed) for seed in seeds[:5]])
            title = f"foraging, {name}: mean return of an agent, worst of {len(ends)} seeds"
            rows.append(at_least(title, float(ends.min()), 0.45))
    caption = (
        "Do the same: what the policies earn, summed over all joint actions, means over "
        f"{len(seeds)} seeds; the best possible is 10. Attention learns off policy, from half as "
        "many rounds an iteration."
    )
    figure = plots.Figure(caption, (_panel(found),))
    return Outcome(tuple(rows), (figure,), f"n = {len(seeds)} seeds of each kind.")


def matched(name: str, seeds: list[int]) -> Learnt:
    """Runs of one kind on the game of one round."""
    (algorithm, cfg), env, worth, regret = KINDS[name], Matrix(TEAM, horizon=1), [], []
    for seed in seeds:
        line: list[float] = []
        profile: tuple[Array, ...] = ()
        for progress, _ in learn(algorithm, env, cfg, np.random.default_rng(seed)):
            profile = mixtures(env, cfg, progress.agent)
            line.append(float(expected_utility(TEAM, profile)[0]))
        worth.append(line)
        regret.append(float(nash_conv(TEAM, profile)))
    return Learnt(np.array(worth), np.array(regret))


def mixtures(env: Matrix, cfg: Any, agent: Any) -> tuple[Array, ...]:
    """What the players draw from in the first round, without a floor."""
    obs = env.observe(env.reset(np.random.default_rng(0), 1))
    found = []
    for g, theta in enumerate(agent.theta):
        if isinstance(agent, attention_maac.Agent):
            params = attention_maac.logits(env, cfg, agent.theta, obs, ())[g]
        else:
            params, _ = on_policy.logits(env, cfg, theta, obs[g], None, g)
        found += list(categorical.probs(params[0].astype(np.float64)))
    return tuple(found)


def fed(name: str, seed: int) -> float:
    """The mean return of the last tenth of a run."""
    (algorithm, cfg), returns = FED[name], []
    for progress, metrics in learn(algorithm, FOOD, cfg, np.random.default_rng(seed)):
        if progress.iteration > 0.9 * cfg.iterations and "return" in metrics:
            returns.append(metrics["return"])
    return float(np.mean(returns))


def _rows(found: dict[str, Learnt]) -> list[Row]:
    rows = []
    for name in ("COMA", "MAAC", "MAAC, attention"):
        worst = float(found[name].worth[:, -1].min())
        rows.append(at_least(f"{name}: what the worst seed's policies earn, of 10", worst, 9.0))
        rows.append(at_most(f"{name}: largest NashConv", float(found[name].regret.max()), 1.0))
    return rows


def _panel(found: dict[str, Learnt]) -> plots.Panel:
    def draw(ax: Any) -> None:
        for k, (name, each) in enumerate(found.items()):
            color, line = plots.look(k)
            ax.plot(each.worth.mean(axis=0), color=color, linestyle=line, label=name)
        ax.axhline(10.0, color="0.5", linewidth=0.8)
        ax.set(xlabel="iteration", ylabel="expected payoff", ylim=(0, 10.5))

    return plots.Panel("Do the same", "All come near 10; attention, off policy, later.", draw)
