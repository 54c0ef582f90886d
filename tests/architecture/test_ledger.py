"""The ledger holds: nothing that a closed row needs can be taken away unseen."""

import re
import shutil
from pathlib import Path

import pytest

from refmarl.equations import EQUATIONS, ledger

ROOT = Path(__file__).parents[2]
CLOSED = [e for e in EQUATIONS.values() if e.closed]


def test_the_ledger_of_this_checkout_holds():
    assert ledger.problems(ROOT) == []


def test_all_98_rows_of_the_course_are_in_the_list():
    sizes = [sum(e.section == s for e in EQUATIONS.values()) for s in range(1, 8)]
    assert sizes == [21, 10, 20, 10, 11, 15, 11]
    assert len({e.tag for e in EQUATIONS.values()}) == 98


@pytest.fixture
def copy(tmp_path):
    """A copy of the checkout that a test may spoil."""
    for name in ("refmarl", "exercises", "solutions", "docs", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert ledger.problems(tmp_path) == []
    return tmp_path


def _every_deletion(root):
    """(what, path, text without it) for each tag, test, exercise and anchor of the closed rows."""
    for row, e in zip(ledger.scan(root).values(), EQUATIONS.values(), strict=True):
        if not e.closed:
            continue
        for place in row.code:
            path = root / place.partition("::")[0]
            text = path.read_text("utf-8")
            for t in ledger.tagged_comments(place.partition("::")[0], text):
                if t.tag == e.tag:
                    lines = text.splitlines(keepends=True)
                    lines[t.line - 1] = lines[t.line - 1].replace(f"({e.tag})", "")
                    yield f"tag ({e.tag}) at {place}", path, "".join(lines)
        for test in row.tests:
            path, name = root / test.partition("::")[0], test.partition("::")[2]
            text = path.read_text("utf-8")
            yield f"test {test}", path, re.sub(rf"\bdef {name}\b", f"def no_{name}", text)
        page = root / row.docs.partition("#")[0]
        text = page.read_text("utf-8")
        yield f"anchor {row.docs}", page, text.replace(f'<a id="{e.label}"></a>', "")
        if e.exercise:
            for path in (row.exercise, row.solution, row.spec):
                yield f"file {path}", root / path, None


@pytest.mark.slow
def test_taking_away_any_tag_test_exercise_or_anchor_is_seen(copy):
    seen = 0
    for what, path, spoiled in list(_every_deletion(copy)):
        original = path.read_text("utf-8")
        if spoiled is None:
            path.unlink()
        else:
            assert spoiled != original, what
            path.write_text(spoiled, "utf-8")
        assert ledger.problems(copy), f"nobody missed: {what}"
        path.write_text(original, "utf-8")
        seen += 1
    assert seen >= 6 * len(CLOSED)


def test_a_tag_that_does_not_exist_is_seen(copy):
    path = copy / "refmarl" / "check.py"
    path.write_text(path.read_text("utf-8") + "\nX = 1  # (" + "9.9)\n", "utf-8")
    assert ledger.problems(copy) == ["no such equation: refmarl/check.py: (9.9)"]


def test_a_row_that_claims_too_much_is_told_what_it_lacks(monkeypatch):
    open_row = next(e for e in EQUATIONS.values() if not e.closed and e.exercise)
    lacking = ledger.missing(ROOT, open_row, ledger.Found())
    assert len(lacking) == 6
