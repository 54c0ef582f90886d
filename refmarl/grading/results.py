"""Marks: what the grading of one exercise gave, and what becomes of it in a submission's results.

A ``Mark`` says which share of an exercise was earned, not how many points: points, deadlines and
what late work still counts are the assignment's, and may change without grading anything again.
"""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import __version__
from ..check import InputError

if TYPE_CHECKING:
    from .runner import Result

SCHEMA = 1
STATUSES = (
    "pass",
    "fail",
    "error",
    "timeout",
    "crash",
    "bad-return",
    "blocked",
    "not-started",
    "harness-error",
)
MAX_TEXT = 4000  # characters of any one text that a submission had a part in


@dataclass(frozen=True)
class Mark:
    """The verdict on one exercise: ``share`` of its points in [0, 1], and each law's own.

    ``properties`` are dicts of says, passed, counterexample and hint; ``message`` and ``printed``
    come from the student's code; ``mistake`` is the known wrong answer that it equals.

    Raises
    ------
    InputError
        If the status is none of ``STATUSES`` or the share is not in [0, 1].
    """

    id: str
    status: str
    share: float = 0.0
    properties: tuple[Mapping[str, Any], ...] = ()
    message: str = ""
    mistake: str = ""
    printed: str = ""

    def __post_init__(self) -> None:
        sound = type(self.share) is float and 0.0 <= self.share <= 1.0
        if self.status not in STATUSES or not sound:
            raise InputError(f"{self.id}: no mark: status {self.status!r}, share {self.share!r}")

    def as_dict(self) -> dict[str, Any]:
        """As plain dicts, lists, texts and numbers."""
        return asdict(self) | {"properties": [dict(p) for p in self.properties]}

    @staticmethod
    def of(row: Any) -> "Mark":
        """The mark that ``as_dict`` gave.

        Raises
        ------
        InputError
            If it is something else.
        """
        if not isinstance(row, dict) or set(row) != {f.name for f in fields(Mark)}:
            raise InputError("no mark: its fields are others")
        return Mark(**row | {"properties": tuple(row["properties"])})


def mark(result: "Result") -> Mark:
    """The mark of a result; texts are cut to ``MAX_TEXT`` and cleaned of control characters."""
    rows = result.as_json(reveal=True)["properties"]
    kept = tuple({key: _clean(value) for key, value in row.items()} for row in rows)
    says = result.mistake.says if result.mistake else ""
    texts = (clean(result.message), says, clean(result.printed))
    share = result.score / result.exercise.points
    return Mark(result.exercise.label, result.status, share, kept, *texts)


def _clean(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    """``text`` without characters that move the cursor, turn the direction or are no characters.

    Cut after ``MAX_TEXT`` characters, which is said.
    """
    from .report import clean as visible  # not above: what keeps the marks need not run laws

    return visible(text[:MAX_TEXT]) + "\n[cut here]" * (len(text) > MAX_TEXT)


class Points(NamedTuple):
    """What an exercise is worth in an assignment, and the share that counts for late work."""

    most: int
    counts: float = 1.0


def scored(one: Mark, points: Points) -> dict[str, Any]:
    """A row of ``exercises`` in every results file: id, score, max_score, status, properties, …"""
    row: dict[str, Any] = {
        "id": one.id,
        "score": round(points.most * one.share * points.counts, 2),
        "max_score": points.most,
        "status": one.status,
        "properties": [dict(p) for p in one.properties],
        "message": one.message,
        "mistake": one.mistake,
        "printed": one.printed,
    }
    return row if points.counts == 1.0 else row | {"late_counts": points.counts}


def total(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """{score, max_score, exercises} of a submission."""
    exercises = list(rows)
    return {
        "score": round(sum(row["score"] for row in exercises), 2),
        "max_score": sum(row["max_score"] for row in exercises),
        "exercises": exercises,
    }


@cache
def versions() -> dict[str, str]:
    """What a mark may depend on beside the sources: versions by name."""
    found = {"refmarl": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "numba", "hypothesis"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def fingerprint(secret: bytes | None) -> str:
    """What may be told of a hidden seed: enough to see that two are the same; '' for none."""
    return sha256(b"refmarl seed\n" + secret).hexdigest()[:16] if secret else ""
