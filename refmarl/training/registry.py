"""The algorithms and environments that have names, and one's own as ``module:name``."""

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

from ..check import InputError
from ..config import Settings, parse

if TYPE_CHECKING:
    from ..env_api import Env

ALGORITHMS = {
    "a2c": "refmarl.policy_gradient.a2c",
    "reinforce": "refmarl.policy_gradient.reinforce",
}
ENVS = {
    "acrobot": "refmarl.envs.acrobot:Acrobot",
    "cartpole": "refmarl.envs.cartpole:CartPole",
    "chain": "refmarl.envs.chain:Chain",
    "foraging": "refmarl.envs.foraging:Foraging",
    "grid": "refmarl.envs.grid:Grid",
    "matrix": "refmarl.envs.matrix:Matrix",
    "mountain-car": "refmarl.envs.mountain_car:MountainCar",
    "mountain-car-continuous": "refmarl.envs.mountain_car:ContinuousMountainCar",
    "navigation": "refmarl.envs.navigation:Navigation",
    "pendulum": "refmarl.envs.pendulum:Pendulum",
    "pursuit": "refmarl.envs.pursuit:Pursuit",
    "reference": "refmarl.envs.reference:Reference",
    "speaker-listener": "refmarl.envs.speaker_listener:SpeakerListener",
    "tabular": "refmarl.envs.tabular:TabularEnv",
}
NEEDED = inspect.Parameter.empty  # the default of a parameter that must be given


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


def environment(name: str, options: dict[str, Any] | None = None) -> "Env":
    """An environment with these parameters.

    Raises
    ------
    InputError
        If there is none of this name, or it does not take a parameter.
    """
    from ..env_api import Env  # not above: names are listed without loading kernels

    made = _load(name, ENVS, "refmarl.envs", "environment")
    known = inspect.signature(made).parameters
    for key in options or {}:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise InputError(f"{name}: no parameter {key!r}; {hint if known else 'it has none'}")
    for key, parameter in known.items():
        if parameter.default is NEEDED and key not in (options or {}):
            raise InputError(f"{name}: the parameter {key!r} has no default; give it")
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


def override(name: str, texts: Iterable[str]) -> dict[str, Any]:
    """Parameters of an environment from ``name=value`` texts, in the parameters' own types.

    Raises
    ------
    InputError
        If a text is not of that form, or a value cannot be read.
    """
    kinds, options = parameters(name), {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"{name}: need name=value, got {text!r}")
        key = key.strip().replace("-", "_")
        kind = kinds[key][0] if key in kinds else str  # unknown names are refused later
        options[key] = parse(value.strip(), kind, key)
    return options


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
                return _loaded(plug.load, f"{what} {name!r} ({plug.value})")
        if ":" not in name and "." not in name:
            near = get_close_matches(name, names(known, group), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise InputError(f"no {what} {name!r}; {hint}; one's own: module:name")
        path = name
    module, _, attribute = path.partition(":")

    def load() -> Any:
        found = import_module(module)
        return getattr(found, attribute) if attribute else found

    return _loaded(load, f"{what} {name!r}")


def _loaded(load: Callable[[], Any], what: str) -> Any:
    """What ``load`` gives; an import that fails is one line."""
    try:
        return load()
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{what}: {error}") from None


def names(known: dict[str, str], group: str) -> list[str]:
    """All names there are: our own, and those of installed plug-ins."""
    return [*known, *sorted(plug.name for plug in entry_points(group=group))]


def summary(found: Any) -> str:
    """The first line of the docstring of an algorithm, or of an environment's module."""
    module = found if inspect.ismodule(found) else inspect.getmodule(found)
    return (inspect.getdoc(module) or "").partition("\n")[0]
