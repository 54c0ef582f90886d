"""Every command of docs/training.md, in its order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)
    for line in block.split("\n")
    if line
]


@pytest.mark.slow
def test_every_command_works(tmp_path):
    assert len(COMMANDS) >= 10
    for line in COMMANDS:
        argv = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"runs", "curves.svg", "random.html", "navigation.gif"}
    assert len(list((tmp_path / "runs").iterdir())) == 6


def test_what_is_said_of_a_mistake_is_what_is_printed(capsys):
    from refmarl.cli import main

    mistake = re.compile(r"^    \$ refmarl (.*)\n    (refmarl: error: .*)$", re.M)
    ((line, said),) = mistake.findall(TEXT)
    assert main(shlex.split(line)) == 2
    assert capsys.readouterr().err == said + "\n"


def test_the_tables_name_the_files_and_keys_that_there_are(tmp_path):
    import json

    from refmarl.policy_gradient import a2c
    from refmarl.training.run import Run, train

    cfg = a2c.Config(num_envs=2, num_steps=2, iterations=2, hidden=(4,))
    folder = tmp_path / "run"
    train(Run(algorithm="a2c", env="cartpole", config=cfg, log_every=1, save_every=1), folder)
    part = TEXT[TEXT.index("## The folder of a run") : TEXT.index("From Python:")]
    named = set(re.findall(r"^\| `(\w+\.\w+)` \|", part, re.M))
    assert named == {path.name for path in folder.iterdir()}
    for key in json.loads((folder / "run.json").read_text()):
        assert f"`{key}`" in part
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        assert all(f"`{key}`" in part for key in json.loads(line))
