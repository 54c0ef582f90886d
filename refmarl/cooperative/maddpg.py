r"""MADDPG: deterministic actors on their own observations, and for each a critic that sees all.

    y_i   = r_i + γ (1 − d) Q'_i(s', μ'_1(o'_1), …, μ'_n(o'_n))                            (2.3)
    L(φ_i) = E[(Q_i(s, a) − y_i)²]                                  descended              (2.3)
    ∇J_i  = E[∇μ_i(o_i) ∇_{a_i} Q_i(s, (a_i, a_-i))|_{a_i = μ_i(o_i)}]   ascended          (2.4)
    θ', φ' ← τ (θ, φ) + (1 − τ) (θ', φ')                            nn.optim.polyak        (2.5)

Lowe et al. 2017, arXiv:1706.02275; s is all observations, side by side. The equations stand in
:mod:`~refmarl.cooperative.deterministic`. In (2.4) the others' actions a_-i are those of the
memory, ``others="replay"``, as the paper's algorithm has it; ``"current"`` takes what their
policies would do now, as some programs do. Without ``central`` a critic sees its own agent alone:
independent DDPG (:mod:`~refmarl.cooperative.ddpg`). ``twin``, ``delay`` and ``smoothing`` are those
of TD3: MATD3 (:mod:`~refmarl.cooperative.matd3`). ``[+]`` marks what the course's equations do not
contain.

All agents learn from the same rows; those of a group are one network with an axis for the agents.

Axes: B copies, M rows, N agents of a group, K critics (1, or 2 if twin) or actions, A numbers of an
action, E numbers that a critic sees of others.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from ..config import Settings, option
from ..env_api import Box, Discrete, Env
from ..learner import Metrics, Progress
from ..nn import gumbel_softmax
from ..nn.optim import Adam, clip_norm, polyak
from ..nn.optim import State as OptState
from ..policy_gradient import masac
from ..policy_gradient.actor_critic import rows, unrows
from ..policy_gradient.off_policy import Choose, Ends, Stand, Transition, begin, collect, legal
from ..policy_gradient.sac import alone, weights
from ..policy_gradient.soft_networks import along, beside, normal, numbers, outer, uniform, width
from ..policy_gradient.spaces import require
from ..replay import ring
from ..rollout import Act, Arrays, Masks
from ..rollout import Policy as Acting
from ..value_grad import Real
from . import deterministic as nets
from .deterministic import Relaxation, Seen

ADAM = Adam()
PULL = 0.15  # of an Ornstein-Uhlenbeck process to 0 in a step


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.95, "γ, discount", "[0, 1]")
    tau: float = option(0.01, "τ, share of the networks in their targets", "(0, 1]")
    lr: float = option(3e-3, "step of Adam, for actors and critics", "(0, inf)")
    clip: float = option(0.5, "largest norm of a network's gradient", "(0, inf)")
    flat: float = option(1e-3, "c, weight of the mean square of an actor's outputs", "[0, inf)")
    central: bool = option(True, "whether critics see all agents, or their own alone")
    others: str = option(
        "replay", "if central: whose actions stand by μ_i in (2.4)", ("replay", "current")
    )
    straight: bool = option(True, "choices: whether the critic sees one-hot actions, or soft ones")
    temperature: float = option(1.0, "choices: of the Gumbel-softmax", "(0, inf)")
    twin: bool = option(False, "two critics, of which the smaller is aimed at")
    delay: int = option(1, "updates of critics for one of actors and targets", "[1, inf)")
    smoothing: float = option(0.0, "target numbers: σ of noise; choices: drawn if > 0", "[0, inf)")
    smoothing_clip: float = option(0.5, "numbers: largest noise on target actions", "[0, inf)")
    noise: str = option("gaussian", "of numbers while exploring", ("gaussian", "ou"))
    sigma: float = option(0.2, "σ of that noise on numbers in (−1, 1)", "[0, inf)")
    hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
    activation: str = option("relu", "of the hidden layers", ("relu", "tanh"))
    share: bool = option(False, "whether the agents of a group share parameters")
    num_envs: int = option(25, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(25, "steps of each copy in an iteration", "[1, inf)")
    every: int = option(25, "steps of all copies together for an update", "[1, inf)")
    batch: int = option(1024, "M, rows of an update", "[1, inf)")
    capacity: int = option(1_000_000, "rows of the memory", "[1, inf)")
    warmup: int = option(1024, "steps at first, uniform and without updates", "[0, inf)")
    iterations: int = option(400, "of num_steps steps and their updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))


class Agent(NamedTuple):
    """All that learning changes; one entry for each group, *L = () if shared, (N,) if not."""

    theta: Arrays  # actors, (*L, P)
    theta_target: Arrays
    phi: Arrays  # critics, (K, *L, Q)
    phi_target: Arrays
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]


class Roll(NamedTuple):
    """Where collecting stands."""

    stand: Stand
    noise: Arrays  # on each group's numbers or logits (B, N, A)


# -- algorithm ----------------------------------------------------------------------


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks, targets equal to them, an empty memory, fresh copies of the environment.

    Raises
    ------
    InputError
        If actions are neither numbers nor one of K.
    """
    require(env, "a deterministic policy", Box, Discrete)
    init_rng, env_rng, act_rng, draw_rng = rng.spawn(4)
    theta, phi, kind = [], [], np.dtype(cfg.dtype).type
    for g, group in enumerate(env.groups):
        lead = () if cfg.share else (len(group.agents),)
        mu, q_net = networks(env, cfg, g)
        theta.append(mu.init(init_rng, lead, out_scale=0.1, dtype=kind))
        phi.append(q_net.init(init_rng, (1 + cfg.twin, *lead), dtype=kind))
    agent = Agent(
        tuple(theta), tuple(x.copy() for x in theta), tuple(phi), tuple(x.copy() for x in phi),
        tuple(map(ADAM.init, theta)), tuple(map(ADAM.init, phi)),
    )  # fmt: skip
    stand = begin(env, env_rng, cfg.num_envs, cfg.capacity, cfg.dtype)
    calm = tuple(np.zeros((cfg.num_envs, len(p.agents), width(p)), kind) for p in env.groups)
    return Progress(0, 0, agent, Roll(stand, calm), (act_rng, draw_rng))


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts: μ if ``greedy``, else with white noise on numbers, and choices drawn.

    log π is given as 0: a deterministic policy has no density.
    """

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        seen = tuple(o.astype(cfg.dtype) for o in obs)
        noise = () if greedy else noises(env, cfg, rng, len(obs[0]), cfg.sigma)
        found = actions(env, cfg, agent.theta, seen, legal(env, mask, len(obs[0])), noise)
        inner = as_stored(env, found)
        return Act(outer(env, inner), tuple(np.zeros(o.shape[:-1]) for o in obs), memory)

    return act


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """``num_steps`` steps of all copies, and an update each time that ``every`` are full."""
    return go_on(env, cfg, progress, update)


def go_on(env: Env, cfg: Config, progress: Progress, learn: Any) -> tuple[Progress, Metrics]:
    """An iteration in which agents learn by ``learn``, which is called as :func:`update` is."""
    iteration, steps, agent, roll, (act_rng, draw_rng) = progress
    stand, noise = cast(Roll, roll)
    ends, found = Ends([], []), []
    for _ in range(cfg.num_steps):
        noise = next_noise(
            env, cfg, noise, stand, noises(env, cfg, act_rng, cfg.num_envs, cfg.sigma)
        )
        if steps < cfg.warmup:
            choose = uniform(env, act_rng, cfg.dtype)
        else:
            choose = _exploring(env, cfg, agent, noise)
        stand, taken = collect(env, choose, stand, 1, cfg.dtype, ends)
        steps += taken
        for _ in range(due(cfg, steps - taken, steps)):
            batch = ring.sample(stand.memory, draw_rng, cfg.batch)
            agent, metrics = learn(env, cfg, agent, batch, draw_rng)
            found.append(metrics)
        if found and not math.isfinite(sum(found[-1].values())):
            break  # whoever runs this is told of it by the means, and stops
    after = Roll(stand, noise)
    return Progress(iteration + 1, steps, agent, after, (act_rng, draw_rng)), summary(found, ends)


def update(
    env: Env, cfg: Config, agent: Agent, batch: Transition, rng: np.random.Generator
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step of all critics and, every ``delay`` times, of all else."""
    noise = smoothing_noise(env, cfg, batch, rng)
    after = actions(env, cfg, agent.theta_target, batch.next_obs, batch.next_mask, noise)
    taken = tuple(map(numbers, env.groups, batch.action))
    beside_me = taken
    if cfg.others == "current":
        beside_me = actions(env, cfg, agent.theta, batch.obs, batch.mask)
    y = all_targets(env, cfg, agent, batch, after)
    return improve(env, cfg, agent, batch, y, (taken, beside_me), rng)


