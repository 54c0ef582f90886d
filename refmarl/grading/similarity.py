"""Which submissions resemble each other: an aid for a person, never a mark.

Files are compared by fingerprints of their tokens, without those of the stub and without those
that many submissions have. Beside each pair stands how much both resemble the published solution:
two that copied the same page are not two that copied from each other.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..check import Array
from .catalogue import Exercise
from .sandbox import SOURCE, plan
from .summary import plain

Prints = dict[str, frozenset[int]]  # by label

COMMON = 0.3  # share of the submissions beyond which a fingerprint is what everybody writes
FEW = 3  # as many may always have one
ALIKE, ENOUGH = 0.7, 15  # from this likeness, with as many shared fingerprints, a pair is flagged
SHOWN = 50  # pairs in the report
SECONDS = 20.0  # for the files of one submission
MEMORY = 512 * 2**20
MAX_ANSWER = 16 * 2**20
_CHILD = """
import json, sys
given = json.loads(sys.stdin.buffer.read())
spaces = [{"__name__": "inside"}, {"__name__": "prints"}]
exec(given["texts"][0], spaces[0])
exec(given["texts"][1], spaces[1])
spaces[0]["apply"](given["plan"])
made = {k: spaces[1]["fingerprints"](bytes.fromhex(x)) for k, x in given["files"].items()}
sys.stdout.write(json.dumps(made))
"""


@dataclass(frozen=True)
class Pair:
    """Two submissions by index: shared fingerprints, their share of the smaller one's, where."""

    one: int
    two: int
    shared: int
    likeness: float
    where: tuple[str, ...]


def read(sources: Mapping[str, bytes], isolation: int) -> dict[str, tuple[list[int], list[int]]]:
    """Fingerprints of source files by label, made in a child; empty if it fails on them."""
    text = (files(__package__) / "fingerprints.py").read_text("utf-8")
    asked = plan(isolation, (), {"CPU": int(SECONDS), "AS": MEMORY})
    given: dict[str, Any] = {"texts": [SOURCE, text], "plan": asked}
    given["files"] = {label: data.hex() for label, data in sources.items()}
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", _CHILD],
            input=json.dumps(given).encode(),
            capture_output=True,
            timeout=SECONDS,
            env={},
            cwd="/",
            start_new_session=True,
        )
        made = json.loads(child.stdout[:MAX_ANSWER])
        return {str(k): (list(map(int, a)), list(map(int, b))) for k, (a, b) in made.items()}
    except (subprocess.TimeoutExpired, ValueError, TypeError, AttributeError, RecursionError):
        return {}


@dataclass(frozen=True)
class Stencil:
    """Of each exercise: what the stub has in it, and the fingerprints of the solution."""

    stub: Prints
    solution: Prints

    @staticmethod
    def of(exercises: Mapping[str, Exercise], isolation: int) -> "Stencil":
        """Read from the course."""
        stubs = read({k: e.stub().encode() for k, e in exercises.items()}, isolation)
        there = {k: e.solution for k, e in exercises.items() if e.solution.is_file()}
        solved = read({k: path.read_bytes() for k, path in there.items()}, isolation)
        stub = {k: frozenset(every) for k, (_, every) in stubs.items()}
        solution = {
            k: frozenset(kept) - stub.get(k, frozenset()) for k, (kept, _) in solved.items()
        }
        return Stencil(stub, solution)

    def prints(self, sources: Mapping[str, bytes], isolation: int) -> Prints:
        """The fingerprints of a submission's files that are its own."""
        made = read(sources, isolation)
        return {k: frozenset(kept) - self.stub.get(k, frozenset()) for k, (kept, _) in made.items()}

    def published(self, own: Prints) -> float:
        """Which share of a submission's fingerprints the published solutions have."""
        shared = sum(len(found & self.solution.get(k, frozenset())) for k, found in own.items())
        return shared / max(1, sum(map(len, own.values())))


