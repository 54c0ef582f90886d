"""Independent DDPG: each agent's critic sees its own observation and action, nothing of others.

:mod:`~refmarl.cooperative.maddpg` without ``central``. With one agent it is DDPG, as MADDPG is.
Lillicrap et al. 2016, arXiv:1509.02971.
"""

from dataclasses import dataclass

from ..config import option
from . import maddpg
from .maddpg import iterate, policy, start

__all__ = ["Config", "iterate", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(maddpg.Config):
    """MADDPG's, with critics of one agent."""

    central: bool = option(False, "whether critics see all agents, or their own alone")
