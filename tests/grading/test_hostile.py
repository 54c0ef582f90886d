"""Files that are written to fool, to harm or to outlive the grader: tests/grading/hostile.

Each is graded as a submission. Whatever it tries, it gets no marks (or those of its honest part),
the right status, and leaves everything as it was: the grader, its files and settings, and the
mark of the next student. A file states its attack and what is required of it; @NAMES@ in it are
filled in with what an attacker would otherwise have to find out.
"""

import ctypes
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.grading import runner, sandbox
from refmarl.grading.catalogue import exercises, folder
from refmarl.grading.report import program, report
from refmarl.grading.results import mark
from refmarl.grading.runner import STATUSES, Grader, Limits
from refmarl.grading.spec import Property, Spec, close

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

HERE = Path(__file__).with_name("hostile")
FILES = sorted(HERE.glob("*.py.txt"), key=lambda path: int(path.name.split("_")[0]))
EXERCISE = exercises()["expected-utility"]
SOLUTION = folder("solutions") / EXERCISE.path
LIMITS = Limits(
    call_seconds=0.5,
    load_seconds=2.0,
    property_seconds=1.0,
    exercise_seconds=1.5,
    memory_bytes=512 << 20,
)
PATIENT = replace(LIMITS, call_seconds=3.0, property_seconds=4.0, exercise_seconds=6.0)  # of tests
SLACK = 6.0  # seconds for starting children on a busy machine
EXAMPLES = 12


@dataclass(frozen=True)
class Attack:
    """One file, and what it says of itself."""

    path: Path

    @property
    def text(self):
        return self.path.read_text("utf-8")

    def said(self, word):
        """What stands after a word in the docstring, up to the full stop."""
        found = re.search(rf"\b{word}: ([^.]*)\.", self.text.split('"""')[1])
        return found.group(1) if found else ""

    @property
    def expected(self):
        told = set(self.said("Expect").split(", "))
        return told | {"bad-return"} if "fail" in told else told  # both: a wrong answer

    @property
    def exercise(self):
        """The exercise that it is handed in for."""
        return ASKED[self.said("Asked")]

    @property
    def levels(self):
        return {int(n) for n in (self.said("Holds") or "1 2").split()}


class Twice(NamedTuple):
    """A function handed to the answer, and where to apply it."""

    f: Callable[[float], float]
    x: float


def _of(factor):
    def multiplied(x):
        if not isinstance(x, int | float):
            raise TypeError("need a number")
        return factor * x

    return multiplied


def _twice(answer, case):
    close(answer(*case), case.f(case.f(case.x)), "f(f(x))")


TWICE = Spec(
    exercise="twice",
    function="twice",
    cases=st.builds(Twice, st.sampled_from([_of(2.0), _of(-3.0)]), st.floats(0.5, 2.0)),
    properties=(Property("it is f(f(x))", _twice, "Apply f to f(x)."),),
    mistakes=(),
    reference=lambda f, x: f(f(x)),
)
HONEST_TWICE = "\n\ndef twice(f, x):\n    return f(f(x))\n\n\n"
OTHER = exercises()["tests-nash"]  # whose function is handed an implementation
ASKED = {
    "": EXERCISE,
    "tests-nash": OTHER,
    "twice": replace(EXERCISE, label="twice", function="twice"),
}
ATTACKS = [Attack(path) for path in FILES]
RLIMITS = [name for name in dir(resource) if name.startswith("RLIMIT_")]


