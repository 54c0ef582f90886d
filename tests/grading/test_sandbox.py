"""The fences one by one: each stands, each is missed when it is taken away, and says so."""

import json
import os
import platform
import re
import signal
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.grading import sandbox
from refmarl.grading.sandbox import calls, levels, proving, reach

linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="level 2 needs root"
)
LEVELS = [1, pytest.param(2, marks=root)]
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
RUN = """
import json, sys
given = json.load(sys.stdin)
space = {"__name__": "inside"}
exec(given["source"], space)
sys.path[:] += given["path"]
exec(given["before"], {})
done = space["apply"](given["plan"])
exec(given["code"], {"done": done})
"""


def run(code, level=1, before="", packages=("numpy",), **changes):
    """Run code in a child at a level; what it printed, or the last line of its error."""
    plan = sandbox.plan(level, packages) | changes
    site = [str(Path(reach._package(name)[0]).parent) for name in packages]
    given = {"source": sandbox.SOURCE, "plan": plan, "path": site, "before": before, "code": code}
    child = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", RUN],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        env={"OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
    )
    return child.stdout.strip() or child.stderr.strip().splitlines()[-1]


def decide(machine, number, arguments=(), audit=None):
    """What the kernel would make of a call: a plain reading of classic BPF."""
    code = list(struct.iter_unpack("<HBBI", calls.compile_filter(machine)))
    audit = calls.AUDIT[machine] if audit is None else audit
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    at = word = 0
    while True:
        kind, yes, no, k = code[at]
        at += 1
        if kind == 0x06:
            return k
        if kind == 0x20:
            word = struct.unpack_from("<I", data, k)[0]
        else:
            holds = {0x15: word == k, 0x35: word >= k, 0x45: bool(word & k)}[kind]
            at += yes if holds else no


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
machines = pytest.mark.parametrize("machine", list(calls.NUMBERS))


@linux
@pytest.mark.parametrize("level", LEVELS)
def test_nothing_that_the_canary_tries_is_possible_inside(level):
    report = sandbox.probe(level)
    assert report.holds, report.says
    assert report.possible == ()
    assert sandbox.require(level) == report


@linux
@root
def test_outside_the_canary_can_do_all_that_it_tries():
    tries = proving.CANARY.count('        ("') + 4
    assert len(sandbox.probe(0).possible) >= tries - 1  # a container may have no /dev/ptmx


@linux
@pytest.mark.parametrize("level", LEVELS)
def test_a_folder_left_readable_is_named(level):
    made = sandbox.plan(level, ())
    solutions = str(reach.PACKAGE.parent / "solutions")
    told = proving._ask(made | {"readable": [*made["readable"], solutions]}, ())
    assert [word.startswith("open " + solutions) for word in told["possible"]] == [True]


@linux
@pytest.mark.parametrize(
    ("name", "number", "says"),
    [
        ("flock", 73, "lock a file"),
        ("socketpair", 53, "make a pair of sockets"),
        ("setpriority", 141, "change its priority"),
        ("utimensat", 280, "touch another's file"),
        ("chmod", 90, "chmod another's file"),
    ],
)
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_a_call_let_through_is_noticed(name, number, says, monkeypatch):
    more = calls.NUMBERS["x86_64"] + f" {name} {number}"
    monkeypatch.setitem(calls.NUMBERS, "x86_64", more)
    told = proving._ask(sandbox.plan(1, ()), ())
    assert told["possible"] == [says]


@linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
@pytest.mark.parametrize("more", ["kill 62", "socket 41 connect 42"])
def test_signals_and_sockets_have_a_second_fence(more, monkeypatch):
    if sandbox.probe(1).done["landlock"] < 6:
        pytest.skip("Landlock governs them from ABI 6 on")
    monkeypatch.setitem(calls.NUMBERS, "x86_64", f"{calls.NUMBERS['x86_64']} {more}")
    possible = set(proving._ask(sandbox.plan(1, ()), ())["possible"])
    assert possible <= {"signal everybody"}  # kill(-1) says yes, also where nobody is permitted


@linux
def test_a_child_leaves_no_core_for_its_own_user(monkeypatch):
    monkeypatch.setitem(calls.ONE_OF, "prctl", (0, (3,)))  # PR_GET_DUMPABLE
    assert run("import ctypes; print(ctypes.CDLL(None).prctl(3))") == "0"


