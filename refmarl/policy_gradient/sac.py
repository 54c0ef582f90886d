r"""Soft actor–critic (SAC), independent for each agent of each group.

    y    = r + γ (1 − d) (min_k Q_φ'_k(s', a') − α log π(a'|s')),   a' ~ π_θ             (3.14)
    L(φ) = Σ_k ½ E[(Q_φk − y)²]                                     descended
    L(θ) = E[α log π_θ(a|s) − min_k Q_φk(s, a)],  a = tanh(μ + σε)  descended            (3.16)
    J(α) = E[−α (log π(a|s) + H̄)]                                   descended in log α   (3.20)
    φ'   ← τ φ + (1 − τ) φ'                                         nn.optim.polyak      (2.5)

The losses stand in :mod:`~refmarl.policy_gradient.sac_losses`. Twin critics are one network with an
axis of 2 in its parameters. Actions of a box are moved to (−1, 1)^A, in which log π and the target
entropy H̄ are measured; where an action is one of K, the same file is discrete SAC: critics give
all K values, and expectations over actions are sums. Haarnoja et al. 2018, arXiv:1812.05905.
``[+]`` marks what the course's equations do not contain. :func:`update` is the definition; runs
whose actions are all of boxes take the same step compiled (:mod:`~.soft_fused`).

log α moves by Adam along dJ/dα, which has the sign of dJ/d log α = α dJ/dα: α stays positive.

Axes: M rows of a batch, N agents of a group, K critics (2) or actions, A numbers of an action, E
numbers that a critic sees of others (none here; :mod:`~refmarl.policy_gradient.masac`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from ..config import Settings, option
from ..env_api import Box, Discrete, Env, Group
from ..learner import Metrics, Progress
from ..nn.mlp import MLP
from ..nn.optim import Adam, polyak
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..replay import ring
from ..rollout import Act, Arrays, Masks
from ..rollout import Policy as Acting
from ..value_grad import Real
from . import soft_fused
from .actor_critic import rows
from .off_policy import Choose, Ends, Stand, Transition, begin, collect, legal
from .sac_losses import critic_target, discrete_value, temperature_loss
from .soft_networks import (
    Drawn,
    actor,
    actor_gradient,
    along,
    back,
    beside,
    critic,
    critic_gradient,
    draw,
    normal,
    numbers,
    outer,
    uniform,
    width,
)  # fmt: skip
from .spaces import require

ADAM = Adam()


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    tau: float = option(0.005, "τ, share of the critics in their targets", "(0, 1]")
    lr: float = option(1e-3, "step of Adam, for actors and critics", "(0, inf)")
    alpha: float = option(1.0, "α, temperature, at first or (untuned) for good", "(0, inf)")
    tune: bool = option(True, "whether α is tuned to the target entropy")
    alpha_lr: float = option(1e-3, "step of Adam for log α", "(0, inf)")
    entropy: float = option(-1.0, "H̄ of each number of an action, in nats")
    choice_entropy: float = option(0.3, "H̄ of a choice, as a share of log K", "[0, 1]")
    hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
    activation: str = option("relu", "of the hidden layers", ("relu", "tanh"))
    share: bool = option(True, "whether the agents of a group share parameters")
    num_envs: int = option(1, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(50, "steps of each copy in an iteration", "[1, inf)")
    updates: int = option(1, "updates after each step of the copies", "[0, inf)")
    batch: int = option(256, "M, rows of an update", "[1, inf)")
    capacity: int = option(100_000, "rows of the memory", "[1, inf)")
    warmup: int = option(500, "steps at first, uniform and without updates", "[0, inf)")
    iterations: int = option(300, "of num_steps steps and their updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))


class Agent(NamedTuple):
    """All that learning changes; one entry for each group, *L = () if shared, (N,) if not."""

    theta: Arrays  # actors, (*L, P)
    phi: Arrays  # twin critics, (2, *L, Q)
    phi_target: Arrays
    log_alpha: Arrays  # (*L, 1)
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]
    opt_alpha: tuple[OptState, ...]


Others = Callable[[Env, Arrays, Arrays, int], Real | None]
# (env, obs, actions of all as numbers, g) ↦ what g's critics see beside (o, a), (M, N, E)


def alone(env: Env, obs: Arrays, actions: Arrays, g: int) -> Real | None:
    """Nothing: independent learners' critics see their own observation and action."""
    return None


# -- algorithm ----------------------------------------------------------------------


