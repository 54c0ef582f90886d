"""What is asked of a child at each level of isolation, and what its parent does for it."""

import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...check import InputError
from .calls import NUMBERS, compile_filter
from .reach import readable

SOURCE = Path(__file__).with_name("inside.py").read_text("utf-8")

NAMES = (
    "a process of its own, with limits",
    "Landlock and seccomp",
    "Landlock, seccomp and a user of its own",
)
LIMITS = {"CORE": 0, "FSIZE": 0, "MEMLOCK": 0, "MSGQUEUE": 0, "NOFILE": 64, "NPROC": 0}
FREE_UIDS, FEW_UIDS = 0x70000000, 20_000  # no system hands these out; a small user namespace


def plan(
    level: int,
    packages: tuple[str, ...] = ("numpy",),
    rlimits: dict[str, int] | None = None,
    uid: int | None = None,
    parent: int | None = None,
) -> dict[str, Any]:
    """What ``apply`` of ``SOURCE`` needs, as plain data that can be sent to the child.

    ``rlimits`` by name without ``RLIMIT_``, beside those that every child gets; ``uid`` is for
    level 2, see ``own_uid``; ``parent`` is the process whose death must be the child's.

    Raises
    ------
    InputError
        If the level is none, or the machine is one that level 1 does not know, or level 2 is
        asked for by somebody who is not root.
    """
    if level not in (0, 1, 2):
        raise InputError(f"need an isolation level of 0, 1 or 2, got {level}")
    machine = platform.machine()
    if level and (sys.platform != "linux" or machine not in NUMBERS or struct.calcsize("P") != 8):
        raise InputError(
            f"isolation level {level} needs Linux on x86_64 or aarch64; this is "
            f"{sys.platform} on {machine}"
        )
    if level > 1 and os.geteuid() != 0:
        raise InputError("isolation level 2 needs root, to give each child a user of its own")
    return {
        "level": level,
        "rlimits": LIMITS | (rlimits or {}),
        "readable": readable(packages) if level else [],
        "filter": compile_filter(machine).hex() if level else "",
        "uid": uid if uid is not None or level < 2 else own_uid(),
        "parent": parent,
    }


def own_uid(slot: int = 0) -> int:
    """A user for the children of this process that nobody else is; ``slot`` < 16 for several."""
    number = 16 * os.getpid() + slot
    if _users() > FREE_UIDS + number:
        return FREE_UIDS + number
    return FEW_UIDS + number % 40_000


def _users() -> int:
    """How many users this namespace has: a container without root's rights has 65 536."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    return max(int(line.split()[0]) + int(line.split()[2]) for line in lines)


def sweep(uid: int) -> int:
    """Kill every process of a child's own user; return how many there were.

    Children cannot fork, so this finds nothing unless a fence is down.

    Raises
    ------
    InputError
        If ``uid`` is none of ``own_uid``: its processes are somebody's.
    """
    if uid < FEW_UIDS:
        raise InputError(f"need a user made for a child, got {uid}")
    killed = 0
    for _ in range(100):  # one may fork while another is killed
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        found = [pid for pid in pids if _is_of(pid, uid)]
        if not found:
            break
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed


def _is_of(pid: int, uid: int) -> bool:
    """Whether a process belongs to a user and still runs."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    return told["Uid"].split()[0] == str(uid) and told["State"].split()[0] not in "ZX"


@contextmanager
def undumpable() -> Iterator[None]:
    """Forbid other processes of this user to trace this one or to read its memory meanwhile."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    before = libc.prctl(3)  # PR_GET_DUMPABLE
    libc.prctl(4, 0)  # PR_SET_DUMPABLE
    try:
        yield
    finally:
        libc.prctl(4, int(before == 1))
