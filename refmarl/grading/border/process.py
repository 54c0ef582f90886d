"""A child process from the grader's side: start it, exchange frames in time, end it."""

import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from . import wire
from .child import HEAD
from .limits import Limits

_LOADER = """
import os, sys, types
def take(n):
    data = b""
    while len(data) < n:
        piece = os.read(0, n - len(data))
        if not piece: os._exit(0)
        data += piece
    return data
def text(): return take(int.from_bytes(take(4), "little")).decode()
sys.path[:] = text().split("\\0")
roots = dict(part.split("=", 1) for part in text().split("\\0"))
import importlib.machinery as m
class Allowed:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in roots: return m.PathFinder.find_spec(name, [roots[name]])
sys.meta_path.append(Allowed)
package = types.ModuleType("border")
package.__path__ = []
sys.modules["border"] = package
for name in text().split():
    module = types.ModuleType("border." + name)
    module.__package__ = "border"
    sys.modules["border." + name] = module
    setattr(package, name, module)
    exec(compile(text(), "<grader: " + name + ">", "exec"), module.__dict__)
sys.modules["border.child"].main()
"""
_THREADS = [f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")]
_THREADS += ["VECLIB_MAXIMUM_THREADS"]


class Ended(Exception):
    """The child is gone; ``status`` is what its system says of how."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class Late(Exception):
    """Nothing came in time."""


class Garbled(Exception):
    """What came is no message."""


def sources() -> bytes:
    """What a child runs before it reads its first message."""
    names = ("wire", "child")
    here = files(__package__)
    texts = [(here / f"{name}.py").read_text("utf-8") for name in names]
    parts = ["\0".join(library()), "\0".join(f"{k}={v}" for k, v in packages().items())]
    return b"".join(_text(part) for part in [*parts, " ".join(names), *texts])


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data


def library() -> list[str]:
    """The folders of the standard library."""
    base = {os.path.realpath(sys.base_prefix), os.path.realpath(sys.base_exec_prefix)}
    found = [p for p in sys.path if any(os.path.realpath(p).startswith(b) for b in base)]
    inside = [p for p in found if not {"site-packages", "dist-packages"} & set(Path(p).parts)]
    return [p for p in inside if Path(p).exists() and any(Path(p).iterdir())] if inside else []


def packages(allowed: tuple[str, ...] = ("numpy",)) -> dict[str, str]:
    """{name: the folder that holds it} of the packages that answers may import."""
    found = {}
    for name in allowed:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            found[name] = str(Path(spec.origin).parent.parent)
    return found


def environment(scratch: str) -> dict[str, str]:
    """All that a child's environment holds."""
    kept = {k: os.environ[k] for k in ("SYSTEMROOT", "WINDIR") if k in os.environ}
    own = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": scratch, "TMPDIR": scratch}
    own |= {"TEMP": scratch, "TMP": scratch, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return (
        kept
        | own
        | {f"{name}_NUM_THREADS": "1" for name in _THREADS}
        | {"VECLIB_MAXIMUM_THREADS": "1"}
    )


class Child:
    """One process with its pipes and its scratch folder."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.output, self.drained = limits, bytearray(), 0
        self.scratch = tempfile.mkdtemp(prefix="refmarl-")
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-S", "-B", "-c", _LOADER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.scratch,
            env=environment(self.scratch),
            start_new_session=True,
            bufsize=0,
        )
        self.pipes = [
            p for p in (self.process.stdin, self.process.stdout, self.process.stderr) if p
        ]
        self.write, self.read, self.prints = (pipe.fileno() for pipe in self.pipes)
        for fd in (self.write, self.read, self.prints):
            os.set_blocking(fd, False)
        self._write(sources(), time.monotonic() + limits.load_seconds)

    def send(self, kind: int, body: bytes, deadline: float, nonce: int | None = None) -> int:
        """Write one message; return its nonce. A request must find nothing left to read."""
        if nonce is None:
            nonce = secrets.randbits(63)
            if select.select([self.read], [], [], 0)[0]:
                if os.read(self.read, 1):
                    raise Garbled("bytes that nobody asked for")
                raise Ended(self.end())
        self._write(HEAD.pack(len(body), kind, nonce) + body, deadline)
        return nonce

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            reading, writing, _ = select.select(
                [self.prints], [self.write], [], max(0.0, deadline - time.monotonic())
            )
            self._drain(bool(reading))
            if not reading and not writing:
                raise Late
            try:
                view = view[os.write(self.write, view) :] if writing else view
            except BrokenPipeError:
                raise Ended(self.end()) from None

    def receive(self, deadline: float) -> tuple[int, int, bytes]:
        """(kind, nonce, body) of the next message."""
        size, kind, nonce = HEAD.unpack(self._exactly(HEAD.size, deadline))
        if size > wire.FRAME + 64:
            raise Garbled(f"a message of {size >> 20} MiB")
        return kind, nonce, self._exactly(size, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            left = max(0.0, deadline - time.monotonic())
            ready = select.select([self.read, self.prints], [], [], left)[0]
            if not ready:
                raise Late
            self._drain(self.prints in ready)
            if self.read in ready:
                piece = os.read(self.read, min(size - len(data), 1 << 20))
                if not piece:
                    raise Ended(self.end())
                data += piece
        return bytes(data)

    def _drain(self, ready: bool) -> None:
        if not ready:
            return
        piece = os.read(self.prints, 1 << 16)
        self.drained += len(piece)
        self.output += piece[: max(0, self.limits.output_bytes - len(self.output))]
        if self.drained > self.limits.drained_bytes:
            raise Garbled(f"more than {self.limits.drained_bytes >> 20} MiB printed")

    def end(self) -> int | None:
        """Stop it and whatever it began; return how it ended by itself, if it did."""
        status = self.process.poll()
        if status is None:
            try:
                status = self.process.wait(0.05) if self._closed() else None
            except subprocess.TimeoutExpired:
                status = None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self._last_prints()
        for pipe in self.pipes:
            pipe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
        return status

    def _closed(self) -> bool:
        return bool(select.select([self.read], [], [], 0)[0])

    def _last_prints(self) -> None:
        try:
            while piece := os.read(self.prints, 1 << 16):
                self.output += piece[: max(0, self.limits.output_bytes - len(self.output))]
        except OSError:
            pass
