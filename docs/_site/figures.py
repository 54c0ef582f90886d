"""Sphinx extension: figures that the library makes while the site is built.

In a page's Markdown, where a code host shows nothing::

    <!-- figure s1.best-responses -->     the first figure of a study, its caption, its command
    <!-- play gae -->                     something to move, a still picture without JavaScript
"""

import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import playthings

from refmarl.analysis.plots import PALETTE
from refmarl.studies import STUDIES
from refmarl.studies.study import Performed, perform

FIGURE = re.compile(r"^<!-- figure ([\w.-]+)(?: (\d+))? -->$", re.M)
PLAY = re.compile(r"^<!-- play ([\w-]+) -->$", re.M)


@lru_cache
def _performed(name: str) -> Performed:
    if name not in STUDIES:
        raise KeyError(f"no study {name!r}; there are {', '.join(STUDIES)}")
    done = perform(STUDIES[name], seed=0)
    if not done.drawings:
        raise RuntimeError(f"the study {name} drew nothing: {done.outcome.rows}")
    return done


def expand(text: str) -> str:
    """The page's text with its figures."""
    text = FIGURE.sub(lambda m: _raw(_figure(m[1], int(m[2] or 0))), text)
    return PLAY.sub(lambda m: _raw(playthings.html(m[1])), text)


def _raw(html: str) -> str:
    return f"```{{raw}} html\n{html}\n```\n"


def _figure(name: str, number: int) -> str:
    done = _performed(name)
    figure, drawings = done.outcome.figures[number], done.drawings[number]
    again = f'<span class="again">Made by <code>refmarl run {name}</code>.</span>'
    return (
        f'<figure class="study"><div class="panels">{"".join(drawings)}</div>'
        f"<figcaption>{escape(figure.caption)} {again}</figcaption></figure>"
    )


def colours(app: Any, problem: Exception | None) -> None:
    """The palette of the figures for both themes."""
    if problem:
        return
    light, dark = ("".join(f"--{k}:{pair[i]};" for k, pair in PALETTE.items()) for i in (0, 1))
    text = (
        f"body{{{light}}}\n"
        f"@media (prefers-color-scheme:dark){{body:not([data-theme=light]){{{dark}}}}}\n"
        f"body[data-theme=dark]{{{dark}}}\n"
    )
    (Path(app.outdir) / "_static" / "palette.css").write_text(text, "utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Register."""
    app.add_css_file("palette.css")
    app.connect("build-finished", colours)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
