r"""COMA: counterfactual multi-agent policy gradients.

    A_i = Q_i(s, a) − Σ_b π_i(b|o_i) Q_i(s, (a_-i, b))            counterfactual.advantage  (2.6)
    g_i = E[ A_i ∇ log π_i(a_i|o_i) ]                             ascended                  (2.1)
    L(φ) = E[ (Q_i(s, a) − G^λ)² ]                                descended                 (2.2)
    G^λ from V_i(s') = Σ_b π_i(b|o'_i) Q'_i(s', (a'_-i, b))       returns.lambda_return
    φ' ← τ φ + (1 − τ) φ'                                         nn.optim.polyak           (2.5)

There is one reward for all (:mod:`~refmarl.cooperative.team_reward`); the critic sees the global
state and all actions, and is needed for learning only. Policies explore by a floor ε that
falls linearly (:mod:`~refmarl.cooperative.floor`), and the gradient is that of the mixture. λ = 0
is one step, λ = 1 the return; values after a step are those of slow critics, averaged over the own
action (the paper takes the action that came; this has the same mean and less variance [+]).
Foerster et al. 2018, arXiv:1705.08926. ``[+]`` marks what the course's equations do not contain.

γ^t is left out, as everybody does: for γ < 1 a bias (:mod:`~refmarl.cooperative.central`).

Networks, acting and steps stand in :mod:`~refmarl.cooperative.on_policy`.

Axes: T steps, B copies, N agents of a group, K own actions, F ends of episodes.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..policy_gradient.returns import lambda_return
from ..rollout import Batch, next_values
from ..value_grad import Real
from . import all_actions, on_policy
from .counterfactual import advantage
from .on_policy import Agent, Rules, Seen, policy
from .team_reward import REWARDS, require_reward, shared_of

__all__ = ["Config", "iterate", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(on_policy.Config):
    """Constants of a run."""

    lam: float = option(0.8, "λ of the critic's target", "[0, 1]")
    epsilon: float = option(0.5, "ε, floor of the policies at first", "[0, 1]")
    epsilon_last: float = option(0.02, "ε in the end", "[0, 1]")
    anneal: float = option(0.7, "share of the run in which ε falls", "(0, 1]")
    reward: str = option("common", "what the team is paid, if not the same for all", REWARDS)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies, and fresh copies of the environment."""
    all_actions.require_choices(env, "coma")
    require_reward(env, cfg.reward)
    return on_policy.start(env, cfg, rng, RULES)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies; some steps of the critics, then one of the actors."""
    return on_policy.iterate(env, cfg, progress, RULES)


def floor(cfg: Config, iteration: int) -> float:
    """ε of an iteration."""
    done = min(1.0, iteration / (cfg.anneal * cfg.iterations))
    return cfg.epsilon + done * (cfg.epsilon_last - cfg.epsilon)


def targets(
    env: Env, cfg: Config, agent: Agent, batch: Batch, seen: Seen, g: int,
    rng: np.random.Generator,
) -> Real:  # fmt: skip
    """G^λ of the team's rewards (T, B, N)."""
    ends = on_policy.asked(env, cfg, batch.final_state, seen.final_action, g)
    value = on_policy.slow_value(env, cfg, agent, seen.x[g], seen.pi[g], g)
    final = on_policy.slow_value(env, cfg, agent, ends, seen.final_pi[g], g)
    after = next_values(value, final, batch)
    paid = np.broadcast_to(shared_of(batch.reward, cfg.reward)[g], after.shape).astype(after.dtype)
    over, ended = (
        np.broadcast_to(flag[..., None], after.shape) for flag in (batch.terminated, batch.ended)
    )
    return lambda_return(paid, after, over, ended, cfg.gamma, cfg.lam)


def merit(cfg: Config, seen: Seen, g: int, q: Real, action: Real) -> Real:
    """COMA's advantages (T, B, N)."""
    return advantage(q, seen.pi[g][:-1], action)


RULES = Rules(targets, merit, floor, slow=False)