@dataclass(frozen=True)
class Field:
    """What an attacker may reach for, and what must not change."""

    place: Path
    port: socket.socket
    token: str

    @property
    def results(self):
        return self.place / "results.json"

    @property
    def honest(self):
        return self.place / "honest.py"

    def submit(self, attack):
        """The attack as a file, its @NAMES@ filled in."""
        names = {
            "SOLUTION": SOLUTION,
            "RESULTS": self.results,
            "FOLDER": self.place,
            "PARENT": os.getpid(),
            "PORT": self.port.getsockname()[1],
            "TOKEN": self.token,
            "SECRET": "kept-from-students",
            "EARLIER": "name_of_an_earlier_student",
            "NESTED": "(" * 3000 + ")" * 3000,
            "BROKEN": "def expected_utility(payoffs, profile:\n    return (",
        }
        text = attack.text
        for name, value in names.items():
            text = text.replace(f"@{name}@", str(value))
        path = self.place / "submissions" / attack.path.name.removesuffix(".txt")
        path.write_text(text, "utf-8")
        return path

    def files(self):
        """Names, contents, modes and times of everything that is not a submission."""
        told = {}
        for path in [self.place, *self.place.iterdir()]:
            status = path.lstat()
            key = status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns
            content = path.read_bytes() if path.is_file() else sorted(os.listdir(path))
            told[path.name] = key, content if path.name != "submissions" else None
        del told["submissions"]
        return told

    def left_behind(self):
        """Files with the token in their name in places where anybody may write."""
        places = [Path(p) for p in ("/tmp", "/var/tmp", "/dev/shm", os.getcwd(), Path.home())]
        return [p for place in places if place.is_dir() for p in place.glob(f"*{self.token}*")]

    def heard(self):
        """What came to the port."""
        try:
            self.port.accept()[0].close()
        except BlockingIOError:
            return False
        return True


def settings():
    """Of this process: whatever a submission must not change."""
    mask = os.umask(0o22)
    os.umask(mask)
    return {
        "signals": [signal.getsignal(n) for n in sorted(signal.valid_signals())],
        "limits": {k: resource.getrlimit(getattr(resource, k)) for k in RLIMITS},
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "mask": mask,
        "processors": os.sched_getaffinity(0),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
        "numpy": (np.geterr(), np.get_printoptions()),
        "files": len(os.listdir("/proc/self/fd")),
    }


def children():
    """The processes below this one, dead ones that nobody fetched included."""
    paths = Path("/proc/self/task").glob("*/children")
    return {int(pid) for path in paths for pid in path.read_text().split()}


def own(grader):
    """The processes that a grader keeps until it is closed."""
    nursery = grader._nursery
    helper = [nursery.helper.child.life] if nursery.helper.child else []
    return {life.pid for life in (*nursery.templates.values(), *helper)}


@pytest.fixture(autouse=True)
def spec_of_twice(monkeypatch):
    """One exercise more, which hands a function to the answer."""
    real = runner.spec
    monkeypatch.setattr(runner, "spec", lambda e: TWICE if e.function == "twice" else real(e))
    monkeypatch.setattr(runner, "untouched", lambda exercise, data: False)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    (place / "submissions").mkdir()
    (place / "results.json").write_text('{"score": 0}')
    os.chmod(place / "results.json", 0o640)
    text = SOLUTION.read_text("utf-8") + (folder("solutions") / OTHER.path).read_text("utf-8")
    text += HONEST_TWICE + "name_of_an_earlier_student = 1\n"
    (place / "honest.py").write_text(text, "utf-8")
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to us
    with socket.create_server(("127.0.0.1", 0)) as port:
        port.setblocking(False)
        yield Field(place, port, f"refmarl-hostile-{secrets.token_hex(8)}")
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def graders(field):
    """A grader for each level, with an honest student already graded, for what it starts once."""
    made, before = {}, children()

    def grader(level, exercise=EXERCISE):
        key = level, exercise.label == OTHER.label
        if key not in made:
            made[key] = Grader(level, PATIENT if key[1] else LIMITS).__enter__()
            made[key].check(OTHER if key[1] else EXERCISE, field.honest, EXAMPLES)
        return made[key]

    yield grader
    for one in made.values():
        one.__exit__(None, None, None)
    assert children() <= before, "a grader left a process behind"


def text_of(result):
    """All that a result tells, to a program, a student and the gradebook."""
    told = json.dumps([result.as_json(), mark(result).as_dict()], allow_nan=False)
    told += "" if result.exercise.label == "twice" else report(result) + program(result)
    return told + result.message + result.printed


def attacked(attack, level, field, graders):
    """Grade the attack and the next student; what it got."""
    grader = graders(level, attack.exercise)
    path = field.submit(attack)
    before = field.files(), settings(), children()
    began = time.monotonic()
    result = grader.check(attack.exercise, path, EXAMPLES)
    took = time.monotonic() - began
    most = 2 * LIMITS.exercise_seconds + SLACK
    if attack.exercise is OTHER:  # a dozen laws, each in a process of its own
        most = 2 * PATIENT.exercise_seconds + 3 * SLACK
    assert took < most, f"{took:.1f} s"
    assert children() <= before[2] | own(grader), "a process was left behind"
    if level:
        assert field.files() == before[0]
        assert not field.heard()
    after = settings()
    assert after.pop("files") <= before[1].pop("files")
    assert after == before[1]
    assert field.left_behind() == [] or not level
    return result