@linux
@root  # others are stopped by their limit on processes before it comes to that
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_a_canary_that_dies_has_not_shown_that_a_level_holds(monkeypatch):
    monkeypatch.setitem(calls.NUMBERS, "x86_64", calls.NUMBERS["x86_64"] + " clone 56")
    report = proving.probe.__wrapped__(1)  # a thread that starts lacks other calls: glibc aborts
    assert not report.holds
    assert "cannot be had here: the canary died" in report.says


WITHOUT = """
import ctypes, struct, sys
numbers, argument = {numbers}, {argument}
libc = ctypes.CDLL(None)
rule = [(0x20, 0, 0, 0)]
for number in numbers:
    rule += [(0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, argument), (6, 0, 0, 0x50026)]
    rule += [(0x20, 0, 0, 0)]
if argument is None:
    rule = [(0x20, 0, 0, 0)]
    rule += [i for n in numbers for i in ((0x15, 0, 1, n), (6, 0, 0, 0x50026))]
rule += [(6, 0, 0, 0x7FFF0000)]
code = b"".join(struct.pack("<HBBI", *i) for i in rule)
class Program(ctypes.Structure):
    _fields_ = [("n", ctypes.c_ushort), ("p", ctypes.c_char_p)]
program = Program(len(rule), code)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
from refmarl.grading import sandbox
print(sandbox.probe(1).says)
print(sandbox.reached().level)
print(sandbox.probe(2).says)
"""


def without(numbers, argument=None):
    """The three lines of a grader on a kernel that lacks some calls."""
    code = WITHOUT.format(numbers=numbers, argument=argument)
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert child.returncode == 0, child.stderr
    return child.stdout.splitlines()


@linux
def test_a_kernel_without_landlock_is_told_so_and_nothing_is_pretended():
    one, reached, two = without([444, 445, 446])
    assert "isolation level 1 (Landlock and seccomp) cannot be had here" in one
    assert "Landlock is not to be had" in one
    assert reached == "0"
    assert "cannot" in two or "a submission could open" in two


@linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_a_kernel_without_seccomp_is_told_so():
    one, reached, two = without([157], argument=22)
    assert "seccomp: " in one
    assert reached == "0"
    assert "seccomp: " in two or "needs root" in two


@machines
def test_the_numbers_are_those_of_the_kernels_headers(machine):
    header = HEADERS[machine]
    if not header.is_file():
        pytest.skip("no kernel headers here")
    text = header.read_text()
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text))
    found["newfstatat"] = found.get("newfstatat", found.get("fstatat"))
    for name, number in calls.numbers(machine).items():
        assert found[name] == str(number), name


@machines
@given(number=st.integers(0, 2**32 - 1))
def test_a_call_that_is_not_listed_is_refused_even_if_no_kernel_has_it_yet(machine, number):
    if number not in calls.numbers(machine).values():
        assert decide(machine, number) == (ENOSYS if number >= 424 else EPERM)


@machines
@given(flags=st.integers(0, 2**32 - 1))
def test_nothing_is_opened_to_be_written_made_or_emptied(machine, flags):
    reading = not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    number = calls.numbers(machine)["openat"]
    assert (decide(machine, number, (0, 0, flags)) == ALLOW) == reading


@machines
@given(word=st.integers(0, 2**64 - 1), name=st.sampled_from(list(calls.ONE_OF)))
def test_only_the_listed_commands_of_a_call_pass(machine, word, name):
    place, values = calls.ONE_OF[name]
    number = calls.numbers(machine)[name]
    at = [0] * place
    assert (decide(machine, number, (*at, word)) == ALLOW) == (word % 2**32 in values)
    assert all(decide(machine, number, (*at, v)) == ALLOW for v in values)


@machines
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_limits_can_be_read_and_never_set(machine, pid, pointer):
    number = calls.numbers(machine)["prlimit64"]
    assert decide(machine, number, (0, 7, 0, 1)) == ALLOW
    assert (decide(machine, number, (pid, 7, pointer)) == ALLOW) == (pid == pointer == 0)


