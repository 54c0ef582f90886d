"""Sphinx extension: a page for every source file, with a number and an address for each line."""

import posixpath
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, TextLexer

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("refmarl", "exercises", "solutions", "tests")


def files() -> list[str]:
    """Every file that has a page: the code, and what the pages link to beside it."""
    found = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*.py"))]
    found += [ROOT / name for name in ("README.md", "pyproject.toml", ".ci/run")]
    found += [ROOT / "exercises" / "exercises.toml"]
    return [p.relative_to(ROOT).as_posix() for p in found if p.is_file()]


def pages(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(name, context, template) of each."""
    look = HtmlFormatter(
        linenos="inline", lineanchors="L", anchorlinenos=True, cssclass="highlight"
    )
    for file in files():
        text = (ROOT / file).read_text("utf-8")
        lexer = PythonLexer() if file.endswith(".py") else TextLexer()
        body = (
            highlight(text, lexer, look).replace('id="L-', 'id="L').replace('href="#L-', 'href="#L')
        )
        folder, name = posixpath.split(file)
        head = f"<h1>{escape(name)}</h1><p>{escape(folder)}</p>"
        context = {"parents": [], "title": escape(file)}
        context["body"] = f'{head}<div class="source-page">{body}</div>'
        yield f"source/{file}", context, "page.html"


def share(app: Any, pagename: str, template: str, context: dict[str, Any], _: Any) -> None:
    """Make the navigation once for each folder: none of these pages stands in it.

    The theme would resolve the whole tree again for every page, hundreds of times in a build.
    """
    if not pagename.startswith("source/"):
        return
    folder, make = posixpath.dirname(pagename), context["toctree"]

    def shared(**options: Any) -> str:
        if folder not in _TREES:
            _TREES[folder] = make(**options)
        return _TREES[folder]

    context["toctree"] = shared


_TREES: dict[str, str] = {}  # of one build


def setup(app: Any) -> dict[str, bool]:
    """Register."""
    app.connect("html-collect-pages", pages)
    app.connect("html-page-context", share, priority=100)  # before the theme's
    return {"parallel_read_safe": True, "parallel_write_safe": True}
