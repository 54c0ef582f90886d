"""The command line called in this process, and a folder of runs to look at."""

import pytest

from refmarl.cli import main

SMALL = (
    "--set", "iterations=40", "--set", "hidden=8", "--set", "num_envs=4", "--set", "num_steps=5",
)  # fmt: skip
FAST = ("--log-every", "5", "--save-every", "10")


@pytest.fixture
def run(capsys):
    """Run the command line: (status, output, errors)."""

    def call(*argv):
        status = main([str(a) for a in argv])
        return status, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with three seeds of each of two step sizes."""
    folder = tmp_path_factory.mktemp("runs")
    argv = ["train", "a2c", "cartpole", *SMALL, *FAST, "--vary", "lr", "1e-3", "1e-2"]
    assert main([*argv, "--seeds", "3", "--workers", "1", "--out", str(folder), "--json"]) == 0
    return folder
