"""What an instructor asks for: chosen exercises, points, deadlines, what late work still counts."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..check import InputError
from .catalogue import Exercise, exercises

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Late:
    """What work counts that comes after the deadline: as it stands, none.

    Each day begun takes off ``per_day`` of the points; after ``days``, if that is given, nothing
    counts. Work that is at most ``grace_minutes`` late is not late.
    """

    per_day: float = 1.0
    days: int | None = None
    grace_minutes: float = 0.0

    def share(self, late: timedelta) -> float:
        """The share of the points that counts, in [0, 1]."""
        if late <= timedelta(minutes=self.grace_minutes):
            return 1.0
        begun = math.ceil(late / DAY)
        if self.days is not None and begun > self.days:
            return 0.0
        return max(0.0, 1.0 - self.per_day * begun)


@dataclass(frozen=True)
class Assignment:
    """Chosen exercises by label, with the points they have here, and when they are due."""

    title: str
    exercises: dict[str, Exercise]
    deadlines: dict[str, datetime | None] = field(default_factory=dict)
    late: Late = Late()

    def share(self, label: str, handed_in: datetime | None) -> float:
        """The share of an exercise's points that counts for work of this time.

        All counts where the exercise has no deadline, or the time is not known. A time carries its
        offset from UTC.
        """
        due = self.deadlines.get(label)
        return 1.0 if due is None or handed_in is None else self.late.share(handed_in - due)


def load(path: Path, course: Path | None = None) -> Assignment:
    """The assignment in a TOML file; docs/exercises/assignments.md shows one.

    ``course`` is a folder of exercises of your own; the file may name one itself.

    Raises
    ------
    InputError
        If it is no TOML, has an unknown key, names an exercise that there is not, gives points
        below 1 or a time without its offset from UTC.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None
    known = {"title": str, "deadline": datetime, "course": str, "late": dict, "exercises": dict}
    _keys(path.name, data, known)
    if "course" in data and course is None:
        course = path.parent / data["course"]
    there = _there(course)
    if not data.get("exercises"):
        raise InputError(f"{path.name}: no exercise is chosen; need tables [exercises.LABEL]")
    chosen, due = {}, {}
    for label, row in data["exercises"].items():
        if label not in there:
            raise InputError(f"{path.name}: [exercises.{label}]: no such exercise")
        where = f"{path.name}: [exercises.{label}]"
        if not isinstance(row, dict):
            raise InputError(f"{where}: need a table, got {row!r}")
        _keys(where, row, {"points": int, "deadline": datetime})
        if row.get("points", 1) < 1:
            raise InputError(f"{where}: points: need at least 1, got {row['points']}")
        chosen[label] = replace(there[label], points=row.get("points", there[label].points))
        due[label] = _aware(where, row.get("deadline", data.get("deadline")))
    title = data.get("title", path.stem)
    return Assignment(title, chosen, due, _late(path.name, data.get("late", {})))


def _there(course: Path | None) -> dict[str, Exercise]:
    """What may be chosen: a folder's own exercises beside those that are installed."""
    return exercises() | (exercises(course) if course else {})


def _keys(where: str, row: dict[str, Any], known: Mapping[str, type | tuple[type, ...]]) -> None:
    for key, value in row.items():
        if key not in known:
            raise InputError(f"{where}: unknown key {key!r}; there are {', '.join(known)}")
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise InputError(f"{where}: {key}: {_NEEDS[key]}, got {value!r}")


_NEEDS = {
    "title": "need a text",
    "course": "need the name of a folder",
    "deadline": "need a time such as 2026-03-01T23:59:00+01:00",
    "late": "need a table",
    "exercises": "need tables [exercises.LABEL]",
    "points": "need a whole number",
    "per_day": "need a share in [0, 1]",
    "days": "need a whole number",
    "grace_minutes": "need minutes",
}


def _aware(where: str, when: datetime | None) -> datetime | None:
    if when is not None and when.tzinfo is None:
        says = f"its offset from UTC is missing; write {when.isoformat()}+01:00, say"
        raise InputError(f"{where}: deadline {when.isoformat()}: {says}")
    return when


def _late(file: str, row: dict[str, Any]) -> Late:
    where, number = f"{file}: [late]", (int, float)
    _keys(where, row, {"per_day": number, "days": int, "grace_minutes": number})
    late = Late(**row)
    sound = 0 <= late.per_day <= 1 and (late.days or 0) >= 0 and 0 <= late.grace_minutes < math.inf
    if not sound or (row and "per_day" not in row):
        raise InputError(f"{where}: need per_day in [0, 1], days and grace_minutes ≥ 0; got {row}")
    return late
