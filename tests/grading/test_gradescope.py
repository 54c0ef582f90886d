"""The archive for Gradescope, in the platform's layout below a temporary root."""

import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from refmarl.check import InputError
from refmarl.cli import main
from refmarl.grading import autograder
from refmarl.grading.assignment import Assignment
from refmarl.grading.catalogue import exercises, folder
from refmarl.grading.gradescope import archive
from refmarl.grading.sandbox import reached

LABELS = ("expected-utility", "td-error")
TOML = "".join(f"[exercises.{label}]\n" for label in LABELS)
WRONG = "def expected_utility(payoffs, profile):\n    print('<b>')\n    return payoffs[:, 0] * 0\n"


def made(toml=TOML, seed=None, isolation="none", minutes=2.0):
    known = exercises()
    given = Assignment("Homework", {label: known[label] for label in LABELS})
    return archive(given, toml.encode(), seed, isolation, minutes)


def unpacked(root, data):
    """The folder /autograder as the platform has it before it calls us."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        zipped.extractall(root / "source")
        for info in zipped.infolist():
            os.chmod(root / "source" / info.filename, info.external_attr >> 16)
    (root / "results").mkdir()
    (root / "submission").mkdir()
    return root


def hand_in(root, label, text):
    path = root / "submission" / exercises()[label].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def command(root):
    return [sys.executable, "-s", "-B", "-m", "refmarl.grading.autograder", str(root)]


def run(root):
    env = os.environ | {"PYTHONPATH": str(root / "source" / "lib")}
    done = subprocess.run(command(root), env=env, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    return results(root), done


def results(root):
    return json.loads((root / "results" / "results.json").read_text())


def solved(label):
    return exercises()[label].solution.read_text("utf-8")


def test_the_archive_is_the_same_for_the_same_settings_and_runs_what_it_must():
    data = made()
    assert data == made()
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        modes = {info.filename: info.external_attr >> 16 for info in zipped.infolist()}
        assert "seed" not in modes
        required = zipped.read("requirements.txt").decode()
    for name in ("setup.sh", "run_autograder"):  # at the root, or the platform does not see them
        assert modes[name] & stat.S_IXUSR
    assert all(not mode & 0o077 for mode in modes.values())
    assert {line.partition("==")[0] for line in required.split()} == {
        "numpy",
        "scipy",
        "numba",
        "hypothesis",
    }
    for script in ("setup.sh", "run_autograder"):
        text = zipfile.ZipFile(io.BytesIO(data)).read(script)
        assert subprocess.run(["bash", "-n"], input=text).returncode == 0


def test_marks_and_texts_are_the_platforms(tmp_path):
    root = unpacked(tmp_path, made())
    hand_in(root, "expected-utility", WRONG)
    hand_in(root, "td-error", solved("td-error"))
    (root / "submission" / "notes.txt").write_text("x")
    got, done = run(root)
    assert (got["score"], got["stdout_visibility"]) == (10, "hidden")
    first, second = got["tests"]
    assert (first["number"], first["status"], first["max_score"]) == ("1.1", "failed", 10)
    assert (second["number"], second["status"], second["score"]) == ("3.4", "passed", 10)
    assert "payoffs = np.array" in first["output"]
    assert {test["output_format"] for test in got["tests"]} == {"text"}
    assert "Ignored: notes.txt" in got["output"]
    assert got["extra_data"]["grader"]["isolation"] == 0
    assert "td-error: pass 1.000" in done.stdout
    assert got["score"] == sum(test["score"] for test in got["tests"])


def test_with_a_hidden_seed_no_case_and_no_word_of_the_students_code_is_shown(tmp_path):
    root = unpacked(tmp_path, made(seed=b"0123456789abcdef"))
    text = "def expected_utility(payoffs, profile):\n    raise ValueError(repr(payoffs))\n"
    hand_in(root, "expected-utility", text)
    got, _ = run(root)
    said = json.dumps(got)
    assert "ValueError" not in said
    assert "array(" not in said
    assert "0123456789abcdef" not in said
    assert got["tests"][0]["status"] == "failed"


def test_late_work_counts_what_the_assignment_says_by_the_platforms_clock(tmp_path):
    late = "deadline = 2026-03-01T12:00:00+00:00\n[late]\nper_day = 0.25\n"
    root = unpacked(tmp_path, made(late + TOML))
    hand_in(root, "td-error", solved("td-error"))
    when = {"created_at": "2026-03-02T13:00:00.5-00:00"}
    (root / "submission_metadata.json").write_text(json.dumps(when))
    assert run(root)[0]["score"] == 5


@pytest.mark.parametrize("text", ["", "[", "{}", '{"created_at": 3}', '{"created_at": "soon"}'])
def test_metadata_that_says_no_time_makes_nothing_late(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    assert autograder.handed_in(tmp_path / "m.json") is None
    assert autograder.handed_in(tmp_path / "none.json") is None


def test_what_is_not_reached_is_a_fault_and_what_was_graded_counts(tmp_path):
    root = unpacked(tmp_path, made(minutes=0.05))
    hand_in(root, "expected-utility", "while True:\n    pass\n")
    hand_in(root, "td-error", solved("td-error"))
    got, _ = run(root)
    assert got["score"] == 0
    assert "used up" in got["output"]
    assert got["extra_data"]["needs_attention"] == list(LABELS)


def test_killed_at_any_moment_there_are_results_that_hold(tmp_path):
    root = unpacked(tmp_path, made())
    hand_in(root, "expected-utility", solved("expected-utility"))
    hand_in(root, "td-error", "while True:\n    pass\n")
    env = os.environ | {"PYTHONPATH": str(root / "source" / "lib")}
    process = subprocess.Popen(command(root), env=env, stdout=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"expected-utility: pass")
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    got = results(root)
    assert [test["output"] for test in got["tests"]][1] == "did not finish"
    assert got["score"] == 10


def test_a_broken_archive_gives_the_student_a_sentence_and_the_instructor_a_traceback(tmp_path):
    root = unpacked(tmp_path, made())
    (root / "source" / "assignment.toml").write_text("[exercises.nahs]\n")
    got, done = run(root)
    assert got["score"] == 0
    assert "not your fault" in got["output"]
    assert "nahs" in done.stderr
    assert "nahs" not in json.dumps(got)


def test_a_course_of_your_own_goes_along(tmp_path, capsys):
    course = tmp_path / "course"
    for kind in ("solutions", "exercises", "specs"):
        (course / kind).mkdir(parents=True)
    (course / "exercises.toml").write_text(
        '[double]\ntitle = "Twice"\nfile = "double.py"\nfunction = "double"\npoints = 3\n'
    )
    (course / "solutions" / "double.py").write_text(
        '"""Twice."""\n\n\ndef double(x):\n'
        "    # BEGIN SOLUTION\n    return 2 * x\n    # END SOLUTION\n"
    )
    (course / "specs" / "double.py").write_text(
        "from typing import NamedTuple\n\nfrom hypothesis import strategies as st\n\n"
        "from refmarl.grading.spec import Mistake, Property, Spec\n\n\n"
        "class Case(NamedTuple):\n    x: float\n\n\n"
        "def _twice(answer, case):\n    assert answer(*case) == case.x + case.x\n\n\n"
        "SPEC = Spec('double', 'double', st.integers(0, 9).map(float).map(Case),\n"
        "    (Property('twice is the sum', _twice, 'add'),),\n"
        "    (Mistake('the input itself', lambda x: x),), lambda x: 2 * x)\n"
    )
    out = tmp_path / "a.zip"
    argv = ["gradescope", str(out), "--course", str(course), "--isolation", "none"]
    assert main(argv) == 0
    assert "1 exercises, 3 points" in capsys.readouterr().out
    root = unpacked(tmp_path / "root", out.read_bytes())
    (root / "submission" / "double.py").write_text("def double(x):\n    return x + x\n")
    got, _ = run(root)
    assert (got["score"], got["tests"][0]["name"]) == (3, "double: Twice")


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--minutes", "0"], "--minutes"),
        (["--assignment", "none.toml"], "none.toml"),
        (["--secret", "none"], "none"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    tmp_path, argv, word, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["gradescope", "a.zip", *argv]) == 2
    err = capsys.readouterr().err
    assert word in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_two_courses_of_your_own_are_refused():
    from dataclasses import replace

    known = list(exercises().values())[:2]
    mine = {
        e.label: replace(e, course=replace(e.course, name=f"c{k}", package=""))
        for k, e in enumerate(known)
    }
    with pytest.raises(InputError, match="c0, c1"):
        archive(Assignment("x", mine), None, None, "auto", 8.0)


# -- end to end: the platform's own steps, with Python's packages from the network -----------------

HOSTILE = {
    "exit": "import os\nos._exit(0)\n",
    "results": "open({results!r}, 'w').write('{{\"score\": 100}}')\n",
    "solution": "exec(open({solution!r}).read())\n",
    "loop": "while True:\n    pass\n",
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux and root")
def test_setup_and_run_in_the_platforms_layout_as_root(tmp_path):
    if reached().level < 1:
        pytest.skip("no isolation on this machine")
    root = unpacked(tmp_path, made(isolation="auto", minutes=4.0))
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    clean |= {k: v for k, v in os.environ.items() if "proxy" in k.lower() or k.startswith("PIP_")}
    built = subprocess.run(
        ["bash", str(root / "source" / "setup.sh")], env=clean, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "2 solutions have full marks, 6 hostile files have none" in built.stdout

    def submitted(text, label="expected-utility"):
        shutil.rmtree(root / "submission")
        (root / "submission").mkdir()
        hand_in(root, label, text)
        hand_in(root, "td-error", solved("td-error"))
        done = subprocess.run([str(root / "run_autograder")], env=clean, capture_output=True)
        assert done.returncode == 0, done.stderr
        return results(root)

    assert submitted(solved("expected-utility"))["score"] == 20
    places = {
        "results": str(root / "results" / "results.json"),
        "solution": str(root / "source/lib/refmarl/_solutions" / exercises()[LABELS[0]].path),
    }
    assert Path(places["solution"]).is_file()
    for name, text in HOSTILE.items():
        got = submitted(text.format(**places))
        assert (name, got["score"]) == (name, 10)  # that of the honest part
        assert got["extra_data"]["needs_attention"] == []
    assert stat.S_IMODE((root / "results").stat().st_mode) == 0o700
    assert not (folder("solutions") / "__pycache__").exists()
