"""The canary: a level counts only if a child at that level could do nothing that it tried."""

import ctypes
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...check import InputError
from .levels import SOURCE, plan
from .reach import PACKAGE

CANARY = Path(__file__).with_name("canary.py").read_text("utf-8")
SOLUTIONS = (PACKAGE / "_solutions", PACKAGE.parent / "solutions")  # of a wheel, of a checkout
MAIN = """
import json, sys
given = json.load(sys.stdin)
spaces = {"__name__": "inside"}, {"__name__": "canary"}
for text, space in zip(given["texts"], spaces):
    exec(text, space)
told = {"done": {}, "possible": [], "error": ""}
try:
    told["done"] = spaces[0]["apply"](given["plan"])
    told["possible"] = spaces[1]["possible"](given["targets"])
except (OSError, RuntimeError) as error:
    told["error"] = str(error)
print(json.dumps(told))
"""
_SHOWN = 8  # of what was possible, in one line
FENCES = {
    0: "a process of its own, with limits",
    1: "Landlock and seccomp",
    2: "seccomp, a user of its own, and Landlock where the kernel has it",
}


@dataclass(frozen=True)
class Report:
    """What a level gives on this machine.

    ``level`` is the level that was tried; ``holds`` whether nothing of what the canary tried was
    possible; ``possible`` what was, in words; ``done`` what ``apply`` achieved; ``error`` why it
    could not be applied at all.
    """

    level: int
    holds: bool
    possible: tuple[str, ...]
    done: dict[str, Any]
    error: str = ""

    @property
    def says(self) -> str:
        """One line for a person."""
        head = f"isolation level {self.level} ({FENCES[self.level]})"
        if self.error:
            why = self.error.removeprefix(f"isolation level {self.level} ")
            return f"{head} cannot be had here: {why}"
        if self.holds and self.level:
            abi = self.done["landlock"]
            fence = f"Landlock ABI {abi}" if abi else "no Landlock"
            return f"{head} holds: {fence}, and nothing that the canary tried was possible"
        first, more = self.possible[:_SHOWN], len(self.possible) - _SHOWN
        also = f" and {more} things more" if more > 0 else ""
        return f"{head}: a submission could {', '.join(first)}{also}"


@cache
def probe(level: int, guarded: tuple[Path, ...] = ()) -> Report:
    """Try, in a child at ``level``, what a hostile submission would do. Asked once a process.

    ``guarded`` are files or folders beside refmarl itself that no child may read: the secret,
    the submissions, the results. At level 0 much is expected to be possible; it always holds.

    Raises
    ------
    InputError
        If one of ``guarded`` does not exist.
    """
    missing = [path for path in guarded if not path.exists()]
    if missing:  # what is not there cannot be opened: that would prove nothing
        raise InputError(f"need what no submission may read, but {missing[0]} does not exist")
    try:
        told = _ask(plan(level, (), {"CPU": 10}), guarded)
    except InputError as error:
        return Report(level, False, (), {}, str(error))
    possible = tuple(told["possible"])
    holds = not told["error"] and (level == 0 or not possible)
    return Report(level, holds, possible, told["done"], told["error"])


def reached(guarded: tuple[Path, ...] = ()) -> Report:
    """The highest level that holds on this machine."""
    return next(r for level in (2, 1, 0) if (r := probe(level, guarded)).holds)


def require(level: int, guarded: tuple[Path, ...] = ()) -> Report:
    """The report of a level that holds.

    Raises
    ------
    InputError
        If it does not, with what was possible or why it cannot be had.
    """
    report = probe(level, guarded)
    if not report.holds:
        raise InputError(report.says)
    return report


def _ask(plan: dict[str, Any], guarded: tuple[Path, ...]) -> dict[str, Any]:
    with _targets(guarded) as targets:
        given = {"plan": plan, "texts": [SOURCE, CANARY], "targets": targets}
        child = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", MAIN],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=60,
            env={},
            cwd="/",
        )
    try:
        told: dict[str, Any] = json.loads(child.stdout)
    except ValueError:
        lines = child.stderr.strip().splitlines() or [f"status {child.returncode}"]
        return {"done": {}, "possible": [], "error": f"the canary died: {lines[-1]}"}
    return told


@contextmanager
def _targets(guarded: tuple[Path, ...]) -> Iterator[dict[str, Any]]:
    """Things to be reached for: real ones where they are only read, else stand-ins."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="refmarl-probe-"))
        file = Path(folder, "results.json")
        file.write_text("{}")
        os.chmod(folder, 0o700)
        secret = ctypes.create_string_buffer(8)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = f"refmarl-{secrets.token_hex(8)}"
        if sys.platform == "linux":
            unix = stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind("\0" + abstract)
            unix.listen()
        found = (sorted(root.rglob("e0*.py"))[:1] for root in SOLUTIONS)
        solutions = [path for paths in found for path in paths]
        paths = [PACKAGE / "__init__.py", *solutions, *guarded, file]
        yield {
            "guarded": {str(p): str(p) for p in paths},
            "file": str(file),
            "folder": folder,
            "port": tcp.getsockname(),
            "abstract": abstract,
            "address": ctypes.addressof(secret),
        }
