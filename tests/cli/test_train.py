"""``refmarl train``: one line for what is wrong, nothing lost, nothing torn."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from refmarl.cli import main
from refmarl.training import checkpoint
from refmarl.training.folder import alone
from refmarl.training.pool import last_row
from refmarl.training.run import metrics, read, resume

PLAIN = os.environ | {"REFMARL_JIT": "0"}  # of other processes: compiling takes seconds
SMALL = (
    "--set", "iterations=40", "--set", "hidden=8", "--set", "num_envs=4", "--set", "num_steps=5",
)  # fmt: skip
FAST = ("--log-every", "5", "--save-every", "10")


def assert_same_runs(one, two):
    """Every file of two folders of runs that may not differ is the same."""
    names = sorted(p.name for p in one.iterdir())
    assert names == sorted(p.name for p in two.iterdir())
    for name in names:
        for file in ("run.json", "metrics.jsonl"):
            assert (one / name / file).read_bytes() == (two / name / file).read_bytes()
        assert checkpoint.same(resume(one / name)[2], resume(two / name)[2])


# -- train ------------------------------------------------------------------------------


def test_a_run_ends_in_a_folder_of_its_own_and_is_told(run, tmp_path):
    argv = ("train", "a2c", "cartpole", *SMALL, *FAST, "--eval-every", "20", "--out", tmp_path)
    status, out, err = run(*argv)
    (folder,) = tmp_path.iterdir()
    assert status == 0
    assert "error" not in err
    assert str(folder) in out
    assert "40/40" in out
    assert read(folder).config.hidden == (8,)
    assert metrics(folder)[-1]["iteration"] == 40
    assert "eval_return" in metrics(folder)[-1]
    before = (folder / "checkpoint.npz").read_bytes()
    status, out, _ = run(*argv, "--json")
    (told,) = json.loads(out)
    assert (status, told["done"], told["iteration"], told["seed"]) == (0, True, 40, 0)
    assert (folder / "checkpoint.npz").read_bytes() == before


def test_seeds_and_settings_multiply(runs):
    seen = {(read(f).config.lr, read(f).seed) for f in runs.iterdir()}
    assert seen == {(lr, seed) for lr in (1e-3, 1e-2) for seed in range(3)}


@pytest.mark.slow
def test_how_many_workers_there_are_changes_nothing(runs, tmp_path):
    argv = ["train", "a2c", "cartpole", *SMALL, *FAST, "--vary", "lr", "1e-3", "1e-2"]
    assert main([*argv, "--seeds", "3", "--workers", "2", "--out", str(tmp_path), "--json"]) == 0
    assert_same_runs(runs, tmp_path)


def test_a_run_that_diverges_is_one_line_that_says_what_did(tmp_path):
    argv = ("train", "a2c", "cartpole", *SMALL, *FAST, "--out", tmp_path)
    done = subprocess.run(
        command(*argv, "--set", "lr=1e37"), capture_output=True, text=True, env=PLAIN
    )
    (line,) = done.stderr.splitlines()
    (folder,) = tmp_path.iterdir()
    assert done.returncode == 1
    assert line.startswith(f"refmarl: error: {folder}: ")
    assert "at iteration" in line
    assert "the run stops" in line
    assert "nan" not in (folder / "metrics.jsonl").read_text().lower()


def test_divergence_is_the_users_to_mend():
    from refmarl.cli import expected
    from refmarl.training.run import Diverged

    assert expected(Diverged("gain is nan"))
    assert not expected(ValueError("a bug of ours"))


def command(*argv):
    return [sys.executable, "-m", "refmarl", *map(str, argv)]


LONG = ("train", "a2c", "cartpole", "--set", "iterations=100000", "--set", "hidden=8", *FAST)


def first_line(folder, seconds=60):
    """Wait until a run below has logged something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(last_row(f.parent) for f in folder.rglob("metrics.jsonl")):
            return
        time.sleep(0.05)
    raise AssertionError("no run has begun")


@pytest.mark.parametrize(
    ("workers", "number"), [(1, signal.SIGINT), (1, signal.SIGTERM), (2, signal.SIGINT)]
)
def test_an_interrupt_saves_and_ends_with_one_line(workers, number, tmp_path):
    argv = command(*LONG, "--seeds", 2, "--workers", workers, "--out", tmp_path)
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=PLAIN,
                               start_new_session=True)  # fmt: skip
    first_line(tmp_path)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert f"to continue: refmarl train --resume {tmp_path}" in err
    begun = [f.parent for f in tmp_path.rglob("checkpoint.npz")]
    assert begun
    for folder in begun:
        assert resume(folder)[2].iteration == last_row(folder)["iteration"]


