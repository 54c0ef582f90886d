"""A class is graded to the end whatever happens, once each, to the same bytes each time."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from refmarl.check import InputError
from refmarl.grading import gradebook, results
from refmarl.grading.assignment import Assignment, Late
from refmarl.grading.catalogue import exercises
from refmarl.grading.classroom import Schedule, Setting, mark_all
from refmarl.grading.crew import Order, Task
from refmarl.grading.intake import arrivals
from refmarl.grading.store import Store, held
from refmarl.grading.writeup import write_up

LABELS = ("nash", "best-response", "gae")
HERE = Path(__file__).parent


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    log = tmp_path / "asked.log"
    log.write_text("")
    monkeypatch.setenv("REFMARL_FAKE_LOG", str(log))
    return log


def chosen(**change):
    known = exercises()
    return Assignment("Homework", {label: known[label] for label in LABELS}, **change)


def setting(jobs=2, assignment=None):
    order = Order(0, engine="fake_grader:Grader")
    return Setting(assignment or chosen(), exercises(), order, jobs)


def hand_in(root, who, **texts):
    """A submission whose files hold these texts, by label with _ for -."""
    for label, text in texts.items():
        path = root / who / exercises()[label.replace("_", "-")].path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def grade_all(folder, out, people=(), how=None, tell=lambda progress: None):
    how = how or setting()
    wanted = {label: e.path for label, e in how.known.items()}
    with held(out):
        entrants = mark_all(how, Store(out), arrivals(folder, wanted, out), tell)
        return write_up(how, Store(out), entrants, list(people), True, {})


def book(out):
    with (out / "gradebook.csv").open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def tree(out):
    """All that is promised to be the same: every file but the logs and times."""
    found = {}
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = path.relative_to(out).as_posix()
        if name.endswith(".json"):
            row = json.loads(path.read_text())
            row.pop("timing")
            found[name] = json.dumps(row, sort_keys=True)
        elif name not in ("run.jsonl", "grader.log", ".lock"):
            found[name] = path.read_text()
    return found


def test_everybody_gets_a_row_and_every_exercise_a_mark(tmp_path, fake):
    hand_in(tmp_path / "in", "ann", nash="x = 1", best_response="HALF", gae="x")
    hand_in(tmp_path / "in", "bob", nash=exercises()["nash"].stub())
    people = [gradebook.Person("ann", "Ann A."), gradebook.Person("cy", "=cmd()")]
    outcome = grade_all(tmp_path / "in", tmp_path / "out", people)
    rows = book(tmp_path / "out")
    assert list(rows) == ["ann", "bob", "cy"]
    assert [rows["ann"][k] for k in (*LABELS, "score", "max_score")] == [
        "10",
        "5",
        "10",
        "25",
        "30",
    ]
    assert rows["bob"]["score"] == "0"
    assert rows["bob"]["needs_attention"] == "not on the roster"
    assert rows["cy"]["name"] == "'=cmd()"
    assert rows["cy"]["needs_attention"] == "no submission"
    assert outcome.faults == 0
    assert len(fake.read_text().splitlines()) == 3  # bob's stub and missing files cost nothing
    done = json.loads((tmp_path / "out/reports/bob/results.json").read_text())
    assert [e["status"] for e in done["graded"]["exercises"]] == ["not-started"] * 3


def test_a_second_run_grades_nothing_and_changes_no_byte(tmp_path, fake):
    hand_in(tmp_path / "in", "ann", nash="x", best_response="HALF", gae="LATE ALWAYS")
    hand_in(tmp_path / "in", "bob", nash="DIE")
    grade_all(tmp_path / "in", tmp_path / "out")
    before, asked = tree(tmp_path / "out"), fake.read_text()
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "parts").rglob("*.json")}
    grade_all(tmp_path / "in", tmp_path / "out")
    assert tree(tmp_path / "out") == before
    assert fake.read_text() == asked
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps


def test_only_what_changed_is_graded_again_and_the_change_is_told(tmp_path, fake):
    for who in ("ann", "bob"):
        hand_in(tmp_path / "in", who, nash="HALF", gae="x")
    grade_all(tmp_path / "in", tmp_path / "out")
    fake.write_text("")
    hand_in(tmp_path / "in", "ann", nash="better")
    outcome = grade_all(tmp_path / "in", tmp_path / "out")
    assert fake.read_text().split() == ["nash", "ann"]
    assert outcome.changed == ["ann: 15 → 20"]


def test_new_points_and_deadlines_grade_nothing_again(tmp_path, fake):
    hand_in(tmp_path / "in", "ann", nash="HALF", gae="x")
    grade_all(tmp_path / "in", tmp_path / "out")
    asked = fake.read_text()
    due = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    dear = chosen(deadlines={"gae": due}, late=Late(per_day=0.1))
    from dataclasses import replace

    dear.exercises["nash"] = replace(dear.exercises["nash"], points=15)
    people = [gradebook.Person("ann", submitted=due + timedelta(hours=30))]
    grade_all(tmp_path / "in", tmp_path / "out", people, setting(assignment=dear))
    assert fake.read_text() == asked
    row = book(tmp_path / "out")["ann"]
    assert (row["nash"], row["gae"], row["score"]) == ("7.5", "8", "15.5")
    assert "for 80% counts of late work" in (tmp_path / "out/reports/ann/report.html").read_text()


def test_a_process_that_dies_is_replaced_and_its_file_graded_again(tmp_path, fake):
    for k in range(6):
        hand_in(tmp_path / "in", f"s{k}", nash="DIE" if k == 2 else "x", gae="x")
    grade_all(tmp_path / "in", tmp_path / "out")
    assert {row["score"] for row in book(tmp_path / "out").values()} == {"20"}
    assert fake.read_text().split().count("nash") == 7


def test_a_file_that_kills_every_process_is_a_fault_and_the_rest_is_graded(tmp_path, fake):
    for k in range(4):
        hand_in(tmp_path / "in", f"s{k}", nash="DIE ALWAYS" if k == 1 else "x", gae="x")
    outcome = grade_all(tmp_path / "in", tmp_path / "out")
    rows = book(tmp_path / "out")
    assert outcome.faults == 1
    assert [rows[f"s{k}"]["score"] for k in range(4)] == ["20", "10", "20", "20"]
    assert "the grader failed" in rows["s1"]["needs_attention"]


def test_a_fault_in_a_law_is_never_a_zero_that_nobody_looks_at(tmp_path, fake):
    hand_in(tmp_path / "in", "ann", nash="FAULT", gae="x")
    outcome = grade_all(tmp_path / "in", tmp_path / "out")
    done = json.loads((tmp_path / "out/reports/ann/results.json").read_text())
    mark = done["graded"]["exercises"][0]
    assert (outcome.faults, mark["status"]) == (1, "harness-error")
    assert "a law divides by zero" in mark["message"]
    assert "nash: the grader failed" in book(tmp_path / "out")["ann"]["needs_attention"]
    report = (tmp_path / "out/reports/ann/report.md").read_text()
    assert "not your fault" in report
    assert "ZeroDivisionError" not in report
    asked = len(fake.read_text().splitlines())
    grade_all(tmp_path / "in", tmp_path / "out")  # once mended, it counts
    assert len(fake.read_text().splitlines()) == asked + 1


def test_what_took_too_long_is_tried_once_more_alone_and_flagged_if_it_gains(tmp_path, fake):
    hand_in(tmp_path / "in", "ann", nash="LATE")
    hand_in(tmp_path / "in", "bob", nash="LATE ALWAYS", gae="x")
    grade_all(tmp_path / "in", tmp_path / "out")
    rows = book(tmp_path / "out")
    assert (rows["ann"]["nash"], rows["bob"]["nash"]) == ("10", "0")
    assert "timeout at first, pass when alone" in rows["ann"]["needs_attention"]
    assert rows["bob"]["needs_attention"] == ""
    order = [line.split() for line in fake.read_text().splitlines()]
    assert sorted(order[-2:]) == [["nash", "ann"], ["nash", "bob"]]


def test_any_number_of_processes_gives_the_same_bytes(tmp_path, fake):
    for k in range(7):
        text = ("x", "HALF", "DIE", "LATE ALWAYS")[k % 4]
        hand_in(tmp_path / "in", f"s{k}", nash=text, gae="x", best_response="HALF")
    seen = []
    for jobs in (1, 3):
        fake.write_text("")
        grade_all(tmp_path / "in", tmp_path / f"out{jobs}", how=setting(jobs))
        seen.append(tree(tmp_path / f"out{jobs}"))
    assert seen[0] == seen[1]


def test_hostile_names_and_texts_mean_nothing_in_any_report(tmp_path, fake):
    who = "=<script>alert(1)</script>"[:9] + "`"
    hand_in(tmp_path / "in", who, nash="HALF")
    grade_all(tmp_path / "in", tmp_path / "out")
    (folder,) = (tmp_path / "out/reports").iterdir()
    page = (folder / "report.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "\x1b" not in page + (folder / "report.md").read_text()
    assert all(not key.startswith("=") for key in book(tmp_path / "out"))


# -- killed ---------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_class import grade_all
grade_all(Path({folder!r}), Path({out!r}))
"""


