r"""MADDPG in which nobody knows the others' policies: each agent learns what they are like.

    J(ψ_ij) = E[log μ̂_ij(a_j | o_j) + λ H(μ̂_ij(· | o_j))]                              ascended
    y_i = r_i + γ (1 − d) Q'_i(s', μ̂'_i1(o'_1), …, μ'_i(o'_i), …, μ̂'_in(o'_n))

Lowe et al. 2017, section 4.2: agent i's critic still sees what all did, but what the others will do
at s' it asks of its own approximations μ̂_ij, learnt from what they did, with slow copies μ̂'_ij.
Choices are μ̂ = softmax(out). Of numbers the likelihood is that of a normal distribution of fixed
size about tanh(out), so that J = −E[(a_j − tanh(out))²], and H is a constant  [+]. Approximations
learn from the rows of the critics, where the paper takes the latest  [+]. Everything else is
:mod:`~refmarl.cooperative.maddpg`'s.

Axes: I observers, all agents in the order of their groups; M rows, N agents of a group that are
looked at, A numbers or choices. An agent's approximation of itself is learnt and never asked.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from ..config import fixed, option
from ..env_api import Box, Env, Group
from ..learner import Metrics, Progress
from ..nn import categorical
from ..nn.mlp import MLP
from ..nn.optim import State as OptState
from ..nn.optim import clip_norm
from ..policy_gradient.actor_critic import rows
from ..policy_gradient.masac import owned
from ..policy_gradient.off_policy import Transition
from ..policy_gradient.sac import weights
from ..policy_gradient.soft_networks import beside, numbers
from ..rollout import Arrays
from ..value_grad import Real, ValueGrad
from . import deterministic as nets
from . import maddpg
from .maddpg import policy

__all__ = ["Config", "iterate", "policy", "start"]

ADAM = maddpg.ADAM


@dataclass(frozen=True, kw_only=True)
class Config(maddpg.Config):
    """MADDPG's, and how others are approximated; critics see all, and what was done."""

    central: bool = fixed(True)
    others: str = fixed("replay")
    guess_lr: float = option(3e-3, "step of Adam, for the approximations", "(0, inf)")
    spread: float = option(1e-3, "λ, choices: weight of approximations' entropy", "[0, inf)")


class Agent(NamedTuple):
    """MADDPG's (θ, φ, their slow copies, Adam), and ψ (I, N, P) of each group."""

    theta: Arrays
    theta_target: Arrays
    phi: Arrays
    phi_target: Arrays
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]
    psi: Arrays
    psi_target: Arrays
    opt_psi: tuple[OptState, ...]


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """As MADDPG's, with approximations that know nothing yet."""
    first = maddpg.start(env, cfg, rng)
    (guess_rng,) = rng.spawn(1)
    count, kind = sum(len(p.agents) for p in env.groups), np.dtype(cfg.dtype).type
    psi = tuple(
        maddpg.networks(env, cfg, g)[0].init(
            guess_rng, (count, len(p.agents)), out_scale=0.1, dtype=kind
        )
        for g, p in enumerate(env.groups)
    )
    slow = tuple(x.copy() for x in psi)
    agent = Agent(*cast(maddpg.Agent, first.agent), psi, slow, tuple(map(ADAM.init, psi)))
    return first._replace(agent=agent)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """As MADDPG's."""
    return maddpg.go_on(env, cfg, progress, update)


