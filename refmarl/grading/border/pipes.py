"""Messages to and from a child, each step with a deadline; what the child prints is drained."""

import math
import os
import queue
import select
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from . import wire
from .child import HEAD
from .limits import Limits

Frame = tuple[int, int, bytes]  # kind, nonce, body


class Gone(Exception):
    """The other end is closed."""


class Late(Exception):
    """Nothing came in time."""


class Garbled(Exception):
    """What came is no message."""


class Pipes:
    """Three descriptors of a child's: requests, replies, prints.

    ``deadline`` is everywhere a time of the clock ``time.monotonic``.
    """

    def __init__(self, fds: Sequence[int], limits: Limits) -> None:
        self.write, self.read, self.prints = fds
        self.limits, self.silent = limits, False
        self.output, self.drained, self.waiting = bytearray(), 0, bytearray()
        self.open()

    def open(self) -> None:
        """Make the descriptors ready."""
        for fd in (self.write, self.read, self.prints):
            os.set_blocking(fd, False)
        self.poll = select.poll()
        self.poll.register(self.read, select.POLLIN)
        self.poll.register(self.prints, select.POLLIN)

    def idle(self) -> None:
        """Raise Garbled if there is anything to read, Gone if the child is."""
        if self.waiting or self.more():
            raise Garbled("it wrote to the grader unasked")

    def more(self) -> bool:
        """Read what is there without waiting; whether there was anything."""
        try:
            self.take(os.read(self.read, 1 << 16))
        except BlockingIOError:
            return False
        return True

    def send(self, data: bytes, deadline: float) -> None:
        """Write it all. Raises Late or Gone."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.write, view) :]
            except BlockingIOError:
                self._until_writable(deadline)
            except BrokenPipeError:
                raise Gone from None

    def _until_writable(self, deadline: float) -> None:
        left = max(0.0, deadline - time.monotonic())
        watched = [] if self.silent else [self.prints]
        if select.select(watched, [self.write], [], left)[0]:
            self.drain()
        if left == 0.0:
            raise Late

    def receive(self, deadline: float) -> Frame:
        """The next message. Raises Late, Gone or Garbled."""
        late = False
        while True:
            if len(self.waiting) >= HEAD.size:
                size, kind, nonce = HEAD.unpack_from(self.waiting)
                if size > wire.FRAME + 64:
                    raise Garbled(f"it sent a message of {size >> 20} MiB")
                end = HEAD.size + size
                if len(self.waiting) >= end:
                    body = bytes(memoryview(self.waiting)[HEAD.size : end])
                    del self.waiting[:end]
                    return kind, nonce, body
            if late:
                raise Late
            left = deadline - time.monotonic()
            late = left <= 0.0  # one last look: we may have been kept from running ourselves
            self.wait(max(0.0, left))

    def wait(self, seconds: float) -> None:
        """Wait for something to read, and take it."""
        for fd, _ in self.poll.poll(math.ceil(1000 * seconds)):
            if fd == self.prints:
                self.drain()
            else:
                with suppress(BlockingIOError):
                    self.take(os.read(self.read, 1 << 20))

    def take(self, data: bytes) -> None:
        """Keep what was read; the end of the file is the end of the child."""
        if not data:
            raise Gone
        self.waiting += data

    def drain(self) -> None:
        """Read what was printed. Raises Garbled if it is too much."""
        try:
            data = os.read(self.prints, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.silent = True
            self.poll.unregister(self.prints)
        self.keep(data)

    def keep(self, data: bytes) -> None:
        """Count what was printed, and keep the beginning of it."""
        self.drained += len(data)
        self.output += data[: max(0, self.limits.output_bytes - len(self.output))]
        if self.drained > self.limits.drained_bytes:
            raise Garbled(f"it printed more than {self.limits.drained_bytes >> 20} MiB")

    def close(self) -> None:
        """Read what is left of the prints, then close all. The child must have ended."""
        with suppress(OSError, Garbled):
            while len(self.output) < self.limits.output_bytes:
                data = os.read(self.prints, 1 << 16)
                if not data:
                    break
                self.keep(data)
        for fd in (self.write, self.read, self.prints):
            os.close(fd)


class Threads(Pipes):
    """The same where pipes cannot be polled, as on Windows: a thread waits at each end."""

    def open(self) -> None:
        """Start the threads."""
        self.inbox: queue.Queue[bytes] = queue.Queue(64)
        self.outbox: queue.Queue[bytes] = queue.Queue(4)
        self.written: queue.Queue[bool] = queue.Queue()
        self.workers = [
            threading.Thread(target=work, daemon=True)
            for work in (self._reads, self._writes, self._drains)
        ]
        for worker in self.workers:
            worker.start()

    def _reads(self) -> None:
        data = b"-"
        while data:
            try:
                data = os.read(self.read, 1 << 16)
            except OSError:
                data = b""
            self.inbox.put(data)

    def _writes(self) -> None:
        while data := self.outbox.get():
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self.write, view) :]
            except OSError:
                self.written.put(False)
                return
            self.written.put(True)

    def _drains(self) -> None:
        with suppress(OSError):
            while data := os.read(self.prints, 1 << 16):
                with suppress(Garbled):
                    self.keep(data)

    def more(self) -> bool:
        """Take what the reading thread has."""
        try:
            self.take(self.inbox.get_nowait())
        except queue.Empty:
            return False
        return True

    def send(self, data: bytes, deadline: float) -> None:
        """Have the writing thread write it all."""
        self.outbox.put(data)
        try:
            if not self.written.get(timeout=max(0.0, deadline - time.monotonic())):
                raise Gone
        except queue.Empty:
            raise Late from None

    def wait(self, seconds: float) -> None:
        """Wait for the reading thread."""
        if self.drained > self.limits.drained_bytes:
            raise Garbled(f"it printed more than {self.limits.drained_bytes >> 20} MiB")
        with suppress(queue.Empty):
            self.take(self.inbox.get(timeout=seconds) if seconds else self.inbox.get_nowait())

    def close(self) -> None:
        """Let the threads end: the child has, so that reads find the end of the file."""
        self.outbox.put(b"")
        while any(worker.is_alive() for worker in self.workers):
            with suppress(queue.Empty):  # one may wait for room
                self.inbox.get(timeout=0.01)
        for fd in (self.write, self.read, self.prints):
            os.close(fd)
