"""What a student sees: status, points, the smallest case, and which mistake it looks like."""

import pytest

from refmarl.check import InputError
from refmarl.cli import main
from refmarl.grading.catalogue import exercises, folder, stub
from refmarl.grading.report import report, show_case
from refmarl.grading.runner import check
from refmarl.grading.workfolder import start

EXERCISE = exercises()["expected-utility"]
HEAD = "import numpy as np\n\n\ndef expected_utility(payoffs, profile):\n"
RIGHT = "    u = payoffs\n    for x in reversed(profile):\n        u = u @ x\n"


def _checked(tmp_path, body):
    path = tmp_path / "answer.py"
    path.write_text(HEAD + body)
    return check(EXERCISE, path), path


def test_a_right_answer_in_other_words_gets_all_points(tmp_path):
    body = """    n = len(profile)
    axes = [profile[k].reshape([-1 if j == k else 1 for j in range(n)]) for k in range(n)]
    weights = axes[0]
    for x in axes[1:]:
        weights = weights * x
    return (payoffs * weights).reshape(n, -1).sum(axis=1)
"""
    result, _ = _checked(tmp_path, body)
    assert (result.status, result.score) == ("pass", 10)


def test_a_known_mistake_is_named_with_its_smallest_case(tmp_path):
    result, path = _checked(tmp_path, "    return payoffs.reshape(len(payoffs), -1).mean(axis=1)\n")
    text = report(result, path)
    assert "Looks like: the strategies are ignored" in text
    assert "payoffs = np.array([[0., 1.]])" in text
    assert 0 < result.score < 10


def test_the_case_shown_can_be_pasted_into_python(tmp_path):
    import numpy as np

    result, _ = _checked(tmp_path, "    return np.zeros(len(profile))\n")

    scope = {"np": np}
    exec(show_case(result.failed[0].case), scope)
    assert not np.allclose(scope["payoffs"], 0)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("    pass\n", "returned None"),
        (RIGHT + "    return u[:, None]\n", "shape"),
        (RIGHT + "    return 'u'\n", "real numbers"),
        ("    return payoffs[0, 99]\n", "line 5, in expected_utility"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path, body, word):
    result, path = _checked(tmp_path, body)
    assert word in report(result, path)
    assert result.score == 0


def test_changing_an_input_costs_the_points(tmp_path):
    result, _ = _checked(tmp_path, RIGHT + "    payoffs += 1\n    return u\n")
    assert result.status == "fail"
    assert result.score == 0


def test_state_between_calls_is_seen(tmp_path):
    body = "    kept.append(1)\n" + RIGHT + "    return u + 1e-3 * len(kept)\n\n\nkept = []\n"
    result, _ = _checked(tmp_path, body)
    assert result.score == 0


def test_prints_are_shown_once_and_short(tmp_path, capsys):
    result, path = _checked(tmp_path, "    print('here')\n    return payoffs[:, 0]\n")
    assert report(result, path).count("here") == 8
    assert capsys.readouterr().out == ""


def test_a_file_that_does_not_run_shows_the_students_lines_only(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("import numpy as np\nx = 1 / 0\n")
    result = check(EXERCISE, path)
    assert result.status == "error"
    assert "x = 1 / 0" in result.message
    assert "runner.py" not in result.message


def test_the_same_answer_gets_the_same_report(tmp_path):
    reports = {
        report(*_checked(tmp_path, "    return np.sum(payoffs) * np.ones(1)\n")) for _ in "ab"
    }
    assert len(reports) == 1


def test_start_never_overwrites_work(tmp_path):
    known = exercises().values()
    written, kept = start(tmp_path, known)
    assert (len(written), kept) == (len(exercises()), [])
    written[0].write_text("mine")
    again, kept = start(tmp_path, known)
    assert (again, sorted(kept)) == ([], sorted(written))
    assert written[0].read_text() == "mine"


def test_untouched_exercises_are_not_started_and_worth_nothing(tmp_path, capsys):
    main(["start", str(tmp_path)])
    capsys.readouterr()
    assert main(["check", "--dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("not started") == len(exercises())
    total = sum(exercise.points for exercise in exercises().values())
    assert f"\n0 of {total} points" in out


def test_the_solutions_pass_on_the_command_line(capsys):
    assert main(["check", "expected-utility", "--dir", str(folder("solutions"))]) == 0
    assert "10 of 10 points" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [["check", "nahs"], ["check", "nash", "--dir", "/none"], ["hint", "expected-utility", "9"]],
)
def test_what_cannot_be_found_is_one_line_and_status_2(argv, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("refmarl: error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 1\n",
        "def f():\n    # BEGIN SOLUTION\n    return 1\n",
        "def f():\n    # END SOLUTION\n    return 1\n",
        "def f():\n    # BEGIN SOLUTION\n    # BEGIN SOLUTION\n    # END SOLUTION\n",
    ],
)
def test_broken_markers_are_an_error(source):
    with pytest.raises(InputError, match="nash"):
        stub(source, "nash", "f")


def test_exit_in_an_answer_is_an_error_and_ends_nothing(tmp_path, capsys):
    main(["start", str(tmp_path)])
    first, second = sorted((tmp_path / "s1_games").glob("*.py"))[:2]
    first.write_text("exit()\n")
    second.write_text("def best_responses(*_):\n    exit()\n")
    capsys.readouterr()
    assert main(["check", "--dir", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "expected-utility: could not be run" in out
    assert "the answer called exit()" in out
    assert out.count("not started") == len(exercises()) - 2


def test_a_missing_file_does_not_stop_the_others(tmp_path, capsys):
    main(["start", str(tmp_path)])
    (tmp_path / EXERCISE.path).unlink()
    capsys.readouterr()
    assert main(["check", "--dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "expected-utility: no file" in out
    assert out.count("not started") == len(exercises()) - 1


def test_an_answer_in_single_precision_is_told_so(tmp_path):
    body = RIGHT + "    return (u / 3).astype(np.float32) * 3\n"
    result, path = _checked(tmp_path, body)
    assert "float32?" in report(result, path)


def test_an_answer_with_a_byte_order_mark_a_dataclass_and_an_import_runs(tmp_path):
    (tmp_path / "helper.py").write_text("ONE = 1\n")
    path = tmp_path / "answer.py"
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    head += "from helper import ONE\n\n@dataclass\nclass Pair:\n    a: int = ONE\n\n"
    path.write_bytes(b"\xef\xbb\xbf" + (head + HEAD + RIGHT + "    return u\n").encode())
    assert check(EXERCISE, path).status == "pass"


def test_a_syntax_error_shows_no_frame_of_ours(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("def expected_utility(:\n")
    message = check(EXERCISE, path).message
    assert "SyntaxError" in message
    assert "runner.py" not in message


def test_warnings_of_an_answer_stay_out_of_the_way(tmp_path, capsys):
    body = RIGHT + "    np.zeros(1) / np.zeros(1)\n    return u\n"
    assert _checked(tmp_path, body)[0].status == "pass"
    assert capsys.readouterr().err == ""


def test_an_answer_that_is_only_partly_written_has_been_started(tmp_path):
    body = "    if len(profile) > 1:\n        raise NotImplementedError('later')\n" + RIGHT
    assert _checked(tmp_path, body + "    return u\n")[0].status == "error"
