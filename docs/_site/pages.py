"""Sphinx extension: plain Markdown of docs/ becomes the pages of the site.

What a code host shows as it stands is rearranged here, page by page, before it is parsed: the
part from ``**Equation`` to the copies of functions becomes two columns; links into the
repository lead to the site's copy of that file; an index gets its table of contents.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

import figures

from refmarl.equations import EQUATIONS, SECTIONS, beside
from refmarl.equations.ledger import TAG, snapshot

ROOT = Path(__file__).resolve().parents[2]
ROWS = {row["label"]: row for row in snapshot()}
COPIES = re.compile(r"(?:^<!-- code .*?^<!-- /code -->\n\n?)+", re.M | re.S)
GATHERED = re.compile(r"\$\$(\\begin\{gathered\}.*?)\$\$", re.S)
ANCHOR = re.compile(r'^<a id="([a-z0-9-]+)"></a>$', re.M)
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
TOP = {
    "Learn": [*(f"s{k}_{name}/index" for k, name in enumerate(SECTIONS, 1)), "museum/index"],
    "Use": [
        "derivatives",
        "property-tests",
        "networks",
        "environments/index",
        "training",
        "game-files",
        "exercises/index",
    ],
    "Teach": ["grading/index"],
    "Look up": ["equations", "glossary", "names", "errata", "api/index", "bench"],
    "Take part": ["architecture", "style", "contributing", "changelog", "license"],
}


def read(app: Any, docname: str, source: list[str]) -> None:
    """Rearrange one page."""
    text = source[0]
    text = _columns(docname, text)
    text = _doctests(text)
    text = GATHERED.sub(r"\\begin{equation*}\n\1\n\\end{equation*}", text)  # else Sphinx splits it
    text = ANCHOR.sub(r"(\1)=", text)
    text = _links(docname, text)
    text = figures.expand(text)
    source[0] = text + _contents(app, docname)


# --------------------------------------------------------------------------- side by side


def _columns(docname: str, text: str) -> str:
    found = COPIES.search(text)
    equation = text.find("$$", 0, found.start()) if found else -1
    start = text.rfind("\n**", 0, equation) if equation >= 0 else -1  # the part of the equation
    if found is None or start < 0:
        return text
    left, codes = text[start : found.start()].strip("\n"), found.group()
    label = posixpath.basename(docname)
    right = [_code(docname, m[1], m[2]) for m in beside.BLOCK.finditer(codes)]
    grid = [
        "::::::{grid} 1 1 2 2", ":class-container: beside", ":gutter: 3", "",
        ":::::{grid-item}", ":class: beside-text", "", left, ":::::", "",
        ":::::{grid-item}", ":class: beside-code", "", *right, _panel(docname, label), ":::::",
        "::::::", "",
    ]  # fmt: skip
    head = text[: start + 1]
    if not head.startswith("---"):
        head = "---\nhide-toc: true\n---\n" + head
    return head + "\n".join(grid) + text[found.end() :]


def current(_: Any) -> None:
    """Refuse copies that are not the sources' and pages whose code lacks their tag."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    wrong = [fault for page in pages if (fault := _fault(page, page.read_text("utf-8")))]
    if wrong:
        raise SystemExit("\n".join(wrong))


def _fault(page: Path, text: str) -> str:
    """What is wrong with the copies of code on a page, or nothing."""
    found, name = COPIES.search(text), page.relative_to(ROOT).as_posix()
    if found is None:
        return ""
    if beside.refreshed(ROOT, page) != text:
        return f"{name}: a copy of code is stale; run: refmarl dev sync"
    if page.stem not in EQUATIONS:
        return ""
    tag, lines = EQUATIONS[page.stem].tag, found.group().splitlines()
    if tag in {t for line in lines for t in TAG.findall(line.partition("#")[2])}:
        return ""
    return f"{name}: no line of the code on it is tagged ({tag})"


def _code(docname: str, file: str, name: str) -> str:
    """The function as a listing whose tagged lines stand out and whose title leads to its file."""
    found = beside.excerpt(ROOT, file, name)
    lines = found.text.splitlines()
    tagged = [str(k) for k, line in enumerate(lines, 1) if TAG.search(line.partition("#")[2])]
    link = source_link(docname, file, found.numbers[0])
    title = f'<p class="listing"><a href="{link}"><code>{name}</code> in {file}</a></p>'
    marks = [f":emphasize-lines: {','.join(tagged)}"] if tagged else []
    return "\n".join([title, "", "````{code-block} python", *marks, "", found.text, "````", ""])


