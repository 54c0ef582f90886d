"""What games between named players share: their groups, who they are, all actions in one table."""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from ..check import Array, InputError, size_cap
from ..env_api import Actions, Discrete, Env, Group, discrete_actions
from ..kernels._jit import kernel
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


def one_hot(index: Real, size: int) -> Array:
    """(…, size): 1 at the index, nowhere where it is negative."""
    return np.asarray(index[..., None] == np.arange(size), dtype=np.float64)


def twin_size(states: int, actions: tuple[int, ...]) -> None:
    """Refuse a twin whose table of transitions would be too large.

    Raises
    ------
    InputError
        If it has more than ``MAX_ENTRIES`` numbers.
    """
    size_cap((states, *actions, states), "twin", "probabilities")


def spelled(text: str) -> tuple[str, dict[str, Any]]:
    """(name, numbers) of a game that is written as NAME or NAME:k=NUMBER,…; whole ones stay so.

    Raises
    ------
    InputError
        If it is not of that form.
    """
    name, _, rest = text.partition(":")
    values: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise InputError(f"game: need NAME or NAME:k=NUMBER, got {text!r}") from None
        values[key.strip()] = int(number) if number.is_integer() else number
    return name, values


def maker(text: str, module: Any, known: tuple[str, ...]) -> Callable[..., Any]:
    """The function of this module that makes a game, with the numbers it is spelled with.

    Raises
    ------
    InputError
        If there is none of this name, or it has no such number.
    """
    name, values = spelled(text)
    name = name.replace("-", "_")
    if name not in known:
        raise InputError(f"game: need one of {', '.join(known)}, got {text!r}")
    made = getattr(module, name)
    takes = list(signature(made).parameters)[1:]  # γ is not its own
    for key in values:
        if key not in takes:
            has = f"it has {', '.join(takes)}" if takes else "it has none"
            raise InputError(f"game: {name}: no number {key!r}; {has}")
    return partial(made, **values)


@kernel
def joint_action(action: Real, b: int, sizes: Real) -> int:
    """The index of copy b's actions (B, n) among all joint ones; -1 if one is out of range."""
    joint = 0
    for i in range(len(sizes)):
        if not 0 <= action[b, i] < sizes[i]:
            return -1
        joint = joint * sizes[i] + action[b, i]
    return joint
