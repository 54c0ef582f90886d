"""What games between named players share: their groups, who they are, all actions in one table."""

import numpy as np

from ..check import InputError
from ..env_api import Actions, Discrete, Env, Group, discrete_actions
from ..value_grad import Real


def player_groups(
    players: tuple[str, ...], sizes: tuple[int, ...], obs_dim: int
) -> tuple[Group, ...]:
    """One group if all have as many actions, else one for each player.

    In one group the agents must be able to tell which they are: ``obs_dim`` counts that too.
    """
    if len(set(sizes)) == 1:
        return (Group("players", players, obs_dim, Discrete(sizes[0])),)
    return tuple(
        Group(player, (player,), obs_dim, Discrete(size))
        for player, size in zip(players, sizes, strict=True)
    )


def split(groups: tuple[Group, ...], array: Real) -> tuple[Real, ...]:
    """(B, n, …) of all players as one array for each group."""
    ends = np.cumsum([len(group.agents) for group in groups])[:-1]
    return tuple(np.split(array, ends, axis=1)) if len(groups) > 1 else (array,)


def all_actions(env: Env, num_envs: int, actions: Actions) -> Real:
    """The actions of all players, (B, n) of int64."""
    groups = range(len(env.groups))
    given = [discrete_actions(env, num_envs, actions, g) for g in groups]
    return given[0] if len(given) == 1 else np.concatenate(given, axis=1)


def seen_by_all(who: int, common: Real) -> Real:
    """(B, n, n + K): who one is, one of n, beside ``common`` (B, K), which everybody sees."""
    me = np.broadcast_to(np.eye(who), (len(common), who, who))
    return np.concatenate([me, np.repeat(common[:, None], who, axis=1)], axis=2)


def horizon(steps: int) -> int:
    """A number of steps ≥ 0; 0 is for ever.

    Raises
    ------
    InputError
        If it is negative or no whole number.
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        raise InputError(f"horizon: need a whole number ≥ 0, got {steps!r}")
    return int(steps)
