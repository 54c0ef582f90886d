r"""REINFORCE with a baseline: Monte Carlo policy gradients of whole episodes.

    ĝ = 1/N Σ_{n,t} γ^t ∇ log π_θ(a_t|o_t) (G_t − b_t),   G_t = Σ_{k≥t} γ^{k−t} r_k         (3.3)

ascended, independent for each agent of each group. Williams 1992, *Machine Learning* 8. The
estimate is unbiased for J = E Σ_t γ^t r_t whatever the baseline, as long as b_t is known without
looking at a_t and what came of it:

    none    0
    mean    the mean of G_t of the other episodes that are running at t  (leave-one-out)
    value   V_φ(o_t), fitted to the returns of the iterations before

An episode that a time limit cuts counts as it is: its J is that of the cut process, and nothing
is bootstrapped. Each copy plays one episode, to its end: taking the first that finish would
favour short ones. ``[+]`` marks what the course's equations do not contain.

Axes: N episodes, T steps of the longest, M steps of all together, A agents of a group.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, positive
from ..config import Settings, option
from ..env_api import Env, take
from ..learner import Metrics, Progress
from ..nn.losses import half_mse
from ..nn.optim import Adam, Optimiser, Sgd
from ..nn.optim import State as OptState
from ..nn.policy import Head
from ..rollout import Arrays, Masks
from ..rollout import Policy as Acting
from ..value_grad import Real, ValueGrad
from . import actor_critic
from .actor_critic import Agent, rows, unrows, values
from .returns import discounted_return

OPTIMISERS: dict[str, Callable[[], Optimiser]] = {"adam": Adam, "sgd": Sgd}


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    weigh: bool = option(True, "whether γ^t weighs step t; without it ĝ is biased if γ < 1")
    baseline: str = option("mean", "b", ("none", "mean", "value"))
    lr: float = option(1e-2, "α, step of the policy", "(0, inf)")
    value_lr: float = option(1e-2, "step of the learnt baseline  [+]", "(0, inf)")
    value_steps: int = option(10, "of them for each step of the policy  [+]", "[1, inf)")
    optimiser: str = option("adam", "of both  [+]", ("adam", "sgd"))
    hidden: tuple[int, ...] = option((32,), "units of each hidden layer", "[1, inf)")
    share: bool = option(True, "whether the agents of a group share parameters")
    num_envs: int = option(16, "N, episodes between updates", "[1, inf)")
    max_steps: int = option(10_000, "longest episode that is borne with", "[1, inf)")
    iterations: int = option(1000, "updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))


class Episodes(NamedTuple):
    """N whole episodes, their M steps one below the other in order of time."""

    obs: Arrays  # (M, A, O) for each group
    action: Arrays  # (M, A, …)
    mask: Masks  # (M, A, K) or None
    alive: Masks  # (M, A) or None: who acted
    at: Real  # (M, 2): (t, n) of each step
    reward: Arrays  # (T, N, A), 0 after an episode's end

    @property
    def lengths(self) -> Real:
        """(N,)."""
        return np.bincount(self.at[:, 1], minlength=self.reward[0].shape[1])


# -- equations ----------------------------------------------------------------------


def weights(cfg: Config, reward: Real, at: Real, value: Real | None = None) -> tuple[Real, Real]:
    """(γ^t (G_t − b_t) / N, G_t), both (M, A), of the steps ``at`` (M, 2).

    ``reward`` (T, N, A) is 0 after an episode's end, ``value`` (M, A) the learnt baseline.
    """
    steps, episodes, _ = reward.shape
    ended = np.zeros(reward.shape, dtype=bool)
    t, n = at.T
    found = discounted_return(reward, ended, cfg.gamma)
    baseline: Real | float = 0.0 if value is None else value
    if cfg.baseline == "mean":
        running = np.zeros((steps, episodes))
        running[t, n] = 1.0
        others = np.maximum(running.sum(axis=1) - 1.0, 1.0)
        baseline = (found.sum(axis=1)[t] - found[t, n]) / others[t, None]
    weight = cfg.gamma ** t[:, None] if cfg.weigh else 1.0
    return weight * (found[t, n] - baseline) / episodes, found[t, n]


def score_gain(head: Head, params: Real, action: Real, weight: Real) -> ValueGrad:
    """Σ w log π(a) and its gradient in the distribution's parameters: ĝ, before the network.

    ``params`` (..., D), ``action`` as the head has it, ``weight`` (...) of :func:`weights`.
    """
    gain = (weight * head.log_prob(params, action)).sum()
    return ValueGrad(float(gain), weight[..., None] * head.d_log_prob(params, action))  # (3.3)


# -- algorithm ----------------------------------------------------------------------

policy = actor_critic.policy  # how the agent acts


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies; values only where they are the baseline."""
    init_rng, env_rng, act_rng = rng.spawn(3)
    theta, phi = [], []
    for group in env.groups:
        lead = () if cfg.share else (len(group.agents),)
        dtype = np.dtype(cfg.dtype).type
        theta.append(actor_critic.actor(group, cfg.hidden).init(init_rng, lead, dtype=dtype))
        if cfg.baseline == "value":
            net = actor_critic.critic(group, cfg.hidden)
            phi.append(net.init(init_rng, lead, dtype=dtype, out_scale=0.0))
    opt = OPTIMISERS[cfg.optimiser]()
    agent = Agent(tuple(theta), tuple(phi), tuple(map(opt.init, theta)), tuple(map(opt.init, phi)))
    return Progress(0, 0, agent, (), (act_rng, env_rng))


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Play N episodes and take one step."""
    iteration, steps, agent, _, (act_rng, env_rng) = progress
    acting = policy(env, cfg, agent, act_rng)
    episodes = play(env, acting, env_rng, cfg.num_envs, cfg.max_steps)
    agent, metrics = update(env, cfg, agent, episodes)
    returns = np.concatenate(episodes.reward, axis=2).sum(axis=0).mean(axis=1)
    metrics |= {"return": float(returns.mean()), "length": float(episodes.lengths.mean())}
    steps += len(episodes.at)
    return Progress(iteration + 1, steps, agent, (), (act_rng, env_rng)), metrics


def play(
    env: Env, acting: Acting, rng: np.random.Generator, episodes: int, max_steps: int
) -> Episodes:
    """Side by side, each copy one episode; ended copies leave the batch.

    Raises
    ------
    InputError
        If an episode does not end within ``max_steps``.
    """
    state = env.reset(rng, positive(episodes, "episodes"))
    running = np.arange(episodes)
    found: list[tuple[Any, ...]] = []
    for t in range(max_steps):
        obs, mask, alive = env.observe(state), env.mask(state), env.alive(state)
        act = acting(obs, mask, ())
        state, step = env.step(state, act.action)
        at = np.stack([np.full(len(running), t), running], axis=1)
        found.append((obs, act.action, mask, alive, at, step.reward))
        going = np.flatnonzero(~(step.terminated | step.truncated))
        if len(going) == 0:
            return _joined(found, episodes)
        if len(going) < len(running):
            running, state = running[going], take(state, going)
    raise InputError(f"{env.name}: an episode of more than max_steps = {max_steps} steps")


def _joined(found: list[tuple[Any, ...]], episodes: int) -> Episodes:
    """Steps of single moments as :class:`Episodes`."""
    obs, action, mask, alive, at, reward = zip(*found, strict=True)

    def both(parts: tuple[Any, ...]) -> tuple[Any, ...]:
        groups = zip(*parts, strict=True)
        return tuple(None if g[0] is None else np.concatenate(g) for g in groups)

    where, padded = np.concatenate(at), []
    for flat in both(reward):
        full = np.zeros((len(found), episodes, flat.shape[1]))
        full[where[:, 0], where[:, 1]] = flat
        padded.append(full)
    return Episodes(both(obs), both(action), both(mask), both(alive), where, tuple(padded))


def gradient(
    env: Env, cfg: Config, agent: Agent, episodes: Episodes, g: int
) -> tuple[Real, Real, dict[str, float]]:
    """(ĝ in the shape of θ, G (M, A), metrics) of one group."""
    group, theta = env.groups[g], agent.theta[g]
    actor = actor_critic.actor(group, cfg.hidden)
    value = None
    if cfg.baseline == "value":
        value, _ = values(actor_critic.critic(group, cfg.hidden), agent.phi[g], episodes.obs[g])
    weight, target = weights(cfg, episodes.reward[g], episodes.at, value)
    if (alive := episodes.alive[g]) is not None:
        weight = weight * alive
    params, tape = actor.forward(theta, rows(theta, episodes.obs[g]))
    params = actor.restrict(unrows(theta, params), episodes.mask[g])
    weight = weight.astype(params.dtype, copy=False)
    gain = score_gain(actor.head, params, episodes.action[g], weight)
    d_theta, _ = actor.backward(theta, tape, rows(theta, gain.gradient))
    entropy = float(actor.head.entropy(params).mean())
    norm = float(np.linalg.norm(d_theta))
    return d_theta, target, {"gain": gain.value, "entropy": entropy, "norm": norm}


def update(
    env: Env, cfg: Config, agent: Agent, episodes: Episodes
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step up ĝ, and then of the baseline, of every group."""
    opt = OPTIMISERS[cfg.optimiser]()
    theta, opt_theta, phi, opt_phi = [], [], list(agent.phi), list(agent.opt_phi)
    found = []
    for g in range(len(env.groups)):
        d_theta, target, metrics = gradient(env, cfg, agent, episodes, g)
        state, moved = opt.update(agent.opt_theta[g], agent.theta[g], -d_theta, cfg.lr)
        theta.append(moved)
        opt_theta.append(state)
        if cfg.baseline == "value":
            phi[g], opt_phi[g], loss = fit(env, cfg, agent, episodes, target, g)
            metrics |= {"value_loss": loss}
        found.append(metrics)
    mean = {key: float(np.mean([m[key] for m in found])) for key in found[0]}
    return Agent(tuple(theta), tuple(phi), tuple(opt_theta), tuple(opt_phi)), mean


def fit(
    env: Env, cfg: Config, agent: Agent, episodes: Episodes, target: Real, g: int
) -> tuple[Real, OptState, float]:
    """(φ', the optimiser's state, ½ E[(V − G)²] before) of one group's baseline."""
    critic, opt = actor_critic.critic(env.groups[g], cfg.hidden), OPTIMISERS[cfg.optimiser]()
    phi, state, losses = agent.phi[g], agent.opt_phi[g], []
    for _ in range(cfg.value_steps):
        v, tape = values(critic, phi, episodes.obs[g])
        loss = half_mse(v, target.astype(v.dtype, copy=False))
        d_phi = critic.gradient(phi, tape, rows(phi, loss.gradient[..., None]))
        state, phi = opt.update(state, phi, d_phi, cfg.value_lr)
        losses.append(float(loss.value))
    return phi, state, losses[0]