def update(
    env: Env, cfg: Config, agent: Agent, batch: Transition, rng: np.random.Generator
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics): approximations first, then critics, actors and slow networks."""
    psi, opt_psi, fit = guesses_step(env, cfg, agent, batch)
    noise = maddpg.smoothing_noise(env, cfg, batch, rng)
    known = maddpg.Agent(*agent[:6])
    y = targets(env, cfg, known, agent.psi_target, batch, noise)
    taken = tuple(map(numbers, env.groups, batch.action))
    moved, told = maddpg.improve(env, cfg, known, batch, y, (taken, taken), rng)
    slow = maddpg.follow(cfg, agent.psi_target, psi)
    return Agent(*moved, psi, slow, opt_psi), told | {"fit": fit}


def guesses_step(
    env: Env, cfg: Config, agent: Agent, batch: Transition
) -> tuple[Arrays, tuple[OptState, ...], float]:
    """(ψ', where Adam stands, J of an approximation on average)."""
    psi, opt_psi, fits = list(agent.psi), list(agent.opt_psi), []
    for g, group in enumerate(env.groups):
        net, own = maddpg.networks(env, cfg, g)[0], psi[g]
        mask = rows(own, batch.mask[g]) if batch.mask else None
        act = np.moveaxis(batch.action[g], 1, 0)
        seen, weight = rows(own, batch.obs[g]), weights(own, batch, g)
        fit = guess(group, net, own, (seen, act, mask), weight, cfg.spread)
        slope = clip_norm(-fit.gradient, cfg.clip)[0]
        opt_psi[g], psi[g] = ADAM.update(opt_psi[g], own, slope, cfg.guess_lr)
        fits.append(float(fit.value) / (own.shape[0] * own.shape[1]))
    return tuple(psi), tuple(opt_psi), float(np.mean(fits))


def guess(
    group: Group,
    net: MLP,
    psi: Real,
    seen: tuple[Real, Real, Real | None],
    weight: Real,
    spread: float,
) -> ValueGrad:
    """Σ_ij J(ψ_ij) and its gradient (I, N, P).

    ``seen`` are o (N, M, O), a (N, M) or (N, M, A), and which choices are legal, or None.
    """
    obs, action, mask = seen
    out, tape = net.forward(psi, obs[None])
    if isinstance(group.space, Box):
        mean = np.tanh(out)
        miss, w = action - mean, weight[..., None]
        terms, d_out = -w * miss * miss, 2.0 * w * miss * (1.0 - mean * mean)
    else:
        act = np.broadcast_to(action, out.shape[:-1])
        legal = None if mask is None else np.broadcast_to(mask, out.shape)
        log_p, h = categorical.log_prob(out, act, legal), categorical.entropy(out, legal)
        terms = weight * (np.where(weight > 0.0, log_p, 0.0) + spread * h)
        slope = categorical.d_log_prob(out, act, legal) + spread * categorical.d_entropy(out, legal)
        d_out = weight[..., None] * slope
    value = float(np.sum(terms, dtype=np.float64))
    return ValueGrad(value, net.gradient(psi, tape, d_out.astype(psi.dtype, copy=False)))


def targets(
    env: Env, cfg: Config, known: maddpg.Agent, psi: Arrays, batch: Transition, noise: Arrays
) -> Arrays:
    """y of all groups, where each agent asks its approximations ψ, and itself, what comes next."""
    itself = maddpg.actions(env, cfg, known.theta_target, batch.next_obs, batch.next_mask, noise)
    found = expected(env, cfg, psi, batch.next_obs, batch.next_mask, noise)
    y, first = [], 0
    for g, group in enumerate(env.groups):
        among = first + np.arange(len(group.agents))
        obs, act = (np.moveaxis(x[g], 1, 0) for x in (batch.next_obs, itself))
        others = owned(env, batch.next_obs, tuple(x[among] for x in found), g)
        x = np.moveaxis(beside(obs, act.astype(obs.dtype), others), 0, 1)
        y.append(maddpg.backup(env, cfg, known, batch, g, rows(known.theta[g], x)))
        first += len(group.agents)
    return tuple(y)


def expected(
    env: Env, cfg: Config, psi: Arrays, obs: Arrays, mask: Arrays, noise: Arrays
) -> Arrays:
    """What each observer thinks that all do, (I, M, N, A) of each group."""
    found = []
    for g, group in enumerate(env.groups):
        out, _ = maddpg.networks(env, cfg, g)[0].forward(psi[g], rows(psi[g], obs[g])[None])
        space: Any = group.space
        out = np.moveaxis(out, 1, 2)
        legal = mask[g] if mask and not isinstance(space, Box) else None
        if not noise:
            found.append(nets.greedy(group, out, legal))
        elif isinstance(space, Box):
            found.append(np.clip(np.tanh(out) + noise[g], -1.0, 1.0))
        else:
            found.append(nets.greedy(group, out + noise[g], legal))
    return tuple(found)
