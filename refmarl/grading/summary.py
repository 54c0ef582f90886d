"""What a class knows: how many broke which law, which mistakes came often, whom to look at."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .gradebook import Row
from .results import STATUSES, Mark

MISTAKES = 20  # told in the summary


@dataclass
class Tally:
    """Counts over the marks of a class; grows with the number of laws, not of students."""

    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)
    mistakes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, mark: Mark) -> None:
        """Count one mark."""
        self.statuses.setdefault(mark.id, Counter())[mark.status] += 1
        if mark.status in ("not-started", "harness-error"):
            return
        for law in mark.properties:
            self.tried[mark.id, law["says"]] += 1
            self.passed[mark.id, law["says"]] += bool(law["passed"])
        if mark.mistake:
            self.mistakes[mark.id, mark.mistake] += 1


def markdown(title: str, book: Iterable[Row], most: Mapping[str, int], tally: Tally) -> str:
    """summary.md."""
    people = list(book)
    came = sum(row.came for row in people)
    missing = f"; {len(people) - came} on the roster without one" if came < len(people) else ""
    lines = [f"# {title}", "", f"{came} submissions{missing}.", ""]
    lines += _attention(people) + _exercises(people, most, tally) + _laws(tally)
    return "\n".join(lines + _mistakes(tally)) + "\n"


def _attention(people: list[Row]) -> list[str]:
    flagged = sorted((row for row in people if row.attention), key=lambda row: row.id)
    if not flagged:
        return ["Nothing needs attention.", ""]
    lines = ["## Needs attention", "", "| who | why |", "|---|---|"]
    return [*lines, *(f"| {plain(r.id)} | {plain('; '.join(r.attention))} |" for r in flagged), ""]


def _exercises(people: list[Row], most: Mapping[str, int], tally: Tally) -> list[str]:
    seen = [s for s in STATUSES if any(counts[s] for counts in tally.statuses.values())]
    lines = ["## Exercises", "", f"| exercise | mean score | {' | '.join(seen)} |"]
    lines.append("|---" * (2 + len(seen)) + "|")
    came = [row for row in people if row.came]
    for label, points in most.items():
        mean = sum(row.scores.get(label, 0.0) for row in came) / max(1, len(came))
        counts = tally.statuses.get(label, Counter())
        cells = " | ".join(str(counts[s] or "") for s in seen)
        lines.append(f"| `{label}` | {mean:.2f} of {points} | {cells} |")
    return [*lines, ""]


def _laws(tally: Tally) -> list[str]:
    """Exercise by exercise, the law that most broke first."""
    order = {label: k for k, label in enumerate(tally.statuses)}
    lines = ["## Laws", "", "Of the answers that were begun, how many obey each law.", ""]
    lines += ["| exercise | law | obeyed | rate |", "|---|---|---|---|"]
    rows = sorted(
        tally.tried.items(), key=lambda x: (order[x[0][0]], tally.passed[x[0]] / x[1], x[0])
    )
    for (label, says), tried in rows:
        passed = tally.passed[label, says]
        rate = f"{passed} of {tried} | {passed / tried:.0%}"
        lines.append(f"| `{label}` | {plain(says)} | {rate} |")
    return [*lines, ""]


def _mistakes(tally: Tally) -> list[str]:
    if not tally.mistakes:
        return []
    lines = ["## Mistakes that came most often", "", "| how often | exercise | it looks like |"]
    lines.append("|---|---|---|")
    order = sorted(tally.mistakes.items(), key=lambda item: (-item[1], item[0]))
    lines += [f"| {n} | `{label}` | {plain(says)} |" for (label, says), n in order[:MISTAKES]]
    return [*lines, ""]


def plain(text: str) -> str:
    """``text`` in a cell of a Markdown table: one line, nothing in it means anything."""
    for mark in "\\`*_{}[]<>#|~!$":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
