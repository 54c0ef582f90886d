"""What is not understood: one line, status 2, before any folder is made."""

import shutil

import pytest

from refmarl.cli import main
from refmarl.training.run import differences

SMALL = ("--set", "iterations=20", "--set", "hidden=8", "--set", "num_envs=2")

# Environments of one's own that go wrong, each in another way.
BROKEN = """
from dataclasses import dataclass
from typing import NamedTuple
import numpy as np
from refmarl.envs.cartpole import CartPole, State

class Wide(CartPole):
    def observe(self, state):
        return (np.concatenate([state.x, state.x], axis=1)[:, None],)

class Crash(CartPole):
    def step(self, state, actions):
        return undefined_name

class Late(CartPole):
    def step(self, state, actions):
        if state.t.max() > 25:
            raise RuntimeError("the sky fell")
        return super().step(state, actions)

@dataclass(frozen=True)
class NoStart(CartPole):
    def __post_init__(self):
        raise KeyError("lost")

class Kept(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray
    x: np.ndarray
    world: np.ndarray

class Objects(CartPole):
    def restart(self, key):
        return kept(super().restart(key))

    def step(self, state, actions):
        after, step = super().step(State(*state[:4]), actions)
        return kept(after), step

def kept(state):
    return Kept(*state, np.full(len(state.t), None, dtype=object))

NUMBER = 3
"""
MORE = {"syntax.py": "def broken(:\n", "fails.py": "1 / 0\n", "mine.py": BROKEN}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder where one is, with modules of one's own."""
    for name, text in MORE.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    return tmp_path


