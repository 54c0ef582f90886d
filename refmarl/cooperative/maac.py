r"""The course's multi-agent actor–critic: each agent has a critic of what all see and do.

    g_i = E[ γ^t ∇ log π_i(a_i|o_i) (Q_i(s, a) − b_i(s, a_-i)) ]      ascended          (2.1)
    L(φ_i) = E[ (Q_i(s, a) − y_i)² ]                                  descended         (2.2)
    y_i = r_i + γ (1 − d) E_{a'~π'} Q'_i(s', a')
    φ' ← τ φ + (1 − τ) φ',   θ' ← τ θ + (1 − τ) θ'                    nn.optim.polyak   (2.5)

On policy; π' are slow policies, as the course has them. The expectation over a' is a sum over the
own action and one draw of each other agent's. b_i is 0, as the text prints it ("none"), or the mean
over the own action ("counterfactual", COMA's). ``weigh`` keeps γ^t; without it (the usual practice)
the gradient is biased for γ < 1. Agents earn what they earn, or with ``reward`` what the team does
(:mod:`~refmarl.cooperative.team_reward`). Lowe et al. 2017, arXiv:1706.02275, with stochastic
policies. Networks, acting and steps stand in :mod:`~refmarl.cooperative.on_policy`.

Axes: T steps, B copies, N agents of a group, K own actions, F ends of episodes.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..rollout import Arrays, Batch, next_values
from ..value_grad import Real
from . import all_actions, on_policy
from .central import critic_target
from .counterfactual import advantage
from .floor import Floored
from .on_policy import Agent, Rules, Seen, policy
from .team_reward import EITHER, require_reward, shared_of

__all__ = ["Config", "iterate", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(on_policy.Config):
    """Constants of a run."""

    baseline: str = option("counterfactual", "b_i", ("none", "counterfactual"))
    weigh: bool = option(False, "whether γ^t weighs step t; without it biased if γ < 1")
    entropy: float = option(3e-3, "c, weight of the entropy  [+]", "[0, inf)")
    reward: str = option("own", "what an agent is paid: its own, or of all", EITHER)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """Networks with nearly uniform policies, their slow copies, and fresh copies of the world."""
    all_actions.require_choices(env, "maac")
    require_reward(env, cfg.reward)
    return on_policy.start(env, cfg, rng, RULES)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies; steps of the critics, one of the actors, of slow copies."""
    return on_policy.iterate(env, cfg, progress, RULES)


def targets(
    env: Env, cfg: Config, agent: Agent, batch: Batch, seen: Seen, g: int,
    rng: np.random.Generator,
) -> Real:  # fmt: skip
    """y (T, B, N): the slow policies' next actions are drawn, one's own summed out."""
    along = zip(*(
        on_policy.logits_along(env, cfg, theta, batch, k)
        for k, theta in enumerate(agent.theta_target)
    ), strict=True)  # fmt: skip
    value, final = (
        _slow(env, cfg, agent, state, params, g, rng)
        for state, params in zip((batch.state, batch.final_state), along, strict=True)
    )
    after = next_values(value, final, batch)
    paid = shared_of(batch.reward, cfg.reward)[g]
    return critic_target(paid, batch.terminated[..., None], after, cfg.gamma)


def _slow(
    env: Env, cfg: Config, agent: Agent, state: Real | None, params: Arrays, g: int,
    rng: np.random.Generator,
) -> Real:  # fmt: skip
    """E_{a~π'} Q'_i(s, a) (..., N) of states, the others' actions drawn from these logits."""
    head = Floored(0.0)
    drawn = tuple(head.draw(rng, own)[0] for own in params)
    x = on_policy.asked(env, cfg, state, drawn, g)
    return on_policy.slow_value(env, cfg, agent, x, head.probs(params[g]), g)


def merit(cfg: Config, seen: Seen, g: int, q: Real, action: Real) -> Real:
    """γ^t (Q_i − b_i) (T, B, N), or without γ^t."""
    if cfg.baseline == "none":
        found = np.take_along_axis(q, action[..., None], axis=-1)[..., 0]
    else:
        found = advantage(q, seen.pi[g][:-1], action)
    return cfg.gamma ** seen.time[..., None] * found if cfg.weigh else found


RULES = Rules(targets, merit, lambda cfg, iteration: 0.0, slow=True)
