"""A time limit taken for the end of the world, on Pendulum: what the bug costs PPO.

The constants are the source's, running statistics of observations left out; Pop-Art stands in the
place of its scaled rewards. Pendulum never ends by itself: whoever takes the limit of 200 steps for
an end learns that time kills, which no action can change and no observation shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...env_api import Actions, Env, Step
from ...envs.pendulum import Pendulum
from ...learner import learn
from ...policy_gradient import ppo
from ...rng import streams
from ..published import Found

SETTINGS = ppo.Config(
    num_envs=4, num_steps=512, minibatches=16, epochs=10, lr=1e-3, value_clip=0.2, iterations=97
)
LAST = 10  # iterations whose episodes are the last ones


@dataclass(frozen=True)
class LimitsAsEnds(Pendulum):
    """The bug: who learns is told that the clock ends the world."""

    def step(self, state: Any, actions: Actions) -> tuple[Any, Step]:
        """As it is, with one flag in the place of the other."""
        after, step = super().step(state, actions)
        over, none = step.terminated | step.truncated, np.zeros_like(step.truncated)
        return after, step._replace(terminated=over, truncated=none)


def played(env: Env, seed: int, settings: ppo.Config = SETTINGS) -> float:
    """The mean return of the last episodes of a training run."""
    (rng,) = streams(seed, "learn")
    found = [said["return"] for _, said in learn(ppo, env, settings, rng) if "return" in said]
    return float(np.mean(found[-LAST:]))


def compared(data: dict[str, Any], full: bool) -> Iterator[Found]:
    """S3.14: the source's three seeds in full, one otherwise."""
    count = data["seeds"] if full else 1
    right, wrong = (
        float(np.mean([played(env, seed) for seed in range(count)]))
        for env in (Pendulum(), LimitsAsEnds())
    )
    yield Found(f"limits bootstrap, mean of {count}", data["right"], right, data["tolerance"])
    yield Found(f"limits end it, mean of {count}", data["wrong"], wrong, data["wide"])
    cost, name = right - wrong, f"the bug costs {data['gap']} or more"
    yield Found(f"{name} (it costs {cost:.0f})", True, cost >= data["gap"])
