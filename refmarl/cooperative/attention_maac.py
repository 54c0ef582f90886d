r"""Actor–attention–critic (MAAC of Iqbal & Sha): soft actor–critic, critics that look at others.

    y_i = r_i + γ (1 − d) E_{a'~π'}[ Q'_i(o', a') − α log π'_i(a'_i|o'_i) ]                 (2.2)
    L(φ) = E[ (Q_i(o, a) − y_i)² ]                                         descended
    g_i  = E_{o~D, a~π}[ ∇ log π_i(a_i|o_i) (C_i(a) − Σ_b π_i(b) C_i(a_-i, b)) ]   ascended  (2.1)
    C_i(a) = Q_i(o, a) − α log π_i(a_i|o_i)
    φ' ← τ φ + (1 − τ) φ',   θ' ← τ θ + (1 − τ) θ'                         nn.optim.polyak (2.5)

Off policy, from a memory; all agents' actions in g_i are drawn from the policies as they are now,
the memory gives observations only. The baseline is COMA's, without a pass for each action, because
the critic gives all own actions (:mod:`~refmarl.cooperative.attention_critic`). ``expected`` sums
over the own action instead of drawing it: the same mean, and then no baseline is needed [+]. In y
the own action is summed out, the others' are drawn. α is fixed, as in the paper, which divides the
rewards by it; it must be small beside them: who goes on for ever earns up to α log K / (1 − γ) of
entropy, and an episode that ends with its task done should be worth more. Iqbal & Sha 2019,
arXiv:1810.02912. ``[+]`` marks what the paper does not contain.

Axes: M rows of a batch, N agents of a group, K own actions.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from ..config import Settings, option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn import categorical
from ..nn.mlp import Tape
from ..nn.optim import Adam, clip_norm, polyak
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..policy_gradient.actor_critic import rows, unrows
from ..policy_gradient.off_policy import Choose, Ends, Stand, Transition, begin, collect, legal
from ..policy_gradient.sac_losses import discrete_actor_loss, discrete_value
from ..policy_gradient.soft_networks import actor, outer, uniform
from ..replay import ring
from ..rollout import Act, Arrays, Masks
from ..rollout import Policy as Acting
from ..value_grad import Real, ValueGrad
from . import all_actions
from .attention_critic import AttentionCritic
from .central import actor_gain, critic_loss, critic_target
from .counterfactual import advantage

ADAM = Adam()


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.95, "γ, discount", "[0, 1]")
    tau: float = option(0.02, "τ, share of a network in its slow copy", "(0, 1]")
    lr: float = option(1e-3, "step of Adam for the actors", "(0, inf)")
    critic_lr: float = option(1e-3, "step of Adam for the critic", "(0, inf)")
    alpha: float = option(0.005, "α, what a nat of entropy is worth", "[0, inf)")
    expected: bool = option(False, "whether the own action is summed out, not drawn  [+]")
    hidden: tuple[int, ...] = option((64,), "units of each hidden layer of actors", "[1, inf)")
    units: int = option(64, "U, of the critic's encodings", "[1, inf)")
    heads: int = option(4, "H, of attention; divides U", "[1, inf)")
    share: bool = option(True, "whether the agents of a group share parameters")
    max_norm: float = option(10.0, "limit of a gradient's norm", "(0, inf)")
    num_envs: int = option(8, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(25, "steps of each copy in an iteration", "[1, inf)")
    updates: int = option(8, "updates in an iteration", "[0, inf)")
    batch: int = option(256, "M, rows of an update", "[1, inf)")
    capacity: int = option(100_000, "rows of the memory", "[1, inf)")
    warmup: int = option(1000, "steps at first, uniform and without updates", "[0, inf)")
    iterations: int = option(500, "of num_steps steps and their updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))


class Agent(NamedTuple):
    """All that learning changes."""

    theta: Arrays  # actors of each group, (P,) if shared, (N, P) if not
    theta_target: Arrays
    phi: Real  # the critic of all, (P',)
    phi_target: Real
    opt_theta: tuple[OptState, ...]
    opt_phi: OptState


def critic(env: Env, cfg: Config) -> AttentionCritic:
    """The network of all agents' values."""
    return AttentionCritic(env.groups, cfg.units, cfg.heads, cfg.share)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies, an empty memory, fresh copies of the environment."""
    all_actions.require_choices(env, "attention-maac")
    init_rng, env_rng, act_rng, draw_rng = rng.spawn(4)
    kind, theta = np.dtype(cfg.dtype).type, []
    for g, group in enumerate(env.groups):
        lead = () if cfg.share else (len(group.agents),)
        theta.append(_actor(env, cfg, g).init(init_rng, lead, dtype=kind))
    phi = critic(env, cfg).init(init_rng, dtype=kind)
    agent = Agent(
        tuple(theta), tuple(t.copy() for t in theta), phi, phi.copy(),
        tuple(map(ADAM.init, theta)), ADAM.init(phi),
    )  # fmt: skip
    stand = begin(env, env_rng, cfg.num_envs, cfg.capacity, cfg.dtype)
    return Progress(0, 0, agent, stand, (act_rng, draw_rng))


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts: samples, or the likeliest actions if ``greedy``."""

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        drawn = [
            categorical.draw(rng, params, greedy)
            for params in logits(env, cfg, agent.theta, obs, legal(env, mask, len(obs[0])))
        ]
        actions, log_probs = zip(*drawn, strict=True)
        return Act(actions, log_probs, memory)

    return act


