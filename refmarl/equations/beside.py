"""Copies of functions in the pages of docs/: code beside its equation, on any Markdown reader.

A page names a function between two comments, and ``refmarl dev sync`` writes between them::

    <!-- code refmarl/kernels/returns.py::advantages -->
    `advantages` in [refmarl/kernels/returns.py](../../refmarl/kernels/returns.py)

    ```python
    …
    ```
    <!-- /code -->

The copy is the function as it stands, without its docstring; the site sets it beside the
equation. CI fails when a copy is not what the source says.
"""

import ast
import os
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

from ..check import InputError

BLOCK = re.compile(r"^<!-- code (\S+?)::(\S+) -->\n(.*?)^<!-- /code -->$", re.M | re.S)
OPENING = re.compile(r"^<!-- code\b.*$", re.M)


class Excerpt(NamedTuple):
    """A function's lines: their text, dedented, and the number in the file of each of them."""

    text: str
    numbers: tuple[int, ...]


def excerpt(root: Path, file: str, name: str) -> Excerpt:
    """The function (or class, or method ``Class.method``) ``name`` of a file, no docstring.

    Raises
    ------
    InputError
        If there is no such file or no such definition in it.
    """
    path = root / file
    if not path.is_file():
        raise InputError(f"{file}: no such file")
    source = path.read_text("utf-8")
    node = _definition(ast.parse(source), name.split("."))
    if node is None:
        raise InputError(f"{file} defines no {name}")
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    kept = list(range(first, (node.end_lineno or first) + 1))
    if ast.get_docstring(node) is not None:
        text = node.body[0]
        kept = [n for n in kept if not text.lineno <= n <= (text.end_lineno or text.lineno)]
    lines = source.splitlines()
    return Excerpt(textwrap.dedent("\n".join(lines[n - 1] for n in kept)) + "\n", tuple(kept))


Definition = ast.FunctionDef | ast.ClassDef


def _definition(tree: ast.AST, names: list[str]) -> Definition | None:
    found: ast.AST | None = tree
    for name in names:
        inside = [n for n in ast.walk(found) if isinstance(n, Definition)] if found else []
        found = next((n for n in inside if n.name == name), None)
    return found if isinstance(found, Definition) else None


def written(root: Path, page: Path, file: str, name: str) -> str:
    """What stands between the comments of a page that names this function."""
    way = os.path.relpath(root / file, page.parent).replace(os.sep, "/")
    code = excerpt(root, file, name).text
    return f"`{name}` in [{file}]({way})\n\n```python\n{code}```\n"


def refreshed(root: Path, page: Path) -> str:
    """The page's text with every copy as the source is now.

    Raises
    ------
    InputError
        If a block is not closed or names what does not exist; the message begins with the page.
    """
    text = page.read_text("utf-8")
    where = page.relative_to(root).as_posix()

    def renewed(found: re.Match[str]) -> str:
        file, name, _ = found.groups()
        try:
            inside = written(root, page, file, name)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        return f"<!-- code {file}::{name} -->\n{inside}<!-- /code -->"

    if len(OPENING.findall(text)) != len(BLOCK.findall(text)):
        raise InputError(f"{where}: a block <!-- code FILE::NAME --> has no <!-- /code -->")
    return BLOCK.sub(renewed, text)


def pages(root: Path) -> list[Path]:
    """The pages that show code, in order."""
    found = sorted((root / "docs").rglob("*.md"))
    return [page for page in found if OPENING.search(page.read_text("utf-8"))]
