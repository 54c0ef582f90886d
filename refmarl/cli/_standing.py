"""``refmarl progress`` and ``refmarl submit``: where all exercises stand."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _check, _desk
from ._output import as_json

if TYPE_CHECKING:
    from ..grading.catalogue import Exercise

WIDTH = 24  # of a bar
SAYS = {
    "pass": "passed",
    "not-started": "not started",
    "changed": "changed since the last check",
    "blocked": "",
}


def rows(desk: _desk.Desk) -> "list[tuple[Exercise, dict[str, Any]]]":
    """Every exercise with what is known of it, nothing being run."""
    from ..grading.progress import standing

    out = []
    for exercise in desk.chosen.values():
        record = desk.state.of(exercise.label)
        status = standing(exercise, desk.path(exercise), record)
        waits = desk.state.blocks(exercise, desk.known)
        row = {
            "id": exercise.label,
            "title": exercise.title,
            "status": "blocked" if status == "not-started" and waits else status,
            "score": 0.0 if status == "not-started" else record.score,
            "max_score": exercise.points,
            "waits_for": waits,
            "hints_seen": record.hints,
            "gave_up": record.gave_up,
        }
        out.append((exercise, row))
    return out


def progress(desk: _desk.Desk, whole: bool, json: bool) -> int:
    """Bars by section, points, what is next."""
    from ..grading.progress import by_section, suggestion

    known = {e.label: row for e, row in rows(desk)}
    sections = {
        name: [known[e.label] for e in part]
        for name, part in by_section(desk.chosen.values()).items()
    }
    if json:
        following = suggestion(desk.chosen, desk.state)
        as_json(
            {
                "score": sum(row["score"] for row in known.values()),
                "max_score": sum(row["max_score"] for row in known.values()),
                "next": following.label if following else None,
                "sections": [{"section": k, **_sum(part)} for k, part in sections.items()],
            }
        )
        return 0
    paint = _desk.colourful()
    width = max(map(len, sections), default=0)
    for name, part in sections.items():
        print(f"{name:{width}}  {_bar(part)}")
        for row in part if whole else ():
            print(f"  {listed(row, paint)}")
    score, total = (sum(row[key] for row in known.values()) for key in ("score", "max_score"))
    print(f"\n{desk.title + ': ' if desk.title else ''}{score:g} of {total:g} points")
    print(_check.following(desk))
    return 0


def _sum(part: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "score": sum(row["score"] for row in part),
        "max_score": sum(row["max_score"] for row in part),
        "passed": sum(row["status"] == "pass" for row in part),
        "exercises": part,
    }


def _bar(part: list[dict[str, Any]]) -> str:
    done = _sum(part)
    full = int(WIDTH * done["score"] / done["max_score"])
    bar = "█" * full + "░" * (WIDTH - full)
    return f"{bar}  {done['passed']:2}/{len(part)} passed  {done['score']:g}/{done['max_score']}"


def listed(row: dict[str, Any], paint: bool) -> str:
    """One exercise in a line."""
    says = SAYS.get(row["status"], row["status"])
    if row["status"] == "blocked":
        says = f"first {', '.join(row['waits_for'])}"
    says += ", gave up" * row["gave_up"]
    points = f"{row['score']:g}/{row['max_score']}"
    sign = "○" if row["status"] == "changed" else _desk.mark(row["status"], paint)
    return f"{sign} {row['id']:22} {points:>7}  {says}"


def submit(desk: _desk.Desk, out: Path | None, json: bool) -> int:
    """Write the zip, and say what stands in it."""
    from ..grading.submit import submit as pack

    out = out or desk.folder / "submission.zip"
    files = pack(desk.folder, desk.chosen.values(), out)
    known = {e.label: row for e, row in rows(desk)}
    score = sum(known[f["id"]]["score"] for f in files)
    total = sum(row["max_score"] for row in known.values())
    if json:
        told = {"path": str(out), "provisional": True, "score": score, "max_score": total}
        as_json({**told, "files": [{**f, "status": known[f["id"]]["status"]} for f in files]})
        return 0
    paint = _desk.colourful()
    for f in files:
        print(listed(known[f["id"]], paint))
    print(f"\n{out}: {len(files)} of {len(known)} exercises, {score:g} of {total:g} points so far")
    print("This is provisional: it is graded again, on inputs that you have not seen.")
    unsure = [f["id"] for f in files if known[f["id"]]["status"] == "changed"]
    if unsure:
        print(f"Not checked since you changed it: {', '.join(unsure)}; refmarl check does")
    return 0
