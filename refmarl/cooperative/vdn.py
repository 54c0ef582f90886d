r"""Value decomposition networks (VDN): the team's value is the sum of its members'.

    Q_tot(s, a) = Σ_i Q_i(o_i, a_i)                                       mixers.Sum    (2.7)
    L(θ) = E[(r + γ (1 − d) Σ_i max_a' Q'_i(o'_i, a') − Q_tot)²]          mixed.gradient

Sunehag et al. 2018, arXiv:1706.05296. The utilities have no targets of their own: each receives the
gradient of the team's error. With one agent this is DQN. What a sum cannot say, as that 1 + 1 is
8, is lost: :func:`~refmarl.cooperative.decomposition.main_effects`.
"""

import numpy as np

from ..env_api import Env
from ..learner import Metrics, Progress
from . import mixed, value_decomposition
from .mixers import Sum
from .value_decomposition import Config, Method, Nets, policy, utilities

__all__ = ["METHOD", "Config", "iterate", "nets", "policy", "start"]


def nets(env: Env, cfg: Config) -> Nets:
    """(utilities, sum)."""
    return utilities(env, cfg), Sum()


METHOD = Method(nets, mixed.gradient, central=False)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """New utilities, an empty memory, fresh copies."""
    return value_decomposition.start(env, cfg, rng, METHOD)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Steps of all copies, and updates after each."""
    return value_decomposition.iterate(env, cfg, progress, METHOD)