CART = ("a2c", "cartpole")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((*CART, "--set", "gama=1"), "no option 'gama'; did you mean 'gamma'?"),
        ((*CART, "--set", "gamma=2"), "gamma: need a number in [0, 1], got 2.0"),
        ((*CART, "--set", "horizon=9"), "it is the environment's: --env horizon=VALUE"),
        ((*CART, "--set", "eval_every=9"), "it is one of train's: --eval-every"),
        ((*CART, "--vary", "seed", "1", "2"), "it is one of train's: --seed"),
        (("a2d", "cartpole"), "no algorithm 'a2d'; did you mean 'a2c'?"),
        (("a2c", "cartpol"), "no environment 'cartpol'; did you mean 'cartpole'?"),
        ((*CART, "--env", "horizn=9"), "no parameter 'horizn'; did you mean 'horizon'"),
        ((*CART, "--env", "horizon=x"), "horizon: need a whole number, got 'x'"),
        ((*CART, "--env", "horizon"), "need name=value, got 'horizon'"),
        ((*CART, "--env", "horizon=9", "--env", "horizon=8"), "--env: 'horizon' comes twice"),
        ((*CART, "--set", "lr=1", "--vary", "lr", "2", "3"), "--set, --vary: 'lr' comes twice"),
        ((*CART, "--set", "lr=1", "--set", "lr=2"), "--set, --vary: 'lr' comes twice"),
        ((*CART, "--vary", "num-envs", "1", "--vary", "num_envs", "2"), "'num_envs' comes twice"),
        ((*CART, "--vary", "lr"), "--vary lr: need one value or more"),
        ((*CART, "--vary", "rl", "1"), "no option 'rl'; there are gamma, lam"),
        ((*CART, "--vary", "lr", "1", "0"), "lr: need a number in (0, inf), got 0.0"),
        ((*CART, "--vary", "lr", "1", "1"), "two of them have the same folder"),
        ((*CART, "--seeds", "0"), "seeds: need a whole number ≥ 1"),
        ((*CART, "--seed", "-1"), "seed: need a whole number ≥ 0"),
        ((*CART, "--workers", "0"), "workers: need a whole number ≥ 1"),
        ((*CART, "--log-every", "0"), "log_every: need a whole number ≥ 1"),
        ((*CART, "--save-every", "15"), "need multiples of log_every = 10"),
        ((*CART, "--eval-every", "15"), "need multiples of log_every = 10"),
        ((*CART, "--eval-episodes", "0"), "eval_episodes: need a whole number ≥ 1"),
        ((*CART, "--out", "mine.py"), "mine.py: a file; need a folder, or none"),
        (("a2c",), "need ALGO and ENV"),
        ((), "need ALGO and ENV"),
        (("--resume", "nowhere"), "nowhere: no such folder"),
        ((*CART, "--resume", "."), "leave ALGO out"),
        (("--resume", ".", "--set", "lr=1"), "leave --set out"),
        (("--resume", ".", "--seed", "0"), "leave --seed out"),
        (("--resume", ".", "--eval-every", "0"), "leave --eval-every out"),
        (("no.such:thing", "cartpole"), "No module named 'no'"),
        (("json", "cartpole"), "no algorithm 'json'"),
        (("json:loads", "cartpole"), "an algorithm needs Config, start, iterate, policy"),
        (("a2c", "json:loads"), "json:loads: "),
        (("a2c", "mine:NUMBER"), "mine:NUMBER: need a class, got int"),
        (("a2c", "mine:Absent"), "environment 'mine:Absent': module 'mine' has no attribute"),
        (("a2c", "mine:Wide"), "observe: cart: need floats (3, 1, 4), got float64 (3, 1, 8)"),
        (("a2c", "mine:Crash"), "'undefined_name' is not defined (mine.py, line 13)"),
        (("a2c", "mine:NoStart"), "KeyError: 'lost' (mine.py, line 24)"),
        (("a2c", "mine:Objects"), "cannot be saved with it: Python objects at /roll/state/world"),
        (("a2c", "syntax:Env"), "environment 'syntax:Env': SyntaxError: "),
        (("a2c", "fails:Env"), "ZeroDivisionError: division by zero (fails.py, line 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_one_line_before_any_folder(argv, says, run, folder):
    status, out, err = run("train", *argv)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("refmarl: error: ")
    assert says in err
    assert {path.name for path in folder.iterdir()} == set(MORE)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("trian", "a2c", "cartpole"), "did you mean train?"),
        (("train", *CART, "--sett", "lr=1"), "no option --sett; did you mean --set?"),
        (("train", *CART, "--seeed=3"), "no option --seeed; did you mean --seed?"),
        (("train", *CART, "--completely-else"), "no option --completely-else"),
        (("evaluate", "runs", "--episods", "3"), "no option --episods; did you mean --episodes?"),
        (("compare", "runs", "--metrc", "x"), "no option --metrc; did you mean --metric?"),
        (("plot", "runs", "--smoth", "3"), "no option --smoth; did you mean --smooth?"),
        (("plot", "runs", "--statistic", "meen"), "did you mean mean?"),
        (("render", "cartpole", "--policy", "randm"), "did you mean random?"),
        (("list", "envz"), "did you mean envs?"),
    ],
)
def test_a_misspelt_word_is_told_the_nearest(argv, says, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith(f"{says}\n")


def test_an_error_in_the_middle_of_a_run_is_one_line_and_its_traceback_is_kept(run, folder):
    argv = ("train", "a2c", "mine:Late", *SMALL[2:], "--set", "iterations=9", "--log-every", 1)
    status, _, err = run(*argv, "--save-every", 1, "--out", "runs")
    (made,) = (folder / "runs").iterdir()
    assert status == 1
    assert err.splitlines()[-1] == (
        f"refmarl: error: runs/{made.name}: RuntimeError: the sky fell (mine.py, line 18); the "
        "traceback is in error.txt there"
    )
    assert 'raise RuntimeError("the sky fell")' in (made / "error.txt").read_text()
    mended = BROKEN.replace("> 25", "> 2500")
    (folder / "mine.py").write_text(mended)
    import sys

    del sys.modules["mine"]
    assert run("train", "--resume", "runs")[0] == 0
    assert not (made / "error.txt").exists()


def test_another_run_says_what_differs(run, tmp_path):
    argv = ("train", *CART, *SMALL, "--out", tmp_path)
    assert run(*argv, "--log-every", 5)[0] == 0
    status, _, err = run(*argv, "--eval-every", 10, "--save-every", 50)
    assert (status, err.count("\n")) == (2, 1)
    for part in ("log_every is 5 there, 10 asked", "save_every is 100 there, 50 asked",
                 "eval_every is 0 there, 10 asked", "give another --out"):  # fmt: skip
        assert part in err
    assert "seed" not in err


def test_differences_are_named_also_where_one_has_no_such_option():
    one = {"env": "a", "config": {"lr": 1.0, "lam": 1.0}, "env_options": {"horizon": 5}}
    two = {"env": "b", "config": {"lr": 0.5, "lam": 1.0, "clip": 0.2}, "env_options": {}}
    assert differences(one, two) == [
        ("env", '"a"', '"b"'),
        ("lr", "1.0", "0.5"),
        ("--env horizon", "5", '"not given"'),
        ("clip", '"not given"', "0.2"),
    ]


def test_own_environments_of_one_class_name_have_folders_of_their_own(run, folder):
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(
            "from refmarl.envs.cartpole import CartPole\nclass Short(CartPole):\n    pass\n"
        )
        assert run("train", "a2c", f"{name}:Short", *SMALL, "--out", "runs")[0] == 0
    names = sorted(path.name for path in (folder / "runs").iterdir())
    assert len(names) == 2
    assert all(name.startswith("a2c-Short-") for name in names)


def test_ones_own_can_be_shown(run, folder):
    (folder / "good.py").write_text(
        '"""A short CartPole."""\n'
        "from dataclasses import dataclass\n"
        "from refmarl.envs.cartpole import CartPole\n"
        "from refmarl.policy_gradient.a2c import Config, iterate, policy, start\n"
        "@dataclass(frozen=True)\n"
        "class Short(CartPole):\n    horizon: int = 7\n"
    )
    status, out, _ = run("show", "good:Short")
    assert status == 0
    assert "A short CartPole." in out
    assert "horizon  7" in out
    assert "refmarl train ALGO good:Short --env NAME=VALUE" in out
    status, out, _ = run("show", "good.nothing")
    assert status == 2
    assert "refmarl train good:" not in out
    (folder / "pack").mkdir()
    (folder / "pack" / "learner.py").write_text((folder / "good.py").read_text())
    status, out, _ = run("show", "pack.learner")
    assert status == 0
    assert "gamma" in out
    assert "refmarl train pack.learner ENV --set NAME=VALUE" in out


# -- folders of runs of which one is damaged ----------------------------------------------


def damage_settings(run_folder):
    (run_folder / "run.json").write_text("{")


def damage_metrics(run_folder):
    path = run_folder / "metrics.jsonl"
    path.write_text(path.read_text().replace("{", "[", 2))


def damage_checkpoint(run_folder):
    (run_folder / "checkpoint.npz").write_bytes(b"PK\x03\x04 torn")


def unbegun(run_folder):
    (run_folder / "metrics.jsonl").write_text("")
    (run_folder / "checkpoint.npz").unlink()


@pytest.mark.parametrize(
    ("verb", "spoil", "says"),
    [
        ("evaluate", damage_settings, "run.json: cannot be read"),
        ("evaluate", damage_checkpoint, "checkpoint.npz: not a whole checkpoint"),
        ("evaluate", unbegun, "nothing saved yet"),
        ("compare", damage_settings, "run.json: cannot be read"),
        ("compare", damage_metrics, "metrics.jsonl: line 1 is damaged"),
        ("compare", unbegun, "no 'return' was measured yet"),
        ("plot", damage_settings, "run.json: cannot be read"),
        ("plot", damage_metrics, "metrics.jsonl: line 1 is damaged"),
        ("plot", unbegun, "no 'return' was measured yet"),
    ],
)
def test_one_damaged_run_is_named_and_the_others_are_shown(verb, spoil, says, runs, run, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    first, *others = sorted((tmp_path / "runs").iterdir())
    spoil(first)
    more = {"evaluate": ("--episodes", 2), "plot": ("--out", tmp_path / "c.svg"), "compare": ()}
    status, out, err = run(verb, tmp_path / "runs", *more[verb])
    assert (status, err.count("\n")) == (1, 1)
    assert first.name in err
    assert says in err
    if verb == "evaluate":
        assert out.count("±") == len(others)
        assert first.name not in out
    elif verb == "plot":
        assert "n = 2" in out
        assert "n = 3" in out
        assert (tmp_path / "c.svg").stat().st_size > 1000
    status, _, err = run("train", "--resume", tmp_path / "runs", "--workers", 1)
    assert status == (0 if spoil is unbegun else 1)
    assert (first.name in err) == (spoil is not unbegun)


def test_a_copy_of_a_run_is_no_second_seed(runs, run, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    first = sorted((tmp_path / "runs").iterdir())[0]
    shutil.copytree(first, tmp_path / "runs" / "z-copy")
    status, out, err = run("compare", tmp_path / "runs")
    assert status == 0
    assert f"z-copy: left out, the same run as {first}" in err
    assert out == run("compare", runs)[1]
