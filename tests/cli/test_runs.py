"""``evaluate``, ``compare``, ``plot``, ``render`` and the lists: what runs have learnt."""

import json
import shutil

import numpy as np
import pytest

from refmarl.training.run import metrics, read

# -- what runs have learnt ----------------------------------------------------------------


def test_evaluating_is_the_same_twice_and_other_with_another_seed(runs, run):
    folder = sorted(runs.iterdir())[0]
    argv = ("evaluate", folder, "--episodes", 20, "--json")
    (one,), (two,) = (json.loads(run(*argv)[1]) for _ in range(2))
    (other,) = json.loads(run(*argv, "--seed", 1)[1])
    (drawn,) = json.loads(run(*argv, "--sample")[1])
    assert one == two
    assert len({found["mean"] for found in (one, other, drawn)}) == 3
    assert (one["n"], one["greedy"], drawn["greedy"]) == (20, True, False)
    assert one["mean"] == pytest.approx(one["length"])  # a reward of 1 for every step
    assert one["half"] > 0.0
    status, out, _ = run("evaluate", runs, "--episodes", 2)
    assert status == 0
    assert out.count("±") == 6
    assert "±" not in run("evaluate", folder, "--episodes", 1)[1]


def test_evaluating_certifies_where_a_game_can_be_enumerated(runs, run, tmp_path):
    few = ("--set", "iterations=2", "--set", "num_envs=2", "--out", tmp_path)
    assert run("train", "a2c", "matrix", "--env", "game=climbing", *few)[0] == 0
    assert run("train", "a2c", "dec-pomdp", "--env", "horizon=2", *few)[0] == 0
    two, one = json.loads(run("evaluate", tmp_path, "--json")[1])  # dec-pomdp, matrix
    for row, best in ((one, 275.0), (two, -4.0)):
        found = row["certificate"]
        assert found["best"] == pytest.approx(best)
        assert found["best_is_reached"]
        assert found["nash_conv"] == pytest.approx(sum(found["regrets"].values()))
        assert min(found["regrets"].values()) >= 0
        assert found["return"] == pytest.approx(np.mean(list(found["values"].values())))
    assert one["mean"] == pytest.approx(one["certificate"]["return"])  # nothing is left to chance
    _, out, _ = run("evaluate", tmp_path)
    assert "best possible  NashConv" in out
    assert "275" in out
    cart = sorted(runs.iterdir())[0]
    status, out, err = run("evaluate", cart, "--episodes", 2)
    assert (status, err) == (0, "")
    assert out.endswith("cartpole: no certificate: its states cannot be listed\n")


def test_comparing_groups_by_all_but_the_seed(runs, run):
    status, out, _ = run("compare", runs, "--json")
    one, two = json.loads(out)
    assert status == 0
    assert [one["label"], two["label"]] == ["lr=0.001", "lr=0.01"]
    assert (one["n"], one["finished"], one["improvement"]) == (3, 3, None)
    for row in (one, two):
        assert row["mean"]["estimate"] == pytest.approx(np.mean(row["scores"]))
        assert row["mean"]["low"] <= row["mean"]["estimate"] <= row["mean"]["high"]
    brute = np.mean([[(a > b) + (a == b) / 2 for b in one["scores"]] for a in two["scores"]])
    assert two["improvement"]["estimate"] == pytest.approx(brute)
    by_hand = [metrics(f)[-1]["return"] for f in sorted(runs.iterdir())]  # 36 < iteration ≤ 40
    assert sorted(one["scores"] + two["scores"]) == pytest.approx(sorted(by_hand))
    assert "fewer than 5 runs" in run("compare", runs)[1]
    fast = [f for f in runs.iterdir() if read(f).config.lr == 1e-2]
    turned = json.loads(run("compare", *fast, runs, "--json")[1])  # the first named comes first
    assert [row["label"] for row in turned] == ["lr=0.01", "lr=0.001"]
    share = one["improvement"] or turned[1]["improvement"]
    assert share["estimate"] == pytest.approx(1.0 - two["improvement"]["estimate"])
    alone = run("compare", sorted(runs.iterdir())[0])
    assert alone[0] == 0
    assert "[" not in alone[1]


