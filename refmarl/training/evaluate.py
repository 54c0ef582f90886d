"""How well a policy does: whole episodes, each copy one, on a stream of their own."""

from typing import NamedTuple

import numpy as np

from ..check import InputError, positive
from ..env_api import Env
from ..rollout import Policy
from ..value_grad import Real

MAX_STEPS = 100_000  # of one episode


class Evaluation(NamedTuple):
    """E episodes."""

    returns: Real  # (E, N) undiscounted, of each agent
    lengths: Real  # (E,)

    @property
    def team(self) -> Real:
        """(E,) mean over the agents."""
        return np.asarray(self.returns.mean(axis=1))


def evaluate(env: Env, policy: Policy, rng: np.random.Generator, episodes: int) -> Evaluation:
    """Play ``episodes`` episodes side by side, to their ends.

    Every copy plays one: taking the first that finish would favour short ones. Ended copies stand
    still (they are dropped from the batch).

    Raises
    ------
    InputError
        If an episode does not end within ``MAX_STEPS``.
    """
    state = env.reset(rng, positive(episodes, "episodes"))
    returns = np.zeros((episodes, len(env.agents)))
    lengths, alive = np.zeros(episodes, dtype=np.int64), np.arange(episodes)
    for _ in range(MAX_STEPS):
        act = policy(env.observe(state), env.mask(state), ())
        state, step = env.step(state, act.action)
        returns[alive] += np.concatenate(step.reward, axis=1)
        lengths[alive] += 1
        going = ~(step.terminated | step.truncated)
        if not going.all():
            alive = alive[going]
            state = type(state)(*(field[going] for field in state))
        if len(alive) == 0:
            return Evaluation(returns, lengths)
    raise InputError(f"{env.name}: an episode of more than {MAX_STEPS} steps")
