r"""Multi-agent PPO: each agent acts on what it sees, and a critic that sees all judges.

    A_t from V(s_t), s the global state; for each agent i its own (3.7) or (3.8)          (3.17)

Yu et al. 2022, arXiv:2103.01955. Everything else is :mod:`~refmarl.policy_gradient.ppo`: with one
agent, whose observation is the state, both are the same to the bit. While training, the critic may
see what no agent sees; acting needs the actors alone.

With ``team`` the reward of every agent is the mean over all agents, and V one number for each
state. Without it each agent has its own rewards and values: the critic then sees the agent's id
beside the state, or has parameters of its own for each agent (``share`` false). Agents that are no
longer alive move nothing of the policy, but earn what the team earns.

Axes: T steps, B copies, N agents of a group, n of their values, S numbers of the global state.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..rollout import Batch, collect
from ..value_grad import Real
from . import ppo
from .ppo import View, policy

__all__ = ["Config", "iterate", "judged", "policy", "start", "views"]


@dataclass(frozen=True, kw_only=True)
class Config(ppo.Config):
    """Constants of a run: PPO's, and what the critic is asked."""

    team: bool = option(True, "whether rewards are the mean over all agents")
    ids: bool = option(True, "whether each agent of several sees which one it is")


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies, critics of the global state, fresh copies."""
    probe = env.reset(np.random.default_rng(0), 1)
    size = env.global_state(probe).shape[-1]
    counts = [len(group.agents) for group in env.groups]
    seen = tuple((_values(cfg, count), size + _marks(cfg, count)) for count in counts)
    return ppo.start(env, cfg, rng, seen)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies with their states, and go through them ``epochs`` times."""
    act = policy(env, cfg, progress.agent, progress.rngs[0])
    roll, batch = collect(env, act, progress.roll, cfg.num_steps, central=True)
    progress = progress._replace(roll=roll)
    return ppo.learnt(env, cfg, progress, batch, views(env, cfg, batch))


def views(env: Env, cfg: Config, batch: Batch) -> tuple[View, ...]:
    """What each group's critic judges: the global state, and the team's rewards or their own."""
    assert batch.state is not None
    assert batch.final_state is not None
    team = np.concatenate(batch.reward, axis=2).mean(axis=2, keepdims=True)
    found = []
    for group, own in zip(env.groups, batch.reward, strict=True):
        seen, final = (judged(cfg, s, len(group.agents)) for s in (batch.state, batch.final_state))
        paid = (*own.shape[:-1], _values(cfg, len(group.agents)))
        found.append(View(seen, final, np.broadcast_to(team, paid) if cfg.team else own))
    return tuple(found)


def judged(cfg: Config, state: Real, agents: int) -> Real:
    """States (..., S) as the critic sees them, (..., n, S), with ids if needed."""
    count = _values(cfg, agents)
    seen = np.broadcast_to(state[..., None, :], (*state.shape[:-1], count, state.shape[-1]))
    return ppo.named(cfg, seen) if _marks(cfg, agents) else seen


def _values(cfg: Config, agents: int) -> int:
    """n, how many values a state has for a group: one if its agents share reward and critic."""
    return 1 if cfg.team and cfg.share else agents


def _marks(cfg: Config, agents: int) -> int:
    """How many numbers tell the critic whose values are wanted."""
    return agents if agents > 1 and cfg.ids and cfg.share and not cfg.team else 0
