"""The report: one file that needs nothing else, whole or absent; the rows for machines."""

import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from numpy.testing import assert_allclose

from refmarl import studies
from refmarl.analysis import plots
from refmarl.check import InputError
from refmarl.cli import main
from refmarl.studies import STUDIES, report
from refmarl.studies.study import (
    Outcome,
    Study,
    at_least,
    at_most,
    close,
    equal,
    jsonable,
    perform,
    raised,
    shown,
)

KEYS = {"section", "name", "expected", "got", "ok", "seconds"}


def _panel(color=plots.BLUE):
    def draw(ax):
        ax.plot([0, 1], [0, 1], color=color, label="line")
        ax.fill_between([0, 1], 0, 1, color=plots.GREEN, alpha=0.2)
        plots.mark(ax, (0.5, 0.5), pure=False)
        plots.triangle(ax, ("a < b", "c & d", "e"))
        plots.arrow(ax, np.array([[0, 0], [0.5, 0.5], [1, 1]]), 0.5, plots.BLUE)

    return plots.Panel("A title", 'alt with < & "quotes"', draw)


def _study(name, run):
    """A study whose ``run`` is a function of this file."""

    class Local(Study):
        def run(self, seed, full=False):
            return run(np.random.default_rng(seed), full)

    return Local(
        name=name, title="<Title> & more", question="Why?", labels=("nash",), module=__name__
    )


def _good(rng, full):
    rows = (equal("draw", int(rng.integers(10**9)), 1), close("one", 1.0, 1.0, 1e-9))
    rows = (rows[0]._replace(ok=True), rows[1])
    return Outcome(rows, (plots.Figure("A caption.", (_panel(), _panel())),), "n = 1")


def _failing(rng, full):
    return Outcome((equal("two", 3, 2), close("nothing", float("nan"), 0.0, 1.0)), (), "")


def _broken(rng, full):
    raise ValueError("out of <range>")


def _interrupted(rng, full):
    raise KeyboardInterrupt


@pytest.fixture
def only(monkeypatch):
    """Let the tour have only the given studies."""

    def choose(**runs):
        chosen = {f"s1.{k}": _study(f"s1.{k}", run) for k, run in runs.items()}
        monkeypatch.setattr(studies, "STUDIES", chosen)

    return choose


def _tour(folder, *more):
    return main(["tour", "--out", str(folder), *more])


