"""Children come quickly, go for certain, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from refmarl.grading.border.answer import Answer
from refmarl.grading.border.errors import Stop
from refmarl.grading.border.limits import Limits
from refmarl.grading.border.nursery import Nursery
from refmarl.grading.border.pipes import Pipes, Threads
from refmarl.grading.border.submission import Submission
from refmarl.grading.border.zygote import FORKS

LIMITS = Limits(call_seconds=1.0, load_seconds=5.0)
forks = pytest.mark.skipif(not FORKS, reason="templates are for Linux")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text(
        "import os, time\nimport numpy as np\n\n\ndef f(what, x=0):\n"
        "    if what == 'fork':\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            if os.fork() == 0:\n"
        "                time.sleep(60)\n"
        "            os._exit(0)\n"
        "    if what == 'exit':\n        os._exit(7)\n"
        "    if what == 'sleep':\n        time.sleep(60)\n"
        "    if what == 'leave':\n        open('left', 'w').write('x')\n"
        "    if what == 'here':\n        return os.getcwd(), os.getpid()\n"
        "    if what == 'print':\n        print('hello')\n"
        "    if what == 'close':\n        os.close(1), os.close(2)\n"
        "    return x\n"
    )
    return path


def running():
    """{pid: command line} of what began with this process."""
    found, parents = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(state[1])
                found[int(entry.name)] = (entry / "cmdline").read_bytes()
            except OSError:
                continue
    ours = {os.getpid()}
    while more := {p for p, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {pid: found[pid] for pid in ours - {os.getpid()} if pid in found}


def scratch_folders():
    return set(Path(tempfile.gettempdir()).glob("refmarl-*"))


@forks
def test_a_hundred_children_leave_no_process_no_file_and_no_descriptor(file):
    nursery, before = Nursery(0, LIMITS), running()
    folders, files = scratch_folders(), len(os.listdir("/proc/self/fd"))
    for k in range(100):
        answer = Answer(Submission(file, "f"), nursery)
        assert answer("leave" if k % 2 else "", k) == k
        if k % 10 == 0:
            with pytest.raises(Stop):
                answer("exit")
        answer.close()
    nursery.close()
    assert running().keys() - before.keys() == set()
    assert len(os.listdir("/proc/self/fd")) == files
    assert not {f for f in scratch_folders() - folders if (f / "left").exists()}


@forks
def test_what_a_child_left_behind_is_ended_with_it(file):
    nursery = Nursery(0, Limits(call_seconds=1.0, load_seconds=5.0))
    answer, before = Answer(Submission(file, "f"), nursery), running()
    code = file.read_text()
    file.write_text("import resource\n" + code)
    plan = nursery.child(("numpy",))[1]  # fork is allowed here, to see it swept up
    plan["rlimits"].pop("NPROC", None)
    answer("fork")
    answer.close()
    time.sleep(0.05)
    left = [pid for pid in running().keys() - before.keys() if b"python" in running().get(pid, b"")]
    nursery.close()
    assert len(left) <= 2  # the template, and the child that was asked for above
    assert running().keys() - before.keys() == set()


@forks
def test_a_template_that_dies_is_started_again(file):
    nursery = Nursery(0, LIMITS)
    answer = Answer(Submission(file, "f"), nursery)
    assert answer("", 1) == 1
    os.kill(nursery.template(("numpy",)).pid, signal.SIGKILL)
    with pytest.raises(Stop):
        [answer("", k) for k in range(100_000)]  # its children end with it
    again = Answer(Submission(file, "f"), nursery)
    assert again("", 2) == 2
    for made in (answer, again):
        made.close()
    nursery.close()


@forks
def test_each_child_has_a_folder_of_its_own(file):
    nursery = Nursery(0, LIMITS)
    first, second = (Answer(Submission(file, "f"), nursery) for _ in range(2))
    (one, pid), (two, other) = first("here"), second("here")
    assert one != two
    assert pid != other
    first("leave")
    first.close()
    assert not Path(one).exists()
    assert Path(two).is_dir()
    second.close()
    nursery.close()


@forks
@pytest.mark.parametrize("plain", [False, True])
def test_nothing_survives_a_grader_that_is_killed(file, plain):
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from refmarl.grading.border.answer import Answer\n"
        "from refmarl.grading.border.limits import Limits\n"
        "from refmarl.grading.border.nursery import Nursery\n"
        "from refmarl.grading.border.submission import Submission\n"
        f"nursery = Nursery(0, Limits(call_seconds=30.0), {not plain})\n"
        "answer = Answer(Submission(Path(sys.argv[1]), 'f'), nursery)\n"
        "print(answer('here')[1], flush=True)\n"
        "answer('sleep')\n"
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True
    )
    with grader:
        pid = int(grader.stdout.readline())
        time.sleep(0.1)
        grader.kill()
    for _ in range(200):
        if not _alive(pid):
            break
        time.sleep(0.02)
    alive = _alive(pid)
    if alive:
        os.kill(pid, signal.SIGKILL)
    assert not alive


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("transport", [Pipes, Threads])
def test_one_by_one_and_with_threads_it_is_the_same(file, transport, monkeypatch):
    monkeypatch.setattr("refmarl.grading.border.process.Pipes", transport)
    nursery = Nursery(0, LIMITS, forks=False)
    answer = Answer(Submission(file, "f"), nursery)
    x = np.arange(60_000.0)[::2]
    np.testing.assert_array_equal(answer("print", x), x)
    with pytest.raises(Stop) as stopped:
        answer("exit")
    assert str(stopped.value) == "the answer ended its process with status 7"
    with pytest.raises(Stop) as stopped:
        answer("sleep")
    assert stopped.value.kind == "timeout"
    assert answer("close", 3) == 3
    assert answer("", 4) == 4
    answer.close()
    assert answer.printed == b"hello\n"
    nursery.close()


@forks
def test_an_idle_output_costs_no_time(file):
    nursery = Nursery(0, LIMITS)
    answer = Answer(Submission(file, "f"), nursery)
    answer("close")
    began = time.process_time()
    with pytest.raises(Stop):
        answer("sleep")
    assert time.process_time() - began < 0.3
    answer.close()
    nursery.close()


@forks
def test_two_hundred_answers_keep_no_memory(file):
    nursery = Nursery(0, LIMITS)

    def one(k):
        answer = Answer(Submission(file, "f"), nursery)
        answer("print", np.full(1000, float(k)))
        answer.close()

    for k in range(20):
        one(k)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for k in range(200):
        one(k)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    nursery.close()
    assert grown < 200_000
