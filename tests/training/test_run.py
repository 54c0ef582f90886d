"""Runs on disk: stopped, killed and resumed ones end in the same bits as one that was not."""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.policy_gradient import a2c
from refmarl.training import checkpoint
from refmarl.training.run import Run, describe, metrics, read, resume, train

CONFIG = a2c.Config(num_envs=4, num_steps=4, iterations=60, hidden=(8,))
RUN = Run(algorithm="a2c", env="cartpole", config=CONFIG, log_every=5, save_every=10, eval_every=20,
          eval_episodes=3)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(folder, progress) of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, train(RUN, folder)


def assert_same_run(folder, whole):
    assert (folder / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
    ours, theirs = resume(folder)[2], resume(whole)[2]
    assert checkpoint.same(ours, theirs)
    assert not [p.name for p in folder.iterdir() if p.name.endswith(".part")]


@settings(max_examples=6)
@given(st.lists(st.integers(1, 12), max_size=3))
def test_stopping_and_resuming_changes_nothing(whole, tmp_path_factory, stops):
    folder = tmp_path_factory.mktemp("stopped") / "run"
    for after in stops:
        left = [after]

        def stop(left=left):
            left[0] -= 1
            return left[0] == 0

        train(RUN, folder, stop=stop)
    train(RUN, folder)
    assert_same_run(folder, whole[0])


def test_a_finished_run_is_left_as_it_is(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole[0], folder)
    assert checkpoint.same(train(RUN, folder), whole[1])
    assert_same_run(folder, whole[0])


def test_the_run_and_its_metrics_can_be_read(whole):
    assert read(whole[0]) == RUN
    rows = metrics(whole[0])
    assert [row["iteration"] for row in rows] == list(range(5, 61, 5))
    assert rows[-1]["steps"] == 60 * 16
    assert "eval_return" in rows[3]
    assert "eval_return" not in rows[0]


def test_evaluating_does_not_move_the_training(tmp_path, whole):
    plain = Run(algorithm="a2c", env="cartpole", config=CONFIG, log_every=5, save_every=10)
    assert checkpoint.same(train(plain, tmp_path / "plain"), whole[1])


def test_lines_after_the_checkpoint_are_measured_again(tmp_path, whole):
    folder = tmp_path / "run"
    train(RUN, folder, stop=lambda: True)  # at iteration 5
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(b'{"iteration": 10, "steps": 1, "nonsense": 1}\n{"iteration": 15, "st')
    train(RUN, folder)
    assert_same_run(folder, whole[0])


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_bits(tmp_path):
    cfg = a2c.Config(num_envs=4, num_steps=8, iterations=1500, hidden=(8,))
    run = Run(algorithm="a2c", env="cartpole", config=cfg, log_every=10, save_every=20)
    start = time.perf_counter()
    train(run, tmp_path / "whole")
    seconds = time.perf_counter() - start
    folder = tmp_path / "killed"
    train(run, folder, stop=lambda: True)
    code = "import sys; from pathlib import Path; from refmarl.training.run import read, train; "
    code += "folder = Path(sys.argv[1]); print('ready', flush=True); train(read(folder), folder)"
    rng, kills = np.random.default_rng(0), 0
    for _ in range(20):
        worker = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, env=os.environ
        )
        worker.stdout.readline()
        try:
            worker.wait(timeout=float(rng.uniform(0.0, seconds / 8)))
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGKILL)
            kills += 1
        worker.wait()
        worker.stdout.close()
        resume(folder)  # what stands there can be read at every moment
    train(run, folder)
    assert kills >= 5
    assert_same_run(folder, tmp_path / "whole")


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, whole):
    folder = tmp_path / "run"
    train(RUN, folder, stop=lambda: True)
    before = resume(folder)[2]
    code = "import sys; from pathlib import Path; from refmarl.training.run import read, train; "
    code += "folder = Path(sys.argv[1]); train(read(folder), folder)"
    limit = (folder / "checkpoint.npz").stat().st_size // 2

    def no_space():  # files may not grow beyond half a checkpoint: EFBIG instead of ENOSPC
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    env = os.environ | {"REFMARL_JIT": "0"}  # compiling would write a cache
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], preexec_fn=no_space, capture_output=True, env=env
    )
    assert done.returncode != 0
    assert b"File too large" in done.stderr
    assert checkpoint.same(resume(folder)[2], before)
    train(RUN, folder)
    assert_same_run(folder, whole[0])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda f: (f / "checkpoint.npz").write_bytes(b"PK\x03\x04 torn"),
            "not a whole checkpoint",
        ),
        (lambda f: (f / "checkpoint.npz").write_bytes(b""), "not a whole checkpoint"),
        (lambda f: (f / "run.json").write_text("{}"), "not a run of schema"),
        (lambda f: (f / "run.json").write_text("["), "cannot be read"),
        (lambda f: (f / "run.json").unlink(), "no run here"),
        (lambda f: edit(f, '"lr": 0.01', '"lr": 0.02'), "changed after the run began"),
        (lambda f: edit(f, '"seed": 0', '"seed": 1'), "changed after the run began"),
        (lambda f: edit(f, '"num_steps": 4', '"num_steps": "4"'), "changed after the run began"),
        (lambda f: (f / "checkpoint.npz").unlink(), "nothing saved yet"),
    ],
)
def test_a_damaged_folder_is_one_clear_line(whole, tmp_path, spoil, says):
    folder = tmp_path / "run"
    shutil.copytree(whole[0], folder)
    spoil(folder)
    with pytest.raises(InputError, match=says):
        resume(folder)


