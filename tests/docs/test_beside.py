"""Functions copied into pages: what the source says, and red as soon as it says something else."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.equations import beside

SOURCE = '''"""A module."""


@decorated
def first(x):
    """Says.

    More.
    """
    y = x + 1  # (1.1)

    return y


class Shape:
    """Class."""

    def area(self) -> float:
        return 2.0
'''
PAGE = "Before.\n\n<!-- code src/a.py::first -->\nold\n<!-- /code -->\n\nAfter.\n"


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "docs" / "s1").mkdir(parents=True)
    (tmp_path / "src" / "a.py").write_text(SOURCE)
    (tmp_path / "docs" / "s1" / "page.md").write_text(PAGE)
    return tmp_path


def test_a_copy_is_the_function_with_its_decorator_and_without_its_docstring(checkout):
    text, numbers = beside.excerpt(checkout, "src/a.py", "first")
    assert text == "@decorated\ndef first(x):\n    y = x + 1  # (1.1)\n\n    return y\n"
    lines = SOURCE.splitlines()
    assert [lines[n - 1] for n in numbers] == text.splitlines()


def test_a_method_is_moved_to_the_margin(checkout):
    text, _ = beside.excerpt(checkout, "src/a.py", "Shape.area")
    assert text == "def area(self) -> float:\n    return 2.0\n"


def test_refreshing_writes_the_copy_and_its_way_and_nothing_else(checkout):
    page = checkout / "docs" / "s1" / "page.md"
    fresh = beside.refreshed(checkout, page)
    assert "old" not in fresh
    assert "[src/a.py](../../src/a.py)" in fresh
    assert (fresh[:9], fresh[-8:]) == ("Before.\n\n", "\nAfter.\n")
    page.write_text(fresh)
    assert beside.refreshed(checkout, page) == fresh


@given(st.integers(0, 999))
def test_any_change_of_the_function_makes_the_copy_stale(tmp_path_factory, number):
    root = tmp_path_factory.mktemp("checkout")
    (root / "docs").mkdir()
    page = root / "docs" / "page.md"
    page.write_text(PAGE.replace("src/", ""))
    (root / "a.py").write_text(SOURCE)
    page.write_text(beside.refreshed(root, page))
    (root / "a.py").write_text(SOURCE.replace("x + 1 ", f"x + 1{number} "))
    assert beside.refreshed(root, page) != page.read_text()


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("<!-- code src/b.py::first -->\n<!-- /code -->\n", "page.md: src/b.py: no such file"),
        ("<!-- code src/a.py::last -->\n<!-- /code -->\n", "page.md: src/a.py defines no last"),
        ("<!-- code src/a.py::first -->\n", "no <!-- /code -->"),
        ("<!-- code first -->\n<!-- /code -->\n", "no <!-- /code -->"),
    ],
)
def test_a_block_that_names_nothing_is_an_error_with_the_page(checkout, block, says):
    page = checkout / "docs" / "s1" / "page.md"
    page.write_text(block)
    with pytest.raises(InputError, match=says):
        beside.refreshed(checkout, page)


def test_every_closed_row_shows_a_function_with_its_tag():
    from pathlib import Path

    from refmarl.equations import EQUATIONS

    root = Path(__file__).parents[2]
    for row in (e for e in EQUATIONS.values() if e.closed):
        text = (root / "docs" / row.folder / f"{row.label}.md").read_text("utf-8")
        shown = [m[3] for m in beside.BLOCK.finditer(text)]
        assert any(f"# ({row.tag})" in code or f"({row.tag})" in code for code in shown), row.label
        for code in shown:
            ast.parse(code.partition("```python\n")[2].rpartition("```")[0])
