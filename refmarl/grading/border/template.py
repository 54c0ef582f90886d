"""The template: a process with the packages loaded, of which a copy is made for each answer.

It runs nothing of a student's. It is told by one socket what to do, and when that closes it
ends its children and itself.
"""

import ctypes
import gc
import importlib
import os
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import NoReturn

from . import child

RUNNING = 0x7FFFFFFF  # in place of a status: it had to be stopped
ORDER = struct.Struct("<ciI")  # what to do, process, milliseconds of patience
TOLD = struct.Struct("<i")
_SUBREAPER, _DUMPABLE = 36, 4


def main() -> NoReturn:
    """Load what answers may use, then do as told."""
    number, *names = sys.stdin.readline().split()
    control = socket.socket(fileno=int(number))
    for name in names:
        for module in child.PRELOADED.get(name, (name,)):
            importlib.import_module(module)
    libc = ctypes.CDLL(None)
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)  # what a child leaves behind becomes ours to end
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    gc.collect()
    gc.freeze()
    serve(control)


def serve(control: socket.socket) -> NoReturn:
    """Fork and end children until the grader goes."""
    alive: set[int] = set()
    while True:
        order, fds, _, _ = socket.recv_fds(control, ORDER.size, 3)
        if len(order) != ORDER.size:
            break
        what, pid, patience = ORDER.unpack(order)
        if what == b"F":
            pid = os.fork()
            if pid == 0:
                control.close()
                run(*fds)
            for fd in fds:
                os.close(fd)
            alive.add(pid)
            told = pid
        else:
            alive.discard(pid)
            told = end(pid, patience / 1000.0)
            sweep(alive)
        control.send(TOLD.pack(told))
    for pid in alive:
        end(pid, 0.0)
    sweep(set())
    os._exit(0)


def run(read: int, write: int, prints: int) -> NoReturn:
    """Be a child."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.dup2(prints, 1)
        os.dup2(prints, 2)
        os.close(prints)
        child.begin(read, write)
    finally:
        os._exit(70)


def end(pid: int, patience: float) -> int:
    """Stop a child and its group; its status if it had ended by itself."""
    until = time.monotonic() + patience
    while True:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone or time.monotonic() >= until:
            break
        time.sleep(0.001)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if not gone:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # it may have left its group
        os.waitpid(pid, 0)
        return RUNNING
    return os.waitstatus_to_exitcode(status)


def sweep(alive: set[int]) -> None:
    """End the processes that children left behind; they are ours now."""
    for _ in range(100):  # one may fork while another is ended
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as file:
                found = {int(pid) for pid in file.read().split()} - alive
        except OSError:
            return
        if not found:
            return
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