def pairs(prints: Sequence[Prints]) -> list[Pair]:
    """All pairs that share anything that is not common, most alike first."""
    n = len(prints)
    shared, least = np.zeros((n, n)), np.zeros((n, n))
    each: dict[str, Array] = {}
    for label in sorted({label for own in prints for label in own}):
        has = _presence([own.get(label, frozenset()) for own in prints])
        sizes = has.sum(axis=1)
        smaller = np.minimum(sizes[:, None], sizes[None, :])
        both = has @ has.T
        shared += both
        least += smaller
        each[label] = both / np.maximum(smaller, 1.0)
    likeness = shared / np.maximum(least, 1.0)
    found = []
    for i, j in zip(*np.nonzero(np.triu(shared, 1)), strict=True):
        where = tuple(label for label, share in each.items() if share[i, j] >= ALIKE)
        alike = float(likeness[i, j])
        found.append(Pair(int(i), int(j), int(shared[i, j]), alike, where))
    return sorted(found, key=lambda p: (-p.likeness * min(1.0, p.shared / ENOUGH), p.one, p.two))


def _presence(prints: Sequence[frozenset[int]]) -> Array:
    """(n, H): who has which fingerprint, of those that few have."""
    counts = Counter(one for own in prints for one in own)
    most = max(FEW, COMMON * len(prints))
    column = {h: k for k, h in enumerate(sorted(h for h, c in counts.items() if c <= most))}
    has = np.zeros((len(prints), max(1, len(column))))
    for row, own in enumerate(prints):
        has[row, [column[h] for h in own if h in column]] = 1.0
    return has


def flagged(pair: Pair) -> bool:
    """Whether a person should look at a pair."""
    return pair.likeness >= ALIKE and pair.shared >= ENOUGH


def report(ids: Sequence[str], found: Sequence[Pair], published: Sequence[float]) -> str:
    """similarity.md."""
    lines = [
        "# Similarity",
        "",
        "Likeness is the share of the smaller submission's fingerprints that the other one has",
        "too; names, comments and the order of functions play no part, nor does what many wrote.",
        "High likeness is a reason to read both, and proves nothing. *Published* is the share",
        "that the published solutions have: two that both follow them resemble each other, too.",
        "",
        "| likeness | shared | one | published | the other | published | exercises |",
        "|---|---|---|---|---|---|---|",
    ]
    for pair in found[:SHOWN]:
        both = (pair.one, pair.two)
        ends = [f"{plain(ids[k])} | {published[k]:.0%}" for k in both]
        where = ", ".join(f"`{label}`" for label in pair.where)
        mark = f"**{pair.likeness:.0%}**" if flagged(pair) else f"{pair.likeness:.0%}"
        lines.append(f"| {mark} | {pair.shared} | {' | '.join(ends)} | {where} |")
    return "\n".join(lines) + "\n"


def compared(
    ids: Sequence[str],
    sources: Callable[[str], Mapping[str, bytes]],
    exercises: Mapping[str, Exercise],
    isolation: int,
    tell: Callable[[str], None],
) -> tuple[str, dict[str, str]]:
    """(similarity.md, {id: why to look at it}) of a class; ``sources`` gives the files of an id."""
    stencil = Stencil.of(exercises, isolation)
    prints = []
    for who in ids:
        tell(f"comparing {who}")
        prints.append(stencil.prints(sources(who), isolation))
    found = pairs(prints)
    flags: dict[str, str] = {}
    for pair in (p for p in found if flagged(p)):
        for k, other in ((pair.one, pair.two), (pair.two, pair.one)):
            says = f"{pair.likeness:.0%} like {ids[other]}: similarity.md"
            flags.setdefault(ids[k], says)
    return report(ids, found, [stencil.published(own) for own in prints]), flags


def graded_files(home: Path, exercises: Mapping[str, Exercise]) -> dict[str, bytes]:
    """The files of a submission by label, from the folder of what was graded."""
    paths = {label: home / e.path for label, e in exercises.items()}
    return {label: path.read_bytes() for label, path in paths.items() if path.is_file()}
