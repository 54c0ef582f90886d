"""Which kinds of actions an algorithm can do, and what to do where an environment has others."""

from dataclasses import is_dataclass, replace
from typing import Any

from ..check import InputError
from ..env_api import Box, Env, Space


def require(env: Env, who: str, *kinds: type[Space]) -> None:
    """Refuse an environment in which somebody's actions are of no such kind.

    The error says whether another value of the environment's ``continuous`` would help.

    Raises
    ------
    InputError
        If there is somebody.

    Examples
    --------
    >>> from refmarl.env_api import Box, Discrete
    >>> from refmarl.envs.reference import Reference
    >>> try: require(Reference(), "this", Box, Discrete)
    ... except InputError as error: print(error)
    reference: this needs Box or Discrete actions; team has MultiDiscrete(sizes=(5, 10)); \
continuous=true gives such
    """
    found = [group for group in env.groups if not isinstance(group.space, kinds)]
    if found:
        need = " or ".join(kind.__name__ for kind in kinds)
        has = f"{found[0].name} has {found[0].space}; {_advice(env, kinds, found[0].space)}"
        raise InputError(f"{env.name}: {who} needs {need} actions; {has}")


def _advice(env: Any, kinds: tuple[type[Space], ...], space: Space) -> str:
    """What would help."""
    now = getattr(env, "continuous", None)
    if isinstance(now, bool) and is_dataclass(env) and not isinstance(env, type):
        other: Any = replace(env, continuous=not now)
        if all(isinstance(group.space, kinds) for group in other.groups):
            return f"continuous={str(not now).lower()} gives such"
    more = "sac, maddpg, " if isinstance(space, Box) else ""
    return f"{more}ppo, trpo and a2c take those"
