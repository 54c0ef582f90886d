"""What a student sees: status, points, the smallest case, and which mistake it looks like."""

from refmarl.grading.catalogue import exercises
from refmarl.grading.runner import check

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


def test_changing_an_input_costs_the_points(tmp_path):
    result, _ = _checked(tmp_path, RIGHT + "    payoffs += 1\n    return u\n")
    assert result.status == "fail"
    assert result.score == 0


def test_state_between_calls_is_seen(tmp_path):
    body = "    kept.append(1)\n" + RIGHT + "    return u + 1e-3 * len(kept)\n\n\nkept = []\n"
    result, _ = _checked(tmp_path, body)
    assert result.score == 0


def test_a_file_that_does_not_run_shows_the_students_lines_only(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("import numpy as np\nx = 1 / 0\n")
    result = check(EXERCISE, path)
    assert result.status == "error"
    assert "x = 1 / 0" in result.message
    assert "runner.py" not in result.message


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
