"""MATD3: MADDPG with twin critics, delayed actors and noise on target actions.

:mod:`~refmarl.cooperative.maddpg` with three other defaults. Ackermann et al. 2019,
arXiv:1910.01465; Fujimoto et al. 2018, arXiv:1802.09477.
"""

from dataclasses import dataclass

from ..config import option
from . import maddpg
from .maddpg import iterate, policy, start

__all__ = ["Config", "iterate", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(maddpg.Config):
    """MADDPG's, with those of TD3."""

    twin: bool = option(True, "two critics, of which the smaller is aimed at")
    delay: int = option(2, "updates of critics for one of actors and targets", "[1, inf)")
    smoothing: float = option(0.2, "target numbers: σ of noise; choices: drawn if > 0", "[0, inf)")