def start(env: Env, cfg: Config, rng: np.random.Generator, others: Others = alone) -> Progress:
    """Networks with nearly uniform policies, an empty memory, fresh copies of the environment.

    Raises
    ------
    InputError
        If actions are neither numbers nor one of K.
    """
    require(env, "SAC", Box, Discrete)
    init_rng, env_rng, act_rng, draw_rng = rng.spawn(4)
    theta, phi, log_alpha = [], [], []
    kind = np.dtype(cfg.dtype).type
    for g, group in enumerate(env.groups):
        lead = () if cfg.share else (len(group.agents),)
        pi = actor(group, cfg.hidden, cfg.activation)
        q_net = critic(group, cfg.hidden, cfg.activation, _extra(env, others, g))
        theta.append(pi.init(init_rng, lead, dtype=kind))
        phi.append(q_net.init(init_rng, (2, *lead), dtype=kind))
        log_alpha.append(np.full((*lead, 1), np.log(cfg.alpha), kind))
    parts = tuple(theta), tuple(phi), tuple(log_alpha)
    opts = (tuple(map(ADAM.init, part)) for part in parts)
    agent = Agent(parts[0], parts[1], tuple(p.copy() for p in phi), parts[2], *opts)
    stand = begin(env, env_rng, cfg.num_envs, cfg.capacity, cfg.dtype)
    return Progress(0, 0, agent, stand, (act_rng, draw_rng))


def _extra(env: Env, others: Others, g: int) -> int:
    """E: how many numbers of others the critics of group g see."""
    obs = tuple(np.zeros((1, len(p.agents), p.obs_dim)) for p in env.groups)
    act = tuple(np.zeros((1, len(p.agents), width(p))) for p in env.groups)
    seen = others(env, obs, act, g)
    return 0 if seen is None else int(seen.shape[-1])


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts: samples, or tanh μ and the likeliest choice if ``greedy``."""

    choose = _sampled(env, cfg, agent, rng, greedy)

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        seen = tuple(o.astype(theta.dtype) for o, theta in zip(obs, agent.theta, strict=True))
        inner, log_probs = choose(seen, legal(env, mask, len(obs[0])))
        return Act(outer(env, inner), log_probs, memory)

    return act


def _sampled(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """(obs, masks) ↦ (actions (B, N, …) as in the memory, their log π)."""

    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        actions, log_probs = [], []
        for g, theta in enumerate(agent.theta):
            drawn = draw(_actor(env, cfg, g), theta, *_seen(theta, obs, mask, g), rng, greedy)
            actions.append(back(theta, drawn.action, env.groups[g]))
            log_probs.append(along(theta, drawn.log_prob))
        return tuple(actions), tuple(log_probs)

    return choose


def iterate(
    env: Env, cfg: Config, progress: Progress, others: Others = alone
) -> tuple[Progress, Metrics]:
    """``num_steps`` times: one step of all copies, and ``updates`` updates."""
    iteration, steps, agent, roll, (act_rng, draw_rng) = progress
    stand = cast(Stand, roll)
    ends, found = Ends([], []), []
    extra = tuple(_extra(env, others, g) for g in range(len(env.groups)))
    parts = soft_fused.begin(env, cfg, agent, ADAM, extra)
    for _ in range(cfg.num_steps):
        if steps < cfg.warmup:
            choose = uniform(env, act_rng, cfg.dtype)
        elif parts is not None:
            choose = soft_fused.acting(env, parts, act_rng)
        else:
            choose = _both(env, _sampled(env, cfg, agent, act_rng))
        stand, taken = collect(env, choose, stand, 1, cfg.dtype, ends)
        steps += taken
        for _ in range(cfg.updates if steps >= cfg.warmup else 0):
            if parts is not None:
                seen = others if any(extra) else None
                told = soft_fused.update(env, parts, stand.memory, cfg.batch, draw_rng, seen)
                found.append(_means(told))
                continue
            batch = ring.sample(stand.memory, draw_rng, cfg.batch)
            agent, metrics = update(env, cfg, agent, batch, draw_rng, others)
            found.append(metrics)
        if found and not math.isfinite(sum(found[-1].values())):
            break  # whoever runs this is told of it by the means, and stops
    if parts is not None:
        agent = Agent(*soft_fused.fields(parts))
    means = _means(found)
    if ends.returns:
        means |= {"return": float(np.mean(ends.returns)), "length": float(np.mean(ends.lengths))}
    return Progress(iteration + 1, steps, agent, stand, (act_rng, draw_rng)), means


def _means(found: list[dict[str, float]]) -> dict[str, float]:
    """Of each metric, {} of none."""
    keys = found[0] if found else {}
    return {key: sum(m[key] for m in found) / len(found) for key in keys}


def _both(env: Env, inner: Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]) -> Choose:
    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        actions = inner(obs, mask)[0]
        return actions, outer(env, actions)

    return choose


def update(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Transition,
    rng: np.random.Generator,
    others: Others = alone,
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step of critics, actors, temperatures and targets."""
    drawn = tuple(
        draw(_actor(env, cfg, g), theta, *_seen(theta, batch.next_obs, batch.next_mask, g), rng)
        for g, theta in enumerate(agent.theta)
    )
    after = tuple(
        numbers(group, back(theta, d.action, group))
        for group, theta, d in zip(env.groups, agent.theta, drawn, strict=True)
    )
    now = tuple(map(numbers, env.groups, batch.action))
    parts, found = [], []
    for g in range(len(env.groups)):
        extra = others(env, batch.obs, now, g), others(env, batch.next_obs, after, g)
        part, metrics = _update_group(env, cfg, agent, batch, g, drawn[g], extra, rng)
        parts.append(part)
        found.append(metrics)
    return Agent(*zip(*parts, strict=True)), _means(found)