def improve(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Transition,
    y: Arrays,
    acts: tuple[Arrays, Arrays],
    rng: np.random.Generator,
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after critics' steps to y and, if due, those of actors and slow networks.

    ``acts`` are what was done, for the critics, and what others do in (2.4), for the actors.
    """
    taken, beside_me = acts
    moves = (agent.opt_phi[0].step + 1) % cfg.delay == 0
    phi, opt_phi, found = critics_step(env, cfg, agent, batch, y, taken)
    if not moves:
        return agent._replace(phi=phi, opt_phi=opt_phi), means(found)
    theta, opt_theta = list(agent.theta), list(agent.opt_theta)
    for g, told in enumerate(found):
        climb = actor_step(env, cfg, theta[g], phi[g], batch, g, beside_me, rng)
        d_theta = clip_norm(-climb.gradient, cfg.clip)[0]
        opt_theta[g], theta[g] = ADAM.update(opt_theta[g], theta[g], d_theta, cfg.lr)
        told["gain"] = climb.value / side_by_side(theta[g])
    slow = follow(cfg, agent.theta_target, tuple(theta)), follow(cfg, agent.phi_target, phi)
    return Agent(tuple(theta), slow[0], phi, slow[1], tuple(opt_theta), opt_phi), means(found)


def critics_step(
    env: Env, cfg: Config, agent: Agent, batch: Transition, y: Arrays, taken: Arrays
) -> tuple[Arrays, tuple[OptState, ...], list[dict[str, float]]]:
    """(φ, where Adam stands, metrics of each group) after a step of all critics."""
    phi, opt_phi, found = list(agent.phi), list(agent.opt_phi), []
    for g in range(len(env.groups)):
        told, d_phi = critic_step(env, cfg, agent, batch, g, y[g], taken)
        opt_phi[g], phi[g] = ADAM.update(opt_phi[g], phi[g], d_phi, cfg.lr)
        found.append(told)
    return tuple(phi), tuple(opt_phi), found


def follow(cfg: Config, slow: Arrays, fast: Arrays) -> Arrays:
    """The slow networks after a step towards the fast ones."""
    pairs = zip(slow, fast, strict=True)
    return tuple(polyak(old, new, cfg.tau) for old, new in pairs)  # (2.5)


# -- its parts ----------------------------------------------------------------------


def targets(env: Env, cfg: Config, agent: Agent, batch: Transition, g: int, after: Arrays) -> Real:
    """y of a group's rows in the order of its networks; nothing comes to agents that are gone.

    ``after`` are the target policies' actions at the next observations, (M, N, A) of each group.
    """
    x = _joint(env, cfg, agent.theta[g], batch.next_obs, after, g)
    return backup(env, cfg, agent, batch, g, x)


def all_targets(env: Env, cfg: Config, agent: Agent, batch: Transition, after: Arrays) -> Arrays:
    """Those of every group."""
    return tuple(targets(env, cfg, agent, batch, g, after) for g in range(len(env.groups)))


def backup(env: Env, cfg: Config, agent: Agent, batch: Transition, g: int, x: Real) -> Real:
    """y where the slow critics see x at the next observations."""
    theta = agent.theta[g]
    over = np.broadcast_to(batch.terminated[:, None], batch.reward[g].shape)
    if batch.next_alive:
        over = over | ~batch.next_alive[g]
    q, _ = networks(env, cfg, g)[1].forward(agent.phi_target[g], x[None])
    reward, over = along(theta, batch.reward[g]), along(theta, over)
    return nets.critic_target(reward, over, q[..., 0], cfg.gamma)


def critic_step(
    env: Env, cfg: Config, agent: Agent, batch: Transition, g: int, y: Real, taken: Arrays
) -> tuple[dict[str, float], Real]:
    """(metrics, the clipped gradient of the critics) of a group; ``taken`` as numbers."""
    theta, weight = agent.theta[g], weights(agent.theta[g], batch, g)
    x = _joint(env, cfg, theta, batch.obs, taken, g)
    net = networks(env, cfg, g)[1]
    loss, d_phi, q = nets.critic_gradient(net, agent.phi[g], x, y, weight)
    share = weight / weight.sum()
    told = {
        "target": float((share * y).sum()),
        "critic_loss": loss / len(q) / side_by_side(theta),
        "q": float((share * q).sum() / len(q)),
    }
    return told, clip_norm(d_phi, cfg.clip)[0]


def actor_step(
    env: Env,
    cfg: Config,
    theta: Real,
    phi: Real,
    batch: Transition,
    g: int,
    others: Arrays,
    rng: np.random.Generator,
) -> nets.Climb:
    """The objective of a group's actors, judged by the first critics, and its gradient."""
    group, mask = env.groups[g], rows(theta, batch.mask[g]) if batch.mask else None
    obs = rows(theta, batch.obs[g])
    extra = _extra(env, cfg, batch.obs, others, g)
    seen = Seen(obs, None if extra is None else rows(theta, extra), mask)
    noise = None
    if not isinstance(group.space, Box):
        shape = (*obs.shape[:-1], width(group))
        noise = gumbel_softmax.noise(rng, shape, theta.dtype.type)
    relaxation = Relaxation(cfg.temperature, cfg.straight)
    space: Any = group.space
    return nets.actor_gradient(
        space, networks(env, cfg, g), theta, phi[0], seen, noise, relaxation, cfg.flat,
        weights(theta, batch, g),
    )  # fmt: skip


def actions(
    env: Env, cfg: Config, theta: Arrays, obs: Arrays, mask: Arrays, noise: Arrays = ()
) -> Arrays:
    """What policies do, as numbers (M, N, A), one for each group.

    ``noise`` is added to numbers, which stay in [−1, 1], and to the logits of choices.
    """
    found = []
    for g, group in enumerate(env.groups):
        mu = networks(env, cfg, g)[0]
        out = unrows(theta[g], mu.forward(theta[g], rows(theta[g], obs[g]))[0])
        legal_here = mask[g] if mask else None
        if not noise:
            found.append(nets.greedy(group, out, legal_here))
        elif isinstance(group.space, Box):
            found.append(np.clip(np.tanh(out) + noise[g], -1.0, 1.0))
        else:
            found.append(nets.greedy(group, out + noise[g], legal_here))
    return tuple(found)


def as_stored(env: Env, acts: Arrays) -> Arrays:
    """Actions (M, N, A) as the memory has them: numbers, or which one (M, N)."""
    pairs = zip(env.groups, acts, strict=True)
    return tuple(a if isinstance(p.space, Box) else a.argmax(axis=-1) for p, a in pairs)


def _exploring(env: Env, cfg: Config, agent: Agent, noise: Arrays) -> Choose:
    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        inner = as_stored(env, actions(env, cfg, agent.theta, obs, mask, noise))
        return inner, outer(env, inner)

    return choose


def noises(env: Env, cfg: Config, rng: np.random.Generator, copies: int, sigma: float) -> Arrays:
    """σ ε for numbers, Gumbel noise for choices, (B, N, A) of each group."""
    found, kind = [], np.dtype(cfg.dtype)
    for group in env.groups:
        shape = (copies, len(group.agents), width(group))
        if isinstance(group.space, Box):
            found.append(kind.type(sigma) * normal(rng, shape, kind))
        else:
            found.append(gumbel_softmax.noise(rng, shape, kind.type))
    return tuple(found)


def next_noise(env: Env, cfg: Config, noise: Arrays, stand: Stand, fresh: Arrays) -> Arrays:
    """The noise of the next step: white, or pulled to 0 and pushed, from 0 in each episode."""
    if cfg.noise == "gaussian":
        return fresh
    here = (stand.state.t > 0)[:, None, None]
    kept = ((1.0 - PULL) * here).astype(cfg.dtype)
    return tuple(
        old * kept + new if isinstance(p.space, Box) else new
        for p, old, new in zip(env.groups, noise, fresh, strict=True)
    )


def smoothing_noise(env: Env, cfg: Config, batch: Transition, rng: np.random.Generator) -> Arrays:
    """What is added to the target policies' outputs; () if nothing is."""
    if cfg.smoothing == 0.0:
        return ()
    drawn = noises(env, cfg, rng, len(batch.terminated), cfg.smoothing)
    limit = cfg.smoothing_clip
    return tuple(
        np.clip(x, -limit, limit) if isinstance(p.space, Box) else x
        for p, x in zip(env.groups, drawn, strict=True)
    )


def _extra(env: Env, cfg: Config, obs: Arrays, acts: Arrays, g: int) -> Real | None:
    """What the critics of group g see of others, (M, N, E), or None."""
    return (masac.others if cfg.central else alone)(env, obs, acts, g)


def _joint(env: Env, cfg: Config, theta: Real, obs: Arrays, acts: Arrays, g: int) -> Real:
    """What the critics of group g see, in the order of its networks: (o_i, a_i, others)."""
    return rows(theta, beside(obs[g], acts[g].astype(theta.dtype), _extra(env, cfg, obs, acts, g)))


def networks(env: Env, cfg: Config, g: int) -> tuple[Any, Any]:
    """(μ, Q) of a group."""
    group, seen = env.groups[g], 0
    if cfg.central:
        seen = sum(len(p.agents) * (p.obs_dim + width(p)) for p in env.groups)
        seen -= group.obs_dim + width(group)
    return (
        nets.actor(group, cfg.hidden, cfg.activation),
        nets.critic(group, cfg.hidden, cfg.activation, seen),
    )


def side_by_side(theta: Real) -> int:
    """How many networks a group has side by side."""
    return 1 if theta.ndim == 1 else len(theta)


def due(cfg: Config, before: int, now: int) -> int:
    """How many updates are due when so many steps were taken before, and so many now."""
    return now // cfg.every - before // cfg.every if now >= cfg.warmup else 0


def summary(found: list[dict[str, float]], ends: Ends) -> dict[str, float]:
    """An iteration's metrics, from those of its updates and the episodes that ended."""
    told = means(found)
    if ends.returns:
        told |= {"return": float(np.mean(ends.returns)), "length": float(np.mean(ends.lengths))}
    return told


def means(found: list[dict[str, float]]) -> dict[str, float]:
    """Of each metric over the updates that have it."""
    keys = dict.fromkeys(key for metrics in found for key in metrics)
    return {key: float(np.mean([m[key] for m in found if key in m])) for key in keys}
