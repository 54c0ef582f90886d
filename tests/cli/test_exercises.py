"""The student's verbs: nothing of theirs is lost, what is told is so, the exit status fits."""

import json
import os
import zipfile
from hashlib import sha256
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.cli import _desk, main
from refmarl.grading.catalogue import exercises, folder
from refmarl.grading.progress import NAME, Record, State, in_order, load, suggestion
from refmarl.grading.runner import Result
from refmarl.grading.spec import Broken, Property

KNOWN = exercises()
POINTS = sum(e.points for e in KNOWN.values())
LAW = Property("a law", lambda answer, case: None, "look")
GOOD, BAD, FAULT, RAISES = "# good\n", "# bad\n", "# fault\n", "# raises\n"


class Case(NamedTuple):
    """Arguments of no exercise."""

    x: int


def _verdict(desk, exercise):
    """A verdict by what stands in the file, in place of a real check."""
    text = desk.path(exercise).read_text()
    if text == RAISES:
        raise RuntimeError("of ours")
    if text == GOOD:
        return Result(exercise, "pass", (LAW,))
    if text == FAULT:
        return Result(exercise, "harness-error", message="a fault")
    return Result(exercise, "fail", (), (Broken(LAW, AssertionError("why"), None),))


@pytest.fixture
def work(tmp_path, monkeypatch, capsys):
    """A folder of exercises with the working folder in it; checks are by what a file says."""
    monkeypatch.setattr(_desk.Desk, "judge", _verdict)
    assert main(["start", str(tmp_path)]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _put(work, label, text):
    (work / KNOWN[label].path).write_text(text)


def test_start_never_overwrites_work_and_brings_the_pages(tmp_path, run):
    status, out, _ = run("start", tmp_path)
    assert status == 0
    assert f"{len(KNOWN)} exercises written" in out
    mine, gone, linked = (tmp_path / KNOWN[x].path for x in ("nash", "gae", "pareto"))
    mine.write_text("mine")
    gone.unlink()
    linked.unlink()
    linked.symlink_to(tmp_path / "nowhere")
    out = run("start", tmp_path)[1]
    assert "1 exercises written" in out
    assert f"{len(KNOWN) - 1} were there already" in out
    assert mine.read_text() == "mine"
    assert gone.read_text() == KNOWN["gae"].stub()
    assert not (tmp_path / "nowhere").exists()
    pages = [tmp_path / e.docs for e in KNOWN.values()]
    assert all(page.is_file() for page in pages)


def test_start_into_a_file_is_refused(tmp_path, run):
    (tmp_path / "file").touch()
    status, _, err = run("start", tmp_path / "file")
    assert (status, err.count("\n")) == (2, 1)


def test_untouched_exercises_are_not_started_and_worth_nothing(work, run):
    status, out, _ = run("check")
    assert status == 0
    assert out.count("not started") == len(KNOWN)
    assert f"\n0 of {POINTS} points" in out


@pytest.mark.parametrize(
    ("texts", "named", "status"),
    [
        ({"expected-utility": GOOD}, [], 0),
        ({"expected-utility": GOOD}, ["expected-utility"], 0),
        ({"expected-utility": BAD}, [], 1),
        ({"expected-utility": BAD}, ["expected-utility"], 1),
        ({}, ["expected-utility"], 1),
        ({"expected-utility": FAULT, "pareto": BAD}, [], 3),
        ({"expected-utility": RAISES}, ["expected-utility"], 3),
    ],
)
def test_the_exit_status_says_how_it_went(work, run, texts, named, status):
    for label, text in texts.items():
        _put(work, label, text)
    assert run("check", *named)[0] == status


def test_a_fault_of_ours_is_told_with_its_traceback(work, run):
    _put(work, "pareto", RAISES)
    err = run("check", "pareto")[2]
    assert "RuntimeError: of ours" in err
    assert "not of your answer" in err


def test_what_is_required_must_be_passed_first_unless_it_is_named(work, run):
    _put(work, "best-response", BAD)
    out = run("check")[1]
    assert "blocked: first expected-utility" in out
    assert "a law" not in out
    assert "a law" in run("check", "best-response")[1]
    _put(work, "expected-utility", GOOD)
    assert "blocked" not in run("check")[1]


def test_what_was_passed_once_does_not_block_when_it_is_broken_again(work, run):
    for label in ("expected-utility", "best-response"):
        _put(work, label, GOOD)
    run("check")
    _put(work, "expected-utility", BAD)
    assert "blocked" not in run("check")[1]


@pytest.mark.parametrize("name", ["best-response", "1.2", "s1_games/e02_best_response.py"])
def test_an_exercise_is_named_by_label_tag_or_file(work, run, name):
    _put(work, "best-response", GOOD)
    assert "1 of 1 laws hold, 10/10" in run("check", name)[1]


def test_a_file_elsewhere_says_where_the_folder_is(work, run, monkeypatch, tmp_path_factory):
    _put(work, "best-response", GOOD)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert run("check", work / KNOWN["best-response"].path)[0] == 0


def test_the_folder_is_found_from_inside_it(work, run, monkeypatch):
    monkeypatch.chdir(work / "s3_policy_gradient")
    assert run("check")[1].count("not started") == len(KNOWN)


def test_only_the_first_failure_of_many_is_told_in_full(work, run):
    for label in ("pareto", "td-error", "dominance"):
        _put(work, label, BAD)
    out = run("check")[1]
    assert out.count("Hint: look") == 1
    assert "refmarl check td-error says more" in out


def test_a_missing_file_does_not_stop_the_others(work, run):
    (work / KNOWN["expected-utility"].path).unlink()
    status, out, _ = run("check")
    assert status == 0
    assert "no file" in out
    assert out.count("not started") == len(KNOWN) - 1


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["check", "nahs"], "did you mean 'nash'"),
        (["check", "masac"], "masac has no exercise"),
        (["check", "xyz"], "refmarl list exercises"),
        (["check", "nash", "--dir", "/none"], "holds no exercise"),
        (["hint", "nash", "9"], "hints 1 to 3, asked for 9"),
        (["solution", "nash"], "--give-up"),
        (["submit"], "nothing to hand in"),
        (["check", "--assignment", "none.toml"], "none.toml"),
        (["check", "--course", "none"], "no course"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(work, run, argv, says):
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert err.startswith("refmarl: error: ")
    assert says in err
    assert err.count("\n") == 1


def test_json_of_check_has_the_keys_of_grade(work, run):
    _put(work, "pareto", BAD)
    status, out, _ = run("check", "pareto", "nash", "--json")
    told = json.loads(out)
    assert status == 1
    assert told.keys() >= {"score", "max_score", "exercises", "isolation"}
    first, second = told["exercises"]
    assert (first["id"], first["status"], second["status"]) == ("pareto", "fail", "not-started")
    assert first["properties"] == [
        {"says": "a law", "passed": False, "counterexample": "why", "hint": "look"}
    ]
    assert second["max_score"] == 10


def test_hints_come_one_by_one_and_are_counted(work, run):
    hints = KNOWN["nash"].hints
    seen = [json.loads(run("hint", "nash", "--json")[1]) for _ in range(4)]
    assert [row["number"] for row in seen] == [1, 2, 3, 3]
    assert all(hints[row["number"] - 1] in row["hint"] for row in seen)
    assert load(work).of("nash").hints == 3
    assert "That was the last" in run("hint", "nash")[1]
    assert hints[0] in run("hint", "nash", "1")[1]
    assert load(work).of("nash").hints == 3


def test_a_solution_is_shown_after_a_pass_or_is_recorded(work, run):
    _put(work, "nash", GOOD)
    assert run("solution", "nash")[0] == 2
    status, out, _ = run("solution", "nash", "--give-up")
    assert status == 0
    assert "SOLUTION" not in out
    scope = {}
    exec(out, scope)
    assert callable(scope["regrets"])
    assert load(work).of("nash").gave_up
    _put(work, "pareto", GOOD)
    run("check", "pareto")
    assert run("solution", "pareto")[0] == 0
    assert not load(work).of("pareto").gave_up
    assert "gave up" in run("progress", "--all")[1]


def test_reset_keeps_every_version(work, run):
    path = work / KNOWN["nash"].path
    for text in ("one", "two"):
        path.write_text(text)
        assert run("reset", "nash")[0] == 0
        assert path.read_text() == KNOWN["nash"].stub()
    kept = [path.with_name(f"{path.name}.bak-{k}").read_text() for k in (1, 2)]
    assert kept == ["one", "two"]
    path.unlink()
    assert json.loads(run("reset", "nash", "--json")[1])["kept"] is None
    assert path.is_file()


def test_progress_adds_up_and_suggests_what_can_be_done(work, run):
    for label in ("expected-utility", "td-error"):
        _put(work, label, GOOD)
    _put(work, "gae", BAD)
    run("check")
    told = json.loads(run("progress", "--json")[1])
    assert (told["score"], told["max_score"]) == (20, POINTS)
    assert sum(s["score"] for s in told["sections"]) == 20
    rows = {row["id"]: row for s in told["sections"] for row in s["exercises"]}
    assert rows.keys() == KNOWN.keys()
    assert (rows["td-error"]["status"], rows["gae"]["status"]) == ("pass", "fail")
    assert rows["nash"]["waits_for"] == ["best-response"]
    assert told["next"] == "gae"
    _put(work, "td-error", GOOD + "#\n")
    assert "changed since the last check" in run("progress", "--all")[1]


def test_the_state_may_be_deleted_or_spoilt(work, run):
    _put(work, "expected-utility", GOOD)
    run("check")
    for text in (None, "", "{", '{"schema": 99}', '{"schema": 1, "exercises": {"nash": 3}}', "[]"):
        if text is None:
            (work / NAME).unlink()
        else:
            (work / NAME).write_text(text)
        assert run("progress")[0] == 0
        assert run("check")[0] == 0
        assert load(work).of("expected-utility").passed


def test_where_the_state_cannot_be_written_work_goes_on(work, run):
    (work / NAME).mkdir()
    _put(work, "expected-utility", GOOD)
    status, _, err = run("check")
    assert status == 0
    assert "progress is not kept" in err


def test_the_solutions_folder_is_left_as_it_is(monkeypatch, run):
    monkeypatch.setattr(_desk.Desk, "judge", _verdict)
    assert run("check", "pareto", "--dir", folder("solutions"))[0] == 1
    assert not (folder("solutions") / NAME).exists()


RECORDS = st.builds(
    Record,
    st.sampled_from(["", "pass", "fail"]),
    st.floats(0, 10),
    st.floats(0, 10),
    st.text("0123456789abcdef"),
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
    st.integers(0, 99),
)


@given(records=st.dictionaries(st.sampled_from(sorted(KNOWN)), RECORDS), last=st.text())
def test_what_is_saved_is_loaded_again(tmp_path_factory, records, last):
    work = tmp_path_factory.mktemp("work")
    State(work, records, last).save()
    assert load(work) == State(work, records, last)
    assert [p.name for p in work.iterdir()] == [NAME]


@given(passed=st.sets(st.sampled_from(sorted(KNOWN))), last=st.sampled_from(["", *KNOWN]))
def test_what_is_suggested_is_open_and_everything_can_be_reached(tmp_path_factory, passed, last):
    state = State(tmp_path_factory.getbasetemp(), {x: Record(passed=True) for x in passed}, last)
    found = suggestion(KNOWN, state)
    if found is None:
        assert passed == KNOWN.keys()
        return
    assert found.label not in passed
    assert set(found.requires) <= passed
    left = len(KNOWN) - len(passed)
    for _ in range(left):
        found = suggestion(KNOWN, state)
        state.change(found.label, passed=True)
    assert suggestion(KNOWN, state) is None


def test_in_order_nothing_comes_before_what_it_requires():
    seen = set()
    for exercise in in_order(KNOWN):
        assert set(exercise.requires) <= seen
        seen.add(exercise.label)
    assert seen == KNOWN.keys()


def test_the_zip_holds_what_was_begun_and_its_list_and_nothing_else(work, run):
    for label in ("nash", "gae"):
        _put(work, label, GOOD)
    (work / "s1_games" / "notes.txt").write_text("private")
    (work / "s1_games" / "case_e03_nash.py").write_text("private")
    status, out, _ = run("submit")
    assert status == 0
    assert "provisional" in out
    assert "Not checked since you changed it: nash, gae" in out
    with zipfile.ZipFile(work / "submission.zip") as archive:
        names = archive.namelist()
        files = json.loads(archive.read("manifest.json"))["files"]
        paths = [KNOWN[x].path.as_posix() for x in ("nash", "gae")]
        assert names == [*paths, "manifest.json"]
        assert [f["path"] for f in files] == paths
        for f in files:
            data = archive.read(f["path"])
            assert (f["sha256"], f["size"]) == (sha256(data).hexdigest(), len(data))


def test_the_same_work_gives_the_same_bytes(work, run, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    main(["start", str(other)])
    zips = []
    for place in (work, other):
        _put(place, "nash", GOOD)
        os.utime(place / KNOWN["nash"].path, (1e9, 1e9 + len(zips) * 1e6))
        run("submit", "--dir", place, "--out", place / "out.zip")
        zips.append((place / "out.zip").read_bytes())
    assert zips[0] == zips[1]
    _put(other, "nash", BAD)
    run("submit", "--dir", other, "--out", other / "out.zip")
    assert (other / "out.zip").read_bytes() != zips[0]


def test_a_file_that_is_too_large_is_not_handed_in(work, run):
    _put(work, "nash", "#" * 300_000)
    status, _, err = run("submit")
    assert status == 2
    assert "300000 bytes; at most 262144 are graded" in err
    assert not (work / "submission.zip").exists()


ASSIGNMENT = """title = "Homework 1"
[exercises.gae]
points = 15
[exercises.td-error]
"""


def test_an_assignment_chooses_and_is_remembered(tmp_path, run, monkeypatch):
    monkeypatch.setattr(_desk.Desk, "judge", _verdict)
    (tmp_path / "homework.toml").write_text(ASSIGNMENT)
    work = tmp_path / "work"
    run("start", work, "--assignment", tmp_path / "homework.toml")
    assert sorted(p.name for p in work.rglob("e*.py")) == ["e04_td_error.py", "e05_gae.py"]
    for label in ("gae", "td-error"):
        _put(work, label, GOOD)
    monkeypatch.chdir(work)
    assert "Homework 1: 25 of 25 points" in run("check")[1]
    assert "15/15" in run("check", "gae")[1]
    assert json.loads(run("progress", "--json")[1])["max_score"] == 25


def test_an_assignment_of_ones_own_course_is_found_from_the_students_folder(tmp_path, run):
    stub = 'def f(x):\n    raise NotImplementedError("double: f")\n'
    (tmp_path / "mine/exercises/a").mkdir(parents=True)
    (tmp_path / "mine/exercises/a/double.py").write_text(stub)
    row = '[double]\nfile = "a/double.py"\ntitle = "twice"\nfunction = "f"\n'
    (tmp_path / "mine/exercises.toml").write_text(row)
    (tmp_path / "homework.toml").write_text('course = "mine"\n[exercises.double]\n')
    status, _, err = run("start", tmp_path / "w", "--assignment", tmp_path / "homework.toml")
    assert (status, err) == (0, "")
    assert (tmp_path / "w/a/double.py").read_text() == stub
    assert "not started" in run("check", "--dir", tmp_path / "w")[1]
    assert run("check", "double", "--dir", tmp_path / "w")[0] == 1


def test_the_counterexample_is_written_as_a_program(work, run, monkeypatch):
    def judge(desk, exercise):
        return Result(exercise, "fail", (), (Broken(LAW, AssertionError("why"), Case(3)),))

    monkeypatch.setattr(_desk.Desk, "judge", judge)
    _put(work, "pareto", BAD)
    assert "wrote s1_games/case_e06_pareto.py" in run("check", "pareto", "--case")[1]
    assert "x = 3" in (work / "s1_games/case_e06_pareto.py").read_text()


def test_doctor_tells_versions_isolation_and_tries_the_checker(run):
    status, out, _ = run("doctor", "--json")
    told = json.loads(out)
    assert status == 0
    assert {"refmarl", "python", "numpy", "hypothesis"} <= told["versions"].keys()
    assert [row["level"] for row in told["levels"]] == [0, 1, 2]
    assert [row["got"] for row in told["self_test"]] == ["pass", "fail", "not-started"]
    assert all(row["ok"] for row in told["self_test"])
