r"""QMIX: the team's value is a monotone function of its members', another one in each state.

    Q_tot(s, a) = f_s(Q_1(o_1, a_1), …, Q_n(o_n, a_n)),   ∂f_s/∂Q_i ≥ 0   mixers.Monotone   (2.8)
    L(φ) = E[(r + γ (1 − d) max_a' Q'_tot(s', a') − Q_tot)²]              mixed.gradient

Rashid et al. 2018, arXiv:1803.11485. Being monotone is enough for the greedy actions of the agents
to be the team's; f_s may depend on the global state in any way, because its weights are outputs of
networks of s. When acting nobody needs f.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from . import mixed, value_decomposition
from .all_actions import state_size
from .mixers import Monotone
from .value_decomposition import Method, Nets, policy, utilities

__all__ = ["METHOD", "Config", "iterate", "mixer", "nets", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(value_decomposition.Config):
    """Constants of a run."""

    mixing: int = option(32, "E, units of the mixing layer", "[1, inf)")
    hyper: int = option(64, "H, hidden units of its weights' networks; 0: none", "[0, inf)")
    weights: str = option("abs", "what keeps them from being negative", ("abs", "softplus"))
    mix_activation: str = option("elu", "f of the mixing layer", ("elu", "tanh"))


def mixer(env: Env, cfg: Config) -> Monotone:
    """The monotone mixer of all agents."""
    agents = len(env.agents)
    kinds = cfg.weights, cfg.mix_activation
    return Monotone(agents, state_size(env), cfg.mixing, cfg.hyper, *kinds)


def nets(env: Env, cfg: Config) -> Nets:
    """(utilities, mixer)."""
    return utilities(env, cfg), mixer(env, cfg)


METHOD = Method(nets, mixed.gradient, central=True)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """New utilities and mixer, an empty memory, fresh copies."""
    return value_decomposition.start(env, cfg, rng, METHOD)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Steps of all copies, and updates after each."""
    return value_decomposition.iterate(env, cfg, progress, METHOD)