def workers_of(process):
    """The process ids of its workers, as soon as there are any."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = [pid for pid, parent, line in processes() if parent == process.pid
                 and b"spawn_main" in line]  # fmt: skip
        if found:
            return found
        time.sleep(0.02)
    process.kill()
    process.communicate()
    raise AssertionError("no worker was born")


def processes():
    """(process id, its parent's, command line) of all that run."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            yield int(folder.name), parent, (folder / "cmdline").read_bytes()


def test_an_interrupt_while_workers_are_born_is_one_line_too(tmp_path):
    argv = command(*LONG, "--seeds", 2, "--workers", 2, "--out", tmp_path)
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=PLAIN,
                               start_new_session=True)  # fmt: skip
    workers_of(process)
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "to continue" in err


@pytest.mark.slow
def test_a_second_interrupt_ends_at_once(tmp_path):
    slow = ("--set", "num_steps=20000", "--log-every", "1000", "--save-every", "1000")
    argv = command(*LONG[:-4], *slow, "--out", tmp_path)
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=PLAIN)
    end = time.monotonic() + 60
    while not list(tmp_path.rglob("times.jsonl")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "refmarl: interrupted"
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    argv = ("train", "a2c", "cartpole", "--set", "iterations=1500", "--set", "hidden=8", *FAST)
    argv = (*argv, "--seeds", 2)
    alone = command(*argv, "--workers", 1, "--out", whole)
    subprocess.run(alone, check=True, capture_output=True, env=PLAIN)
    process = subprocess.Popen(
        command(*argv, "--workers", 2, "--out", killed), stderr=subprocess.PIPE, env=PLAIN
    )
    first_line(killed)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert_same_runs(whole, killed)


@pytest.mark.slow
def test_workers_whose_parent_is_killed_save_and_end(tmp_path):
    argv = command(*LONG, "--seeds", 2, "--workers", 2, "--out", tmp_path)
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL, env=PLAIN)
    first_line(tmp_path)
    workers = set(workers_of(process))
    process.kill()
    process.wait()
    end = time.monotonic() + 30
    while workers & {pid for pid, _, line in processes() if line}:
        assert time.monotonic() < end
        time.sleep(0.05)
    for folder in [f.parent for f in tmp_path.rglob("metrics.jsonl")]:
        assert resume(folder)[2].iteration == last_row(folder)["iteration"]


def test_two_processes_cannot_train_in_one_folder(runs, run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(next(runs.iterdir()), folder)
    with alone(folder):
        status, _, err = run("train", "--resume", folder)
    assert (status, err.count("\n")) == (1, 1)
    assert "another process is training here" in err
    assert run("train", "--resume", folder)[0] == 0


# -- disks ------------------------------------------------------------------------------


def mounted(folder, options, script):
    """Run a shell script with a small file system of its own at ``folder``."""
    whole = f"mount -t tmpfs -o {options} none {folder} && {script}"
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", whole], capture_output=True, text=True, timeout=120,
        env=PLAIN,
    )  # fmt: skip


