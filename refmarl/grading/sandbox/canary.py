"""Harmless tries at what a hostile submission would do; run in a child, as text, like ``inside``.

Nothing here changes anything where it succeeds, except in the probe's own folder: a signal of
number 0 asks only for permission, a seized parent is not stopped and is let go when we end.
"""

import contextlib
import ctypes
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

PTRACE_SEIZE = 0x4206
READ_OF_OTHERS = {"x86_64": 310, "aarch64": 270}  # process_vm_readv


def possible(targets: dict[str, Any]) -> list[str]:
    """Which of the tries succeeded, in words; none of them should."""
    actions = [*_reading(targets), *_changing(targets), *_reaching_others(targets), *_more()]
    return [says for says, action in actions if _works(action)]


Try = tuple[str, Callable[[], Any]]


def _works(action: Callable[[], Any]) -> bool:
    try:
        return action() is not False
    except Exception:  # whatever stopped it
        return False


def _reading(targets: dict[str, Any]) -> list[Try]:
    def read(path: str) -> Callable[[], Any]:
        return lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)

    return [(f"open {says}", read(path)) for says, path in targets["guarded"].items()]


def _changing(targets: dict[str, Any]) -> list[Try]:
    file, folder = targets["file"], targets["folder"]
    new = os.path.join(folder, "new")
    shared = f"/dev/shm/refmarl-canary-{os.getpid()}"

    def shm() -> None:
        open(shared, "x").close()
        os.unlink(shared)

    return [
        ("write to another's file", lambda: open(file, "r+b").write(b"x")),
        ("empty another's file", lambda: os.truncate(file, 0)),
        ("empty another's file by opening it", lambda: os.open(file, os.O_RDONLY | os.O_TRUNC)),
        ("chmod another's file", lambda: os.chmod(file, 0o600)),
        ("chown another's file", lambda: os.chown(file, -1, -1)),
        ("touch another's file", lambda: os.utime(file)),
        ("set an attribute of another's file", lambda: os.setxattr(file, "user.refmarl", b"x")),
        ("rename another's file", lambda: os.rename(file, file)),
        ("make a file", lambda: open(new, "xb").close()),
        ("make a folder", lambda: os.mkdir(new + ".d")),
        ("make a link", lambda: os.symlink("/etc/passwd", new + ".link")),
        ("make a hard link", lambda: os.link(file, new + ".hard")),
        ("make a named pipe", lambda: os.mkfifo(new + ".fifo")),
        ("write to /dev/shm", shm),
    ]


def _reaching_others(targets: dict[str, Any]) -> list[Try]:
    parent, libc = os.getppid(), ctypes.CDLL(None)
    address = ctypes.create_string_buffer(8)

    def connect(family: int, place: Any) -> Callable[[], Any]:
        return lambda: socket.socket(family, socket.SOCK_STREAM).connect(place)

    def peek() -> bool:
        own = (ctypes.c_size_t * 2)(ctypes.addressof(address), 8)
        its = (ctypes.c_size_t * 2)(targets["address"], 8)
        number = READ_OF_OTHERS[os.uname().machine]
        return bool(libc.syscall(number, parent, own, 1, its, 1, 0) == 8)

    return [
        ("connect to a port of this machine", connect(socket.AF_INET, tuple(targets["port"]))),
        ("connect to an abstract socket", connect(socket.AF_UNIX, "\0" + targets["abstract"])),
        (
            "send a datagram",
            lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", tuple(targets["port"])),
        ),
        ("make a pair of sockets", socket.socketpair),
        ("signal its parent", lambda: os.kill(parent, 0)),
        ("signal everybody", lambda: os.kill(-1, 0)),
        ("trace its parent", lambda: libc.ptrace(PTRACE_SEIZE, parent, 0, 0) == 0),
        ("read its parent's memory", peek),
        ("open its parent's memory", lambda: open(f"/proc/{parent}/mem", "rb").close()),
        ("read its parent's environment", lambda: open(f"/proc/{parent}/environ", "rb").read()),
        ("list its parent's files", lambda: os.listdir(f"/proc/{parent}/fd")),
    ]


def _more() -> list[Try]:
    def fork() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        with contextlib.suppress(OSError):
            os.waitpid(pid, 0)

    def thread() -> None:
        one = threading.Thread(target=int)
        one.start()
        one.join()

    def raised() -> bool:
        soft = resource.getrlimit(resource.RLIMIT_CPU)[0]
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return resource.getrlimit(resource.RLIMIT_CPU)[0] != soft

    return [
        ("fork", fork),
        (
            "start a program",
            lambda: subprocess.run([sys.executable, "--version"], capture_output=True),
        ),
        ("start a thread", thread),
        ("raise its limits", raised),
        ("change its priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, 19)),
        ("change its processors", lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
        ("make a file in memory", lambda: os.memfd_create("x")),
        ("lock a file", lambda: __import__("fcntl").flock(os.open(os.__file__, os.O_RDONLY), 6)),
        ("make a pipe", os.pipe),
        ("become somebody else", lambda: os.setuid(os.getuid())),
        ("open a terminal", lambda: os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))),
    ]
