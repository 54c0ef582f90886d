"""One submission on the command line: marks, JSON, exit status, and one line where it cannot be."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from refmarl.cli import main
from refmarl.grading import unattended
from refmarl.grading.catalogue import exercises, folder
from refmarl.grading.sandbox import Report

LABELS = ("expected-utility", "td-error")
HALF = """
import numpy as np


def expected_utility(payoffs, profile):
    return payoffs.reshape(len(payoffs), -1).mean(axis=1)
"""


@pytest.fixture
def assignment(tmp_path):
    path = tmp_path / "homework.toml"
    path.write_text("\n".join(f"[exercises.{label}]\n" for label in LABELS))
    return path


def grade(*argv):
    return main(["grade", *map(str, argv), "--isolation", "none"])


def as_json(capsys):
    return json.loads(capsys.readouterr().out)


def test_solutions_get_full_marks(assignment, capsys):
    assert grade(folder("solutions"), "--assignment", assignment, "--json") == 0
    got = as_json(capsys)
    assert (got["score"], got["max_score"], got["isolation"]) == (20, 20, 0)
    assert [row["id"] for row in got["exercises"]] == list(LABELS)
    for row in got["exercises"]:
        assert {"id", "score", "max_score", "status", "properties"} <= set(row)
        assert row["status"] == "pass"
        for law in row["properties"]:
            assert set(law) == {"says", "passed", "counterexample", "hint"}


def test_the_exercises_as_shipped_are_not_started_and_worth_nothing(capsys):
    assert grade(folder("exercises"), "--json") == 1
    got = as_json(capsys)
    assert got["score"] == 0
    assert {row["status"] for row in got["exercises"]} == {"not-started"}
    assert len(got["exercises"]) == len(exercises())


def test_nothing_handed_in_is_not_started(tmp_path, assignment, capsys):
    (tmp_path / "in").mkdir()
    assert grade(tmp_path / "in", "--assignment", assignment, "--json") == 1
    got = as_json(capsys)
    assert [row["status"] for row in got["exercises"]] == ["not-started"] * 2
    assert got["submission"]["notes"] == ["holds no file of an exercise"]


def test_a_zip_of_a_folder_with_one_wrong_answer(tmp_path, assignment, capsys):
    with zipfile.ZipFile(tmp_path / "jane.zip", "w") as out:
        out.writestr("homework/s1_games/e01_expected_utility.py", HALF)
        out.writestr("homework/notes.txt", "hello")
    assert grade(tmp_path / "jane.zip", "--assignment", assignment, "--json") == 1
    got = as_json(capsys)
    wrong, missing = got["exercises"]
    assert (wrong["status"], missing["status"]) == ("fail", "not-started")
    assert 0 <= got["score"] == wrong["score"] < 10
    assert "the strategies are ignored" in wrong["mistake"]
    broken = next(law for law in wrong["properties"] if not law["passed"])
    assert "payoffs = np.array" in broken["counterexample"]
    assert got["submission"]["ignored"] == ["homework/notes.txt"]


def test_the_same_submission_gets_the_same_json(tmp_path, assignment, capsys):
    path = tmp_path / "in" / exercises()["expected-utility"].path
    path.parent.mkdir(parents=True)
    path.write_text(HALF)
    seen = set()
    for _ in range(2):
        grade(tmp_path / "in", "--assignment", assignment, "--json")
        seen.add(capsys.readouterr().out)
    assert len(seen) == 1


def test_the_text_shows_the_first_broken_law_in_full(tmp_path, assignment, capsys):
    path = tmp_path / "in" / exercises()["expected-utility"].path
    path.parent.mkdir(parents=True)
    path.write_text(HALF)
    assert grade(tmp_path / "in", "--assignment", assignment) == 1
    out = capsys.readouterr().out
    assert "It looks like this mistake: the strategies are ignored" in out
    assert out.count("Hint:") == 1


def test_a_hidden_seed_draws_other_cases_and_the_same_marks_for_right_answers(
    tmp_path, assignment, capsys
):
    secret = tmp_path / "seed"
    secret.write_bytes(b"0123456789abcdef")
    solutions = folder("solutions")
    assert grade(solutions, "--assignment", assignment, "--secret", secret, "--json") == 0
    capsys.readouterr()
    secret.write_bytes(b"short")
    assert grade(solutions, "--assignment", assignment, "--secret", secret) == 2
    assert "16 to 4096 bytes" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["none", "text.txt", "broken.zip"])
def test_what_is_no_submission_is_one_line_and_status_2(tmp_path, name, capsys):
    for file in ("text.txt", "broken.zip"):
        (tmp_path / file).write_text("hello")
    assert grade(tmp_path / name) == 2
    err = capsys.readouterr().err
    assert err.startswith("refmarl: error: ")
    assert err.count("\n") == 1
    assert name in err


def test_below_level_1_nothing_is_graded_unless_that_is_typed(monkeypatch, capsys):
    none = Report(0, True, (), {})
    monkeypatch.setattr(unattended, "reached", lambda guarded: none)
    no = Report(1, False, (), {}, "no Landlock")
    monkeypatch.setattr(unattended, "probe", lambda level, guarded: no)
    assert main(["grade", str(folder("solutions"))]) == 2
    err = capsys.readouterr().err
    assert "cannot be had here: no Landlock" in err
    assert "--isolation=none" in err
    assert unattended.level("none") == 0


def test_a_class_on_the_command_line(tmp_path, assignment, capsys):
    for who in ("ann", "bob"):
        shutil.copytree(folder("exercises"), tmp_path / "in" / who)
    done = exercises()["td-error"].path
    shutil.copy(folder("solutions") / done, tmp_path / "in" / "bob" / done)
    (tmp_path / "in" / "eve.zip").write_bytes(b"PK no zip at all")
    (tmp_path / "roster.csv").write_text("id,name\nann,Ann\nbob,Bob\neve,Eve\nzoe,Zoe\n")
    out = tmp_path / "out"
    argv = ["grade-class", str(tmp_path / "in"), "--out", str(out), "--isolation", "none"]
    argv += ["--assignment", str(assignment), "--roster", str(tmp_path / "roster.csv")]
    assert main([*argv, "-j", "1", "--similarity"]) == 0
    said = capsys.readouterr().out
    assert "3 submissions graded" in said
    assert "1 on the roster handed nothing in" in said
    assert (out / "gradebook.csv").read_text() == (
        "id,name,submitted,expected-utility,td-error,score,max_score,needs_attention\n"
        "ann,Ann,,0,0,0,20,\n"
        "bob,Bob,,0,10,10,20,\n"
        "eve,Eve,,0,0,0,20,eve.zip: not a zip: its end is missing\n"
        "zoe,Zoe,,0,0,0,20,no submission\n"
    )
    assert "# Similarity" in (out / "similarity.md").read_text()
    assert "Needs attention" in (out / "summary.md").read_text()
    first = (out / "gradebook.csv").read_bytes()
    assert main([*argv, "-j", "2"]) == 0
    assert (out / "gradebook.csv").read_bytes() == first


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["nowhere", "--out", "out"], "nowhere: no such folder"),
        (["in", "--out", "in"], "no earlier grading"),
        (["in", "--out", "out", "--roster", "none.csv"], "none.csv"),
        (["in", "--out", "out", "--assignment", "none.toml"], "none.toml"),
        (["in", "--out", "out", "--course", "none"], "none"),
        (["in", "--out", "file/out"], "file"),
        (["in", "--out", "out", "-j", "0"], "-j"),
    ],
)
def test_what_is_wrong_with_a_class_is_one_line_before_any_work(
    tmp_path, argv, word, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("in/ann").mkdir(parents=True)
    Path("file").write_text("x")
    assert main(["grade-class", *argv, "--isolation", "none"]) == 2
    err = capsys.readouterr().err
    assert word in err
    assert err.count("\n") == 1
    assert not Path("out").exists()
