r"""Independent Q-learning with networks (IQL): every agent for itself, as in DQN.

    L(θ) = E Σ_i (r_i + γ (1 − d) max_a' Q'_i(o'_i, a') − Q_i(o_i, a_i))²             (1.15)

Mnih et al. 2015 for one agent; Tan 1993 for several. Each may have rewards of its own, so that this
is the one method here that need not be given a team. The others are part of what an agent sees as
its environment, and the memory holds what they did before they learnt: see
:mod:`~refmarl.games.independent_q` for tables and for learners that forgive.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from . import mixed, value_decomposition
from .mixers import Apart
from .team_reward import EITHER
from .value_decomposition import Method, Nets, policy, utilities

__all__ = ["METHOD", "Config", "iterate", "nets", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(value_decomposition.Config):
    """Constants of a run."""

    reward: str = option("own", "what an agent is paid: its own, or of all", EITHER)


def nets(env: Env, cfg: Config) -> Nets:
    """(utilities, nothing)."""
    return utilities(env, cfg), Apart()


METHOD = Method(nets, mixed.gradient, central=False)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """New utilities, an empty memory, fresh copies."""
    return value_decomposition.start(env, cfg, rng, METHOD)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Steps of all copies, and updates after each."""
    return value_decomposition.iterate(env, cfg, progress, METHOD)
