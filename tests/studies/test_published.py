"""Published numbers: how a row is judged, what is printed, and the numbers themselves."""

import json
from fractions import Fraction
from importlib import import_module

import pytest

from refmarl.cli import main
from refmarl.games import library
from refmarl.studies import published
from refmarl.studies.published import PUBLISHED, Found, choose, exact, reproduce
from refmarl.studies.s1_games.published import FOUND, matched

KEYS = {"name", "section", "source", "published", "got", "interval", "ok", "seconds"}
ENTRY = PUBLISHED["S1.05"]
# in full; their seeds are tested apart
LONG = (
    "S2.03", "S2.08", "S2.09", "S2.10", "S2.11", "S3.09", "S3.10", "S3.11", "S3.12", "S3.13",
    "S3.14",
)  # fmt: skip
FAST = [name for name in PUBLISHED if name not in ("S1.06", "S1.09", *LONG)]


def _judge(found):
    return published._row(ENTRY, found)


@pytest.mark.parametrize(
    ("expected", "got", "tolerance", "ok"),
    [
        (1.0, 1.05, 0.1, True),
        (1.0, 1.15, 0.1, False),
        ("1/3", 1 / 3, 1e-12, True),
        ([1, [2, 3]], [1.0, [2.0, 3.0]], 0.0, True),
        ([1, 2], [1, 2, 3], 0.1, False),
        ([1, 2], [1], 0.1, False),
        ([1, 2], 1.0, 0.1, False),
        (1.0, [1.0], 0.1, False),
        (1.0, float("nan"), 0.1, False),
        (False, False, 0.0, True),
        (False, 0, 0.0, False),
        (0, False, 0.0, False),
        (False, True, 0.0, False),
    ],
)
def test_a_number_must_lie_in_its_interval(expected, got, tolerance, ok):
    row = _judge(Found("case", expected, got, tolerance))
    assert row["ok"] is ok
    json.dumps(row, allow_nan=False)


def test_fractions_become_numbers_at_any_depth():
    assert exact([["1/4", 0], ["-3/2", True, "text"]]) == [[0.25, 0], [-1.5, True, "text"]]


def test_equilibria_are_matched_whatever_their_order():
    profiles = tuple(library.entry("chicken").profiles)
    wanted = [[[str(p) for p in x] for x in e] for e in library.entry("chicken").equilibria]
    assert matched(wanted[::-1], profiles) == exact(wanted[::-1])
    assert len(matched(wanted[:2], profiles)) == 3  # one too many is not hidden
    assert len(matched(wanted, profiles[:2])) == 2


def test_an_error_is_a_row_that_is_not_ok(monkeypatch):
    def broken(data, full):
        raise ZeroDivisionError("no")
        yield

    monkeypatch.setitem(FOUND, "S1.05", broken)
    (row,) = reproduce(ENTRY)
    assert not row["ok"]
    assert "ZeroDivisionError" in row["got"]
    assert main(["reproduce", "S1.05"]) == 1


def test_a_changed_number_is_not_reproduced():
    changed = ENTRY._replace(data=ENTRY.data | {"value": "-3/25"})
    assert [row["case"] for row in reproduce(changed) if not row["ok"]] == ["value"]


@pytest.mark.parametrize("name", FAST)
def test_it_is_reproduced(name):
    rows = reproduce(PUBLISHED[name])
    assert [row["case"] for row in rows if not row["ok"]] == []
    assert all(set(row) >= KEYS and row["source"] for row in rows)
    assert len({row["case"] for row in rows}) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - set(LONG)))
def test_it_is_reproduced_in_full(name):
    assert all(row["ok"] for row in reproduce(PUBLISHED[name], full=True))


def test_every_published_result_has_its_computation_and_its_library_value():
    for module in {entry.module for entry in PUBLISHED.values()}:
        here = {name for name, entry in PUBLISHED.items() if entry.module == module}
        assert here == set(import_module(module).FOUND)
    assert Fraction(ENTRY.data["value"]) == library.entry("oneill").value


def test_the_verb(capsys):
    assert main(["reproduce", "S1.02", "S1.13", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} == {"S1.02", "S1.13"}
    assert main(["reproduce", "S1.02", "--section", "1"]) == 0
    assert "1 of 1 published results reproduced" in capsys.readouterr().out
    assert main(["reproduce", "S1.31"]) == 2
    assert "did you mean 'S1.1" in capsys.readouterr().err
    assert main(["reproduce", "--section", "6"]) == 2
    assert "section 6 has no published numbers yet" in capsys.readouterr().err
    assert choose([]) == list(PUBLISHED.values())
