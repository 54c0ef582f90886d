"""What a reader follows: links, anchors, the README's two commands, pages in their fixed order."""

import re
import tomllib
from pathlib import Path

import pytest

from refmarl.equations import EQUATIONS
from refmarl.studies import STUDIES

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*(p for p in SOURCES if p.parent.name != "api"), ROOT / "README.md"]  # api is generated
ROWS = [e for e in EQUATIONS.values() if e.closed]
ORDER = (
    "**Question.**",
    "| quick facts | |",
    "**Equation",
    "**Worked by hand.**",
    "**Limits and theorems.**",
    "**Traps.**",
    "**Do.**",
    "**Read.**",
)


def _slugs(text):
    """Anchors of a page: explicit ones, and those that headings give."""
    explicit = re.findall(r'<a id="([^"]+)"></a>', text)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {
        *explicit,
        *(re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_internal_link_leads_somewhere(page):
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in _slugs(path.read_text("utf-8")), f"{page.name} links to {target}"


@pytest.mark.parametrize("row", ROWS, ids=lambda e: e.label)
def test_a_page_keeps_the_fixed_order_and_names_its_exercise(row):
    text = (ROOT / "docs" / row.folder / f"{row.label}.md").read_text("utf-8")
    places = [text.find(part) for part in ORDER]
    assert -1 not in places, ORDER[places.index(-1)]
    assert places == sorted(places)
    assert ">>> " in text
    if row.exercise:
        assert f"exercises/{row.folder}/{row.slug}.py" in text
        assert f"refmarl check {row.label}" in text


@pytest.mark.parametrize("row", [e for e in ROWS if e.exercise], ids=lambda e: e.label)
def test_an_exercise_opens_with_its_four_lines(row):
    text = (ROOT / "exercises" / row.folder / f"{row.slug}.py").read_text("utf-8")
    head = text.split('"""')[1]
    assert head.startswith(f"Exercise {row.tag}: ")
    for word in (f"Eq. ({row.tag})", f"docs/{row.folder}/{row.label}.md", "Time ", "Needs "):
        assert word in head
    assert f"refmarl check {row.label}" in head
    assert ">>> " in text


def test_the_readme_opens_with_the_two_commands():
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert [block.count("\n") for block in blocks[:2]] == [1, 1]
    assert blocks[0].endswith("refmarl tour\n")
    assert "pytest" in blocks[1]


def test_the_version_is_told_once():
    import refmarl

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == refmarl.__version__


def test_what_pages_ask_the_site_for_exists():
    """``<!-- play NAME -->`` and ``<!-- figure STUDY -->``: a typing error would stop the build."""
    source = (ROOT / "docs/_site/playthings.py").read_text("utf-8")
    named = re.search(r"return \{(.*)\}\[name\]\(\)", source)
    assert named
    known = {"play": set(re.findall(r'"([a-z-]+)":', named[1])), "figure": set(STUDIES)}
    asked = [
        (kind, name)
        for page in (ROOT / "docs").rglob("*.md")
        for kind, name in re.findall(r"^<!-- (play|figure) (\S+)", page.read_text("utf-8"), re.M)
    ]
    assert len(asked) > 10
    assert [(kind, name) for kind, name in asked if name not in known[kind]] == []
