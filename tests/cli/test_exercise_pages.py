"""The pages docs/exercises/ and docs/grading/: every transcript, in an empty folder."""

import os
import re
import shlex
from pathlib import Path

import pytest

from refmarl.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [f"exercises/{name}.md" for name in ("index", "assignments", "authors")]
PAGES += ["grading/class.md"]
BLOCK = re.compile(r"^(?:<!-- write (\S+) -->\n)?```(\w+)\n(.*?)^```$", re.M | re.S)


def _steps(text):
    """What a page does: ("write", path, text), or ("run", command, what it prints)."""
    for path, kind, body in BLOCK.findall(text):
        if path:
            yield "write", path, body
        elif kind == "console":
            for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, out = part.partition("\n")
                yield "run", command, out


def _fits(said, shown):
    """Whether what is said of an output is so; … stands for anything, alone for any lines."""
    pattern = re.escape(said.rstrip()).replace(re.escape("…"), "…")
    pattern = re.sub(r"(?m)^…$\\?\n?", "(?:.*\\n)*?", pattern.replace("\\\n", "\n"))
    return re.fullmatch(pattern.replace("…", ".*"), shown.rstrip()) or re.fullmatch(
        pattern.replace("…", ".*"), shown.rstrip() + "\n"
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_transcript_is_what_happens(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    number = 0
    for kind, what, text in _steps((DOCS / name).read_text("utf-8")):
        if kind == "write":
            path = Path(what)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            continue
        program, *argv = shlex.split(what)
        if program == "cd":
            os.chdir(argv[0])
            continue
        number += 1
        assert program in ("refmarl", "cat")
        if program == "cat":
            shown = "".join(Path(name).read_text("utf-8") for name in argv)
        else:
            main(argv)
            shown = capsys.readouterr().out
        assert _fits(text, shown), f"{what}\n--- said\n{text}\n--- shown\n{shown}"
    assert number >= 2


@pytest.mark.parametrize(
    ("said", "shown", "fits"),
    [
        ("a … c\n", "a b c\n", True),
        ("a … c\n", "a b d\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\nd\n", "a\nb\n", False),
        ("a\n…\n", "a\nb\nc\n", True),
        ("a\n", "a\nb\n", False),
        ("(1.5)\n", "(1x5)\n", False),
    ],
)
def test_what_a_transcript_leaves_out_is_all_that_may_differ(said, shown, fits):
    assert bool(_fits(said, shown)) == fits
