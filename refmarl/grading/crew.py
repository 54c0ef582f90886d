"""Grading processes, replaced when they die or hang; each works on one task at a time."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..check import InputError
from .results import Mark
from .worker import ENGINE

START = 120.0  # seconds for a process to import what it needs
PATIENCE = 300.0  # seconds for one exercise; its own limits end it long before
TRIES = 3  # processes in a row that may die before they are ready
LEAVE = 2.0  # seconds for a process to put its affairs in order
MAX_LINE = 16 * 2**20  # bytes of an answer


class Task(NamedTuple):
    """A file to grade: the submission's id, the exercise's label, where the file is."""

    student: str
    label: str
    path: Path


class Answer(NamedTuple):
    """What came of a task; ``mark`` is None where the process died on it."""

    task: Task
    mark: Mark | None
    seconds: float


@dataclass(frozen=True)
class Order:
    """What every process of a crew is told first."""

    isolation: int
    secret: bytes | None = None
    courses: tuple[Path, ...] = ()
    engine: str = ENGINE

    def line(self) -> bytes:
        """As the line that a process reads."""
        courses = [str(path.resolve()) for path in self.courses]
        row = {"isolation": self.isolation, "courses": courses, "engine": self.engine}
        return json.dumps(row | {"secret": (self.secret or b"").hex()}).encode() + b"\n"


@dataclass
class _Process:
    """A running process, its task, until when it may take, and the beginning of its next line."""

    popen: "subprocess.Popen[bytes]"
    task: Task
    until: float
    ready: bool = False
    busy: bool = True
    rest: bytes = b""

    def send(self, task: Task) -> None:
        """Have it grade ``task``."""
        self.task, self.busy = task, True
        row = {"label": task.label, "path": str(task.path)}
        assert self.popen.stdin
        with contextlib.suppress(OSError):  # it died: that is noticed when its output ends
            self.popen.stdin.write(json.dumps(row).encode() + b"\n")


class Crew:
    """Up to ``size`` processes, in slots; ``log`` gets what they write on their standard error."""

    def __init__(self, size: int, order: Order, log: Path) -> None:
        self.size, self.order, self.log = size, order, log
        self.slots: dict[int, _Process] = {}
        self.failed_starts = 0
        self.selector = selectors.DefaultSelector()

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *error: object) -> None:
        for slot in list(self.slots):
            self._end(slot)
        self.selector.close()

    def idle(self) -> list[int]:
        """The slots that could be given a task now."""
        return [k for k in range(self.size) if k not in self.slots or not self.slots[k].busy]

    def give(self, slot: int, task: Task) -> None:
        """Have the process in ``slot`` grade ``task``; it is started if there is none."""
        process = self.slots.get(slot)
        if process is None:
            self.slots[slot] = process = self._start(task)
            self.selector.register(_out(process), selectors.EVENT_READ, slot)
        else:
            process.until = time.monotonic() + PATIENCE
        process.send(task)

    def wait(self, seconds: float = 1.0) -> list[Answer]:
        """What has come since; an empty list after ``seconds``.

        Raises
        ------
        InputError
            If the processes cannot do their work at all: the first line of why.
        """
        answers: list[Answer] = []
        for key, _ in self.selector.select(seconds):
            answers += self._heard(key.data)
        now = time.monotonic()
        for slot in [k for k, p in self.slots.items() if p.busy and p.until < now]:
            answers.append(self._lost(slot))
        return answers

    def pids(self) -> list[int]:
        """The process ids, for a log."""
        return [process.popen.pid for process in self.slots.values()]

    def _start(self, task: Task) -> _Process:
        command = [sys.executable, "-m", "refmarl.grading.worker", str(os.getpid())]
        with self.log.open("ab") as log:
            popen = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert popen.stdin
        assert popen.stdout
        os.set_blocking(popen.stdout.fileno(), False)
        with contextlib.suppress(OSError):
            popen.stdin.write(self.order.line())
        return _Process(popen, task, time.monotonic() + START)

    def _heard(self, slot: int) -> list[Answer]:
        """Read what a process says: at its end, its task is lost."""
        process = self.slots[slot]
        data = os.read(_out(process), 2**20)
        *lines, process.rest = (process.rest + data).split(b"\n")
        answers = []
        for line in lines:
            answer = self._understood(process, line)
            answers += [answer] if answer else []
        if not data or len(process.rest) > MAX_LINE:
            if process.busy:
                answers.append(self._lost(slot))
            else:
                self._end(slot)
        return answers

    def _understood(self, process: _Process, line: bytes) -> Answer | None:
        row: dict[str, Any] = json.loads(line)
        if "fault" in row:
            raise InputError(f"a grading process could not begin: {row['fault']}")
        if "ready" in row:
            process.ready, self.failed_starts = True, 0
            process.until = time.monotonic() + PATIENCE
            return None
        process.busy = False
        return Answer(process.task, Mark.of(row["mark"]), row["seconds"])

    def _lost(self, slot: int) -> Answer:
        process = self.slots[slot]
        self._end(slot)
        if not process.ready:
            self.failed_starts += 1
            if self.failed_starts == TRIES:
                raise InputError(f"the grading processes die as they begin; {self.log} says why")
        return Answer(process.task, None, 0.0)

    def _end(self, slot: int) -> None:
        """End the process in ``slot`` and all of its group: in order, if it can still do that."""
        process = self.slots.pop(slot)
        self.selector.unregister(_out(process))
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            process.popen.terminate()
            process.popen.wait(LEAVE)
        with contextlib.suppress(OSError):
            os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.kill()
        process.popen.wait()
        for pipe in (process.popen.stdin, process.popen.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def _out(process: _Process) -> int:
    assert process.popen.stdout
    return process.popen.stdout.fileno()
