r"""Central-critic A2C (MAA2C): each agent acts on what it sees, a critic of the state judges.

    g_θ = E[ A_t ∇ log π_θ(a_t|o_t) ] + c ∇ H(π_θ),   A_t from V(s_t)                        (3.5)

Everything but what the critic sees is :mod:`~refmarl.policy_gradient.a2c`: with one agent, whose
observation is the state, both are the same to the bit. It is MAPPO's critic with A2C's loss
(Papoudakis et al. 2021, arXiv:2006.07869, call it so; Lyu et al. 2021, arXiv:2102.04402, on what it
is worth). Unless agents keep their "own" ``reward``, V is one number for each state; if they do,
the critic sees the agent's number beside the state where agents share it.

Axes: T steps, B copies, N agents of a group, S numbers of the global state, F ends of episodes.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env, Group
from ..learner import Metrics, Progress
from ..policy_gradient import a2c
from ..policy_gradient.a2c import View, policy
from ..rollout import Batch, collect
from ..value_grad import Real
from .all_actions import marks, state_size
from .team_reward import EITHER, require_reward, shared_of

__all__ = ["Config", "iterate", "policy", "start", "views"]


@dataclass(frozen=True, kw_only=True)
class Config(a2c.Config):
    """Constants of a run: A2C's, and whose rewards."""

    reward: str = option("common", "what an agent is paid: its own, or of all", EITHER)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies, critics of the global state, fresh copies."""
    require_reward(env, cfg.reward)
    size = state_size(env)
    return a2c.start(env, cfg, rng, tuple(size + _ids(cfg, group) for group in env.groups))


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies with their states, and take one step."""
    act = policy(env, cfg, progress.agent, progress.rngs[0])
    roll, batch = collect(env, act, progress.roll, cfg.num_steps, central=True)
    return a2c.learnt(env, cfg, progress._replace(roll=roll), batch, views(env, cfg, batch))


def views(env: Env, cfg: Config, batch: Batch) -> tuple[View, ...]:
    """What each group's critic judges: the state, and the team's rewards or their own."""
    assert batch.state is not None
    assert batch.final_state is not None
    found = []
    paid = shared_of(batch.reward, cfg.reward)
    for group, reward in zip(env.groups, paid, strict=True):
        seen, final = (_judged(cfg, group, s) for s in (batch.state, batch.final_state))
        found.append(View(seen, final, reward))
    return tuple(found)


def _judged(cfg: Config, group: Group, state: Real) -> Real:
    """States (..., S) as the critic sees them for each agent, (..., N, S + ids)."""
    shape = (*state.shape[:-1], len(group.agents))
    seen = np.broadcast_to(state[..., None, :], (*shape, state.shape[-1]))
    if not (own := _ids(cfg, group)):
        return seen
    return np.concatenate([seen, np.broadcast_to(np.eye(own), (*shape, own))], axis=-1)


def _ids(cfg: Config, group: Group) -> int:
    return marks(group, cfg.share) if cfg.reward == "own" else 0
