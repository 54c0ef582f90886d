r"""Synchronous advantage actor–critic (A2C), independent for each agent of each group.

    g_θ = E[ A_t ∇ log π_θ(a_t|o_t) ] + c ∇ H(π_θ)      ascended
    L(φ) = ½ E[ (V_φ(o_t) − Ĝ_t)² ],  Ĝ = A + V         descended, nn.losses.half_mse
    A_t by generalised advantages                        returns.gae        (3.5)

Mnih et al. 2016, arXiv:1602.01783, without its asynchrony; λ = 1 is that paper's n-step advantage.
Expectations of the policy are over those who act: agents that are no longer alive move nothing of
it, and their values learn that nothing comes any more. ``[+]`` marks what the course's equations do
not contain.

Where a policy is as good as it can be, advantages are noise, and RMSProp with a tiny ε makes full
steps of it until the policy is good no more; ε is therefore of the size of a useful gradient.

With ``memory`` H both networks stand on a GRU of their own, which is empty where an episode begins;
derivatives go back through the T steps of a batch, no further.

Axes: T steps, B copies, N agents of a group, M = T·B·N samples.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..config import Settings, option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn.losses import half_mse
from ..nn.optim import RmsProp, clip_norm
from ..nn.policy import Head
from ..rollout import Batch, begin, collect
from ..rollout import Policy as Acting
from ..value_grad import Real, ValueGrad
from . import actor_critic
from .actor_critic import (
    Actors,
    Agent,
    actor,
    advantages,
    along,
    begins,
    critic,
    empty,
    pull_back,
    stretch,
)


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    lam: float = option(0.95, "λ of the advantages", "[0, 1]")
    entropy: float = option(0.0, "c, weight of the entropy  [+]", "[0, inf)")
    lr: float = option(1e-2, "α, step of RMSProp; falls linearly to 0", "(0, inf)")
    epsilon: float = option(2e-2, "ε of RMSProp: much smaller gradients step less", "(0, inf)")
    max_norm: float = option(0.5, "limit of the gradient's norm  [+]", "(0, inf)")
    hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
    share: bool = option(True, "whether the agents of a group share parameters")
    memory: int = option(0, "H, units of the GRUs that remember; 0: none  [+]", "[0, inf)")
    num_envs: int = option(16, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(16, "T, steps of each copy between updates", "[1, inf)")
    iterations: int = option(1875, "updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))


# -- equations: pure, each value with its gradient ----------------------------------


def policy_gain(
    head: Head,
    params: Real,
    action: Real,
    advantage: Real,
    entropy: float,
    acts: Real | None = None,
) -> ValueGrad:
    """E[A log π(a)] + c E[H] and its gradient in the distribution's parameters, to be ascended.

    ``params`` (..., D), ``action`` as the head has it, ``advantage`` (...) with its gradient
    stopped; the mean is over all rows, or over those of ``acts`` (...) of bool.
    """
    share = np.full(advantage.shape, 1.0 / advantage.size)
    if acts is not None:
        share = acts / max(np.count_nonzero(acts), 1)
    weight = (advantage * share).astype(params.dtype, copy=False)
    gain = (weight * head.log_prob(params, action)).sum()
    slope = weight[..., None] * head.d_log_prob(params, action)
    if entropy:
        bonus = (entropy * share).astype(params.dtype, copy=False)
        gain = gain + (bonus * head.entropy(params)).sum()
        slope = slope + bonus[..., None] * head.d_entropy(params)
    return ValueGrad(float(gain), slope)


# -- algorithm ----------------------------------------------------------------------


class View(NamedTuple):
    """What a group's critic judges, where that is not what its agents see and earn."""

    obs: Real  # (T + 1, B, N, C)
    final: Real  # (F, N, C) where episodes ended
    reward: Real  # (T, B, N)


class Slopes(NamedTuple):
    """What a batch says to one group."""

    theta: Real  # ∇ gain, in the shape of θ
    phi: Real  # ∇ L, in the shape of φ
    metrics: dict[str, float]
    recall: Real | None  # (B, N, H) what the critic remembers then


