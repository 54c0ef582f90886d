"""The ledger: for every equation its tagged lines, property tests, exercise and docs anchor.

:func:`scan` looks through the files that :func:`read` took from a checkout. Its result travels in
the package as ``ledger.json``, written by ``refmarl dev sync``, so that an installed refmarl can
tell the same without tests/ and docs/. A tag counts where a comment stands on the line that
computes, ``# (1.1)``; in docstrings it is a reference only.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from . import BY_TAG, EQUATIONS, Equation

TAG = re.compile(r"\(([1-9]\.\d{1,2})\)")
SNAPSHOT = "refmarl/equations/ledger.json"
ELSEWHERE = ("refmarl/grading/", "refmarl/studies/", "refmarl/testing/")  # tags there refer only


@dataclass(frozen=True)
class Tagged:
    """A comment with a tag: file, enclosing function ("" at module level), line."""

    tag: str
    file: str
    function: str
    line: int


@dataclass
class Found:
    """What a checkout holds for one equation."""

    code: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)
    exercise: str = ""
    solution: str = ""
    spec: str = ""
    docs: str = ""


@lru_cache(maxsize=16)
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


@lru_cache(maxsize=2048)  # more than there are files
def tagged_comments(file: str, source: str) -> tuple[Tagged, ...]:
    """Every tag in a comment of one file, with the innermost function around it."""
    if not TAG.search(source):
        return ()
    spans = sorted(
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.FunctionDef)
    )
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        around = [name for first, last, name in spans if first <= line <= last]
        function = around[-1] if around else ""
        found += [Tagged(tag, file, function, line) for tag in TAG.findall(token.string)]
    return tuple(found)


@lru_cache(maxsize=2048)
def docstring_tags(source: str) -> frozenset[str]:
    """Tags named in the docstrings of one file."""
    if not TAG.search(source):
        return frozenset()
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(_tree(source)) if isinstance(node, kinds)]
    return frozenset(t for node in nodes for t in TAG.findall(ast.get_docstring(node) or ""))


@lru_cache(maxsize=2048)
def marked_tests(file: str, source: str) -> tuple[tuple[str, str, bool], ...]:
    """(tag, test id, is a hypothesis property) of every ``pytest.mark.equation`` in one file."""
    found = []
    for node in _tree(source).body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        calls = [d for d in node.decorator_list if isinstance(d, ast.Call)]
        is_property = any(ast.unparse(d.func).split(".")[-1] == "given" for d in calls)
        for call in calls:
            if ast.unparse(call.func) == "pytest.mark.equation":
                tags = [str(ast.literal_eval(argument)) for argument in call.args]
                found += [(tag, f"{file}::{node.name}", is_property) for tag in tags]
    return tuple(found)


def anchors(text: str) -> dict[str, str]:
    """{label: tag} of the anchored display equations of one docs page."""
    pattern = r'<a id="([a-z0-9-]+)"></a>\s*\$\$(.*?)\$\$'
    pairs = re.findall(pattern, text, flags=re.DOTALL)
    tags = {label: re.findall(r"\\tag\{([\d.]+)\}", body) for label, body in pairs}
    return {label: found[0] for label, found in tags.items() if len(found) == 1}


def read(root: Path) -> dict[str, str]:
    """The text of every file of the checkout at ``root`` that the ledger knows, by its path."""
    folders = ("refmarl", "exercises", "solutions", "tests")
    paths = [p for folder in folders for p in sorted((root / folder).rglob("*.py"))]
    paths += [root / "docs" / e.folder / f"{e.label}.md" for e in EQUATIONS.values()]
    paths.append(root / SNAPSHOT)
    return {p.relative_to(root).as_posix(): p.read_text("utf-8") for p in paths if p.is_file()}


def _python(files: Mapping[str, str], *folders: str) -> Iterator[tuple[str, str]]:
    """(path, source) of every Python file below these folders, in order."""
    starts = tuple(f"{folder}/" for folder in folders)
    return ((p, s) for p, s in files.items() if p.startswith(starts) and p.endswith(".py"))


def scan(files: Mapping[str, str]) -> dict[str, Found]:
    """What these files hold, by label. Raises KeyError for a tag not in the list."""
    found = {label: Found() for label in EQUATIONS}
    for file, source in _python(files, "refmarl"):
        if not file.startswith(ELSEWHERE):
            for t in tagged_comments(file, source):
                found[_row(t.tag, file).label].code.append(f"{t.file}::{t.function}")
    for file, source in _python(files, "tests"):
        for tag, test, is_property in marked_tests(file, source):
            row = found[_row(tag, file).label]
            row.tests.append(test)
            row.properties += [test] * is_property
    for equation in EQUATIONS.values():
        _files(files, equation, found[equation.label])
    return found


def _files(files: Mapping[str, str], equation: Equation, row: Found) -> None:
    """Fill in the row's exercise, solution, spec and docs anchor, where they exist."""
    folder, slug = equation.folder, equation.slug
    for kind, path in (
        ("exercise", f"exercises/{folder}/{slug}.py"),
        ("solution", f"solutions/{folder}/{slug}.py"),
        ("spec", f"refmarl/grading/specs/{folder}/{slug}.py"),
    ):
        if path in files:
            setattr(row, kind, path)
    page = f"docs/{folder}/{equation.label}.md"
    if anchors(files.get(page, "")).get(equation.label) == equation.tag:
        row.docs = f"{page}#{equation.label}"


