"""What a student reads: exact numbers, the course's symbols, where answers part, own lines only."""

import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refmarl.grading.border.corpus import draw
from refmarl.grading.cases import arguments, differing, literal, notation, script
from refmarl.grading.catalogue import exercises, spec
from refmarl.grading.judge import replay
from refmarl.grading.report import clean, program, report
from refmarl.grading.runner import Result, check
from refmarl.grading.spec import Broken, Differs, Mistake, Property

EXERCISE = exercises()["expected-utility"]
NUMBERS = hnp.arrays(
    st.sampled_from(["f8", "f4", "i8", "i4", "?", "u1"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)


def _nothing(answer, case):
    assert case


LAW = Property("a law", _nothing, "Look at it.", weight=3)


def _result(*broken, passed=(), **more):
    return Result(EXERCISE, "fail", tuple(passed), broken, **more)


@given(NUMBERS | st.lists(NUMBERS, max_size=2) | st.tuples(NUMBERS, st.floats(), st.booleans()))
def test_a_value_is_written_as_python_that_makes_it_again(value):
    made = eval(literal(value), {"np": np})
    assert type(made) is type(value)
    pairs = zip(made, value, strict=True) if isinstance(value, list | tuple) else [(made, value)]
    for a, b in pairs:
        np.testing.assert_array_equal(a, b, strict=isinstance(b, np.ndarray))


class Case(NamedTuple):
    """Of an exercise about a game of two players."""

    payoffs: Any
    player: int


@given(hnp.arrays("f8", (2, 2, 3), elements=st.integers(-3, 3)))
def test_a_case_is_python_with_its_game_as_a_table_beside(payoffs):
    lines = arguments(Case(payoffs, 1), {"payoffs": "u_i(a)"})
    scope = {"np": np}
    exec("\n".join(lines), scope)
    np.testing.assert_array_equal(scope["payoffs"], payoffs)
    assert scope["player"] == 1
    assert "u_i(a)" in "\n".join(lines)
    a, b = payoffs[:, 1, 2]
    assert lines[-1].rstrip().endswith(f"{a:g}, {b:g}")


def test_what_does_not_show_in_the_numbers_is_said():
    frozen = np.zeros((2, 3))
    frozen.flags.writeable = False
    told = arguments(Case(frozen, np.zeros((3, 2)).T))
    assert "read-only" in told[0]
    assert "in Fortran's order" in told[1]
    assert "a view" in arguments(Case(np.zeros(8)[::2], 0))[0]


def test_a_large_argument_is_its_shape_and_a_function_no_address():
    lines = arguments(Case(np.zeros((5, 5, 5)), lambda: 0))
    assert lines == [
        "# payoffs: float64 (5, 5, 5), too large to be shown",
        "# player: a function that yours is given",
    ]


SAME_SHAPE = hnp.array_shapes(max_dims=3, max_side=4).flatmap(
    lambda shape: st.tuples(*[hnp.arrays("f8", shape, elements=st.integers(-1, 1))] * 2)
)


@given(SAME_SHAPE)
def test_small_answers_stand_in_full_and_large_ones_where_they_first_differ(pair):
    got, want = pair
    lines = differing(got, want)
    places = [tuple(place) for place in np.argwhere(got != want)]
    if got.size <= 8:
        for line, value in zip(lines, pair, strict=True):
            shown = line.split(maxsplit=1)[1].split("    first")[0]
            assert eval(shown) == value.tolist()
    if not places:
        assert "first difference" not in "".join(lines)
        return
    first = str(list(map(int, places[0])))
    assert first in "\n".join(lines)
    if got.size > 8:
        assert f"{got[places[0]]} at {first}" in lines[0]
        assert f"{len(places)} of {got.size} differ" in lines[1]


def test_rounding_is_not_taken_for_the_first_difference():
    want = np.array([0.1 + 0.2, 1.0])
    assert "first difference at [1]" in differing(np.array([0.3, 2.0]), want)[1]


@pytest.mark.parametrize("label", list(exercises()))
def test_the_statement_gives_a_notation_for_every_argument(label):
    exercise = exercises()[label]
    found = notation(exercise)
    head = exercise.stub().partition(f"def {exercise.function}(")[2].partition("):")[0]
    given = [name.partition("=")[0].strip() for name in head.split(",")]
    assert found.keys() == {name for name in given if name}  # a comma may stand last
    assert all(0 < len(says) < 120 for says in found.values())


def test_yours_and_expected_stand_below_what_they_are():
    error = Differs("the utilities", np.array([1.0, 2.0]), np.array([1.0, 3.0]), 1.0)
    text = report(_result(Broken(LAW, error, Case(np.zeros(2), 0))))
    at = [text.index(x) for x in ("the utilities:", "yours     [1.0, 2.0]", "expected  [1.0, 3.0]")]
    assert at == sorted(at)
    assert "first difference at [1]" in text


def test_the_first_broken_law_is_told_in_full_and_the_others_in_a_line():
    laws = [Property(f"law {k}", _nothing, f"hint {k}") for k in range(3)]
    items = [Broken(law, AssertionError(f"why {k}"), None) for k, law in enumerate(laws)]
    lines = report(_result(*items[1:], passed=laws[:1]), "docs/x.md").splitlines()
    assert lines[0] == "expected-utility: 1 of 3 laws hold, 3.33/10"
    assert lines[1:6] == [
        "  ✓ law 0",
        "  ✗ law 1 (3.33 points)",
        "      why 1",
        "      Hint: hint 1",
        "  ✗ law 2 (3.33 points)",
    ]
    assert lines[6].startswith("  Read: docs/x.md   More: refmarl hint expected-utility")


@given(weights=st.lists(st.integers(1, 9), min_size=1, max_size=5), held=st.integers(0, 5))
def test_what_laws_are_said_to_earn_adds_up_to_the_score(weights, held):
    laws = [Property(f"law {k}", _nothing, "", weight=w) for k, w in enumerate(weights)]
    gate = Property("the gate", _nothing, "", gate=True)
    items = [Broken(law, AssertionError("x"), None) for law in laws[held:]]
    result = _result(*items, passed=[gate, *laws[:held]])
    lines = report(result).splitlines()
    lost = sum(float(x.rpartition("(")[2].split()[0]) for x in lines if x.startswith("  ✗"))
    assert abs(result.score + lost - EXERCISE.points) < 0.01 * (len(laws) + 1)


def test_a_gate_is_said_to_decide():
    gate = Property("the inputs are left unchanged", _nothing, "", gate=True)
    assert "(without it nothing counts)" in report(_result(Broken(gate, AssertionError(), None)))


def test_a_law_that_earns_nothing_says_so():
    law = Property("invariance", _nothing, "", weight=0)
    text = report(_result(Broken(law, AssertionError("x"), None), passed=[LAW]))
    assert "invariance (it explains, and earns nothing)" in text


def test_the_known_mistake_stands_with_the_law_that_it_breaks():
    items = [Broken(LAW, AssertionError("why"), None), Broken(LAW, AssertionError("x"), None)]
    mistake = Mistake("the sign is turned", max)
    lines = report(_result(*items, mistake=mistake)).splitlines()
    at = [k for k, x in enumerate(lines) if x.strip() == "Looks like: the sign is turned."]
    assert len(at) == 1
    assert lines[at[0] - 1].strip() == "why"
    assert lines[at[0] + 1].strip() == "Hint: Look at it."


def test_prints_are_shown_short_and_move_no_cursor():
    result = _result(Broken(LAW, AssertionError("x"), None), printed="here\x1b[2J\u202e\n" * 99)
    text = report(result)
    assert text.count("here") == 8
    assert "91 lines more" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@given(st.text())
def test_cleaned_text_keeps_its_length_and_its_letters(text):
    found = clean(text)
    assert len(found) == len(text)
    assert all(a == b or not b.isprintable() for a, b in zip(found, text, strict=True))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("error", "could not be run"),
        ("timeout", "in time"),
        ("crash", "ended its process"),
        ("blocked", "waits for another"),
        ("harness-error", "not yours"),
    ],
)
def test_what_was_not_judged_says_why(status, words):
    text = report(Result(EXERCISE, status, message="the reason", printed="a print"))
    assert words in text.splitlines()[0]
    assert "the reason" in text
    assert "a print" in text


