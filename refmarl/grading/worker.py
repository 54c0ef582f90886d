"""A grading process: takes one file at a time on its standard input, answers with its mark.

Lines of JSON in both directions, so that nothing that goes wrong here can run anything there. It
dies with the process that started it, and takes the students' children with it.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from .results import Mark, clean, mark

if TYPE_CHECKING:
    from .catalogue import Exercise
    from .runner import Result

ENGINE = "refmarl.grading.runner:Grader"
_SET_PDEATHSIG = 1


def main() -> int:
    """Grade until the standard input ends."""
    _die_with(int(sys.argv[1]))
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what anything prints must not look like an answer
    order = json.loads(sys.stdin.readline())
    try:
        _serve(order, out)
    except Exception as error:
        _say(out, {"fault": f"{type(error).__name__}: {error}"})
        raise
    return 0


def _serve(order: dict[str, Any], out: TextIO) -> None:
    from .catalogue import exercises

    module, _, name = order["engine"].partition(":")
    known = exercises()
    for course in order["courses"]:
        known |= exercises(Path(course))
    secret = bytes.fromhex(order["secret"]) or None
    grader = getattr(import_module(module), name)
    with grader(order["isolation"], secret=secret) as holder:
        _say(out, {"ready": os.getpid()})
        for line in sys.stdin:
            task = json.loads(line)
            began = time.perf_counter()
            one = graded(holder, known[task["label"]], Path(task["path"]))
            seconds = round(time.perf_counter() - began, 3)
            _say(out, {"mark": one.as_dict(), "seconds": seconds})


class Holder(Protocol):
    """What grades a file: a ``runner.Grader``."""

    def check(self, exercise: "Exercise", path: Path, *, shown: str) -> "Result":
        """Hold the file, called ``shown`` in messages, against the exercise's laws."""


def graded(grader: Holder, exercise: "Exercise", path: Path) -> Mark:
    """The mark of one file; a fault of the grader's own is a mark, too, and never a zero."""
    try:
        return mark(grader.check(exercise, path, shown=exercise.path.as_posix()))
    except Exception:
        says = clean(traceback.format_exc())
        return Mark(exercise.label, "harness-error", message=says)


def _say(out: TextIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


def _die_with(parent: int) -> None:
    """Ask the system to end this process when ``parent`` ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    signal.signal(signal.SIGTERM, _leave)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def _leave(number: int, frame: FrameType | None) -> None:
    """End in order: the students' children and their folders go, too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
