"""The algorithms and environments that have names, and one's own as ``module:name``."""

import inspect
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, get_type_hints

from ..check import InputError
from ..config import Settings
from ..env_api import Env

ALGORITHMS = {"a2c": "refmarl.policy_gradient.a2c"}
ENVS = {
    "cartpole": "refmarl.envs.cartpole:CartPole",
    "navigation": "refmarl.envs.navigation:Navigation",
    "pursuit": "refmarl.envs.pursuit:Pursuit",
    "reference": "refmarl.envs.reference:Reference",
    "speaker-listener": "refmarl.envs.speaker_listener:SpeakerListener",
}


def algorithm(name: str) -> ModuleType:
    """The module of an algorithm: one of ``ALGORITHMS``, an entry point, or a module's path.

    Raises
    ------
    InputError
        If there is none, or it lacks what an algorithm needs (see :mod:`refmarl.learner`).
    """
    found = _load(name, ALGORITHMS, "refmarl.algorithms", "algorithm")
    missing = [
        part for part in ("Config", "start", "iterate", "policy") if not hasattr(found, part)
    ]
    if missing:
        raise InputError(f"{name}: an algorithm needs {', '.join(missing)}")
    module: ModuleType = found
    return module


def environment(name: str, options: dict[str, Any] | None = None) -> Env:
    """An environment with these parameters.

    Raises
    ------
    InputError
        If there is none of this name, or it does not take a parameter.
    """
    made = _load(name, ENVS, "refmarl.envs", "environment")
    known = inspect.signature(made).parameters
    for key in options or {}:
        if key not in known:
            there = ", ".join(known) or "none"
            raise InputError(f"{name}: no parameter {key!r}; there are {there}")
    env = made(**(options or {}))
    if not isinstance(env, Env):
        raise InputError(f"{name}: need an Env, got {type(env).__name__}")
    return env


def parameters(name: str) -> dict[str, tuple[Any, Any]]:
    """(type, default) of each parameter of an environment."""
    made = _load(name, ENVS, "refmarl.envs", "environment")
    kinds = get_type_hints(made)
    return {
        key: (kinds.get(key, str), parameter.default)
        for key, parameter in inspect.signature(made).parameters.items()
    }


def config(name: str) -> type[Settings]:
    """The settings that an algorithm takes."""
    kind: type[Settings] = algorithm(name).Config
    return kind


def _load(name: str, known: dict[str, str], group: str, what: str) -> Any:
    """The object of this name: known, installed as a plug-in, or ``module:attribute``."""
    path = known.get(name)
    if path is None:
        for plug in entry_points(group=group):
            if plug.name == name:
                return plug.load()
        if ":" not in name and "." not in name:
            raise InputError(f"no {what} {name!r}; there are {', '.join(known)}, or module:name")
        path = name
    module, _, attribute = path.partition(":")
    try:
        found: Any = import_module(module)
        return getattr(found, attribute) if attribute else found
    except (ImportError, AttributeError) as error:
        raise InputError(f"{what} {name!r}: {error}") from None
