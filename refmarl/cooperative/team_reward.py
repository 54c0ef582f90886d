"""What a team is paid: one rule for all algorithms that need one reward for all.

Rewards are "common" if they are the same for all agents, in every step; then there is nothing to
choose. If they are not, whoever runs an algorithm says how they become one: their "mean" or "sum".
That makes sense if all are on one side; those who work against each other have no common reward,
whatever is written there. Some algorithms can do without, and leave each agent its "own".

Axes: any rows, n agents of all groups, N_g of one.
"""

import numpy as np

from ..check import InputError
from ..env_api import Env, advance, random_actions
from ..rollout import Arrays
from ..value_grad import Real

REWARDS = ("common", "mean", "sum")
EITHER = ("own", *REWARDS)
PROBED = (16, 25)  # copies and steps of random play that are looked at for a common reward


def shared(reward: Real, kind: str) -> Real:
    """Rewards (..., n) as the team's: "own" (as they are), "common", "mean" or "sum".

    Raises
    ------
    InputError
        If they should be common and are not.

    Examples
    --------
    >>> print(shared(np.array([1.0, 0.0]), "sum"))
    [1. 1.]
    """
    if kind == "own":
        return reward
    if kind == "common":
        differ = ~np.isclose(reward, reward[..., :1], rtol=1e-5, atol=1e-6, equal_nan=True)
        if differ.any():
            numbers = ", ".join(f"{r:g}" for r in reward[differ.any(axis=-1)][0])
            raise InputError(
                f"reward: the agents were paid {numbers}, and one value of the team needs one "
                "reward for all: reward=mean or reward=sum if they are one team; if some work "
                "against others, use what learns from own rewards, as iql and maac do"
            )
        return reward
    total = (np.sum if kind == "sum" else np.mean)(reward, axis=-1, keepdims=True)
    return np.broadcast_to(total, reward.shape)


def shared_of(parts: Arrays, kind: str) -> Arrays:
    """The same for rewards (..., N_g) of each group.

    Raises
    ------
    InputError
        If they should be common and are not.
    """
    if kind == "own":
        return parts
    cuts = np.cumsum([part.shape[-1] for part in parts])[:-1]
    return tuple(np.split(shared(np.concatenate(parts, axis=-1), kind), cuts, axis=-1))


def require_reward(env: Env, kind: str) -> None:
    """Refuse an environment in which a little random play pays differently what is to be common.

    Raises
    ------
    InputError
        If it does, in one line that says what would help.
    """
    if kind != "common":
        return
    rng, (copies, steps) = np.random.default_rng(0), PROBED
    state = env.reset(rng, copies)
    for _ in range(steps):
        state, step, _ = advance(env, state, random_actions(env, rng, state))
        try:
            shared_of(step.reward, kind)
        except InputError as error:
            raise InputError(f"{env.name}: {error}") from None
