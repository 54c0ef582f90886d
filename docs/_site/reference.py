"""Sphinx extension: the reference, a page for every public module, from its docstrings.

The pages are written below docs/api/ when a build begins and removed when it ends. A tag such as
(3.5) in a docstring links to its equation's page.
"""

import re
from pathlib import Path
from typing import Any

from refmarl.equations import BY_TAG
from refmarl.equations.ledger import snapshot

ROOT = Path(__file__).resolve().parents[2]
PAGES = {row["tag"]: row["docs"] for row in snapshot() if row["docs"]}
HIDDEN = ("refmarl.__main__", "refmarl.cli.", "refmarl.grading.specs", "refmarl.studies.s")
SIGN = re.compile(r"[*|]|(?<=\w)_(?=\W|$)|(?<!:)`")  # what reST would read as its own
ARRAY = re.compile(
    r"(?:numpy\.)?ndarray\[tuple\[(?:Any, \.\.\.|int, \.\.\.)\], (?:numpy\.)?dtype\[[\w.]+\]\]"
)
TAG = re.compile(r"\((\d\.\d+)\)")


def modules() -> dict[str, list[str]]:
    """{package: its public modules}, those of the top level under "refmarl"."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "refmarl").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(p for p in parts if p != "__init__")
        if any(p.startswith("_") for p in parts if p != "__init__") or name.startswith(HIDDEN):
            continue
        if parts[-1] == "__init__" and len(parts) > 2 and not _says(path):
            continue
        inside = parts[:-1]  # a package's own docstring opens the package's page
        package = ".".join(inside[:3])
        found.setdefault(package, []).append(name)
    return found


def _is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def _says(path: Path) -> bool:
    return bool(path.read_text("utf-8").strip())


def write(app: Any) -> None:
    """The pages, one a package."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    index = [
        "# Reference",
        "",
        "Public modules with their docstrings; a number such as (3.5) links to its page.",
        "",
    ]
    index += ["| package | modules |", "|---|---|"]
    for package, names in modules().items():
        short = package.removeprefix("refmarl.")
        own = ", ".join(f"`{n.removeprefix(package + '.')}`" for n in names if n != package)
        index.append(f"| [{package}]({short}.md) | {own} |")
        blocks = [f"# {package}", ""]
        for name in names:
            if name != package:
                blocks += [f"## {name.removeprefix('refmarl.')}", ""]
            members = [] if _is_package(name) else ["   :members:"]
            blocks += ["```{eval-rst}", f".. automodule:: {name}", *members, "```", ""]
        _put(folder / f"{short}.md", "\n".join(blocks))
    _put(folder / "index.md", "\n".join(index) + "\n")


def _put(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def link(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Tags become links to their equations; what is code or a formula is kept from reST."""
    out: list[str] = []
    kept = False  # an example or a formula, set off by four columns
    for line in lines:
        if not line.strip():
            kept = False
        elif not kept and not "".join(out[-1:]).strip() and line.startswith((">>>", "    ")):
            kept = True
            out += ["::", ""] if line.startswith("    ") else []
        out.append(line if kept else _escaped(line))
    lines[:] = out


def skip(app: Any, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what a NamedTuple says of its fields: the class's signature has them."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None


def sign(
    app: Any,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    signature: str | None,
    result: str | None,
) -> tuple[str | None, str | None]:
    """Arrays are called arrays in signatures; their shapes stand in the docstrings."""
    return tuple(text and ARRAY.sub("Array", text) for text in (signature, result))  # type: ignore[return-value]


def _escaped(line: str) -> str:
    parts = re.split(r"(``.*?``|:\w+:`[^`]*`)", line)
    parts[::2] = [TAG.sub(_to_page, SIGN.sub(r"\\\g<0>", part)) for part in parts[::2]]
    return "".join(parts)


def _to_page(found: re.Match[str]) -> str:
    page = PAGES.get(found[1])
    if not page or found[1] not in BY_TAG:
        return found[0]
    return (
        f":doc:`({found[1]}) </{page.partition('#')[0].removeprefix('docs/').removesuffix('.md')}>`"
    )


def setup(app: Any) -> dict[str, bool]:
    """Register."""
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", link)
    app.connect("autodoc-process-signature", sign)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
