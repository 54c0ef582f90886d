r"""Trust region policy optimisation, independent for each agent of each group.

    g = ∇E[r_t A_t] at θ_old,   (H + ζI) x = g by conjugate gradients       (3.9), (3.10), (3.11)
    θ ← θ + βʲ √(2δ / xᵀ(H + ζI)x) x,  the first j within δ that improves               (3.12)
    A_t by generalised advantages                                                       (3.5)

Schulman et al. 2015, arXiv:1502.05477, with the damping ζ of its appendix C. ``search`` = false
takes the full step whatever comes of it: the natural policy gradient (Kakade 2001) with a step that
is normalised in the metric of H. The critic is fitted to Ĝ = A + V by Adam, in minibatches of
steps. ``[+]`` marks what the course's equations do not contain.

Axes: T steps, B copies, N agents of a group, M rows (t, b) of a minibatch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..config import Settings, option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn.conjugate_gradient import conjugate_gradient
from ..nn.mlp import MLP, Tape
from ..nn.optim import Adam
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..nn.regression import one_pass
from ..rollout import Arrays, Batch, begin, collect
from ..value_grad import Real
from . import actor_critic
from .actor_critic import rows, unrows, values
from .trust_region import (
    Search,
    fisher_product,
    full_step,
    gain,
    line_search,
    per_system,
    shares,
    surrogate,
)


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    lam: float = option(0.98, "λ of the advantages", "[0, 1]")
    delta: float = option(0.01, "δ, KL of a step at most", "(0, inf)")
    damping: float = option(1e-3, "ζ, added to H's diagonal  [+]", "[0, inf)")
    cg_iterations: int = option(15, "of conjugate gradients at most", "[1, inf)")
    cg_tolerance: float = option(1e-3, "residual over ‖g‖ at which they stop", "[0, inf)")
    search: bool = option(True, "whether the step is searched; else it is a natural gradient's")
    shrink: float = option(0.8, "β of the search", "(0, 1)")
    tries: int = option(10, "steps that are tried at most", "[1, inf)")
    normalise: bool = option(True, "whether advantages get mean 0, deviation 1  [+]")
    value_lr: float = option(1e-3, "step of Adam, of the critic  [+]", "(0, inf)")
    value_epochs: int = option(20, "passes of the critic over a batch  [+]", "[1, inf)")
    value_minibatches: int = option(2, "steps of the critic in a pass  [+]", "[1, inf)")
    hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
    share: bool = option(True, "whether the agents of a group share parameters")
    num_envs: int = option(8, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(128, "T, steps of each copy between updates", "[1, inf)")
    iterations: int = option(98, "updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value_minibatches > (most := self.num_envs * self.num_steps):
            need = f"value_minibatches: need at most num_envs · num_steps = {most}"
            raise InputError(f"{need}, got {self.value_minibatches}")


class Agent(NamedTuple):
    """All that learning changes; one entry for each group."""

    theta: Arrays  # policy parameters, (P,) or (N, P)
    phi: Arrays  # value parameters, (P',) or (N, P')
    opt_phi: tuple[OptState, ...]


class Data(NamedTuple):
    """What a step of one group's policy is made from."""

    actor: Policy
    tape: Tape  # of the old policy on all rows
    obs: Real  # (T, B, N, O)
    params: Real  # (T, B, N, D) of the old policy
    action: Real  # (T, B, N, …)
    advantage: Real  # (T, B, N)
    share: Real  # (T, B, N), weights of the mean
    mask: Real | None  # (T, B, N, K)


OPTIMISER = Adam()

# -- algorithm ----------------------------------------------------------------------

policy = actor_critic.policy  # how the agent acts


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies, and fresh copies of the environment."""
    init_rng, env_rng, act_rng, batch_rng = rng.spawn(4)
    theta, phi = actor_critic.networks(env, cfg.hidden, cfg.share, cfg.dtype, init_rng)
    agent = Agent(theta, phi, tuple(map(OPTIMISER.init, phi)))
    return Progress(0, 0, agent, begin(env, env_rng, cfg.num_envs), (act_rng, batch_rng))


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies, take one step of the policy and fit the critic."""
    iteration, steps, agent, roll, (act_rng, batch_rng) = progress
    roll, batch = collect(env, policy(env, cfg, agent, act_rng), roll, cfg.num_steps)
    agent, metrics = update(env, cfg, agent, batch, batch_rng)
    if len(batch.returns):
        metrics |= {"return": float(batch.returns.mean()), "length": float(batch.lengths.mean())}
    rngs = (act_rng, batch_rng)
    return Progress(iteration + 1, steps + batch.steps, agent, roll, rngs), metrics


