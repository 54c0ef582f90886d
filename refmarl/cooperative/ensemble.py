r"""MADDPG with an ensemble of K policies for each agent, of which one is drawn for each episode.

    ∇J_ik = E_{D_ik}[∇μ_ik(o_i) ∇_{a_i} Q_i(s, (a_i, a_-i))|_{a_i = μ_ik(o_i)}],   k = 1 … K

Lowe et al. 2017, section 4.3: whoever learns against many policies of the others does not lean on
the habits of one. D_ik are the rows in which agent i acted by its k-th policy; one memory holds all
of them, and beside it who acted by which. Each agent has one critic; in its target every other
agent's next action comes from one of that agent's slow policies, drawn row by row. Everything else
is :mod:`~refmarl.cooperative.maddpg`'s, which is K = 1, to the bit.

Axes: as there; K policies of an agent (``policies``), the first axis of θ.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn.optim import State as OptState
from ..nn.optim import clip_norm
from ..policy_gradient.off_policy import Choose, Ends, Stand, Transition, collect, legal
from ..policy_gradient.soft_networks import numbers, outer, uniform
from ..replay import Ring, ring
from ..rollout import Act, Arrays, Masks
from ..rollout import Policy as Acting
from ..value_grad import Real
from . import maddpg

ADAM = maddpg.ADAM


@dataclass(frozen=True, kw_only=True)
class Config(maddpg.Config):
    """MADDPG's, and how many policies an agent has."""

    policies: int = option(3, "K, policies of each agent", "[1, 100]")


class Agent(NamedTuple):
    """All that learning changes; θ (K, *L, P) of each group, the rest as in MADDPG."""

    theta: Arrays
    theta_target: Arrays
    phi: Arrays
    phi_target: Arrays
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]


class Roll(NamedTuple):
    """Where collecting stands."""

    stand: Stand
    noise: Arrays
    which: Arrays  # the policy of each agent in this episode (B, N)
    drawn: Ring  # the same of the memory's rows


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """As MADDPG's, with K actors; the first of them is MADDPG's."""
    first = maddpg.start(env, cfg, rng)
    init_rng, which_rng = rng.spawn(2)
    theta = []
    for g, one in enumerate(first.agent.theta):
        mu, lead = maddpg.networks(env, cfg, g)[0], (cfg.policies - 1, *one.shape[:-1])
        more = mu.init(init_rng, lead, out_scale=0.1, dtype=one.dtype.type)
        theta.append(np.concatenate([one[None], more]))
    agent = Agent(
        tuple(theta), tuple(x.copy() for x in theta), first.agent.phi, first.agent.phi_target,
        tuple(map(ADAM.init, theta)), first.agent.opt_phi,
    )  # fmt: skip
    which = _draw(env, cfg, which_rng, cfg.num_envs)
    drawn = ring.empty(cfg.capacity, tuple(w[0] for w in which))
    roll = Roll(*cast(maddpg.Roll, first.roll), which, drawn)
    return Progress(0, 0, agent, roll, (*first.rngs, which_rng))


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """As MADDPG's; each agent draws one of its policies for each episode."""

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        which = memory or _draw(env, cfg, rng, len(obs[0]))
        seen = tuple(o.astype(cfg.dtype) for o in obs)
        noise = () if greedy else maddpg.noises(env, cfg, rng, len(obs[0]), cfg.sigma)
        found = actions(env, cfg, agent.theta, seen, legal(env, mask, len(obs[0])), which, noise)
        inner = maddpg.as_stored(env, found)
        return Act(outer(env, inner), tuple(np.zeros(o.shape[:-1]) for o in obs), which)

    return act


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """As MADDPG's; a copy that begins an episode draws its agents' policies anew."""
    iteration, steps, agent, roll, (act_rng, draw_rng, which_rng) = progress
    stand, noise, which, drawn = cast(Roll, roll)
    ends, found = Ends([], []), []
    for _ in range(cfg.num_steps):
        fresh = maddpg.noises(env, cfg, act_rng, cfg.num_envs, cfg.sigma)
        noise = maddpg.next_noise(env, cfg, noise, stand, fresh)
        if steps < cfg.warmup:
            choose = uniform(env, act_rng, cfg.dtype)
        else:
            choose = _exploring(env, cfg, agent, which, noise)
        stand, taken = collect(env, choose, stand, 1, cfg.dtype, ends)
        drawn, steps = ring.add(drawn, which), steps + taken
        which = _renewed(which, _draw(env, cfg, which_rng, cfg.num_envs), stand)
        for _ in range(maddpg.due(cfg, steps - taken, steps)):
            index = ring.draw(draw_rng, stand.memory.size, cfg.batch)
            rows = ring.take(stand.memory.data, index), ring.take(drawn.data, index)
            agent, metrics = update(env, cfg, agent, *rows, draw_rng, which_rng)
            found.append(metrics)
        if found and not math.isfinite(sum(found[-1].values())):
            break
    rngs, after = (act_rng, draw_rng, which_rng), Roll(stand, noise, which, drawn)
    return Progress(iteration + 1, steps, agent, after, rngs), maddpg.summary(found, ends)