@machines
def test_a_call_by_the_entry_of_another_machine_kills(machine):
    assert decide(machine, 0, audit=0x40000003) == KILL  # int 0x80: i386


@linux
def test_honest_numpy_scipy_and_numba_run_inside():
    code = """
import numpy as np, scipy.linalg, scipy.optimize, numba, statistics, decimal, random, dataclasses
a = np.random.default_rng(0).normal(size=(50, 50))
assert np.allclose(scipy.linalg.inv(a) @ a, np.eye(50)) and np.linalg.svd(a)[1].min() > 0
assert scipy.optimize.linprog([1.0], bounds=[(2, 3)]).x == 2
@numba.njit
def f(x):
    return x + 1
print(f(1) + len(open(statistics.__file__).readline()) * 0)
"""
    packages = ("numpy", "scipy", "numba", "llvmlite")
    imports = "import numpy, scipy.linalg, scipy.optimize, numba"
    assert run(code, before=imports, packages=packages) == "2"


@linux
@pytest.mark.parametrize("level", LEVELS)
def test_a_late_import_of_the_standard_library_works(level):
    assert run("import decimal, sqlite3, json.tool; print('ok')", level) == "ok"


@linux
def test_a_second_thread_is_refused_before_anything_is_trusted():
    before = (
        "import threading as t, time\nt.Thread(target=time.sleep, args=[9], daemon=True).start()"
    )
    assert run("print('ran')", before=before) == "RuntimeError: need one thread, got 2"


@linux
def test_files_left_open_are_closed():
    before = "import os; [os.open('/', 0) for _ in range(5)]"
    code = """
import fcntl
n = 0
for fd in range(60):
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
        n += 1
    except OSError:
        pass
print(n)
"""
    assert run(code, before=before) == "3"


@linux
@root
def test_a_user_of_its_own_has_none_of_roots_powers():
    code = "import os; print(os.geteuid(), os.getuid(), os.getegid(), os.getgid(), done['uid'])"
    told = run(code, 2).split()
    assert set(told) == {str(sandbox.own_uid())}
    assert len(told) == 5


@linux
@root
def test_root_at_level_1_is_left_without_powers(tmp_path):
    path = tmp_path / "of_another"
    path.write_text("mine")
    os.chmod(path, 0o600)
    os.chown(path, 12_345, 12_345)
    made = sandbox.plan(1)
    told = run(f"open({str(path)!r})", readable=[*made["readable"], str(path)])
    assert told.startswith("PermissionError: [Errno 13]")  # Landlock would have let it pass


FAMILY = """
import json, os, sys, time
given = json.load(sys.stdin)
space = {"__name__": "inside"}
exec(given["source"], space)
pid = os.fork()
if pid == 0:
    space["apply"](given["plan"])
    print("ready", flush=True)
    time.sleep(60)
    os._exit(0)
print(pid, flush=True)
time.sleep(60)
"""


@contextmanager
def family(level):
    """A parent and its child, which sleeps behind its fences: (process, pid of the child)."""
    command = [sys.executable, "-I", "-S", "-B", "-c", FAMILY]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as parent:
        try:
            json.dump({"source": sandbox.SOURCE, "plan": sandbox.plan(level, ())}, parent.stdin)
            parent.stdin.close()
            told = {parent.stdout.readline().strip() for _ in range(2)}
            yield parent, int(*(told - {"ready"}))
        finally:
            parent.kill()


