"""``refmarl list``: what there is, by kind."""

import argparse
from collections.abc import Callable
from typing import Any

from ._output import as_json, example, table


def add(verbs: Any) -> None:
    """Declare the verb."""
    listing = verbs.add_parser(
        "list", help="what there is: " + ", ".join(KINDS), **example("refmarl list games")
    )
    listing.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list)


def _list(args: argparse.Namespace) -> int:
    rows = KINDS[args.kind]()
    if args.json:
        as_json(rows)
        return 0
    head = list(rows[0])
    table(head, [[_cell(row[key]) for key in head] for row in rows])
    return 0


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={x}" for key, x in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _games() -> list[dict[str, Any]]:
    from ..games import library

    return [
        {
            "name": entry.name,
            "title": entry.game.title,
            "actions": list(entry.game.num_actions),
            "parameters": dict(entry.parameters),
        }
        for entry in map(library.entry, library.names())
    ]


def _equations() -> list[dict[str, Any]]:
    from ..equations import EQUATIONS

    return [{"tag": e.tag, "label": e.label, "title": e.title} for e in EQUATIONS.values()]


def _exercises() -> list[dict[str, Any]]:
    from ..grading.catalogue import exercises

    return [
        {
            "label": label,
            "title": e.title,
            "points": e.points,
            "minutes": e.minutes,
            "requires": list(e.requires),
        }
        for label, e in exercises().items()
    ]


def _studies() -> list[dict[str, Any]]:
    from ..studies import STUDIES

    return [{"name": name, "title": study.title} for name, study in STUDIES.items()]


def _methods() -> list[dict[str, Any]]:
    from ..games.solve import METHODS

    return [
        {"name": name, "summary": way.summary, "options": [f"--{x}" for x in way.options]}
        for name, way in METHODS.items()
    ]


def _algorithms() -> list[dict[str, Any]]:
    from ._settings import algorithms

    return algorithms()


def _envs() -> list[dict[str, Any]]:
    from ._settings import envs

    return envs()


KINDS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "games": _games,
    "equations": _equations,
    "exercises": _exercises,
    "studies": _studies,
    "methods": _methods,
    "algorithms": _algorithms,
    "envs": _envs,
}