def must_have_failed(attack, result):
    exercise = attack.exercise
    assert result.status in attack.expected, (result.status, result.message[:500])
    assert result.score < exercise.points
    if attack.said("Score") != "part":
        assert result.score == 0
    text = text_of(result)
    assert len(text) < 500_000
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text) is None
    assert text.encode("utf-8")
    assert attack.said("Says") in text
    assert re.search(r"granted: (?!\[\]|0 |\{)|reached the kernel: \[[^]]", text) is None, text[
        :2000
    ]
    assert "kept-from-students" not in text


def run(attack, level, field, graders):
    result = attacked(attack, level, field, graders)
    must_have_failed(attack, result)
    after = graders(level, attack.exercise).check(attack.exercise, field.honest, 3)
    assert (after.status, after.score) == ("pass", attack.exercise.points)


# One or two of each kind, which take no time-out; the others are slow.
QUICK = {
    1, 3, 5, 12, 14, 18, 24, 25, 27, 29, 33, 35, 40, 41, 44, 46, 48, 58, 67, 68, 70, 71, 74, 79, 81,
    83, 99, 102, 105, 106, 113, 121, 122, 123, 124, 126, 130,
}  # fmt: skip


def number(attack):
    """Where it stands in the list."""
    return int(attack.path.name.split("_")[0])


def cases(level, quick=frozenset()):
    """The attacks that must fail at a level, as parameters of a test."""
    return [
        pytest.param(
            a,
            id=a.path.name.split(".")[0],
            marks=[pytest.mark.slow] * (number(a) not in quick),
        )
        for a in ATTACKS
        if level in a.levels
    ]


root = pytest.mark.skipif(os.geteuid() != 0, reason="level 2 needs root")


@pytest.mark.parametrize("attack", cases(1, QUICK))
def test_at_level_1(attack, field, graders):
    run(attack, 1, field, graders)


@root
@pytest.mark.parametrize("attack", cases(2))
def test_at_level_2(attack, field, graders):
    run(attack, 2, field, graders)


@pytest.mark.parametrize("attack", cases(0))
def test_the_marks_at_level_0(attack, field, graders):
    run(attack, 0, field, graders)


HONEST = SOLUTION.read_text("utf-8")
TRAP = (
    "open({results!r}, 'w').write('run')\nraise SystemExit('a file beside the exercise was run')\n"
)
TRAPS = (
    "numpy.py",
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "struct.py",
    "os.py",
    "random.py",
    "refmarl.py",
    "hypothesis.py",
    "border.py",
    "student.py",
    "wire.py",
)


@pytest.fixture
def trapped(tmp_path):
    """A folder with an honest answer among files that do harm when they are run."""
    results = tmp_path / "results.json"
    results.write_text("{}")
    place = tmp_path / "work" / EXERCISE.folder
    place.mkdir(parents=True)
    trap = TRAP.format(results=str(results))
    for name in TRAPS:
        (place / name).write_text(trap)
        (place.parent / name).write_text(trap)
        (place / name.removesuffix(".py")).mkdir()
        (place / name.removesuffix(".py") / "__init__.py").write_text(trap)
    for name in ("x.pth", "pyvenv.cfg", "python311._pth"):
        (place / name).write_text("import os; " + trap.splitlines()[0] + "\n")
    (place / Path(EXERCISE.path).name).write_text(HONEST, "utf-8")
    return place / Path(EXERCISE.path).name, results


@pytest.mark.parametrize("level", [0, 1])
def test_files_beside_the_exercise_are_not_run(level, trapped, graders, monkeypatch):
    path, results = trapped
    monkeypatch.chdir(path.parent)
    assert graders(level).check(EXERCISE, path, 3).status == "pass"
    assert results.read_text() == "{}"


def test_nor_by_the_command(trapped):
    path, results = trapped
    script = Path(sys.executable).with_name("refmarl")
    if not script.exists():
        pytest.skip("refmarl is not installed beside this Python")
    command = [script, "check", EXERCISE.label, "--dir", ".."]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=60)
    assert "10 of 10 points" in done.stdout, done.stderr
    assert results.read_text() == "{}"