def _gone(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


@linux
@pytest.mark.parametrize("level", LEVELS)
def test_a_child_does_not_outlive_its_parent(level):
    with family(level) as (parent, pid):
        assert not _gone(pid)
        parent.kill()
        parent.wait()
        until = time.monotonic() + 20
        while not _gone(pid) and time.monotonic() < until:
            time.sleep(0.01)
        assert _gone(pid)


@linux
@root
def test_a_child_cannot_be_dumped_by_its_own_user():
    with family(2) as (_, pid):
        status = Path(f"/proc/{pid}/status").read_text()
        assert f"Uid:\t{sandbox.own_uid()}\t" in status
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # its owner, if it could be dumped
        reads_past_modes = [f"{1 << 2:016x}", f"{0:016x}"]  # where Python is root's, or not
        assert re.search(r"CapEff:\s(\w+)\n", status)[1] in reads_past_modes
        assert re.search(r"CapPrm:\s(\w+)\n", status)[1] in reads_past_modes
        assert re.search(r"NoNewPrivs:\s1\n", status)
        assert re.search(r"Seccomp:\s2\n", status)


@linux
def test_a_dead_parent_means_no_start():
    assert run("print('ran')", parent=1) == "RuntimeError: the grader has ended"


@linux
def test_a_limit_that_the_system_lacks_is_recorded_and_stops_nothing():
    told = json.loads(
        run("import json; print(json.dumps(done['rlimits']))", rlimits={"NO_SUCH": 1, "CORE": 0})
    )
    assert told["CORE"] == "0"
    assert told["NO_SUCH"].startswith("unsupported")


@given(level=st.integers().filter(lambda n: n not in (0, 1, 2)))
def test_a_level_that_is_none_is_one_line(level):
    with pytest.raises(InputError, match="need an isolation level of 0, 1 or 2"):
        sandbox.plan(level)


def test_level_1_on_another_system_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="needs Linux on x86_64 or aarch64; this is darwin"):
        sandbox.plan(1)
    assert sandbox.plan(0)["readable"] == []


def test_nothing_readable_holds_refmarl_or_a_solution():
    paths = [Path(p) for p in reach.readable(("numpy", "scipy"))]
    for hidden in reach.hidden_folders():
        assert not any(path in (hidden, *hidden.parents) for path in paths)


def test_a_package_beside_which_refmarl_stands_cannot_be_allowed(monkeypatch):
    monkeypatch.setattr(reach, "_package", lambda name: [reach.PACKAGE.parent])
    with pytest.raises(InputError, match="need refmarl outside of what students' code may read"):
        reach.readable()


def test_a_package_that_is_not_installed_is_one_line():
    with pytest.raises(InputError, match="need the package no_such_thing"):
        reach.readable(("no_such_thing",))


@linux
@pytest.mark.parametrize("users", [65_536, 2**32 - 1])
def test_each_child_of_each_grader_has_a_user_that_exists_and_is_nobody_else(users, monkeypatch):
    monkeypatch.setattr(levels, "_users", lambda: users)
    slots = [sandbox.own_uid(slot) for slot in range(16)]
    monkeypatch.setattr(os, "getpid", lambda: 4_194_303)  # the largest that Linux gives out
    others = [sandbox.own_uid(slot) for slot in range(16)]
    assert len({*slots, *others}) == 32
    assert all(levels.FEW_UIDS <= uid < min(users, 2**31) for uid in (*slots, *others))


@linux
def test_what_is_guarded_must_exist(tmp_path):
    with pytest.raises(InputError, match="need what no submission may read, but"):
        sandbox.require(1, (tmp_path / "secret",))


@linux
@pytest.mark.parametrize("level", LEVELS)
def test_a_guarded_file_that_can_be_read_is_named(level):
    open_to_all = Path(os.__file__)
    report = sandbox.probe(level, (open_to_all,))
    assert report.possible == (f"open {open_to_all}",)
    with pytest.raises(InputError, match=f"a submission could open {open_to_all}"):
        sandbox.require(level, (open_to_all,))


@linux
@root
def test_the_sweep_ends_all_of_a_user_and_nobody_else():
    uid = sandbox.own_uid(3)
    mine = [subprocess.Popen(["/bin/sleep", "60"], user=uid) for _ in range(3)]
    other = subprocess.Popen(["/bin/sleep", "60"])
    time.sleep(0.1)
    try:
        assert sandbox.sweep(uid) >= 3
        assert [p.wait(10) for p in mine] == [-signal.SIGKILL] * 3
        assert other.poll() is None
        assert sandbox.sweep(uid) == 0
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("uid", [0, 1, 1000])
def test_the_sweep_refuses_a_user_that_is_somebody(uid):
    with pytest.raises(InputError, match="need a user made for a child"):
        sandbox.sweep(uid)


@linux
def test_the_grader_cannot_be_read_by_its_own_user_meanwhile():
    dumpable = "import ctypes; print(ctypes.CDLL(None).prctl(3))"
    code = f"""
from refmarl.grading import sandbox
{dumpable}
with sandbox.undumpable():
    {dumpable}
{dumpable}
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["1", "0", "1"]
