"""Watch mode through a pseudo-terminal, as a student sees it, and without any terminal."""

import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from refmarl.cli import main
from refmarl.grading.catalogue import exercises, folder

pty = pytest.importorskip("pty")
import fcntl  # noqa: E402
import termios  # noqa: E402

SECONDS = 60.0  # that an answer may take on a busy machine
ROW = '[{0}]\nfile = "week/{0}.py"\ntitle = "{0}"\nfunction = "f"\nhints = ["first", "second"]\n'
SPEC = """from typing import NamedTuple
from hypothesis import strategies as st
from refmarl.grading.spec import Property, Spec

class Case(NamedTuple):
    x: int

def twice(answer, case):
    assert answer(case.x) == 2 * case.x, "not twice"

SPEC = Spec("{0}", "f", st.builds(Case, st.integers(0, 9)),
    (Property("it is twice x", twice, "Add x to itself."),), (), lambda x: 2 * x)
"""
STUB = "def f(x):\n    # BEGIN SOLUTION\n    return 2 * x\n    # END SOLUTION\n"
RIGHT, WRONG = "def f(x):\n    return 2 * x\n", "def f(x):\n    return 3 * x\n"


@pytest.fixture
def work(tmp_path, monkeypatch, capsys):
    """A folder with two small exercises, one and two, of a course of its own."""
    course = tmp_path / "course"
    for kind in ("solutions", "specs"):
        (course / kind / "week").mkdir(parents=True)
    (course / "exercises.toml").write_text(ROW.format("one") + ROW.format("two"))
    for name in ("one", "two"):
        (course / "solutions/week" / f"{name}.py").write_text(STUB)
        (course / "specs/week" / f"{name}.py").write_text(SPEC.replace("{0}", name))
    monkeypatch.setenv("REFMARL_COURSE", str(course))
    assert main(["start", str(tmp_path / "work")]) == 0
    capsys.readouterr()
    return tmp_path / "work"


class Terminal:
    """A process on a pseudo-terminal: what it shows, keys to it."""

    def __init__(self, work, *argv):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        command = [sys.executable, "-m", "refmarl", "check", "--watch", *argv]
        self.process = subprocess.Popen(
            command,
            cwd=work,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is one
        )
        self.shown = ""

    def press(self, key):
        os.write(self.master, key.encode())

    def until(self, pattern):
        """Read until ``pattern`` shows; return what has been shown since the last call."""
        end = time.monotonic() + SECONDS
        while not re.search(pattern, self.shown):
            assert time.monotonic() < end, f"{pattern!r} does not show in {self.shown!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 65536).decode()
        found, self.shown = self.shown, ""
        return found

    def quiet(self, seconds):
        """What shows within so many seconds."""
        time.sleep(seconds)
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536).decode()
        found, self.shown = self.shown, ""
        return found

    def ends(self):
        """The exit status; the terminal must be as it was."""
        status = self.process.wait(SECONDS)
        assert termios.tcgetattr(self.slave) == self.before
        return status

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(work):
    """Start watch mode on a terminal: terminal(arguments)."""
    opened = []

    def start(*argv):
        opened.append(Terminal(work, *argv))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


FOOT = r"watching week/(\w+)\.py +h hint.*\n"


def test_a_save_is_checked_and_nothing_jumps(work, terminal):
    screen = terminal()
    assert "not started" in screen.until(FOOT)
    (work / "week/one.py").write_text(WRONG)
    text = screen.until(FOOT)
    assert "it is twice x" in text
    assert "not twice" in text
    (work / "week/one.py").write_text(RIGHT)
    text = screen.until(FOOT)
    assert "1 of 1 laws hold" in text
    assert "Next: two" in text
    assert "watching week/one.py" in text
    assert screen.quiet(1.0) == ""  # it stays where it is
    screen.press("n")
    assert "watching week/two.py" in screen.until(FOOT)
    (work / "week/one.py").write_text(WRONG)  # the one that is edited becomes the current one
    assert "watching week/one.py" in screen.until(FOOT)
    screen.press("q")
    assert screen.ends() == 0


