"""Files of one sitting, functions of one thought."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "refmarl"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def _body_lines(node):
    body = node.body
    has_doc = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    first = body[1] if has_doc and len(body) > 1 else body[0]
    return node.end_lineno - first.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_function_has_at_most_45_lines_and_a_file_450(path):
    text = path.read_text("utf-8")
    long = [
        f"{node.name}: {_body_lines(node)} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and _body_lines(node) > 45
    ]
    assert long == []
    assert text.count("\n") <= 450
