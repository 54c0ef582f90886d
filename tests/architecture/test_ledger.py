"""The ledger holds: nothing that a closed row needs can be taken away unseen."""

import re
import shutil
from pathlib import Path

import pytest

from refmarl.equations import EQUATIONS, ledger

ROOT = Path(__file__).parents[2]
CLOSED = [e for e in EQUATIONS.values() if e.closed]


@pytest.fixture(scope="module")
def files():
    """The text of each file of this checkout, for all tests: who spoils one makes a new mapping."""
    return ledger.read(ROOT)


def test_the_ledger_of_this_checkout_holds(files):
    assert ledger.problems(files) == []


def test_all_98_rows_of_the_course_are_in_the_list():
    sizes = [sum(e.section == s for e in EQUATIONS.values()) for s in range(1, 8)]
    assert sizes == [21, 10, 20, 10, 11, 15, 11]
    assert len({e.tag for e in EQUATIONS.values()}) == 98


def _every_deletion(files):
    """(what, path, text without it) for each tag, test, exercise and anchor of the closed rows."""
    for row, e in zip(ledger.scan(files).values(), EQUATIONS.values(), strict=True):
        if not e.closed:
            continue
        for place in row.code:
            path = place.partition("::")[0]
            for t in ledger.tagged_comments(path, files[path]):
                if t.tag == e.tag:
                    lines = files[path].splitlines(keepends=True)
                    lines[t.line - 1] = lines[t.line - 1].replace(f"({e.tag})", "")
                    yield f"tag ({e.tag}) at {place}", path, "".join(lines)
        for test in row.tests:
            path, _, name = test.partition("::")
            yield f"test {test}", path, re.sub(rf"\bdef {name}\b", f"def no_{name}", files[path])
        page = row.docs.partition("#")[0]
        yield f"anchor {row.docs}", page, files[page].replace(f'<a id="{e.label}"></a>', "")
        if e.exercise:
            for path in (row.exercise, row.solution, row.spec):
                yield f"file {path}", path, None


@pytest.mark.slow
def test_taking_away_any_tag_test_exercise_or_anchor_is_seen(files):
    seen = 0
    for what, path, spoiled in _every_deletion(files):
        assert spoiled != files[path], what
        left = files | {path: spoiled}
        if spoiled is None:
            del left[path]
        assert ledger.problems(left), f"nobody missed: {what}"
        seen += 1
    assert seen >= 6 * len(CLOSED)


def test_what_is_read_is_what_the_folders_hold(files, tmp_path):
    e = next(e for e in CLOSED if e.exercise)
    row = ledger.scan(files)[e.label]
    code, test = row.code[0].partition("::")[0], row.tests[0].partition("::")[0]
    page = row.docs.partition("#")[0]
    own = (code, test, page, row.exercise, row.solution, row.spec)
    for name in ("refmarl", "exercises", "solutions", "docs", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert ledger.read(tmp_path) == files
    for k, path in enumerate(own):
        (tmp_path / path).unlink() if k % 2 else (tmp_path / path).write_text("", "utf-8")
    left = ledger.read(tmp_path)
    assert left == {p: "" if p in own[::2] else t for p, t in files.items() if p not in own[1::2]}


def test_a_tag_that_does_not_exist_is_seen(files):
    path = "refmarl/check.py"
    spoiled = files | {path: files[path] + "\nX = 1  # (" + "9.9)\n"}
    assert ledger.problems(spoiled) == ["no such equation: refmarl/check.py: (9.9)"]


def test_a_row_that_claims_too_much_is_told_what_it_lacks(monkeypatch):
    open_row = next(e for e in EQUATIONS.values() if not e.closed and e.exercise)
    lacking = ledger.missing({}, open_row, ledger.Found())
    assert len(lacking) == 6
