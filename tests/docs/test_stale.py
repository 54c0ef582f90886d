"""What stops a build of the site, said in one line before anything is made."""

import importlib
from pathlib import Path

import pytest

from refmarl.equations import beside

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def pages(monkeypatch):
    """The extension that makes the site's pages."""
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(ROOT / "docs/_site"))
    return importlib.import_module("pages")


def test_a_stale_copy_or_a_missing_tag_stops_the_build(pages, monkeypatch):
    page = ROOT / "docs/s3_policy_gradient/gae.md"
    text = page.read_text("utf-8")
    assert pages._fault(page, text) == ""
    line = next(line for line in text.splitlines() if line.endswith("# (3.5)"))
    assert "stale" in pages._fault(page, text.replace(line, line.replace("tail", "tale")))
    bare = text.replace(line, line.removesuffix("  # (3.5)"))
    monkeypatch.setattr(pages.beside, "refreshed", lambda root, page: bare)
    assert pages._fault(page, bare).endswith("gae.md: no line of the code on it is tagged (3.5)")
    with pytest.raises(SystemExit, match="stale"):
        pages.current(None)


def test_no_paragraph_comes_twice_when_code_is_set_beside_an_equation(pages):
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text("utf-8")
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        drawn = pages._columns(name, text)
        prose = beside.BLOCK.sub("", text).splitlines()
        twice = [x for x in prose if len(x) > 60 and drawn.count(x) > text.count(x)]
        assert not twice, f"{name}: {twice[0]}"
