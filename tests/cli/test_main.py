"""The command line as a whole: help, unknown verbs, interrupts, broken pipes."""

import json
import subprocess
import sys

import pytest

from refmarl import __version__
from refmarl.cli import main, parser


def _verbs():
    actions = next(a for a in parser()._actions if a.dest == "verb")
    return list(actions.choices)


@pytest.mark.parametrize("verb", _verbs())
def test_every_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"Example: refmarl {verb}" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"refmarl {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["show"], ["equations", "--section", "8"]])
def test_what_is_not_understood_ends_with_status_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert "usage: refmarl" in capsys.readouterr().err


def test_an_interrupt_is_one_line_and_status_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("refmarl.cli.equations._rows", interrupted)
    assert main(["equations"]) == 130
    assert capsys.readouterr().err == "refmarl: interrupted\n"


def test_a_bug_is_not_hidden_behind_a_one_line_message(monkeypatch):
    def broken(*_):
        raise ValueError("a bug of ours")

    monkeypatch.setattr("refmarl.cli.equations._rows", broken)
    with pytest.raises(ValueError, match="a bug of ours"):
        main(["equations"])


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m refmarl equations --json | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")


def test_the_ledger_as_json_has_the_promised_keys(capsys):
    assert main(["equations", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = {"tag", "label", "section", "title", "docs", "code", "tests", "exercise", "closed"}
    assert len(rows) == 98
    assert all(keys <= row.keys() for row in rows)


def test_show_names_the_nearest_label(capsys):
    assert main(["show", "nahs"]) == 2
    assert "did you mean 'nash'" in capsys.readouterr().err


def test_show_prints_the_tagged_line(capsys):
    assert main(["show", "1.1"]) == 0
    out = capsys.readouterr().out
    assert "u = contract(u, x, kept=j + 1)  # (1.1)" in out
    assert "exercises/s1_games/e01_expected_utility.py" in out


def test_the_sign_of_what_the_course_does_not_say_is_explained(capsys):
    for name, has in (("qmix", True), ("maac", True), ("cartpole", False)):
        assert main(["show", name]) == 0
        assert ("\n  [+] not in the course's equation\n" in capsys.readouterr().out) is has
