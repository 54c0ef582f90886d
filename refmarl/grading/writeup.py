"""Writing up a class from its stored marks: reports, gradebook, summary; the same bytes each time.

Nothing here is added to what was there: every file is made again from the parts, and replaced only
where it differs. So grading may be killed and begun again as often as you like.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import feedback, gradebook, summary
from .classroom import Entrant, Setting
from .results import SCHEMA, Mark, Points, fingerprint, scored, total, versions
from .store import Part, Store, put, text


@dataclass(frozen=True)
class Outcome:
    """What a class came to: rows of the gradebook, harness errors, scores that changed."""

    rows: list[gradebook.Row]
    faults: int
    changed: list[str]


def write_up(
    setting: Setting,
    store: Store,
    entrants: list[Entrant],
    people: list[gradebook.Person],
    cases: bool,
    flags: Mapping[str, str],
) -> Outcome:
    """Write all files of a class but its parts.

    ``cases`` says whether students see the counterexamples; ``flags`` are further reasons to look
    at a submission, by its id.
    """
    book = gradebook.rows(people, [entrant.arrival for entrant in entrants])
    tally, faults = summary.Tally(), 0
    for entrant in entrants:
        row = book[entrant.arrival.id]
        parts = _parts(setting, store, entrant)
        for part in parts:
            tally.add(part.mark)
            faults += part.mark.status == "harness-error"
        row.attention += _attention(entrant, parts, flags.get(entrant.arrival.id, ""))
        results = _results(setting, entrant, parts, row.submitted, row)
        row.scores = {r["id"]: r["score"] for r in results["graded"]["exercises"]}
        _report(setting, store, entrant, results, cases)
    rows = list(book.values())
    most = {label: exercise.points for label, exercise in setting.exercises.items()}
    changed = _gradebook(store, gradebook.table(rows, most))
    title = setting.assignment.title
    put(store.root / "summary.md", summary.markdown(title, rows, most, tally))
    return Outcome(rows, faults, changed)


def _parts(setting: Setting, store: Store, entrant: Entrant) -> list[Part]:
    """The parts of a submission; one that is not there would be a fault of ours."""
    parts = []
    for label in setting.exercises:
        part = store.load(entrant.arrival.id, label)
        if part is None or part.key != entrant.keys[label]:
            says = "its mark disappeared while the class was graded"
            part = Part("", Mark(label, "harness-error", message=says))
        parts.append(part)
    return parts


def _attention(entrant: Entrant, parts: list[Part], flag: str) -> list[str]:
    """Why a person should look at this submission."""
    reasons = list(entrant.notes)
    for part in parts:
        if part.mark.status == "harness-error":
            reasons.append(f"{part.mark.id}: the grader failed")
        if part.first:
            reasons.append(f"{part.mark.id}: {part.first} at first, {part.mark.status} when alone")
    return reasons + [flag] * bool(flag)


def _results(
    setting: Setting,
    entrant: Entrant,
    parts: list[Part],
    submitted: datetime | None,
    row: gradebook.Row,
) -> dict[str, Any]:
    """results.json of one submission; what stands in ``graded`` depends on the files alone."""
    rows = []
    for part in parts:
        most = setting.exercises[part.mark.id].points
        counts = setting.assignment.share(part.mark.id, submitted)
        rows.append(scored(part.mark, Points(most, counts)))
    order = setting.order
    return {
        "schema": SCHEMA,
        "submission": {
            "id": row.id,
            "name": entrant.arrival.name.encode("utf-8", "backslashreplace").decode(),
            "sha256": entrant.sha256,
            "submitted": submitted.isoformat() if submitted else None,
            "ignored": list(entrant.ignored),
            "notes": list(entrant.notes),
        },
        "grader": versions() | {"seed": fingerprint(order.secret), "isolation": order.isolation},
        "graded": total(rows),
        "needs_attention": list(row.attention),
        "timing": {part.mark.id: part.seconds for part in parts},
    }


def _report(
    setting: Setting, store: Store, entrant: Entrant, results: dict[str, Any], cases: bool
) -> None:
    titles = {label: exercise.title for label, exercise in setting.exercises.items()}
    pieces = list(feedback.blocks(results, titles, cases))
    who = entrant.arrival.id
    put(store.report(who, "results.json"), text(results))
    put(store.report(who, "report.md"), feedback.markdown(pieces))
    title = f"{setting.assignment.title}: {results['submission']['id']}"
    put(store.report(who, "report.html"), feedback.page(pieces, title))


def _gradebook(store: Store, new: str) -> list[str]:
    """Write the gradebook; return the scores that are others than in the one that was there."""
    path = store.root / "gradebook.csv"
    old = path.read_text("utf-8") if path.is_file() else ""
    put(path, new)
    return gradebook.changes(old, new) if old else []
