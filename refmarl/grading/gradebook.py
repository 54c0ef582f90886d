"""The gradebook of a class: one row for everybody on the roster or among the submissions."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from ..check import InputError
from .intake import Arrival, shown

MAX_ROSTER = 10 * 2**20  # bytes
COLUMNS = ("id", "name", "submission", "submitted")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Person:
    """A row of the roster: ``submission`` is the name of the folder or zip, if it is not the id."""

    id: str
    name: str = ""
    submission: str = ""
    submitted: datetime | None = None


@dataclass
class Row:
    """A row of the gradebook: scores by label, and why somebody should look at it."""

    id: str
    name: str = ""
    submitted: datetime | None = None
    came: bool = True
    scores: Mapping[str, float] = field(default_factory=dict)
    attention: list[str] = field(default_factory=list)


def roster(path: Path, zone: tzinfo | None = None) -> list[Person]:
    """The people in a CSV file with a column ``id`` and, if they like, the others of ``COLUMNS``.

    ``zone`` is that of times without an offset. Other columns are left alone.

    Raises
    ------
    InputError
        If there is no column ``id``, an id is missing or there twice, or a time is none.
    """
    if path.stat().st_size > MAX_ROSTER:
        raise InputError(f"{path}: larger than {MAX_ROSTER >> 20} MiB")
    try:
        text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
        lines = list(csv.DictReader(text, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV file in UTF-8: {error}") from None
    if not lines or "id" not in lines[0]:
        raise InputError(f"{path}: need a line of headings with a column id, and rows below it")
    people: dict[str, Person] = {}
    for number, row in enumerate(lines, 2):
        cells = {key: (row.get(key) or "").strip() for key in COLUMNS}
        where = f"{path}: line {number}"
        if not cells["id"]:
            raise InputError(f"{where}: no id")
        if cells["id"] in people:
            raise InputError(f"{where}: the id {shown(cells['id'])} stands there twice")
        when = _time(cells["submitted"], zone, where)
        people[cells["id"]] = Person(cells["id"], cells["name"], cells["submission"], when)
    return list(people.values())


def _time(cell: str, zone: tzinfo | None, where: str) -> datetime | None:
    if not cell:
        return None
    try:
        when = datetime.fromisoformat(cell)
    except ValueError:
        raise InputError(
            f"{where}: submitted: need a time such as 2026-03-01T23:59:00+01:00, "
            f"got {shown(cell)!r}"
        ) from None
    if when.tzinfo is None and zone is None:
        raise InputError(f"{where}: submitted: {cell}: its offset from UTC is missing")
    return when if when.tzinfo else when.replace(tzinfo=zone)


def rows(people: Sequence[Person], arrived: Iterable[Arrival]) -> dict[str, Row]:
    """A row for each submission by its id, and for each person without one by theirs.

    A submission is that of the person whose ``submission`` is its name, or whose id is its id.
    """
    found: dict[str, Row] = {}
    by_name = {p.submission or p.id: p for p in people}
    left = {p.id: p for p in people}
    for arrival in arrived:
        person = by_name.get(arrival.name) or by_name.get(arrival.id)
        row = Row(arrival.id)
        if person and left.pop(person.id, None):
            row.name, row.submitted = person.name, person.submitted
            row.id = person.id
        elif people:
            says = "a second submission of" if person else "not on the roster"
            row.attention.append(f"{says} {person.id}" if person else says)
        found[arrival.id] = row
    for person in left.values():
        missing = Row(person.id, person.name, came=False)
        found[f"\0{person.id}"] = missing  # no submission has such an id
    return found


def table(book: Iterable[Row], most: Mapping[str, int]) -> str:
    """The gradebook as CSV, sorted by id; ``most`` are the points of each exercise by label.

    Texts that a spreadsheet would run as a formula begin with an apostrophe.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["id", "name", "submitted", *most, "score", "max_score", "needs_attention"])
    for row in sorted(book, key=lambda row: (row.id, row.came)):
        when = row.submitted.isoformat() if row.submitted else ""
        marks = [f"{row.scores.get(label, 0.0):g}" for label in most]
        score = f"{round(sum(row.scores.values()), 2):g}"
        says = "; ".join(row.attention if row.came else ["no submission", *row.attention])
        write([*map(cell, (row.id, row.name, when)), *marks, score, sum(most.values()), cell(says)])
    return out.getvalue()


def cell(text: str) -> str:
    """A text as a spreadsheet shows it and does not run it."""
    text = shown(text, 1000)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def changes(old: str, new: str) -> list[str]:
    """What another grading changed: lines such as "ann: 45 → 50"."""
    before, after = (
        {row["id"]: row["score"] for row in csv.DictReader(text.splitlines())}
        for text in (old, new)
    )
    return [
        f"{who}: {before[who]} → {score}"
        for who, score in after.items()
        if who in before and before[who] != score
    ]
