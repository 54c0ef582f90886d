"""What algorithms and environments there are, and what can be set of each."""

from typing import Any

from ._output import table


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

    if name in registry.names(registry.ALGORITHMS, "refmarl.algorithms"):
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
    parameters = [
        {
            "name": key,
            "default": "needed" if default is registry.NEEDED else str(default),
            "type": getattr(kind, "__name__", str(kind)),
        }
        for key, (kind, default) in registry.parameters(name).items()
    ]
    found: dict[str, Any] = {"name": name, "kind": "environment", "settings": parameters}
    if not any(p["default"] == "needed" for p in parameters):
        env = registry.environment(name)
        found["module"] = type(env).__module__
        found["summary"] = registry.summary(type(env))
        found["groups"] = [
            {"name": g.name, "agents": len(g.agents), "observes": g.obs_dim, "acts": str(g.space)}
            for g in env.groups
        ]
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
    if found["settings"]:
        table(tuple(found["settings"][0]), [tuple(row.values()) for row in found["settings"]])
    way = f"{name} ENV --set" if found["kind"] == "algorithm" else f"ALGO {name} --env"
    print(f"\n  refmarl train {way} NAME=VALUE")