SOURCES = {
    "utf-8 with a mark": (b"\xef\xbb\xbf" + HONEST.encode(), "pass"),
    "crlf": (HONEST.replace("\n", "\r\n").encode(), "pass"),
    "cr": (HONEST.replace("\n", "\r").encode(), "pass"),
    "declared latin-1": (("# coding: latin-1\n# \xe9\n" + HONEST).encode("latin-1"), "pass"),
    "undeclared latin-1": (b"# \xe9\n" + HONEST.encode(), "error"),
    "utf-16": (HONEST.encode("utf-16"), "error"),
    "unknown coding": (b"# coding: no-such\n" + HONEST.encode(), "error"),
    "coding that is no text": (b"# coding: zlib\n" + HONEST.encode(), "error"),
    "nul": (HONEST.encode() + b"\0", "error"),
    "only nul": (bytes(1000), "error"),
    "empty": (b"", "error"),
    "a comment": (b"# expected_utility", "error"),
    "too much": (HONEST.encode() + b"\n" + b"#" * (10 << 20), "error"),
    "one long line": (HONEST.encode() + b"\nx = " + b"-" * 200_000 + b"1\n", "error crash pass"),
    "many lines": (HONEST.encode() + b"\n" * 200_000, "pass"),
    "binary": (bytes(range(256)) * 100, "error"),
    "surrogates": ("x = '\ud800'\n".encode("utf-8", "surrogatepass"), "error"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_bytes_that_are_no_ordinary_source(name, field, graders):
    data, expected = SOURCES[name]
    path = field.place / "submissions" / "odd.py"
    path.write_bytes(data)
    result = graders(1).check(EXERCISE, path, 3)
    assert result.status in expected.split(), result.message
    assert result.status == "pass" or result.score == 0


def _sparse(path):
    with path.open("wb") as file:
        file.truncate(100 << 30)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


ODD_FILES = {
    "a folder": lambda path: path.mkdir(),
    "a named pipe": os.mkfifo,
    "a link to an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("/no/such/file"),
    "a link to the solution": lambda path: path.symlink_to(SOLUTION),
    "100 GB": _sparse,
    "a socket": _socket,
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_files_that_are_no_ordinary_file(kind, tmp_path, graders):
    path = tmp_path / "e01.py"
    ODD_FILES[kind](path)
    began = time.monotonic()
    try:
        result = graders(1).check(EXERCISE, path, 3)
        told, score = result.message, result.score
    except InputError as error:
        told, score = str(error), 0
    assert ("e01.py" in told, score) == (True, 0), told
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ODD_FILES)
def test_modules_beside_it_that_are_no_ordinary_file(kind, tmp_path, graders):
    ODD_FILES[kind](tmp_path / "helper.py")
    path = tmp_path / "e01.py"
    path.write_text("from helper import *\n")
    result = graders(1).check(EXERCISE, path, 3)
    assert (result.status, result.score) == ("error", 0), result


TYPED = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pathlib import Path
from typing import NamedTuple
from refmarl.grading.catalogue import exercises
from refmarl.grading.runner import check
result = check(exercises()["expected-utility"], Path(sys.argv[1]), 3, isolation=1)
os.set_blocking(0, False)
try:
    typed = os.read(0, 100)
except BlockingIOError:
    typed = b""
Path(sys.argv[2]).write_text(f"{result.status} {typed!r} {termios.tcgetattr(0)[:4] == BEFORE}")
""".replace("from pathlib", "BEFORE = termios.tcgetattr(0)[:4]\nfrom pathlib", 1)


@pytest.mark.slow
def test_nothing_is_typed_into_the_terminal_of_who_grades(field, tmp_path):
    attack = ATTACKS[61]
    path = field.submit(attack)
    master, slave = os.openpty()
    try:
        command = [sys.executable, "-c", TYPED, str(path), str(tmp_path / "told")]
        subprocess.run(command, stdin=slave, stdout=slave, stderr=slave, timeout=60, check=True)
    finally:
        os.close(master)
        os.close(slave)
    assert (tmp_path / "told").read_text().split(" ", 1)[1] == "b'' True"


def test_a_hidden_seed_is_not_carried_out_in_an_error(field):
    attack = ATTACKS[62]
    with Grader(1, LIMITS, secret=b"kept-from-students") as grader:
        result = grader.check(EXERCISE, field.submit(attack), EXAMPLES)
    assert result.score == 0
    assert len(result.failed) > 0
    assert "array(" not in result.message
    assert {law["counterexample"] for law in result.as_json()["properties"]} == {None}


@pytest.mark.slow
def test_the_memory_of_the_grader_stays_flat(field, graders):
    attacks = [a for a in ATTACKS if number(a) in (42, 50, 105, 106, 121)]

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    for attack in attacks:
        graders(1).check(EXERCISE, field.submit(attack), EXAMPLES)
    before = resident()
    for attack in attacks:
        graders(1).check(EXERCISE, field.submit(attack), EXAMPLES)
    assert resident() - before < 50 << 20


@pytest.mark.slow
def test_the_same_attack_gets_the_same_report(field, graders):
    for attack in [a for a in ATTACKS if number(a) in (13, 47, 63, 98, 119)]:
        path = field.submit(attack)
        told = [json.dumps(graders(1).check(EXERCISE, path, EXAMPLES).as_json()) for _ in "ab"]
        assert told[0] == told[1], attack.path.name


def test_every_file_states_what_is_required_of_it():
    assert [number(attack) for attack in ATTACKS] == list(range(1, len(ATTACKS) + 1))
    for attack in ATTACKS:
        head = attack.text.split('"""')[1]
        assert "\nRequired: " in head, attack.path.name
        assert attack.expected <= set(STATUSES) - {"pass", "harness-error", "blocked"}
        assert attack.levels <= {0, 1, 2}


HARM = {
    "24_reading_the_solution": lambda field, result: result.status == "pass",
    "27_writing_the_results": lambda field, result: "100" in field.results.read_text(),
    "29_network": lambda field, result: field.heard(),
    "32_full_disk": lambda field, result: (field.place / field.token).exists(),
    "40_program": lambda field, result: (field.place / field.token).exists(),
    "41_shared_memory": lambda field, result: Path("/dev/shm", field.token).exists(),
    "66_links": lambda field, result: (field.place / field.token).is_symlink(),
    "67_modes": lambda field, result: field.results.stat().st_mode & 0o777 == 0o777,
    "68_truncate": lambda field, result: field.results.read_text() == "",
    "69_removal": lambda field, result: not field.results.exists(),
    "113_locks": lambda field, result: re.search("granted: [4-6] locks", text_of(result)),
}


@root
@pytest.mark.slow
@pytest.mark.parametrize("name", HARM)
def test_without_a_fence_these_do_harm(name, tmp_path, graders):
    """Else the tests above would hold for attacks that do nothing."""
    attack = next(a for a in ATTACKS if a.path.name == f"{name}.py.txt")
    place = tmp_path / "field"
    (place / "submissions").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as port:
        port.setblocking(False)
        field = Field(place, port, f"refmarl-hostile-{secrets.token_hex(8)}")
        field.results.write_text("{}")
        field.honest.write_text(HONEST, "utf-8")
        path = tmp_path / "answer.py"
        path.write_text(field.submit(attack).read_text("utf-8"), "utf-8")
        try:
            result = graders(0).check(EXERCISE, path, 3)
            assert HARM[name](field, result)
        finally:
            for left in field.left_behind():
                left.unlink()


@pytest.mark.parametrize(
    "broken",
    [
        {"filter": "00" * 8},  # no program that a kernel takes
        {"readable": ["/no/such/folder"]},
        {"level": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_where_a_fence_cannot_be_put_up_nothing_is_run(broken, field, monkeypatch):
    real = sandbox.plan
    monkeypatch.setattr(sandbox, "plan", lambda *args, **options: real(*args, **options) | broken)
    path = field.place / "submissions" / "run.py"
    path.write_text(f"open({str(field.results)!r}, 'w').write('run')\n" + HONEST, "utf-8")
    before = field.files()
    with Grader(1, LIMITS) as grader:
        monkeypatch.setattr(grader._nursery, "plans", {})
        result = grader.check(EXERCISE, path, 3)
    assert (result.status, result.score) == ("harness-error", 0), result
    assert field.files() == before
