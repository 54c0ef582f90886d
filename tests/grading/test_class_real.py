"""A class graded by the real grader: killed, shuffled, on a busy machine."""

import importlib.util
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from refmarl.grading.catalogue import exercises
from refmarl.grading.sandbox import reached

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(reached().level < 1, reason="no level of isolation holds here"),
]
LABELS = ["expected-utility", "nash", "td-error", "gae"]


def _bench():
    spec = importlib.util.spec_from_file_location(
        "class_bench", Path(__file__).with_name("class_bench.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench = _bench()


def grade(folder, out, jobs=2):
    file = bench.assignment(folder.parent / "homework.toml", LABELS)
    status, _ = bench.run(bench.command(folder, out, file, jobs))
    return status


def graded(out):
    """What stands in ``graded`` of each submission, as text."""
    found = {}
    for path in sorted((out / "reports").glob("*/results.json")):
        row = json.loads(path.read_text())["graded"]
        found[path.parent.name] = json.dumps(row, sort_keys=True)
    return found


def test_a_mixed_class_gets_its_marks_killed_on_the_way_or_not(tmp_path):
    kinds = bench.make(tmp_path / "in", 10, LABELS, seed=3)
    assert set(kinds.values()) >= {"right", "wrong", "stub", "missing"}
    first = exercises()[LABELS[0]]
    for who, text in (("student000", bench.HOSTILE[0]), ("student001", bench.HOSTILE[1])):
        path = tmp_path / "in" / who / first.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        kinds[who, LABELS[0]] = "hostile"
    assert grade(tmp_path / "in", tmp_path / "calm") == 0
    assert bench.check(tmp_path / "calm", kinds) == []
    file = bench.assignment(tmp_path / "homework.toml", LABELS)
    argv = bench.command(tmp_path / "in", tmp_path / "out", file, 2)
    for marks in (3, 17):
        process = subprocess.Popen(argv, start_new_session=True)
        while process.poll() is None and count(tmp_path / "out") < marks:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    made = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "parts").rglob("*.json")}
    assert grade(tmp_path / "in", tmp_path / "out") == 0
    for name in ("gradebook.csv", "summary.md"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    assert graded(tmp_path / "out") == graded(tmp_path / "calm")
    late = [p for p in made if json.loads(p.read_text())["tries"] > 1]  # those once more, alone
    assert all(p.stat().st_mtime_ns == made[p] for p in made if p not in late)


def count(out):
    return sum(1 for _ in (out / "parts").rglob("*.json"))


def test_neither_order_nor_company_changes_a_mark(tmp_path):
    bench.make(tmp_path / "in", 6, LABELS, seed=5)
    names = sorted(p.name for p in (tmp_path / "in").iterdir())
    for k, name in enumerate(names):
        shutil.copytree(tmp_path / "in" / name, tmp_path / "turned" / f"s{9 - k}-{name}")
    assert grade(tmp_path / "in", tmp_path / "out", jobs=1) == 0
    assert grade(tmp_path / "turned", tmp_path / "out2", jobs=3) == 0
    turned = {name.partition("-")[2]: text for name, text in graded(tmp_path / "out2").items()}
    assert turned == graded(tmp_path / "out")


def spin(until):
    while time.monotonic() < until:
        pass


def test_on_a_busy_machine_no_honest_answer_is_late(tmp_path):
    for who in ("ann", "bob"):
        shutil.copytree(exercises()[LABELS[0]].course.solutions, tmp_path / "in" / who)
    busy = multiprocessing.get_context("spawn")
    cores = os.cpu_count() or 1
    load = [
        busy.Process(target=spin, args=(time.monotonic() + 600,), daemon=True)
        for _ in range(2 * cores)
    ]
    for process in load:
        process.start()
    try:
        file = tmp_path / "homework.toml"
        file.write_text("".join(f"[exercises.{label}]\n" for label in list(exercises())[::3]))
        argv = bench.command(tmp_path / "in", tmp_path / "out", file, cores)
        assert bench.run(argv)[0] == 0
    finally:
        for process in load:
            process.kill()
    for text in graded(tmp_path / "out").values():
        row = json.loads(text)
        assert {e["status"] for e in row["exercises"]} == {"pass"}
        assert row["score"] == row["max_score"]
    summary = (tmp_path / "out" / "summary.md").read_text()
    assert "when alone" not in summary


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
def test_ctrl_c_leaves_a_folder_to_go_on_with_and_status_130(tmp_path):
    bench.make(tmp_path / "in", 6, LABELS, seed=7)
    file = bench.assignment(tmp_path / "homework.toml", LABELS)
    argv = bench.command(tmp_path / "in", tmp_path / "out", file, 2)
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while count(tmp_path / "out") < 6:
        time.sleep(0.01)
    before = count(tmp_path / "out")
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "goes on from there" in said
    assert "Traceback" not in said
    assert count(tmp_path / "out") >= before
    assert not (tmp_path / "out" / "gradebook.csv").exists()
    assert bench.children(process.pid) == []
    assert grade(tmp_path / "in", tmp_path / "out") == 0
