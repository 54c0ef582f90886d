"""Published numbers, each with its source, and ours beside them.

The numbers are data (one JSON file for each section, keyed by S-number, fractions as text); what
computes ours stands in the section's module ``published``. A number is reproduced where it lies in
the *interval* of acceptance, published minus and plus a tolerance, entry by entry.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from importlib import import_module
from importlib.resources import files
from typing import Any, NamedTuple

from ..study import jsonable

_MODULES = {
    stem: f"refmarl.studies.{stem}.published"
    for stem in ("s1_games", "s2_cooperative", "s3_policy_gradient")
}


class Published(NamedTuple):
    """One published result: its S-number, where it stands, and its numbers."""

    name: str
    section: int
    title: str
    source: str
    tolerance: float
    data: dict[str, Any]
    module: str


class Found(NamedTuple):
    """Ours beside one published number or array of numbers; text and bools must be equal."""

    case: str
    published: Any
    got: Any
    tolerance: float = 0.0
    source: str = ""


def _load() -> dict[str, Published]:
    entries = {}
    for stem, module in _MODULES.items():
        data = json.loads(files(__package__).joinpath(f"{stem}.json").read_text("utf-8"))
        for name, entry in data.items():
            head = (entry["title"], entry["source"], entry["tolerance"])
            entries[name] = Published(name, int(name[1]), *head, entry, module)
    return entries


PUBLISHED = _load()


def choose(names: Sequence[str], section: int | None = None) -> list[Published]:
    """The published results of these names (all, where none is given), of one section or of all.

    Raises
    ------
    KeyError
        If a name is unknown; its argument names the nearest.
    """
    for name in names:
        if name not in PUBLISHED:
            from difflib import get_close_matches

            near = get_close_matches(name.upper(), PUBLISHED, n=1, cutoff=0.0)
            raise KeyError(f"no published result {name!r}; did you mean {near[0]!r}?")
    chosen = [PUBLISHED[name] for name in names or PUBLISHED]
    return [entry for entry in chosen if section in (None, entry.section)]


def reproduce(entry: Published, full: bool = False) -> list[dict[str, Any]]:
    """One row for each number of a published result, for tables and for JSON."""
    start = time.perf_counter()
    work: dict[str, Callable[[dict[str, Any], bool], Iterable[Found]]]
    work = import_module(entry.module).FOUND
    try:
        found = list(work[entry.name](entry.data, full))
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        found = [Found("computed", "without an error", text)]
    seconds = round((time.perf_counter() - start) / len(found), 4)
    return [_row(entry, f) | {"seconds": seconds} for f in found]


def _row(entry: Published, found: Found) -> dict[str, Any]:
    published, got = jsonable(exact(found.published)), jsonable(found.got)
    low, high = _shift(published, -found.tolerance), _shift(published, found.tolerance)
    return {
        "name": entry.name,
        "case": found.case,
        "section": entry.section,
        "source": found.source or entry.source,
        "published": published,
        "got": got,
        "interval": [low, high],
        "tolerance": f"± {found.tolerance:g}" if found.tolerance else "exact",
        "ok": _inside(got, low, high),
    }


def exact(value: Any) -> Any:
    """``value`` with fractions written as text ("1/3") as numbers, in lists of any depth."""
    if isinstance(value, list | tuple):
        return [exact(x) for x in value]
    if isinstance(value, str) and value[-1:].isdigit():
        return float(Fraction(value))
    return value


def _shift(value: Any, by: float) -> Any:
    if isinstance(value, list):
        return [_shift(x, by) for x in value]
    if isinstance(value, bool | str) or by == 0.0:
        return value
    return value + by


def _inside(got: Any, low: Any, high: Any) -> bool:
    """Whether low ≤ got ≤ high, entry by entry, in arrays of one shape."""
    if isinstance(low, list):
        same = isinstance(got, list) and len(got) == len(low)
        return same and all(_inside(*x) for x in zip(got, low, high, strict=True))
    if isinstance(low, bool | str) or isinstance(got, bool | str | list):
        return type(got) is type(low) and bool(got == low)
    return bool(low <= got <= high)
