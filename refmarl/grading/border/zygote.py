"""Children as copies of a template that has the packages loaded: milliseconds each, not hundreds.

Only where a process may be forked: a template has one thread and runs nothing of a student's.
"""

import os
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress

from .limits import Limits
from .pipes import Garbled, Gone, Late, Pipes
from .process import Child, begin
from .template import ORDER, RUNNING, TOLD

FORKS = sys.platform == "linux"
_ANSWER = 10.0  # seconds in which a template must have done as told


class Template:
    """The template process of a set of packages, started again if it dies."""

    def __init__(self, allowed: tuple[str, ...], limits: Limits) -> None:
        self.allowed, self.limits = allowed, limits
        self.control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            names = (str(far.fileno()), *allowed)
            self.process = begin("template", allowed, limits, pass_fds=[far.fileno()])
            self.process.pipes.send(
                f"{' '.join(names)}\n".encode(), time.monotonic() + limits.load_seconds
            )
        self.control.settimeout(limits.load_seconds + _ANSWER)

    @property
    def pid(self) -> int:
        """The process of which children are."""
        return self.process.life.pid

    def fork(self, limits: Limits, scratch: bool) -> Child:
        """A new child. Raises Gone if the template has died."""
        ours, theirs = [], []
        for reads in (True, False, False):  # requests, replies, prints
            pair = os.pipe()
            ours.append(pair[reads])
            theirs.append(pair[not reads])
        try:
            socket.send_fds(self.control, [ORDER.pack(b"F", 0, 0)], theirs)
            pid = self._told()
        except (OSError, Gone):
            for fd in ours:
                os.close(fd)
            raise Gone from None
        finally:
            for fd in theirs:
                os.close(fd)
        folder = tempfile.mkdtemp(prefix="refmarl-") if scratch else ""
        return Child(Pipes(ours, limits), Copy(self, pid), folder)

    def end(self, pid: int, patience: float) -> int | None:
        """Stop a child; the status if it had ended by itself."""
        try:
            self.control.send(ORDER.pack(b"E", pid, int(1000 * patience)))
            status = self._told()
        except (OSError, Gone):  # the template has died: its children are nobody's
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            return None
        return None if status == RUNNING else status

    def _told(self) -> int:
        data = self.control.recv(TOLD.size)
        if len(data) != TOLD.size:
            raise Gone
        return int(TOLD.unpack(data)[0])

    def close(self) -> list[str]:
        """End the template and every child that is left; the lines that it printed."""
        self.control.close()
        with suppress(Late, Gone, Garbled):  # it ends its children, then itself
            self.process.receive(time.monotonic() + 2.0)
        self.process.end()
        return self.process.pipes.output.decode("utf-8", "replace").splitlines()


class Copy:
    """A child of a template's."""

    def __init__(self, template: Template, pid: int) -> None:
        self.template, self.pid = template, pid

    def end(self, patience: float) -> int | None:
        """Stop it and what it left behind."""
        return self.template.end(self.pid, patience)
