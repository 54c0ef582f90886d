"""The algorithms and environments that have names, and one's own as ``module:name``."""

import inspect
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

from ..check import InputError, nearest
from ..config import Settings, describe, parse

if TYPE_CHECKING:
    from ..env_api import Env

ALGORITHMS = {
    "a2c": "refmarl.policy_gradient.a2c",
    "attention-maac": "refmarl.cooperative.attention_maac",
    "coma": "refmarl.cooperative.coma",
    "ddpg": "refmarl.cooperative.ddpg",
    "iql": "refmarl.cooperative.iql",
    "maa2c": "refmarl.cooperative.maa2c",
    "maac": "refmarl.cooperative.maac",
    "maddpg": "refmarl.cooperative.maddpg",
    "maddpg-ensemble": "refmarl.cooperative.ensemble",
    "maddpg-inferred": "refmarl.cooperative.inferred",
    "mappo": "refmarl.policy_gradient.mappo",
    "masac": "refmarl.policy_gradient.masac",
    "matd3": "refmarl.cooperative.matd3",
    "ppo": "refmarl.policy_gradient.ppo",
    "qmix": "refmarl.cooperative.qmix",
    "qplex": "refmarl.cooperative.qplex",
    "qtran": "refmarl.cooperative.qtran",
    "reinforce": "refmarl.policy_gradient.reinforce",
    "sac": "refmarl.policy_gradient.sac",
    "trpo": "refmarl.policy_gradient.trpo",
    "vdn": "refmarl.cooperative.vdn",
    "wqmix": "refmarl.cooperative.wqmix",
}
ENVS = {
    "acrobot": "refmarl.envs.acrobot:Acrobot",
    "cartpole": "refmarl.envs.cartpole:CartPole",
    "chain": "refmarl.envs.chain:Chain",
    "dec-pomdp": "refmarl.envs.posg:PosgEnv",
    "foraging": "refmarl.envs.foraging:Foraging",
    "grid": "refmarl.envs.grid:Grid",
    "hanabi": "refmarl.envs.hanabi:Hanabi",
    "kitchen": "refmarl.envs.kitchen:Kitchen",
    "matrix": "refmarl.envs.matrix:Matrix",
    "mountain-car": "refmarl.envs.mountain_car:MountainCar",
    "mountain-car-continuous": "refmarl.envs.mountain_car:ContinuousMountainCar",
    "navigation": "refmarl.envs.navigation:Navigation",
    "path-finding": "refmarl.envs.path_finding:PathFinding",
    "pendulum": "refmarl.envs.pendulum:Pendulum",
    "pursuit": "refmarl.envs.pursuit:Pursuit",
    "reference": "refmarl.envs.reference:Reference",
    "resources": "refmarl.envs.allocation:Allocation",
    "speaker-listener": "refmarl.envs.speaker_listener:SpeakerListener",
    "swarm": "refmarl.envs.coverage:Coverage",
    "t-maze": "refmarl.envs.t_maze:TMaze",
    "tabular": "refmarl.envs.tabular:TabularEnv",
}
_PACKAGE = str(Path(__file__).parents[1])
_INSTALLED = tuple({sysconfig.get_path(kind) for kind in ("purelib", "platlib", "stdlib")})
PARTS = ("Config", "start", "iterate", "policy")  # of an algorithm
NEEDED = inspect.Parameter.empty  # the default of a parameter that must be given


def algorithm(name: str) -> ModuleType:
    """The module of an algorithm: one of ``ALGORITHMS``, an entry point, or a module's path.

    Raises
    ------
    InputError
        If there is none, or it lacks what an algorithm needs (see :mod:`refmarl.learner`).
    """
    found = _load(name, ALGORITHMS, "refmarl.algorithms", "algorithm")
    missing = [part for part in PARTS if not hasattr(found, part)]
    if missing:
        raise InputError(f"{name}: an algorithm needs {', '.join(missing)}")
    module: ModuleType = found
    return module


def is_algorithm(name: str) -> bool:
    """Whether this names an algorithm, by its list or by what one's own has.

    Raises
    ------
    InputError
        If it is the name of neither algorithm nor environment and cannot be loaded.
    """
    if name in names(ALGORITHMS, "refmarl.algorithms"):
        return True
    if name in names(ENVS, "refmarl.envs"):
        return False
    found = _load(name, {}, "refmarl.algorithms", "algorithm or environment")
    return all(hasattr(found, part) for part in PARTS)


def environment(name: str, options: dict[str, Any] | None = None) -> "Env":
    """An environment with these parameters.

    Raises
    ------
    InputError
        If there is none of this name, or it does not take a parameter.
    """
    from ..env_api import Env  # not above: names are listed without loading kernels

    made, known = _maker(name)
    for key in options or {}:
        if key not in known:
            raise InputError(f"{name}: no parameter {key!r}; {nearest(key, known)}")
    for key, parameter in known.items():
        if parameter.default is NEEDED and key not in (options or {}):
            raise InputError(f"{name}: the parameter {key!r} has no default; give it")
    env = made(**(options or {}))
    if not isinstance(env, Env):
        raise InputError(f"{name}: need an Env, got {type(env).__name__}")
    return env


def parameters(name: str) -> dict[str, tuple[Any, Any]]:
    """(type, default) of each parameter of an environment.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    made, known = _maker(name)
    kinds = get_type_hints(made)
    return {key: (kinds.get(key, str), parameter.default) for key, parameter in known.items()}


def _maker(name: str) -> tuple[Any, Mapping[str, inspect.Parameter]]:
    """(what makes an environment, its parameters)."""
    made = _load(name, ENVS, "refmarl.envs", "environment")
    try:
        return made, inspect.signature(made).parameters
    except (TypeError, ValueError):  # a module, a number, something built in
        raise InputError(f"{name}: need a class, got {type(made).__name__}") from None


def meanings(name: str) -> dict[str, tuple[str, str]]:
    """(range, meaning) of those parameters of an environment that say them."""
    made, _ = _maker(name)
    rows = describe(made) if is_dataclass(made) and isinstance(made, type) else []
    return {key: (within, says) for key, _, within, says in rows}


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
            hint = nearest(name, names(known, group))
            raise InputError(f"no {what} {name!r}; {hint}; one's own: module:name")
        path = name
    module, _, attribute = path.partition(":")

    def load() -> Any:
        found = import_module(module)
        return getattr(found, attribute) if attribute else found

    return _loaded(load, f"{what} {name!r}")


def _loaded(load: Callable[[], Any], what: str) -> Any:
    """What ``load`` gives; an import that fails, for whatever reason, is one line."""
    try:
        return load()
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{what}: {error}") from None
    except Exception as error:  # somebody's module does what it likes when it is imported
        raise InputError(f"{what}: {told(error)}") from error


def told(error: Exception) -> str:
    """An error that nobody had thought of, in one line: what, and where.

    The place is the innermost line outside this package and all that is installed, if there is
    one: where somebody's own algorithm or environment went wrong.
    """
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((_PACKAGE, *_INSTALLED, "<"))]
    at = (own or frames)[-1]
    return f"{type(error).__name__}: {error} ({Path(at.filename).name}, line {at.lineno})"


def names(known: dict[str, str], group: str) -> list[str]:
    """All names there are: our own, and those of installed plug-ins."""
    return [*known, *sorted(plug.name for plug in entry_points(group=group))]


def summary(found: Any) -> str:
    """The first line of the docstring of an algorithm, or of an environment's module."""
    module = found if inspect.ismodule(found) else inspect.getmodule(found)
    return (inspect.getdoc(module) or "").partition("\n")[0]