def _panel(docname: str, label: str) -> str:
    """Laws, tests, exercise, errata and paper of the page's equation, folded away."""
    row, equation = ROWS.get(label), EQUATIONS.get(label)
    if row is None or equation is None:
        return ""
    tests = [_to_test(docname, test) for test in row["tests"]]
    parts = [(f"Laws and {len(tests)} tests", [*equation.laws, *tests])]
    out = []
    for title, items in parts:
        out += [f"````{{dropdown}} {title}", *(f"- {item}" for item in items), "````", ""]
    links = [_anchor(docname, place.partition("::")[0], f"{place.partition('::')[2]}")
             for place in row["code"]]  # fmt: skip
    line = ["Lines tagged " + f"({equation.tag}): " + ", ".join(dict.fromkeys(links))]
    if row["exercise"]:
        line.append("exercise " + _anchor(docname, row["exercise"], label))
    if equation.errata:
        line.append(f"errata {equation.errata}")
    out += ['<p class="elsewhere">' + " · ".join(line) + "</p>", ""]
    return "\n".join(out)


def _to_test(docname: str, test: str) -> str:
    file, _, name = test.partition("::")
    said = name.removeprefix("test_").replace("_", " ")
    return _anchor(docname, file, said, _line_of(file, name))


def _line_of(file: str, name: str) -> int:
    for number, line in enumerate((ROOT / file).read_text("utf-8").splitlines(), 1):
        if line.startswith(f"def {name}("):
            return number
    return 1


def _anchor(docname: str, file: str, text: str, line: int = 0) -> str:
    return f'<a href="{source_link(docname, file, line)}"><code>{text}</code></a>'


def source_link(docname: str, file: str, line: int = 0) -> str:
    """Address, relative to a page, of the site's copy of a file of the repository."""
    place = f"source/{file}.html" + (f"#L{line}" if line else "")
    return posixpath.relpath(place, posixpath.dirname(docname) or ".")


# ------------------------------------------------------------------- what Markdown leaves open


def _doctests(text: str) -> str:
    """Fence the examples that stand bare."""
    out: list[str] = []
    open_fence = bare = False
    for line in text.splitlines():
        if line.lstrip().startswith(("```", "~~~", "````")) and not bare:
            open_fence = not open_fence
        if not open_fence and not bare and line.lstrip().startswith(">>> "):
            indent = line[: len(line) - len(line.lstrip())]
            out.append(f"{indent}```pycon")
            bare = True
        elif bare and not line.strip():
            out.append(f"{indent}```")
            bare = False
        out.append(line)
    return "\n".join(out + ([f"{indent}```"] if bare else [])) + "\n"


def _links(docname: str, text: str) -> str:
    """Links to files outside docs/ lead to the site's copies of them."""
    folder = posixpath.dirname(docname)

    def led(found: re.Match[str]) -> str:
        words, target = found.groups()
        file = target.partition("#")[0]
        if re.match(r"[a-z]+:", target) or not file:
            return found.group()
        place = posixpath.normpath(posixpath.join("docs", folder, file))
        if place.startswith("docs/") and not place.endswith(".py"):
            return found.group()
        if not (ROOT / place).is_file():
            return words
        return f'<a href="{source_link(docname, place)}">{_html(words)}</a>'

    return LINK.sub(led, text)


def _html(words: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", words)


# ----------------------------------------------------------------------------- the contents


def _contents(app: Any, docname: str) -> str:
    """A hidden table of contents under every index; pages of a section in the course's order."""
    known = app.env.found_docs
    if docname == "index":
        groups = {title: [d for d in names if d in known] for title, names in TOP.items()}
        listed = {d for names in groups.values() for d in names}
        rest = sorted(d for d in known if "/" not in d and d not in listed | {"index"})
        groups["Take part"] += rest
        return "".join(_toctree(names, title) for title, names in groups.items())
    if posixpath.basename(docname) != "index":
        return ""
    folder = posixpath.dirname(docname) + "/"
    inside = [d for d in known if d.startswith(folder) and d != docname]
    order = {label: k for k, label in enumerate(EQUATIONS)}
    inside.sort(key=lambda d: (order.get(posixpath.basename(d), len(order)), d))
    return _toctree([d.removeprefix(folder) for d in inside], "")


def _toctree(names: list[str], caption: str) -> str:
    if not names:
        return ""
    head = [f":caption: {caption}"] if caption else []
    return "\n".join(["", "", "```{toctree}", ":hidden:", *head, "", *names, "```", ""])


def setup(app: Any) -> dict[str, bool]:
    """Register."""
    app.connect("builder-inited", current)
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
