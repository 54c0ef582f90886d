"""The race: same inputs, answers first, then everybody in turn.

At one size of a task everybody runs once on each input, under the time limit, and the answers are
judged. Those that are right on all inputs then run in turn, ours, the first peer, the second, …,
``repeat`` times, so that what disturbs the machine disturbs all of them. A *lap* is all inputs,
each often enough for the clock to be accurate; what is compared are the medians of the laps.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from statistics import fmean, median, quantiles
from typing import Any, Protocol

from .side import Run, Side
from .task import Peer, Task
from .worker import Failed, OverLimit, Worker

REPEAT = 7  # laps, at least
LIMIT = 1.0  # seconds of a peer's call, on one input
OURS = 120.0  # seconds of our own call: beyond, something is broken
START = 120.0  # seconds to import a package, compile, and prepare the inputs
LEAST = 0.02  # seconds that the runs on one input shall last in a lap
ROW = ("peer", "peer_s", "ratio", "lower_bound", "correct", "peer_quartiles", "note")
HANGS = 20.0  # a lap may take so many times what the first took


class Caller(Protocol):
    """Where a side lives: a :class:`~refmarl.bench.worker.Worker`, or a stand-in."""

    def call(self, limit: float, method: str, *args: Any) -> Any:
        """Call a method of the :class:`~refmarl.bench.side.Side`."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to measure."""

    seed: int = 0
    repeat: int = REPEAT
    limit: float = LIMIT
    least: float = LEAST


@dataclass
class Entrant:
    """Somebody in the race, and how it went."""

    peer: Peer
    run: Run
    answers: list[Any] = field(default_factory=list)
    first: list[float] = field(default_factory=list)  # seconds of the first runs
    laps: list[float] = field(default_factory=list)
    right: int = 0
    note: str = ""
    limit: float = 0.0  # seconds it was given for a call, where that was not enough

    @property
    def over(self) -> bool:
        """Whether it was over the limit."""
        return self.limit > 0.0

    @property
    def seconds(self) -> float | None:
        """The median lap."""
        return median(self.laps) if self.laps else None

    @property
    def quartiles(self) -> list[float] | None:
        """The lower and the upper quartile of the laps."""
        if len(self.laps) < 2:
            return None
        low, _, high = quantiles(self.laps, n=4, method="inclusive")
        return [low, high]


def race(
    task: Task,
    size: int,
    caller: Callable[[str], Caller],
    options: Options,
    beaten: dict[str, int],
) -> list[dict[str, Any]]:
    """The rows of one size of a task, one for each peer that is installed.

    ``beaten`` maps a peer to the size at which it was over the limit, and is kept up to date:
    larger sizes are not tried.
    """
    ours, *others = (
        Entrant(p, Run(task.name, p.name, size, options.seed))
        for p in task.everybody
        if p is task.ours or p.installed
    )
    peers = [e for e in others if e.peer not in task.measured]
    unjudged = [e for e in others if e.peer in task.measured]
    given = tuple(task.inputs(options.seed, size))
    for entrant in [ours, *peers, *unjudged]:
        if entrant.peer.name in beaten:
            entrant.note = f"not tried: over the limit at size {beaten[entrant.peer.name]}"
        elif entrant.peer.largest is not None and size > entrant.peer.largest:
            entrant.note = f"not tried beyond size {entrant.peer.largest}"
        else:
            allowed = max(options.limit, task.patience)
            limit = allowed if entrant in peers else OURS
            _answer(entrant, caller(entrant.peer.package), limit, max(START, task.patience))
        if entrant.over:
            beaten[entrant.peer.name] = size
    _judge(task, given, ours, peers)
    if ours.first and fmean(ours.first) > max(options.limit, task.patience):
        ours.laps, ours.note = [fmean(ours.first)], "over the limit, timed once"
    fit = [e for e in [ours, *peers] if e.right == len(given) and not e.note]
    _run([*fit, *(e for e in unjudged if not e.note)], len(given), caller, options)
    return _rows(task, size, ours, peers, unjudged, len(given))


def _answer(entrant: Entrant, caller: Caller, limit: float, start: float) -> None:
    """One run on each input, by a peer that has been warmed up in ``start`` seconds."""
    try:
        for k in range(caller.call(start, "load", entrant.run)):
            seconds, answer = caller.call(limit, "answer", entrant.run, k)
            entrant.answers.append(answer)
            entrant.first.append(seconds)
    except OverLimit:
        entrant.limit, entrant.note = limit, f"over the limit of {limit:g} s"
    except Failed as error:
        entrant.note = f"failed: {error}"