def _update_group(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Transition,
    g: int,
    after: Drawn,
    extra: tuple[Real | None, Real | None],
    rng: np.random.Generator,
) -> tuple[tuple[Any, ...], dict[str, float]]:
    """(what :class:`Agent` holds of the group afterwards, metrics)."""
    theta, alpha, box = agent.theta[g], np.exp(agent.log_alpha[g]), _is_box(env, g)
    extra = tuple(None if e is None else rows(theta, e) for e in extra)  # type: ignore[assignment]
    nets = _actor(env, cfg, g), _critic(env, cfg, g, extra[0])
    obs, mask = _seen(theta, batch.obs, batch.mask, g)
    weight = weights(theta, batch, g)
    y = targets(env, cfg, agent, batch, g, after, extra[1])

    action = rows(theta, batch.action[g]) if box else along(theta, batch.action[g])
    x = beside(obs, action if box else None, extra[0])
    loss, d_phi, q = critic_gradient(nets[1], agent.phi[g], x, None if box else action, y, weight)
    opt_phi, phi = ADAM.update(agent.opt_phi[g], agent.phi[g], d_phi, cfg.lr)

    noise = normal(rng, action.shape, theta.dtype) if box else None
    a_loss, d_theta, now = actor_gradient(
        nets, theta, phi, (obs, extra[0], mask), noise, alpha, weight
    )
    opt_theta, theta = ADAM.update(agent.opt_theta[g], theta, d_theta, cfg.lr)

    log_alpha, opt_alpha = agent.log_alpha[g], agent.opt_alpha[g]
    if cfg.tune:
        goal = entropy_target(env.groups[g], cfg, mask)
        slope = temperature_loss(alpha, now.log_prob, goal, weight).gradient
        opt_alpha, log_alpha = ADAM.update(opt_alpha, log_alpha, slope, cfg.alpha_lr)
    phi_target = polyak(agent.phi_target[g], phi, cfg.tau)  # (2.5)
    share = weight / weight.sum()
    metrics = {
        "target": float((share * y).sum()), "critic_loss": loss, "q": float((share * q).sum() / 2),
        "actor_loss": a_loss, "entropy": -float((share * now.log_prob).sum()),
        "alpha": float(alpha.mean()),
    }  # fmt: skip
    return (theta, phi, phi_target, log_alpha, opt_theta, opt_phi, opt_alpha), metrics


def targets(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Transition,
    g: int,
    after: Drawn,
    extra: Real | None = None,
) -> Real:
    """y of a group's rows, in the order of its networks; nothing comes to agents that are gone."""
    theta, alpha = agent.theta[g], np.exp(agent.log_alpha[g])
    over = np.broadcast_to(batch.terminated[:, None], batch.reward[g].shape)
    if batch.next_alive:
        over = over | ~batch.next_alive[g]
    reward, over = along(theta, batch.reward[g]), along(theta, over)
    obs, _ = _seen(theta, batch.next_obs, (), g)
    box = _is_box(env, g)
    x = beside(obs, after.action if box else None, extra)
    q, _ = _critic(env, cfg, g, extra).forward(agent.phi_target[g], x[None])
    if box:
        return critic_target(reward, over, q[..., 0], after.log_prob, alpha, cfg.gamma)
    value = discrete_value(after.params, q, alpha)
    return critic_target(reward, over, value[None], np.zeros_like(value), 0.0, cfg.gamma)


def weights(theta: Real, batch: Transition, g: int) -> Real:
    """What each row counts for its network: the same for all in which its agent acted."""
    shape = along(theta, batch.reward[g]).shape
    if not batch.alive:
        count = np.prod(shape) if theta.ndim == 1 else shape[-1]
        return np.full(shape, 1.0 / count, theta.dtype)
    acts = along(theta, batch.alive[g]).astype(theta.dtype)
    axis = None if theta.ndim == 1 else -1
    return np.asarray(acts / np.maximum(acts.sum(axis=axis, keepdims=True), 1.0))


def entropy_target(group: Group, cfg: Config, mask: Real | None) -> float | Real:
    """H̄: for a box its share of each number, for a choice a share of log(legal choices)."""
    if isinstance(group.space, Box):
        return cfg.entropy * group.space.size
    if mask is None:
        return cfg.choice_entropy * float(np.log(width(group)))
    return np.asarray(cfg.choice_entropy * np.log(mask.sum(axis=-1)))


def _seen(theta: Real, obs: Arrays, mask: Arrays, g: int) -> tuple[Real, Real | None]:
    """(observations, mask or None) of a group in the order of its networks."""
    return rows(theta, obs[g]), rows(theta, mask[g]) if mask else None


def _is_box(env: Env, g: int) -> bool:
    return isinstance(env.groups[g].space, Box)


def _actor(env: Env, cfg: Config, g: int) -> Policy:
    return actor(env.groups[g], cfg.hidden, cfg.activation)


def _critic(env: Env, cfg: Config, g: int, extra: Real | None) -> MLP:
    seen = 0 if extra is None else extra.shape[-1]
    return critic(env.groups[g], cfg.hidden, cfg.activation, seen)