def edit(folder, old, new):
    """Change a file by hand."""
    path = folder / "run.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_settings_that_were_changed_on_purpose_are_taken(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole[0], folder)
    edit(folder, '"iterations": 60', '"iterations": 80')
    edit(folder, f'"digest": "{describe(RUN)["digest"]}",', "")
    assert train(read(folder), folder).iteration == 80


def test_a_renamed_copy_goes_on_in_the_same_bits(whole, tmp_path):
    train(RUN, tmp_path / "here", stop=lambda: True)
    (tmp_path / "far").mkdir()
    moved = tmp_path / "far" / "another name"
    shutil.copytree(tmp_path / "here", moved)
    assert checkpoint.same(train(read(moved), moved), whole[1])
    assert_same_run(moved, whole[0])


def test_a_finished_run_asks_nothing_of_its_folder(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole[0], folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    train(RUN, folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_what_a_kill_left_half_written_does_not_stand_in_the_way(tmp_path, whole):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".run.json.123.part").write_text("{")
    train(RUN, folder, stop=lambda: True)
    (folder / ".checkpoint.npz.123.part").write_text("half")
    train(RUN, folder)
    assert_same_run(folder, whole[0])


@pytest.mark.parametrize("spoil", [lambda rows: rows[1:], lambda rows: [rows[0], "{", *rows[2:]]])
def test_lines_that_are_missing_before_the_checkpoint_are_told_and_nothing_is_cut(
    whole, tmp_path, spoil
):
    folder = tmp_path / "run"
    left = [6]

    def stop():
        left[0] -= 1
        return left[0] == 0

    train(RUN, folder, stop=stop)
    path = folder / "metrics.jsonl"
    text = "\n".join(spoil(path.read_text().splitlines())[:-1]) + "\n"
    path.write_text(text)
    with pytest.raises(InputError, match="ends or is damaged after iteration"):
        train(RUN, folder)
    assert path.read_text() == text


def test_every_byte_of_a_checkpoint_that_changes_is_seen_or_harmless(whole, tmp_path):
    path = tmp_path / "checkpoint.npz"
    data = (whole[0] / "checkpoint.npz").read_bytes()
    template, rng = whole[1], np.random.default_rng(0)
    for at in rng.integers(len(data), size=200):
        broken = bytearray(data)
        broken[at] ^= 0xFF
        path.write_bytes(broken)
        with contextlib.suppress(InputError):
            assert checkpoint.same(checkpoint.load(path, template), template)


def test_a_checkpoint_never_runs_code(whole, tmp_path):
    path = tmp_path / "checkpoint.npz"
    with np.load(whole[0] / "checkpoint.npz") as archive:
        leaves = dict(archive)
    leaves["/steps"] = np.array([print], dtype=object)
    np.savez(path, **leaves)
    with pytest.raises(InputError, match="not a whole checkpoint"):
        checkpoint.load(path, whole[1])


def test_another_run_in_the_folder_is_not_overwritten(whole):
    other = Run(algorithm="a2c", env="cartpole", config=CONFIG, seed=1, log_every=5, save_every=10)
    before = (whole[0] / "checkpoint.npz").read_bytes()
    with pytest.raises(InputError, match="holds another run"):
        train(other, whole[0])
    assert (whole[0] / "checkpoint.npz").read_bytes() == before


def test_a_folder_with_other_things_is_not_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        train(RUN, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"save_every": 15}, "need multiples of log_every = 10, got 15, 0"),
        ({"eval_every": 15}, "need multiples of log_every = 10, got 100, 15"),
        ({"eval_every": -10}, "eval_every: need a whole number ≥ 0, got -10"),
        ({"log_every": 0}, "log_every: need a whole number ≥ 1, got 0"),
        ({"eval_episodes": 0}, "eval_episodes: need a whole number ≥ 1, got 0"),
        ({"seed": -1}, "seed: need a whole number ≥ 0, got -1"),
        ({"seed": 0.5}, "seed: need a whole number ≥ 0, got 0.5"),
    ],
)
def test_a_run_that_cannot_be_is_not_made(given, says):
    with pytest.raises(InputError, match=says):
        Run(algorithm="a2c", env="cartpole", config=CONFIG, **given)


def test_run_json_is_what_was_asked(whole):
    stored = json.loads((whole[0] / "run.json").read_text())
    assert stored["config"]["hidden"] == [8]
    assert stored["schema"] == 1


def test_an_archive_that_would_unpack_to_too_much_is_refused(whole, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    np.savez_compressed(path, zeros=np.zeros(10**6))
    monkeypatch.setattr(checkpoint, "MAX_BYTES", 10**6)
    assert path.stat().st_size < 10**5
    with pytest.raises(InputError, match="8000128 bytes unpacked; the cap is 1000000"):
        checkpoint.load(path, whole[1])


def test_options_of_the_environment_come_back_as_they_were(tmp_path):
    cfg = a2c.Config(num_envs=2, num_steps=2, iterations=2, hidden=(4,))
    run = Run(algorithm="a2c", env="cartpole", config=cfg, env_options={"horizon": 9}, log_every=1,
              save_every=1)  # fmt: skip
    train(run, tmp_path / "run")
    assert read(tmp_path / "run") == run
    assert run.name != Run(algorithm="a2c", env="cartpole", config=cfg).name
    nested = Run(algorithm="a2c", env="cartpole", config=cfg, env_options={"a": (1, (2, 3))})
    (tmp_path / "nested").mkdir()
    (tmp_path / "nested" / "run.json").write_text(json.dumps(describe(nested)))
    assert read(tmp_path / "nested") == nested
    assert describe(read(tmp_path / "nested")) == describe(nested)
