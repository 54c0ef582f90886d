"""Run folders on the command line: finding them, and grouping those that differ in seed only."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..training.run import Run


class Group(NamedTuple):
    """Runs that differ in nothing but their seed."""

    label: str  # what sets them apart from the other groups of this environment
    env: str  # with its options
    folders: list[Path]
    runs: "list[Run]"


def own_modules() -> None:
    """Let ``module:name`` find modules of the folder one is in, after everything installed."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)


def find(paths: Sequence[Path]) -> list[Path]:
    """The run folders that were named, or that lie below a folder that was named.

    Raises
    ------
    InputError
        If one of the paths has none.
    """
    from ..check import InputError

    found: list[Path] = []
    for path in paths:
        below = [path] if (path / "run.json").is_file() else sorted(
            file.parent for file in path.rglob("run.json")
        )  # fmt: skip
        if not below:
            there = "no run here" if path.is_dir() else "no such folder"
            raise InputError(f"{path}: {there} (no run.json)")
        found += [folder for folder in below if folder not in found]
    return found


def sound(folders: Sequence[Path]) -> "tuple[list[tuple[Path, Run]], list[str]]":
    """(the folders whose run can be read, with it; what is wrong with the others)."""
    from ..check import InputError
    from ..training.run import read

    found, faults = [], []
    for folder in folders:
        try:
            found.append((folder, read(folder)))
        except InputError as error:
            faults.append(str(error))
    return found, faults


def complain(faults: Sequence[str]) -> None:
    """A line for each thing that went wrong while the rest went on."""
    for fault in faults:
        print(f"refmarl: error: {' '.join(fault.split())}", file=sys.stderr)


def different(found: "Sequence[tuple[Path, Run]]") -> "list[tuple[Path, Run]]":
    """The same without copies: runs of one seed and settings are one run, and count once."""
    kept: dict[str, tuple[Path, Run]] = {}
    for folder, run in found:
        other = kept.setdefault(f"{run.seed} {_what(run)}", (folder, run))
        if other[0] != folder:
            print(f"{folder}: left out, the same run as {other[0]}", file=sys.stderr)
    return list(kept.values())


def groups(found: "Sequence[tuple[Path, Run]]", dirs: Sequence[Path]) -> list[Group]:
    """The runs by algorithm, environment and settings; labels tell them apart.

    In the order of the ``dirs`` in which they were found, and within one by their settings.
    """
    parts: dict[str, list[tuple[Path, Run]]] = {}
    for folder, run in found:
        parts.setdefault(repr(_what(run)), []).append((folder, run))
    firsts = [members[0][1] for members in parts.values()]
    made = []
    for members in parts.values():
        folders, runs = zip(*members, strict=True)
        label = _apart(runs[0], [other for other in firsts if _env(other) == _env(runs[0])])
        made.append(Group(label, _env(runs[0]), list(folders), list(runs)))
    return sorted(made, key=lambda group: _order(group, dirs))


def _apart(run: "Run", others: "Sequence[Run]") -> str:
    """The algorithm if there are several; the settings in which others of it differ."""
    mine, kin = _what(run), [_what(o) for o in others if o.algorithm == run.algorithm]
    differ = [key for key, value in mine.items() if any(one.get(key) != value for one in kin)]
    words = [f"{key}={_text(mine[key])}" for key in differ]
    several = len({o.algorithm for o in others}) > 1
    return ", ".join([run.algorithm] * (several or not words) + words)


def _order(group: Group, dirs: Sequence[Path]) -> tuple[int, list[tuple[str, float, str]]]:
    folder = group.folders[0]
    rank = next(k for k, path in enumerate(dirs) if path == folder or path in folder.parents)
    return rank, [
        (key, value if isinstance(value, int | float) else 0.0, str(value))
        for key, value in _what(group.runs[0]).items()
    ]


def _what(run: "Run") -> dict[str, Any]:
    """All that makes a group: everything but the seed and the intervals."""
    from ..config import to_dict

    return {"algorithm": run.algorithm, "env": _env(run), **to_dict(run.config)}


def _env(run: "Run") -> str:
    options = ", ".join(f"{key}={_text(value)}" for key, value in run.env_options.items())
    return f"{run.env} ({options})" if options else run.env


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def shown(value: float) -> str:
    """A figure for a table."""
    return f"{value:.4g}"
