"""The system calls that a student's code may make, as a seccomp filter.

An allow-list: what Python, NumPy, SciPy and numba need to compute and to read, found by running
them. Anything else is refused, and so is every call that a future kernel invents. A refused old
call gives EPERM; one with a number from 424 on (where all machines count alike) ENOSYS, on which
libraries fall back to what they did before it existed.

Numbers: linux/arch/x86/entry/syscalls/syscall_64.tbl, linux/include/uapi/asm-generic/unistd.h.
"""

import errno
import struct

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

NUMBERS = {
    "x86_64": """
        read 0 write 1 open 2 close 3 stat 4 fstat 5 lstat 6 poll 7 lseek 8 mmap 9 mprotect 10
        munmap 11 brk 12 rt_sigaction 13 rt_sigprocmask 14 rt_sigreturn 15 ioctl 16 pread64 17
        readv 19 writev 20 access 21 select 23 sched_yield 24 mremap 25 madvise 28 dup 32 dup2 33
        nanosleep 35 getpid 39 exit 60 uname 63 fcntl 72 getcwd 79 readlink 89 gettimeofday 96
        getrlimit 97 getrusage 98 sysinfo 99 times 100 getuid 102 getgid 104 geteuid 107
        getegid 108 getppid 110 sigaltstack 131 prctl 157 gettid 186 time 201 futex 202
        sched_getaffinity 204 getdents64 217 restart_syscall 219 clock_gettime 228
        clock_getres 229 clock_nanosleep 230 exit_group 231 openat 257 newfstatat 262
        readlinkat 267 faccessat 269 pselect6 270 ppoll 271 dup3 292 prlimit64 302 getcpu 309
        getrandom 318 statx 332 faccessat2 439""",
    "aarch64": """
        getcwd 17 dup 23 dup3 24 fcntl 25 ioctl 29 faccessat 48 openat 56 close 57 getdents64 61
        lseek 62 read 63 write 64 readv 65 writev 66 pread64 67 pselect6 72 ppoll 73
        readlinkat 78 newfstatat 79 fstat 80 exit 93 exit_group 94 futex 98 nanosleep 101
        clock_gettime 113 clock_getres 114 clock_nanosleep 115 sched_getaffinity 123
        sched_yield 124 restart_syscall 128 sigaltstack 132 rt_sigaction 134 rt_sigprocmask 135
        rt_sigreturn 139 times 153 uname 160 getrlimit 163 getrusage 165 prctl 167 getcpu 168
        gettimeofday 169 getpid 172 getppid 173 getuid 174 geteuid 175 getgid 176 getegid 177
        gettid 178 sysinfo 179 brk 214 munmap 215 mremap 216 mmap 222 mprotect 226 madvise 233
        prlimit64 261 getrandom 278 statx 291 faccessat2 439""",
}

WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
NO_BITS = {"open": (1, WRITING), "openat": (2, WRITING)}
ONE_OF = {
    "fcntl": (1, (0, 1, 2, 3, 1030)),  # F_DUPFD, GETFD, SETFD, GETFL, DUPFD_CLOEXEC; no locks
    "ioctl": (1, (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)),  # is it a terminal, how wide; CLOEXEC
    "prctl": (0, (15, 16, 0x53564D41)),  # names of threads and of memory
}
ZERO = {"prlimit64": (0, 2)}  # this process, no new limit

_NUMBER, _ARCH = 0, 4  # offsets in struct seccomp_data; argument k stands at 16 + 8 k
_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

Instruction = tuple[int, int, int, int]


def numbers(machine: str) -> dict[str, int]:
    """The allowed calls of a machine, ``x86_64`` or ``aarch64``, by name."""
    words = NUMBERS[machine].split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


def compile_filter(machine: str) -> bytes:
    """The filter as the kernel wants it: one instruction of classic BPF in each 8 bytes."""
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),  # the 32-bit entry counts its calls otherwise
        (_LOAD, 0, 0, _NUMBER),
    ]
    for name, number in numbers(machine).items():
        rule = _rule(name)
        code += [(_EQUAL, 0, len(rule), number), *rule]
    code += [
        (_AT_LEAST, 0, 1, 424),  # x32 numbers too
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
    ]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def _rule(name: str) -> list[Instruction]:
    """What is done once the number is right: mostly allow, sometimes look at the arguments.

    Only the low half of an argument is looked at, as the kernel does for these ints; ``ZERO``
    looks at a pointer and takes both.
    """
    allow, deny = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR | errno.EPERM)
    if name in NO_BITS:
        argument, bits = NO_BITS[name]
        return [(_LOAD, 0, 0, 16 + 8 * argument), (_BITS, 0, 1, bits), deny, allow]
    if name in ONE_OF:
        argument, values = ONE_OF[name]
        tests = [(_EQUAL, len(values) - k, 0, v) for k, v in enumerate(values)]
        return [(_LOAD, 0, 0, 16 + 8 * argument), *tests, deny, allow]
    if name in ZERO:
        words = [16 + 8 * k + half for k in ZERO[name] for half in (0, 4)]
        tests = [t for word in words for t in ((_LOAD, 0, 0, word), (_EQUAL, 1, 0, 0), deny)]
        return [*tests, allow]
    return [allow]