def update(
    env: Env, cfg: Config, agent: Agent, batch: Batch, rng: np.random.Generator
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step of every group's policy, and then of its critic.

    Raises
    ------
    InputError
        If a quantity that the step is made from is not finite; it is named.
    """
    theta, phi, opt_phi, found = [], [], [], []
    for g, group in enumerate(env.groups):
        critic = actor_critic.critic(group, cfg.hidden)
        advantage, target = advantages(cfg, critic, agent.phi[g], batch, g)
        data = prepare(env, cfg, agent.theta[g], batch, advantage, g)
        moved, metrics = policy_step(cfg, agent.theta[g], data)
        fitted, state, loss = fit(
            cfg, critic, agent.phi[g], agent.opt_phi[g], batch.obs[g][:-1], target, rng
        )
        theta.append(moved)
        phi.append(fitted)
        opt_phi.append(state)
        found.append(metrics | {"value_loss": loss})
    mean = {key: float(np.mean([m[key] for m in found])) for key in found[0]}
    return Agent(tuple(theta), tuple(phi), tuple(opt_phi)), mean


def advantages(cfg: Config, critic: MLP, phi: Real, batch: Batch, g: int) -> tuple[Real, Real]:
    """(A, Ĝ = A + V), both (T, B, N), of one group."""
    v, final = (values(critic, phi, obs)[0] for obs in (batch.obs[g], batch.final[g]))
    found, target = actor_critic.advantages(cfg.gamma, cfg.lam, batch, v, final, batch.reward[g])
    return _finite(found, "advantage"), target


def prepare(env: Env, cfg: Config, theta: Real, batch: Batch, advantage: Real, g: int) -> Data:
    """One group's batch as the old policy saw it, with advantages (T, B, N)."""
    actor, obs = actor_critic.actor(env.groups[g], cfg.hidden), batch.obs[g][:-1]
    params, tape = actor.forward(theta, rows(theta, obs))
    params = actor.restrict(unrows(theta, params), batch.mask[g])
    share = shares(theta, advantage.shape, batch.alive[g])
    if cfg.normalise:
        advantage = normalised(theta, advantage, share)
    return Data(actor, tape, obs, params, batch.action[g], advantage, share, batch.mask[g])


def normalised(theta: Real, advantage: Real, share: Real) -> Real:
    """[+] (A − mean) / deviation (T, B, N) in each system; 0 where A is constant to rounding."""
    a = advantage.astype(np.float64)
    a = a - per_system(theta, share * a)
    spread = np.sqrt(per_system(theta, share * a**2))
    size = np.abs(advantage).max(initial=0.0)
    flat = spread <= 8 * float(np.finfo(advantage.dtype).eps) * size
    found = np.where(flat, 0.0, a / np.where(flat, 1.0, spread))
    return np.asarray(found, dtype=advantage.dtype)


def policy_step(cfg: Config, theta: Real, data: Data) -> tuple[Real, dict[str, float]]:
    """(θ', metrics) of one group."""
    g = _finite(gradient(theta, data), "gradient of the surrogate")
    damped = product(cfg, theta, data)
    x, residual, iterations = conjugate_gradient(
        damped, g, iterations=cfg.cg_iterations, tolerance=cfg.cg_tolerance
    )
    step = full_step(x, damped(x), cfg.delta) if x.any() else x
    before = per_system(theta, data.share * data.advantage)  # E[r A] where every r is 1
    if cfg.search:
        found = line_search(
            theta, step, lambda at: judged(theta, at, data), cfg.delta, cfg.shrink, cfg.tries
        )
    else:
        moved = theta + step
        found = Search(moved, np.zeros(before.shape, int), *judged(theta, moved, data))
    norm = np.linalg.norm(g.astype(np.float64), axis=-1)
    return _finite(found.theta, "policy's parameters"), {
        "gain": float((found.gain - before).mean()),
        "kl": float(found.kl.mean()),
        "accepted": float((found.backtracks >= 0).mean()),
        "backtracks": float(np.maximum(found.backtracks, 0).mean()),
        "norm": float(norm.mean()),
        "cg_residual": float((residual / np.where(norm > 0.0, norm, 1.0)).max()),
        "cg_iterations": float(iterations),
        "entropy": float(data.actor.head.entropy(data.params).mean()),
    }


def gradient(theta: Real, data: Data) -> Real:
    """g = ∇E[r A] at θ_old (*L, P)."""
    slope = surrogate(
        data.actor.head, data.params, data.params, data.action, data.advantage, data.share
    ).gradient
    return data.actor.gradient(theta, data.tape, rows(theta, slope))


def product(cfg: Config, theta: Real, data: Data) -> Callable[[Real], Real]:
    """v ↦ (H + ζI) v at θ_old, both (*L, P)."""

    def damped(v: Real) -> Real:
        hv = fisher_product(data.actor, theta, data.tape, data.params, data.share, v)
        found: Real = _finite(hv, "Fisher-vector product") + theta.dtype.type(cfg.damping) * v
        return found

    return damped


def judged(theta: Real, at: Real, data: Data) -> tuple[Real, Real]:
    """(E[r A], E[KL(π_old ‖ π)]) of the policy with parameters ``at``, both (*L,)."""
    params = unrows(at, data.actor.forward(at, rows(at, data.obs))[0])
    params, head = data.actor.restrict(params, data.mask), data.actor.head
    each = gain(head, params, data.params, data.action, data.advantage, data.share)
    return per_system(theta, each), per_system(theta, data.share * head.kl(data.params, params))


def fit(
    cfg: Config, critic: MLP, phi: Real, state: OptState, obs: Real, target: Real,
    rng: np.random.Generator,
) -> tuple[Real, OptState, float]:  # fmt: skip
    """(φ', the optimiser's state, ½ E[(V − Ĝ)²] on the way) after all epochs.

    ``obs`` (T, B, N, O), ``target`` (T, B, N).
    """
    seen, wanted = (x.reshape(-1, *x.shape[2:]).astype(phi.dtype) for x in (obs, target))
    losses = []
    for _ in range(cfg.value_epochs):
        order = rng.permutation(len(seen))
        phi, state, told = one_pass(
            critic, phi, state, OPTIMISER, seen, wanted, order, cfg.value_minibatches, cfg.value_lr
        )
        losses.append(told)
    return phi, state, float(np.mean(losses))


def _finite(x: Real, name: str) -> Real:
    """x itself.

    Raises
    ------
    InputError
        If a number of it is not finite: nothing is learnt from it.
    """
    if not np.isfinite(x).all():
        raise InputError(f"trpo: the {name} is not finite any more")
    return x
