"""Independent DDPG: each agent's critic sees its own observation and action, nothing of others.

:mod:`~refmarl.cooperative.maddpg` without ``central``, and so without a choice of what others do.
With one agent it is DDPG, as MADDPG is. Lillicrap et al. 2016, arXiv:1509.02971.
"""

from dataclasses import dataclass

from ..config import fixed
from . import maddpg
from .maddpg import iterate, policy, start

__all__ = ["Config", "iterate", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(maddpg.Config):
    """MADDPG's but for what concerns others."""

    central: bool = fixed(False)
    others: str = fixed("replay")
