"""Several runs at once: each in its own folder, by processes that share nothing.

A worker that dies is replaced and its run continues from its checkpoint; how many workers there
are changes no bit of any run.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, positive
from . import checkpoint
from .folder import ERROR
from .registry import told
from .run import Report, Run, train

RESTARTS = 3  # of the pool, after a worker died
POLL = 0.5  # seconds between two looks at the folders


class Job(NamedTuple):
    """A run and where it goes."""

    run: Run
    folder: Path

    @property
    def iterations(self) -> int:
        """How many it has in all."""
        return self.run.iterations


class Standing(NamedTuple):
    """How far a job has come."""

    job: Job
    iteration: int
    row: dict[str, float]  # the last line of its metrics
    error: str = ""  # why it ended early

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.iteration >= self.job.iterations


Watch = Callable[[list[Standing]], None]


def train_all(
    jobs: Sequence[Job],
    workers: int = 1,
    watch: Watch = lambda standings: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Standing]:
    """Start or continue every job; where they stand at the end.

    Parameters
    ----------
    jobs : each with a folder of its own
    workers : processes; 1 is this one
    watch : told where all jobs stand, every now and then
    stop : asked often; True lets every job finish its logged interval, save and end

    Raises
    ------
    InputError
        If two jobs share a folder, or workers died more than ``RESTARTS`` times.
    """
    if len({job.folder for job in jobs}) != len(jobs):
        raise InputError("jobs: two of them have the same folder")
    if positive(workers, "workers") == 1 or len(jobs) == 1:
        return _here(jobs, watch, stop)
    ended: dict[Path, str] = {}  # {folder: why, or ""}
    for _ in range(RESTARTS + 1):
        left = [job for job in jobs if job.folder not in ended]
        try:
            _in_pool(
                left, min(workers, len(left)), lambda: watch(standings(jobs, ended)), stop, ended
            )
            return standings(jobs, ended)
        except BrokenProcessPool:
            if stop():
                return standings(jobs, ended)
    raise InputError(f"workers died {RESTARTS + 1} times; the same command continues")


def standings(jobs: Sequence[Job], ended: dict[Path, str] | None = None) -> list[Standing]:
    """Where the jobs stand, from the last lines in their folders."""
    found = []
    for job in jobs:
        row = last_row(job.folder)
        error = (ended or {}).get(job.folder, "")
        found.append(Standing(job, int(row.get("iteration", 0)), row, error))
    return found


def last_row(folder: Path, tail: int = 4096) -> dict[str, float]:
    """The last whole line of a run's metrics; {} if there is none."""
    try:
        with (folder / "metrics.jsonl").open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - tail))
            lines = file.read().split(b"\n")
    except OSError:
        return {}
    for line in reversed(lines[:-1]):  # what follows the last line break is torn, or nothing
        with contextlib.suppress(ValueError):
            row: dict[str, float] = json.loads(line)
            return row
    return {}


def _here(jobs: Sequence[Job], watch: Watch, stop: Callable[[], bool]) -> list[Standing]:
    """One after the other, in this process."""
    ended: dict[Path, str] = {}
    for job in jobs:
        if stop():
            break
        others = {s.job.folder: s for s in standings(jobs, ended)}

        def tell(report: Report, job: Job = job, now: dict[Path, Standing] = others) -> None:
            now[job.folder] = Standing(job, report.progress.iteration, report.metrics)
            watch(list(now.values()))

        ended[job.folder] = _attempt(job, tell, stop)
        watch(standings(jobs, ended))
    return standings(jobs, ended)


def _attempt(job: Job, tell: Callable[[Report], None] | None, stop: Callable[[], bool]) -> str:
    """Train; "", or why that failed if the reason is the user's to mend."""
    try:
        with np.errstate(all="ignore"):  # what is not finite any more is told once, by name
            train(job.run, job.folder, tell, stop)
    except InputError as error:
        why = str(error)
        return why if str(job.folder) in why else f"{job.folder}: {why}"
    except OSError as error:
        stands = (job.folder / "checkpoint.npz").is_file()
        rest = "the last checkpoint stands" if stands else "nothing is saved yet"
        return f"{job.folder}: {error.strerror or error}; {rest}"
    except Exception as error:
        return f"{job.folder}: {told(error)}{_kept(job.folder)}"
    return ""


def _kept(folder: Path) -> str:
    """Keep the traceback of the present error in the folder; where it is, in words."""
    text = traceback.format_exc()
    with contextlib.suppress(OSError):
        checkpoint.write(folder / ERROR, lambda file: file.write(text.encode()))
        return f"; the traceback is in {ERROR} there"
    return ""


# -- processes --------------------------------------------------------------------------

_asked: Any = None  # of a worker: the event that asks it to stop
_orphan = threading.Event()  # of a worker: its parent is no more
_busy = threading.Lock()  # of a worker: a job is going on


def _begin(asked: Any) -> None:
    """A worker's first act: leave interrupts to the parent, which asks by ``asked``."""
    global _asked
    _asked = asked
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_outlive, daemon=True).start()


def _outlive() -> None:
    """When the parent is killed, let the job save, and end: nobody else would see to it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _orphan.set()
        with _busy:
            os._exit(1)


def _work(job: Job) -> tuple[Path, str]:
    with _busy:
        return job.folder, "" if _stopped() else _attempt(job, None, _stopped)


def _stopped() -> bool:
    return _orphan.is_set() or bool(_asked.is_set())


def _in_pool(
    jobs: Sequence[Job],
    workers: int,
    tick: Callable[[], None],
    stop: Callable[[], bool],
    ended: dict[Path, str],
) -> None:
    """Work the jobs off; each that has ended is told in ``ended`` at once."""
    context = multiprocessing.get_context("spawn")
    asked = context.Event()
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, _begin, (asked,))
    try:
        with _deaf():
            waiting: set[Future[tuple[Path, str]]] = {pool.submit(_work, job) for job in jobs}
        while waiting:
            done, waiting = wait(waiting, timeout=POLL)
            for future in done:
                folder, why = future.result()
                ended[folder] = why
            if stop():
                asked.set()
            tick()
        pool.shutdown()
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Ignore interrupts while workers are born, so that those do from their first moment."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
