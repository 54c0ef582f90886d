"""What a student gets back: the same report as Markdown and as a page of HTML."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .summary import plain

Row = Mapping[str, Any]  # of "exercises" in a results file

SAYS = {
    "pass": "all laws hold",
    "fail": "a law is broken",
    "error": "could not be run",
    "timeout": "took too long; is there an endless loop?",
    "crash": "ended the interpreter",
    "bad-return": "returned something that no answer can be",
    "blocked": "builds on an exercise that is not started",
    "not-started": "not started",
    "harness-error": "could not be graded; that is not your fault, and your instructor knows",
}
PRINTED = 8  # lines shown of what the student's code printed
STYLE = """:root { color-scheme: light dark }
:root { --line: #ccc; --code: #f4f4f4; --no: #a00; --yes: #070 }
@media (prefers-color-scheme: dark) {
  :root { --line: #444; --code: #242424; --no: #ff8a80; --yes: #7bd88f }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }
h1, p, li, td { overflow-wrap: break-word } h1 { line-height: 1.2 }
@media (max-width: 40em) { td:nth-child(2), th:nth-child(2) { display: none } }
h2 { margin-top: 2em; border-top: 1px solid var(--line); padding-top: .6em }
table { border-collapse: collapse; width: 100% }
td, th { padding: .2em .8em .2em 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { text-align: left } ul { padding-left: 1.2em }
pre { background: var(--code); padding: .8em; overflow-x: auto; border-radius: 4px }
.no { color: var(--no) } .yes { color: var(--yes) }
.no, .yes { list-style: none; margin-left: -1.2em }"""


class Block(NamedTuple):
    """A piece of a report: its kind and what is in it."""

    kind: str
    content: Any


def blocks(results: Mapping[str, Any], titles: Mapping[str, str], cases: bool) -> Iterator[Block]:
    """The report on a ``results`` file, piece by piece.

    ``titles`` are those of the exercises by label. Without ``cases`` the counterexamples and what
    the student's code said are left out: they would give a hidden seed away.
    """
    graded = results["graded"]
    who = results["submission"]["id"]
    yield Block("title", f"{who}: {graded['score']:g} of {graded['max_score']} points")
    rows = [[r["id"], titles[r["id"]], _score(r), SAYS[r["status"]]] for r in graded["exercises"]]
    yield Block("table", [["exercise", "what it is", "score", "how it did"], *rows])
    for row in graded["exercises"]:
        if row["status"] not in ("pass", "not-started"):
            yield Block("head", f"{row['id']}: {titles[row['id']]}")
            yield from exercise(row, cases)
    said = [*results["submission"]["notes"]]
    ignored = results["submission"]["ignored"]
    said += [f"Not part of any exercise and ignored: {', '.join(ignored)}."] if ignored else []
    if said:
        yield Block("head", "What came with it")
        yield Block("list", [(None, text) for text in said])


def _score(row: Row) -> str:
    late = row["status"] != "not-started" and "late_counts" in row
    return f"{row['score']:g} of {row['max_score']} points" + (
        f", for {row['late_counts']:.0%} counts of late work" if late else ""
    )


def exercise(row: Row, cases: bool) -> Iterator[Block]:
    """One exercise: the first broken law in full, the others in a line each."""
    yield Block("text", f"{_score(row)}: {SAYS[row['status']]}.")
    laws: Sequence[Row] = row["properties"]
    if laws:
        yield Block("list", [(bool(law["passed"]), law["says"]) for law in laws])
    broken = [law for law in laws if not law["passed"]]
    if broken and row["status"] != "harness-error":
        yield Block("text", f"The first that is broken: {broken[0]['says']}.")
        if cases and broken[0]["counterexample"]:
            yield Block("code", str(broken[0]["counterexample"]))
        if broken[0]["hint"]:
            yield Block("text", f"Hint: {broken[0]['hint']}")
    if row["mistake"]:
        yield Block("text", f"It looks like this mistake: {row['mistake']}.")
    if row["message"] and row["status"] != "harness-error" and (cases or not laws):
        yield Block("code", row["message"])  # without laws nothing had been asked of the file yet
    if row["printed"] and cases:
        yield Block("text", "Your code printed:")
        yield Block("code", _first_lines(row["printed"]))


def _first_lines(text: str) -> str:
    """What was printed, which may have been printed once for each case."""
    lines = text.splitlines()
    more = [f"… {len(lines) - PRINTED} lines more"] if len(lines) > PRINTED else []
    return "\n".join(lines[:PRINTED] + more)


def markdown(pieces: Iterable[Block]) -> str:
    """The report as Markdown; a student's text stands in code blocks that it cannot close."""
    return "\n\n".join(_MARKDOWN[kind](content) for kind, content in pieces) + "\n"


def page(pieces: Iterable[Block], title: str) -> str:
    """The report as HTML that needs nothing else: no script, no picture, no address."""
    body = "\n".join(_HTML[kind](content) for kind, content in pieces)
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>"
    )
    start = f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n'
    return f"{start}<body>\n{body}\n</body>\n</html>\n"


def plain_text(pieces: Iterable[Block]) -> str:
    """The report as plain text, for a terminal or a box that shows text."""
    return "\n".join(_TEXT[kind](content) for kind, content in pieces)


def _text_table(rows: list[list[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ("  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _text_list(items: list[tuple[bool | None, str]]) -> str:
    sign = {True: "✓", False: "✗", None: "-"}
    return "\n".join(f"  {sign[good]} {text}" for good, text in items)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _md_table(rows: list[list[str]]) -> str:
    head, *rest = [f"| {' | '.join(map(plain, row))} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *rest])


def _md_list(items: list[tuple[bool | None, str]]) -> str:
    sign = {True: "✓ ", False: "✗ ", None: ""}
    return "\n".join(f"- {sign[good]}{plain(text)}" for good, text in items)


def _html_table(rows: list[list[str]]) -> str:
    head, *rest = rows
    cells = ["".join(f"<td>{html.escape(x)}</td>" for x in row) for row in rest]
    top = "".join(f"<th>{html.escape(x)}</th>" for x in head)
    return "\n".join(
        ["<table>", f"<tr>{top}</tr>", *(f"<tr>{row}</tr>" for row in cells), "</table>"]
    )


def _html_list(items: list[tuple[bool | None, str]]) -> str:
    kind = {True: ' class="yes"', False: ' class="no"', None: ""}
    sign = {True: "✓ ", False: "✗ ", None: ""}
    rows = (f"<li{kind[good]}>{sign[good]}{html.escape(text)}</li>" for good, text in items)
    return "<ul>\n" + "\n".join(rows) + "\n</ul>"


_TEXT: dict[str, Callable[[Any], str]] = {
    "title": str,
    "head": lambda text: f"\n{text}",
    "text": str,
    "code": _indented,
    "table": _text_table,
    "list": _text_list,
}
_MARKDOWN: dict[str, Callable[[Any], str]] = {
    "title": lambda text: f"# {plain(text)}",
    "head": lambda text: f"## {plain(text)}",
    "text": plain,
    "code": _fenced,
    "table": _md_table,
    "list": _md_list,
}
_HTML: dict[str, Callable[[Any], str]] = {
    "title": lambda text: f"<h1>{html.escape(text)}</h1>",
    "head": lambda text: f"<h2>{html.escape(text)}</h2>",
    "text": lambda text: f"<p>{html.escape(text)}</p>",
    "code": lambda text: f"<pre>{html.escape(text)}</pre>",
    "table": _html_table,
    "list": _html_list,
}
