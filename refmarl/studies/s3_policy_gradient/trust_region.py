"""How far TRPO's updates move a policy beside δ, and how near conjugate gradients come.

The line search holds the KL of every update within δ. The full step of the quadratic model alone,
the natural policy gradient, does not. On one batch the direction is held against a long solve in
float64: its error in the norm of H falls with every product, its residual need not.

Axes: n seeds, U updates.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...envs.cartpole import CartPole
from ...nn.conjugate_gradient import conjugate_gradient
from ...policy_gradient import actor_critic, trpo
from ...policy_gradient.trust_region import fisher_product
from ...rollout import begin, collect
from ..study import Outcome, Row, at_least, at_most, equal
from .spread import between
from .trpo_runs import CARTPOLE, Trained, trained

PRODUCTS = 15  # of conjugate gradients that are drawn


class Solved(NamedTuple):
    """Conjugate gradients on one batch, after k = 0, 1, … products."""

    error: Array  # ‖x_k − x*‖_H / ‖x*‖_H
    residual: Array  # ‖g − H x_k‖ / ‖g‖
    dense: float  # ‖x − x*‖_H / ‖x*‖_H of the last iterate, x* of the matrix written out


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Both kinds of updates on CartPole; one batch's system."""
    seed_rng, batch_rng = rng.spawn(2)
    count, updates = (10, CARTPOLE.iterations) if full else (2, 20)
    seeds = [int(s) for s in seed_rng.integers(2**31, size=count)]
    cfg = replace(CARTPOLE, iterations=updates)
    searched = [trained(CartPole(), cfg, seed) for seed in seeds]
    natural = [trained(CartPole(), replace(cfg, search=False), seed) for seed in seeds]
    solved = system(batch_rng)
    rows = _rows(searched, natural, solved, cfg.delta)
    if full:
        rows += _solved(searched, "CartPole", 450.0)
    caption = (
        f"Left: KL of every update on CartPole, n = {count} seeds of each; the line is δ. With the "
        "search all are on or below it, without it they are not. Right: one batch's system; the "
        "error in the norm of H falls with every product, the residual may rise."
    )
    sample = f"n = {count} seeds of {updates} updates each of {cfg.num_envs * cfg.num_steps} steps."
    panels = (_updates(searched, natural, cfg.delta), _products(solved))
    return Outcome(tuple(rows), (plots.Figure(caption, panels),), sample)


def system(rng: np.random.Generator) -> Solved:
    """A batch of a policy that is far from uniform, solved by products and by its matrix."""
    env, cfg = CartPole(), replace(CARTPOLE, hidden=(8,), dtype="float64")
    agent = trpo.start(env, cfg, rng).agent
    theta = agent.theta[0] + 0.5 * rng.standard_normal(agent.theta[0].shape)
    agent = agent._replace(theta=(theta,))
    roll = begin(env, rng, cfg.num_envs)
    _, batch = collect(env, trpo.policy(env, cfg, agent, rng), roll, cfg.num_steps)
    critic = actor_critic.critic(env.groups[0], cfg.hidden)
    advantage, _ = trpo.advantages(cfg, critic, agent.phi[0], batch, 0)
    data = trpo.prepare(env, cfg, theta, batch, advantage, 0)
    product = partial(fisher_product, data.actor, theta, data.tape, data.params, data.share)
    h = np.stack([product(e) for e in np.eye(len(theta))], axis=1)
    h = 0.5 * (h + h.T) + cfg.damping * np.eye(len(theta))
    g = trpo.gradient(theta, data)
    exact = np.linalg.solve(h, g)

    def damped(v: Array) -> Array:
        found: Array = product(v) + cfg.damping * v
        return found

    def found(k: int) -> Array:
        return conjugate_gradient(damped, g, iterations=k, tolerance=1e-13).x

    def distance(x: Array) -> float:
        return float(np.sqrt((x - exact) @ h @ (x - exact) / (exact @ h @ exact)))

    iterates = [found(k) for k in range(PRODUCTS + 1)]
    residuals = [float(np.linalg.norm(g - h @ x) / np.linalg.norm(g)) for x in iterates]
    errors = np.array([distance(x) for x in iterates])
    return Solved(errors, np.array(residuals), distance(found(4 * len(theta))))


def _all(runs: Sequence[Trained], key: str) -> Array:
    return np.concatenate([run.rows[key] for run in runs])


def _rows(
    searched: list[Trained], natural: list[Trained], solved: Solved, delta: float
) -> list[Row]:
    kl, free = _all(searched, "kl"), _all(natural, "kl")
    rises = int((np.diff(solved.error) > 1e-12).sum())
    return [
        at_most("TRPO: largest KL of an update over δ", float(kl.max()) / delta, 1.0),
        at_most("TRPO: mean KL of an update over δ", float(kl.mean()) / delta, 1.5),
        at_least("TRPO: share of updates accepted", float(_all(searched, "accepted").mean()), 0.95),
        at_least("full step unseen: largest KL over δ", float(free.max()) / delta, 1.0),
        equal("products after which the error in the norm of H rose", rises, 0),
        at_most("conjugate gradients, distance to the dense solve", solved.dense, 1e-6),
    ]


def _solved(runs: list[Trained], name: str, threshold: float) -> list[Row]:
    """The median over the seeds, beside what counts as solved; and its 95 % bootstrap interval."""
    final = np.array([run.final for run in runs])
    says = f"{name}, n = {len(runs)}: median greedy return{between(final)}"
    above = f"{name}: seeds at {threshold:g} or above (least {final.min():.1f})"
    count = float((final >= threshold).sum())
    return [at_least(says, float(np.median(final)), threshold),
            at_least(above, count, 0.9 * len(runs))]  # fmt: skip


def _updates(searched: list[Trained], natural: list[Trained], delta: float) -> plots.Panel:
    def draw(ax: Any) -> None:
        for runs, color, label in (
            (natural, plots.ORANGE, "full step unseen"),
            (searched, plots.BLUE, "with the search"),
        ):
            for k, one in enumerate(runs):
                ax.plot(one.rows["kl"], linestyle="none", marker="o", markersize=2.5, color=color,
                        label=label if k == 0 else None)  # fmt: skip
        ax.axhline(delta, color=plots.INK, linewidth=0.9, linestyle=":", label="δ")
        ax.set(xlabel="update", ylabel="KL(old ‖ new)", yscale="log")

    alt = "Dots of KL over updates: those with the search lie below the line δ, others above it."
    return plots.Panel("KL beside δ", alt, draw)


def _products(solved: Solved) -> plots.Panel:
    def draw(ax: Any) -> None:
        at = np.arange(len(solved.error))
        ax.plot(at, solved.error, color=plots.BLUE, marker="o", markersize=3, label="error in H")
        ax.plot(at, solved.residual, color=plots.ORANGE, marker="o", markersize=3, fillstyle="none",
                label="residual / |g|")  # fmt: skip
        ax.set(xlabel="products", yscale="log", xticks=range(0, len(at), 5))

    alt = "Over the number of products the error falls steadily; the residual may rise in between."
    return plots.Panel("Conjugate gradients", alt, draw)