@pytest.fixture
def mounts(tmp_path):
    """Whether this system lets one mount; skips if it does not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        if mounted(folder, "size=64k", "true").returncode != 0:
            pytest.skip("needs leave to mount a file system")
    except FileNotFoundError:
        pytest.skip("needs unshare")
    return folder


def test_a_full_disk_is_one_line_and_leaves_the_last_checkpoint(mounts, tmp_path):
    refmarl = f"{sys.executable} -m refmarl"
    train = f"{refmarl} train a2c cartpole --set iterations=60 {' '.join((*SMALL[2:], *FAST))}"
    script = (
        f"{train} --out {mounts} 2>/dev/null; cp -r {mounts} {tmp_path}/before; "
        f'sed -i \'/digest/d; s/"iterations": 60/"iterations": 4000/\' {mounts}/*/run.json; '
        f"dd if=/dev/zero of={mounts}/rest bs=1k 2>/dev/null; "
        f"{refmarl} train --resume {mounts} >/dev/null; echo status $? >&2; "
        f"cp {mounts}/*/checkpoint.npz {tmp_path}/after.npz"
    )
    done = mounted(mounts, "size=128k", script)
    *_, error, status = done.stderr.splitlines()
    assert status == "status 1"
    assert error.startswith("refmarl: error: ")
    assert error.endswith("No space left on device; the last checkpoint stands")
    assert "Traceback" not in done.stderr
    (before,) = (tmp_path / "before").glob("*/checkpoint.npz")
    template = resume(before.parent)[2]
    assert checkpoint.same(checkpoint.load(tmp_path / "after.npz", template), template)


def test_a_read_only_folder_is_one_line(mounts):
    refmarl = f"{sys.executable} -m refmarl"
    script = (
        f"mount -o remount,ro {mounts} && "
        f"{refmarl} train a2c cartpole --set iterations=5 --out {mounts} >/dev/null; "
        f"echo status $? >&2"
    )
    done = mounted(mounts, "size=64k", script)
    error, status = done.stderr.splitlines()
    assert status == "status 1"
    assert "Read-only file system" in error


# -- progress ---------------------------------------------------------------------------


def test_on_a_terminal_there_is_a_bar_and_none_is_left_behind(tmp_path):
    ours, theirs = pty.openpty()
    argv = command("train", "a2c", "cartpole", *SMALL, *FAST, "--out", tmp_path)
    env = PLAIN | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=theirs, text=True, env=env)
    out, _ = process.communicate(timeout=60)
    os.close(theirs)
    seen = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == 0
    assert "40/40" in out
    assert "\x1b[" in seen


def test_without_a_terminal_a_plain_line_every_few_seconds(run, tmp_path, monkeypatch):
    monkeypatch.setattr("refmarl.cli._progress.EVERY", 0.0)
    argv = ("train", "a2c", "cartpole", *SMALL, *FAST, "--workers", 1)
    _, _, err = run(*argv, "--out", tmp_path / "one")
    lines = err.splitlines()
    assert len(lines) == 9  # eight logged intervals, and the end
    assert "40/40" in lines[-1]
    assert "/s  " in lines[3]
    assert " left" in lines[3]
    assert "return" in lines[-1]
    _, _, err = run(*argv, "--seeds", 2, "--out", tmp_path / "two")
    assert err.splitlines()[-1].startswith("2 of 2 runs done, 100% in all, return ")


# -- plug-ins ---------------------------------------------------------------------------

PLUGIN = """
from dataclasses import dataclass
from refmarl.envs.cartpole import CartPole
from refmarl.policy_gradient.a2c import Config, start, iterate, policy

@dataclass(frozen=True)
class Short(CartPole):
    horizon: int = 7
    sizes: tuple[int, ...] = (1, 2)
"""


def test_ones_own_algorithm_and_environment_by_module_and_name(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.py").write_text(PLUGIN)
    names = ("pack.mine", "pack.mine:Short")
    argv = command("train", *names, *SMALL, *FAST, "--env", "sizes=3,4", "--json")
    for expected in (0, 0):  # begun, and continued
        done = subprocess.run(argv, cwd=tmp_path, env=PLAIN, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (expected, "")
    (told,) = json.loads(done.stdout)
    assert told["folder"].startswith("runs/mine-Short-")
    assert told["metrics"]["length"] <= 7.0
    argv = command("evaluate", told["folder"], "--episodes", "3", "--json")
    done = subprocess.run(argv, cwd=tmp_path, env=PLAIN, capture_output=True, text=True)
    assert json.loads(done.stdout)[0]["length"] <= 7.0


def test_modules_are_found_in_the_folder_where_one_is(run, tmp_path, monkeypatch):
    (tmp_path / "own_module.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    status, _, _ = run("render", "own_module:Short", "--policy", "random")
    assert status == 0


def test_installed_plug_ins_have_names(run, tmp_path, monkeypatch):
    (tmp_path / "refmarl_mine.py").write_text(PLUGIN)
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[refmarl.algorithms]\nmy-a2c = refmarl_mine\nbroken = refmarl_mine:absent\n"
        "[refmarl.envs]\nshort = refmarl_mine:Short\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    out = tmp_path / "out"
    status, told, _ = run("train", "my-a2c", "short", *SMALL, *FAST, "--out", out, "--json")
    assert status == 0
    assert json.loads(told)[0]["metrics"]["length"] <= 7.0
    assert "horizon" in run("show", "short")[1]
    assert "gamma" in run("show", "my-a2c")[1]
    status, _, err = run("train", "broken", "short")
    assert status == 2
    assert "algorithm 'broken' (refmarl_mine:absent)" in err
    assert "did you mean 'my-a2c'" in run("train", "my-a2", "short")[2]


def test_runs_of_other_environment_options_have_other_folders(run, tmp_path):
    argv = ("train", "a2c", "cartpole", *SMALL, "--out", tmp_path)
    for options in ((), ("--env", "horizon=9"), ("--env", "horizon=8")):
        assert run(*argv, *options)[0] == 0
    assert len(list(tmp_path.iterdir())) == 3
