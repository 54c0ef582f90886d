"""A child process from the grader's side: started plainly, ended for certain."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from .child import HEAD
from .limits import Limits
from .pipes import Frame, Pipes, Threads

POLLS = os.name == "posix"

# What the interpreter runs of the command line: modules named border.*, whose text comes first.
_LOADER = """
import os, sys, types
def take(size):
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data
def text():
    return take(int.from_bytes(take(4), "little")).decode()
def module(name):
    parent, _, last = name.rpartition(".")
    if parent and parent not in sys.modules:
        module(parent).__path__ = []
    made = sys.modules[name] = types.ModuleType(name)
    made.__package__ = parent
    if parent:
        setattr(sys.modules[parent], last, made)
    return made
def load(name):
    made = module(name)
    exec(compile(text(), "<" + name + ">", "exec"), made.__dict__)
    return made
folders = dict(part.split("=", 1) for part in text().split("\\0"))
load("grading.border.packages").install(folders)
for name in text().split():
    last = load(name)
last.main()
"""
_THREADS = [f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")]
_THREADS += ["VECLIB_MAXIMUM_THREADS"]


class Life(Protocol):
    """What can be done about a process from outside."""

    pid: int

    def end(self, patience: float) -> int | None:
        """Stop it, after ``patience`` seconds; the status if it had ended by itself."""


class Child:
    """A process in which a student's code may run, with its pipes and its scratch folder."""

    def __init__(self, pipes: Pipes, life: Life, scratch: str) -> None:
        self.pipes, self.life, self.scratch = pipes, life, scratch

    def ask(self, kind: int, body: bytes, deadline: float) -> int:
        """Send a request and return its nonce. Nothing may be waiting to be read."""
        self.pipes.idle()
        nonce = secrets.randbits(63)
        self.pipes.send(HEAD.pack(len(body), kind, nonce) + body, deadline)
        return nonce

    def reply(self, kind: int, nonce: int, body: bytes, deadline: float) -> None:
        """Send what the child asked for."""
        self.pipes.send(HEAD.pack(len(body), kind, nonce) + body, deadline)

    def receive(self, deadline: float) -> Frame:
        """(kind, nonce, body) of the next message."""
        return self.pipes.receive(deadline)

    def waited(self) -> float:
        """Seconds that it was ready to run and others ran, as far as the system tells."""
        try:
            return int(Path(f"/proc/{self.life.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    def idle(self) -> bool:
        """Whether it waits for something else than a processor, as far as the system tells."""
        try:
            text = Path(f"/proc/{self.life.pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return False
        return text.rpartition(")")[2].split()[0] in "SDT"

    def end(self, patience: float = 0.0) -> int | None:
        """Stop it and whatever it began; the status if it had ended by itself."""
        status = self.life.end(patience)
        self.pipes.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return status


class Process:
    """A process that we started ourselves."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.pid = process, process.pid

    def end(self, patience: float) -> int | None:
        """Stop its whole group."""
        status = None
        with suppress(subprocess.TimeoutExpired):
            status = self.process.wait(patience) if patience else self.process.poll()
        if POLLS:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        return status


def begin(main: str, allowed: tuple[str, ...], limits: Limits, **options: Any) -> Child:
    """Start an interpreter that knows nothing of ours but ``main``, a module of this package."""
    scratch = tempfile.mkdtemp(prefix="refmarl-")
    command = [sys.executable, "-s", "-P", "-S", "-B", "-c", _LOADER]
    child = spawn(command, environment(scratch), limits, scratch, **options)
    child.pipes.send(sources(main, allowed), time.monotonic() + limits.load_seconds)
    return child


def spawn(
    command: list[str], env: dict[str, str], limits: Limits, scratch: str = "", **options: Any
) -> Child:
    """Start a program whose standard input, output and error are the child's pipes."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch or None,
        env=env,
        start_new_session=True,
        bufsize=0,
        **options,
    )
    made = process.stdin, process.stdout, process.stderr
    fds = [os.dup(pipe.fileno()) for pipe in made if pipe]
    for pipe in made:
        pipe.close()  # type: ignore[union-attr]
    return Child((Pipes if POLLS else Threads)(fds, limits), Process(process), scratch)


@cache
def sources(main: str, allowed: tuple[str, ...]) -> bytes:
    """The modules of ours that run in a child, as text, and where it finds the others."""
    names = ["border.wire", "sandbox.inside", "border.child"]
    names += [f"border.{main}"] if main != "child" else []
    places = "\0".join(f"{name}={place}" for name, place in folders(allowed).items())
    head = [places, _source("border.packages"), " ".join(f"grading.{name}" for name in names)]
    return b"".join(_text(text) for text in (*head, *map(_source, names)))


def _source(name: str) -> str:
    return (files("refmarl.grading") / f"{name.replace('.', '/')}.py").read_text("utf-8")


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data


@cache
def folders(allowed: tuple[str, ...]) -> dict[str, str]:
    """{name: its own folder} of the packages that an answer may import."""
    specs = {name: find_spec(name) for name in allowed}
    return {
        name: str(Path(spec.origin).resolve().parent)
        for name, spec in specs.items()
        if spec is not None and spec.origin
    }


def environment(scratch: str) -> dict[str, str]:
    """All that a child's environment holds."""
    kept = {k: os.environ[k] for k in ("SYSTEMROOT", "WINDIR") if k in os.environ}
    own = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": scratch, "TMPDIR": scratch}
    own |= {"TEMP": scratch, "TMP": scratch, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return kept | own | dict.fromkeys(_THREADS, "1")
