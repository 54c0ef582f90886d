"""Grading a class: take in, grade what is not graded yet, grade time-outs again alone, write up."""

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from .assignment import Assignment
from .catalogue import Exercise
from .crew import Crew, Order, Task
from .intake import Arrival, gathered
from .provenance import key
from .results import Mark
from .store import Part, Store
from .unattended import without_grading

DEATHS = 2  # of grading processes on one file, before that is the verdict
Tell = Callable[["Progress"], None]


@dataclass
class Progress:
    """How far a class is: marks that there are, of all; those found from before; what went on."""

    total: int
    done: int = 0
    found: int = 0
    replaced: int = 0
    again: int = 0
    doing: str = ""


@dataclass(frozen=True)
class Setting:
    """What is graded and how. ``known`` are all exercises: an answer may import another one's."""

    assignment: Assignment
    known: Mapping[str, Exercise]
    order: Order
    jobs: int

    @property
    def exercises(self) -> Mapping[str, Exercise]:
        """Those that are graded, by label."""
        return self.assignment.exercises


@dataclass
class Entrant:
    """A submission that was taken in: what came of its files is in the store, by these keys."""

    arrival: Arrival
    sha256: str
    keys: dict[str, str]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def take_in(setting: Setting, store: Store, arrival: Arrival) -> tuple[Entrant, list[Task]]:
    """Copy a submission's files into the store; return them and what has to be graded.

    What needs no grading is marked here: files that are missing, as they were handed out, or no
    source files.
    """
    got = gathered(arrival.path, {label: e.path for label, e in setting.known.items()})
    store.keep(arrival.id, {setting.known[k].path: data for k, data in got.files.items()})
    keys: dict[str, str] = {}
    tasks = []
    order = setting.order
    for label, exercise in setting.exercises.items():
        near = {k: got.files[k] for k in beside(setting.known, exercise) if k in got.files}
        keys[label] = key(exercise, near, order.secret, order.isolation)
        mark = without_grading(got, exercise)
        stored = store.load(arrival.id, label)
        if mark:
            keys[label] = f"not graded: {mark.status} {mark.message}"
            if stored is None or stored.key != keys[label]:
                store.save(arrival.id, Part(keys[label], mark))
        elif stored is None or stored.key != keys[label] or stored.mark.status == "harness-error":
            tasks.append(Task(arrival.id, label, store.file(arrival.id, exercise.path)))
    return Entrant(arrival, got.sha256, keys, got.ignored, got.notes), tasks


def beside(exercises: Mapping[str, Exercise], exercise: Exercise) -> list[str]:
    """The exercises whose files the answer to ``exercise`` may import: those in its folder."""
    return [label for label, other in exercises.items() if other.folder == exercise.folder]


class Schedule:
    """Tasks by exercise: a process stays with an exercise, whose cases it then has at hand."""

    def __init__(self, tasks: list[Task]) -> None:
        self.waiting: dict[str, deque[Task]] = {}
        for task in tasks:
            self.waiting.setdefault(task.label, deque()).append(task)
        self.at: dict[int, str] = {}

    def next(self, slot: int) -> Task | None:
        """What the process in ``slot`` should do: of its exercise, of a new one, of the longest."""
        if not self.waiting.get(self.at.get(slot, "")):
            left = {label for label, queue in self.waiting.items() if queue}
            if not left:
                return None
            free = [label for label in self.waiting if label in left - set(self.at.values())]
            longest = max(sorted(left), key=lambda label: len(self.waiting[label]))
            self.at[slot] = free[0] if free else longest
        return self.waiting[self.at[slot]].popleft()

    def back(self, task: Task) -> None:
        """Put a task back, to be done next of its exercise."""
        self.waiting[task.label].appendleft(task)


class Graded(NamedTuple):
    """A task with its mark."""

    task: Task
    mark: Mark
    seconds: float