def _judge(task: Task, given: Sequence[Any], ours: Entrant, peers: Sequence[Entrant]) -> None:
    """Count the answers that are right; our own failure leaves nothing to compare with."""
    if len(ours.answers) < len(given):
        return
    for k, one in enumerate(given):
        there = [e for e in [ours, *peers] if len(e.answers) > k]
        truth = task.truth(one, [e.answers[k] for e in there])
        for entrant in there:
            entrant.right += bool(task.same(truth, entrant.answers[k]))


def _run(
    runners: Sequence[Entrant], number: int, caller: Callable[[str], Caller], options: Options
) -> None:
    """All laps, in turn. Who does not come back from one is out."""
    loops: dict[str, int] = {}
    allowed: dict[str, float] = {}
    for lap in range(options.repeat + 1):
        for entrant in runners:
            name = entrant.peer.name
            if entrant.note:
                continue
            try:
                worker, patience = caller(entrant.peer.package), allowed.get(name, START)
                taken = worker.call(patience, "lap", entrant.run, loops.get(name, 1))
            except (OverLimit, Failed) as error:
                entrant.note, entrant.laps = f"lost after {lap} laps: {error}", []
                continue
            if lap > 0:
                entrant.laps.append(taken)
            else:  # only to see how long it takes
                once = entrant.peer.seconds is not None or taken <= 0.0
                loops[name] = 1 if once else max(1, ceil(options.least / taken))
                allowed[name] = max(START, HANGS * number * taken * loops[name])


def _rows(
    task: Task,
    size: int,
    ours: Entrant,
    peers: Sequence[Entrant],
    unjudged: Sequence[Entrant],
    number: int,
) -> list[dict[str, Any]]:
    """One row for each peer, or one without a peer; keys are listed in docs/bench.md."""
    seconds = {e.peer.name: e.seconds for e in unjudged}
    limit = seconds.get(task.limit.name) if task.limit else None
    bounded = seconds.get(task.part.name) if task.part else ours.seconds
    shared = {
        "task": task.name,
        "size": size,
        "ours_s": ours.seconds,
        "limit_s": limit,
        "limit_share": limit / bounded if limit is not None and bounded else None,
        "ours_correct": ours.right,
        "of": number,
        "ours_quartiles": ours.quartiles,
        "repeats": len(ours.laps),
    }
    alone: dict[str, Any] = dict.fromkeys(ROW)
    alone |= {"lower_bound": False, "note": ours.note or "no peer is installed"}
    return [shared | _row(ours, peer, number) for peer in peers] or [shared | alone]


def _row(ours: Entrant, peer: Entrant, number: int) -> dict[str, Any]:
    """What concerns the peer. Over the limit, its time and the ratio are lower bounds."""
    seconds, note = peer.seconds, peer.note
    if peer.over and peer.right == len(peer.answers):
        seconds = (sum(peer.first) + peer.limit) / number
    elif not note and len(ours.answers) == number and peer.right < number:
        note = f"{number - peer.right} of {number} answers wrong: not in the race"
    ratio = seconds / ours.seconds if seconds is not None and ours.seconds else None
    return {
        "peer": peer.peer.name,
        "peer_s": seconds,
        "ratio": ratio,
        "lower_bound": peer.over and ratio is not None,
        "correct": peer.right if len(peer.answers) == len(ours.answers) == number else None,
        "peer_quartiles": peer.quartiles,
        "note": "; ".join(t for t in (note, ours.note and f"ours: {ours.note}") if t),
    }


def tournament(
    tasks: Sequence[Task],
    options: Options,
    quick: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[list[dict[str, Any]]]:
    """The rows of each size of each task, as they are measured."""
    with _workers(tasks) as caller:
        for task in tasks:
            beaten: dict[str, int] = {}
            for size in task.quick if quick else task.sizes:
                say(f"{task.name} {size}")
                yield race(task, size, caller, options, beaten)


@contextmanager
def _workers(tasks: Sequence[Task]) -> Iterator[Callable[[str], Worker]]:
    """A process for each package, started when it is first needed."""
    side = partial(Side, {task.name: task for task in tasks})
    workers = {peer.package: Worker(side) for task in tasks for peer in task.everybody}
    try:
        yield workers.__getitem__
    finally:
        for worker in workers.values():
            worker.close()


def missing(tasks: Sequence[Task]) -> list[str]:
    """The packages of peers that are not installed."""
    return sorted({p.package for task in tasks for p in task.peers if not p.installed})
