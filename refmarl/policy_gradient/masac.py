r"""Multi-agent soft actor–critic (MASAC): SAC whose critics see all agents.

    y_i = r_i + γ (1 − d) (min_k Q'_ik(s', a') − α_i log π_i(a'_i|o'_i)),   a'_j ~ π_j    (3.18)

Policies act on their own observations, critics are for learning only: the critic of agent i sees
(o_i, a_i) and then (o_j, a_j) of all others, so that with one agent this is SAC, bit for bit. Where
an own action is one of K, the critic gives a value for each and the sum over a'_i is exact. In the
actor's loss the others' actions are those of the memory, as in MADDPG. The pattern is Lowe et al.
2017's, arXiv:1706.02275, with the losses of :mod:`~refmarl.policy_gradient.sac`; the course leaves
its critics open (docs/errata.md, B7).

Axes: M rows, N agents of a group, E = Σ_{j≠i} (O_j + A_j).
"""

from functools import cache

import numpy as np

from ..env_api import Env, Group
from ..learner import Metrics, Progress
from ..rollout import Arrays
from ..value_grad import Real
from . import sac
from .sac import Config, policy
from .soft_networks import width

__all__ = ["Config", "iterate", "others", "owned", "policy", "start"]


def others(env: Env, obs: Arrays, actions: Arrays, g: int) -> Real | None:
    """(o_j, a_j) of all others for each agent of group g, (M, N, E); None if there is nobody."""
    columns = _columns(env.groups, g)
    if columns.shape[1] == 0:
        return None
    kind = obs[0].dtype
    parts = [
        np.concatenate([o, a.astype(kind, copy=False)], axis=-1).reshape(len(o), -1)
        for o, a in zip(obs, actions, strict=True)
    ]
    return np.concatenate(parts, axis=-1)[:, columns]


def owned(env: Env, obs: Arrays, actions: Arrays, g: int) -> Real | None:
    """As :func:`others`, (N, M, E), where agent i of g believes in actions[i] (M, N', A)."""
    columns = _columns(env.groups, g)
    if columns.shape[1] == 0:
        return None
    parts = []
    for o, a in zip(obs, actions, strict=True):
        seen = np.broadcast_to(o, (*a.shape[:-1], o.shape[-1]))
        both = np.concatenate([seen, a.astype(obs[0].dtype, copy=False)], axis=-1)
        parts.append(both.reshape(*both.shape[:2], -1))
    return np.take_along_axis(np.concatenate(parts, axis=-1), columns[:, None], axis=-1)


@cache
def _columns(groups: tuple[Group, ...], g: int) -> Real:
    """(N, E): which numbers of all agents' (o, a), side by side, are not agent i's of group g."""
    counts = [len(p.agents) for p in groups]
    widths = np.repeat([p.obs_dim + width(p) for p in groups], counts)
    owner, first = np.repeat(np.arange(sum(counts)), widths), sum(counts[:g])
    return np.stack([np.flatnonzero(owner != first + i) for i in range(counts[g])])


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """As SAC's, with wider critics."""
    return sac.start(env, cfg, rng, others)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """As SAC's, with critics that see all."""
    return sac.iterate(env, cfg, progress, others)
