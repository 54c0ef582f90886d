"""What a child does to itself before it runs a stranger's code.

The child does not import this file: its text is handed over (``SOURCE``), so that no folder of
refmarl need be readable. It uses the standard library alone, and it fails closed: what cannot
be had raises, and then no student's code may run.
"""

import contextlib
import ctypes
import os
import struct
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = (
    1,
    4,
    8,
    22,
    38,
)
SIGKILL, SECCOMP_MODE_FILTER, CAP_DAC_READ_SEARCH = 9, 2, 1 << 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # landlock_*: the same number everywhere
READ_FILE, READ_DIR = 1 << 2, 1 << 3
EVERYTHING = {1: 13, 2: 14, 3: 15, 4: 15}  # file rights known to an ABI; from 5 on 16


def apply(plan: dict[str, Any], keep: tuple[int, ...] = (0, 1, 2)) -> dict[str, Any]:
    """Put the plan into force on this process and tell what was achieved.

    ``plan`` is what ``refmarl.grading.sandbox.plan`` made. File descriptors outside ``keep``
    are closed. The order matters: limits before the calls that set them are denied, the user
    before the death signal (a change of user clears it), the filter last.

    Raises
    ------
    OSError, RuntimeError
        If anything that the level needs cannot be had.
    """
    level = plan["level"]
    done: dict[str, Any] = {"level": level, "landlock": 0, "seccomp": False, "uid": None}
    done["rlimits"] = _limits(plan["rlimits"])
    if level == 0:
        return done
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:  # Landlock and seccomp bind the calling thread, and those it starts later
        raise RuntimeError(f"need one thread, got {threads}")
    _close_all_but(keep)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    abi, ruleset = _rules(libc, plan["readable"], needed=level < 2)
    if level >= 2:
        _become(libc, plan["uid"])
        done["uid"] = plan["uid"]
    _prctl(libc, "no_new_privs", PR_SET_NO_NEW_PRIVS, 1)
    _prctl(libc, "dumpable", PR_SET_DUMPABLE, 0)
    _prctl(libc, "pdeathsig", PR_SET_PDEATHSIG, SIGKILL)
    if plan["parent"] not in (None, os.getppid()):
        raise RuntimeError("the grader has ended")
    if abi:
        quiet = int(abi >= 7)  # or each denied open is a line in the machine's audit log
        _must(libc.syscall(RESTRICT_SELF, ruleset, quiet), "landlock")
        os.close(ruleset)
        done["landlock"] = abi
    _drop_capabilities(libc, plan["readable"], bool(abi))
    _seccomp(libc, bytes.fromhex(plan["filter"]))
    done["seccomp"] = True
    return done


def _limits(wanted: dict[str, int]) -> dict[str, str]:
    """Set each limit by itself; what a system lacks is recorded and stops nothing."""
    try:
        import resource
    except ImportError:  # Windows
        return dict.fromkeys(wanted, "unsupported")
    told = {}
    for name, value in wanted.items():
        try:
            kind = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(kind)[1]
            most = value + (name == "CPU")  # a second in which its own signal tells what ran out
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            value = min(value, most)
            resource.setrlimit(kind, (value, most))
            told[name] = str(value)
        except (AttributeError, OSError, ValueError) as error:  # macOS refuses AS (cpython#78783)
            told[name] = f"unsupported: {error}"
    return told


def _close_all_but(keep: tuple[int, ...]) -> None:
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in keep:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(fd)


def _become(libc: Any, uid: int) -> None:
    """Be a user of one's own. Capabilities stay permitted until Landlock is in force."""
    _prctl(libc, "keepcaps", PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if (uid, uid, uid) != os.getresuid() or os.getgroups():
        raise RuntimeError(f"could not become user {uid}")


def _drop_capabilities(libc: Any, readable: list[str], landlock: bool) -> None:
    """Give up root's powers, whoever we are.

    One may stay: where the interpreter stands in a folder of root's, a user of one's own cannot
    read it. Then the right to read past file modes is kept, and only under Landlock, which
    still allows nothing but ``readable``.
    """
    shut = [path for path in readable if not os.access(path, os.R_OK)]
    if shut and not landlock:
        raise RuntimeError(f"user {os.getuid()} cannot read {shut[0]}, and there is no Landlock")
    low = CAP_DAC_READ_SEARCH if shut else 0
    header = struct.pack("<Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    data = struct.pack("<6I", low, low, 0, 0, 0, 0)
    _must(libc.capset(header, data), "capset")


def _rules(libc: Any, readable: list[str], needed: bool) -> tuple[int, int]:
    """Landlock's ABI here and a ruleset that allows reading ``readable``; (0, -1) without it."""
    abi = int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if abi < 1:
        if needed:
            raise OSError(ctypes.get_errno(), "Landlock is not to be had")
        return 0, -1
    rights = (1 << EVERYTHING.get(abi, 16)) - 1
    fields = [rights] + [3] * (abi >= 4) + [3] * (abi >= 6)  # files, TCP, sockets and signals
    attr = struct.pack(f"<{len(fields)}Q", *fields)
    size = ctypes.c_size_t(len(attr))
    ruleset = _must(libc.syscall(CREATE_RULESET, attr, size, 0), "landlock")
    for path in readable:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = READ_FILE | (READ_DIR if os.path.isdir(path) else 0)
        rule = struct.pack("<Qi", allowed, fd)
        _must(libc.syscall(ADD_RULE, ruleset, 1, rule, 0), f"landlock rule {path}")
        os.close(fd)
    return abi, ruleset


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _seccomp(libc: Any, code: bytes) -> None:
    program = _Program(len(code) // 8, code)
    _prctl(libc, "seccomp", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _prctl(libc: Any, what: str, option: int, *values: int) -> None:
    padded = [ctypes.c_ulong(v) for v in (*values, 0, 0, 0, 0)[:4]]
    _must(libc.prctl(option, *padded), what)


def _must(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
