"""``refmarl equations`` and ``refmarl show``: the ledger, whole and row by row."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import as_json, example, table

if TYPE_CHECKING:
    from ..games.library import Entry


def add(verbs: Any) -> None:
    """Declare the verbs."""
    ledger = verbs.add_parser(
        "equations",
        help="the ledger: each equation's code, tests, exercise and page",
        **example("refmarl equations --section 1"),
    )
    ledger.add_argument("--section", type=int, choices=range(1, 8), help="one section only")
    ledger.add_argument("--open", action="store_true", help="only the rows that are still open")
    ledger.add_argument("--json", action="store_true", help="print JSON")
    ledger.set_defaults(run=_equations)
    show = verbs.add_parser(
        "show",
        help="an equation with its code, laws, tests and exercise; a game; an algorithm's settings",
        description="NAME is an equation's tag or label, a game of the library, an algorithm, an "
        "environment, or one's own of either as module:name.",
        **example("refmarl show 1.3    (a tag), refmarl show nash    (a label), refmarl show a2c"),
    )
    show.add_argument("name", metavar="TAG-LABEL-or-NAME")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)


def _rows(args: argparse.Namespace) -> list[dict[str, Any]]:
    from ..equations.ledger import snapshot

    return [
        row
        for row in snapshot()
        if args.section in (None, row["section"]) and not (args.open and row["closed"])
    ]


def _equations(args: argparse.Namespace) -> int:
    rows = _rows(args)
    if args.json:
        as_json(rows)
        return 0
    shown = [
        (
            row["tag"],
            row["label"],
            row["title"],
            "closed" if row["closed"] else "open",
            ", ".join(place.rpartition("::")[2] for place in row["code"]),
            len(row["tests"]) or "",
        )
        for row in rows
    ]
    table(("tag", "label", "title", "state", "code", "tests"), shown)
    print(f"\n{sum(row['closed'] for row in rows)} of {len(rows)} rows closed")
    return 0


def _show(args: argparse.Namespace) -> int:
    from ..equations import find

    try:
        equation = find(args.name)
    except KeyError:
        return _show_game(args)
    row = next(r for r in _all_rows() if r["label"] == equation.label)
    from . import _settings

    trains = args.name in _settings.names()  # an algorithm may be called like its equation
    if args.json:
        settings = {"algorithm": _settings.data(args.name)} if trains else {}
        as_json(row | {"statement": equation.statement, "laws": equation.laws} | settings)
        return 0
    print(f"({equation.tag}) {equation.label}: {equation.title}")
    print(f"  {equation.statement}")
    for key, value in (
        ("state", "closed" if row["closed"] else "open"),
        ("source", equation.source),
        ("laws", equation.laws),
        ("code", [f"{place}{_line(place, equation.tag)}" for place in row["code"]]),
        ("tests", row["tests"]),
        ("exercise", row["exercise"]),
        ("page", row["docs"]),
        ("errata", equation.errata),
    ):
        for k, text in enumerate([value] if isinstance(value, str) else value):
            if text:
                print(f"  {key if k == 0 else '':9} {text}")
    if trains:
        print()
        _settings.show(args.name)
    return 0


def _all_rows() -> list[dict[str, Any]]:
    from ..equations.ledger import snapshot

    return snapshot()


def _line(place: str, tag: str) -> str:
    """ "  line 12: the source" of a tagged line, read from the installed package."""
    from ..equations.ledger import tagged_comments

    file, _, function = place.partition("::")
    path = Path(__file__).parents[2] / file
    if not path.is_file():
        return ""
    source = path.read_text("utf-8")
    for t in tagged_comments(file, source):
        if (t.tag, t.function) == (tag, function):
            return f"  line {t.line}: {source.splitlines()[t.line - 1].strip()}"
    return ""


def _show_game(args: argparse.Namespace) -> int:
    from ..equations import EQUATIONS
    from ..games import library
    from ._games import entry

    base = args.name.partition(":")[0]
    if base not in library.names():
        return _show_settings(args, (*EQUATIONS, *library.names()))
    found = entry(args.name)
    if args.json:
        as_json(_entry(found))
    else:
        _print_entry(found)
    return 0


def _show_settings(args: argparse.Namespace, others: Sequence[str]) -> int:
    """An algorithm or an environment, if that is its name or it is one's own."""
    from . import _settings
    from ._runs import own_modules

    known = _settings.names()
    own = any(sign in args.name for sign in ":.") and not args.name[0].isdecimal()
    if args.name not in known and not own:
        raise KeyError(_unknown(args.name, (*others, *known)))
    own_modules()
    if args.json:
        as_json(_settings.data(args.name))
    else:
        _settings.show(args.name)
    return 0


def _unknown(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"no equation, game, algorithm or environment {name!r}" + (
        f"; did you mean {near[0]!r}?" if near else ""
    )


def _entry(found: "Entry") -> dict[str, Any]:
    """A library game as plain data; probabilities are texts, exact."""
    game = found.game
    return {
        "name": found.name,
        "title": game.title,
        "players": list(game.players),
        "actions": [list(names) for names in game.actions],
        "payoffs": game.payoffs.tolist(),
        "parameters": dict(found.parameters),
        "source": found.source,
        "notes": found.notes,
        "equilibria": [[[str(p) for p in x] for x in profile] for profile in found.equilibria],
        "complete": found.complete,
        "value": None if found.value is None else str(found.value),
    }


def _print_entry(found: "Entry") -> None:
    from ..games.show import text

    game = found.game
    print(f"{found.name}: {game.title}\n\n{text(game)}\n")
    parameters = ", ".join(f"{key}={value}" for key, value in found.parameters.items())
    value = "" if found.value is None else str(found.value)
    for key, line in (
        ("source", found.source),
        ("notes", found.notes),
        ("parameters", parameters),
        ("value", value),
    ):
        if line:
            print(f"  {key:11} {line}")
    number = len(found.equilibria)
    whole = "all" if found.complete else "not all"
    print(f"\n  {number} published {'equilibrium' if number == 1 else 'equilibria'}, {whole}")
    for profile in found.equilibria:
        print("    " + " | ".join(" ".join(map(str, x)) for x in profile))
    print(f"\n  refmarl solve {found.name} computes them")