def update(
    env: Env,
    cfg: Config,
    agent: Agent,
    batch: Transition,
    which: Arrays,
    rng: np.random.Generator,
    which_rng: np.random.Generator,
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics); ``which`` (M, N) of each group says who acted by which policy."""
    then = _draw(env, cfg, which_rng, len(batch.terminated))
    noise = maddpg.smoothing_noise(env, cfg, batch, rng)
    after = actions(env, cfg, agent.theta_target, batch.next_obs, batch.next_mask, then, noise)
    taken = tuple(map(numbers, env.groups, batch.action))
    beside_me = taken
    if cfg.others == "current":
        beside_me = actions(env, cfg, agent.theta, batch.obs, batch.mask, which)
    one = maddpg.Agent(_first(agent.theta), _first(agent.theta_target), *agent[2:])
    y = maddpg.all_targets(env, cfg, one, batch, after)
    phi, opt_phi, found = maddpg.critics_step(env, cfg, one, batch, y, taken)
    theta, opt_theta = list(agent.theta), list(agent.opt_theta)
    if (agent.opt_phi[0].step + 1) % cfg.delay:
        fast = agent._replace(phi=phi, opt_phi=opt_phi)
        return fast, maddpg.means(found)
    for g, told in enumerate(found):
        climbs = [
            maddpg.actor_step(
                env, cfg, theta[g][k], phi[g], _only(batch, which, k), g, beside_me, rng
            )
            for k in range(cfg.policies)
        ]
        slope = clip_norm(-np.stack([climb.gradient for climb in climbs]), cfg.clip)[0]
        opt_theta[g], theta[g] = ADAM.update(opt_theta[g], theta[g], slope, cfg.lr)
        side = maddpg.side_by_side(theta[g][0])
        told["gain"] = float(np.mean([climb.value for climb in climbs])) / side
    new = Agent(
        tuple(theta), maddpg.follow(cfg, agent.theta_target, tuple(theta)), phi,
        maddpg.follow(cfg, agent.phi_target, phi), tuple(opt_theta), opt_phi,
    )  # fmt: skip
    return new, maddpg.means(found)


def actions(
    env: Env,
    cfg: Config,
    theta: Arrays,
    obs: Arrays,
    mask: Arrays,
    which: Arrays,
    noise: Arrays = (),
) -> Arrays:
    """What agents do by their policies ``which`` (M, N), as numbers (M, N, A) of each group."""
    each = [
        maddpg.actions(env, cfg, tuple(x[k] for x in theta), obs, mask, noise)
        for k in range(cfg.policies)
    ]
    found = []
    for g, w in enumerate(which):
        stacked = np.stack([one[g] for one in each])
        found.append(np.take_along_axis(stacked, w[None, ..., None], axis=0)[0])
    return tuple(found)


def _exploring(env: Env, cfg: Config, agent: Agent, which: Arrays, noise: Arrays) -> Choose:
    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        found = actions(env, cfg, agent.theta, obs, mask, which, noise)
        inner = maddpg.as_stored(env, found)
        return inner, outer(env, inner)

    return choose


def _draw(env: Env, cfg: Config, rng: np.random.Generator, rows: int) -> Arrays:
    """A policy for each agent of each row, (rows, N) of each group."""
    return tuple(rng.integers(cfg.policies, size=(rows, len(p.agents))) for p in env.groups)


def _renewed(which: Arrays, fresh: Arrays, stand: Stand) -> Arrays:
    """New ones where an episode begins."""
    begins: Real = (stand.state.t == 0)[:, None]
    return tuple(np.where(begins, new, old) for old, new in zip(which, fresh, strict=True))


def _first(theta: Arrays) -> Arrays:
    """The first policies, for what depends on the shapes alone."""
    return tuple(x[0] for x in theta)


def _only(batch: Transition, which: Arrays, k: int) -> Transition:
    """The rows as the k-th policies see them: others' count nothing."""
    alive = batch.alive or tuple(np.ones(w.shape, bool) for w in which)
    return batch._replace(alive=tuple(a & (w == k) for a, w in zip(alive, which, strict=True)))