def logits(env: Env, cfg: Config, theta: Arrays, obs: Arrays, mask: Arrays) -> Arrays:
    """Of each group, (M, N_g, K_g); −∞ where illegal."""
    return tuple(_passed(env, cfg, own, obs, mask, g)[0] for g, own in enumerate(theta))


def _passed(
    env: Env, cfg: Config, theta: Real, obs: Arrays, mask: Arrays, g: int
) -> tuple[Real, Tape]:
    """(logits, tape) of one group."""
    net = _actor(env, cfg, g)
    params, tape = net.forward(theta, rows(theta, obs[g]))
    return net.restrict(unrows(theta, params), mask[g] if mask else None), tape


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """``num_steps`` steps of all copies, and then ``updates`` updates."""
    iteration, steps, agent, roll, (act_rng, draw_rng) = progress
    ends, found = Ends([], []), []
    warm = steps >= cfg.warmup
    choose = _sampled(env, cfg, agent, act_rng) if warm else uniform(env, act_rng, cfg.dtype)
    stand, taken = collect(env, choose, cast(Stand, roll), cfg.num_steps, cfg.dtype, ends)
    steps += taken
    for _ in range(cfg.updates if steps >= cfg.warmup else 0):
        batch = ring.sample(stand.memory, draw_rng, cfg.batch)
        agent, metrics = update(env, cfg, agent, batch, draw_rng)
        found.append(metrics)
        if not math.isfinite(sum(metrics.values())):
            break  # whoever runs this is told of it by the means, and stops
    keys = found[0] if found else {}
    means = {key: sum(m[key] for m in found) / len(found) for key in keys}
    if ends.returns:
        means |= {"return": float(np.mean(ends.returns)), "length": float(np.mean(ends.lengths))}
    return Progress(iteration + 1, steps, agent, stand, (act_rng, draw_rng)), means


