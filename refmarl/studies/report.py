"""What the tour writes: one self-contained page, and the same rows for machines.

The page has no script, no address, no date and no timing: equal results give equal bytes.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from .. import __version__
from ..check import InputError
from ..equations import EQUATIONS
from .study import Performed, Row, jsonable, raised, shown

TITLES = (
    "Foundations and game theory",
    "Cooperative learning",
    "Policy gradients",
    "Distributed learning",
    "Communication and coordination",
    "Meta-learning",
    "Applications",
)


def results(performed: Sequence[Performed]) -> list[dict[str, Any]]:
    """One entry for each row: section, study, name, expected, got, tolerance, ok, seconds.

    ``seconds`` is the time of the whole study, shared evenly among its rows.
    """
    return [
        {
            "section": p.study.section,
            "study": p.study.name,
            "name": f"{p.study.name}: {row.name}",
            "expected": jsonable(row.expected),
            "got": jsonable(row.got),
            "tolerance": row.tolerance,
            "ok": row.ok,
            "seconds": round(p.seconds / len(p.outcome.rows), 4),
        }
        for p in performed
        for row in p.outcome.rows
    ]


def page(performed: Sequence[Performed], seed: int, full: bool = False) -> str:
    """The report as one HTML page that is also well-formed XML."""
    from ..analysis.plots import css

    rows = [row for p in performed for row in p.outcome.rows]
    good = sum(row.ok for row in rows)
    style = css() + files(__package__).joinpath("report.css").read_text("utf-8")
    verdict = "everything came out as expected" if good == len(rows) else "something did not"
    command = f"refmarl tour{' --full' if full else ''} --seed {seed}"
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>refmarl tour</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>",
        "<header><h1>refmarl tour</h1>\n<p>Each study asks a question of the course, and puts "
        "what theory or a publication expects beside what our code found.</p>\n"
        f'<p class="verdict {_state(good == len(rows))}">{good} of {len(rows)} expectations met: '
        f"{verdict}.</p>\n"
        f'<p class="small">refmarl {__version__}, <code>{command}</code></p>',
        _contents(performed),
        "</header>",
    ]
    for section in sorted({p.study.section for p in performed}):
        parts.append(f"<h2>{section} {TITLES[section - 1]}</h2>")
        parts += [_study(p) for p in performed if p.study.section == section]
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def _state(ok: bool) -> str:
    return "ok" if ok else "bad"


def _contents(performed: Sequence[Performed]) -> str:
    """Links to the studies, each with how many of its expectations were met."""
    items = [
        f'<li><a href="#{p.study.name}">{escape(p.study.title)}</a> '
        f'<span class="{_state(p.ok)}">{sum(r.ok for r in p.outcome.rows)}/{len(p.outcome.rows)}'
        "</span></li>"
        for p in performed
    ]
    return f"<nav><ul>\n{''.join(items)}\n</ul></nav>"


def _study(p: Performed) -> str:
    """One study: question, figures, table, and where to read on."""
    study, outcome = p.study, p.outcome
    read = "; ".join(
        f"({row.tag}) {escape(row.title)} <code>docs/{row.folder}/{row.label}.md</code>"
        for row in (EQUATIONS[label] for label in study.labels)
    )
    figures = "\n".join(
        '<figure>\n<div class="panels">\n'
        + "\n".join(drawings)
        + f"\n</div>\n<figcaption>{escape(figure.caption)}</figcaption>\n</figure>"
        for figure, drawings in zip(outcome.figures, p.drawings, strict=True)
    )
    sample = f"<p>{escape(outcome.sample)}</p>\n" if outcome.sample else ""
    return (
        f'<section id="{study.name}">\n<h3>{escape(study.title)}</h3>\n'
        f'<p class="question">{escape(study.question)}</p>\n{figures}\n{_table(outcome.rows)}\n'
        f"{sample}"
        f'<p class="small">Read: {read}. Alone: <code>refmarl run {study.name}</code></p>\n'
        "</section>"
    )


def _table(rows: Sequence[Row]) -> str:
    """Expected beside got."""
    body = "\n".join(
        f'<tr class="{_state(row.ok)}"><th scope="row">{escape(row.name)}</th>'
        f'<td data-name="expected">{escape(shown(row.expected))}</td>'
        f'<td data-name="got">{escape(shown(row.got))}</td>'
        f'<td data-name="tolerance">{escape(raised(row.tolerance))}</td>'
        f'<td class="mark" data-name="met">{"✓ yes" if row.ok else "✗ no"}</td></tr>'
        for row in rows
    )
    head = "".join(
        f'<th scope="col">{x}</th>' for x in ("what", "expected", "got", "tolerance", "met")
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


# --------------------------------------------------------------------------------------- files


def as_text(value: Any) -> str:
    """``value`` as the text of a JSON file; NaN and infinity are refused."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def ready(folder: Path) -> None:
    """Make the folder, and make sure that it can be written to, before any work is done.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(f"cannot write to the folder {folder}: {error.strerror}") from None


def write(folder: Path, contents: Mapping[str, str | bytes]) -> None:
    """Write files by name into the folder: each appears whole or not at all.

    All are written beside their places first; only when the last is complete are they renamed.
    """
    waiting: dict[str, Path] = {}
    try:
        for name, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            waiting[name] = folder / f".{name}.{os.getpid()}.part"
            waiting[name].write_bytes(data)
        for name, part in waiting.items():
            os.replace(part, folder / name)
    finally:
        for part in waiting.values():
            part.unlink(missing_ok=True)