def grade(
    crew: Crew, tasks: list[Task], progress: Progress, tell: Tell, alone: bool = False
) -> Iterator[Graded]:
    """The answers to all tasks as they come; a file on which processes die is tried twice."""
    schedule, deaths = Schedule(tasks), Counter[Task]()
    left = len(tasks)

    def occupy() -> None:
        for slot in crew.idle():
            task = schedule.next(slot)
            if task:
                progress.doing = f"{task.label}, {'alone: ' if alone else ''}{task.student}"
                crew.give(slot, task)

    while left:
        occupy()
        for answer in crew.wait():
            occupy()  # before this answer is written to the disk
            mark = answer.mark
            if mark is None:
                progress.replaced += 1
                deaths[answer.task] += 1
                if deaths[answer.task] < DEATHS:
                    schedule.back(answer.task)
                    continue
                says = f"the grading process died {DEATHS} times on this file"
                mark = Mark(answer.task.label, "harness-error", message=says)
            left -= 1
            yield Graded(answer.task, mark, answer.seconds)
        tell(progress)


class Journal:
    """run.jsonl: what happened and when, a line each; nothing is computed from it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, event: str, **what: Any) -> None:
        """Append a line."""
        row = {"time": round(time.time(), 3), "event": event} | what
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def mark_all(setting: Setting, store: Store, arrived: list[Arrival], tell: Tell) -> list[Entrant]:
    """Have a mark of every exercise of every submission in the store."""
    progress = Progress(len(arrived) * len(setting.exercises))
    journal = Journal(store.root / "run.jsonl")
    journal.add("begin", submissions=len(arrived), isolation=setting.order.isolation)
    entrants, tasks = [], []
    for arrival in arrived:
        progress.doing = f"taking in {arrival.id}"
        entrant, todo = take_in(setting, store, arrival)
        entrants.append(entrant)
        tasks += todo
        progress.done = progress.found = len(entrants) * len(setting.exercises) - len(tasks)
        tell(progress)
    log = store.root / "grader.log"
    keys = {(e.arrival.id, label): k for e in entrants for label, k in e.keys.items()}
    with Crew(max(1, min(setting.jobs, len(tasks))), setting.order, log) as crew:
        for answer in grade(crew, tasks, progress, tell):
            _store(store, journal, answer, Part(keys[answer.task[:2]], *answer[1:]))
            progress.done += 1
    _again(setting, store, entrants, progress, tell)
    journal.add("end", **{k: v for k, v in vars(progress).items() if isinstance(v, int)})
    return entrants


def _store(store: Store, journal: Journal, answer: Graded, part: Part) -> None:
    student, label, _ = answer.task
    store.save(student, part)
    journal.add("graded", id=student, exercise=label, status=part.mark.status, s=answer.seconds)


def _again(
    setting: Setting, store: Store, entrants: list[Entrant], progress: Progress, tell: Tell
) -> None:
    """Grade once more, alone on the machine, what took too long while others were graded.

    The better verdict counts. What was tried twice already is left, so that this may be killed.
    """
    journal = Journal(store.root / "run.jsonl")
    before: dict[tuple[str, str], Part] = {}
    tasks = []
    for entrant in entrants:
        student = entrant.arrival.id
        for label, exercise in setting.exercises.items():
            part = store.load(student, label)
            if part and part.mark.status == "timeout" and part.tries == 1:
                before[student, label] = part
                tasks.append(Task(student, label, store.file(student, exercise.path)))
    progress.again = len(tasks)
    with Crew(1, setting.order, store.root / "grader.log") as crew:
        for answer in grade(crew, tasks, progress, tell, alone=True):
            old = before[answer.task[:2]]
            _store(store, journal, answer, better(old, answer))


def better(old: Part, answer: Graded) -> Part:
    """The part of two verdicts on a file: the one with more points, the first if they are equal."""
    new = answer.mark
    no_better = new.status in ("timeout", "harness-error") and new.share <= old.mark.share
    if no_better or new.share < old.mark.share:
        return replace(old, tries=2)
    return Part(old.key, new, answer.seconds, tries=2, first=old.mark.status)