def start(folder, out):
    text = SCRIPT.format(here=str(HERE), folder=str(folder), out=str(out))
    return subprocess.Popen([sys.executable, "-c", text], start_new_session=True)


def leftovers(out):
    """Grading processes that outlived what started them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
            cwd = os.readlink(path.parent / "cwd")
        except OSError:
            continue
        if b"refmarl.grading.worker" in line and cwd == os.getcwd():
            found.append(path)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_killed_at_any_moment_and_begun_again_it_comes_to_the_same(tmp_path, fake, monkeypatch):
    folder = tmp_path / "in"
    for k in range(8):
        hand_in(folder, f"s{k}", nash="SLOW", gae="SLOW HALF", best_response="LATE ALWAYS SLOW")
    grade_all(folder, tmp_path / "calm")
    once = len(fake.read_text().splitlines())
    fake.write_text("")
    rng, out, kills = random.Random(0), tmp_path / "out", 4
    for _ in range(kills):
        process, seen = start(folder, out), len(fake.read_text().splitlines())
        more = rng.choice([0, 1, 2, 4])
        while process.poll() is None and len(fake.read_text().splitlines()) < seen + more:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert start(folder, out).wait() == 0
    assert tree(out) == tree(tmp_path / "calm")
    assert (out / "gradebook.csv").read_bytes() == (tmp_path / "calm/gradebook.csv").read_bytes()
    assert len(fake.read_text().splitlines()) <= once + 2 * kills + kills  # two processes, a spare
    assert not list(out.rglob("*.part"))
    deadline = time.monotonic() + 5
    while leftovers(out) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert leftovers(out) == []


def test_two_gradings_do_not_share_a_folder(tmp_path, fake):
    with held(tmp_path / "out"):
        code = f"from refmarl.grading.store import held\nheld({str(tmp_path / 'out')!r})"
        code = (
            "from pathlib import Path\nfrom refmarl.grading.store import held\n"
            f"with held(Path({str(tmp_path / 'out')!r})): pass"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"being graded into right now (process {os.getpid()}" in done.stderr
    with held(tmp_path / "out"):  # and after that one ended there is nothing in the way
        pass


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="no earlier grading"), held(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_processes_that_cannot_begin_are_one_line(tmp_path, fake):
    hand_in(tmp_path / "in", "ann", nash="x")
    how = Setting(chosen(), exercises(), Order(0, engine="no_such_module:Grader"), 2)
    with pytest.raises(InputError, match="could not begin: ModuleNotFoundError"):
        grade_all(tmp_path / "in", tmp_path / "out", how=how)


def test_a_process_stays_with_its_exercise_and_helps_where_most_is_left():
    tasks = [Task(f"s{k}", label, Path()) for label in ("a", "b") for k in range(3)]
    tasks += [Task("s", "c", Path())]
    schedule = Schedule(tasks)
    got = [schedule.next(slot).label for slot in (0, 1, 0, 1, 0)]
    assert got == ["a", "b", "a", "b", "a"]
    assert schedule.next(0).label == "c"
    assert schedule.next(0).label == "b"  # nothing else is left
    assert schedule.next(1) is None


# -- roster and gradebook ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "column id"),
        ("name\nAnn\n", "column id"),
        ("id\nann\nann\n", "line 3: the id ann stands there twice"),
        ("id,name\n,Ann\n", "line 2: no id"),
        ("id,submitted\nann,yesterday\n", "need a time"),
        ("id,submitted\nann,2026-03-01T10:00:00\n", "offset"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_wrong_roster_is_one_line(tmp_path, text, word):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=word) as error:
        gradebook.roster(path)
    assert "\n" not in str(error.value)


def test_times_without_an_offset_are_meant_as_the_deadline_is(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text('\ufeffid,name,submitted\nann,"A, B",2026-03-01T10:00:00\nbob,,\n')
    ann, bob = gradebook.roster(path, UTC)
    assert ann.submitted == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (ann.name, bob.submitted) == ("A, B", None)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1"])
def test_no_cell_is_a_formula(text):
    row = gradebook.Row(text, name=text, attention=[text])
    cells = next(csv.reader(gradebook.table([row], {}).splitlines()[1:]))
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_texts_are_cut_and_cleaned():
    text = results.clean("a\tb\r\n\x1b[31m\u202e" + "x" * 10_000)
    assert text.startswith("a\tb\ufffd\n\ufffd[31m\ufffdx")
    assert len(text) < results.MAX_TEXT + 20
    assert text.endswith("[cut here]")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it may not")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(OSError), held(tmp_path / "out"):
        pass


def test_a_full_disk_stops_with_the_systems_word_and_loses_nothing(tmp_path, fake, monkeypatch):
    hand_in(tmp_path / "in", "ann", nash="x", gae="x", best_response="x")
    from refmarl.training import checkpoint

    real, left = os.fsync, [4]

    def full(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        grade_all(tmp_path / "in", tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.setenv("REFMARL_FAKE_LOG", str(fake))
    assert not list((tmp_path / "out").rglob("*.part"))
    grade_all(tmp_path / "in", tmp_path / "out")
    shutil.rmtree(tmp_path / "out2", ignore_errors=True)
    grade_all(tmp_path / "in", tmp_path / "out2")
    assert tree(tmp_path / "out") == tree(tmp_path / "out2")