HEAD = "import numpy as np\n\n\ndef expected_utility(payoffs, profile):\n"
WRONG = HEAD + "    print('here')\n    return payoffs.reshape(len(payoffs), -1).mean(axis=1)\n"
BROKEN = HEAD + "    return inside(payoffs)\n\n\ndef inside(u):\n    return u[0, 99]\n"


def _checked(tmp_path, body):
    path = tmp_path / f"{EXERCISE.slug}.py"
    path.write_text(body)
    return check(EXERCISE, path), path


def test_a_known_mistake_is_named_with_a_case_that_a_program_repeats(tmp_path):
    result, path = _checked(tmp_path, WRONG)
    text = report(result, seconds=1.25)
    assert "laws hold, 0/10, 1.2 s" in text or f"{result.score:g}/10, 1.2 s" in text
    assert "Looks like: the strategies are ignored" in text
    assert "    here" in text
    (tmp_path / "case.py").write_text(program(result))
    ran = subprocess.run(
        [sys.executable, "case.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    item = result.failed[0]
    scope: dict[str, Any] = {}
    exec(path.read_text(), scope)
    wanted = [scope["expected_utility"](*c) for c in (item.case, item.last) if c is not None]
    assert ran.stdout.replace("here\n", "").split() == " ".join(map(str, wanted)).split()


def test_an_error_shows_the_students_lines_and_none_of_ours(tmp_path):
    result, path = _checked(tmp_path, BROKEN)
    text = report(result)
    assert "line 5, in expected_utility" in text
    assert "return u[0, 99]" in text
    assert "IndexError" in text
    files = [line for line in text.splitlines() if 'File "' in line]
    assert all(path.name in line for line in files)


def test_a_program_of_two_calls_makes_both():
    made = script(EXERCISE, [Case(np.zeros(1), 0), Case(np.ones(1), 1)])
    assert made.count("print(expected_utility(payoffs, player))") == 2


def test_no_program_without_a_case():
    assert program(Result(EXERCISE, "pass")) == ""
    assert program(_result(Broken(LAW, AssertionError("x"), None))) == ""


def test_a_mistake_in_the_way_of_every_law_is_told_once():
    law = spec("gae")
    cases = draw(law.cases, 0, 3)
    broke = [item for p in law.properties if (item := replay(p, lambda *_: None, cases))]
    text = report(Result(exercises()["gae"], "bad-return", (), tuple(broke)))
    assert text.count("is a return missing?") == 1
