"""What algorithms and environments there are, and what can be set of each."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from ._output import table

if TYPE_CHECKING:
    from ..config import Settings
    from ..training.run import Run

# -- what was asked -----------------------------------------------------------------------


def configs(
    algorithm: str, env: str, given: Sequence[str], varied: Sequence[Sequence[str]]
) -> "Iterator[Settings]":
    """The settings of each combination of what ``--vary`` names, all with what ``--set`` says.

    Raises
    ------
    InputError
        If a name is unknown or comes twice, or a value is not what the field needs.
    """
    from ..check import InputError
    from ..config import override
    from ..training import registry

    for name, *values in varied:
        if not values:
            raise InputError(f"--vary {name}: need one value or more")
    kind = registry.config(algorithm)
    once([text.partition("=")[0] for text in given] + [v[0] for v in varied], "--set, --vary")
    _known([*(text.partition("=")[0] for text in given), *(v[0] for v in varied)], kind, env)
    base = override(kind(), given)
    for texts in product(*([f"{name}={value}" for value in values] for name, *values in varied)):
        yield override(base, texts)


def env_options(env: str, given: Sequence[str]) -> dict[str, Any]:
    """What ``--env`` says, in the types of the environment's parameters.

    Raises
    ------
    InputError
        If there is no such environment or parameter, one comes twice, or a value cannot be read.
    """
    from ..training import registry

    once([text.partition("=")[0] for text in given], "--env")
    return registry.override(env, given)


def once(names: Sequence[str], where: str) -> None:
    """Refuse a name that comes twice: one of its values would be dropped.

    Raises
    ------
    InputError
        If there is one.
    """
    from ..check import InputError

    plain = [name.strip().replace("-", "_") for name in names]
    twice = [name for k, name in enumerate(plain) if name in plain[:k]]
    if twice:
        raise InputError(f"{where}: {twice[0]!r} comes twice; give it once")


def _known(names: Sequence[str], kind: "type[Settings]", env: str) -> None:
    """Refuse names of other things, and say whose they are."""
    from ..check import InputError
    from ..config import options
    from ..training import registry
    from .train import OPTIONS

    own = {field.name for field in options(kind)}
    for text in names:
        name = text.strip().replace("-", "_")
        if name not in own and name in registry.parameters(env):
            raise InputError(f"no option {name!r}; it is the environment's: --env {name}=VALUE")
        if name not in own and name in OPTIONS:
            raise InputError(
                f"no option {name!r}; it is one of train's: --{name.replace('_', '-')}"
            )


def try_out(run: "Run") -> None:
    """Begin the run in memory; one's own environment is looked at for some steps, too.

    Raises
    ------
    InputError
        If it cannot begin, or the environment does not keep what one promises.
    """
    from ..check import InputError
    from ..testing.check_env import ContractError, check_env
    from ..training import registry
    from ..training.run import begin

    own = run.env not in registry.ENVS or run.algorithm not in registry.ALGORITHMS
    try:
        if run.env not in registry.ENVS:
            env = registry.environment(run.env, run.env_options)
            check_env(env, copies=3, steps=20, pickling=False)
        begin(run)
    except ContractError as error:
        raise InputError(f"{run.env}: {error} (refmarl.testing.check_env)") from None
    except InputError:
        raise
    except Exception as error:
        if not own:
            raise
        raise InputError(f"{run.algorithm} on {run.env}: {registry.told(error)}") from error


# -- what there is ------------------------------------------------------------------------


def algorithms() -> list[dict[str, Any]]:
    """A row for each algorithm: ours and installed ones."""
    from ..training import registry

    return [
        {"name": name, "summary": registry.summary(registry.algorithm(name))}
        for name in registry.names(registry.ALGORITHMS, "refmarl.algorithms")
    ]


def envs() -> list[dict[str, Any]]:
    """A row for each environment."""
    from ..training import registry

    rows = []
    for name in registry.names(registry.ENVS, "refmarl.envs"):
        found = registry.parameters(name)
        needs = [key for key, (_, default) in found.items() if default is registry.NEEDED]
        env = None if needs else registry.environment(name)
        rows.append(
            {
                "name": name,
                "agents": len(env.agents) if env else f"needs {', '.join(needs)}",
                "summary": registry.summary(type(env)) if env else "",
            }
        )
    return rows


def names() -> list[str]:
    """The names of all algorithms and environments."""
    from ..training import registry

    return [
        *registry.names(registry.ALGORITHMS, "refmarl.algorithms"),
        *registry.names(registry.ENVS, "refmarl.envs"),
    ]


def data(name: str) -> dict[str, Any]:
    """An algorithm with its settings, or an environment with its groups and parameters."""
    from ..config import describe
    from ..training import registry
    from ..training.certify import best_return

    if registry.is_algorithm(name):
        module = registry.algorithm(name)
        settings = [
            dict(zip(("name", "default", "range", "meaning"), row, strict=True))
            for row in describe(module.Config)
        ]
        return {
            "name": name,
            "kind": "algorithm",
            "module": module.__name__,
            "summary": registry.summary(module),
            "settings": settings,
        }
    known, parameters = registry.meanings(name), []
    for key, (kind, default) in registry.parameters(name).items():
        within, says = known.get(key, ("", ""))
        shown = "needed" if default is registry.NEEDED else str(default)
        what = getattr(kind, "__name__", str(kind))
        row = {"name": key, "default": shown, "type": what, "range": within, "meaning": says}
        parameters.append(row)
    found: dict[str, Any] = {"name": name, "kind": "environment", "settings": parameters}
    if not any(p["default"] == "needed" for p in parameters):
        env = registry.environment(name)
        found["module"] = type(env).__module__
        found["summary"] = registry.summary(type(env))
        found["groups"] = [
            {"name": g.name, "agents": len(g.agents), "observes": g.obs_dim, "acts": str(g.space)}
            for g in env.groups
        ]
        if (best := best_return(env)) is not None:
            found["best"], found["best_is_reached"] = best
    return found


def show(name: str) -> None:
    """Print it."""
    found = data(name)
    print(f"{name}: {found.get('summary', found['kind'])}")
    if "module" in found:
        print(f"  {found['kind']}, {found['module']}\n")
    if "groups" in found:
        table(("group", "agents", "observes", "acts"), [tuple(g.values()) for g in found["groups"]])
        print()
    if "best" in found:
        what = "the most that any joint policy returns" if found["best_is_reached"] else "a bound"
        print(f"  best return, exactly: {found['best']:.6g} ({what}, mean over agents)\n")
    if found["settings"]:
        table(tuple(found["settings"][0]), [tuple(row.values()) for row in found["settings"]])
        if any("[+]" in row["meaning"] for row in found["settings"]):
            print("\n  [+] not in the course's equation")
    way = f"{name} ENV --set" if found["kind"] == "algorithm" else f"ALGO {name} --env"
    print(f"\n  refmarl train {way} NAME=VALUE")