def test_curves_are_drawn_as_svg_and_png(runs, run, tmp_path):
    status, out, _ = run("plot", runs, "--out", tmp_path / "new" / "c.svg", "--interval", "t")
    text = (tmp_path / "new" / "c.svg").read_text()
    assert status == 0
    assert "cartpole: lr=0.001, n = 3" in out
    for part in ("lr=0.001 (n = 3)", "lr=0.01 (n = 3)", "mean of return", "cartpole"):
        assert part in text
    assert run("plot", runs, "--out", tmp_path / "c.png", "--statistic", "iqm")[0] == 0
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    one = sorted(runs.iterdir())[0]
    assert run("plot", one, "--out", tmp_path / "one.svg", "--smooth", "3")[0] == 0
    assert "not finished" not in out
    short = tmp_path / "runs" / "short"
    shutil.copytree(one, short)
    lines = (one / "metrics.jsonl").read_text().splitlines(keepends=True)
    (short / "metrics.jsonl").write_text("".join(lines[:-2]))
    _, out, _ = run("plot", short, "--out", tmp_path / "c.svg")
    assert "1 of these runs are not finished" in out


def test_settings_of_other_algorithms_are_not_in_a_label(runs, run, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    few = ("--set", "iterations=2", "--set", "num_envs=2")
    assert run("train", "reinforce", "cartpole", *few, "--out", tmp_path / "runs")[0] == 0
    rows = json.loads(run("compare", tmp_path / "runs", "--json")[1])
    assert [row["label"] for row in rows] == ["a2c, lr=0.001", "a2c, lr=0.01", "reinforce"]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (
            ["plot", "RUNS", "--metric", "retrun"],
            "no 'retrun' was measured; did you mean 'return'?",
        ),
        (["plot", "RUNS", "--out", "c.pdf"], "ends in .svg or .png, got c.pdf"),
        (["plot", "RUNS", "--smooth", "0"], "smooth: need a whole number ≥ 1"),
        (["plot", "RUNS", "--interval", "t", "--statistic", "iqm"], "not of the iqm"),
        (["compare", "RUNS", "--metric", "x"], "no 'x' was measured; there are entropy, gain"),
        (["compare", "nowhere"], "nowhere: no such folder"),
        (["evaluate", "."], ".: no run here"),
        (["evaluate", "RUNS", "--episodes", "0"], "episodes: need a whole number ≥ 1"),
        (["render", "RUNS"], "no run here (run.json is missing); one run is shown, such as "),
        (["render", "."], ".: no run here (run.json is missing)\n"),
        (["render", "cartpol"], "no environment 'cartpol'; did you mean 'cartpole'?"),
        (["render", "cartpole", "--out", "c.mp4"], "ends in .gif or .html"),
        (["render", "cartpole", "--policy", "run"], "not a run's folder"),
        (["render", "cartpole", "--fps", "0"], "--fps: need a number"),
        (["render", "cartpole", "--steps", "0"], "most: need a whole number ≥ 1"),
    ],
)
def test_what_cannot_be_shown_is_one_line(argv, says, runs, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(*(str(runs) if a == "RUNS" else a for a in argv))
    assert (status, err.count("\n")) == (2, 1)
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_an_episode_of_a_run_and_of_an_environment_is_rendered(runs, run, tmp_path):
    folder = sorted(runs.iterdir())[0]
    for what, name in ((folder, "a.html"), (folder, "a.gif"), ("cartpole", "b.html")):
        status, out, _ = run("render", what, "--out", tmp_path / name, "--steps", 12)
        assert status == 0
        assert "return 1" in out
    assert run("render", "cartpole", "--policy", "random", "--out", tmp_path / "c.gif")[0] == 0
    assert "a2c after 800 steps" in (tmp_path / "a.html").read_text()


# -- lists ------------------------------------------------------------------------------


def test_algorithms_and_environments_are_listed_and_shown(run):
    algorithms = json.loads(run("list", "algorithms", "--json")[1])
    envs = json.loads(run("list", "envs", "--json")[1])
    assert "a2c" in {row["name"] for row in algorithms}
    assert {row["name"]: row["agents"] for row in envs}["cartpole"] == 1
    for row in [*algorithms, *envs]:
        status, out, _ = run("show", row["name"])
        assert status == 0
        assert row["summary"] in out
        told = json.loads(run("show", row["name"], "--json")[1])
        assert told.get("algorithm", told)["name"] == row["name"]  # or an equation called alike
    out = run("show", "a2c")[1]
    assert "gamma       0.99     [0, 1]             γ, discount" in out