def update(
    env: Env, cfg: Config, agent: Agent, batch: Transition, rng: np.random.Generator
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step of the critic, of every actor, and of the slow copies."""
    y = targets(env, cfg, agent, batch, rng)
    loss, d_phi, q = critic_gradient(env, cfg, agent.phi, batch, y)
    opt_phi, phi = ADAM.update(
        agent.opt_phi, agent.phi, clip_norm(d_phi, cfg.max_norm)[0], cfg.critic_lr
    )
    agent = agent._replace(phi=phi, opt_phi=opt_phi)
    slopes, means = actor_gradients(env, cfg, agent, batch, rng)
    theta, opts = [], []
    for g, d_theta in enumerate(slopes):
        step = -clip_norm(d_theta, cfg.max_norm)[0]
        opt, moved = ADAM.update(agent.opt_theta[g], agent.theta[g], step, cfg.lr)
        theta.append(moved)
        opts.append(opt)
    pairs = zip(agent.theta_target, theta, strict=True)
    slow = tuple(polyak(old, new, cfg.tau) for old, new in pairs)  # (2.5)
    agent = agent._replace(
        theta=tuple(theta), opt_theta=tuple(opts), theta_target=slow,
        phi_target=polyak(agent.phi_target, phi, cfg.tau),
    )  # fmt: skip
    target = float(np.mean([t.mean() for t in y]))
    return agent, {"target": target, "critic_loss": loss, "q": q} | means


def targets(
    env: Env, cfg: Config, agent: Agent, batch: Transition, rng: np.random.Generator
) -> Arrays:
    """y (M, N_g) of each group; nothing comes to agents that are gone."""
    params = logits(env, cfg, agent.theta_target, batch.next_obs, batch.next_mask)
    drawn = tuple(categorical.draw(rng, p)[0] for p in params)
    given = (batch.next_obs, drawn, batch.next_alive)
    q = critic(env, cfg).forward(agent.phi_target, *given)[0]
    found = []
    for g, own in enumerate(params):
        value = discrete_value(own, q[g][None], cfg.alpha)
        over = np.broadcast_to(batch.terminated[:, None], value.shape)
        if batch.next_alive:
            over = over | ~batch.next_alive[g]
        found.append(critic_target(batch.reward[g], over, value, cfg.gamma))
    return tuple(found)


def critic_gradient(
    env: Env, cfg: Config, phi: Real, batch: Transition, target: Arrays
) -> tuple[float, Real, float]:
    """(L, ∂L/∂φ, mean Q) at the memory's actions, y (M, N_g) held; all agents count the same."""
    net = critic(env, cfg)
    q, tape = net.forward(phi, batch.obs, batch.action, batch.alive)
    total, mean, slopes = 0.0, 0.0, []
    for g, table in enumerate(q):
        at, weight = batch.action[g][..., None], share_of(env, batch, g)
        taken = np.take_along_axis(table, at, axis=-1)[..., 0]
        loss, dq = critic_loss(taken, target[g], weight), np.zeros_like(table)
        np.put_along_axis(dq, at, loss.gradient[..., None], axis=-1)
        slopes.append(dq)
        total, mean = total + float(loss.value), mean + float((weight * taken).sum())
    return total, net.backward(phi, tape, tuple(slopes)), mean


def actor_gradients(
    env: Env, cfg: Config, agent: Agent, batch: Transition, rng: np.random.Generator
) -> tuple[Arrays, dict[str, float]]:
    """(g in the shape of θ of each group, metrics), the critic as it is."""
    passed = [_passed(env, cfg, t, batch.obs, batch.mask, g) for g, t in enumerate(agent.theta)]
    drawn = tuple(categorical.draw(rng, params)[0] for params, _ in passed)
    q = critic(env, cfg).forward(agent.phi, batch.obs, drawn, batch.alive)[0]
    slopes, total, entropy = [], 0.0, 0.0
    for g, (theta, (params, tape)) in enumerate(zip(agent.theta, passed, strict=True)):
        weight = share_of(env, batch, g)
        gain = soft_gain(params, drawn[g], q[g], cfg.alpha, weight, cfg.expected)
        slopes.append(_actor(env, cfg, g).gradient(theta, tape, rows(theta, gain.gradient)))
        total += float(gain.value)
        entropy += float((weight * categorical.entropy(params)).sum())
    return tuple(slopes), {"gain": total, "entropy": entropy}


def soft_gain(
    params: Real, action: Real, q: Real, alpha: float, weight: Real, expected: bool = False
) -> ValueGrad:
    """Σ w (C(a) − Σ_b π(b) C(b)) log π(a) and its gradient in the logits (..., K), C held.

    ``expected`` sums the own action out: Σ w Σ_b π(b) C(b), and its whole gradient.
    """
    if expected:
        loss = discrete_actor_loss(params, q[None], alpha, weight)
        return ValueGrad(-loss.value, -loss.gradient)
    p = categorical.probs(params)
    log_p = np.where(p > 0.0, categorical.log_probs(params), p.dtype.type(0.0))
    worth = advantage(q - p.dtype.type(alpha) * log_p, p, action)  # (2.6), of C
    return actor_gain(categorical, params, action, worth, np.zeros_like(worth), weight)


def share_of(env: Env, batch: Transition, g: int) -> Real:
    """What each row counts, (M, N_g): the same for all agents of all groups who acted."""
    if not batch.alive:
        shape, count = batch.reward[g].shape, len(env.agents)
        return np.full(shape, 1.0 / (shape[0] * count), batch.reward[g].dtype)
    total = max(sum(int(np.count_nonzero(a)) for a in batch.alive), 1)
    return np.asarray(batch.alive[g] / total, batch.reward[g].dtype)


def _sampled(env: Env, cfg: Config, agent: Agent, rng: np.random.Generator) -> Choose:
    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        params = logits(env, cfg, agent.theta, obs, mask)
        actions = tuple(categorical.draw(rng, p)[0] for p in params)
        return actions, outer(env, actions)

    return choose


def _actor(env: Env, cfg: Config, g: int) -> Policy:
    return actor(env.groups[g], cfg.hidden, "relu")
