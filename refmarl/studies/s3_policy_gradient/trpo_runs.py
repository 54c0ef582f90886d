"""TRPO to the end on CartPole and Pendulum: what its policies earn, and what its updates did."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...check import Array
from ...env_api import Env
from ...envs.cartpole import CartPole
from ...learner import learn
from ...policy_gradient import trpo
from ...rng import streams
from ...training.evaluate import evaluate
from ..published import Found
from .spread import between

Data = dict[str, Any]
EPISODES = 100  # of the last evaluation
CARTPOLE = trpo.Config(cg_iterations=10)
PENDULUM = trpo.Config(
    gamma=0.95, lam=0.95, damping=0.1, num_steps=256, value_minibatches=8, value_epochs=10
)


class Trained(NamedTuple):
    """One seed."""

    final: float  # mean return of the likeliest actions at the end
    steps: int
    rows: dict[str, Array]  # every metric of every update; NaN where no episode ended


def trained(env: Env, cfg: trpo.Config, seed: int) -> Trained:
    """Train, and evaluate at the end on streams of its own."""
    learn_rng, act_rng, env_rng = streams(seed, "learn", "act", "evaluate")
    done = list(learn(trpo, env, cfg, learn_rng))
    progress, rows = done[-1][0], [metrics for _, metrics in done]
    policy = trpo.policy(env, cfg, progress.agent, act_rng, greedy=True)
    final = float(evaluate(env, policy, env_rng, EPISODES).team.mean())
    keys = sorted({key for row in rows for key in row})
    table = {key: np.array([row.get(key, np.nan) for row in rows]) for key in keys}
    return Trained(final, progress.steps, table)


def trpo_cartpole(data: Data, full: bool) -> Iterator[Found]:
    """S3.12: ten seeds in full, one otherwise."""
    count = data["seeds"] if full else 1
    runs = [trained(CartPole(), CARTPOLE, seed) for seed in range(count)]
    delta, final = CARTPOLE.delta, [run.final for run in runs]
    name = f"greedy policy after {runs[0].steps:,} steps, mean of {count} seeds"
    if full:
        name += f" (median {np.median(final):.1f}{between(final)})"
    yield Found(name, data["return"], float(np.mean(final)), data["tolerance"])
    above = sum(x >= data["threshold"] for x in final)
    few = round((1.0 - data["share"]) * count)  # seeds that may miss
    name = f"seeds of {count} at {data['threshold']} or above (least {min(final):.1f})"
    yield Found(name, count, above, few)
    kl = np.concatenate([run.rows["kl"] for run in runs])
    most = data["kl_over_delta"] * delta
    yield Found(
        f"mean KL of an update (δ = {delta})", data["kl"], float(kl.mean()), most - data["kl"]
    )
    # the source stops on ⟨r, r⟩, not on its root and not beside ⟨g, g⟩
    parts = [run.rows["cg_residual"] * run.rows["norm"] for run in runs]
    squares = np.square(np.concatenate(parts))
    products, mean = CARTPOLE.cg_iterations, f"mean {squares.mean():.2g}"
    name = f"⟨r, r⟩ after {products} products at most, median of all updates ({mean})"
    yield Found(name, 0.0, float(np.median(squares)), data["residual"])