def test_the_page_is_one_file_and_well_formed(only, tmp_path):
    only(good=_good, failing=_failing)
    _tour(tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    ElementTree.fromstring(text.partition("\n")[2])
    assert "http" not in text
    assert "<script" not in text
    assert "url(" not in text.replace("url(#", "")
    assert not re.search(r'(src|href)="(?!#)', text)
    assert "prefers-color-scheme:dark" in text
    identifiers = re.findall(r'\bid="([^"]*)"', text)
    assert len(identifiers) == len(set(identifiers))
    for used in re.findall(r"url\(#([^)]*)\)|href=\"#([^\"]*)\"", text):
        assert "".join(used) in identifiers


def test_the_page_says_what_a_reader_needs(only, tmp_path):
    only(good=_good, failing=_failing)
    assert _tour(tmp_path, "--seed", "3") == 1
    text = (tmp_path / "report.html").read_text("utf-8")
    for part in (
        "Why?",
        "A caption.",
        "n = 1",
        "&lt;Title&gt; &amp; more",
        'aria-label="alt with &lt; &amp; &quot;quotes&quot;"',
        "docs/s1_games/nash.md",
        "(1.3)",
        "refmarl run s1.good",
        "--seed 3",
        "✗ no",
        "2 of 4 expectations met",
    ):
        assert part in text, part


def test_the_results_have_their_schema(only, tmp_path, capsys):
    only(good=_good, failing=_failing)
    _tour(tmp_path)
    rows = json.loads((tmp_path / "results.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert len(rows) == 4
    assert all(set(row) >= KEYS for row in rows)
    assert [row["ok"] for row in rows] == [True, True, False, False]
    assert rows[3]["got"] == "nan"
    assert all(row["section"] == 1 and row["seconds"] >= 0 for row in rows)
    assert len({row["name"] for row in rows}) == 4


def test_two_runs_give_the_same_bytes_and_another_seed_others(only, tmp_path):
    only(good=_good)
    pages = []
    for k, seed in enumerate(("0", "0", "1")):
        assert _tour(tmp_path / str(k), "--seed", seed) == 0
        pages.append((tmp_path / str(k) / "report.html").read_bytes())
    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


def test_a_broken_study_is_reported_and_the_others_run(only, tmp_path, capsys):
    only(broken=_broken, good=_good)
    assert _tour(tmp_path) == 1
    printed = capsys.readouterr().out
    assert "FAIL s1.broken" in printed
    assert "ok   s1.good" in printed
    assert "out of &lt;range&gt;" in (tmp_path / "report.html").read_text("utf-8")
    rows = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert [row["ok"] for row in rows] == [False, True, True]


def test_a_panel_that_cannot_be_drawn_fails_its_study():
    def run(rng, full):
        panel = plots.Panel("t", "alt", lambda ax: ax.no_such_thing())
        return Outcome((equal("fine", 1, 1),), (plots.Figure("c", (panel,)),), "")

    performed = perform(_study("s1.x", run), 0)
    assert not performed.ok
    assert "no_such_thing" in performed.outcome.rows[0].got


def test_an_interrupt_leaves_nothing_half_written(only, tmp_path, capsys):
    only(good=_good, interrupted=_interrupted)
    assert _tour(tmp_path) == 130
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == "refmarl: interrupted\n"


def test_an_interrupt_while_writing_keeps_the_old_files(tmp_path, monkeypatch):
    report.write(tmp_path, {"a.txt": "old", "b.txt": "old"})

    def stop(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(report.os, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            report.write(tmp_path, {"a.txt": "new", "b.txt": "new"})
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.txt": "old", "b.txt": "old"}
    report.write(tmp_path, {"a.txt": "new"})
    assert (tmp_path / "a.txt").read_text() == "new"


def test_an_unwritable_folder_is_told_before_any_work(only, tmp_path, capsys):
    def forbidden(rng, full):
        pytest.fail("work was done")

    only(forbidden=forbidden)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert _tour(blocked / "sub") == 2
    assert main(["run", "correlated", "--out", str(blocked)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 2
    assert "cannot write to the folder" in error
    with pytest.raises(InputError):
        report.ready(blocked)


def test_open_sections_and_misspelt_names_are_told(tmp_path, capsys):
    assert _tour(tmp_path / "no", "--section", "5") == 2
    assert "section 5 has no studies yet" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    assert main(["run", "s1.corelated", "--out", str(tmp_path)]) == 2
    assert "did you mean 's1.correlated'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["tour", "--seed", "-1"])


def test_a_panel_uses_the_palette_alone_and_no_address():
    text = plots.svg(_panel(), "name-1")
    assert not re.search(r"#[0-9a-f]{6}\b", text)
    assert set(re.findall(r"var\(--(\w+)\)", text)) <= set(plots.PALETTE)
    assert "http" not in text
    assert "<style" not in text
    assert text == plots.svg(_panel(), "name-1")
    ElementTree.fromstring(text)


def _luminance(color):
    value = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_from_the_page(theme):
    paper = _luminance(plots.PALETTE["paper"][theme])
    for name in ("ink", "muted", "blue", "orange", "green", "purple"):
        color = _luminance(plots.PALETTE[name][theme])
        light, dark = max(color, paper), min(color, paper)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name  # WCAG AA, for text too


def test_pictures_are_the_same_twice():
    for kind in ("png", "svg"):
        picture = plots.picture([_panel()] * 2, kind)
        assert picture == plots.picture([_panel()] * 2, kind)
        assert picture.startswith(b"\x89PNG" if kind == "png" else b"<?xml")


def test_the_triangle_keeps_corners_and_centre():
    assert_allclose(plots.on_triangle(np.eye(3)), plots.CORNERS)
    assert_allclose(plots.on_triangle(np.full(3, 1 / 3)), plots.CORNERS.mean(axis=0))


def test_rows_judge_by_their_claim():
    assert close("x", 1.0, 1.1, 0.11).ok
    assert not close("x", 1.0, 1.1, 0.09).ok
    assert not close("x", float("nan"), 0.0, 1.0).ok
    assert at_most("x", 1.0, 1.0).ok
    assert not at_most("x", 1.1, 1.0).ok
    assert not at_most("x", float("nan"), 1.0).ok
    assert at_least("x", 1.0, 1.0).ok
    assert not at_least("x", 0.9, 1.0).ok
    assert not at_least("x", float("nan"), 1.0).ok
    assert equal("x", (1, 2), (1, 2)).ok
    assert not equal("x", [], [1]).ok


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (-2, "−2"),
        (1.25e-9, "1.25·10⁻⁹"),
        (1e-12, "10⁻¹²"),
        (-3e-12, "−3·10⁻¹²"),
        ("≤ 1e-07", "≤ 10⁻⁷"),
        ("yes", "yes"),
        ([1, (0.5, -1.0)], "(1, (0.5, −1))"),
        ([], "none"),
        (np.array([1.0, 2.5]), "(1, 2.5)"),
        (float("inf"), "inf"),
    ],
)
def test_values_are_shown_for_people(value, text):
    assert shown(value) == text


def test_plain_text_is_left_alone():
    assert raised("s1.games, e05 and 3x2") == "s1.games, e05 and 3x2"
    assert jsonable({"a": 1}) == "{'a': 1}"


def test_every_study_is_named_and_titled_once():
    assert all(name == study.name for name, study in STUDIES.items())
    assert len({study.title for study in STUDIES.values()}) == len(STUDIES)
    assert all(study.labels and study.question.endswith("?") for study in STUDIES.values())
    assert studies.find("correlated") is STUDIES["s1.correlated"]