def test_hints_list_all_and_unknown_keys(work, terminal):
    screen = terminal("two")
    screen.until(FOOT)
    screen.press("h")
    assert "hint 1 of 2: first" in screen.until("hint 1 of 2: first")
    screen.press("h")
    screen.until("hint 2 of 2: second")
    screen.press("z\x1b[A")
    screen.press("l")
    text = screen.until(FOOT)
    assert "one" in text
    assert "two" in text
    screen.press("c")
    assert "0 of 20 points" in screen.until(FOOT)
    screen.press("q")
    assert screen.ends() == 0


def test_a_reset_is_asked_for_twice_and_keeps_the_work(work, terminal):
    path = work / "week/one.py"
    path.write_text(WRONG)
    screen = terminal("one")
    screen.until(FOOT)
    screen.press("x")
    screen.until(r"\(y/n\)")
    screen.press("n")
    screen.until("left as it is")
    assert path.read_text() == WRONG
    screen.press("x")
    screen.until(r"\(y/n\)")
    screen.press("y")
    assert "not started" in screen.until("kept as one.py.bak-1")
    assert path.with_name("one.py.bak-1").read_text() == WRONG
    screen.press("q")
    assert screen.ends() == 0


@pytest.mark.parametrize(("how", "status"), [("ctrl-c", 130), ("term", 143)])
def test_it_leaves_cleanly_when_it_is_stopped(work, terminal, how, status):
    (work / "week/one.py").write_text(WRONG)
    screen = terminal("one")
    screen.until(FOOT)
    if how == "ctrl-c":
        screen.press("\x03")
    else:
        screen.process.terminate()
    assert screen.ends() == status
    said = screen.quiet(0.1)
    assert said.replace("^C", "").strip() == "refmarl: interrupted" * (how == "ctrl-c")


def test_a_save_by_renaming_in_parts_is_checked_once(work, terminal):
    path = work / "week/one.py"
    screen = terminal("one")
    screen.until(FOOT)
    path.unlink()  # an editor that takes the file away first
    assert screen.quiet(0.8) == ""
    with path.open("w") as file:
        for part in (WRONG[:9], WRONG[9:]):
            file.write(part)
            file.flush()
            time.sleep(0.05)
    assert "it is twice x" in screen.until(FOOT)
    assert screen.quiet(1.0) == ""
    screen.press("q")
    assert screen.ends() == 0


def test_an_answer_that_breaks_the_interpreter_does_not_end_it(work, terminal):
    screen = terminal("one")
    screen.until(FOOT)
    for text in ("def f(:\n", "import os\nos._exit(0)\n", "def g(x):\n    return x\n"):
        (work / "week/one.py").write_text(text)
        assert "laws hold" not in screen.until(FOOT)
    (work / "week/one.py").write_text(RIGHT)
    assert "1 of 1 laws hold" in screen.until(FOOT)
    screen.press("q")
    assert screen.ends() == 0


def test_without_a_terminal_it_is_plain_and_an_interrupt_ends_it(work):
    command = [sys.executable, "-m", "refmarl", "check", "--watch"]
    process = subprocess.Popen(
        command, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    shown = ""
    while "Ctrl-C ends" not in shown:
        shown += process.stdout.readline()
    (work / "week/one.py").write_text(RIGHT)
    while "1 of 1 laws hold" not in shown:
        shown += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert err == "refmarl: interrupted\n"
    assert "\x1b" not in shown + rest


def test_json_and_watch_do_not_go_together(work, run):
    status, _, err = run("check", "--watch", "--json", "--dir", work)
    assert status == 2
    assert "--watch" in err


def test_the_course_itself_can_be_watched(tmp_path, terminal, monkeypatch):
    monkeypatch.delenv("REFMARL_COURSE")
    exercise = exercises()["td-error"]
    main(["start", str(tmp_path / "whole")])
    path = tmp_path / "whole" / exercise.path
    path.write_bytes((folder("solutions") / exercise.path).read_bytes())
    screen = terminal("td-error", "--dir", str(tmp_path / "whole"))
    assert "10/10" in screen.until(FOOT.replace("week", "s3_policy_gradient"))
    screen.press("q")
    assert screen.ends() == 0
