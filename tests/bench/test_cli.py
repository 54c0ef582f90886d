"""``refmarl bench``: what it prints, what it refuses, how it ends."""

import json
import subprocess
import sys

import pytest

from refmarl import bench
from refmarl.cli import main
from refmarl.cli.bench import LEAST_REPEAT, duration

ROW = {
    "task": "zero-sum",
    "size": 10,
    "ours_s": 2e-3,
    "limit_s": 1e-5,
    "limit_share": 0.005,
    "ours_correct": 1,
    "of": 1,
    "ours_quartiles": [1.8e-3, 2.2e-3],
    "repeats": 7,
    "peer": "scipy highs",
    "peer_s": 3e-3,
    "ratio": 1.5,
    "lower_bound": False,
    "correct": 1,
    "peer_quartiles": [3e-3, 3e-3],
    "note": "",
}
NOBODY = ROW | dict.fromkeys(
    ("peer", "peer_s", "ratio", "correct", "peer_quartiles", "limit_s", "limit_share")
)


@pytest.fixture
def measured(monkeypatch):
    """Replaces the measuring by given rows; records how it was called."""
    calls = []

    def use(*rows):
        def tournament(tasks, options, quick, say):
            calls.append(([t.name for t in tasks], options, quick))
            yield from ([row] for row in rows)

        monkeypatch.setattr(bench, "tournament", tournament)
        monkeypatch.setattr(bench, "missing", lambda tasks: ["nashpy", "pygambit"])
        return calls

    return use


def test_json_is_the_list_of_rows(measured, capsys):
    calls = measured(ROW, NOBODY)
    argv = ["bench", "--json", "--quick", "--repeat", "9", "--limit", "2", "--task", "zero-*"]
    assert main([*argv, "--seed", "5"]) == 0
    out = capsys.readouterr()
    assert json.loads(out.out) == [ROW, NOBODY]
    assert out.err == "not installed: nashpy, pygambit (pip install 'refmarl[bench]')\n"
    ((names, options, quick),) = calls
    assert names == ["zero-sum"]
    assert (options.repeat, options.limit, options.seed, quick) == (9, 2.0, 5, True)


def test_the_table_is_aligned_and_says_on_what(measured, capsys):
    measured(ROW, NOBODY | {"note": "no peer is installed"}, ROW | {"lower_bound": True})
    assert main(["bench"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "cores" in lines[0]
    assert "numpy" in lines[1]
    head, first, alone, bound = lines[3:7]
    for text in ("zero-sum", "2 ms", "10 %", "scipy highs", "3 ms", "1.5", "1/1", "10 µs"):
        assert text in first
    assert head.index("peer") == first.index("scipy highs")
    assert head.index("note") == alone.index("no peer is installed")
    assert head.index("ratio") == first.index("1.5") == bound.index("≥ 1.5")


def test_a_wrong_answer_of_ours_is_status_1(measured, capsys):
    measured(ROW, ROW | {"size": 100, "ours_correct": 0, "ours_s": None, "ratio": None})
    assert main(["bench", "--json"]) == 1
    assert "our answer is wrong: zero-sum 100" in capsys.readouterr().err


def test_out_is_written_whole(measured, tmp_path, capsys):
    measured(ROW)
    path = tmp_path / "bench.json"
    path.write_text("old")
    assert main(["bench", "--out", str(path)]) == 0
    found = json.loads(path.read_text("utf-8"))
    assert found["rows"] == [ROW]
    assert found["missing"] == ["nashpy", "pygambit"]
    assert set(found["machine"]) >= {"cpu", "cores", "python", "blas", "versions"}
    assert [p.name for p in tmp_path.iterdir()] == ["bench.json"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--repeat", "6"], "need at least 7 laps, got 6"),
        (["--repeat", "many"], "need a whole number, got 'many'"),
        (["--limit", "0"], "need a number of seconds > 0, got '0'"),
        (["--limit", "nan"], "need a number of seconds > 0, got 'nan'"),
        (["--seed", "-1"], "need a whole number ≥ 0, got -1"),
    ],
)
def test_bad_arguments_are_told(argv, text, measured, capsys):
    measured(ROW)
    with pytest.raises(SystemExit) as stop:
        main(["bench", *argv])
    assert stop.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--task", "equilibra"], "did you mean 'equilibria'"),
        (["--out", "/no/such/folder/x.json"], "its folder does not exist"),
        (["--out", "."], "is a folder"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_measured(argv, text, measured, capsys):
    calls = measured(ROW)
    assert main(["bench", *argv]) == 2
    assert text in capsys.readouterr().err
    assert calls == []


def test_the_list_names_tasks_sizes_and_peers(capsys):
    assert main(["bench", "--list", "--json", "--task", "zero-sum"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["sizes"] == [10, 100, 300]
    assert row["peers"]["scipy highs"] is True
    assert main(["bench", "--list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in bench.TASKS)


def test_the_least_repeat_of_help_is_that_of_the_measuring():
    assert bench.Options().repeat == LEAST_REPEAT


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1e-9, "1 ns"), (1.5e-7, "150 ns"), (9.999e-4, "1000 µs"), (1.0, "1 s"), (120.0, "120 s")],
)
def test_durations_have_three_digits(seconds, text):
    assert duration(seconds) == text


@pytest.mark.slow
def test_a_whole_run_in_processes_of_its_own():
    command = [sys.executable, "-m", "refmarl", "bench", "--task", "regret-matching", "--quick"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["ours_correct"] == row["of"] == 1
    assert row["ours_s"] > 0.0
    assert row["repeats"] == 7
