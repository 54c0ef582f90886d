"""A grader for tests: the student's file says what happens to it. Logs what it was asked for."""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

LOG = "REFMARL_FAKE_LOG"


class Grader:
    def __init__(self, isolation, secret=None):
        self.isolation = isolation

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def check(self, exercise, path, shown):
        text = path.read_text("utf-8")
        with open(os.environ[LOG], "a") as log:
            log.write(f"{exercise.label} {path.parent.parent.name}\n")
        line = f"{exercise.label} {path.parent.parent.name}"
        tried = Path(os.environ[LOG]).read_text().splitlines().count(line)
        if "DIE" in text and (tried == 1 or "ALWAYS" in text):
            os.kill(os.getpid(), signal.SIGKILL)
        if "SLOW" in text:
            time.sleep(0.05)
        if "FAULT" in text:
            raise ZeroDivisionError("a law divides by zero")
        if "LATE" in text and (tried == 1 or "ALWAYS" in text):
            return _result(exercise, "timeout", 0.0)
        if "HALF" in text:
            return _result(exercise, "fail", 0.5)
        return _result(exercise, "pass", 1.0)


def _result(exercise, status, share):
    law = {"says": "=1+1 is two", "passed": status == "pass", "counterexample": "x = 1"}
    rows = [law | {"hint": "count"}]
    return SimpleNamespace(
        exercise=exercise,
        status=status,
        score=share * exercise.points,
        message="<b>\x1b[31m",
        printed="",
        mistake=None,
        as_json=lambda reveal: {"properties": rows},
    )