def _row(tag: str, file: str) -> Equation:
    if tag not in BY_TAG:
        raise KeyError(f"{file}: no equation ({tag}) in the list")
    return BY_TAG[tag]


def missing(files: Mapping[str, str], equation: Equation, row: Found) -> list[str]:
    """What a row still needs before it may be called closed."""
    wanted = {
        "a line tagged in refmarl/": bool(row.code),
        "a property test (hypothesis) marked with its tag": bool(row.properties),
        "a docs anchor with its display equation": bool(row.docs),
    }
    if equation.exercise:
        wanted |= {
            "an exercise": bool(row.exercise),
            "a solution with its tagged line": _tags_line(files, row.solution, equation.tag),
            "a spec": bool(row.spec),
        }
    return [what for what, there in wanted.items() if not there]


def _tags_line(files: Mapping[str, str], file: str, tag: str) -> bool:
    return any(t.tag == tag for t in tagged_comments(file, files.get(file, "")))


def unknown_tags(files: Mapping[str, str]) -> list[str]:
    """Every place that names an equation which the list does not have."""
    places = []
    for file, source in _python(files, "refmarl", "exercises", "solutions", "tests"):
        named = {t.tag for t in tagged_comments(file, source)} | docstring_tags(source)
        places += [f"{file}: ({tag})" for tag in sorted(named - BY_TAG.keys())]
    return places


def problems(files: Mapping[str, str]) -> list[str]:
    """All that is wrong with the ledger of these files, a line each; empty when it holds."""
    unknown = unknown_tags(files)
    if unknown:
        return [f"no such equation: {place}" for place in unknown]
    found = scan(files)
    lines = [
        f"({e.tag}) {e.label} is called closed but lacks {what}"
        for e in EQUATIONS.values()
        if e.closed
        for what in missing(files, e, found[e.label])
    ]
    for label, row in found.items():
        twice = {place for place in row.code if row.code.count(place) > 1}
        lines += [f"({EQUATIONS[label].tag}) tags two lines of {place}" for place in sorted(twice)]
    return lines + _drift(files, rows(found))


def _drift(files: Mapping[str, str], now: list[dict[str, Any]]) -> list[str]:
    """Where the committed snapshot differs from the checkout: something came or went."""
    kept = {row["label"]: row for row in json.loads(files.get(SNAPSHOT, "[]"))}
    lines = []
    for row in now:
        old = kept.get(row["label"], {})
        lines += [
            f"({row['tag']}) {key}: the snapshot says {old.get(key)}, the checkout {row[key]}"
            for key in row
            if old.get(key) != row[key]
        ]
    return lines


def rows(found: dict[str, Found]) -> list[dict[str, Any]]:
    """The ledger as plain data, a row per equation in the order of the course."""
    return [
        {
            "tag": e.tag,
            "label": e.label,
            "section": e.section,
            "title": e.title,
            "docs": found[e.label].docs,
            "code": found[e.label].code,
            "tests": found[e.label].tests,
            "exercise": found[e.label].exercise,
            "closed": e.closed,
        }
        for e in EQUATIONS.values()
    ]


def text(table: list[dict[str, Any]]) -> str:
    """The snapshot's file for these rows."""
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def snapshot() -> list[dict[str, Any]]:
    """The ledger that travels in the package."""
    stored = (resources.files("refmarl.equations") / "ledger.json").read_text("utf-8")
    table: list[dict[str, Any]] = json.loads(stored)
    return table