def start(
    env: Env, cfg: Config, rng: np.random.Generator, widths: tuple[int, ...] = ()
) -> Progress:
    """Networks with nearly uniform policies, and fresh copies of the environment.

    ``widths`` are the numbers that each group's critic sees, by default what its agents see.
    """
    init_rng, env_rng, act_rng = rng.spawn(3)
    theta, phi = actor_critic.networks(
        env, cfg.hidden, cfg.share, cfg.dtype, init_rng, widths, cfg.memory
    )
    opt, counts = RmsProp(epsilon=cfg.epsilon), [len(group.agents) for group in env.groups]
    kept, recall = (empty(counts, cfg.num_envs, cfg.memory, cfg.dtype) for _ in range(2))
    agent = Agent(theta, phi, tuple(map(opt.init, theta)), tuple(map(opt.init, phi)), recall)
    return Progress(0, 0, agent, begin(env, env_rng, cfg.num_envs, kept), (act_rng,))


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts."""
    actors = tuple(actor(group, cfg.hidden, units=cfg.memory) for group in env.groups)
    return Actors(actors, agent.theta, rng, greedy, cfg.memory)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies and take one step."""
    act = policy(env, cfg, progress.agent, progress.rngs[0])
    roll, batch = collect(env, act, progress.roll, cfg.num_steps)
    return learnt(env, cfg, progress._replace(roll=roll), batch)


def learnt(
    env: Env, cfg: Config, progress: Progress, batch: Batch, views: tuple[View, ...] = ()
) -> tuple[Progress, Metrics]:
    """One step from a batch, ``views`` being what the critics judge of it."""
    iteration, steps, agent, roll, (rng,) = progress
    rate = cfg.lr * (1.0 - iteration / cfg.iterations)
    agent, metrics = update(env, cfg, agent, batch, rate, views)
    if len(batch.returns):
        metrics |= {"return": float(batch.returns.mean()), "length": float(batch.lengths.mean())}
    return Progress(iteration + 1, steps + batch.steps, agent, roll, (rng,)), metrics


def update(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Batch,
    rate: float,
    views: tuple[View, ...] = (),
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step of both networks of every group."""
    opt, found = RmsProp(epsilon=cfg.epsilon), []
    parts: list[tuple[Any, ...]] = []
    kept: list[Real] = []
    for g in range(len(env.groups)):
        view = views[g] if views else None
        d_theta, d_phi, metrics, recall = gradient(env, cfg, agent, batch, g, view)
        d_theta, norm = clip_norm(d_theta, cfg.max_norm)
        d_phi, _ = clip_norm(d_phi, cfg.max_norm)
        opt_theta, theta = opt.update(agent.opt_theta[g], agent.theta[g], -d_theta, rate)
        opt_phi, phi = opt.update(agent.opt_phi[g], agent.phi[g], d_phi, rate)
        parts.append((theta, phi, opt_theta, opt_phi))
        kept += [] if recall is None else [recall]
        found.append(metrics | {"norm": float(np.mean(norm))})
    mean = {key: float(np.mean([m[key] for m in found])) for key in found[0]}
    parts_of = map(tuple, zip(*parts, strict=True))
    return Agent(*parts_of)._replace(recall=tuple(kept)), mean


def gradient(
    env: Env, cfg: Config, agent: Agent, batch: Batch, g: int, view: View | None = None
) -> Slopes:
    """Of one group."""
    obs, last, reward = view or (batch.obs[g], batch.final[g], batch.reward[g])
    group, theta, phi, units = env.groups[g], agent.theta[g], agent.phi[g], cfg.memory
    net = actor(group, cfg.hidden, units=units)
    judge = critic(group._replace(obs_dim=obs.shape[-1]), cfg.hidden, units=units)
    recall, remembered = (part[g] if units else None for part in (agent.recall, batch.memory))
    v, final, seen, recall = along(judge, units, phi, (obs, last), recall, batch)
    v = v[..., 0]
    advantage, target = advantages(cfg.gamma, cfg.lam, batch, v, final[..., 0], reward)

    starts = begins(batch)[:-1]
    params, tape = stretch(net, units, theta, batch.obs[g][:-1], remembered, starts)
    params = net.restrict(params, batch.mask[g])
    gain = policy_gain(net.head, params, batch.action[g], advantage, cfg.entropy, batch.alive[g])
    d_theta = pull_back(net, units, theta, tape, gain.gradient)

    loss, d_v = half_mse(v[:-1], target), np.zeros_like(v)
    d_v[:-1] = loss.gradient  # the last row is only what the others are measured by
    d_phi = pull_back(judge, units, phi, seen, d_v[..., None])
    entropy = float(net.head.entropy(params).mean())
    metrics = {"gain": gain.value, "value_loss": loss.value, "entropy": entropy}
    return Slopes(d_theta, d_phi, metrics, recall)
