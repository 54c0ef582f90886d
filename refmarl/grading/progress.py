"""How far a student is: what each check gave, hints seen, solutions shown; kept in one file.

The file may be deleted at any time: what is lost is the memory, no work.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import files
from .catalogue import Exercise, untouched

NAME = ".refmarl-state.json"
SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """What is remembered of one exercise.

    ``status`` and ``score`` are of the last check, which saw the file with this ``sha256``;
    ``passed`` stays once every law has held.
    """

    status: str = ""
    score: float = 0.0
    max_score: float = 0.0
    sha256: str = ""
    passed: bool = False
    hints: int = 0
    gave_up: bool = False
    checks: int = 0


@dataclass
class State:
    """The records by label, and the exercise that was checked last."""

    folder: Path
    records: dict[str, Record] = field(default_factory=dict)
    last: str = ""

    def of(self, label: str) -> Record:
        """The record of an exercise, an empty one at first."""
        return self.records.get(label, Record())

    def change(self, label: str, **values: Any) -> None:
        """Change fields of a record."""
        self.records[label] = replace(self.of(label), **values)

    def blocks(self, exercise: Exercise, known: Mapping[str, Exercise]) -> list[str]:
        """What an exercise requires and is not passed yet."""
        return [x for x in exercise.requires if x in known and not self.of(x).passed]

    def save(self) -> None:
        """Write the file, whole or not at all."""
        rows = {label: asdict(record) for label, record in sorted(self.records.items())}
        data = {"schema": SCHEMA, "last": self.last, "exercises": rows}
        files.replace(self.folder / NAME, json.dumps(data, indent=1) + "\n")


def load(folder: Path) -> State:
    """The state kept in a folder: an empty one if there is none, or it cannot be read."""
    try:
        data = json.loads((folder / NAME).read_text("utf-8"))
        if data["schema"] != SCHEMA:
            return State(folder)
        records = {str(label): _record(row) for label, row in data["exercises"].items()}
        return State(folder, records, str(data["last"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return State(folder)


def _record(row: Mapping[str, Any]) -> Record:
    """A record of a file that anybody may have edited."""
    kinds: dict[str, Any] = {f.name: type(f.default) for f in fields(Record)}
    return Record(**{k: kind(row[k]) for k, kind in kinds.items() if k in row})


def in_order(chosen: Mapping[str, Exercise]) -> list[Exercise]:
    """The exercises as they come, but what one requires before it."""
    out: dict[str, Exercise] = {}

    def take(exercise: Exercise) -> None:
        for label in exercise.requires:
            if label in chosen and label not in out:
                take(chosen[label])
        out.setdefault(exercise.label, exercise)

    for exercise in chosen.values():
        take(exercise)
    return list(out.values())


def standing(exercise: Exercise, path: Path, record: Record) -> str:
    """The status of an exercise without running anything.

    It is that of the last check, ``changed`` where the file is another one by now, and
    ``not-started`` where it is the stub or not there.
    """
    if not path.is_file():
        return "not-started"
    data = path.read_bytes()
    if untouched(exercise, data):
        return "not-started"
    return record.status if record.sha256 == digest(data) else "changed"


def digest(data: bytes) -> str:
    """What tells one version of a file from another."""
    return sha256(data).hexdigest()


def suggestion(
    known: Mapping[str, Exercise], state: State, after: str | None = None
) -> Exercise | None:
    """What to do next: an exercise that is not passed, but all that it requires is.

    It is the first from that which was checked last on, going round; or the first behind ``after``.
    """
    order = in_order(known)
    labels = [exercise.label for exercise in order]
    here = after or state.last
    at = labels.index(here) + bool(after) if here in labels else 0
    for exercise in order[at:] + order[:at]:
        if not state.of(exercise.label).passed and not state.blocks(exercise, known):
            return exercise
    return None


def by_section(chosen: Iterable[Exercise]) -> dict[str, list[Exercise]]:
    """The exercises by their folder, in order of first appearance."""
    out: dict[str, list[Exercise]] = {}
    for exercise in chosen:
        out.setdefault(exercise.folder, []).append(exercise)
    return out
